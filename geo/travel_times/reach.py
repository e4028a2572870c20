"""Which parts of the edges lie within a time: the raw material of isochrones."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from geo.compiled import Pool, in_chunks
from geo.models import F64, I32, I64, Bool, NearestField, Stretches
from geo.travel_times.fields import buckets_of
from geo.travel_times.graph import AT_NODE_M, Entries, Graph, Points
from geo.travel_times.grow import U64, reach_each
from geo.travel_times.split import split_edges
from geo.travel_times.working import Working

# Sources that share a thread's scratch.
SMALLEST_CHUNK = 4


def stretches_within(graph: Graph, near: Points, node_seconds: F64, limit_s: float) -> Stretches:
    """The parts of edges from which (to which) a source is within the limit."""
    # An unreached node has nothing left, under an infinite limit too.
    left_at = np.where(np.isfinite(node_seconds), limit_s, 0.0) - (node_seconds + graph.half_wait_s)
    left_u, left_v = left_at[graph.places.depart_u], left_at[graph.places.depart_v]
    from_u, from_v = np.flatnonzero(left_u >= 0), np.flatnonzero(left_v >= 0)
    here = np.flatnonzero((near.edge >= 0) & (near.access_s <= limit_s))
    edge, start, stop = _grown(graph, from_u, left_u[from_u], from_v, left_v[from_v], near, here, limit_s)
    edge, start, stop = _merged(edge, start, stop)
    return Stretches(edge.astype(np.int32), start, stop)


class Marks(NamedTuple):
    """Room to note edges in: a place of each in a list (-1), and sets of bits (none set) that put them in order."""

    slot: I32
    words: U64
    whole: U64


def marks(edges: int) -> Pool[Marks]:
    """Room for edges ``0..edges - 1``."""
    words = edges // 64 + 1

    def make() -> Marks:
        return Marks(
            np.full(edges, -1, dtype=np.int32),
            np.zeros(words, dtype=np.uint64),
            np.zeros(words // 64 + 1, dtype=np.uint64),
        )

    return Pool(make)


def reached_each(
    graph: Graph, entries: Entries, pool: Pool[Working], marked: Pool[Marks], near: Points, limits_s: F64
) -> list[list[Stretches]]:
    """:func:`stretches_within` of every source by itself within each limit, by a search from each."""
    width, buckets = buckets_of(graph, near, float(limits_s.max(initial=0.0)))

    def some(first: int, last: int) -> tuple[I64, I32, F64, F64]:
        with pool.one() as working, marked.one() as marks:
            found: tuple[I64, I32, F64, F64] = reach_each(
                graph.row, graph.head, graph.seconds, near.u, near.v, near.u_s, near.v_s,
                *working, width, buckets,
                entries.row, entries.edge, entries.wait_s, graph.length_m, graph.out_s_per_m, graph.back_s_per_m,
                near.edge, near.offset_m, near.access_s, first, last, limits_s, *marks,
            )  # fmt: skip
        return found

    parts = []
    for count, edge, start, stop in in_chunks(len(near), SMALLEST_CHUNK, some):
        ends = np.concatenate(([0], np.cumsum(count))).tolist()
        parts += [Stretches(edge[a:b], start[a:b], stop[a:b]) for a, b in pairwise(ends)]
    each = len(limits_s)
    return [parts[i * each : (i + 1) * each] for i in range(len(near))]


def _grown(
    graph: Graph,
    from_u: I64,
    left_u: F64,
    from_v: I64,
    left_v: F64,
    near: Points,
    here: I64,
    limit_s: float,
) -> tuple[I64, F64, F64]:
    """Parts that grow from the ends of edges with seconds left, and from the sources on their edges."""
    out, back, length = graph.out_s_per_m, graph.back_s_per_m, graph.length_m
    ok_u, ok_v = np.isfinite(out[from_u]), np.isfinite(back[from_v])
    at, left = near.edge[here], limit_s - near.access_s[here]
    middle = near.offset_m[here]
    ahead = np.divide(left, out[at], out=np.zeros(len(at)), where=np.isfinite(out[at]))
    behind = np.divide(left, back[at], out=np.zeros(len(at)), where=np.isfinite(back[at]))
    key = np.concatenate((from_u[ok_u], from_v[ok_v], at)).astype(np.int64)
    from_u, from_v, left_u, left_v = from_u[ok_u], from_v[ok_v], left_u[ok_u], left_v[ok_v]
    start = np.concatenate(
        (
            np.zeros(len(from_u)),
            np.maximum(length[from_v] - left_v / back[from_v], 0.0),
            np.maximum(middle - behind, 0.0),
        )
    )
    stop = np.concatenate(
        (
            np.minimum(left_u / out[from_u], length[from_u]),
            length[from_v],
            np.minimum(middle + ahead, length[at]),
        )
    )
    return key, start, stop


def _merged(edge: I64, start: F64, stop: F64) -> tuple[I64, F64, F64]:
    """Unite parts of the same edge that overlap or touch; parts of no length go."""
    keep = stop > start
    order = np.lexsort((stop[keep], start[keep], edge[keep]))
    edge, start, stop = edge[keep][order], start[keep][order], stop[keep][order]
    if len(edge) == 0:
        return edge, start, stop
    edge_first: Bool = np.concatenate(([True], edge[1:] != edge[:-1]))
    reached = _running_maximum(stop, edge_first)
    opens: Bool = edge_first.copy()
    opens[1:] |= start[1:] > reached[:-1] + AT_NODE_M
    first: I64 = np.flatnonzero(opens)
    last = np.concatenate((first[1:], [len(edge)])) - 1
    return edge[first], start[first], reached[last]


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


def stretches_of_nearest(graph: Graph, near: Points, field: NearestField, limit_s: float) -> list[Stretches]:
    """The ways split among the sources: of each, the parts that are within the limit and nearest to it."""
    here = np.flatnonzero((near.edge >= 0) & (near.access_s <= limit_s))
    here = here[np.argsort(near.edge[here], kind="stable")]
    label, edge, start, stop = split_edges(
        graph.places.depart_u, graph.places.depart_v, graph.length_m, graph.out_s_per_m, graph.back_s_per_m,
        graph.half_wait_s, field.node_seconds, field.node_label, here, near.edge[here], near.offset_m, near.access_s,
        limit_s,
    )  # fmt: skip
    many = np.int64(max(len(graph.length_m), 1))
    key, start, stop = _merged(label * many + edge, start, stop)
    cut = np.searchsorted(key, np.arange(len(near) + 1) * many)
    return [
        Stretches((key[a:b] - i * many).astype(np.int32), start[a:b], stop[a:b])
        for i, (a, b) in enumerate(pairwise(cut))
    ]
