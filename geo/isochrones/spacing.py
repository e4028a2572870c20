"""Where the points stand that cells are made around: evenly along ways, closer where another way is near."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from geo.compiled import in_chunks, kernel
from geo.isochrones.ways import Ways, position
from geo.models import F64, I32, I64

SPACING_M = 15.0
SHORTEST_STEP_M = 1.5
STEP_TO_NEXT = 2.0  # points of a way are at most so many times further apart than it is from the next way
INSET_M = 2.0  # from the ends of an edge to its first and last point
# Points stand off their places by up to this much, some way or other: four of them are never on one
# circle, so that three borders meet at a corner, and never four.
ASIDE_M = 0.02
SMALLEST_CHUNK = 2_000
# A bare 0 has a type of its own in numba, and every kernel that it is passed to is compiled once more.
ZERO: Any = np.int64(0)


class Points(NamedTuple):
    """Points along edges: those of edge ``e`` are ``first[e]`` to ``last[e] - 1``, ascending.

    Each stands for the edge from the ``to_m`` of the point before it (or 0) to its own; ``x y`` are sheet
    units, ``along_x along_y`` the direction of the way there.
    """

    first: I64
    last: I64
    to_m: F64
    x: F64
    y: F64
    along_x: F64
    along_y: F64


class Spacing(NamedTuple):
    """Even points ``first`` to ``last`` of each edge, and into how many steps the gap behind each is parted."""

    first: I64
    last: I64
    steps: I64


@kernel
def _first_points(edges: I64, length_m: F64) -> tuple[I64, I64]:
    """The points of each edge, evenly spaced: from which number to which."""
    first, last, count = (
        np.zeros(len(length_m), dtype=np.int64),
        np.zeros(len(length_m), dtype=np.int64),
        ZERO,
    )
    for e in edges:
        within = length_m[e] - 2.0 * INSET_M
        first[e] = count
        count += 1 if within < INSET_M else 1 + math.ceil(within / SPACING_M)
        last[e] = count
    return first, last


@kernel
def _gaps(
    edges: I64, first: I64, last: I64, start: I64, x: F64, y: F64, along_m: F64, length_m: F64
) -> tuple[I32, F64, F64, F64, F64]:
    """The edge of each point, and the straight piece from it to the next one (from the last: to the end)."""
    count = ZERO
    for e in edges:
        count = max(count, last[e])
    edge, ax, ay = np.empty(count, dtype=np.int32), np.empty(count), np.empty(count)
    bx, by = np.empty(count), np.empty(count)
    for e in edges:
        k, pieces = start[e], last[e] - first[e]
        for piece in range(pieces):
            i = first[e] + piece
            at_m = 0.0
            if pieces > 1 and piece > 0:
                at_m = INSET_M + piece * (length_m[e] - 2.0 * INSET_M) / (pieces - 1)
            while k < start[e + 1] - 2 and along_m[k + 1] < at_m:
                k += 1
            edge[i] = e
            ax[i], ay[i] = position(x, y, along_m, k, at_m)
            if piece > 0:
                bx[i - 1], by[i - 1] = ax[i], ay[i]
            bx[i], by[i] = x[start[e + 1] - 1], y[start[e + 1] - 1]
    return edge, ax, ay, bx, by


@kernel
def _from_piece(px: float, py: float, ax: float, ay: float, bx: float, by: float) -> float:
    """The square of the distance from a position to a straight piece."""
    dx, dy = bx - ax, by - ay
    size = dx * dx + dy * dy
    share = min(1.0, max(0.0, ((px - ax) * dx + (py - ay) * dy) / size)) if size > 0.0 else 0.0
    x, y = ax + share * dx - px, ay + share * dy - py
    return x * x + y * y


@kernel
def _cross_product(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> float:
    return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)


@kernel
def _near(
    low: int, high: int, order: I32, key: I64, columns: int, edge: I32, ax: F64, ay: F64, bx: F64, by: F64,
    start: I64, x: F64, y: F64, far: float,
) -> F64:  # fmt: skip
    """From some pieces, how far it is to a way that does not begin or end where theirs does; at most ``far``."""
    found = np.full(high - low, far * far)
    for at in range(low, high):
        i = order[at]
        e = edge[i]
        e_from, e_to = start[e], start[e + 1] - 1
        for line in range(-1, 2):
            k = np.searchsorted(key, key[at] + line * columns - 1)
            while k < len(key) and key[k] <= key[at] + line * columns + 1:
                j = order[k]
                k += 1
                f = edge[j]
                if f == e:
                    continue
                f_from, f_to = start[f], start[f + 1] - 1
                if (
                    (x[e_from] == x[f_from] and y[e_from] == y[f_from])
                    or (x[e_from] == x[f_to] and y[e_from] == y[f_to])
                    or (x[e_to] == x[f_from] and y[e_to] == y[f_from])
                    or (x[e_to] == x[f_to] and y[e_to] == y[f_to])
                ):
                    continue
                one = _cross_product(ax[i], ay[i], bx[i], by[i], ax[j], ay[j])
                two = _cross_product(ax[i], ay[i], bx[i], by[i], bx[j], by[j])
                three = _cross_product(ax[j], ay[j], bx[j], by[j], ax[i], ay[i])
                four = _cross_product(ax[j], ay[j], bx[j], by[j], bx[i], by[i])
                square = 0.0
                if (one > 0.0) == (two > 0.0) or (three > 0.0) == (four > 0.0):
                    square = min(
                        _from_piece(ax[i], ay[i], ax[j], ay[j], bx[j], by[j]),
                        _from_piece(bx[i], by[i], ax[j], ay[j], bx[j], by[j]),
                        _from_piece(ax[j], ay[j], ax[i], ay[i], bx[i], by[i]),
                        _from_piece(bx[j], by[j], ax[i], ay[i], bx[i], by[i]),
                    )
                found[at - low] = min(found[at - low], square)
    distance: F64 = np.sqrt(found)
    return distance


def spaced(ways: Ways, edges: I64, unit: float) -> Spacing:
    """How densely the points of some edges must stand, where a metre is ``unit`` sheet units.

    Where two ways cross on two levels, or run side by side, points that are further apart than the ways
    would give parts of one to the other.
    """
    first, last = _first_points(edges, ways.length_m)
    edge, ax, ay, bx, by = _gaps(edges, first, last, ways.start, ways.x, ways.y, ways.along_m, ways.length_m)
    if len(edge) == 0:
        return Spacing(first, last, np.empty(0, dtype=np.int64))
    far = SPACING_M / STEP_TO_NEXT * unit
    side = far + 1.5 * SPACING_M * unit
    middle_x, middle_y = (ax + bx) / 2.0, (ay + by) / 2.0
    left, bottom = middle_x.min() - 2.0 * side, middle_y.min() - 2.0 * side
    columns = int((middle_x.max() - left) / side) + 4
    key = ((middle_y - bottom) / side).astype(np.int64) * columns + ((middle_x - left) / side).astype(
        np.int64
    )
    order = np.argsort(key, kind="stable").astype(np.int32)
    key = key[order]
    near = np.empty(len(edge))
    near[order] = np.concatenate(
        in_chunks(
            len(edge),
            SMALLEST_CHUNK,
            lambda a, b: _near(
                a, b, order, key, columns, edge, ax, ay, bx, by, ways.start, ways.x, ways.y, far
            ),
        )
    )
    step_m = np.clip(near / unit * STEP_TO_NEXT, SHORTEST_STEP_M, SPACING_M)
    # a metre is not the same in the north and in the south: what is too long by that little stays whole
    steps = np.ceil(np.hypot(bx - ax, by - ay) / unit / step_m - 0.02).astype(np.int64)
    return Spacing(first, last, np.maximum(steps, 1))


def points_along(ways: Ways, edges: I64, spacing: Spacing, attempt: int) -> Points:
    """The points of some edges; with another ``attempt`` each a little aside."""
    return Points(*_points(edges, *spacing, ways.start, ways.x, ways.y, ways.along_m, ways.length_m, attempt))


@kernel
def _aside(edge: int, piece: int, attempt: int) -> float:
    """A number from -1 to 1 that looks like chance."""
    mixed = (edge * 2654435761 + piece * 40503 + attempt * 97531 + 12345) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 15)) * 2246822519) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 13)) * 3266489917) & 0xFFFFFFFF
    return (mixed >> 8) / 8388608.0 - 1.0


@kernel
def _points(
    edges: I64, old_first: I64, old_last: I64, steps: I64,
    start: I64, x: F64, y: F64, along_m: F64, length_m: F64, attempt: int,
) -> tuple[I64, I64, F64, F64, F64, F64, F64]:  # fmt: skip
    first, last, count = (
        np.zeros(len(length_m), dtype=np.int64),
        np.zeros(len(length_m), dtype=np.int64),
        ZERO,
    )
    for e in edges:
        first[e] = count
        count += 1
        for i in range(old_first[e], old_last[e] - 1):
            count += steps[i]
        last[e] = count
    to_m, at_x, at_y = np.empty(count), np.empty(count), np.empty(count)
    along_x, along_y = np.empty(count), np.empty(count)
    for e in edges:
        k, before, gaps = start[e], 0.0, old_last[e] - old_first[e] - 1
        gap, step = ZERO, ZERO
        for i in range(first[e], last[e]):
            at_m, gap_m = length_m[e] / 2.0, length_m[e]
            if gaps > 0:
                gap_m = (length_m[e] - 2.0 * INSET_M) / gaps
                parts = steps[old_first[e] + gap] if gap < gaps else 1
                at_m = INSET_M + (gap + step / parts) * gap_m
                step += 1
                if step == parts:
                    gap, step = gap + 1, ZERO
            at_m += min(ASIDE_M, length_m[e] / 8.0) * _aside(e, i - first[e], attempt)
            while k < start[e + 1] - 2 and along_m[k + 1] < at_m:
                k += 1
            at_x[i], at_y[i] = position(x, y, along_m, k, at_m)
            dx, dy = x[k + 1] - x[k], y[k + 1] - y[k]
            size = math.hypot(dx, dy)
            along_x[i], along_y[i] = (dx / size, dy / size) if size > 0.0 else (1.0, 0.0)
            if i > first[e]:
                to_m[i - 1] = (before + at_m) / 2.0
            to_m[i] = length_m[e]
            before = at_m
    return first, last, to_m, at_x, at_y, along_x, along_y
