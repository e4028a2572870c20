"""Raw ways → :class:`geo.models.RoadNetwork`: split where ways meet, measure, clip, number components."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyproj
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.errors import Defect, InputError
from geo.models import BARRIER_KINDS, F64, I32, I64, MODES, Bool, Lines, Mode, RoadNetwork, Surroundings
from geo.network.modes import RULE_KEYS, Speeds, way_speeds
from geo.network.raw import BarrierLine, RawWays
from geo.network.turns import ban_turns
from geo.sphere import curve_order, great_circle_steps_m


def local_crs(lon: float, lat: float) -> str:
    """A transverse-Mercator CRS in metres centred on a position (WGS-84 degrees)."""
    return f"+proj=tmerc +lat_0={lat:.4f} +lon_0={lon:.4f} +k=1 +x_0=0 +y_0=0 +ellps=WGS84 +units=m +no_defs"


NO_ROADS = "文件里没有道路 / no roads in this file"
NO_ROADS_INSIDE = (
    "范围内没有道路：请核对道路文件和范围的坐标 / no roads inside the area: check both files' coordinates"
)


def assemble(raw: RawWays, *, area: Any = None, reach_m: float = 0.0) -> RoadNetwork:
    """Split ways into edges between the nodes where they meet and keep what lies near ``area``.

    ``area`` is a WGS-84 shapely polygon, kept with ``reach_m`` metres around it. Raises
    :class:`geo.errors.InputError` where no way is left.
    """
    refs, lon, lat, way = _vertices(raw)
    if len(refs) == 0:
        message = NO_ROADS if area is None else NO_ROADS_INSIDE
        raise InputError(Defect(message, file=raw.source))
    node_ref, vertex_node = np.unique(refs, return_inverse=True)
    first, last = _ends(way)
    is_node = _is_node(vertex_node, first, last, node_ref, raw.signals)
    positions = np.flatnonzero(is_node)
    inside = way[positions[:-1]] == way[positions[1:]]
    begin, end = positions[:-1][inside], positions[1:][inside]
    if area is not None:
        keep = _near(area, reach_m, lon, lat, begin, end)
        begin, end = begin[keep], end[keep]
        if len(begin) == 0:
            message = NO_ROADS_INSIDE
            raise InputError(Defect(message, file=raw.source))
    # neighbours on the ground are neighbours in memory: every search and shape reads fewer pages
    order = curve_order(lon[begin], lat[begin])
    return _network(raw, node_ref, vertex_node, lon, lat, way, begin[order], end[order], area, reach_m)


def _vertices(raw: RawWays) -> tuple[I64, F64, F64, I64]:
    way = np.repeat(np.arange(len(raw.way_id)), np.diff(raw.start))
    keep = np.ones(len(way), dtype=bool)
    if len(way) > 1:
        keep[1:] = (raw.ref[1:] != raw.ref[:-1]) | (way[1:] != way[:-1])
    count = np.bincount(way[keep], minlength=len(raw.way_id))
    keep &= count[way] >= 2
    return raw.ref[keep], raw.lon[keep], raw.lat[keep], way[keep]


def _ends(way: I64) -> tuple[Bool, Bool]:
    change = way[1:] != way[:-1]
    return np.concatenate(([True], change)), np.concatenate((change, [True]))


def _is_node(vertex_node: I64, first: Bool, last: Bool, node_ref: I64, signals: frozenset[int]) -> Bool:
    uses = np.bincount(vertex_node)
    signal = np.isin(node_ref, np.fromiter(signals, dtype=np.int64, count=len(signals)))
    is_node: Bool = first | last | (uses[vertex_node] >= 2) | signal[vertex_node]
    return is_node


def _near(area: Any, reach_m: float, lon: F64, lat: F64, begin: I64, end: I64) -> Bool:
    """Edges whose bounding box meets the area with ``reach_m`` around it, then exactly."""
    centre = area.centroid
    project = pyproj.Transformer.from_crs("EPSG:4326", local_crs(centre.x, centre.y), always_xy=True)
    zone = shapely.transform(area, project.transform, interleaved=False).buffer(reach_m, quad_segs=8)
    x, y = project.transform(lon, lat)
    start, index = _ranges(begin, end)
    lines = shapely.linestrings(
        np.column_stack((x[index], y[index])), indices=np.repeat(np.arange(len(begin)), np.diff(start))
    )
    shapely.prepare(zone)
    near: Bool = shapely.intersects(zone, lines)
    return near


def _ranges(begin: I64, end: I64) -> tuple[I64, I64]:
    """CSR start offsets and flat indices of the closed ranges ``begin..end``."""
    count = end - begin + 1
    start = np.concatenate(([0], np.cumsum(count)))
    index = np.arange(start[-1]) - np.repeat(start[:-1], count) + np.repeat(begin, count)
    return start, index


def _network(
    raw: RawWays,
    node_ref: I64,
    vertex_node: I64,
    lon: F64,
    lat: F64,
    way: I64,
    begin: I64,
    end: I64,
    area: Any,
    reach_m: float,
) -> RoadNetwork:
    start, index = _ranges(begin, end)
    geometry = Lines(start, lon[index], lat[index])
    ends = np.concatenate((begin, end))
    first = np.full(len(node_ref), -1, dtype=np.int64)
    first[vertex_node[ends[::-1]]] = ends[::-1]  # of the vertices of a node the first
    used = np.flatnonzero(first >= 0)
    vertex = first[used]
    order = curve_order(lon[vertex], lat[vertex])
    number = np.empty(len(node_ref), dtype=np.int32)
    number[used[order]] = np.arange(len(used), dtype=np.int32)
    edge_u, edge_v = number[vertex_node[begin]], number[vertex_node[end]]
    used, vertex = used[order], vertex[order]
    node_lon, node_lat = lon[vertex], lat[vertex]
    edge_way = way[begin]
    length_m = line_lengths(geometry)
    of_edge = raw.tagged[edge_way]
    nameless = raw.like[of_edge]
    forward, backward = _speeds(raw.tags, nameless)
    class_names, way_class = _words(raw.tags, nameless, "highway", "unclassified")
    way_name, edge_name = _words(raw.tags, of_edge, "name", "")
    component = _components_of_modes(edge_u, edge_v, forward, backward, length_m, len(used))
    banned_turns, banned_chains, turn_notes = ban_turns(
        raw.turns,
        clipped=area is not None,
        node_id=node_ref[used],
        way_id=raw.way_id[edge_way],
        edge_u=edge_u,
        edge_v=edge_v,
        forward=forward["drive"],
        backward=backward["drive"],
    )
    signals = np.fromiter(raw.signals, dtype=np.int64, count=len(raw.signals))
    centre = (float(np.median(node_lon)), float(np.median(node_lat)))
    if area is not None:
        centre = (area.centroid.x, area.centroid.y)
    return RoadNetwork(
        crs=local_crs(*centre),
        node_id=node_ref[used],
        node_lon=node_lon,
        node_lat=node_lat,
        node_signal=np.isin(node_ref[used], signals),
        edge_u=edge_u,
        edge_v=edge_v,
        length_m=length_m,
        way_id=raw.way_id[edge_way],
        way_class=way_class.astype(np.uint8),
        class_names=class_names,
        way_name=way_name,
        edge_name=edge_name.astype(np.int32),
        geometry=geometry,
        speed_forward_kmh=forward,
        speed_backward_kmh=backward,
        component=component,
        surroundings=_surroundings(raw, area, reach_m),
        source=raw.source,
        source_date=raw.source_date,
        notes=(*raw.notes, *turn_notes),
        banned_turns=banned_turns,
        banned_chains=banned_chains,
    )


def _different(of_edge: I64, count: int) -> tuple[list[int], I64]:
    """The different ones among numbers under ``count``, ascending, and which of them each is."""
    here = np.zeros(count, dtype=np.bool_)
    here[of_edge] = True
    place = np.cumsum(here) - 1
    return np.flatnonzero(here).tolist(), place[of_edge]


def _words(tags: list[dict[str, str]], of_edge: I64, key: str, other: str) -> tuple[tuple[str, ...], I64]:
    """The values of a key among the edges, ascending, and which of them each edge has."""
    used, set_of_edge = _different(of_edge, len(tags))
    words = [tags[i].get(key, other) for i in used]
    different = sorted(set(words))
    number = {word: i for i, word in enumerate(different)}
    return tuple(different), np.array([number[word] for word in words], dtype=np.int64)[set_of_edge]


def _speeds(tags: list[dict[str, str]], of_edge: I64) -> tuple[dict[Mode, F64], dict[Mode, F64]]:
    # few combinations of the tags that matter serve all ways
    known: dict[tuple[tuple[str, str], ...], int] = {}
    found: list[dict[Mode, Speeds]] = []
    used, set_of_edge = _different(of_edge, len(tags))
    rule = np.empty(len(used), dtype=np.int64)
    for i, of_way in enumerate(tags[k] for k in used):
        key = tuple(item for item in of_way.items() if item[0] in RULE_KEYS)
        at = known.setdefault(key, len(found))
        if at == len(found):
            found.append(way_speeds(of_way))
        rule[i] = at
    rule = rule[set_of_edge]
    forward = {m: np.array([speeds[m].forward_kmh for speeds in found])[rule] for m in MODES}
    backward = {m: np.array([speeds[m].backward_kmh for speeds in found])[rule] for m in MODES}
    return forward, backward


def line_lengths(lines: Lines) -> F64:
    """Great-circle length of each line in metres."""
    step = great_circle_steps_m(lines.lon, lines.lat)
    step[lines.start[1:-1] - 1] = 0.0
    total = np.concatenate(([0.0], np.cumsum(step)))
    length: F64 = total[lines.start[1:] - 1] - total[lines.start[:-1]]
    return length


def _components_of_modes(
    edge_u: I32, edge_v: I32, forward: dict[Mode, F64], backward: dict[Mode, F64], length_m: F64, nodes: int
) -> dict[Mode, I32]:
    found: dict[Mode, I32] = {}
    known: dict[bytes, I32] = {}  # what a bicycle may use, an e-bike may as a rule
    for mode in MODES:
        used = (forward[mode] > 0) | (backward[mode] > 0)
        ways = used.tobytes()
        if ways not in known:
            known[ways] = _components(edge_u, edge_v, used, length_m, nodes)
        found[mode] = known[ways]
    return found


def _components(edge_u: I32, edge_v: I32, used: Bool, length_m: F64, nodes: int) -> I32:
    label = np.full(len(edge_u), -1, dtype=np.int32)
    if used.any():
        graph = coo_array((np.ones(used.sum(), np.int8), (edge_u[used], edge_v[used])), shape=(nodes, nodes))
        _count, parts = connected_components(graph, directed=False)
        part = parts[edge_u[used]]
        weight = np.bincount(part, weights=length_m[used], minlength=parts.max() + 1)
        rank = np.empty(len(weight), dtype=np.int32)
        rank[np.argsort(-weight, kind="stable")] = np.arange(len(weight), dtype=np.int32)
        label[used] = rank[part]
    return label


def _surroundings(raw: RawWays, area: Any, reach_m: float) -> Surroundings:
    barriers: list[BarrierLine] = raw.barriers
    buildings, amenities = raw.buildings, raw.amenities
    if area is not None:
        west, south, east, north = area.bounds
        dy = reach_m / 111_000 + 0.002
        dx = dy / np.cos(np.radians((south + north) / 2))
        west, south, east, north = west - dx, south - dy, east + dx, north + dy
        barriers = [
            b
            for b in barriers
            if max(b.lon) >= west and min(b.lon) <= east and max(b.lat) >= south and min(b.lat) <= north
        ]
        buildings = buildings[buildings["lon"].between(west, east) & buildings["lat"].between(south, north)]
        amenities = amenities[amenities["lon"].between(west, east) & amenities["lat"].between(south, north)]
    start = np.concatenate(([0], np.cumsum([len(b.lon) for b in barriers]))).astype(np.int64)
    return Surroundings(
        barriers=Lines(
            start,
            np.array([v for b in barriers for v in b.lon], dtype=np.float64),
            np.array([v for b in barriers for v in b.lat], dtype=np.float64),
        ),
        barrier_kind=np.array([BARRIER_KINDS.index(b.kind) for b in barriers], dtype=np.uint8),
        barrier_name=tuple(b.name for b in barriers),
        buildings=buildings.reset_index(drop=True),
        amenities=amenities.reset_index(drop=True),
    )
