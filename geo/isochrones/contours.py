"""Compiled drawing: distances to ways laid out on a lattice, and the line where reach ends traced.

Every lattice point knows its distance to the nearest way of each class; class ``c`` is what the band
``c`` reaches and no earlier band does, the last class what no band reaches. A point belongs to a band
if a way that the band reaches is within the strip and nearer than any way that it does not reach. The
border is traced by marching squares, its place between two lattice points interpolated so that it is
exact across the end of a reached stretch.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.compiled import kernel
from geo.isochrones.ways import EARTH_M, Ways
from geo.models import F64, I32, I64

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
FAR = np.float32(1e30)
# A lattice as fine as the ways lie close: 30 km of ways in a square kilometre take a step of 5 m.
STEP_SHARE = 0.15
MIN_STEP_M, MAX_STEP_M = 2.5, 5.0
BLOCK = 32  # columns
STRIP_POINTS = 2_000_000  # lattice points held at once
SHORTEST_M = 1e-6  # below the precision of any map
NEAR_POINT = 0.01  # a border keeps this share of a step away from lattice points: no vertex falls on another
STRAIGHT_STEPS = 0.003  # a vertex this near (in steps) to the chord of its neighbours tells nothing
KEEP_EVERY = 16  # ... but on every so-manieth lattice line one stays: gentle bends do not add up
# The side (bottom, right, top, left) by which a border enters and leaves a cell, by its corners within.
ENTER = np.array([0, 0, 1, 1, 2, 0, 2, 2, 3, 0, 1, 1, 3, 0, 3, 0])
LEAVE = np.array([0, 3, 0, 3, 1, 3, 0, 3, 2, 2, 0, 2, 1, 1, 0, 0])
# A bare 0 has a type of its own in numba, and every kernel that it is passed to is compiled once more.
ZERO: Any = np.int64(0)
ONE: Any = np.int64(1)
NEXT, TWIN, BEFORE, BAND, FLAT = 0, 1, 2, 3, 4
KEPT = 5
META = 6


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
def _depth(lattice: Lattice, r: int, c: int, band: int) -> float:
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
def _masks(lattice: Lattice, r: int, near: F32, other: F32, mask: U16) -> None:
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
def _cross(
    lattice: Lattice, r: int, c: int, up: int, band: int, xy: F64, meta: I32, used: int, twin: int
) -> None:
    """Write the point of the border between a lattice point and its neighbour (above if ``up``)."""
    one, two = _depth(lattice, r, c, band), _depth(lattice, r + up, c + 1 - up, band)
    share = one / (one - two) if one != two else 0.5
    share = min(1.0 - NEAR_POINT, max(NEAR_POINT, share)) * lattice.step
    xy[used, 0] = lattice.left + c * lattice.step + share * (1 - up)
    xy[used, 1] = lattice.bottom + r * lattice.step + share * up
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
def _link(meta: I32, corners: int, joined: bool, sides: I32) -> None:
    """Join the crossings of one cell, the band on the left hand.

    ``corners``: bits SW, SE, NE, NW; ``sides``: the crossings at the bottom, right, top and left.
    """
    meta[sides[ENTER[corners]], NEXT] = sides[LEAVE[corners]]
    if corners % 5 == 0:  # a saddle: opposite corners within, two borders in the cell
        enter = ENTER[corners]
        leave = (enter + (1 if joined else 3)) % 4
        meta[sides[enter], NEXT] = sides[leave]
        meta[sides[(enter + 2) % 4], NEXT] = sides[(leave + 2) % 4]


@kernel
def _hold_apart(meta: I32, corners: int, before: int, sides: I32, sides_before: I32) -> None:
    """Keep all vertices of a cell that two borders cross, unless they are one border there."""
    same = corners == before
    for side in range(4):
        # the ends of a side are corners ``side`` and the one after it
        if (corners >> side & 1) != (corners >> (side + 1) % 4 & 1) and meta[sides[side], TWIN] < 0:
            same = False
    if same:
        return
    for side in range(4):
        if (corners >> side & 1) != (corners >> (side + 1) % 4 & 1):
            meta[sides[side], KEPT] = 1
        if (before >> side & 1) != (before >> (side + 1) % 4 & 1):
            meta[sides_before[side], KEPT] = 1


@kernel
def _trace_row(
    lattice: Lattice, r: int, now: int, masks: U16, flats: I32, xy: F64, meta: I32, used: int
) -> tuple[F64, I32, int]:
    """Crossings on lattice row ``r`` and on the columns down to the row below, joined cell by cell.

    ``masks[now]`` and ``flats[now]`` are of this row, the others of the row below.
    """
    bands, columns = lattice.square.shape[0] - 1, lattice.square.shape[2]
    below, mask, flat_below, flat = masks[1 - now], masks[now], flats[1 - now], flats[now]
    last = np.full(bands, -1, dtype=np.int32)
    up, up_left = np.full(bands, -1, dtype=np.int32), np.full(bands, -1, dtype=np.int32)
    sides = np.full((bands, 4), -1, dtype=np.int32)
    for block in range(len(lattice.used)):
        if not lattice.used[block]:
            continue
        for c in range(block * BLOCK, min((block + 1) * BLOCK, columns - 1)):
            some = below[c] | below[c + 1] | mask[c] | mask[c + 1]
            every = below[c] & below[c + 1] & mask[c] & mask[c + 1]
            if some == every:
                continue
            xy, meta = _room(xy, meta, used, 2 * bands)
            differ, twin = mask[c] ^ mask[c + 1], -ONE
            for b in range(bands):
                up_left[b] = up[b]
                if differ >> b & 1:
                    _cross(lattice, r, c, ZERO, b, xy, meta, used, twin)
                    meta[used, BEFORE] = last[b]
                    flat[b, c] = last[b] = twin = used
                    used += 1
                else:
                    twin = -ONE
            differ, twin = below[c + 1] ^ mask[c + 1], -ONE
            for b in range(bands):
                if differ >> b & 1:
                    _cross(lattice, r - 1, c + 1, ONE, b, xy, meta, used, twin)
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
                        total += _depth(lattice, r - (k >> 1), c + (k & 1), b)
                    joined = total > 0.0
                sides[b, 0], sides[b, 1] = flat_below[b, c], up[b]
                sides[b, 2], sides[b, 3] = flat[b, c], up_left[b]
                _link(meta, corners, joined, sides[b])
                if before != 0:
                    _hold_apart(meta, corners, before, sides[b], sides[b - 1])
                before = corners
    return xy, meta, used


@kernel
def _bounds(
    ways: Ways, first: int, last: int, p_edge: I32, p_from: F64, p_to: F64
) -> tuple[float, float, float, float]:
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
def _lay_all(
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
def _trace_all(
    lattice: Lattice, row: int, masks: U16, flats: I32, xy: F64, meta: I32, used: int
) -> tuple[F64, I32, int]:
    """Trace a strip that begins at lattice row ``row``; its first row is the last of the strip before.

    ``masks`` and ``flats`` hold two rows by turns and carry the last one on to the next strip.
    """
    columns = lattice.square.shape[2]
    near, other = np.empty(columns, dtype=np.float32), np.empty(columns, dtype=np.float32)
    for block in range(len(lattice.used)):
        if not lattice.used[block]:
            for c in range(block * BLOCK, min(columns, (block + 1) * BLOCK)):
                masks[0, c] = masks[1, c] = 0
    for r in range(min(row, 1), lattice.square.shape[1]):
        now = (row + r) & 1
        _masks(lattice, r, near, other, masks[now])
        if r > 0:
            xy, meta, used = _trace_row(lattice, r, now, masks, flats, xy, meta, used)
    return xy, meta, used


@kernel
def _fitting_step_m(
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


@kernel
def _draw(
    start: I64, x: F64, y: F64, along_m: F64, length_m: F64, edges: I64, x0: float, y0: float,
    ways_left: float, ways_bottom: float, side: float, square_columns: int, square_rows: int,
    square: I64, item: I32, way_m: F64,
    begin: I64, p_edge: I32, p_from: F64, p_to: F64, widen_m: float,
) -> tuple[F64, I64, I32, I32]:  # fmt: skip
    # loose arrays cross into compiled code a hundred times faster than a tuple of them
    ways = Ways(
        start, x, y, along_m, length_m, edges, x0, y0, ways_left, ways_bottom, side, square_columns,
        square_rows, square, item, way_m,
    )  # fmt: skip
    bands = len(begin) - 1
    xy, meta, used = np.empty((2048, 2)), np.empty((2048, META), dtype=np.int32), ZERO
    x_low, x_high, y_low, y_high = _bounds(ways, begin[bands - 1], begin[bands], p_edge, p_from, p_to)
    if x_low > x_high:
        return _rings(xy, meta, used, x_low, y_low, 1.0)
    latitude = 2.0 * math.atan(math.exp((y0 + (y_low + y_high) / 2.0) / EARTH_M)) - math.pi / 2.0
    unit = 1.0 / math.cos(latitude)
    widen = widen_m * unit
    step = unit * _fitting_step_m(
        ways, ways.side / unit, begin[bands - 1], begin[bands], p_edge, p_from, p_to
    )
    left, bottom = x_low - widen - 2.0 * step, y_low - widen - 2.0 * step
    columns = int((x_high + widen + 2.0 * step - left) / step) + 2
    rows = int((y_high + widen + 2.0 * step - bottom) / step) + 2
    strip = max(16, STRIP_POINTS // columns)
    masks = np.zeros((2, columns), dtype=np.uint16)
    flats = np.empty((2, bands, columns), dtype=np.int32)
    seen = np.zeros(len(length_m), dtype=np.uint8)
    for row in range(0, rows - 1, strip):
        # one row more: strips share the row between them
        lattice = _lay_all(
            ways, begin, p_edge, p_from, p_to, seen,
            min(strip + 1, rows - row), columns, left, bottom + row * step, step, widen,
        )  # fmt: skip
        xy, meta, used = _trace_all(lattice, row, masks, flats, xy, meta, used)
    return _rings(xy, meta, used, left, bottom, step)


def draw(
    ways: Ways, begin: I64, p_edge: I32, p_from: F64, p_to: F64, *, widen_m: float
) -> tuple[F64, I64, I32, I32]:
    """Rings of nested bands.

    Stretches of band ``b`` are ``begin[b]`` to ``begin[b + 1]``, ascending by edge and position.
    Returns vertices (n, 2) in sheet units, the start of each ring and an end, its band, and the ring
    that holds it (-1 for outer rings; outer rings turn left, holes right).
    """
    return _draw(*ways, begin, p_edge, p_from, p_to, widen_m)
