"""Every request has a name, a line in the log and its share in the counts."""

from __future__ import annotations

import logging
import random
import re
import time

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.dialects import failure, header
from api.logs import LOGGER, Line, told
from api.metrics import Metrics

GONE = 499  # what others count for a client that did not wait
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Trace:
    """Name the request, count it, log one line, and answer what nobody foresaw without its words."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app, self.metrics, self.log = app, metrics, logging.getLogger(LOGGER)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = header(scope, b"x-request-id")
        # a name, no secret: each process draws its own, also after a fork
        request_id = given if _ID.fullmatch(given) else f"{random.getrandbits(128):032x}"
        started, status = time.perf_counter(), 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                took = f"app;dur={1000 * (time.perf_counter() - started):.3f}"
                more = [(b"x-request-id", request_id.encode()), (b"server-timing", took.encode())]
                message = {**message, "headers": [*message.get("headers", []), *more]}
            await send(message)

        self.metrics.running.inc()
        try:
            await self.app(scope, receive, named)
        except ClientDisconnect:
            status = status or GONE
        except Exception as error:  # noqa: BLE001 - the last place: none of its words may reach a client or a log
            self.log.error("unforeseen failure", extra={"data": {"request_id": request_id, **told(error)}})  # noqa: TRY400 - frames only
            if status == 0:
                await failure(scope, 500)(scope, receive, named)
        finally:
            self.metrics.running.dec()
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "none")
            self.metrics.observe(scope["method"], route, status, seconds)
            if self.log.isEnabledFor(logging.INFO):
                data = {
                    "request_id": request_id, "method": scope["method"], "route": route, "status": status,
                    "ms": round(1000 * seconds, 2),
                }  # fmt: skip
                self.log.handle(Line("request", data))
