"""Every request has a name, a line in the log and its share in the counts."""

from __future__ import annotations

import asyncio
import logging
import random
import re
import time
from typing import NamedTuple

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.dialects import failure, header
from api.logs import LOGGER, Line, told
from api.metrics import Metrics

GONE = 499  # what others count for a client that did not wait
TOLD_S = 0.05  # counted and logged together, so long after an answer at most: in a row that costs half of it
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Answered(NamedTuple):
    """A request that was answered, when (seconds since 1970) and within how many seconds."""

    at: float
    request_id: str
    method: str
    route: str
    status: int
    seconds: float


class Trace:
    """Name the request, count it, log one line, and answer what nobody foresaw without its words."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app, self.metrics, self.log = app, metrics, logging.getLogger(LOGGER)
        self.running, self.answered = 0, list[Answered]()
        self.tells_on: asyncio.AbstractEventLoop | None = None  # where the next telling is due

    def tell(self) -> None:
        """Count and log what has been answered; on the event loop."""
        self.tells_on, answered = None, self.answered
        self.answered = []
        self.metrics.running.set(self.running)
        for one in answered:
            self.metrics.observe(one.method, one.route, one.status, one.seconds)
            if self.log.isEnabledFor(logging.INFO):
                data = {
                    "request_id": one.request_id, "method": one.method, "route": one.route, "status": one.status,
                    "ms": round(1000 * one.seconds, 2),
                }  # fmt: skip
                self.log.handle(Line("request", data, one.at))

    def _tell_soon(self) -> None:
        loop = asyncio.get_running_loop()
        if self.tells_on is not loop:
            self.tells_on = loop
            loop.call_later(TOLD_S, self.tell)

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

        self.running += 1
        self._tell_soon()
        try:
            await self.app(scope, receive, named)
        except ClientDisconnect:
            status = status or GONE
        except Exception as error:  # noqa: BLE001 - the last place: none of its words may reach a client or a log
            self.log.error("unforeseen failure", extra={"data": {"request_id": request_id, **told(error)}})  # noqa: TRY400 - frames only
            if status == 0:
                await failure(scope, 500)(scope, receive, named)
        finally:
            self.running -= 1
            seconds, route = time.perf_counter() - started, getattr(scope.get("route"), "path", "none")
            self.answered.append(Answered(time.time(), request_id, scope["method"], route, status, seconds))
            self._tell_soon()
