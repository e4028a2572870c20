"""Shapes made plain: valid, near the ones they were made of, and of corners that were there."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.isochrones import Rings, thinned
from geo.isochrones.thinning import _simple
from geo.sphere import EARTH_RADIUS_M

DEGREE_M = np.radians(EARTH_RADIUS_M)
LAT = 32.9


def star(x, y, radii):
    """A ring round a place (metres) whose corners lie as far as told, in degrees, turning left."""
    angle = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    xy = np.column_stack([x + np.array(radii) * np.cos(angle), y + np.array(radii) * np.sin(angle)])
    xy = np.vstack([xy, xy[:1]])
    return xy / [DEGREE_M * np.cos(np.radians(LAT)), DEGREE_M] + [115.8, LAT]


def rings_of(polygons):
    """Rings of one shape of polygons."""
    rings = [ring for polygon in polygons for ring in polygon]
    ring = np.cumsum([0, *(len(r) for r in rings)])
    polygon = np.cumsum([0, *(len(p) for p in polygons)])
    return Rings(np.concatenate(rings), ring, polygon, np.array([0, len(polygons)]))


def metres(ring):
    return (np.asarray(ring) - [115.8, LAT]) * [DEGREE_M * np.cos(np.radians(LAT)), DEGREE_M]


def multi(parts):
    return shapely.MultiPolygon([(part[0], part[1:]) for part in parts])


RADII = st.lists(st.floats(20.0, 1000.0), min_size=3, max_size=60)


@st.composite
def shapes(draw):
    """Up to three polygons side by side, some with a hole."""
    polygons = []
    for k in range(draw(st.integers(1, 3))):
        polygon = [star(3000.0 * k, 0.0, draw(RADII))]
        if draw(st.booleans()):
            # inside of the outer ring whatever its chords: 20 m and three corners leave 10 m to every side
            polygon.append(
                star(3000.0 * k, 0.0, draw(st.lists(st.floats(2.0, 5.0), min_size=3, max_size=12)))[::-1]
            )
        polygons.append(polygon)
    return polygons


@settings(deadline=None)  # the first call compiles
@given(shapes(), st.sampled_from([0.0, 1.0, 5.0, 27.0, 120.0]), st.sampled_from([0.0, 0.01, 0.3, 1.0]))
def test_thinned_is_valid_near_and_of_the_same_corners(polygons, tolerance_m, least_share):
    parts = thinned(rings_of(polygons), 0, tolerance_m=tolerance_m, least_share=least_share)
    given_rings = [ring for polygon in polygons for ring in polygon]
    area = {ring.tobytes(): abs(shapely.Polygon(ring).area) for ring in given_rings}
    largest = max(area.values())
    if tolerance_m > 0 or shapely.is_valid(multi(polygons)):
        assert multi(parts).is_valid or not multi(polygons).is_valid
    told = [ring for part in parts for ring in part]
    wanted = [r for p in polygons for r in p if area[r.tobytes()] >= least_share * largest * (1 + 1e-9)]
    assert len(wanted) <= len(told)
    if least_share == 1.0:
        assert len(told) == 1
    for ring in told:
        (whole,) = (g for g in given_rings if {tuple(c) for c in ring} <= {tuple(c) for c in g.round(6)})
        assert area[whole.tobytes()] >= least_share * largest * (1 - 1e-9)
        assert (ring[0] == ring[-1]).all()
        line = shapely.LineString(metres(ring))
        assert shapely.distance(shapely.points(metres(whole)), line).max() <= 1.02 * tolerance_m + 0.2
        assert (ring == ring.round(6)).all()
        if tolerance_m == 0.0:
            assert (ring == whole.round(6)).all()
    sizes = [abs(shapely.Polygon(part[0]).area) for part in parts]
    # by their areas before places are rounded
    assert tolerance_m > 0 or all(after <= 1.01 * before for before, after in pairwise(sizes))


@settings(deadline=None)
@given(RADII, st.sampled_from([5.0, 27.0]))
def test_no_corner_stays_that_a_plain_douglas_peucker_would_leave_out(radii, tolerance_m):
    ring = star(0.0, 0.0, radii)
    (part,) = thinned(rings_of([[ring]]), 0, tolerance_m=tolerance_m, least_share=1.0)
    flat = metres(ring)
    far = 1 + np.argmax(np.hypot(*(flat[1:-1] - flat[0]).T))
    halves = [
        shapely.simplify(shapely.LineString(h), tolerance_m, preserve_topology=False)
        for h in (flat[: far + 1], flat[far:])
    ]
    oracle = np.vstack([np.asarray(halves[0].coords)[:-1], np.asarray(halves[1].coords)])
    if shapely.Polygon(oracle).is_valid:
        assert len(part[0]) == pytest.approx(
            len(oracle), abs=2
        )  # the scale of longitudes is that of one corner


def test_where_thinning_would_cross_itself_the_tolerance_is_halved():
    # a thin tongue reaches into a bay: the chord across the bay would cut it
    bay = np.array([[0, 0], [400, 0], [400, 300], [210, 300], [206, 40], [203, 300], [201, 300], [201, 35], [195, 35], [195, 300], [0, 300], [0, 0]], dtype=float)  # fmt: skip
    ring = bay / [DEGREE_M * np.cos(np.radians(LAT)), DEGREE_M] + [115.8, LAT]
    for tolerance_m in (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 1e6):
        (part,) = thinned(rings_of([[ring]]), 0, tolerance_m=tolerance_m, least_share=1.0)
        assert shapely.Polygon(part[0]).is_valid
        assert len(part[0]) >= 4


def test_of_two_parts_as_large_as_each_other_the_first_stays():
    ring = star(0.0, 0.0, [300.0, 300.0, 300.0])
    (part,) = thinned(rings_of([[ring], [np.add(ring, [1.0, 0.0])]]), 0, tolerance_m=5.0, least_share=1.0)
    assert (part[0] == ring.round(6)).all()


def test_a_shape_of_nothing_has_no_polygons():
    nothing = np.zeros(1, dtype=np.int64)
    rings = Rings(np.empty((0, 2)), nothing, nothing, np.zeros(2, dtype=np.int64))
    assert thinned(rings, 0, tolerance_m=27.0, least_share=1.0) == []


GRID = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=9)


@settings(deadline=None, max_examples=500)
@given(GRID)
def test_simple_is_what_geos_calls_valid(corners):
    corners = [c for c, before in zip(corners, [corners[-1], *corners[:-1]], strict=True) if c != before]
    if len(corners) < 3:
        return
    ring = np.array([*corners, corners[0]]) * 1e-6 + [115.8, LAT]
    assert _simple(ring.round(6)) == shapely.Polygon([*corners, corners[0]]).is_valid
