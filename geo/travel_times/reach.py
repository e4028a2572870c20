"""Which parts of the edges lie within a time: the raw material of isochrones."""

from __future__ import annotations

import numpy as np

from geo.config import WALK_KMH
from geo.models import F64, I32, I64, Bool, Direction, Mode, RoadNetwork, Snapped, Stretches
from geo.travel_times.costs import check_options
from geo.travel_times.graph import AT_NODE_M, build_graph, source_points


def stretches(
    network: RoadNetwork,
    sources: Snapped,
    node_seconds: F64,
    *,
    mode: Mode,
    limit_s: float,
    speed_kmh: float | None = None,
    access_speed_kmh: float = WALK_KMH,
    direction: Direction = "to_station",
    signal_wait_s: float = 0.0,
) -> Stretches:
    """The parts of edges from which (to which) a source is within ``limit_s``.

    ``node_seconds``: one time a node, ``inf`` where none: the ``node_seconds`` of :func:`nearest`,
    or a row of :func:`reach_nodes` made dense, found with the same ``sources`` and options and a
    limit of at least ``limit_s``. Every part grows from an end of its edge that is reached, or from
    a source on the edge itself (its access leg counted). Parts are merged, so those of one edge are
    disjoint; they ascend by edge and position. Edges closed to the mode have none, and a one-way
    edge is reached against the search only up to its sources.

    Raises :class:`geo.errors.InputError` for options that cannot be.

    >>> from geo.travel_times import snap
    >>> from tests.toy import lonlat, toy_network
    >>> road = toy_network([(0, 0), (900, 0)], [(0, 1)])
    >>> part = stretches(road, snap(road, *lonlat([(300, 0)])), np.full(2, np.inf), mode="walk", limit_s=90)
    >>> part.from_m.round(3), part.to_m.round(3)
    (array([200.]), array([400.]))
    """
    check_options(limit_s=limit_s)
    graph = build_graph(
        network, mode=mode, direction=direction, speed_kmh=speed_kmh, signal_wait_s=signal_wait_s
    )
    near = source_points(graph, sources, access_speed_kmh=access_speed_kmh)
    out, back, length = graph.out_s_per_m, graph.back_s_per_m, graph.length_m
    # An unreached node has nothing left, under an infinite limit too.
    left_at = np.where(np.isfinite(node_seconds), limit_s, 0.0) - (node_seconds + graph.half_wait_s)
    left_u, left_v = left_at[graph.edge_u], left_at[graph.edge_v]
    from_u = np.flatnonzero((left_u >= 0) & np.isfinite(out))
    from_v = np.flatnonzero((left_v >= 0) & np.isfinite(back))
    here = np.flatnonzero((near.edge >= 0) & (near.access_s <= limit_s))
    at, left = near.edge[here], limit_s - near.access_s[here]
    middle = near.offset_m[here]
    ahead = np.divide(left, out[at], out=np.zeros(len(at)), where=np.isfinite(out[at]))
    behind = np.divide(left, back[at], out=np.zeros(len(at)), where=np.isfinite(back[at]))
    edge = np.concatenate((from_u, from_v, at)).astype(np.int32)
    start = np.concatenate(
        (
            np.zeros(len(from_u)),
            np.maximum(length[from_v] - left_v[from_v] / back[from_v], 0.0),
            np.maximum(middle - behind, 0.0),
        )
    )
    stop = np.concatenate(
        (
            np.minimum(left_u[from_u] / out[from_u], length[from_u]),
            length[from_v],
            np.minimum(middle + ahead, length[at]),
        )
    )
    return _merged(edge, start, stop)


def _merged(edge: I32, start: F64, stop: F64) -> Stretches:
    """Unite parts of the same edge that overlap or touch; parts of no length go."""
    keep = stop > start
    order = np.lexsort((stop[keep], start[keep], edge[keep]))
    edge, start, stop = edge[keep][order], start[keep][order], stop[keep][order]
    if len(edge) == 0:
        return Stretches(edge, start, stop)
    edge_first: Bool = np.concatenate(([True], edge[1:] != edge[:-1]))
    reached = _running_maximum(stop, edge_first)
    opens: Bool = edge_first.copy()
    opens[1:] |= start[1:] > reached[:-1] + AT_NODE_M
    first: I64 = np.flatnonzero(opens)
    last = np.concatenate((first[1:], [len(edge)])) - 1
    return Stretches(edge[first], start[first], reached[last])


def _running_maximum(values: F64, group_first: Bool) -> F64:
    """The greatest value so far within each group of consecutive items."""
    result = values.copy()
    sizes = np.diff(np.append(np.flatnonzero(group_first), len(values)))
    first = np.flatnonzero(group_first)
    # Most edges carry one or two parts: a pass per further part is cheaper than a compiled loop.
    for step in range(1, int(sizes.max())):
        at = first[sizes > step] + step
        result[at] = np.maximum(result[at], result[at - 1])
    return result
