"""What a failure is in HTTP: RFC 9457 problem details, never an exception's text that is not ours."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geo.errors import InputError, RunError

PROBLEM = "application/problem+json"
TITLES = {
    400: "wrong request",
    404: "not found",
    405: "method not allowed",
    413: "the body is too large",
    422: "wrong input",
}


def problem(status: int, title: str) -> JSONResponse:
    """Problem details (RFC 9457)."""
    return JSONResponse(
        {"type": "about:blank", "title": title, "status": status}, status_code=status, media_type=PROBLEM
    )


class BodyLimit:
    """Answer 413 to a body that is too large, before it is read."""

    def __init__(self, app: ASGIApp, *, most_bytes: int) -> None:
        self.app, self.most_bytes = app, most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        lengths = [v for k, v in scope["headers"] if k == b"content-length"]
        if lengths and lengths[0].isdigit() and int(lengths[0]) > self.most_bytes:
            await problem(413, TITLES[413])(scope, receive, send)
            return
        seen = 0

        async def limited() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.most_bytes:
                raise HTTPException(413, TITLES[413])
            return message

        await self.app(scope, limited, send)


async def body_json(request: Request, most_bytes: int) -> Any:
    """The JSON of a body; raises ValueError where it is none, and 413 where it is too large."""
    raw = await request.body()
    if len(raw) > most_bytes:
        raise HTTPException(413, TITLES[413])
    return read_json(raw.decode("utf-8"))


def read_json(text: str) -> Any:
    """JSON as the standard has it, without NaN; raises ValueError for anything else, however deep."""

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def add_error_handlers(app: FastAPI) -> None:
    """Map the error tree to statuses: a wrong input 422, a failed run 500, an unknown path 404."""

    async def wrong_input(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, InputError)
        defects = [{"message": d.message, "key": d.key} for d in error.defects]
        body = {"type": "about:blank", "title": TITLES[422], "status": 422, "defects": defects}
        return JSONResponse(body, status_code=422, media_type=PROBLEM)

    async def wrong_request(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        defects = [{"message": e["msg"], "key": ".".join(map(str, e["loc"]))} for e in error.errors()]
        body = {"type": "about:blank", "title": TITLES[422], "status": 422, "defects": defects}
        return JSONResponse(body, status_code=422, media_type=PROBLEM)

    async def said(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, StarletteHTTPException)
        answer = problem(error.status_code, TITLES.get(error.status_code, "the request failed"))
        answer.headers.update(error.headers or {})
        return answer

    async def failed(_request: Request, _error: Exception) -> JSONResponse:
        return problem(500, "the run failed")

    app.add_exception_handler(InputError, wrong_input)
    app.add_exception_handler(RequestValidationError, wrong_request)
    app.add_exception_handler(StarletteHTTPException, said)
    app.add_exception_handler(RunError, failed)
