"""The partition that shapes are drawn from."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo.isochrones import Cells, bands, false_missed_share, partition, prepare
from geo.isochrones.cells import WIDEN_M
from geo.isochrones.cutting import ARC
from geo.isochrones.seams import SHIFT
from geo.isochrones.spacing import SHORTEST_STEP_M, SPACING_M
from geo.isochrones.ways import to_sheet
from geo.models import Stretches
from tests.toy import grid_network, toy_network

SPOTS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=14, unique=True)

CLOSE_BY = [
    (0, 1), (0, 5), (0, 0), (0, 2), (0, 3), (1, 1), (0, 4), (0, 18), (1, 0), (1, 2), (1, 31), (2, 0), (2, 1),
]  # fmt: skip


def tangle(spots, seed):
    """Ways between random places: they cross without meeting, lie upon one another, end side by side."""
    rng = np.random.default_rng(seed)
    pairs = {tuple(sorted(rng.choice(len(spots), 2, replace=False).tolist())) for _ in range(2 * len(spots))}
    return toy_network([(6.0 * x, 6.0 * y) for x, y in spots], sorted(pairs))


def on_sheet(cells: Cells) -> np.ndarray:
    """Where the corners are: x and y."""
    x, y = to_sheet(*cells.place.T)
    return np.column_stack((x - cells.ways.x0, y - cells.ways.y0))


def polygons(cells: Cells) -> list[shapely.Polygon | None]:
    """Every cell on the sheet, None where one has no room."""
    place = on_sheet(cells)
    corners = (cells.corner[a:b] for a, b in pairwise(cells.row))
    return [shapely.Polygon(place[at]) if len(at) else None for at in corners]


@settings(deadline=None, max_examples=40)
@given(SPOTS, st.integers(0, 2**32 - 1))
def test_every_border_has_another_side_and_every_cell_is_convex(spots, seed):
    cells = partition(prepare(tangle(spots, seed), mode="walk"))
    sides, place = {}, on_sheet(cells)
    for c, (begin, end) in enumerate(pairwise(cells.row)):
        corner, other = cells.corner[begin:end], cells.neighbour[begin:end]
        for k, n in enumerate(other):
            if n >= 0:
                sides[c, int(n), int(corner[k]), int(corner[(k + 1) % len(corner)])] = True
        xy = place[corner]
        step = np.roll(xy, -1, axis=0) - xy
        after = np.roll(step, -1, axis=0)
        assert (step[:, 0] * after[:, 1] - step[:, 1] * after[:, 0] > -1e-6).all()
    assert sides
    assert all((n, c, b, a) in sides for c, n, a, b in sides)


@settings(deadline=None, max_examples=40)
@given(SPOTS, st.integers(0, 2**32 - 1))
def test_a_place_is_in_the_cell_of_the_nearest_point(spots, seed):
    cells = partition(prepare(tangle(spots, seed), mode="walk"))
    at = np.column_stack((cells.points.x, cells.points.y))
    rng = np.random.default_rng(seed)
    places = at[rng.integers(0, len(at), 400)] + rng.normal(0, 15, (400, 2))
    apart = np.hypot(*(places[:, None] - at[None]).transpose(2, 0, 1))
    nearest, distance = apart.argmin(axis=1), apart.min(axis=1)
    drawn = polygons(cells)
    within = np.array(
        [
            drawn[c] is not None and drawn[c].contains(shapely.Point(p))
            for c, p in zip(nearest, places, strict=True)
        ]
    )
    radius = np.hypot(WIDEN_M, SPACING_M / 2) * cells.unit
    second = np.partition(apart, 1, axis=1)[:, 1] if len(at) > 1 else np.full(len(places), np.inf)
    sure = (second - distance > 1e-6) & (distance < radius * np.cos(ARC / 2) - 1e-6)
    assert within[sure].all()
    assert not within[distance > radius + 1e-6].any()


@settings(deadline=None, max_examples=40)
@given(SPOTS, st.integers(0, 2**32 - 1))
def test_points_go_from_end_to_end_and_leave_no_long_gap(spots, seed):
    network = tangle(spots, seed)
    cells = partition(prepare(network, mode="walk"))
    for e in range(network.edge_count):
        to_m = cells.points.to_m[cells.points.first[e] : cells.points.last[e]]
        ends = np.concatenate(([0.0], to_m))
        assert ends[-1] == network.length_m[e]
        assert (np.diff(ends) > 0).all()
        assert np.diff(ends).max() <= SPACING_M + 0.1


def test_points_stand_closer_where_a_way_crosses_without_meeting():
    network = toy_network([(0, 0), (200, 0), (100, -100), (100, 100)], [(0, 1), (2, 3)])
    ways = prepare(network, mode="walk")
    reached = Stretches(np.array([0], dtype=np.int32), np.zeros(1), np.array([200.0]))
    shape = bands(ways, {5.0: reached}).geometry.iloc[0]
    false, missed = false_missed_share(ways, shape, reached, step_m=0.1)
    assert missed * 200.0 <= SHORTEST_STEP_M
    assert false * 200.0 <= SHORTEST_STEP_M


def test_ways_side_by_side_are_told_apart():
    network = toy_network([(0, 0), (300, 0), (0, 3), (300, 3)], [(0, 1), (2, 3)])
    ways = prepare(network, mode="walk")
    reached = Stretches(np.array([1], dtype=np.int32), np.array([40.0]), np.array([260.0]))
    shape = bands(ways, {5.0: reached}).geometry.iloc[0]
    assert false_missed_share(ways, shape, reached, step_m=0.5) == pytest.approx((0.0, 0.0), abs=0.001)


def test_a_part_of_the_ways_is_drawn_as_all_of_them():
    network = grid_network(11, 11, 60.0)
    ways = prepare(network, mode="walk")
    middle = np.array([100, 101, 102, 110], dtype=np.int32)
    reached = Stretches(middle, np.zeros(4), network.length_m[middle])
    few, all_of_them = partition(ways, near=middle), partition(ways)
    assert len(few.points.x) < len(all_of_them.points.x)
    one, two = (bands(cells, {5.0: reached}).geometry.iloc[0] for cells in (few, all_of_them))
    assert shapely.symmetric_difference(one, two).area < 2e-3 * one.area  # other corners stay


@settings(deadline=None, max_examples=40)
@given(SPOTS, st.integers(0, 2**32 - 1))
def test_every_border_between_ways_is_in_one_seam_that_both_know(spots, seed):
    cells = partition(prepare(tangle(spots, seed), mode="walk"))
    points, seams = cells.points, cells.seams
    way = np.empty(len(points.x), dtype=int)
    for e in range(len(points.first)):
        way[points.first[e] : points.last[e]] = e
    found, within = set(), set()
    for c, (begin, end) in enumerate(pairwise(cells.row)):
        for k in range(begin, end):
            n = int(cells.neighbour[k])
            beyond = way[n] if n >= 0 else -1
            after = cells.corner[k + 1 if k + 1 < end else begin]
            if beyond != way[c]:
                found.add((way[c], beyond, int(cells.corner[k]), int(after)))
            elif n > c:
                within.add((c, n, k))
    number = seams.path[:, 2].astype(int) >> SHIFT
    assert np.array_equal(seams.path[:, :2], cells.place[number])
    told, own = [], []
    for e, (first, last, first_own, last_own, *its_cells) in enumerate(seams.way):
        assert its_cells == [points.first[e], points.last[e]]
        own += map(tuple, seams.own[first_own:last_own].tolist())
        for other, (begin, end, lines) in zip(seams.beyond[first:last], seams.seam[first:last], strict=True):
            mine = other < 0 or e < other
            assert seams.cells[end - 1].tolist() == [-1, -1, -1]
            assert (seams.cells[begin:end, 0] < 0).sum() == lines
            for k in range(begin, end):
                c, n, m = seams.cells[k]
                if c < 0:
                    continue
                one, two = int(number[k]), int(number[k + 1])
                assert way[c] == (e if mine else other)
                assert cells.row[c] <= m < cells.row[c + 1]
                assert cells.corner[m] == one
                assert cells.neighbour[m] == n
                told.append((e, int(other), one, two) if mine else (e, int(other), two, one))
    assert len(told) == len(set(told))
    assert set(told) == found
    assert sorted(own) == sorted(within)


@settings(deadline=None, max_examples=40)
@given(SPOTS, st.integers(0, 2**32 - 1))
def test_a_line_of_a_seam_meets_others_at_its_ends_only(spots, seed):
    cells = partition(prepare(tangle(spots, seed), mode="walk"))
    seams = cells.seams
    number = seams.path[:, 2].astype(int) >> SHIFT
    last = seams.cells[:, 0] < 0
    first = np.concatenate(([True], last[:-1]))
    inner = number[~(first | last)]
    assert len(np.unique(inner)) == len(inner)
    closed = number[first] == number[last]
    ends = np.concatenate((number[first], number[last][~closed]))
    assert not np.isin(inner, ends).any()
    assert set(np.bincount(np.concatenate((number[first], number[last])))) <= {0, 2, 3}


@settings(deadline=None, max_examples=60)
@given(SPOTS, st.integers(0, 2**32 - 1))
@example(CLOSE_BY, 1907)  # the outline of one cell once ran along a border and back
def test_each_shape_covers_the_one_before_it(spots, seed):
    network = tangle(spots, seed)
    rng = np.random.default_rng(seed)
    edge = np.flatnonzero(rng.random(network.edge_count) < 0.7).astype(np.int32)
    far = np.sort(rng.random((3, len(edge))), axis=0) * network.length_m[edge]
    reached = {
        float(m): Stretches(edge, np.zeros(len(edge)), to_m) for m, to_m in zip((5, 10, 15), far, strict=True)
    }
    shapes = bands(prepare(network, mode="walk"), reached).geometry
    assert shapes.is_valid.all()
    for inner, outer in pairwise(shapes):
        assert inner.difference(outer).area < 1e-14  # square degrees: a tenth of a square millimetre


def test_the_same_cells_twice():
    ways = prepare(grid_network(7, 5, 80.0), mode="walk")
    one, two = partition(ways), partition(ways)
    assert np.array_equal(one.neighbour, two.neighbour)
    assert np.array_equal(one.place, two.place)


def test_ways_without_length_and_no_ways_at_all():
    none = partition(prepare(toy_network([(0, 0), (50, 0)], [(0, 1)], private=[0]), mode="ebike"))
    assert len(none.points.x) == 0
    short = partition(prepare(toy_network([(0, 0), (0.01, 0), (50, 0)], [(0, 1), (1, 2)]), mode="walk"))
    assert np.isfinite(short.place).all()
