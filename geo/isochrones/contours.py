"""Compiled: the borders of nested bands on a lattice, traced and put together as rings.

Borders are traced by marching squares, their place between two lattice points interpolated so that it is
exact across the end of a reached stretch.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from geo.compiled import kernel
from geo.isochrones.lattice import (
    F32,
    TILE,
    U8,
    ZERO,
    bounds,
    depth,
    fitting_step_m,
    lay_all,
    masks_of_row,
)
from geo.isochrones.ways import Ways
from geo.models import F64, I32, I64
from geo.sphere import EARTH_RADIUS_M

STRIP_POINTS = 2_000_000  # lattice points held at once
NEAR_POINT = 0.01  # a border keeps this share of a step away from lattice points: no vertex falls on another
STRAIGHT_STEPS = 0.003  # a vertex this near (in steps) to the chord of its neighbours tells nothing
KEEP_EVERY = 16  # ... but on every so-manieth lattice line one stays: gentle bends do not add up
# The side (bottom, right, top, left) by which a border enters and leaves a cell, by its corners within.
ENTER = np.array([0, 0, 1, 1, 2, 0, 2, 2, 3, 0, 1, 1, 3, 0, 3, 0])
LEAVE = np.array([0, 3, 0, 3, 1, 3, 0, 3, 2, 2, 0, 2, 1, 1, 0, 0])
ONE: Any = np.int64(1)
NEXT, TWIN, BEFORE, BAND, FLAT = 0, 1, 2, 3, 4
KEPT = 5
META = 6


@kernel
def _cross(
    square: F32, left: float, bottom: float, step: float, widen: float, reach: float,
    r: int, c: int, up: int, band: int, xy: F64, meta: I32, used: int, twin: int,
) -> None:  # fmt: skip
    """Write the point of the border between a lattice point and its neighbour (above if ``up``)."""
    one = depth(square, widen, reach, r, c, band)
    two = depth(square, widen, reach, r + up, c + 1 - up, band)
    share = one / (one - two) if one != two else 0.5
    share = min(1.0 - NEAR_POINT, max(NEAR_POINT, share)) * step
    xy[used, 0] = left + c * step + share * (1 - up)
    xy[used, 1] = bottom + r * step + share * up
    meta[used, NEXT], meta[used, BEFORE], meta[used, BAND] = -1, -1, band
    meta[used, FLAT], meta[used, KEPT] = 1 - up, 0
    same = twin >= 0 and xy[twin, 0] == xy[used, 0] and xy[twin, 1] == xy[used, 1]
    meta[used, TWIN] = twin if same else -1
    if twin >= 0 and not same:  # two borders so near each other stay as they are
        meta[used, KEPT] = meta[twin, KEPT] = 1


@kernel
def _room(xy: F64, meta: I32, used: int, needed: int) -> tuple[F64, I32]:
    if used + needed <= len(xy):
        return xy, meta
    size = max(used + needed, 2 * len(xy))
    more_xy, more_meta = np.empty((size, 2)), np.empty((size, META), dtype=np.int32)
    for i in range(used):  # loops compile many times faster than slices
        more_xy[i, 0], more_xy[i, 1] = xy[i, 0], xy[i, 1]
        for k in range(META):
            more_meta[i, k] = meta[i, k]
    return more_xy, more_meta


@kernel
def _link(meta: I32, corners: int, joined: bool, sides: I32, b: int) -> None:
    """Join the crossings of one cell, the band on the left hand.

    ``corners``: bits SW, SE, NE, NW; ``sides[b]``: the crossings at the bottom, right, top and left.
    """
    meta[sides[b, ENTER[corners]], NEXT] = sides[b, LEAVE[corners]]
    if corners % 5 == 0:  # a saddle: opposite corners within, two borders in the cell
        enter = ENTER[corners]
        leave = (enter + (1 if joined else 3)) % 4
        meta[sides[b, enter], NEXT] = sides[b, leave]
        meta[sides[b, (enter + 2) % 4], NEXT] = sides[b, (leave + 2) % 4]


@kernel
def _hold_apart(meta: I32, corners: int, before: int, sides: I32, b: int) -> None:
    """Keep all vertices of a cell that the borders of bands ``b`` and ``b - 1`` cross, unless they are one there."""
    same = corners == before
    for side in range(4):
        # the ends of a side are corners ``side`` and the one after it
        if (corners >> side & 1) != (corners >> (side + 1) % 4 & 1) and meta[sides[b, side], TWIN] < 0:
            same = False
    if same:
        return
    for side in range(4):
        if (corners >> side & 1) != (corners >> (side + 1) % 4 & 1):
            meta[sides[b, side], KEPT] = 1
        if (before >> side & 1) != (before >> (side + 1) % 4 & 1):
            meta[sides[b - 1, side], KEPT] = 1


@kernel
def _trace_row(
    square: F32, tiles: U8, left: float, bottom: float, step: float, widen: float, reach: float,
    r: int, now: int, masks: I32, flats: I32, xy: F64, meta: I32, used: int,
) -> int:  # fmt: skip
    """Crossings on lattice row ``r`` and on the columns down to the row below, joined cell by cell.

    ``masks[now]`` and ``flats[now]`` are of this row, the others of the row below. There is room for all.
    """
    bands, columns = square.shape[0] - 1, square.shape[2]
    below, mask, flat_below, flat = masks[1 - now], masks[now], flats[1 - now], flats[now]
    last = np.full(bands, -1, dtype=np.int32)
    up, up_left = np.full(bands, -1, dtype=np.int32), np.full(bands, -1, dtype=np.int32)
    sides = np.full((bands, 4), -1, dtype=np.int32)
    for tile in range(tiles.shape[1]):
        # where one corner of a cell lies in a band, all four have a reached way near them
        if not tiles[r // TILE, tile]:
            continue
        for c in range(tile * TILE, min((tile + 1) * TILE, columns - 1)):
            some = below[c] | below[c + 1] | mask[c] | mask[c + 1]
            every = below[c] & below[c + 1] & mask[c] & mask[c + 1]
            if some == every:
                continue
            differ, twin = mask[c] ^ mask[c + 1], -ONE
            for b in range(bands):
                up_left[b] = up[b]
                if differ >> b & 1:
                    _cross(square, left, bottom, step, widen, reach, r, c, ZERO, b, xy, meta, used, twin)
                    meta[used, BEFORE] = last[b]
                    flat[b, c] = last[b] = twin = used
                    used += 1
                else:
                    twin = -ONE
            differ, twin = below[c + 1] ^ mask[c + 1], -ONE
            for b in range(bands):
                if differ >> b & 1:
                    _cross(
                        square, left, bottom, step, widen, reach, r - 1, c + 1, ONE, b, xy, meta, used, twin
                    )
                    up[b] = twin = used
                    used += 1
                else:
                    twin = -ONE
            before = ZERO
            for b in range(bands):
                corners = (
                    (below[c] >> b & 1) | (below[c + 1] >> b & 1) << 1
                    | (mask[c + 1] >> b & 1) << 2 | (mask[c] >> b & 1) << 3
                )  # fmt: skip
                if corners % 15 == 0:
                    before = corners
                    continue
                joined = False
                if corners % 5 == 0:
                    total = 0.0
                    for k in range(4):
                        total += depth(square, widen, reach, r - (k >> 1), c + (k & 1), b)
                    joined = total > 0.0
                sides[b, 0], sides[b, 1] = flat_below[b, c], up[b]
                sides[b, 2], sides[b, 3] = flat[b, c], up_left[b]
                _link(meta, corners, joined, sides, b)
                if before != 0:
                    _hold_apart(meta, corners, before, sides, b)
                before = corners
    return used


@kernel
def _hold_partings(meta: I32, used: int) -> None:
    """Keep the vertices where the borders of two bands part or meet: the straightened ones still nest."""
    for i in range(used):
        twin, after = meta[i, TWIN], meta[i, NEXT]
        if meta[i, BAND] == 0:
            continue
        together = twin >= 0
        goes_on = meta[after, TWIN] >= 0
        if together and not (goes_on and meta[after, TWIN] == meta[twin, NEXT]):
            meta[i, KEPT] = meta[twin, KEPT] = 1
        if goes_on and not (together and meta[after, TWIN] == meta[twin, NEXT]):
            meta[after, KEPT] = meta[meta[after, TWIN], KEPT] = 1
    # A vertex that three borders share is kept by all if by one: twins have lower numbers.
    for i in range(used - 1, -1, -1):
        if meta[i, TWIN] >= 0 and meta[i, KEPT]:
            meta[meta[i, TWIN], KEPT] = 1
    for i in range(used):
        if meta[i, TWIN] >= 0 and meta[meta[i, TWIN], KEPT]:
            meta[i, KEPT] = 1


@kernel
def _rings(
    xy: F64, meta: I32, used: int, left: float, bottom: float, step: float
) -> tuple[F64, I64, I32, I32]:
    """Closed rings of the traced borders: vertices, starts, bands, and the outer ring of each hole or -1."""
    _hold_partings(meta, used)
    ring_of = np.full(used, -1, dtype=np.int32)
    count = 0
    area = np.empty(used // 4 + 1)
    lowest = np.empty(used // 4 + 1, dtype=np.int32)
    head = np.empty(used // 4 + 1, dtype=np.int32)
    for i in range(used):
        if ring_of[i] >= 0:
            continue
        total, k, low = 0.0, i, used
        while ring_of[k] < 0:
            ring_of[k] = count
            after = meta[k, NEXT]
            total += (xy[k, 0] - xy[i, 0]) * (xy[after, 1] - xy[i, 1])
            total -= (xy[after, 0] - xy[i, 0]) * (xy[k, 1] - xy[i, 1])
            if meta[k, FLAT] and k < low:
                low = k
            k = after
        area[count], lowest[count], head[count] = total, low, i
        count += 1
    parent = np.full(count, -1, dtype=np.int32)
    for ring in range(count):
        outer = ring
        # What lies left of the lowest, leftmost point of a hole is the border that holds it, or a hole beside it.
        while area[outer] < 0.0:
            outer = ring_of[meta[lowest[outer], BEFORE]]
        parent[ring] = outer if outer != ring else -1
    out, start, filled = np.empty((used + count, 2)), np.zeros(count + 1, dtype=np.int64), 0
    band = np.empty(count, dtype=np.int32)
    tolerance = STRAIGHT_STEPS * step
    for ring in range(count):
        first = head[ring]
        band[ring] = meta[first, BAND]
        before = first
        while meta[before, NEXT] != first:
            before = meta[before, NEXT]
        begin, k = filled, first
        while True:
            after = meta[k, NEXT]
            if meta[k, KEPT] or _bends(xy, before, k, after, meta[k, FLAT], left, bottom, step, tolerance):
                out[filled, 0], out[filled, 1] = xy[k, 0], xy[k, 1]
                filled += 1
            before, k = k, after
            if k == first:
                break
        if filled - begin < 3:  # too small to be straightened
            filled, k = begin, first
            while True:
                out[filled, 0], out[filled, 1] = xy[k, 0], xy[k, 1]
                filled += 1
                k = meta[k, NEXT]
                if k == first:
                    break
        out[filled, 0], out[filled, 1] = out[begin, 0], out[begin, 1]
        filled += 1
        start[ring + 1] = filled
    return out[:filled], start, band, parent


@kernel
def _bends(
    xy: F64, before: int, at: int, after: int, flat: int,
    left: float, bottom: float, step: float, tolerance: float,
) -> bool:  # fmt: skip
    """Whether the border would be another without a vertex; by neighbours alone, wherever it starts."""
    line = round(((xy[at, 1] - bottom) if flat else (xy[at, 0] - left)) / step)
    if line % KEEP_EVERY == 0:
        return True
    dx, dy = xy[after, 0] - xy[before, 0], xy[after, 1] - xy[before, 1]
    across = abs((xy[at, 0] - xy[before, 0]) * dy - (xy[at, 1] - xy[before, 1]) * dx)
    return bool(across > tolerance * math.sqrt(dx * dx + dy * dy))


@kernel
def _trace_all(
    square: F32, tiles: U8, left: float, bottom: float, step: float, widen: float, reach: float,
    row: int, masks: I32, flats: I32, xy: F64, meta: I32, used: int,
) -> tuple[F64, I32, int]:  # fmt: skip
    """Trace a strip that begins at lattice row ``row``; its first row is the last of the strip before.

    ``masks`` and ``flats`` hold two rows by turns and carry the last one on to the next strip.
    """
    bands, columns = square.shape[0] - 1, square.shape[2]
    least = np.empty(TILE, dtype=np.float32)
    for r in range(min(row, 1), square.shape[1]):
        now = (row + r) & 1
        masks_of_row(square, tiles, widen, r, least, masks[now])
        if r > 0:
            xy, meta = _room(xy, meta, used, 2 * bands * columns)
            used = _trace_row(
                square, tiles, left, bottom, step, widen, reach, r, now, masks, flats, xy, meta, used
            )  # fmt: skip
    return xy, meta, used


@kernel
def _draw(
    start: I64, x: F64, y: F64, along_m: F64, length_m: F64, y0: float,
    ways_left: float, ways_bottom: float, side: float, square_columns: int, square_rows: int,
    filed: I64, item: I32, way_m: F64,
    begin: I64, p_edge: I32, p_from: F64, p_to: F64, widen_m: float,
) -> tuple[F64, I64, I32, I32]:  # fmt: skip
    bands = len(begin) - 1
    xy, meta, used = np.empty((2048, 2)), np.empty((2048, META), dtype=np.int32), ZERO
    first, last = begin[bands - 1], begin[bands]
    x_low, x_high, y_low, y_high = bounds(start, x, y, along_m, first, last, p_edge, p_from, p_to)
    if x_low > x_high:
        return _rings(xy, meta, used, x_low, y_low, 1.0)
    latitude = 2.0 * math.atan(math.exp((y0 + (y_low + y_high) / 2.0) / EARTH_RADIUS_M)) - math.pi / 2.0
    unit = 1.0 / math.cos(latitude)
    widen = widen_m * unit
    step = unit * fitting_step_m(
        start, x, y, ways_left, ways_bottom, side, square_columns, way_m,
        side / unit, first, last, p_edge, p_from, p_to,
    )  # fmt: skip
    reach = widen + 1.5 * step
    left, bottom = x_low - widen - 2.0 * step, y_low - widen - 2.0 * step
    columns = int((x_high + widen + 2.0 * step - left) / step) + 2
    rows = int((y_high + widen + 2.0 * step - bottom) / step) + 2
    strip = max(16, STRIP_POINTS // columns)
    masks = np.zeros((2, columns), dtype=np.int32)
    flats = np.empty((2, bands, columns), dtype=np.int32)
    seen = np.zeros(len(length_m), dtype=np.uint8)
    for row in range(0, rows - 1, strip):
        # one row more: strips share the row between them
        square, tiles = lay_all(
            start, x, y, along_m, length_m, ways_left, ways_bottom, side, square_columns, square_rows, filed, item,
            begin, p_edge, p_from, p_to, seen,
            min(strip + 1, rows - row), columns, left, bottom + row * step, step, reach,
        )  # fmt: skip
        xy, meta, used = _trace_all(
            square, tiles, left, bottom + row * step, step, widen, reach, row, masks, flats, xy, meta, used
        )
    return _rings(xy, meta, used, left, bottom, step)


class Rings(NamedTuple):
    """Closed rings in sheet units: ring ``i`` is ``xy[start[i]:start[i + 1]]``, the border of ``band[i]``.

    ``holder``: the ring that holds a hole, -1 for outer rings; outer rings turn left, holes right.
    """

    xy: F64
    start: I64
    band: I32
    holder: I32


def draw(ways: Ways, begin: I64, p_edge: I32, p_from: F64, p_to: F64, *, widen_m: float) -> Rings:
    """Rings of nested bands.

    Stretches of band ``b`` are ``begin[b]`` to ``begin[b + 1]``, ascending by edge and position.
    """
    return Rings(
        *_draw(
            ways.start, ways.x, ways.y, ways.along_m, ways.length_m, ways.y0,
            ways.left, ways.bottom, ways.side, ways.columns, ways.rows, ways.square, ways.item, ways.way_m,
            begin, p_edge, p_from, p_to, widen_m,
        )
    )  # fmt: skip
