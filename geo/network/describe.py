"""What a network is: its figures for the report, and as a networkx graph for others' tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import Geod

from geo.models import Mode, RoadNetwork

if TYPE_CHECKING:
    import networkx as nx


def diagnose(network: RoadNetwork, *, area: Any = None) -> dict[str, Any]:
    """Nodes, edges, km, km per km², components: what tells a good road file from a poor one.

    ``km_per_km2`` counts the whole network over ``area`` (WGS-84 polygon), else over its hull;
    the yardstick for Chinese cities is 5.9 (mean of 36 cities, 2017) to 8 (national target).
    """
    length_km = float(network.length_m.sum() / 1000)
    shape = area
    kept_km = length_km
    if shape is None:
        shape = shapely.MultiPoint(np.column_stack((network.node_lon, network.node_lat))).convex_hull
    else:
        u, v = network.edge_u, network.edge_v
        lon = (network.node_lon[u] + network.node_lon[v]) / 2
        lat = (network.node_lat[u] + network.node_lat[v]) / 2
        shapely.prepare(shape)
        kept_km = float(network.length_m[shapely.contains_xy(shape, lon, lat)].sum() / 1000)
    area_km2 = abs(Geod(ellps="WGS84").geometry_area_perimeter(shape)[0]) / 1e6 if shape.area > 0 else 0.0
    walk = network.component["walk"]
    main = float(network.length_m[walk == 0].sum())
    usable = float(network.length_m[walk >= 0].sum())
    return {
        "nodes": network.node_count,
        "edges": network.edge_count,
        "km": length_km,
        "km_per_km2": kept_km / area_km2 if area_km2 > 0 else None,
        "components": int(walk.max()) + 1 if len(walk) else 0,
        "largest_component_share": main / usable if usable > 0 else 0.0,
        "source": network.source,
        "source_date": network.source_date,
        "notes": list(network.notes),
    }


def to_networkx(
    network: RoadNetwork, *, mode: Mode = "walk", speed_kmh: float | None = None
) -> nx.MultiDiGraph:
    """The ways of a mode as OSMnx knows a graph: node ``x``/``y``, edge ``osmid length seconds geometry``.

    ``speed_kmh`` replaces the default speed of every way. CRS EPSG:4326. Banned turns are not in it.
    """
    import networkx as nx  # takes a fifth of a second

    graph = nx.MultiDiGraph(crs="EPSG:4326")
    ids = network.node_id.tolist()
    for i, node in enumerate(ids):
        graph.add_node(node, x=float(network.node_lon[i]), y=float(network.node_lat[i]))
    starts = network.geometry.start
    for speeds, u, v, step in (
        (network.speed_forward_kmh[mode], network.edge_u, network.edge_v, 1),
        (network.speed_backward_kmh[mode], network.edge_v, network.edge_u, -1),
    ):
        for e in np.flatnonzero(speeds > 0):
            part = slice(starts[e], starts[e + 1])
            line = np.column_stack((network.geometry.lon[part], network.geometry.lat[part]))[::step]
            length_m = float(network.length_m[e])
            graph.add_edge(
                ids[u[e]],
                ids[v[e]],
                osmid=int(network.way_id[e]),
                edge=int(e),
                highway=network.class_names[network.way_class[e]],
                name=network.way_name[network.edge_name[e]],
                length=length_m,
                seconds=length_m * 3.6 / (speed_kmh or float(speeds[e])),
                geometry=shapely.LineString(line),
            )
    return graph
