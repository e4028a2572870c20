"""Working sets of searches: as long as the network, clean between searches, used again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from geo.compiled import Pool
from geo.models import F64, I32


class Working(NamedTuple):
    """One item a place: seconds (``inf``) and label (-1) of a search, and room for those it touched."""

    best: F64
    labels: I32
    touched: I32


def working_sets(size: int) -> Pool[Working]:
    """Working sets for places ``0..size - 1``.

    To make one costs as much as thousands of short searches; to clean one costs what was touched.
    """

    def make() -> Working:
        return Working(
            np.full(size, np.inf), np.full(size, -1, dtype=np.int32), np.empty(size, dtype=np.int32)
        )

    return Pool(make)
