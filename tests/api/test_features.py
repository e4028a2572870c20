"""OGC API - Features: read by GDAL's own driver, page by page."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import httpx2 as httpx
import numpy as np
import pytest
import shapely

from geo.intake.datum import from_wgs84
from tests.api.test_dialects import server  # noqa: F401 - the live server


@pytest.fixture
def root(server):  # noqa: F811
    return f"{server}/ogc/sample"


READ = """
import json, sys, pyogrio
root = "OAPIF:" + sys.argv[1]
frames = {name: pyogrio.read_dataframe(root, layer=name) for name in ("stations", "gaps")}
names = [str(row[0]) for row in pyogrio.list_layers(root)]
print(json.dumps([names, sorted(frames["stations"]["name"]), list(frames["stations"].total_bounds), float(frames["gaps"]["people"].sum())]))
"""


def test_gdal_reads_every_collection(root, sample_result):
    # in a process of its own: GDAL waits for the answer of a server that shares our interpreter
    done = subprocess.run(
        [sys.executable, "-c", READ, root], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    names, stations, bounds, people = json.loads(done.stdout)
    assert names == ["stations", "communities", "isochrones", "gaps", "recommendations"]
    assert stations == sorted(sample_result.inputs.stations["name"])
    assert 115 < bounds[0] < bounds[2] < 116.5
    assert people == pytest.approx(sample_result.gaps["people"].sum())


def test_landing_conformance_and_links(root):
    landing = httpx.get(root).json()
    assert {link["rel"] for link in landing["links"]} == {"self", "conformance", "data", "service-desc"}
    for link in landing["links"]:
        assert httpx.get(link["href"]).status_code == 200
    assert len(httpx.get(f"{root}/conformance").json()["conformsTo"]) == 2


def test_pages_boxes_and_properties(root, sample_result):
    items = f"{root}/collections/stations/items"
    seen, url = [], f"{items}?limit=30"
    while url:
        page = httpx.get(url)
        assert page.headers["content-type"] == "application/geo+json"
        body = page.json()
        assert body["numberReturned"] == len(body["features"])
        seen += [f["properties"]["station_id"] for f in body["features"]]
        url = next((link["href"] for link in body["links"] if link["rel"] == "next"), None)
    assert seen == [str(v) for v in sample_result.inputs.stations["station_id"]]
    west, south = 115.80, 32.88
    boxed = httpx.get(items, params={"bbox": f"{west},{south},115.83,32.91", "limit": 1000}).json()
    inside = sample_result.inputs.stations
    inside = inside[inside["lon"].between(west, 115.83) & inside["lat"].between(south, 32.91)]
    assert boxed["numberMatched"] == len(inside)
    street = str(sample_result.inputs.stations["street"].iloc[0])
    of = httpx.get(items, params={"street": street, "limit": 1000}).json()
    assert of["numberMatched"] == (sample_result.inputs.stations["street"] == street).sum()
    one = httpx.get(f"{items}/3").json()
    assert one["properties"]["station_id"] == seen[3]


@pytest.mark.parametrize(
    ("path", "status"),
    [("collections/nothing", 404), ("collections/nothing/items", 404), ("collections/stations/items?bbox=1,2,3", 400), ("collections/stations/items?bbox=a,b,c,d", 400),
     ("collections/stations/items?colour=red", 400), ("collections/stations/items?limit=0", 400), ("collections/stations/items/99999", 404), ("collections/stations/items?offset=-1", 400),
     *((f"collections/stations/items?datetime={bad}", 400) for bad in ("yesterday", "..", "../..", "/", "2026-13-01", "2026-10-31T08:00:00", "2026-10-31/2026-10-30", "2026-10-31//", "2026-10-31T08:00:00%2B24:00", "0001-01-01T00:00:00%2B12:00")),
     ("collections/stations/items?crs=EPSG:4326", 400), ("collections/stations/items?bbox-crs=", 400), ("collections/stations/items/3?crs=gcj02", 400), ("collections/stations/items?bbox=1,2,3,4&bbox-crs=x", 400)],
)  # fmt: skip
def test_wrong_requests(root, path, status):
    answer = httpx.get(f"{root}/{path}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


GCJ02 = "urn:x-redmap:crs:GCJ-02"


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [feature["properties"]["station_id"] for feature in answer.json()["features"]]


@pytest.fixture
def dated(client_of, loaded):
    """A client of the sample, its stations of three lists and one of none."""
    days = np.array(["2026-10-31", "2026-11-01", "", "2025-12-31"], dtype=object)
    stations = loaded.layers["stations"].iloc[:4].assign(date=days)
    client = client_of()
    state = client.app.state
    changed = replace(state.studies["sample"], layers={**loaded.layers, "stations": stations})
    state.studies = {"sample": changed}
    return client


@pytest.mark.parametrize(
    ("when", "rows"),
    [("2026-10-31", [0, 2]), ("2026-10-31T23:59:59Z", [0, 2]), ("2026-11-01T00:00:00z", [1, 2]), ("2026-11-01T07:59:59+08:00", [0, 2]),
     ("2026-11-01T08:00:00+08:00", [1, 2]), ("2026-10-31T20:00:00-04:00", [1, 2]), ("2026-10-31T23:59:60Z", [0, 2]), ("2026-10-31T23:59:59.9999999Z", [0, 2]),
     ("2026-10-31/2026-11-01", [0, 1, 2]), ("../2026-10-30", [2, 3]), ("/2026-10-31T00:00:00Z", [0, 2, 3]), ("2026-11-01T00:00:00Z/..", [1, 2]),
     ("2026-11-02/", [2]), ("9999-12-31", [2]), ("2025-12-31T12:00:00Z/2026-10-31T00:00:00Z", [0, 2, 3])],
)  # fmt: skip
def test_a_moment_selects_the_lists_of_that_day_and_what_has_none(dated, loaded, when, rows):
    names = [str(v) for v in loaded.layers["stations"]["station_id"].iloc[rows]]
    assert ids(dated.get("/ogc/sample/collections/stations/items", params={"datetime": when})) == names
    gaps = dated.get("/ogc/sample/collections/gaps/items", params={"datetime": when}).json()
    assert gaps["numberMatched"] == len(loaded.layers["gaps"])  # no temporal property: always in


def test_the_days_are_told_in_the_extent(dated):
    extent = dated.get("/ogc/sample/collections/stations").json()["extent"]
    assert extent["temporal"]["interval"] == [["2025-12-31T00:00:00Z", "2026-11-01T23:59:59Z"]]
    assert "temporal" not in dated.get("/ogc/sample/collections/gaps").json()["extent"]


@pytest.mark.parametrize("layer", ["stations", "communities", "isochrones", "gaps", "recommendations"])
def test_every_layer_in_gcj02(client_of, loaded, layer):
    items = f"/ogc/sample/collections/{layer}/items"
    client = client_of()
    ours, theirs = client.get(items), client.get(items, params={"crs": GCJ02})
    assert ours.headers["content-crs"] == "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"
    assert theirs.headers["content-crs"] == f"<{GCJ02}>"
    for here, there in zip(ours.json()["features"], theirs.json()["features"], strict=True):
        lon, lat = shapely.get_coordinates(shapely.geometry.shape(here["geometry"])).T
        want = np.column_stack(from_wgs84(lon, lat, "gcj02"))
        found = shapely.get_coordinates(shapely.geometry.shape(there["geometry"]))
        assert np.abs(found - want).max() < 1e-7
        assert np.abs(found - np.column_stack([lon, lat])).max() > 1e-3  # hundreds of metres
        assert (here["id"], here["properties"]) == (there["id"], there["properties"])
    one = client.get(f"{items}/2", params={"crs": GCJ02})
    assert one.headers["content-crs"] == f"<{GCJ02}>"
    assert one.json()["geometry"] == theirs.json()["features"][2]["geometry"]
    links = {link["rel"]: link["href"] for link in one.json()["links"]}
    assert client.get(links["self"]).json() == one.json()
    assert client.get(links["collection"]).json()["crs"][1] == GCJ02


def test_a_box_in_gcj02_holds_what_lies_in_it_there(client_of, loaded):
    client, items = client_of(), "/ogc/sample/collections/stations/items"
    stations = loaded.layers["stations"]
    lon, lat = from_wgs84(stations.geometry.x.to_numpy(), stations.geometry.y.to_numpy(), "gcj02")
    west, south, east, north = np.median(lon), lat.min() - 1, lon.max() + 1, lat.max() + 1
    box = {"bbox": f"{west},{south},{east},{north}", "limit": 1000}
    found = ids(client.get(items, params={**box, "bbox-crs": GCJ02}))
    inside = (lon >= west - 1e-7) & (lon <= east)
    assert found == list(stations["station_id"][inside].astype(str))
    assert len(ids(client.get(items, params=box))) < len(found)


def test_a_box_across_the_antimeridian(client_of):
    items = "/ogc/sample/collections/stations/items"
    client = client_of()
    assert ids(client.get(items, params={"bbox": "170,-80,-170,80"})) == []
    assert ids(client.get(items, params={"bbox": "110,-80,-170,80", "limit": 3})) == ids(
        client.get(items, params={"limit": 3})
    )


def test_no_limit_is_too_large(client_of, loaded):
    answer = client_of().get("/ogc/sample/collections/stations/items", params={"limit": 10**9})
    assert len(ids(answer)) == len(loaded.layers["stations"])


def test_links_keep_every_sign_of_the_question(client_of, loaded):
    client = client_of()
    street = str(loaded.layers["stations"]["street"].iloc[0])
    ask = {"street": street, "crs": GCJ02, "datetime": "2026-10-31T08:00:00+08:00/..", "limit": 1}
    first = client.get("/ogc/sample/collections/stations/items", params=ask)
    links = {link["rel"]: link["href"] for link in first.json()["links"]}
    second = client.get(links["next"])
    assert second.headers["content-crs"] == f"<{GCJ02}>"
    assert {f["properties"]["street"] for f in second.json()["features"]} == {street}
    assert second.json()["numberMatched"] == first.json()["numberMatched"] > 1
