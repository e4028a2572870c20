"""Routes that are asked often: their endpoints read the request by themselves, no dependencies are solved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from api.dialects import failure, header, path_of
from api.guard import Guard
from api.trace import GONE, Trace


class QuickRoute(APIRoute):
    """A route whose endpoint takes the request and the parts of the path as text, and gives a Response.

    The document of the service tells of it as of any other.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request: FastAPI's own place for it."""

        async def answer(request: Request) -> Response:
            response: Response = await self.endpoint(request, **request.path_params)
            return response

        return answer


class Late:
    """An answer that is sent where the right one does not come in time: ``task``, once that is so."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None

    def after(self, seconds: float, answer: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.TimerHandle:
        """Send ``answer()`` after so many seconds, unless the handle is cancelled before."""
        loop = asyncio.get_running_loop()

        def expire() -> None:
            self.task = loop.create_task(answer())

        return loop.call_later(seconds, expire)


class Quick:
    """Answers for quick routes, with the same trail and the same limits, but without a layer for each of them.

    Such an answer is whole before it begins, so that nothing has to stand between it and the server. Requests from
    pages of other origins, and all others, are passed on.
    """

    def __init__(self, app: ASGIApp, *, routers: Iterable[APIRouter], trace: Trace, guard: Guard) -> None:
        self.app, self.trace, self.guard = app, trace, guard
        routes = [route for router in routers for route in router.routes if isinstance(route, QuickRoute)]
        self.fixed = {
            (method, route.path): route for route in routes if "{" not in route.path for method in route.methods or ()
        }  # fmt: skip
        self.others = [route for route in routes if "{" in route.path]
        self.prefixes = tuple({route.path.split("{", 1)[0] for route in self.others})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        route = self._route(scope) if scope["type"] == "http" else None
        if route is None or header(scope, b"origin"):
            await self.app(scope, receive, send)
        else:
            await self._answer(route, scope, receive, send)

    def _route(self, scope: Scope) -> QuickRoute | None:
        path = path_of(scope)
        found = self.fixed.get((scope["method"], path))
        if found is not None:
            scope.update({"route": found, "path_params": {}})
        elif path.startswith(self.prefixes):
            for route in self.others:
                match, more = route.matches(scope)
                if match is Match.FULL:
                    scope.update(more)
                    return route
        return found

    async def _answer(self, route: QuickRoute, scope: Scope, receive: Receive, send: Send) -> None:
        trail, late, status = self.trace.begin(scope), Late(), 0

        async def answer(response: Response, more: Iterable[tuple[bytes, bytes]] = ()) -> None:
            nonlocal status
            status = response.status_code
            headers = [*response.raw_headers, *more, (b"vary", b"Origin"), *trail.headers()]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": response.body})

        self.guard.running += 1
        try:
            refused, headers = self.guard.admitted(scope)
            if refused:
                await answer(failure(scope, refused, headers))
                return
            clock = late.after(self.guard.settings.timeout_s, lambda: answer(failure(scope, 504)))
            try:
                response = await route.endpoint(Request(scope, receive), **scope["path_params"])
            except HTTPException as error:
                response = failure(scope, error.status_code, error.headers)
            finally:
                clock.cancel()
                if late.task is not None:
                    await late.task  # a thread cannot be stopped: its answer is dropped when it comes
            if late.task is None:
                await answer(response, [(k.lower().encode(), v.encode()) for k, v in headers.items()])
        except ClientDisconnect:
            status = status or GONE
        except Exception as error:  # noqa: BLE001 - the last place: none of its words may reach a client or a log
            trail.unforeseen(error)
            if status == 0:
                await answer(failure(scope, 500))
        finally:
            self.guard.running -= 1
            trail.end(status)
