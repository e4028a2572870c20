"""How inner loops are compiled and run: nogil kernels, cached on disk, shared out to threads with room to work."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
MAX_THREADS = 8


def kernel(function: F) -> F:
    """Compile a function with numba: cached on disk, free of the GIL, IEEE arithmetic kept as written."""
    return cast("F", njit(cache=True, nogil=True, error_model="numpy")(function))


def in_chunks(count: int, smallest: int, work: Callable[[int, int], T]) -> list[T]:
    """``work(first, last)`` over chunks of ``range(count)``, results in order whatever the thread count.

    >>> in_chunks(5, 2, lambda first, last: (first, last))
    [(0, 2), (2, 4), (4, 5)]
    """
    threads = _threads()
    # Four chunks a thread even out uneven searches; the bounds depend on nothing that changes a result.
    size = max(smallest, -(-count // (4 * threads)), 1)
    bounds = list(_bounds(count, size))
    if len(bounds) < 2 or threads == 1:
        return [work(first, last) for first, last in bounds]
    left = deque(enumerate(bounds))
    results: dict[int, T] = {}

    def take() -> None:
        while left:
            try:
                i, (first, last) = left.popleft()
            except IndexError:  # another thread was quicker
                return
            try:
                results[i] = work(first, last)
            except BaseException:
                left.clear()  # an error, or Ctrl-C: nobody begins another chunk
                raise

    # the calling thread takes its share: it is awake already, which saves short work half of its time
    with ThreadPoolExecutor(min(threads, len(bounds)) - 1) as pool:
        others = [pool.submit(take) for _ in range(min(threads, len(bounds)) - 1)]
        take()
    for other in others:
        other.result()
    return [results[i] for i in range(len(bounds))]


@cache
def _threads() -> int:
    return max(1, min(MAX_THREADS, os.cpu_count() or 1))


def _bounds(count: int, size: int) -> Iterator[tuple[int, int]]:
    for first in range(0, count, size):
        yield first, min(first + size, count)


class Pool(Generic[T]):
    """Room to work in, made by ``make`` and used again: at most as many as were ever in use at once.

    >>> pool = Pool(list)
    >>> with pool.one() as first:
    ...     first.append("not clean")
    >>> with pool.one() as again:
    ...     again is first
    True
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._idle: SimpleQueue[T] = SimpleQueue()

    def one(self) -> Lent[T]:
        """Lend one that is clean; it must be clean again at the end. After an error it is thrown away."""
        try:
            return Lent(self._idle, self._idle.get_nowait())
        except Empty:
            return Lent(self._idle, self._make())


class Lent(Generic[T]):
    """What a :class:`Pool` lends for the length of a ``with`` block."""

    __slots__ = ("_home", "_what")

    def __init__(self, home: SimpleQueue[T], what: T) -> None:
        self._home, self._what = home, what

    def __enter__(self) -> T:
        return self._what

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        if kind is None:
            self._home.put(self._what)
