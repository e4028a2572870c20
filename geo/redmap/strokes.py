"""Road edges → long strokes of one drawing class, simplified: fewer points, same picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.models import BARRIER_KINDS, F64, I32, I64, BarrierKind, Lines, RoadNetwork
from geo.redmap import codec

# drawing classes, in the order in which the page hides them when zooming out
MAJOR, MIDDLE, LOCAL, PATH, WATER, RAILWAY, MOTORWAY = range(7)
_BARRIER_CLASS: dict[BarrierKind, int] = {"water": WATER, "railway": RAILWAY, "motorway": MOTORWAY}
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
    """The base map's lines and their drawing classes: roads as strokes, then what parts people.

    That is water, railways and motorways, whether or not the last are among the roads. Lines are shapely LineStrings in Mercator metres, simplified by Douglas-Peucker with
    ``tolerance_m`` (on the ground).
    """
    of_class = np.array([draw_class(n) for n in network.class_names] or [LOCAL], dtype=np.int64)
    classes = of_class[network.way_class.astype(np.int64)]
    xy, stroke, road_class = _strokes(network.geometry, network.edge_u, network.edge_v, classes)
    around = network.surroundings
    beside = np.array([_BARRIER_CLASS.get(kind, -1) for kind in BARRIER_KINDS], dtype=np.int64)[
        around.barrier_kind
    ]
    shown = np.flatnonzero(beside >= 0)
    index, count = _rows(around.barriers.start, shown)
    points = codec.mercator(around.barriers.lon[index], around.barriers.lat[index])
    owner = np.concatenate((stroke, len(road_class) + np.repeat(np.arange(len(shown)), count)))
    every = np.concatenate((road_class, beside[shown]))
    enough = np.bincount(owner, minlength=len(every)) > 1
    xy, owner = np.concatenate((xy, points))[enough[owner]], owner[enough[owner]]
    lines = shapely.linestrings(xy, indices=np.cumsum(enough)[owner] - 1) if len(xy) else np.array([])
    lat = float(network.node_lat.mean()) if network.node_count else 0.0
    lines = codec.rough_lines(lines, tolerance_m * codec.ground_scale(lat))
    return lines, every[enough]


def _rows(start: I64, rows: I64) -> tuple[I64, I64]:
    """The places of the points of some polylines, line by line, and their numbers."""
    count = start[rows + 1] - start[rows]
    first = np.cumsum(count) - count
    return np.repeat(start[rows] - first, count) + np.arange(count.sum()), count


def _strokes(
    geometry: Lines, u: I32, v: I32, classes: NDArray[np.int64]
) -> tuple[F64, I64, NDArray[np.int64]]:
    """Points of all strokes (Mercator metres), the stroke of each, and the class of each stroke."""
    points = codec.mercator(geometry.lon, geometry.lat)
    mate = _mates(points, geometry.start, u, v, classes)
    # open strokes begin at an end without a mate; what is left afterwards are rings
    starts = [*np.flatnonzero(mate < 0).tolist(), *range(0, len(mate), 2)]
    mates, done = mate.tolist(), bytearray(len(u))
    ends: list[int] = []
    heads: list[int] = []
    for first in starts:
        if done[first >> 1]:
            continue
        heads.append(len(ends))
        end = first
        while end >= 0 and not done[end >> 1]:
            done[end >> 1] = 1
            ends.append(end)
            end = mates[end ^ 1]
    end_of = np.array(ends, dtype=np.int64)
    edge, backward = end_of >> 1, (end_of & 1).astype(bool)
    index, count = _rows(geometry.start, edge)
    turn = np.repeat(backward, count)
    mirrored = np.repeat(geometry.start[edge] + geometry.start[edge + 1] - 1, count) - index
    index = np.where(turn, mirrored, index)
    head = np.zeros(len(edge), dtype=bool)
    head[heads] = True
    # an edge that continues a stroke begins where the one before ended
    keep = np.ones(len(index), dtype=bool)
    begins = (np.cumsum(count) - count)[count > 0]
    keep[begins[~head[count > 0]]] = False
    stroke = np.repeat(np.cumsum(head) - 1, count)
    return points[index[keep]], stroke[keep], classes[edge[head]]


def _mates(points: F64, start: I64, u: I32, v: I32, classes: NDArray[np.int64]) -> I64:
    """The end that continues each end (2e: at u, 2e + 1: at v), -1 where the stroke stops."""
    mate = np.full(2 * len(u), -1, dtype=np.int64)
    edges = np.flatnonzero(np.diff(start) > 1)
    low, high = start[edges], start[edges + 1] - 1
    step = np.stack((points[low + 1] - points[low], points[high - 1] - points[high]), axis=1).reshape(-1, 2)
    length = np.hypot(step[:, 0], step[:, 1])
    heading = step / np.where(length > 0, length, 1.0)[:, None]
    end = np.column_stack((2 * edges, 2 * edges + 1)).ravel()
    node = np.column_stack((u[edges], v[edges])).ravel().astype(np.int64)
    key = node * (int(classes.max(initial=0)) + 1) + np.repeat(classes[edges], 2)
    order = np.argsort(key, kind="stable")
    key, end, heading = key[order], end[order], heading[order]
    found: list[tuple[F64, I64, I64]] = []
    for apart in range(1, len(key)):
        i = np.flatnonzero(key[apart:] == key[:-apart])
        if len(i) == 0:
            break
        cosine = (heading[i] * heading[i + apart]).sum(axis=1)
        good = (cosine <= _STRAIGHT_COS) & (end[i] >> 1 != end[i + apart] >> 1)
        found.append((cosine[good], end[i[good]], end[i[good] + apart]))
    if not found:
        return mate
    cosine, one, other = (np.concatenate(column) for column in zip(*found, strict=True))
    # the straightest pair first, at all places at once: pairs of different places do not meet
    best = np.lexsort((other, one, cosine))
    partner = mate.tolist()
    for a, b in zip(one[best].tolist(), other[best].tolist(), strict=True):
        if partner[a] < 0 and partner[b] < 0:
            partner[a], partner[b] = b, a
    return np.array(partner, dtype=np.int64)
