"""The main roads of the plan as ways: ring, bridges, underpasses, carriageways, riverside, pavements."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import shapely
from shapely.geometry import LineString, Point
from shapely.ops import substring

from geo.sample.layout import BANK_CLEAR_M, RIVER_NAME, District, Plan, Way

DECK_M = BANK_CLEAR_M + 10
UNDERPASS_M = 27.0
RAIL_OPENING_M = 15.0
RIVERSIDE_M = 132.0
DUAL_NAMES = frozenset({"人民路", "建设大道"})
FLYOVERS = ((3660, -330), (-2330, -2170), (1900, -3100), (-480, 3200))
OVERPASSES = (("人民路", 0.24), ("人民路", 0.55), ("人民路", 0.83), ("建设大道", 0.3), ("建设大道", 0.68))
Piece = tuple[LineString, bool]


def cut(line: LineString, zone: Any) -> list[Piece]:
    """The line in order as (piece, lies inside ``zone``)."""
    inside = [p for p in shapely.get_parts(shapely.intersection(line, zone)) if p.length > 1]
    spans = sorted(sorted(line.project(Point(p.coords[k])) for k in (0, -1)) for p in inside)
    made: list[Piece] = []
    at = 0.0
    for begin, end in spans:
        if begin - at > 0.5:
            made.append((substring(line, at, begin), False))
        made.append((substring(line, begin, end), True))
        at = end
    if line.length - at > 0.5:
        made.append((substring(line, at, line.length), False))
    return made


def lines_of(shape: Any) -> list[LineString]:
    """The lines in whatever an overlay gave."""
    return [p for p in shapely.get_parts(shape) if p.geom_type == "LineString" and p.length > 1]


def points_of(line: LineString) -> list[tuple[float, float]]:
    """The vertices of a line as plain tuples."""
    return [(float(c[0]), float(c[1])) for c in line.coords]


def add_mains(plan: Plan, district: District) -> Plan:
    """Put ring, main roads, riverside roads and pavements into ``district``.

    Returns the plan with the ends of main roads drawn to what they were meant to meet.
    """
    mains = tuple((_reach(line, tags, plan), tags) for line, tags in plan.mains)
    plan = replace(plan, mains=mains)
    _add_ring(plan, district)
    for line, tags in mains:
        for part in _dual(line, tags, plan):
            for piece, over_water in cut(*part[:1], plan.water.buffer(DECK_M)):
                if over_water:
                    bridge = {"bridge": "yes", "layer": "1", "bridge:name": f"{tags['name']}桥"}
                    district.ways.append(Way(points_of(piece), {**part[1], **bridge}, ground=False))
                    continue
                for stretch, below in cut(piece, plan.rail.buffer(UNDERPASS_M)):
                    more = {"tunnel": "yes", "layer": "-1"} if below else {}
                    district.ways.append(Way(points_of(stretch), {**part[1], **more}, ground=not below))
    _add_riverside(plan, district)
    _add_pavements(plan, district)
    _add_overpasses(plan, district)
    return plan


def _reach(line: LineString, tags: dict[str, str], plan: Plan) -> LineString:
    """Draw the ends of a main road to a main road nearby."""
    banks = [line for _word, line in riverside(plan, RIVERSIDE_M)]
    others = shapely.union_all([plan.ring, *banks, *(o for o, t in plan.mains if t["name"] != tags["name"])])
    points = points_of(line)
    for k in (0, -1):
        place = Point(points[k])
        if place.distance(others) < 160:
            meet = shapely.shortest_line(place, others).coords[-1]
            points[k] = (float(meet[0]), float(meet[1]))
    return LineString(points)


def _dual(line: LineString, tags: dict[str, str], plan: Plan) -> Iterable[tuple[LineString, dict[str, str]]]:
    if tags["name"] not in DUAL_NAMES:
        return [(line, tags)]
    made: list[tuple[LineString, dict[str, str]]] = []
    for piece, inside in cut(line, plan.core):
        if not inside:
            made.append((piece, tags))
            continue
        for side in (-9, 9):  # the line runs east; traffic keeps to the right
            lane = points_of(piece.offset_curve(side))
            lane = [points_of(piece)[0], *lane[1:-1], points_of(piece)[-1]]
            made.append(
                (LineString(lane if side < 0 else lane[::-1]), {**tags, "oneway": "yes", "lanes": "3"})
            )
    return made


def _add_ring(plan: Plan, district: District) -> None:
    tags = {"highway": "trunk", "name": "环城路", "maxspeed": "60"}
    decks = shapely.union_all([Point(p).buffer(90) for p in FLYOVERS])
    for piece, over_water in cut(plan.ring, plan.water.buffer(DECK_M)):
        if over_water:
            side = "西" if piece.centroid.x < 0 else "东"
            bridge = {"bridge": "yes", "layer": "1", "bridge:name": f"环城路{side}桥"}
            district.ways.append(Way(points_of(piece), {**tags, **bridge}, ground=False, ring=True))
            continue
        for stretch, high in cut(piece, decks):
            more = {"bridge": "yes", "layer": "1"} if high else {}
            district.ways.append(Way(points_of(stretch), {**tags, **more}, ground=not high, ring=True))
    length = plan.ring.length
    for place in FLYOVERS:
        at = plan.ring.project(Point(place))
        road = min((line for line, _t in plan.mains), key=lambda o: o.distance(plan.ring.interpolate(at)))
        meet = road.project(plan.ring.interpolate(at))
        for along, across in ((-210, 170), (210, -170)):
            a, b = plan.ring.interpolate((at + along) % length), road.interpolate(meet + across)
            c = plan.ring.interpolate((at + along / 3) % length)
            mid = (0.5 * c.x + 0.25 * (a.x + b.x), 0.5 * c.y + 0.25 * (a.y + b.y))
            curve = [_bezier((a.x, a.y), mid, (b.x, b.y), t / 6) for t in range(7)]
            district.ways.append(Way(curve, {"highway": "trunk_link"}))


def _bezier(a: Any, b: Any, c: Any, t: float) -> tuple[float, float]:
    x, y = (a[i] * (1 - t) ** 2 + 2 * b[i] * t * (1 - t) + c[i] * t**2 for i in (0, 1))
    return float(x), float(y)


def riverside(plan: Plan, offset_m: float) -> list[tuple[str, LineString]]:
    """Lines along both banks inside the ring, ``offset_m`` from the middle of the river."""
    made = []
    for side, word in ((1, "北"), (-1, "南")):
        shape = shapely.intersection(plan.river.offset_curve(side * offset_m), plan.core)
        made += [(word, line) for line in lines_of(shapely.line_merge(shape)) if line.length > 300]
    return made


def _add_riverside(plan: Plan, district: District) -> None:
    for word, line in riverside(plan, RIVERSIDE_M):
        tags = {"highway": "tertiary", "name": f"{RIVER_NAME}{word}路"}
        district.ways.append(Way(points_of(line), tags))
        for s in range(150, int(line.length) - 100, 430):
            p = line.interpolate(s)
            q = shapely.shortest_line(p, plan.river).coords[-1]
            f = 37 / math.dist((p.x, p.y), q)
            end = (p.x + (q[0] - p.x) * f, p.y + (q[1] - p.y) * f)
            district.ways.append(Way([(p.x, p.y), end], {"highway": "footway"}))
    for word, line in riverside(plan, 96):
        tags = {"highway": "cycleway", "name": f"{RIVER_NAME}{word}岸绿道", "foot": "yes"}
        district.ways.append(Way(points_of(line), tags))


def _add_pavements(plan: Plan, district: District) -> None:
    closed = shapely.union_all([plan.water.buffer(30), plan.rail.buffer(60)])
    zone = shapely.union_all([plan.core, plan.east, plan.west])
    for line, tags in plan.mains:
        if tags["highway"] != "primary":
            continue
        offset = 24 if tags["name"] in DUAL_NAMES else 18
        for side in (-1, 1):
            shape = line.offset_curve(side * offset).intersection(zone).difference(closed)
            district.ways += [
                Way(points_of(p), {"highway": "footway", "footway": "sidewalk"}) for p in lines_of(shape)
            ]
        if tags["name"] == "建设大道":
            for side in (-1, 1):
                shape = line.offset_curve(side * 18).intersection(plan.core)
                lane = {"highway": "cycleway", "oneway": "yes"}
                district.ways += [Way(points_of(p)[::-side], lane) for p in lines_of(shape)]


def _add_overpasses(plan: Plan, district: District) -> None:
    by_name = {tags["name"]: line for line, tags in plan.mains}
    for name, share in OVERPASSES:
        line = lines_of(by_name[name].intersection(plan.core))[0]
        s = share * line.length
        p, q = line.interpolate(s), line.interpolate(s + 14)
        dx, dy = (q.x - p.x) / 14, (q.y - p.y) / 14
        feet = [(p.x - dy * h, p.y + dx * h) for h in (24, -24)]
        tops = [(q.x - dy * h, q.y + dx * h) for h in (20, -20)]
        sidewalks = shapely.union_all([line.offset_curve(24), line.offset_curve(-24)])
        feet = [shapely.shortest_line(Point(f), sidewalks).coords[-1] for f in feet]
        layer = {"layer": "1"}
        for foot, top in zip(feet, tops, strict=True):
            district.ways.append(Way([(foot[0], foot[1]), top], {"highway": "steps", **layer}, ground=False))
        deck = {"highway": "footway", "bridge": "yes", **layer}
        district.ways.append(Way(tops, deck, ground=False))
