"""The study for web teams: isochrones, the nearest open stations, and what if."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Coroutine
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.openapi import COLLECTION, GEOJSON, GeoJSON, answered
from api.quick import PlainRoute
from api.routers.analysis import read_minutes
from api.shapes import DECIMALS, isochrone_told, written
from api.state import Loaded, NamedStudy
from geo.config import SitingSection
from geo.errors import InputError
from geo.models import MODES, Mode
from geo.pipeline import TrialStation

router = APIRouter(prefix="/studies/{study}", tags=["studies"])
MOST_TRIALS = 50
DEFAULT_MINUTES = "15"
_DEGREES = re.compile(r"-?\d{1,3}(?:\.\d{1,15})?", re.ASCII)
_MINUTES = re.compile(r"[\d.,]{1,60}", re.ASCII)
Lon = Annotated[float, Query(ge=-180, le=180, description="WGS-84 degrees", examples=[115.8])]
Lat = Annotated[float, Query(ge=-90, le=90, description="WGS-84 degrees", examples=[32.9])]


class TrialPlace(BaseModel):
    """A station to try."""

    model_config = ConfigDict(extra="forbid")

    lon: Annotated[float, Field(ge=-180, le=180, strict=True, examples=[115.8])]
    lat: Annotated[float, Field(ge=-85, le=85, strict=True, examples=[32.9])]
    services: list[str] = Field(default_factory=list, max_length=30)
    hours: str = Field(default="24/7", max_length=200)


class Scenario(BaseModel):
    """Stations to add and to close, and the question that is asked."""

    model_config = ConfigDict(extra="forbid")

    add: list[TrialPlace] = Field(default_factory=list, max_length=MOST_TRIALS)
    close: list[str] = Field(default_factory=list, max_length=500)
    mode: Mode | None = None
    minutes: Annotated[float, Field(gt=0, le=60, strict=True)] | None = None
    at: str | None = Field(default=None, max_length=30, examples=["Tue 23:00"])
    services: list[str] = Field(default_factory=list, max_length=30)
    gaps: bool = Field(default=False, strict=True, description="also the gaps that stay, as GeoJSON")


@router.get("/summary")
def summary(current: NamedStudy) -> dict[str, Any]:
    """summary.json of the study."""
    return dict(current.result.summary)


def plain_isochrone(request: Request, study: str) -> Coroutine[Any, Any, Response] | None:
    """What answers a well-formed question for an isochrone; None: the endpoint below is to look at it.

    To solve its dependencies would take FastAPI a quarter of the time of the whole answer.
    """
    current, asked = request.app.state.studies.get(study), request.query_params
    lon, lat, mode = asked.get("lon", ""), asked.get("lat", ""), asked.get("mode")
    minutes = asked.get("minutes", DEFAULT_MINUTES)
    if (
        current is None or not _DEGREES.fullmatch(lon) or not _DEGREES.fullmatch(lat)
        or not _MINUTES.fullmatch(minutes) or (mode is not None and mode not in MODES)
        or abs(float(lon)) > 180 or abs(float(lat)) > 90
    ):  # fmt: skip
        return None
    try:
        bands = read_minutes(minutes, current.settings.max_minutes)
    except InputError:
        return None
    return _isochrone(request, current, float(lon), float(lat), bands, mode)


async def _isochrone(
    request: Request, current: Loaded, lon: float, lat: float, bands: tuple[float, ...], mode: Mode | None
) -> Response:
    background = request.app.state.background
    return GeoJSON(await background.run(isochrone_told, current.session, lon, lat, bands, mode))


async def isochrone(
    request: Request, current: NamedStudy, lon: Lon, lat: Lat, minutes: str = DEFAULT_MINUTES, mode: Mode | None = None
) -> Response:  # fmt: skip
    """Nested MultiPolygons with their holes, each with its false and missed share."""
    bands = read_minutes(minutes, current.settings.max_minutes)
    return await _isochrone(request, current, lon, lat, bands, mode)


router.add_api_route(
    "/isochrone", isochrone, methods=["GET"], response_class=GeoJSON, responses=answered(GEOJSON, COLLECTION),
    route_class_override=PlainRoute.read_by(plain_isochrone),
)  # fmt: skip


@router.get("/nearest")
def nearest(
    current: NamedStudy, lon: Lon, lat: Lat, at: Annotated[str | None, Query(max_length=30)] = None,
    service: Annotated[str | None, Query(max_length=40)] = None, count: Annotated[int, Query(ge=1, le=50)] = 5,
    mode: Mode | None = None, route: Annotated[bool, Query(description="also the way there, as a LineString")] = True,
) -> Response:  # fmt: skip
    """The nearest stations that count, by travel time; the position is neither kept nor logged by us."""
    found = current.session.nearest(lon, lat, at=at, service=service, count=count, mode=mode, routes=route)
    for station in found if route else ():
        station["route"] = {"type": "LineString", "coordinates": station["route"].round(DECIMALS)}
    return Response(
        written({"stations": found}),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


@router.post("/scenario")
def scenario(current: NamedStudy, ask: Scenario) -> dict[str, Any]:
    """Coverage before and after: the same figures as a build with the same stations."""
    add = [
        TrialStation(name=f"trial {i}", lon=p.lon, lat=p.lat, services=tuple(p.services), hours=p.hours)
        for i, p in enumerate(ask.add, start=1)
    ]
    told = current.session.scenario(
        add=add,
        close=ask.close,
        mode=ask.mode,
        minutes=ask.minutes,
        at=ask.at,
        services=ask.services,
        gaps=ask.gaps,
    )
    return {**told, "gaps": json.loads(told["gaps"].to_json(drop_id=True))} if ask.gaps else told


@router.post("/recommendations", response_class=GeoJSON, responses=answered(GEOJSON, COLLECTION))
async def recommendations(request: Request, current: NamedStudy, ask: SitingSection) -> Response:
    """The best next sites for any wishes of ``[siting]``, with what each adds and how sure the plan is."""
    # a place of its own in the queue: who waits for the solver takes no thread from quick questions
    return await anyio.to_thread.run_sync(_plan, current, ask, limiter=request.app.state.plans)


def _plan(current: Loaded, ask: SitingSection) -> Response:
    longest = current.settings.timeout_s / 2.0
    found = current.session.recommendations(
        ask.model_copy(update={"time_limit_s": min(ask.time_limit_s, longest)})
    )
    sites = found.sites.assign(services=[sorted(s) for s in found.sites["services"]])
    body = json.loads(sites.to_json(drop_id=True))
    body.pop("crs", None)
    answer = found.answer
    body["plan"] = {
        "goal": ask.goal, "status": answer.status, "covered_before": found.covered[0], "covered_after": found.covered[1],
        "objective": _finite(answer.objective), "bound": _finite(answer.bound), "conflict": list(answer.conflict),
        "closed": found.closed.to_dict("records"), "alternatives": found.alternatives.to_dict("records"),
        "stages": found.stages.to_dict("records"), "notes": list(found.notes),
    }  # fmt: skip
    return GeoJSON(json.dumps(body, ensure_ascii=False, default=float))


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
