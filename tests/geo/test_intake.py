"""All tables of a study at once: what comes out, what is told, and one error for all that is wrong."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import box

from geo.config import study_from_mapping
from geo.errors import InputError
from geo.intake import missing_files, open_at, read_area, read_inputs
from geo.models import SERVICES
from tests.toy import grid_network, lonlat

WEST, SOUTH = (float(v[0]) for v in lonlat([(-10, -10)]))
EAST, NORTH = (float(v[0]) for v in lonlat([(410, 410)]))
MIDDLE = (WEST + EAST) / 2


@pytest.fixture
def folder(tmp_path):
    frame = gpd.GeoDataFrame(
        {"社区": ["甲", "乙"], "街道": ["东街", "东街"], "人口": [1000, 3000]},
        geometry=[box(WEST, SOUTH, MIDDLE, NORTH), box(MIDDLE, SOUTH, EAST, NORTH)],
        crs=4326,
    )
    frame.to_file(tmp_path / "c.geojson", driver="GeoJSON")
    at = f"{MIDDLE!r},{(SOUTH + NORTH) / 2!r}"
    (tmp_path / "s.csv").write_text(
        f"名称,经度,纬度,服务项目,开放时间\n甲站,{at},饮水、卫生间,9:00-17:00\n无坐标站,,,饮水,\n",
        encoding="utf-8",
    )
    (tmp_path / "v.csv").write_text(
        f"名称,类型,经度,纬度,设施,营业时间\n超市,supermarket,{at},卫生间、歌舞,8:00-20:00\n远处,mall,100,20,,\n没有坐标,mall,,,,\n",
        encoding="utf-8",
    )
    (tmp_path / "w.csv").write_text(f"lon,lat,workers\n{at},12\n", encoding="utf-8")
    (tmp_path / "r.osm").write_text("<osm/>", encoding="utf-8")
    return tmp_path


def study(folder, **sections):
    base = {
        "study": {"name": "x", "synthetic": True},
        "roads": {"file": "r.osm"},
        "stations": [{"file": "s.csv", "datum": "wgs84"}],
        "communities": {"file": "c.geojson"},
        "demand": {"workers": {"file": "w.csv"}},
        "venues": {"file": "v.csv"},
    }
    kept = {key: value for key, value in {**base, **sections}.items() if value is not None}
    return study_from_mapping(kept, folder=folder)


def read(folder, *, network=None, **sections):
    s = study(folder, **sections)
    return read_inputs(s, area=read_area(s), network=network or grid_network(5, 5, 100.0))


def test_all_tables_have_their_columns_and_people_are_conserved(folder):
    made = read(folder)
    assert list(made.communities.columns) == ["community_id", "name", "street", "population", "geometry"]
    assert list(made.demand.columns) == ["layer", "community", "lon", "lat", "weight"]
    assert list(made.venues.columns) == ["venue_id", "name", "kind", "lon", "lat", "services", "hours"]
    residents = made.demand[made.demand["layer"] == "residents"]
    assert residents.groupby("community")["weight"].sum().to_dict() == pytest.approx(
        {0: 1000, 1: 3000}, abs=1e-6
    )
    assert made.demand.loc[made.demand["layer"] == "workers", "weight"].tolist() == [12.0]
    assert made.synthetic is True
    assert made.station_counts["listed"] == 2
    assert made.station_counts["used"] == len(made.stations) == 1


def test_every_input_file_is_hashed(folder):
    made = read(folder)
    assert dict(made.sha256) == {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("r.osm", "s.csv", "c.geojson", "w.csv", "v.csv")
    }


def test_venues_of_the_file_and_what_became_of_the_others(folder):
    made = read(folder)
    (venue,) = made.venues.to_dict("records")
    assert (venue["venue_id"], venue["name"], venue["kind"]) == ("V001", "超市", "supermarket")
    assert venue["services"] == frozenset({"toilet"})
    assert venue["services"] <= set(SERVICES)
    assert venue["hours"] == "08:00-20:00"
    told = {(e.action, e.name, e.row) for e in made.audit if e.file == "v.csv"}
    assert told == {("noted", "超市", 2), ("skipped", "远处", 3), ("unmapped", "没有坐标", 4)}


def test_without_a_venues_file_the_amenities_serve(folder):
    network = grid_network(5, 5, 100.0)
    amenities = pd.DataFrame(
        {
            "osm_id": [11, 12], "name": ["", "远"], "kind": ["pharmacy", "bank"], "lon": [MIDDLE, 100.0],
            "lat": [(SOUTH + NORTH) / 2] * 2, "opening_hours": ["24/7", ""],
        }
    )  # fmt: skip
    network = replace(network, surroundings=replace(network.surroundings, amenities=amenities))
    (venue,) = read(folder, network=network, venues=None).venues.to_dict("records")
    assert venue["name"] == "pharmacy"
    assert venue["hours"] == "24/7"


def test_no_amenities_give_an_empty_table_with_the_columns(folder):
    venues = read(folder, venues=None).venues
    assert len(venues) == 0
    assert list(venues.columns) == ["venue_id", "name", "kind", "lon", "lat", "services", "hours"]


def test_without_communities_a_layer_of_residents_serves(folder):
    made = read(folder, communities=None, demand={"residents": {"file": "w.csv"}})
    assert len(made.communities) == 0
    assert list(made.communities.columns) == ["community_id", "name", "street", "population", "geometry"]
    assert made.demand["layer"].unique().tolist() == ["residents"]
    assert made.demand["community"].tolist() == [-1]
    assert any("hull" in e.reason_en for e in made.audit)


def test_communities_without_a_column_count_the_people_of_the_layer(folder):
    frame = gpd.read_file(folder / "c.geojson").drop(columns="人口")
    frame.to_file(folder / "c.geojson", driver="GeoJSON")
    made = read(folder, demand={"residents": {"file": "w.csv"}})
    assert made.communities["population"].sum() == 12.0


def test_missing_files_are_listed_with_their_keys(folder):
    s = study(folder, venues={"file": "gone.csv"}, area={"boundary": "no.geojson"})
    assert {(d.key, d.file) for d in missing_files(s)} == {
        ("venues.file", "gone.csv"),
        ("area.boundary", "no.geojson"),
    }
    assert missing_files(study(folder)) == []


def test_a_list_of_a_gigabyte_is_refused_before_anything_is_read(folder):
    with (folder / "huge.csv").open("wb") as file:
        file.truncate(2**30)
    s = study(folder)
    s = s.model_copy(update={"stations": (s.stations[0].model_copy(update={"file": "huge.csv"}),)})
    (found,) = missing_files(s)
    assert found.file == "huge.csv"
    assert "1,024 MB" in found.message


def test_the_defects_of_all_files_come_in_one_error(folder):
    (folder / "s.csv").write_text("甲,乙\n1,2\n", encoding="utf-8")
    (folder / "v.csv").write_text("甲,乙\n1,2\n", encoding="utf-8")
    (folder / "w.csv").write_text("lon,lat,workers\n115.8,32.9,-3\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read(folder)
    assert {d.file for d in caught.value.defects} == {"s.csv", "v.csv", "w.csv"}


def test_two_lists_of_one_file_name_keep_their_own_audit(folder):
    text = (folder / "s.csv").read_text(encoding="utf-8")
    for year in ("2025", "2026"):
        (folder / year).mkdir()
        (folder / year / "s.csv").write_text(text, encoding="utf-8")
    made = read(folder, stations=[{"file": f"{y}/s.csv", "datum": "wgs84"} for y in ("2025", "2026")])
    assert sum(e.action == "unmapped" and e.name == "无坐标站" for e in made.audit) == 2


def test_a_note_on_the_communities_is_told_once(folder):
    frame = gpd.read_file(folder / "c.geojson")
    frame.loc[2] = {"社区": "丙", "街道": "", "人口": 1, "geometry": frame.geometry.iloc[0].centroid}
    frame.to_file(folder / "c.geojson", driver="GeoJSON")
    assert sum(e.file == "c.geojson" and e.row == 3 for e in read(folder).audit) == 1


def test_the_same_files_give_the_same_tables(folder):
    first, second = read(folder), read(folder)
    pd.testing.assert_frame_equal(first.demand, second.demand)
    assert first.audit == second.audit


def test_open_at_is_handed_on(folder):
    made = read(folder)
    assert open_at(list(made.stations["hours"]), ("Tue 12:00", "Tue 23:00")).tolist() == [[True, False]]
