"""Several studies in one process, each under its own name in addresses."""

from __future__ import annotations

import os

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings


@pytest.fixture(scope="module")
def client(sample_dir, cache_dir):
    with TestClient(create_app(Settings(studies=(sample_dir, sample_dir), cache_dir=cache_dir))) as client:
        yield client


@pytest.mark.parametrize("path", ["/studies/{}/summary", "/maps/{}", "/ogc/{}/collections"])
def test_each_study_has_its_address_and_an_unknown_one_is_404(client, path):
    assert [client.get(path.format(slug)).status_code for slug in ("sample", "sample-2", "sample-3")] == [
        200, 200, 404,
    ]  # fmt: skip
    assert client.get(path.format("..%2f..%2fetc")).status_code == 404


def test_links_stay_within_their_study(client):
    found = client.get("/ogc/sample-2/collections").json()
    assert all("/ogc/sample-2/" in link["href"] for c in found["collections"] for link in c["links"])


def test_studies_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("REDMAP_STUDY", "a")
    monkeypatch.setenv("REDMAP_STUDIES", os.pathsep.join((str(tmp_path / "b"), "c")))
    assert [path.name for path in Settings().paths] == ["a", "b", "c"]
