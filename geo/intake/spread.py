"""The people of a community → points where its homes are, else along its ways, else over its polygon."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from geo.models import F64, I32, I64, RoadNetwork

CELL_M = 50.0  # homes of one square this wide share a point: 400,000 people stay under 15,000 points
STEP_M = 100.0  # spacing of points along ways where no home is mapped
FEWEST_HOMES = 3
MOST_CELLS = 400  # of the grid over a polygon that has neither homes nor ways
NOBODY_LIVES_ON = frozenset({"motorway", "motorway_link", "trunk", "trunk_link"})
M_PER_DEG = 111_195.0  # of a sphere of 6,371,009 m: weights only, never distances that count


def spread_population(communities: gpd.GeoDataFrame, network: RoadNetwork) -> pd.DataFrame:
    """Each community's people over its homes by floor area, else over its ways by length, else over a grid.

    Points are real homes or places on ways inside the polygon (WGS-84). The weights of a community sum
    to its population. Columns: ``community`` (row of ``communities``) ``lon lat weight``.
    """
    homes = network.surroundings.buildings
    home_lon, home_lat = homes["lon"].to_numpy(dtype=float), homes["lat"].to_numpy(dtype=float)
    home_m2 = np.maximum(homes["area_m2"].to_numpy(dtype=float), 1.0)
    homes_in = _rows_by_polygon(polygon_of(communities, home_lon, home_lat), len(communities))
    way_lon, way_lat, way_m = way_points(network)
    ways_in = _rows_by_polygon(polygon_of(communities, way_lon, way_lat), len(communities))
    to_plane = Transformer.from_crs("EPSG:4326", network.crs, always_xy=True)
    parts = []
    for row, people in enumerate(communities["population"].to_numpy(dtype=float)):
        if people <= 0:
            continue
        if len(homes_in[row]) >= FEWEST_HOMES:
            chosen = homes_in[row]
            lon, lat, size = home_lon[chosen], home_lat[chosen], home_m2[chosen]
        elif len(ways_in[row]):
            chosen = ways_in[row]
            lon, lat, size = way_lon[chosen], way_lat[chosen], way_m[chosen]
        else:
            lon, lat = _grid(communities.geometry.iloc[row])
            size = np.ones(len(lon))
        lon, lat, size = _gathered(lon, lat, size, to_plane)
        parts.append(
            pd.DataFrame({"community": row, "lon": lon, "lat": lat, "weight": people * size / size.sum()})
        )
    if not parts:
        return pd.DataFrame({"community": [], "lon": [], "lat": [], "weight": []}, dtype=float)
    return pd.concat(parts, ignore_index=True)


def polygon_of(polygons: gpd.GeoDataFrame, lon: F64, lat: F64) -> I32:
    """The polygon row that holds each point (border included), -1 for none; the first where several do.

    >>> two = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], crs=4326)
    >>> polygon_of(two, np.array([1.5, 1.0, 5.0]), np.array([0.5, 0.5, 0.5])).tolist()
    [1, 0, -1]
    """
    found = np.full(len(lon), -1, dtype=np.int32)
    if len(polygons) and len(lon):
        tree = shapely.STRtree(polygons.geometry.to_numpy())
        points, rows = tree.query(shapely.points(lon, lat), predicate="intersects")
        order = np.lexsort((-rows, points))
        found[points[order]] = rows[order]
    return found


def _rows_by_polygon(owner: I32, count: int) -> list[I64]:
    order = np.argsort(owner, kind="stable").astype(np.int64)
    cuts = np.searchsorted(owner[order], np.arange(count + 1))
    return [order[cuts[i] : cuts[i + 1]] for i in range(count)]


def _gathered(lon: F64, lat: F64, size: F64, to_plane: Transformer) -> tuple[F64, F64, F64]:
    """Points in one square of :data:`CELL_M` become the real point nearest their weighted middle."""
    x, y = (np.asarray(v, dtype=np.float64) for v in to_plane.transform(lon, lat))
    cells = np.column_stack((np.floor(x / CELL_M), np.floor(y / CELL_M)))
    _cells, group = np.unique(cells, axis=0, return_inverse=True)
    group = group.reshape(-1)
    total: F64 = np.bincount(group, weights=size).astype(np.float64)
    mid_x = np.bincount(group, weights=size * x) / total
    mid_y = np.bincount(group, weights=size * y) / total
    far = np.hypot(x - mid_x[group], y - mid_y[group])
    order = np.lexsort((np.arange(len(group)), far, group))
    first = order[np.concatenate(([True], np.diff(group[order]) > 0))]
    return lon[first], lat[first], total


def way_points(network: RoadNetwork) -> tuple[F64, F64, F64]:
    """Points about :data:`STEP_M` apart along the ways people live on: degrees, and metres each stands for."""
    geometry = network.geometry
    edge = np.repeat(np.arange(network.edge_count), np.diff(geometry.start))
    apart = np.array([name in NOBODY_LIVES_ON for name in network.class_names], dtype=np.bool_)
    keep = (edge[1:] == edge[:-1]) & (network.component["walk"][edge[1:]] >= 0)
    keep &= ~apart[network.way_class[edge[1:]]]
    at = np.flatnonzero(keep)
    dx = np.diff(geometry.lon)[at] * np.cos(np.radians(geometry.lat[at])) * M_PER_DEG
    dy = np.diff(geometry.lat)[at] * M_PER_DEG
    length_m = np.hypot(dx, dy)
    pieces = np.maximum(np.rint(length_m / STEP_M).astype(np.int64), 1)
    index = np.repeat(at, pieces)
    first = np.repeat(np.cumsum(pieces) - pieces, pieces)
    part = (np.arange(len(index)) - first + 0.5) / np.repeat(pieces, pieces)
    lon = geometry.lon[index] + part * (geometry.lon[index + 1] - geometry.lon[index])
    lat = geometry.lat[index] + part * (geometry.lat[index + 1] - geometry.lat[index])
    # a segment of no length stands for nothing, yet must not divide by zero when it is alone
    return lon, lat, np.maximum(np.repeat(length_m / pieces, pieces), 1e-3)


def _grid(polygon: Any) -> tuple[F64, F64]:
    """Middles of the squares of a grid that lie in the polygon, or one point inside where none does."""
    west, south, east, north = polygon.bounds
    narrow = np.cos(np.radians((south + north) / 2))
    side_m = max(STEP_M, M_PER_DEG * np.sqrt((east - west) * narrow * (north - south) / MOST_CELLS))
    step_lon, step_lat = side_m / M_PER_DEG / narrow, side_m / M_PER_DEG
    lon, lat = np.meshgrid(
        np.arange(west + step_lon / 2, east, step_lon), np.arange(south + step_lat / 2, north, step_lat)
    )
    inside = shapely.contains_xy(polygon, lon.ravel(), lat.ravel())
    if not inside.any():
        point = polygon.representative_point()
        return np.array([point.x]), np.array([point.y])
    return lon.ravel()[inside], lat.ravel()[inside]
