"""Compiled: which source is nearest along every edge."""

from __future__ import annotations

import numpy as np

from geo.compiled import kernel
from geo.models import F64, I32, I64


@kernel
def _seconds(at_m: float, begin_m: float, begin_s: float, slope: float) -> float:
    """Seconds at a position of what grows forwards (a slope above 0) or backwards; infinite elsewhere."""
    grown = (at_m - begin_m) * slope
    return begin_s + grown if grown >= 0.0 else np.inf


@kernel
def split_edges(
    edge_u: I32, edge_v: I32, length_m: F64, out_s_per_m: F64, back_s_per_m: F64, half_wait_s: F64,
    node_s: F64, node_label: I32, here: I64, here_edge: I32, offset_m: F64, access_s: F64, limit_s: float,
) -> tuple[I64, I64, F64, F64]:  # fmt: skip
    """Label, edge, from and to of the parts of edges that are within the limit, by nearest source.

    ``here``: sources in the order of ``here_edge``, the edges that they lie on. On an edge, times grow
    from both ends and from its own sources; between the places where two of them are equal or one meets
    the limit, one source is the nearest.
    """
    size, used = 4096, 0
    labels, edges = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    starts, stops = np.empty(size), np.empty(size)
    begin_m, begin_s, slope = np.empty(64), np.empty(64), np.empty(64)
    label = np.empty(64, dtype=np.int64)
    cuts = np.empty(4096)
    at = 0
    for e in range(len(edge_u)):
        while at < len(here) and here_edge[at] < e:
            at += 1
        last = at
        while last < len(here) and here_edge[last] == e:
            last += 1
        most = 2 + 2 * (last - at)
        if most > len(begin_m):
            begin_m, begin_s, slope = np.empty(2 * most), np.empty(2 * most), np.empty(2 * most)
            label = np.empty(2 * most, dtype=np.int64)
        count = 0
        for end in range(2):
            node = edge_u[e] if end == 0 else edge_v[e]
            speed = out_s_per_m[e] if end == 0 else back_s_per_m[e]
            if node_label[node] >= 0 and np.isfinite(speed):
                begin_m[count] = 0.0 if end == 0 else length_m[e]
                begin_s[count], label[count] = node_s[node] + half_wait_s[node], node_label[node]
                slope[count] = speed if end == 0 else -speed
                count += 1
        for k in range(at, last):
            for end in range(2):
                speed = out_s_per_m[e] if end == 0 else back_s_per_m[e]
                if np.isfinite(speed):
                    begin_m[count], begin_s[count] = offset_m[here[k]], access_s[here[k]]
                    slope[count], label[count] = speed if end == 0 else -speed, here[k]
                    count += 1
        if count == 0:
            continue
        needed = 2 + 2 * count + count * count
        if needed > len(cuts):
            cuts = np.empty(2 * needed)
        cuts[0], cuts[1], marks = 0.0, length_m[e], 2
        for i in range(count):
            cuts[marks] = begin_m[i]
            cuts[marks + 1] = begin_m[i] + (limit_s - begin_s[i]) / slope[i]
            marks += 2
            for j in range(i):
                # where two lines of seconds over metres meet; parallel ones do not
                if slope[i] != slope[j]:
                    base_i, base_j = begin_s[i] - slope[i] * begin_m[i], begin_s[j] - slope[j] * begin_m[j]
                    cuts[marks] = (base_j - base_i) / (slope[i] - slope[j])
                    marks += 1
        for i in range(1, marks):
            value, j = cuts[i], i - 1
            while j >= 0 and cuts[j] > value:
                cuts[j + 1] = cuts[j]
                j -= 1
            cuts[j + 1] = value
        for i in range(marks - 1):
            low, high = max(0.0, cuts[i]), min(cuts[i + 1], length_m[e])
            if high <= low:
                continue
            middle, best, winner = (low + high) / 2.0, np.inf, -1
            for j in range(count):
                seconds = _seconds(middle, begin_m[j], begin_s[j], slope[j])
                if seconds < best or (seconds == best and seconds < np.inf and label[j] < winner):
                    best, winner = seconds, label[j]
            if winner < 0 or best > limit_s:
                continue
            if used == len(labels):
                more_l, more_e = np.empty(2 * used, dtype=np.int64), np.empty(2 * used, dtype=np.int64)
                more_a, more_b = np.empty(2 * used), np.empty(2 * used)
                for k in range(used):
                    more_l[k], more_e[k], more_a[k], more_b[k] = labels[k], edges[k], starts[k], stops[k]
                labels, edges, starts, stops = more_l, more_e, more_a, more_b
            labels[used], edges[used], starts[used], stops[used] = winner, e, low, high
            used += 1
    return labels[:used], edges[:used], starts[:used], stops[:used]
