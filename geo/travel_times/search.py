"""Compiled searches: Dijkstra with an indexed binary heap, bounded, reset only where touched."""

from __future__ import annotations

from typing import Any

import numpy as np

from geo.compiled import kernel
from geo.models import F64, I32, I64
from geo.travel_times.graph import AT_NODE_M

# A bare 0 has a type of its own in numba, and every kernel that it is passed to is compiled once more.
ZERO: Any = np.int64(0)


@kernel
def _up(heap: I32, place: I32, key: F64, at: int) -> None:
    node = heap[at]
    while at > 0:
        parent = (at - 1) >> 1
        if key[heap[parent]] <= key[node]:
            break
        heap[at] = heap[parent]
        place[heap[at]] = at
        at = parent
    heap[at] = node
    place[node] = at


@kernel
def _down(heap: I32, place: I32, key: F64, at: int, size: int) -> None:
    node = heap[at]
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and key[heap[child + 1]] < key[heap[child]]:
            child += 1
        if key[heap[child]] >= key[node]:
            break
        heap[at] = heap[child]
        place[heap[at]] = at
        at = child
    heap[at] = node
    place[node] = at


@kernel
def _offer(
    node: int, seconds: float, label: int,
    best: F64, labels: I32, heap: I32, place: I32, size: int, touched: I32, count: int,
) -> tuple[int, int]:  # fmt: skip
    """Offer a node a time and a label; the smaller label wins a tie. Returns heap size, touched count."""
    if seconds > best[node] or (seconds == best[node] and label >= labels[node]):
        return size, count
    if labels[node] < 0:
        touched[count] = node
        count += 1
    best[node] = seconds
    labels[node] = label
    if place[node] < 0:
        place[node] = size
        heap[size] = node
        size += 1
    _up(heap, place, best, place[node])
    return size, count


@kernel
def _run(
    row: I64, head: I32, arc_s: F64, limit_s: float,
    best: F64, labels: I32, heap: I32, place: I32, size: int, touched: I32, count: int,
) -> int:  # fmt: skip
    """Settle all that the heap holds and leads to within the limit; returns the touched count."""
    while size > 0:
        node = heap[0]
        size -= 1
        place[node] = -1
        if size > 0:
            heap[0] = heap[size]
            _down(heap, place, best, 0, size)
        for arc in range(row[node], row[node + 1]):
            seconds = best[node] + arc_s[arc]
            if seconds <= limit_s:
                size, count = _offer(
                    head[arc],
                    seconds,
                    ZERO + labels[node],
                    best,
                    labels,
                    heap,
                    place,
                    size,
                    touched,
                    count,
                )
    return count


@kernel
def nearest_nodes(
    row: I64, head: I32, arc_s: F64, source_u: I32, source_v: I32, u_s: F64, v_s: F64, limit_s: float
) -> tuple[F64, I32]:
    """Seconds from the nearest source and its row, for every (inner) node; ``inf`` and -1 beyond."""
    n = len(row) - 1
    best, labels = np.full(n, np.inf), np.full(n, -1, dtype=np.int32)
    heap, place = np.empty(n, dtype=np.int32), np.full(n, -1, dtype=np.int32)
    touched, size, count = np.empty(n, dtype=np.int32), ZERO, ZERO
    for i in range(len(source_u)):
        if u_s[i] <= limit_s and source_u[i] >= 0:
            size, count = _offer(source_u[i], u_s[i], i, best, labels, heap, place, size, touched, count)
        if v_s[i] <= limit_s and source_v[i] >= 0:
            size, count = _offer(source_v[i], v_s[i], i, best, labels, heap, place, size, touched, count)
    _run(row, head, arc_s, limit_s, best, labels, heap, place, size, touched, count)
    return best, labels


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
) -> tuple[I64, I32, F64]:  # fmt: skip
    """For sources ``first``..``last``: nodes (outer rows, ascending) and seconds within the limit."""
    n = len(row) - 1
    best, labels = np.full(n, np.inf), np.full(n, -1, dtype=np.int32)
    heap, place = np.empty(n, dtype=np.int32), np.full(n, -1, dtype=np.int32)
    touched = np.empty(n, dtype=np.int32)
    counts = np.zeros(last - first, dtype=np.int64)
    indices, seconds, used = np.empty(1024, dtype=np.int32), np.empty(1024), ZERO
    for i in range(first, last):
        size, count = ZERO, ZERO
        if u_s[i] <= limit_s and source_u[i] >= 0:
            size, count = _offer(source_u[i], u_s[i], ZERO, best, labels, heap, place, size, touched, count)
        if v_s[i] <= limit_s and source_v[i] >= 0:
            size, count = _offer(source_v[i], v_s[i], ZERO, best, labels, heap, place, size, touched, count)
        count = _run(row, head, arc_s, limit_s, best, labels, heap, place, size, touched, count)
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
    out_s_per_m: F64, back_s_per_m: F64, limit_s: float,
) -> tuple[I64, I32, F64]:  # fmt: skip
    """For sources ``first``..``last``: targets (ascending) and seconds within the limit.

    ``link_*``: CSR node → targets on its edges with the seconds from the node to each;
    ``target_order`` sorts the targets by edge, ``target_edge`` is already in that order.
    """
    n = len(row) - 1
    best, labels = np.full(n, np.inf), np.full(n, -1, dtype=np.int32)
    heap, place = np.empty(n, dtype=np.int32), np.full(n, -1, dtype=np.int32)
    touched = np.empty(n, dtype=np.int32)
    least, found = np.full(len(target_m), np.inf), np.empty(len(target_m), dtype=np.int32)
    counts = np.zeros(last - first, dtype=np.int64)
    indices, seconds, used = np.empty(1024, dtype=np.int32), np.empty(1024), ZERO
    for i in range(first, last):
        size, count, hits = ZERO, ZERO, ZERO
        if u_s[i] <= limit_s and source_u[i] >= 0:
            size, count = _offer(source_u[i], u_s[i], ZERO, best, labels, heap, place, size, touched, count)
        if v_s[i] <= limit_s and source_v[i] >= 0:
            size, count = _offer(source_v[i], v_s[i], ZERO, best, labels, heap, place, size, touched, count)
        count = _run(row, head, arc_s, limit_s, best, labels, heap, place, size, touched, count)
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
