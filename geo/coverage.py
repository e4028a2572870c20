"""Who is within the standard: by minutes, service, time of week, community and street."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geo.config import OFF_NETWORK_M
from geo.models import F64, I32, Bool, Coverage, Snapped, TravelMatrix

SPEED_SHARE = 1.1  # the range printed: the same times at 10 % less and 10 % more speed
REPORTED_MINUTES = 20.0  # beside the study's own minutes, where the matrix reaches as far
_EARTH_M = 6_371_009.0


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
    """Every coverage figure of a study, from one sparse matrix demand × stations (seconds).

    ``matrix_limit_s`` is how far the matrix reaches: at least 1.1 × ``limit_s``. ``speed_kmh`` 0
    means that no single speed holds (drive). A pair counts when its seconds are <= the limit.
    """
    del station_snap, speed_kmh
    offers = {s: np.array([s in have for have in stations["services"]], dtype=bool) for s in services}
    seconds, nearest = nearest_station(times_matrix)
    within = _count_within(times_matrix, limit_s)
    straight_m = straight_distance_m(demand, stations)
    table = demand.reset_index(drop=True).assign(
        seconds=seconds, nearest=nearest, stations_within=within, straight_m=straight_m,
        covered=seconds <= limit_s, access_m=demand_snap.access_m, linked=demand_snap.linked,
    )  # fmt: skip
    by_service = {s: nearest_station(times_matrix, offers[s])[0] <= limit_s for s in services}
    by_time = {t: nearest_station(times_matrix, open_at[:, j])[0] <= limit_s for j, t in enumerate(times)}
    wanted = sorted({*map(float, minutes), limit_s / 60, *([REPORTED_MINUTES] if matrix_limit_s >= 1200 else [])})
    layers = {
        str(layer): _block(table[rows], wanted, limit_s, straight_limit_m,
                           {s: v[rows] for s, v in by_service.items()}, {t: v[rows] for t, v in by_time.items()})
        for layer in dict.fromkeys(demand["layer"])
        for rows in [(table["layer"] == layer).to_numpy()]
    }  # fmt: skip
    main = "residents" if "residents" in layers else next(iter(layers))
    places = _communities(table, main, communities, stations, straight_limit_m, by_service, by_time)
    return Coverage(table, layers, places, _streets(places))


def nearest_station(matrix: TravelMatrix, allowed: Bool | None = None) -> tuple[F64, I32]:
    """Least seconds of each row over the allowed columns, and the column (the lowest of equals).

    >>> m = TravelMatrix(np.array([0, 2, 2]), np.array([0, 1], np.int32), np.array([9.0, 4.0]), (2, 2))
    >>> nearest_station(m)[0].tolist(), nearest_station(m)[1].tolist()
    ([4.0, inf], [1, -1])
    """
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    columns, seconds = matrix.indices, matrix.seconds
    if allowed is not None:
        keep = allowed[columns]
        rows, columns, seconds = rows[keep], columns[keep], seconds[keep]
    best = np.full(matrix.shape[0], np.inf)
    label = np.full(matrix.shape[0], -1, dtype=np.int32)
    order = np.lexsort((columns, seconds, rows))
    rows, columns, seconds = rows[order], columns[order], seconds[order]
    first = np.concatenate(([True], rows[1:] != rows[:-1])) if len(rows) else np.zeros(0, dtype=bool)
    best[rows[first]], label[rows[first]] = seconds[first], columns[first]
    return best, label


def _count_within(matrix: TravelMatrix, limit_s: float) -> NDArray[np.int64]:
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return np.bincount(rows[matrix.seconds <= limit_s], minlength=matrix.shape[0])


def straight_distance_m(demand: pd.DataFrame, stations: pd.DataFrame) -> F64:
    """Great-circle metres from each demand point to the nearest station."""
    if stations.empty:
        return np.full(len(demand), np.inf)
    chord, _row = cKDTree(_sphere(stations)).query(_sphere(demand))
    arc: F64 = 2 * _EARTH_M * np.arcsin(np.clip(chord / 2, 0, 1))
    return arc


def _sphere(points: pd.DataFrame) -> F64:
    lon = np.radians(points["lon"].to_numpy(dtype=float))
    lat = np.radians(points["lat"].to_numpy(dtype=float))
    return np.column_stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)))


def _block(
    rows: pd.DataFrame,
    minutes: list[float],
    limit_s: float,
    straight_limit_m: float,
    by_service: dict[str, Bool],
    by_time: dict[str, Bool],
) -> dict[str, Any]:
    weight = rows["weight"].to_numpy(dtype=float)
    seconds = rows["seconds"].to_numpy(dtype=float)
    total = float(weight.sum())

    def share(chosen: Any) -> float:
        return float(weight[np.asarray(chosen)].sum() / total) if total > 0 else 0.0

    median_s = weighted_median(seconds, weight)
    off = ~rows["linked"].to_numpy(dtype=bool) | (rows["access_m"].to_numpy(dtype=float) > OFF_NETWORK_M)
    return {
        "total": total,
        "covered": float(weight[seconds <= limit_s].sum()),
        "share": share(seconds <= limit_s),
        "share_by_minutes": {f"{m:g}": share(seconds <= m * 60.0) for m in minutes},
        "share_two_or_more": share(rows["stations_within"].to_numpy() >= 2),
        "share_straight_line": share(rows["straight_m"].to_numpy(dtype=float) <= straight_limit_m),
        "median_minutes": median_s / 60 if np.isfinite(median_s) else None,
        "share_by_service": {s: share(v) for s, v in by_service.items()},
        "share_by_time": {t: share(v) for t, v in by_time.items()},
        # slower by a tenth = every second stretched by 1 / 0.9
        "share_range": [share(seconds / 0.9 <= limit_s), share(seconds / SPEED_SHARE <= limit_s)],
        "off_network_share": share(off),
    }


def weighted_median(values: F64, weights: F64) -> float:
    """The least value that at least half of the weight does not exceed; ``inf`` counts as a value.

    >>> weighted_median(np.array([1.0, 5.0, np.inf]), np.array([1.0, 2.0, 1.0]))
    5.0
    """
    if len(values) == 0 or weights.sum() <= 0:
        return float("inf")
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) >= weights.sum() / 2
    return float(values[order][np.argmax(reached)])


def _communities(
    table: pd.DataFrame,
    layer: str,
    communities: gpd.GeoDataFrame,
    stations: pd.DataFrame,
    straight_limit_m: float,
    by_service: dict[str, Bool],
    by_time: dict[str, Bool],
) -> pd.DataFrame:
    chosen = (table["layer"] == layer).to_numpy() & (table["community"].to_numpy() >= 0)
    rows = table[chosen]
    group = rows["community"].to_numpy(dtype=np.int64)
    weight = rows["weight"].to_numpy(dtype=float)
    count = len(communities)
    people = np.bincount(group, weights=weight, minlength=count)

    def summed(flag: Any) -> F64:
        return np.bincount(group, weights=weight * np.asarray(flag), minlength=count)

    def share(flag: Any) -> F64:
        return np.divide(summed(flag), people, out=np.full(count, np.nan), where=people > 0)

    medians, names = np.full(count, np.nan), [""] * count
    seconds = rows["seconds"].to_numpy(dtype=float)
    nearest = rows["nearest"].to_numpy()
    for c in np.unique(group):
        mine = group == c
        medians[c] = weighted_median(seconds[mine], weight[mine]) / 60
        reached = mine & (nearest >= 0)
        if reached.any():
            most = np.bincount(nearest[reached], weights=weight[reached]).argmax()
            names[c] = str(stations["name"].iloc[most])
    result = pd.DataFrame(
        {
            "community_id": communities["community_id"].to_numpy(), "name": communities["name"].to_numpy(),
            "street": communities["street"].to_numpy(), "population": people,
            "covered_people": summed(rows["covered"]), "share": share(rows["covered"]),
            "share_straight": share(rows["straight_m"] <= straight_limit_m),
            "median_minutes": np.where(np.isfinite(medians), medians, np.nan), "nearest_station": names,
        }
    )  # fmt: skip
    extra = {f"share_{s}": share(v[chosen]) for s, v in by_service.items()}
    extra |= {f"share@{t}": share(v[chosen]) for t, v in by_time.items()}
    return result.assign(**extra) if count else result


def _streets(places: pd.DataFrame) -> pd.DataFrame:
    """The community table by street: people are added, shares weighted by people."""
    shares = [c for c in places.columns if c.startswith("share")]
    work = places[["street", "population", "covered_people"]].copy()
    for column in shares:
        work[column] = (places[column] * places["population"]).fillna(0.0)
    streets = work.groupby("street", sort=True).sum().reset_index()
    for column in shares:
        streets[column] = streets[column] / streets["population"].where(streets["population"] > 0)
    return streets
