"""What fills a block: gated compounds, alleys, works, schools, shops, parks."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import shapely
from shapely import affinity
from shapely.geometry import LineString, Point, Polygon

from geo.sample.blocks import ALLEY_M2, rows, subdivide
from geo.sample.layout import District, Plan, Way
from geo.sample.mains import lines_of, points_of

# on the street outside, in the edge of the parcel, on the loop inside
Gate = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
GATE_OPENING_M = 5.0
# share of blocks by quarter: gated housing, open housing, alleys, shops, school, park, works, empty
USES: dict[str, tuple[tuple[str, float], ...]] = {
    "old": (("gated", 0.36), ("open", 0.12), ("alleys", 0.32), ("shops", 0.1), ("school", 0.06), ("park", 0.04)),
    "core": (("gated", 0.6), ("open", 0.1), ("alleys", 0.06), ("shops", 0.1), ("school", 0.07), ("park", 0.07)),
    "north": (("gated", 0.5), ("open", 0.1), ("alleys", 0.08), ("shops", 0.06), ("school", 0.06), ("park", 0.06), ("empty", 0.14)),
    "fringe": (("gated", 0.4), ("open", 0.1), ("alleys", 0.08), ("shops", 0.06), ("park", 0.04), ("works", 0.06), ("empty", 0.26)),
    "industry": (("works", 0.72), ("open", 0.1), ("shops", 0.06), ("empty", 0.12)),
    "new": (("gated", 0.7), ("shops", 0.06), ("school", 0.06), ("park", 0.05), ("empty", 0.13)),
}  # fmt: skip
FLOORS: dict[str, tuple[int, ...]] = {
    "old": (5, 6, 6, 7), "core": (6, 6, 11, 18), "north": (6, 11, 18), "fringe": (4, 6, 11), "industry": (4, 5, 6), "new": (18, 24, 26)
}  # fmt: skip


class Streets:
    """The streets drawn so far, to find the one that a gate opens to."""

    def __init__(self, district: District) -> None:
        # gates open to streets that are wide enough and at ground level
        open_to = {"trunk", "primary", "secondary", "tertiary", "unclassified", "residential"}
        self.lines = [
            LineString(w.points) for w in district.ways if w.ground and w.tags["highway"] in open_to
        ]
        self.tree = shapely.STRtree(self.lines)
        wide = [(w.points, 36 if w.tags["highway"] == "primary" else 18) for w in district.ways
                if w.tags["highway"] in {"trunk", "trunk_link", "primary"}]  # fmt: skip
        self.broad = shapely.union_all([LineString(p).buffer(m) for p, m in wide])

    def nearest(self, place: Point) -> tuple[LineString, float]:
        line = self.lines[int(self.tree.nearest(place))]
        return line, float(line.distance(place))


def fill_blocks(
    plan: Plan,
    district: District,
    blocks: list[tuple[Polygon, str]],
    compounds: Iterator[str],
    rng: random.Random,
) -> None:
    """Draw the inside of every block into ``district``."""
    streets = Streets(district)
    for block, kind in blocks:
        use = _draw_use(kind, rng)
        parcel = block.buffer(-17).difference(streets.broad).difference(plan.barred.buffer(12))
        parcel = _largest(parcel)
        if parcel is None or parcel.area < 5_000 or use == "empty":
            continue
        if use == "alleys":
            _alleys(district, block, plan, rng)
        elif use == "park":
            _park(district, parcel, streets, rng)
        else:
            _estate(district, parcel, streets, use, kind, next(compounds), rng)


def _draw_use(kind: str, rng: random.Random) -> str:
    x = rng.random()
    for use, share in USES[kind]:
        x -= share
        if x < 0:
            return use
    return USES[kind][0][0]


def _largest(shape: Any) -> Polygon | None:
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"]
    return max(parts, key=lambda p: p.area) if parts else None


def _estate(
    district: District, parcel: Polygon, streets: Streets, use: str, kind: str, name: str, rng: random.Random
) -> None:
    loop = _largest(parcel.buffer(-13, join_style="mitre").simplify(3))
    if loop is None or loop.area < 2_500:
        return
    loop = Polygon(loop.exterior)
    housing = use in {"gated", "open"}
    walled = use in {"gated", "works", "school"}
    tags = {"highway": "residential" if use == "open" else "service"}
    if walled:
        tags["access"] = "private"
    count = (
        1 if use == "school" else 2 if parcel.area < 34_000 or use == "works" else rng.choice((2, 3, 3, 4))
    )
    if use in {"open", "shops"}:
        count += 2
    gates = _gates(parcel, loop, streets, count, rng)
    if not gates:
        return
    for outside, gate, inside in gates:
        # the last step leads to the loop even where the corner of it was cut
        district.ways.append(
            Way([outside, gate, inside], {**tags, "service": "driveway"} if use == "shops" else dict(tags))
        )
        if walled:
            district.gates.append(gate)
    district.ways.append(Way(points_of(loop.exterior), {**tags, **({"name": name} if housing else {})}))
    if walled:
        openings = shapely.union_all([Point(g).buffer(GATE_OPENING_M) for _o, g, _i in gates])
        wall = parcel.exterior.simplify(1.0).difference(openings)
        district.walls += [points_of(line) for line in lines_of(shapely.line_merge(wall))]
    angle = _angle(parcel)
    pitch = 104.0 if housing else 150.0
    lanes = _lanes(loop, angle, pitch)
    district.ways += [Way(points_of(line), dict(tags)) for line in lanes]
    zone = loop.buffer(-7).difference(shapely.union_all([line.buffer(7) for line in lanes]))
    for line in _paths(loop, angle) if housing and loop.area > 14_000 else ():
        district.ways.append(
            Way(points_of(line), {"highway": "footway", **({"access": "private"} if walled else {})})
        )
    floors = FLOORS[kind]
    height = rng.choice(floors)
    if housing:
        for part in shapely.get_parts(zone):
            for house in rows(part, angle=angle, length_m=46, depth_m=13, row_m=31, gap_m=13, rng=rng):
                district.buildings.append((house, height, "apartments"))
        district.compounds.append((parcel, name))
    else:
        what = {"works": "industrial", "school": "school", "shops": "retail"}[use]
        for part in shapely.get_parts(zone):
            for house in rows(part, angle=angle, length_m=62, depth_m=30, row_m=48, gap_m=24, rng=rng):
                district.buildings.append((house, 2, what))


def _angle(parcel: Polygon) -> float:
    """Rows follow the parcel but look south: within 20 degrees of east-west."""
    corners = list(parcel.minimum_rotated_rectangle.exterior.coords)
    turn = math.degrees(math.atan2(corners[1][1] - corners[0][1], corners[1][0] - corners[0][0]))
    turn = (turn + 45) % 90 - 45
    return max(-20.0, min(20.0, turn))


def _gates(parcel: Polygon, loop: Polygon, streets: Streets, count: int, rng: random.Random) -> list[Gate]:
    edge = parcel.exterior
    start = rng.random()
    made: list[Gate] = []
    for i in range(count):
        for _attempt in range(8):
            gate = edge.interpolate((start + (i + rng.uniform(-0.22, 0.22)) / count) % 1 * edge.length)
            street, away = streets.nearest(gate)
            inside = shapely.shortest_line(gate, loop.exterior).coords[-1]
            if away > 48 or math.dist(inside, (gate.x, gate.y)) > 32:
                continue
            outside = shapely.shortest_line(gate, street).coords[-1]
            way_out = LineString([outside, (gate.x, gate.y), inside])
            if shapely.length(way_out.intersection(parcel.buffer(-1))) > 34 or way_out.crosses(loop):
                continue
            if any(math.dist(g, (gate.x, gate.y)) < 60 for _o, g, _i in made):
                continue
            made.append((
                (float(outside[0]), float(outside[1])), (float(gate.x), float(gate.y)),
                (float(inside[0]), float(inside[1])),
            ))  # fmt: skip
            break
    return made


def _lanes(loop: Polygon, angle: float, pitch: float) -> list[LineString]:
    centre = loop.centroid
    turned = affinity.rotate(loop, -angle, origin=centre)
    west, south, east, north = turned.bounds
    made = []
    count = int((north - south - 30) // pitch)
    for i in range(1, count + 1):
        y = south + (north - south) * i / (count + 1)
        across = shapely.intersection(LineString([(west - 5, y), (east + 5, y)]), turned)
        made += [affinity.rotate(p, angle, origin=centre) for p in lines_of(across) if p.length > 30]
    return made


def _paths(loop: Polygon, angle: float) -> list[LineString]:
    centre = loop.centroid
    turned = affinity.rotate(loop, -angle, origin=centre)
    _west, south, _east, north = turned.bounds
    line = LineString([(centre.x, south - 5), (centre.x, north + 5)])
    inner = shapely.intersection(line, turned)
    return [affinity.rotate(p, angle, origin=centre) for p in lines_of(inner) if p.length > 40]


def _alleys(district: District, block: Polygon, plan: Plan, rng: random.Random) -> None:
    cells, lines = subdivide(block, ALLEY_M2, rng)
    for line, area in lines:
        highway = "living_street" if area > 22_000 else rng.choice(("living_street", "footway", "path"))
        for part in lines_of(shapely.difference(line, plan.barred)):
            district.ways.append(Way(points_of(part), {"highway": highway}))
    for cell in cells:
        inner = cell.buffer(-6).difference(plan.barred.buffer(8))
        for part in shapely.get_parts(inner):
            for house in rows(part, angle=_angle(cell), length_m=20, depth_m=10, row_m=17, gap_m=5, rng=rng):
                district.buildings.append((house, 3, "residential"))


def _park(district: District, parcel: Polygon, streets: Streets, rng: random.Random) -> None:
    middle = parcel.centroid
    for _i in range(rng.choice((4, 5, 6))):
        edge = parcel.exterior.interpolate(rng.random(), normalized=True)
        street, away = streets.nearest(edge)
        if away > 48:
            continue
        end = shapely.shortest_line(edge, street).coords[-1]
        bend = (
            (edge.x + middle.x) / 2 + rng.gauss(0, 14),
            (edge.y + middle.y) / 2 + rng.gauss(0, 14),
        )
        points = [(float(end[0]), float(end[1])), (edge.x, edge.y), bend, (middle.x, middle.y)]
        district.ways.append(Way(points, {"highway": "footway"}))
