"""Working sets of searches: as long as the network, clean between searches, used again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import NamedTuple

import numpy as np

from geo.models import F64, I32


class Working(NamedTuple):
    """One item a place: seconds (``inf``) and label (-1) of a search, and room for those it touched."""

    best: F64
    labels: I32
    touched: I32


class Pool:
    """Working sets for places ``0..size - 1``, at most as many as were ever in use at once.

    To make one costs as much as thousands of short searches; to clean one costs what was touched.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._idle: SimpleQueue[Working] = SimpleQueue()

    @contextmanager
    def one(self) -> Iterator[Working]:
        """Lend a clean working set; it must be clean again at the end. After an error it is thrown away."""
        try:
            working = self._idle.get_nowait()
        except Empty:
            working = Working(
                np.full(self._size, np.inf),
                np.full(self._size, -1, dtype=np.int32),
                np.empty(self._size, dtype=np.int32),
            )
        yield working
        self._idle.put(working)
