"""What lies near the ways, parted into cells: one for each few metres of way, what is nearest to them.

The cells are Voronoi cells of points along the ways, as far as a shape is widened. They are made once;
an isochrone is then the outline of the cells that are reached (:mod:`geo.isochrones.drawing`), at a
cost that grows with what is reached and with nothing else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from geo.compiled import Pool, in_chunks, kernel
from geo.isochrones.seams import Seams, seams_between
from geo.isochrones.spacing import SMALLEST_CHUNK, SPACING_M, ZERO, Points, points_along, spaced
from geo.isochrones.ways import U8, Ways, to_degrees, units_a_degree
from geo.models import F64, I32, I64
from geo.sphere import EARTH_RADIUS_M, curve_order

WIDEN_M = 25.0  # half a street block's depth on either side: shown, never counted
MOST_TRIES = 8
ARC = math.radians(45.0)  # round the end of a way, a corner at least so often
NOBODY = 255  # the kind of a way or cell that is not reached
KEEP_EVERY = 8  # every so-manieth corner stays in an outline: gentle bends do not add up
MOST_CORNERS = 256  # of a cell while it is cut out
# What the start of a border is: a corner of its own on an arc, where three cells meet, where a border of
# two cells begins at the rim or ends at it.
OWN, MEET, BEGINS, ENDS = 0, 1, 2, 3


class Scratch(NamedTuple):
    """One item a way, cell or corner, clean between drawings.

    The kind of a way; the kind and the cuts of a cell, where its way is not of one kind; a number for a
    corner. The kinds have one item more: what is too far from any way, number -1.
    """

    of_way: U8
    kind: U8
    cut: I32
    number: I32


@dataclass(frozen=True)
class Cells:
    """A partition of what lies within ``widen_m`` of some ways.

    The cell of point ``c`` has the borders ``row[c]`` to ``row[c + 1]``, turning left: each begins at
    ``corner`` and ends where the next begins, and has the cell of the point ``neighbour`` on its right hand,
    or -1 for what is too far from any way. ``place`` has a row for each corner: longitude and latitude;
    ``stays`` is 1 for those that no outline leaves out.
    ``along`` has a row for each point, of what tells how far along the way there a place lies from it, in
    sheet units, of which a metre is ``unit``: ``longitude * along[c, 0] + latitude * along[c, 1] - along[c, 2]``.
    """

    ways: Ways
    unit: float
    points: Points
    row: I64
    neighbour: I32
    corner: I32
    place: F64
    stays: U8
    along: F64
    seams: Seams
    pool: Pool[Scratch] = field(repr=False)


def partition(ways: Ways, *, near: I32 | None = None, widen_m: float = WIDEN_M) -> Cells:
    """Part what lies within ``widen_m`` of the ways; with ``near``, of these edges and those around them.

    Takes two microseconds or so for each cell, once; a shape drawn from it, a tenth of that for each cell that is
    reached. Where two ways cross at different heights, the nearer of their points has the place.

    >>> from tests.toy import toy_network
    >>> from geo.isochrones.ways import prepare
    >>> cells = partition(prepare(toy_network([(0, 0), (20, 0)], [(0, 1)]), mode="walk"))
    >>> len(cells.points.x), int((cells.neighbour >= 0).sum())
    (3, 4)
    """
    edges = ways.edges if near is None else _around(ways, near, widen_m)
    edges = edges[curve_order(ways.x[ways.start[edges]], ways.y[ways.start[edges]])]
    unit = _units_a_metre(ways, edges)
    # the rims of two neighbours meet ``widen_m`` from the way, and are straight from one such place to the next
    radius = math.hypot(widen_m, SPACING_M / 2.0) * unit
    steps = spaced(ways, edges, unit)
    for attempt in range(MOST_TRIES):
        points = points_along(ways, edges, steps, attempt)
        made = _part(points, radius)
        if made is not None:
            break
    else:  # a matter of rounding at one place in ten billion, each time anew
        raise RuntimeError("the ways could not be parted into cells")
    row, neighbour, corner, x, y, stays = made
    place = np.column_stack(to_degrees(x + ways.x0, y + ways.y0))
    seams = seams_between(points.first, points.last, edges, row, neighbour, corner)

    def scratch() -> Scratch:
        return Scratch(
            np.full(len(ways.length_m) + 1, NOBODY, dtype=np.uint8),
            np.full(len(row), NOBODY, dtype=np.uint8),
            np.full(len(row) - 1, -1, dtype=np.int32),
            np.full(len(x), -1, dtype=np.int32),
        )

    along = _along(ways, points)
    return Cells(ways, unit, points, row, neighbour, corner, place, stays, along, seams, Pool(scratch))


def _along(ways: Ways, points: Points) -> F64:
    """How far along its way a place lies from a point, of degrees: the sheet is as flat as that near a point."""
    lon, lat = to_degrees(points.x + ways.x0, points.y + ways.y0)
    east = points.along_x * units_a_degree()
    north = points.along_y * units_a_degree() / np.cos(np.radians(lat))
    return np.column_stack((east, north, lon * east + lat * north))


def _units_a_metre(ways: Ways, edges: I64) -> float:
    """Sheet units in a metre, in the middle of some edges."""
    y = ways.y[ways.start[edges]]
    middle = (float(y.min()) + float(y.max())) / 2.0 if len(y) else 0.0
    latitude = 2.0 * math.atan(math.exp((ways.y0 + middle) / EARTH_RADIUS_M)) - math.pi / 2.0
    return 1.0 / math.cos(latitude)


def _around(ways: Ways, near: I32, widen_m: float) -> I64:
    """The edges of the mode that may have a point within twice ``widen_m`` of a point of the given ones."""
    far = 2.0 * math.hypot(widen_m, SPACING_M) * _units_a_metre(ways, np.asarray(near, dtype=np.int64))
    found: I64 = _edges_around(
        ways.start, ways.x, ways.y, ways.left, ways.bottom, ways.side, ways.columns, ways.rows,
        ways.square, ways.item, near, far, len(ways.length_m),
    )  # fmt: skip
    return found


@kernel
def _edges_around(
    start: I64, x: F64, y: F64, left: float, bottom: float, side: float, columns: int, rows: int,
    square: I64, item: I32, near: I32, far: float, edges: int,
) -> I64:  # fmt: skip
    seen = np.zeros(edges, dtype=np.bool_)
    used = np.zeros(columns * rows, dtype=np.bool_)
    for e in near:
        for k in range(start[e], start[e + 1] - 1):
            c0 = max(0, int((min(x[k], x[k + 1]) - far - left) / side))
            c1 = min(columns - 1, int((max(x[k], x[k + 1]) + far - left) / side))
            r0 = max(0, int((min(y[k], y[k + 1]) - far - bottom) / side))
            r1 = min(rows - 1, int((max(y[k], y[k + 1]) + far - bottom) / side))
            for r in range(r0, r1 + 1):
                for c in range(c0, c1 + 1):
                    at = r * columns + c
                    if not used[at]:
                        used[at] = True
                        for i in range(square[at], square[at + 1]):
                            seen[item[i]] = True
    return np.flatnonzero(seen)


def _part(points: Points, radius: float) -> tuple[I64, I32, I32, F64, F64, U8] | None:
    """Rows, neighbours, corners, where these are and which stay; None where rounding made two cells disagree."""
    count = len(points.x)
    if count == 0:
        nothing = np.empty(0, dtype=np.int32)
        stays = np.empty(0, dtype=np.uint8)
        return np.zeros(1, dtype=np.int64), nothing, nothing, np.empty(0), np.empty(0), stays
    left, bottom = points.x.min() - 3.0 * radius, points.y.min() - 3.0 * radius
    columns = int((points.x.max() - left) / radius) + 4
    key = ((points.y - bottom) / radius).astype(np.int64) * columns
    key += ((points.x - left) / radius).astype(np.int64)
    # cut out square by square, kept edge by edge
    order = np.argsort(key, kind="stable").astype(np.int32)
    key, x, y = key[order], points.x[order], points.y[order]
    parts = in_chunks(count, SMALLEST_CHUNK, lambda a, b: _cut_out(a, b, key, columns, x, y, order, radius))
    size, neighbour, kind, at_x, at_y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    row = np.zeros(count + 1, dtype=np.int64)
    row[order + 1] = size
    np.cumsum(row, out=row)
    moved = np.repeat(row[order] - (np.cumsum(size) - size), size) + np.arange(len(kind))
    for values in (neighbour, kind, at_x, at_y):
        values[moved] = values.copy()
    corner, number, agrees = _numbered(row, neighbour, kind)
    if not agrees:
        return None
    own = np.empty(number, dtype=np.int64)
    own[corner[::-1]] = np.arange(len(corner))[::-1]  # of a corner's places the first, its owner's
    # where two rims meet, more than one cell may lie inside a left turn
    stays = np.zeros(number, dtype=np.uint8)
    stays[corner[(kind == BEGINS) | (kind == ENDS)]] = 1
    stays[::KEEP_EVERY] = 1
    return row, neighbour, corner, at_x[own], at_y[own], stays


@kernel
def _clip(
    vx: F64,
    vy: F64,
    nb: I32,
    n: int,
    dx: float,
    dy: float,
    half: float,
    other: int,
    ox: F64,
    oy: F64,
    on: I32,
) -> int:
    """Cut off what lies beyond the line ``v · d = half``; the new side is the border with ``other``."""
    m = 0
    for k in range(n):
        after = k + 1 if k + 1 < n else 0
        here = vx[k] * dx + vy[k] * dy - half
        there = vx[after] * dx + vy[after] * dy - half
        if here <= 0.0:
            ox[m], oy[m], on[m] = vx[k], vy[k], nb[k]
            m += 1
        if (here <= 0.0) != (there <= 0.0):
            share = here / (here - there)
            ox[m], oy[m] = vx[k] + share * (vx[after] - vx[k]), vy[k] + share * (vy[after] - vy[k])
            on[m] = other if here <= 0.0 else nb[k]
            m += 1
    return m


@kernel
def _cell_around(
    c: int, key: I64, columns: int, x: F64, y: F64, radius: float,
    vx: F64, vy: F64, nb: I32, ox: F64, oy: F64, on: I32,
) -> tuple[int, bool]:  # fmt: skip
    """The cell of a point about the point itself, in ``v``: how many corners, and whether it is in ``o``."""
    n, far = 4, 1.001 * radius
    vx[0], vx[1], vx[2], vx[3] = -far, far, far, -far
    vy[0], vy[1], vy[2], vy[3] = -far, -far, far, far
    nb[0] = nb[1] = nb[2] = nb[3] = -1
    swapped = False
    for step in range(5):
        line = key[c] + columns * (0 if step == 0 else (step + 1) // 2 * (1 - 2 * (step & 1)))
        k = np.searchsorted(key, line - 2)
        while k < len(key) and key[k] <= line + 2:
            other = k
            k += 1
            dx, dy = x[other] - x[c], y[other] - y[c]
            square = dx * dx + dy * dy
            if square >= 4.0 * radius * radius or other == c:
                continue
            if square == 0.0:
                if other < c:  # two points at one place: the first has the cell
                    return 0, swapped
                continue
            half = square / 2.0
            cuts = False
            if swapped:
                for i in range(n):
                    cuts |= ox[i] * dx + oy[i] * dy > half
                if cuts:
                    n = _clip(ox, oy, on, n, dx, dy, half, other, vx, vy, nb)
            else:
                for i in range(n):
                    cuts |= vx[i] * dx + vy[i] * dy > half
                if cuts:
                    n = _clip(vx, vy, nb, n, dx, dy, half, other, ox, oy, on)
            if cuts:
                swapped = not swapped
            if n > MOST_CORNERS - 4:
                return 0, swapped
    return n, swapped


@kernel
def _cut_out(
    first: int, last: int, key: I64, columns: int, x: F64, y: F64, order: I32, radius: float
) -> tuple[I64, I32, U8, F64, F64]:
    """Cells ``first``..``last``: how many borders each; their neighbours; what and where their starts are."""
    size = np.zeros(last - first, dtype=np.int64)
    room = 8 * (last - first) + 64
    neighbour, kind = np.empty(room, dtype=np.int32), np.empty(room, dtype=np.uint8)
    at_x, at_y = np.empty(room), np.empty(room)
    vx, vy, nb = np.empty(MOST_CORNERS), np.empty(MOST_CORNERS), np.empty(MOST_CORNERS, dtype=np.int32)
    ox, oy, on = np.empty(MOST_CORNERS), np.empty(MOST_CORNERS), np.empty(MOST_CORNERS, dtype=np.int32)
    # the borders within the rim: neighbour, start and end, and whether these lie on the rim
    who = np.empty(MOST_CORNERS, dtype=np.int32)
    sx, sy, ex, ey = (
        np.empty(MOST_CORNERS),
        np.empty(MOST_CORNERS),
        np.empty(MOST_CORNERS),
        np.empty(MOST_CORNERS),
    )
    s_rim, e_rim = np.empty(MOST_CORNERS, dtype=np.bool_), np.empty(MOST_CORNERS, dtype=np.bool_)
    used, rim = ZERO, radius * radius
    for c in range(first, last):
        n, swapped = _cell_around(c, key, columns, x, y, radius, vx, vy, nb, ox, oy, on)
        if n == 0:
            continue
        px, py, pn = (ox, oy, on) if swapped else (vx, vy, nb)
        m = 0
        for k in range(n):
            if pn[k] < 0:
                continue
            after = k + 1 if k + 1 < n else 0
            dx, dy = x[pn[k]] - x[c], y[pn[k]] - y[c]
            square = dx * dx + dy * dy
            away = math.sqrt(square)
            tx, ty, half_chord = -dy / away, dx / away, math.sqrt(max(0.0, rim - square / 4.0))
            starts_out = px[k] * px[k] + py[k] * py[k] > rim
            ends_out = px[after] * px[after] + py[after] * py[after] > rim
            if starts_out and px[k] * tx + py[k] * ty > 0.0:
                continue
            if ends_out and px[after] * tx + py[after] * ty < 0.0:
                continue
            who[m], s_rim[m], e_rim[m] = pn[k], starts_out, ends_out
            sx[m], sy[m], ex[m], ey[m] = px[k], py[k], px[after], py[after]
            if starts_out:
                sx[m], sy[m] = dx / 2.0 - half_chord * tx, dy / 2.0 - half_chord * ty
            if ends_out:
                ex[m], ey[m] = dx / 2.0 + half_chord * tx, dy / 2.0 + half_chord * ty
            m += 1
        needed = used + 2 * m + int(2.0 * math.pi / ARC) * (m + 1) + 2
        if needed > len(kind):
            neighbour, kind, at_x, at_y = _room(neighbour, kind, at_x, at_y, used, 2 * needed)
        begin = used
        if m == 0:
            used = _arc(0.0, 2.0 * math.pi, x[c], y[c], radius, neighbour, kind, at_x, at_y, used)
        for k in range(m):
            neighbour[used], kind[used] = order[who[k]], BEGINS if s_rim[k] else MEET
            at_x[used], at_y[used] = x[c] + sx[k], y[c] + sy[k]
            used += 1
            if e_rim[k]:
                after = k + 1 if k + 1 < m else 0
                neighbour[used], kind[used] = -1, ENDS
                at_x[used], at_y[used] = x[c] + ex[k], y[c] + ey[k]
                used += 1
                low, high = math.atan2(ey[k], ex[k]), math.atan2(sy[after], sx[after])
                if high <= low:
                    high += 2.0 * math.pi
                used = _arc(low, high, x[c], y[c], radius, neighbour, kind, at_x, at_y, used)
        size[c - first] = used - begin
    return size, neighbour[:used], kind[:used], at_x[:used], at_y[:used]


@kernel
def _arc(
    low: float, high: float, x: float, y: float, radius: float, neighbour: I32, kind: U8, at_x: F64, at_y: F64, used: Any
) -> Any:  # fmt: skip
    """Corners between two angles of a rim, neither of them included."""
    steps = math.ceil((high - low) / ARC)
    for i in range(1, steps):
        angle = low + (high - low) * i / steps
        neighbour[used], kind[used] = -1, OWN
        at_x[used], at_y[used] = x + radius * math.cos(angle), y + radius * math.sin(angle)
        used += 1
    return used


@kernel
def _room(neighbour: I32, kind: U8, at_x: F64, at_y: F64, used: int, size: int) -> tuple[I32, U8, F64, F64]:
    more_n, more_k = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.uint8)
    more_x, more_y = np.empty(size), np.empty(size)
    for i in range(used):  # loops compile many times faster than slices
        more_n[i], more_k[i], more_x[i], more_y[i] = neighbour[i], kind[i], at_x[i], at_y[i]
    return more_n, more_k, more_x, more_y


@kernel
def _numbered(row: I64, neighbour: I32, kind: U8) -> tuple[I32, int, bool]:
    """A number for the start of every border, one for each corner; whether all cells tell the same of it.

    A corner belongs to the first of its cells, the others look it up there.
    """
    corner = np.full(len(neighbour), -1, dtype=np.int32)
    number = ZERO
    for c in range(len(row) - 1):
        for k in range(row[c], row[c + 1]):
            before = k - 1 if k > row[c] else row[c + 1] - 1
            one = neighbour[k] if kind[k] == MEET or kind[k] == BEGINS else neighbour[before]
            two = neighbour[before] if kind[k] == MEET else one
            if kind[k] == OWN or (c < one and c < two):
                corner[k] = number
                number += 1
                continue
            owner = min(one, two)
            third = max(one, two)
            for i in range(row[owner], row[owner + 1]):
                prior = i - 1 if i > row[owner] else row[owner + 1] - 1
                if kind[k] == MEET:
                    same = kind[i] == MEET and (
                        (neighbour[i] == c and neighbour[prior] == third)
                        or (neighbour[i] == third and neighbour[prior] == c)
                    )
                elif kind[k] == BEGINS:
                    same = kind[i] == ENDS and neighbour[prior] == c
                else:
                    same = kind[i] == BEGINS and neighbour[i] == c
                if same:
                    corner[k] = corner[i]
            if corner[k] < 0:
                return corner, number, False
    for c in range(len(row) - 1):
        for k in range(row[c], row[c + 1]):
            other = neighbour[k]
            if other < 0:
                continue
            after = k + 1 if k + 1 < row[c + 1] else row[c]
            agrees = False
            for i in range(row[other], row[other + 1]):
                following = i + 1 if i + 1 < row[other + 1] else row[other]
                if neighbour[i] == c:
                    agrees = corner[i] == corner[after] and corner[following] == corner[k]
            if not agrees:
                return corner, number, False
    return corner, number, True
