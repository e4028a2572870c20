"""Compiled: the pieces of the outlines of nested bands of cells.

The kind of a cell is the first band that reaches it. Where a band ends within the piece of way that a
cell stands for, the cell is cut straight across the way there. Three borders meet at every corner, so no
ring of pieces (:mod:`geo.isochrones.rings`) touches itself or another.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from geo.compiled import kernel
from geo.isochrones.cells import NOBODY
from geo.isochrones.kinds import CUT, MIXED, side_of
from geo.isochrones.spacing import ZERO
from geo.isochrones.ways import U8
from geo.models import F64, I32, I64

MOST_MEETINGS = 64  # of cuts with one border


@kernel
def _passed(side: float, mine: int, cut_row: I64, cut_at: F64) -> int:
    """The place, among what belongs to a cut cell, of what lies at a position along its way."""
    k: int = cut_row[mine]
    while cut_at[k] <= side:
        k += 1
    return k


@kernel
def _cross(
    a: int, b: int, c: int, place: F64, along: F64, cut: I32, cut_row: I64, cut_at: F64,
    share: F64, which: I64, count: int,
) -> tuple[int, int, int]:  # fmt: skip
    """Where the border from ``a`` to ``b`` crosses the cuts of a cell, merged into the ascending ``share``.

    Returns how many crossings there are now, and what of the cut cell lies at ``a`` and at ``b``.
    """
    mine = cut[c]
    from_u, to_u = side_of(place, a, along, c), side_of(place, b, along, c)
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
def parting_borders(
    reached: I32, of_way: U8, kind: U8, first: I64, last: I64, row: I64, neighbour: I32,
    s_row: I32, seam: I32, ends: I32, cells: I32, bands: int,
) -> tuple[I32, I32, U8, U8, I32, I32, U8, U8]:  # fmt: skip
    """Borders between different kinds: plain pieces of outlines, and those with a cut cell on either side.

    Of pieces: corners from and to, first and last bands. Of the others, each from one side: cells, borders,
    kinds on the left and on the right.
    """
    room = ZERO
    for e in reached:
        room += s_row[e, 1] - s_row[e, 0]
    met, of_edge, meets = np.empty(room + 1, dtype=np.int32), np.empty(room + 1, dtype=np.int32), ZERO
    for e in reached:
        mine = of_way[e]
        for k in range(s_row[e, 0], s_row[e, 1]):  # most part nothing: no branch to foretell
            f = seam[k, 0]
            theirs = of_way[f]
            met[meets], of_edge[meets] = k, e
            # between two ways that are reached, seen from the first of them
            meets += ((theirs != mine) | (mine == MIXED)) & ((f > e) | (f < 0) | (theirs == NOBODY))
    plain, others = ZERO, ZERO
    for j in range(meets):
        many = seam[met[j], 2] - seam[met[j], 1]
        plain += many
        if of_way[of_edge[j]] == MIXED or of_way[seam[met[j], 0]] == MIXED:
            others += many
    for e in reached:
        if of_way[e] == MIXED:
            others += row[last[e]] - row[first[e]]
    p_from, p_to = np.empty(plain, dtype=np.int32), np.empty(plain, dtype=np.int32)
    p_low, p_high = np.empty(plain, dtype=np.uint8), np.empty(plain, dtype=np.uint8)
    of_cell, border = np.empty(others, dtype=np.int32), np.empty(others, dtype=np.int32)
    left, right = np.empty(others, dtype=np.uint8), np.empty(others, dtype=np.uint8)
    plain, others = ZERO, ZERO
    for j in range(meets):
        k, e = met[j], of_edge[j]
        f, begin, end = seam[k, 0], seam[k, 1], seam[k, 2]
        mine, theirs = of_way[e], of_way[f]
        # the borders are those of the way with the smaller number
        a, b = (theirs, mine) if 0 <= f < e else (mine, theirs)
        if MIXED not in (a, b):
            low, high = min(a, b), min(max(a, b), bands)
            for i in range(begin, end):
                p_from[plain], p_to[plain] = (ends[i, 0], ends[i, 1]) if a < b else (ends[i, 1], ends[i, 0])
                p_low[plain], p_high[plain] = low, high
                plain += 1
            continue
        for i in range(begin, end):
            c, m = cells[i, 0], cells[i, 1]
            here = kind[c] if a == MIXED else a
            there = kind[neighbour[m]] if b == MIXED else b
            if CUT in (here, there):
                of_cell[others], border[others], left[others], right[others] = c, m, here, there
                others += 1
            elif here != there:
                p_from[plain], p_to[plain] = (
                    (ends[i, 0], ends[i, 1]) if here < there else (ends[i, 1], ends[i, 0])
                )
                p_low[plain], p_high[plain] = min(here, there), min(max(here, there), bands)
                plain += 1
    for e in reached:
        if of_way[e] != MIXED:
            continue
        for c in range(first[e], last[e]):
            for m in range(row[c], row[c + 1]):
                n = neighbour[m]
                if c < n < last[e] and (kind[c] != kind[n] or kind[c] == CUT):
                    of_cell[others], border[others], left[others], right[others] = c, m, kind[c], kind[n]
                    others += 1
    return (
        p_from[:plain], p_to[:plain], p_low[:plain], p_high[:plain],
        of_cell[:others], border[:others], left[:others], right[:others],
    )  # fmt: skip


@kernel
def _beyond(c: int, at: int, row: I64, corner: I32) -> int:
    """The corner of a cell that follows one of its corners."""
    k = row[c]
    while corner[k] != at:
        k += 1
    following: int = corner[k + 1 if k + 1 < row[c + 1] else row[c]]
    return following


@kernel
def outline_pieces(
    bands: int, p_from: I32, p_to: I32, p_low: U8, p_high: U8, of_cell: I32, border: I32, left: U8, right: U8,
    cut: I32, number: I32, cut_row: I64, cut_at: F64, cut_kind: U8, along: F64,
    row: I64, neighbour: I32, corner: I32, place: F64, stays: U8,
) -> tuple[I32, I32, U8, U8, F64, F64, U8]:  # fmt: skip
    """All pieces of the outlines: from and to, first and last bands; their corners, and which of them stay."""
    room = len(p_from) + len(border) + 8 + 4 * len(cut_at)
    h_from, h_to = np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32)
    h_low, h_high, used = np.empty(room, dtype=np.uint8), np.empty(room, dtype=np.uint8), ZERO
    room = 2 * room
    v_lon, v_lat = np.empty(room), np.empty(room)
    keep, code = np.empty(room, dtype=np.uint8), np.empty(room, dtype=np.int32)
    origin, corners = np.empty(room, dtype=np.int32), ZERO
    for i in range(len(p_from)):
        mine = 256 * np.int32(p_low[i]) + p_high[i]
        for end in range(2):
            at = p_from[i] if end == 0 else p_to[i]
            v = number[at]
            if v < 0:
                number[at] = v = corners
                v_lon[v], v_lat[v], origin[v] = place[at, 0], place[at, 1], at
                keep[v], code[v] = stays[at], mine
                corners += 1
            elif code[v] != mine:
                keep[v], code[v] = 1, mine
            if end == 0:
                h_from[i] = v
            else:
                h_to[i] = v
        h_low[i], h_high[i] = p_low[i], p_high[i]
    used = np.int64(len(p_from))
    up, down = np.full(len(cut_at), -1, dtype=np.int32), np.full(len(cut_at), -1, dtype=np.int32)
    share, which = np.empty(MOST_MEETINGS), np.empty(MOST_MEETINGS, dtype=np.int64)
    # Where a cell shows all but a part of one border, a corner off that border stays: else its outline would
    # run along the border and back.
    held, holding = np.empty(2 * len(border), dtype=np.int32), ZERO
    for listed in range(len(border)):
        c, m = of_cell[listed], border[listed]
        n, mine, theirs = neighbour[m], left[listed], right[listed]
        after = corner[m + 1 if m + 1 < row[c + 1] else row[c]]
        for at in (corner[m], after):
            if number[at] < 0:
                number[at] = corners
                v_lon[corners], v_lat[corners], origin[corners] = place[at, 0], place[at, 1], at
                keep[corners], code[corners] = stays[at], -1
                corners += 1
        a, b = number[corner[m]], number[after]
        count, own, others, own_end, others_end = ZERO, ZERO, ZERO, ZERO, ZERO
        if mine == CUT:
            count, own, own_end = _cross(
                corner[m], after, c, place, along, cut, cut_row, cut_at, share, which, count
            )
        if theirs == CUT:
            count, others, others_end = _cross(
                corner[m], after, n, place, along, cut, cut_row, cut_at, share, which, count
            )
        if others != others_end:
            held[holding] = _beyond(c, after, row, corner)
            holding += 1
        if own != own_end and n >= 0:
            held[holding] = _beyond(n, corner[m], row, corner)
            holding += 1
        before = a
        for i in range(count + 1):
            here = b
            if i < count:
                here, part = corners, share[i]
                v_lon[here] = v_lon[a] + part * (v_lon[b] - v_lon[a])
                v_lat[here] = v_lat[a] + part * (v_lat[b] - v_lat[a])
                keep[here], code[here], origin[here] = 1, -1, -1
                corners += 1
            on_left = cut_kind[own] if mine == CUT else mine
            on_right = cut_kind[others] if theirs == CUT else theirs
            if on_left < on_right:
                used = _note(
                    before, here, on_left, min(on_right, bands), h_from, h_to, h_low, h_high, used, code, keep
                )
            elif on_right < on_left:
                used = _note(
                    here, before, on_right, min(on_left, bands), h_from, h_to, h_low, h_high, used, code, keep
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
    for i in range(holding):
        if number[held[i]] >= 0:
            keep[number[held[i]]] = 1
    for v in range(corners):
        if origin[v] >= 0:
            number[origin[v]] = -1
    return (
        h_from[:used], h_to[:used], h_low[:used], h_high[:used],
        v_lon[:corners], v_lat[:corners], keep[:corners],
    )  # fmt: skip
