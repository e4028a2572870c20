"""A maximal covering problem as arrays, and what makes it small before anything is solved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geo.models import F64, I64, Bool
from geo.siting.sets import Sets, inside_another, marks


@dataclass(frozen=True, slots=True)
class Problem:
    """Maximise the weight of rows covered by at most ``add`` candidates.

    ``covers``: candidates x rows, the rows that each covers; ``by_row`` its transpose; ``weight``: one a
    row; ``dual``: a first multiplier a row (its weight where nothing is known); ``candidate``: the
    caller's number of each candidate, ascending.
    """

    covers: Sets
    by_row: Sets
    weight: F64
    dual: F64
    candidate: I64
    add: int


def problem(covers: Sets, weight: F64, candidate: I64, *, add: int, dual: F64 | None = None) -> Problem:
    """Reduce: rows without weight or candidate go, rows with one cover set merge, dominated candidates go.

    The optimum is unchanged. Of candidates with the same cover set the lowest number stays. ``dual``:
    multipliers of the rows, which add up as the rows merge.
    """
    dual = weight if dual is None else np.minimum(dual, weight)
    while True:
        covers, weight, dual = _merged(covers, weight, dual)
        by_row = covers.turned()
        keep = np.flatnonzero(~inside_another(covers, by_row))
        if len(keep) == len(candidate):
            return Problem(covers, by_row, weight, dual, candidate, add)
        covers, candidate = covers.only(keep), candidate[keep]


def without(full: Problem, *, opened: Bool, closed: Bool, dual: F64 | None = None) -> Problem:
    """The problem left when some candidates are opened for good and others are closed for good."""
    weight = np.where(full.covers.hits(np.flatnonzero(opened)) > 0, 0.0, full.weight)
    left = np.flatnonzero(~opened & ~closed)
    return problem(
        full.covers.only(left), weight, full.candidate[left], add=full.add - int(opened.sum()), dual=dual
    )


def merge_rows(covers: Sets, weight: F64) -> tuple[Sets, F64]:
    """Rows (columns of ``covers``) with weight and a candidate, those with one cover set merged into one."""
    covers, weight, _ = _merged(covers, weight, weight)
    return covers, weight


def _merged(covers: Sets, weight: F64, dual: F64) -> tuple[Sets, F64, F64]:
    # Two 64-bit sums of random numbers, one a candidate, tell cover sets apart (fixed seed).
    noise = np.random.default_rng(2026).integers(
        1, np.iinfo(np.uint64).max, size=(2, len(covers)), dtype=np.uint64
    )
    first, second = marks(covers, noise)
    rows = np.flatnonzero((weight > 0) & ((first != 0) | (second != 0)))
    first, second = first[rows], second[rows]
    order = np.lexsort((rows, second, first))
    new = np.ones(len(rows), dtype=np.bool_)
    new[1:] = (first[order[1:]] != first[order[:-1]]) | (second[order[1:]] != second[order[:-1]])
    leader = rows[order[np.flatnonzero(new)][np.cumsum(new) - 1]]  # the first row of each one's group
    leaders = np.sort(leader[new])  # in the order of first rows, so that nothing depends on the hash
    number = np.full(covers.width, -1, dtype=np.int32)
    number[leaders] = np.arange(len(leaders), dtype=np.int32)
    of = np.empty(len(rows), dtype=np.int64)
    of[order] = number[leader]
    mass, multiplier = (
        np.bincount(of, weights=v[rows], minlength=len(leaders)).astype(np.float64) for v in (weight, dual)
    )
    return covers.renumbered(number, len(leaders)), mass, multiplier
