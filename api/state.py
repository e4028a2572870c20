"""Studies loaded once and shared read-only by all requests, each under its name in addresses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

import geopandas as gpd
from fastapi import Depends, HTTPException, Path, Request

from api.settings import Settings
from geo import pipeline
from geo.config import Study, load_study
from geo.models import StudyResult


@dataclass(frozen=True, slots=True)
class Loaded:
    """The study, its results, its two pages and their ETags, its session, and its name in addresses."""

    settings: Settings
    study: Study
    result: StudyResult
    pages: dict[str, str]
    etags: dict[str, str]
    session: pipeline.Session
    slug: str
    layers: Mapping[str, gpd.GeoDataFrame]


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
    pages = dict(pipeline.pages(result))
    etags = {name: f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"' for name, text in pages.items()}
    session = pipeline.Session(study, result)
    for mode in session.modes:  # made ready before the first request
        session.moved(mode)
    return Loaded(settings, study, result, pages, etags, session, slug, pipeline.layers(result))


def load_all(settings: Settings) -> dict[str, Loaded]:
    """Every study of the settings by its slug, in their order; the embedded sample when there is none."""
    studies = [load_study(path) for path in settings.paths] or [pipeline.sample_study()]
    names = slugs(study.folder.resolve().name or "study" for study in studies)
    return {slug: load(study, slug, settings) for study, slug in zip(studies, names, strict=True)}


def all_studies(request: Request) -> Mapping[str, Loaded]:
    """The studies of this process by slug."""
    studies: Mapping[str, Loaded] = request.app.state.studies
    return studies


def first(studies: Annotated[Mapping[str, Loaded], Depends(all_studies)]) -> Loaded:
    """The study of addresses that name none."""
    return next(iter(studies.values()))


def named(
    studies: Annotated[Mapping[str, Loaded], Depends(all_studies)],
    study: Annotated[str, Path(description="the study's name in addresses", examples=["sample"])],
) -> Loaded:
    """The study that the address names, or 404."""
    if study not in studies:
        raise HTTPException(404, "no such study")
    return studies[study]


AllStudies = Annotated[Mapping[str, Loaded], Depends(all_studies)]
CurrentStudy = Annotated[Loaded, Depends(first)]
NamedStudy = Annotated[Loaded, Depends(named)]
