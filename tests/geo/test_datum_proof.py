"""The datum of a list held against the roads: never a wrong proof, and a right one where there are enough points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geo.config import study_from_mapping
from geo.errors import InputError
from geo.intake.datum import from_wgs84, to_wgs84
from geo.intake.datum_proof import CANDIDATES, FEWEST, contradicted, proven, weigh
from geo.intake.read import read_inputs
from geo.network import read_network
from tests.toy import lonlat, toy_network


@pytest.fixture(scope="module")
def wuhan(shared_data, tmp_path_factory):
    network = read_network(shared_data / "wuhan" / "roads.osm.pbf")
    places = pd.read_csv(shared_data / "wuhan" / "poi_gcj02.csv")
    lon, lat = to_wgs84(places["Longitude"].to_numpy(), places["Latitude"].to_numpy(), "gcj02")
    return network, lon, lat, [str(name) for name in places["Name_POI"]]


@pytest.mark.parametrize("datum", CANDIDATES)
def test_m16_wuhan_is_proven_in_every_datum(wuhan, datum):
    network, lon, lat, names = wuhan
    readings = weigh(*from_wgs84(lon, lat, datum), names, network)
    assert proven(readings) == datum
    assert not contradicted(readings, datum)
    assert all(contradicted(readings, other) for other in CANDIDATES if other != datum)
    assert contradicted(readings, "cgcs2000") == (datum != "wgs84")


@pytest.mark.parametrize(("count", "least"), [(30, 0.0), (86, 0.3), (300, 0.9)])
def test_a_part_of_the_list_proves_nothing_wrong(wuhan, count, least):
    network, lon, lat, names = wuhan
    rng = np.random.default_rng(16)
    found = []
    for _ in range(5):
        some = rng.choice(len(lon), count, replace=False)
        for datum in CANDIDATES:
            typed = from_wgs84(lon[some], lat[some], datum)
            found.append((datum, proven(weigh(*typed, [names[i] for i in some], network))))
    assert all(told in {None, datum} for datum, told in found)
    assert np.mean([told == datum for datum, told in found]) >= least


def doors(count, seed=1):
    """Points a few metres from the streets of a town that is no chessboard, and the town."""
    rng = np.random.default_rng(7)
    side = 40
    nodes = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2) * 130.0
    nodes += rng.uniform(-50.0, 50.0, nodes.shape)
    i = np.arange(side * side).reshape(side, side)
    pairs = np.concatenate(
        (
            np.column_stack((i[:, :-1].ravel(), i[:, 1:].ravel())),
            np.column_stack((i[:-1].ravel(), i[1:].ravel())),
        )
    )
    rng = np.random.default_rng(seed)
    u, v = nodes[pairs[rng.integers(len(pairs), size=count)].T]
    along = v - u
    across = np.column_stack((-along[:, 1], along[:, 0])) / np.hypot(*along.T)[:, None]
    spots = u + rng.random((count, 1)) * along + across * rng.uniform(3.0, 10.0, (count, 1))
    return toy_network(nodes, pairs), *lonlat(spots)


def test_too_few_points_prove_nothing():
    network, lon, lat = doors(FEWEST - 1)
    assert weigh(lon, lat, ["x"] * len(lon), network) == ()
    assert proven(()) is None
    assert not contradicted((), "gcj02")


def test_points_that_lie_anywhere_prove_nothing():
    network, *_ = doors(1)
    for seed in range(10):
        at = np.random.default_rng(seed).uniform(0, 39 * 130.0, (200, 2))
        lon, lat = lonlat(at)
        assert proven(weigh(lon, lat, ["x"] * 200, network)) is None


def test_points_without_roads_around_them_prove_nothing():
    network, lon, lat = doors(100)
    assert weigh(lon + 2.0, lat, ["x"] * 100, network) == ()
    assert weigh(np.full(100, np.nan), lat, ["x"] * 100, network) == ()


def test_namesakes_speak_where_roads_are_silent():
    network, *_ = doors(1)
    lon, lat = lonlat(np.random.default_rng(3).uniform(0, 39 * 130.0, (60, 2)))
    names = [f"第{i}人民医院" for i in range(60)]
    amenities = pd.DataFrame(
        {"osm_id": "n1", "name": names, "kind": "hospital", "lon": lon, "lat": lat, "opening_hours": ""}
    )
    named = replace(network, surroundings=replace(network.surroundings, amenities=amenities))
    for datum in CANDIDATES:
        readings = weigh(*from_wgs84(lon, lat, datum), names, named)
        assert proven(readings) == datum
        told = next(reading for reading in readings if reading.datum == datum).told()
        assert "60 个同名地点" in told[0]
        assert "60 namesakes" in told[1]


def study_of(folder, datum, lon, lat):
    frame = pd.DataFrame({"名称": [f"驿站{i}" for i in range(len(lon))], "经度": lon, "纬度": lat})
    frame.to_csv(folder / "s.csv", index=False)
    return study_from_mapping(
        {
            "study": {"name": "x"},
            "roads": {"file": "r.osm"},
            "stations": [{"file": "s.csv", "datum": datum}],
            "demand": {"residents": {"file": "d.csv"}},
        },
        folder=folder,
    )


def read(folder, datum, typed, network):
    import geopandas as gpd
    import shapely

    study = study_of(folder, datum, *typed)
    (folder / "r.osm").write_text("<osm/>")
    corner = lonlat([(-500, -500), (5600, 5600)])
    box = shapely.box(corner[0][0], corner[1][0], corner[0][1], corner[1][1])
    middle = box.centroid
    (folder / "d.csv").write_text(f"lon,lat,weight\n{middle.x},{middle.y},10\n")
    return read_inputs(study, area=gpd.GeoDataFrame(geometry=[box], crs=4326), network=network)


def test_a_denied_datum_is_refused_with_the_evidence(tmp_path):
    network, lon, lat = doors(80)
    with pytest.raises(InputError) as refused:
        read(tmp_path, "wgs84", from_wgs84(lon, lat, "gcj02"), network)
    (defect,) = refused.value.defects
    assert defect.file == "s.csv"
    assert defect.key == "stations.0.datum"
    assert "改为 gcj02" in defect.message
    assert "declared wgs84, but the points fit gcj02" in defect.message
    assert "随意移动后" in defect.message


def test_an_automatic_datum_is_proven_or_refused(tmp_path):
    network, lon, lat = doors(80)
    found = read(tmp_path, "auto", from_wgs84(lon, lat, "bd09"), network)
    np.testing.assert_allclose(found.stations["lon"], lon, atol=1e-8)
    assert any("证明为 bd09" in entry.reason_zh for entry in found.audit)
    with pytest.raises(InputError, match="cannot be proven"):
        read(tmp_path, "auto", (lon[:10], lat[:10]), network)


def test_a_declared_datum_that_fits_is_borne_out_in_the_audit(tmp_path):
    network, lon, lat = doors(80)
    found = read(tmp_path, "gcj02", from_wgs84(lon, lat, "gcj02"), network)
    assert any("有道路为证" in entry.reason_zh for entry in found.audit)
