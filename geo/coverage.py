"""Who is within the standard: by minutes, service, hour of the week, community and street."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from geo.config import OFF_NETWORK_M
from geo.errors import Defect, InputError
from geo.models import F64, I32, I64, Bool, Coverage, Snapped, TravelMatrix
from geo.sphere import EARTH_RADIUS_M

# Printed beside every share: the same times at 10 % less and 10 % more speed.
SPEED_SPREAD = 0.1
# Reported beside the study's own minutes wherever the matrix reaches as far (design 3.3).
EXTRA_MINUTES = 20.0
MAIN_LAYER = "residents"
HOURS_PER_WEEK = 168


@dataclass(frozen=True, slots=True)
class _Reach:
    """What the shares of any set of rows are made from; ``by_*`` map a label to a flag a row."""

    weight: F64
    seconds: F64
    nearest: I32
    within: I64
    straight_m: F64
    off_network: Bool
    by_service: Mapping[str, Bool]
    by_time: Mapping[str, Bool]


def cover(
    *,
    demand: pd.DataFrame,
    demand_snap: Snapped,
    times_matrix: TravelMatrix,
    matrix_limit_s: float,
    stations: pd.DataFrame,
    station_snap: Snapped,
    communities: gpd.GeoDataFrame,
    open_at: Bool,
    times: Sequence[str],
    services: Sequence[str],
    limit_s: float,
    minutes: Sequence[float],
    straight_limit_m: float,
    speed_kmh: float,
) -> Coverage:
    """Every coverage figure of a study, from one sparse matrix of seconds (demand × stations).

    ``demand`` (columns ``layer community lon lat weight``) and ``stations`` (``lon lat name
    services``) are WGS-84; ``open_at`` is stations × ``times``. ``matrix_limit_s`` tells how far
    the matrix reaches: at least 1.1 × ``limit_s`` and all of ``minutes``; a ``speed_kmh`` of 0
    means that no single speed holds. A pair counts where its seconds are at most the limit.

    Each block of ``layers`` follows design 3.3. ``median_minutes`` counts whoever is beyond the
    matrix as farther than everyone else, hence None where they are more than half.
    ``share_range`` compares the same seconds at 10 % less and 10 % more speed (waits and access
    legs scale along). ``share_straight_line`` is by great circle to any station, linked or not.
    ``off_network_share`` is who is not linked, or over 200 m from the way linked to. The tables
    by community and street count ``residents``, else the first layer; where nobody lives, shares
    are NaN. Raises :class:`geo.errors.InputError` where the arguments do not fit each other.

    >>> one = Snapped(np.zeros(1, np.int32), *(np.zeros(1) for _ in range(4)))
    >>> home = pd.DataFrame({"layer": ["residents"], "community": [-1], "lon": [115.8],
    ...                      "lat": [32.9], "weight": [40.0]})
    >>> place = pd.DataFrame({"lon": [115.8], "lat": [32.9], "name": ["A"], "services": [frozenset()]})
    >>> times = TravelMatrix(np.array([0, 1]), np.zeros(1, np.int32), np.array([300.0]), (1, 1))
    >>> nowhere = gpd.GeoDataFrame({"community_id": [], "name": [], "street": []}, geometry=[], crs=4326)
    >>> cover(demand=home, demand_snap=one, times_matrix=times, matrix_limit_s=1200.0, stations=place,
    ...       station_snap=one, communities=nowhere, open_at=np.ones((1, 0), bool), times=(),
    ...       services=(), limit_s=900.0, minutes=(5, 10), straight_limit_m=1000.0, speed_kmh=4.0,
    ...       ).layers["residents"]["share_by_minutes"]
    {'5': 1.0, '10': 1.0, '15': 1.0, '20': 1.0}
    """
    _check(
        demand, demand_snap, times_matrix, stations, station_snap, open_at, times,
        {"limit_s": limit_s, "matrix_limit_s": matrix_limit_s, "straight_limit_m": straight_limit_m,
         "speed_kmh": speed_kmh, **{f"minutes[{i}]": m * 60.0 for i, m in enumerate(minutes)}},
    )  # fmt: skip
    seconds, nearest = nearest_station(times_matrix)
    straight_m = straight_distance_m(demand, stations)
    offers = np.array([[s in have for s in services] for have in stations["services"]], dtype=np.bool_)
    by_service = reached_by(times_matrix, offers.reshape(len(stations), len(services)), limit_s=limit_s)
    by_time = reached_by(times_matrix, open_at, limit_s=limit_s)
    reach = _Reach(
        weight=_weights(demand),
        seconds=seconds,
        nearest=nearest,
        within=_count_within(times_matrix, limit_s),
        straight_m=straight_m,
        off_network=~demand_snap.linked | (demand_snap.access_m > OFF_NETWORK_M),
        by_service=dict(zip(services, by_service.T, strict=True)),
        by_time=dict(zip(times, by_time.T, strict=True)),
    )
    extra = [EXTRA_MINUTES] if matrix_limit_s >= EXTRA_MINUTES * 60.0 else []
    steps = sorted({*map(float, minutes), limit_s / 60.0, *extra})
    codes, layers = _layer_codes(demand)
    blocks = {
        layer: _block(_rows(reach, codes == i), steps, limit_s, straight_limit_m)
        for i, layer in enumerate(layers)
    }
    table = demand.reset_index(drop=True).assign(
        seconds=seconds,
        nearest=nearest,
        stations_within=reach.within,
        straight_m=straight_m,
        covered=seconds <= limit_s,
        access_m=demand_snap.access_m,
        linked=demand_snap.linked,
    )
    main = layers.index(MAIN_LAYER) if MAIN_LAYER in layers else 0
    in_main = _rows(reach, codes == main)
    community = demand["community"].to_numpy(dtype=np.int64)[codes == main]
    names = [str(name) for name in stations["name"]]
    keys = {key: communities[key].to_numpy() for key in ("community_id", "name", "street")}
    figures = _by_group(in_main, community, len(communities), names, limit_s, straight_limit_m)
    streets, of_street = np.unique(
        np.array(["" if pd.isna(s) else str(s) for s in keys["street"]], dtype=np.str_), return_inverse=True
    )
    # rows outside every community (-1) stay outside every street
    street = np.append(of_street, -1).astype(np.int64)[community]
    by_street = _by_group(in_main, street, len(streets), names, limit_s, straight_limit_m)
    return Coverage(
        demand=table,
        layers=blocks,
        communities=pd.DataFrame({**keys, **figures}),
        streets=pd.DataFrame({"street": streets.astype(object), **by_street}),
    )


def week_table(
    times_matrix: TravelMatrix, open_week: Bool, offers: Bool, demand: pd.DataFrame, limit_s: float
) -> F64:
    """Share of each layer's people within the limit of an open station, by service and hour of the week.

    ``open_week`` is stations × 168 (hour 0 is Monday 00:00), ``offers`` stations × services. The result
    is layers of ``demand`` in order of appearance × (any station, then each service) × 168. Hours and
    services for which the same stations count are computed once.

    Raises :class:`geo.errors.InputError` where the arguments do not fit each other.
    """
    points, places = times_matrix.shape
    if open_week.shape != (places, HOURS_PER_WEEK) or len(offers) != places or len(demand) != points:
        raise InputError(
            f"open_week 应为 驿站数 × 168，offers 与驿站、demand 与矩阵的行对齐 / expected open_week as stations × "
            f"168, offers aligned with stations, demand with the matrix; found {open_week.shape}, "
            f"{offers.shape}, {len(demand)}, {times_matrix.shape}"
        )
    counted = np.column_stack((np.ones(places, dtype=np.bool_), offers))
    flags = (counted[:, :, None] & open_week[:, None, :]).reshape(places, counted.shape[1] * HOURS_PER_WEEK)
    different, which = np.unique(np.packbits(flags, axis=0), axis=1, return_inverse=True)
    sets = np.unpackbits(different, axis=0, count=places).astype(np.bool_)
    reached = reached_by(times_matrix, sets, limit_s=limit_s)
    weight = _weights(demand)
    codes, layers = _layer_codes(demand)
    table = np.zeros((len(layers), counted.shape[1] * HOURS_PER_WEEK))
    for i in range(len(layers)):
        rows = codes == i
        total = weight[rows].sum()
        if total > 0:
            table[i] = ((weight[rows] @ reached[rows]) / total)[which.ravel()]
    return table.reshape(len(layers), counted.shape[1], HOURS_PER_WEEK)


def nearest_station(matrix: TravelMatrix) -> tuple[F64, I32]:
    """Least seconds of each row (``inf`` where none) and its column (the lowest of equals, or -1).

    >>> m = TravelMatrix(np.array([0, 2, 2]), np.array([0, 1], np.int32), np.array([9.0, 4.0]), (2, 2))
    >>> nearest_station(m)[0].tolist(), nearest_station(m)[1].tolist()
    ([4.0, inf], [1, -1])
    """
    best = np.full(matrix.shape[0], np.inf)
    label = np.full(matrix.shape[0], -1, dtype=np.int32)
    count = np.diff(matrix.indptr)
    filled = count > 0
    if not filled.any():
        return best, label
    best[filled] = np.minimum.reduceat(matrix.seconds, matrix.indptr[:-1][filled])
    # columns ascend in a row: the first pair that attains the least is the lowest column
    attained = np.flatnonzero(matrix.seconds == np.repeat(best, count))
    row = np.repeat(np.arange(matrix.shape[0]), count)[attained]
    first = np.append(True, row[1:] != row[:-1])
    label[row[first]] = matrix.indices[attained[first]]
    return best, label


def reached_by(matrix: TravelMatrix, flags: Bool, *, limit_s: float) -> Bool:
    """Rows × sets: is any station of the set within the limit? ``flags`` is stations × sets.

    >>> m = TravelMatrix(np.array([0, 2, 2]), np.array([0, 1], np.int32), np.array([9.0, 4.0]), (2, 2))
    >>> reached_by(m, np.array([[True, False], [False, True]]), limit_s=5.0).tolist()
    [[False, True], [False, False]]
    """
    result = np.zeros((matrix.shape[0], flags.shape[1]), dtype=np.bool_)
    close = matrix.seconds <= limit_s
    kept = np.concatenate(([0], np.cumsum(close)))[matrix.indptr]
    filled = np.diff(kept) > 0
    if not filled.any():
        return result
    columns, start = matrix.indices[close], kept[:-1][filled]
    # eight sets to a byte: one pass over the pairs serves them all
    packed = np.packbits(flags, axis=1)
    for byte in range(packed.shape[1]):
        any_of = np.bitwise_or.reduceat(packed[columns, byte], start)
        sets = slice(8 * byte, min(8 * byte + 8, flags.shape[1]))
        result[filled, sets] = np.unpackbits(any_of[:, None], axis=1)[:, : sets.stop - sets.start]
    return result


def straight_distance_m(demand: pd.DataFrame, stations: pd.DataFrame) -> F64:
    """Great-circle metres from each demand point to the nearest station; ``inf`` where there is none."""
    places = _sphere(stations)
    places = places[np.isfinite(places).all(axis=1)]
    if len(places) == 0 or demand.empty:
        return np.full(len(demand), np.inf)
    chord, _row = cKDTree(places).query(_sphere(demand))
    arc_m: F64 = 2.0 * EARTH_RADIUS_M * np.arcsin(np.clip(chord / 2.0, 0.0, 1.0))
    return arc_m


def weighted_median(values: ArrayLike, weights: ArrayLike) -> float:
    """The least value that at least half of the weight does not exceed; ``inf`` counts as a value.

    >>> weighted_median([1.0, 5.0, np.inf], [1.0, 2.0, 1.0])
    5.0
    """
    of = np.asarray(values, dtype=float)
    return float(_group_medians(of, np.asarray(weights, dtype=float), np.zeros(len(of), np.int64), 1)[0])


def _group_medians(values: F64, weights: F64, group: I64, count: int) -> F64:
    order = np.lexsort((values, group))
    group, values = group[order], values[order]
    running = np.cumsum(weights[order])
    last = np.searchsorted(group, np.arange(count), side="right") - 1
    first = np.searchsorted(group, np.arange(count), side="left")
    padded = np.append(running, 0.0)  # item -1: nothing before the first group
    before, after = padded[first - 1], padded[last]
    medians = np.full(count, np.inf)
    some = (last >= first) & (after > before)
    at = np.searchsorted(running, ((before + after) / 2.0)[some], side="left")
    # rounding of the running sum must not lead into a neighbouring group
    medians[some] = values[np.clip(at, first[some], last[some])] if len(values) else []
    return medians


def _count_within(matrix: TravelMatrix, limit_s: float) -> I64:
    close = np.concatenate(([0], np.cumsum(matrix.seconds <= limit_s)))
    count: I64 = np.diff(close[matrix.indptr]).astype(np.int64)
    return count


def _sphere(points: pd.DataFrame) -> F64:
    lon = np.radians(points["lon"].to_numpy(dtype=float))
    lat = np.radians(points["lat"].to_numpy(dtype=float))
    return np.column_stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)))


def _weights(demand: pd.DataFrame) -> F64:
    weight: F64 = np.nan_to_num(demand["weight"].to_numpy(dtype=float), nan=0.0)
    return weight


def _layer_codes(demand: pd.DataFrame) -> tuple[I64, list[str]]:
    codes, names = pd.factorize(demand["layer"])
    return codes.astype(np.int64), [str(name) for name in names]


def _rows(reach: _Reach, chosen: Bool) -> _Reach:
    return _Reach(
        weight=reach.weight[chosen],
        seconds=reach.seconds[chosen],
        nearest=reach.nearest[chosen],
        within=reach.within[chosen],
        straight_m=reach.straight_m[chosen],
        off_network=reach.off_network[chosen],
        by_service={name: flag[chosen] for name, flag in reach.by_service.items()},
        by_time={name: flag[chosen] for name, flag in reach.by_time.items()},
    )


def _block(rows: _Reach, minutes: Sequence[float], limit_s: float, straight_limit_m: float) -> dict[str, Any]:
    # exactly rounded sums: a part is never more than the whole, nor more than a larger part
    total = math.fsum(rows.weight)

    def people(chosen: Bool) -> float:
        return math.fsum(rows.weight[chosen])

    def share(chosen: Bool) -> float:
        return people(chosen) / total if total > 0 else 0.0

    median_s = weighted_median(rows.seconds, rows.weight)
    return {
        "total": total,
        "covered": people(rows.seconds <= limit_s),
        "share": share(rows.seconds <= limit_s),
        "share_by_minutes": {f"{m:g}": share(rows.seconds <= m * 60.0) for m in minutes},
        "share_two_or_more": share(rows.within >= 2),
        "share_straight_line": share(rows.straight_m <= straight_limit_m),
        "median_minutes": median_s / 60.0 if np.isfinite(median_s) else None,
        "share_by_service": {name: share(flag) for name, flag in rows.by_service.items()},
        "share_by_time": {name: share(flag) for name, flag in rows.by_time.items()},
        "share_range": [
            share(rows.seconds / (1.0 - SPEED_SPREAD) <= limit_s),
            share(rows.seconds / (1.0 + SPEED_SPREAD) <= limit_s),
        ],
        "off_network_share": share(rows.off_network),
    }


def _by_group(
    rows: _Reach, group: I64, count: int, names: Sequence[str], limit_s: float, straight_limit_m: float
) -> dict[str, Any]:
    """Columns of the table by community or street; rows with a negative group belong to none."""
    rows, group = _rows(rows, group >= 0), group[group >= 0]
    people = np.bincount(group, weights=rows.weight, minlength=count)

    def summed(flag: Bool) -> F64:
        total: F64 = np.bincount(group, weights=rows.weight * flag, minlength=count).astype(np.float64)
        return total

    def share(flag: Bool) -> F64:
        part: F64 = np.divide(summed(flag), people, out=np.full(count, np.nan), where=people > 0)
        return part

    medians = _group_medians(rows.seconds, rows.weight, group, count) / 60.0
    covered = rows.seconds <= limit_s
    columns: dict[str, Any] = {
        "population": people,
        "covered_people": summed(covered),
        "share": share(covered),
        "share_straight": share(rows.straight_m <= straight_limit_m),
        "median_minutes": np.where(np.isfinite(medians), medians, np.nan),
        "nearest_station": _most_used(rows, group, count, names),
    }
    columns |= {f"share_{name}": share(flag) for name, flag in rows.by_service.items()}
    return columns | {f"share@{name}": share(flag) for name, flag in rows.by_time.items()}


def _most_used(rows: _Reach, group: I64, count: int, names: Sequence[str]) -> list[str]:
    """Name of the station that is the nearest for most people of each group, "" where none is."""
    result = [""] * count
    near = (rows.nearest >= 0) & (rows.weight > 0)
    pair, which = np.unique(group[near] * len(names) + rows.nearest[near], return_inverse=True)
    people = np.bincount(which, weights=rows.weight[near], minlength=len(pair))
    # the last of each group after sorting has most people; of equals the lowest station row
    for i in np.lexsort((-pair, people)):
        result[int(pair[i]) // len(names)] = names[int(pair[i]) % len(names)]
    return result


def _check(
    demand: pd.DataFrame,
    demand_snap: Snapped,
    matrix: TravelMatrix,
    stations: pd.DataFrame,
    station_snap: Snapped,
    open_at: Bool,
    times: Sequence[str],
    figures: Mapping[str, float],
) -> None:
    """Raise one InputError with everything that does not fit together."""
    points, places = len(demand), len(stations)
    sizes = {
        "times_matrix": (matrix.shape, (points, places)),
        "demand_snap": (len(demand_snap), points),
        "station_snap": (len(station_snap), places),
        "open_at": (open_at.shape, (places, len(times))),
    }
    defects = [
        Defect(f"大小不符：{found}，应为 {wanted} / wrong size: {found}, expected {wanted}", key=key)
        for key, (found, wanted) in sizes.items()
        if found != wanted
    ]
    defects += [
        Defect(f"应为不小于 0 的数：{value} / expected a number of at least 0: {value}", key=key)
        for key, value in figures.items()
        if not (np.isfinite(value) and value >= 0)
    ]
    reach_s, limit_s = figures["matrix_limit_s"], figures["limit_s"]
    needed = {k: v for k, v in figures.items() if k.startswith("minutes")}
    needed["limit_s"] = limit_s * (1.0 + SPEED_SPREAD)
    defects += [
        Defect(f"矩阵只算到 {reach_s:g} 秒，这里要 {value:g} 秒 / the matrix ends at {reach_s:g} s, "
               f"{value:g} s are needed here", key=key)
        for key, value in needed.items()
        if value > reach_s * (1.0 + 1e-9)
    ]  # fmt: skip
    if defects:
        raise InputError(defects)
