"""Studies loaded once and shared read-only by all requests, each under its name in addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

import geopandas as gpd
from fastapi import Depends, HTTPException, Path, Request

from api.pages import Page
from api.settings import Settings
from geo import pipeline
from geo.config import Study
from geo.models import StudyResult


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """The study, its results, its two pages, its session, its name in addresses and where its roads lie.

    ``bounds``: west, east, south, north in degrees. ``pictures``: still ones by width and height, and ``tiles`` by
    layer, zoom and place, as they were asked; ``shifted``: layers in GCJ-02.
    """

    settings: Settings
    study: Study
    result: StudyResult
    pages: Mapping[str, Page]
    session: pipeline.Session
    slug: str
    layers: Mapping[str, gpd.GeoDataFrame]
    bounds: tuple[float, float, float, float]
    tiles: dict[tuple[str, int, int, int], Page] = field(default_factory=dict, repr=False)
    pictures: dict[tuple[int, int], Page] = field(default_factory=dict, repr=False)
    shifted: dict[str, gpd.GeoDataFrame] = field(default_factory=dict, repr=False)


def slugs(names: Iterable[str]) -> list[str]:
    """Names in addresses, each once: a second one of the same name gets a number.

    >>> slugs(["wuhan", "porto", "wuhan"])
    ['wuhan', 'porto', 'wuhan-2']
    """
    found: list[str] = []
    for name in names:
        numbered = (f"{name}-{k}" for k in range(2, len(found) + 3))
        found.append(name if name not in found else next(slug for slug in numbered if slug not in found))
    return found


def load(study: Study, slug: str, settings: Settings) -> Loaded:
    """Compute a study and make ready what requests will ask of it."""
    result = pipeline.run(study, cache_dir=settings.cache_dir)
    pages = {name: Page.of(text, "text/html; charset=utf-8") for name, text in pipeline.pages(result).items()}
    session = pipeline.Session(study, result)
    session.warm()
    net = result.network
    bounds = (
        float(net.node_lon.min()), float(net.node_lon.max()), float(net.node_lat.min()), float(net.node_lat.max()),
    )  # fmt: skip
    return Loaded(settings, study, result, pages, session, slug, pipeline.layers(result), bounds)


def studies_of(request: Request) -> Mapping[str, Loaded]:
    """The studies of this process by slug, or 503 while they are being loaded."""
    studies: Mapping[str, Loaded] = request.app.state.studies
    if not studies:
        raise HTTPException(503, "not ready", {"Retry-After": "5"})
    return studies


async def all_studies(request: Request) -> Mapping[str, Loaded]:
    """As :func:`studies_of`."""
    # this and the next are async though they wait for nothing: others would each be handed to a thread
    return studies_of(request)


async def first(studies: Annotated[Mapping[str, Loaded], Depends(all_studies)]) -> Loaded:
    """The study of addresses that name none."""
    return next(iter(studies.values()))


def found(studies: Mapping[str, Loaded], slug: str) -> Loaded:
    """The study of a name, or 404."""
    if slug not in studies:
        raise HTTPException(404, "no such study")
    return studies[slug]


async def named(
    studies: Annotated[Mapping[str, Loaded], Depends(all_studies)],
    study: Annotated[str, Path(description="the study's name in addresses", examples=["sample"])],
) -> Loaded:
    """The study that the address names, or 404."""
    return found(studies, study)


def around(studies: Mapping[str, Loaded], lon: float, lat: float) -> Loaded:
    """The study whose roads surround a position, else the first: the dialects name none."""
    for one in studies.values():
        west, east, south, north = one.bounds
        if west <= lon <= east and south <= lat <= north:
            return one
    return next(iter(studies.values()))


AllStudies = Annotated[Mapping[str, Loaded], Depends(all_studies)]
CurrentStudy = Annotated[Loaded, Depends(first)]
NamedStudy = Annotated[Loaded, Depends(named)]
