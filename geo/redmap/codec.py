"""Lines and polygons as a few bytes: Mercator integers, Morton order, zigzag varints, gzip, base64.

Stream of one :class:`Packed`: for each feature ``tag, parts`` and for each part ``points`` and the
point deltas ``dx dy`` (zigzag), where the first point of a part is told from the first point of the
part before it. Rings are closed by the reader: their last point is left out.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
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


def rough_lines(lines: Any, tolerance_m: float) -> Any:
    """LineStrings (Mercator metres) by Douglas-Peucker; all at once, each on its own."""
    return shapely.simplify(lines, tolerance_m, preserve_topology=False)


def pack_lines(lines: Any, tags: Sequence[int] | NDArray[Any], *, grid_m: float = 2.0) -> Packed:
    """Code LineStrings (Mercator metres); ``tags`` is one small integer a line, its class.

    Lines are ordered by tag, then along a Morton curve; consecutive equal points are dropped.
    """
    coords, part = shapely.get_coordinates(lines, return_index=True)
    owner = np.arange(len(lines), dtype=np.int64)
    return _pack(coords, part, owner, np.asarray(tags, dtype=np.int64), grid_m=grid_m, closed=False)


def pack_polygons(
    shapes: Any, tags: Sequence[int] | NDArray[Any], *, grid_m: float = 2.0, tolerance_m: float = 0.0
) -> Packed:
    """Code (Multi)Polygons (Mercator metres): one feature each, its shells one way round and its holes the other.

    So a feature may be drawn by the even-odd rule, and several that overlap by the nonzero one.

    With a tolerance every ring is first simplified on its own (Douglas-Peucker): a picture needs no
    valid polygons, and proving them valid costs ten times the drawing.
    """
    parts, of_part = shapely.get_parts(np.asarray(shapes, dtype=object), return_index=True)
    of_part = of_part[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
    parts = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
    rings, of_ring = shapely.get_rings(shapely.orient_polygons(parts), return_index=True)
    coords, part = shapely.get_coordinates(rings, return_index=True)
    if tolerance_m > 0 and len(rings):
        lines = rough_lines(shapely.linestrings(coords, indices=part), tolerance_m)
        coords, part = shapely.get_coordinates(lines, return_index=True)
    owner = of_part[of_ring].astype(np.int64)
    return _pack(coords, part, owner, np.asarray(tags, dtype=np.int64), grid_m=grid_m, closed=True)


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


def _pack(coords: F64, part: I64, owner: I64, tags: I64, *, grid_m: float, closed: bool) -> Packed:
    """Code points that lie part by part: ``owner`` is the feature of a part, ``tags`` of a feature."""
    origin = np.floor(coords.min(axis=0) / grid_m) * grid_m if len(coords) else np.zeros(2)
    grid = np.rint((coords - origin) / grid_m).astype(np.int64)
    grid, start, count = _distinct(grid, part, len(owner), closed=closed)
    kept = np.flatnonzero(count >= (3 if closed else 2))
    # features by tag, then along the curve from the first point of their first part; parts as they came
    features, first = np.unique(owner[kept], return_index=True)
    order = np.lexsort((features, morton(grid[start[kept[first]]]), tags[features]))
    rank = np.empty(len(tags), dtype=np.int64)
    rank[features[order]] = np.arange(len(features))
    kept = kept[np.argsort(rank[owner[kept]], kind="stable")]
    feature, count = rank[owner[kept]], count[kept]
    before = np.concatenate(([0], np.cumsum(count)))
    points = grid[np.repeat(start[kept] - before[:-1], count) + np.arange(before[-1])]
    heads = points[before[:-1]]
    steps = np.diff(points, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    steps[before[:-1]] = np.diff(heads, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    # the stream: n, then a feature `tag parts`, then a part `points` and its steps
    numbers = np.empty(1 + 2 * len(features) + len(kept) + 2 * len(points), dtype=np.int64)
    numbers[0] = len(features)
    at = 1 + 2 * (feature + 1) + np.arange(len(kept)) + 2 * before[:-1]
    opens = np.flatnonzero(np.diff(feature, prepend=-1))
    numbers[at[opens] - 2] = tags[features[order]]
    numbers[at[opens] - 1] = np.diff(np.append(opens, len(kept)))
    numbers[at] = count
    place = np.repeat(at + 1 - 2 * before[:-1], count) + 2 * np.arange(before[-1])
    zigzag = (steps << 1) ^ (steps >> 63)
    numbers[place], numbers[place + 1] = zigzag[:, 0], zigzag[:, 1]
    # mtime=0: the same input gives the same bytes
    coded = gzip.compress(varints(numbers), compresslevel=9, mtime=0)
    text = base64.b64encode(coded).decode("ascii")
    return Packed(text, float(origin[0]), float(origin[1]), grid_m, len(features))


def _distinct(grid: I64, part: I64, parts: int, *, closed: bool) -> tuple[I64, I64, I64]:
    """Points without those equal to the one before; where each part starts and its points' number.

    A ring's last point, which is its first again, is not counted.
    """
    keep = np.ones(len(grid), dtype=bool)
    keep[1:] = (np.diff(grid, axis=0) != 0).any(axis=1) | (np.diff(part) != 0)
    grid = grid[keep]
    count = np.bincount(part[keep], minlength=parts)
    start = np.cumsum(count) - count
    if closed:
        many = np.flatnonzero(count > 1)
        count[many] -= (grid[start[many]] == grid[start[many] + count[many] - 1]).all(axis=1)
    return grid, start, count


def morton(points: I64) -> I64:
    """Numbers along a Morton curve of non-negative integer points (n, 2)."""
    code = np.zeros(len(points), dtype=np.int64)
    for bit in range(24):
        code |= ((points[:, 0] >> bit) & 1) << (2 * bit) | ((points[:, 1] >> bit) & 1) << (2 * bit + 1)
    return code


def varints(values: I64) -> bytes:
    """Non-negative integers in groups of seven bits, the lowest first, as LEB128 has them."""
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
