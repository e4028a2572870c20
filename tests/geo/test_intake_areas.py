"""The district's polygon and its communities: what is accepted, mended, noted and refused."""

from __future__ import annotations

import json

import geopandas as gpd
import pytest
import shapely
from shapely.geometry import LineString, Point, Polygon, box

from geo.config import study_from_mapping
from geo.errors import InputError
from geo.intake.areas import area_audit, polygons_only, read_area, read_communities

SQUARE = box(115.80, 32.90, 115.82, 32.92)


def study(folder, **sections):
    base = {
        "study": {"name": "x"},
        "roads": {"file": "r.osm"},
        "stations": [{"file": "s.csv", "datum": "wgs84"}],
    }
    return study_from_mapping({**base, **sections}, folder=folder)


def write(path, shapes, crs="EPSG:4326", **columns):
    frame = gpd.GeoDataFrame(columns or {"n": range(len(shapes))}, geometry=list(shapes), crs=4326).to_crs(
        crs
    )
    frame.to_file(path, driver="GPKG" if path.suffix == ".gpkg" else "GeoJSON")
    return path.name


def community_study(folder, shapes, extra=None, **columns):
    write(folder / "c.geojson", shapes, **columns)
    return study(folder, communities={"file": "c.geojson", **(extra or {})})


def defects(call):
    with pytest.raises(InputError) as caught:
        call()
    return caught.value.defects


def test_the_published_boundary_is_accepted(shared_data):
    area = read_area(study(shared_data, area={"boundary": "wuhan/boundary.geojson"}))
    assert len(area) == 1
    assert area.crs == "EPSG:4326"
    assert area.is_valid.all()
    # the city covers 8,569 km² (statistical yearbook)
    assert area.to_crs(32650).area.iloc[0] / 1e6 == pytest.approx(8569, rel=0.02)


def test_the_broken_boundary_is_refused_with_the_line_and_column_of_the_parser(shared_data):
    path = shared_data / "wuhan" / "boundary_broken.geojson"
    with pytest.raises(json.JSONDecodeError) as expected:
        json.loads(path.read_text(encoding="utf-8"))
    (found,) = defects(lambda: read_area(study(path.parent, area={"boundary": path.name})))
    assert found.file == path.name
    assert f"第 {expected.value.lineno} 行第 {expected.value.colno} 列" in found.message
    assert f"line {expected.value.lineno}, column {expected.value.colno}" in found.message


@pytest.mark.parametrize("name", ["nothing.geojson", "empty.geojson", "lines.geojson", "word.geojson"])
def test_what_is_no_area_is_refused(tmp_path, name):
    write(tmp_path / "lines.geojson", [LineString([(115.8, 32.9), (115.9, 33.0)])])
    (tmp_path / "empty.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    (tmp_path / "word.geojson").write_text('"hello"')
    assert defects(lambda: read_area(study(tmp_path, area={"boundary": name})))[0].file == name


def test_a_declared_crs_is_brought_to_wgs84(tmp_path):
    write(tmp_path / "b.gpkg", [SQUARE], crs="EPSG:32650")
    area = read_area(study(tmp_path, area={"boundary": "b.gpkg"})).geometry.iloc[0]
    assert area.symmetric_difference(SQUARE).area < 1e-9


def test_a_self_crossing_boundary_is_mended_and_noted(tmp_path):
    bow = Polygon([(115.8, 32.9), (115.82, 32.92), (115.82, 32.9), (115.8, 32.92)])
    write(tmp_path / "b.geojson", [bow, Point(115.8, 32.9)])
    s = study(tmp_path, area={"boundary": "b.geojson"})
    area = read_area(s)
    assert area.is_valid.all()
    assert area.geometry.iloc[0].area == pytest.approx(0.02 * 0.02 / 2)
    assert [(e.action, e.row) for e in area_audit(s)] == [("skipped", 2), ("mended", 1)]


def test_the_responsibility_polygon_cuts(tmp_path):
    write(tmp_path / "b.geojson", [SQUARE])
    write(tmp_path / "r.geojson", [box(115.81, 32.80, 115.90, 33.0)])
    write(tmp_path / "far.geojson", [box(10, 10, 11, 11)])
    cut = read_area(study(tmp_path, area={"boundary": "b.geojson", "responsibility": "r.geojson"}))
    assert cut.total_bounds == pytest.approx([115.81, 32.90, 115.82, 32.92])
    far = study(tmp_path, area={"boundary": "b.geojson", "responsibility": "far.geojson"})
    assert defects(lambda: read_area(far))[0].key == "area.responsibility"


def test_without_a_boundary_the_communities_make_the_area(tmp_path):
    halves = [box(115.80, 32.90, 115.81, 32.92), box(115.81, 32.90, 115.82, 32.92)]
    s = community_study(tmp_path, halves, 名称=["甲", "乙"], 人口=[1, 2])
    assert read_area(s).geometry.iloc[0].symmetric_difference(SQUARE).area < 1e-12


def test_without_boundary_and_communities_the_stations_make_the_area(tmp_path):
    (tmp_path / "s.csv").write_text("名称,经度,纬度\n甲,115.80,32.90\n乙,115.82,32.90\n", encoding="utf-8")
    s = study(tmp_path, standard={"speed_kmh": 4.0, "limit_minutes": 15})
    area = read_area(s)
    (note,) = area_audit(s)
    assert note.action == "noted"
    assert "1000" in note.reason_en
    plane = area.to_crs(32650)
    points = gpd.GeoSeries([Point(115.80, 32.90), Point(115.82, 32.90)], crs=4326).to_crs(32650)
    assert plane.boundary.distance(points.iloc[0]).iloc[0] == pytest.approx(1000, rel=0.01)
    assert plane.contains(points.iloc[1]).all()


def test_polygons_only_leaves_lines_and_points_out():
    mixed = shapely.GeometryCollection([SQUARE, LineString([(0, 0), (1, 1)]), Point(0, 0)])
    assert polygons_only(mixed).equals(SQUARE)
    assert polygons_only(Point(0, 0)).is_empty


def test_communities_are_read_by_chinese_headings(tmp_path):
    halves = [box(115.80, 32.90, 115.81, 32.92), box(115.81, 32.90, 115.82, 32.92)]
    s = community_study(
        tmp_path,
        halves,
        社区名称=["甲", "乙"],
        所属街道=["东街", "西街"],
        常住人口=["1,200", "800人"],
        编号=[7, 8],
    )
    made, audit = read_communities(s, area=SQUARE)
    assert made[["community_id", "name", "street"]].to_numpy().tolist() == [
        ["7", "甲", "东街"],
        ["8", "乙", "西街"],
    ]
    assert made["population"].tolist() == [1200.0, 800.0]
    assert made.crs == "EPSG:4326"
    assert audit == []


def test_no_communities_is_an_empty_table_with_the_columns(tmp_path):
    made, _ = read_communities(study(tmp_path), area=SQUARE)
    assert list(made.columns) == ["community_id", "name", "street", "population", "geometry"]
    assert len(made) == 0
    assert made["population"].dtype == float


def test_nameless_and_repeated_names_are_numbered_and_noted(tmp_path):
    quarters = [box(115.80 + i * 0.005, 32.90, 115.805 + i * 0.005, 32.92) for i in range(4)]
    s = community_study(
        tmp_path,
        quarters,
        name=["甲", None, "甲", "甲"],
        street=["东", "东", "东", "西"],
        population=[1, 2, 3, 4],
    )
    made, audit = read_communities(s, area=SQUARE)
    assert made["name"].tolist() == ["甲", "社区 2", "甲（2）", "甲"]
    assert [(e.action, e.row) for e in audit] == [("mended", 2), ("mended", 3)]
    assert made["community_id"].tolist() == ["C001", "C002", "C003", "C004"]


def test_a_neighbour_is_left_out_and_told(tmp_path):
    s = community_study(
        tmp_path, [SQUARE, box(115.82, 32.90, 115.84, 32.92)], name=["甲", "乙"], population=[10, 20]
    )
    made, audit = read_communities(s, area=SQUARE)
    assert made["name"].tolist() == ["甲"]
    assert [(e.action, e.name, e.found, e.row) for e in audit] == [("skipped", "乙", "20", 2)]


def test_all_wrong_populations_are_named_at_once(tmp_path):
    s = community_study(tmp_path, [SQUARE] * 3, name=["甲", "乙", "丙"], population=["-1", "暂无", "5"])
    assert [(d.row, d.column) for d in defects(lambda: read_communities(s, area=SQUARE))] == [
        (1, "population"), (2, "population"),
    ]  # fmt: skip


def test_missing_columns_list_those_that_are_there(tmp_path):
    s = community_study(tmp_path, [SQUARE], x1=[1], x2=[2])
    found = defects(lambda: read_communities(s, area=SQUARE))
    assert {d.key for d in found} == {"communities.name", "communities.population"}
    assert all("x1、x2" in d.message for d in found)
    s = community_study(tmp_path, [SQUARE], {"population": "gone"}, name=["甲"])
    (only,) = defects(lambda: read_communities(s, area=SQUARE))
    assert only.column == "gone"


def test_communities_elsewhere_are_refused(tmp_path):
    s = community_study(tmp_path, [SQUARE], name=["甲"], population=[1])
    assert defects(lambda: read_communities(s, area=box(0, 0, 1, 1)))[0].file == "c.geojson"
