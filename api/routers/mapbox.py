"""Isochrones as Mapbox answers them, for its clients."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from api.openapi import answered, mapbox_query
from api.routers.valhalla import COLOURS
from api.shapes import MAPBOX_PROFILES, part_at, rings, single, written
from api.state import AllStudies, Loaded, around
from geo.errors import InputError

router = APIRouter(prefix="/isochrone/v1", tags=["mapbox"])
MOST_CONTOURS = 4
_PLACE = re.compile(r"(-?\d{1,3}(?:\.\d+)?),(-?\d{1,2}(?:\.\d+)?)")


def _said(code: str, message: str, status: int) -> Response:
    return JSONResponse({"code": code, "message": message}, status_code=status)


@router.get("/{user}/{profile}/{place}", responses=answered("application/json"), openapi_extra=mapbox_query())
async def isochrone(
    request: Request, studies: AllStudies,
    user: Annotated[str, Path(examples=["mapbox"])], profile: Annotated[str, Path(examples=["walking"])],
    place: Annotated[str, Path(examples=["115.8,32.9"], description="longitude,latitude")],
) -> Response:  # fmt: skip
    """``GET /isochrone/v1/{user}/{profile}/{lon},{lat}?contours_minutes=5,10``: the largest contour first."""
    del user  # any account is taken
    match, asked = _PLACE.fullmatch(place), request.query_params
    if match is None or abs(float(match[1])) > 180 or abs(float(match[2])) > 90:
        return _said("InvalidInput", "Coordinate is invalid: expected {longitude},{latitude}", 422)
    current = around(studies, float(match[1]), float(match[2]))
    mode = MAPBOX_PROFILES.get(profile)
    if mode is None or mode not in current.session.modes:
        return _said("ProfileNotFound", "Profile not found", 404)
    texts = asked.get("contours_minutes", "").split(",")
    if "contours_meters" in asked or not all(re.fullmatch(r"\d{1,2}", t) and int(t) > 0 for t in texts):
        return _said("InvalidInput", "contours_minutes must be whole numbers from 1 to 60", 422)
    minutes = [int(t) for t in texts]
    if (
        sorted(set(minutes)) != minutes
        or len(minutes) > MOST_CONTOURS
        or minutes[-1] > current.settings.max_minutes
    ):
        return _said(
            "InvalidInput",
            f"contours_minutes must increase, at most {MOST_CONTOURS} up to {current.settings.max_minutes:g}",
            422,
        )
    colours = [c for c in asked.get("contours_colors", "").split(",") if c]
    if colours and (
        len(colours) != len(minutes) or not all(re.fullmatch(r"[0-9a-fA-F]{3,8}", c) for c in colours)
    ):
        return _said("InvalidInput", "contours_colors must be one colour for each contour", 422)
    try:
        answer = await run_in_threadpool(
            _answer, current, float(match[1]), float(match[2]), minutes, mode,
            colours=[f"#{c}" for c in colours] or [COLOURS[i % len(COLOURS)] for i in range(len(minutes))],
            polygons=asked.get("polygons", "").lower() == "true",
        )  # fmt: skip
    except InputError:
        return _said("NoSegment", "Could not find a matching segment for input coordinate", 200)
    return Response(answer, media_type="application/json")


def _answer(
    current: Loaded,
    lon: float,
    lat: float,
    minutes: list[int],
    mode: Any,
    *,
    colours: list[str],
    polygons: bool,
) -> bytes:
    found = current.session.isochrone(
        lon, lat, minutes=minutes, mode=mode, shares=False, direction="from_station"
    )
    at = (found.lon, found.lat)
    features = []
    for time, shape, colour in reversed(list(zip(minutes, found.shapes, colours, strict=True))):
        geometry = single(shape, *at)
        if not polygons:
            geometry = {"type": "LineString", "coordinates": rings(_largest(shape, *at))[0]}
        features.append(
            {
                "type": "Feature",
                "properties": {
                    "contour": time, "metric": "time", "color": colour, "opacity": 0.33, "fill": colour, "fill-opacity": 0.33,
                    "fillColor": colour, "fillOpacity": 0.33,
                },
                "geometry": geometry,
            }
        )  # fmt: skip
    return written({"type": "FeatureCollection", "features": features})


def _largest(shape: Any, lon: float, lat: float) -> Any:
    if shape.is_empty:
        return part_at(shape, lon, lat)
    return max(getattr(shape, "geoms", [shape]), key=lambda part: part.area)
