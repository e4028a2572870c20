"""Isochrones as openrouteservice answers them (API v2), for its clients."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from api.errors import body_json
from api.shapes import ORS_PROFILES, single
from api.state import CurrentStudy, Loaded
from geo.errors import InputError

router = APIRouter(prefix="/ors/v2/isochrones", tags=["openrouteservice"])
MEDIA = "application/geo+json;charset=UTF-8"
MOST_LOCATIONS, MOST_RINGS = 5, 10
LARGEST = 1e12  # beyond, and NaN, a number means nothing here
ATTRIBUTES = ("area", "reachfactor", "total_pop")  # taken without an error, not answered
FIELDS = frozenset({
    "locations", "range", "range_type", "interval", "units", "location_type", "smoothing", "attributes", "area_units",
    "intersections", "options", "id", "time", "profile",
})  # fmt: skip


class OrsError(Exception):
    """A failure in openrouteservice's own shape: its code, and the status that goes with it."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@router.post("/{profile}")
@router.post("/{profile}/geojson")
async def isochrones(request: Request, current: CurrentStudy, profile: str) -> Response:
    """``POST /ors/v2/isochrones/{profile}[/geojson]``: seconds by network; one Polygon each, as its clients expect."""
    try:
        ask = await body_json(request, current.settings.max_body_bytes)
        answer = await run_in_threadpool(_answer, current, profile, ask)
    except ValueError:
        return _failed(OrsError(3000, "Malformed JSON body."))
    except OrsError as error:
        return _failed(error)
    return JSONResponse(answer, media_type=MEDIA)


def _failed(error: OrsError) -> Response:
    body = {
        "error": {"code": error.code, "message": error.message},
        "info": {"engine": {"version": "redmap"}, "timestamp": _now()},
    }
    return JSONResponse(body, status_code=error.status)


def _now() -> int:
    return int(time.time() * 1000)


def _answer(current: Loaded, profile: str, ask: Any) -> dict[str, Any]:
    if not isinstance(ask, dict):
        raise OrsError(3000, "Malformed JSON body.")
    for field in ask:
        if field not in FIELDS:
            raise OrsError(3011, f"Unknown parameter '{field[:80]}'.")
    mode = ORS_PROFILES.get(profile)
    if mode is None or mode not in current.session.modes:
        raise OrsError(3003, "Parameter 'profile' has incorrect value.")
    if ask.get("range_type", "time") != "time":
        raise OrsError(3005, "Parameter 'range_type' is supported for 'time' only.")
    ends = {"start": "from_station", "destination": "to_station"}
    direction: Any = ends.get(str(ask.get("location_type", "start")))
    if direction is None:
        raise OrsError(3003, "Parameter 'location_type' has incorrect value.")
    if ask.get("intersections"):
        raise OrsError(3005, "Parameter 'intersections' is not supported.")
    wanted = ask.get("attributes") or []
    if not isinstance(wanted, list) or any(name not in ATTRIBUTES for name in wanted):
        raise OrsError(3003, "Parameter 'attributes' has incorrect value.")
    places, minutes = _places(ask), _minutes(ask, current.settings.max_minutes)
    features = []
    boxes = []
    for index, (lon, lat) in enumerate(places):
        try:
            frame = current.session.isochrone(
                lon, lat, minutes=minutes, mode=mode, shares=False, direction=direction
            )
        except InputError as error:
            raise OrsError(3099, "The closest node is null.", 400) from error
        for row in frame.itertuples():
            shape: Any = row.geometry
            features.append(
                {
                    "type": "Feature",
                    "properties": {"group_index": index, "value": float(row.minutes) * 60.0, "center": [float(row.lon), float(row.lat)]},
                    "geometry": single(shape, float(row.lon), float(row.lat)),
                }
            )  # fmt: skip
            boxes.append(shape.bounds)
    west, south, east, north = (f(b[i] for b in boxes) for i, f in enumerate((min, min, max, max)))
    return {
        "type": "FeatureCollection", "bbox": [west, south, east, north], "features": features,
        "metadata": {
            "attribution": "openstreetmap.org, Red Map", "service": "isochrones", "timestamp": _now(),
            "query": {**{k: v for k, v in ask.items() if k != "id"}, "profile": profile},
            "engine": {"version": "redmap", "graph_date": current.result.network.source_date},
            **({"id": ask["id"]} if ask.get("id") is not None else {}),
            "system_message": "Single polygons: parts apart from the centre are left out; the native route has all.",
        },
    }  # fmt: skip


def _places(ask: Mapping[str, Any]) -> list[tuple[float, float]]:
    found = ask.get("locations")
    if found is None:
        raise OrsError(3001, "Parameter 'locations' is missing.")
    if not isinstance(found, list) or not found:
        raise OrsError(3002, "Parameter 'locations' has incorrect value or format.")
    if len(found) > MOST_LOCATIONS:
        raise OrsError(
            3004,
            f"Parameter 'locations={len(found)}' is out of range. Maximum possible value is {MOST_LOCATIONS}.",
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
            count = math.ceil(seconds[0] / interval)
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
