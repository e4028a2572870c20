"""The results as OGC API - Features, Part 1 (core, GeoJSON): what QGIS, GDAL and others read."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any
from urllib.parse import urlencode

import geopandas as gpd
from fastapi import APIRouter, HTTPException, Query, Request, Response

from api.moments import meets, span
from api.openapi import COLLECTION, FEATURE, GEOJSON, GeoJSON, answered
from api.state import Loaded, NamedStudy
from geo import pipeline

router = APIRouter(prefix="/ogc/{study}", tags=["OGC API - Features"])
CONFORMS = (
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
)
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
GCJ02 = "urn:x-redmap:crs:GCJ-02"  # no register knows it: an extension, by the parameters of Part 2
DAYS = {"stations": "date"}  # the temporal property of a layer: the day of the list that a station stands in
GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
TITLES = {
    "stations": "驿站 Stations", "communities": "社区 Communities", "isochrones": "等时圈 Isochrones", "gaps": "盲区 Gaps",
    "recommendations": "选址建议 Recommended sites", "problems": "小哥有话说 Problems",
}  # fmt: skip
MOST = 10_000
OWN = frozenset({"bbox", "bbox-crs", "crs", "limit", "offset", "datetime", "f"})
When = Annotated[
    str | None,
    Query(
        alias="datetime", max_length=200, examples=["2026-10-31", "2026-10-01T00:00:00Z/.."],
        description="An instant of RFC 3339, a day (of UTC), or an interval of two of them, one end `..` for open. "
        "Stations have the day of their list; features without a day are always in.",
    ),
]  # fmt: skip
Crs = Annotated[
    str | None,
    Query(
        max_length=200, examples=[CRS84],
        description=f"Of the geometries: `{CRS84}` (WGS-84, the default) or `{GCJ02}`: longitude and latitude "
        "shifted as Chinese web maps (AMap, Tencent) have them, inside China. Properties `lon` and `lat` stay WGS-84. "
        "The answer's header `Content-Crs` says which.",
    ),
]  # fmt: skip
BoxCrs = Annotated[
    str | None, Query(alias="bbox-crs", max_length=200, description="Of `bbox`, the same two.", examples=[CRS84])
]  # fmt: skip


def _link(request: Request, path: str, rel: str, media: str = "application/json") -> dict[str, str]:
    return {"href": f"{str(request.base_url).rstrip('/')}{path}", "rel": rel, "type": media}


@router.get("")
def landing(request: Request, current: NamedStudy) -> dict[str, Any]:
    """Where everything is."""
    here = f"/ogc/{current.slug}"
    return {
        "title": current.result.name, "description": "Red Map",
        "links": [
            _link(request, here, "self"), _link(request, f"{here}/conformance", "conformance"), _link(request, f"{here}/collections", "data"),
            _link(request, "/openapi.json", "service-desc", "application/vnd.oai.openapi+json;version=3.0"),
        ],
    }  # fmt: skip


@router.get("/conformance")
def conformance(current: NamedStudy) -> dict[str, Any]:
    """What holds, and nothing more."""
    del current
    return {"conformsTo": list(CONFORMS)}


def _collection(request: Request, name: str, current: Loaded) -> dict[str, Any]:
    here = f"/ogc/{current.slug}/collections/{name}"
    bounds = [float(v) for v in current.layers[name].total_bounds]
    extent: dict[str, Any] = {}
    if not any(map(math.isnan, bounds)):
        extent["spatial"] = {"bbox": [bounds], "crs": CRS84}
    days = sorted(day for day in current.layers[name][DAYS[name]] if day) if name in DAYS else []
    if days:
        ends = [[f"{days[0]}T00:00:00Z", f"{days[-1]}T23:59:59Z"]]
        extent["temporal"] = {"interval": ends, "trs": GREGORIAN}
    return {
        "id": name, "title": TITLES[name], "itemType": "feature", "crs": [CRS84, GCJ02], "storageCrs": CRS84,
        **({"extent": extent} if extent else {}),
        "links": [_link(request, here, "self"), _link(request, f"{here}/items", "items", GEOJSON)],
    }  # fmt: skip


@router.get("/collections")
def collections(request: Request, current: NamedStudy) -> dict[str, Any]:
    """Every layer of the results."""
    found = [_collection(request, name, current) for name in current.layers]
    return {"collections": found, "links": [_link(request, f"/ogc/{current.slug}/collections", "self")]}


@router.get("/collections/{name}")
def collection(request: Request, name: str, current: NamedStudy) -> dict[str, Any]:
    """One layer."""
    if name not in current.layers:
        raise HTTPException(404, "no such collection")
    return _collection(request, name, current)


@router.get("/collections/{name}/items", response_class=GeoJSON, responses=answered(GEOJSON, COLLECTION))
def items(
    request: Request, name: str, current: NamedStudy,
    bbox: Annotated[str | None, Query(max_length=200, description="west,south,east,north in degrees")] = None,
    limit: Annotated[int, Query(ge=1, description=f"at most {MOST} count")] = 10,
    offset: Annotated[int, Query(ge=0)] = 0,
    datetime: When = None, crs: Crs = None, bbox_crs: BoxCrs = None,
) -> Response:  # fmt: skip
    """Features, page by page; any property may filter (``?street=东湖街道``). Longitude first."""
    frame = _layer(current, name, crs)
    if bbox is not None:
        inside = _layer(current, name, bbox_crs).sindex.query(_box(bbox), predicate="intersects")
        frame = frame.iloc[sorted(set(inside.ravel().tolist()))]
    elif bbox_crs is not None:
        _known(bbox_crs)
    if datetime is not None:
        frame = _at(frame, name, datetime)
    for key, value in request.query_params.items():
        if key in OWN:
            continue
        if key not in frame.columns or key == frame.geometry.name:
            raise HTTPException(400, "no such parameter or property")
        frame = frame[frame[key].astype(str) == value]
    limit = min(limit, MOST)
    page = frame.iloc[offset : offset + limit]
    body = json.loads(page.to_json(drop_id=False))
    body.pop("crs", None)
    body |= {
        "numberMatched": len(frame),
        "numberReturned": len(page),
        "links": _turning(
            request, f"/ogc/{current.slug}/collections/{name}/items", limit, offset, len(frame)
        ),
    }
    return _told(body, crs)


def _turning(request: Request, here: str, limit: int, offset: int, count: int) -> list[dict[str, str]]:
    """Links to this page, the one after it and the one before it."""
    rest = [(k, v) for k, v in request.query_params.multi_items() if k not in {"limit", "offset"}]
    pages = {"self": offset}
    if offset + limit < count:
        pages["next"] = offset + limit
    if offset:
        pages["prev"] = max(0, offset - limit)
    return [
        _link(request, f"{here}?{urlencode([('limit', limit), ('offset', first), *rest])}", rel, GEOJSON)
        for rel, first in pages.items()
    ]


@router.get(
    "/collections/{name}/items/{feature}", response_class=GeoJSON, responses=answered(GEOJSON, FEATURE)
)
def item(request: Request, name: str, feature: int, current: NamedStudy, crs: Crs = None) -> Response:
    """One feature by its number in the layer."""
    frame = _layer(current, name, crs)
    if not 0 <= feature < len(frame):
        raise HTTPException(404, "no such feature")
    body = json.loads(frame.iloc[[feature]].to_json(drop_id=False))["features"][0]
    here = f"/ogc/{current.slug}/collections/{name}"
    body["links"] = [
        _link(request, f"{here}/items/{feature}" + (f"?{urlencode({'crs': crs})}" if crs else ""), "self", GEOJSON),
        _link(request, here, "collection"),
    ]  # fmt: skip
    return _told(body, crs)


def _told(body: dict[str, Any], crs: str | None) -> Response:
    return GeoJSON(json.dumps(body, ensure_ascii=False), headers={"Content-Crs": f"<{crs or CRS84}>"})


def _known(crs: str | None) -> None:
    if crs not in (None, CRS84, GCJ02):
        raise HTTPException(400, "no such crs")


def _layer(current: Loaded, name: str, crs: str | None) -> gpd.GeoDataFrame:
    """A layer with its geometries in a CRS, or 404, or 400."""
    if name not in current.layers:
        raise HTTPException(404, "no such collection")
    _known(crs)
    if crs != GCJ02:
        return current.layers[name]
    if name not in current.shifted:
        current.shifted[name] = pipeline.in_gcj02(current.layers[name])
    return current.shifted[name]


def _at(frame: gpd.GeoDataFrame, name: str, moments: str) -> gpd.GeoDataFrame:
    try:
        within = span(moments)
    except ValueError as error:
        raise HTTPException(400, "datetime is an instant, a day or an interval") from error
    return frame[[meets(day, within) for day in frame[DAYS[name]]]] if name in DAYS else frame


def _box(text: str) -> Any:
    from shapely.geometry import box

    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise HTTPException(400, "bbox is four or six numbers") from error
    if len(numbers) == 6:
        numbers = [numbers[0], numbers[1], numbers[3], numbers[4]]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)) or numbers[1] > numbers[3]:
        raise HTTPException(400, "bbox is four or six numbers")
    west, south, east, north = numbers
    if west <= east:
        return box(west, south, east, north)
    return [box(west, south, 180.0, north), box(-180.0, south, east, north)]  # across the antimeridian
