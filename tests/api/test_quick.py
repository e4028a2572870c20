"""Quick answers are those of the long way: with an Origin a request goes through every layer."""

from __future__ import annotations

import pytest

FAR = {"Origin": "https://portal.example"}
VALHALLA = {
    "locations": [{"lat": 32.9, "lon": 115.8}], "costing": "pedestrian", "contours": [{"time": 10}], "polygons": True,
}  # fmt: skip
ASKS = {
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
        {k: v for k, v in a.json().items() if k != "info"} for a in (quick, far)
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
