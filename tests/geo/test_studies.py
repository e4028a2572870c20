"""Whole studies on real data: Wuhan against a second implementation, Helsinki and Porto Alegre run through."""

from __future__ import annotations

import pytest
from shapely.geometry import box, mapping

from geo import pipeline
from geo.config import study_from_mapping
from geo.errors import InputError


def boundary(folder, west, south, east, north):
    import json

    path = folder / "box.geojson"
    path.write_text(json.dumps(mapping(box(west, south, east, north))), encoding="utf-8")
    return str(path)


def test_wuhan_agrees_with_the_second_implementation(wuhan):
    block = wuhan.coverage.layers["residents"]
    assert block["total"] == pytest.approx(7_508_689, abs=5)
    assert block["share"] == pytest.approx(0.3861, rel=0.01)


def test_wuhan_shapes_tell_the_truth(wuhan):
    assert wuhan.summary["isochrones"]["false_share"] <= 0.005
    assert wuhan.summary["isochrones"]["missed_share"] <= 0.005


def test_helsinki_runs_through(shared_data, tmp_path, cache_dir):
    data = shared_data / "helsinki"
    stations = tmp_path / "stations.csv"
    lines = (data / "facilities_opening_hours.csv").read_text(encoding="utf-8-sig").splitlines()
    rows = [line for line in lines[1:] if "library" in line or "toilets" in line or "fuel" in line]
    stations.write_text("\n".join([lines[0], *rows]), encoding="utf-8")
    study = study_from_mapping(
        {
            "study": {"name": "Helsinki", "language": "en"},
            "roads": {"file": str(data / "roads.osm.pbf")},
            "area": {"boundary": boundary(tmp_path, 24.90, 60.15, 24.99, 60.20)},
            "stations": [{"file": str(stations), "datum": "wgs84"}],
            "demand": {"residents": {"file": str(data / "population_grid_250m.gpkg")}},
            "siting": {"add": 2},
        },
        folder=tmp_path,
    )
    result = pipeline.run(study, cache_dir=cache_dir)
    block = result.coverage.layers["residents"]
    assert 0 < block["share"] <= block["share_straight_line"] <= 1
    assert len(result.recommendations) <= 2
    assert result.summary["isochrones"]["false_share"] <= 0.005
    assert result.summary["isochrones"]["missed_share"] <= 0.005


def test_porto_alegre_runs_through(shared_data, tmp_path, cache_dir):
    data = shared_data / "porto-alegre"
    study = study_from_mapping(
        {
            "study": {"name": "Porto Alegre", "language": "en"},
            "roads": {"file": str(data / "roads.osm.pbf")},
            "area": {"boundary": boundary(tmp_path, -51.3, -30.2, -51.05, -29.95)},
            "stations": [{"file": str(data / "points_of_interest.csv"), "datum": "wgs84"}],
            "demand": {
                "residents": {"file": str(data / "population_hexgrid.csv"), "weight": "population"},
                "jobs": {"file": str(data / "population_hexgrid.csv"), "weight": "jobs"},
            },
            "siting": {"add": 3},
        },
        folder=tmp_path,
    )
    result = pipeline.run(study, cache_dir=cache_dir)
    assert result.coverage.layers["residents"]["total"] == pytest.approx(812_935)
    assert result.coverage.layers["jobs"]["total"] == pytest.approx(337_921)
    assert 0 < result.coverage.layers["jobs"]["share"] < 1


def test_broken_boundary_is_refused_with_line_and_column(shared_data, tmp_path):
    study = study_from_mapping(
        {
            "study": {"name": "武汉"},
            "area": {"boundary": str(shared_data / "wuhan" / "boundary_broken.geojson")},
            "roads": {"file": str(shared_data / "wuhan" / "roads.osm.pbf")},
            "stations": [{"file": str(shared_data / "wuhan" / "stations_gcj02.xlsx"), "datum": "gcj02"}],
        },
        folder=tmp_path,
    )
    with pytest.raises(InputError, match=r"line \d+.*column \d+"):
        pipeline.run(study)


def test_a_boundary_with_no_roads_inside_is_refused(shared_data, tmp_path):
    study = study_from_mapping(
        {
            "study": {"name": "武汉"},
            "area": {"boundary": boundary(tmp_path, 10, 10, 10.1, 10.1)},
            "roads": {"file": str(shared_data / "wuhan" / "roads.osm.pbf")},
            "stations": [{"file": str(shared_data / "wuhan" / "stations_gcj02.xlsx"), "datum": "gcj02"}],
        },
        folder=tmp_path,
    )
    with pytest.raises(InputError):
        pipeline.run(study)


def test_all_missing_files_are_named_at_once(tmp_path):
    study = study_from_mapping(
        {
            "study": {"name": "x"},
            "area": {"boundary": "a.geojson"},
            "roads": {"file": "b.osm.pbf"},
            "stations": [{"file": "c.xlsx", "datum": "gcj02"}],
            "communities": {"file": "d.geojson", "population": "p"},
        },
        folder=tmp_path,
    )
    with pytest.raises(InputError) as caught:
        pipeline.run(study)
    text = str(caught.value)
    assert all(name in text for name in ("a.geojson", "b.osm.pbf", "c.xlsx", "d.geojson"))
