"""Compiled: the parts of edges that each of many sources reaches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.compiled import kernel
from geo.models import F64, I32, I64
from geo.travel_times.graph import AT_NODE_M
from geo.travel_times.search import ENTRIES, ZERO, spread

U64 = NDArray[np.uint64]
# The place of the only bit of a number, by the six bits to which this product shifts it (de Bruijn)
DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
PLACE_OF_BIT = np.empty(64, dtype=np.int64)
PLACE_OF_BIT[[(int(DE_BRUIJN) << place & (1 << 64) - 1) >> 58 for place in range(64)]] = np.arange(64)


@kernel
def _more(edge: I32, start: F64, stop: F64) -> tuple[I32, F64, F64]:
    """Room for twice as many parts."""
    size = len(edge)
    more_e, more_a, more_b = np.empty(2 * size, dtype=np.int32), np.empty(2 * size), np.empty(2 * size)
    for k in range(size):
        more_e[k], more_a[k], more_b[k] = edge[k], start[k], stop[k]
    return more_e, more_a, more_b


@kernel
def _ascending(words: U64, whole: U64, low: Any, high: Any, edges: I32) -> int:
    """The numbers whose bits are set, ascending, into ``edges``; their count. All bits are clear again at the end.

    A bit of ``whole`` tells which of ``words`` has any; ``low`` to ``high``: where in ``whole`` there are some.
    """
    count, one = 0, np.uint64(1)
    for top in range(low, high + 1):
        left = whole[top]
        whole[top] = 0
        while left != 0:
            last = left & (~left + one)
            word = 64 * top + PLACE_OF_BIT[(last * DE_BRUIJN) >> np.uint64(58)]
            left ^= last
            bits = words[word]
            words[word] = 0
            while bits != 0:
                bit = bits & (~bits + one)
                edges[count] = 64 * word + PLACE_OF_BIT[(bit * DE_BRUIJN) >> np.uint64(58)]
                count += 1
                bits ^= bit
    return count


@kernel
def reach_each(
    row: I32, head: I32, arc_s: F64, source_u: I32, source_v: I32, u_s: F64, v_s: F64,
    best: F64, labels: I32, touched: I32, width_s: float, buckets: int,
    entry_row: I64, entry_edge: I32, wait_s: F64, length_m: F64, out_s_per_m: F64, back_s_per_m: F64,
    source_edge: I32, source_m: F64, source_s: F64, first: int, last: int, limits_s: F64,
    slot: I32, words: U64, whole: U64,
) -> tuple[I64, I32, F64, F64]:  # fmt: skip
    """For sources ``first``..``last`` and each limit: how many parts; their edges (ascending), from and to.

    All limits of a source follow each other. A part grows from an end of an edge whose place is reached, or
    from the source on its own edge; parts of one edge that overlap or touch are one, and parts of no length
    are none. ``best``, ``labels``, ``touched``: a clean working set. ``slot``: -1 for each edge, ``words`` and
    ``whole``: no bit set. All are clean again at the end.
    """
    limits, longest_s = len(limits_s), limits_s.max()
    bucket, per_s = np.full(buckets, -1, dtype=np.int32), 1.0 / width_s
    waiting, waiting_s = np.empty(ENTRIES, dtype=np.int32), np.empty(ENTRIES)
    following, one = np.empty(ENTRIES, dtype=np.int32), np.empty(1, dtype=np.int64)
    counts = np.zeros((last - first) * limits, dtype=np.int64)
    edge, start, stop = np.empty(1024, dtype=np.int32), np.empty(1024), np.empty(1024)
    used = ZERO
    # when the search enters by u and by v, of the edges met
    at_u, at_v, met = np.empty(1024), np.empty(1024), np.empty(1024, dtype=np.int32)
    for i in range(first, last):
        one[0] = i
        places, _settled, waiting, waiting_s, following = spread(
            row, head, arc_s, longest_s, one, ZERO, ZERO + 1, source_u, source_v, u_s, v_s,
            best, labels, touched, ZERO, bucket, per_s, waiting, waiting_s, following,
        )  # fmt: skip
        count, room = 0, 1
        for k in range(places):
            room += entry_row[touched[k] + 1] - entry_row[touched[k]]
        while len(met) < room:
            met, at_u, at_v = _more(met, at_u, at_v)
        low, high = np.int64(len(whole)), np.int64(-1)
        for k in range(places):
            place = touched[k]
            enters_s = best[place] + wait_s[place]
            best[place], labels[place] = np.inf, -1
            if enters_s > longest_s:
                continue
            for at in range(entry_row[place], entry_row[place + 1]):
                e = entry_edge[at] >> 1
                here = slot[e]
                if here < 0:
                    here = slot[e] = count
                    at_u[count], at_v[count] = np.inf, np.inf
                    count += 1
                    word = np.int64(e) >> 6
                    words[word] |= np.uint64(1) << np.uint64(e & 63)
                    whole[word >> 6] |= np.uint64(1) << np.uint64(word & 63)
                    low, high = min(low, word >> 6), max(high, word >> 6)
                if entry_edge[at] & 1:
                    at_v[here] = enters_s
                else:
                    at_u[here] = enters_s
        own = source_edge[i] if source_s[i] <= longest_s else np.int32(-1)
        if own >= 0 and slot[own] < 0:
            slot[own], at_u[count], at_v[count] = count, np.inf, np.inf
            count += 1
            word = np.int64(own) >> 6
            words[word] |= np.uint64(1) << np.uint64(own & 63)
            whole[word >> 6] |= np.uint64(1) << np.uint64(word & 63)
            low, high = min(low, word >> 6), max(high, word >> 6)
        _ascending(words, whole, low, high, met)
        while used + 3 * count * limits > len(edge):
            edge, start, stop = _more(edge, start, stop)
        for j in range(limits):
            limit_s, before = limits_s[j], used
            for k in range(count):
                e = met[k]
                here = slot[e]
                by_u, by_v = limit_s - at_u[here], limit_s - at_v[here]
                around = e == own and source_s[i] <= limit_s
                if by_u < 0.0 and by_v < 0.0 and not around:
                    continue
                length = length_m[e]
                by_u = min(by_u / out_s_per_m[e], length) if by_u >= 0.0 else 0.0
                by_v = max(length - by_v / back_s_per_m[e], 0.0) if by_v >= 0.0 else length
                if not around:
                    if by_u > 0.0 and by_v < length and by_v <= by_u + AT_NODE_M:
                        edge[used], start[used], stop[used] = e, 0.0, length
                        used += 1
                        continue
                    if by_u > 0.0:
                        edge[used], start[used], stop[used] = e, 0.0, by_u
                        used += 1
                    if by_v < length:
                        edge[used], start[used], stop[used] = e, by_v, length
                        used += 1
                    continue
                left, back, out = limit_s - source_s[i], back_s_per_m[e], out_s_per_m[e]
                behind = max(source_m[i] - (left / back if np.isfinite(back) else 0.0), 0.0)
                ahead = min(source_m[i] + (left / out if np.isfinite(out) else 0.0), length)
                mine = used
                # in ascending order: from u, around the source, from v
                for part in range(3):
                    a, b = (0.0, by_u) if part == 0 else ((behind, ahead) if part == 1 else (by_v, length))
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
        for k in range(count):
            slot[met[k]] = -1
    return counts, edge[:used], start[:used], stop[:used]
