"""Compiled: the pieces of the outlines of nested bands of cells.

The kind of a cell is the first band that reaches it. Where a band ends within the piece of way that a
cell stands for, the cell is cut straight across the way there. Three borders meet at every corner, so no
ring of pieces (:mod:`geo.isochrones.rings`) touches itself or another.
"""

from __future__ import annotations

import numpy as np

from geo.compiled import kernel
from geo.isochrones.cells import NOBODY
from geo.isochrones.kinds import CUT, MIXED
from geo.isochrones.seams import AT_END, SHIFT
from geo.isochrones.spacing import ZERO
from geo.isochrones.ways import U8
from geo.models import F64, I32, I64

MOST_MEETINGS = 64  # of cuts with one border
HELD = -2  # the number of a corner that stays, should an outline go by


@kernel
def parting_borders(
    reached: I32, mixed: I32, of_way: U8, kind: U8,
    way: I32, beyond: I32, seam: I32, cells: I32, own: I32,
) -> tuple[I32, U8, I32, U8]:  # fmt: skip
    """Borders between different kinds: runs of them within a line, and those with a cut cell on either side.

    A row of a run: the first and the last corner in the ``path`` of :class:`geo.isochrones.seams.Seams`. A row of the
    others, each from one side: cells on the left and on the right, border. Of both: kinds on the left and on the right.
    """
    room = ZERO
    for e in reached:
        room += way[e, 1] - way[e, 0]
    met, of_edge, meets = np.empty(room + 1, dtype=np.int32), np.empty(room + 1, dtype=np.int32), ZERO
    for e in reached:
        mine = of_way[e]
        for k in range(way[e, 0], way[e, 1]):  # most part nothing: no branch to foretell
            f = beyond[k]
            theirs = of_way[f]
            met[meets], of_edge[meets] = k, e
            # between two ways that are reached, seen from the first of them
            meets += ((theirs != mine) | (mine == MIXED)) & ((f > e) | (f < 0) | (theirs == NOBODY))
    runs, others = ZERO, ZERO
    for j in range(meets):
        if of_way[of_edge[j]] == MIXED or of_way[beyond[met[j]]] == MIXED:
            many = seam[met[j], 1] - seam[met[j], 0]
            runs += many
            others += many
        else:
            runs += seam[met[j], 2]
    for e in mixed:
        others += way[e, 3] - way[e, 2]
    run, run_kind = np.empty((runs, 2), dtype=np.int32), np.empty((runs, 2), dtype=np.uint8)
    other, other_kind = np.empty((others, 3), dtype=np.int32), np.empty((others, 2), dtype=np.uint8)
    runs, others = ZERO, ZERO
    for j in range(meets):
        k, e = met[j], of_edge[j]
        f, begin, end = beyond[k], seam[k, 0], seam[k, 1]
        mine, theirs = of_way[e], of_way[f]
        # the borders are those of the way with the smaller number
        a, b = (theirs, mine) if 0 <= f < e else (mine, theirs)
        if MIXED not in (a, b):
            start = begin
            if seam[k, 2] > 1:
                for i in range(begin, end - 1):
                    if cells[i, 0] < 0:
                        run[runs, 0], run[runs, 1], run_kind[runs, 0], run_kind[runs, 1] = start, i, a, b
                        start, runs = i + 1, runs + 1
            run[runs, 0], run[runs, 1], run_kind[runs, 0], run_kind[runs, 1] = start, end - 1, a, b
            runs += 1
            continue
        start, was, was_beyond = np.int64(-1), a, b  # of a run that is open
        for i in range(begin, end):
            c, n = cells[i, 0], cells[i, 1]
            here = kind[c] if a == MIXED else a  # of -1: of no cell
            there = kind[n] if b == MIXED else b
            if start >= 0 and (c < 0 or here != was or there != was_beyond):
                run[runs, 0], run[runs, 1], run_kind[runs, 0], run_kind[runs, 1] = start, i, was, was_beyond
                runs += 1
                start = np.int64(-1)
            if c < 0:
                continue
            if CUT in (here, there):
                other[others, 0], other[others, 1], other[others, 2] = c, n, cells[i, 2]
                other_kind[others, 0], other_kind[others, 1] = here, there
                others += 1
            elif here != there and start < 0:
                start, was, was_beyond = i, here, there
    for e in mixed:
        for i in range(way[e, 2], way[e, 3]):
            c, n = own[i, 0], own[i, 1]
            if kind[c] != kind[n] or kind[c] == CUT:
                other[others, 0], other[others, 1], other[others, 2] = c, n, own[i, 2]
                other_kind[others, 0], other_kind[others, 1] = kind[c], kind[n]
                others += 1
    return run[:runs], run_kind[:runs], other[:others], other_kind[:others]


@kernel
def outline_pieces(
    bands: int, run: I32, run_kind: U8, other: I32, other_kind: U8,
    cut: I32, number: I32, cut_row: I64, cut_at: F64, cut_kind: U8, along: F64,
    row: I64, corner: I32, place: F64, stays: U8, path: F64,
) -> tuple[I32, U8, I32, F64, F64, U8]:  # fmt: skip
    """All pieces of the outlines, the lower kind on their left hand; places of their corners, and which of them stay.

    Of a piece: corners from and to; first and last bands, and whether the corner after the first (1) or before the last (2) of its path
    stays; the path, from one row of ``path`` in :class:`geo.isochrones.seams.Seams` to another, or -1 where it is
    straight; the places next to its ends.

    Few calls are made within the loops: each counts the references to every array that it takes.
    """
    others, runs, cuts = len(other), len(run), len(cut_at)
    room = runs + others + 8 + 4 * cuts
    h_end, h_band = np.empty((room, 2), dtype=np.int32), np.zeros((room, 3), dtype=np.uint8)
    h_path, h_next, used = np.full((room, 2), -1, dtype=np.int32), np.empty((room, 4)), ZERO
    v_place, keep = np.empty((2 * room, 2)), np.empty(2 * room, dtype=np.uint8)
    code, origin = np.full(2 * room, -1, dtype=np.int32), np.full(2 * room, -1, dtype=np.int32)
    # Looked up before anything is decided by them: a processor waits for many at once, but not past a decision.
    end, bits = np.empty((others + runs, 2), dtype=np.int32), np.empty((others + runs, 2), dtype=np.uint8)
    at = np.empty((others + runs, 4))
    for i in range(others):
        c, m = other[i, 0], other[i, 2]
        end[i, 0], end[i, 1] = corner[m], corner[m + 1 if m + 1 < row[c + 1] else row[c]]
    for i in range(others):
        a, b = end[i, 0], end[i, 1]
        at[i, 0], at[i, 1], at[i, 2], at[i, 3] = place[a, 0], place[a, 1], place[b, 0], place[b, 1]
        bits[i, 0], bits[i, 1] = stays[a], stays[b]
    for i in range(runs):
        a, b = run[i, 0], run[i, 1]
        at[others + i, 0], at[others + i, 1], at[others + i, 2], at[others + i, 3] = (
            path[a, 0], path[a, 1], path[b, 0], path[b, 1],
        )  # fmt: skip
        one, two = np.int64(path[a, 2]), np.int64(path[b, 2])
        end[others + i, 0], end[others + i, 1] = one >> SHIFT, two >> SHIFT
        bits[others + i, 0], bits[others + i, 1] = one & AT_END, two & AT_END
    corners = ZERO
    for i in range(others + runs):
        for k in range(2):
            a = end[i, k]
            if number[a] < 0:
                number[a], origin[corners] = corners, a
                v_place[corners, 0], v_place[corners, 1] = at[i, 2 * k], at[i, 2 * k + 1]
                keep[corners] = bits[i, k]
                corners += 1
            end[i, k] = number[a]
    numbered = corners
    up, down = np.full(cuts, -1, dtype=np.int32), np.full(cuts, -1, dtype=np.int32)
    share, which = np.empty(MOST_MEETINGS), np.empty(MOST_MEETINGS, dtype=np.int64)
    # Where a cell shows all but a part of one border, a corner off that border stays: else its outline would
    # run along the border and back.
    held, holding = np.empty(2 * others, dtype=np.int32), ZERO
    where = np.zeros(
        (2, 2), dtype=np.int64
    )  # what of the cell on the left, and on the right, lies here; at the end
    for i in range(others):
        c, n, count = other[i, 0], other[i, 1], ZERO
        # the cuts of either cell that the border crosses, in the order in which they are met
        for side in range(2):
            where[side, 0] = where[side, 1] = 0
            if other_kind[i, side] != CUT:
                continue
            cell = c if side == 0 else n
            one, k = cut_row[cut[cell]], ZERO
            east, north, base = along[cell, 0], along[cell, 1], along[cell, 2]
            from_u, to_u = (
                at[i, 0] * east + at[i, 1] * north - base,
                at[i, 2] * east + at[i, 3] * north - base,
            )
            two = one
            while cut_at[one] <= from_u:
                one += 1
            while cut_at[two] <= to_u:
                two += 1
            where[side, 0], where[side, 1] = one, two
            for step in range(abs(two - one)):
                k = one + step if one < two else one - 1 - step
                part = min(1.0, max(0.0, (cut_at[k] - from_u) / (to_u - from_u)))
                j = count
                while j > 0 and share[j - 1] > part:
                    share[j], which[j] = share[j - 1], which[j - 1]
                    j -= 1
                share[j], which[j] = part, k
                count += 1
            if one != two and (side == 1 or n >= 0):
                # the corner after this border, of the cell on the other side
                cell = n if side == 0 else c
                far = origin[end[i, side]]
                k = row[cell]
                while corner[k] != far:
                    k += 1
                held[holding] = corner[k + 1 if k + 1 < row[cell + 1] else row[cell]]
                holding += 1
        before = end[i, 0]
        for j in range(count + 1):
            here = end[i, 1]
            if j < count:
                here = np.int32(corners)
                v_place[here, 0] = at[i, 0] + share[j] * (at[i, 2] - at[i, 0])
                v_place[here, 1] = at[i, 1] + share[j] * (at[i, 3] - at[i, 1])
                keep[here] = 1
                corners += 1
            left = cut_kind[where[0, 0]] if other_kind[i, 0] == CUT else other_kind[i, 0]
            right = cut_kind[where[1, 0]] if other_kind[i, 1] == CUT else other_kind[i, 1]
            if left != right:
                h_end[used, 0], h_end[used, 1] = (before, here) if left < right else (here, before)
                h_band[used, 0], h_band[used, 1] = min(left, right), min(max(left, right), bands)
                used += 1
            if j < count:
                k = which[j]
                mine = other_kind[i, 0] == CUT and cut_row[cut[c]] <= k < cut_row[cut[c] + 1]
                side = 0 if mine else 1
                # seen from the other cell, the border runs the other way
                if (where[side, 0] < where[side, 1]) == mine:
                    up[k] = here
                else:
                    down[k] = here
                where[side, 0] += 1 if where[side, 0] < where[side, 1] else -1
            before = here
    for k in range(cuts):
        if cut_at[k] == np.inf or cut_kind[k] == cut_kind[k + 1]:
            continue
        ahead = cut_kind[k] < cut_kind[k + 1]
        h_end[used, 0], h_end[used, 1] = (up[k], down[k]) if ahead else (down[k], up[k])
        low, high = (cut_kind[k], cut_kind[k + 1]) if ahead else (cut_kind[k + 1], cut_kind[k])
        h_band[used, 0], h_band[used, 1] = low, min(high, bands)
        used += 1
    for h in range(used):
        a, b = h_end[h, 0], h_end[h, 1]
        h_next[h, 0], h_next[h, 1] = v_place[b, 0], v_place[b, 1]
        h_next[h, 2], h_next[h, 3] = v_place[a, 0], v_place[a, 1]
    for i in range(holding):
        if number[held[i]] >= 0:
            keep[number[held[i]]] = 1
        else:  # it lies next to an end of a run, or on none
            number[held[i]] = HELD
    for i in range(runs):
        left, right = run_kind[i, 0], run_kind[i, 1]
        turn = 0 if left < right else 1
        first, last = run[i, turn], run[i, 1 - turn]
        step = 1 if last > first else -1
        h_end[used, 0], h_end[used, 1] = end[others + i, turn], end[others + i, 1 - turn]
        h_band[used, 0], h_band[used, 1] = min(left, right), min(max(left, right), bands)
        h_path[used, 0], h_path[used, 1] = first, last
        h_next[used, 0], h_next[used, 1] = path[first + step, 0], path[first + step, 1]
        h_next[used, 2], h_next[used, 3] = path[last - step, 0], path[last - step, 1]
        one = number[np.int64(path[first + step, 2]) >> SHIFT] == HELD
        two = number[np.int64(path[last - step, 2]) >> SHIFT] == HELD
        h_band[used, 2] = one + 2 * two
        used += 1
    for i in range(holding):
        number[held[i]] = -1
    for v in range(numbered):
        number[origin[v]] = -1
    for h in range(used):  # corners where bands part stay
        mine = 256 * np.int32(h_band[h, 0]) + np.int32(h_band[h, 1])
        for k in range(2):
            v = h_end[h, k]
            keep[v] |= (code[v] >= 0) & (code[v] != mine)
            code[v] = mine
    return h_end[:used], h_band[:used], h_path[:used], h_next[:used], v_place[:corners], keep[:corners]
