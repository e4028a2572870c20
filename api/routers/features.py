"""The results as OGC API - Features, Part 1 (core, GeoJSON): what QGIS, GDAL and others read."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response

from api.openapi import COLLECTION, FEATURE, GEOJSON, GeoJSON, answered
from api.state import Loaded, NamedStudy

router = APIRouter(prefix="/ogc/{study}", tags=["OGC API - Features"])
CONFORMS = (
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
)
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
TITLES = {
    "stations": "驿站 Stations", "communities": "社区 Communities", "isochrones": "等时圈 Isochrones", "gaps": "盲区 Gaps",
    "recommendations": "选址建议 Recommended sites", "problems": "小哥有话说 Problems",
}  # fmt: skip
MOST = 10_000
OWN = frozenset({"bbox", "limit", "offset", "datetime", "f"})


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
    extent = {} if any(map(math.isnan, bounds)) else {"extent": {"spatial": {"bbox": [bounds], "crs": CRS84}}}
    return {
        "id": name, "title": TITLES[name], "itemType": "feature", "crs": [CRS84], **extent,
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
    limit: Annotated[int, Query(ge=1, le=MOST)] = 10, offset: Annotated[int, Query(ge=0)] = 0,
) -> Response:  # fmt: skip
    """Features, page by page; any property may filter (``?street=东湖街道``). WGS-84, longitude first."""
    if name not in current.layers:
        raise HTTPException(404, "no such collection")
    frame = current.layers[name]
    if bbox is not None:
        frame = frame.iloc[sorted(frame.sindex.query(_box(bbox), predicate="intersects"))]
    for key, value in request.query_params.items():
        if key in OWN:
            continue
        if key not in frame.columns or key == frame.geometry.name:
            raise HTTPException(400, "no such parameter or property")
        frame = frame[frame[key].astype(str) == value]
    page = frame.iloc[offset : offset + limit]
    body = json.loads(page.to_json(drop_id=False))
    body.pop("crs", None)
    here = f"/ogc/{current.slug}/collections/{name}/items"
    query = "".join(
        f"&{k}={v}" for k, v in request.query_params.multi_items() if k not in {"limit", "offset"}
    )
    links = [_link(request, f"{here}?limit={limit}&offset={offset}{query}", "self", GEOJSON)]
    if offset + limit < len(frame):
        links.append(_link(request, f"{here}?limit={limit}&offset={offset + limit}{query}", "next", GEOJSON))
    if offset:
        links.append(
            _link(request, f"{here}?limit={limit}&offset={max(0, offset - limit)}{query}", "prev", GEOJSON)
        )
    body |= {"numberMatched": len(frame), "numberReturned": len(page), "links": links}
    return GeoJSON(json.dumps(body, ensure_ascii=False))


@router.get(
    "/collections/{name}/items/{feature}", response_class=GeoJSON, responses=answered(GEOJSON, FEATURE)
)
def item(name: str, feature: int, current: NamedStudy) -> Response:
    """One feature by its number in the layer."""
    if name not in current.layers or not 0 <= feature < len(current.layers[name]):
        raise HTTPException(404, "no such feature")
    body = json.loads(current.layers[name].iloc[[feature]].to_json(drop_id=False))["features"][0]
    return GeoJSON(json.dumps(body, ensure_ascii=False))


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
    return box(*numbers)
