"""OSM files (.osm.pbf, .osm, .osm.gz, .osm.bz2) by pyosmium: ways, barriers, homes, premises."""

from __future__ import annotations

import math
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pandas as pd

from geo.errors import Defect, InputError
from geo.models import BarrierKind
from geo.network.modes import RULE_KEYS
from geo.network.raw import BarrierLine, RawWays
from geo.network.turns import CONDITIONAL_TAGS, RULE_TAGS, TurnRules

WAY_KEYS = frozenset((*RULE_KEYS, "name", "bridge", "tunnel"))
FILTER_KEYS = (
    "highway",
    "railway",
    "waterway",
    "natural",
    "barrier",
    "building",
    "landuse",
    "amenity",
    "shop",
)
HOMES = frozenset(
    {"residential", "apartments", "house", "dormitory", "detached", "terrace", "semidetached_house"}
)
WALLS = frozenset({"wall", "fence", "city_wall", "retaining_wall"})
RAILS = frozenset({"rail", "light_rail", "subway", "narrow_gauge"})
RIVERS = frozenset({"river", "canal"})
PREMISES: dict[str, frozenset[str]] = {
    "amenity": frozenset({
        "bank", "pharmacy", "fuel", "community_centre", "library", "townhall", "clinic", "hospital",
        "post_office", "police", "social_facility", "charging_station", "marketplace", "bus_station",
        "fast_food", "restaurant", "cafe", "public_building",
    }),
    "shop": frozenset({"mall", "supermarket", "convenience", "department_store"}),
}  # fmt: skip
_M_PER_DEGREE = 111_195.0


def read_osm(path: Path, *, bounds: tuple[float, float, float, float] | None = None) -> RawWays:
    """Read an OSM file; raises :class:`geo.errors.InputError` where it is damaged.

    ``bounds``: west, south, east, north in degrees; ways whose bounding box lies outside are left out
    as they stream by, so that a district takes a district's memory, whatever the file holds.
    """
    try:
        water, turns = _relations(path)
        reader = _Reader(water, bounds or (-math.inf, -math.inf, math.inf, math.inf))
        processor = osmium.FileProcessor(str(path)).with_locations().with_filter(
            osmium.filter.KeyFilter(*FILTER_KEYS)
        )  # fmt: skip
        date = str(processor.header.get("osmosis_replication_timestamp") or "")
        for element in processor:
            # each look at a tag of pyosmium's crosses into C++: a plain dict is several times faster
            reader.take(element, {tag.k: tag.v for tag in element.tags})
    except (RuntimeError, osmium.InvalidLocationError) as error:
        message = f"不是可读的 OSM 文件 / not a readable OSM file: {error}"
        raise InputError(Defect(message, file=path.name)) from error
    return reader.ways(path.name, date[:10], turns)


def _relations(path: Path) -> tuple[dict[int, str], TurnRules]:
    """Ids of the ways that bound a water mapped as a multipolygon → its name; and the turn restrictions."""
    members: dict[int, str] = {}
    turns = TurnRules()
    processor: Any = osmium.FileProcessor(str(path), osmium.osm.RELATION).with_filter(
        osmium.filter.KeyFilter("natural", "waterway", *RULE_TAGS, *CONDITIONAL_TAGS)
    )
    for relation in processor:
        if relation.tags.get("type") == "restriction":
            turns.take(dict(relation.tags), [(m.type, m.role, m.ref) for m in relation.members])
        elif relation.tags.get("natural") == "water" or relation.tags.get("waterway") == "riverbank":
            name = relation.tags.get("name", "")
            members |= {m.ref: name for m in relation.members if m.type == "w"}
    return members, turns


class _Reader:
    """Collects what the network needs while the file streams by."""

    def __init__(self, water: dict[int, str], bounds: tuple[float, float, float, float]) -> None:
        self._water = water
        self._west, self._south, self._east, self._north = bounds
        self._way_id, self._start, self._ref = array("q"), array("q", [0]), array("q")
        self._lon, self._lat = array("d"), array("d")
        self._tags: list[dict[str, str]] = []
        self._signals: set[int] = set()
        self._barriers: list[BarrierLine] = []
        self._homes: list[tuple[float, float, float]] = []
        self._land: list[tuple[float, float, float]] = []
        self._plain_buildings: list[tuple[float, float, float]] = []
        self._amenities: list[tuple[str, str, str, float, float, str]] = []

    def take(self, element: Any, tags: dict[str, str]) -> None:
        if element.is_node():
            if not (self._west <= element.lon <= self._east and self._south <= element.lat <= self._north):
                return
            if tags.get("highway") == "traffic_signals":
                self._signals.add(element.id)
            self._premises(f"n{element.id}", tags, element.lon, element.lat)
        elif element.is_way():
            self._way(element, tags)

    def _way(self, way: Any, tags: dict[str, str]) -> None:
        highway = tags.get("highway")
        kind = self._barrier_kind(way.id, tags, highway)
        building, landuse = tags.get("building"), tags.get("landuse")
        premises = "amenity" in tags or "shop" in tags
        if not (highway or kind or building or landuse == "residential" or premises):
            return
        nodes = [(n.ref, at.lon, at.lat) for n in way.nodes if (at := n.location).valid()]
        if len(nodes) < 2:
            return
        refs, lon, lat = map(list, zip(*nodes, strict=True))
        if max(lon) < self._west or min(lon) > self._east or max(lat) < self._south or min(lat) > self._north:
            return
        if highway:  # squares mapped as areas too: their outline is walked
            self._way_id.append(way.id)
            self._ref.extend(refs)
            self._lon.extend(lon)
            self._lat.extend(lat)
            self._start.append(len(self._ref))
            self._tags.append({key: value for key, value in tags.items() if key in WAY_KEYS})
        if kind is not None:
            self._barriers.append(
                BarrierLine(kind, self._water.get(way.id) or tags.get("name", ""), lon, lat)
            )
        if len(nodes) > 3 and refs[0] == refs[-1]:
            x, y, area_m2 = _centroid(lon, lat)
            if building in HOMES:
                self._homes.append((x, y, area_m2))
            elif building == "yes":
                self._plain_buildings.append((x, y, area_m2))
            elif landuse == "residential":
                self._land.append((x, y, area_m2))
            if premises:
                self._premises(f"w{way.id}", tags, x, y)

    def _barrier_kind(self, way_id: int, tags: dict[str, str], highway: str | None) -> BarrierKind | None:
        # a river in a culvert, a rail on a viaduct or in a tunnel stops nobody
        if (
            tags.get("tunnel", "no") != "no"
            or tags.get("bridge", "no") != "no"
            or tags.get("covered") == "yes"
        ):
            return None
        if (
            way_id in self._water
            or tags.get("natural") == "water"
            or tags.get("waterway") in {*RIVERS, "riverbank"}
        ):
            return "water"
        if tags.get("railway") in RAILS:
            return "railway"
        if highway == "motorway":
            return "motorway"
        return "wall" if tags.get("barrier") in WALLS else None

    def _premises(self, osm_id: str, tags: dict[str, str], lon: float, lat: float) -> None:
        for key, values in PREMISES.items():
            kind = tags.get(key)
            if kind in values:
                hours = tags.get("opening_hours", "")
                self._amenities.append((osm_id, tags.get("name", ""), kind, lon, lat, hours))
                return

    def ways(self, source: str, source_date: str, turns: TurnRules) -> RawWays:
        homes = self._homes or self._land or self._plain_buildings
        columns = ["osm_id", "name", "kind", "lon", "lat", "opening_hours"]
        return RawWays(
            way_id=np.frombuffer(self._way_id, dtype=np.int64) if self._way_id else np.zeros(0, np.int64),
            start=np.array(self._start, dtype=np.int64),
            ref=np.array(self._ref, dtype=np.int64),
            lon=np.array(self._lon, dtype=np.float64),
            lat=np.array(self._lat, dtype=np.float64),
            tags=self._tags,
            source=source,
            source_date=source_date,
            signals=frozenset(self._signals),
            barriers=self._barriers,
            buildings=pd.DataFrame(homes, columns=["lon", "lat", "area_m2"], dtype=float),
            amenities=pd.DataFrame(self._amenities, columns=columns),
            turns=turns,
        )


def _centroid(lon: list[float], lat: list[float]) -> tuple[float, float, float]:
    """Centroid and area (m²) of a small closed ring, by the shoelace formula on a local plane."""
    x0, y0 = lon[0], lat[0]
    scale = math.cos(math.radians(y0))
    area = cx = cy = 0.0
    for i in range(len(lon) - 1):
        ax, ay, bx, by = lon[i] - x0, lat[i] - y0, lon[i + 1] - x0, lat[i + 1] - y0
        cross = ax * by - bx * ay
        area += cross
        cx += (ax + bx) * cross
        cy += (ay + by) * cross
    if area == 0:
        return x0, y0, 0.0
    return x0 + cx / (3 * area), y0 + cy / (3 * area), abs(area) / 2 * scale * _M_PER_DEGREE**2
