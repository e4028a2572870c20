"""The sample computed once, behind as many applications as tests want to set differently."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

import api.keeper
from api.app import create_app
from api.settings import Settings
from api.state import load
from geo.config import load_study


@pytest.fixture(scope="session")
def loaded(sample_dir, cache_dir):
    return load(load_study(sample_dir), "sample", Settings(study=sample_dir, cache_dir=cache_dir))


@pytest.fixture
def client_of(loaded, sample_dir, monkeypatch):
    """``client_of(**settings)``: a client of an application with these settings, the sample already computed."""
    monkeypatch.setattr(
        api.keeper,
        "load",
        lambda study, slug, settings: replace(loaded, study=study, slug=slug, settings=settings),
    )
    with ExitStack() as stack:

        def make(**settings):
            app = create_app(Settings(**{"study": sample_dir, **settings}))
            return stack.enter_context(TestClient(app, raise_server_exceptions=False))

        yield make
