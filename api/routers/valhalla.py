"""Isochrones as Valhalla answers them, for its clients."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from numpy.typing import NDArray

from api import dialects
from api.errors import body_json, read_json
from api.openapi import COLLECTION, answered, valhalla_body, valhalla_query
from api.shapes import DECIMALS, VALHALLA_COSTINGS, echoed, written
from api.state import AllStudies, Loaded, around
from geo import pipeline
from geo.errors import InputError

router = APIRouter(prefix="/valhalla", tags=["valhalla"])
MOST_CONTOURS = 4
LARGEST = 1e12  # beyond, and NaN, a number means nothing here
COLOURS = ("#bf4040", "#bf9f40", "#40bf55", "#4080bf")


class ValhallaError(Exception):
    """A failure in Valhalla's own shape."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@router.get("/isochrone", responses=answered("application/json", COLLECTION), openapi_extra=valhalla_query())
@router.post("/isochrone", responses=answered("application/json", COLLECTION), openapi_extra=valhalla_body())
async def isochrone(request: Request, studies: AllStudies) -> Response:
    """``GET ?json=`` or ``POST /valhalla/isochrone``: one feature a contour, the largest first."""
    try:
        if request.method == "GET":
            ask = read_json(request.query_params.get("json", ""))
        else:
            ask = await body_json(request, next(iter(studies.values())).settings.max_body_bytes)
        answer = await run_in_threadpool(_answer, studies, ask)
    except ValueError:
        return _failed(ValhallaError(100, "Failed to parse json request"))
    except ValhallaError as error:
        return _failed(error)
    return Response(answer, media_type="application/json")


def _failed(error: ValhallaError) -> Response:
    return JSONResponse(
        dialects.valhalla_body(error.code, error.message, error.status), status_code=error.status
    )


def _answer(studies: Mapping[str, Loaded], ask: Any) -> bytes:
    """The body of an answer, written off the event loop."""
    if not isinstance(ask, dict):
        raise ValhallaError(100, "Failed to parse json request")
    places = ask.get("locations")
    if not isinstance(places, list):
        raise ValhallaError(110, "Insufficiently specified required parameter 'locations'")
    if not places:
        raise ValhallaError(120, "Insufficient number of locations provided")
    if len(places) > 1:
        raise ValhallaError(150, "Exceeded max locations: 1")
    place = places[0]
    if (
        not isinstance(place, dict)
        or not all(_number(place.get(k)) for k in ("lat", "lon"))
        or abs(place["lat"]) > 90
        or abs(place["lon"]) > 180
    ):
        raise ValhallaError(130, "Failed to parse location")
    current = around(studies, place["lon"], place["lat"])
    if ask.get("format", "json") != "json":
        raise ValhallaError(107, "Not Implemented", 501)
    costing = ask.get("costing")
    if not isinstance(costing, str):
        raise ValhallaError(124, "No edge/node costing provided")
    mode = VALHALLA_COSTINGS.get(costing)
    if mode is None or mode not in current.session.modes:
        raise ValhallaError(125, "No costing method found")
    direction: Any = "to_station" if ask.get("reverse") is True else "from_station"
    minutes = _contours(ask, current.settings.max_minutes)
    try:
        found = current.session.isochrone(
            place["lon"], place["lat"], minutes=list(minutes), mode=mode, shares=False, direction=direction
        )
    except InputError as error:
        raise ValhallaError(171, "No suitable edges near location") from error
    at = (found.lon, found.lat)
    features = []
    for index, (time, given) in enumerate(sorted(minutes.items(), reverse=True)):
        colour = given or COLOURS[index % len(COLOURS)]
        features.append(
            {
                "type": "Feature",
                "properties": {
                    "contour": time, "metric": "time", "color": colour, "opacity": 0.33, "fill": colour, "fill-opacity": 0.33,
                    "fillColor": colour, "fillOpacity": 0.33,
                },
                "geometry": _geometry(found, time, polygons=ask.get("polygons") is True or ask.get("polygons") == "true"),
            }
        )  # fmt: skip
    if ask.get("show_locations") is True:
        features += _locations(place, *at)
    answer: dict[str, Any] = {"type": "FeatureCollection", "features": features}
    return written({**answer, "id": echoed(ask["id"])} if "id" in ask else answer)


def _locations(place: Mapping[str, Any], lon: float, lat: float) -> list[dict[str, Any]]:
    """Where the search began, and what was asked."""
    snapped = [round(lon, DECIMALS), round(lat, DECIMALS)]
    told = (
        ("snapped", {"type": "MultiPoint", "coordinates": [snapped]}),
        ("input", {"type": "Point", "coordinates": [place["lon"], place["lat"]]}),
    )
    return [
        {"type": "Feature", "properties": {"type": kind, "location_index": 0}, "geometry": geometry}
        for kind, geometry in told
    ]


def _geometry(found: pipeline.Isochrone, time: float, *, polygons: bool) -> dict[str, Any]:
    parts = found.rings.polygons(found.minutes.index(time))
    rounded = [[ring.round(DECIMALS) for ring in part] for part in sorted(parts, key=_size, reverse=True)]
    if not rounded:  # the time ends before the first way
        rounded = [[np.array([[found.lon, found.lat]] * 4).round(DECIMALS)]]
    if polygons and len(rounded) == 1:
        return {"type": "Polygon", "coordinates": rounded[0]}
    if polygons:
        return {"type": "MultiPolygon", "coordinates": rounded}
    return {"type": "LineString", "coordinates": rounded[0][0]}


def _size(part: list[NDArray[np.float64]]) -> float:
    """What tells a large part from a small one: the area within its outer ring, in square degrees."""
    x, y = (part[0] - part[0][0]).T
    return float(x[:-1] @ y[1:] - x[1:] @ y[:-1])


def _contours(ask: Mapping[str, Any], longest: float) -> dict[float, str]:
    found = ask.get("contours")
    if not isinstance(found, list) or not found:
        raise ValhallaError(113, "Insufficiently specified required parameter 'contours'")
    if len(found) > MOST_CONTOURS:
        raise ValhallaError(152, f"Exceeded max contours: {MOST_CONTOURS}")
    minutes: dict[float, str] = {}
    for contour in found:
        time: Any = contour.get("time") if isinstance(contour, dict) else None
        if not _number(time) or time <= 0:
            raise ValhallaError(111, "Insufficiently specified required parameter 'time'")
        if time > longest:
            raise ValhallaError(151, f"Exceeded max time: {longest:g}")
        colour = contour.get("color")
        minutes[float(time)] = (
            f"#{colour}" if isinstance(colour, str) and re.fullmatch(r"[0-9a-fA-F]{6}", colour) else ""
        )
    return minutes


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST
