"""Compiled: from what is reached to rings, for many sets of nested bands one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geo.compiled import in_chunks, kernel
from geo.isochrones.cells import NOBODY, Cells
from geo.isochrones.kinds import kinds_of_cells, kinds_of_ways
from geo.isochrones.outlines import outline_pieces, parting_borders
from geo.isochrones.rings import Rings, close_rings, holders_of, in_polygons
from geo.isochrones.seams import STRAIGHT_M
from geo.isochrones.spacing import ZERO
from geo.isochrones.ways import U8, units_a_degree
from geo.models import F64, I32, I64

LEAST_M2 = 1e-3  # of what a ring goes round: less is a corner's rounding, not a place
DISAGREE = "an outline does not close: the cells disagree"
SMALLEST_CHUNK = 2  # sets that one thread draws without a pause


@kernel
def _clean(reached: I32, mixed: I32, way: I32, of_way: U8, kind: U8, cut: I32) -> None:
    for e in reached:
        of_way[e] = NOBODY
    for e in mixed:
        for c in range(way[e, 4], way[e, 5]):
            kind[c], cut[c] = NOBODY, -1


@kernel
def _longer(offsets: I64, used: int, needed: int) -> I64:
    """Room for so many more offsets."""
    if used + needed <= len(offsets):
        return offsets
    more = np.empty(max(used + needed, 2 * len(offsets)), dtype=np.int64)
    for k in range(used):
        more[k] = offsets[k]
    return more


@kernel
def _wider(place: F64, used: int, needed: int) -> F64:
    """Room for so many more corners."""
    if used + needed <= len(place):
        return place
    more = np.empty((max(used + needed, 2 * len(place)), 2))
    for k in range(used):
        more[k, 0], more[k, 1] = place[k, 0], place[k, 1]
    return more


@kernel
def draw_sets(
    first_set: int, last_set: int, begin: I64, p_edge: I32, p_from: F64, p_to: F64,
    to_m: F64, point_x: F64, point_y: F64, point_along_x: F64, point_along_y: F64,
    start: I64, ways_x: F64, ways_y: F64, along_m: F64, length_m: F64,
    row: I64, corner: I32, place: F64, stays: U8, along: F64,
    way: I32, beyond: I32, seam: I32, path: F64, seam_cells: I32, own: I32,
    of_way: U8, kind: U8, cut: I32, number: I32,
    east: float, north: float, largest: bool,
) -> tuple[F64, I64, I64, I64, bool]:  # fmt: skip
    """The parts of :class:`Rings` for some sets; whether all of them close. The scratch is clean again at the end.

    ``largest``: of each shape the largest ring alone.
    """
    bands = begin.shape[1] - 1
    lonlat, rings = np.empty((1024, 2)), np.zeros(256, dtype=np.int64)
    polygons, shapes = (
        np.zeros(64, dtype=np.int64),
        np.zeros(bands * (last_set - first_set) + 1, dtype=np.int64),
    )
    corners, ringed, parts = ZERO, ZERO, ZERO
    for i in range(first_set, last_set):
        low, high = begin[i, 0], begin[i, bands]
        within = begin[i] - low
        edge, from_m, upto_m = p_edge[low:high], p_from[low:high], p_to[low:high]
        reached, mixed = kinds_of_ways(way, length_m, within, edge, from_m, upto_m, of_way)
        cut_row, cut_at, cut_kind = kinds_of_cells(
            mixed, way, to_m, point_x, point_y, point_along_x, point_along_y,
            start, ways_x, ways_y, along_m, length_m, row, corner, place, along,
            within, edge, from_m, upto_m, of_way, kind, cut,
        )  # fmt: skip
        run, run_kind, other, other_kind = parting_borders(
            reached, mixed, of_way, kind, way, beyond, seam, seam_cells, own
        )
        h_end, h_band, h_path, h_next, v_place, keep = outline_pieces(
            bands, run, run_kind, other, other_kind,
            cut, number, cut_row, cut_at, cut_kind, along, row, corner, place, stays,
            path,
        )  # fmt: skip
        _clean(reached, mixed, way, of_way, kind, cut)
        ringed_at, opens, band, area, box, closed = close_rings(
            bands,
            h_end,
            h_band,
            h_path,
            h_next,
            v_place,
            keep,
            path,
            east,
            north,
            STRAIGHT_M,
            LEAST_M2,
            largest,
        )
        if not closed:
            return lonlat, rings, polygons, shapes, False
        holder = holders_of(ringed_at, opens, band, area, box)
        my_place, my_ring, my_polygon, my_shape = in_polygons(bands, ringed_at, opens, band, holder)
        lonlat = _wider(lonlat, corners, len(my_place))
        rings = _longer(rings, ringed + 1, len(my_ring))
        polygons = _longer(polygons, parts + 1, len(my_polygon))
        for k in range(len(my_place)):
            lonlat[corners + k, 0], lonlat[corners + k, 1] = my_place[k, 0], my_place[k, 1]
        for k in range(1, len(my_ring)):
            rings[ringed + k] = corners + my_ring[k]
        for k in range(1, len(my_polygon)):
            polygons[parts + k] = ringed + my_polygon[k]
        for b in range(1, bands + 1):
            shapes[(i - first_set) * bands + b] = parts + my_shape[b]
        corners += len(my_place)
        ringed += len(my_ring) - 1
        parts += len(my_polygon) - 1
    return lonlat[:corners], rings[: ringed + 1], polygons[: parts + 1], shapes, True


def draw(cells: Cells, begin: I64, p_edge: I32, p_from: F64, p_to: F64) -> Rings:
    """Rings of sets of nested bands: the bands of the first set, then those of the next.

    Stretches of band ``b`` of set ``i`` are ``begin[i, b]`` to ``begin[i, b + 1]``, ascending by edge and position.
    """
    degree = units_a_degree()

    def some(first: int, last: int) -> Rings:
        with cells.pool.one() as scratch:
            place, ring, polygon, shape, closed = draw_sets(
                first,
                last,
                begin,
                p_edge,
                p_from,
                p_to,
                *cells.arrays,
                *scratch,
                degree / cells.unit,
                degree,
                False,  # type: ignore[call-arg]
            )
            if not closed:
                raise RuntimeError(DISAGREE)
        return Rings(place, ring, polygon, shape)

    drawn = in_chunks(len(begin), SMALLEST_CHUNK, some)
    if len(drawn) == 1:
        return drawn[0]
    if not drawn:
        nothing = np.zeros(1, dtype=np.int64)
        return Rings(np.empty((0, 2)), nothing, nothing, nothing)
    offsets = (_joined([getattr(rings, level) for rings in drawn]) for level in ("ring", "polygon", "shape"))
    return Rings(np.concatenate([rings.place for rings in drawn]), *offsets)


def _joined(offsets: Sequence[I64]) -> I64:
    """Offsets of parts, each from 0, as offsets of the whole."""
    before = np.cumsum([0, *(part[-1] for part in offsets)])
    return np.concatenate([[0], *(part[1:] + first for part, first in zip(offsets, before, strict=False))])
