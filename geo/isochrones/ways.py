"""The ways of one mode on a flat sheet, filed in squares: what shapes are drawn from."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.compiled import kernel
from geo.models import F64, I32, I64, Mode, RoadNetwork
from geo.sphere import EARTH_RADIUS_M

U8 = NDArray[np.uint8]
SHORTEST_M = 1e-6  # below the precision of any map
SQUARE_M = 250.0
MAX_SQUARES = 4_000_000


class Ways(NamedTuple):
    """Vertices of all edges on a spherical Mercator sheet, and a grid of the edges of the mode.

    ``x y``: sheet units east and north of ``x0 y0``; a metre is ``1 / cos(latitude)`` units, the same
    in every direction. Edge ``e`` has vertices ``start[e]`` to ``start[e + 1]``, each ``along_m`` metres
    from ``edge_u``. Square ``c`` (row by row from ``left bottom``) holds the edges
    ``item[square[c]:square[c + 1]]`` whose bounding box meets it.
    """

    start: I64
    x: F64
    y: F64
    along_m: F64
    length_m: F64
    edges: I64
    x0: float
    y0: float
    left: float
    bottom: float
    side: float
    columns: int
    rows: int
    square: I64
    item: I32


def prepare(network: RoadNetwork, *, mode: Mode) -> Ways:
    """Lay out the ways that are open to ``mode``: once for a network, then draw any number of shapes.

    >>> from tests.toy import toy_network
    >>> ways = prepare(toy_network([(0, 0), (900, 0)], [(0, 1)]), mode="walk")
    >>> ways.edges.tolist(), ways.along_m.round(3).tolist()
    ([0], [0.0, 900.0])
    """
    lines, length = network.geometry, network.length_m
    x, y = to_sheet(lines.lon, lines.lat)
    x0, y0 = (float(x.mean()), float(y.mean())) if len(x) else (0.0, 0.0)
    x, y = x - x0, y - y0
    along = _along(lines.start, x, y, length)
    usable = (network.speed_forward_kmh[mode] > 0) | (network.speed_backward_kmh[mode] > 0)
    edges = np.flatnonzero(usable)
    if len(x) == 0:
        return Ways(
            lines.start, x, y, along, length, edges, x0, y0, 0.0, 0.0, SQUARE_M, 1, 1,
            np.zeros(2, dtype=np.int64), np.empty(0, dtype=np.int32),
        )  # fmt: skip
    left, bottom, width, height = float(x.min()), float(y.min()), float(np.ptp(x)), float(np.ptp(y))
    side = max(SQUARE_M, math.sqrt(width * height / MAX_SQUARES), max(width, height) / MAX_SQUARES)
    columns, rows = int(width / side) + 1, int(height / side) + 1
    square, item = _file(edges, lines.start, x, y, left, bottom, side, columns, rows)
    return Ways(
        lines.start, x, y, along, length, edges, x0, y0, left, bottom, side, columns, rows, square, item
    )  # fmt: skip


@kernel
def position(x: F64, y: F64, along_m: F64, k: int, at_m: float) -> tuple[float, float]:
    """Where ``at_m`` lies on the piece from vertex ``k`` to the next."""
    span = along_m[k + 1] - along_m[k]
    share = (at_m - along_m[k]) / span if span > 0.0 else 0.0
    share = min(1.0, max(0.0, share))
    return x[k] + share * (x[k + 1] - x[k]), y[k] + share * (y[k + 1] - y[k])


def to_sheet(lon: F64, lat: F64) -> tuple[F64, F64]:
    """Spherical Mercator of WGS-84 degrees: conformal, so a strip has one width all round.

    >>> x, y = to_sheet(np.array([0.0]), np.array([0.0]))
    >>> float(x[0]), round(float(y[0]), 6)
    (0.0, -0.0)
    """
    return EARTH_RADIUS_M * np.radians(lon), EARTH_RADIUS_M * np.log(
        np.tan(np.pi / 4.0 + np.radians(lat) / 2.0)
    )


def to_degrees(x: F64 | float, y: F64 | float) -> tuple[F64, F64]:
    """The way back from :func:`to_sheet`."""
    return np.degrees(x / EARTH_RADIUS_M), np.degrees(
        2.0 * np.arctan(np.exp(y / EARTH_RADIUS_M)) - np.pi / 2.0
    )


def units_a_degree() -> float:
    """Sheet units in a degree of longitude; of latitude, so many by its cosine."""
    return math.radians(EARTH_RADIUS_M)


def _along(start: I64, x: F64, y: F64, length_m: F64) -> F64:
    """Metres of each vertex along its edge, stretched so that the last is the length of the edge."""
    of_edge = np.repeat(np.arange(len(length_m)), np.diff(start))
    step = np.zeros(len(x))
    step[1:] = np.hypot(np.diff(x), np.diff(y))
    step[start[:-1]] = 0.0
    running = np.cumsum(step)
    along = running - running[start[:-1]][of_edge]
    drawn = along[start[1:] - 1] if len(length_m) else np.zeros(0)
    along *= np.divide(length_m, drawn, out=np.zeros(len(length_m)), where=drawn > 0)[of_edge]
    along[start[1:] - 1] = length_m
    stretched: F64 = np.minimum(along, length_m[of_edge])
    return stretched


@kernel
def _file(
    edges: I64, start: I64, x: F64, y: F64,
    left: float, bottom: float, side: float, columns: int, rows: int,
) -> tuple[I64, I32]:  # fmt: skip
    square = np.zeros(columns * rows + 1, dtype=np.int64)
    item = np.empty(0, dtype=np.int32)
    for turn in range(2):
        for e in edges:
            x_low, x_high, y_low, y_high = np.inf, -np.inf, np.inf, -np.inf
            for k in range(start[e], start[e + 1]):
                x_low, x_high = min(x_low, x[k]), max(x_high, x[k])
                y_low, y_high = min(y_low, y[k]), max(y_high, y[k])
            c0, c1 = int((x_low - left) / side), min(int((x_high - left) / side), columns - 1)
            r0, r1 = int((y_low - bottom) / side), min(int((y_high - bottom) / side), rows - 1)
            for r in range(r0, r1 + 1):
                for c in range(c0, c1 + 1):
                    at = r * columns + c
                    if turn == 0:
                        square[at] += 1
                    else:
                        square[at] -= 1
                        item[square[at]] = e
        if turn == 0:
            for at in range(1, columns * rows):
                square[at] += square[at - 1]
            square[columns * rows] = square[columns * rows - 1]
            item = np.empty(square[columns * rows], dtype=np.int32)
    return square, item
