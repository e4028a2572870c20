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


class Trail:
    """One request from its beginning to its end."""

    __slots__ = ("log", "metrics", "request_id", "scope", "started")

    def __init__(self, scope: Scope, metrics: Metrics, log: logging.Logger) -> None:
        given = header(scope, b"x-request-id")
        # a name, no secret: each process draws its own, also after a fork
        self.request_id = given if _ID.fullmatch(given) else f"{random.getrandbits(128):032x}"
        self.scope, self.metrics, self.log = scope, metrics, log
        self.started = time.perf_counter()
        metrics.running.inc()

    def headers(self) -> list[tuple[bytes, bytes]]:
        """What an answer that begins now says of it."""
        took = f"app;dur={1000 * (time.perf_counter() - self.started):.3f}"
        return [(b"x-request-id", self.request_id.encode()), (b"server-timing", took.encode())]

    def unforeseen(self, error: Exception) -> None:
        """Log what nobody foresaw, without its words."""
        data = {"request_id": self.request_id, **told(error)}
        self.log.error("unforeseen failure", extra={"data": data})

    def end(self, status: int) -> None:
        """Count the answer and log its line."""
        self.metrics.running.dec()
        seconds = time.perf_counter() - self.started
        route = getattr(self.scope.get("route"), "path", "none")
        self.metrics.observe(self.scope["method"], route, status, seconds)
        if self.log.isEnabledFor(logging.INFO):
            data = {
                "request_id": self.request_id, "method": self.scope["method"], "route": route, "status": status,
                "ms": round(1000 * seconds, 2),
            }  # fmt: skip
            self.log.handle(Line("request", data))


class Trace:
    """Begin and end the trail of each request, and answer what nobody foresaw without its words."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app, self.metrics, self.log = app, metrics, logging.getLogger(LOGGER)

    def begin(self, scope: Scope) -> Trail:
        """The trail of a request."""
        return Trail(scope, self.metrics, self.log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        trail, status = self.begin(scope), 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", []), *trail.headers()]}
            await send(message)

        try:
            await self.app(scope, receive, named)
        except ClientDisconnect:
            status = status or GONE
        except Exception as error:  # noqa: BLE001 - the last place: none of its words may reach a client or a log
            trail.unforeseen(error)
            if status == 0:
                await failure(scope, 500)(scope, receive, named)
        finally:
            trail.end(status)
