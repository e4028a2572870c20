"""Nested polygons of what is reached, all sets of a call drawn at once with vectorised GEOS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geo.isochrones.ways import Reached, Ways, cut, edge_tree, gather, project
from geo.models import F64, I64, Mode, RoadNetwork, Stretches

WIDEN_M = 25.0  # half a street block's depth on either side: shown, never counted
CLEAR_M = 12.0  # half the gap between a reached street and an unreached one beside it
KEEP_M = 0.4  # a reached way that crosses an unreached one stays as a ribbon of twice this
SIMPLIFY_M = 0.25  # less than KEEP_M: a ribbon must hold its way
TILE_M = 1000.0  # GEOS overlays cost more than linearly: pieces are drawn in squares, then united
BATCH = 100_000  # stretches drawn at once: bounds the memory
GRID_DEG = 1e-10  # a hundredth of a millimetre: shapes stay valid in degrees, and nested
GRID_M = 0.01
Shapes = NDArray[np.object_]


def reach_polygon(
    network: RoadNetwork,
    reached: Stretches,
    *,
    mode: Mode,
    widen_m: float = WIDEN_M,
    clear_m: float = CLEAR_M,
) -> shapely.MultiPolygon:
    """The area of the reached stretches in ``network.crs`` metres, holes and islands kept, valid.

    Stretches are widened by ``widen_m`` on either side, flat where they end; the ``clear_m`` round
    every stretch of a way of the mode that is not reached is taken out, flat too; where a reached
    way crosses such a stretch a ribbon of 0.8 m stays. Empty where nothing is reached.

    >>> import numpy as np
    >>> from geo.models import Stretches
    >>> from tests.toy import toy_network
    >>> road = toy_network([(0, 0), (900, 0)], [(0, 1)])
    >>> part = Stretches(np.array([0], dtype=np.int32), np.array([100.0]), np.array([300.0]))
    >>> shape = reach_polygon(road, part, mode="walk")
    >>> shape.geom_type, round(shape.area)
    ('MultiPolygon', 10000)
    """
    ways = project(network, mode=mode)
    shape: shapely.MultiPolygon = _draw(ways, [reached], widen_m=widen_m, clear_m=clear_m)[0]
    return shape


def bands(
    network: RoadNetwork, reached_by_minutes: Mapping[float, Stretches], *, mode: Mode
) -> gpd.GeoDataFrame:
    """Nested isochrones: columns ``minutes geometry`` (EPSG:4326 MultiPolygon), minutes ascending.

    ``reached_by_minutes``: minutes → what is reached within them. Each shape contains the one
    before it; rings turn as RFC 7946 asks (outer rings counter-clockwise).

    >>> import numpy as np
    >>> from geo.models import Stretches
    >>> from tests.toy import toy_network
    >>> road = toy_network([(0, 0), (900, 0)], [(0, 1)])
    >>> def first(metres):
    ...     return Stretches(np.array([0], dtype=np.int32), np.array([0.0]), np.array([metres]))
    >>> bands(road, {10: first(600.0), 5: first(300.0)}, mode="walk")["minutes"].tolist()
    [5.0, 10.0]
    """
    frame = station_bands(network, {"": reached_by_minutes}, mode=mode)
    return frame.drop(columns="station_id")


def station_bands(
    network: RoadNetwork, per_station: Mapping[str, Mapping[float, Stretches]], *, mode: Mode
) -> gpd.GeoDataFrame:
    """Nested isochrones of each station: columns ``station_id minutes geometry`` as :func:`bands`.

    Rows keep the order of ``per_station``, minutes ascending within a station.

    >>> import numpy as np
    >>> from geo.models import Stretches
    >>> from tests.toy import toy_network
    >>> road = toy_network([(0, 0), (900, 0)], [(0, 1)])
    >>> part = Stretches(np.array([0], dtype=np.int32), np.array([0.0]), np.array([300.0]))
    >>> station_bands(road, {"A": {5: part}}, mode="walk").crs.to_epsg()
    4326
    """
    rows = [(station, m, by[m]) for station, by in per_station.items() for m in sorted(by)]
    ways = project(network, mode=mode)
    shapes = _draw(ways, [part for _, _, part in rows], widen_m=WIDEN_M, clear_m=CLEAR_M)
    # united in metres: in degrees GEOS trips over vertices a hair apart
    for row, (before, here) in enumerate(pairwise(station for station, _, _ in rows), start=1):
        if before == here:
            shapes[row] = _multi(shapely.union(shapes[row], shapes[row - 1], grid_size=GRID_M))
    shapes = _to_degrees(shapes, network.crs)
    return gpd.GeoDataFrame(
        {"station_id": [s for s, _, _ in rows], "minutes": np.array([m for _, m, _ in rows], dtype=float)},
        geometry=shapely.orient_polygons(shapes),
        crs="EPSG:4326",
    )


def _to_degrees(shapes: Shapes, crs: str) -> Shapes:
    back = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)

    def degrees(xy: F64) -> F64:
        return np.column_stack(back.transform(xy[:, 0], xy[:, 1]))

    gridded = shapely.set_precision(shapely.transform(shapes, degrees), GRID_DEG)
    return _objects([_multi(shape) for shape in gridded])


def _draw(ways: Ways, sets: Sequence[Stretches], *, widen_m: float, clear_m: float) -> Shapes:
    """One MultiPolygon a set."""
    tree = edge_tree(ways)
    shapes: list[shapely.MultiPolygon] = []
    ends = np.cumsum([0, *(len(s) for s in sets)]) // BATCH
    first = 0
    for last in range(1, len(sets) + 1):
        if last == len(sets) or ends[last + 1] > ends[first]:
            some = list(sets[first:last])
            shapes += _draw_batch(ways, tree, some, widen_m=widen_m, clear_m=clear_m)
            first = last
    return _objects(shapes)


def _draw_batch(
    ways: Ways, tree: shapely.STRtree, sets: list[Stretches], *, widen_m: float, clear_m: float
) -> list[shapely.MultiPolygon]:
    reached = gather(sets, len(ways.length_m))
    if len(reached.edge) == 0:
        return [shapely.MultiPolygon() for _ in sets]
    lines, of_set = _tiled_lines(ways, reached)
    with ThreadPoolExecutor() as pool:
        tiles = _strips(lines, widen_m, pool)
        tile, near = tree.query(tiles, predicate="intersects")
        edge = ways.edges[near]
        pair, start, stop = reached.gaps(of_set[tile], edge, ways.length_m[edge])
        if len(pair):
            by_tile = np.argsort(tile[pair], kind="stable")
            pair, start, stop = pair[by_tile], start[by_tile], stop[by_tile]
            coords, piece = cut(ways, edge[pair], start, stop)
            rows, group = np.unique(tile[pair], return_inverse=True)
            others = _multilines(shapely.linestrings(coords, indices=piece), group, len(rows))
            others = _strips(shapely.simplify(others, SIMPLIFY_M), clear_m, pool)
            crossing = _strips(shapely.intersection(lines[rows], others), KEEP_M, pool)
            cleared = shapely.difference(tiles[rows], others)
            crossed = ~shapely.is_empty(crossing)
            cleared[crossed] = shapely.union(cleared[crossed], crossing[crossed])
            tiles[rows] = cleared
        begin = np.searchsorted(of_set, np.arange(len(sets) + 1))
        whole = pool.map(shapely.union_all, [tiles[low:high] for low, high in pairwise(begin)])
        return [_multi(shape) for shape in whole]


def _tiled_lines(ways: Ways, reached: Reached) -> tuple[Shapes, I64]:
    """The stretches as one multiline a square and set, and the set of each; sets ascend."""
    coords, piece = cut(ways, reached.edge, reached.from_m, reached.to_m)
    begin = np.searchsorted(piece, np.arange(len(reached.edge) + 1))
    middle = (coords[begin[:-1]] + coords[begin[1:] - 1]) / 2.0
    square = np.floor(middle / TILE_M).astype(np.int64)
    keys = np.column_stack((reached.of_set, square))
    unique, group = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(group, kind="stable")
    lines = shapely.linestrings(coords, indices=piece)
    multi = _multilines(lines[order], group[order].astype(np.int64), len(unique))
    return shapely.simplify(shapely.line_merge(multi), SIMPLIFY_M), unique[:, 0]


def _multilines(lines: Shapes, group: I64, count: int) -> Shapes:
    result = np.empty(count, dtype=object)
    shapely.multilinestrings(lines, indices=group, out=result)
    return result


def _strips(lines: Shapes, half_width_m: float, pool: ThreadPoolExecutor) -> Shapes:
    """Flat-ended strips round many multilines.

    Uniting strips of single lines is up to forty times faster than one buffer of dense lines.
    """
    parts, of_line = shapely.get_parts(lines, return_index=True)
    strips = shapely.buffer(parts, half_width_m, quad_segs=2, cap_style="flat")
    begin = np.searchsorted(of_line, np.arange(len(lines) + 1))
    return _objects(list(pool.map(shapely.union_all, [strips[low:high] for low, high in pairwise(begin)])))


def _multi(shape: shapely.Geometry) -> shapely.MultiPolygon:
    """The polygons of a result of GEOS as one MultiPolygon."""
    parts = shapely.get_parts(shape)
    return shapely.MultiPolygon(parts[shapely.get_dimensions(parts) == 2].tolist())


def _objects(shapes: Sequence[shapely.Geometry]) -> Shapes:
    result = np.empty(len(shapes), dtype=object)
    result[:] = shapes
    return result
