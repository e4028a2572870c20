"""What a failure is in HTTP: RFC 9457 problem details, never an exception's text that is not ours."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from geo.errors import InputError, RunError

PROBLEM = "application/problem+json"


def add_error_handlers(app: FastAPI) -> None:
    """Map the error tree to statuses: a wrong input 422, a failed run 500."""

    async def wrong_input(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, InputError)
        defects = [{"message": d.message, "key": d.key} for d in error.defects]
        body = {"type": "about:blank", "title": "wrong input", "status": 422, "defects": defects}
        return JSONResponse(body, status_code=422, media_type=PROBLEM)

    async def failed(_request: Request, _error: Exception) -> JSONResponse:
        body = {"type": "about:blank", "title": "the run failed", "status": 500}
        return JSONResponse(body, status_code=500, media_type=PROBLEM)

    app.add_exception_handler(InputError, wrong_input)
    app.add_exception_handler(RunError, failed)
