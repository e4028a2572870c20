"""Voronoi cells of points, each cut out of the disc about its point by the lines half-way to the others."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from geo.compiled import in_chunks, kernel
from geo.isochrones.spacing import SMALLEST_CHUNK, ZERO, Points
from geo.isochrones.ways import U8
from geo.models import F64, I32, I64

ARC = math.radians(45.0)  # round the end of a way, a corner at least so often
KEEP_EVERY = 8  # every so-manieth corner stays in an outline: gentle bends do not add up
MOST_CORNERS = 256  # of a cell while it is cut out
# What the start of a border is: a corner of its own on an arc, where three cells meet, where a border of
# two cells begins at the rim or ends at it.
OWN, MEET, BEGINS, ENDS = 0, 1, 2, 3


def cut(points: Points, radius: float) -> tuple[I64, I32, I32, F64, F64, U8] | None:
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
