"""What one source reaches, from its position to the parts of edges in one compiled call.

The same numbers as the steps one by one: between them, small arrays cost more than what is done to them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from geo.compiled import Pool, kernel
from geo.config import WALK_KMH
from geo.models import F64, I32, I64, Snapped
from geo.travel_times.costs import KMH_PER_MS
from geo.travel_times.graph import AT_NODE_M, Entries, Graph, source_points
from geo.travel_times.grow import U64, reach_each
from geo.travel_times.reach import Marks
from geo.travel_times.search import MAX_BUCKETS, ZERO
from geo.travel_times.working import Working


class Alone(NamedTuple):
    """A router for single sources: the first arguments of :func:`reach_alone`, and room for its last ones.

    ``s_per_access_m``: seconds for each metre of the access leg.
    """

    arrays: tuple[Any, ...]
    s_per_access_m: float
    working: Pool[Working]
    marks: Pool[Marks]


def alone(
    graph: Graph, entries: Entries, working: Pool[Working], marked: Pool[Marks], access_speed_kmh: float
) -> Alone:
    """What a graph's searches from single sources need."""
    # where a search from a source on each edge comes out at its ends, and the waits there
    edges = np.arange(len(graph.length_m), dtype=np.int32)
    nothing = np.zeros(len(edges))
    at_u, at_v = (
        source_points(graph, Snapped(edges, offset, nothing, nothing, nothing), access_speed_kmh=WALK_KMH)
        for offset in (nothing, graph.length_m)
    )
    arrays = (
        graph.row, graph.head, graph.seconds, graph.length_m, graph.out_s_per_m, graph.back_s_per_m,
        float(graph.longest_s), float(graph.mean_s), at_u.u, at_v.v, at_u.u_s, at_v.v_s,
        entries.row, entries.edge, entries.wait_s,
    )  # fmt: skip
    return Alone(arrays, KMH_PER_MS / access_speed_kmh, working, marked)


@kernel
def _part_s(length_m: float, s_per_m: float) -> float:
    """As :func:`geo.travel_times.graph.partial_seconds`."""
    if length_m <= AT_NODE_M:
        return 0.0
    return length_m * s_per_m if np.isfinite(s_per_m) else np.inf


@kernel
def reach_alone(
    row: I32, head: I32, arc_s: F64, length_m: F64, out_s_per_m: F64, back_s_per_m: F64,
    longest_s: float, mean_s: float, end_u: I32, end_v: I32, wait_u_s: F64, wait_v_s: F64,
    entry_row: I64, entry_edge: I32, entry_wait_s: F64,
    edge: int, offset_m: float, access_s: float, limits_s: F64,
    best: F64, labels: I32, touched: I32, slot: I32, words: U64, whole: U64,
) -> tuple[I64, I32, F64, F64]:  # fmt: skip
    """For each limit: how many parts a source on ``edge`` reaches; their edges (ascending), from and to.

    The working set and the marks are clean before and after.
    """
    limit_s = limits_s.max()
    at = min(max(offset_m, 0.0), length_m[edge])
    u, v, u_s, v_s = end_u[edge : edge + 1], end_v[edge : edge + 1], np.empty(1), np.empty(1)
    u_s[0] = _part_s(at, back_s_per_m[edge]) + wait_u_s[edge] + access_s
    v_s[0] = _part_s(length_m[edge] - at, out_s_per_m[edge]) + wait_v_s[edge] + access_s
    if u_s[0] <= limit_s and v_s[0] <= limit_s:  # as bucket_width_s
        longest_s = max(longest_s, abs(u_s[0] - v_s[0]))
    longest_s = min(longest_s, limit_s)
    width = max(mean_s, longest_s / (MAX_BUCKETS - 4), 1e-3)
    buckets, needed = ZERO + 1, ZERO + int(longest_s / width) + 3
    while buckets <= needed:
        buckets *= 2
    own, middle, leg = np.empty(1, dtype=np.int32), np.empty(1), np.empty(1)
    own[0], middle[0], leg[0] = edge, at, access_s
    return reach_each(
        row, head, arc_s, u, v, u_s, v_s, best, labels, touched, width, buckets,
        entry_row, entry_edge, entry_wait_s, length_m, out_s_per_m, back_s_per_m,
        own, middle, leg, ZERO, ZERO + 1, limits_s, slot, words, whole,
    )  # fmt: skip
