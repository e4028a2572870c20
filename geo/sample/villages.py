"""The countryside: villages, small towns, and the roads between them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import shapely
from scipy.spatial import Delaunay
from shapely.geometry import LineString, Point, Polygon

from geo.sample.blocks import rows, subdivide
from geo.sample.layout import District, Plan, Way
from geo.sample.mains import lines_of, points_of

TOWNS = ((4650, 2780), (900, -5250), (-5300, 4330), (-4500, -4350))
SPACING_M = 780.0
MAX_VILLAGES = 62
SPLIT_M2 = 6_400.0


def add_villages(plan: Plan, district: District, names: Iterator[str], rng: random.Random) -> None:
    """Villages and small towns outside the quarters, linked by country roads."""
    built = shapely.union_all(
        [plan.core.buffer(330), plan.west.buffer(230), plan.east.buffer(230), plan.south.buffer(330)]
    )
    free = plan.boundary.buffer(-300).difference(built).difference(plan.barred.buffer(230))
    shapely.prepare(free)
    centres = [(float(x), float(y)) for x, y in TOWNS]
    west, south, east, north = free.bounds
    for _attempt in range(4000):
        place = (rng.uniform(west, east), rng.uniform(south, north))
        near = min(math.dist(place, c) for c in centres)
        if len(centres) < MAX_VILLAGES and near > SPACING_M and free.contains(Point(place)):
            centres.append(place)
    hubs = [_village(plan, district, c, i < len(TOWNS), next(names), rng) for i, c in enumerate(centres)]
    district.villages += hubs
    _link(plan, district, hubs, rng)


def _village(
    plan: Plan, district: District, centre: tuple[float, float], town: bool, name: str, rng: random.Random
) -> tuple[float, float]:
    radius = rng.uniform(330, 400) if town else rng.uniform(105, 215)
    turn, stretch = rng.uniform(0, math.pi), rng.uniform(0.62, 1.0)
    ring = []
    for k in range(14):
        a = k / 14 * 2 * math.pi
        r = radius * rng.uniform(0.82, 1.18)
        x, y = r * math.cos(a), r * stretch * math.sin(a)
        ring.append((
            centre[0] + x * math.cos(turn) - y * math.sin(turn), centre[1] + x * math.sin(turn) + y * math.cos(turn)
        ))  # fmt: skip
    blob = Polygon(ring).buffer(0)
    cells, lines = subdivide(blob, SPLIT_M2 * (1.9 if town else 1.0), rng)
    for i, (line, area) in enumerate(lines):
        tags = {"highway": "residential" if area > 16_000 else rng.choice(("residential", "path", "service"))}
        if i == 0:
            tags = {"highway": "unclassified", "name": f"{name}路"}
        for part in lines_of(shapely.difference(line, plan.barred)):
            district.ways.append(Way(points_of(part), tags))
    for cell in cells:
        for part in shapely.get_parts(cell.buffer(-7)):
            if town:
                houses = rows(part, angle=turn * 8, length_m=34, depth_m=12, row_m=26, gap_m=9, rng=rng)
            else:
                houses = rows(part, angle=turn * 8, length_m=15, depth_m=9, row_m=27, gap_m=8, rng=rng)
            district.buildings += [(h, 4 if town else 2, "apartments" if town else "house") for h in houses]
    first = lines[0][0].interpolate(0.5, normalized=True) if lines else Point(centre)
    return float(first.x), float(first.y)


def _link(plan: Plan, district: District, hubs: list[tuple[float, float]], rng: random.Random) -> None:
    """A spanning tree of short country roads that cross neither water nor rail, and some more."""
    anchors = []
    quarters = shapely.union_all([plan.core, plan.west, plan.east, plan.south])
    outside = quarters.buffer(60)
    for line, _tags in plan.mains:
        for part in lines_of(line.difference(outside).intersection(plan.boundary)):
            anchors += [part.interpolate(s) for s in np.arange(120, part.length, 640)]
    places = hubs + [(float(p.x), float(p.y)) for p in anchors]
    part_of = list(range(len(hubs))) + [len(hubs)] * len(anchors)
    triangles = Delaunay(np.array(places)).simplices
    pairs = sorted({(int(min(a, b)), int(max(a, b))) for t in triangles for a, b in pairwise([*t, t[0]])})
    ranked = sorted((math.dist(places[a], places[b]), a, b) for a, b in pairs if a < len(hubs))
    shapely.prepare(plan.barred)
    for length, a, b in ranked:
        line = _bent(places[a], places[b], rng)
        if plan.barred.intersects(line) or quarters.intersects(line) or length > 2600:
            continue
        left, right = part_of[a], part_of[b]
        extra = rng.random()
        if left == right and not (length < 1500 and extra < 0.33):
            continue
        part_of[:] = [left if p == right else p for p in part_of]
        highway = "unclassified" if left != right else rng.choice(("unclassified", "track", "residential"))
        district.ways.append(Way(points_of(line), {"highway": highway}))
        district.block_lines.append(line)


def _bent(a: tuple[float, float], b: tuple[float, float], rng: random.Random) -> LineString:
    bow = rng.gauss(0, 0.07)
    sway = rng.gauss(0, 0.03)
    dx, dy = b[0] - a[0], b[1] - a[1]
    points = []
    for i in range(9):
        t = i / 8
        h = bow * math.sin(math.pi * t) + sway * math.sin(2 * math.pi * t)
        points.append((a[0] + dx * t - dy * h, a[1] + dy * t + dx * h))
    return LineString(points)
