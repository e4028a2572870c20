"""The sphere that all lengths are measured on."""

from __future__ import annotations

import numpy as np

from geo.models import F64

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
