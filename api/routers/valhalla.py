"""Isochrones as Valhalla answers them, for its clients."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api import dialects
from api.errors import body_json, read_json
from api.openapi import COLLECTION, answered, valhalla_body, valhalla_query
from api.quick import QuickRoute
from api.shapes import DECIMALS, GENERALIZE_M, VALHALLA_COSTINGS, contour_features, echoed, written
from api.state import Loaded, around, studies_of
from geo.errors import InputError
from geo.models import Direction, Mode

router = APIRouter(prefix="/valhalla", tags=["valhalla"], route_class=QuickRoute)
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
async def isochrone(request: Request) -> Response:
    """``GET ?json=`` or ``POST /valhalla/isochrone``: the largest contour first; ``denoise`` and ``generalize`` as Valhalla has them.

    By default (``denoise`` 1, ``generalize`` 27 m) one ring a contour, as there; ``{"denoise": 0, "generalize": 0}`` is
    all of it, islands and holes, to a quarter of a metre.
    """
    studies = studies_of(request)
    try:
        if request.method == "GET":
            ask = read_json(request.query_params.get("json", ""))
        else:
            ask = await body_json(request, next(iter(studies.values())).settings.max_body_bytes)
        wish = _wish(studies, ask)
        answer = await request.app.state.background.run(_answer, wish)
    except ValueError:
        return _failed(ValhallaError(100, "Failed to parse json request"))
    except ValhallaError as error:
        return _failed(error)
    return Response(answer, media_type="application/json")


def _failed(error: ValhallaError) -> Response:
    return JSONResponse(
        dialects.valhalla_body(error.code, error.message, error.status), status_code=error.status
    )


class Wish(NamedTuple):
    """A question that can be answered."""

    ask: Mapping[str, Any]
    current: Loaded
    lon: float
    lat: float
    mode: Mode
    direction: Direction
    minutes: dict[float, str]
    polygons: bool
    least_share: float
    tolerance_m: float


def _wish(studies: Mapping[str, Loaded], ask: Any) -> Wish:
    """Check a question, in the order that Valhalla does."""
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
    return Wish(
        ask, current, float(place["lon"]), float(place["lat"]), mode,
        "to_station" if ask.get("reverse") is True else "from_station",
        _contours(ask, current.settings.max_minutes), ask.get("polygons") is True or ask.get("polygons") == "true",
        min(1.0, _size(ask, "denoise", 1.0)),
        _size(ask, "generalize", GENERALIZE_M),
    )  # fmt: skip


def _answer(wish: Wish) -> bytes:
    """The body of an answer."""
    try:
        found = wish.current.session.contours(
            wish.lon, wish.lat, minutes=list(wish.minutes), mode=wish.mode, direction=wish.direction,
            tolerance_m=wish.tolerance_m, least_share=wish.least_share,
        )  # fmt: skip
    except InputError as error:
        raise ValhallaError(171, "No suitable edges near location") from error
    features = []
    for index, (time, given) in enumerate(sorted(wish.minutes.items(), reverse=True)):
        colour = given or COLOURS[index % len(COLOURS)]
        features += contour_features(found, time, colour, polygons=wish.polygons)
    if wish.ask.get("show_locations") is True:
        features += _locations(wish.ask["locations"][0], *found.snapped)
    answer: dict[str, Any] = {"type": "FeatureCollection", "features": features}
    return written({**answer, "id": echoed(wish.ask["id"])} if "id" in wish.ask else answer)


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


def _size(ask: Mapping[str, Any], name: str, default: float) -> float:
    """A number that is not negative; the default where it is none."""
    given: Any = ask.get(name)
    return max(0.0, float(given)) if _number(given) else default


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST
