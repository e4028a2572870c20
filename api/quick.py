"""Routes that are asked often: their endpoints read the request by themselves, no dependencies are solved."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from api.dialects import failure, header, path_of
from api.errors import wrong_input
from api.guard import Guard
from geo.errors import InputError


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


Reader = Callable[..., Coroutine[Any, Any, Response] | None]
"""Takes a request and the parts of the path as text; what answers it, or None: FastAPI is to read the request."""


class PlainRoute(APIRoute):
    """A route of FastAPI's making whose plain questions, as most clients put them, are read without it.

    What a ``reader`` is not sure of, it leaves to the endpoint, which tells all that is wrong.
    """

    reader: Reader

    @classmethod
    def read_by(cls, reader: Reader) -> type[PlainRoute]:
        """The class of a route with this reader, for ``route_class_override``."""
        return type("PlainRoute", (cls,), {"reader": staticmethod(reader)})


class Quick:
    """Answers for quick and plain routes, within the same limits, but without a layer for each of them.

    Such an answer is whole before it begins, so that nothing has to stand between it and the server: the layers cost
    more than the rest of a short one. Requests from pages of other origins, and all others, are passed on.
    """

    def __init__(self, app: ASGIApp, *, routers: Iterable[APIRouter], guard: Guard) -> None:
        self.app, self.guard = app, guard
        routes = [r for router in routers for r in router.routes if isinstance(r, (QuickRoute, PlainRoute))]
        self.fixed = {
            (method, route.path): route for route in routes if "{" not in route.path for method in route.methods or ()
        }  # fmt: skip
        self.others = [route for route in routes if "{" in route.path]
        self.prefixes = tuple({route.path.split("{", 1)[0] for route in self.others})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        quick = scope["type"] == "http" and not header(scope, b"origin")
        answering = self._answering(scope, receive) if quick else None
        if answering is None:
            await self.app(scope, receive, send)
            return
        refused, headers = self.guard.admitted(scope)
        if refused:
            answering.close()
            await _send(failure(scope, refused, headers), send, ())
            return
        more = [(k.lower().encode(), v.encode()) for k, v in headers.items()]
        async with self.guard.turn(scope, receive, send) as turn:
            try:
                response = await answering
            except HTTPException as error:
                response = failure(scope, error.status_code, error.headers)
            except InputError as error:
                response = wrong_input(error)
            if turn.begin():
                await _send(response, send, more)

    def _answering(self, scope: Scope, receive: Receive) -> Coroutine[Any, Any, Response] | None:
        route = self._route(scope)
        if route is None:
            return None
        answering: Reader = route.reader if isinstance(route, PlainRoute) else route.endpoint
        return answering(Request(scope, receive), **scope["path_params"])

    def _route(self, scope: Scope) -> QuickRoute | PlainRoute | None:
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


async def _send(response: Response, send: Send, more: Iterable[tuple[bytes, bytes]]) -> None:
    """Send a whole answer; what it says to pages of other origins would be different (CORS)."""
    headers = [*response.raw_headers, *more, (b"vary", b"Origin")]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
