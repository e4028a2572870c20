"""The service's first form: status, media type and body of every route."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from shapely.geometry import shape

from api.app import create_app
from api.settings import Settings


@pytest.fixture(scope="module")
def client(sample_dir, cache_dir):
    with TestClient(create_app(Settings(study=sample_dir, cache_dir=cache_dir))) as client:
        yield client


def test_health(client):
    body = client.get("/health").json()
    assert body["status"] == "ok"
    assert body["stations"] > 0


def test_summary_equals_the_build(client, sample_result):
    body = client.get("/summary").json()
    assert body["demand"] == sample_result.summary["demand"]


def test_pages_frame_rules_and_not_modified(client):
    page = client.get("/map")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["x-frame-options"] == "DENY"
    embed = client.get("/embed")
    assert "x-frame-options" not in embed.headers
    assert embed.headers["content-security-policy"] == "frame-ancestors *"
    again = client.get("/map", headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert page.text != embed.text


def test_isochrone_is_geojson_nested(client, sample_result):
    first = sample_result.inputs.stations.iloc[0]
    answer = client.get("/isochrone", params={"lon": first["lon"], "lat": first["lat"], "minutes": "5,15"})
    assert answer.headers["content-type"] == "application/geo+json"
    inner, outer = (shape(f["geometry"]) for f in answer.json()["features"])
    assert inner.area < outer.area
    assert inner.difference(outer).area < 1e-9


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"lon": 0, "lat": 0}, 422),
        ({"lon": 115.8, "lat": 32.9, "minutes": "5,x"}, 422),
        ({"lon": 115.8, "lat": 32.9, "minutes": "999"}, 422),
        ({"lon": 400, "lat": 32.9}, 422),
        ({}, 422),
    ],
)
def test_wrong_requests_are_explained(client, query, status):
    answer = client.get("/isochrone", params=query)
    assert answer.status_code == status
    assert "Traceback" not in answer.text


def test_openapi_documents_every_route(client):
    assert {"/health", "/map", "/embed", "/isochrone", "/summary"} <= set(
        client.get("/openapi.json").json()["paths"]
    )


def test_settings_come_from_the_environment(monkeypatch, sample_dir):
    monkeypatch.setenv("REDMAP_STUDY", str(sample_dir))
    monkeypatch.setenv("REDMAP_FRAME_ANCESTORS", "https://example.org")
    settings = Settings()
    assert (settings.study, settings.frame_ancestors) == (sample_dir, "https://example.org")
    monkeypatch.setenv("REDMAP_FRAME_ANCESTORS", "a; script-src *")
    with pytest.raises(ValueError, match="frame_ancestors"):
        Settings()
