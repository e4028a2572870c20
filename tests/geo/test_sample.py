"""The embedded district, from its files alone: what a real district has, and the same bytes for a seed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import geopandas as gpd
import networkx as nx
import openpyxl
import osmium
import pandas as pd
import pytest
import shapely

from geo.config import load_study
from geo.intake.stations import merge_stations, read_stations

FILES = {
    "roads.osm.pbf", "stations.xlsx", "communities.geojson", "boundary.geojson", "outlets.csv",
    "venues.csv", "study.toml",
}  # fmt: skip


@pytest.fixture(scope="module")
def osm(sample_dir):
    """Ways as (tags, positions), their highway nodes, the tags of nodes counted, ways as node ids, gates."""
    ways, vertices, marks, refs, gates = [], set(), Counter(), [], set()

    class Handler(osmium.SimpleHandler):
        def way(self, way):
            tags = dict(way.tags)
            ways.append((tags, [(node.lon, node.lat) for node in way.nodes]))
            if "highway" in tags:
                vertices.update(node.ref for node in way.nodes)
                refs.append((tags, [node.ref for node in way.nodes]))

        def node(self, node):
            marks.update(f"{tag.k}={tag.v}" for tag in node.tags)
            if node.tags.get("barrier") == "gate":
                gates.add(node.id)

    Handler().apply_file(str(sample_dir / "roads.osm.pbf"), locations=True)
    return ways, vertices, marks, refs, gates


def graph(refs):
    made = nx.Graph()
    for _tags, ids in refs:
        nx.add_path(made, ids)
    return made


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
    assert communities["name"].is_unique
    assert (communities["population"] > 0).all()
    boundary = gpd.read_file(sample_dir / "boundary.geojson")
    flat = communities.to_crs(boundary.estimate_utm_crs())
    whole = boundary.to_crs(flat.crs).area.sum()
    assert whole == pytest.approx(flat.area.sum(), rel=1e-9)  # no overlap ...
    assert whole == pytest.approx(flat.union_all().area, rel=1e-9)  # ... and no hole
    outlets = pd.read_csv(sample_dir / "outlets.csv")
    assert outlets["workers"].sum() == 1459
    venues = pd.read_csv(sample_dir / "venues.csv")
    assert len(venues) == 250
    assert venues["name"].is_unique
    assert venues["kind"].nunique() >= 4
    edge = shapely.union_all(boundary.geometry.values)
    for table in (outlets, venues):
        assert shapely.contains_xy(edge, table["lon"], table["lat"]).all()


def test_stations_are_listed_as_a_district_lists_them(sample_dir):
    listed = read_stations(sample_dir / "stations.xlsx", datum="gcj02")
    assert listed.counts["listed"] == 86
    assert listed.frame["kind"].nunique() >= 4
    assert listed.frame["services"].map(len).median() >= 4
    assert 0 < listed.counts["hours_known"] < listed.counts["used"]
    assert {entry.action for entry in listed.audit} >= {"skipped", "unmapped", "noted"}
    boundary = shapely.union_all(gpd.read_file(sample_dir / "boundary.geojson").geometry.values)
    assert shapely.contains_xy(boundary, listed.frame["lon"], listed.frame["lat"]).all()
    places = merge_stations([listed])
    assert places.counts["merged"] == 4
    assert sum(len(plates) > 0 for plates in places.frame["plates"]) == places.counts["merged"]
    headings = [cell.value for cell in openpyxl.load_workbook(sample_dir / "stations.xlsx").active[2]]
    assert {"名称", "类型", "地址", "经度", "纬度", "开放时间", "服务项目"} <= set(headings)


def test_the_declared_datum_is_the_true_one(sample_dir):
    communities = gpd.read_file(sample_dir / "communities.geojson").set_index("name").geometry

    def at_home(datum):
        frame = read_stations(sample_dir / "stations.xlsx", datum=datum).frame
        points = shapely.points(frame["lon"], frame["lat"])
        return (shapely.distance(communities[frame["community"]].values, points) < 0.0005).mean()

    assert at_home("gcj02") > 0.95
    assert at_home("wgs84") < 0.6


def test_water_and_rails_are_crossed_where_a_city_crosses_them(osm):
    ways = osm[0]
    river = shapely.union_all([shapely.Polygon(xy) for tags, xy in ways if tags.get("natural") == "water"])
    bridges = crossing(ways, river)
    assert len(bridges) == 4
    assert all(tags.get("bridge") == "yes" for tags in bridges)
    assert len({tags["bridge:name"] for tags in bridges}) == 4
    rails = shapely.union_all([shapely.LineString(xy) for tags, xy in ways if tags.get("railway") == "rail"])
    underpasses = crossing(ways, rails)
    assert len(underpasses) == 3
    assert all(tags.get("tunnel") == "yes" and tags.get("layer") == "-1" for tags in underpasses)
    assert len({tags["name"] for tags in underpasses}) == 3


def test_streets_are_those_of_a_chinese_city(osm):
    _ways, vertices, marks, refs, _gates = osm
    assert 35_000 <= len(vertices) <= 45_000
    classes = Counter(tags["highway"] for tags, _ids in refs)
    expected = {"trunk": 4, "primary": 4, "secondary": 4, "tertiary": 20, "residential": 500, "footway": 300}
    for name, least in {**expected, "cycleway": 4, "steps": 8}.items():
        assert classes[name] >= least, name
    assert sum(tags.get("access") == "private" for tags, _ids in refs) > 1000
    assert sum(tags.get("oneway") == "yes" for tags, _ids in refs) >= 30
    assert sum("oneway:bicycle" in tags for tags, _ids in refs) >= 10
    assert marks["highway=traffic_signals"] > 20
    assert nx.is_connected(graph(refs))
    ring = graph([(tags, ids) for tags, ids in refs if tags.get("name") == "环城路"])
    assert nx.is_connected(ring)
    assert {degree for _node, degree in ring.degree} == {2}  # closed, with no spur


def test_superblocks_are_entered_through_their_gates(osm):
    _ways, _vertices, _marks, refs, gates = osm
    private = graph([(tags, ids) for tags, ids in refs if tags.get("access") == "private"])
    public = {node for tags, ids in refs if tags.get("access") != "private" for node in ids}
    assert len(gates) > 500
    assert gates <= set(private)
    assert not gates & public
    private.remove_nodes_from(gates)
    # outside a gate a stub of a node or two is left, inside it the ways of the compound
    inside = [part for part in nx.connected_components(private) if len(part) > 8]
    assert len(inside) > 300
    # a main road that ends within a block runs through some of them
    assert sum(not part & public for part in inside) > 0.9 * len(inside)


def test_the_seed_makes_the_committed_bytes(sample_dir, tmp_path):
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    call = [sys.executable, "-m", "geo.sample", str(tmp_path)]
    subprocess.run(call, check=True, env=environment, timeout=300)
    for name in sorted(FILES):
        assert (tmp_path / name).read_bytes() == (sample_dir / name).read_bytes(), name
