"""Compiled searches: bounded, in buckets of time, reset only where touched."""

from __future__ import annotations

from typing import Any

import numpy as np

from geo.compiled import kernel
from geo.models import F64, I32, I64
from geo.travel_times.graph import AT_NODE_M

# A bare 0 has a type of its own in numba, and every kernel that it is passed to is compiled once more.
ZERO: Any = np.int64(0)
MAX_BUCKETS = 1 << 16
ENTRIES = 1024  # that wait at once, to begin with
# Twice as many sources begin together where more nodes than this are settled for each that is new.
WASTE = 1.3


def bucket_width_s(longest_s: float, mean_s: float, source_s: F64, limit_s: float) -> tuple[float, int]:
    """Width and number of buckets: a mean arc wide; the ring holds the longest arc, and all first times."""
    begins = source_s[np.isfinite(source_s) & (source_s <= limit_s)]
    if len(begins):
        longest_s = max(longest_s, float(np.ptp(begins)))
    longest_s = min(longest_s, limit_s)
    width = max(mean_s, longest_s / (MAX_BUCKETS - 4), 1e-3)
    return width, 1 << (int(longest_s / width) + 3).bit_length()


@kernel
def _longer(node: I32, seconds: F64, following: I32) -> tuple[I32, F64, I32]:
    """Room for twice the entries."""
    size = len(node)
    more_n, more_s = np.empty(2 * size, dtype=np.int32), np.empty(2 * size)
    more_f = np.empty(2 * size, dtype=np.int32)
    for k in range(size):
        more_n[k], more_s[k], more_f[k] = node[k], seconds[k], following[k]
    return more_n, more_s, more_f


@kernel
def _settle(
    row: I32, head: I32, arc_s: F64, limit_s: float, best: F64, labels: I32, touched: I32,
    bucket: I32, per_s: float, waiting: I32, waiting_s: F64, following: I32,
    at: Any, used: Any, free: Any, pending: Any, count: Any, settled: Any,
) -> tuple[Any, Any, Any, Any, Any, Any]:  # fmt: skip
    """Work off the buckets until nothing is pending, or until there may not be room for more entries."""
    mask = np.int64(len(bucket) - 1)
    while pending > 0:
        entry = bucket[at & mask]
        if entry < 0:
            at += 1
            continue
        here, so_far = waiting[entry], waiting_s[entry]
        if used + (row[here + 1] - row[here]) > len(waiting):
            break
        bucket[at & mask] = following[entry]
        pending -= 1
        following[entry] = free
        free = entry
        if so_far > best[here]:
            continue
        mine = labels[here]
        settled += 1
        for arc in range(row[here], row[here + 1]):
            seconds = so_far + arc_s[arc]
            ahead = head[arc]
            known = best[ahead]
            if seconds > known or not seconds <= limit_s:
                continue
            owner = labels[ahead]
            if seconds == known and mine >= owner:
                continue
            if owner < 0:
                touched[count] = ahead
                count += 1
            best[ahead], labels[ahead] = seconds, mine
            if free >= 0:
                entry = free
                free = following[entry]
            else:
                entry = np.int32(used)
                used += 1
            slot = np.int64(seconds * per_s) & mask
            waiting[entry], waiting_s[entry], following[entry] = ahead, seconds, bucket[slot]
            bucket[slot] = entry
            pending += 1
    return at, used, free, pending, count, settled


@kernel
def spread(
    row: I32, head: I32, arc_s: F64, limit_s: float,
    order: I64, first: int, last: int, source_u: I32, source_v: I32, u_s: F64, v_s: F64,
    best: F64, labels: I32, touched: I32, count: Any,
    bucket: I32, per_s: float, waiting: I32, waiting_s: F64, following: I32,
) -> tuple[Any, Any, I32, F64, I32]:  # fmt: skip
    """Search from sources ``order[first:last]`` together, into ``best`` and ``labels``.

    Better times are taken and, of equal ones, smaller labels.
    Where ``best`` knows better, the search stops: many sources share one field, some after the others.
    Nodes without a label before are added to ``touched``; returns their count, how many nodes were
    settled, and the room for entries.

    What waits to be settled is an entry (node ``waiting``, ``waiting_s``, ``following`` entry or -1) of
    a ring of buckets of ``1 / per_s`` seconds each: ``bucket`` holds the first entry of each or -1, a
    power of two of them, empty before and after. A bucket is worked off last in, first out: a node that
    turns out to be nearer is simply settled again, so the times are exact whatever the width.
    """
    mask = np.int64(len(bucket) - 1)
    used, free, pending, settled = ZERO, np.int32(-1), ZERO, ZERO
    at = np.int64(1) << 62
    while used + 2 * (last - first) > len(waiting):
        waiting, waiting_s, following = _longer(waiting, waiting_s, following)
    for k in range(first, last):
        mine = np.int32(order[k])
        for end in range(2):
            node = source_u[mine] if end == 0 else source_v[mine]
            seconds = u_s[mine] if end == 0 else v_s[mine]
            if node < 0 or not seconds <= limit_s:
                continue
            if seconds < best[node] or (seconds == best[node] and mine < labels[node]):
                if labels[node] < 0:
                    touched[count] = node
                    count += 1
                best[node], labels[node] = seconds, mine
                slot = np.int64(seconds * per_s)
                at = min(at, slot)
                waiting[used], waiting_s[used], following[used] = node, seconds, bucket[slot & mask]
                bucket[slot & mask] = used
                used, pending = used + 1, pending + 1
    while pending > 0:
        # loose arrays that are never bound anew: with tuples or growth inside, this takes up to three times as long
        at, used, free, pending, count, settled = _settle(
            row, head, arc_s, limit_s, best, labels, touched, bucket, per_s,
            waiting, waiting_s, following, at, used, free, pending, count, settled,
        )  # fmt: skip
        if pending > 0:
            waiting, waiting_s, following = _longer(waiting, waiting_s, following)
    return count, settled, waiting, waiting_s, following


@kernel
def spread_some(
    row: I32, head: I32, arc_s: F64, source_u: I32, source_v: I32, u_s: F64, v_s: F64, limit_s: float,
    order: I64, together: int, best: F64, labels: I32, touched: I32, width_s: float, buckets: int,
) -> Any:  # fmt: skip
    """Search from the sources in ``order`` into one clean working set; returns how many nodes it touched.

    Sources near each other should follow each other in ``order``, and ``together`` of them begin at once.
    One after the other keeps what is touched in the cache; where that settles the same nodes again and
    again, more begin together.
    """
    bucket, per_s = np.full(buckets, -1, dtype=np.int32), 1.0 / width_s
    waiting, waiting_s = np.empty(ENTRIES, dtype=np.int32), np.empty(ENTRIES)
    following = np.empty(ENTRIES, dtype=np.int32)
    count: Any = ZERO
    at = ZERO
    while at < len(order):
        before, last = count, min(at + together, len(order))
        count, settled, waiting, waiting_s, following = spread(
            row, head, arc_s, limit_s, order, at, last, source_u, source_v, u_s, v_s,
            best, labels, touched, count, bucket, per_s, waiting, waiting_s, following,
        )  # fmt: skip
        at = last
        if settled > WASTE * (count - before):
            together = 2 * together
    return count


@kernel
def take_in(
    best: F64, labels: I32, touched: I32, count: int,
    other: F64, other_labels: I32, other_touched: I32, other_count: int,
) -> int:  # fmt: skip
    """Take into a working set what another knows better, and clean the other; of equal times the smaller label."""
    for k in range(other_count):
        at = other_touched[k]
        if labels[at] < 0:
            touched[count] = at
            count += 1
        if other[at] < best[at] or (other[at] == best[at] and other_labels[at] < labels[at]):
            best[at], labels[at] = other[at], other_labels[at]
        other[at], other_labels[at] = np.inf, -1
    return count


@kernel
def give_out(best: F64, labels: I32, touched: I32, count: int, node: I32, seconds: F64, label: I32) -> None:
    """Move a working set into dense fields in the order of the network, and clean it."""
    for k in range(count):
        at = touched[k]
        seconds[node[at]], label[node[at]] = best[at], labels[at]
        best[at], labels[at] = np.inf, -1


@kernel
def along_edge(
    from_m: float, from_s: float, to_m: float, to_s: float, out_s_per_m: float, back_s_per_m: float
) -> float:
    """Seconds between two positions on one edge, straight along it, access legs included."""
    if to_m - from_m > AT_NODE_M:
        return from_s + ((to_m - from_m) * out_s_per_m + to_s)
    if from_m - to_m > AT_NODE_M:
        return from_s + ((from_m - to_m) * back_s_per_m + to_s)
    return from_s + to_s


@kernel
def nearest_targets(
    best: F64, labels: I32,
    source_order: I32, source_edge: I32, source_m: F64, source_s: F64,
    edge: I32, offset_m: F64, access_s: F64, u: I32, v: I32, u_s: F64, v_s: F64,
    out_s_per_m: F64, back_s_per_m: F64, limit_s: float,
) -> tuple[F64, I32]:  # fmt: skip
    """Seconds and source row for every target: by either end of its edge, or along the edge itself.

    ``source_order`` sorts the sources by edge; ``source_edge`` is already in that order.
    """
    seconds, label = np.full(len(edge), np.inf), np.full(len(edge), -1, dtype=np.int32)
    for t in range(len(edge)):
        if edge[t] < 0:
            continue
        least, winner = np.inf, -1
        for end in range(2):
            node = u[t] if end == 0 else v[t]
            value = best[node] + (u_s[t] if end == 0 else v_s[t])
            if value < least or (value == least and value < np.inf and labels[node] < winner):
                least, winner = value, labels[node]
        at = np.searchsorted(source_edge, edge[t])
        while at < len(source_edge) and source_edge[at] == edge[t]:
            s = source_order[at]
            value = along_edge(
                source_m[s],
                source_s[s],
                offset_m[t],
                access_s[t],
                out_s_per_m[edge[t]],
                back_s_per_m[edge[t]],
            )
            if value < least or (value == least and value < np.inf and s < winner):
                least, winner = value, s
            at += 1
        if least <= limit_s:
            seconds[t], label[t] = least, winner
    return seconds, label


@kernel
def _grown(old_i: I32, old_s: F64, used: int, needed: int) -> tuple[I32, F64]:
    if used + needed <= len(old_i):
        return old_i, old_s
    size = max(used + needed, 2 * len(old_i))
    new_i, new_s = np.empty(size, dtype=np.int32), np.empty(size)
    for k in range(used):  # compiles many times faster than a slice
        new_i[k], new_s[k] = old_i[k], old_s[k]
    return new_i, new_s


@kernel
def rows_of_nodes(
    row: I32, head: I32, arc_s: F64, node: I32,
    first: int, last: int, source_u: I32, source_v: I32, u_s: F64, v_s: F64, limit_s: float,
    best: F64, labels: I32, touched: I32, width_s: float, buckets: int,
) -> tuple[I64, I32, F64]:  # fmt: skip
    """For sources ``first``..``last``: nodes (outer rows, ascending) and seconds within the limit.

    ``best``, ``labels`` and ``touched`` are a clean working set, and clean again at the end.
    """
    bucket, per_s = np.full(buckets, -1, dtype=np.int32), 1.0 / width_s
    waiting, waiting_s = np.empty(ENTRIES, dtype=np.int32), np.empty(ENTRIES)
    following = np.empty(ENTRIES, dtype=np.int32)
    counts, one = np.zeros(last - first, dtype=np.int64), np.empty(1, dtype=np.int64)
    indices, seconds, used = np.empty(1024, dtype=np.int32), np.empty(1024), ZERO
    for i in range(first, last):
        one[0] = i
        count, _settled, waiting, waiting_s, following = spread(
            row, head, arc_s, limit_s, one, ZERO, ZERO + 1, source_u, source_v, u_s, v_s,
            best, labels, touched, ZERO, bucket, per_s, waiting, waiting_s, following,
        )  # fmt: skip
        indices, seconds = _grown(indices, seconds, used, count)
        order = np.argsort(node[touched[:count]])
        for k in range(count):
            inner = touched[order[k]]
            indices[used + k], seconds[used + k] = node[inner], best[inner]
        used += count
        counts[i - first] = count
        for k in range(count):
            best[touched[k]], labels[touched[k]] = np.inf, -1
    return counts, indices[:used], seconds[:used]


@kernel
def rows_of_targets(
    row: I32, head: I32, arc_s: F64,
    first: int, last: int, source_u: I32, source_v: I32, u_s: F64, v_s: F64,
    source_edge: I32, source_m: F64, source_s: F64,
    link_row: I64, link_target: I32, link_s: F64,
    target_order: I32, target_edge: I32, target_m: F64, target_s: F64,
    out_s_per_m: F64, back_s_per_m: F64, limit_s: float,
    best: F64, labels: I32, touched: I32, width_s: float, buckets: int,
) -> tuple[I64, I32, F64]:  # fmt: skip
    """For sources ``first``..``last``: targets (ascending) and seconds within the limit.

    ``link_*``: CSR node → targets on its edges with the seconds from the node to each;
    ``target_order`` sorts the targets by edge, ``target_edge`` is already in that order. The working
    set is clean before and after.
    """
    bucket, per_s = np.full(buckets, -1, dtype=np.int32), 1.0 / width_s
    waiting, waiting_s = np.empty(ENTRIES, dtype=np.int32), np.empty(ENTRIES)
    following = np.empty(ENTRIES, dtype=np.int32)
    least, found = np.full(len(target_m), np.inf), np.empty(len(target_m), dtype=np.int32)
    counts, one = np.zeros(last - first, dtype=np.int64), np.empty(1, dtype=np.int64)
    indices, seconds, used = np.empty(1024, dtype=np.int32), np.empty(1024), ZERO
    for i in range(first, last):
        hits = ZERO
        one[0] = i
        count, _settled, waiting, waiting_s, following = spread(
            row, head, arc_s, limit_s, one, ZERO, ZERO + 1, source_u, source_v, u_s, v_s,
            best, labels, touched, ZERO, bucket, per_s, waiting, waiting_s, following,
        )  # fmt: skip
        for k in range(count):
            at = touched[k]
            for link in range(link_row[at], link_row[at + 1]):
                t, value = link_target[link], best[at] + link_s[link]
                if value <= limit_s and value < least[t]:
                    if least[t] == np.inf:
                        found[hits] = t
                        hits += 1
                    least[t] = value
            best[at], labels[at] = np.inf, -1
        edge = source_edge[i]
        if edge >= 0:
            place_on = np.searchsorted(target_edge, edge)
            while place_on < len(target_edge) and target_edge[place_on] == edge:
                t = target_order[place_on]
                value = along_edge(
                    source_m[i], source_s[i], target_m[t], target_s[t], out_s_per_m[edge], back_s_per_m[edge]
                )
                if value <= limit_s and value < least[t]:
                    if least[t] == np.inf:
                        found[hits] = t
                        hits += 1
                    least[t] = value
                place_on += 1
        indices, seconds = _grown(indices, seconds, used, hits)
        order = np.argsort(found[:hits])
        for k in range(hits):
            t = found[order[k]]
            indices[used + k], seconds[used + k] = t, least[t]
            least[t] = np.inf
        used += hits
        counts[i - first] = hits
    return counts, indices[:used], seconds[:used]
