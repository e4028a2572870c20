"""The embedded district, from its files alone: what a real district has, and the same bytes for a seed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import geopandas as gpd
import openpyxl
import osmium
import pandas as pd
import pytest
import shapely

from geo.config import load_study
from geo.intake.stations import read_stations

FILES = {
    "roads.osm.pbf", "stations.xlsx", "communities.geojson", "boundary.geojson", "outlets.csv",
    "venues.csv", "study.toml",
}  # fmt: skip


@pytest.fixture(scope="module")
def osm(sample_dir):
    """Ways as (tags, positions), their highway nodes, and the tags of nodes."""
    ways, vertices, marks = [], set(), Counter()

    class Handler(osmium.SimpleHandler):
        def way(self, way):
            tags = dict(way.tags)
            ways.append((tags, [(node.lon, node.lat) for node in way.nodes]))
            if "highway" in tags:
                vertices.update(node.ref for node in way.nodes)

        def node(self, node):
            marks.update(f"{tag.k}={tag.v}" for tag in node.tags)

    Handler().apply_file(str(sample_dir / "roads.osm.pbf"), locations=True)
    return ways, vertices, marks


def crossing(ways, barrier):
    return [
        tags
        for tags, xy in ways
        if "highway" in tags and len(xy) > 1 and shapely.LineString(xy).crosses(barrier)
    ]


def test_the_files_are_small_and_say_that_they_are_synthetic(sample_dir):
    assert {path.name for path in sample_dir.iterdir()} == FILES
    assert sum(path.stat().st_size for path in sample_dir.iterdir()) < 5_000_000
    assert load_study(sample_dir).study.synthetic
    sheet = openpyxl.load_workbook(sample_dir / "stations.xlsx").active
    assert "合成数据" in str(sheet["A1"].value)


def test_people_are_those_of_a_real_district(sample_dir):
    communities = gpd.read_file(sample_dir / "communities.geojson")
    assert len(communities) == 60
    assert communities["street"].nunique() == 9
    assert communities["population"].sum() == pytest.approx(400_000, rel=0.01)
    assert communities.is_valid.all()
    outlets = pd.read_csv(sample_dir / "outlets.csv")
    assert outlets["workers"].sum() == 1459
    assert len(pd.read_csv(sample_dir / "venues.csv")) == 250


def test_stations_are_listed_as_a_district_lists_them(sample_dir):
    listed = read_stations(sample_dir / "stations.xlsx", datum="gcj02")
    assert listed.counts["listed"] == 86
    assert listed.frame["kind"].nunique() >= 4
    assert listed.frame["services"].map(len).median() >= 4
    assert 0 < listed.counts["hours_known"] < listed.counts["used"]
    assert {entry.action for entry in listed.audit} >= {"skipped", "unmapped", "noted"}
    boundary = shapely.union_all(gpd.read_file(sample_dir / "boundary.geojson").geometry.values)
    assert shapely.contains_xy(boundary, listed.frame["lon"], listed.frame["lat"]).all()


def test_the_declared_datum_is_the_true_one(sample_dir):
    communities = gpd.read_file(sample_dir / "communities.geojson").set_index("name").geometry

    def at_home(datum):
        frame = read_stations(sample_dir / "stations.xlsx", datum=datum).frame
        points = shapely.points(frame["lon"], frame["lat"])
        return (shapely.distance(communities[frame["community"]].values, points) < 0.0005).mean()

    assert at_home("gcj02") > 0.95
    assert at_home("wgs84") < 0.6


def test_water_and_rails_are_crossed_where_a_city_crosses_them(osm):
    ways, _vertices, _marks = osm
    river = shapely.union_all([shapely.Polygon(xy) for tags, xy in ways if tags.get("natural") == "water"])
    bridges = crossing(ways, river)
    assert len(bridges) == 4
    assert all(tags.get("bridge") == "yes" for tags in bridges)
    rails = shapely.union_all([shapely.LineString(xy) for tags, xy in ways if tags.get("railway") == "rail"])
    underpasses = crossing(ways, rails)
    assert len(underpasses) == 3
    assert all(tags.get("tunnel") == "yes" and tags.get("layer") == "-1" for tags in underpasses)


def test_streets_are_those_of_a_chinese_city(osm):
    ways, vertices, marks = osm
    assert 35_000 <= len(vertices) <= 45_000
    classes = Counter(tags["highway"] for tags, _xy in ways if "highway" in tags)
    for name in ("trunk", "primary", "secondary", "tertiary", "residential", "footway", "cycleway", "steps"):
        assert classes[name] > 0, name
    assert sum(tags.get("access") == "private" for tags, _xy in ways if "highway" in tags) > 1000
    assert sum(tags.get("oneway") == "yes" for tags, _xy in ways) > 10
    assert marks["barrier=gate"] > 100
    assert marks["highway=traffic_signals"] > 20
    ring = shapely.line_merge(
        shapely.union_all([shapely.LineString(xy) for tags, xy in ways if tags.get("name") == "环城路"])
    )
    assert shapely.convex_hull(ring).area > 0.5 * shapely.box(*ring.bounds).area


def test_the_seed_makes_the_committed_bytes(sample_dir, tmp_path):
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    call = [sys.executable, "-m", "geo.sample", str(tmp_path)]
    subprocess.run(call, check=True, env=environment, timeout=300)
    for name in sorted(FILES):
        assert (tmp_path / name).read_bytes() == (sample_dir / name).read_bytes(), name
