"""Times to the nearest of many sets of sources at once: who is open, who has the service."""

from __future__ import annotations

import numpy as np

from geo.compiled import in_chunks, kernel
from geo.errors import InputError
from geo.models import F64, I32, I64, Bool, TravelMatrix

SMALLEST_CHUNK = 256


def different_subsets(subsets: Bool, count: int) -> tuple[Bool, I64]:
    """The different columns of ``subsets`` (``count`` rows), and which of them each column is."""
    if subsets.ndim != 2 or len(subsets) != count:
        raise InputError(
            f"subsets 应为 {count} 行（每个起点一行）：{subsets.shape} / expected one row a source; "
            f"found {subsets.shape}"
        )
    _packed, first, field = np.unique(
        np.packbits(subsets, axis=0), axis=1, return_index=True, return_inverse=True
    )
    return subsets[:, first], field.ravel().astype(np.int64)


def subsets_of_matrix(times: TravelMatrix, subsets: Bool) -> tuple[F64, I32]:
    """Least seconds of each set (row) and target (column) of a matrix targets × sources, and its source."""
    seconds = np.full((subsets.shape[1], times.shape[0]), np.inf)
    label = np.full(seconds.shape, -1, dtype=np.int32)
    start = np.concatenate(([0], np.cumsum(subsets.sum(axis=1)))).astype(np.int64)
    sets = np.nonzero(subsets)[1].astype(np.int32)

    def some(first: int, last: int) -> None:
        _fill(times.indptr, times.indices, times.seconds, start, sets, first, last, seconds, label)

    in_chunks(times.shape[0], SMALLEST_CHUNK, some)
    return seconds, label


@kernel
def _fill(
    indptr: I64, indices: I32, pair_s: F64, start: I64, sets: I32, first: int, last: int,
    seconds: F64, label: I32,
) -> None:  # fmt: skip
    for target in range(first, last):
        for k in range(indptr[target], indptr[target + 1]):
            source, value = indices[k], pair_s[k]
            for i in range(start[source], start[source + 1]):
                # sources ascend: of equally near ones the first wins
                if value < seconds[sets[i], target]:
                    seconds[sets[i], target], label[sets[i], target] = value, source
