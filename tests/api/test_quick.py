"""Quick answers are those of the long way: with an Origin a request goes through every layer."""

from __future__ import annotations

import orjson
import pytest
from fastapi import Request

from api.routers.studies import plain_isochrone

FAR = {"Origin": "https://portal.example"}
VALHALLA = {
    "locations": [{"lat": 32.9, "lon": 115.8}], "costing": "pedestrian", "contours": [{"time": 10}], "polygons": True,
}  # fmt: skip
NATIVE = "/studies/sample/isochrone"
ASKS = {
    "native": ("GET", f"{NATIVE}?lon=115.8&lat=32.9", {}),
    "native, several": ("GET", f"{NATIVE}?lon=115.8&lat=32.9&minutes=5,7.5,15&mode=ebike&more=1", {}),
    "native, twice": ("GET", f"{NATIVE}?lon=0&lat=32.9&minutes=99&lon=115.8&minutes=5", {}),
    "native, odd numbers": ("GET", f"{NATIVE}?lon=1.158e2&lat=%2B32.9&minutes=1e1", {}),
    "native, far": ("GET", f"{NATIVE}?lon=0&lat=0", {}),
    "native, off the earth": ("GET", f"{NATIVE}?lon=180.5&lat=-90.5", {}),
    "native, nothing": ("GET", NATIVE, {}),
    "native, no number": ("GET", f"{NATIVE}?lon=nan&lat=%D9%A3", {}),
    "native, minutes": ("GET", f"{NATIVE}?lon=115.8&lat=32.9&minutes=5,,7", {}),
    "native, too long": ("GET", f"{NATIVE}?lon=115.8&lat=32.9&minutes=999", {}),
    "native, mode": ("GET", f"{NATIVE}?lon=115.8&lat=32.9&mode=fly", {}),
    "native, study": ("GET", "/studies/none/isochrone?lon=115.8&lat=32.9", {}),
    "native, head": ("HEAD", f"{NATIVE}?lon=115.8&lat=32.9", {}),
    "valhalla": ("POST", "/valhalla/isochrone", {"json": VALHALLA}),
    "valhalla, wrong": ("POST", "/valhalla/isochrone", {"content": b"{["}),
    "valhalla, get": ("GET", "/valhalla/isochrone?json={}", {}),
    "ors, wrong": ("POST", "/ors/v2/isochrones/foot-walking", {"json": {"locations": [], "range": [300]}}),
    "ors, format": ("POST", "/ors/v2/isochrones/foot-walking/gpx", {"json": {}}),
    "mapbox": ("GET", "/isochrone/v1/mapbox/walking/115.8,32.9?contours_minutes=5", {}),
    "mapbox, far": ("GET", "/isochrone/v1/mapbox/walking/0,0?contours_minutes=5", {}),
    "wrong method": ("DELETE", "/valhalla/isochrone", {}),
    "unknown": ("GET", "/isochrone/v1/mapbox", {}),
}


@pytest.mark.parametrize("ask", ASKS)
def test_as_by_the_long_way(client_of, ask):
    method, path, body = ASKS[ask]
    client = client_of(rate_per_minute=100)
    quick, far = (client.request(method, path, headers=headers, **body) for headers in ({}, FAR))
    assert (quick.status_code, quick.headers["content-type"]) == (
        far.status_code,
        far.headers["content-type"],
    )
    same, other = (
        {k: v for k, v in orjson.loads(a.content or b"{}").items() if k != "info"} for a in (quick, far)
    )  # ors tells the time
    assert same == other
    assert quick.headers["vary"] == "Origin"
    assert far.headers["access-control-allow-origin"] == "*"
    names = {"x-request-id", "server-timing", "x-ratelimit-limit", "content-length"}
    assert names <= quick.headers.keys() & far.headers.keys()
    assert (quick.headers["x-ratelimit-remaining"], far.headers["x-ratelimit-remaining"]) == ("99", "98")


@pytest.mark.parametrize("headers", [{}, FAR])
def test_a_body_of_unknown_length_is_read_no_further_than_allowed(client_of, headers):
    client = client_of(max_body_bytes=1000)

    answer = client.post("/valhalla/isochrone", content=(b" " * 100 for _ in range(10_000)), headers=headers)
    assert (answer.status_code, answer.json()["status_code"]) == (413, 413)


def test_keys_and_prefixes_hold_for_quick_routes(client_of):
    client = client_of(api_keys="right")
    assert client.post("/valhalla/isochrone", json=VALHALLA).status_code == 401
    assert client.post("/valhalla/isochrone", json=VALHALLA, headers={"X-API-Key": "no"}).status_code == 403
    key = {"X-API-Key": "right"}
    assert client.post("/valhalla/isochrone", json=VALHALLA, headers=key).status_code == 200


def test_both_ways_are_counted_under_the_same_name(client_of):
    client = client_of()
    for headers in ({}, FAR):
        client.post("/valhalla/isochrone", json=VALHALLA, headers=headers)
    text = client.get("/metrics").text
    assert 'redmap_requests_total{method="POST",route="/valhalla/isochrone",status="200"} 2.0' in text


@pytest.mark.parametrize(
    ("query", "plain"),
    [
        (b"lon=115.8&lat=32.9", True),
        (b"lon=-0.5&lat=-90&minutes=5,10&mode=bike", True),
        (b"lon=115.8&lat=32.9&minutes=5,", False),
        (b"lon=115.8&lat=32.9&minutes=5,1e1", False),
        (b"lon=115.8&lat=32.9&minutes=61", False),
        (b"lon=115.8&lat=32.9&mode=fly", False),
        (b"lon=115.8", False),
        (b"lon=181&lat=32.9", False),
        (b"lon=1e2&lat=32.9", False),
        ("lon=115.8&lat=\u0663".encode(), False),
    ],
)
def test_plain_questions_go_without_fastapi_and_others_do_not(client_of, query, plain):
    request = Request({"type": "http", "app": client_of().app, "query_string": query})
    answering = plain_isochrone(request, "sample")
    assert (answering is not None) is plain
    if answering is not None:
        answering.close()
    assert plain_isochrone(request, "none") is None
