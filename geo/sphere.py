"""The sphere that all lengths are measured on, and an order of places on it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.models import F64, I32

EARTH_RADIUS_M = 6_371_009.0  # mean radius, as OSMnx


def great_circle_steps_m(lon: F64, lat: F64) -> F64:
    """Metres between each position and the next (WGS-84 degrees): one item fewer than positions.

    Source: the haversine formula, on a sphere of :data:`EARTH_RADIUS_M`.

    >>> great_circle_steps_m(np.array([0.0, 1.0]), np.array([0.0, 0.0])).round(1)
    array([111195.1])
    """
    lon, lat = np.radians(lon), np.radians(lat)
    half = np.sin(np.diff(lat) / 2) ** 2 + np.cos(lat[:-1]) * np.cos(lat[1:]) * np.sin(np.diff(lon) / 2) ** 2
    steps: F64 = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return steps


def curve_order(x: F64, y: F64) -> I32:
    """Rows along a Morton curve, so that neighbours on the ground lie within few pages of memory.

    Degrees or any other plane coordinates; rows at one place keep their order.

    >>> curve_order(np.array([9.0, 0.0, 8.0]), np.array([9.0, 0.0, 9.0])).tolist()
    [1, 2, 0]
    """
    code = np.zeros(len(x), dtype=np.uint64)
    for shift, values in enumerate((x, y)):
        low, high = (values.min(), values.max()) if len(values) else (0.0, 0.0)
        scale = 65535.0 / (high - low) if high > low else 0.0
        code |= _spread(((values - low) * scale).astype(np.uint64)) << np.uint64(shift)
    return np.argsort(code, kind="stable").astype(np.int32)


def _spread(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Put a zero bit after each of the low 16 bits."""
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        bits = (bits | (bits << np.uint64(shift))) & np.uint64(mask)
    return bits
