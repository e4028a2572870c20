"""How far a polygon lies: the ways inside it that are not reached, those reached outside it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely

from geo.compiled import kernel
from geo.isochrones.rings import Rings
from geo.isochrones.ways import U8, Ways, position, to_sheet
from geo.models import F64, I32, I64, Stretches

SAMPLE_M = 10.0
LEVELS = (32, 1024)  # least and most that a polygon is filed by: rows, and as many columns
CORNERS_A_LEVEL = 24
MARGIN = 1e-6  # of a square's width: a border so near to a square meets it
OUTSIDE, INSIDE, MET = 0, 1, 2  # what a square of a level is: MET by a border, its positions are looked at


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
    of equal pieces. Each share is 0 where there is nothing to divide by. Borders are straight on the
    sheet of the ways: one of 1 km is within 2 cm of straight in degrees, as far as 60 degrees north.

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
    x, y = to_sheet(places[:, 0], places[:, 1])
    corners = np.column_stack((x - ways.x0, y - ways.y0))
    inside_m, reached_m, both_m = _lengths(
        corners, ring, ways.start, ways.x, ways.y, ways.along_m, ways.length_m,
        _edges_near(ways, corners, reached.edge), reached.edge, reached.from_m, reached.to_m, step_m,
    )  # fmt: skip
    false = (inside_m - both_m) / inside_m if inside_m else 0.0
    missed = (reached_m - both_m) / reached_m if reached_m else 0.0
    return false, missed


def _edges_near(ways: Ways, corners: F64, reached: I32) -> I64:
    """Those reached and those of the squares that the bounds of a shape meet: no other can have a sample inside."""
    if len(corners) == 0 or len(ways.edges) == 0:
        return np.unique(reached).astype(np.int64)
    x, y = _bounds(corners)
    column = np.clip((x - ways.left) // ways.side, 0, ways.columns - 1).astype(np.int64)
    row = np.clip((y - ways.bottom) // ways.side, 0, ways.rows - 1).astype(np.int64)
    found: I64 = _in_squares(column, row, ways.columns, ways.square, ways.item, reached, len(ways.length_m))
    return found


@kernel
def _bounds(corners: F64) -> tuple[F64, F64]:
    """The least and the greatest x, and y."""
    x, y = np.array([np.inf, -np.inf]), np.array([np.inf, -np.inf])
    for k in range(len(corners)):
        x[0], x[1] = min(x[0], corners[k, 0]), max(x[1], corners[k, 0])
        y[0], y[1] = min(y[0], corners[k, 1]), max(y[1], corners[k, 1])
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
def _lengths(
    corners: F64, ring: I64, start: I64, x: F64, y: F64, along_m: F64, length_m: F64, edges: I64,
    p_edge: I32, p_from: F64, p_to: F64, step_m: float,
) -> tuple[float, float, float]:  # fmt: skip
    """Metres of edges inside rings, reached, and both, by the middles of equal pieces of each edge.

    A position is inside by the number of borders to the east of it, of its level only; where no border meets its square,
    what holds for one position of the square holds for it.
    """
    bounds_x, bounds_y = _bounds(corners)
    low, high, left, right = bounds_y[0], bounds_y[1], bounds_x[0], bounds_x[1]
    levels = max(LEVELS[0], min(LEVELS[1], len(corners) // CORNERS_A_LEVEL))
    by_x = levels / (right - left) if right > left else 1.0  # columns by unit, and levels
    by_y = levels / (high - low) if high > low else 1.0
    begin, border, square = _filed(corners, ring, left, low, by_x, by_y, levels)
    inside_m, reached_m, both_m = 0.0, 0.0, 0.0
    p = 0
    for e in edges:
        pieces = max(1, math.ceil(length_m[e] / step_m))
        piece_m = length_m[e] / pieces
        while p < len(p_edge) and p_edge[p] < e:
            p += 1
        k, q = start[e], p
        for n in range(pieces):
            at_m = (n + 0.5) * piece_m
            while k < start[e + 1] - 2 and along_m[k + 1] < at_m:
                k += 1
            while q < len(p_edge) and p_edge[q] == e and p_to[q] < at_m:
                q += 1
            reached = q < len(p_edge) and p_edge[q] == e and p_from[q] <= at_m
            at_x, at_y = position(x, y, along_m, k, at_m)
            inside = OUTSIDE
            if low <= at_y <= high and left <= at_x <= right:
                level = min(levels - 1, int((at_y - low) * by_y))
                inside = square[level, min(levels - 1, int((at_x - left) * by_x))]
                if inside == MET:
                    inside = OUTSIDE
                    for m in range(begin[level], begin[level + 1]):
                        if (
                            border[0, m] <= at_y < border[1, m]
                            and at_x < border[2, m] + border[3, m] * (at_y - border[0, m])
                        ):  # fmt: skip
                            inside = INSIDE - inside
            if inside == INSIDE:
                inside_m += piece_m
            if reached:
                reached_m += piece_m
                if inside == INSIDE:
                    both_m += piece_m
    return inside_m, reached_m, both_m


@kernel
def _filed(
    corners: F64, ring: I64, left: float, low: float, by_x: float, by_y: float, levels: int
) -> tuple[I64, F64, U8]:
    """The borders of each level (its south and north, x at the south, x by y), and what holds for each square."""
    begin, border = np.zeros(levels + 1, dtype=np.int64), np.empty((4, 0))
    square = np.zeros((levels, levels), dtype=np.uint8)
    for turn in range(2):  # count, then file
        for i in range(len(ring) - 1):
            for k in range(ring[i], ring[i + 1] - 1):
                a, b = (k, k + 1) if corners[k, 1] < corners[k + 1, 1] else (k + 1, k)
                south, north = corners[a, 1], corners[b, 1]
                first = min(levels - 1, int((south - low) * by_y))
                last = min(levels - 1, int((north - low) * by_y))
                if turn == 0:
                    for level in range(first, last + 1):
                        begin[level] += south < north
                    continue
                slope = (corners[b, 0] - corners[a, 0]) / (north - south) if south < north else 0.0
                for level in range(first, last + 1):
                    # of the border within the level, its ends: a level one is all of it
                    one, other = corners[a, 0], corners[b, 0]
                    if south < north:
                        one += slope * max(0.0, low + level / by_y - south)
                        other += slope * min(0.0, low + (level + 1) / by_y - north)
                        begin[level] -= 1
                        at = begin[level]
                        border[0, at], border[1, at] = south, north
                        border[2, at], border[3, at] = corners[a, 0], slope
                    west = max(0, int((min(one, other) - left) * by_x - MARGIN))
                    east = min(levels - 1, int((max(one, other) - left) * by_x + MARGIN))
                    for c in range(west, east + 1):
                        square[level, c] = MET
        if turn == 0:
            count = 0
            for level in range(levels):
                count += begin[level]
                begin[level] = count
            begin[levels] = count
            border = np.empty((4, count))
    for level in range(levels):
        y, within, known = low + (level + 0.5) / by_y, OUTSIDE, False
        for c in range(levels):
            if square[level, c] == MET:
                known = False
                continue
            if not known:  # squares side by side with no border between them are alike
                x, crossed = left + (c + 0.5) / by_x, 0
                for m in range(begin[level], begin[level + 1]):
                    crossed += (
                        (border[0, m] <= y)
                        & (y < border[1, m])
                        & (x < border[2, m] + border[3, m] * (y - border[0, m]))
                    )
                within, known = crossed % 2, True
            square[level, c] = within
    return begin, border, square
