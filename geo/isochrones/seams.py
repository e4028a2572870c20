"""Where the land of one way meets that of another: cells that are never parted need not be looked at."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from geo.compiled import kernel
from geo.isochrones.spacing import ZERO
from geo.models import I32, I64


class Seams(NamedTuple):
    """The borders between cells of different ways, way by way.

    Way ``e`` has the seams ``row[e, 0]`` to ``row[e, 1]``. A row of ``seam`` has the way on the other side, -1
    for what is too far from any way, and from which to which border it goes; both ways have the same ones.
    A row of ``ends`` has the corners from which to which a border goes on the left hand of the way with the
    smaller number (or of the only one), a row of ``cells`` its cell there and its place among the borders of that.
    """

    row: I32
    seam: I32
    ends: I32
    cells: I32


def seams_between(first: I64, last: I64, edges: I64, row: I64, neighbour: I32, corner: I32) -> Seams:
    """The seams of the ways ``edges``, whose cells are ``first`` to ``last`` and have the borders ``row``."""
    return Seams(*_seams(first, last, edges, row, neighbour, corner))


@kernel
def _seams(
    first: I64, last: I64, edges: I64, row: I64, neighbour: I32, corner: I32
) -> tuple[I32, I32, I32, I32]:
    of_cell = np.empty(len(row) - 1, dtype=np.int32)
    for e in edges:
        for c in range(first[e], last[e]):
            of_cell[c] = e
    room, most = ZERO, ZERO
    for e in edges:
        many = ZERO
        for m in range(row[first[e]], row[last[e]]):
            n = neighbour[m]
            many += n < 0 or of_cell[n] > e
        room, most = room + many, max(most, many)
    ends, cells = np.empty((room, 2), dtype=np.int32), np.empty((room, 2), dtype=np.int32)
    # way by way, the borders sorted by what is beyond them
    key, of_key = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int32)
    begin, mine, theirs = (
        np.empty(room + 1, dtype=np.int64), np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32),
    )  # fmt: skip
    used, blocks = ZERO, ZERO
    for e in edges:
        many = ZERO
        for c in range(first[e], last[e]):
            for m in range(row[c], row[c + 1]):
                n = neighbour[m]
                beyond = np.int64(of_cell[n]) if n >= 0 else np.int64(-1)
                if n < 0 or beyond > e:
                    key[many], of_key[many] = (beyond + 1) << 32 | (m - row[first[e]]), c
                    many += 1
        for k in np.argsort(key[:many]):
            beyond = (key[k] >> 32) - 1
            if blocks == 0 or mine[blocks - 1] != e or theirs[blocks - 1] != beyond:
                begin[blocks], mine[blocks], theirs[blocks] = used, e, beyond
                blocks += 1
            c, m = of_key[k], row[first[e]] + (key[k] & 0xFFFFFFFF)
            cells[used, 0], cells[used, 1] = c, m
            ends[used, 0], ends[used, 1] = corner[m], corner[m + 1 if m + 1 < row[c + 1] else row[c]]
            used += 1
    begin[blocks] = used
    of_way, total = np.zeros((len(first), 2), dtype=np.int32), ZERO
    for k in range(blocks):
        of_way[mine[k], 1] += 1
        if theirs[k] >= 0:
            of_way[theirs[k], 1] += 1
    for e in edges:
        of_way[e, 0], total = total, total + of_way[e, 1]
        of_way[e, 1] = of_way[e, 0]
    seam = np.empty((total, 3), dtype=np.int32)
    for k in range(blocks):
        for turn in range(2):
            e, other = (mine[k], theirs[k]) if turn == 0 else (theirs[k], mine[k])
            if e >= 0:
                at = of_way[e, 1]
                seam[at, 0], seam[at, 1], seam[at, 2] = other, begin[k], begin[k + 1]
                of_way[e, 1] += 1
    return of_way, seam, ends, cells
