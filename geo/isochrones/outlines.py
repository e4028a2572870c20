"""Compiled: the outlines of nested bands of cells, as rings.

The kind of a cell is the first band that reaches it. Where a band ends within the piece of way that a
cell stands for, the cell is cut straight across the way there. Three borders meet at every corner, so no
ring touches itself or another.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from geo.compiled import kernel
from geo.isochrones.cells import NOBODY, Cells
from geo.isochrones.kinds import CUT, set_kinds, side_of
from geo.isochrones.spacing import ZERO
from geo.isochrones.ways import U8
from geo.models import F64, I32, I64

STRAIGHT_M = 0.25  # a corner that sticks out no further tells nothing
KEEP_EVERY = 8  # ... but every so-manieth corner stays: gentle bends do not add up
LEAST_M2 = 1e-3  # of what a ring goes round: less is a corner's rounding, not a place
MOST_MEETINGS = 64  # of cuts with one border


class Rings(NamedTuple):
    """Closed rings in degrees: ring ``i`` is ``start[i]`` to ``start[i + 1]``, the border of ``band[i]``.

    ``holder``: the ring that holds a hole, -1 for outer rings; outer rings turn left, holes right.
    """

    lon: F64
    lat: F64
    start: I64
    band: I32
    holder: I32


@kernel
def _passed(side: float, mine: int, cut_row: I64, cut_at: F64) -> int:
    """The place, among what belongs to a cut cell, of what lies at a position along its way."""
    k: int = cut_row[mine]
    while cut_at[k] <= side:
        k += 1
    return k


@kernel
def _cross(
    a: int, b: int, c: int, place: F64, point_x: F64, point_y: F64, along_x: F64, along_y: F64,
    cut: I32, cut_row: I64, cut_point: I64, cut_at: F64, share: F64, which: I64, count: int,
) -> tuple[int, int, int]:  # fmt: skip
    """Where the border from ``a`` to ``b`` crosses the cuts of a cell, merged into the ascending ``share``.

    Returns how many crossings there are now, and what of the cut cell lies at ``a`` and at ``b``.
    """
    mine = cut[c]
    point = cut_point[mine]
    from_u = side_of(place, a, point_x[point], point_y[point], along_x[point], along_y[point])
    to_u = side_of(place, b, point_x[point], point_y[point], along_x[point], along_y[point])
    one, two = _passed(from_u, mine, cut_row, cut_at), _passed(to_u, mine, cut_row, cut_at)
    for i in range(abs(two - one)):
        k = one + i if one < two else one - 1 - i  # in the order in which they are met
        at = min(1.0, max(0.0, (cut_at[k] - from_u) / (to_u - from_u)))
        j = count
        while j > 0 and share[j - 1] > at:
            share[j], which[j] = share[j - 1], which[j - 1]
            j -= 1
        share[j], which[j] = at, k
        count += 1
    return count, one, two


@kernel
def _note(
    a: int, b: int, low: int, high: int, h_from: I32, h_to: I32, h_low: U8, h_high: U8, used: Any,
    code: I32, keep: U8,
) -> Any:  # fmt: skip
    """Add a piece of the outlines of the bands from ``low`` on and below ``high``; corners where bands part stay."""
    h_from[used], h_to[used], h_low[used], h_high[used] = a, b, low, high
    mine = 256 * low + high
    for v in (a, b):
        if code[v] >= 0 and code[v] != mine:
            keep[v] = 1
        code[v] = mine
    return used + 1


@kernel
def _parting(touched: I32, kind: U8, row: I64, neighbour: I32) -> tuple[I32, I64]:
    """Borders with a cell of another kind, each from one side: the cells that they are of, and the borders."""
    room = ZERO
    for c in touched:
        room += row[c + 1] - row[c]
    of_cell, border, count = np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int64), ZERO
    for c in touched:
        mine = kind[c]
        for m in range(row[c], row[c + 1]):
            n = neighbour[m]
            theirs = kind[n]
            of_cell[count], border[count] = c, m
            if CUT in (mine, theirs):  # what lies where along it is told later, from its first side
                count += (n > c) | (theirs == NOBODY)
            else:
                count += theirs > mine
    return of_cell[:count], border[:count]


@kernel
def _outlines(
    bands: int, touched: I32, kind: U8, cut: I32, number: I32,
    cut_row: I64, cut_point: I64, cut_at: F64, cut_kind: U8,
    point_x: F64, point_y: F64, along_x: F64, along_y: F64,
    row: I64, neighbour: I32, corner: I32, place: F64,
) -> tuple[I32, I32, U8, U8, F64, F64, F64, F64, U8]:  # fmt: skip
    """All pieces of the outlines: from and to, first and last bands; their corners, and which of them stay."""
    of_cell, border = _parting(touched, kind, row, neighbour)
    room = len(border) + 8 + 4 * len(cut_at)
    h_from, h_to = np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32)
    h_low, h_high, used = np.empty(room, dtype=np.uint8), np.empty(room, dtype=np.uint8), ZERO
    room = 2 * room
    vx, vy, v_lon, v_lat = np.empty(room), np.empty(room), np.empty(room), np.empty(room)
    keep, code = np.empty(room, dtype=np.uint8), np.empty(room, dtype=np.int32)
    origin, corners = np.empty(room, dtype=np.int32), ZERO
    up, down = np.full(len(cut_at), -1, dtype=np.int32), np.full(len(cut_at), -1, dtype=np.int32)
    share, which = np.empty(MOST_MEETINGS), np.empty(MOST_MEETINGS, dtype=np.int64)
    for listed in range(len(border)):
        c, m = of_cell[listed], border[listed]
        n, mine = neighbour[m], kind[c]
        theirs = kind[n]
        plain = CUT not in (mine, theirs)
        after = corner[m + 1 if m + 1 < row[c + 1] else row[c]]
        for at in (corner[m], after):
            if number[at] < 0:
                number[at] = corners
                vx[corners], vy[corners] = place[at, 0], place[at, 1]
                v_lon[corners], v_lat[corners] = place[at, 2], place[at, 3]
                keep[corners], code[corners], origin[corners] = 0, -1, at
                corners += 1
        a, b = number[corner[m]], number[after]
        if plain:
            used = _note(a, b, mine, min(theirs, bands), h_from, h_to, h_low, h_high, used, code, keep)
            continue
        count, own, others, own_end, others_end = ZERO, ZERO, ZERO, ZERO, ZERO
        if mine == CUT:
            count, own, own_end = _cross(
                corner[m], after, c, place, point_x, point_y, along_x, along_y,
                cut, cut_row, cut_point, cut_at, share, which, count,
            )  # fmt: skip
        if theirs == CUT:
            count, others, others_end = _cross(
                corner[m], after, n, place, point_x, point_y, along_x, along_y,
                cut, cut_row, cut_point, cut_at, share, which, count,
            )  # fmt: skip
        before = a
        for i in range(count + 1):
            here = b
            if i < count:
                here, part = corners, share[i]
                vx[here], vy[here] = vx[a] + part * (vx[b] - vx[a]), vy[a] + part * (vy[b] - vy[a])
                v_lon[here] = v_lon[a] + part * (v_lon[b] - v_lon[a])
                v_lat[here] = v_lat[a] + part * (v_lat[b] - v_lat[a])
                keep[here], code[here], origin[here] = 1, -1, -1
                corners += 1
            left = cut_kind[own] if mine == CUT else mine
            right = cut_kind[others] if theirs == CUT else theirs
            if left < right:
                used = _note(
                    before, here, left, min(right, bands), h_from, h_to, h_low, h_high, used, code, keep
                )
            elif right < left:
                used = _note(
                    here, before, right, min(left, bands), h_from, h_to, h_low, h_high, used, code, keep
                )
            if i < count:
                k = which[i]
                if mine == CUT and cut_row[cut[c]] <= k < cut_row[cut[c] + 1]:
                    if own < own_end:
                        up[k], own = here, own + 1
                    else:
                        down[k], own = here, own - 1
                elif others < others_end:  # seen from the other cell, the border runs the other way
                    down[k], others = here, others + 1
                else:
                    up[k], others = here, others - 1
            before = here
    for k in range(len(cut_at)):
        if cut_at[k] == np.inf or cut_kind[k] == cut_kind[k + 1]:
            continue
        if cut_kind[k] < cut_kind[k + 1]:
            used = _note(
                up[k], down[k], cut_kind[k], min(cut_kind[k + 1], bands),
                h_from, h_to, h_low, h_high, used, code, keep,
            )  # fmt: skip
        else:
            used = _note(
                down[k], up[k], cut_kind[k + 1], min(cut_kind[k], bands),
                h_from, h_to, h_low, h_high, used, code, keep,
            )  # fmt: skip
    for v in range(corners):
        if origin[v] >= 0:
            number[origin[v]] = -1
            keep[v] |= origin[v] % KEEP_EVERY == 0
    for c in touched:
        kind[c], cut[c] = NOBODY, -1
    return (
        h_from[:used], h_to[:used], h_low[:used], h_high[:used],
        vx[:corners], vy[:corners], v_lon[:corners], v_lat[:corners], keep[:corners],
    )  # fmt: skip


@kernel
def _stays(vx: F64, vy: F64, before: int, at: int, after: int, tolerance: float) -> bool:
    """Whether a corner stays: those that turn right, and those that stick out further than the tolerance.

    At a left turn one convex cell is inside alone, so the chord of its neighbours, and that of a run of left
    turns, lies in that cell: leaving such corners out makes no two borders cross, whatever the tolerance.
    """
    dx, dy = vx[after] - vx[before], vy[after] - vy[before]
    across = (vx[at] - vx[before]) * dy - (vy[at] - vy[before]) * dx
    return bool(across <= 0.0 or across > tolerance * math.sqrt(dx * dx + dy * dy))


@kernel
def _rings(
    bands: int, h_from: I32, h_to: I32, h_low: U8, h_high: U8,
    vx: F64, vy: F64, v_lon: F64, v_lat: F64, keep: U8, tolerance: float, least: float,
) -> tuple[F64, F64, I64, I32, F64, bool]:  # fmt: skip
    """Closed rings, band by band: vertices, starts, bands, areas on the sheet; whether all of them close."""
    room = np.int64(0)
    for h in range(len(h_from)):
        room += np.int64(h_high[h]) - np.int64(h_low[h])
    lon, lat = np.empty(2 * room), np.empty(2 * room)
    start, band = np.zeros(room // 2 + 1, dtype=np.int64), np.empty(room // 2 + 1, dtype=np.int32)
    area, rings, used = np.empty(room // 2 + 1), ZERO, ZERO
    following, ring = np.full(len(vx), -1, dtype=np.int32), np.empty(len(vx) + 2, dtype=np.int32)
    for b in range(bands):
        for h in range(len(h_from)):
            if h_low[h] <= b < h_high[h]:
                following[h_from[h]] = h_to[h]
        for h in range(len(h_from)):
            v = h_from[h]
            if not h_low[h] <= b < h_high[h] or following[v] < 0:
                continue
            first, size, total = v, ZERO, 0.0
            while following[v] >= 0:
                after = following[v]
                following[v] = -1
                total += (vx[v] - vx[first]) * (vy[after] - vy[first])
                total -= (vx[after] - vx[first]) * (vy[v] - vy[first])
                ring[size] = v
                size += 1
                v = after
            if v != first:
                return lon, lat, start, band, area, False
            if abs(total) < 2.0 * least:
                continue
            begin = used
            for every in (False, True):  # once more with all of them where too few would stay
                for i in range(size):
                    at, prior = ring[i], ring[i - 1 if i > 0 else size - 1]
                    if (
                        every
                        or keep[at]
                        or _stays(vx, vy, prior, at, ring[i + 1 if i + 1 < size else 0], tolerance)
                    ):
                        lon[used], lat[used] = v_lon[at], v_lat[at]
                        used += 1
                if used - begin >= 3:
                    break
                used = begin
            lon[used], lat[used] = lon[begin], lat[begin]
            used += 1
            band[rings], area[rings] = b, total / 2.0
            rings += 1
            start[rings] = used
    return lon[:used], lat[:used], start[: rings + 1], band[:rings], area[:rings], True


@kernel
def _within(lon: F64, lat: F64, begin: int, end: int, x: float, y: float) -> bool:
    """Whether a ring goes round a position."""
    inside = False
    for k in range(begin, end - 1):
        if (lat[k] > y) != (lat[k + 1] > y):
            inside ^= x < lon[k] + (y - lat[k]) / (lat[k + 1] - lat[k]) * (lon[k + 1] - lon[k])
    return inside


@kernel
def _holders(lon: F64, lat: F64, start: I64, band: I32, area: F64) -> I32:
    """The ring that holds each hole: of those of its band that go round it, the smallest."""
    count = len(band)
    west, east, south, north = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    for i in range(count):
        west[i] = south[i] = np.inf
        east[i] = north[i] = -np.inf
        for k in range(start[i], start[i + 1]):
            west[i], east[i] = min(west[i], lon[k]), max(east[i], lon[k])
            south[i], north[i] = min(south[i], lat[k]), max(north[i], lat[k])
    holder = np.full(count, -1, dtype=np.int32)
    low = ZERO
    for i in range(count):
        while band[low] < band[i]:
            low += 1
        if area[i] > 0.0:
            continue
        j, found, only = low, -1, True
        while j < count and band[j] == band[i]:
            if (
                area[j] > 0.0
                and west[j] <= west[i] and east[i] <= east[j] and south[j] <= south[i] and north[i] <= north[j]
            ):  # fmt: skip
                only = found < 0
                found = j
            j += 1
        if only:
            holder[i] = found
            continue
        j, found = low, -1
        while j < count and band[j] == band[i]:
            if (
                area[j] > 0.0
                and (found < 0 or area[j] < area[found])
                and west[j] <= west[i] and east[i] <= east[j] and south[j] <= south[i] and north[i] <= north[j]
                and _within(lon, lat, start[j], start[j + 1], lon[start[i]], lat[start[i]])
            ):  # fmt: skip
                found = j
            j += 1
        holder[i] = found
    return holder


def draw(cells: Cells, begin: I64, p_edge: I32, p_from: F64, p_to: F64) -> Rings:
    """Rings of nested bands.

    Stretches of band ``b`` are ``begin[b]`` to ``begin[b + 1]``, ascending by edge and position.
    """
    ways, points, bands = cells.ways, cells.points, len(begin) - 1
    with cells.pool.one() as scratch:
        touched, cut_row, cut_point, cut_at, cut_kind = set_kinds(
            points.first, points.last, points.to_m, points.x, points.y, points.along_x, points.along_y,
            ways.start, ways.x, ways.y, ways.along_m, ways.length_m,
            cells.row, cells.corner, cells.place,
            begin, p_edge, p_from, p_to, scratch.kind, scratch.cut,
        )  # fmt: skip
        pieces = _outlines(
            bands, touched, scratch.kind, scratch.cut, scratch.number, cut_row, cut_point, cut_at, cut_kind,
            points.x, points.y, points.along_x, points.along_y,
            cells.row, cells.neighbour, cells.corner, cells.place,
        )  # fmt: skip
    lon, lat, start, band, area, closed = _rings(
        bands, *pieces, STRAIGHT_M * cells.unit, LEAST_M2 * cells.unit**2
    )
    if not closed:
        raise RuntimeError("an outline does not close: the cells disagree")
    return Rings(lon, lat, start, band, _holders(lon, lat, start, band, area))
