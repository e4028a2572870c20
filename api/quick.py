"""Routes that are asked often: their endpoints read the request by themselves, no dependencies are solved."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute


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
