"""People as weighted points: conserved sums, real files, and what is dropped, noted or refused."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.transform import Affine
from shapely.geometry import box

from geo.config import DemandSection, study_from_mapping
from geo.errors import InputError
from geo.intake.areas import empty_communities
from geo.intake.datum import from_wgs84
from geo.intake.demand import read_demand, read_layer
from geo.intake.layers import read_raster
from geo.intake.spread import CELL_M, FEWEST_HOMES, polygon_of, spread_population, way_points
from tests.toy import grid_network, lonlat, toy_network

WORLD = box(-180, -85, 180, 85)


def rectangle(west_m, south_m, east_m, north_m):
    return box(
        *(float(v[0]) for v in lonlat([(west_m, south_m)])),
        *(float(v[0]) for v in lonlat([(east_m, north_m)])),
    )


def communities(shapes, people):
    names = [f"c{i}" for i in range(len(shapes))]
    return gpd.GeoDataFrame(
        {"community_id": names, "name": names, "street": "", "population": np.asarray(people, float)},
        geometry=list(shapes),
        crs=4326,
    )


def with_homes(network, xy_m, area_m2):
    lon, lat = lonlat(xy_m)
    homes = pd.DataFrame({"lon": lon, "lat": lat, "area_m2": np.asarray(area_m2, float)})
    return replace(network, surroundings=replace(network.surroundings, buildings=homes))


def layer(path, *, area=WORLD, of=None, **section):
    of = empty_communities() if of is None else of
    return read_layer(path, DemandSection(file=path.name, **section), layer="L", area=area, communities=of)


def defects(call):
    with pytest.raises(InputError) as caught:
        call()
    return caught.value.defects


def csv(folder, text, name="d.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


# --- spreading a community's people ---


@settings(deadline=None, max_examples=40)
@given(
    people=st.lists(st.floats(0, 1e6), min_size=4, max_size=4),
    homes=st.lists(st.tuples(st.floats(-50, 450), st.floats(-50, 450), st.floats(0, 5000)), max_size=40),
)
def test_every_community_keeps_its_people_and_its_points_lie_inside(people, homes):
    network = with_homes(grid_network(5, 5, 100.0), [h[:2] for h in homes], [h[2] for h in homes])
    # two with ways, one beyond them (a grid), one too thin for a grid
    shapes = [rectangle(0, 0, 200, 400), rectangle(200, 0, 400, 400), rectangle(900, 0, 1400, 300),
              rectangle(2000, 0, 2005, 5)]  # fmt: skip
    made = spread_population(communities(shapes, people), network)
    sums = made.groupby("community")["weight"].sum().reindex(range(4), fill_value=0.0)
    assert sums.to_numpy() == pytest.approx(np.array(people), rel=1e-12, abs=1e-6)
    for row, shape in enumerate(shapes):
        part = made[made["community"] == row]
        assert shapely.intersects_xy(shape.buffer(1e-9), part["lon"].to_numpy(), part["lat"].to_numpy()).all()


def test_people_follow_floor_area():
    network = with_homes(grid_network(5, 5, 100.0), [(25, 25), (125, 25), (325, 325)], [100, 300, 600])
    made = spread_population(communities([rectangle(0, 0, 400, 400)], [1000]), network)
    assert sorted(made["weight"]) == pytest.approx([100, 300, 600])
    lon, lat = lonlat([(325, 325)])
    most = made.loc[made["weight"].idxmax()]
    assert (most["lon"], most["lat"]) == (lon[0], lat[0])


def test_few_homes_are_not_trusted_and_ways_take_over():
    network = with_homes(
        grid_network(5, 5, 100.0), [(25, 25)] * (FEWEST_HOMES - 1), [100] * (FEWEST_HOMES - 1)
    )
    made = spread_population(communities([rectangle(-10, -10, 410, 410)], [4000]), network)
    # 40 edges of 100 m: one point each, save those that share a 50 m square
    assert len(made) > 20
    assert made["weight"].min() == pytest.approx(100, rel=0.005)


def test_homes_of_one_square_share_a_point():
    xy = [(i * 5.0, j * 5.0) for i in range(80) for j in range(80)]
    network = with_homes(grid_network(5, 5, 100.0), xy, [100] * len(xy))
    made = spread_population(communities([rectangle(-10, -10, 410, 410)], [6400]), network)
    assert len(made) <= (400 / CELL_M + 1) ** 2
    assert made["weight"].sum() == pytest.approx(6400)


def test_nobody_lives_along_a_motorway_and_way_points_stand_for_the_length():
    xy = [(0, 0), (1000, 0), (0, 500), (1000, 500)]
    network = toy_network(xy, [(0, 1), (2, 3)])
    network = replace(
        network, class_names=("residential", "motorway"), way_class=np.array([0, 1], dtype=np.uint8)
    )
    lon, lat, metres = way_points(network)
    assert metres.sum() == pytest.approx(1000, rel=0.005)
    assert len(lon) == pytest.approx(10, abs=1)
    assert np.allclose(lat, network.node_lat[0], atol=1e-6)


def test_a_district_is_spread_fast_into_a_modest_number_of_points():
    rng = np.random.default_rng(1)
    side, n = 500.0, 10_000
    shapes = [
        rectangle(i * side, j * side, (i + 1) * side, (j + 1) * side) for i in range(10) for j in range(6)
    ]
    network = with_homes(
        grid_network(51, 31, 100.0), rng.uniform(0, [5000, 3000], (n, 2)), rng.uniform(50, 900, n)
    )
    of = communities(shapes, rng.integers(4000, 9000, 60))
    made = spread_population(of, network)
    assert len(made) < 15_000
    assert made["weight"].sum() == pytest.approx(of["population"].sum(), abs=1e-6)


def test_points_find_their_polygon_as_a_slow_loop_does():
    rng = np.random.default_rng(2)
    shapes = [box(x, y, x + 1.3, y + 1.3) for x in range(3) for y in range(3)]  # they overlap
    lon, lat = rng.uniform(-1, 5, 300), rng.uniform(-1, 5, 300)
    slow = [
        next((i for i, s in enumerate(shapes) if s.intersects(shapely.Point(p))), -1)
        for p in zip(lon, lat, strict=True)
    ]
    assert polygon_of(communities(shapes, [1] * 9), lon, lat).tolist() == slow


# --- layers from files ---


@pytest.mark.parametrize(
    ("file", "weight", "points", "people"),
    [
        ("porto-alegre/population_hexgrid.csv", None, 1124, 812_935),
        ("porto-alegre/population_hexgrid.csv", "jobs", None, 337_921),
        ("wuhan/population_20plus_500m.csv", "pop20plus", 11_430, 7_508_689.13),
        ("wuhan/population_20plus_500m.csv", None, 11_430, 7_508_689.13),
        ("helsinki/population_grid_250m.gpkg", None, 92, 71_724),
    ],
)
def test_published_people_are_all_there(shared_data, file, weight, points, people):
    made, _ = layer(shared_data / file, weight=weight)
    assert made["weight"].sum() == pytest.approx(people, rel=1e-9)
    assert points is None or len(made) == points


def test_a_polygon_counts_at_a_point_inside(shared_data):
    path = shared_data / "helsinki" / "population_grid_250m.gpkg"
    made, _ = layer(path)
    cells = gpd.read_file(path).to_crs(4326).reset_index(drop=True)
    inside = cells.contains(gpd.GeoSeries.from_xy(made["lon"], made["lat"], crs=4326))
    assert inside.all()
    assert made["weight"].tolist() == cells["population"].tolist()


def test_every_row_ends_in_the_layer_or_the_audit(shared_data):
    path = shared_data / "porto-alegre" / "population_hexgrid.csv"
    area = box(-51.22, -30.08, -51.18, -30.02)
    made, audit = layer(path, area=area)
    table = pd.read_csv(path)
    inside = shapely.contains_xy(area.buffer(1e-5), table["lon"].to_numpy(), table["lat"].to_numpy())
    people = table["population"].to_numpy()
    assert made["weight"].sum() == people[inside].sum()
    nobody, outside = audit
    assert nobody.reason_en == f"L: {(people == 0).sum()} rows of weight 0"
    left = ~inside & (people > 0)
    assert outside.reason_en == f"L: {left.sum()} points outside the area, weight {people[left].sum():,}"


def test_a_metre_outside_still_counts(tmp_path):
    path = csv(tmp_path, "lon,lat,weight\n116.000005,32.5,3\n116.00003,32.5,5\n")
    made, audit = layer(path, area=box(115, 32, 116, 33))
    assert made["weight"].tolist() == [3.0]
    assert [e.action for e in audit] == ["skipped"]


def test_without_a_weight_each_row_counts_one_and_the_audit_says_so(tmp_path):
    made, audit = layer(csv(tmp_path, "name,lon,lat\na,115.8,32.9\nb,115.81,32.9\n"))
    assert made["weight"].tolist() == [1.0, 1.0]
    assert audit[0].action == "noted"
    assert "counts 1" in audit[0].reason_en


def test_two_possible_weights_are_a_question_not_a_guess(tmp_path):
    (found,) = defects(lambda: layer(csv(tmp_path, "lon,lat,pop_men,pop_women\n115.8,32.9,3,4\n")))
    assert "pop_men、pop_women" in found.message


@pytest.mark.parametrize("datum", ["gcj02", "bd09", "EPSG:4548"])
def test_a_declared_datum_is_undone(tmp_path, datum):
    x, y = from_wgs84(np.array([115.81]), np.array([32.91]), datum)
    made, _ = layer(csv(tmp_path, f"经度,纬度,人数\n{float(x[0])!r},{float(y[0])!r},7\n"), datum=datum)
    assert made[["lon", "lat"]].to_numpy()[0] == pytest.approx([115.81, 32.91], abs=1e-8)


def test_wrong_rows_are_all_named_by_their_line(tmp_path):
    text = "lon,lat,weight\n115.8,32.9,1\n115.8,32.9,-2\n暂无,32.9,1\n115.8,32.9,NaN\n115.8,32.9,many\n"
    found = defects(lambda: layer(csv(tmp_path, text)))
    assert {(d.row, d.column) for d in found} == {
        (3, "weight"),
        (4, "lon, lat"),
        (5, "weight"),
        (6, "weight"),
    }
    assert all(d.key == "demand.L" and d.file == "d.csv" for d in found)


def test_a_blank_weight_is_not_stated_and_goes_to_the_audit(tmp_path):
    made, audit = layer(csv(tmp_path, "lon,lat,weight\n115.8,32.9,1\n115.8,32.9,\n"))
    assert made["weight"].tolist() == [1.0]
    assert [(e.action, e.row, e.column) for e in audit] == [("skipped", 3, "weight")]


def test_many_wrong_rows_are_counted(tmp_path):
    found = defects(lambda: layer(csv(tmp_path, "lon,lat,weight\n" + "115.8,32.9,-1\n" * 50)))
    assert len(found) == 21
    assert "30" in found[-1].message


def test_a_wrong_weight_is_answered_with_the_closest_heading(tmp_path):
    (found,) = defects(lambda: layer(csv(tmp_path, "lon,lat,骑手数\n115.8,32.9,1\n"), weight="骑手人数"))
    assert "最接近 closest：骑手数" in found.message


@pytest.mark.parametrize("weight", [None, "骑手"])
def test_missing_columns_are_named(tmp_path, weight):
    text = "a,b\n1,2\n" if weight is None else "lon,lat,weight\n115.8,32.9,1\n"
    (found,) = defects(lambda: layer(csv(tmp_path, text), weight=weight))
    assert (weight or "longitude") in found.message


def test_all_sheets_of_a_workbook_count(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "说明"
    book.active.append(["本表由网点报送"])
    for name, people in (("东片", 5), ("西片", 6)):
        page = book.create_sheet(name)
        page.append(["网点名称", "经度", "纬度", "人数"])
        page.append([name, 115.8, 32.9, people])
    book.save(tmp_path / "d.xlsx")
    made, audit = layer(tmp_path / "d.xlsx")
    assert made["weight"].tolist() == [5.0, 6.0]
    assert [(e.action, e.sheet) for e in audit] == [("skipped", "说明")]


def test_points_bear_their_community(tmp_path):
    of = communities([box(115.8, 32.9, 115.81, 32.91), box(115.81, 32.9, 115.82, 32.91)], [0, 0])
    made, _ = layer(
        csv(tmp_path, "lon,lat,weight\n115.815,32.905,1\n115.805,32.905,1\n115.9,32.9,1\n"), of=of
    )
    assert made["community"].tolist() == [1, 0, -1]
    assert made["community"].dtype == np.int32


# --- rasters ---


def test_the_whole_raster_equals_the_sum_of_rasterio(shared_data):
    path = shared_data / "wuhan" / "population_20plus_100m.tif"
    with rasterio.open(path) as source:
        values = source.read(1, masked=True).astype(float).filled(0.0)
    made = read_raster(path, area=box(100, 20, 130, 40))
    assert made["weight"].sum() == pytest.approx(values[values > 0].sum(), rel=1e-12)
    assert len(made) == (values > 0).sum()


def test_a_window_equals_the_same_cells_of_the_whole(shared_data):
    path = shared_data / "wuhan" / "population_20plus_100m.tif"
    area = shapely.Point(114.3, 30.6).buffer(0.07)
    with rasterio.open(path) as source:
        values = source.read(1, masked=True).astype(float).filled(0.0)
        grid = source.transform
    lon = grid.c + grid.a * (np.arange(values.shape[1]) + 0.5)
    lat = grid.f + grid.e * (np.arange(values.shape[0]) + 0.5)
    at_lon, at_lat = np.meshgrid(lon, lat)
    near = area.buffer(1e-5)
    shapely.prepare(near)
    inside = shapely.contains_xy(near, at_lon.ravel(), at_lat.ravel()).reshape(values.shape)
    made, audit = layer(path, area=area)
    assert made["weight"].sum() == pytest.approx(values[inside & (values > 0)].sum(), rel=1e-12)
    assert len(made) == (inside & (values > 0)).sum()
    assert [e.action for e in audit] == ["skipped"]


def raster(path, values, transform, crs="EPSG:4326", nodata=-1.0):
    with rasterio.open(path, "w", driver="GTiff", width=values.shape[1], height=values.shape[0], count=1,
                       dtype="float32", crs=crs, transform=transform, nodata=nodata) as target:  # fmt: skip
        target.write(values.astype("float32"), 1)
    return path


def test_nodata_nan_and_negative_cells_are_nobody(tmp_path):
    values = np.array([[1, -1, np.nan], [0, -5, 2]])
    made = read_raster(
        raster(tmp_path / "r.tif", values, Affine(0.1, 0, 115, 0, -0.1, 33)), area=box(115, 32, 116, 33)
    )
    assert made["weight"].tolist() == [1.0, 2.0]
    assert made["lon"].tolist() == pytest.approx([115.05, 115.25])
    assert made["lat"].tolist() == pytest.approx([32.95, 32.85])


def test_a_projected_raster_comes_in_degrees(tmp_path):
    at = gpd.GeoSeries.from_xy([115.81], [32.91], crs=4326).to_crs(32650).iloc[0]
    path = raster(
        tmp_path / "r.tif", np.array([[9.0]]), Affine(100, 0, at.x - 50, 0, -100, at.y + 50), crs="EPSG:32650"
    )
    made = read_raster(path, area=box(115.8, 32.9, 115.82, 32.92))
    assert made.to_numpy()[0] == pytest.approx([115.81, 32.91, 9.0], abs=1e-7)


def test_rasters_elsewhere_or_broken_are_refused(tmp_path):
    path = raster(tmp_path / "r.tif", np.array([[9.0]]), Affine(0.1, 0, 10, 0, -0.1, 10))
    assert "does not meet" in defects(lambda: read_raster(path, area=box(115, 32, 116, 33)))[0].message
    (tmp_path / "b.tif").write_bytes(b"no raster")
    assert "cannot be read" in defects(lambda: read_raster(tmp_path / "b.tif", area=WORLD))[0].message


# --- all layers of a study ---


def demand_of(folder, *, of, area=WORLD, network=None, **sections):
    study = study_from_mapping(
        {
            "study": {"name": "x"},
            "roads": {"file": "r.osm"},
            "stations": [{"file": "s.csv", "datum": "wgs84"}],
            **sections,
        },
        folder=folder,
    )
    return read_demand(study, area=area, communities=of, network=network or grid_network(5, 5, 100.0))


def test_residents_and_further_layers_stand_side_by_side(tmp_path):
    csv(tmp_path, "lon,lat,workers\n115.801,32.901,12\n", "w.csv")
    of = communities([rectangle(0, 0, 400, 400)], [500])
    made, _ = demand_of(tmp_path, of=of, demand={"workers": {"file": "w.csv"}})
    assert made.groupby("layer")["weight"].sum().to_dict() == pytest.approx({"residents": 500, "workers": 12})
    assert list(made.columns) == ["layer", "community", "lon", "lat", "weight"]


def test_a_community_cut_by_the_area_loses_only_who_lives_outside_and_says_so(tmp_path):
    of = communities([rectangle(-10, -10, 410, 410)], [4000])
    made, audit = demand_of(tmp_path, of=of, area=rectangle(-10, -10, 205, 410))
    assert 0 < made["weight"].sum() < 4000
    (note,) = audit
    assert float(note.reason_en.rsplit(" ", 1)[1].replace(",", "")) + made["weight"].sum() == pytest.approx(
        4000, abs=0.5
    )


def test_a_raster_of_people_is_joined_to_communities(tmp_path):
    raster(tmp_path / "r.tif", np.array([[3.0, 4.0]]), Affine(0.01, 0, 115.8, 0, -0.01, 32.91))
    of = communities([box(115.8, 32.9, 115.81, 32.91), box(115.81, 32.9, 115.82, 32.91)], [0, 0])
    made, _ = demand_of(tmp_path, of=of, communities={"file": "c.geojson", "raster": "r.tif"})
    assert made[["layer", "community", "weight"]].to_numpy().tolist() == [
        ["residents", 0, 3.0],
        ["residents", 1, 4.0],
    ]


def test_people_given_twice_are_refused(tmp_path):
    csv(tmp_path, "lon,lat,pop\n115.8,32.9,1\n", "p.csv")
    sections = {
        "communities": {"file": "c.geojson", "population": "p"},
        "demand": {"residents": {"file": "p.csv"}},
    }
    assert (
        defects(lambda: demand_of(tmp_path, of=empty_communities(), **sections))[0].key == "demand.residents"
    )


def test_nobody_is_refused(tmp_path):
    csv(tmp_path, "lon,lat,pop\n115.8,32.9,0\n", "p.csv")
    for sections in ({}, {"demand": {"residents": {"file": "p.csv"}}}):
        assert (
            "empty demand"
            in defects(lambda s=sections: demand_of(tmp_path, of=empty_communities(), **s))[0].message
        )


def test_defects_of_all_layers_come_at_once(tmp_path):
    csv(tmp_path, "lon,lat,pop\n115.8,32.9,-1\n", "p.csv")
    csv(tmp_path, "a\n1\n", "q.csv")
    sections = {"demand": {"a": {"file": "p.csv"}, "b": {"file": "q.csv"}, "c": {"file": "gone.csv"}}}
    found = defects(lambda: demand_of(tmp_path, of=empty_communities(), **sections))
    assert {d.file for d in found} == {"p.csv", "q.csv", "gone.csv"}
