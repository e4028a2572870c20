"""Where people are not covered: contiguous clusters, each with a name, a size and the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import Transformer
from scipy.spatial import cKDTree

from geo.errors import Defect, InputError
from geo.gaps.clusters import Barriers, clusters, link_length_m
from geo.gaps.names import Place, name_gaps
from geo.gaps.reasons import Facts, Question, describe, lies_between
from geo.gaps.shapes import gap_shape
from geo.models import F64, I32, I64, Bool, Mode, NearestField, RoadNetwork, Snapped

__all__ = ["find_gaps"]

WGS84 = "EPSG:4326"
COLUMNS = (
    "gap_id", "rank", "name_zh", "name_en", "people", "area_km2", "nearest_station", "nearest_minutes",
    "straight_m", "reason", "reason_zh", "reason_en", "community",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Homes:
    """The uncovered points: position in the network's plane, people, and their nearest stations."""

    xy: F64
    people: F64
    community: I32
    linked: Bool
    seconds: F64
    quickest: I32
    usual_seconds: F64
    usual: I32
    straight_m: F64
    closest: I64


@dataclass(frozen=True, slots=True)
class _Stations:
    """All stations: position in the network's plane, name, and whether they count here."""

    xy: F64
    name: list[str]
    counted: I64


def find_gaps(
    *,
    demand: pd.DataFrame,
    communities: gpd.GeoDataFrame,
    stations: pd.DataFrame,
    network: RoadNetwork,
    station_snap: Snapped,
    demand_snap: Snapped,
    far_field: NearestField,
    limit_s: float,
    straight_limit_m: float,
    layer: str = "residents",
    min_people: float = 1.0,
    link_m: float = 300.0,
    open_at: Bool | None = None,
    time: str | None = None,
    service: str | None = None,
    mode: Mode = "walk",
) -> gpd.GeoDataFrame:
    """Clusters of uncovered people of one layer, most people first (EPSG:4326).

    ``demand`` is the table of :class:`geo.models.Coverage`; ``far_field`` holds the seconds to the
    nearest station within a wide limit, aligned with it; ``limit_s`` and ``straight_limit_m`` are
    the standard's. Homes closer than ``link_m`` metres (or 1.5 × the spacing of a regular coarser grid)
    with no water, railway or motorway between them form one gap; wider than 3 km is split by
    community. Gaps under ``min_people`` join a neighbour within 3 km: the people of all gaps are
    the uncovered people of the layer.

    Columns: see :class:`geo.models.StudyResult`; ``nearest_minutes`` and ``straight_m`` are medians
    over the people (minutes None where most reach no station within the wide limit).
    ``reason`` is no_station_near, cut_off, closed, lacks_service or unlinked.

    For the gaps *at a time* or *of a service* give ``open_at`` (one flag a station: open then, or
    offering it), one of ``time`` ("Tue 23:00") and ``service``, and a ``far_field`` to those
    stations only (labels still index all stations): the gaps are then of people who are covered by
    some station but by none that counts. Raises :class:`geo.errors.InputError` where the
    arguments do not fit each other.
    """
    _check(demand, stations, station_snap, demand_snap, far_field, open_at, time, service, link_m)
    plane = Transformer.from_crs(WGS84, network.crs, always_xy=True)
    covered = demand["covered"].to_numpy(dtype=bool)
    weight = np.nan_to_num(demand["weight"].to_numpy(dtype=float), nan=0.0)
    chosen = (demand["layer"] == layer).to_numpy() & (weight > 0)
    counted = np.ones(len(stations), dtype=np.bool_) if open_at is None else open_at
    served = covered if open_at is None else covered & (far_field.seconds <= limit_s)
    missing = np.flatnonzero(chosen & ~served & (covered | (open_at is None)))
    if len(missing) == 0:
        return _frame([], [])
    places = _Stations(_plane(plane, stations), [str(n) for n in stations["name"]], np.flatnonzero(counted))
    xy = _plane(plane, demand)
    homes = _homes(demand, demand_snap, far_field, xy, missing, places)
    barriers = Barriers(network, plane)
    reach_m = link_length_m(xy[chosen], link_m)
    label = clusters(homes.xy, homes.community, homes.people, barriers, link_m=reach_m, min_people=min_people)
    members = np.split(np.argsort(label, kind="stable"), np.cumsum(np.bincount(label))[:-1])
    # most people first; clusters are numbered by their first home, which settles ties
    members.sort(key=lambda rows: (-round(float(homes.people[rows].sum()), 6), int(rows[0])))
    clear = xy[chosen & served]
    served_tree = cKDTree(clear) if len(clear) else None
    shapes = [gap_shape(homes.xy[rows], served_tree, widen_m=reach_m / 2.0) for rows in members]
    names = name_gaps(_places(homes, members, places, communities, network.crs), network, plane)
    question = Question(time, service)
    records = []
    for rank, (rows, shape, (name_zh, name_en)) in enumerate(
        zip(members, shapes, names, strict=True), start=1
    ):
        facts = _facts(homes, rows, places, barriers, network, straight_limit_m)
        reason, reason_zh, reason_en = describe(facts, limit_s=limit_s, mode=mode, question=question)
        community = _most(homes.community[rows], homes.people[rows])
        records.append(
            {
                "gap_id": f"G{rank:03d}",
                "rank": rank,
                "name_zh": name_zh,
                "name_en": name_en,
                "people": facts.people,
                "area_km2": float(shape.area) / 1e6,
                "nearest_station": facts.quickest,
                "nearest_minutes": facts.minutes,
                "straight_m": facts.straight_m,
                "reason": reason,
                "reason_zh": reason_zh,
                "reason_en": reason_en,
                "community": str(communities["name"].iloc[community]) if community >= 0 else "",
            }
        )
    return _frame(records, list(gpd.GeoSeries(shapes, crs=network.crs).to_crs(WGS84).make_valid()))


def _homes(
    demand: pd.DataFrame,
    demand_snap: Snapped,
    far_field: NearestField,
    xy: F64,
    rows: I64,
    places: _Stations,
) -> _Homes:
    closest, straight_m = np.full(len(rows), -1, dtype=np.int64), np.full(len(rows), np.inf)
    if len(places.counted):
        straight_m, row = cKDTree(places.xy[places.counted]).query(xy[rows])
        closest = places.counted[row]
    return _Homes(
        xy=xy[rows],
        people=demand["weight"].to_numpy(dtype=float)[rows],
        community=demand["community"].to_numpy(dtype=np.int32)[rows],
        linked=demand_snap.linked[rows],
        seconds=far_field.seconds[rows],
        quickest=far_field.label[rows],
        usual_seconds=demand["seconds"].to_numpy(dtype=float)[rows],
        usual=demand["nearest"].to_numpy(dtype=np.int32)[rows],
        straight_m=straight_m,
        closest=closest,
    )


def _facts(
    homes: _Homes,
    rows: I64,
    places: _Stations,
    barriers: Barriers,
    network: RoadNetwork,
    straight_limit_m: float,
) -> Facts:
    people, straight_m, closest = homes.people[rows], homes.straight_m[rows], homes.closest[rows]
    total = float(people.sum())
    between = None
    if len(places.counted):
        link, line = barriers.crossings(homes.xy[rows], places.xy[closest])
        near = network.surroundings
        between = lies_between(link, line, people, near.barrier_kind.astype(np.int32), near.barrier_name)
    by_line = _name_of(places, _most(closest, people))
    return Facts(
        people=total,
        unlinked_people=float(people[~homes.linked[rows]].sum()),
        within_straight=float(people[straight_m <= straight_limit_m].sum()) * 2 > total,
        closest=by_line,
        quickest=_name_of(places, _most(homes.quickest[rows], people)) or by_line,
        usual=_name_of(places, _most(homes.usual[rows], people)),
        straight_m=_median(straight_m, people),
        minutes=_finite(_median(homes.seconds[rows], people) / 60.0),
        usual_minutes=_finite(_median(homes.usual_seconds[rows], people) / 60.0),
        between=between,
    )


def _places(
    homes: _Homes, members: list[I64], stations: _Stations, communities: gpd.GeoDataFrame, crs: str
) -> list[Place]:
    middles = np.zeros((len(communities), 2))
    if len(communities):
        centre = communities.geometry.to_crs(crs).centroid
        middles = np.column_stack((centre.x, centre.y))
    result = []
    for rows in members:
        people = homes.people[rows]
        east, north = np.average(homes.xy[rows], axis=0, weights=people)
        community, station = _most(homes.community[rows], people), _most(homes.closest[rows], people)
        result.append(
            Place(
                xy=(float(east), float(north)),
                community=str(communities["name"].iloc[community]) if community >= 0 else "",
                community_xy=_pair(middles, community),
                station=_name_of(stations, station),
                station_xy=_pair(stations.xy, station),
            )
        )
    return result


def _pair(xy: F64, row: int) -> tuple[float, float]:
    return (float(xy[row, 0]), float(xy[row, 1])) if row >= 0 else (0.0, 0.0)


def _name_of(stations: _Stations, row: int) -> str:
    return stations.name[row] if row >= 0 else ""


def _most(values: I32 | I64, people: F64) -> int:
    """The value with most people (the lowest of equals), -1 where all are unknown."""
    known = values >= 0
    return int(np.bincount(values[known], weights=people[known]).argmax()) if known.any() else -1


def _median(values: F64, people: F64) -> float:
    order = np.argsort(values, kind="stable")
    running = np.cumsum(people[order])
    return float(values[order][np.searchsorted(running, running[-1] / 2.0)])


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _plane(plane: Transformer, points: pd.DataFrame) -> F64:
    x, y = plane.transform(points["lon"].to_numpy(dtype=float), points["lat"].to_numpy(dtype=float))
    return np.column_stack((x, y)).reshape(-1, 2)


def _frame(records: list[dict[str, Any]], shapes: list[Any]) -> gpd.GeoDataFrame:
    table = pd.DataFrame(records, columns=list(COLUMNS))
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(shapes, crs=WGS84), crs=WGS84)


def _check(
    demand: pd.DataFrame,
    stations: pd.DataFrame,
    station_snap: Snapped,
    demand_snap: Snapped,
    far_field: NearestField,
    open_at: Bool | None,
    time: str | None,
    service: str | None,
    link_m: float,
) -> None:
    """Raise one InputError with everything that does not fit together."""
    sizes = {
        "demand_snap": (len(demand_snap), len(demand)),
        "far_field": (len(far_field.seconds), len(demand)),
        "station_snap": (len(station_snap), len(stations)),
    }
    if open_at is not None:
        sizes["open_at"] = (open_at.size, len(stations))
    defects = [
        Defect(f"大小不符：{found}，应为 {wanted} / wrong size: {found}, expected {wanted}", key=key)
        for key, (found, wanted) in sizes.items()
        if found != wanted
    ]
    asked = (time is not None) + (service is not None)
    if asked != (open_at is not None):
        defects.append(
            Defect(
                "open_at 须与 time、service 之一同时给出 / give open_at together with one of time and service",
                key="open_at",
            )
        )
    if not link_m > 0:
        defects.append(Defect(f"应大于 0：{link_m} / expected more than 0: {link_m}", key="link_m"))
    if defects:
        raise InputError(defects)
