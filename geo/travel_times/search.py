"""Compiled searches: bounded, in buckets of time, reset only where touched."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from geo.compiled import kernel
from geo.models import F64, I32, I64
from geo.travel_times.graph import AT_NODE_M

# A bare 0 has a type of its own in numba, and every kernel that it is passed to is compiled once more.
ZERO: Any = np.int64(0)
MAX_BUCKETS = 1 << 16


class Queue(NamedTuple):
    """What waits to be settled, in a ring of buckets of ``1 / per_s`` seconds each.

    ``bucket``: first entry of each bucket or -1, a power of two of them; an entry is a node, its
    seconds and the next entry. A bucket is worked off last in, first out: a node that turns out to be
    nearer is simply settled again, so the times are exact whatever the width.
    """

    bucket: I32
    node: I32
    seconds: F64
    following: I32
    per_s: float


def bucket_width_s(arc_s: F64, source_s: F64, limit_s: float) -> tuple[float, int]:
    """Width and number of buckets: about a mean arc wide, the ring as long as the longest arc."""
    longest = float(arc_s.max()) if len(arc_s) else 0.0
    ends = source_s[np.isfinite(source_s).all(axis=1)]
    if len(ends):
        longest = max(longest, float(np.ptp(ends, axis=1).max()))
    longest = min(longest, limit_s) if np.isfinite(limit_s) else longest
    width = max(float(arc_s.mean()) if len(arc_s) else 0.0, longest / (MAX_BUCKETS - 4), 1e-3)
    return width, 1 << (int(longest / width) + 3).bit_length()


@kernel
def _new_queue(width_s: float, buckets: int) -> Queue:
    size = 1024
    return Queue(
        np.full(buckets, -1, dtype=np.int32), np.empty(size, dtype=np.int32), np.empty(size),
        np.empty(size, dtype=np.int32), 1.0 / width_s,
    )  # fmt: skip


@kernel
def _longer(queue: Queue) -> Queue:
    """The queue with room for twice the entries."""
    size = len(queue.node)
    node, seconds = np.empty(2 * size, dtype=np.int32), np.empty(2 * size)
    following = np.empty(2 * size, dtype=np.int32)
    for k in range(size):
        node[k], seconds[k], following[k] = queue.node[k], queue.seconds[k], queue.following[k]
    return Queue(queue.bucket, node, seconds, following, queue.per_s)


@kernel
def _spread(
    row: I64, head: I32, arc_s: F64, limit_s: float,
    start_u: int, start_v: int, u_s: float, v_s: float, label: int,
    best: F64, labels: I32, touched: I32, count: int, queue: Queue,
) -> tuple[Queue, int]:  # fmt: skip
    """Search from one source; better times and, of equal ones, smaller labels go into ``best`` and ``labels``.

    Where ``best`` knows better, the search stops: many sources share one field, one after the other.
    Nodes without a label before are added to ``touched`` (which may be empty: then they are not);
    returns the queue, empty again, and the touched count.
    """
    mask, kept = len(queue.bucket) - 1, len(touched) > 0
    used, free, pending = ZERO, np.int32(-1), ZERO
    at = np.int64(1) << 62
    for end in range(2):
        node, seconds = (start_u, u_s) if end == 0 else (start_v, v_s)
        if node < 0 or not seconds <= limit_s:
            continue
        if seconds < best[node] or (seconds == best[node] and label < labels[node]):
            if kept and labels[node] < 0:
                touched[count] = node
                count += 1
            best[node], labels[node] = seconds, label
            slot = np.int64(seconds * queue.per_s)
            at = min(at, slot)
            queue.node[used], queue.seconds[used] = node, seconds
            queue.following[used] = queue.bucket[slot & mask]
            queue.bucket[slot & mask] = used
            used, pending = used + 1, pending + 1
    while pending > 0:
        entry = queue.bucket[at & mask]
        if entry < 0:
            at += 1
            continue
        queue.bucket[at & mask] = queue.following[entry]
        pending -= 1
        node, so_far = queue.node[entry], queue.seconds[entry]
        queue.following[entry] = free
        free = entry
        if so_far > best[node] or labels[node] != label:
            continue
        for arc in range(row[node], row[node + 1]):
            seconds = so_far + arc_s[arc]
            if not seconds <= limit_s:
                continue
            ahead = head[arc]
            if seconds < best[ahead] or (seconds == best[ahead] and label < labels[ahead]):
                if kept and labels[ahead] < 0:
                    touched[count] = ahead
                    count += 1
                best[ahead], labels[ahead] = seconds, label
                if free >= 0:
                    entry = free
                    free = queue.following[entry]
                else:
                    if used == len(queue.node):
                        queue = _longer(queue)
                    entry = np.int32(used)
                    used += 1
                slot = np.int64(seconds * queue.per_s) & mask
                queue.node[entry], queue.seconds[entry] = ahead, seconds
                queue.following[entry] = queue.bucket[slot]
                queue.bucket[slot] = entry
                pending += 1
    return queue, count


@kernel
def nearest_nodes(
    row: I64, head: I32, arc_s: F64, source_u: I32, source_v: I32, u_s: F64, v_s: F64, limit_s: float,
    order: I64, width_s: float, buckets: int,
) -> tuple[F64, I32]:  # fmt: skip
    """Seconds from the nearest of the sources in ``order`` and its row, for every (inner) node.

    ``inf`` and -1 beyond the limit. Sources near each other should follow each other in ``order``.
    """
    n = len(row) - 1
    best, labels = np.full(n, np.inf), np.full(n, -1, dtype=np.int32)
    queue, nothing = _new_queue(width_s, buckets), np.empty(0, dtype=np.int32)
    for i in order:
        queue, _ = _spread(
            row, head, arc_s, limit_s, ZERO + source_u[i], ZERO + source_v[i], u_s[i], v_s[i], i,
            best, labels, nothing, ZERO, queue,
        )  # fmt: skip
    return best, labels


@kernel
def merge_nearest(best: F64, labels: I32, other: F64, other_labels: I32) -> None:
    """Take into a field what another field knows better; of equal times the smaller label."""
    for k in range(len(best)):
        if other[k] < best[k] or (other[k] == best[k] and 0 <= other_labels[k] < labels[k]):
            best[k], labels[k] = other[k], other_labels[k]


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
    row: I64, head: I32, arc_s: F64, node: I32,
    first: int, last: int, source_u: I32, source_v: I32, u_s: F64, v_s: F64, limit_s: float,
    width_s: float, buckets: int,
) -> tuple[I64, I32, F64]:  # fmt: skip
    """For sources ``first``..``last``: nodes (outer rows, ascending) and seconds within the limit."""
    n = len(row) - 1
    best, labels = np.full(n, np.inf), np.full(n, -1, dtype=np.int32)
    touched, queue = np.empty(n, dtype=np.int32), _new_queue(width_s, buckets)
    counts = np.zeros(last - first, dtype=np.int64)
    indices, seconds, used = np.empty(1024, dtype=np.int32), np.empty(1024), ZERO
    for i in range(first, last):
        queue, count = _spread(
            row, head, arc_s, limit_s, ZERO + source_u[i], ZERO + source_v[i], u_s[i], v_s[i], ZERO,
            best, labels, touched, ZERO, queue,
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
    row: I64, head: I32, arc_s: F64,
    first: int, last: int, source_u: I32, source_v: I32, u_s: F64, v_s: F64,
    source_edge: I32, source_m: F64, source_s: F64,
    link_row: I64, link_target: I32, link_s: F64,
    target_order: I32, target_edge: I32, target_m: F64, target_s: F64,
    out_s_per_m: F64, back_s_per_m: F64, limit_s: float, width_s: float, buckets: int,
) -> tuple[I64, I32, F64]:  # fmt: skip
    """For sources ``first``..``last``: targets (ascending) and seconds within the limit.

    ``link_*``: CSR node → targets on its edges with the seconds from the node to each;
    ``target_order`` sorts the targets by edge, ``target_edge`` is already in that order.
    """
    n = len(row) - 1
    best, labels = np.full(n, np.inf), np.full(n, -1, dtype=np.int32)
    touched, queue = np.empty(n, dtype=np.int32), _new_queue(width_s, buckets)
    least, found = np.full(len(target_m), np.inf), np.empty(len(target_m), dtype=np.int32)
    counts = np.zeros(last - first, dtype=np.int64)
    indices, seconds, used = np.empty(1024, dtype=np.int32), np.empty(1024), ZERO
    for i in range(first, last):
        hits = ZERO
        queue, count = _spread(
            row, head, arc_s, limit_s, ZERO + source_u[i], ZERO + source_v[i], u_s[i], v_s[i], ZERO,
            best, labels, touched, ZERO, queue,
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
