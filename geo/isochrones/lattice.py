"""Compiled: how far the points of a lattice are from the ways of each class.

Class ``c`` is what the band ``c`` reaches and no earlier band does, the last class what no band reaches.
A point belongs to a band if a way that the band reaches is within the strip and nearer than any way that
it does not reach.

A strip of lattice points is ``square``: squared sheet units, class × row × column, right as far as
``reach``, and only in tiles of ``TILE`` × ``TILE`` points that ``used`` says have a reached way near them.
Kernels take loose arrays: a tuple of them counts references at every access, for all threads together.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.compiled import kernel
from geo.models import F64, I32, I64

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
FAR = np.float32(1e30)
# A lattice as fine as the ways lie close: 30 km of ways in a square kilometre take a step of 5 m.
STEP_SHARE = 0.15
MIN_STEP_M, MAX_STEP_M = 2.5, 5.0
TILE = 32
SHORTEST_M = 1e-6  # below the precision of any map
# A bare 0 has a type of its own in numba, and every kernel that it is passed to is compiled once more.
ZERO: Any = np.int64(0)


@kernel
def _breaks(
    edge: int, length: float, bands: int, begin: I64, p_edge: I32, p_from: F64, p_to: F64,
    cursor: I64, cuts: F64,
) -> tuple[F64, int]:  # fmt: skip
    """Metres at which an edge changes class, ascending, in ``cuts``; ``cursor`` finds it in each band."""
    count = 2
    cuts[0], cuts[1] = 0.0, length
    for b in range(bands):
        low, high = begin[b], begin[b + 1]
        while low < high:
            middle = (low + high) >> 1
            if p_edge[middle] < edge:
                low = middle + 1
            else:
                high = middle
        cursor[b] = low
        while low < begin[b + 1] and p_edge[low] == edge:
            if count + 2 > len(cuts):
                more = np.empty(2 * len(cuts))
                for i in range(count):
                    more[i] = cuts[i]
                cuts = more
            cuts[count], cuts[count + 1] = p_from[low], p_to[low]
            count += 2
            low += 1
    for i in range(1, count):
        value, j = cuts[i], i - 1
        while j >= 0 and cuts[j] > value:
            cuts[j + 1] = cuts[j]
            j -= 1
        cuts[j + 1] = value
    return cuts, count


@kernel
def _class_at(
    edge: int, at_m: float, bands: int, begin: I64, p_edge: I32, p_from: F64, p_to: F64, cursor: I64
) -> int:
    """The first band that reaches a position, else the number of bands."""
    for b in range(bands):
        k = cursor[b]
        while k < begin[b + 1] and p_edge[k] == edge and p_from[k] <= at_m:
            if at_m <= p_to[k]:
                return b
            k += 1
    return bands


@kernel
def _lay(
    sheet: F32, across: F32, bottom: float, step: float, reach: float,
    ax: float, ay: float, bx: float, by: float,
) -> None:  # fmt: skip
    """Lower the squared distances of the lattice points within about ``reach`` of a straight piece.

    ``across``: where the columns are, from the first one; ``ax`` and ``bx`` are from there as well.
    """
    rows, columns = sheet.shape
    r0 = max(0, math.ceil((min(ay, by) - reach - bottom) / step))
    r1 = min(rows - 1, math.floor((max(ay, by) + reach - bottom) / step))
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    inverse = np.float32(1.0 / square) if square > 0.0 else np.float32(0.0)
    fx, fy, fax = np.float32(dx), np.float32(dy), np.float32(ax)
    zero, one = np.float32(0.0), np.float32(1.0)
    c0 = max(0, math.ceil((min(ax, bx) - reach) / step))
    c1 = min(columns - 1, math.floor((max(ax, bx) + reach) / step))
    slanted = abs(dx) > 4.0 * step and abs(dy) > 4.0 * step
    for r in range(r0, r1 + 1):
        y = bottom + r * step
        if slanted:  # a long piece is not near all of its bounding box
            u, v = (y - reach - ay) / dy, (y + reach - ay) / dy
            s, t = max(0.0, min(u, v)), min(1.0, max(u, v))
            xa, xb = ax + s * dx, ax + t * dx
            c0 = max(0, math.ceil((min(xa, xb) - reach) / step))
            c1 = min(columns - 1, math.floor((max(xa, xb) + reach) / step))
        if c1 < c0:
            continue
        py = np.float32(y - ay)
        beside = py * fy
        # slices counted from 0 become vector instructions; indices that might be negative do not
        xs, row = across[c0 : c1 + 1], sheet[r, c0 : c1 + 1]
        for k in range(len(row)):
            px = xs[k] - fax
            share = (px * fx + beside) * inverse
            share = min(max(share, zero), one)
            ex, ey = px - share * fx, py - share * fy
            row[k] = min(ex * ex + ey * ey, row[k])


@kernel
def _tiles(low: float, high: float, reach: float, begin: float, step: float, count: int) -> tuple[int, int]:
    """First and last tile along one axis within ``reach`` of a piece."""
    first = math.floor((min(low, high) - reach - begin) / (step * TILE))
    last = math.floor((max(low, high) + reach - begin) / (step * TILE))
    return min(max(first, 0), count - 1), min(max(last, 0), count - 1)


@kernel
def _pieces_of(
    start: I64, ways_x: F64, ways_y: F64, along_m: F64,
    edge: int, from_m: float, to_m: float, pieces: F64, used: int,
) -> tuple[F64, int]:  # fmt: skip
    """Append the straight pieces of an edge between two positions: from x, y to x, y."""
    first, last = start[edge], start[edge + 1] - 1
    if used + last - first > len(pieces):
        more = np.empty((2 * len(pieces) + last - first, 4))
        for i in range(used):
            for k in range(4):
                more[i, k] = pieces[i, k]
        pieces = more
    k = first
    while k + 1 < last and along_m[k + 1] <= from_m:
        k += 1
    x, y = _position(ways_x, ways_y, along_m, k, from_m)
    while True:
        end = k + 1 >= last or along_m[k + 1] >= to_m
        if end:
            next_x, next_y = _position(ways_x, ways_y, along_m, k, to_m)
        else:
            next_x, next_y = ways_x[k + 1], ways_y[k + 1]
        pieces[used, 0], pieces[used, 1], pieces[used, 2], pieces[used, 3] = x, y, next_x, next_y
        used += 1
        if end:
            return pieces, used
        x, y = next_x, next_y
        k += 1


@kernel
def _position(x: F64, y: F64, along_m: F64, k: int, at_m: float) -> tuple[float, float]:
    """Where ``at_m`` lies on the piece from vertex ``k`` to the next."""
    span = along_m[k + 1] - along_m[k]
    share = (at_m - along_m[k]) / span if span > 0.0 else 0.0
    share = min(1.0, max(0.0, share))
    return x[k] + share * (x[k + 1] - x[k]), y[k] + share * (y[k + 1] - y[k])


@kernel
def depth(square: F32, widen: float, reach: float, r: int, c: int, band: int) -> float:
    """How deep a lattice point lies in a band: above 0 inside, a length in sheet units."""
    near = other = reach * reach
    for k in range(square.shape[0]):
        value = float(square[k, r, c])
        if k <= band:
            near = min(near, value)
        else:
            other = min(other, value)
    # Across the end of a stretch, and only there, the root is as long as the way past that end.
    past = math.sqrt(abs(other - near))
    return min(widen - math.sqrt(near), past if other > near else -past)


@kernel
def masks_of_row(square: F32, used: U8, widen: float, r: int, least: F32, mask: I32) -> None:
    """Which bands hold each lattice point of a row, as bits; ``least`` is a scratch row of a tile.

    The class of the nearest way tells: it lies in its own band and in all later ones.
    """
    bands, columns, tile_row = square.shape[0] - 1, square.shape[2], r // TILE
    limit = np.float32(widen * widen)
    for tile in range(used.shape[1]):
        first, last = tile * TILE, min(columns, (tile + 1) * TILE)
        bits = mask[first:last]
        bits[:] = 0
        if not used[tile_row, tile]:
            continue
        near = least[: last - first]
        near[:] = limit
        for k in range(bands + 1):
            value, of_class = square[k, r, first:last], np.int32((1 << bands) - (1 << k))
            for c in range(len(bits)):  # a short plain loop: it becomes a few vector instructions
                nearer = value[c] < near[c]
                bits[c] = of_class if nearer else bits[c]
                near[c] = value[c] if nearer else near[c]


@kernel
def bounds(
    start: I64, ways_x: F64, ways_y: F64, along_m: F64,
    first: int, last: int, p_edge: I32, p_from: F64, p_to: F64,
) -> tuple[float, float, float, float]:  # fmt: skip
    """Bounding box of stretches: west, east, south, north in sheet units; infinite for none."""
    x_low, x_high, y_low, y_high = np.inf, -np.inf, np.inf, -np.inf
    for p in range(first, last):
        e = p_edge[p]
        for k in range(start[e], start[e + 1] - 1):
            if along_m[k + 1] < p_from[p] or along_m[k] > p_to[p]:
                continue
            for at_m in (max(p_from[p], along_m[k]), min(p_to[p], along_m[k + 1])):
                x, y = _position(ways_x, ways_y, along_m, k, at_m)
                x_low, x_high, y_low, y_high = min(x_low, x), max(x_high, x), min(y_low, y), max(y_high, y)
    return x_low, x_high, y_low, y_high


@kernel
def _edges_within(
    square: I64, item: I32, ways_left: float, ways_bottom: float, side: float, columns: int, rows: int,
    left: float, bottom: float, right: float, top: float, seen: U8,
) -> I32:  # fmt: skip
    """Edges filed in the squares that a rectangle meets, each once."""
    c0 = max(0, math.floor((left - ways_left) / side))
    c1 = min(columns - 1, math.floor((right - ways_left) / side))
    r0 = max(0, math.floor((bottom - ways_bottom) / side))
    r1 = min(rows - 1, math.floor((top - ways_bottom) / side))
    count = 0
    for r in range(r0, r1 + 1):
        if c1 >= c0:
            count += square[r * columns + c1 + 1] - square[r * columns + c0]
    found, used = np.empty(count, dtype=np.int32), 0
    for r in range(r0, r1 + 1):
        for c in range(c0, c1 + 1):
            at = r * columns + c
            for k in range(square[at], square[at + 1]):
                e = item[k]
                if not seen[e]:
                    seen[e] = 1
                    found[used] = e
                    used += 1
    for k in range(used):
        seen[found[k]] = 0
    return found[:used]


@kernel
def _classed_pieces(
    start: I64, x: F64, y: F64, along_m: F64, length_m: F64, near: I32,
    begin: I64, p_edge: I32, p_from: F64, p_to: F64,
) -> tuple[F64, U8]:  # fmt: skip
    """The straight pieces of some edges, cut where the class changes, and the class of each."""
    bands = len(begin) - 1
    pieces, kinds, used = np.empty((1024, 4)), np.empty(1024, dtype=np.uint8), ZERO
    cursor, cuts = np.empty(bands, dtype=np.int64), np.empty(64)
    for e in near:
        length = length_m[e]
        cuts, parts = _breaks(e, length, bands, begin, p_edge, p_from, p_to, cursor, cuts)
        for i in range(parts - 1):
            if cuts[i + 1] - cuts[i] < SHORTEST_M and (length > 0.0 or i > 0):
                continue
            middle = (cuts[i] + cuts[i + 1]) / 2.0
            kind = _class_at(e, middle, bands, begin, p_edge, p_from, p_to, cursor)
            before = used
            pieces, used = _pieces_of(start, x, y, along_m, e, cuts[i], cuts[i + 1], pieces, used)
            if used > len(kinds):
                more = np.empty(len(pieces), dtype=np.uint8)
                for k in range(before):
                    more[k] = kinds[k]
                kinds = more
            for k in range(before, used):
                kinds[k] = kind
    return pieces[:used], kinds[:used]


@kernel
def lay_all(
    start: I64, x: F64, y: F64, along_m: F64, length_m: F64,
    ways_left: float, ways_bottom: float, side: float, ways_columns: int, ways_rows: int, filed: I64, item: I32,
    begin: I64, p_edge: I32, p_from: F64, p_to: F64, seen: U8,
    rows: int, columns: int, left: float, bottom: float, step: float, reach: float,
) -> tuple[F32, U8]:  # fmt: skip
    """Squared distances of all lattice points to the ways of each class, as far as ``reach``; used tiles."""
    bands = len(begin) - 1
    near = _edges_within(
        filed, item, ways_left, ways_bottom, side, ways_columns, ways_rows,
        left - reach, bottom - reach, left + columns * step + reach, bottom + rows * step + reach, seen,
    )  # fmt: skip
    pieces, kinds = _classed_pieces(start, x, y, along_m, length_m, near, begin, p_edge, p_from, p_to)
    square = np.empty((bands + 1, rows, columns), dtype=np.float32)
    up, along = (rows + TILE - 1) // TILE, (columns + TILE - 1) // TILE
    used = np.zeros((up, along), dtype=np.uint8)
    across = np.empty(columns, dtype=np.float32)
    for c in range(columns):
        across[c] = c * step
    for reached in (True, False):
        for i in range(len(pieces)):
            if (kinds[i] < bands) != reached:
                continue
            ax, ay, bx, by = pieces[i, 0], pieces[i, 1], pieces[i, 2], pieces[i, 3]
            c0, c1 = _tiles(ax, bx, reach, left, step, along)
            r0, r1 = _tiles(ay, by, reach, bottom, step, up)
            wanted = False
            for r in range(r0, r1 + 1):
                for c in range(c0, c1 + 1):
                    if reached and not used[r, c]:
                        used[r, c] = 1
                        square[:, r * TILE : (r + 1) * TILE, c * TILE : (c + 1) * TILE] = FAR
                    wanted |= used[r, c] > 0
            if wanted:
                _lay(square[kinds[i]], across, bottom, step, reach, ax - left, ay, bx - left, by)
    return square, used


@kernel
def fitting_step_m(
    start: I64, x: F64, y: F64, ways_left: float, ways_bottom: float, side: float, columns: int, way_m: F64,
    side_m: float, first: int, last: int, p_edge: I32, p_from: F64, p_to: F64,
) -> float:  # fmt: skip
    """Metres of a lattice step: a share of the mean distance between ways where they are reached."""
    total, crowded = 0.0, 0.0
    for p in range(first, last):
        k = start[p_edge[p]]
        column, row = int((x[k] - ways_left) / side), int((y[k] - ways_bottom) / side)
        length = p_to[p] - p_from[p]
        total += length
        crowded += length * way_m[row * columns + column]
    spacing_m = side_m * side_m * total / crowded if crowded > 0.0 else np.inf
    return min(MAX_STEP_M, max(MIN_STEP_M, spacing_m * STEP_SHARE))
