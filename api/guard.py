"""What stands before every request: the limits of the service."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, Self
from urllib.parse import parse_qs

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.dialects import failure, header, path_of
from api.settings import Settings

COMPUTING = (
    "/studies",
    "/isochrone",
    "/summary",
    "/ors",
    "/valhalla",
    "/ogc",
)  # pages stay open: frames have no key
MOST_CLIENTS = 20_000  # whose rates are kept in mind


class Guard:
    """Refuse bodies too large before they are read, strangers, too many requests; end what takes too long."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app, self.settings, self.running = app, settings, 0
        self.rates = Rates(settings.rate_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refused, headers = self.admitted(scope)
        if refused:
            await failure(scope, refused, headers)(scope, receive, send)
            return
        told = [(k.lower().encode(), v.encode()) for k, v in headers.items()]
        async with self.turn(scope, receive, send) as turn:

            async def in_time(message: Message) -> None:
                if turn.begin():
                    if told and message["type"] == "http.response.start":
                        message = {**message, "headers": [*message.get("headers", []), *told]}
                    await send(message)

            await self.app(scope, _limited(receive, self.settings.max_body_bytes), in_time)

    def turn(self, scope: Scope, receive: Receive, send: Send) -> Turn:
        """The turn of a request that is admitted."""
        return Turn(self, lambda: failure(scope, 504)(scope, receive, send))

    def admitted(self, scope: Scope) -> tuple[int, dict[str, str]]:
        """The status of a refusal or 0, and the headers that go with either."""
        length = header(scope, b"content-length")
        if length.isdecimal() and int(length[:20]) > self.settings.max_body_bytes:
            return 413, {}
        if not path_of(scope).startswith(COMPUTING):
            return 0, {}
        key = ""
        if self.settings.api_keys:
            key = _key(scope)
            if not key:
                return (403 if path_of(scope).startswith("/ors/") else 401), {"WWW-Authenticate": "ApiKey"}
            right = (k.get_secret_value().encode() for k in self.settings.api_keys)
            if not any(hmac.compare_digest(key.encode(), k) for k in right):
                return 403, {}
        if self.running >= self.settings.most_waiting:
            return 503, {"Retry-After": "1"}
        if not self.settings.rate_per_minute:
            return 0, {}
        client = scope.get("client") or ("", 0)
        name = key if self.settings.api_keys else client[0]
        left, wait_s = self.rates.take(
            hashlib.blake2b(name.encode(), digest_size=12).hexdigest(), time.monotonic()
        )
        headers = {
            "X-Ratelimit-Limit": str(self.settings.rate_per_minute),
            "X-Ratelimit-Remaining": str(left),
        }
        return (429, {**headers, "Retry-After": str(wait_s)}) if wait_s else (0, headers)


class Turn:
    """While it lasts a request counts as running; where no answer begins in time, ``late`` answers in its place.

    A thread cannot be stopped: it goes on, so does the turn, and its answer is dropped when it comes.
    """

    def __init__(self, guard: Guard, late: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.guard, self.late = guard, late
        self.begun = False
        self.given_up: asyncio.Task[None] | None = None

    def begin(self) -> bool:
        """Whether the answer is in time: then no other one will be given."""
        self.begun = self.given_up is None
        return self.begun

    async def __aenter__(self) -> Self:
        self.guard.running += 1
        loop = asyncio.get_running_loop()

        def expire() -> None:
            if not self.begun:
                self.given_up = loop.create_task(self.late())

        self.clock = loop.call_later(self.guard.settings.timeout_s, expire)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.clock.cancel()
        self.guard.running -= 1
        if self.given_up is not None:
            await self.given_up


def _limited(receive: Receive, most: int) -> Receive:
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise HTTPException(413, "the body is too large")
        return message

    return limited


def _key(scope: Scope) -> str:
    """The key as any of the clients sends it: X-API-Key, Authorization, or access_token or api_key in the query."""
    given = header(scope, b"x-api-key") or header(scope, b"authorization").removeprefix("Bearer ")
    if given:
        return given
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    return next((asked[name][0] for name in ("access_token", "api_key") if name in asked), "")


class Rates:
    """Token buckets: each client may make ``per_minute`` requests at once, and wins them back over a minute.

    >>> rates = Rates(2)
    >>> [rates.take("somebody", t) for t in (0.0, 0.0, 0.0, 30.0)]
    [(1, 0), (0, 0), (0, 30), (0, 0)]
    """

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self.kept: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, now_s: float) -> tuple[int, int]:
        """Requests left, and seconds to wait (0: it may go on)."""
        tokens, since = self.kept.pop(client, (float(self.per_minute), now_s))
        tokens = min(self.per_minute, tokens + (now_s - since) * self.per_minute / 60.0)
        allowed = tokens >= 1.0
        tokens -= allowed
        self.kept[client] = (tokens, now_s)
        if len(self.kept) > MOST_CLIENTS:
            self.kept.popitem(last=False)
        return int(tokens), 0 if allowed else max(1, round((1.0 - tokens) * 60.0 / self.per_minute))
