"""How far a polygon lies: the ways inside it that are not reached, those reached outside it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely

from geo.compiled import kernel
from geo.isochrones.rings import Rings
from geo.isochrones.ways import Ways, to_degrees, to_sheet
from geo.models import F64, I32, I64, Bool, Stretches

SAMPLE_M = 10.0
MOST_LEVELS = 1024  # that a polygon is filed by
CORNERS_A_LEVEL = 4


def false_missed_share(
    ways: Ways,
    polygon: shapely.Polygon | shapely.MultiPolygon,
    reached: Stretches,
    *,
    step_m: float = SAMPLE_M,
) -> tuple[float, float]:
    """The false and the missed share of a polygon (EPSG:4326), by length of way.

    False: of the length of the mode's ways inside the polygon, what is not ``reached``. Missed: of
    the length reached, what lies outside. Every way is sampled about each ``step_m``, at the middle
    of equal pieces. Each share is 0 where there is nothing to divide by.

    >>> import numpy as np
    >>> import shapely
    >>> from geo.isochrones import prepare
    >>> from geo.models import Stretches
    >>> from tests.toy import lonlat, toy_network
    >>> ways = prepare(toy_network([(0, 0), (1000, 0)], [(0, 1)]), mode="walk")
    >>> part = Stretches(np.array([0], dtype=np.int32), np.array([0.0]), np.array([400.0]))
    >>> box = shapely.box(*np.ravel(np.column_stack(lonlat([(-9, -9), (500, 9)]))))
    >>> false, missed = false_missed_share(ways, box, part)
    >>> round(false, 3), round(missed, 3)
    (0.2, 0.0)
    """
    _kind, places, offsets = shapely.to_ragged_array([polygon])
    return _shares(ways, places, offsets[0].astype(np.int64), reached, step_m)


def false_missed_shares(ways: Ways, rings: Rings, reached: Sequence[Stretches]) -> list[tuple[float, float]]:
    """:func:`false_missed_share` of nested shapes, of each with what is reached within it."""
    found = []
    for b, parts in enumerate(reached):
        first, last = rings.polygon[rings.shape[b]], rings.polygon[rings.shape[b + 1]]
        begin, end = rings.ring[first], rings.ring[last]
        found.append(
            _shares(ways, rings.place[begin:end], rings.ring[first : last + 1] - begin, parts, SAMPLE_M)
        )
    return found


def _shares(ways: Ways, places: F64, ring: I64, reached: Stretches, step_m: float) -> tuple[float, float]:
    edges = _edges_near(ways, places, reached.edge)
    x, y, weight, within = _samples(
        ways.start, ways.x, ways.y, ways.along_m, ways.length_m, edges,
        reached.edge, reached.from_m, reached.to_m, step_m,
    )  # fmt: skip
    inside = _inside(places, ring, *to_degrees(x + ways.x0, y + ways.y0))
    inside_m, reached_m = weight[inside].sum(), weight[within].sum()
    false = weight[inside & ~within].sum() / inside_m if inside_m else 0.0
    missed = weight[within & ~inside].sum() / reached_m if reached_m else 0.0
    return float(false), float(missed)


def _edges_near(ways: Ways, places: F64, reached: I32) -> I64:
    """Those reached and those of the squares that the bounds of a shape meet: no other can have a sample inside."""
    if len(places) == 0 or len(ways.edges) == 0:
        return np.unique(reached).astype(np.int64)
    x, y = to_sheet(*_bounds(places))
    column = np.clip((x - ways.x0 - ways.left) // ways.side, 0, ways.columns - 1).astype(np.int64)
    row = np.clip((y - ways.y0 - ways.bottom) // ways.side, 0, ways.rows - 1).astype(np.int64)
    found: I64 = _in_squares(column, row, ways.columns, ways.square, ways.item, reached, len(ways.length_m))
    return found


@kernel
def _bounds(places: F64) -> tuple[F64, F64]:
    """Of places, longitude or x and latitude or y each, the least and the greatest of either."""
    x, y = np.array([np.inf, -np.inf]), np.array([np.inf, -np.inf])
    for k in range(len(places)):
        x[0], x[1] = min(x[0], places[k, 0]), max(x[1], places[k, 0])
        y[0], y[1] = min(y[0], places[k, 1]), max(y[1], places[k, 1])
    return x, y


@kernel
def _in_squares(column: I64, row: I64, columns: int, square: I64, item: I32, also: I32, edges: int) -> I64:
    """The edges of the squares from one column and row to another, and some more; ascending, each once."""
    near = np.zeros(edges, dtype=np.bool_)
    for e in also:
        near[e] = True
    for r in range(row[0], row[1] + 1):
        for k in range(square[r * columns + column[0]], square[r * columns + column[1] + 1]):
            near[item[k]] = True
    return np.flatnonzero(near)


@kernel
def _inside(corners: F64, ring: I64, x: F64, y: F64) -> Bool:
    """Which positions lie within rings, by the number of borders to the east of each (those of its level only)."""
    inside = np.zeros(len(x), dtype=np.bool_)
    if len(corners) == 0:
        return inside
    low, high = np.inf, -np.inf
    for k in range(len(corners)):
        low, high = min(low, corners[k, 1]), max(high, corners[k, 1])
    levels = max(1, min(MOST_LEVELS, len(corners) // CORNERS_A_LEVEL))
    height = (high - low) / levels if high > low else 1.0
    begin, count = np.zeros(levels + 1, dtype=np.int64), 0
    border = np.empty((4, 0))  # of one level after the other: its south and north, x at the south, x by y
    for turn in range(2):  # count, then file
        for i in range(len(ring) - 1):
            for k in range(ring[i], ring[i + 1] - 1):
                a, b = (k, k + 1) if corners[k, 1] < corners[k + 1, 1] else (k + 1, k)
                south, north = corners[a, 1], corners[b, 1]
                if south == north:
                    continue
                slope = (corners[b, 0] - corners[a, 0]) / (north - south)
                last = min(levels - 1, int((north - low) / height))
                for level in range(min(levels - 1, int((south - low) / height)), last + 1):
                    if turn == 0:
                        begin[level] += 1
                    else:
                        begin[level] -= 1
                        at = begin[level]
                        border[0, at], border[1, at] = south, north
                        border[2, at], border[3, at] = corners[a, 0], slope
        if turn == 0:
            for level in range(levels):
                count += begin[level]
                begin[level] = count
            begin[levels] = count
            border = np.empty((4, count))
    for i in range(len(x)):
        if not low <= y[i] <= high:
            continue
        level, crossed = min(levels - 1, int((y[i] - low) / height)), 0
        for m in range(begin[level], begin[level + 1]):
            crossed += (
                (border[0, m] <= y[i])
                & (y[i] < border[1, m])
                & (x[i] < border[2, m] + border[3, m] * (y[i] - border[0, m]))
            )
        inside[i] = crossed % 2 == 1
    return inside


@kernel
def _samples(
    start: I64, x: F64, y: F64, along_m: F64, length_m: F64, edges: I64,
    p_edge: I32, p_from: F64, p_to: F64, step_m: float,
) -> tuple[F64, F64, F64, Bool]:  # fmt: skip
    """Middles of equal pieces of all edges: position, metres that each stands for, whether reached."""
    count = 0
    for e in edges:
        count += max(1, math.ceil(length_m[e] / step_m))
    at_x, at_y, weight = np.empty(count), np.empty(count), np.empty(count)
    within = np.zeros(count, dtype=np.bool_)
    i, p = 0, 0
    for e in edges:
        pieces = max(1, math.ceil(length_m[e] / step_m))
        while p < len(p_edge) and p_edge[p] < e:
            p += 1
        k, q = start[e], p
        for n in range(pieces):
            at_m = (n + 0.5) * length_m[e] / pieces
            while k < start[e + 1] - 2 and along_m[k + 1] < at_m:
                k += 1
            while q < len(p_edge) and p_edge[q] == e and p_to[q] < at_m:
                q += 1
            span = along_m[k + 1] - along_m[k]
            share = (at_m - along_m[k]) / span if span > 0.0 else 0.0
            at_x[i], at_y[i] = x[k] + share * (x[k + 1] - x[k]), y[k] + share * (y[k + 1] - y[k])
            weight[i] = length_m[e] / pieces
            within[i] = q < len(p_edge) and p_edge[q] == e and p_from[q] <= at_m
            i += 1
    return at_x, at_y, weight, within
