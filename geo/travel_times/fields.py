"""From stations to targets and nodes: the nearest of many, or each by itself as a sparse matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geo.compiled import Pool, in_chunks
from geo.models import F64, I32, I64, NearestField, TravelMatrix
from geo.travel_times.graph import Graph, Points
from geo.travel_times.search import (
    bucket_width_s,
    give_out,
    nearest_targets,
    rows_of_nodes,
    rows_of_targets,
    spread_some,
    take_in,
)
from geo.travel_times.working import Working

# Fewer searches than this are not worth a thread of their own.
SMALLEST_CHUNK = 4
SMALL = 100_000  # places
FIELD_THREADS = 2  # each has a working set of its own: the memory is that of the network


def nearest_field(
    graph: Graph, pool: Pool[Working], near: Points, far: Points, limit_s: float
) -> NearestField:
    """Seconds and row of the nearest source for every target and node."""
    by_edge = np.argsort(near.edge, kind="stable").astype(np.int32)
    node_s, node_label = np.full(len(graph.node), np.inf), np.full(len(graph.node), -1, dtype=np.int32)
    with pool.one() as lent:
        # where places are numbered as the search has them, it works in the result itself
        inner = Working(node_s, node_label, lent.touched) if graph.in_order else lent
        count = _spread_all(graph, pool, near, limit_s, inner)
        seconds, label = nearest_targets(
            inner.best, inner.labels, by_edge, near.edge[by_edge], near.offset_m, near.access_s,
            far.edge, far.offset_m, far.access_s, far.u, far.v, far.u_s, far.v_s,
            graph.out_s_per_m, graph.back_s_per_m, limit_s,
        )  # fmt: skip
        if not graph.in_order:
            give_out(*inner, count, graph.node, node_s, node_label)
    return NearestField(seconds, label, node_s, node_label)


def _spread_all(graph: Graph, pool: Pool[Working], near: Points, limit_s: float, into: Working) -> int:
    """One field over the inner nodes, a thread for each part of the sources, neighbours together."""
    width, buckets = buckets_of(graph, near, limit_s)
    order = np.argsort(near.u, kind="stable")
    # a small network is in the cache as a whole: all sources begin at once, and nothing is settled twice
    small = len(graph.node) <= SMALL
    threads = 1 if small else min(FIELD_THREADS, max(1, len(order) // SMALLEST_CHUNK))
    parts, together = np.array_split(order, threads), len(order) if small else 1

    def some(part: I64, working: Working) -> int:
        return int(
            spread_some(
                graph.row, graph.head, graph.seconds, near.u, near.v, near.u_s, near.v_s, limit_s, part,
                together, *working, width, buckets,
            )
        )  # fmt: skip

    if len(parts) == 1:
        return some(parts[0], into)
    with pool.one() as other:
        sets = (into, other)
        count, others = in_chunks(2, 1, lambda first, _last: some(parts[first], sets[first]))
        return int(take_in(*into, count, *other, others))


def target_rows(graph: Graph, pool: Pool[Working], near: Points, far: Points, limit_s: float) -> TravelMatrix:
    """Seconds between every source (row) and every target (column) within the limit."""
    use_u, use_v = np.flatnonzero(np.isfinite(far.u_s)), np.flatnonzero(np.isfinite(far.v_s))
    at = np.concatenate((far.u[use_u], far.v[use_v]))
    order = np.argsort(at, kind="stable")
    link_row = np.zeros(len(graph.node) + 1, dtype=np.int64)
    np.cumsum(np.bincount(at, minlength=len(graph.node)), out=link_row[1:])
    link_target = np.concatenate((use_u, use_v))[order].astype(np.int32)
    link_s = np.concatenate((far.u_s[use_u], far.v_s[use_v]))[order]
    by_edge = np.argsort(far.edge, kind="stable").astype(np.int32)
    target_edge = far.edge[by_edge]
    width, buckets = buckets_of(graph, near, limit_s)

    def rows(first: int, last: int) -> tuple[I64, I32, F64]:
        with pool.one() as working:
            found: tuple[I64, I32, F64] = rows_of_targets(
                graph.row, graph.head, graph.seconds, first, last, near.u, near.v, near.u_s, near.v_s,
                near.edge, near.offset_m, near.access_s, link_row, link_target, link_s,
                by_edge, target_edge, far.offset_m, far.access_s, graph.out_s_per_m, graph.back_s_per_m,
                limit_s, *working, width, buckets,
            )  # fmt: skip
            return found

    return _joined(in_chunks(len(near), SMALLEST_CHUNK, rows), (len(near), len(far)))


def node_rows(graph: Graph, pool: Pool[Working], near: Points, limit_s: float) -> TravelMatrix:
    """Seconds between every source (row) and every place (column) within the limit."""
    width, buckets = buckets_of(graph, near, limit_s)

    def rows(first: int, last: int) -> tuple[I64, I32, F64]:
        with pool.one() as working:
            found: tuple[I64, I32, F64] = rows_of_nodes(
                graph.row, graph.head, graph.seconds, graph.node, first, last,
                near.u, near.v, near.u_s, near.v_s, limit_s, *working, width, buckets,
            )  # fmt: skip
            return found

    return _joined(in_chunks(len(near), SMALLEST_CHUNK, rows), (len(near), len(graph.node)))


def buckets_of(graph: Graph, near: Points, limit_s: float) -> tuple[float, int]:
    """Width in seconds and number of buckets of a search from some sources."""
    ends = np.column_stack((near.u_s, near.v_s))
    return bucket_width_s(graph.longest_s, graph.mean_s, ends, limit_s)


def _joined(parts: Sequence[tuple[I64, I32, F64]], shape: tuple[int, int]) -> TravelMatrix:
    counts = np.concatenate([np.zeros(1, dtype=np.int64), *(part[0] for part in parts)])
    indices = np.concatenate([np.empty(0, dtype=np.int32), *(part[1] for part in parts)])
    seconds = np.concatenate([np.empty(0), *(part[2] for part in parts)])
    return TravelMatrix(np.cumsum(counts), indices, seconds, shape)
