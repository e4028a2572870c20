"""Real towns: travel times against networkx, shapes against the ways that they claim."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from geo.isochrones import bands, false_missed_share, prepare
from geo.models import Snapped
from geo.network import read_network
from geo.travel_times import Router, snap

EXTRACTS = {
    "beijing": "beijing/campus.osm",
    "heidelberg": "heidelberg/roads.osm.pbf",
    "helsinki": "helsinki/roads.osm.pbf",
    "monaco": "monaco/roads.osm.gz",
    "porto-alegre": "porto-alegre/roads.osm.pbf",
    "shanghai": "shanghai/roads.osm",
    "shenzhen": "shenzhen/futian_osmnx.graphml",
    "wuhan": "wuhan/roads.osm.pbf",
}
LIMIT_S = 900.0
LEG_S_PER_M = 3.6 / 4.0


@pytest.fixture(scope="module")
def town(request, shared_data, cache_dir):
    return read_network(shared_data / EXTRACTS[request.param], cache_dir=cache_dir)


def towns(*names):
    return pytest.mark.parametrize("town", names, indirect=True)


def anywhere(network, mode, count, rng, *, around=None):
    """Points a little off random positions on ways, all over the town or near one node."""
    if around is None:
        node = rng.choice(network.node_count, count)
    else:
        away = np.hypot(
            (network.node_lon - network.node_lon[around]) * np.cos(np.radians(network.node_lat[around])),
            network.node_lat - network.node_lat[around],
        )
        node = rng.choice(np.argsort(away)[: 8 * count], count)
    shift = rng.normal(0.0, 2e-4, (2, count))
    return snap(network, network.node_lon[node] + shift[0], network.node_lat[node] + shift[1], mode=mode)


def digraph(network, mode):
    graph = nx.DiGraph()
    graph.add_nodes_from(range(network.node_count))
    for speeds, tail, head in (
        (network.speed_forward_kmh[mode], network.edge_u, network.edge_v),
        (network.speed_backward_kmh[mode], network.edge_v, network.edge_u),
    ):
        for e in np.flatnonzero(speeds > 0):
            u, v, seconds = int(tail[e]), int(head[e]), float(network.length_m[e] * 3.6 / speeds[e])
            if seconds < graph.get_edge_data(u, v, {"seconds": np.inf})["seconds"]:
                graph.add_edge(u, v, seconds=seconds)
    return graph


def part_s(network, mode, edge, from_m, to_m):
    """Seconds along one edge from one position to another, infinite against a one-way."""
    if abs(to_m - from_m) < 1e-6:
        return 0.0
    speeds = network.speed_forward_kmh if to_m > from_m else network.speed_backward_kmh
    speed = speeds[mode][edge]
    return abs(to_m - from_m) * 3.6 / speed if speed > 0 else np.inf


def oracle(network, mode, graph, homes, station):
    """Seconds from each home to one station: a search by networkx against the traffic."""
    edge, offset = int(station.edge[0]), float(station.offset_m[0])
    best = {}
    for node, at_m in ((network.edge_u[edge], 0.0), (network.edge_v[edge], network.length_m[edge])):
        last_s = part_s(network, mode, edge, at_m, offset)
        if np.isfinite(last_s):
            for key, value in nx.single_source_dijkstra_path_length(
                graph, int(node), cutoff=LIMIT_S, weight="seconds"
            ).items():
                best[key] = min(best.get(key, np.inf), value + last_s)
    seconds = np.full(len(homes), np.inf)
    for k in np.flatnonzero(homes.linked):
        e, x = int(homes.edge[k]), float(homes.offset_m[k])
        ways = [
            part_s(network, mode, e, x, 0.0) + best.get(int(network.edge_u[e]), np.inf),
            part_s(network, mode, e, x, network.length_m[e]) + best.get(int(network.edge_v[e]), np.inf),
        ]
        if e == edge:
            ways.append(part_s(network, mode, e, x, offset))
        seconds[k] = min(ways) + (homes.access_m[k] + station.access_m[0]) * LEG_S_PER_M
    return np.where(seconds <= LIMIT_S, seconds, np.inf)


@pytest.mark.slow
@towns(*EXTRACTS)
@pytest.mark.parametrize("mode", ["walk", "ebike"])
def test_times_equal_networkx(town, mode):
    rng = np.random.default_rng(20)
    graph = digraph(town, mode).reverse(copy=False)
    reached = unreached = 0
    for _ in range(10):
        around = int(rng.integers(town.node_count))
        station = anywhere(town, mode, 1, rng, around=around)
        homes = anywhere(town, mode, 50, rng, around=around)
        if not station.linked[0]:
            continue
        found = Router(town, mode=mode).matrix(station, homes, limit_s=LIMIT_S)
        dense = np.full(len(homes), np.inf)
        dense[found.indices] = found.seconds
        expected = oracle(town, mode, graph, homes, station)
        np.testing.assert_array_equal(np.isfinite(dense), np.isfinite(expected))
        near = np.isfinite(expected)
        np.testing.assert_allclose(dense[near], expected[near], rtol=0, atol=1e-3)
        field = Router(town, mode=mode).nearest(station, homes, limit_s=LIMIT_S)
        np.testing.assert_array_equal(field.seconds, dense)
        reached, unreached = reached + near.sum(), unreached + (~near).sum()
    assert reached > 100
    assert reached + unreached >= 200


@towns("helsinki", "porto-alegre", "shanghai", "wuhan")
@pytest.mark.parametrize(("mode", "speed_kmh"), [("walk", 4.0), ("ebike", 15.0)])
def test_shapes_claim_what_is_reached(town, mode, speed_kmh):
    stations = anywhere(town, mode, 86, np.random.default_rng(86))
    stations = Snapped(*(getattr(stations, name)[stations.linked] for name in Snapped.__slots__))
    keywords = {"mode": mode, "speed_kmh": speed_kmh}
    field = Router(town, **keywords).nearest(stations, stations, limit_s=LIMIT_S)
    reached = {
        minutes: Router(town, **keywords).stretches(stations, field.node_seconds, limit_s=minutes * 60.0)
        for minutes in (5.0, 10.0, 15.0)
    }
    ways = prepare(town, mode=mode)
    frame = bands(ways, reached)
    assert frame.geometry.is_valid.all()
    for minutes, shape in zip(frame["minutes"], frame.geometry, strict=True):
        false, missed = false_missed_share(ways, shape, reached[minutes])
        assert false <= 0.005
        assert missed <= 0.005
    for inner, outer in zip(frame.geometry[:-1], frame.geometry[1:], strict=True):
        assert inner.difference(outer).area < 1e-12
