"""A maximal covering problem as arrays, and what makes it small before anything is solved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geo.models import F64, I64, Bool

DOMINANCE_PAIRS = 10_000_000  # with more pairs the search for dominated candidates costs more than it saves
SAMPLED_ROWS = 8  # rows of a candidate that are tried before its whole cover set is compared


@dataclass(frozen=True, slots=True)
class Problem:
    """Maximise the weight of rows covered by at most ``add`` candidates.

    ``covers``: candidates x rows, 1.0 where the candidate covers the row (CSR); ``by_row`` its
    transpose; ``weight``: one a row; ``candidate``: the caller's number of each candidate, ascending.
    """

    covers: sparse.csr_array
    by_row: sparse.csr_array
    weight: F64
    candidate: I64
    add: int


def problem(covers: sparse.csr_array, weight: F64, candidate: I64, *, add: int) -> Problem:
    """Reduce: rows without weight or candidate go, rows with one cover set merge, dominated candidates go.

    The optimum is unchanged. Of candidates with the same cover set the lowest number stays.
    """
    while True:
        size = len(candidate)
        covers, weight = merge_rows(covers, weight)
        if covers.nnz > DOMINANCE_PAIRS:
            return Problem(covers, _transposed(covers), weight, candidate, add)
        keep = ~_dominated(covers)
        covers, candidate = covers[np.flatnonzero(keep)], candidate[keep]
        if len(candidate) == size:
            return Problem(covers, _transposed(covers), weight, candidate, add)


def without(full: Problem, *, opened: Bool, closed: Bool) -> Problem:
    """The problem left when some candidates are opened for good and others are closed for good."""
    rows = np.flatnonzero(full.covers.T @ opened.astype(np.float64) == 0)
    left = np.flatnonzero(~opened & ~closed)
    covers = sparse.csr_array(full.covers[left][:, rows])
    return problem(covers, full.weight[rows], full.candidate[left], add=full.add - int(opened.sum()))


def _transposed(covers: sparse.csr_array) -> sparse.csr_array:
    by_row = sparse.csr_array(covers.T)
    by_row.sort_indices()
    return by_row


def merge_rows(covers: sparse.csr_array, weight: F64) -> tuple[sparse.csr_array, F64]:
    """Rows (columns of ``covers``) with weight and a candidate, those with one cover set merged into one."""
    by_row = _transposed(covers)
    rows = np.flatnonzero((weight > 0) & (np.diff(by_row.indptr) > 0))
    by_row, weight = by_row[rows], weight[rows]
    if len(rows) == 0:
        return sparse.csr_array((covers.shape[0], 0)), weight
    # Two 64-bit sums of random numbers, one a candidate, tell cover sets apart (fixed seed).
    noise = np.random.default_rng(2026).integers(
        0, np.iinfo(np.uint64).max, size=(2, covers.shape[0]), dtype=np.uint64
    )
    marks = np.column_stack([np.add.reduceat(n[by_row.indices], by_row.indptr[:-1]) for n in noise])
    pair = np.ascontiguousarray(marks).view([("a", np.uint64), ("b", np.uint64)]).ravel()
    _, first, group = np.unique(pair, return_index=True, return_inverse=True)
    # Groups in the order of their first row, so that nothing depends on the hash.
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    merged: F64 = np.bincount(rank[group], weights=weight, minlength=len(order)).astype(np.float64)
    return _transposed(by_row[first[order]]), merged


def _dominated(covers: sparse.csr_array) -> Bool:
    """Candidates whose cover set lies inside another's; of equal sets all but the first."""
    count, width = covers.shape
    size = np.diff(covers.indptr).astype(np.int64)
    dominated: Bool = size == 0
    alive = np.flatnonzero(~dominated)
    if len(alive) == 0:
        return dominated
    by_row = _transposed(covers)
    row_size = np.diff(by_row.indptr)
    # Rows of each candidate, the ones with fewest candidates first: few can dominate through them.
    of = np.repeat(np.arange(count), size)
    order = np.lexsort((covers.indices, row_size[covers.indices], of))
    rare = covers.indices[order].astype(np.int64)
    begin = covers.indptr[:-1].astype(np.int64)
    present = of.astype(np.int64) * width + covers.indices
    inner, outer = _expand(by_row, alive, rare[begin[alive]])
    fits = (size[outer] > size[inner]) | ((size[outer] == size[inner]) & (outer < inner))
    inner, outer = inner[fits], outer[fits]
    for nth in range(1, SAMPLED_ROWS):
        asked = size[inner] > nth
        row = rare[begin[inner] + np.where(asked, nth, 0)]
        holds = ~asked | _among(present, outer * width + row)
        inner, outer = inner[holds], outer[holds]
    length = size[inner]
    pair = np.repeat(np.arange(len(inner)), length)
    row = rare[begin[inner][pair] + np.arange(len(pair)) - np.repeat(np.cumsum(length) - length, length)]
    missing = np.bincount(pair[~_among(present, outer[pair] * width + row)], minlength=len(inner))
    dominated[inner[missing == 0]] = True
    return dominated


def _expand(by_row: sparse.csr_array, of: I64, row: I64) -> tuple[I64, I64]:
    """Pairs (item of ``of``, each candidate of its row)."""
    count = np.diff(by_row.indptr)[row]
    at = np.repeat(by_row.indptr[row], count) + np.arange(count.sum())
    at -= np.repeat(np.cumsum(count) - count, count)
    return np.repeat(of, count), by_row.indices[at].astype(np.int64)


def _among(ascending: I64, wanted: I64) -> NDArray[np.bool_]:
    at = np.minimum(np.searchsorted(ascending, wanted), max(len(ascending) - 1, 0))
    return np.asarray(ascending[at] == wanted, dtype=np.bool_)
