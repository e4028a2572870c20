"""People as weighted points: spread over homes or ways of a community, from a file, or from a raster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from geo.config import DemandSection, Study
from geo.errors import Defect, InputError
from geo.intake.columns import map_columns
from geo.intake.datum import to_wgs84
from geo.intake.tables import read_table
from geo.models import F64, AuditEntry, RoadNetwork

COLUMNS = ["layer", "community", "lon", "lat", "weight"]
CELL_M = 40.0  # homes closer than this share a point
STEP_M = 80.0  # spacing of points along ways where no home is mapped
FEWEST_HOMES = 3


def spread_population(communities: gpd.GeoDataFrame, network: RoadNetwork) -> pd.DataFrame:
    """Each community's people over its homes by floor area, else over its ways, else at one point inside.

    Weights of a community sum to its population. Columns: ``layer community lon lat weight``.
    """
    homes = network.surroundings.buildings
    home_of = _within(communities, homes["lon"].to_numpy(dtype=float), homes["lat"].to_numpy(dtype=float))
    way_lon, way_lat, way_m = _way_points(network)
    way_of = _within(communities, way_lon, way_lat)
    to_plane = Transformer.from_crs("EPSG:4326", network.crs, always_xy=True)
    parts = []
    for row, people in enumerate(communities["population"]):
        if people <= 0:
            continue
        chosen = np.flatnonzero(home_of == row)
        if len(chosen) >= FEWEST_HOMES:
            lon, lat = homes["lon"].to_numpy(dtype=float)[chosen], homes["lat"].to_numpy(dtype=float)[chosen]
            size = np.maximum(homes["area_m2"].to_numpy(dtype=float)[chosen], 1.0)
        else:
            chosen = np.flatnonzero(way_of == row)
            lon, lat, size = way_lon[chosen], way_lat[chosen], way_m[chosen]
        if len(chosen) == 0:
            inside = communities.geometry.iloc[row].representative_point()
            lon, lat, size = np.array([inside.x]), np.array([inside.y]), np.array([1.0])
        lon, lat, size = _gathered(lon, lat, size, to_plane)
        parts.append(pd.DataFrame({"community": row, "lon": lon, "lat": lat, "weight": people * size / size.sum()}))
    return _stack(parts, "residents")


def _gathered(lon: F64, lat: F64, size: F64, to_plane: Transformer) -> tuple[F64, F64, F64]:
    """Points in one cell of :data:`CELL_M` become the real point nearest their weighted middle."""
    x, y = to_plane.transform(lon, lat)
    cell = np.floor(np.asarray(x) / CELL_M).astype(np.int64) * 1_000_003 + np.floor(np.asarray(y) / CELL_M).astype(np.int64)
    _cells, group = np.unique(cell, return_inverse=True)
    total = np.bincount(group, weights=size)
    mid_x = np.bincount(group, weights=size * x) / total
    mid_y = np.bincount(group, weights=size * y) / total
    far = np.hypot(x - mid_x[group], y - mid_y[group])
    order = np.lexsort((np.arange(len(group)), far, group))
    first = order[np.concatenate(([True], np.diff(group[order]) > 0))]
    return lon[first], lat[first], total


def _way_points(network: RoadNetwork) -> tuple[F64, F64, F64]:
    """The middle of each segment of the ways people live along, with its length in metres."""
    geometry = network.geometry
    edge = np.repeat(np.arange(network.edge_count), np.diff(geometry.start))
    same = edge[1:] == edge[:-1]
    apart = np.array([c in {"motorway", "motorway_link", "trunk", "trunk_link"} for c in network.class_names], dtype=bool)
    keep = same & (network.component["walk"][edge[1:]] >= 0)
    if len(apart):
        keep &= ~apart[network.way_class[edge[1:]]]
    at = np.flatnonzero(keep)
    dx = np.diff(geometry.lon)[at] * np.cos(np.radians(geometry.lat[at])) * 111_195.0
    dy = np.diff(geometry.lat)[at] * 111_195.0
    length_m = np.hypot(dx, dy)
    pieces = np.maximum(np.ceil(length_m / STEP_M).astype(np.int64), 1)
    index = np.repeat(at, pieces)
    first = np.repeat(np.cumsum(pieces) - pieces, pieces)
    part = (np.arange(len(index)) - first + 0.5) / np.repeat(pieces, pieces)
    lon = geometry.lon[index] + part * (geometry.lon[index + 1] - geometry.lon[index])
    lat = geometry.lat[index] + part * (geometry.lat[index + 1] - geometry.lat[index])
    return lon, lat, np.repeat(length_m / pieces, pieces)


def _within(polygons: gpd.GeoDataFrame, lon: F64, lat: F64) -> np.ndarray:
    """The polygon row that holds each point, -1 for none; the first where several do."""
    found = np.full(len(lon), -1, dtype=np.int32)
    if len(polygons) and len(lon):
        points, rows = shapely.STRtree(polygons.geometry.to_numpy()).query(shapely.points(lon, lat), predicate="intersects")
        order = np.lexsort((-rows, points))
        found[points[order]] = rows[order]
    return found


def read_layer(
    path: Path, section: DemandSection, *, layer: str, area: Any, communities: gpd.GeoDataFrame
) -> tuple[pd.DataFrame, list[AuditEntry]]:
    """Weighted points of one file (table, vector layer or raster), those inside the area.

    Raises :class:`geo.errors.InputError` with every wrong row.
    """
    if path.suffix.lower() in {".tif", ".tiff"}:
        lon, lat, weight = read_raster(path, area=area)
    else:
        lon, lat, weight = _read_points(path, section)
    inside = shapely.contains_xy(area.buffer(1e-5), lon, lat)
    audit = []
    if not inside.all():
        zh = f"{layer}：{(~inside).sum()} 个点在范围外，共 {weight[~inside].sum():,.0f}"
        en = f"{layer}: {(~inside).sum()} points outside the area, weight {weight[~inside].sum():,.0f}"
        audit.append(AuditEntry("skipped", zh, en, file=path.name))
    lon, lat, weight = lon[inside], lat[inside], weight[inside]
    frame = pd.DataFrame({"community": _within(communities, lon, lat), "lon": lon, "lat": lat, "weight": weight})
    return _stack([frame], layer), audit


def _read_points(path: Path, section: DemandSection) -> tuple[F64, F64, F64]:
    table = read_table(path)[0]
    overrides = {"weight": section.weight} if section.weight else {}
    headings = [str(c) for c in table.frame.columns]
    mapping = map_columns(headings, ("lon", "lat", "weight"), overrides)
    missing = [f for f in ("lon", "lat") if f not in mapping]
    if section.weight and section.weight not in headings:
        missing.append(section.weight)
    if missing:
        message = f"找不到列 {'、'.join(missing)}；有 {'、'.join(headings)} / columns not found; the file has these"
        raise InputError(Defect(message, file=path.name))
    numbers = {k: pd.to_numeric(table.frame[h], errors="coerce").to_numpy(dtype=float) for k, h in mapping.items()}
    weight = numbers.get("weight", np.ones(len(table.frame)))
    bad = ~(np.isfinite(numbers["lon"]) & np.isfinite(numbers["lat"]) & (weight >= 0))
    if bad.any():
        raise InputError(
            Defect("坐标或权重不是非负数 / position or weight is not a number ≥ 0", file=path.name, row=int(r))
            for r in table.rows[bad]
        )
    lon, lat = to_wgs84(numbers["lon"], numbers["lat"], section.datum)
    return lon, lat, weight


def read_raster(path: Path, *, area: Any) -> tuple[F64, F64, F64]:
    """Cell centres with people inside the area's box, WGS-84; read by window, nodata left out."""
    import rasterio
    from rasterio.errors import RasterioIOError
    from rasterio.windows import Window, from_bounds

    try:
        with rasterio.open(path) as source:
            ahead = Transformer.from_crs("EPSG:4326", source.crs, always_xy=True)
            back = Transformer.from_crs(source.crs, "EPSG:4326", always_xy=True)
            window = from_bounds(*ahead.transform_bounds(*area.bounds), transform=source.transform)
            whole = Window(0, 0, source.width, source.height)
            window = window.round_offsets().round_lengths(op="ceil").intersection(whole)
            values = source.read(1, window=window, masked=True).astype(float).filled(0.0)
            rows, columns = np.nonzero(np.nan_to_num(values) > 0)
            x, y = rasterio.transform.xy(source.window_transform(window), rows, columns)
            lon, lat = back.transform(np.asarray(x), np.asarray(y))
    except RasterioIOError as error:
        raise InputError(Defect(f"读不了这个栅格 / this raster cannot be read: {error}", file=path.name)) from error
    return np.asarray(lon), np.asarray(lat), values[rows, columns]


def read_demand(
    study: Study, *, area: Any, communities: gpd.GeoDataFrame, network: RoadNetwork
) -> tuple[pd.DataFrame, list[AuditEntry]]:
    """All layers of a study; raises InputError with all defects, and where nobody is left."""
    parts, audit = [], []
    defects: list[Defect] = []
    sections = dict(study.demand)
    if study.communities is not None and study.communities.raster is not None:
        sections = {"residents": DemandSection(file=study.communities.raster), **sections}
    elif "residents" not in sections and len(communities):
        parts.append(spread_population(communities, network))
    for layer, section in sections.items():
        try:
            frame, notes = read_layer(study.path(section.file), section, layer=layer, area=area, communities=communities)
        except InputError as error:
            defects += error.defects
        else:
            parts.append(frame)
            audit += notes
    if defects:
        raise InputError(defects)
    demand = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    demand = demand[demand["weight"] > 0].reset_index(drop=True)
    empty = [name for name in sections if not (demand["layer"] == name).any()]
    if demand.empty or empty:
        what = "、".join(empty) or "residents"
        message = f"需求为空：{what}（范围内没有人口或权重）/ empty demand: {what} has no weight inside the area"
        raise InputError(Defect(message, file="study.toml", key="demand"))
    return demand, audit


def _stack(parts: list[pd.DataFrame], layer: str) -> pd.DataFrame:
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS[1:])
    frame = frame.astype({"community": np.int32, "lon": float, "lat": float, "weight": float})
    frame.insert(0, "layer", layer)
    return frame
