"""Where people are not covered: contiguous clusters, each with a name, a size and the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.models import BARRIER_KINDS, F64, I32, NearestField, RoadNetwork, Snapped

COLUMNS = ["gap_id", "rank", "name_zh", "name_en", "people", "area_km2", "nearest_station", "nearest_minutes",
           "straight_m", "reason", "reason_zh", "reason_en", "community"]  # fmt: skip
LINK_M = 300.0  # homes this close belong to one gap, unless a barrier lies between
WIDEN_M = 150.0  # a gap is drawn this far round its homes
CLEAR_M = 60.0  # and not over homes that are served
TOO_WIDE_M = 3000.0  # wider than this is split by community, so that one can act on it
BARRIER_ZH = {"water": "水系", "railway": "铁路", "motorway": "高速公路", "wall": "围墙"}
BARRIER_EN = {"water": "water", "railway": "the railway", "motorway": "the motorway", "wall": "walls"}
DIRECTIONS = ("东部 east", "东北部 northeast", "北部 north", "西北部 northwest", "西部 west", "西南部 southwest", "南部 south", "东南部 southeast")  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Places:
    """Uncovered points in the network's metric CRS."""

    x: F64
    y: F64
    people: F64
    community: I32
    seconds: F64
    nearest: I32
    linked: Any


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
) -> gpd.GeoDataFrame:
    """Clusters of uncovered people of one layer, most people first; columns as in StudyResult.

    ``demand`` is the coverage table; ``far_field`` the nearest station with a wide limit, aligned
    with it. The people of all gaps are the uncovered people of the layer. EPSG:4326.
    """
    del station_snap
    plane = Transformer.from_crs("EPSG:4326", network.crs, always_xy=True)
    chosen = (demand["layer"] == layer).to_numpy()
    missing = np.flatnonzero(chosen & ~demand["covered"].to_numpy(dtype=bool))
    if len(missing) == 0:
        return _frame([], [])
    x, y = plane.transform(demand["lon"].to_numpy(dtype=float), demand["lat"].to_numpy(dtype=float))
    x, y = np.asarray(x), np.asarray(y)
    places = _Places(
        x[missing], y[missing], demand["weight"].to_numpy(dtype=float)[missing],
        demand["community"].to_numpy(dtype=np.int32)[missing], far_field.seconds[missing],
        far_field.label[missing], demand_snap.linked[missing],
    )  # fmt: skip
    barriers = _barriers(network, plane)
    cluster = _clusters(places, barriers, network.surroundings.barrier_kind)
    served = np.flatnonzero(chosen & demand["covered"].to_numpy(dtype=bool))
    served_tree = cKDTree(np.column_stack((x[served], y[served]))) if len(served) else None
    sx, sy = plane.transform(stations["lon"].to_numpy(dtype=float), stations["lat"].to_numpy(dtype=float))
    station_tree = cKDTree(np.column_stack((sx, sy)))
    rows, shapes = [], []
    for c in range(cluster.max() + 1):
        mine = np.flatnonzero(cluster == c)
        row = _describe(places, mine, communities, stations, station_tree, barriers, network, limit_s, straight_limit_m)
        shape = _shape(places, mine, served_tree)
        row["area_km2"] = shape.area / 1e6
        rows.append(row)
        shapes.append(shape)
    return _ranked(rows, shapes, network.crs)


def _barriers(network: RoadNetwork, plane: Transformer) -> Any:
    lines = network.surroundings.barriers
    if len(lines) == 0:
        return shapely.STRtree([])
    x, y = plane.transform(lines.lon, lines.lat)
    index = np.repeat(np.arange(len(lines)), np.diff(lines.start))
    return shapely.STRtree(shapely.linestrings(np.column_stack((x, y)), indices=index))


def _clusters(places: _Places, barriers: Any, kinds: Any) -> I32:
    xy = np.column_stack((places.x, places.y))
    pairs = cKDTree(xy).query_pairs(LINK_M, output_type="ndarray")
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    if len(barriers.geometries) and len(pairs):
        links = shapely.linestrings(np.stack((xy[pairs[:, 0]], xy[pairs[:, 1]]), axis=1))
        crossing, line = barriers.query(links, predicate="intersects")
        # walls round a compound do not split a gap; rivers and railways do
        crossing = crossing[kinds[line] != BARRIER_KINDS.index("wall")]
        open_ = np.ones(len(pairs), dtype=bool)
        open_[crossing] = False
        pairs = pairs[open_]
    n = len(xy)
    graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _count, label = connected_components(graph, directed=False)
    wide = np.zeros(label.max() + 1, dtype=bool)
    for c in range(label.max() + 1):
        mine = xy[label == c]
        wide[c] = np.hypot(*np.ptp(mine, axis=0)) > TOO_WIDE_M
    key = label.astype(np.int64) * 1_000_003 + np.where(wide[label], places.community + 2, 0)
    _keys, cluster = np.unique(key, return_inverse=True)
    result: I32 = cluster.astype(np.int32)
    return result


def _describe(
    places: _Places,
    mine: Any,
    communities: gpd.GeoDataFrame,
    stations: pd.DataFrame,
    station_tree: cKDTree,
    barriers: Any,
    network: RoadNetwork,
    limit_s: float,
    straight_limit_m: float,
) -> dict[str, Any]:
    people = places.people[mine]
    centre = (np.average(places.x[mine], weights=people), np.average(places.y[mine], weights=people))
    straight, row = station_tree.query(np.column_stack((places.x[mine], places.y[mine])))
    straight_m = float(np.average(straight, weights=people))
    closest = int(np.bincount(row, weights=people).argmax())
    reached = np.isfinite(places.seconds[mine])
    minutes = float(np.average(places.seconds[mine][reached], weights=people[reached]) / 60) if reached.any() else None
    label = places.nearest[mine][reached]
    walked = int(np.bincount(label, weights=people[reached]).argmax()) if reached.any() else closest
    community = _most(places.community[mine], people)
    name = stations["name"].iloc[closest]
    reason, zh, en = _reason(
        places, mine, straight_m, minutes, str(name), closest, station_tree, barriers, network, straight_limit_m
    )
    del limit_s
    return {
        "people": float(people.sum()), "nearest_station": str(stations["name"].iloc[walked]),
        "nearest_minutes": minutes, "straight_m": straight_m, "reason": reason, "reason_zh": zh, "reason_en": en,
        "community": str(communities["name"].iloc[community]) if community >= 0 else "",
        "_centre": centre, "_near": str(name), "_first": int(mine[0]),
    }  # fmt: skip


def _most(values: I32, weights: F64) -> int:
    known = values >= 0
    return int(np.bincount(values[known], weights=weights[known]).argmax()) if known.any() else -1


def _reason(
    places: _Places, mine: Any, straight_m: float, minutes: float | None, name: str, closest: int,
    station_tree: cKDTree, barriers: Any, network: RoadNetwork, straight_limit_m: float,
) -> tuple[str, str, str]:  # fmt: skip
    walk_zh = f"走路 {minutes:.0f} 分钟" if minutes is not None else "走路 60 分钟以上"
    walk_en = f"{minutes:.0f} min on foot" if minutes is not None else "over 60 min on foot"
    if places.people[mine][~places.linked[mine]].sum() > places.people[mine].sum() / 2:
        return "unlinked", "附近没有可走的路，无法计算", "no usable road nearby, so no time can be computed"
    if straight_m > straight_limit_m:
        return (
            "no_station_near",
            f"附近没有驿站：最近的“{name}”直线 {straight_m:,.0f} 米，{walk_zh}",
            f"no station near: the closest, {name}, is {straight_m:,.0f} m away in a straight line, {walk_en}",
        )
    station = station_tree.data[closest]
    links = shapely.linestrings([[(places.x[i], places.y[i]), tuple(station)] for i in mine])
    crossed, line = barriers.query(links, predicate="intersects")
    kinds = network.surroundings.barrier_kind[line] if len(line) else np.zeros(0, dtype=np.uint8)
    for kind in BARRIER_KINDS:  # what cannot be walked round comes first
        hit = kinds == BARRIER_KINDS.index(kind)
        if hit.any() and places.people[mine][np.unique(crossed[hit])].sum() > places.people[mine].sum() / 2:
            names = [network.surroundings.barrier_name[j] for j in line[hit] if network.surroundings.barrier_name[j]]
            named_zh = max(sorted(set(names)), key=names.count) if names else BARRIER_ZH[kind]
            named_en = max(sorted(set(names)), key=names.count) if names else BARRIER_EN[kind]
            return (
                "cut_off",
                f"被{named_zh}隔开：“{name}”直线 {straight_m:,.0f} 米，{walk_zh}",
                f"cut off by {named_en}: {name} is {straight_m:,.0f} m away in a straight line, {walk_en}",
            )
    return (
        "cut_off",
        f"道路绕行：“{name}”直线 {straight_m:,.0f} 米，{walk_zh}",
        f"the roads make a detour: {name} is {straight_m:,.0f} m away in a straight line, {walk_en}",
    )


def _shape(places: _Places, mine: Any, served: cKDTree | None) -> Any:
    xy = np.column_stack((places.x[mine], places.y[mine]))
    shape = shapely.union_all(shapely.buffer(shapely.points(xy), WIDEN_M, quad_segs=4))
    if served is not None:
        near = np.unique([j for hits in served.query_ball_point(xy, WIDEN_M + CLEAR_M) for j in hits]).astype(int)
        holes = shapely.union_all(shapely.buffer(shapely.points(served.data[near]), CLEAR_M, quad_segs=3))
        core = shapely.union_all(shapely.buffer(shapely.points(xy), 20.0, quad_segs=3))
        shape = shapely.union(shapely.difference(shape, holes), core)
    return shapely.make_valid(shapely.simplify(shape, 3.0))


def _ranked(rows: list[dict[str, Any]], shapes: list[Any], crs: str) -> gpd.GeoDataFrame:
    order = sorted(range(len(rows)), key=lambda i: (-rows[i]["people"], rows[i]["_first"]))
    named: dict[str, list[int]] = {}
    for i in order:
        named.setdefault(rows[i]["community"] or rows[i]["_near"], []).append(i)
    for place, members in named.items():
        middle = np.mean([rows[i]["_centre"] for i in members], axis=0)
        for i in members:
            dx, dy = np.array(rows[i]["_centre"]) - middle
            zh, en = "", ""
            if len(members) > 1:
                zh, en = DIRECTIONS[int(np.round(np.arctan2(dy, dx) / (np.pi / 4))) % 8].split()
            beside = "" if rows[i]["community"] else "附近"
            rows[i]["name_zh"] = f"{place}{beside}{zh}"
            rows[i]["name_en"] = f"{place} {en}".strip()
    ordered = []
    for rank, i in enumerate(order, start=1):
        ordered.append({**rows[i], "rank": rank, "gap_id": f"G{rank:03d}"})
    metric = gpd.GeoSeries([shapes[i] for i in order], crs=crs)
    return _frame(ordered, list(metric.to_crs("EPSG:4326")))


def _frame(rows: list[dict[str, Any]], shapes: list[Any]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=COLUMNS), geometry=gpd.GeoSeries(shapes, crs="EPSG:4326"), crs="EPSG:4326")
