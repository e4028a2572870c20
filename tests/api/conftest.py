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
def app_of(loaded, sample_dir, monkeypatch):
    """``app_of(**settings)``: an application with these settings, the sample already computed."""
    monkeypatch.setattr(
        api.keeper,
        "load",
        lambda study, slug, settings: replace(loaded, study=study, slug=slug, settings=settings),
    )
    return lambda **settings: create_app(Settings(**{"study": sample_dir, **settings}))


@pytest.fixture
def client_of(app_of):
    """``client_of(**settings)``: a client of such an application, running till the test ends."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(
            TestClient(app_of(**settings), raise_server_exceptions=False)
        )
