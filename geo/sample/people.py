"""Who lives where: people of each building, communities that tile the district, their streets."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.spatial import Voronoi, cKDTree
from shapely.geometry import LineString, Point, Polygon
from shapely.ops import polygonize

from geo.models import F64
from geo.sample import names
from geo.sample.layout import District, Plan, to_lonlat, warp
from geo.sample.mains import lines_of
from geo.sample.noding import densify

PEOPLE = 400_000
URBAN, RURAL = 44, 16
HOMES = frozenset({"apartments", "residential", "house"})
HOUSE_PEOPLE = 9.0
STREET_CENTRES = ((-300, -500), (-1500, 500), (300, 2600), (1300, 400), (-4300, -900), (2600, -900), (600, -2700),
                  (4700, -2700), (-4500, 4000))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Community:
    """A community: its plan polygon, the same in WGS-84 degrees, its people."""

    name: str
    street: str
    population: int
    shape: Polygon
    degrees: Polygon


def homes(plan: Plan, district: District) -> tuple[F64, F64]:
    """Centres of the homes (n, 2) and people in each, :data:`PEOPLE` in all."""
    xy, people, fixed = [], [], []
    for outline, floors, kind in district.buildings:
        if kind not in HOMES:
            continue
        middle = outline.centroid
        xy.append((middle.x, middle.y))
        fixed.append(kind == "house")
        # a new quarter fills slowly; above nine floors the flats grow, not the number of people
        full = 0.5 if plan.east.contains(middle) or (plan.west.contains(middle) and middle.y < -1220) else 1.0
        people.append(HOUSE_PEOPLE if kind == "house" else outline.area * min(floors, 9) * full)
    count, house = np.array(people), np.array(fixed)
    count[~house] *= (PEOPLE - count[house].sum()) / count[~house].sum()
    return np.array(xy), count


def communities(plan: Plan, district: District, rng: random.Random) -> list[Community]:
    """:data:`URBAN` + :data:`RURAL` communities whose polygons tile the boundary."""
    xy, people = homes(plan, district)
    quarters = shapely.union_all([plan.core, plan.west, plan.east, plan.south])
    inside = shapely.contains_xy(quarters, xy[:, 0], xy[:, 1])
    seeds = np.vstack([
        _centres(xy[inside], people[inside], URBAN, rng), _centres(xy[~inside], people[~inside], RURAL, rng)
    ])  # fmt: skip
    faces = _faces(plan, district, seeds, quarters)
    owner = _owners(faces, seeds, quarters)
    shapes = [_joined([f for f, o in zip(faces, owner, strict=True) if o == k]) for k in range(len(seeds))]
    count = _count(shapes, xy, people)
    chosen = _names(len(seeds))
    streets = _streets(seeds)
    made = []
    for k, shape in enumerate(shapes):
        if shape.geom_type != "Polygon" or not shape.is_valid:
            raise AssertionError(f"community {k} is not one piece")
        name = f"{chosen[k]}{'社区' if k < URBAN else '村'}"
        made.append(Community(name, names.STREETS[streets[k]], count[k], shape, _degrees(shape)))
    return sorted(made, key=lambda c: (names.STREETS.index(c.street), c.name))


def _centres(xy: F64, people: F64, count: int, rng: random.Random) -> F64:
    """Weighted k-means: centres of about equal numbers of people."""
    weight = np.sqrt(people)
    seeds = [xy[rng.randrange(len(xy))]]
    while len(seeds) < count:
        away = cKDTree(np.array(seeds)).query(xy)[0] ** 2 * weight
        seeds.append(xy[int(np.searchsorted(np.cumsum(away), rng.random() * away.sum()))])
    centres = np.array(seeds)
    for _round in range(25):
        label = cKDTree(centres).query(xy)[1]
        total = np.maximum(np.bincount(label, weights=weight, minlength=count), 1e-9)
        moved = [np.bincount(label, weights=weight * xy[:, k], minlength=count) / total for k in (0, 1)]
        centres = np.column_stack(moved)
    return centres


def _faces(plan: Plan, district: District, seeds: F64, quarters: Polygon) -> list[Polygon]:
    """Small faces between roads, river and rail; in the open country also between Voronoi edges."""
    far = 40_000.0
    ghosts = [(-far, -far), (-far, far), (far, -far), (far, far)]
    diagram = Voronoi(np.vstack([seeds, ghosts]))
    edges = []
    for a, b in diagram.ridge_vertices:
        if a >= 0 and b >= 0:
            line = densify([tuple(diagram.vertices[a].tolist()), tuple(diagram.vertices[b].tolist())], 110)
            x, y = line[:, 0], line[:, 1]
            sway = np.column_stack((70 * np.sin(y / 260), 70 * np.sin(x / 240)))
            edges.append(LineString(line + sway))
    country = [p for e in edges for p in lines_of(e.difference(quarters.buffer(-40)))]
    roads = [line for line, _tags in plan.mains] + district.block_lines
    lines = [plan.ring, plan.river, plan.rail, plan.west.exterior, plan.east.exterior, *roads, *country]
    drawn = [_longer(line).simplify(5) for line in lines]
    edge = plan.boundary.exterior
    net = shapely.union_all([*shapely.intersection(drawn, plan.boundary), edge], grid_size=0.5)
    return [f for f in polygonize(net) if plan.boundary.contains(f.representative_point())]


def _longer(line: LineString) -> LineString:
    """The line with both ends drawn 2 m on, so that it surely meets what it was cut at."""
    if line.is_ring:
        return LineString(line.coords)
    c = list(line.coords)
    for end, before in ((0, 1), (-1, -2)):
        (x, y), (u, v) = c[end], c[before]
        f = 2 / max(math.dist(c[end], c[before]), 1e-6)
        c[end] = (x + (x - u) * f, y + (y - v) * f)
    return LineString(c)


def _owners(faces: list[Polygon], seeds: F64, quarters: Polygon) -> list[int]:
    """Grow every community from its seed's face over shared borders, nearest first: one piece each."""
    middle = [f.representative_point() for f in faces]
    tree = shapely.STRtree(faces)
    a, b = tree.query(faces, predicate="touches")
    shared = shapely.length(shapely.intersection(np.array(faces)[a], np.array(faces)[b]))
    near: dict[int, list[int]] = {i: [] for i in range(len(faces))}
    for i, j, metres in zip(a.tolist(), b.tolist(), shared.tolist(), strict=True):
        if metres > 5:
            near[i].append(j)

    # a town community spreads over town faces first: ten times as far counts a country face
    def cost(k: int, i: int) -> float:
        away = math.dist(seeds[k], (middle[i].x, middle[i].y))
        return away * (1.0 if quarters.contains(middle[i]) == (k < URBAN) else 1.8)

    owner = [-1] * len(faces)
    for k in range(len(seeds)):
        free = [i for i in range(len(faces)) if owner[i] < 0]
        owner[min(free, key=lambda i: (faces[i].distance(Point(seeds[k])), cost(k, i)))] = k
    import heapq

    queue = [(cost(o, j), j, o) for i, o in enumerate(owner) if o >= 0 for j in near[i]]
    heapq.heapify(queue)
    while queue:
        _cost, i, k = heapq.heappop(queue)
        if owner[i] >= 0:
            continue
        owner[i] = k
        for j in near[i]:
            if owner[j] < 0:
                heapq.heappush(queue, (cost(k, j), j, k))
    return owner


def _joined(parts: list[Polygon]) -> Polygon:
    return shapely.coverage_union_all(parts).normalize()


def _count(shapes: list[Polygon], xy: F64, people: F64) -> list[int]:
    """People of each community, from the homes in it."""
    tree = shapely.STRtree(shapes)
    home, shape = tree.query(shapely.points(xy), predicate="intersects")
    _home, first = np.unique(home, return_index=True)
    total = np.bincount(shape[first], weights=people[home[first]], minlength=len(shapes))
    return [max(1, round(t)) for t in total.tolist()]


def _names(count: int) -> list[str]:
    town = [*names.COMMUNITIES[:URBAN]]
    land = [*names.COMMUNITIES[-RURAL:]]
    return (town + land)[:count]


def _streets(seeds: F64) -> list[int]:
    return [int(i) for i in cKDTree(np.array(STREET_CENTRES, dtype=np.float64)).query(seeds)[1]]


def _degrees(shape: Polygon) -> Polygon:
    rings = [to_lonlat(warp(np.asarray(r.coords))) for r in (shape.exterior, *shape.interiors)]
    return Polygon(rings[0], rings[1:])
