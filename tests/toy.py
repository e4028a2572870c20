"""Small networks on a plane for tests: metres in, a whole :class:`RoadNetwork` out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from pyproj import Transformer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.models import (
    BARRIER_KINDS,
    F64,
    I32,
    MODES,
    BarrierKind,
    Bool,
    Chains,
    Lines,
    Mode,
    RoadNetwork,
    Surroundings,
    Turns,
)

CRS = "+proj=tmerc +lat_0=32.9 +lon_0=115.8 +k=1 +x_0=0 +y_0=0 +ellps=WGS84 +units=m +no_defs"
BASE_KMH: Mapping[Mode, float] = {"walk": 4.0, "ebike": 15.0, "bike": 12.0, "drive": 30.0}
XY = Sequence[tuple[float, float]]


def lonlat(xy_m: XY | F64) -> tuple[F64, F64]:
    """Longitudes and latitudes of planar points (n, 2) in metres east and north of 115.8, 32.9."""
    xy = np.asarray(xy_m, dtype=np.float64).reshape(-1, 2)
    lon, lat = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(xy[:, 0], xy[:, 1])
    return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)


def toy_network(
    xy_m: XY | F64,
    edges: Sequence[tuple[int, int]],
    *,
    bends: Mapping[int, XY] | None = None,
    oneway: Iterable[int] = (),
    oneway_modes: Iterable[Mode] = ("ebike", "bike", "drive"),
    private: Iterable[int] = (),
    barriers: Sequence[tuple[BarrierKind, XY]] = (),
    speed_kmh: float = 4.0,
    signals: Iterable[int] = (),
    bans: Sequence[tuple[int, int, int]] = (),
    chains: Sequence[Sequence[int]] = (),
) -> RoadNetwork:
    """A network around 115.8 E, 32.9 N from planar metres.

    ``edges``: pairs of node rows; ``bends[e]``: points between the ends of edge ``e``; ``oneway``:
    edges whose way back is forbidden to ``oneway_modes``; ``private``: edges open to walkers only;
    ``speed_kmh``: of walking (the other modes keep ``BASE_KMH``); ``signals``: nodes with lights;
    ``bans``: turns (from edge, via node, to edge) that ``drive`` may not take; ``chains``: the same
    over more edges (edge, node, edge, node … edge).
    """
    xy = np.asarray(xy_m, dtype=np.float64).reshape(-1, 2)
    lines = [
        np.vstack([xy[[u]], np.asarray((bends or {}).get(e, ()), dtype=np.float64).reshape(-1, 2), xy[[v]]])
        for e, (u, v) in enumerate(edges)
    ]
    n, m = len(xy), len(edges)
    u, v = (np.array([edge[end] for edge in edges], dtype=np.int32) for end in (0, 1))
    length = np.array([np.hypot(*np.diff(line, axis=0).T).sum() for line in lines], dtype=np.float64)
    one, closed = np.isin(np.arange(m), list(oneway)), np.isin(np.arange(m), list(private))
    one_modes = set(oneway_modes)
    forward, backward, component = {}, {}, {}
    for mode in MODES:
        base = speed_kmh if mode == "walk" else BASE_KMH[mode]
        forward[mode] = np.where(closed & (mode != "walk"), 0.0, base)
        backward[mode] = np.where(one & (mode in one_modes), 0.0, forward[mode])
        component[mode] = _component(n, u, v, length, (forward[mode] > 0) | (backward[mode] > 0))
    node_lon, node_lat = lonlat(xy)
    names = tuple(f"way {e}" for e in range(m))
    return RoadNetwork(
        crs=CRS,
        node_id=np.arange(1, n + 1, dtype=np.int64),
        node_lon=node_lon,
        node_lat=node_lat,
        node_signal=np.isin(np.arange(n), list(signals)),
        edge_u=u,
        edge_v=v,
        length_m=length,
        way_id=np.arange(1, m + 1, dtype=np.int64),
        way_class=np.zeros(m, dtype=np.uint8),
        class_names=("residential",),
        way_name=names,
        edge_name=np.arange(m, dtype=np.int32),
        geometry=_lines(lines),
        speed_forward_kmh=forward,
        speed_backward_kmh=backward,
        component=component,
        surroundings=Surroundings(
            barriers=_lines([np.asarray(line, dtype=np.float64) for _, line in barriers]),
            barrier_kind=np.array([BARRIER_KINDS.index(kind) for kind, _ in barriers], dtype=np.uint8),
            barrier_name=tuple("" for _ in barriers),
            buildings=pd.DataFrame({"lon": [], "lat": [], "area_m2": []}, dtype=np.float64),
            amenities=pd.DataFrame(
                {
                    "osm_id": pd.Series(dtype=np.int64),
                    "name": pd.Series(dtype=str),
                    "kind": pd.Series(dtype=str),
                    "lon": pd.Series(dtype=np.float64),
                    "lat": pd.Series(dtype=np.float64),
                    "opening_hours": pd.Series(dtype=str),
                }
            ),
        ),
        source="toy",
        source_date="2026-11-01",
        banned_turns=Turns(*np.array(bans, dtype=np.int32).reshape(-1, 3).T),
        banned_chains=toy_chains(chains),
    )


def toy_chains(chains: Sequence[Sequence[int]]) -> Chains:
    """Chains given as (edge, node, edge, node … edge)."""
    return Chains(
        np.cumsum([0, *(len(chain) // 2 + 1 for chain in chains)], dtype=np.int64),
        np.array([edge for chain in chains for edge in chain[::2]], dtype=np.int32),
        np.array([node for chain in chains for node in (*chain[1::2], -1)], dtype=np.int32),
    )


def grid_network(nx: int, ny: int, spacing_m: float, **options: object) -> RoadNetwork:
    """A street grid of ``nx`` × ``ny`` nodes from the origin east and north; options as for toy_network."""
    xy = [(i * spacing_m, j * spacing_m) for j in range(ny) for i in range(nx)]
    edges = [(j * nx + i, j * nx + i + 1) for j in range(ny) for i in range(nx - 1)]
    edges += [(j * nx + i, (j + 1) * nx + i) for j in range(ny - 1) for i in range(nx)]
    return toy_network(xy, edges, **options)  # type: ignore[arg-type]


def _lines(lines: Sequence[F64]) -> Lines:
    start = np.concatenate(([0], np.cumsum([len(line) for line in lines]))).astype(np.int64)
    lon, lat = lonlat(np.concatenate(lines) if lines else np.empty((0, 2)))
    return Lines(start, lon, lat)


def _component(n: int, u: I32, v: I32, length_m: F64, usable: Bool) -> I32:
    label = np.full(len(u), -1, dtype=np.int32)
    if not usable.any():
        return label
    graph = coo_array((np.ones(int(usable.sum())), (u[usable], v[usable])), shape=(n, n))
    of_node = connected_components(graph, directed=False)[1]
    of_edge = of_node[u[usable]]
    total = np.bincount(of_edge, weights=length_m[usable], minlength=of_node.max() + 1)
    rank = np.empty(len(total), dtype=np.int32)
    rank[np.argsort(-total, kind="stable")] = np.arange(len(total), dtype=np.int32)
    label[usable] = rank[of_edge]
    return label


def how(options):
    """The options of a router among those of a drawn world, which has a limit as well."""
    return {key: value for key, value in options.items() if key != "limit_s"}
