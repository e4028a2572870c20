"""Compiled: which band reaches a way or cell first, and where cells are cut because a band ends within them."""

from __future__ import annotations

import numpy as np

from geo.compiled import kernel
from geo.isochrones.cells import NOBODY
from geo.isochrones.spacing import ZERO
from geo.isochrones.ways import SHORTEST_M, U8, position
from geo.models import F64, I32, I64

CUT = 254  # the kind of a cell that is cut
MIXED = 253  # the kind of a way whose cells are not of one kind


@kernel
def _ranges(
    edge: int, length: float, bands: int, begin: I64, p_edge: I32, p_from: F64, p_to: F64,
    cursor: I64, cuts: F64, kinds: U8,
) -> tuple[F64, U8, int]:  # fmt: skip
    """An edge by kind: ``kinds[i]`` ends at ``cuts[i]`` metres; neighbours differ. Returns how many.

    ``cursor`` is where in each band edges before this one end; it moves on with the edges.
    """
    count = ZERO
    for b in range(bands):
        low = cursor[b]
        while low < begin[b + 1] and p_edge[low] < edge:
            low += 1
        cursor[b] = low
        while low < begin[b + 1] and p_edge[low] == edge:
            if count + 3 > len(cuts):
                cuts, kinds = np.append(cuts, np.empty(len(cuts))), np.append(kinds, kinds)
            for at_m in (p_from[low], p_to[low]):
                if SHORTEST_M < at_m < length - SHORTEST_M:
                    j = count
                    while j > 0 and cuts[j - 1] > at_m:
                        cuts[j] = cuts[j - 1]
                        j -= 1
                    cuts[j] = at_m
                    count += 1
            low += 1
    cuts[count] = length
    used, before = ZERO, 0.0
    for i in range(count + 1):
        if cuts[i] - before < SHORTEST_M and i < count:
            continue
        middle, kind = (before + cuts[i]) / 2.0, NOBODY
        for b in range(bands):
            k = cursor[b]
            while k < begin[b + 1] and p_edge[k] == edge and p_from[k] <= middle and kind == NOBODY:
                if middle <= p_to[k]:
                    kind = b
                k += 1
        before = cuts[i]
        if used > 0 and kinds[used - 1] == kind:
            cuts[used - 1] = before
        else:
            cuts[used], kinds[used] = before, kind
            used += 1
    return cuts, kinds, used


@kernel
def side_of(place: F64, corner: int, along: F64, c: int) -> float:
    """How far along the way a corner lies from the point of cell ``c``, in sheet units."""
    side: float = place[corner, 0] * along[c, 0] + place[corner, 1] * along[c, 1] - along[c, 2]
    return side


@kernel
def _crossed_twice(
    begin: int, end: int, corner: I32, place: F64, along: F64, c: int, at: float
) -> tuple[bool, bool]:
    """Whether a line crosses cell ``c``; whether all of the cell lies beyond it."""
    changes, beyond = 0, False
    last = side_of(place, corner[end - 1], along, c) >= at
    for k in range(begin, end):
        beyond = side_of(place, corner[k], along, c) >= at
        changes += beyond != last
        last = beyond
    return changes == 2, beyond


@kernel
def set_kinds(
    first: I64, last: I64, to_m: F64, point_x: F64, point_y: F64, point_along_x: F64, point_along_y: F64,
    start: I64, ways_x: F64, ways_y: F64, along_m: F64, length_m: F64,
    row: I64, corner: I32, place: F64, along: F64,
    begin: I64, p_edge: I32, p_from: F64, p_to: F64, of_way: U8, kind: U8, cut: I32,
) -> tuple[I32, I64, F64, U8]:  # fmt: skip
    """Set the kind of every way reached, and of its cells where it is ``MIXED``; the ways; the cuts of cells.

    What belongs to a cell whose ``cut`` is ``i``, is ``cut_row[i]`` to ``cut_row[i + 1]``: ``cut_kind[k]`` is what lies before the cut ``cut_at[k]``, sheet units along the way;
    the last one has no cut (infinite).
    """
    bands = len(begin) - 1
    reached, used = np.empty(begin[bands], dtype=np.int32), ZERO
    mixed, partly = np.empty(begin[bands], dtype=np.int32), ZERO
    for b in range(bands):
        for p in range(begin[b], begin[b + 1]):
            e = p_edge[p]
            if of_way[e] != NOBODY or first[e] == last[e]:
                continue
            reached[used] = e
            used += 1
            if p_from[p] <= SHORTEST_M and p_to[p] >= length_m[e] - SHORTEST_M:
                of_way[e] = b
            else:
                of_way[e], mixed[partly] = MIXED, e
                partly += 1
    cursor, ends, kinds = begin[:-1].copy(), np.empty(64), np.empty(64, dtype=np.uint8)
    cut_row, cut_rows = np.zeros(65, dtype=np.int64), ZERO
    cut_at, cut_kind, many = np.empty(256), np.empty(256, dtype=np.uint8), ZERO
    for e in np.sort(mixed[:partly]):
        ends, kinds, ranges = _ranges(e, length_m[e], bands, begin, p_edge, p_from, p_to, cursor, ends, kinds)
        at, r = start[e], ZERO
        for c in range(first[e], last[e]):
            if row[c] == row[c + 1]:
                continue
            while r < ranges - 1 and ends[r] <= (to_m[c - 1] if c > first[e] else 0.0) + SHORTEST_M:
                r += 1
            if r == ranges - 1 or ends[r] >= to_m[c] - SHORTEST_M:
                kind[c] = kinds[r]
                continue
            if cut_rows + 2 > len(cut_row):
                cut_row = np.append(cut_row, np.empty(len(cut_row), dtype=np.int64))
            if many + ranges + 1 > len(cut_at):
                cut_at = np.append(cut_at, np.empty(len(cut_at) + ranges))
                cut_kind = np.append(cut_kind, np.empty(len(cut_at), dtype=np.uint8))
            low, line, s = many, -np.inf, r
            while s < ranges - 1 and ends[s] < to_m[c] - SHORTEST_M:
                while at < start[e + 1] - 2 and along_m[at + 1] < ends[s]:
                    at += 1
                on_x, on_y = position(ways_x, ways_y, along_m, at, ends[s])
                ahead = (on_x - point_x[c]) * point_along_x[c] + (on_y - point_y[c]) * point_along_y[c]
                line = max(line, ahead)
                crossed, beyond = _crossed_twice(row[c], row[c + 1], corner, place, along, c, line)
                if not crossed and not beyond:  # all of the cell lies before this cut
                    break
                # where the way turns back a piece may have no width: it has no outline either
                if crossed and not (many > low and line <= cut_at[many - 1] + SHORTEST_M):
                    cut_at[many], cut_kind[many] = line, kinds[s]
                    many += 1
                s += 1
            cut_at[many], cut_kind[many] = np.inf, kinds[s]
            many += 1
            if many == low + 1:  # no cut is left
                many = low
                kind[c] = kinds[s]
                continue
            kind[c], cut[c] = CUT, cut_rows
            cut_rows += 1
            cut_row[cut_rows] = many
    return reached[:used], cut_row[: cut_rows + 1], cut_at[:many], cut_kind[:many]
