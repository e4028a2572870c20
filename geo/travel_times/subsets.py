"""Times to the nearest of many sets of sources at once: who is open, who has the service."""

from __future__ import annotations

import numpy as np

from geo.compiled import in_chunks, kernel
from geo.config import WALK_KMH
from geo.errors import InputError
from geo.models import F64, I32, I64, Bool, Direction, Mode, RoadNetwork, Snapped, SubsetFields, TravelMatrix
from geo.travel_times.fields import matrix, nearest

# From about this many different sets on, one matrix of all pairs is cheaper than a search a set.
FEW_SETS = 4
SMALLEST_CHUNK = 256


def nearest_of_subsets(
    network: RoadNetwork,
    sources: Snapped,
    targets: Snapped,
    subsets: Bool,
    *,
    mode: Mode,
    limit_s: float,
    speed_kmh: float | None = None,
    access_speed_kmh: float = WALK_KMH,
    direction: Direction = "to_station",
    signal_wait_s: float = 0.0,
) -> SubsetFields:
    """Seconds between every target and the nearest source of each set, where at most ``limit_s``.

    ``subsets``: sources × sets, True where a source counts. Equal sets are computed once. A few sets
    are searched one by one, many are read off one matrix of all pairs; the result is the same to the
    last bit. Meaning, options and errors as for :func:`geo.travel_times.nearest`.

    >>> from geo.travel_times import snap
    >>> from tests.toy import lonlat, toy_network
    >>> road = toy_network([(0, 0), (900, 0)], [(0, 1)])
    >>> ends, home = snap(road, *lonlat([(0, 0), (900, 0)])), snap(road, *lonlat([(300, 0)]))
    >>> day_and_night = np.array([[True, False], [True, True]])
    >>> found = nearest_of_subsets(road, ends, home, day_and_night, mode="walk", limit_s=900)
    >>> found.seconds[found.field].round(3).tolist()
    [[270.0], [540.0]]
    """
    if subsets.ndim != 2 or len(subsets) != len(sources):
        raise InputError(
            f"subsets 应为 {len(sources)} 行（每个起点一行）：{subsets.shape} / expected one row a source; "
            f"found {subsets.shape}"
        )
    _packed, first, field = np.unique(
        np.packbits(subsets, axis=0), axis=1, return_index=True, return_inverse=True
    )
    different = subsets[:, first]
    field = field.ravel().astype(np.int64)
    count, points = different.shape[1], len(targets)
    if count <= FEW_SETS:
        seconds, label = np.full((count, points), np.inf), np.full((count, points), -1, dtype=np.int32)
        for i in range(count):
            rows = np.flatnonzero(different[:, i])
            some = Snapped(*(getattr(sources, name)[rows] for name in Snapped.__slots__))
            found = nearest(
                network, some, targets, mode=mode, limit_s=limit_s, speed_kmh=speed_kmh,
                access_speed_kmh=access_speed_kmh, direction=direction, signal_wait_s=signal_wait_s,
            )  # fmt: skip
            seconds[i], label[i] = found.seconds, np.append(rows, -1)[found.label].astype(np.int32)
        return SubsetFields(seconds, label, field)
    pairs = matrix(
        network, sources, targets, mode=mode, limit_s=limit_s, speed_kmh=speed_kmh,
        access_speed_kmh=access_speed_kmh, direction=direction, signal_wait_s=signal_wait_s,
    )  # fmt: skip
    seconds, label = subsets_of_matrix(pairs.transposed(), different)
    return SubsetFields(seconds, label, field)


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
