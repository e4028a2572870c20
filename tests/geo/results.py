"""A small whole :class:`StudyResult` for tests of what is made from results; positions are planar metres."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from geo.models import AuditEntry, Coverage, Inputs, Plan, Snapped, StudyResult
from tests.toy import CRS, grid_network, lonlat

TIMES = ("Tue 08:00", "Tue 12:00", "Tue 15:00", "Tue 20:00", "Tue 23:00", "Sat 15:00")
SERVICES = ("toilet", "ebike_charging", "first_aid")
SIDE, STEP_M = 30, 150.0
NASTY = (
    "<img src=x onerror=\"document.title='hacked'\">",
    "`${document.title='hacked'}`",
    "</script><script>document.title='hacked'</script>",
    '=HYPERLINK("http://evil.example")',
)
_TO_WGS84 = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)


def to_wgs84(shape):
    """A shape on the plane of :mod:`tests.toy` in degrees."""
    return shapely.transform(shape, lambda xy: np.column_stack(_TO_WGS84.transform(xy[:, 0], xy[:, 1])))


def toy_result(
    *, stations: int = 12, side: int = SIDE, names: Sequence[str] = (), language: str = "zh",
    synthetic: bool = True, phone: str = "门卫 13912340000", seed: int = 7,
) -> StudyResult:  # fmt: skip
    """A grid of ``side`` × ``side`` streets with a river and a railway, and round service areas."""
    rng = np.random.default_rng(seed)
    reach = (side - 1) * STEP_M
    river = [(x, reach * 0.62 + 90 * np.sin(x / 500)) for x in np.linspace(-200, reach + 200, 60)]
    rail = [(reach * 0.3, -100.0), (reach * 0.34, reach + 100)]
    network = grid_network(side, side, STEP_M, barriers=[("water", river), ("railway", rail)])
    classes = np.zeros(network.edge_count, dtype=np.uint8)
    classes[: (side - 1) * side].reshape(side, -1)[side // 2] = 1  # one main street, west to east
    network = _with(network, way_class=classes, class_names=("residential", "primary"))

    xy = rng.uniform(0.1 * reach, 0.75 * reach, (stations, 2))
    lon, lat = lonlat(xy)
    hours = [
        ("Mo-Su 08:00-20:00", "24/7", None, "Mo-Fr 09:00-17:00; Sa 10:00-12:00")[i % 4]
        for i in range(stations)
    ]
    table = pd.DataFrame({
        "station_id": [f"S{i + 1:02d}" for i in range(stations)],
        "name": [names[i] if i < len(names) else f"红色驿站第{i + 1}站" for i in range(stations)],
        "kind": "station", "plates": [("工会驿站", "司机之家") if i % 5 == 0 else ("工会驿站",) for i in range(stations)],
        "lon": lon, "lat": lat,
        "services": [frozenset(SERVICES[: 1 + i % 3]) | {"water", "warmth"} for i in range(stations)],
        "hours": hours, "hours_text": ["" if h else "白天有人" for h in hours], "street": "东街", "community": "",
        "address": [f"人民路{i + 1}号" for i in range(stations)], "phone": [phone if i % 2 else "0558-2260000" for i in range(stations)],
        "issuer": "区总工会", "date": "2026-10-31", "file": "union.xlsx", "row": range(2, stations + 2), "precision_m": 10.0, "precision": "point", "datum": "gcj02", "access": "",
    })  # fmt: skip
    open_at = np.array([[h == "24/7" or (h is not None and t.startswith("Tue") and "08:00" < t[4:] < "20:00") for t in TIMES]
                        for h in hours])  # fmt: skip

    cells = [(i, j) for j in range(6) for i in range(6)]
    size = reach / 6
    communities = gpd.GeoDataFrame(
        {"community_id": [f"C{k + 1:02d}" for k in range(36)], "name": [f"第{k + 1}社区" for k in range(36)],
         "street": ["东街" if i > 2 else "西街" for i, _ in cells], "population": 1000.0 + 37.0 * np.arange(36)},
        geometry=[to_wgs84(shapely.box(i * size, j * size, (i + 1) * size, (j + 1) * size)) for i, j in cells], crs="EPSG:4326")  # fmt: skip

    points = rng.uniform(0, reach, (400, 2))
    distance = np.hypot(*(points[:, None, :] - xy[None, :, :]).transpose(2, 0, 1))
    seconds = distance.min(axis=1) * 1.27 / (4.0 / 3.6)
    people = rng.integers(20, 200, 400).astype(float)
    inside = np.clip(points // size, 0, 5).astype(int)
    of_community = inside[:, 1] * 6 + inside[:, 0]
    p_lon, p_lat = lonlat(points)
    covered = seconds <= 900
    demand = pd.DataFrame({
        "layer": "residents", "community": of_community, "lon": p_lon, "lat": p_lat, "weight": people, "seconds": seconds,
        "nearest": distance.argmin(axis=1), "stations_within": (distance * 1.27 <= 1000).sum(axis=1),
        "straight_m": distance.min(axis=1), "covered": covered, "access_m": 10.0, "linked": True,
    })  # fmt: skip
    layers = {
        name: _block(people * k, seconds, distance) for name, k in (("residents", 1.0), ("workers", 0.1))
    }
    rows = []
    for k in range(36):
        here = of_community == k
        total = communities["population"].iloc[k]
        share = float(people[here & covered].sum() / people[here].sum()) if here.any() else 0.0
        rows.append({
            "community_id": f"C{k + 1:02d}", "name": f"第{k + 1}社区", "street": communities["street"].iloc[k],
            "population": total, "covered_people": total * share, "share": share, "share_straight": min(1.0, share * 1.1),
            "median_minutes": float(np.median(seconds[here]) / 60) if here.any() else np.nan, "nearest_station": table["name"].iloc[k % stations],
        })  # fmt: skip
    coverage = Coverage(demand, layers, pd.DataFrame(rows), pd.DataFrame())

    minutes = [5.0, 10.0, 15.0]
    each = {m: [shapely.Point(*p).buffer(m * 60 * 4 / 3.6 / 1.27, quad_segs=6) for p in xy] for m in minutes}
    bands = gpd.GeoDataFrame(
        {"minutes": minutes},
        geometry=[to_wgs84(shapely.union_all(each[m])) for m in minutes],
        crs="EPSG:4326",
    )
    own = gpd.GeoDataFrame(
        {"station_id": [s for _ in minutes for s in table["station_id"]], "minutes": np.repeat(minutes, stations)},
        geometry=[to_wgs84(shape) for m in minutes for shape in each[m]], crs="EPSG:4326")  # fmt: skip
    far = shapely.box(0, 0, reach, reach).difference(shapely.union_all(each[15.0]))
    pieces = sorted((g for g in shapely.get_parts(far) if g.area > 4e4), key=lambda g: -g.area)[:5]
    gaps = gpd.GeoDataFrame([
        {"gap_id": f"G{k + 1}", "rank": k + 1, "name_zh": f"第{30 - k}社区一带", "name_en": f"Around community {30 - k}",
         "people": round(g.area / 900), "area_km2": g.area / 1e6, "nearest_station": table["name"].iloc[0], "nearest_minutes": 21.5 + k,
         "straight_m": 1200.0, "reason_zh": "隔河，绕行过远" if k % 2 else "附近没有驿站", "reason_en": "Behind the river, long detour" if k % 2 else "No station nearby",
         "reason": "detour" if k % 2 else "far", "community": f"第{30 - k}社区", "geometry": to_wgs84(g)}
        for k, g in enumerate(pieces)], crs="EPSG:4326")  # fmt: skip
    at = [to_wgs84(g.representative_point()) for g in pieces[:3]]
    sites = gpd.GeoDataFrame([
        {"rank": k + 1, "venue_id": f"V{k + 1}", "name": f"惠民超市{k + 1}店", "kind": "supermarket", "lon": p.x, "lat": p.y, "gain": 3000.0 - 700 * k,
         "communities_gain": [{"name": f"第{30 - k}社区", "people": 1800.0}, {"name": "第7社区", "people": 600.0}], "geometry": p}
        for k, p in enumerate(at)], crs="EPSG:4326")  # fmt: skip
    total = float(people.sum())
    before = float(people[covered].sum())
    plan = Plan("cover", "optimal", before + 6900, before + 6900, 0.0, before, before + 6900, total,
                ("标准内的人最多 / most people within the standard", "至多新增 3 处 / at most 3 new"))  # fmt: skip
    counts = {"listed": stations + 3, "mapped": stations + 1, "used": stations, "merged": 1, "rejected": 2,
              "hours_known": sum(h is not None for h in hours)}  # fmt: skip
    inputs = Inputs(
        table, counts, communities, pd.DataFrame(), demand[["layer", "community", "lon", "lat", "weight"]],
        gpd.GeoDataFrame(geometry=[to_wgs84(shapely.box(0, 0, reach, reach))], crs="EPSG:4326"),
        (AuditEntry("merged", "同一地点", "same place"), AuditEntry("rejected", "缺坐标", "no position")),
        {"union.xlsx": "ab" * 32, "communities.geojson": "cd" * 32}, synthetic)  # fmt: skip
    summary = {
        "study": "示例区", "edition": "2026-11", "synthetic": synthetic,
        "standard": {"mode": "walk", "speed_kmh": 4.0, "limit_minutes": 15}, "stations": counts,
        "demand": {name: dict(block) for name, block in layers.items()},
        "gaps": {"count": len(gaps), "people": float(gaps["people"].sum())},
        "network": {"nodes": network.node_count, "edges": network.edge_count, "km": float(network.length_m.sum() / 1000),
                    "km_per_km2": 12.4, "source": "toy", "source_date": "2026-11-01", "off_network_share": 0.01},
        "isochrones": {"false_share": 0.021, "missed_share": 0.013},
        "provenance": {"redmap": "0.1.0", "created": "2026-11-23T02:00:00+00:00", "inputs": dict(inputs.sha256)},
    }  # fmt: skip
    problems = gpd.GeoDataFrame([
        {"problem_id": f"P00{k + 1}", "text": f"没有热水 {phone}", "kind": "饮水", "state": "open", "time": "2026-10-03", "place": "东街", "community": "",
         "placed_by": "coordinates", "nearest_station": "红色驿站第1站", "nearest_minutes": 4.5, "gap_id": "", "lon": p.x, "lat": p.y,
         "file": "ledger.csv", "row": k + 2, "geometry": p} for k, p in enumerate(at)], crs="EPSG:4326")  # fmt: skip
    snap = Snapped(np.zeros(stations, np.int32), np.zeros(stations), np.full(stations, 5.0), lon, lat)
    away = Snapped(np.zeros(400, np.int32), np.zeros(400), np.full(400, 5.0), p_lon, p_lat)
    return StudyResult(
        name="示例区", edition="2026-11", language=language, synthetic=synthetic,
        standard={"mode": "walk", "speed_kmh": 4.0, "minutes": [5.0, 10.0, 15.0], "limit_minutes": 15.0, "times": list(TIMES), "services": list(SERVICES), "compliance": ["seven_one"]},
        publish={"audience": "planner", "map_approval_number": ""}, inputs=inputs, network=network, station_snap=snap, demand_snap=away,
        coverage=coverage, times=TIMES, open_at=open_at, station_bands=own, bands=bands, gaps=gaps, recommendations=sites, plan=plan, problems=problems, summary=summary)  # fmt: skip


def _block(weight, seconds, distance):
    total = float(weight.sum())
    share = {m: float(weight[seconds <= m * 60].sum() / total) for m in (5, 10, 15, 20)}
    return {
        "total": total, "covered": share[15] * total, "share": share[15], "share_by_minutes": {str(m): s for m, s in share.items()},
        "share_two_or_more": float(weight[(distance * 1.27 <= 1000).sum(axis=1) > 1].sum() / total),
        "share_straight_line": float(weight[distance.min(axis=1) <= 1000].sum() / total), "median_minutes": float(np.median(seconds) / 60),
        "share_by_service": {s: share[15] * k for s, k in zip(SERVICES, (1.0, 0.7, 0.4), strict=True)},
        "share_by_time": {t: share[15] * k for t, k in zip(TIMES, (0.5, 0.8, 0.8, 0.4, 0.2, 0.3), strict=True)},
        "share_range": [share[15] * 0.95, min(1.0, share[15] * 1.04)],
    }  # fmt: skip


def _with(value, **changes):
    from dataclasses import replace

    return replace(value, **changes)
