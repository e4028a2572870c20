"""Routes against the times of the search, and against networkx."""

from __future__ import annotations

import dataclasses

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.models import Snapped, Turns
from geo.sphere import great_circle_steps_m
from geo.travel_times import Router, edge_seconds, route_line, snap
from tests.toy import grid_network, lonlat, toy_chains, toy_network

LIMIT_S = 1200.0


def one(points: Snapped, i: int) -> Snapped:
    return Snapped(*(getattr(points, name)[i : i + 1] for name in Snapped.__slots__))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["walk", "ebike", "drive"]))
def test_a_route_takes_as_long_as_the_search_says_and_hangs_together(seed, mode):
    rng = np.random.default_rng(seed)
    network = grid_network(6, 6, 120.0, oneway=rng.choice(60, 14, replace=False).tolist())
    points = snap(network, *lonlat(rng.uniform(-40, 640, (8, 2))), mode=mode)
    router = Router(network, mode=mode)
    times = router.matrix(points, points, limit_s=LIMIT_S)
    told = 0
    for i in range(len(points)):
        row = slice(times.indptr[i], times.indptr[i + 1])
        seconds = dict(zip(times.indices[row].tolist(), times.seconds[row].tolist(), strict=True))
        for j in range(len(points)):
            way = router.route(one(points, i), one(points, j), limit_s=LIMIT_S)
            assert (way is not None) == (j in seconds)
            if way is None:
                continue
            told += 1
            assert way.seconds == pytest.approx(seconds[j], abs=1e-9)
            forward, backward = edge_seconds(network, mode=mode)
            length = network.length_m[way.edge]
            pace = np.where(way.to_m > way.from_m, forward[way.edge], backward[way.edge]) / length
            ridden_s = float((np.abs(way.to_m - way.from_m) * pace).sum())
            access_s = (points.access_m[i] + points.access_m[j]) / (4.0 / 3.6)
            assert ridden_s + access_s == pytest.approx(way.seconds, abs=1e-6)
            line = route_line(way, network)
            if len(line):
                assert line[0] == pytest.approx((points.lon[j], points.lat[j]), abs=1e-7)
                assert line[-1] == pytest.approx((points.lon[i], points.lat[i]), abs=1e-7)
                drawn_m = great_circle_steps_m(line[:, 0], line[:, 1]).sum()
                assert drawn_m == pytest.approx(np.abs(way.to_m - way.from_m).sum(), rel=0.01, abs=0.01)
    assert told


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["from_station", "to_station"]))
def test_a_route_by_car_drives_no_ban(seed, direction):
    rng = np.random.default_rng(seed)
    network = grid_network(5, 5, 120.0)
    points = snap(network, *lonlat(rng.uniform(-40, 520, (5, 2))), mode="drive")
    bans: list[tuple[int, ...]] = []
    for turn in range(30):
        # what is driven now is banned in part, so that the next way has to go round it
        router = Router(network, mode="drive", direction=direction)
        i, j = rng.choice(len(points), 2, replace=False)
        way = router.route(one(points, i), one(points, j), limit_s=LIMIT_S)
        if way is None:
            continue
        times = router.matrix(one(points, i), one(points, j), limit_s=LIMIT_S)
        assert way.seconds == pytest.approx(times.seconds[0], abs=1e-9)
        pace = edge_seconds(network, mode="drive")[0][way.edge] / network.length_m[way.edge]
        access_s = (points.access_m[i] + points.access_m[j]) / (4.0 / 3.6)
        assert (np.abs(way.to_m - way.from_m) * pace).sum() + access_s == pytest.approx(way.seconds, abs=1e-6)
        left = np.where(way.to_m > way.from_m, network.edge_v[way.edge], network.edge_u[way.edge])
        driven = np.column_stack((way.edge, left)).ravel()[:-1].tolist()
        driven = driven if direction == "to_station" else driven[::-1]
        for ban in bans:
            assert not any(tuple(driven[k : k + len(ban)]) == ban for k in range(0, len(driven), 2))
        size = 2 * int(rng.integers(3, 5)) - 1 if turn % 4 else 3
        if len(driven) >= size:
            first = 2 * int(rng.integers(0, (len(driven) - size) // 2 + 1))
            bans.append(tuple(driven[first : first + size]))
            turns = np.array([ban for ban in bans if len(ban) == 3], dtype=np.int32).reshape(-1, 3).T
            network = dataclasses.replace(
                network, banned_turns=Turns(*turns), banned_chains=toy_chains([b for b in bans if len(b) > 3])
            )
    assert bans


def test_a_route_is_as_short_as_networkx_finds_it():
    network = grid_network(8, 8, 90.0)
    graph = nx.Graph()
    for u, v, length_m in zip(network.edge_u, network.edge_v, network.length_m, strict=True):
        graph.add_edge(int(u), int(v), length_m=float(length_m))
    nodes = [0, 13, 40, 63]
    points = snap(network, network.node_lon[nodes], network.node_lat[nodes])
    router = Router(network, mode="walk")
    for i in range(4):
        for j in range(4):
            way = router.route(one(points, i), one(points, j), limit_s=3600.0)
            shortest_m = nx.shortest_path_length(graph, nodes[i], nodes[j], weight="length_m")
            assert np.abs(way.to_m - way.from_m).sum() == pytest.approx(shortest_m, abs=1e-6)


def test_there_is_no_route_beyond_the_limit_nor_between_parts_of_the_network():
    network = toy_network([(0, 0), (900, 0), (0, 50), (900, 50)], [(0, 1), (2, 3)])
    points = snap(network, *lonlat([(100, 0), (800, 0), (100, 0)]))
    points = dataclasses.replace(points, edge=np.array([0, 0, 1], dtype=np.int32))
    router = Router(network, mode="walk")
    assert router.route(one(points, 0), one(points, 1), limit_s=600.0) is None
    assert router.route(one(points, 0), one(points, 1), limit_s=700.0).edge.tolist() == [0]
    assert router.route(one(points, 0), one(points, 2), limit_s=1e6) is None
