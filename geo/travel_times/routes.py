"""The way from a place to a station: the times of the search, walked back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geo.models import F64, I32, I64, RoadNetwork
from geo.sphere import great_circle_steps_m
from geo.travel_times.graph import Graph, Points, arcs_of
from geo.travel_times.search import along_edge


@dataclass(frozen=True, slots=True)
class Route:
    """Parts of edges in the order in which they are met from the target on, each from ``from_m`` to ``to_m``.

    ``seconds``: of the whole, access legs and waits included.
    """

    edge: I32
    from_m: F64
    to_m: F64
    seconds: float


@dataclass(frozen=True, slots=True)
class Arcs:
    """The arcs of a graph by the place at their head: CSR inner number → ``tail``, ``seconds``, ``over``.

    ``over``: ``2 * edge`` where the search runs along an edge from u to v, ``+ 1`` from v to u, -1 for a turn
    at a node.
    """

    row: I64
    tail: I32
    seconds: F64
    over: I32


def arcs_by_head(graph: Graph) -> Arcs:
    """The arcs of a graph the other way round."""
    order = np.argsort(graph.head, kind="stable")
    tail = np.repeat(np.arange(len(graph.node), dtype=np.int32), np.diff(graph.row))
    row = np.zeros(len(graph.node) + 1, dtype=np.int64)
    np.cumsum(np.bincount(graph.head, minlength=len(graph.node)), out=row[1:])
    tails, _heads, over = arcs_of(graph.places, graph.out_s_per_m, graph.back_s_per_m)
    over = over[np.argsort(graph.rank[tails], kind="stable")]  # as the graph has them
    return Arcs(row, tail[order], graph.seconds[order], over[order])


def route_back(
    graph: Graph, arcs: Arcs, near: Points, far: Points, reached: dict[int, float]
) -> Route | None:
    """The quickest way between a source and a target, one each; None where there is none.

    ``reached``: inner number of each place that the search from the source reached → seconds.
    """
    if near.edge[0] < 0 or far.edge[0] < 0:
        return None
    edge, length_m = int(far.edge[0]), float(graph.length_m[far.edge[0]])
    ways = [
        (reached.get(int(far.u[0]), np.inf) + float(far.u_s[0]), 0.0, int(far.u[0])),
        (reached.get(int(far.v[0]), np.inf) + float(far.v_s[0]), length_m, int(far.v[0])),
    ]
    if near.edge[0] == edge:
        straight_s = along_edge(
            near.offset_m[0], near.access_s[0], far.offset_m[0], far.access_s[0],
            graph.out_s_per_m[edge], graph.back_s_per_m[edge],
        )  # fmt: skip
        ways.append((straight_s, float(near.offset_m[0]), -1))
    seconds, end_m, place = min(ways)
    if not np.isfinite(seconds):
        return None
    parts = [(edge, float(far.offset_m[0]), end_m)]
    seen = set[int]()
    while place >= 0:
        seen.add(place)
        so_far = reached[place]
        for source, source_s, from_m in (
            (int(near.u[0]), near.u_s[0], 0.0), (int(near.v[0]), near.v_s[0], float(graph.length_m[near.edge[0]])),
        ):  # fmt: skip
            if place == source and so_far == source_s:
                parts.append((int(near.edge[0]), from_m, float(near.offset_m[0])))
                return _route(parts, seconds)
        before = [
            (reached[tail], tail, over)
            for tail, arc_s, over in _into(arcs, place)
            if tail not in seen and tail in reached and reached[tail] + arc_s == so_far
        ]
        _time, place, over = min(before)
        if over >= 0:
            edge, from_v = over >> 1, over & 1
            length_m = float(graph.length_m[edge])
            # back from the head to the tail
            parts.append((edge, 0.0, length_m) if from_v else (edge, length_m, 0.0))
    return _route(parts, seconds)


def _route(parts: list[tuple[int, float, float]], seconds: float) -> Route:
    kept = [part for part in parts if part[1] != part[2]]
    edge, from_m, to_m = (np.array([part[i] for part in kept], dtype=np.float64) for i in range(3))
    return Route(edge.astype(np.int32), from_m, to_m, float(seconds))


def _into(arcs: Arcs, place: int) -> list[tuple[int, float, int]]:
    part = slice(arcs.row[place], arcs.row[place + 1])
    return list(
        zip(arcs.tail[part].tolist(), arcs.seconds[part].tolist(), arcs.over[part].tolist(), strict=True)
    )


def route_line(route: Route, network: RoadNetwork) -> F64:
    """The route as longitude and latitude of its corners, n × 2.

    >>> from geo.travel_times import Router, snap
    >>> from tests.toy import lonlat, toy_network
    >>> road = toy_network([(0, 0), (900, 0), (900, 300)], [(0, 1), (1, 2)])
    >>> station, home = (snap(road, *lonlat([at])) for at in ((900, 200), (400, 0)))
    >>> way = Router(road, mode="walk").route(station, home, limit_s=900)
    >>> way.edge.tolist(), round(way.seconds), len(route_line(way, road))
    ([0, 1], 630, 3)
    """
    corners, geometry = [np.empty((0, 2))], network.geometry
    for edge, from_m, to_m in zip(
        route.edge.tolist(), route.from_m.tolist(), route.to_m.tolist(), strict=True
    ):
        part = slice(geometry.start[edge], geometry.start[edge + 1])
        lon, lat = geometry.lon[part], geometry.lat[part]
        along = np.concatenate(([0.0], np.cumsum(great_circle_steps_m(lon, lat))))
        along *= network.length_m[edge] / along[-1] if along[-1] > 0.0 else 0.0
        low, high = sorted((from_m, to_m))
        at = np.concatenate(([low], along[(along > low) & (along < high)], [high]))
        line = np.column_stack((np.interp(at, along, lon), np.interp(at, along, lat)))
        corners.append(line if from_m < to_m else line[::-1])
    joined = np.concatenate(corners)
    keep = np.ones(len(joined), dtype=np.bool_)
    keep[1:] = (joined[1:] != joined[:-1]).any(axis=1)
    return joined[keep]
