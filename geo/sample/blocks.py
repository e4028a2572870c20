"""Quarters → streets and blocks: faces between main roads are split again and again, never evenly."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import shapely
from shapely import affinity
from shapely.geometry import LineString, Point, Polygon
from shapely.ops import polygonize, split

from geo.sample.layout import District, Plan, Way
from geo.sample.mains import RIVERSIDE_M, lines_of, points_of, riverside

ALLEY_M2 = 8_500.0


def quarters(plan: Plan) -> list[tuple[Polygon, str]]:
    """The faces between the main roads, each with its kind: old, core, north, industry, new."""
    lines = [plan.ring, plan.west.exterior, plan.east.exterior, plan.rail]
    lines += [line for line, _tags in plan.mains]
    lines += [line for _word, line in riverside(plan, RIVERSIDE_M)]
    made = []
    for face in polygonize(shapely.union_all(lines)):
        middle = face.representative_point()
        if plan.core.contains(middle):
            if plan.river.distance(middle) < 125:
                continue
            if middle.distance(Point(-150, -350)) < 1250:
                kind = "old"
            else:
                kind = "north" if middle.y > plan.river.interpolate(plan.river.project(middle)).y else "core"
        elif plan.west.contains(middle):
            kind = "industry" if middle.y > -1220 else "new"
        elif plan.east.contains(middle):
            kind = "new"
        elif plan.south.contains(middle):
            kind = "fringe"
        else:
            continue
        made.append((face, kind))
    return made


def subdivide(
    face: Polygon, target_m2: float, rng: random.Random
) -> tuple[list[Polygon], list[tuple[LineString, float]]]:
    """Split ``face`` across its longer side until pieces are near ``target_m2``.

    Returns the pieces and the dividing lines, each with the area that it divided.
    """
    if face.area < target_m2 * rng.uniform(1.1, 1.7):
        return [face], []
    for _attempt in range(6):
        line = _divider(face, rng)
        inner = [p for p in lines_of(shapely.intersection(line, face)) if p.length > 5]
        parts = [p for p in split(face, line).geoms if p.area > 1] if len(inner) == 1 else []
        if len(parts) == 2 and min(p.area for p in parts) > 0.25 * face.area:
            pieces: list[Polygon] = []
            lines = [(inner[0], face.area)]
            for part in parts:
                more, deeper = subdivide(part, target_m2, rng)
                pieces += more
                lines += deeper
            return pieces, lines
    return [face], []


def _divider(face: Polygon, rng: random.Random) -> LineString:
    corners = list(face.minimum_rotated_rectangle.exterior.coords)
    sides = [math.dist(corners[i], corners[i + 1]) for i in (0, 1)]
    k = 0 if sides[0] >= sides[1] else 1
    (ax, ay), (bx, by) = corners[k], corners[k + 1]
    f = rng.uniform(0.36, 0.64)
    half = max(sides)
    away = corners[(k + 2) % 4]
    across = math.atan2(away[1] - by, away[0] - bx) + rng.gauss(0, 0.07)
    mx = ax + (bx - ax) * f + (away[0] - bx) / 2
    my = ay + (by - ay) * f + (away[1] - by) / 2
    bow = rng.gauss(0, 0.05) * min(sides)
    phase = rng.uniform(0.6, 1.4)
    points = []
    for i in range(-6, 7):
        t = i / 6 * half
        h = bow * math.cos(phase * t / min(sides) * math.pi)
        points.append((
            mx + t * math.cos(across) - h * math.sin(across),
            my + t * math.sin(across) + h * math.cos(across),
        ))  # fmt: skip
    return LineString(points)


def add_quarters(
    plan: Plan, district: District, stems: Iterator[str], rng: random.Random
) -> list[tuple[Polygon, str]]:
    """Streets of every quarter go into ``district``; returns the blocks between them with their kind."""
    target = {"old": 56_000.0, "core": 84_000.0, "north": 98_000.0, "fringe": 110_000.0, "industry": 170_000.0,
              "new": 100_000.0}  # fmt: skip
    blocks = []
    for face, kind in quarters(plan):
        pieces, lines = subdivide(face, target[kind], rng)
        blocks += [(p, kind) for p in pieces]
        for line, area in lines:
            if area > 160_000:
                district.block_lines.append(line)
            if area < 150_000 and rng.random() < 0.1 and kind != "old":
                continue  # a street that was never cut through
            _add_street(district, line, area, kind, stems, rng, plan)
    return blocks


def _add_street(
    district: District,
    line: LineString,
    area: float,
    kind: str,
    stems: Iterator[str],
    rng: random.Random,
    plan: Plan,
) -> None:
    wide = area > 520_000
    (x0, y0), (x1, y1) = line.coords[0], line.coords[-1]
    suffix = "路" if abs(x1 - x0) > abs(y1 - y0) else "街"
    highway = "tertiary" if wide else "unclassified" if kind == "industry" else "residential"
    tags = {"highway": highway, "name": next(stems) + suffix}
    if not wide and kind in {"old", "core"} and rng.random() < 0.14:
        tags["oneway"] = "yes"
        if rng.random() < 0.5:
            tags["oneway:bicycle"] = "no"
    for part in lines_of(shapely.difference(line, plan.barred)):
        district.ways.append(Way(points_of(part), dict(tags)))


def add_outlines(plan: Plan, district: District) -> None:
    """Roads round the two quarters outside the ring."""
    for zone, name in ((plan.west, "西站路"), (plan.east, "新城环路")):
        shape = shapely.line_merge(zone.exterior.difference(plan.core.buffer(1)))
        for line in lines_of(shape):
            district.ways.append(Way(points_of(line), {"highway": "unclassified", "name": name}))


def rows(
    zone: Any,
    *,
    angle: float,
    length_m: float,
    depth_m: float,
    row_m: float,
    gap_m: float,
    rng: random.Random,
) -> list[Polygon]:
    """Buildings in rows, as Chinese housing stands, that fit into ``zone``."""
    if zone.is_empty:
        return []
    centre = zone.centroid
    turned = affinity.rotate(zone, -angle, origin=centre)
    shapely.prepare(turned)
    west, south, east, north = turned.bounds
    made = []
    y = south + row_m / 2
    while y + depth_m < north:
        x = west + rng.uniform(0, gap_m)
        while x < east:
            width = length_m * rng.uniform(0.75, 1.25)
            house = shapely.box(x, y, x + width, y + depth_m)
            if turned.contains(house):
                made.append(affinity.rotate(house, angle, origin=centre))
                x += width + gap_m
            else:
                x += 9
        y += row_m
    return made
