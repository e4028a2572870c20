"""Free lines → ways that share nodes: where ground-level ways cross or touch, they meet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.models import F64
from geo.sample.layout import Point, Way

TOUCH_M = 0.8
STUB_M = 16.0
SMALL_PART_M = 400.0


def join(ways: Sequence[Way]) -> list[Way]:
    """Insert common vertices where ways meet, merge vertices closer than :data:`TOUCH_M`.

    Dead ends shorter than :data:`STUB_M` and islands shorter than :data:`SMALL_PART_M` are dropped.
    """
    met = _merge(_cross(list(ways)))
    return _drop_islands(_trim(met))


def _cross(ways: list[Way]) -> list[Way]:
    lines = np.array([shapely.LineString(w.points) for w in ways])
    tree = shapely.STRtree(lines)
    extra: list[list[tuple[float, Point]]] = [[] for _ in ways]
    ground = np.array([w.ground for w in ways])
    a, b = tree.query(lines, predicate="intersects")
    keep = (a < b) & ground[a] & ground[b]
    for i, j in sorted(zip(a[keep].tolist(), b[keep].tolist(), strict=True)):
        for point in _points(shapely.intersection(lines[i], lines[j])):
            for k in (i, j):
                extra[k].append((float(lines[k].project(shapely.Point(point))), point))
    # ends that all but touch another line
    ends = [(i, w.points[k]) for i, w in enumerate(ways) for k in (0, -1)]
    where = shapely.points([p for _i, p in ends])
    e, k = tree.query(where, predicate="dwithin", distance=TOUCH_M)
    for end, line in sorted(zip(e.tolist(), k.tolist(), strict=True)):
        owner, point = ends[end]
        if line != owner and ground[line]:
            extra[line].append((float(lines[line].project(where[end])), point))
    return [Way(_with(w.points, more), w.tags, w.ground, w.ring) for w, more in zip(ways, extra, strict=True)]


def _points(shape: shapely.Geometry) -> list[Point]:
    parts = shapely.get_parts(shape) if hasattr(shape, "geoms") else [shape]
    found: list[Point] = []
    for part in parts:
        coords = list(part.coords) if not part.is_empty else []
        found += [(x, y) for x, y in ((coords[0], coords[-1]) if len(coords) > 1 else coords)]
    return found


def _with(points: list[Point], more: list[tuple[float, Point]]) -> list[Point]:
    if not more:
        return points
    along = [0.0]
    for p, q in pairwise(points):
        along.append(along[-1] + math.dist(p, q))
    return [p for _s, p in sorted([*zip(along, points, strict=True), *more])]


def _merge(ways: list[Way]) -> list[Way]:
    """Give vertices that lie closer than the tolerance one place; bridge decks keep to themselves."""
    owner = [(i, k) for i, w in enumerate(ways) for k in range(len(w.points))]
    xy = np.array([ways[i].points[k] for i, k in owner])
    level = np.array([
        0 if ways[i].ground or k in (0, len(ways[i].points) - 1) else i + 1 for i, k in owner
    ])  # fmt: skip
    pairs = cKDTree(xy).query_pairs(TOUCH_M, output_type="ndarray")
    pairs = pairs[level[pairs[:, 0]] == level[pairs[:, 1]]]
    _n, label = connected_components(
        coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(xy), len(xy))), directed=False
    )
    first: dict[int, Point] = {}
    for part, place in zip(label.tolist(), xy.tolist(), strict=True):
        first.setdefault(part, (place[0], place[1]))
    made = []
    at = 0
    for w in ways:
        places = [first[p] for p in label[at : at + len(w.points)].tolist()]
        at += len(w.points)
        points = [places[0], *(q for p, q in pairwise(places) if p != q)]
        if len(points) > 1:
            made.append(Way(points, w.tags, w.ground, w.ring))
    return made


def _uses(ways: list[Way]) -> dict[Point, int]:
    count: dict[Point, int] = {}
    for w in ways:
        for p in w.points:
            count[p] = count.get(p, 0) + 1
    return count


def _trim(ways: list[Way]) -> list[Way]:
    count = _uses(ways)
    made = []
    for w in ways:
        points = list(w.points)
        for _side in range(2):
            points.reverse()
            length = 0.0
            for k in range(1, len(points)):
                if count[points[0]] > 1:
                    break
                length += math.dist(points[k - 1], points[k])
                if count[points[k]] > 1 or k == len(points) - 1:
                    if length < STUB_M:
                        points = points[k:]
                    break
        if len(points) > 1:
            made.append(Way(points, w.tags, w.ground, w.ring))
    return made


def _drop_islands(ways: list[Way]) -> list[Way]:
    number = {p: i for i, p in enumerate(_uses(ways))}
    u = [number[w.points[0]] for w in ways for _p in w.points]
    v = [number[p] for w in ways for p in w.points]
    _n, label = connected_components(
        coo_array((np.ones(len(u)), (u, v)), shape=(len(number), len(number))), directed=False
    )
    part = [int(label[number[w.points[0]]]) for w in ways]
    total: dict[int, float] = {}
    for w, p in zip(ways, part, strict=True):
        total[p] = total.get(p, 0.0) + shapely.LineString(w.points).length
    return [w for w, p in zip(ways, part, strict=True) if total[p] >= SMALL_PART_M]


def densify(points: Sequence[Point], step_m: float) -> F64:
    """The polyline with vertices at most ``step_m`` apart; given vertices are kept.

    >>> densify([(0.0, 0.0), (50.0, 0.0)], 20.0).tolist()
    [[0.0, 0.0], [16.666666666666664, 0.0], [33.33333333333333, 0.0], [50.0, 0.0]]
    """
    made = [np.asarray(points[:1], dtype=np.float64)]
    for p, q in pairwise(points):
        count = max(1, math.ceil(math.dist(p, q) / step_m))
        t = (np.arange(1, count + 1) / count)[:, None]
        made.append(np.asarray(p) * (1 - t) + np.asarray(q) * t)
        made[-1][-1] = q
    return np.vstack(made)
