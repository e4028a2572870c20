"""Lines and polygons as a few bytes: Mercator integers, Morton order, zigzag varints, gzip, base64.

Stream of one :class:`Packed`: for each feature ``tag, parts`` and for each part ``points`` and the
point deltas ``dx dy`` (zigzag), where the first point of a part is told from the first point of the
part before it. Rings are closed by the reader: their last point is left out.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.models import F64, I64

EARTH_RADIUS_M = 6378137.0  # of spherical Mercator (EPSG:3857)
_MAX_LATITUDE = 85.05

Parts = tuple[NDArray[np.int64], ...]


@dataclass(frozen=True, slots=True)
class Packed:
    """A coded set of features: ``data`` is base64 text; grid origin and step in Mercator metres."""

    data: str
    origin_x_m: float
    origin_y_m: float
    grid_m: float
    features: int

    def header(self) -> dict[str, float]:
        """What the page needs to know beside the bytes."""
        return {"x": self.origin_x_m, "y": self.origin_y_m, "q": self.grid_m, "n": self.features}


def mercator(lon: F64, lat: F64) -> F64:
    """Spherical Mercator metres (n, 2) of WGS-84 degrees; y grows to the north.

    >>> mercator(np.array([0.0]), np.array([0.0])).round(6).tolist()
    [[0.0, -0.0]]
    """
    phi = np.radians(np.clip(lat, -_MAX_LATITUDE, _MAX_LATITUDE))
    x = EARTH_RADIUS_M * np.radians(lon)
    return np.column_stack((x, EARTH_RADIUS_M * np.log(np.tan(np.pi / 4 + phi / 2))))


def to_mercator(shapes: Any) -> Any:
    """Shapely geometries (scalar or array, WGS-84 degrees) in spherical Mercator metres."""
    return shapely.transform(shapes, lambda xy: mercator(xy[:, 0], xy[:, 1]))


def ground_scale(lat: float) -> float:
    """Mercator metres per metre on the ground at a latitude.

    >>> round(ground_scale(60.0), 6)
    2.0
    """
    return float(1.0 / np.cos(np.radians(lat)))


def pack_lines(lines: Any, tags: Sequence[int] | NDArray[Any], *, grid_m: float = 2.0) -> Packed:
    """Code LineStrings (Mercator metres); ``tags`` is one small integer a line, its class.

    Lines are ordered by tag, then along a Morton curve; consecutive equal points are dropped.
    """
    coords, owner = shapely.get_coordinates(lines, return_index=True)
    return _pack([(int(t), [c]) for t, c in zip(tags, _split(coords, owner, len(lines)), strict=True)],
                 grid_m=grid_m, closed=False)  # fmt: skip


def pack_polygons(shapes: Any, tags: Sequence[int] | NDArray[Any], *, grid_m: float = 2.0) -> Packed:
    """Code (Multi)Polygons (Mercator metres): one feature each, its rings drawn by the even-odd rule."""
    features = []
    for tag, shape in zip(tags, shapes, strict=True):
        rings = [
            shapely.get_coordinates(ring)[:-1]
            for polygon in shapely.get_parts(shape)
            if shapely.get_type_id(polygon) == shapely.GeometryType.POLYGON
            for ring in shapely.get_rings(polygon)
        ]
        features.append((int(tag), rings))
    return _pack(features, grid_m=grid_m, closed=True)


def unpack(packed: Packed) -> list[tuple[int, Parts]]:
    """What a page reads: per feature its tag and its parts as grid integers (n, 2); the inverse of packing.

    >>> line = shapely.from_wkt("LINESTRING (0 0, 10 0, 10 20)")
    >>> unpack(pack_lines(np.array([line]), [3]))[0][1][0].tolist()
    [[0, 0], [5, 0], [5, 10]]
    """
    values = _read_varints(gzip.decompress(base64.b64decode(packed.data)))
    signed = (values >> 1) ^ -(values & 1)
    features, at, first = [], 1, np.zeros(2, dtype=np.int64)
    for _ in range(int(values[0])):
        tag, count = int(values[at]), int(values[at + 1])
        at += 2
        parts = []
        for _ in range(count):
            points = int(values[at])
            steps = signed[at + 1 : at + 1 + 2 * points].reshape(-1, 2).copy()
            at += 1 + 2 * points
            steps[0] += first
            first = steps[0].copy()
            parts.append(np.cumsum(steps, axis=0))
        features.append((tag, tuple(parts)))
    return features


def _split(coords: F64, owner: I64, count: int) -> list[F64]:
    return np.split(coords, np.cumsum(np.bincount(owner, minlength=count))[:-1]) if count else []


def _pack(features: Iterable[tuple[int, list[F64]]], *, grid_m: float, closed: bool) -> Packed:
    whole = list(features)
    every = [part for _, parts in whole for part in parts if len(part)]
    low = np.min([part.min(axis=0) for part in every], axis=0) if every else np.zeros(2)
    origin = np.floor(low / grid_m) * grid_m
    least = 3 if closed else 2
    kept = []
    for tag, parts in whole:
        whole_numbers = (np.rint((p - origin) / grid_m).astype(np.int64) for p in parts)
        rounded = [p for p in (_distinct(w, closed=closed) for w in whole_numbers) if len(p) >= least]
        if rounded:
            kept.append((tag, rounded))
    kept.sort(key=lambda item: (item[0], _morton(item[1][0][0])))
    numbers: list[I64] = [np.array([len(kept)], dtype=np.int64)]
    first = np.zeros(2, dtype=np.int64)
    for tag, rounded in kept:
        numbers.append(np.array([tag, len(rounded)], dtype=np.int64))
        for part in rounded:
            steps = np.diff(part, axis=0, prepend=first[None, :]).ravel()
            numbers.append(np.array([len(part)], dtype=np.int64))
            numbers.append((steps << 1) ^ (steps >> 63))
            first = part[0]
    # mtime=0: the same input gives the same bytes
    coded = gzip.compress(_varints(np.concatenate(numbers)), compresslevel=9, mtime=0)
    text = base64.b64encode(coded).decode("ascii")
    return Packed(text, float(origin[0]), float(origin[1]), grid_m, len(kept))


def _distinct(points: I64, *, closed: bool) -> I64:
    if len(points) == 0:
        return points
    keep = np.ones(len(points), dtype=bool)
    keep[1:] = (np.diff(points, axis=0) != 0).any(axis=1)
    points = points[keep]
    if closed and len(points) > 1 and (points[0] == points[-1]).all():
        points = points[:-1]
    return points


def _morton(point: I64) -> int:
    code = 0
    x, y = int(point[0]), int(point[1])
    for bit in range(24):
        code |= ((x >> bit) & 1) << (2 * bit) | ((y >> bit) & 1) << (2 * bit + 1)
    return code


def _varints(values: I64) -> bytes:
    wide = values.astype(np.uint64)
    size = np.ones(len(wide), dtype=np.int64)
    for k in range(1, 10):
        size += wide >= np.uint64(1 << (7 * k))
    start = np.concatenate(([0], np.cumsum(size)))
    out = np.zeros(start[-1], dtype=np.uint8)
    for k in range(int(size.max(initial=1))):
        has = size > k
        part = (wide[has] >> np.uint64(7 * k)) & np.uint64(127)
        out[start[:-1][has] + k] = part + np.where(size[has] > k + 1, 128, 0).astype(np.uint64)
    return out.tobytes()


def _read_varints(data: bytes) -> I64:
    raw = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(raw < 128)
    starts = np.concatenate(([0], ends[:-1] + 1))
    place = np.arange(len(raw)) - np.repeat(starts, ends - starts + 1)
    parts = (raw & 127).astype(np.int64) << (7 * place)
    return np.asarray(np.add.reduceat(parts, starts), dtype=np.int64)
