"""The results as vector tiles (Mapbox Vector Tile 2.1) with their TileJSON 3.0."""

from __future__ import annotations

import math
from typing import Annotated, Any

import mapbox_vector_tile
from fastapi import APIRouter, HTTPException, Path, Request, Response

from api.pages import Page
from api.routers.maps import base
from api.state import Loaded, NamedStudy

router = APIRouter(prefix="/studies/{study}/tiles", tags=["tiles"])
MVT = "application/vnd.mapbox-vector-tile"
DEEPEST = 18
EXTENT = 4096
BUFFER = 64  # units on every side, so that outlines do not show at the seams
HALF_M = math.pi * 6_378_137.0  # of the world, in Web Mercator
MOST_TILES = 2_000  # kept of a study
TILE: dict[int | str, dict[str, object]] = {
    200: {"content": {MVT: {"schema": {"type": "string", "format": "binary"}}}, "description": "a tile"},
    204: {"description": "nothing there"},
}
Depth = Annotated[int, Path(ge=0, le=DEEPEST)]
Place = Annotated[int, Path(ge=0, lt=2**DEEPEST)]


@router.get("/{layer}.json")
def tilejson(request: Request, current: NamedStudy, layer: str) -> dict[str, Any]:
    """TileJSON of a layer: where its tiles are and what they hold."""
    frame = _layer(current, layer)
    west, south, east, north = (None if math.isnan(v) else float(v) for v in frame.total_bounds)
    known = {} if west is None else {"bounds": [west, south, east, north]}
    return {
        "tilejson": "3.0.0", "name": f"{current.result.name} {layer}", "scheme": "xyz", "minzoom": 0, "maxzoom": DEEPEST,
        "tiles": [f"{base(request)}/studies/{current.slug}/tiles/{layer}/{{z}}/{{x}}/{{y}}.mvt"],
        "vector_layers": [{"id": layer, "fields": {str(c): "" for c in frame.columns if c != frame.geometry.name}}],
        "attribution": "© OpenStreetMap contributors", **known,
    }  # fmt: skip


@router.get("/{layer}/{z}/{x}/{y}.mvt", response_class=Response, responses=TILE)
def tile(request: Request, current: NamedStudy, layer: str, z: Depth, x: Place, y: Place) -> Response:
    """One tile of a layer; 204 where it holds nothing, 404 where there is no such tile."""
    _layer(current, layer)
    if x >= 2**z or y >= 2**z:
        raise HTTPException(404, "no such tile")
    page = current.tiles.get((layer, z, x, y))
    if page is None:
        if len(current.tiles) >= MOST_TILES:
            current.tiles.clear()
        page = current.tiles[layer, z, x, y] = Page.of(encoded(current.layers[layer], layer, z, x, y), MVT)
    return page.answer(request) if page.plain else Response(status_code=204)


def _layer(current: Loaded, layer: str) -> Any:
    if layer not in current.layers:
        raise HTTPException(404, "no such layer")
    return current.layers[layer]


def encoded(frame: Any, layer: str, z: int, x: int, y: int) -> bytes:
    """Tile ``z/x/y`` of a GeoDataFrame in WGS-84; nothing where it holds nothing."""
    import numpy as np
    import shapely

    side = 2.0 * HALF_M / 2**z
    west, south = x * side - HALF_M, HALF_M - (y + 1) * side
    low, high = -float(BUFFER), float(EXTENT + BUFFER)
    units = np.array([[low, low], [high, high]]) * side / EXTENT + (west, south)
    bounds = _degrees(units).ravel()
    found = frame.iloc[sorted(frame.sindex.query(shapely.box(*bounds), predicate="intersects"))]
    shapes = shapely.transform(
        found.geometry.to_numpy(), lambda lonlat: (_metres(lonlat) - (west, south)) * (EXTENT / side)
    )
    shapes = shapely.clip_by_rect(shapes, low, low, high, high)
    rows = found.drop(columns=found.geometry.name).to_dict("records")
    features = [
        {"geometry": shape, "properties": {str(k): v for k, v in row.items() if _tellable(v)}}
        for shape, row in zip(shapes, rows, strict=True)
        if not shape.is_empty
    ]
    if not features:
        return b""
    made: bytes = mapbox_vector_tile.encode(
        [{"name": layer, "features": features}], default_options={"extents": EXTENT}
    )
    return made


def _tellable(value: Any) -> bool:
    """Whether a tile can hold it: a text, a truth, a number that is one."""
    return isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value))


def _metres(lonlat: Any) -> Any:
    import numpy as np

    lon, lat = np.radians(lonlat).T
    return np.column_stack((lon, np.log(np.tan(np.pi / 4 + lat / 2)))) * (HALF_M / math.pi)


def _degrees(xy: Any) -> Any:
    import numpy as np

    x, y = (xy * (math.pi / HALF_M)).T
    return np.degrees(np.column_stack((x, 2 * np.arctan(np.exp(y)) - np.pi / 2)))
