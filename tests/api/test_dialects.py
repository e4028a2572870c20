"""Isochrones that real clients speak: openrouteservice-py and routingpy against a live server."""

from __future__ import annotations

import json
import socket
import warnings

import httpx2 as httpx
import numpy as np
import pytest
import routingpy
from shapely.geometry import Point, Polygon, shape

from api.app import create_app
from api.settings import Settings
from geo import pipeline
from geo.sphere import great_circle_steps_m
from tests.live import serving


@pytest.fixture(scope="module")
def server(sample_dir, cache_dir):
    with serving(create_app(Settings(study=sample_dir, cache_dir=cache_dir))) as address:
        yield address


@pytest.fixture(scope="module")
def place(sample_result):
    first = sample_result.inputs.stations.iloc[0]
    return [float(first["lon"]), float(first["lat"])]


@pytest.fixture(scope="module")
def truth(sample_result, place):
    session = pipeline.Session(pipeline.sample_study(), sample_result)
    found = session.isochrone(*place, minutes=[5, 10], shares=False)
    return dict(zip(found.minutes, found.shapes, strict=True))


def test_openrouteservice_py(server, place, truth):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the client's own imports
        import openrouteservice
    client = openrouteservice.Client(base_url=f"{server}/ors", key="none")
    found = client.isochrones(locations=[place, place], profile="foot-walking", range=[300, 600])
    values = [(f["properties"]["group_index"], f["properties"]["value"]) for f in found["features"]]
    assert values == [(0, 300.0), (0, 600.0), (1, 300.0), (1, 600.0)]
    for feature in found["features"][:2]:
        assert feature["geometry"]["type"] == "Polygon"
        part = shape(feature["geometry"])
        assert part.buffer(1e-4).contains(Point(feature["properties"]["center"]))
        whole = truth[feature["properties"]["value"] / 60]
        assert part.difference(whole.buffer(2e-6)).area < 1e-9
    with pytest.raises(openrouteservice.exceptions.ApiError, match="3004"):
        client.isochrones(locations=[place], profile="foot-walking", range=[99999])


def test_routingpy_ors_valhalla_and_mapbox(server, place, truth, monkeypatch):
    ors = routingpy.ORS(api_key="none", base_url=f"{server}/ors")
    found = ors.isochrones(locations=place, profile="foot-walking", intervals=[300, 600])
    assert sorted(i.interval for i in found) == [300, 600]
    valhalla = routingpy.Valhalla(base_url=f"{server}/valhalla")
    found = valhalla.isochrones(locations=place, profile="pedestrian", intervals=[300, 600])
    assert len(found) == 2
    monkeypatch.setattr(routingpy.MapboxOSRM, "_base_url", server)
    mapbox = routingpy.MapboxOSRM(api_key="none")
    found = mapbox.isochrones(locations=place, profile="walking", intervals=[300, 600])
    assert len(found) == 2
    areas = {i.interval: Polygon(i.geometry).area for i in found}
    assert areas[300] < areas[600]
    assert areas[600] == pytest.approx(max(Polygon(p.exterior).area for p in truth[10].geoms), rel=0.05)


def test_valhalla_answers_polygons_largest_first(server, place, truth):
    ask = {"locations": [{"lon": place[0], "lat": place[1]}], "costing": "pedestrian", "contours": [{"time": 5}, {"time": 10, "color": "ff0000"}], "polygons": True, "id": "x", "denoise": 0, "generalize": 0}  # fmt: skip
    for answer in (
        httpx.get(f"{server}/valhalla/isochrone", params={"json": json.dumps(ask)}),
        httpx.post(f"{server}/valhalla/isochrone", json=ask),
    ):
        body = answer.json()
        assert [f["properties"]["contour"] for f in body["features"]] == [10.0, 5.0]
        assert body["features"][0]["properties"]["color"] == "#ff0000"
        assert body["id"] == "x"
        assert shape(body["features"][0]["geometry"]).symmetric_difference(truth[10]).area < 1e-7


def test_valhalla_and_mapbox_thin_as_they_are_asked(server, place, truth):
    lon, lat = place
    ask = {
        "locations": [{"lat": lat, "lon": lon}],
        "costing": "pedestrian",
        "contours": [{"time": 10}],
        "polygons": True,
    }
    path, query = (
        f"{server}/isochrone/v1/mapbox/walking/{lon},{lat}",
        {"contours_minutes": 10, "polygons": "true"},
    )

    def shapes(**how):
        answers = (
            httpx.post(f"{server}/valhalla/isochrone", json={**ask, **how}),
            httpx.get(path, params={**query, **how}),
        )
        ours, theirs = ([shape(f["geometry"]) for f in answer.json()["features"]] for answer in answers)
        assert ours == theirs
        return ours[0]

    whole, default = shapes(denoise=0, generalize=0), shapes()
    assert whole.symmetric_difference(truth[10]).area < 1e-7
    outer = Polygon(max(truth[10].geoms, key=lambda part: Polygon(part.exterior).area).exterior)
    assert (default.geom_type, len(default.interiors)) == ("Polygon", 0)
    assert default.is_valid
    assert len(default.exterior.coords) < len(outer.exterior.coords) / 4
    assert default.exterior.hausdorff_distance(outer.exterior) < 27 / 111_000 / np.cos(np.radians(lat))
    assert shapes(generalize=100).boundary.length < default.boundary.length
    half = shapes(denoise=0.001, generalize=0)
    parts = [
        Polygon(ring) for part in getattr(half, "geoms", [half]) for ring in (part.exterior, *part.interiors)
    ]
    assert min(part.area for part in parts) >= 0.001 * outer.area * (1 - 1e-6)
    lines = httpx.post(f"{server}/valhalla/isochrone", json={**ask, "polygons": False, "denoise": 0}).json()
    assert len(lines["features"]) == len(truth[10].geoms)
    assert {f["geometry"]["type"] for f in lines["features"]} == {"LineString"}
    for wrong in ({"denoise": 2}, {"denoise": "a"}, {"generalize": -1}, {"generalize": "1e400"}):
        assert httpx.get(path, params={**query, **wrong}).status_code == 422


@pytest.mark.parametrize(
    ("body", "code"),
    [("{", 3000), ([], 3000), ({"range": [300]}, 3001), ({"locations": [[1, 2, 3]], "range": [300]}, 3003), ({"locations": [[115.8, 32.9]], "range": ["a"]}, 3002),
     ({"locations": [[115.8, 32.9]], "range": [300], "foo": 1}, 3011), ({"locations": [[115.8, 32.9]], "range": [600], "interval": 10}, 3012),
     ({"locations": [[0, 0]], "range": [300]}, 3099), ({"locations": [[115.8, 32.9]], "range": [300], "range_type": "distance"}, 3005),
     ({"locations": [[115.8, 32.9]] * 9, "range": [300]}, 3004)],
)  # fmt: skip
def test_openrouteservice_errors(server, body, code):
    content = body if isinstance(body, str) else json.dumps(body)
    answer = httpx.post(f"{server}/ors/v2/isochrones/foot-walking", content=content)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize(
    ("ask", "code"),
    [({}, 110), ({"locations": []}, 120), ({"locations": [{}]}, 130), ({"locations": [{"lat": 32.9, "lon": 115.8}]}, 124),
     ({"locations": [{"lat": 32.9, "lon": 115.8}], "costing": "bus"}, 125), ({"locations": [{"lat": 32.9, "lon": 115.8}], "costing": "pedestrian"}, 113),
     ({"locations": [{"lat": 32.9, "lon": 115.8}], "costing": "pedestrian", "contours": [{}]}, 111),
     ({"locations": [{"lat": 32.9, "lon": 115.8}], "costing": "pedestrian", "contours": [{"time": 999}]}, 151),
     ({"locations": [{"lat": 0, "lon": 0}], "costing": "pedestrian", "contours": [{"time": 5}]}, 171)],
)  # fmt: skip
def test_valhalla_errors(server, ask, code):
    answer = httpx.post(f"{server}/valhalla/isochrone", json=ask)
    assert (answer.status_code, answer.json()["error_code"]) == (400, code)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("walking/0,0?contours_minutes=5", 200, "NoSegment"), ("flying/115.8,32.9?contours_minutes=5", 404, "ProfileNotFound"),
     ("walking/115.8,32.9?contours_minutes=10,5", 422, "InvalidInput"), ("walking/x,y?contours_minutes=5", 422, "InvalidInput"), ("walking/115.8,32.9", 422, "InvalidInput")],
)  # fmt: skip
def test_mapbox_errors(server, path, status, code):
    answer = httpx.get(f"{server}/isochrone/v1/mapbox/{path}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_large_body_is_refused_before_it_is_read(server):
    with socket.create_connection(
        (server.split("//")[1].split(":")[0], int(server.rsplit(":", 1)[1]))
    ) as line:
        head = "POST /ors/v2/isochrones/foot-walking HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20000000\r\n\r\n"
        line.sendall(head.encode())
        assert b"413" in line.recv(200).split(b"\r\n")[0]


def test_scenario_and_nearest(server, sample_result, place):
    best = sample_result.recommendations.iloc[0]
    slug = pipeline.sample_study().folder.name
    ask = {"add": [{"lon": best["lon"], "lat": best["lat"]}]}
    told = httpx.post(f"{server}/studies/{slug}/scenario", json=ask).json()
    block = told["layers"]["residents"]
    assert block["covered_after"] - block["covered_before"] == pytest.approx(best["gain"], abs=0.01)
    assert told["communities"][0]["name"] == best["communities_gain"][0]["name"]
    station = str(sample_result.inputs.stations["station_id"].iloc[3])
    closed = httpx.post(f"{server}/studies/{slug}/scenario", json={"close": [station]}).json()
    assert closed["layers"]["residents"]["covered_after"] <= block["covered_before"]
    near = httpx.get(
        f"{server}/studies/{slug}/nearest", params={"lon": place[0], "lat": place[1], "at": "Tue 12:00"}
    )
    assert near.headers["cache-control"] == "no-store"
    assert near.json()["stations"][0]["minutes"] < 2
    minutes = [s["minutes"] for s in near.json()["stations"]]
    assert minutes == sorted(minutes)
    for station in near.json()["stations"]:
        line = station["route"]["coordinates"]
        assert line[0] == pytest.approx(place)
        assert line[-1] == pytest.approx((station["lon"], station["lat"]), abs=1e-6)
        metres = great_circle_steps_m(*np.array(line).T).sum()  # at 4 km/h, access legs included
        assert metres / (4.0 / 3.6) / 60 == pytest.approx(station["minutes"], rel=0.01, abs=0.02)
    bare = httpx.get(
        f"{server}/studies/{slug}/nearest", params={"lon": place[0], "lat": place[1], "route": "0"}
    )
    assert all("route" not in station for station in bare.json()["stations"])


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [("GET", "/studies/nobody/summary", None, 404), ("GET", "/studies/..%2F..%2Fetc/summary", None, 404), ("GET", "/nowhere", None, 404), ("DELETE", "/summary", None, 405),
     ("POST", "/studies/sample/scenario", {"close": ["nobody"]}, 422), ("POST", "/studies/sample/scenario", {"add": [{"lon": 115.8, "lat": 32.9, "hours": "soon"}]}, 422),
     ("POST", "/studies/sample/scenario", {"services": ["beer"]}, 422), ("POST", "/studies/sample/scenario", {"foo": 1}, 422), ("POST", "/studies/sample/scenario", {"at": "someday"}, 422),
     ("GET", "/studies/sample/isochrone?lon=0&lat=0", None, 422)],
)  # fmt: skip
def test_wrong_requests_are_problems(server, method, path, body, status):
    answer = httpx.request(method, f"{server}{path}", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "text",
    ['{"locations": [[NaN, 1]], "range": [300], "id": NaN}', "[" * 100_000, '{"locations": [[115.8, 32.9]], "range": [1' + "0" * 400 + "]}",
     '{"locations": [[115.8, 32.9]], "range": [300], "location_type": {}}', '{"locations": [[115.8, 32.9]], "range": [300], "attributes": [[]]}', '"text"', "nul"],
)  # fmt: skip
def test_hostile_json_is_a_400_in_each_dialect(server, text):
    assert httpx.post(f"{server}/ors/v2/isochrones/foot-walking", content=text).status_code == 400
    assert httpx.post(f"{server}/valhalla/isochrone", content=text).status_code == 400


def test_hostile_values_in_valhalla(server, place):
    ask = {
        "locations": [{"lat": place[1], "lon": place[0]}],
        "costing": "pedestrian",
        "contours": [{"time": 5, "color": "áááááá"}],
        "polygons": [],
    }
    assert httpx.post(f"{server}/valhalla/isochrone", json=ask).status_code == 200
    ask["contours"] = [{"time": 10**400}]
    assert httpx.post(f"{server}/valhalla/isochrone", json=ask).status_code == 400


def test_one_ways_make_leaving_and_arriving_differ(server, place):
    ask = {"locations": [place], "range": [300]}
    areas = [
        shape(httpx.post(f"{server}/ors/v2/isochrones/driving-car", json={**ask, "location_type": end}).json()["features"][0]["geometry"])
        for end in ("start", "destination")
    ]  # fmt: skip
    assert areas[0].symmetric_difference(areas[1]).area > 0


def test_a_band_that_ends_before_the_first_way_is_the_place_itself(server, place):
    lon, lat = place
    ask = {"locations": [{"lat": lat, "lon": lon}], "costing": "pedestrian", "contours": [{"time": 1e-9}]}
    ors = {"locations": [[lon, lat]], "range": [1e-9]}
    answers = [
        httpx.post(f"{server}/valhalla/isochrone", json={**ask, "polygons": True}),
        httpx.post(f"{server}/ors/v2/isochrones/foot-walking", json=ors),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert Polygon(answer.json()["features"][0]["geometry"]["coordinates"][0]).area < 1e-9
    ring = httpx.post(
        f"{server}/ors/v2/isochrones/foot-walking", json={**ors, "range": [60], "interval": 5e-324}
    )
    assert (ring.status_code, ring.json()["error"]["code"]) == (400, 3012)
