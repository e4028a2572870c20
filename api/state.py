"""A study loaded once and shared read-only by all requests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import geopandas as gpd
from fastapi import Depends, Request

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


def load(settings: Settings) -> Loaded:
    """Compute the study named in the settings (the embedded sample when none is)."""
    study = load_study(settings.study) if settings.study is not None else pipeline.sample_study()
    result = pipeline.run(study, cache_dir=settings.cache_dir)
    pages = dict(pipeline.pages(result))
    etags = {name: f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"' for name, text in pages.items()}
    session = pipeline.Session(study, result)
    for mode in session.modes:  # made ready before the first request
        session.moved(mode)
    return Loaded(
        settings, study, result, pages, etags, session, study.folder.name or "study", pipeline.layers(result)
    )


def loaded(request: Request) -> Loaded:
    """The study of this process."""
    state = request.app.state.loaded
    assert isinstance(state, Loaded)
    return state


CurrentStudy = Annotated[Loaded, Depends(loaded)]
