"""Travel times from stations: to the nearest of them, or from each, as a sparse matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geo.compiled import in_chunks
from geo.config import WALK_KMH
from geo.models import F64, I32, I64, Direction, Mode, NearestField, RoadNetwork, Snapped, TravelMatrix
from geo.travel_times.costs import check_options
from geo.travel_times.graph import Graph, Points, build_graph, source_points, target_points
from geo.travel_times.search import (
    bucket_width_s,
    merge_nearest,
    nearest_nodes,
    nearest_targets,
    rows_of_nodes,
    rows_of_targets,
)

# Fewer searches than this are not worth a working set of their own.
SMALLEST_CHUNK = 4
FIELD_THREADS = 2  # each holds a field of its own: the memory is that of the network


def nearest(
    network: RoadNetwork,
    sources: Snapped,
    targets: Snapped,
    *,
    mode: Mode,
    limit_s: float,
    speed_kmh: float | None = None,
    access_speed_kmh: float = WALK_KMH,
    direction: Direction = "to_station",
    signal_wait_s: float = 0.0,
) -> NearestField:
    """Seconds between every target (and node) and the nearest source, where at most ``limit_s``.

    Seconds are the access leg of the source, the way along the network and the access leg of the
    target (none for a node); access legs are walked at ``access_speed_kmh``. Both ends of a target's
    edge count, and so does the way straight along an edge that it shares with a source. With
    ``to_station`` the way runs from the target to the source, else the other way. ``limit_s`` is
    compared with no tolerance; ``inf`` is allowed. Of equally near sources the first wins. Sources
    and targets that are not linked reach nothing. ``signal_wait_s``: see :func:`edge_seconds`.

    Raises :class:`geo.errors.InputError` for options that cannot be.

    >>> from geo.travel_times import snap
    >>> from tests.toy import lonlat, toy_network
    >>> road = toy_network([(0, 0), (900, 0)], [(0, 1)])
    >>> station, homes = snap(road, *lonlat([(100, 0)])), snap(road, *lonlat([(700, 10), (850, 0)]))
    >>> nearest(road, station, homes, mode="walk", limit_s=600).seconds.round(3)
    array([549.,  inf])
    """
    check_options(limit_s=limit_s)
    graph = build_graph(
        network, mode=mode, direction=direction, speed_kmh=speed_kmh, signal_wait_s=signal_wait_s
    )
    near = source_points(graph, sources, access_speed_kmh=access_speed_kmh)
    far = target_points(graph, targets, access_speed_kmh=access_speed_kmh)
    inner_s, inner_label = _nearest_nodes(graph, near, limit_s)
    by_edge = np.argsort(near.edge, kind="stable").astype(np.int32)
    seconds, label = nearest_targets(
        inner_s,
        inner_label,
        by_edge,
        near.edge[by_edge],
        near.offset_m,
        near.access_s,
        far.edge,
        far.offset_m,
        far.access_s,
        far.u,
        far.v,
        far.u_s,
        far.v_s,
        graph.out_s_per_m,
        graph.back_s_per_m,
        float(limit_s),
    )
    return NearestField(seconds, label, inner_s[graph.rank], inner_label[graph.rank])


def matrix(
    network: RoadNetwork,
    sources: Snapped,
    targets: Snapped,
    *,
    mode: Mode,
    limit_s: float,
    speed_kmh: float | None = None,
    access_speed_kmh: float = WALK_KMH,
    direction: Direction = "to_station",
    signal_wait_s: float = 0.0,
) -> TravelMatrix:
    """Seconds between every source (row) and every target (column) that are within ``limit_s``.

    Meaning, options and errors as for :func:`nearest`, whose seconds are the least of each column.
    Memory is that of the result and a few arrays of the size of the network for each thread.

    >>> from geo.travel_times import snap
    >>> from tests.toy import lonlat, toy_network
    >>> road = toy_network([(0, 0), (900, 0)], [(0, 1)])
    >>> ends = snap(road, *lonlat([(0, 0), (300, 0), (900, 0)]))
    >>> within = matrix(road, ends, ends, mode="walk", limit_s=300)
    >>> within.indptr, within.indices, within.seconds.round(3)
    (array([0, 2, 4, 5]), array([0, 1, 0, 1, 2], dtype=int32), array([  0., 270., 270.,   0.,   0.]))
    """
    check_options(limit_s=limit_s)
    graph = build_graph(
        network, mode=mode, direction=direction, speed_kmh=speed_kmh, signal_wait_s=signal_wait_s
    )
    near = source_points(graph, sources, access_speed_kmh=access_speed_kmh)
    far = target_points(graph, targets, access_speed_kmh=access_speed_kmh)
    use_u, use_v = np.flatnonzero(np.isfinite(far.u_s)), np.flatnonzero(np.isfinite(far.v_s))
    at = np.concatenate((far.u[use_u], far.v[use_v]))
    order = np.argsort(at, kind="stable")
    link_row = np.zeros(len(graph.node) + 1, dtype=np.int64)
    np.cumsum(np.bincount(at, minlength=len(graph.node)), out=link_row[1:])
    link_target = np.concatenate((use_u, use_v))[order].astype(np.int32)
    link_s = np.concatenate((far.u_s[use_u], far.v_s[use_v]))[order]
    by_edge = np.argsort(far.edge, kind="stable").astype(np.int32)
    target_edge = far.edge[by_edge]

    width_s, buckets = bucket_width_s(graph.seconds, np.column_stack((near.u_s, near.v_s)), float(limit_s))

    def rows(first: int, last: int) -> tuple[I64, I32, F64]:
        return rows_of_targets(
            graph.row,
            graph.head,
            graph.seconds,
            first,
            last,
            near.u,
            near.v,
            near.u_s,
            near.v_s,
            near.edge,
            near.offset_m,
            near.access_s,
            link_row,
            link_target,
            link_s,
            by_edge,
            target_edge,
            far.offset_m,
            far.access_s,
            graph.out_s_per_m,
            graph.back_s_per_m,
            float(limit_s),
            width_s,
            buckets,
        )

    return _joined(in_chunks(len(sources), SMALLEST_CHUNK, rows), (len(sources), len(targets)))


def reach_nodes(
    network: RoadNetwork,
    sources: Snapped,
    *,
    mode: Mode,
    limit_s: float,
    speed_kmh: float | None = None,
    access_speed_kmh: float = WALK_KMH,
    direction: Direction = "to_station",
    signal_wait_s: float = 0.0,
) -> TravelMatrix:
    """Seconds between every source (row) and every node (column) that are within ``limit_s``.

    Meaning, options and errors as for :func:`nearest`; nodes have no access leg. Where turns are banned
    (``drive``), columns of the copies of nodes that they call for follow those of the nodes, as in
    :class:`geo.models.NearestField`.

    >>> from geo.travel_times import snap
    >>> from tests.toy import lonlat, toy_network
    >>> road = toy_network([(0, 0), (900, 0)], [(0, 1)])
    >>> reach_nodes(road, snap(road, *lonlat([(300, 0)])), mode="walk", limit_s=300).indices
    array([0], dtype=int32)
    """
    check_options(limit_s=limit_s)
    graph = build_graph(
        network, mode=mode, direction=direction, speed_kmh=speed_kmh, signal_wait_s=signal_wait_s
    )
    near = source_points(graph, sources, access_speed_kmh=access_speed_kmh)

    width_s, buckets = bucket_width_s(graph.seconds, np.column_stack((near.u_s, near.v_s)), float(limit_s))

    def rows(first: int, last: int) -> tuple[I64, I32, F64]:
        return rows_of_nodes(
            graph.row,
            graph.head,
            graph.seconds,
            graph.node,
            first,
            last,
            near.u,
            near.v,
            near.u_s,
            near.v_s,
            float(limit_s),
            width_s,
            buckets,
        )

    return _joined(in_chunks(len(sources), SMALLEST_CHUNK, rows), (len(sources), len(graph.node)))


def _nearest_nodes(graph: Graph, near: Points, limit_s: float) -> tuple[F64, I32]:
    """One field over the inner nodes, a thread for each part of the sources, neighbours together."""
    order = np.argsort(near.u, kind="stable")
    width_s, buckets = bucket_width_s(graph.seconds, np.column_stack((near.u_s, near.v_s)), float(limit_s))
    parts = np.array_split(order, min(FIELD_THREADS, max(1, len(order) // SMALLEST_CHUNK)))

    def some(first: int, _last: int) -> tuple[F64, I32]:
        return nearest_nodes(
            graph.row, graph.head, graph.seconds, near.u, near.v, near.u_s, near.v_s, float(limit_s),
            parts[first], width_s, buckets,
        )  # fmt: skip

    (best, label), *others = in_chunks(len(parts), 1, some)
    for other in others:
        merge_nearest(best, label, *other)
    return best, label


def _joined(parts: Sequence[tuple[I64, I32, F64]], shape: tuple[int, int]) -> TravelMatrix:
    counts = np.concatenate([np.zeros(1, dtype=np.int64), *(part[0] for part in parts)])
    indices = np.concatenate([np.empty(0, dtype=np.int32), *(part[1] for part in parts)])
    seconds = np.concatenate([np.empty(0), *(part[2] for part in parts)])
    return TravelMatrix(np.cumsum(counts), indices, seconds, shape)
