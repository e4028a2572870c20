"""Road edges → long strokes of one drawing class, simplified: fewer points, same picture."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.models import BARRIER_KINDS, F64, I32, Lines, RoadNetwork
from geo.redmap import codec

# drawing classes, in the order in which the page hides them when zooming out
MAJOR, MIDDLE, LOCAL, PATH, WATER, RAILWAY = range(6)
_MAJOR = ("motorway", "trunk", "primary")
_MIDDLE = ("secondary", "tertiary")
_PATH = ("footway", "path", "steps", "pedestrian", "cycleway", "track", "bridleway", "platform", "corridor")
_STRAIGHT_COS = -0.7  # two ends make one stroke where the way bends by less than 45 degrees
TOLERANCE_M = 4.0


def draw_class(name: str) -> int:
    """The drawing class of an OSM ``highway`` value.

    >>> draw_class("primary_link"), draw_class("residential"), draw_class("steps")
    (0, 2, 3)
    """
    stem = name.removesuffix("_link")
    if stem in _MAJOR:
        return MAJOR
    if stem in _MIDDLE:
        return MIDDLE
    return PATH if stem in _PATH else LOCAL


def base_map(network: RoadNetwork, *, tolerance_m: float = TOLERANCE_M) -> tuple[Any, NDArray[np.int64]]:
    """The base map's lines and their drawing classes: roads as strokes, then water and railways.

    Lines are shapely LineStrings in Mercator metres, simplified by Douglas-Peucker with
    ``tolerance_m`` (on the ground).
    """
    of_class = np.array([draw_class(n) for n in network.class_names] or [LOCAL], dtype=np.int64)
    classes = of_class[network.way_class.astype(np.int64)]
    roads, road_class = _strokes(network.geometry, network.edge_u, network.edge_v, classes)
    around = network.surroundings
    kind = np.array([BARRIER_KINDS[k] for k in around.barrier_kind], dtype=object)
    shown = [i for i in range(len(around.barriers)) if kind[i] in ("water", "railway")]
    points = codec.mercator(around.barriers.lon, around.barriers.lat)
    others = [points[around.barriers.start[i] : around.barriers.start[i + 1]] for i in shown]
    other_class = [WATER if kind[i] == "water" else RAILWAY for i in shown]
    pairs = [(line, c) for line, c in zip([*roads, *others], [*road_class, *other_class], strict=True)
             if len(line) > 1]  # fmt: skip
    lat = float(network.node_lat.mean()) if network.node_count else 0.0
    lines = np.array([shapely.LineString(line) for line, _ in pairs], dtype=object)
    lines = shapely.simplify(lines, tolerance_m * codec.ground_scale(lat), preserve_topology=False)
    return lines, np.array([c for _, c in pairs], dtype=np.int64)


def _strokes(geometry: Lines, u: I32, v: I32, classes: NDArray[np.int64]) -> tuple[list[F64], list[int]]:
    points = codec.mercator(geometry.lon, geometry.lat)
    lines = [points[geometry.start[e] : geometry.start[e + 1]] for e in range(len(geometry))]
    mate = _mates(lines, u, v, classes)
    done = np.zeros(len(lines), dtype=bool)
    strokes, stroke_class = [], []
    # open strokes begin at an end without a mate; what is left afterwards are rings
    for first in [*np.flatnonzero(mate < 0).tolist(), *range(0, 2 * len(lines), 2)]:
        if done[first >> 1]:
            continue
        chain: list[F64] = []
        end = first
        while end >= 0 and not done[end >> 1]:
            done[end >> 1] = True
            line = lines[end >> 1]
            line = line[::-1] if end & 1 else line
            chain.append(line if not chain else line[1:])
            end = int(mate[end ^ 1])
        strokes.append(np.concatenate(chain))
        stroke_class.append(int(classes[first >> 1]))
    return strokes, stroke_class


def _mates(lines: list[F64], u: I32, v: I32, classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The end that continues each end (2e: at u, 2e + 1: at v), -1 where the stroke stops."""
    mate = np.full(2 * len(lines), -1, dtype=np.int64)
    at_node: dict[tuple[int, int], list[int]] = defaultdict(list)
    heading = np.zeros((2 * len(lines), 2))
    for e, line in enumerate(lines):
        if len(line) < 2:
            continue
        for end, step in ((2 * e, line[1] - line[0]), (2 * e + 1, line[-2] - line[-1])):
            heading[end] = step / (np.hypot(step[0], step[1]) or 1.0)
            at_node[int(u[e] if end == 2 * e else v[e]), int(classes[e])].append(end)
    for ends in at_node.values():
        pairs = [(float(heading[a] @ heading[b]), a, b)
                 for i, a in enumerate(ends) for b in ends[i + 1 :] if a >> 1 != b >> 1]  # fmt: skip
        for cosine, a, b in sorted(pairs):
            if cosine <= _STRAIGHT_COS and mate[a] < 0 and mate[b] < 0:
                mate[a], mate[b] = b, a
    return mate
