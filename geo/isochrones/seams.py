"""Where the land of one way meets that of another: what is never parted need not be looked at."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from geo.compiled import kernel
from geo.isochrones.spacing import ZERO
from geo.isochrones.ways import U8
from geo.models import F64, I32, I64

AHEAD, BACK, AT_END, SHIFT = (
    1,
    2,
    4,
    3,
)  # a corner stays: within a line gone through as filed, the other way, at its end
STRAIGHT_M = 0.25  # a corner that sticks out no further tells nothing


class Seams(NamedTuple):
    """The borders between cells of different ways, way by way, put together to lines.

    A row of ``way``: its seams, its own borders, and its cells, each from which to which.
    Of a seam, ``beyond`` is the way on the other side, -1 for what is too far from any way; a row of ``seam``: from which to which
    corner it goes, and in how many lines; both ways have the same corners. The land of the way with the smaller number (or of the only one) is on the left hand of the lines.
    A row of ``path``: longitude and latitude of a corner, and its number, shifted by :data:`SHIFT` for
    :data:`AHEAD`, :data:`BACK` and :data:`AT_END` where an outline needs it. A row of ``cells``: those on the left and on the
    right of the border from a corner to the next, and its place among the borders of the left one; -1 at the end of a line.
    A row of ``own``, a border between cells of one way, told from one side, is as one of ``cells``.

    What is wanted together stands in one row, and what is wanted of most by itself: all is fetched from afar.
    """

    way: I32
    beyond: I32
    seam: I32
    path: F64
    cells: I32
    own: I32


def seams_between(
    first: I64, last: I64, edges: I64, row: I64, neighbour: I32, corner: I32, place: F64, stays: U8,
    east: float, north: float,
) -> Seams:  # fmt: skip
    """The seams of the ways ``edges``, whose cells are ``first`` to ``last`` and have the borders ``row``.

    ``east`` and ``north``: metres in a degree.
    """
    made = _seams(first, last, edges, row, neighbour, corner)
    way, beyond, seam, line, cells, last_corner, own = (
        part.copy() for part in made
    )  # without the room they were made in
    at = np.where(cells[:, 2] >= 0, corner[cells[:, 2]], last_corner).astype(np.int32)
    path = np.column_stack((place[at], np.float64(1 << SHIFT) * at))
    _keep(line, path, stays[at], east, north, STRAIGHT_M)
    return Seams(way, beyond, seam, path, cells, own)


@kernel
def sticks_out(
    x0: float,
    y0: float,
    x: float,
    y: float,
    x1: float,
    y1: float,
    east: float,
    north: float,
    tolerance: float,
) -> bool:
    """Whether a corner stays: those that turn right, and those that stick out further than the tolerance.

    At a left turn one convex cell is inside alone (where two may be, the corner stays anyway), so the chord of its neighbours, and that of a run of left
    turns, lies in that cell: leaving such corners out makes no two borders cross, whatever the tolerance.
    """
    dx, dy = east * (x1 - x0), north * (y1 - y0)
    across = east * (x - x0) * dy - north * (y - y0) * dx
    return bool(across <= 0.0 or across * across > tolerance * tolerance * (dx * dx + dy * dy))


@kernel
def _keep(line: I32, path: F64, stays: U8, east: float, north: float, tolerance: float) -> None:
    """Note in a path which corners stay."""
    for j in range(len(line) - 1):
        for k in range(line[j], line[j + 1]):
            if stays[k]:
                path[k, 2] += AHEAD + BACK + AT_END
            elif k != line[j] and k + 1 != line[j + 1]:
                x0, y0, x, y = path[k - 1, 0], path[k - 1, 1], path[k, 0], path[k, 1]
                x1, y1 = path[k + 1, 0], path[k + 1, 1]
                if sticks_out(x0, y0, x, y, x1, y1, east, north, tolerance):
                    path[k, 2] += AHEAD
                if sticks_out(x1, y1, x, y, x0, y0, east, north, tolerance):
                    path[k, 2] += BACK


@kernel
def _seams(
    first: I64, last: I64, edges: I64, row: I64, neighbour: I32, corner: I32
) -> tuple[I32, I32, I32, I32, I32, I32, I32]:
    of_cell, corners = np.empty(len(row) - 1, dtype=np.int32), ZERO
    for e in edges:
        for c in range(first[e], last[e]):
            of_cell[c] = e
    room, most, inner = ZERO, ZERO, ZERO
    for e in edges:
        many = ZERO
        for c in range(first[e], last[e]):
            for m in range(row[c], row[c + 1]):
                n = neighbour[m]
                many += n < 0 or of_cell[n] > e
                inner += n > c and of_cell[n] == e
                corners = max(corners, np.int64(corner[m]) + 1)
        room, most = room + many, max(most, many)
    cells, end = np.empty((2 * room, 3), dtype=np.int32), np.empty(2 * room, dtype=np.int32)
    line, lines, used = np.zeros(room + 1, dtype=np.int32), ZERO, ZERO
    way, own = np.zeros((len(first), 6), dtype=np.int32), np.empty((inner, 3), dtype=np.int32)
    # way by way, the borders sorted by what is beyond them
    key, of_key = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int32)
    begins = np.full(corners, -1, dtype=np.int32)  # the border of a seam that begins at a corner
    follows = np.empty(most, dtype=np.uint8)
    begin, mine, theirs = (
        np.empty(room + 1, dtype=np.int32), np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32),
    )  # fmt: skip
    blocks, inner = ZERO, ZERO
    for e in edges:
        many, way[e, 2], way[e, 4], way[e, 5] = ZERO, inner, first[e], last[e]
        for c in range(first[e], last[e]):
            for m in range(row[c], row[c + 1]):
                n = neighbour[m]
                beyond = np.int64(of_cell[n]) if n >= 0 else np.int64(-1)
                if n < 0 or beyond > e:
                    key[many], of_key[many] = (beyond + 1) << 32 | (m - row[first[e]]), c
                    many += 1
                elif n > c and beyond == e:
                    own[inner, 0], own[inner, 1], own[inner, 2] = c, n, m
                    inner += 1
        way[e, 3] = inner
        order, at = np.argsort(key[:many]), ZERO
        while at < many:
            beyond, upto = key[order[at]] >> 32, at
            while upto < many and key[order[upto]] >> 32 == beyond:
                m = row[first[e]] + (key[order[upto]] & 0xFFFFFFFF)
                begins[corner[m]] = upto
                follows[upto] = 0
                upto += 1
            begin[blocks], mine[blocks], theirs[blocks] = lines, e, beyond - 1
            blocks += 1
            for i in range(at, upto):
                follows[i] = 2
            for i in range(at, upto):
                c, m = of_key[order[i]], row[first[e]] + (key[order[i]] & 0xFFFFFFFF)
                after = begins[corner[m + 1 if m + 1 < row[c + 1] else row[c]]]
                if after >= 0:
                    follows[after] = 1
            for turn in range(2):  # lines that begin somewhere, then those that close
                for start in range(at, upto):
                    if follows[start] != 2 - turn:
                        continue
                    i, goes_on = start, True
                    while goes_on:
                        c, m = of_key[order[i]], row[first[e]] + (key[order[i]] & 0xFFFFFFFF)
                        follows[i] = 0
                        cells[used, 0], cells[used, 1], cells[used, 2] = c, neighbour[m], m
                        used += 1
                        end[used] = corner[m + 1 if m + 1 < row[c + 1] else row[c]]
                        i = begins[end[used]]
                        goes_on = i >= 0 and follows[i] != 0
                    cells[used, 0] = cells[used, 1] = cells[used, 2] = -1
                    used += 1
                    lines += 1
                    line[lines] = used
            for i in range(at, upto):
                begins[corner[row[first[e]] + (key[order[i]] & 0xFFFFFFFF)]] = -1
            at = upto
    begin[blocks] = lines
    total = ZERO
    for k in range(blocks):
        way[mine[k], 1] += 1
        if theirs[k] >= 0:
            way[theirs[k], 1] += 1
    for e in edges:
        way[e, 0], total = total, total + way[e, 1]
        way[e, 1] = way[e, 0]
    other, seam = np.empty(total, dtype=np.int32), np.empty((total, 3), dtype=np.int32)
    for k in range(blocks):
        for turn in range(2):
            e, f = (mine[k], theirs[k]) if turn == 0 else (theirs[k], mine[k])
            if e >= 0:
                at = way[e, 1]
                other[at], seam[at, 0], seam[at, 1] = f, line[begin[k]], line[begin[k + 1]]
                seam[at, 2] = begin[k + 1] - begin[k]
                way[e, 1] += 1
    return way, other, seam, line[: lines + 1], cells[:used], end[:used], own
