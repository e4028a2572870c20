"""What a gap is called: its community, else its road or station; and its side where several share it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import shapely
from pyproj import Transformer

from geo.models import F64, RoadNetwork

# Nearer than this to the middle of the place, no side is named.
CENTRAL_M = 150.0
# A road further than this from the middle of a gap does not name it.
ROAD_M = 500.0
SIDES = (
    ("东部", "east"), ("东北部", "north-east"), ("北部", "north"), ("西北部", "north-west"),
    ("西部", "west"), ("西南部", "south-west"), ("南部", "south"), ("东南部", "south-east"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where a gap lies: the middle of its people, its community and nearest station ("" if none).

    Positions are metres in the network's plane.
    """

    xy: tuple[float, float]
    community: str
    community_xy: tuple[float, float]
    station: str
    station_xy: tuple[float, float]


def name_gaps(places: list[Place], network: RoadNetwork, plane: Transformer) -> list[tuple[str, str]]:
    """Chinese and English names, all different, in the order given."""
    shared = Counter(place.community for place in places)
    need_road = [i for i, p in enumerate(places) if not p.community or shared[p.community] > 1]
    road = dict.fromkeys(range(len(places)), "")
    if need_road:
        middles = np.array([places[i].xy for i in need_road])
        road |= dict(zip(need_road, nearest_road(network, plane, middles), strict=True))
    names = [_name(p, road[i], alone=shared[p.community] == 1) for i, p in enumerate(places)]
    repeated = Counter(names)
    names = [
        (f"{zh}（{road[i]}）", f"{en} ({road[i]})")
        if repeated[zh, en] > 1 and places[i].community and road[i]
        else (zh, en)
        for i, (zh, en) in enumerate(names)
    ]
    repeated, seen, result = Counter(names), Counter[tuple[str, str]](), []
    for zh, en in names:
        seen[zh, en] += 1
        number = f" {seen[zh, en]}" if repeated[zh, en] > 1 else ""
        result.append((f"{zh}{number}", f"{en}{number}"))
    return result


def _name(place: Place, road: str, *, alone: bool) -> tuple[str, str]:
    if place.community:
        if alone:
            return place.community, place.community
        zh, en = side(place.community_xy, place.xy)
        return f"{place.community}{zh}", f"{place.community}, {en}"
    if road:
        return f"{road}一带", f"around {road}"
    if not place.station:
        return "未命名盲区", "unnamed gap"
    zh, en = side(place.station_xy, place.xy)
    if en == "centre":
        return f"“{place.station}”附近", f"near {place.station}"
    return f"“{place.station}”{zh.removesuffix('部')}侧", f"{en} of {place.station}"


def side(middle: tuple[float, float], xy: tuple[float, float]) -> tuple[str, str]:
    """Which side of ``middle`` the point lies on (planar metres).

    >>> side((0.0, 0.0), (0.0, 900.0)), side((0.0, 0.0), (3.0, 4.0))
    (('北部', 'north'), ('中部', 'centre'))
    """
    east, north = xy[0] - middle[0], xy[1] - middle[1]
    if np.hypot(east, north) < CENTRAL_M:
        return "中部", "centre"
    return SIDES[int(np.round(np.arctan2(north, east) / (np.pi / 4))) % 8]


def nearest_road(network: RoadNetwork, plane: Transformer, xy: F64) -> list[str]:
    """Name of the nearest named way within 500 m of each point (n × 2, planar metres), else ""."""
    named = np.array([bool(name) for name in network.way_name], dtype=np.bool_)
    edges = np.flatnonzero(named[network.edge_name]) if len(named) else np.zeros(0, dtype=np.int64)
    result = [""] * len(xy)
    if len(edges) == 0:
        return result
    lines = network.geometry
    index = np.repeat(np.arange(len(lines)), np.diff(lines.start))
    wanted = np.isin(index, edges)
    x, y = plane.transform(lines.lon[wanted], lines.lat[wanted])
    shapes = shapely.linestrings(np.column_stack((x, y)), indices=np.searchsorted(edges, index[wanted]))
    point, found = shapely.STRtree(shapes).query_nearest(
        shapely.points(xy), max_distance=ROAD_M, all_matches=True
    )
    # of equally near ways the one whose name sorts first, so that the same inputs name the same
    for p, e in zip(point, found, strict=True):
        name = network.way_name[network.edge_name[edges[e]]]
        result[p] = min(result[p] or name, name)
    return result
