from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from geo.errors import InputError
from geo.isochrones import bands, false_missed_share, prepare, station_bands
from geo.isochrones.cells import WIDEN_M
from geo.isochrones.shares import _lengths
from geo.models import Stretches
from geo.travel_times import Router, snap
from tests.toy import CRS, grid_network, lonlat, toy_network

TO_METRES = Transformer.from_crs("EPSG:4326", CRS, always_xy=True)
MINUTES = (5.0, 10.0, 15.0)
STEP_M = 5.0  # how far a border may lie from where it belongs


def part(*pieces: tuple[int, float, float]) -> Stretches:
    edge, low, high = zip(*pieces, strict=True) if pieces else ((), (), ())
    return Stretches(np.array(edge, dtype=np.int32), np.array(low, dtype=float), np.array(high, dtype=float))


def planar(shape: shapely.Geometry) -> shapely.Geometry:
    return shapely.transform(shape, lambda xy: np.column_stack(TO_METRES.transform(xy[:, 0], xy[:, 1])))


def walked(network, spots, *, minutes=MINUTES, mode="walk"):
    """What is reached on foot from any of some planar positions, by minutes."""
    sources = snap(network, *lonlat(spots), mode=mode)
    nodes = Router(network, mode=mode).nearest(sources, sources, limit_s=max(minutes) * 60).node_seconds
    return {m: Router(network, mode=mode).stretches(sources, nodes, limit_s=m * 60) for m in minutes}


def lines_of(network, reached, *, inside):
    """Planar lines of the stretches that are (not) reached, cut by shapely: the slow oracle."""
    lines, of_edge = [], network.geometry
    for edge in range(network.edge_count):
        at = slice(of_edge.start[edge], of_edge.start[edge + 1])
        line = shapely.LineString(np.column_stack(TO_METRES.transform(of_edge.lon[at], of_edge.lat[at])))
        rows = np.flatnonzero(reached.edge == edge)
        cuts = [(reached.from_m[row], reached.to_m[row]) for row in rows]
        if not inside:
            ends = [0.0, *(m for cut in cuts for m in cut), network.length_m[edge]]
            cuts = [(low, high) for low, high in zip(ends[::2], ends[1::2], strict=True) if high > low]
        scale = line.length / network.length_m[edge]
        lines += [shapely.ops.substring(line, low * scale, high * scale) for low, high in cuts]
    return shapely.MultiLineString([line for line in lines if line.length > 0])


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.floats(0, 1200), st.floats(0, 1200)), min_size=1, max_size=3),
)
def test_shapes_are_what_lies_nearest_to_reached_ways(seed, spots):
    rng = np.random.default_rng(seed)
    network = grid_network(11, 11, 120.0)
    reached = walked(network, spots)
    frame = bands(prepare(network, mode="walk"), reached)
    assert frame["minutes"].tolist() == list(MINUTES)
    assert shapely.is_valid(frame.geometry.values).all()
    points = shapely.points(rng.uniform(-60, 1260, (4000, 2)))
    for m, shape in zip(MINUTES, frame.geometry, strict=True):
        near = shapely.distance(points, lines_of(network, reached[m], inside=True))
        other = shapely.distance(points, lines_of(network, reached[m], inside=False))
        other = np.where(np.isnan(other), np.inf, other)
        drawn = shapely.contains(planar(shape), points)
        # Near the border the picture may differ from the rule.
        sure_in = (near < WIDEN_M - STEP_M) & (near + STEP_M < other)
        sure_out = (near > WIDEN_M + STEP_M) | (near > other + STEP_M)
        assert drawn[sure_in].all()
        assert not drawn[sure_out].any()
        assert sure_in.sum() + sure_out.sum() > 2000


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.floats(0, 1200), st.floats(0, 1200)), min_size=1, max_size=4))
def test_bands_nest_exactly_and_add_up(spots):
    network = grid_network(11, 11, 120.0)
    shapes = bands(prepare(network, mode="walk"), walked(network, spots)).geometry
    for inner, outer in pairwise(shapes):
        assert outer.covers(inner)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.floats(0, 1200), st.floats(0, 1200)), min_size=1, max_size=3))
def test_hardly_any_way_is_false_or_missed(spots):
    network = grid_network(11, 11, 120.0)
    ways = prepare(network, mode="walk")
    reached = walked(network, spots)
    for m, shape in zip(MINUTES, bands(ways, reached).geometry, strict=True):
        false, missed = false_missed_share(ways, shape, reached[m], step_m=1.0)
        ends = 2.0 * len(reached[m])  # each may be drawn half a metre off
        total = (reached[m].to_m - reached[m].from_m).sum()
        assert false * total <= 0.5 * ends
        assert missed * total <= 0.5 * ends


def test_a_stretch_ends_flat_where_its_time_ends():
    ways = prepare(toy_network([(0, 0), (900, 0)], [(0, 1)]), mode="walk")
    shape = planar(bands(ways, {5.0: part((0, 203.7, 610.2))}).geometry.iloc[0])
    assert shape.bounds == pytest.approx((203.7, -25, 610.2, 25), abs=0.2)
    assert shape.area == pytest.approx((610.2 - 203.7) * 50, abs=4 * STEP_M**2)  # corners cut


def test_holes_and_islands_stay():
    block = toy_network(
        [(0, 0), (300, 0), (300, 300), (0, 300), (600, 0), (600, 300)],
        [(0, 1), (1, 2), (2, 3), (3, 0), (4, 5)],
    )
    ways = prepare(block, mode="walk")
    everywhere = part(*((edge, 0.0, 300.0) for edge in range(5)))
    shape = bands(ways, {5.0: everywhere}).geometry.iloc[0]
    assert len(shape.geoms) == 2
    assert [len(polygon.interiors) for polygon in shape.geoms] == [1, 0]
    hole = planar(shapely.Polygon(shape.geoms[0].interiors[0]))
    assert hole.area == pytest.approx(250**2, rel=0.002)
    assert [polygon.exterior.is_ccw for polygon in shape.geoms] == [True, True]
    assert not shape.geoms[0].interiors[0].is_ccw


def test_an_island_within_a_hole_is_a_polygon_of_its_own():
    ring = [(0, 0), (400, 0), (400, 400), (0, 400)]
    network = toy_network([*ring, (150, 200), (250, 200)], [(0, 1), (1, 2), (2, 3), (3, 0), (4, 5)])
    everywhere = part(*((edge, 0.0, float(network.length_m[edge])) for edge in range(5)))
    shape = bands(prepare(network, mode="walk"), {5.0: everywhere}).geometry.iloc[0]
    assert [len(polygon.interiors) for polygon in shape.geoms] == [1, 0]
    assert shape.is_valid


def test_no_spill_over_a_way_out_of_time_that_runs_beside():
    network = toy_network([(0, 0), (500, 0), (0, 14), (500, 14)], [(0, 1), (2, 3)])
    shape = planar(bands(prepare(network, mode="walk"), {5.0: part((0, 0.0, 500.0))}).geometry.iloc[0])
    assert not shape.intersects(shapely.LineString([(0, 14), (500, 14)]))
    assert shape.covers(shapely.LineString([(0, 0), (500, 0)]))


def test_closed_ways_do_not_count():
    network = toy_network([(0, 0), (500, 0), (0, 14), (500, 14)], [(0, 1), (2, 3)], private=[1])
    reached = {5.0: part((0, 0.0, 500.0))}
    shape = planar(bands(prepare(network, mode="ebike"), reached).geometry.iloc[0])
    assert shape.covers(shapely.LineString([(0, 14), (500, 14)]))


def test_far_apart_is_drawn_as_each_by_itself():
    network = toy_network([(0, 0), (0, 900), (14_000, 14_000), (14_900, 14_300)], [(0, 1), (2, 3)])
    ways = prepare(network, mode="walk")
    one, two = part((0, 100.0, 900.0)), part((1, 0.0, 400.0))
    both = Stretches(*(np.concatenate((getattr(one, k), getattr(two, k))) for k in Stretches.__slots__))
    frame = station_bands(ways, {"one": {5.0: one}, "two": {5.0: two}, "both": {5.0: both}})
    shapes = [planar(shape) for shape in frame.geometry]
    apart = shapely.union(shapes[0], shapes[1])
    assert shapes[2].is_valid
    assert shapely.symmetric_difference(shapes[2], apart).area < 0.005 * apart.area
    tall = toy_network([(0, 0), (0, 40_000), (7000, 0), (7000, 40_000)], [(0, 1), (2, 3)])
    shape = bands(prepare(tall, mode="walk"), {5.0: part((0, 0.0, 40_000.0), (1, 0.0, 40_000.0))})
    assert len(shape.geometry.iloc[0].geoms) == 2
    assert planar(shape.geometry.iloc[0]).area == pytest.approx(2 * (40_000 * 50 + np.pi * 25**2), rel=0.006)


def test_many_pieces_of_one_edge_are_all_drawn():
    network = toy_network([(0, 0), (20_000, 0)], [(0, 1)])
    pieces = part(*((0, 200.0 * i, 200.0 * i + 100.0) for i in range(100)))
    shape = bands(prepare(network, mode="walk"), {5.0: pieces}).geometry.iloc[0]
    assert len(shape.geoms) == 100


def test_nothing_reached_is_empty_and_nothing_asked_is_no_row():
    ways = prepare(toy_network([(0, 0), (900, 0)], [(0, 1)]), mode="walk")
    frame = bands(ways, {5.0: part(), 10.0: part((0, 0.0, 10.0))})
    assert [shape.is_empty for shape in frame.geometry] == [True, False]
    assert bands(ways, {5.0: part()}).geometry.iloc[0].is_empty
    assert station_bands(ways, {}).empty
    assert false_missed_share(ways, shapely.MultiPolygon(), part()) == (0.0, 0.0)


def test_bands_that_do_not_fit_are_refused():
    ways = prepare(toy_network([(0, 0), (900, 0)], [(0, 1)]), mode="walk")
    with pytest.raises(InputError, match="minutes must be those"):
        station_bands(ways, {"a": {5.0: part()}, "b": {6.0: part()}})
    with pytest.raises(InputError, match="at most 16"):
        bands(ways, {float(m): part() for m in range(17)})


@pytest.mark.parametrize("latitude", [0.0, 52.0, 69.5])
def test_a_metre_is_a_metre_at_every_latitude(latitude):
    crs = f"+proj=tmerc +lat_0={latitude} +lon_0=20 +ellps=WGS84 +units=m"
    there = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    lon, lat = there.transform([0.0, 600.0, 0.0, 0.0], [0.0, 0.0, 200.0, 800.0])
    network = toy_network([(0, 0), (600, 0), (0, 200), (0, 800)], [(0, 1), (2, 3)])
    values = {k: getattr(network, k) for k in type(network).__slots__}
    lines = type(network.geometry)(network.geometry.start, np.asarray(lon), np.asarray(lat))
    moved = type(network)(**{**values, "crs": crs, "geometry": lines})
    shape = bands(prepare(moved, mode="walk"), {5.0: part((0, 0.0, 600.0), (1, 0.0, 600.0))}).geometry.iloc[0]
    back = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    metres = shapely.transform(shape, lambda xy: np.column_stack(back.transform(xy[:, 0], xy[:, 1])))
    capsule = 600 * 50 + np.pi * 25**2
    assert [piece.area for piece in metres.geoms] == pytest.approx([capsule, capsule], rel=0.015)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(3, 1500), st.sampled_from([1.0, 1e-9, 1e9]))
def test_inside_is_what_geos_calls_inside(seed, corners, flat):
    """Edges of one piece each, at random: as long inside as GEOS says, of all and of those reached."""
    rng = np.random.default_rng(seed)
    turn = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radius = rng.uniform(0.5, 2, corners)
    star = np.column_stack((radius * np.cos(turn), radius * np.sin(turn)))
    hole = shapely.Polygon(0.4 * star).buffer(0) if corners % 2 else shapely.Polygon()
    shape = shapely.difference(shapely.Polygon(star).buffer(0), hole)
    both = shapely.transform(
        shapely.union_all([shape, shapely.box(3, -1, 4, 1)]), lambda xy: xy * [1.0, flat]
    )
    count = 500
    x, y = rng.uniform(-2, 5, count), rng.uniform(-2, 2, count) * flat
    inside = shapely.contains_xy(both, x, y)
    _kind, at, offsets = shapely.to_ragged_array([both])
    length_m = rng.uniform(1.0, 9.0, count)
    reached = np.flatnonzero(rng.random(count) < 0.5).astype(np.int32)
    found = _lengths(
        at, offsets[0].astype(np.int64), np.arange(0, 2 * count + 1, 2), np.repeat(x, 2), np.repeat(y, 2),
        np.column_stack((np.zeros(count), length_m)).ravel(), length_m, np.arange(count),
        reached, np.zeros(len(reached)), length_m[reached], 10.0,
    )  # fmt: skip
    there = np.isin(np.arange(count), reached)
    wanted = [length_m[inside].sum(), length_m[there].sum(), length_m[inside & there].sum()]
    assert found == pytest.approx(wanted, rel=1e-12)


def test_the_town_is_split_among_its_stations_without_an_overlap():
    network = grid_network(11, 11, 120.0)
    spots = [(130, 100), (900, 260), (500, 1100)]
    sources = snap(network, *lonlat(spots))
    field = Router(network, mode="walk").nearest(sources, sources, limit_s=900.0)
    parts = Router(network, mode="walk").stretches_of_nearest(sources, field, limit_s=900.0)
    ways = prepare(network, mode="walk")
    frame = station_bands(ways, {str(i): {15.0: part} for i, part in enumerate(parts)})
    shapes = [planar(shape) for shape in frame.geometry]
    for i, one in enumerate(shapes):
        assert one.contains(shapely.Point(spots[i]))
        for other in shapes[:i]:
            # drawn each by itself: borders may differ by a hair, not by a street
            assert one.intersection(other).area < 0.002 * one.area
    whole = planar(
        bands(
            ways, {15.0: Router(network, mode="walk").stretches(sources, field.node_seconds, limit_s=900.0)}
        ).geometry.iloc[0]
    )
    assert shapely.union_all(shapes).area == pytest.approx(whole.area, rel=0.01)


def test_a_gap_where_the_way_turns_back_leaves_a_valid_shape():
    network = toy_network([(0, 0), (0, 0.5)], [(0, 1)], bends={0: [(9, 0), (9, 0.5)]})
    ways = prepare(network, mode="walk")
    for low in np.arange(8.0, 12.0, 0.25):
        reached = {5.0: part((0, 0.0, low), (0, low + 1.5, 18.5))}
        assert bands(ways, reached).geometry.iloc[0].is_valid
