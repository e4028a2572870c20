"""What lies near the ways, parted into cells: one for each few metres of way, what is nearest to them.

The cells are Voronoi cells of points along the ways, as far as a shape is widened. They are made once;
an isochrone is then the outline of the cells that are reached (:mod:`geo.isochrones.drawing`), at a
cost that grows with what is reached and with nothing else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from geo.compiled import Pool, kernel
from geo.isochrones.cutting import cut
from geo.isochrones.seams import Seams, seams_between
from geo.isochrones.spacing import SPACING_M, Points, points_along, spaced
from geo.isochrones.ways import U8, Ways, to_degrees, units_a_degree
from geo.models import F64, I32, I64
from geo.sphere import EARTH_RADIUS_M, curve_order

WIDEN_M = 25.0  # half a street block's depth on either side: shown, never counted
MOST_TRIES = 8
NOBODY = 255  # the kind of a way or cell that is not reached


class Scratch(NamedTuple):
    """One item a way, cell or corner, clean between drawings.

    The kind of a way; the kind and the cuts of a cell, where its way is not of one kind; a number for a
    corner. The kinds have one item more: what is too far from any way, number -1.
    """

    of_way: U8
    kind: U8
    cut: I32
    number: I32


@dataclass(frozen=True)
class Cells:
    """A partition of what lies within ``widen_m`` of some ways.

    The cell of point ``c`` has the borders ``row[c]`` to ``row[c + 1]``, turning left: each begins at
    ``corner`` and ends where the next begins, and has the cell of the point ``neighbour`` on its right hand,
    or -1 for what is too far from any way. ``place`` has a row for each corner: longitude and latitude;
    ``stays`` is 1 for those that no outline leaves out.
    ``along`` has a row for each point, of what tells how far along the way there a place lies from it, in
    sheet units, of which a metre is ``unit``: ``longitude * along[c, 0] + latitude * along[c, 1] - along[c, 2]``.
    """

    ways: Ways
    unit: float
    points: Points
    row: I64
    neighbour: I32
    corner: I32
    place: F64
    stays: U8
    along: F64
    seams: Seams
    pool: Pool[Scratch] = field(repr=False)

    @cached_property
    def arrays(self) -> tuple[Any, ...]:
        """What :func:`geo.isochrones.drawing.draw_sets` draws from."""
        ways, seams = self.ways, self.seams
        return (
            *self.points[2:], ways.start, ways.x, ways.y, ways.along_m, ways.length_m,
            self.row, self.corner, self.place, self.stays, self.along,
            seams.way, seams.beyond, seams.seam, seams.path, seams.cells, seams.own,
        )  # fmt: skip


def partition(ways: Ways, *, near: I32 | None = None, widen_m: float = WIDEN_M) -> Cells:
    """Part what lies within ``widen_m`` of the ways; with ``near``, of these edges and those around them.

    Takes two microseconds or so for each cell, once; a shape drawn from it, a tenth of that for each cell that is
    reached. Where two ways cross at different heights, the nearer of their points has the place.

    >>> from tests.toy import toy_network
    >>> from geo.isochrones.ways import prepare
    >>> cells = partition(prepare(toy_network([(0, 0), (20, 0)], [(0, 1)]), mode="walk"))
    >>> len(cells.points.x), int((cells.neighbour >= 0).sum())
    (3, 4)
    """
    edges = ways.edges if near is None else _around(ways, near, widen_m)
    edges = edges[curve_order(ways.x[ways.start[edges]], ways.y[ways.start[edges]])]
    unit = _units_a_metre(ways, edges)
    # the rims of two neighbours meet ``widen_m`` from the way, and are straight from one such place to the next
    radius = math.hypot(widen_m, SPACING_M / 2.0) * unit
    steps = spaced(ways, edges, unit)
    for attempt in range(MOST_TRIES):
        points = points_along(ways, edges, steps, attempt)
        made = cut(points, radius)
        if made is not None:
            break
    else:  # a matter of rounding at one place in ten billion, each time anew
        raise RuntimeError("the ways could not be parted into cells")
    row, neighbour, corner, x, y, stays = made
    place = np.column_stack(to_degrees(x + ways.x0, y + ways.y0))
    degree = units_a_degree()
    seams = seams_between(
        points.first, points.last, edges, row, neighbour, corner, place, stays, degree / unit, degree
    )

    def scratch() -> Scratch:
        return Scratch(
            np.full(len(ways.length_m) + 1, NOBODY, dtype=np.uint8),
            np.full(len(row), NOBODY, dtype=np.uint8),
            np.full(len(row) - 1, -1, dtype=np.int32),
            np.full(len(x), -1, dtype=np.int32),
        )

    along = _along(ways, points)
    return Cells(ways, unit, points, row, neighbour, corner, place, stays, along, seams, Pool(scratch))


def _along(ways: Ways, points: Points) -> F64:
    """How far along its way a place lies from a point, of degrees: the sheet is as flat as that near a point."""
    lon, lat = to_degrees(points.x + ways.x0, points.y + ways.y0)
    east = points.along_x * units_a_degree()
    north = points.along_y * units_a_degree() / np.cos(np.radians(lat))
    return np.column_stack((east, north, lon * east + lat * north))


def _units_a_metre(ways: Ways, edges: I64) -> float:
    """Sheet units in a metre, in the middle of some edges."""
    y = ways.y[ways.start[edges]]
    middle = (float(y.min()) + float(y.max())) / 2.0 if len(y) else 0.0
    latitude = 2.0 * math.atan(math.exp((ways.y0 + middle) / EARTH_RADIUS_M)) - math.pi / 2.0
    return 1.0 / math.cos(latitude)


def _around(ways: Ways, near: I32, widen_m: float) -> I64:
    """The edges of the mode that may have a point within twice ``widen_m`` of a point of the given ones."""
    far = 2.0 * math.hypot(widen_m, SPACING_M) * _units_a_metre(ways, np.asarray(near, dtype=np.int64))
    found: I64 = _edges_around(
        ways.start, ways.x, ways.y, ways.left, ways.bottom, ways.side, ways.columns, ways.rows,
        ways.square, ways.item, near, far, len(ways.length_m),
    )  # fmt: skip
    return found


@kernel
def _edges_around(
    start: I64, x: F64, y: F64, left: float, bottom: float, side: float, columns: int, rows: int,
    square: I64, item: I32, near: I32, far: float, edges: int,
) -> I64:  # fmt: skip
    seen = np.zeros(edges, dtype=np.bool_)
    used = np.zeros(columns * rows, dtype=np.bool_)
    for e in near:
        for k in range(start[e], start[e + 1] - 1):
            c0 = max(0, int((min(x[k], x[k + 1]) - far - left) / side))
            c1 = min(columns - 1, int((max(x[k], x[k + 1]) + far - left) / side))
            r0 = max(0, int((min(y[k], y[k + 1]) - far - bottom) / side))
            r1 = min(rows - 1, int((max(y[k], y[k + 1]) + far - bottom) / side))
            for r in range(r0, r1 + 1):
                for c in range(c0, c1 + 1):
                    at = r * columns + c
                    if not used[at]:
                        used[at] = True
                        for i in range(square[at], square[at + 1]):
                            seen[item[i]] = True
    return np.flatnonzero(seen)
