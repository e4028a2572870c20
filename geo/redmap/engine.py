"""The road graph and the demand as the page's own travel-time engine reads them (assets/engine.js).

Lengths, offsets and access legs are whole millimetres: over a walk of a hundred edges that is at most some
hundredths of a second from the numbers of :class:`geo.travel_times.Router`. One blob of varints holds, in
this order: nodes ``dx dy`` (zigzag, on the grid, along a Morton curve); edges sorted by their lower node:
``u`` from the edge before, ``v - u``, drawing class, length in mm, then per mode the rows of its table of
costs forwards and backwards (0: forbidden) and, by car where turns are banned, the copies of nodes that the
search needs (their nodes; where edges end in copies; the arcs between), then the inner points (count, ``dx dy`` from the point before);
the signals; the points of the demand by layer: community + 1, weight, ``dx dy`` (finer grid), then per mode
the link (edge + 1 from the point before, offset and access leg in mm; further modes as differences).
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geo import travel_times
from geo.models import F64, I64, Movement, RoadNetwork, Snapped
from geo.redmap import codec, strokes
from geo.redmap.codec import Packed
from geo.travel_times import Places

WEIGHT_STEP = 1e-3  # of a person: what a sum of thousands of points is off by stays under one
POINT_GRID_M = 0.1
SHAPE_TOLERANCE_M = 3.0


@dataclass(frozen=True, slots=True)
class _Edges:
    """Edges as they are written: ``order`` of the network's, from the lower node to the higher."""

    order: I64
    flipped: Any
    u: I64
    v: I64
    length_mm: I64


def pack_engine(
    network: RoadNetwork,
    moves: Sequence[Movement],
    *,
    lon: F64,
    lat: F64,
    weight: F64,
    layer: I64,
    layers: Sequence[str],
    community: I64,
    grid_m: float = 2.0,
) -> tuple[dict[str, Any], Packed]:
    """The graph and the demand (WGS-84, one item a point) as a header for the page and one blob.

    ``moves[0]`` is the study's own mode. The header tells sizes, modes with their tables of costs, and the
    links of stations and sites (edge, offset and access leg in mm; edge -1 where there is none).
    """
    xy = codec.mercator(network.node_lon, network.node_lat)
    origin = np.floor(xy.min(axis=0)) if len(xy) else np.zeros(2)
    grid = np.round((xy - origin) / grid_m).astype(np.int64)
    order = np.argsort(codec.morton(grid), kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    edges = _edges(network, rank)
    place = np.empty(len(edges.order), dtype=np.int64)
    place[edges.order] = np.arange(len(edges.order))
    numbers = [_zigzag(np.diff(grid[order], axis=0, prepend=0)).ravel(), *_edge_columns(network, edges)]
    modes = []
    for move in moves:
        table, rows = _cost_rows(move, edges)
        turns, copies = _turns(travel_times.places_of(network, mode=move.mode), edges, rank, place)
        numbers += [*rows, *copies]
        modes.append({
            "mode": move.mode, "costs": table, "access": 3.6 / move.access_speed_kmh, "wait": move.wait_s,
            "stations": _links(move.stations, edges, place), "sites": _links(move.sites, edges, place), "turns": turns,
        })  # fmt: skip
    numbers.append(_inner_points(network, edges, grid, order, origin, grid_m))
    signals = np.sort(rank[np.flatnonzero(network.node_signal)])
    numbers += [np.array([len(signals)]), np.diff(signals, prepend=0)]
    numbers += _points(moves, edges, place, origin, lon, lat, weight, layer, community)
    header = {
        "nodes": network.node_count, "edges": network.edge_count, "points": len(lon), "modes": modes,
        "layers": [{"name": name, "count": int((layer == i).sum())} for i, name in enumerate(layers)],
        "fine": POINT_GRID_M, "weight": WEIGHT_STEP,
    }  # fmt: skip
    coded = gzip.compress(codec.varints(np.concatenate(numbers)), compresslevel=9, mtime=0)
    text = base64.b64encode(coded).decode("ascii")
    return header, Packed(text, float(origin[0]), float(origin[1]), grid_m, network.edge_count)


def point_order(layer: I64, edge: I64) -> I64:
    """The order in which points are written: by layer, then by edge."""
    return np.lexsort((np.arange(len(edge)), edge, layer))


def _edges(network: RoadNetwork, rank: I64) -> _Edges:
    u, v = rank[network.edge_u], rank[network.edge_v]
    flipped = u > v
    low, high = np.where(flipped, v, u), np.where(flipped, u, v)
    order = np.lexsort((np.arange(len(u)), high, low))
    length = np.round(network.length_m * 1000).astype(np.int64)
    return _Edges(order, flipped, low[order], high[order], length[order])


def _edge_columns(network: RoadNetwork, edges: _Edges) -> list[I64]:
    of_class = np.array([strokes.draw_class(n) for n in network.class_names] or [0], dtype=np.int64)
    classes = of_class[network.way_class.astype(np.int64)][edges.order]
    return [np.diff(edges.u, prepend=0), edges.v - edges.u, classes, edges.length_mm]


def _cost_rows(move: Movement, edges: _Edges) -> tuple[list[float], list[I64]]:
    """The distinct seconds per metre of a mode, and the rows (1-based, 0 forbidden) of each direction."""
    forward, backward = move.forward_s_per_m, move.backward_s_per_m
    both = np.stack((np.where(edges.flipped, backward, forward), np.where(edges.flipped, forward, backward)))
    allowed = np.isfinite(both)
    table = np.unique(both[allowed])
    rows = np.where(allowed, np.searchsorted(table, np.where(allowed, both, 0.0)) + 1, 0)
    return [float(v) for v in table], [rows[0][edges.order], rows[1][edges.order]]


def _turns(places: Places, edges: _Edges, rank: I64, place: I64) -> tuple[dict[str, int] | None, list[I64]]:
    """How many copies of nodes and arcs between them a search needs, None where no turn is banned; and which."""
    nodes = len(rank)
    if len(places.node) == nodes:
        return None, []
    number = np.concatenate((rank, np.arange(nodes, len(places.node))))
    columns = [_zigzag(np.diff(rank[places.node[nodes:]], prepend=0))]
    for at_u, at_v in (
        (places.arrive_u, places.arrive_v), (places.enter_u, places.enter_v), (places.depart_u, places.depart_v),
    ):  # fmt: skip
        for low, high in ((at_u, at_v), (at_v, at_u)):
            at = np.where(edges.flipped, high, low)[edges.order]
            own = np.flatnonzero(at >= nodes)
            columns += [np.array([len(own)]), np.diff(own, prepend=0), _zigzag(np.diff(at[own], prepend=0))]
    run = places.over >= 0
    edge = np.where(run, places.over >> 1, 0)
    over = np.where(run, 2 * place[edge] + ((places.over & 1) ^ edges.flipped[edge]) + 1, 0)
    tail, head = number[places.tail], number[places.head]
    columns += [_zigzag(np.diff(tail, prepend=0)), _zigzag(np.diff(head, prepend=0)), over]
    return {"copies": len(places.node) - nodes, "arcs": len(tail)}, columns


def _mm(snapped: Snapped, edges: _Edges, place: I64) -> tuple[I64, I64, I64]:
    """Edge (as written, -1 for none), offset from its lower node and access leg in mm."""
    linked = snapped.edge >= 0
    own = np.where(linked, snapped.edge, 0)
    if len(place) == 0:
        nothing = np.zeros(len(own), dtype=np.int64)
        return nothing - 1, nothing, nothing
    edge = place[own]
    length = edges.length_mm[edge]
    offset = np.clip(np.round(np.nan_to_num(snapped.offset_m) * 1000).astype(np.int64), 0, length)
    offset = np.where(edges.flipped[own], length - offset, offset)
    access = np.round(np.where(linked, np.nan_to_num(snapped.access_m, posinf=0.0), 0.0) * 1000).astype(
        np.int64
    )
    return np.where(linked, edge, -1), np.where(linked, offset, 0), access


def _links(snapped: Snapped, edges: _Edges, place: I64) -> list[list[int]]:
    return [list(map(int, row)) for row in zip(*_mm(snapped, edges, place), strict=True)]


def _points(
    moves: Sequence[Movement], edges: _Edges, place: I64, origin: F64, lon: F64, lat: F64, weight: F64,
    layer: I64, community: I64,
) -> list[I64]:  # fmt: skip
    first = _mm(moves[0].demand, edges, place)
    order = point_order(layer, first[0])
    fine = np.round((codec.mercator(lon, lat) - origin) / POINT_GRID_M).astype(np.int64)
    numbers = [
        community[order] + 1,
        np.round(weight[order] / WEIGHT_STEP).astype(np.int64),
        _zigzag(np.diff(fine[order], axis=0, prepend=0)).ravel(),
        _zigzag(np.diff(first[0][order] + 1, prepend=0)),
        first[1][order],
        first[2][order],
    ]
    for move in moves[1:]:
        other = _mm(move.demand, edges, place)
        numbers += [_zigzag((b - a)[order]) for a, b in zip(first, other, strict=True)]
    return numbers


def _inner_points(
    network: RoadNetwork, edges: _Edges, grid: I64, node_order: I64, origin: F64, grid_m: float
) -> I64:
    """Per edge the number of inner points and their steps from the lower node on."""
    if network.edge_count == 0:
        return np.zeros(0, dtype=np.int64)
    lines = network.geometry
    xy = codec.mercator(lines.lon, lines.lat)
    owner = np.repeat(np.arange(len(lines)), np.diff(lines.start))
    scale = codec.ground_scale(float(network.node_lat.mean()))
    rough = codec.rough_lines(shapely.linestrings(xy, indices=owner), SHAPE_TOLERANCE_M * scale)
    rough = np.where(edges.flipped, shapely.reverse(rough), rough)[edges.order]
    points, of = shapely.get_coordinates(rough, return_index=True)
    cells = np.round((points - origin) / grid_m).astype(np.int64)
    start = np.searchsorted(of, np.arange(len(rough) + 1))
    at_node = grid[node_order]
    inner = np.ones(len(cells), dtype=np.bool_)
    inner[start[:-1]] = inner[start[1:] - 1] = False
    cells[start[:-1]] = at_node[edges.u]
    steps = _zigzag(np.diff(cells, axis=0, prepend=0))
    count = np.add.reduceat(inner, start[:-1])
    # written as: count, then dx dy of each inner point
    at = np.cumsum(1 + 2 * count) - (1 + 2 * count)
    out = np.zeros(int((1 + 2 * count).sum()), dtype=np.int64)
    out[at] = count
    rank = np.cumsum(inner) - 1 - np.repeat(np.cumsum(count) - count, np.diff(start))
    where = (np.repeat(at, np.diff(start)) + 1 + 2 * rank)[inner]
    out[where], out[where + 1] = steps[inner, 0], steps[inner, 1]
    return out


def _zigzag(values: I64) -> I64:
    return (values << 1) ^ (values >> 63)
