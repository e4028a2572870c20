"""OGC API - Features: read by GDAL's own driver, page by page."""

from __future__ import annotations

import json
import subprocess
import sys

import httpx2 as httpx
import pytest

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
     ("collections/stations/items?colour=red", 400), ("collections/stations/items?limit=0", 422), ("collections/stations/items/99999", 404), ("collections/stations/items?limit=99999999", 422)],
)  # fmt: skip
def test_wrong_requests(root, path, status):
    answer = httpx.get(f"{root}/{path}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
