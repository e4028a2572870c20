"""The study for web teams: isochrones, the nearest open stations, and what if."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.openapi import COLLECTION, GEOJSON, GeoJSON, answered
from api.routers.analysis import read_minutes
from api.state import NamedStudy
from geo.models import Mode
from geo.pipeline import TrialStation

router = APIRouter(prefix="/studies/{study}", tags=["studies"])
MOST_TRIALS = 50
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


@router.get("/summary")
def summary(current: NamedStudy) -> dict[str, Any]:
    """summary.json of the study."""
    return dict(current.result.summary)


@router.get("/isochrone", response_class=GeoJSON, responses=answered(GEOJSON, COLLECTION))
def isochrone(
    current: NamedStudy, lon: Lon, lat: Lat, minutes: str = "15", mode: Mode | None = None
) -> Response:
    """Nested MultiPolygons with their holes, each with its false and missed share."""
    bands = read_minutes(minutes, current.settings.max_minutes)
    frame = current.session.isochrone(lon, lat, minutes=bands, mode=mode)
    body = json.loads(frame.drop(columns=["lon", "lat"]).to_json(drop_id=True))
    body.pop("crs", None)
    return GeoJSON(json.dumps(body))


@router.get("/nearest")
def nearest(
    current: NamedStudy, lon: Lon, lat: Lat, at: Annotated[str | None, Query(max_length=30)] = None,
    service: Annotated[str | None, Query(max_length=40)] = None, count: Annotated[int, Query(ge=1, le=50)] = 5,
    mode: Mode | None = None,
) -> Response:  # fmt: skip
    """The nearest stations that count, by travel time; the position is neither kept nor logged by us."""
    found = current.session.nearest(lon, lat, at=at, service=service, count=count, mode=mode)
    return Response(
        json.dumps({"stations": found}, ensure_ascii=False),
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
    return current.session.scenario(
        add=add, close=ask.close, mode=ask.mode, minutes=ask.minutes, at=ask.at, services=ask.services
    )
