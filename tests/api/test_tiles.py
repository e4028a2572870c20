"""Vector tiles and the collections as their clients read them."""

from __future__ import annotations

import math

import mapbox_vector_tile
import pytest
from fastapi.testclient import TestClient
from shapely.geometry import shape

from api.app import create_app
from api.settings import Settings
from tests.live import serving


@pytest.fixture(scope="module")
def client(sample_dir, cache_dir):
    with TestClient(create_app(Settings(study=sample_dir, cache_dir=cache_dir))) as client:
        yield client


def place(lon, lat, z):
    """The tile that holds a position."""
    x = (lon + 180) / 360 * 2**z
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z
    return int(x), int(y)


def test_tilejson_leads_to_tiles_that_hold_every_station_once(client):
    told = client.get("/studies/sample/tiles/stations.json").json()
    assert told["tilejson"] == "3.0.0"
    stations = client.app.state.studies["sample"].layers["stations"]
    west, south, east, north = told["bounds"]
    assert stations.total_bounds.tolist() == [west, south, east, north]
    z, found = 13, {}
    left, top = place(west, north, z)
    right, bottom = place(east, south, z)
    for x in range(left, right + 1):
        for y in range(top, bottom + 1):
            answer = client.get(told["tiles"][0].format(z=z, x=x, y=y))
            if answer.status_code == 204:
                continue
            assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
            layer = mapbox_vector_tile.decode(answer.content)["stations"]
            for feature in layer["features"]:
                at_x, at_y = feature["geometry"]["coordinates"]
                if 0 <= at_x < 4096 and 0 <= at_y < 4096:  # not of the buffer
                    lon = (x + at_x / 4096) / 2**z * 360 - 180
                    found[feature["properties"]["station_id"]] = lon
    assert sorted(found) == sorted(stations["station_id"])
    for station, lon in zip(stations["station_id"], stations.geometry.x, strict=True):
        assert found[station] == pytest.approx(lon, abs=360 / 2**z / 4096)


def test_a_shape_in_a_tile_has_its_area(client):
    bands = client.app.state.studies["sample"].layers["isochrones"]
    largest = bands.geometry.iloc[bands.to_crs(3857).area.argmax()]
    layer = mapbox_vector_tile.decode(client.get("/studies/sample/tiles/isochrones/0/0/0.mvt").content)
    assert len(layer["isochrones"]["features"]) <= len(bands)
    z = 10
    x, y = place(largest.representative_point().x, largest.representative_point().y, z)
    answer = client.get(f"/studies/sample/tiles/isochrones/{z}/{x}/{y}.mvt")
    drawn = mapbox_vector_tile.decode(answer.content)["isochrones"]["features"]
    assert max(shape(f["geometry"]).area for f in drawn) > 0
    assert client.get(f"/studies/sample/tiles/isochrones/{z}/{x}/{y}.mvt").content == answer.content


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("stations/2/0/0.mvt", 204), ("stations/2/4/0.mvt", 404), ("stations/19/0/0.mvt", 422), ("roads/1/0/0.mvt", 404),
        ("roads.json", 404), ("stations/1/-1/0.mvt", 422), ("stations/a/0/0.mvt", 422),
    ],
)  # fmt: skip
def test_tiles_that_are_not_there(client, path, status):
    assert client.get(f"/studies/sample/tiles/{path}").status_code == status


def test_owslib_reads_the_collections(sample_dir, cache_dir):
    from owslib.ogcapi.features import Features

    with serving(create_app(Settings(study=sample_dir, cache_dir=cache_dir))) as address:
        service = Features(f"{address}/ogc/sample")
        assert {"stations", "communities", "gaps", "isochrones", "recommendations"} <= set(
            service.feature_collections()
        )
        page = service.collection_items("stations", limit=7)
        assert page["numberReturned"] == 7
        assert service.collection("gaps")["id"] == "gaps"
        one = page["features"][0]
        again = service.collection_item("stations", one["id"])
        assert again["properties"] == one["properties"]
