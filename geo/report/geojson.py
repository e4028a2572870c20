"""Shapes → GeoJSON text (RFC 7946): columns of coordinates are formatted at once, not one by one."""

from __future__ import annotations

import json
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from geo.report.summary import plain

DECIMALS = (7, 10)  # of a degree: about 1 cm, and 0.01 mm for shapes that rounding to 1 cm would break


def rounded(shapes: Any) -> NDArray[np.object_]:
    """``shapes`` (degrees) with 7 decimals (10 if need be), outer rings anticlockwise, valid if they were.

    >>> square = shapely.box(0, 0, 1, 1 / 3)
    >>> rounded([square.reverse()])[0].wkt
    'POLYGON ((1 0, 1 0.3333333, 0 0.3333333, 0 0, 1 0))'
    """
    given = np.asarray(shapes, dtype=object)
    tidy = given.copy()
    left = np.arange(len(given))
    for decimals in DECIMALS:
        tidy[left] = shapely.transform(given[left], lambda xy, d=decimals: np.round(xy, d))
        left = left[~(shapely.is_valid(tidy[left]) | shapely.is_missing(given[left]))]
        left = left[shapely.is_valid(given[left])]
    if len(left):
        tidy[left] = shapely.set_precision(given[left], 10.0 ** -DECIMALS[-1])  # slow, but keeps all valid
    return np.asarray(shapely.orient_polygons(tidy, exterior_cw=False), dtype=object)


def feature_collection(frame: gpd.GeoDataFrame) -> str:
    """``frame`` (EPSG:4326) as GeoJSON text, one feature a line; missing values become null.

    >>> point = gpd.GeoDataFrame({"n": [1]}, geometry=gpd.points_from_xy([115.5], [32.25]), crs=4326)
    >>> print(feature_collection(point))
    {"type": "FeatureCollection", "features": [
    {"type": "Feature", "properties": {"n": 1}, "geometry": {"type": "Point", "coordinates": [115.5,32.25]}}
    ]}
    <BLANKLINE>
    """
    table = frame.drop(columns=frame.geometry.name)
    names = [str(name) for name in table.columns]
    lists = [[plain(v) for v in table.iloc[:, i].tolist()] for i in range(len(names))]
    rows = zip(*lists, strict=True) if lists else ((),) * len(frame)
    features = [
        f'{{"type": "Feature", "properties": {json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)}'
        f', "geometry": {shape}}}'
        for row, shape in zip(rows, _shapes(frame.geometry.to_numpy()), strict=True)
    ]
    return '{"type": "FeatureCollection", "features": [\n' + ",\n".join(features) + "\n]}\n"


def _shapes(shapes: NDArray[np.object_]) -> list[str]:
    texts = ["null"] * len(shapes)
    kinds = shapely.get_type_id(shapes)
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    point = there & (kinds == 0)
    polygon = there & ((kinds == 3) | (kinds == 6))
    other = there & ~point & ~polygon
    for chosen, texts_of in ((point, _points), (polygon, _polygons), (other, shapely.to_geojson)):
        rows = np.flatnonzero(chosen)
        for row, text in zip(rows, texts_of(shapes[rows]) if len(rows) else (), strict=True):
            texts[row] = text
    return texts


def _positions(xy: NDArray[np.float64]) -> Any:
    """Every position as ``lon,lat``: the shortest decimals that read back as the same numbers."""
    lon, lat = (pc.cast(pa.array(np.ascontiguousarray(xy[:, i])), pa.string()) for i in (0, 1))
    return pc.binary_join_element_wise(lon, lat, ",")


def _points(shapes: NDArray[np.object_]) -> list[str]:
    positions = _positions(shapely.get_coordinates(shapes)).to_pylist()
    return [f'{{"type": "Point", "coordinates": [{at}]}}' for at in positions]


def _polygons(shapes: NDArray[np.object_]) -> list[str]:
    """Polygons and multipolygons, all written as MultiPolygon so that a layer is of one type."""
    parts, whose = shapely.get_parts(shapes, return_index=True)
    rings, of_part = shapely.get_rings(parts, return_index=True)
    xy, of_ring = shapely.get_coordinates(rings, return_index=True)
    text = _positions(xy)
    for groups, count, between in ((of_ring, len(rings), "],["), (of_part, len(parts), "]],[[")):
        text = _joined(text, groups, count, between)
    whole = _joined(text, whose, len(shapes), "]]],[[[").to_pylist()
    return [f'{{"type": "MultiPolygon", "coordinates": [[[[{inner}]]]]}}' for inner in whole]


def _joined(texts: Any, groups: NDArray[np.int64], count: int, between: str) -> Any:
    starts = np.concatenate(([0], np.cumsum(np.bincount(groups, minlength=count)))).astype(np.int64)
    return pc.binary_join(pa.LargeListArray.from_arrays(pa.array(starts), texts), between)
