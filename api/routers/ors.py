"""Isochrones as openrouteservice answers them (API v2), for its clients."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api import dialects
from api.errors import body_json
from api.openapi import COLLECTION, answered, ors_body
from api.quick import QuickRoute
from api.shapes import ORS_PROFILES, echoed, geodesic_m2, part_at, rings, written
from api.state import Loaded, around, studies_of
from geo.errors import InputError
from geo.models import Direction, Mode

router = APIRouter(prefix="/ors/v2/isochrones", tags=["openrouteservice"], route_class=QuickRoute)
MEDIA = "application/geo+json;charset=UTF-8"
MOST_RINGS = 10
LARGEST = 1e12  # beyond, and NaN, a number means nothing here
ATTRIBUTES = ("area", "reachfactor", "total_pop")  # the last is taken without an error, not answered
OPTIONS = (
    "avoid_features",
    "avoid_borders",
    "avoid_countries",
    "avoid_polygons",
    "vehicle_type",
    "profile_params",
)
FIELDS = frozenset({
    "locations", "range", "range_type", "interval", "units", "location_type", "smoothing", "attributes", "area_units",
    "intersections", "options", "id", "time", "profile",
})  # fmt: skip


UNITS_M = {"m": 1.0, "km": 1000.0, "mi": 1609.34}


class OrsError(Exception):
    """A failure in openrouteservice's own shape: its code, and the status that goes with it."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@router.post("", include_in_schema=False)
async def no_profile(_request: Request) -> Response:
    """The profile is part of the address."""
    return _failed(OrsError(3001, "Parameter 'profile' is missing."))


@router.post(
    "/{profile}/geojson",
    responses=answered(MEDIA, COLLECTION),
    openapi_extra=ors_body(),
    response_class=Response,
)
@router.post(
    "/{profile}", responses=answered(MEDIA, COLLECTION), openapi_extra=ors_body(), response_class=Response
)
async def isochrones(request: Request, profile: str) -> Response:
    """``POST /ors/v2/isochrones/{profile}[/geojson]``: seconds by network; one Polygon each, as its clients expect."""
    studies = studies_of(request)
    try:
        ask = await body_json(request, next(iter(studies.values())).settings.max_body_bytes)
        wish = _wish(studies, profile, ask)
        answer = await request.app.state.background.run(_answer, wish)
    except ValueError:
        return _failed(OrsError(3000, "Malformed JSON body."))
    except OrsError as error:
        return _failed(error)
    return Response(answer, media_type=MEDIA)


@router.post("/{profile}/{suffix}", include_in_schema=False)
async def other_format(_request: Request, profile: str, suffix: str) -> Response:
    """Any other ending is a format that is not exported."""
    del profile, suffix
    return _failed(OrsError(3007, "This response format is not supported", 406))


def _failed(error: OrsError) -> Response:
    return JSONResponse(dialects.ors_body(error.code, error.message), status_code=error.status)


def _now() -> int:
    return int(time.time() * 1000)


class Wish(NamedTuple):
    """A question that can be answered."""

    ask: Mapping[str, Any]
    current: Loaded
    profile: str
    places: list[tuple[float, float]]
    minutes: list[float]
    mode: Mode
    direction: Direction


def _wish(studies: Mapping[str, Loaded], profile: str, ask: Any) -> Wish:
    """Check a question."""
    if not isinstance(ask, dict):
        raise OrsError(3000, "Malformed JSON body.")
    _fields(ask)
    some = next(iter(studies.values()))
    places = _places(ask, some.settings.max_locations)
    minutes = _minutes(ask, some.settings.max_minutes)
    current = around(studies, *places[0])
    mode = ORS_PROFILES.get(profile)
    if mode is None or mode not in current.session.modes:
        raise OrsError(3003, f"Parameter 'profile' has incorrect value of '{profile[:80]}'.")
    direction: Any = {"start": "from_station", "destination": "to_station"}[ask.get("location_type", "start")]
    return Wish(ask, current, profile, places, minutes, mode, direction)


def _answer(wish: Wish) -> bytes:
    """The body of an answer."""
    ask, session = wish.ask, wish.current.session
    travel = session.moved(wish.mode, wish.direction).travel
    speed_ms = travel.straight_limit_m / travel.limit_s
    features = []
    boxes = []
    for index, (lon, lat) in enumerate(wish.places):
        try:
            found = session.isochrone(
                lon, lat, minutes=wish.minutes, mode=wish.mode, shares=False, direction=wish.direction
            )
        except InputError as error:
            raise OrsError(3099, "The closest node is null.", 400) from error
        for passed, whole in zip(found.minutes, found.shapes, strict=True):
            shape: Any = part_at(whole, *found.snapped)
            seconds = passed * 60.0
            properties = {
                "group_index": index, "value": seconds, "center": [*found.snapped],
                **_attributes(ask, shape, most_m2=math.pi * (speed_ms * seconds) ** 2),
            }  # fmt: skip
            geometry = {"type": "Polygon", "coordinates": rings(shape)}
            features.append({"type": "Feature", "properties": properties, "geometry": geometry})
            boxes.append(shape.bounds)
    west, south, east, north = (f(b[i] for b in boxes) for i, f in enumerate((min, min, max, max)))
    body = {
        "type": "FeatureCollection", "bbox": [west, south, east, north], "features": features,
        "metadata": {
            "attribution": "openstreetmap.org, Red Map", "service": "isochrones", "timestamp": _now(),
            "query": echoed({**{k: v for k, v in ask.items() if k != "id"}, "profile": wish.profile}),
            "engine": {"version": "redmap", "graph_date": wish.current.result.network.source_date},
            **({"id": echoed(ask["id"])} if ask.get("id") is not None else {}),
            "system_message": "Single polygons: parts apart from the centre are left out; the native route has all.",
        },
    }  # fmt: skip
    return written(body)


def _fields(ask: Mapping[str, Any]) -> None:
    """Refuse fields that are unknown, wrong, or would change the answer in a way that we cannot."""
    for field in ask:
        if field not in FIELDS:
            raise OrsError(3011, f"Unknown parameter '{field[:80]}'.")
    if ask.get("range_type", "time") not in ("time", "distance"):
        raise OrsError(3003, "Parameter 'range_type' has incorrect value.")
    if ask.get("range_type", "time") != "time":
        raise OrsError(3005, "Parameter 'range_type' is supported for 'time' only.")
    for name, known in (
        ("location_type", ("start", "destination")),
        ("units", tuple(UNITS_M)),
        ("area_units", tuple(UNITS_M)),
    ):
        if name in ask and ask[name] not in known:
            raise OrsError(3003, f"Parameter '{name}' has incorrect value.")
    if ask.get("intersections") not in (None, False):
        raise OrsError(3005, "Parameter 'intersections' is not supported.")
    wanted = ask.get("attributes") or []
    if not isinstance(wanted, list) or any(name not in ATTRIBUTES for name in wanted):
        raise OrsError(3003, "Parameter 'attributes' has incorrect value.")
    smoothing = ask.get("smoothing")
    if smoothing is not None and not (_number(smoothing) and 0 <= smoothing <= 100):
        raise OrsError(3003, "Parameter 'smoothing' has incorrect value.")
    options = ask.get("options") or {}
    if not isinstance(options, dict):
        raise OrsError(3002, "Parameter 'options' has incorrect value or format.")
    for name, value in options.items():
        if name not in OPTIONS:
            raise OrsError(3011, f"Unknown parameter '{name[:80]}'.")
        if value not in ([], {}, None, "none"):  # an empty wish changes nothing
            raise OrsError(3005, f"Parameter 'options.{name}' is not supported.")


def _attributes(ask: Mapping[str, Any], shape: Any, *, most_m2: float) -> dict[str, float]:
    """Area of the polygon that is answered, in ``area_units`` squared, and its share of what the bird reaches."""
    wanted = ask.get("attributes") or []
    found = {}
    if "area" in wanted or "reachfactor" in wanted:
        area_m2 = geodesic_m2(shape)
        if "area" in wanted:
            found["area"] = area_m2 / UNITS_M[ask.get("area_units", "m")] ** 2
        if "reachfactor" in wanted:
            found["reachfactor"] = min(1.0, area_m2 / most_m2)
    return found


def _places(ask: Mapping[str, Any], most: int) -> list[tuple[float, float]]:
    found = ask.get("locations")
    if found is None:
        raise OrsError(3001, "Parameter 'locations' is missing.")
    if not isinstance(found, list) or not found:
        raise OrsError(3002, "Parameter 'locations' has incorrect value or format.")
    if len(found) > most:
        raise OrsError(
            3004,
            f"Parameter 'locations={len(found)}' is out of range. Maximum possible value is {most}.",
        )
    places = []
    for place in found:
        good = isinstance(place, list) and len(place) == 2 and all(_number(v) for v in place)
        if not good or abs(place[0]) > 180 or abs(place[1]) > 90:
            raise OrsError(3003, "Parameter 'locations' has incorrect value.")
        places.append((float(place[0]), float(place[1])))
    return places


def _minutes(ask: Mapping[str, Any], longest: float) -> list[float]:
    ranges, interval = ask.get("range"), ask.get("interval")
    if ranges is None:
        raise OrsError(3001, "Parameter 'range' is missing.")
    if not isinstance(ranges, list) or not ranges or not all(_number(v) and v > 0 for v in ranges):
        raise OrsError(3002, "Parameter 'range' has incorrect value or format.")
    if max(ranges) > longest * 60:
        raise OrsError(
            3004,
            f"Parameter 'range={max(ranges)}' is out of range. Maximum possible value is {longest * 60:g}.",
        )
    seconds = sorted({float(v) for v in ranges})
    if interval is not None:
        if not _number(interval) or interval <= 0:
            raise OrsError(3002, "Parameter 'interval' has incorrect value or format.")
        if len(seconds) == 1:
            if interval > seconds[0]:
                raise OrsError(
                    3004,
                    f"Parameter 'interval={interval}' is out of range. Maximum possible value is {seconds[0]}.",
                )
            count = math.ceil(min(seconds[0] / interval, 1e6))  # finite, however small the interval
            if count > MOST_RINGS:
                raise OrsError(
                    3012, f"Resulting number of {count} isochrones exceeds maximum value of {MOST_RINGS}."
                )
            seconds = [min(interval * k, seconds[0]) for k in range(1, count + 1)]
    if len(seconds) > MOST_RINGS:
        raise OrsError(
            3012, f"Resulting number of {len(seconds)} isochrones exceeds maximum value of {MOST_RINGS}."
        )
    return [s / 60.0 for s in seconds]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST
