"""Straight pieces of lines in a uniform grid: nearest piece, crossing test, compiled."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from geo.compiled import kernel
from geo.models import F64, I32, I64

# The road end of a leg is cut by this much: what passes under a bridge does not block it.
ROAD_END_M = 0.05
MIN_CELL_M = 25.0
MAX_CELLS = 4_000_000


class Segments(NamedTuple):
    """Pieces ``(x0, y0)``-``(x1, y1)`` of lines, in metres of a plane, filed in a grid.

    ``from_m``..``to_m``: where the piece lies along its ``line``; cell ``c`` (row by row) holds the
    pieces ``item[start[c]:start[c + 1]]``.
    """

    x0: F64
    y0: F64
    x1: F64
    y1: F64
    line: I32
    from_m: F64
    to_m: F64
    left: float
    bottom: float
    cell_m: float
    columns: int
    rows: int
    start: I64
    item: I32


def segment_grid(x0: F64, y0: F64, x1: F64, y1: F64, line: I32, from_m: F64, to_m: F64) -> Segments:
    """Lay pieces into a grid of about two pieces a cell."""
    if len(x0) == 0:
        start, item = np.zeros(2, dtype=np.int64), np.empty(0, dtype=np.int32)
        return Segments(x0, y0, x1, y1, line, from_m, to_m, 0.0, 0.0, MIN_CELL_M, 1, 1, start, item)
    left, right = float(min(x0.min(), x1.min())), float(max(x0.max(), x1.max()))
    bottom, top = float(min(y0.min(), y1.min())), float(max(y0.max(), y1.max()))
    width, height = right - left, top - bottom
    cell = max(MIN_CELL_M, math.sqrt(2.0 * width * height / len(x0)), math.sqrt(width * height / MAX_CELLS))
    cell = max(cell, max(width, height) / MAX_CELLS)
    columns, rows = int(width / cell) + 1, int(height / cell) + 1
    start, item = _fill(x0, y0, x1, y1, left, bottom, cell, columns, rows)
    return Segments(x0, y0, x1, y1, line, from_m, to_m, left, bottom, cell, columns, rows, start, item)


@kernel
def _columns_in_row(
    x0: float, y0: float, x1: float, y1: float,
    left: float, bottom: float, cell: float, columns: int, row: int,
) -> tuple[int, int]:  # fmt: skip
    """First and last grid column that a piece touches within a row of cells, a hair generously."""
    low, high = bottom + row * cell, bottom + (row + 1) * cell
    a, b = 0.0, 1.0
    dy = y1 - y0
    if dy != 0.0:
        s, t = (low - y0) / dy, (high - y0) / dy
        a, b = max(a, min(s, t)), min(b, max(s, t))
        if a > b:
            a, b = max(0.0, min(1.0, a)), max(0.0, min(1.0, b))
    xa, xb = x0 + a * (x1 - x0), x0 + b * (x1 - x0)
    return _cells_between(xa, xb, left, cell, columns)


@kernel
def _cells_between(a: float, b: float, origin: float, cell: float, count: int) -> tuple[int, int]:
    """First and last of ``count`` cells in a row that meet ``a``..``b``, a hair generously."""
    pad = 1e-6 * cell
    low, high = (min(a, b) - pad - origin) / cell, (max(a, b) + pad - origin) / cell
    return math.floor(min(max(low, 0.0), count)), math.floor(max(min(high, count - 1.0), -1.0))


@kernel
def _fill(
    x0: F64, y0: F64, x1: F64, y1: F64, left: float, bottom: float, cell: float, columns: int, rows: int
) -> tuple[I64, I32]:
    start = np.zeros(columns * rows + 1, dtype=np.int64)
    item = np.empty(0, dtype=np.int32)
    for turn in range(2):
        for i in range(len(x0)):
            first_row, last_row = _cells_between(y0[i], y1[i], bottom, cell, rows)
            for r in range(first_row, last_row + 1):
                first, last = _columns_in_row(x0[i], y0[i], x1[i], y1[i], left, bottom, cell, columns, r)
                for c in range(first, last + 1):
                    at = r * columns + c
                    if turn == 0:
                        start[at] += 1
                    else:
                        start[at] -= 1
                        item[start[at]] = i
        if turn == 0:
            # After this each cell points at its end; the second turn walks it back to its start.
            for at in range(1, columns * rows):
                start[at] += start[at - 1]
            start[columns * rows] = start[columns * rows - 1]
            item = np.empty(start[columns * rows], dtype=np.int32)
    return start, item


@kernel
def _nearest_on(x: float, y: float, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float]:
    """Share of the way along a piece of its position nearest to a point, and the squared distance."""
    dx, dy = x1 - x0, y1 - y0
    square = dx * dx + dy * dy
    t = 0.0
    if square > 0.0:
        t = min(1.0, max(0.0, ((x - x0) * dx + (y - y0) * dy) / square))
    # The far end is taken as it stands, so that pieces which share it agree to the last bit.
    px, py = (x1, y1) if t == 1.0 else (x0 + t * dx, y0 + t * dy)
    return t, (x - px) * (x - px) + (y - py) * (y - py)


@kernel
def _nearest_piece(x: float, y: float, grid: Segments, max_m: float) -> tuple[int, float, float]:
    """Row, share along and squared distance of the nearest piece within ``max_m``; row -1 if none."""
    best, share, least = -1, 0.0, max_m * max_m
    c0 = math.floor((x - grid.left) / grid.cell_m)
    r0 = math.floor((y - grid.bottom) / grid.cell_m)
    # Rings of cells outwards; the first that meets the grid, for points that lie outside of it.
    ring = max(-c0, c0 - (grid.columns - 1), -r0, r0 - (grid.rows - 1), 0)
    if ring * grid.cell_m > max_m + grid.cell_m:
        return best, share, least
    last_ring = max(c0, grid.columns - 1 - c0, r0, grid.rows - 1 - r0)
    while ring <= last_ring:
        # All within (ring - 1) cells has been seen.
        reach = max(0.0, (ring - 1) * grid.cell_m)
        if reach * reach > least:
            break
        for r in range(max(0, r0 - ring), min(grid.rows - 1, r0 + ring) + 1):
            whole = abs(r - r0) == ring
            step = 1 if whole or ring == 0 else 2 * ring
            for c in range(c0 - ring, c0 + ring + 1, step):
                if c < 0 or c >= grid.columns:
                    continue
                at = r * grid.columns + c
                for k in range(grid.start[at], grid.start[at + 1]):
                    i = grid.item[k]
                    t, square = _nearest_on(x, y, grid.x0[i], grid.y0[i], grid.x1[i], grid.y1[i])
                    if square < least or (square == least and (best < 0 or i < best)):
                        best, share, least = i, t, square
        ring += 1
    return best, share, least


@kernel
def _side(ax: float, ay: float, bx: float, by: float, x: float, y: float) -> float:
    return (bx - ax) * (y - ay) - (by - ay) * (x - ax)


@kernel
def _blocked(x: float, y: float, to_x: float, to_y: float, barriers: Segments) -> bool:
    """Whether the leg from a point to its position on the road strictly crosses a barrier."""
    length = math.hypot(to_x - x, to_y - y)
    if length <= ROAD_END_M or len(barriers.x0) == 0:
        return False
    keep = (length - ROAD_END_M) / length
    end_x, end_y = x + keep * (to_x - x), y + keep * (to_y - y)
    first_row, last_row = _cells_between(y, end_y, barriers.bottom, barriers.cell_m, barriers.rows)
    for r in range(first_row, last_row + 1):
        first, last = _columns_in_row(
            x, y, end_x, end_y, barriers.left, barriers.bottom, barriers.cell_m, barriers.columns, r
        )
        for c in range(first, last + 1):
            at = r * barriers.columns + c
            for k in range(barriers.start[at], barriers.start[at + 1]):
                i = barriers.item[k]
                ax, ay, bx, by = barriers.x0[i], barriers.y0[i], barriers.x1[i], barriers.y1[i]
                # One end of a piece is counted as left of the leg: no slipping through a vertex.
                if (_side(x, y, end_x, end_y, ax, ay) > 0.0) == (_side(x, y, end_x, end_y, bx, by) > 0.0):
                    continue
                s, t = _side(ax, ay, bx, by, x, y), _side(ax, ay, bx, by, end_x, end_y)
                if (s > 0.0 and t < 0.0) or (s < 0.0 and t > 0.0):
                    return True
    return False


@kernel
def _candidates(x: float, y: float, grid: Segments, max_m: float) -> I32:
    """Pieces in the cells within ``max_m``, some more than once."""
    c0, c1 = _cells_between(x - max_m, x + max_m, grid.left, grid.cell_m, grid.columns)
    r0, r1 = _cells_between(y - max_m, y + max_m, grid.bottom, grid.cell_m, grid.rows)
    count = 0
    for r in range(r0, r1 + 1):
        for c in range(c0, c1 + 1):
            count += grid.start[r * grid.columns + c + 1] - grid.start[r * grid.columns + c]
    found, used = np.empty(count, dtype=np.int32), 0
    for r in range(r0, r1 + 1):
        for c in range(c0, c1 + 1):
            for k in range(grid.start[r * grid.columns + c], grid.start[r * grid.columns + c + 1]):
                found[used] = grid.item[k]
                used += 1
    return found


@kernel
def _first_least(squares: F64, piece: I32) -> int:
    """Where the least finite square stands, of equals that of the lowest piece; -1 if there is none."""
    best = -1
    for k in range(len(squares)):
        if squares[k] < np.inf and (
            best < 0 or squares[k] < squares[best] or (squares[k] == squares[best] and piece[k] < piece[best])
        ):
            best = k
    return best


@kernel
def snap_points(
    x: F64, y: F64, roads: Segments, barriers: Segments, max_access_m: float
) -> tuple[I32, F64, F64, F64, F64]:
    """Edge, offset, access metres and position of each point; edge -1 and nan where none will do."""
    edge = np.full(len(x), -1, dtype=np.int32)
    offset, access = np.full(len(x), np.nan), np.full(len(x), np.nan)
    at_x, at_y = np.full(len(x), np.nan), np.full(len(x), np.nan)
    for p in range(len(x)):
        if not (math.isfinite(x[p]) and math.isfinite(y[p])) or len(roads.x0) == 0:
            continue
        i, t, square = _nearest_piece(x[p], y[p], roads, max_access_m)
        if i < 0:
            continue
        px = roads.x1[i] if t == 1.0 else roads.x0[i] + t * (roads.x1[i] - roads.x0[i])
        py = roads.y1[i] if t == 1.0 else roads.y0[i] + t * (roads.y1[i] - roads.y0[i])
        if _blocked(x[p], y[p], px, py, barriers):
            near = _candidates(x[p], y[p], roads, max_access_m)
            squares = np.empty(len(near))
            for k in range(len(near)):
                j = near[k]
                squares[k] = _nearest_on(x[p], y[p], roads.x0[j], roads.y0[j], roads.x1[j], roads.y1[j])[1]
            i = -1
            while i < 0:
                k = _first_least(squares, near)
                if k < 0 or squares[k] > max_access_m * max_access_m:
                    break
                j, squares[k] = near[k], np.inf
                t, square = _nearest_on(x[p], y[p], roads.x0[j], roads.y0[j], roads.x1[j], roads.y1[j])
                px = roads.x1[j] if t == 1.0 else roads.x0[j] + t * (roads.x1[j] - roads.x0[j])
                py = roads.y1[j] if t == 1.0 else roads.y0[j] + t * (roads.y1[j] - roads.y0[j])
                if not _blocked(x[p], y[p], px, py, barriers):
                    i = j
            if i < 0:
                continue
        edge[p] = roads.line[i]
        offset[p] = roads.to_m[i] if t == 1.0 else roads.from_m[i] + t * (roads.to_m[i] - roads.from_m[i])
        access[p], at_x[p], at_y[p] = math.sqrt(square), px, py
    return edge, offset, access, at_x, at_y
