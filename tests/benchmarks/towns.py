"""Inputs: real extracts where they are at hand, generated towns of any size, stations on crossings."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.models import MODES, Lines, RoadNetwork, Snapped

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
EARTH_M = 6_371_009.0
LIMIT_S = 900.0
WALK = {"mode": "walk", "speed_kmh": 4.0}


def extracts(*names: str) -> dict[str, Path]:
    """The named extracts (``.osm.pbf``) of the real data, those that are there."""
    paths = {name: DATA / name.lower().replace(" ", "-") / "roads.osm.pbf" for name in names}
    return {name: path for name, path in paths.items() if path.is_file()}


def grid(side: int, seed: int = 0) -> RoadNetwork:
    """A town of ``side`` × ``side`` crossings about 60 m apart, none quite in line, a tenth of its streets missing."""
    from tests.toy import toy_network

    rng = np.random.default_rng(seed)
    at = np.arange(side) * 60.0
    x, y = (axis.ravel() + rng.uniform(-12.0, 12.0, side * side) for axis in np.meshgrid(at, at))
    lat0 = 32.9
    lat = lat0 + np.degrees(y / EARTH_M)
    lon = 115.8 + np.degrees(x / EARTH_M) / np.cos(np.radians(lat0))
    i = np.arange(side * side, dtype=np.int32).reshape(side, side)
    u = np.concatenate((i[:, :-1].ravel(), i[:-1].ravel()))
    v = np.concatenate((i[:, 1:].ravel(), i[1:].ravel()))
    keep = rng.random(len(u)) > 0.1
    u, v = u[keep], v[keep]
    m = len(u)
    half_lat, half_lon = np.radians(lat[v] - lat[u]) / 2, np.radians(lon[v] - lon[u]) / 2
    square = np.sin(half_lat) ** 2
    square += np.cos(np.radians(lat[u])) * np.cos(np.radians(lat[v])) * np.sin(half_lon) ** 2
    length = 2 * EARTH_M * np.arcsin(np.sqrt(square))
    of_node = connected_components(coo_array((np.ones(m, dtype=np.int8), (u, v)), shape=(i.size, i.size)))[1]
    total = np.bincount(of_node[u], weights=length, minlength=of_node.max() + 1)
    rank = np.empty(len(total), dtype=np.int32)
    rank[np.argsort(-total, kind="stable")] = np.arange(len(total), dtype=np.int32)
    ends = np.column_stack((u, v)).ravel()
    speed = {mode: np.full(m, kmh) for mode, kmh in zip(MODES, (4.0, 15.0, 12.0, 30.0), strict=True)}
    component = rank[of_node[u]]
    return dataclasses.replace(
        toy_network([(0, 0), (1, 0)], [(0, 1)]),
        node_id=np.arange(1, i.size + 1, dtype=np.int64),
        node_lon=lon,
        node_lat=lat,
        node_signal=np.zeros(i.size, dtype=np.bool_),
        edge_u=u,
        edge_v=v,
        length_m=length,
        way_id=np.arange(1, m + 1, dtype=np.int64),
        way_class=np.zeros(m, dtype=np.uint8),
        way_name=("",),
        edge_name=np.zeros(m, dtype=np.int32),
        geometry=Lines(np.arange(m + 1, dtype=np.int64) * 2, lon[ends], lat[ends]),
        speed_forward_kmh=speed,
        speed_backward_kmh=speed,
        component=dict.fromkeys(MODES, component),
    )


def stations_at_crossings(network: RoadNetwork, count: int, seed: int = 86) -> tuple[Snapped, np.ndarray]:
    """Stations exactly on nodes of the largest component for walkers, and those nodes.

    So every peer, most of which know nodes only, is asked for the same times.
    """
    walked = np.flatnonzero(network.component["walk"] == 0)
    edge = np.random.default_rng(seed).choice(walked, count, replace=count > len(walked)).astype(np.int32)
    node = network.edge_u[edge]
    nothing = np.zeros(count)
    return Snapped(edge, nothing, nothing, network.node_lon[node], network.node_lat[node]), node
