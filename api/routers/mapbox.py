"""Isochrones as Mapbox answers them, for its clients."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from api.openapi import answered, mapbox_query
from api.quick import QuickRoute
from api.routers.valhalla import COLOURS
from api.shapes import GENERALIZE_M, MAPBOX_PROFILES, contour_features, written
from api.state import Loaded, around, studies_of
from geo.errors import InputError
from geo.models import Mode

router = APIRouter(prefix="/isochrone/v1", tags=["mapbox"], route_class=QuickRoute)
MOST_CONTOURS = 4
_PLACE = re.compile(r"(-?\d{1,3}(?:\.\d+)?),(-?\d{1,2}(?:\.\d+)?)")


def _said(code: str, message: str, status: int) -> Response:
    return JSONResponse({"code": code, "message": message}, status_code=status)


class Wish(NamedTuple):
    """A question that can be answered."""

    current: Loaded
    lon: float
    lat: float
    mode: Mode
    minutes: list[int]
    colours: list[str]
    polygons: bool
    least_share: float
    tolerance_m: float


@router.get("/{user}/{profile}/{place}", responses=answered("application/json"), openapi_extra=mapbox_query())
async def isochrone(
    request: Request,
    user: Annotated[str, Path(examples=["mapbox"])], profile: Annotated[str, Path(examples=["walking"])],
    place: Annotated[str, Path(examples=["115.8,32.9"], description="longitude,latitude")],
) -> Response:  # fmt: skip
    """``GET /isochrone/v1/{user}/{profile}/{lon},{lat}?contours_minutes=5,10``: the largest contour first."""
    del user  # any account is taken
    studies = studies_of(request)
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
    least_share, tolerance_m = _size(asked, "denoise", 1.0), _size(asked, "generalize", GENERALIZE_M)
    if least_share is None or least_share > 1.0 or tolerance_m is None:
        return _said("InvalidInput", "denoise must be 0 to 1, generalize 0 or more metres", 422)
    wish = Wish(
        current, float(match[1]), float(match[2]), mode, minutes,
        [f"#{c}" for c in colours] or [COLOURS[i % len(COLOURS)] for i in range(len(minutes))],
        asked.get("polygons", "").lower() == "true", least_share, tolerance_m,
    )  # fmt: skip
    try:
        answer = await request.app.state.background.run(_answer, wish)
    except InputError:
        return _said("NoSegment", "Could not find a matching segment for input coordinate", 200)
    return Response(answer, media_type="application/json")


def _size(asked: Mapping[str, str], name: str, default: float) -> float | None:
    """A plain number of the query, not negative; None where it is something else."""
    if name not in asked:
        return default
    return float(asked[name]) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", asked[name], re.ASCII) else None


def _answer(wish: Wish) -> bytes:
    found = wish.current.session.contours(
        wish.lon, wish.lat, minutes=wish.minutes, mode=wish.mode, direction="from_station",
        tolerance_m=wish.tolerance_m, least_share=wish.least_share,
    )  # fmt: skip
    features: list[dict[str, Any]] = []
    for time, colour in reversed(list(zip(wish.minutes, wish.colours, strict=True))):
        features += contour_features(found, time, colour, polygons=wish.polygons)
    return written({"type": "FeatureCollection", "features": features})
