"""The plan as an OSM file: numbered nodes, ways, a fixed date."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import osmium
import shapely

from geo.models import F64
from geo.sample.layout import RIVER_NAME, Point, to_lonlat, warp
from geo.sample.mains import DECK_M, RAIL_OPENING_M, cut, points_of
from geo.sample.noding import densify
from geo.sample.town import Town

TIMESTAMP = "2026-11-01T00:00:00Z"
STEP_M = {"trunk": 35.0, "trunk_link": 35.0, "primary": 40.0, "secondary": 45.0, "cycleway": 45.0}
OTHER_STEP_M = 62.0
SIGNALLED = frozenset({"trunk", "primary", "secondary"})


class _Nodes:
    """Numbers vertices by their plan position, so that ways that meet share a node."""

    def __init__(self) -> None:
        self.number: dict[tuple[float, float, int], int] = {}
        self.tags: dict[int, dict[str, str]] = {}

    def ids(self, points: F64, *, level: int = 0) -> list[int]:
        """Ids of a way's vertices; inner vertices of a deck (level > 0) belong to it alone."""
        last = len(points) - 1
        keys = [
            (round(x, 3), round(y, 3), 0 if i in (0, last) else level)
            for i, (x, y) in enumerate(points.tolist())
        ]
        return [self.number.setdefault(key, len(self.number) + 1) for key in keys]


def write_roads(path: Path, town: Town) -> None:
    """Write roads, walls, water, rail and buildings as ``.osm.pbf``, sorted by type and id."""
    nodes = _Nodes()
    ways: list[tuple[list[int], dict[str, str]]] = []
    for i, way in enumerate(town.district.ways, start=1):
        points = densify(way.points, STEP_M.get(way.tags["highway"], OTHER_STEP_M))
        ways.append((nodes.ids(points, level=0 if way.ground else i), way.tags))
    _signals(town, nodes)
    for gate in town.district.gates:
        found = nodes.number.get((round(gate[0], 3), round(gate[1], 3), 0))
        if found is not None:
            nodes.tags[found] = {"barrier": "gate", "access": "private", "foot": "yes"}
    ways += _others(town, nodes)
    _write(path, nodes, ways)


def _signals(town: Town, nodes: _Nodes) -> None:
    """Lights where two main roads of different name meet, but not at every such place."""
    met: dict[Point, set[str]] = {}
    for way in town.district.ways:
        if way.tags["highway"] in SIGNALLED and way.ground:
            for p in way.points:
                met.setdefault(p, set()).add(way.tags["name"])
    for i, (place, names) in enumerate(sorted(met.items())):
        if len(names) > 1 and i % 7:
            number = nodes.number[round(place[0], 3), round(place[1], 3), 0]
            nodes.tags[number] = {"highway": "traffic_signals"}


def _others(town: Town, nodes: _Nodes) -> list[tuple[list[int], dict[str, str]]]:
    plan, district = town.plan, town.district
    level = -1
    made: list[tuple[list[int], dict[str, str]]] = []

    def add(
        points: Sequence[Point], tags: dict[str, str], *, closed: bool = False, step_m: float = 40.0
    ) -> None:
        nonlocal level
        level -= 1
        line = densify(points, step_m)
        # nothing but roads shares nodes with roads
        keys = [(round(x, 3), round(y, 3), level) for x, y in line.tolist()]
        ids = [nodes.number.setdefault(key, len(nodes.number) + 1) for key in keys]
        made.append(([*ids[:-1], ids[0]] if closed else ids, tags))

    water = shapely.set_precision(plan.water, 0.01)
    add(points_of(water.exterior), {"natural": "water", "water": "river", "name": RIVER_NAME}, closed=True)
    add(points_of(plan.river), {"waterway": "river", "name": RIVER_NAME})
    below = [w.points for w in district.ways if w.tags.get("tunnel") == "yes"]
    crossings = [shapely.LineString(p).intersection(plan.rail).buffer(RAIL_OPENING_M) for p in below]
    openings = shapely.union_all([plan.water.buffer(DECK_M), *crossings])
    for piece, bridge in cut(plan.rail, openings):
        tags = {"railway": "rail", "name": "示例铁路", **({"bridge": "yes", "layer": "1"} if bridge else {})}
        add(points_of(piece), tags)
    for wall in district.walls:
        add(wall, {"barrier": "wall"}, step_m=90.0)
    for outline, floors, kind in district.buildings:
        tags = {"building": kind, "building:levels": str(floors)}
        add(points_of(outline.exterior), tags, closed=True, step_m=200.0)
    for parcel, name in district.compounds:
        ring = parcel.exterior.simplify(2.0)
        add(points_of(ring), {"landuse": "residential", "name": name}, closed=True, step_m=120.0)
    return made


def _write(path: Path, nodes: _Nodes, ways: Sequence[tuple[list[int], dict[str, str]]]) -> None:
    places = to_lonlat(warp(np.array([(x, y) for x, y, _level in nodes.number])))
    header = osmium.io.Header()
    header.set("generator", "redmap sample: synthetic data")
    header.set("osmosis_replication_timestamp", TIMESTAMP)
    path.unlink(missing_ok=True)
    with osmium.SimpleWriter(str(path), 4 * 1024 * 1024, header) as writer:
        for number, (lon, lat) in enumerate(places.tolist(), start=1):
            node = osmium.osm.mutable.Node(id=number, location=(lon, lat), tags=nodes.tags.get(number, {}))
            writer.add_node(node)
        for number, (ids, tags) in enumerate(ways, start=1):
            writer.add_way(osmium.osm.mutable.Way(id=number, nodes=ids, tags=tags))
