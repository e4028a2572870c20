"""Datums: published vectors, exact inverses, projected CRSs."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from geo.intake.datum import from_wgs84, to_wgs84

NAMES = {"WGS84": "wgs84", "GCJ02": "gcj02", "BD09": "bd09"}


def convert(lon: float, lat: float, source: str, target: str) -> tuple[float, float]:
    x, y = to_wgs84(np.array([lon]), np.array([lat]), source)
    x, y = from_wgs84(x, y, target)
    return float(x[0]), float(y[0])


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    east = (a[0] - b[0]) * math.cos(math.radians(a[1]))
    return math.hypot(east, a[1] - b[1]) * 111_195.0


def slow_gcj02(lon: float, lat: float) -> tuple[float, float]:
    """Plain scalar reading of the published series (domain.md 2.1), independent of the vectorised one."""
    x, y, pi, sin = lon - 105.0, lat - 35.0, math.pi, math.sin
    p = 20 * sin(6 * x * pi) + 20 * sin(2 * x * pi)
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + 2 / 3 * (
        p + 20 * sin(y * pi) + 40 * sin(y / 3 * pi) + 160 * sin(y / 12 * pi) + 320 * sin(y * pi / 30)
    )  # fmt: skip
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + 2 / 3 * (
        p + 20 * sin(x * pi) + 40 * sin(x / 3 * pi) + 150 * sin(x / 12 * pi) + 300 * sin(x / 30 * pi)
    )  # fmt: skip
    a, e2, phi = 6378245.0, 0.00669342162296594323, math.radians(lat)
    m = 1 - e2 * sin(phi) ** 2
    return (
        lon + east * 180 / (a / math.sqrt(m) * math.cos(phi) * pi),
        lat + north * 180 / (a * (1 - e2) / m**1.5 * pi),
    )


def test_published_forward_vectors_of_the_shared_file(shared_data: Path) -> None:
    seen = 0
    with (shared_data / "expected" / "datum_vectors.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            source, target = NAMES[row["from"]], NAMES[row["to"]]
            found = convert(float(row["lon_in"]), float(row["lat_in"]), source, target)
            published = (float(row["lon_out"]), float(row["lat_out"]))
            forward = (source, target) in {("wgs84", "gcj02"), ("gcj02", "bd09"), ("wgs84", "bd09")}
            if forward:
                assert found == pytest.approx(published, abs=1e-9), row["source"]
            elif target == "wgs84":
                # published inverses take one step only: up to 1.9 m off the exact one
                assert metres(found, published) < 2.0, row["source"]
            else:
                assert metres(found, published) < 0.5, row["source"]
            seen += 1
    assert seen == 9


@pytest.mark.parametrize(
    ("wgs", "gcj"),
    [
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ],
)
def test_eviltransform_vectors(wgs: tuple[float, float], gcj: tuple[float, float]) -> None:
    assert convert(*wgs, "wgs84", "gcj02") == pytest.approx(gcj, abs=1e-9)


@pytest.mark.parametrize(
    ("wgs", "gcj", "bd"),
    [
        ((115.81, 32.89), (115.81538130, 32.88800897), (115.82182077, 32.89425192)),
        ((115.70, 32.90), (115.70544391, 32.89803057), (115.71193617, 32.90411702)),
        ((113.255, 35.215), (113.26136541, 35.21448680), (113.26781163, 35.22067897)),
        ((113.27, 35.245), (113.27637890, 35.24452456), (113.28275675, 35.25085260)),
    ],
)
def test_local_vectors(wgs: tuple[float, float], gcj: tuple[float, float], bd: tuple[float, float]) -> None:
    assert convert(*wgs, "wgs84", "gcj02") == pytest.approx(gcj, abs=6e-9)
    assert convert(*wgs, "wgs84", "bd09") == pytest.approx(bd, abs=6e-9)
    assert metres(convert(*gcj, "gcj02", "wgs84"), wgs) < 0.002
    assert metres(convert(*bd, "bd09", "wgs84"), wgs) < 0.002


def test_vendors_own_examples() -> None:
    assert metres(convert(116.481499, 39.990475, "wgs84", "gcj02"), (116.487585177952, 39.991754014757)) < 0.1
    baidu = convert(114.21892734521, 29.575429778924, "wgs84", "bd09")
    assert metres(baidu, (114.2307519546763, 29.57908428837437)) < 1.0
    assert metres(convert(120.026268, 30.279164, "gcj02", "bd09"), (120.032768, 30.285238)) < 0.1


@settings(max_examples=200, deadline=None)
@given(lon=st.floats(73.5, 135.0), lat=st.floats(18.0, 53.5))
def test_agrees_with_a_plain_scalar_reading(lon: float, lat: float) -> None:
    assert convert(lon, lat, "wgs84", "gcj02") == pytest.approx(slow_gcj02(lon, lat), abs=1e-11)


@settings(max_examples=200, deadline=None)
@given(
    lon=st.floats(73.5, 135.0),
    lat=st.floats(18.0, 53.5),
    datum=st.sampled_from(["gcj02", "bd09", "EPSG:4490"]),
)
def test_round_trip_is_under_a_millimetre(lon: float, lat: float, datum: str) -> None:
    there = convert(lon, lat, "wgs84", datum)
    assert metres(convert(*there, datum, "wgs84"), (lon, lat)) < 0.001
    back = convert(lon, lat, datum, "wgs84")
    assert metres(convert(*back, "wgs84", datum), (lon, lat)) < 0.001


@pytest.mark.parametrize(
    ("lon", "lat", "crs", "easting", "northing"),
    [
        (115.81, 32.89, "EPSG:4548", 388649.570, 3641176.641),
        (115.81, 32.89, "EPSG:4527", 39388649.570, 3641176.641),
        (113.255, 35.215, "EPSG:4547", 432168.038, 3898699.858),
        (113.255, 35.215, "EPSG:4526", 38432168.038, 3898699.858),
    ],
)
def test_gauss_kruger_easting_first(
    lon: float, lat: float, crs: str, easting: float, northing: float
) -> None:
    assert convert(lon, lat, "wgs84", crs) == pytest.approx((easting, northing), abs=0.001)
    assert metres(convert(easting, northing, crs, "wgs84"), (lon, lat)) < 0.001


def test_same_place_in_every_form_agrees_within_two_metres() -> None:
    forms = {
        "wgs84": (115.81, 32.89), "cgcs2000": (115.81, 32.89), "EPSG:4490": (115.81, 32.89),
        "gcj02": (115.81538130, 32.88800897), "bd09": (115.82182077, 32.89425192),
        "EPSG:4548": (388649.570, 3641176.641), "EPSG:4527": (39388649.570, 3641176.641),
    }  # fmt: skip
    for datum, typed in forms.items():
        assert metres(convert(*typed, datum, "wgs84"), (115.81, 32.89)) < 2.0, datum


def test_a_wrong_datum_moves_a_station_by_half_a_kilometre() -> None:
    right = convert(115.81, 32.89, "wgs84", "wgs84")
    assert 530 < metres(convert(115.81, 32.89, "gcj02", "wgs84"), right) < 565
    assert 1_150 < metres(convert(115.81, 32.89, "bd09", "wgs84"), right) < 1_250


def test_no_shift_outside_china_and_empty_arrays() -> None:
    assert convert(24.94, 60.17, "wgs84", "gcj02") == (24.94, 60.17)
    lon, lat = to_wgs84(np.array([]), np.array([]), "bd09")
    assert len(lon) == len(lat) == 0


@pytest.mark.parametrize("datum", ["EPSG:999999", "gps", ""])
def test_an_unknown_datum_is_refused(datum: str) -> None:
    with pytest.raises(InputError):
        to_wgs84(np.array([115.0]), np.array([32.0]), datum)


def test_a_vendors_boundary_comes_back_to_the_real_one(shared_data: Path) -> None:
    vendor = gpd.read_file(shared_data / "wuhan" / "boundary_vendor_gcj02.geojson").union_all()
    real = gpd.read_file(shared_data / "wuhan" / "boundary.geojson").union_all()
    mended = shapely.transform(vendor, lambda xy: np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], "gcj02")))

    def overlap(shape: shapely.Geometry) -> float:
        return float(shape.intersection(real).area / shape.union(real).area)

    assert overlap(mended) > 0.985
    assert overlap(vendor) < overlap(mended)
