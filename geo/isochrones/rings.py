"""Rings: pieces of outlines put together to polygons with holes, band by band."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.compiled import kernel
from geo.isochrones.seams import AHEAD, BACK, sticks_out
from geo.isochrones.spacing import ZERO
from geo.isochrones.ways import U8
from geo.models import F64, I32, I64

Shapes = NDArray[np.object_]
ALL = 4  # all corners of a piece stay


class Rings(NamedTuple):
    """Nested shapes in degrees, smallest first, as GeoArrow has them.

    ``place``: longitude and latitude of the corners; ring ``i`` is ``ring[i]`` to ``ring[i + 1]``, closed, polygon
    ``j`` has the rings ``polygon[j]`` to ``polygon[j + 1]``, first the outer one, which turns left; shape ``b``
    has the polygons ``shape[b]`` to ``shape[b + 1]``.
    """

    place: F64
    ring: I64
    polygon: I64
    shape: I64

    def polygons(self, b: int) -> list[list[F64]]:
        """The polygons of shape ``b``: the rings of each, the outer one first."""
        first, last = self.shape[b], self.shape[b + 1]
        ring, polygon = self.ring.tolist(), self.polygon[first : last + 1].tolist()
        return [[self.place[ring[i] : ring[i + 1]] for i in range(a, z)] for a, z in pairwise(polygon)]

    def shapes(self) -> Shapes:
        """A MultiPolygon (EPSG:4326) for each shape."""
        offsets = (self.ring, self.polygon, self.shape)
        made: Shapes = shapely.from_ragged_array(shapely.GeometryType.MULTIPOLYGON, self.place, offsets)
        return made


@kernel
def close_rings(
    bands: int, h_end: I32, h_band: U8, h_path: I32, h_next: F64, v_place: F64, keep: U8,
    path: F64, east: float, north: float, tolerance: float, least: float, largest: bool,
) -> tuple[F64, I64, I32, F64, F64, bool]:  # fmt: skip
    """Closed rings, band by band: corners, starts, bands, areas in metres, boxes; whether all of them close.

    ``east`` and ``north``: metres in a degree. ``largest``: of each band the largest ring alone, of equal ones the first.
    A box: west, south, east, north.
    """
    pieces, room = ZERO, ZERO
    for h in range(len(h_end)):
        times = np.int64(h_band[h, 1]) - np.int64(h_band[h, 0])
        pieces += times
        room += times * max(abs(h_path[h, 1] - h_path[h, 0]), 1)
    place = np.empty((room + pieces, 2))
    start, band = np.zeros(pieces + 1, dtype=np.int64), np.empty(pieces, dtype=np.int32)
    area, box, rings, used = np.empty(pieces), np.empty((pieces, 4)), ZERO, ZERO
    following, ring = (
        np.full(len(v_place) + 1, -1, dtype=np.int32),
        np.empty(len(v_place) + 2, dtype=np.int32),
    )
    for b in range(bands):
        opened, most = rings, 0.0
        for h in range(len(h_end)):  # nothing is decided here: no branch to foretell
            mine = (h_band[h, 0] <= b) & (b < h_band[h, 1])
            following[h_end[h, 0] if mine else len(v_place)] = h
        for h in range(len(h_end)):
            v = h_end[h, 0]
            if following[v] != h:
                continue
            first, size = v, ZERO
            while following[v] >= 0:
                ring[size] = following[v]
                following[v] = -1
                v = h_end[ring[size], 1]
                size += 1
            if v != first:
                return place, start, band, area, box, False
            begin, total, x0, y0 = used, 0.0, v_place[first, 0], v_place[first, 1]
            for every in (False, True):  # once more with all of them where too few would stay
                total, x, y = 0.0, 0.0, 0.0
                for i in range(size):
                    g = ring[i]
                    v, k, last = h_end[g, 0], h_path[g, 0], h_path[g, 1]
                    here_x, here_y = v_place[v, 0] - x0, v_place[v, 1] - y0
                    total += x * here_y - here_x * y
                    x, y = here_x, here_y
                    step = 1 if last > k else -1
                    prior = ring[i - 1 if i > 0 else size - 1]
                    stays = sticks_out(
                        h_next[prior, 2], h_next[prior, 3], v_place[v, 0], v_place[v, 1],
                        h_next[g, 0], h_next[g, 1], east, north, tolerance,
                    )  # fmt: skip
                    place[used, 0], place[used, 1] = v_place[v, 0], v_place[v, 1]
                    used += stays | (keep[v] > 0) | every
                    if every:  # in the larger bands too: each covers the one before it
                        keep[v], h_band[g, 2] = 1, ALL
                    if k < 0:
                        continue
                    bits, mask = h_band[g, 2], AHEAD if step > 0 else BACK
                    near, far = k + step, last - step
                    k += step
                    while k != last:
                        here_x, here_y = path[k, 0] - x0, path[k, 1] - y0
                        total += x * here_y - here_x * y
                        x, y = here_x, here_y
                        place[used, 0], place[used, 1] = path[k, 0], path[k, 1]
                        used += (
                            ((np.int64(path[k, 2]) & mask) != 0)
                            | (bits >= ALL)
                            | ((bits & 1 != 0) & (k == near))
                            | ((bits & 2 != 0) & (k == far))
                        )
                        k += step
                total *= east * north / 2.0
                if abs(total) < least or used - begin >= 3:
                    break
                used = begin
            if abs(total) < least or (largest and total <= most):
                used = begin
                continue
            place[used, 0], place[used, 1] = place[begin, 0], place[begin, 1]
            used += 1
            if largest and rings > opened:  # the one before gives way
                rings, to = opened, start[opened]
                for k in range(begin, used):
                    place[to + k - begin, 0], place[to + k - begin, 1] = place[k, 0], place[k, 1]
                begin, used = to, to + used - begin
            most = total
            box[rings, 0] = box[rings, 1] = np.inf
            box[rings, 2] = box[rings, 3] = -np.inf
            for k in range(begin, used):
                x, y = place[k, 0], place[k, 1]
                box[rings, 0], box[rings, 1] = min(box[rings, 0], x), min(box[rings, 1], y)
                box[rings, 2], box[rings, 3] = max(box[rings, 2], x), max(box[rings, 3], y)
            band[rings], area[rings] = b, total
            rings += 1
            start[rings] = used
    return place[:used], start[: rings + 1], band[:rings], area[:rings], box[:rings], True


@kernel
def _within(place: F64, begin: int, end: int, x: float, y: float) -> bool:
    """Whether a ring goes round a position."""
    inside = False
    for k in range(begin, end - 1):
        if (place[k, 1] > y) != (place[k + 1, 1] > y):
            inside ^= x < place[k, 0] + (y - place[k, 1]) / (place[k + 1, 1] - place[k, 1]) * (
                place[k + 1, 0] - place[k, 0]
            )
    return inside


@kernel
def _box_within(box: F64, i: int, j: int) -> bool:
    """Whether the box of a ring lies within that of another."""
    return bool(
        box[j, 0] <= box[i, 0]
        and box[i, 2] <= box[j, 2]
        and box[j, 1] <= box[i, 1]
        and box[i, 3] <= box[j, 3]
    )


@kernel
def holders_of(place: F64, start: I64, band: I32, area: F64, box: F64) -> I32:
    """The ring that holds each hole: of those of its band that go round it, the smallest."""
    count, low = len(band), ZERO
    holder = np.full(count, -1, dtype=np.int32)
    for i in range(count):
        while band[low] < band[i]:
            low += 1
        if area[i] > 0.0:
            continue
        j, found, only = low, -1, True
        while j < count and band[j] == band[i]:
            if area[j] > 0.0 and _box_within(box, i, j):
                only = found < 0
                found = j
            j += 1
        if only:
            holder[i] = found
            continue
        j, found = low, -1
        x, y = place[start[i], 0], place[start[i], 1]
        while j < count and band[j] == band[i]:
            if (
                area[j] > 0.0
                and (found < 0 or area[j] < area[found])
                and _box_within(box, i, j)
                and _within(place, start[j], start[j + 1], x, y)
            ):
                found = j
            j += 1
        holder[i] = found
    return holder


@kernel
def in_polygons(bands: int, corners: F64, start: I64, band: I32, holder: I32) -> tuple[F64, I64, I64, I64]:
    """Rings as polygons, each outer ring followed by its holes, band by band: the parts of :class:`Rings`."""
    count = len(band)
    place, ring = np.empty((len(corners), 2)), np.zeros(count + 1, dtype=np.int64)
    polygon, shape = np.zeros(count + 1, dtype=np.int64), np.zeros(bands + 1, dtype=np.int64)
    hole, next_hole = np.full(count, -1, dtype=np.int64), np.full(count, -1, dtype=np.int64)
    for i in range(count - 1, -1, -1):
        if holder[i] >= 0:
            next_hole[i], hole[holder[i]] = hole[holder[i]], i
    rings, polygons, used = ZERO, ZERO, ZERO
    for i in range(count):
        if holder[i] >= 0:
            continue
        at = i
        while at >= 0:
            for k in range(start[at], start[at + 1]):
                place[used, 0], place[used, 1] = corners[k, 0], corners[k, 1]
                used += 1
            rings += 1
            ring[rings] = used
            at = hole[i] if at == i else next_hole[at]
        polygons += 1
        polygon[polygons] = rings
        shape[band[i] + 1] = polygons
    for b in range(bands):
        shape[b + 1] = max(shape[b + 1], shape[b])
    return place, ring, polygon[: polygons + 1], shape
