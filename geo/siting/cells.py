"""Questions of time, of hours and services, and of partial reach as plain cover: weighted cells.

A cell is a weight and the set of sites that reach it; every goal is a sum over cells.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from geo.models import F64, I64, TravelMatrix


def gradual(
    weights: F64, times: TravelMatrix, *, full_s: float, none_s: float, levels: int = 5
) -> tuple[F64, TravelMatrix]:
    """Reach that falls from 1 at ``full_s`` to 0 at ``none_s`` in ``levels`` equal steps (Berman & Krass 2002).

    Gives weights and times of pseudo-points: a point served in ``t`` seconds counts ``levels`` cells,
    those whose limit is ``t`` or more. Raises ``ValueError`` unless ``full_s < none_s``.

    >>> one = TravelMatrix(np.array([0, 1]), np.array([0], dtype=np.int32), np.array([600.0]), (1, 1))
    >>> w, t = gradual(np.array([100.0]), one, full_s=300.0, none_s=900.0, levels=2)
    >>> w.tolist(), t.indices.tolist()
    ([50.0, 50.0], [1])
    """
    if not full_s < none_s or levels < 1:
        raise ValueError("full_s must be below none_s, and levels 1 or more")
    limits = full_s + (none_s - full_s) * np.arange(levels) / levels
    return stacked([(weights / levels, within(times, float(limit))) for limit in limits])


def stacked(layers: Sequence[tuple[F64, TravelMatrix]]) -> tuple[F64, TravelMatrix]:
    """Several layers over the same sites as one: demand layers, or hours x services, already weighted.

    >>> one = TravelMatrix(np.array([0, 1]), np.array([0], dtype=np.int32), np.array([60.0]), (1, 1))
    >>> w, t = stacked([(np.array([2.0]), one), (np.array([3.0]), one)])
    >>> w.tolist(), t.shape
    ([2.0, 3.0], (1, 2))
    """
    parts = []
    for weights, times in layers:
        if times.shape[1] != len(weights) or times.shape[0] != layers[0][1].shape[0]:
            raise ValueError(f"a layer of {len(weights)} weights does not fit times {times.shape}")
        parts.append(matrix(times, times.seconds + 1.0))  # no entry may be 0: it would vanish
    whole = sparse.csr_array(sparse.hstack(parts, format="csr"))
    whole.sort_indices()
    joined = TravelMatrix(
        whole.indptr.astype(np.int64), whole.indices.astype(np.int32), whole.data - 1.0, whole.shape
    )
    return np.concatenate([weights for weights, _ in layers]), joined


def within(times: TravelMatrix, limit_s: float) -> TravelMatrix:
    """The pairs of ``times`` at ``limit_s`` or less."""
    keep = times.seconds <= limit_s
    ends = np.concatenate(([0], np.cumsum(keep)))[times.indptr]
    return TravelMatrix(ends.astype(np.int64), times.indices[keep], times.seconds[keep], times.shape)


def only(times: TravelMatrix, sites: I64) -> TravelMatrix:
    """Some sites of ``times``, in the order given.

    >>> two = TravelMatrix(np.array([0, 1, 2]), np.array([0, 1], dtype=np.int32), np.array([60.0, 90.0]), (2, 2))
    >>> only(two, np.array([1])).seconds.tolist()
    [90.0]
    """
    size = np.diff(times.indptr)[sites]
    ends = np.concatenate(([0], np.cumsum(size))).astype(np.int64)
    pairs = np.repeat(times.indptr[sites] - ends[:-1], size) + np.arange(ends[-1])
    return TravelMatrix(ends, times.indices[pairs], times.seconds[pairs], (len(sites), times.shape[1]))


def best_seconds(times: TravelMatrix, sites: I64, *, beyond_s: float) -> F64:
    """Seconds of each point to the nearest of ``sites``, ``beyond_s`` where none is in reach."""
    best = np.full(times.shape[1], beyond_s)
    near = only(times, sites)
    np.minimum.at(best, near.indices, near.seconds)
    return best


def matrix(times: TravelMatrix, values: F64 | None = None) -> sparse.csr_array:
    """``times`` for scipy, with ``values`` or ones in the place of seconds."""
    data = np.ones(len(times.indices)) if values is None else values
    return sparse.csr_array((data, times.indices.copy(), times.indptr.copy()), shape=times.shape)


def by_time(weights: F64, times: TravelMatrix, best_s: F64) -> tuple[F64, sparse.csr_array]:
    """Seconds saved as cells (Cornuejols, Nemhauser & Wolsey 1980): the p-median as a cover problem.

    ``best_s``: what each point has without any site of ``times``. The cell of a point's k-th time is
    reached by the sites at that time or less, and weighs ``weight`` times the seconds to the next
    time; what a plan saves is the weight of the cells that it reaches.
    """
    keep = times.seconds < best_s[times.indices]
    site = np.repeat(np.arange(times.shape[0]), np.diff(times.indptr))[keep]
    point, seconds = times.indices[keep].astype(np.int64), times.seconds[keep]
    order = np.lexsort((site, seconds, point))
    site, point, seconds = site[order], point[order], seconds[order]
    last = np.append(point[1:] != point[:-1], True)[: len(point)]
    following = np.where(last, best_s[point], np.append(seconds[1:], 0.0)[: len(point)])
    worth = weights[point] * (following - seconds)
    begin = np.searchsorted(point, point)
    used = np.flatnonzero(worth > 0)
    length = used - begin[used] + 1
    cell = np.repeat(np.arange(len(used)), length)
    at = np.repeat(begin[used], length) + np.arange(length.sum())
    at -= np.repeat(np.cumsum(length) - length, length)
    covers = sparse.csr_array((np.ones(len(cell)), (site[at], cell)), shape=(times.shape[0], len(used)))
    covers.sort_indices()
    return worth[used], covers
