"""Longitudes and latitudes from one datum into another, vectorised.

GCJ-02: the published offset series on the Krasovsky 1940 ellipsoid; BD-09: Baidu's rotation on top
of it, with k = 3000 pi / 180. The inverses are iterated to well under a millimetre.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from pyproj import Transformer

from geo.errors import Defect, InputError
from geo.models import F64

_A_M = 6_378_245.0
_E2 = 0.00669342162296594323
_K = np.pi * 3000.0 / 180.0
_ROUNDS = 6  # each round shrinks the error about 300-fold


def to_wgs84(lon: F64, lat: F64, datum: str) -> tuple[F64, F64]:
    """Positions in ``datum`` as WGS-84 degrees.

    ``datum``: wgs84, cgcs2000 (the same within a metre), gcj02, bd09 or ``EPSG:nnnn`` (then ``lon``
    is the easting or longitude and ``lat`` the northing or latitude). Raises InputError otherwise.

    >>> lon, lat = to_wgs84(np.array([116.404]), np.array([39.915]), "gcj02")
    >>> round(float(lon[0]), 4), round(float(lat[0]), 4)
    (116.3978, 39.9136)
    """
    lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    match datum:
        case "wgs84" | "cgcs2000":
            return lon, lat
        case "gcj02":
            return _inverse(lon, lat)
        case "bd09":
            return _inverse(*_bd09_to_gcj02(lon, lat))
    x, y = _transformer(datum, "EPSG:4326").transform(lon, lat)
    return np.asarray(x), np.asarray(y)


def datum_left(datum: str, crs: str) -> str:
    """What is still to be undone in a vector layer that declares ``crs``: its projection is, a vendor's shift is not.

    >>> datum_left("EPSG:4548", "EPSG:4326"), datum_left("gcj02", "EPSG:4326"), datum_left("EPSG:4548", "")
    ('wgs84', 'gcj02', 'EPSG:4548')
    """
    return "wgs84" if crs and datum.startswith("EPSG") else datum


def from_wgs84(lon: F64, lat: F64, datum: str) -> tuple[F64, F64]:
    """WGS-84 degrees as positions in ``datum``; the reverse of :func:`to_wgs84`."""
    lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    match datum:
        case "wgs84" | "cgcs2000":
            return lon, lat
        case "gcj02":
            return _wgs84_to_gcj02(lon, lat)
        case "bd09":
            return gcj02_to_bd09(*_wgs84_to_gcj02(lon, lat))
    x, y = _transformer("EPSG:4326", datum).transform(lon, lat)
    return np.asarray(x), np.asarray(y)


@lru_cache(maxsize=32)
def _transformer(source: str, target: str) -> Transformer:
    from pyproj.exceptions import CRSError

    try:
        return Transformer.from_crs(source, target, always_xy=True)
    except CRSError as error:
        found = source if target == "EPSG:4326" else target
        raise InputError(Defect(f"不认识的坐标系 {found} / unknown CRS {found}", key="datum")) from error


def in_china(lon: F64, lat: F64) -> np.ndarray:
    """Inside the box in which map vendors shift positions."""
    return (lon >= 72.004) & (lon <= 137.8347) & (lat >= 0.8293) & (lat <= 55.8271)


def _wgs84_to_gcj02(lon: F64, lat: F64) -> tuple[F64, F64]:
    x, y = lon - 105.0, lat - 35.0
    pi = np.pi
    wave = 20 * np.sin(6 * pi * x) + 20 * np.sin(2 * pi * x)
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
    north += 2 / 3 * (wave + 20 * np.sin(pi * y) + 40 * np.sin(pi / 3 * y))
    north += 2 / 3 * (160 * np.sin(pi / 12 * y) + 320 * np.sin(pi / 30 * y))
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
    east += 2 / 3 * (wave + 20 * np.sin(pi * x) + 40 * np.sin(pi / 3 * x))
    east += 2 / 3 * (150 * np.sin(pi / 12 * x) + 300 * np.sin(pi / 30 * x))
    phi = np.radians(lat)
    m = 1 - _E2 * np.sin(phi) ** 2
    shifted = in_china(lon, lat)
    new_lat = lat + np.degrees(north / (_A_M * (1 - _E2) / m**1.5))
    new_lon = lon + np.degrees(east / (_A_M / np.sqrt(m) * np.cos(phi)))
    return np.where(shifted, new_lon, lon), np.where(shifted, new_lat, lat)


def _inverse(lon: F64, lat: F64) -> tuple[F64, F64]:
    x, y = lon.copy(), lat.copy()
    for _ in range(_ROUNDS):
        u, v = _wgs84_to_gcj02(x, y)
        x, y = x + (lon - u), y + (lat - v)
    return x, y


def gcj02_to_bd09(lon: F64, lat: F64) -> tuple[F64, F64]:
    """GCJ-02 to BD-09 degrees."""
    r = np.hypot(lon, lat) + 2e-5 * np.sin(lat * _K)
    theta = np.arctan2(lat, lon) + 3e-6 * np.cos(lon * _K)
    return r * np.cos(theta) + 0.0065, r * np.sin(theta) + 0.006


def _bd09_to_gcj02(lon: F64, lat: F64) -> tuple[F64, F64]:
    x, y = lon - 0.0065, lat - 0.006
    for _ in range(_ROUNDS):
        u, v = gcj02_to_bd09(x, y)
        x, y = x + (lon - u), y + (lat - v)
    return x, y
