"""OSM elements, whoever read them → ways, barriers, homes and premises."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from geo.models import F64, I64, BarrierKind, Bool
from geo.network.modes import RULE_KEYS
from geo.network.raw import BarrierLine, RawWays
from geo.network.turns import TurnRules
from geo.premises import KEYS, premises_kind

Bounds = tuple[float, float, float, float]  # west, south, east, north in degrees
FILTER_KEYS = (
    "highway",
    "railway",
    "waterway",
    "natural",
    "barrier",
    "building",
    "landuse",
    *KEYS,
)
# Of a way no other tag is ever looked at.
USED_KEYS = frozenset({*FILTER_KEYS, *RULE_KEYS, "name", "opening_hours", "tunnel", "bridge", "covered"})
HOMES = frozenset(
    {"residential", "apartments", "house", "dormitory", "detached", "terrace", "semidetached_house"}
)
WALLS = frozenset({"wall", "fence", "city_wall", "retaining_wall"})
RAILS = frozenset({"rail", "light_rail", "subway", "narrow_gauge"})
RIVERS = frozenset({"river", "canal"})
_M_PER_DEGREE = 111_195.0


@dataclass(slots=True)
class Relations:
    """What relations tell: ids of the ways that bound a water → its name; and the turn restrictions."""

    water: dict[int, str] = field(default_factory=dict)
    turns: TurnRules = field(default_factory=TurnRules)

    def take(self, tags: dict[str, str], members: Sequence[tuple[str, str, int]]) -> None:
        """Read one relation; ``members``: type (n, w, r), role and id of each."""
        if tags.get("type") == "restriction":
            self.turns.take(tags, members)
        elif tags.get("natural") == "water" or tags.get("waterway") == "riverbank":
            name = tags.get("name", "")
            self.water |= {ref: name for kind, _role, ref in members if kind == "w"}


@dataclass(frozen=True, slots=True)
class Elements:
    """Way ``i`` has the located vertices ``start[i]:start[i + 1]`` and the tags ``tags[tagged[i]]``.

    ``like[k]``: the first set of tags that is as ``tags[k]`` but for the name. ``nodes``: id, tags, lon, lat.
    """

    way_id: I64
    tags: list[dict[str, str]]
    tagged: I64
    like: I64
    start: I64
    ref: I64
    lon: F64
    lat: F64
    nodes: list[tuple[int, dict[str, str], float, float]]
    relations: Relations
    date: str


def collect(elements: Elements, *, source: str, bounds: Bounds) -> RawWays:
    """What the network needs of the elements whose bounding box meets ``bounds``."""
    start, lon, lat = elements.start, elements.lon, elements.lat
    ends = start.tolist()
    inside = _meets(start, lon, lat, bounds)
    closed = np.zeros(len(inside), dtype=np.bool_)
    rings = np.flatnonzero(np.diff(start) > 3)
    closed[rings] = elements.ref[start[rings]] == elements.ref[start[rings + 1] - 1]
    barriers: list[BarrierLine] = []
    homes: dict[str, list[int]] = {"homes": [], "land": [], "plain": []}
    premises: list[tuple[str, dict[str, str], str, int]] = []
    signals = set()
    amenities: list[tuple[str, str, str, float, float, str]] = []
    for node, tags, x, y in elements.nodes:
        if tags.get("highway") == "traffic_signals":
            signals.add(node)
        kind = premises_kind(tags)
        if kind:
            amenities.append((f"n{node}", tags.get("name", ""), kind, x, y, tags.get("opening_hours", "")))
    water = elements.relations.water
    asked = np.flatnonzero(elements.like == np.arange(len(elements.like))).tolist()

    def of_ways(fits: Callable[[dict[str, str]], object]) -> Bool:
        """Ways within the bounds whose tags fit, whatever the name: asked once for a set of the others."""
        found = np.zeros(len(elements.tags), dtype=np.bool_)
        for k in asked:
            found[k] = bool(fits(elements.tags[k]))
        fitting: Bool = inside & found[elements.like[elements.tagged]]
        return fitting

    def each(ways: Bool) -> Iterator[tuple[int, int, dict[str, str]]]:
        for i in np.flatnonzero(ways).tolist():
            yield i, int(elements.way_id[i]), elements.tags[elements.tagged[i]]

    bounds_water = inside & np.isin(elements.way_id, np.fromiter(water, dtype=np.int64, count=len(water)))
    for i, way, tags in each(bounds_water | of_ways(_barrier_kind)):
        barrier = _barrier_kind(tags, of_water=way in water)
        if barrier is not None:
            part = slice(ends[i], ends[i + 1])
            name = water.get(way) or tags.get("name", "")
            barriers.append(BarrierLine(barrier, name, lon[part].tolist(), lat[part].tolist()))
    for i, _way, tags in each(closed & of_ways(_home_kind)):
        homes[_home_kind(tags) or ""].append(i)
    for i, way, tags in each(closed & of_ways(premises_kind)):
        premises.append((f"w{way}", tags, premises_kind(tags) or "", i))
    chosen = next((rows for rows in homes.values() if rows), [])
    buildings = np.array([_centroid(start, lon, lat, i) for i in chosen]).reshape(-1, 3)
    for osm_id, tags, kind, i in premises:
        x, y, _area = _centroid(start, lon, lat, i)
        amenities.append((osm_id, tags.get("name", ""), kind, x, y, tags.get("opening_hours", "")))
    rows = np.flatnonzero(
        of_ways(lambda tags: "highway" in tags)
    )  # squares as areas too: their outline is walked
    size = np.diff(start)[rows]
    road_start = np.concatenate(([0], np.cumsum(size))).astype(np.int64)
    vertex = np.repeat(start[rows] - road_start[:-1], size) + np.arange(road_start[-1])
    columns = ["osm_id", "name", "kind", "lon", "lat", "opening_hours"]
    return RawWays(
        way_id=elements.way_id[rows],
        start=road_start,
        ref=elements.ref[vertex],
        lon=lon[vertex],
        lat=lat[vertex],
        tags=elements.tags,
        tagged=elements.tagged[rows],
        like=elements.like,
        source=source,
        source_date=elements.date,
        signals=frozenset(signals),
        barriers=barriers,
        buildings=pd.DataFrame(buildings, columns=["lon", "lat", "area_m2"], dtype=float),
        amenities=pd.DataFrame(amenities, columns=columns),
        turns=elements.relations.turns,
    )


def _meets(start: I64, lon: F64, lat: F64, bounds: Bounds) -> Bool:
    """Ways of two vertices and more whose bounding box meets the bounds."""
    meets: Bool = np.diff(start) >= 2
    if not meets.any() or math.isinf(bounds[0]):
        return meets
    rows = np.flatnonzero(meets)
    # reduceat takes up to the next begin: shorter ways between would be taken in
    size = np.diff(start)[rows]
    begin = np.concatenate(([0], np.cumsum(size)))[:-1]
    vertex = np.repeat(start[rows] - begin, size) + np.arange(size.sum())
    x, y = lon[vertex], lat[vertex]
    west, south, east, north = bounds
    outside = (np.maximum.reduceat(x, begin) < west) | (np.minimum.reduceat(x, begin) > east)
    outside |= (np.maximum.reduceat(y, begin) < south) | (np.minimum.reduceat(y, begin) > north)
    meets[rows[outside]] = False
    return meets


def _home_kind(tags: dict[str, str]) -> str | None:
    building = tags.get("building")
    if building in HOMES:
        return "homes"
    if building == "yes":
        return "plain"
    return "land" if tags.get("landuse") == "residential" else None


def _barrier_kind(tags: dict[str, str], *, of_water: bool = False) -> BarrierKind | None:
    # a river in a culvert, a rail on a viaduct or in a tunnel stops nobody
    if tags.get("tunnel", "no") != "no" or tags.get("bridge", "no") != "no" or tags.get("covered") == "yes":
        return None
    if (
        of_water
        or tags.get("natural") == "water"
        or tags.get("waterway") in RIVERS
        or tags.get("waterway") == "riverbank"
    ):
        return "water"
    if tags.get("railway") in RAILS:
        return "railway"
    if tags.get("highway") == "motorway":
        return "motorway"
    return "wall" if tags.get("barrier") in WALLS else None


def _centroid(start: I64, lon: F64, lat: F64, way: int) -> tuple[float, float, float]:
    """Centroid and area (m²) of a small closed way, by the shoelace formula on a local plane."""
    part = slice(start[way], start[way + 1])
    x0, y0 = float(lon[start[way]]), float(lat[start[way]])
    x, y = lon[part] - x0, lat[part] - y0
    cross: Any = x[:-1] * y[1:] - x[1:] * y[:-1]
    area = float(cross.sum())
    if area == 0:
        return x0, y0, 0.0
    cx, cy = float(((x[:-1] + x[1:]) * cross).sum()), float(((y[:-1] + y[1:]) * cross).sum())
    square_m = abs(area) / 2 * math.cos(math.radians(y0)) * _M_PER_DEGREE**2
    return x0 + cx / (3 * area), y0 + cy / (3 * area), square_m
