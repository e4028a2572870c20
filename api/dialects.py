"""A failure in the shape that the clients of a route understand: problem details, or the dialect's own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse

PROBLEM = "application/problem+json"
TITLES = {
    400: "wrong request",
    401: "an API key is needed",
    403: "wrong API key",
    404: "not found",
    405: "method not allowed",
    413: "the body is too large",
    422: "wrong input",
    429: "too many requests",
    500: "the run failed",
    503: "not ready, try again",
    504: "the answer took too long",
}
VALHALLA_CODES = {400: 100, 404: 106, 405: 101, 503: 102}
MAPBOX_CODES = {401: "NotAuthorized", 403: "Forbidden", 404: "NotFound", 413: "InvalidInput"}


def path_of(scope: Mapping[str, Any]) -> str:
    """The path asked for, without the prefix of a proxy."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(root + "/") else path


def header(scope: Mapping[str, Any], name: bytes) -> str:
    """The first header of a name, or nothing."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value).decode("latin-1")
    return ""


def failure(scope: Mapping[str, Any], status: int, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The answer to a request that failed for a reason that is no single parameter's."""
    path = path_of(scope)
    title = TITLES.get(status, "the request failed")
    if path.startswith("/ors/"):
        return JSONResponse(ors_body(None, title.capitalize() + "."), status, headers)
    if path.startswith("/valhalla"):
        return JSONResponse(
            valhalla_body(VALHALLA_CODES.get(status, 199), title.capitalize(), status), status, headers
        )
    if path.startswith("/isochrone/v1"):
        code = MAPBOX_CODES.get(status, "InvalidInput" if status < 500 else "ProcessingError")
        return JSONResponse({"code": code, "message": title.capitalize()}, status, headers)
    return problem(status, title, headers)


def problem(
    status: int,
    title: str,
    headers: Mapping[str, str] | None = None,
    defects: list[dict[str, Any]] | None = None,
) -> JSONResponse:
    """Problem details (RFC 9457)."""
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        **({} if defects is None else {"defects": defects}),
    }
    return JSONResponse(body, status, headers, media_type=PROBLEM)


def ors_body(code: int | None, message: str) -> dict[str, Any]:
    """Openrouteservice's shape; failures that it does not number carry the message alone."""
    error = {"message": message} if code is None else {"code": code, "message": message}
    return {
        "error": error,
        "info": {"engine": {"version": "redmap"}, "timestamp": int(time.time() * 1000)},
    }


def valhalla_body(code: int, message: str, status: int) -> dict[str, Any]:
    """Valhalla's shape."""
    return {
        "error_code": code,
        "error": message,
        "status_code": status,
        "status": HTTPStatus(status).phrase,
    }
