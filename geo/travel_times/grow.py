"""Compiled: the parts of edges that each of many sources reaches."""

from __future__ import annotations

import numpy as np

from geo.compiled import kernel
from geo.models import F64, I32, I64
from geo.travel_times.graph import AT_NODE_M


@kernel
def _more(edge: I32, start: F64, stop: F64) -> tuple[I32, F64, F64]:
    """Room for twice as many parts."""
    size = len(edge)
    more_e, more_a, more_b = np.empty(2 * size, dtype=np.int32), np.empty(2 * size), np.empty(2 * size)
    for k in range(size):
        more_e[k], more_a[k], more_b[k] = edge[k], start[k], stop[k]
    return more_e, more_a, more_b


@kernel
def grow_each(
    entry_row: I64, entry_edge: I32, length_m: F64, out_s_per_m: F64, back_s_per_m: F64,
    half_wait_s: F64, indptr: I64, indices: I32, node_s: F64, first: int, last: int,
    source_edge: I32, source_m: F64, source_s: F64, limits_s: F64, slot: I32,
) -> tuple[I64, I32, F64, F64]:  # fmt: skip
    """For sources ``first``..``last`` and each limit: how many parts; their edges (ascending), from and to.

    All limits of a source follow each other. A part grows from an end of an edge whose place is reached, or
    from the source on its own edge; parts of one edge that overlap or touch are one, and parts of no length
    are none. ``slot``: -1 for each edge, before and after.
    """
    limits = len(limits_s)
    longest_s = limits_s.max()
    counts = np.zeros((last - first) * limits, dtype=np.int64)
    edge, start, stop = np.empty(1024, dtype=np.int32), np.empty(1024), np.empty(1024)
    used = np.int64(0)
    # when the search enters by u and by v, of the edges met
    at_u, at_v, met = np.empty(1024), np.empty(1024), np.empty(1024, dtype=np.int32)
    for i in range(first, last):
        count = 0
        for k in range(indptr[i], indptr[i + 1]):
            place = indices[k]
            enters_s = node_s[k] + half_wait_s[place]
            if enters_s > longest_s:
                continue
            for at in range(entry_row[place], entry_row[place + 1]):
                e = entry_edge[at] >> 1
                here = slot[e]
                if here < 0:
                    if count == len(met):
                        met, at_u, at_v = _more(met, at_u, at_v)
                    here = slot[e] = count
                    met[count], at_u[count], at_v[count] = e, np.inf, np.inf
                    count += 1
                if entry_edge[at] & 1:
                    at_v[here] = enters_s
                else:
                    at_u[here] = enters_s
        own = source_edge[i] if source_s[i] <= longest_s else np.int32(-1)
        if own >= 0 and slot[own] < 0:
            if count == len(met):
                met, at_u, at_v = _more(met, at_u, at_v)
            slot[own], met[count], at_u[count], at_v[count] = count, own, np.inf, np.inf
            count += 1
        ordered = np.sort(met[:count])
        for j in range(limits):
            limit_s, before = limits_s[j], used
            while used + 3 * count > len(edge):
                edge, start, stop = _more(edge, start, stop)
            for e in ordered:
                length, by_u, by_v = length_m[e], limit_s - at_u[slot[e]], limit_s - at_v[slot[e]]
                low, high = np.inf, -np.inf  # of the part around the source
                if e == own and source_s[i] <= limit_s:
                    left = limit_s - source_s[i]
                    back, out = back_s_per_m[e], out_s_per_m[e]
                    low = max(source_m[i] - (left / back if np.isfinite(back) else 0.0), 0.0)
                    high = min(source_m[i] + (left / out if np.isfinite(out) else 0.0), length)
                elif by_u < 0.0 and by_v < 0.0:
                    continue
                by_u = min(by_u / out_s_per_m[e], length) if by_u >= 0.0 else 0.0
                by_v = max(length - by_v / back_s_per_m[e], 0.0) if by_v >= 0.0 else length
                mine = used
                # in ascending order: from u, around the source, from v
                for k in range(3):
                    a, b = (0.0, by_u) if k == 0 else ((low, high) if k == 1 else (by_v, length))
                    if not b > a:
                        continue
                    if used > mine and a <= stop[used - 1] + AT_NODE_M:
                        stop[used - 1], start[used - 1] = max(stop[used - 1], b), min(start[used - 1], a)
                    else:
                        edge[used], start[used], stop[used] = e, a, b
                        used += 1
                # a part from v that begins before the others has just been united with the last of them
                if used - mine == 2 and start[used - 1] <= stop[mine] + AT_NODE_M:
                    start[mine], stop[mine] = (
                        min(start[mine], start[used - 1]),
                        max(stop[mine], stop[used - 1]),
                    )
                    used -= 1
            counts[(i - first) * limits + j] = used - before
        for e in ordered:
            slot[e] = -1
    return counts, edge[:used], start[:used], stop[:used]
