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
    source_edge: I32, source_m: F64, source_s: F64, limit_s: float,
) -> tuple[I64, I32, F64, F64]:  # fmt: skip
    """For sources ``first``..``last``: how many parts each has; their edges (ascending), from and to.

    A part grows from an end of an edge whose place is reached, or from the source on its own edge; parts
    of one edge that overlap or touch are one, and parts of no length are none.
    """
    counts = np.zeros(last - first, dtype=np.int64)
    edge, start, stop = np.empty(1024, dtype=np.int32), np.empty(1024), np.empty(1024)
    used = np.int64(0)
    # where from u and from v the time runs out, of the edges met
    by_u, by_v = np.empty(1024), np.empty(1024)
    met, slot = np.empty(1024, dtype=np.int32), np.full(len(length_m), -1, dtype=np.int32)
    for i in range(first, last):
        count = 0
        own = source_edge[i] if source_s[i] <= limit_s else np.int32(-1)
        for k in range(indptr[i], indptr[i + 1]):
            place = indices[k]
            left = limit_s - (node_s[k] + half_wait_s[place])
            if left < 0.0:
                continue
            for at in range(entry_row[place], entry_row[place + 1]):
                e = entry_edge[at] >> 1
                if slot[e] < 0:
                    if count == len(met):
                        met, by_u, by_v = _more(met, by_u, by_v)
                    slot[e], met[count] = count, e
                    by_u[count], by_v[count] = 0.0, length_m[e]
                    count += 1
                if entry_edge[at] & 1:
                    by_v[slot[e]] = max(length_m[e] - left / back_s_per_m[e], 0.0)
                else:
                    by_u[slot[e]] = min(left / out_s_per_m[e], length_m[e])
        if own >= 0 and slot[own] < 0:
            if count == len(met):
                met, by_u, by_v = _more(met, by_u, by_v)
            slot[own], met[count] = count, own
            by_u[count], by_v[count] = 0.0, length_m[own]
            count += 1
        before = used
        for e in np.sort(met[:count]):
            at, length = slot[e], length_m[e]
            slot[e] = -1
            while used + 3 > len(edge):
                edge, start, stop = _more(edge, start, stop)
            low, high = np.inf, -np.inf  # of the part around the source
            if e == own:
                left = limit_s - source_s[i]
                back, out = back_s_per_m[e], out_s_per_m[e]
                low = max(source_m[i] - (left / back if np.isfinite(back) else 0.0), 0.0)
                high = min(source_m[i] + (left / out if np.isfinite(out) else 0.0), length)
            mine = used
            # in ascending order: from u, around the source, from v
            for k in range(3):
                a, b = (0.0, by_u[at]) if k == 0 else ((low, high) if k == 1 else (by_v[at], length))
                if not b > a:
                    continue
                if used > mine and a <= stop[used - 1] + AT_NODE_M:
                    stop[used - 1], start[used - 1] = max(stop[used - 1], b), min(start[used - 1], a)
                else:
                    edge[used], start[used], stop[used] = e, a, b
                    used += 1
            # a part from v that begins before the others has just been united with the last of them
            if used - mine == 2 and start[used - 1] <= stop[mine] + AT_NODE_M:
                start[mine], stop[mine] = min(start[mine], start[used - 1]), max(stop[mine], stop[used - 1])
                used -= 1
        counts[i - first] = used - before
    return counts, edge[:used], start[:used], stop[:used]
