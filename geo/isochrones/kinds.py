"""Compiled: which band reaches a way or cell first, and where cells are cut because a band ends within them."""

from __future__ import annotations

import numpy as np

from geo.compiled import kernel
from geo.isochrones.cells import NOBODY
from geo.isochrones.spacing import ZERO
from geo.isochrones.ways import SHORTEST_M, U8
from geo.models import F64, I32, I64

CUT = 254  # the kind of a cell that is cut
MIXED = 253  # the kind of a way whose cells are not of one kind


@kernel
def kinds_of_ways(
    way: I32, length_m: F64, begin: I64, p_edge: I32, p_from: F64, p_to: F64, of_way: U8
) -> tuple[I32, I32]:
    """Set the kind of every way reached; the ways, and those that are ``MIXED``, ascending.

    Stretches of band ``b`` are ``begin[b]`` to ``begin[b + 1]``, ascending by edge and position.
    """
    bands = len(begin) - 1
    reached, used = np.empty(begin[bands] + 1, dtype=np.int32), ZERO
    mixed, partly = np.empty(begin[bands] + 1, dtype=np.int32), ZERO
    for b in range(bands):
        for p in range(begin[b], begin[b + 1]):  # every other one is new: no branch to foretell
            e = p_edge[p]
            new = (of_way[e] == NOBODY) & (way[e, 4] < way[e, 5])
            whole = (p_from[p] <= SHORTEST_M) & (p_to[p] >= length_m[e] - SHORTEST_M)
            kind = b if whole else MIXED
            of_way[e] = kind if new else of_way[e]
            reached[used], mixed[partly] = e, e
            used += new
            partly += new & (not whole)
    return reached[:used], np.sort(mixed[:partly])


@kernel
def kinds_of_cells(
    mixed: I32, way: I32, to_m: F64, point_x: F64, point_y: F64, point_along_x: F64, point_along_y: F64,
    start: I64, ways_x: F64, ways_y: F64, along_m: F64, length_m: F64,
    row: I64, corner: I32, place: F64, along: F64,
    begin: I64, p_edge: I32, p_from: F64, p_to: F64, of_way: U8, kind: U8, cut: I32,
) -> tuple[I64, F64, U8]:  # fmt: skip
    """Set the kind of every cell of the ways that are ``MIXED``; the cuts of cells.

    What belongs to a cell whose ``cut`` is ``i``, is ``cut_row[i]`` to ``cut_row[i + 1]``: ``cut_kind[k]`` is
    what lies before the cut ``cut_at[k]``, sheet units along the way; the last one has no cut (infinite).

    No calls and no arrays that grow: each would count references within the loop.
    """
    bands, parts, most = len(begin) - 1, ZERO, ZERO
    for p in range(begin[0], begin[bands]):
        parts += of_way[p_edge[p]] == MIXED
    for e in mixed:
        for c in range(way[e, 4], way[e, 5]):
            most = max(most, row[c + 1] - row[c])
    sides, cursor = np.empty(most), begin[:-1].copy()
    # an edge by kind: kinds[i] ends at ends[i] metres, neighbours differ
    ends, kinds = np.empty(2 * parts + 1), np.empty(2 * parts + 1, dtype=np.uint8)
    cut_row, cut_rows = np.zeros(2 * parts + 1, dtype=np.int64), ZERO
    cut_at, cut_kind, many = np.empty(4 * parts + 1), np.empty(4 * parts + 1, dtype=np.uint8), ZERO
    for e in mixed:
        length, count = length_m[e], ZERO
        for b in range(bands):
            low = cursor[b]
            while low < begin[b + 1] and p_edge[low] < e:
                low += 1
            cursor[b] = low
            while low < begin[b + 1] and p_edge[low] == e:
                for end in range(2):
                    at_m = p_from[low] if end == 0 else p_to[low]
                    if SHORTEST_M < at_m < length - SHORTEST_M:
                        j = count
                        while j > 0 and ends[j - 1] > at_m:
                            ends[j] = ends[j - 1]
                            j -= 1
                        ends[j] = at_m
                        count += 1
                low += 1
        ends[count] = length
        ranges, before = ZERO, 0.0
        for i in range(count + 1):
            if ends[i] - before < SHORTEST_M and i < count:
                continue
            middle, first = (before + ends[i]) / 2.0, NOBODY
            for b in range(bands):
                k = cursor[b]
                while k < begin[b + 1] and p_edge[k] == e and p_from[k] <= middle and first == NOBODY:
                    if middle <= p_to[k]:
                        first = b
                    k += 1
            before = ends[i]
            if ranges > 0 and kinds[ranges - 1] == first:
                ends[ranges - 1] = before
            else:
                ends[ranges], kinds[ranges] = before, first
                ranges += 1
        at, r = start[e], ZERO
        for c in range(way[e, 4], way[e, 5]):
            corners = row[c + 1] - row[c]
            if corners == 0:
                continue
            while r < ranges - 1 and ends[r] <= (to_m[c - 1] if c > way[e, 4] else 0.0) + SHORTEST_M:
                r += 1
            if r == ranges - 1 or ends[r] >= to_m[c] - SHORTEST_M:
                kind[c] = kinds[r]
                continue
            for k in range(corners):  # how far along the way a corner lies from the point
                lies = corner[row[c] + k]
                sides[k] = place[lies, 0] * along[c, 0] + place[lies, 1] * along[c, 1] - along[c, 2]
            low, line, s = many, -np.inf, r
            while s < ranges - 1 and ends[s] < to_m[c] - SHORTEST_M:
                while at < start[e + 1] - 2 and along_m[at + 1] < ends[s]:
                    at += 1
                span = along_m[at + 1] - along_m[at]
                share = min(1.0, max(0.0, (ends[s] - along_m[at]) / span)) if span > 0.0 else 0.0
                on_x = ways_x[at] + share * (ways_x[at + 1] - ways_x[at])
                on_y = ways_y[at] + share * (ways_y[at + 1] - ways_y[at])
                ahead = (on_x - point_x[c]) * point_along_x[c] + (on_y - point_y[c]) * point_along_y[c]
                line = max(line, ahead)
                # a line that crosses the cell, which is convex, changes sides twice
                changes, beyond = 0, sides[corners - 1] >= line
                for k in range(corners):
                    changes += (sides[k] >= line) != beyond
                    beyond = sides[k] >= line
                if changes != 2 and not beyond:  # all of the cell lies before this cut
                    break
                # where the way turns back a piece may have no width: it has no outline either
                if changes == 2 and not (many > low and line <= cut_at[many - 1] + SHORTEST_M):
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
    return cut_row[: cut_rows + 1], cut_at[:many], cut_kind[:many]
