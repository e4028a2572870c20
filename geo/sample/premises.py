"""Roadside places where stations, venues and outlets may stand, and how they are drawn."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.spatial import cKDTree
from shapely.geometry import LineString, Point

from geo.models import F64
from geo.sample.layout import District, Plan
from geo.sample.people import Community, homes

ROADSIDE_M = 11.0
OPEN_TO = frozenset({"secondary", "tertiary", "unclassified", "residential", "living_street"})


@dataclass(frozen=True, slots=True)
class Site:
    """A place beside a street, in plan metres."""

    xy: tuple[float, float]
    road: str
    community: Community


def sites(plan: Plan, district: District, communities: Sequence[Community], rng: random.Random) -> list[Site]:
    """Roadside places all over the district, in random order."""
    shapes = [c.shape for c in communities]
    tree = shapely.STRtree(shapes)
    named = [(LineString(w.points), w.tags["name"]) for w in district.ways if "name" in w.tags and w.ground
             and w.tags.get("access") != "private" and w.tags["highway"] != "cycleway"]  # fmt: skip
    roads = shapely.STRtree([line for line, _name in named])
    made = []
    for way in district.ways:
        if way.tags["highway"] not in OPEN_TO or way.tags.get("access") == "private" or not way.ground:
            continue
        line = LineString(way.points)
        for i in range(max(1, round(line.length / 70))):
            s = (i + rng.uniform(0.25, 0.75)) * line.length / max(1, round(line.length / 70))
            p, q = line.interpolate(s - 0.5), line.interpolate(s + 0.5)
            side = rng.choice((-1, 1)) * ROADSIDE_M
            gone = math.dist((p.x, p.y), (q.x, q.y)) or 1.0
            place = Point(p.x - (q.y - p.y) / gone * side, p.y + (q.x - p.x) / gone * side)
            found = tree.query(place, predicate="within")
            if len(found) and not plan.barred.intersects(place.buffer(15)):
                road = named[int(roads.nearest(place))][1]
                made.append(Site((place.x, place.y), road, communities[int(found[0])]))
    rng.shuffle(made)
    return made


class Chooser:
    """Draws sites by weight, no two closer than asked."""

    def __init__(self, pool: Sequence[Site], weight: F64, rng: random.Random) -> None:
        self.pool, self.weight, self.rng = pool, weight, rng
        self.xy = np.array([s.xy for s in pool])
        self.free = np.ones(len(pool), dtype=np.bool_)

    def draw(
        self, count: int, spacing_m: float, fits: Callable[[Site], bool], power: float = 1.0
    ) -> list[Site]:
        fit = np.array([fits(s) for s in self.pool])
        made: list[Site] = []
        while len(made) < count:
            weight = np.where(self.free & fit, self.weight**power, 0.0)
            total = np.cumsum(weight)
            if total[-1] <= 0:
                raise AssertionError("no site is left")
            i = int(np.searchsorted(total, self.rng.random() * total[-1], side="right"))
            made.append(self.pool[i])
            near = np.hypot(*(self.xy - self.xy[i]).T) < spacing_m
            self.free &= ~near
        return made


def people_near(plan: Plan, district: District, pool: Sequence[Site], radius_m: float) -> F64:
    """People who live within ``radius_m`` of each site, plus one: a weight for drawing lots."""
    xy, people = homes(plan, district)
    near = cKDTree(xy).query_ball_point(np.array([s.xy for s in pool]), radius_m)
    return np.array([people[n].sum() for n in near]) + 1.0
