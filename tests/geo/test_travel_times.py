"""Travel times against an oracle that splits every edge at the points and lets networkx search."""

from __future__ import annotations

import csv
import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, product
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from geo import compiled
from geo.errors import InputError
from geo.models import RoadNetwork, Snapped, TravelMatrix
from geo.travel_times import Router, edge_seconds, snap
from tests.toy import CRS, grid_network, how, lonlat, toy_network

WALK_MS = 4.0 / 3.6
SPHERE = Geod(a=6_371_009.0, b=6_371_009.0)
lonlat_to_plane = Transformer.from_crs("EPSG:4326", CRS, always_xy=True).transform
STEADY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def place(network: RoadNetwork, spots: list[tuple[int, float, float]]) -> Snapped:
    """Points given as (edge, share of its length, access metres)."""
    edge = np.array([s[0] for s in spots], dtype=np.int32)
    offset = np.array([s[1] for s in spots]) * network.length_m[edge] if spots else np.empty(0)
    access = np.array([s[2] for s in spots], dtype=np.float64)
    return Snapped(edge, offset, access, np.zeros(len(spots)), np.zeros(len(spots)))


def oracle(network, sources, targets, *, mode, direction, limit_s, wait_s=0.0):
    """Dense seconds (sources, targets): a graph in which each point is a node on its split edge."""
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(("in", n) for n in range(network.node_count))
    points = [("s", i, sources) for i in range(len(sources))] + [
        ("t", i, targets) for i in range(len(targets))
    ]
    # A light costs half of its wait on the way in and half on the way out.
    half = {n: wait_s / 2 if network.node_signal[n] else 0.0 for n in range(network.node_count)}
    for e in range(network.edge_count):
        stops = sorted(
            ((float(p.offset_m[i]), (kind, i)) for kind, i, p in points if p.edge[i] == e),
            key=lambda stop: stop[0],
        )
        u, v = ("in", int(network.edge_u[e])), ("in", int(network.edge_v[e]))
        chain = [(0.0, u), *stops, (float(network.length_m[e]), v)]
        forward, backward = network.speed_forward_kmh[mode][e], network.speed_backward_kmh[mode][e]
        for k in range(len(chain) - 1):
            (a, first), (b, second) = chain[k], chain[k + 1]
            extra = (half[u[1]] if k == 0 else 0.0) + (half[v[1]] if k == len(chain) - 2 else 0.0)
            if forward > 0 or b == a:
                graph.add_edge(first, second, w=(b - a) / (forward / 3.6) + extra if b > a else extra)
            if backward > 0 or b == a:
                graph.add_edge(second, first, w=(b - a) / (backward / 3.6) + extra if b > a else extra)
    if direction == "to_station":
        graph = graph.reverse()
    result = np.full((len(sources), len(targets)), np.inf)
    for i in range(len(sources)):
        if sources.edge[i] < 0:
            continue
        reached = nx.single_source_dijkstra_path_length(graph, ("s", i), weight="w")
        for j in range(len(targets)):
            if targets.edge[j] >= 0 and ("t", j) in reached:
                total = reached["t", j] + (sources.access_m[i] + targets.access_m[j]) / WALK_MS
                result[i, j] = total if total <= limit_s else np.inf
    return result


def dense(sparse: TravelMatrix) -> np.ndarray:
    full = np.full(sparse.shape, np.inf)
    rows = np.repeat(np.arange(sparse.shape[0]), np.diff(sparse.indptr))
    full[rows, sparse.indices] = sparse.seconds
    return full


@st.composite
def worlds(draw, modes=("walk", "bike")):
    """A random network with loops, parallels, bends, one-ways, lights and closed edges, and points on it."""
    n = draw(st.integers(1, 7))
    whole = st.integers(0, 60).map(lambda k: k * 25.0)
    xy = draw(st.lists(st.tuples(whole, whole), min_size=n, max_size=n, unique=True))
    node = st.integers(0, n - 1)
    pairs = draw(st.lists(st.tuples(node, node), min_size=1, max_size=12))
    bends = {}
    for e, (u, v) in enumerate(pairs):
        if u == v:
            bends[e] = [(xy[u][0] + 60.0 + e, xy[u][1] + 10.0), (xy[u][0] + 35.0, xy[u][1] + 80.0 + e)]
        elif draw(st.booleans()):
            bends[e] = [((xy[u][0] + xy[v][0]) / 2 + 33.0, (xy[u][1] + xy[v][1]) / 2 - 21.0)]
    rows = st.sets(st.integers(0, len(pairs) - 1))
    network = toy_network(
        xy,
        pairs,
        bends=bends,
        oneway=draw(rows),
        oneway_modes=("walk", "bike"),
        private=draw(rows),
        signals=draw(st.sets(node)),
    )
    mode = draw(st.sampled_from(modes))
    usable = np.flatnonzero(network.component[mode] >= 0)
    edge = st.sampled_from([int(e) for e in usable] or [-1])
    share = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0.001, 0.999))
    spots = st.lists(st.tuples(edge, share, st.sampled_from([0.0, 7.5, 40.0])), min_size=1, max_size=5)
    options = {
        "mode": mode,
        "direction": draw(st.sampled_from(["to_station", "from_station"])),
        "limit_s": draw(st.sampled_from([60.0, 333.3, 900.0, math.inf])),
    }
    return network, place(network, draw(spots)), place(network, draw(spots)), options


def near_limit(value: np.ndarray, limit_s: float) -> np.ndarray:
    """Pairs within a millisecond of the limit may fall on either side of it in another arithmetic."""
    return np.abs(value - limit_s) < 1e-3 if math.isfinite(limit_s) else np.zeros(value.shape, dtype=bool)


@STEADY
@given(worlds(), st.sampled_from([0.0, 35.0]))
def test_matrix_and_nearest_agree_with_networkx(world, wait_s):
    network, sources, targets, options = world
    limit_s = options["limit_s"]
    expected = oracle(network, sources, targets, **{**options, "limit_s": math.inf}, wait_s=wait_s)
    unsure = near_limit(expected, limit_s)
    expected[expected > limit_s] = np.inf
    found = Router(network, **how(options), signal_wait_s=wait_s).matrix(
        sources, targets, limit_s=options["limit_s"]
    )
    for row in range(len(sources)):
        assert (np.diff(found.indices[found.indptr[row] : found.indptr[row + 1]]) > 0).all()
    full = dense(found)
    np.testing.assert_allclose(full[~unsure], expected[~unsure], rtol=0, atol=1e-3)
    field = Router(network, **how(options), signal_wait_s=wait_s).nearest(
        sources, targets, limit_s=options["limit_s"]
    )
    np.testing.assert_array_equal(field.seconds, full.min(axis=0))
    reached = np.isfinite(field.seconds)
    assert (field.label[~reached] == -1).all()
    np.testing.assert_array_equal(full[field.label[reached], np.flatnonzero(reached)], field.seconds[reached])


@STEADY
@given(worlds())
def test_node_fields_agree(world):
    network, sources, _, options = world
    rows = dense(Router(network, **how(options)).reach_nodes(sources, limit_s=options["limit_s"]))
    field = Router(network, **how(options)).nearest(sources, place(network, []), limit_s=options["limit_s"])
    np.testing.assert_array_equal(field.node_seconds, rows.min(axis=0))
    np.testing.assert_array_equal(field.node_label >= 0, np.isfinite(field.node_seconds))
    # Nodes as targets: a position at the very end of an edge that leads there is the node.
    for e in range(network.edge_count):
        for share, node in ((0.0, network.edge_u[e]), (1.0, network.edge_v[e])):
            at_end = (
                Router(network, **how(options))
                .nearest(sources, place(network, [(e, share, 0.0)]), limit_s=options["limit_s"])
                .seconds[0]
            )
            assert at_end <= field.node_seconds[node]


@STEADY
@given(worlds(modes=("walk",)), st.data())
def test_nothing_added_ever_shrinks_reach(world, data):
    network, sources, targets, options = world
    before = Router(network, **how(options)).nearest(sources, targets, limit_s=options["limit_s"]).seconds
    limit_s = options["limit_s"]
    longer = Router(network, **how(options)).nearest(sources, targets, limit_s=limit_s + 60.0).seconds
    assert (longer <= before).all()
    more = place(network, [(0, 0.3, 5.0)])
    both = Snapped(*(np.concatenate((getattr(sources, k), getattr(more, k))) for k in Snapped.__slots__))
    assert (
        Router(network, **how(options)).nearest(both, targets, limit_s=options["limit_s"]).seconds <= before
    ).all()
    # The same network without its last edge: points keep their places on the edges that remain.
    last = network.edge_count - 1
    if last == 0 or last in sources.edge or last in targets.edge:
        return
    poorer = without_last_edge(network)
    less = Router(poorer, **how(options)).nearest(sources, targets, limit_s=options["limit_s"]).seconds
    assert (before <= less).all()


def without_last_edge(network: RoadNetwork) -> RoadNetwork:
    forward = {mode: speeds.copy() for mode, speeds in network.speed_forward_kmh.items()}
    backward = {mode: speeds.copy() for mode, speeds in network.speed_backward_kmh.items()}
    for speeds in (*forward.values(), *backward.values()):
        speeds[-1] = 0.0
    values = {k: getattr(network, k) for k in RoadNetwork.__slots__}
    return RoadNetwork(**{**values, "speed_forward_kmh": forward, "speed_backward_kmh": backward})


@STEADY
@given(worlds(modes=("walk",)))
def test_walks_without_one_ways_are_symmetric(world):
    network, sources, targets, options = world
    values = {k: getattr(network, k) for k in RoadNetwork.__slots__}
    both_ways = RoadNetwork(**{**values, "speed_backward_kmh": network.speed_forward_kmh})
    there = dense(
        Router(both_ways, **how(options), signal_wait_s=20.0).matrix(
            sources, targets, limit_s=options["limit_s"]
        )
    )
    back = dense(
        Router(both_ways, **how(options), signal_wait_s=20.0).matrix(
            targets, sources, limit_s=options["limit_s"]
        )
    ).T
    unsure = near_limit(there, options["limit_s"]) | near_limit(back, options["limit_s"])
    np.testing.assert_allclose(there[~unsure], back[~unsure], rtol=0, atol=1e-6)


@STEADY
@given(worlds(), st.sampled_from([0.0, 35.0]))
def test_stretches_agree_with_points_sampled_on_every_edge(world, wait_s):
    network, sources, _, options = world
    limit_s = options["limit_s"]
    share = np.linspace(0.0, 1.0, 23)[1:-1]
    usable = np.flatnonzero(network.component[options["mode"]] >= 0)
    samples = place(network, [(int(e), float(t), 0.0) for e in usable for t in share])
    field = Router(network, **how(options), signal_wait_s=wait_s).nearest(
        sources, samples, limit_s=options["limit_s"]
    )
    part = Router(network, **how(options), signal_wait_s=wait_s).stretches(
        sources, field.node_seconds, limit_s=options["limit_s"]
    )
    assert (part.from_m < part.to_m).all()
    assert (part.from_m >= 0).all()
    assert (part.to_m <= network.length_m[part.edge]).all()
    same = part.edge[1:] == part.edge[:-1]
    assert (part.edge[1:] >= part.edge[:-1]).all()
    assert (part.from_m[1:][same] > part.to_m[:-1][same]).all()
    assert np.isin(part.edge, usable).all()
    for k in range(len(samples)):
        at = samples.offset_m[k]
        mine = part.edge == samples.edge[k]
        inside = ((part.from_m[mine] <= at) & (at <= part.to_m[mine])).any()
        borders = np.concatenate((part.from_m[mine], part.to_m[mine]))
        if (np.abs(borders - at) > 1e-3).all() and not near_limit(field.seconds, limit_s)[k]:
            assert inside == np.isfinite(field.seconds[k])


def test_same_edge_and_both_ends():
    # A ring of 4 x 100 m: the far side of the source's own edge is nearer the other way round.
    ring = toy_network([(0, 0), (100, 0)], [(0, 1), (0, 1)], bends={1: [(50, 10)]})
    source = place(ring, [(0, 0.02, 0.0)])
    target = place(ring, [(0, 0.06, 0.0), (1, 0.98, 0.0)])
    seconds = Router(ring, mode="walk").nearest(source, target, limit_s=math.inf).seconds
    assert seconds[0] == pytest.approx(4.0 / WALK_MS)
    assert seconds[1] == pytest.approx((98.0 + ring.length_m[1] * 0.02) / WALK_MS)


def test_one_way_directions_and_the_end_of_a_one_way():
    road = toy_network([(0, 0), (300, 0)], [(0, 1)], oneway=[0])
    station, home = place(road, [(0, 0.9, 0.0)]), place(road, [(0, 0.1, 0.0)])
    options = {"mode": "bike", "limit_s": math.inf}
    assert Router(road, **how(options), direction="to_station").nearest(
        station, home, limit_s=options["limit_s"]
    ).seconds[0] == pytest.approx(72.0)
    assert (
        Router(road, **how(options), direction="from_station")
        .nearest(station, home, limit_s=options["limit_s"])
        .seconds[0]
        == math.inf
    )
    end = place(road, [(0, 1.0, 0.0)])
    assert Router(road, **how(options)).nearest(end, end, limit_s=options["limit_s"]).seconds[0] == 0.0


def test_unlinked_points_reach_nothing():
    road = toy_network([(0, 0), (300, 0)], [(0, 1)])
    lost = Snapped(np.array([-1], dtype=np.int32), *(np.full(1, np.nan) for _ in range(4)))
    here = place(road, [(0, 0.5, 0.0)])
    for sources, targets in ((lost, here), (here, lost), (lost, lost)):
        assert Router(road, mode="walk").nearest(sources, targets, limit_s=math.inf).seconds[0] == math.inf
        assert Router(road, mode="walk").matrix(sources, targets, limit_s=math.inf).indptr[-1] == 0
    nothing = place(road, [])
    assert Router(road, mode="walk").matrix(nothing, nothing, limit_s=60).shape == (0, 0)
    assert Router(road, mode="walk").nearest(nothing, here, limit_s=60).label[0] == -1
    assert len(Router(road, mode="walk").stretches(lost, np.full(2, np.inf), limit_s=60)) == 0


def test_limit_is_inclusive_and_never_rounded():
    road = toy_network([(0, 0), (2000, 0)], [(0, 1)], speed_kmh=3.6)
    homes = place(road, [(0, 0.45, 0.0), (0, 0.450001, 0.0)])
    assert Router(road, mode="walk").nearest(
        place(road, [(0, 0.0, 0.0)]), homes, limit_s=900.0
    ).label.tolist() == [
        0,
        -1,
    ]


def test_edge_seconds_scale_and_wait():
    road = toy_network([(0, 0), (100, 0)], [(0, 1)], signals=[1], oneway=[0])
    assert edge_seconds(road, mode="walk")[0][0] == pytest.approx(90.0)
    assert edge_seconds(road, mode="walk", speed_kmh=8.0)[1][0] == pytest.approx(45.0)
    assert edge_seconds(road, mode="walk", signal_wait_s=30.0)[0][0] == pytest.approx(105.0)
    assert edge_seconds(road, mode="bike", speed_kmh=6.0)[0][0] == pytest.approx(60.0)
    assert edge_seconds(road, mode="bike")[1][0] == math.inf
    assert edge_seconds(road, mode="drive")[0][0] == pytest.approx(12.0)
    assert edge_seconds(road, mode="drive", speed_kmh=0.0)[0][0] == pytest.approx(12.0)
    assert edge_seconds(road, mode="drive", speed_kmh=36.0)[0][0] == pytest.approx(10.0)


def test_a_light_is_waited_for_once():
    road = toy_network([(0, 0), (100, 0), (200, 0)], [(0, 1), (1, 2)], signals=[1])
    ends = place(road, [(0, 0.0, 0.0)]), place(road, [(1, 1.0, 0.0)])
    seconds = Router(road, mode="walk", signal_wait_s=35.0).nearest(*ends, limit_s=math.inf).seconds[0]
    assert seconds == pytest.approx(200.0 / WALK_MS + 35.0)


def test_wrong_options_are_all_named():
    road = toy_network([(0, 0), (100, 0)], [(0, 1)])
    here = place(road, [(0, 0.5, 0.0)])
    with pytest.raises(InputError) as caught:
        Router(road, mode="fly", speed_kmh=-1.0).nearest(here, here, limit_s=60)
    assert [d.key for d in caught.value.defects] == ["mode", "speed_kmh"]
    with pytest.raises(InputError, match="limit_s"):
        Router(road, mode="walk").matrix(here, here, limit_s=math.nan)
    with pytest.raises(InputError, match="direction"):
        Router(road, mode="walk", direction="sideways").reach_nodes(here, limit_s=60)
    with pytest.raises(InputError, match="max_access_m"):
        snap(road, np.zeros(1), np.zeros(1), max_access_m=-1.0)
    with pytest.raises(InputError, match="differ in number"):
        snap(road, np.zeros(2), np.zeros(1))


def test_thread_count_changes_nothing(monkeypatch):
    network = grid_network(12, 12, 80.0)
    rng = np.random.default_rng(5)
    points = snap(network, *lonlat(rng.uniform(0, 880, (900, 2))))
    results = []
    for count in (1, 3):
        monkeypatch.setattr(compiled.os, "cpu_count", lambda count=count: count)
        results.append(
            (
                snap(network, points.lon, points.lat),
                Router(network, mode="walk").matrix(points, points, limit_s=400.0),
                Router(network, mode="walk").reach_nodes(points, limit_s=400.0),
            )
        )
    for one, three in zip(*results, strict=True):
        for k in type(one).__slots__:
            np.testing.assert_array_equal(getattr(one, k), getattr(three, k))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from(["walk", "ebike"]))
def test_fields_of_many_subsets_are_those_of_each_by_itself(seed, count, mode):
    rng = np.random.default_rng(seed)
    network = grid_network(6, 6, 150.0, oneway=range(0, 60, 7))
    sources = snap(network, *lonlat(rng.uniform(-600, 900, (9, 2))), mode=mode)
    targets = snap(network, *lonlat(rng.uniform(-20, 800, (25, 2))), mode=mode)
    subsets = rng.random((9, count)) < 0.4
    subsets[:, -1] = subsets[:, 0]
    found = Router(network, mode=mode).nearest_of_subsets(sources, targets, subsets, limit_s=500.0)
    assert found.field[-1] == found.field[0]
    assert len(found.seconds) == len(np.unique(subsets, axis=1).T)
    for k in range(count):
        rows = np.flatnonzero(subsets[:, k])
        some = Snapped(*(getattr(sources, name)[rows] for name in Snapped.__slots__))
        alone = Router(network, mode=mode).nearest(some, targets, limit_s=500.0)
        np.testing.assert_array_equal(found.seconds[found.field[k]], alone.seconds)
        np.testing.assert_array_equal(found.label[found.field[k]], np.append(rows, -1)[alone.label])


def test_subsets_that_do_not_fit_are_refused():
    network = grid_network(2, 2, 100.0)
    points = snap(network, *lonlat([(0, 0)]))
    with pytest.raises(InputError, match="one row a source"):
        Router(network, mode="walk").nearest_of_subsets(
            points, points, np.ones((2, 1), dtype=bool), limit_s=1.0
        )


def test_stretches_of_each_source_are_those_of_each_by_itself():
    network = grid_network(9, 9, 110.0, oneway=range(0, 140, 5))
    sources = snap(network, *lonlat(np.random.default_rng(3).uniform(-700, 900, (12, 2))), mode="ebike")
    nodes = Router(network, mode="ebike").reach_nodes(sources, limit_s=120.0)
    limits_s = [30.0, 90.0, 60.0]
    each = Router(network, mode="ebike").reached(sources, limits_s=limits_s)
    assert [len(parts) for parts in each] == 12 * [3]
    for i, (k, limit_s) in product(range(12), enumerate(limits_s)):
        part = each[i][k]
        dense = np.full(network.node_count, np.inf)
        row = slice(nodes.indptr[i], nodes.indptr[i + 1])
        dense[nodes.indices[row]] = nodes.seconds[row]
        one = Snapped(*(getattr(sources, name)[i : i + 1] for name in Snapped.__slots__))
        alone = Router(network, mode="ebike").stretches(one, dense, limit_s=limit_s)
        for name in type(part).__slots__:
            np.testing.assert_allclose(getattr(part, name), getattr(alone, name), atol=1e-9)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.floats(-30, 620), st.floats(-30, 620)), min_size=1, max_size=7),
    st.sampled_from(["walk", "ebike"]),
    st.floats(30, 400),
)
def test_the_ways_are_split_among_the_nearest_sources(spots, mode, limit_s):
    network = grid_network(5, 5, 150.0, oneway=range(0, 40, 6), signals=[6, 12])
    options = {"mode": mode, "signal_wait_s": 20.0}
    sources = snap(network, *lonlat(spots), mode=mode)
    router, lines = Router(network, **how(options)), planar(network)
    field = router.nearest(sources, sources, limit_s=limit_s)
    parts = router.stretches_of_nearest(sources, field, limit_s=limit_s)
    whole = router.stretches(sources, field.node_seconds, limit_s=limit_s)
    assert len(parts) == len(spots)
    middles = []
    for edge in range(network.edge_count):
        pieces = sorted(
            (float(p.from_m[k]), float(p.to_m[k]), i)
            for i, p in enumerate(parts)
            for k in np.flatnonzero(p.edge == edge)
        )
        length = sum((whole.to_m - whole.from_m)[whole.edge == edge])
        assert sum(high - low for low, high, _ in pieces) == pytest.approx(length, abs=1e-6)
        assert all(a[1] <= b[0] + 1e-6 for a, b in pairwise(pieces))
        middles += [(edge, (low + high) / 2, i) for low, high, i in pieces if high - low >= 1e-3]
    if not middles:
        return
    edges, middle, mine = map(np.array, zip(*middles, strict=True))
    at = [
        lines[e].interpolate(m * lines[e].length / network.length_m[e])
        for e, m in zip(edges, middle, strict=True)
    ]
    here = Snapped(edges.astype(np.int32), middle, np.zeros(len(at)), *lonlat([(p.x, p.y) for p in at]))
    alone = router.matrix(sources, here, limit_s=limit_s + 1.0)
    seconds = np.full((len(spots), len(at)), np.inf)
    seconds[np.repeat(np.arange(len(spots)), np.diff(alone.indptr)), alone.indices] = alone.seconds
    assert (seconds[mine, np.arange(len(at))] <= np.minimum(seconds.min(axis=0), limit_s) + 1e-6).all()


# --- snapping ---


def planar(network: RoadNetwork) -> list[shapely.LineString]:
    x, y = Transformer.from_crs("EPSG:4326", CRS, always_xy=True).transform(
        network.geometry.lon, network.geometry.lat
    )
    start = network.geometry.start
    return [
        shapely.LineString(np.column_stack((x, y))[start[e] : start[e + 1]])
        for e in range(network.edge_count)
    ]


def along(network, found, k, lines):
    """Metres of an edge up to a snapped position, by lengths on the sphere, as those of the edge."""
    e = found.edge[k]
    part = slice(*network.geometry.start[e : e + 2])
    lon, lat = network.geometry.lon[part], network.geometry.lat[part]
    spot = shapely.Point(lonlat_to_plane(found.lon[k], found.lat[k]))
    pieces = [shapely.LineString(pair) for pair in pairwise(lines[e].coords)]
    steps = SPHERE.line_lengths(lon, lat)
    options = []
    for i, piece in enumerate(pieces):
        if piece.distance(spot) < 1e-3:
            to_spot = SPHERE.line_length([lon[i], found.lon[k]], [lat[i], found.lat[k]])
            options.append((sum(steps[:i]) + to_spot) * network.length_m[e] / sum(steps))
    return min(options, key=lambda metres: abs(metres - found.offset_m[k]))


@STEADY
@given(
    worlds(modes=("walk",)),
    st.lists(st.tuples(st.floats(-700, 2200), st.floats(-700, 2200)), min_size=1, max_size=8),
)
def test_snap_is_the_nearest_position_on_any_edge(world, spots):
    network = world[0]
    found = snap(network, *lonlat(spots), min_component_km=0.0)
    lines = planar(network)
    for k, (x, y) in enumerate(spots):
        point = shapely.Point(x, y)
        distance = min(line.distance(point) for line in lines)
        if abs(distance - 500.0) < 1e-3:
            continue
        assert found.linked[k] == (distance < 500.0)
        if found.linked[k]:
            assert found.access_m[k] == pytest.approx(distance, abs=1e-4)
            at = shapely.Point(lonlat_to_plane(found.lon[k], found.lat[k]))
            assert at.distance(point) == pytest.approx(distance, abs=1e-3)
            assert at.distance(lines[found.edge[k]]) < 1e-3
            assert found.offset_m[k] == pytest.approx(along(network, found, k, lines), abs=1e-3)
        else:
            assert math.isnan(found.access_m[k])


@STEADY
@given(
    worlds(modes=("walk",)),
    st.lists(
        st.lists(st.tuples(st.floats(-200, 1700), st.floats(-200, 1700)), min_size=2, max_size=5),
        min_size=1,
        max_size=4,
    ),
    st.lists(st.tuples(st.floats(-300, 1800), st.floats(-300, 1800)), min_size=1, max_size=8),
)
def test_snap_takes_the_nearest_piece_that_no_barrier_hides(world, walls, spots):
    network = world[0]
    values = {k: getattr(network, k) for k in RoadNetwork.__slots__}
    walled = toy_network([(0, 0)], [], barriers=[("wall", wall) for wall in walls])
    network = RoadNetwork(**{**values, "surroundings": walled.surroundings})
    found = snap(network, *lonlat(spots), min_component_km=0.0)
    barriers = shapely.union_all([shapely.LineString(wall) for wall in walls])
    pieces = [
        shapely.LineString(pair)
        for line in planar(network)
        for pair in zip(line.coords[:-1], line.coords[1:], strict=True)
    ]

    def leg_to(point: shapely.Point, piece: shapely.LineString) -> shapely.LineString:
        whole = shapely.shortest_line(point, piece)
        return shapely.LineString([point, whole.interpolate(max(whole.length - 0.05, 0.0))])

    for k, (x, y) in enumerate(spots):
        point = shapely.Point(x, y)
        free = [
            piece.distance(point)
            for piece in pieces
            if piece.distance(point) < 499.99 and leg_to(point, piece).distance(barriers) > 1e-3
        ]
        if free:
            assert found.linked[k]
            assert found.access_m[k] <= min(free) + 1e-4
        if found.linked[k] and barriers.length > 0:
            near = [p for p in pieces if abs(p.distance(point) - found.access_m[k]) < 1e-4]
            legs = [leg_to(point, piece) for piece in near]
            assert not all(crosses_deep(leg, barriers) for leg in legs)


def crosses_deep(leg: shapely.LineString, barriers: shapely.Geometry) -> bool:
    """Whether a leg crosses a barrier beyond doubt; one that grazes it or begins on it may go either way."""
    crossing = leg.intersection(barriers)
    if crossing.is_empty:
        return False
    begins = min(leg.project(shapely.Point(c)) for c in shapely.get_coordinates(crossing))
    ends = [shapely.Point(c) for c in shapely.get_coordinates(barriers)]
    past_end = crossing.distance(shapely.Point(leg.coords[-1])) > 1e-2
    return begins > 1e-2 and past_end and all(leg.distance(end) >= 1e-2 for end in ends)


RIVER = [("water", [(-500, 50), (150, 50), (250, 70), (900, 50)])]


def test_snap_never_crosses_the_river_and_bridges_are_open():
    xy = [(0, 0), (400, 0), (0, 200), (400, 200)]
    # Edge 2 is a bridge over the river, edge 1 the bank on the north side.
    network = toy_network(xy, [(0, 1), (2, 3), (1, 3)], barriers=RIVER)
    rng = np.random.default_rng(3)
    spots = np.column_stack((rng.uniform(-50, 450, 400), rng.uniform(-40, 240, 400)))
    river = shapely.LineString(RIVER[0][1])
    found = snap(network, *lonlat(spots))
    assert found.linked.all()
    to_plane = Transformer.from_crs("EPSG:4326", CRS, always_xy=True)
    for k, (x, y) in enumerate(spots):
        end = shapely.Point(to_plane.transform(found.lon[k], found.lat[k]))
        leg = shapely.LineString([(x, y), end])
        if leg.length > 0.06:
            assert not leg.interpolate(leg.length - 0.05).equals(end)
            assert not shapely.LineString([(x, y), leg.interpolate(leg.length - 0.05)]).crosses(river)
    # Right at the bridge's crossing of the river, its own river line is no obstacle.
    over = snap(network, *lonlat([(395.0, 66.3)]))
    assert over.edge[0] == 2
    # South bank, the northern road nearer: linked to the south all the same.
    south = snap(toy_network(xy, [(0, 1), (2, 3), (1, 3)], barriers=[("water", [(-99, 150), (380, 150)])]),
                 *lonlat([(100.0, 140.0)]))  # fmt: skip
    assert south.edge[0] == 0


def test_snap_reports_points_that_every_barrier_shuts_in():
    moat = [("wall", [(100, 100), (300, 100), (300, 300), (100, 300), (100, 100)])]
    network = toy_network([(0, 0), (400, 0), (400, 400)], [(0, 1), (1, 2)], barriers=moat)
    found = snap(network, *lonlat([(200, 200), (200, 50)]))
    assert found.edge.tolist() == [-1, 0]


def test_snap_leaves_small_islands_and_forbidden_ways_alone():
    xy = [(0, 0), (1500, 0), (0, 100), (200, 100)]
    network = toy_network(xy, [(0, 1), (2, 3)], private=[1])
    at = lonlat([(100, 99)])
    assert snap(network, *at).edge[0] == 0
    assert snap(network, *at, min_component_km=0.1).edge[0] == 1
    assert snap(network, *at, mode="ebike", min_component_km=0.1).edge[0] == 0
    assert snap(network, *at, min_component_km=99.0).edge[0] == 0
    assert snap(network, *at, max_access_m=50.0).edge[0] == -1
    nowhere = snap(network, np.array([np.nan, 0.0]), np.array([32.9, 0.0]))
    assert nowhere.edge.tolist() == [-1, -1]
    closed = toy_network(xy, [(0, 1)], private=[0])
    assert snap(closed, *at, mode="drive").edge[0] == -1


# --- published figures ---


def read_rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def foot_metres(network: RoadNetwork, row: dict[str, str]) -> float:
    """Shortest metres between the two positions on the edges, access legs left out."""
    ends = [
        snap(network, np.array([float(row[f"{end}_lon"])]), np.array([float(row[f"{end}_lat"])]))
        for end in ("from", "to")
    ]
    bare = [Snapped(p.edge, p.offset_m, np.zeros(1), p.lon, p.lat) for p in ends]
    found = Router(network, mode="walk", speed_kmh=4.0).nearest(bare[1], bare[0], limit_s=math.inf)
    return float(found.seconds[0] * WALK_MS)


def on_the_sphere(network: RoadNetwork) -> RoadNetwork:
    """The same roads measured as GraphHopper does: haversine on a sphere of 6,371 km (0.15 % shorter here)."""
    sphere = Geod(a=6_371_000.0, b=6_371_000.0)
    lines = network.geometry
    metres = sphere.inv(lines.lon[:-1], lines.lat[:-1], lines.lon[1:], lines.lat[1:])[2]
    total = np.concatenate(([0.0], np.cumsum(metres)))
    values = {k: getattr(network, k) for k in RoadNetwork.__slots__}
    return RoadNetwork(**{**values, "length_m": total[lines.start[1:] - 1] - total[lines.start[:-1]]})


@pytest.mark.slow
def test_monaco_agrees_with_graphhopper(shared_data: Path):
    from geo.network import read_network

    network = on_the_sphere(read_network(shared_data / "monaco" / "roads.osm.gz"))
    for row in read_rows(shared_data / "expected" / "monaco_foot_graphhopper.csv"):
        assert foot_metres(network, row) == pytest.approx(
            float(row["published_m"]), abs=float(row["tolerance_m"])
        )


@pytest.mark.slow
def test_heidelberg_agrees_with_openrouteservice(shared_data: Path):
    from geo.network import read_network

    network = read_network(shared_data / "heidelberg" / "roads.osm.pbf")
    for row in read_rows(shared_data / "expected" / "heidelberg_foot_ors.csv"):
        assert 0.97 <= foot_metres(network, row) / float(row["published_m"]) <= 1.005


def test_planar_lengths_are_those_of_the_ellipsoid():
    network = toy_network([(0, 0), (3000, 4000)], [(0, 1)])
    assert Geod(ellps="WGS84").line_length(network.node_lon, network.node_lat) == pytest.approx(
        5000.0, abs=0.01
    )


@STEADY
@given(worlds())
def test_a_router_forgets_what_it_was_asked(world):
    network, sources, targets, options = world
    limit_s = options["limit_s"]
    used = Router(network, **how(options))
    for _ in range(2):  # from both ends, so that the working sets are left by one search and found by another
        for near, far in ((sources, targets), (targets, sources)):
            for name in ("nearest", "matrix"):
                asked = getattr(used, name)(near, far, limit_s=limit_s)
                fresh = getattr(Router(network, **how(options)), name)(near, far, limit_s=limit_s)
                for field in dataclasses.fields(fresh):
                    np.testing.assert_array_equal(getattr(asked, field.name), getattr(fresh, field.name))
            np.testing.assert_array_equal(
                dense(used.reach_nodes(near, limit_s=limit_s)),
                dense(Router(network, **how(options)).reach_nodes(near, limit_s=limit_s)),
            )


def test_one_router_answers_many_threads():
    network = grid_network(20, 20, 60.0)
    rng = np.random.default_rng(4)
    edges = rng.integers(network.edge_count, size=(12, 9))
    groups = [place(network, [(int(e), 0.3, 0.0) for e in row]) for row in edges]
    router = Router(network, mode="walk")
    alone = [router.nearest(some, groups[0], limit_s=900.0) for some in groups]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda some: router.nearest(some, groups[0], limit_s=900.0), groups * 4))
    for i, found in enumerate(together):
        np.testing.assert_array_equal(found.node_seconds, alone[i % 12].node_seconds)
        np.testing.assert_array_equal(found.label, alone[i % 12].label)


def test_room_for_what_waits_grows():
    # a star of two thousand arms: more waits at once than there is room for to begin with
    spokes = 2000
    around = [(500 * math.cos(k), 500 * math.sin(k)) for k in range(spokes)]
    star = toy_network([(0, 0), *around], [(0, k + 1) for k in range(spokes)])
    found = Router(star, mode="walk").nearest(
        place(star, [(0, 0.0, 0.0)]), place(star, [(k, 1.0, 0.0) for k in range(spokes)]), limit_s=900.0
    )
    np.testing.assert_allclose(found.seconds, star.length_m / WALK_MS, rtol=0, atol=1e-6)
