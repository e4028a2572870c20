"""What one position reaches, from its longitude and latitude to rings, in one compiled call.

The same numbers as the steps one by one (:func:`geo.travel_times.snap`, :meth:`geo.travel_times.Router.reached`,
:func:`geo.isochrones.bands`): to go from one to the next costs as much as the shorter ones of them take.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from geo.compiled import kernel
from geo.isochrones import Cells, Rings
from geo.isochrones.drawing import DISAGREE, draw_sets
from geo.isochrones.thinning import thin_to_valid
from geo.isochrones.ways import units_a_degree
from geo.models import F64, I32, I64, Stretches
from geo.travel_times import Router, Snapper
from geo.travel_times.alone import reach_alone
from geo.travel_times.segments import Segments, snap_points


class Reached(NamedTuple):
    """What a position reaches: where on the plane it was snapped to, a shape and its stretches for each limit.

    ``parts``: those of limit ``i`` are ``parts[0][i]`` to ``parts[0][i + 1]``; their edges, from and to.
    """

    x: float
    y: float
    rings: Rings
    parts: tuple[I64, I32, F64, F64]

    @property
    def stretches(self) -> list[Stretches]:
        """The parts of edges within each limit."""
        begin, edge, from_m, to_m = self.parts
        return [Stretches(edge[a:b], from_m[a:b], to_m[a:b]) for a, b in pairwise(begin.tolist())]


def reached(
    snapper: Snapper, router: Router, cells: Cells, lon: float, lat: float, limits_s: Sequence[float],
    *, max_access_m: float,
) -> Reached | None:  # fmt: skip
    """What a position (WGS-84) reaches within each limit, at most sixteen, ascending; None where no way is near enough.

    ``cells`` and ``router`` are of one network and mode, as ``snapper``.
    """
    at_x, at_y, edge, from_m, to_m, begin, place, ring, polygon, shape, _closed = _asked(
        _reach_and_draw, snapper, router, cells, lon, lat, limits_s, max_access_m, False
    )
    if math.isnan(at_x):
        return None
    return Reached(at_x, at_y, Rings(place, ring, polygon, shape), (begin, edge, from_m, to_m))


def largest_reached(
    snapper: Snapper, router: Router, cells: Cells, lon: float, lat: float, limits_s: Sequence[float],
    *, max_access_m: float, tolerance_m: float,
) -> tuple[float, float, list[F64]] | None:  # fmt: skip
    """As :func:`reached`: the largest ring within each limit alone, thinned (:func:`geo.isochrones.thinned`); it may be empty."""
    at_x, at_y, place, ring, _closed = _asked(
        _reach_and_thin, snapper, router, cells, lon, lat, limits_s, max_access_m, True, tolerance_m
    )
    if math.isnan(at_x):
        return None
    return at_x, at_y, [place[a:b] for a, b in pairwise(ring.tolist())]


def _asked(
    compiled: Callable[..., tuple[Any, ...]], snapper: Snapper, router: Router, cells: Cells,
    lon: float, lat: float, limits_s: Sequence[float], max_access_m: float, *last: float | bool,
) -> tuple[Any, ...]:  # fmt: skip
    """What one of the kernels below answers, with room lent to it; its last item is whether all rings close."""
    alone, degree = router.alone, units_a_degree()
    with alone.working.one() as working, alone.marks.one() as marks, cells.pool.one() as scratch:
        told = compiled(
            *snapper.plane(lon, lat), max_access_m, np.array(limits_s, dtype=np.float64), alone.s_per_access_m,
            *snapper.pieces, alone.arrays, tuple(working) + tuple(marks), cells.arrays, tuple(scratch),
            degree / cells.unit, degree, *last,
        )  # fmt: skip
        if not told[-1]:  # the room is thrown away
            raise RuntimeError(DISAGREE)
    return told


@kernel
def _reach_and_thin(
    x: float, y: float, max_access_m: float, limits_s: F64, s_per_access_m: float,
    roads: Any, barriers: Any, search: Any, room: Any, cells: Any, scratch: Any,
    east: float, north: float, largest: bool, tolerance_m: float,
) -> tuple[float, float, F64, I64, bool]:  # fmt: skip
    """Where the position is snapped to, and of each limit the largest ring, thinned.

    ``largest`` is true; written down in here, it would be a type of its own, and all below be compiled once more.
    """
    at_x, at_y, _edge, _from, _to, _begin, place, ring, polygon, shape, closed = _reach_and_draw(
        x, y, max_access_m, limits_s, s_per_access_m, roads, barriers, search, room, cells, scratch,
        east, north, largest,
    )  # fmt: skip
    thin, used = np.empty((len(place), 2)), np.zeros(len(limits_s) + 1, dtype=np.int64)
    for b in range(len(limits_s)):
        used[b + 1] = used[b]
        if not np.isnan(at_x) and shape[b] < shape[b + 1]:
            kept, _starts, _parts, _tolerance, _sure = thin_to_valid(
                place, ring, polygon, shape[b], shape[b + 1], north, tolerance_m, 1.0
            )
            for k in range(len(kept)):
                thin[used[b] + k, 0], thin[used[b] + k, 1] = kept[k, 0], kept[k, 1]
            used[b + 1] += len(kept)
    return at_x, at_y, thin[: used[-1]], used, closed


@kernel
def _reach_and_draw(
    x: float, y: float, max_access_m: float, limits_s: F64, s_per_access_m: float,
    roads: Any, barriers: Any, search: Any, room: Any, cells: Any, scratch: Any,
    east: float, north: float, largest: bool,
) -> tuple[float, float, I32, F64, F64, I64, F64, I64, I64, I64, bool]:  # fmt: skip
    """Where the position is snapped to (nan: nowhere), what is reached and from which to which for each limit, rings."""
    at_x, at_y = np.empty(1), np.empty(1)
    at_x[0], at_y[0] = x, y
    edge, offset_m, access_m, on_x, on_y = snap_points(
        at_x, at_y, Segments(*roads), Segments(*barriers), max_access_m
    )
    begin = np.zeros((1, len(limits_s) + 1), dtype=np.int64)
    if edge[0] < 0:
        nothing, none = np.empty(0), np.zeros(1, dtype=np.int64)
        return (
            np.nan, np.nan, np.empty(0, dtype=np.int32), nothing, nothing, begin[0],
            np.empty((0, 2)), none, none, begin[0], True,
        )  # fmt: skip
    count, p_edge, p_from, p_to = reach_alone(
        *(search + (edge[0], offset_m[0], access_m[0] * s_per_access_m, limits_s) + room)  # noqa: RUF005 - numba unpacks nothing into the middle
    )
    for k in range(len(limits_s)):
        begin[0, k + 1] = begin[0, k] + count[k]
    place, ring, polygon, shape, closed = draw_sets(
        *((0, 1, begin, p_edge, p_from, p_to) + cells + scratch + (east, north, largest))  # noqa: RUF005 - as above
    )
    return on_x[0], on_y[0], p_edge, p_from, p_to, begin[0], place, ring, polygon, shape, closed
