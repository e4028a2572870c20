"""Compiled: how far the points of a lattice are from the ways of each class.

Class ``c`` is what the band ``c`` reaches and no earlier band does, the last class what no band reaches.
A point belongs to a band if a way that the band reaches is within the strip and nearer than any way that
it does not reach.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.compiled import kernel
from geo.isochrones.ways import Ways
from geo.models import F64, I32, I64

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
FAR = np.float32(1e30)
# A lattice as fine as the ways lie close: 30 km of ways in a square kilometre take a step of 5 m.
STEP_SHARE = 0.15
MIN_STEP_M, MAX_STEP_M = 2.5, 5.0
BLOCK = 32  # columns
SHORTEST_M = 1e-6  # below the precision of any map
# A bare 0 has a type of its own in numba, and every kernel that it is passed to is compiled once more.
ZERO: Any = np.int64(0)


class Lattice(NamedTuple):
    """A strip of lattice points: for each class and point how far the nearest way is.

    ``square``: squared sheet units, class × row × column, right as far as ``reach``, and only where
    ``used`` says that the block of ``BLOCK`` columns has a reached way near it.
    """

    square: F32
    used: U8
    left: float
    bottom: float
    step: float
    widen: float
    reach: float


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
def _lay(lattice: Lattice, kind: int, ax: float, ay: float, bx: float, by: float) -> None:
    """Lower the squared distances of the lattice points within about ``reach`` of a straight piece."""
    sheet = lattice.square[kind]
    left, bottom, step, reach = lattice.left, lattice.bottom, lattice.step, lattice.reach
    rows, columns = sheet.shape
    r0 = max(0, math.ceil((min(ay, by) - reach - bottom) / step))
    r1 = min(rows - 1, math.floor((max(ay, by) + reach - bottom) / step))
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    inverse = np.float32(1.0 / square) if square > 0.0 else np.float32(0.0)
    fx, fy, h = np.float32(dx), np.float32(dy), np.float32(step)
    zero, one = np.float32(0.0), np.float32(1.0)
    c0 = max(0, math.ceil((min(ax, bx) - reach - left) / step))
    c1 = min(columns - 1, math.floor((max(ax, bx) + reach - left) / step))
    slanted = abs(dx) > 4.0 * step and abs(dy) > 4.0 * step
    for r in range(r0, r1 + 1):
        y = bottom + r * step
        if slanted:  # a long piece is not near all of its bounding box
            u, v = (y - reach - ay) / dy, (y + reach - ay) / dy
            s, t = max(0.0, min(u, v)), min(1.0, max(u, v))
            xa, xb = ax + s * dx, ax + t * dx
            c0 = max(0, math.ceil((min(xa, xb) - reach - left) / step))
            c1 = min(columns - 1, math.floor((max(xa, xb) + reach - left) / step))
        px0, py = np.float32(left + c0 * step - ax), np.float32(y - ay)
        across = py * fy
        for k in range(c1 - c0 + 1):
            px = px0 + np.float32(k) * h
            share = (px * fx + across) * inverse
            share = min(max(share, zero), one)
            ex, ey = px - share * fx, py - share * fy
            sheet[r, c0 + k] = min(ex * ex + ey * ey, sheet[r, c0 + k])


@kernel
def _blocks(lattice: Lattice, ax: float, bx: float) -> tuple[int, int]:
    """First and last block of columns within ``reach`` of a piece."""
    last = len(lattice.used) - 1
    low = math.floor((min(ax, bx) - lattice.reach - lattice.left) / (lattice.step * BLOCK))
    high = math.floor((max(ax, bx) + lattice.reach - lattice.left) / (lattice.step * BLOCK))
    return min(max(low, 0), last), min(max(high, 0), last)


@kernel
def _pieces_of(ways: Ways, edge: int, from_m: float, to_m: float, pieces: F64, used: int) -> tuple[F64, int]:
    """Append the straight pieces of an edge between two positions: from x, y to x, y."""
    first, last = ways.start[edge], ways.start[edge + 1] - 1
    if used + last - first > len(pieces):
        more = np.empty((2 * len(pieces) + last - first, 4))
        for i in range(used):
            for k in range(4):
                more[i, k] = pieces[i, k]
        pieces = more
    k = first
    while k + 1 < last and ways.along_m[k + 1] <= from_m:
        k += 1
    x, y = _position(ways, k, from_m)
    while True:
        end = k + 1 >= last or ways.along_m[k + 1] >= to_m
        if end:
            next_x, next_y = _position(ways, k, to_m)
        else:
            next_x, next_y = ways.x[k + 1], ways.y[k + 1]
        pieces[used, 0], pieces[used, 1], pieces[used, 2], pieces[used, 3] = x, y, next_x, next_y
        used += 1
        if end:
            return pieces, used
        x, y = next_x, next_y
        k += 1


@kernel
def _position(ways: Ways, k: int, at_m: float) -> tuple[float, float]:
    """Where ``at_m`` lies on the piece from vertex ``k`` to the next."""
    span = ways.along_m[k + 1] - ways.along_m[k]
    share = (at_m - ways.along_m[k]) / span if span > 0.0 else 0.0
    share = min(1.0, max(0.0, share))
    return ways.x[k] + share * (ways.x[k + 1] - ways.x[k]), ways.y[k] + share * (ways.y[k + 1] - ways.y[k])


@kernel
def depth(lattice: Lattice, r: int, c: int, band: int) -> float:
    """How deep a lattice point lies in a band: above 0 inside, a length in sheet units."""
    near = other = lattice.reach * lattice.reach
    for k in range(lattice.square.shape[0]):
        value = float(lattice.square[k, r, c])
        if k <= band:
            near = min(near, value)
        else:
            other = min(other, value)
    # Across the end of a stretch, and only there, the root is as long as the way past that end.
    past = math.sqrt(abs(other - near))
    return min(lattice.widen - math.sqrt(near), past if other > near else -past)


@kernel
def masks_of_row(lattice: Lattice, r: int, near: F32, other: F32, mask: U16) -> None:
    """Which bands hold each lattice point of a row, as bits; ``near`` and ``other`` are scratch rows."""
    sheets = lattice.square
    bands, columns = sheets.shape[0] - 1, sheets.shape[2]
    square = np.float32(lattice.widen * lattice.widen)
    for block in range(len(lattice.used)):
        if not lattice.used[block]:
            continue
        first, last = block * BLOCK, min(columns, (block + 1) * BLOCK)
        for c in range(first, last):  # short plain loops: each becomes a few vector instructions
            mask[c] = 0
        for b in range(bands):
            for c in range(first, last):
                near[c] = min(near[c], sheets[b, r, c]) if b > 0 else sheets[b, r, c]
            for c in range(first, last):
                other[c] = sheets[b + 1, r, c]
            for k in range(b + 2, bands + 1):
                for c in range(first, last):
                    other[c] = min(other[c], sheets[k, r, c])
            bit = np.uint16(1 << b)
            for c in range(first, last):
                mask[c] |= bit if (near[c] < square) & (near[c] < other[c]) else np.uint16(0)


@kernel
def bounds(
    ways: Ways, first: int, last: int, p_edge: I32, p_from: F64, p_to: F64
) -> tuple[float, float, float, float]:
    """Bounding box of stretches: west, east, south, north in sheet units; infinite for none."""
    x_low, x_high, y_low, y_high = np.inf, -np.inf, np.inf, -np.inf
    for p in range(first, last):
        e = p_edge[p]
        for k in range(ways.start[e], ways.start[e + 1] - 1):
            if ways.along_m[k + 1] < p_from[p] or ways.along_m[k] > p_to[p]:
                continue
            for at_m in (max(p_from[p], ways.along_m[k]), min(p_to[p], ways.along_m[k + 1])):
                x, y = _position(ways, k, at_m)
                x_low, x_high, y_low, y_high = min(x_low, x), max(x_high, x), min(y_low, y), max(y_high, y)
    return x_low, x_high, y_low, y_high


@kernel
def _edges_within(ways: Ways, left: float, bottom: float, right: float, top: float, seen: U8) -> I32:
    """Edges filed in the squares that a rectangle meets, each once."""
    c0 = max(0, math.floor((left - ways.left) / ways.side))
    c1 = min(ways.columns - 1, math.floor((right - ways.left) / ways.side))
    r0 = max(0, math.floor((bottom - ways.bottom) / ways.side))
    r1 = min(ways.rows - 1, math.floor((top - ways.bottom) / ways.side))
    count = 0
    for r in range(r0, r1 + 1):
        if c1 >= c0:
            count += ways.square[r * ways.columns + c1 + 1] - ways.square[r * ways.columns + c0]
    found, used = np.empty(count, dtype=np.int32), 0
    for r in range(r0, r1 + 1):
        for c in range(c0, c1 + 1):
            at = r * ways.columns + c
            for k in range(ways.square[at], ways.square[at + 1]):
                e = ways.item[k]
                if not seen[e]:
                    seen[e] = 1
                    found[used] = e
                    used += 1
    for k in range(used):
        seen[found[k]] = 0
    return found[:used]


@kernel
def lay_all(
    ways: Ways, begin: I64, p_edge: I32, p_from: F64, p_to: F64, seen: U8,
    rows: int, columns: int, left: float, bottom: float, step: float, widen: float,
) -> Lattice:  # fmt: skip
    """Squared distances of all lattice points to the ways of each class, as far as ``reach``."""
    bands, reach = len(begin) - 1, widen + 1.5 * step
    pieces, kinds, used = np.empty((1024, 4)), np.empty(1024, dtype=np.uint8), ZERO
    near = _edges_within(
        ways, left - reach, bottom - reach, left + columns * step + reach, bottom + rows * step + reach, seen
    )
    cursor, cuts = np.empty(bands, dtype=np.int64), np.empty(64)
    for e in near:
        length = ways.length_m[e]
        cuts, parts = _breaks(e, length, bands, begin, p_edge, p_from, p_to, cursor, cuts)
        for i in range(parts - 1):
            if cuts[i + 1] - cuts[i] < SHORTEST_M and (length > 0.0 or i > 0):
                continue
            middle = (cuts[i] + cuts[i + 1]) / 2.0
            kind = _class_at(e, middle, bands, begin, p_edge, p_from, p_to, cursor)
            before = used
            pieces, used = _pieces_of(ways, e, cuts[i], cuts[i + 1], pieces, used)
            if used > len(kinds):
                more = np.empty(len(pieces), dtype=np.uint8)
                for k in range(before):
                    more[k] = kinds[k]
                kinds = more
            for k in range(before, used):
                kinds[k] = kind
    blocks = (columns + BLOCK - 1) // BLOCK
    square = np.empty((bands + 1, rows, columns), dtype=np.float32)
    lattice = Lattice(square, np.zeros(blocks, dtype=np.uint8), left, bottom, step, widen, reach)
    for i in range(used):
        if kinds[i] < bands:
            low, high = _blocks(lattice, pieces[i, 0], pieces[i, 2])
            for k in range(low, high + 1):
                lattice.used[k] = 1
    for kind in range(bands + 1):
        for r in range(rows):
            for k in range(blocks):
                if lattice.used[k]:
                    for c in range(k * BLOCK, min(columns, (k + 1) * BLOCK)):
                        square[kind, r, c] = FAR
    for i in range(used):
        low, high = _blocks(lattice, pieces[i, 0], pieces[i, 2])
        wanted = False
        for k in range(low, high + 1):
            wanted |= lattice.used[k] > 0
        if wanted:
            _lay(lattice, kinds[i], pieces[i, 0], pieces[i, 1], pieces[i, 2], pieces[i, 3])
    return lattice


@kernel
def fitting_step_m(
    ways: Ways, side_m: float, first: int, last: int, p_edge: I32, p_from: F64, p_to: F64
) -> float:
    """Metres of a lattice step: a share of the mean distance between ways where they are reached."""
    total, crowded = 0.0, 0.0
    for p in range(first, last):
        k = ways.start[p_edge[p]]
        column = int((ways.x[k] - ways.left) / ways.side)
        row = int((ways.y[k] - ways.bottom) / ways.side)
        length = p_to[p] - p_from[p]
        total += length
        crowded += length * ways.way_m[row * ways.columns + column]
    spacing_m = side_m * side_m * total / crowded if crowded > 0.0 else np.inf
    return min(MAX_STEP_M, max(MIN_STEP_M, spacing_m * STEP_SHARE))
