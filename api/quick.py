"""Routes that are asked often: no dependencies to solve, and computed where they are asked while that is quick."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

T = TypeVar("T")
QUICK_S = 0.005  # of computing: as long as a thread of Python may keep the others waiting anyway
FORGETS = 0.02  # of what it took, at each answer: one slow place does not count for ever
MOST_KINDS = 10_000


class QuickRoute(APIRoute):
    """A route whose endpoint takes the request and the parts of the path as text, and gives a Response.

    It reads and checks everything else by itself: what FastAPI would do for it takes half as long as an answer.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request: FastAPI's own place for it."""

        async def answer(request: Request) -> Response:
            response: Response = await self.endpoint(request, **request.path_params)
            return response

        return answer


class Pace:
    """What answers of each kind lately took, and so where the next one is computed.

    Two threads of one process hand the interpreter to and fro, which costs a quick answer as much again as it takes.
    So one whose kind took less than ``QUICK_S`` of computing is computed on the event loop, which others then wait
    for no longer than they would for the interpreter; any other, and the first of its kind, in a thread.
    """

    def __init__(self) -> None:
        self._longest: dict[Hashable, float] = {}

    def quick(self, kind: Hashable) -> bool:
        """Whether answers of a kind are quick; of an unknown one they are not.

        >>> pace = Pace()
        >>> pace.quick("walk"), pace.took("walk", 0.001), pace.quick("walk"), pace.took("walk", 0.1), pace.quick("walk")
        (False, None, True, None, False)
        """
        return self._longest.get(kind, math.inf) < QUICK_S

    def took(self, kind: Hashable, seconds: float) -> None:
        """Take note of an answer: the longest counts, and is slowly forgotten."""
        before = self._longest.get(kind, 0.0)
        if len(self._longest) >= MOST_KINDS:
            self._longest.clear()
        self._longest[kind] = max(seconds, before + FORGETS * (seconds - before))

    async def run(self, kind: Hashable, work: Callable[[], T]) -> T:
        """The result of ``work``, here or in a thread; its errors are raised."""

        def timed() -> T:
            start = time.thread_time()
            try:
                return work()
            finally:
                self.took(kind, time.thread_time() - start)

        return timed() if self.quick(kind) else await run_in_threadpool(timed)
