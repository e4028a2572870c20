"""Rings: pieces of outlines put together to polygons with holes, band by band."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.compiled import kernel
from geo.isochrones.spacing import ZERO
from geo.isochrones.ways import U8
from geo.models import F64, I32, I64

Shapes = NDArray[np.object_]


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
def _stays(
    v_lon: F64, v_lat: F64, east: float, north: float, before: int, at: int, after: int, tolerance: float
) -> bool:
    """Whether a corner stays: those that turn right, and those that stick out further than the tolerance.

    At a left turn one convex cell is inside alone (where two may be, the corner stays anyway), so the chord of its neighbours, and that of a run of left
    turns, lies in that cell: leaving such corners out makes no two borders cross, whatever the tolerance.
    """
    dx, dy = east * (v_lon[after] - v_lon[before]), north * (v_lat[after] - v_lat[before])
    across = east * (v_lon[at] - v_lon[before]) * dy - north * (v_lat[at] - v_lat[before]) * dx
    return bool(across <= 0.0 or across * across > tolerance * tolerance * (dx * dx + dy * dy))


@kernel
def close_rings(
    bands: int, h_from: I32, h_to: I32, h_low: U8, h_high: U8, v_lon: F64, v_lat: F64, keep: U8,
    east: float, north: float, tolerance: float, least: float,
) -> tuple[F64, F64, I64, I32, F64, bool]:  # fmt: skip
    """Closed rings, band by band: vertices, starts, bands, areas in metres; whether all of them close.

    ``east`` and ``north``: metres in a degree.
    """
    room = np.int64(0)
    for h in range(len(h_from)):
        room += np.int64(h_high[h]) - np.int64(h_low[h])
    lon, lat = np.empty(2 * room), np.empty(2 * room)
    start, band = np.zeros(room // 2 + 1, dtype=np.int64), np.empty(room // 2 + 1, dtype=np.int32)
    area, rings, used = np.empty(room // 2 + 1), ZERO, ZERO
    following, ring = np.full(len(v_lon), -1, dtype=np.int32), np.empty(len(v_lon) + 2, dtype=np.int32)
    for b in range(bands):
        for h in range(len(h_from)):
            if h_low[h] <= b < h_high[h]:
                following[h_from[h]] = h_to[h]
        for h in range(len(h_from)):
            v = h_from[h]
            if not h_low[h] <= b < h_high[h] or following[v] < 0:
                continue
            first, size, total = v, ZERO, 0.0
            while following[v] >= 0:
                after = following[v]
                following[v] = -1
                total += (v_lon[v] - v_lon[first]) * (v_lat[after] - v_lat[first])
                total -= (v_lon[after] - v_lon[first]) * (v_lat[v] - v_lat[first])
                ring[size] = v
                size += 1
                v = after
            if v != first:
                return lon, lat, start, band, area, False
            total *= east * north / 2.0
            if abs(total) < least:
                continue
            begin = used
            for every in (False, True):  # once more with all of them where too few would stay
                for i in range(size):
                    at, prior = ring[i], ring[i - 1 if i > 0 else size - 1]
                    if (
                        every
                        or keep[at]
                        or _stays(
                            v_lon,
                            v_lat,
                            east,
                            north,
                            prior,
                            at,
                            ring[i + 1 if i + 1 < size else 0],
                            tolerance,
                        )
                    ):
                        lon[used], lat[used] = v_lon[at], v_lat[at]
                        used += 1
                        if every:  # in the larger bands too: each covers the one before it
                            keep[at] = 1
                if used - begin >= 3:
                    break
                used = begin
            lon[used], lat[used] = lon[begin], lat[begin]
            used += 1
            band[rings], area[rings] = b, total
            rings += 1
            start[rings] = used
    return lon[:used], lat[:used], start[: rings + 1], band[:rings], area[:rings], True


@kernel
def _within(lon: F64, lat: F64, begin: int, end: int, x: float, y: float) -> bool:
    """Whether a ring goes round a position."""
    inside = False
    for k in range(begin, end - 1):
        if (lat[k] > y) != (lat[k + 1] > y):
            inside ^= x < lon[k] + (y - lat[k]) / (lat[k + 1] - lat[k]) * (lon[k + 1] - lon[k])
    return inside


@kernel
def holders_of(lon: F64, lat: F64, start: I64, band: I32, area: F64) -> I32:
    """The ring that holds each hole: of those of its band that go round it, the smallest."""
    count = len(band)
    west, east, south, north = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    for i in range(count):
        west[i] = south[i] = np.inf
        east[i] = north[i] = -np.inf
        for k in range(start[i], start[i + 1]):
            west[i], east[i] = min(west[i], lon[k]), max(east[i], lon[k])
            south[i], north[i] = min(south[i], lat[k]), max(north[i], lat[k])
    holder = np.full(count, -1, dtype=np.int32)
    low = ZERO
    for i in range(count):
        while band[low] < band[i]:
            low += 1
        if area[i] > 0.0:
            continue
        j, found, only = low, -1, True
        while j < count and band[j] == band[i]:
            if (
                area[j] > 0.0
                and west[j] <= west[i] and east[i] <= east[j] and south[j] <= south[i] and north[i] <= north[j]
            ):  # fmt: skip
                only = found < 0
                found = j
            j += 1
        if only:
            holder[i] = found
            continue
        j, found = low, -1
        while j < count and band[j] == band[i]:
            if (
                area[j] > 0.0
                and (found < 0 or area[j] < area[found])
                and west[j] <= west[i] and east[i] <= east[j] and south[j] <= south[i] and north[i] <= north[j]
                and _within(lon, lat, start[j], start[j + 1], lon[start[i]], lat[start[i]])
            ):  # fmt: skip
                found = j
            j += 1
        holder[i] = found
    return holder


@kernel
def in_polygons(
    bands: int, lon: F64, lat: F64, start: I64, band: I32, holder: I32
) -> tuple[F64, I64, I64, I64]:
    """Rings as polygons, each outer ring followed by its holes, band by band: the parts of :class:`Rings`."""
    count = len(band)
    place, ring = np.empty((len(lon), 2)), np.zeros(count + 1, dtype=np.int64)
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
                place[used, 0], place[used, 1] = lon[k], lat[k]
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
