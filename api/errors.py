"""What a failure is in HTTP: RFC 9457 problem details or the dialect's shape, never an exception's text that is not ours."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from api.dialects import TITLES, failure, path_of, problem
from geo.errors import InputError, RunError

METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


async def body_json(request: Request, most_bytes: int) -> Any:
    """The JSON of a body; raises ValueError where it is none, and 413 as soon as it is too large."""
    parts, size, more = [], 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most_bytes:
            raise HTTPException(413, TITLES[413])
        more = message.get("more_body", False)
    return read_json(b"".join(parts).decode("utf-8"))


def read_json(text: str) -> Any:
    """JSON as the standard has it, without NaN; raises ValueError for anything else, however deep."""
    try:
        return _STANDARD.decode(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _refused(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_STANDARD = json.JSONDecoder(parse_constant=_refused)


def _methods(app: FastAPI, request: Request) -> set[str]:
    """Every method of an address: one route may know only its own."""
    asked = ({**request.scope, "method": method} for method in METHODS)
    return {
        one["method"] for one in asked if any(route.matches(one)[0] is Match.FULL for route in app.routes)
    }


def wrong_input(error: InputError) -> JSONResponse:
    """Problem details of what is wrong with an input."""
    return problem(422, TITLES[422], defects=[{"message": d.message, "key": d.key} for d in error.defects])


def add_error_handlers(app: FastAPI) -> None:
    """Map the error tree to statuses: a wrong input 422, a failed run 500, an unknown path 404."""

    async def refused(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, InputError)
        return wrong_input(error)

    async def wrong_request(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        defects = [{"message": e["msg"], "key": ".".join(map(str, e["loc"]))} for e in error.errors()]
        status = 400 if path_of(request.scope).startswith("/ogc/") else 422  # as OGC API has it
        return problem(status, TITLES[status], defects=defects)

    async def said(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, StarletteHTTPException)
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(sorted(_methods(app, request)))
        return failure(request.scope, error.status_code, headers)

    async def failed(request: Request, _error: Exception) -> JSONResponse:
        return failure(request.scope, 500)

    app.add_exception_handler(InputError, refused)
    app.add_exception_handler(RequestValidationError, wrong_request)
    app.add_exception_handler(StarletteHTTPException, said)
    app.add_exception_handler(RunError, failed)
    app.add_exception_handler(Exception, failed)  # raised again after the answer, for the log
