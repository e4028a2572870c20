"""Shapes made plain for small screens: small rings left out, corners left out, as other services do."""

from __future__ import annotations

import numpy as np
import shapely

from geo.compiled import kernel
from geo.isochrones.rings import Rings
from geo.isochrones.ways import units_a_degree
from geo.models import F64, I64

DECIMALS = 6  # of degrees: a tenth of a metre
PER_DEGREE = 10.0**DECIMALS
FINEST_M = 0.5  # below, corners are left out by the drawing itself


def thinned(rings: Rings, b: int, *, tolerance_m: float, least_share: float) -> list[list[F64]]:
    """The polygons of shape ``b`` without small rings and with few corners, the largest polygon first.

    Rings of less than ``least_share`` of the largest one's area are left out, and corners that stick out less than
    ``tolerance_m`` (Douglas and Peucker 1973). Degrees are rounded to six decimals. The result is valid: where it would not be, the
    tolerance is halved; below half a metre all corners stay. Each polygon is a list of its rings, the outer
    one first, as :meth:`geo.isochrones.Rings.polygons`. ``least_share`` is 0 to 1; 1 leaves the largest ring alone.

    >>> square = np.array([[0.0, 0.0], [0.004, 0.0001], [0.01, 0.0], [0.01, 0.01], [0.0, 0.01], [0.0, 0.0]])
    >>> far = np.array([[1.0, 0.0], [1.001, 0.0], [1.001, 0.001], [1.0, 0.0]])
    >>> offsets = [np.array(o) for o in ([0, 6, 10], [0, 1, 2], [0, 2])]
    >>> rings = Rings(np.concatenate([square, far]), *offsets)
    >>> [[len(ring) for ring in part] for part in thinned(rings, 0, tolerance_m=50.0, least_share=0.5)]
    [[5]]
    """
    first, last = rings.shape[b], rings.shape[b + 1]
    tolerance = tolerance_m
    while True:
        place, ring, polygon, tolerance, sure = thin_to_valid(
            rings.place, rings.ring, rings.polygon, first, last, units_a_degree(), tolerance, least_share
        )
        kept = Rings(place, ring, polygon, np.array([0, len(polygon) - 1]))
        if sure or shapely.is_valid(kept.shapes()).all():
            return kept.polygons(0)
        tolerance /= 2.0


@kernel
def _side(ax: int, ay: int, bx: int, by: int, cx: int, cy: int) -> int:
    """1 where c lies left of a to b, -1 where right of it, 0 on it; exact."""
    turn = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    return (turn > 0) - (turn < 0)


@kernel
def _simple(place: F64) -> bool:
    """Whether a closed ring of rounded degrees is one of a valid polygon: no two of its pieces meet but at their corner."""
    count = len(place) - 1
    if count < 3:
        return False
    x, y = np.empty(count + 1, dtype=np.int64), np.empty(count + 1, dtype=np.int64)
    for k in range(count + 1):  # from the first corner, so that products fit
        x[k] = np.int64(np.rint((place[k, 0] - place[0, 0]) * PER_DEGREE))
        y[k] = np.int64(np.rint((place[k, 1] - place[0, 1]) * PER_DEGREE))
    for i in range(count):
        low_x, high_x = min(x[i], x[i + 1]), max(x[i], x[i + 1])
        low_y, high_y = min(y[i], y[i + 1]), max(y[i], y[i + 1])
        for j in range(i + 1, count):
            if (
                (x[j] < low_x and x[j + 1] < low_x) or (x[j] > high_x and x[j + 1] > high_x)
                or (y[j] < low_y and y[j + 1] < low_y) or (y[j] > high_y and y[j + 1] > high_y)
            ):  # fmt: skip
                continue
            if j == i + 1 or (i == 0 and j == count - 1):
                # neighbours share a corner: they overlap where one turns back along the other
                a, b, c = (i, i + 1, i + 2) if j == i + 1 else (count - 1, 0, 1)
                ahead = (x[b] - x[a]) * (x[c] - x[b]) + (y[b] - y[a]) * (y[c] - y[b])
                if _side(x[a], y[a], x[b], y[b], x[c], y[c]) == 0 and ahead <= 0:
                    return False
                continue
            begin = _side(x[i], y[i], x[i + 1], y[i + 1], x[j], y[j])
            end = _side(x[i], y[i], x[i + 1], y[i + 1], x[j + 1], y[j + 1])
            if begin * end > 0:
                continue
            begin = _side(x[j], y[j], x[j + 1], y[j + 1], x[i], y[i])
            end = _side(x[j], y[j], x[j + 1], y[j + 1], x[i + 1], y[i + 1])
            if begin * end <= 0:
                return False
    return True


@kernel
def _rounded(degrees: float) -> float:
    """As ``round`` of an array does."""
    return float(np.rint(degrees * PER_DEGREE) / PER_DEGREE)


@kernel
def _twice_area(place: F64, first: int, last: int) -> float:
    """Of a closed ring, in square degrees; positive where it turns left."""
    total = 0.0
    x, y = place[first, 0], place[first, 1]
    for k in range(first, last - 1):
        total += (place[k, 0] - x) * (place[k + 1, 1] - y) - (place[k + 1, 0] - x) * (place[k, 1] - y)
    return total


@kernel
def _farthest(place: F64, low: int, high: int, east: float, north: float) -> tuple[int, float]:
    """The corner between two that is farthest from the piece that joins them, and how far, squared."""
    x, y = place[low, 0], place[low, 1]
    dx, dy = east * (place[high, 0] - x), north * (place[high, 1] - y)
    length = dx * dx + dy * dy
    each = 1.0 / length if length > 0.0 else 0.0
    at, most = low, -1.0
    for k in range(low + 1, high):
        px, py = east * (place[k, 0] - x), north * (place[k, 1] - y)
        along = min(1.0, max(0.0, (px * dx + py * dy) * each))
        away = (px - along * dx) ** 2 + (py - along * dy) ** 2
        if away > most:
            at, most = k, away
    return at, most


@kernel
def _thin(
    place: F64, ring: I64, polygon: I64, first: int, last: int, degree: float, tolerance: float, least: float
) -> tuple[F64, I64, I64]:
    """Corners, rings and polygons that stay, the largest polygon first."""
    rings_from, rings_to = polygon[first], polygon[last]
    area = np.empty(rings_to - rings_from)
    for r in range(rings_from, rings_to):
        area[r - rings_from] = abs(_twice_area(place, ring[r], ring[r + 1]))
    largest = area.max() if len(area) else 0.0
    outer = np.empty(last - first)
    for j in range(first, last):
        outer[j - first] = -area[polygon[j] - rings_from]
    order = np.argsort(outer)
    corners = ring[rings_to] - ring[rings_from] if len(area) else 0
    out, starts = np.empty((corners, 2)), np.zeros(len(area) + 1, dtype=np.int64)
    parts = np.zeros(last - first + 1, dtype=np.int64)
    stack, stays = np.empty((64, 2), dtype=np.int64), np.zeros(corners, dtype=np.uint8)
    used, rings, polygons = 0, 0, 0
    for j in order:
        begin, end = polygon[first + j], polygon[first + j + 1]
        if -outer[j] < least * largest or (least >= 1.0 and polygons > 0):  # of equals the first
            break
        for r in range(begin, end):
            if area[r - rings_from] < least * largest or (least >= 1.0 and r > begin):
                continue
            a, z = ring[r], ring[r + 1] - 1
            size = z - a + 1
            if tolerance <= 0.0:
                for k in range(a, z + 1):
                    out[used, 0], out[used, 1] = _rounded(place[k, 0]), _rounded(place[k, 1])
                    used += 1
            else:
                north = degree
                east = degree * np.cos(np.radians(place[a, 1]))
                stays[:size] = 0
                middle, _away = _farthest(place, a, z, east, north)
                stays[0] = stays[middle - a] = stays[size - 1] = 1
                stack[0, 0], stack[0, 1] = a, middle
                stack[1, 0], stack[1, 1] = middle, z
                left = 2
                while left > 0:
                    left -= 1
                    low, high = stack[left, 0], stack[left, 1]
                    if high - low < 2:
                        continue
                    at, away = _farthest(place, low, high, east, north)
                    if away <= tolerance * tolerance:
                        continue
                    stays[at - a] = 1
                    if left + 2 > len(stack):
                        more = np.empty((2 * len(stack), 2), dtype=np.int64)
                        more[: len(stack)] = stack
                        stack = more
                    stack[left, 0], stack[left, 1] = low, at
                    stack[left + 1, 0], stack[left + 1, 1] = at, high
                    left += 2
                opens = used
                for k in range(size):
                    if stays[k]:
                        lon, lat = _rounded(place[a + k, 0]), _rounded(place[a + k, 1])
                        if used == opens or lon != out[used - 1, 0] or lat != out[used - 1, 1]:
                            out[used, 0], out[used, 1] = lon, lat
                            used += 1
                while used - opens < 4:  # nothing of it is left: the caller tries a finer tolerance
                    out[used, 0], out[used, 1] = out[opens, 0], out[opens, 1]
                    used += 1
            rings += 1
            starts[rings] = used
        polygons += 1
        parts[polygons] = rings
    return out[:used], starts[: rings + 1], parts[: polygons + 1]


@kernel
def thin_to_valid(
    place: F64, ring: I64, polygon: I64, first: int, last: int, degree: float, tolerance: float, least: float
) -> tuple[F64, I64, I64, float, bool]:
    """What stays, the tolerance at which a single ring of it is valid, and whether it is known to be valid."""
    while True:
        plain = tolerance <= FINEST_M
        out, starts, parts = _thin(
            place, ring, polygon, first, last, degree, 0.0 if plain else tolerance, least
        )
        if plain or len(starts) != 2:
            return out, starts, parts, tolerance, plain
        if _simple(out):
            return out, starts, parts, tolerance, True
        tolerance /= 2.0
