"""Cover sets without values: compressed rows of ascending columns, four bytes an entry, and their kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from geo.compiled import in_chunks, kernel
from geo.models import F64, I32, I64, Bool, TravelMatrix

CHUNK = 256  # rows that a thread takes at least
ALONE = 400_000  # pairs below which one thread does it all


@dataclass(frozen=True, slots=True)
class Sets:
    """``indices[indptr[j]:indptr[j + 1]]``: the columns, ascending, of row ``j``; ``width``: how many columns there are.

    >>> both = Sets(np.array([0, 2, 3]), np.array([0, 1, 1], dtype=np.int32), 2)
    >>> both.turned().row(1).tolist()
    [0, 1]
    """

    indptr: I64
    indices: I32
    width: int

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def sizes(self) -> I64:
        """How many columns each row has."""
        return np.diff(self.indptr)

    def row(self, j: int) -> I32:
        """The columns of row ``j``."""
        return self.indices[self.indptr[j] : self.indptr[j + 1]]

    def only(self, rows: I64) -> Sets:
        """Some rows, in the order given."""
        if len(rows) == len(self) and bool(np.all(rows == np.arange(len(rows)))):
            return self
        size = self.sizes()[rows]
        indptr = np.concatenate(([0], np.cumsum(size))).astype(np.int64)
        indices = np.empty(int(indptr[-1]), dtype=np.int32)
        _copy_rows(self.indptr, self.indices, rows.astype(np.int64), indptr, indices)
        return Sets(indptr, indices, self.width)

    def renumbered(self, number: I32, width: int) -> Sets:
        """The same rows with columns of new numbers, which must ascend; those with -1 are dropped."""
        indptr = np.zeros(len(self) + 1, dtype=np.int64)
        _count_kept(self.indptr, self.indices, number, indptr)
        np.cumsum(indptr, out=indptr)
        indices = np.empty(int(indptr[-1]), dtype=np.int32)
        _copy_kept(self.indptr, self.indices, number, indices)
        return Sets(indptr, indices, width)

    def turned(self) -> Sets:
        """Columns as rows."""
        indptr = np.zeros(self.width + 1, dtype=np.int64)
        indptr[1:] = np.bincount(self.indices, minlength=self.width)
        np.cumsum(indptr, out=indptr)
        indices = np.empty(len(self.indices), dtype=np.int32)
        _turn(self.indptr, self.indices, indptr[:-1].copy(), indices)
        return Sets(indptr, indices, len(self))

    def sums(self, value: F64) -> F64:
        """For each row the sum of ``value`` over its columns, added in their order whatever the threads."""
        out = np.empty(len(self))

        def some(first: int, last: int) -> None:
            _sums(self.indptr, self.indices, value, out, first, last)

        if len(self.indices) < ALONE:  # waking a thread takes longer than the work
            some(0, len(self))
        else:
            in_chunks(len(self), CHUNK, some)
        return out

    def hits(self, rows: I64) -> I32:
        """How many of ``rows`` hold each column."""
        times = np.zeros(self.width, dtype=np.int32)
        _hit(self.indptr, self.indices, rows.astype(np.int64), times)
        return times

    def table(self) -> sparse.csr_array:
        """The same for scipy, with ones."""
        ones = np.ones(len(self.indices))
        return sparse.csr_array((ones, self.indices, self.indptr), shape=(len(self), self.width))

    @staticmethod
    def of(times: TravelMatrix | sparse.csr_array) -> Sets:
        """The pairs of a matrix, whatever their values; a pair named twice counts once."""
        indptr, indices = np.asarray(times.indptr, dtype=np.int64), np.asarray(times.indices, dtype=np.int32)
        width = int(times.shape[1])
        if _ascend(indptr, indices):
            return Sets(indptr, indices, width)
        table = sparse.csr_array((np.ones(len(indices)), indices.copy(), indptr.copy()), shape=times.shape)
        table.sum_duplicates()
        return Sets(table.indptr.astype(np.int64), table.indices.astype(np.int32), width)


def marks(sets: Sets, noise: Any) -> tuple[Any, Any]:
    """Two 64-bit sums a column over the rows that hold it: alike where the rows are, else never (one in 2**128)."""
    first = np.zeros(sets.width, dtype=np.uint64)
    second = np.zeros(sets.width, dtype=np.uint64)
    _mark(sets.indptr, sets.indices, noise[0], noise[1], first, second)
    return first, second


def inside_another(sets: Sets, by_column: Sets) -> Bool:
    """Rows whose columns all belong to one other row too; of equal rows all but the first, and empty ones."""
    inside = np.zeros(len(sets), dtype=np.bool_)
    size, degree = sets.sizes(), by_column.sizes()
    widest = int(degree.max()) if len(degree) else 0

    def some(first: int, last: int) -> None:
        room = np.empty(widest, dtype=np.int32)
        _inside(
            sets.indptr, sets.indices, by_column.indptr, by_column.indices, size, room, inside, first, last
        )

    in_chunks(len(sets), CHUNK, some)
    return inside


@kernel
def _ascend(indptr: I64, indices: I32) -> bool:
    for j in range(len(indptr) - 1):
        for e in range(indptr[j] + 1, indptr[j + 1]):
            if indices[e] <= indices[e - 1]:
                return False
    return True


@kernel
def _copy_rows(indptr: I64, indices: I32, rows: I64, begin: I64, out: I32) -> None:
    for k in range(len(rows)):
        at = begin[k]
        for e in range(indptr[rows[k]], indptr[rows[k] + 1]):
            out[at] = indices[e]
            at += 1


@kernel
def _count_kept(indptr: I64, indices: I32, number: I32, count: I64) -> None:
    for j in range(len(indptr) - 1):
        kept = 0
        for e in range(indptr[j], indptr[j + 1]):
            if number[indices[e]] >= 0:
                kept += 1
        count[j + 1] = kept


@kernel
def _copy_kept(indptr: I64, indices: I32, number: I32, out: I32) -> None:
    at = 0
    for e in range(indptr[len(indptr) - 1]):
        to = number[indices[e]]
        if to >= 0:
            out[at] = to
            at += 1


@kernel
def _turn(indptr: I64, indices: I32, at: I64, out: I32) -> None:
    for j in range(len(indptr) - 1):
        for e in range(indptr[j], indptr[j + 1]):
            column = indices[e]
            out[at[column]] = j
            at[column] += 1


@kernel
def _sums(indptr: I64, indices: I32, value: F64, out: F64, first: int, last: int) -> None:
    for j in range(first, last):
        total = 0.0
        for e in range(indptr[j], indptr[j + 1]):
            total += value[indices[e]]
        out[j] = total


@kernel
def _hit(indptr: I64, indices: I32, rows: I64, times: I32) -> None:
    for j in rows:
        for e in range(indptr[j], indptr[j + 1]):
            times[indices[e]] += 1


@kernel
def _mark(indptr: I64, indices: I32, a: Any, b: Any, first: Any, second: Any) -> None:
    for j in range(len(indptr) - 1):
        for e in range(indptr[j], indptr[j + 1]):
            first[indices[e]] += a[j]
            second[indices[e]] += b[j]


@kernel
def _inside(
    indptr: I64, indices: I32, row_indptr: I64, row_indices: I32, size: I64, left: I32, inside: Bool,
    first: int, last: int,
) -> None:  # fmt: skip
    for j in range(first, last):
        begin, end = indptr[j], indptr[j + 1]
        if begin == end:
            inside[j] = True
            continue
        # who holds the column that fewest hold can hold them all; each further column strikes some off
        rarest = indices[begin]
        for e in range(begin, end):
            column = indices[e]
            if row_indptr[column + 1] - row_indptr[column] < row_indptr[rarest + 1] - row_indptr[rarest]:
                rarest = column
        count = 0
        for e in range(row_indptr[rarest], row_indptr[rarest + 1]):
            k = row_indices[e]
            if size[k] > size[j] or (size[k] == size[j] and k < j):
                left[count] = k
                count += 1
        for e in range(begin, end):
            if count == 0:
                break
            at, stop = row_indptr[indices[e]], row_indptr[indices[e] + 1]
            kept = 0
            for c in range(count):
                while at < stop and row_indices[at] < left[c]:
                    at += 1
                if at < stop and row_indices[at] == left[c]:
                    left[kept] = left[c]
                    kept += 1
            count = kept
        inside[j] = count > 0
