"""Figures and shapes: the summary and isochrones round any position."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.openapi import COLLECTION, GEOJSON, GeoJSON, answered
from api.shapes import isochrone_told
from api.state import CurrentStudy
from geo.errors import Defect, InputError

router = APIRouter(tags=["analysis"])
MAX_BANDS = 10


@router.get("/summary")
def summary(current: CurrentStudy) -> dict[str, Any]:
    """summary.json of the study."""
    return dict(current.result.summary)


@router.get("/isochrone", response_class=GeoJSON, responses=answered(GEOJSON, COLLECTION))
async def isochrone(
    request: Request,
    current: CurrentStudy,
    lon: Annotated[float, Query(ge=-180, le=180, description="WGS-84 degrees", examples=[115.8])],
    lat: Annotated[float, Query(ge=-90, le=90, description="WGS-84 degrees", examples=[32.9])],
    minutes: Annotated[str, Query(description="one or several, e.g. 5,10,15", examples=["5,10,15"])] = "15",
) -> Response:
    """Nested isochrones as GeoJSON MultiPolygons, each with its false and missed share."""
    bands = read_minutes(minutes, current.settings.max_minutes)
    return GeoJSON(await request.app.state.background.run(isochrone_told, current.session, lon, lat, bands))


def read_minutes(text: str, longest: float) -> tuple[float, ...]:
    """Minutes of a query such as 5,10,15. Raises :class:`geo.errors.InputError`."""
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(
            Defect(f"{text!r}: 应为分钟数 / expected minutes such as 5,10,15", key="minutes")
        ) from error
    if not all(0 < v <= longest for v in values) or len(values) > MAX_BANDS:
        message = f"{text!r}: 应为 1 至 {MAX_BANDS} 个 0–{longest:g} 之间的数 / expected up to {MAX_BANDS} values within 0–{longest:g}"
        raise InputError(Defect(message, key="minutes"))
    return values
