"""The service in operation: ready, counted, logged without persons, limited, reloaded; failures in each dialect."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import threading
import time
from dataclasses import replace

import httpx2 as httpx
import orjson
import pytest
from fastapi.testclient import TestClient

import api.keeper
from api.logs import JsonFormatter
from geo.errors import RunError
from tests.live import serving

PLACE = "115.8,32.9"


@pytest.fixture
def lines(caplog):
    """What the service would write to its log."""
    caplog.set_level(logging.INFO, logger="redmap")
    return lambda: [JsonFormatter().format(r) for r in caplog.records if r.name.startswith("redmap")]


def until(holds, seconds=10.0):
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)
    return found


def test_not_ready_until_loaded(client_of, loaded, monkeypatch):
    gate = threading.Event()

    def slow(_study, slug, settings):
        gate.wait(20)
        return replace(loaded, slug=slug, settings=settings)

    monkeypatch.setattr(api.keeper, "load", slow)
    client = client_of(wait=False)
    assert client.get("/ready").status_code == 503
    assert client.get("/health").json() == {"status": "ok"}
    answer = client.get("/studies/sample/summary")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    gate.set()
    until(lambda: client.get("/ready").status_code == 200)
    assert client.get("/ready").json() == {"status": "ready", "studies": ["sample"]}
    assert client.get("/studies/sample/summary").status_code == 200


def test_a_request_keeps_its_name_and_a_hostile_one_is_replaced(client_of):
    client = client_of()
    assert client.get("/health", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
    for bad in ("a b", "x" * 65, '"}{'):
        given = client.get("/health", headers={"X-Request-ID": bad}).headers["x-request-id"]
        assert given != bad
        assert len(given) == 32


def test_metrics_and_logs_name_routes_and_no_place(client_of, lines):
    client = client_of()
    client.get("/studies/sample/isochrone", params={"lon": 115.8123, "lat": 32.9123})
    client.get(f"/isochrone/v1/mapbox/walking/{PLACE}", params={"contours_minutes": 5})
    client.get("/nowhere/115.8123")
    text = client.get("/metrics").text
    assert 'route="/studies/{study}/isochrone"' in text
    assert 'route="/isochrone/v1/{user}/{profile}/{place}"' in text
    assert 'redmap_requests_total{method="GET",route="none",status="404"} 1.0' in text
    said = lines()
    assert [json.loads(line)["status"] for line in said if '"route":"none"' in line] == [404]
    for part in ("115.8", "32.9", "testclient", "nowhere"):
        assert part not in text
        assert not any(part in line for line in said)


def test_what_was_answered_is_told_soon_after_and_at_the_end(app_of, client_of, lines):
    def told(route):
        return [orjson.loads(line) for line in lines() if f'"route":"{route}"' in line]

    client_of().get("/health")
    (line,) = until(lambda: told("/health"))
    assert (line["method"], line["status"]) == ("GET", 200)
    with TestClient(app_of()) as last:  # of its own: an application runs once at a time
        last.get("/oembed")
    assert len(told("/oembed")) == 1
    assert len(told("/health")) == 1


def test_what_nobody_foresaw_keeps_its_words(client_of, loaded, lines, monkeypatch):
    def broken(*_args, **_options):
        raise KeyError("secret 115.8")

    monkeypatch.setattr(type(loaded.session), "isochrone", broken)
    monkeypatch.setattr(type(loaded.session), "contours", broken)
    client = client_of()
    answer = client.get("/studies/sample/isochrone", params={"lon": 115.8, "lat": 32.9})
    assert answer.status_code == 500
    assert answer.json() == {"type": "about:blank", "title": "the run failed", "status": 500}
    assert answer.headers["x-request-id"]
    until(lambda: any('"error":"KeyError"' in line for line in lines()))
    assert not any("secret" in line for line in lines())
    body = {"locations": [{"lat": 32.9, "lon": 115.8}], "costing": "pedestrian", "contours": [{"time": 5}]}
    answer = client.post("/valhalla/isochrone", json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (500, 199)


def shape_of(answer):
    return set(answer.json())


PROBLEM = {"type", "title", "status"}
ORS = {"error", "info"}
VALHALLA = {"error_code", "error", "status_code", "status"}
MAPBOX = {"code", "message"}


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/studies/sample", PROBLEM),
        ("/ors/v2/isochrones/foot-walking", ORS),
        ("/valhalla/isochrone", VALHALLA),
        ("/isochrone/v1/mapbox/walking/1,1", MAPBOX),
    ],
)
def test_each_dialect_has_its_own_failures(client_of, path, shape):
    client = client_of()
    wrong_path = client.post(path + "/no/such/path")
    assert (wrong_path.status_code, shape_of(wrong_path)) == (404, shape)
    if path != "/studies/sample":
        wrong_method = client.delete(path)
        assert (wrong_method.status_code, shape_of(wrong_method)) == (405, shape)
        assert wrong_method.headers["allow"]
    large = client.post(path, content=b"", headers={"content-length": str(20_000_000)})
    assert (large.status_code, shape_of(large)) == (413, shape)
    keyed = client_of(api_keys=("right",))
    assert shape_of(keyed.post(path)) == shape


def test_ors_says_what_it_cannot(client_of):
    client = client_of()
    good = {"locations": [[115.8, 32.9]], "range": [300]}
    for path, body, status, code in (
        ("/foot-walking/gpx", good, 406, 3007),
        ("", good, 400, 3001),
        ("/foot-walking", {**good, "smoothing": 101}, 400, 3003),
        ("/foot-walking", {**good, "units": "furlong"}, 400, 3003),
        ("/foot-walking", {**good, "options": {"avoid_features": ["steps"]}}, 400, 3005),
        ("/foot-walking", {**good, "options": {"nonsense": 1}}, 400, 3011),
        ("/foot-walking", {**good, "locations": [[115.8, 32.9]] * 6}, 400, 3004),
    ):
        answer = client.post(f"/ors/v2/isochrones{path}", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), (path, body)


@pytest.fixture
def station(loaded):
    row = loaded.result.inputs.stations.iloc[0]
    return float(row["lon"]), float(row["lat"])


def test_ors_area_and_reachfactor(client_of, station):
    ask = {"locations": [station], "range": [300, 900], "attributes": ["area", "reachfactor", "total_pop"]}
    told = client_of().post("/ors/v2/isochrones/foot-walking", json=ask).json()["features"]
    in_km = client_of().post("/ors/v2/isochrones/foot-walking", json={**ask, "area_units": "km"}).json()
    small, large = (f["properties"] for f in told)
    assert 0 < small["area"] < large["area"] < 3.2e6
    assert 0 < large["reachfactor"] < 1
    assert in_km["features"][1]["properties"]["area"] == pytest.approx(large["area"] / 1e6)


def test_valhalla_shows_where_it_began(client_of, station):
    lon, lat = station
    ask = {"locations": [{"lon": lon, "lat": lat}], "costing": "pedestrian", "contours": [{"time": 5}]}
    told = client_of().post("/valhalla/isochrone", json={**ask, "show_locations": True}).json()["features"]
    assert [f["geometry"]["type"] for f in told] == ["LineString", "MultiPoint", "Point"]
    assert told[2]["geometry"]["coordinates"] == [lon, lat]
    assert [f["properties"].get("type") for f in told] == [None, "snapped", "input"]


def test_keys_as_every_client_sends_them(client_of):
    client = client_of(api_keys="right, other")
    path = "/studies/sample/summary"
    assert client.get(path).status_code == 401
    assert client.get(path, headers={"X-API-Key": "wrong"}).status_code == 403
    assert client.get(path, headers={"X-API-Key": "Ключ".encode()}).status_code == 403
    for headers in ({"X-API-Key": "right"}, {"Authorization": "other"}, {"Authorization": "Bearer right"}):
        assert client.get(path, headers=headers).status_code == 200
    assert client.get(path, params={"access_token": "right"}).status_code == 200
    assert client.get("/maps/sample").status_code == 200  # a frame has no key
    assert client.get("/ready").status_code == 200


def test_rate_limit(client_of):
    client = client_of(rate_per_minute=2)
    answers = [client.get("/studies/sample/summary") for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 429]
    assert [a.headers["x-ratelimit-remaining"] for a in answers] == ["1", "0", "0"]
    assert int(answers[2].headers["retry-after"]) > 0
    assert client.get("/health").status_code == 200


def test_a_long_answer_is_ended(app_of, loaded, monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(type(loaded.session), "isochrone", lambda *_a, **_o: gate.wait(60))
    with serving(app_of(timeout_s=1.0)) as base:
        ours = httpx.get(f"{base}/studies/sample/isochrone", params={"lon": 115.8, "lat": 32.9})
        ask = {"locations": [[115.8, 32.9]], "range": [300]}
        ors = httpx.post(f"{base}/ors/v2/isochrones/foot-walking", json=ask)
        assert [ours.status_code, ors.status_code] == [504, 504]
        assert [shape_of(ours), shape_of(ors)] == [PROBLEM, ORS]
        # two threads go on, and the question itself
        until(lambda: "redmap_requests_running 3.0" in httpx.get(f"{base}/metrics").text)
        gate.set()
        until(lambda: httpx.get(f"{base}/metrics").text.count('status="504"} 1.0') == 2)


def test_a_body_that_never_comes_is_given_up(app_of, lines):
    with serving(app_of(timeout_s=0.2)) as base:
        host, port = base.split("//")[1].split(":")
        with socket.create_connection((host, int(port))) as line:
            head = "POST /valhalla/isochrone HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
            line.sendall(head.encode() + b"{")
            assert b" 504 " in line.recv(4096).split(b"\r\n")[0]
        until(lambda: any('"status":504' in entry for entry in lines()))
    assert not any("unforeseen" in entry for entry in lines())


def test_origins_may_be_named(client_of):
    ours, other = {"Origin": "https://a.example"}, {"Origin": "https://b.example"}
    client = client_of(cors_origins="https://a.example")
    assert client.get("/health", headers=ours).headers["access-control-allow-origin"] == "https://a.example"
    assert "access-control-allow-origin" not in client.get("/health", headers=other).headers
    assert client_of().get("/health", headers=other).headers["access-control-allow-origin"] == "*"


def test_a_changed_study_is_exchanged_and_a_broken_one_is_not(
    client_of, loaded, sample_dir, tmp_path, monkeypatch
):
    folder = tmp_path / "town"
    shutil.copytree(sample_dir, folder)
    client = client_of(study=folder, reload_s=0.05)
    seen = []

    def again(study, slug, settings):
        seen.append(slug)
        if len(seen) == 2:
            raise RunError("no")
        result = replace(loaded.result, summary={**loaded.result.summary, "again": len(seen)})
        return replace(loaded, study=study, slug=slug, settings=settings, result=result)

    monkeypatch.setattr(api.keeper, "load", again)
    toml = folder / "study.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    until(lambda: client.get("/studies/town/summary").json().get("again") == 1)
    toml.write_text(toml.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    until(lambda: 'redmap_study_loads_total{outcome="failed"} 1.0' in client.get("/metrics").text)
    assert client.get("/studies/town/summary").json()["again"] == 1
    outlets = folder / "outlets.csv"
    outlets.write_bytes(outlets.read_bytes() + b"\n")
    until(lambda: client.get("/studies/town/summary").json()["again"] == 3)


def test_documentation_asks_no_other_server(client_of):
    client = client_of()
    for page in ("/docs", "/redoc"):
        text = client.get(page).text
        assert "https://" not in text
        assert "/docs-assets/" in text
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "redoc.standalone.js"):
        assert client.get(f"/docs-assets/{asset}").status_code == 200
