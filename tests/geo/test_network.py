"""Roads in: exact counts on real extracts, rules of modes, the cache, lines, and a download."""

from __future__ import annotations

import dataclasses
import gzip
import json
import pickle
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx
import pandas as pd
import pytest
import shapely
from shapely.geometry import box

from geo.errors import DownloadError, InputError
from geo.network import cache, diagnose, fetch_roads, read_network, to_networkx
from geo.network.assemble import assemble
from geo.network.modes import way_speeds
from geo.network.read_osm import read_osm

OSM = """<?xml version="1.0"?><osm version="0.6">
<node id="1" lat="32.900" lon="115.800"/><node id="2" lat="32.901" lon="115.800"/>
<node id="3" lat="32.902" lon="115.800"><tag k="highway" v="traffic_signals"/></node>
<node id="4" lat="32.901" lon="115.801"/><node id="5" lat="32.905" lon="115.800"/>
<way id="10"><nd ref="1"/><nd ref="2"/><nd ref="2"/><nd ref="3"/><nd ref="5"/><tag k="highway" v="residential"/>
<tag k="oneway" v="yes"/><tag k="name" v="人民路"/></way>
<way id="11"><nd ref="2"/><nd ref="4"/><tag k="highway" v="steps"/></way>
<way id="12"><nd ref="1"/><nd ref="4"/><tag k="waterway" v="river"/><tag k="name" v="清河"/></way>
<way id="13"><nd ref="1"/><nd ref="4"/><tag k="highway" v="construction"/></way>
</osm>"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.osm"
    path.write_text(OSM, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("file", "nodes", "edges", "km"),
    [("wuhan/roads.osm.pbf", 82_902, 92_667, 7_185), ("shenzhen/futian_osmnx.graphml", 1_751, None, None)],
)
def test_published_counts(shared_data, file, nodes, edges, km):
    network = read_network(shared_data / file)
    assert network.node_count == nodes
    assert edges is None or network.edge_count == edges
    assert km is None or network.length_m.sum() / 1000 == pytest.approx(km, abs=0.5)


def test_osmnx_agrees_on_the_campus(shared_data):
    path = shared_data / "beijing" / "campus.osm"
    network = read_network(path)
    graph = osmnx.graph_from_xml(path, bidirectional=True, simplify=False, retain_all=True)
    theirs = (
        sum(
            d["length"]
            for *_uv, d in graph.edges(data=True)
            if d.get("highway", "construction") != "construction"
        )
        / 2
    )
    built = np.array([c != "construction" for c in network.class_names])[network.way_class]
    assert network.length_m[built].sum() == pytest.approx(theirs, rel=1e-3)


def test_splits_where_ways_meet_and_at_signals(small):
    network = read_network(small)
    assert sorted(network.node_id.tolist()) == [1, 2, 3, 4, 5]
    ends = {
        (int(network.node_id[u]), int(network.node_id[v]))
        for u, v in zip(network.edge_u, network.edge_v, strict=True)
    }
    assert ends == {(1, 2), (2, 3), (3, 5), (2, 4), (1, 4)}
    assert network.node_id[network.node_signal].tolist() == [3]
    assert network.surroundings.barrier_name == ("清河",)
    assert "人民路" in network.way_name


def test_length_is_conserved_and_shared_by_every_format(small, tmp_path):
    network = read_network(small)
    packed = tmp_path / "small.osm.gz"
    packed.write_bytes(gzip.compress(OSM.encode()))
    assert np.array_equal(read_network(packed).length_m, network.length_m)
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    graph.update(to_networkx(network))
    osmnx.save_graphml(graph, tmp_path / "g.graphml")
    again = read_network(tmp_path / "g.graphml")
    walk = network.component["walk"] >= 0
    assert again.length_m.sum() == pytest.approx(network.length_m[walk].sum(), rel=1e-6)


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "parquet", "shp"])
def test_plain_lines_meet_where_they_share_a_vertex(tmp_path, suffix):
    lines = [
        shapely.LineString([(115.8, 32.9), (115.801, 32.9), (115.802, 32.9)]),
        shapely.LineString([(115.801, 32.9), (115.801, 32.901)]),
    ]
    frame = gpd.GeoDataFrame({"名称": ["东路", "北路"]}, geometry=lines, crs="EPSG:4326")
    path = tmp_path / f"roads.{suffix}"
    if suffix == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path, engine="pyogrio", encoding="utf-8")
    network = read_network(path)
    assert (network.node_count, network.edge_count) == (4, 3)
    assert len(network.notes) == 3
    assert diagnose(network)["components"] == 1


def test_clip_keeps_the_reach_and_refuses_an_empty_area(small):
    near = shapely.Point(115.8, 32.9).buffer(0.0005)
    assert read_network(small, area=near).edge_count < read_network(small).edge_count
    assert read_network(small, area=near, reach_m=2000).edge_count == read_network(small).edge_count
    with pytest.raises(InputError, match="no roads inside"):
        read_network(small, area=shapely.Point(0, 0).buffer(0.01))


def test_cache_returns_the_same_and_heeds_the_content(small, tmp_path):
    kept = tmp_path / "cache"
    first = read_network(small, cache_dir=kept)
    again = read_network(small, cache_dir=kept)
    assert np.array_equal(first.length_m, again.length_m)
    small.write_text(OSM.replace('v="steps"', 'v="footway"'), encoding="utf-8")
    assert "footway" in read_network(small, cache_dir=kept).class_names
    assert len(list(kept.iterdir())) == 2


def alike(one, other):
    """The same to the last bit, to the dtype of every array and column."""
    if isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, other, strict=True)
        assert other.flags.writeable
        assert other.flags.aligned
    elif isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    elif dataclasses.is_dataclass(one):
        assert type(one) is type(other)
        for field in dataclasses.fields(one):
            alike(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            alike(one[key], other[key])
    else:
        assert type(one) is type(other)
        assert one == other


def test_cache_keeps_all_of_a_network(small, shared_data, tmp_path):
    far = box(24.93, 60.16, 24.94, 60.17)
    for network in (
        read_network(small),
        read_network(shared_data / "helsinki" / "roads.osm.pbf"),
        read_network(shared_data / "helsinki" / "roads.osm.pbf", area=far, reach_m=300.0),
        read_network(shared_data / "shenzhen" / "futian_osmnx.graphml"),
    ):
        cache.save(tmp_path / "c", "a", network)
        alike(network, cache.load(tmp_path / "c", "a"))
    assert [file.name for file in (tmp_path / "c").iterdir()] == ["network-a.arrays"]


def test_damaged_old_and_foreign_cache_files_are_read_anew(small, tmp_path):
    first = read_network(small, cache_dir=tmp_path / "c")
    (file,) = (tmp_path / "c").iterdir()
    good, key = file.read_bytes(), file.stem.split("-")[1]
    bad = [
        b"",
        b"damaged",
        good[: len(good) * 9 // 10],
        good[: len(good) // 2],
        good + b"x",
        pickle.dumps(first),
    ]
    bad += [good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :] for at in range(0, len(good), 97)]
    size = int.from_bytes(good[16:24], "little")
    head = json.loads(good[24 : 24 + size])
    for other in (
        [], 7, {"kind": "Path", "of": {}}, {"kind": "Turns", "of": head["of"]["banned_turns"]["of"]},
        {**head, "of": {**head["of"], "more": 1}}, {**head, "of": {**head["of"], "node_id": {"array": "|O", "shape": [1]}}},
        {**head, "of": {**head["of"], "node_id": {"array": "<i8", "shape": [10**12]}}}, {"table": 3},
    ):  # fmt: skip
        told = json.dumps(other).encode()
        rest = len(told).to_bytes(8, "little") + told
        total = int(np.frombuffer(rest + bytes(-len(rest) % 8), dtype="<u8").sum())
        bad.append(cache.MAGIC + total.to_bytes(8, "little") + rest)
    for content in bad:
        file.write_bytes(content)
        assert cache.load(tmp_path / "c", key) is None
    alike(first, read_network(small, cache_dir=tmp_path / "c"))
    assert file.read_bytes() == good


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("a.osm", b"<osm", "not a readable"), ("a.osm.pbf", b"x" * 99, "not a readable"), ("a.txt", b"", "unknown kind"),
     ("a.graphml", b"<graph", "GraphML"), ("a.gpkg", b"no", "cannot be read"), ("a.osm", b'<osm version="0.6"></osm>', "no roads")],
)  # fmt: skip
def test_unusable_files_are_explained(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_network(tmp_path / name)


@pytest.mark.parametrize(
    ("tags", "walk", "ebike", "drive"),
    [
        ({"highway": "motorway"}, (0, 0), (0, 0), (80, 0)),
        ({"highway": "residential", "access": "private"}, (4, 4), (15, 15), (20, 20)),
        ({"highway": "cycleway"}, (4, 4), (15, 15), (0, 0)),
        ({"highway": "steps"}, (4, 4), (0, 0), (0, 0)),
        ({"highway": "footway"}, (4, 4), (0, 0), (0, 0)),
        ({"highway": "footway", "bicycle": "designated"}, (4, 4), (15, 15), (0, 0)),
        ({"highway": "primary", "oneway": "yes", "maxspeed": "60"}, (4, 4), (15, 0), (60, 0)),
        ({"highway": "primary", "oneway": "-1"}, (4, 4), (0, 15), (0, 45)),
        ({"highway": "tertiary", "oneway": "yes", "oneway:bicycle": "no"}, (4, 4), (15, 15), (30, 0)),
        ({"highway": "tertiary", "junction": "roundabout"}, (4, 4), (15, 0), (30, 0)),
        ({"highway": "service", "access": "no"}, (0, 0), (0, 0), (0, 0)),
        ({"highway": "service", "access": "no", "foot": "yes"}, (4, 4), (0, 0), (0, 0)),
        ({"highway": "construction"}, (0, 0), (0, 0), (0, 0)),
        ({"highway": "pedestrian", "area": "yes"}, (4, 4), (0, 0), (0, 0)),
    ],
)
def test_mode_rules(tags, walk, ebike, drive):
    speeds = way_speeds(tags)
    for mode, expected in (("walk", walk), ("ebike", ebike), ("drive", drive)):
        assert (speeds[mode].forward_kmh, speeds[mode].backward_kmh) == expected, mode


class _Osm(BaseHTTPRequestHandler):
    def _answer(self, body):
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        ring = [[115.79, 32.89], [115.81, 32.89], [115.81, 32.91], [115.79, 32.91], [115.79, 32.89]]
        self._answer([{"place_id": 1, "osm_type": "relation", "osm_id": 1, "lat": "32.9", "lon": "115.8", "class": "boundary",
                       "type": "administrative", "importance": 0.5, "place_rank": 12, "addresstype": "district", "name": "x",
                       "display_name": "x", "boundingbox": ["32.89", "32.91", "115.79", "115.81"],
                       "geojson": {"type": "Polygon", "coordinates": [ring]}}])  # fmt: skip

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        nodes = [{"type": "node", "id": i, "lat": 32.9 + i / 1000, "lon": 115.8} for i in (1, 2, 3)]
        way = {
            "type": "way",
            "id": 9,
            "nodes": [1, 2, 3],
            "tags": {"highway": "residential", "name": "人民路"},
        }
        self._answer({"version": 0.6, "elements": [*nodes, way]})

    def log_message(self, *_arguments):
        pass


def test_fetch_from_a_server_that_answers_like_overpass(tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Osm)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    before = (osmnx.settings.overpass_url, osmnx.settings.requests_timeout)
    try:
        path = fetch_roads(
            "颍州区", cache_dir=tmp_path, endpoint=address, nominatim=f"{address}/", timeout_s=5
        )
    finally:
        server.shutdown()
        server.server_close()
    assert (osmnx.settings.overpass_url, osmnx.settings.requests_timeout) == before
    network = read_network(path)
    assert sorted(network.node_id.tolist()) == [1, 2, 3] or network.edge_count >= 1
    assert "人民路" in network.way_name
    # the second time needs no server
    assert fetch_roads("颍州区", cache_dir=tmp_path, endpoint=address, timeout_s=1) == path


def test_fetch_without_a_network_is_a_clear_error(tmp_path):
    dead = "http://127.0.0.1:9"
    with pytest.raises(DownloadError, match="could not be downloaded"):
        fetch_roads("nowhere", cache_dir=tmp_path, endpoint=dead, nominatim=f"{dead}/", timeout_s=1)
    assert list(tmp_path.iterdir()) == []


def test_a_district_is_the_same_cut_out_while_reading_or_after(shared_data):
    path = shared_data / "wuhan" / "roads.osm.pbf"
    area = box(114.28, 30.55, 114.34, 30.60)
    while_reading = read_network(path, area=area, reach_m=800.0)
    after = assemble(read_osm(path), area=area, reach_m=800.0)

    def inside(network):
        u, v = network.edge_u, network.edge_v
        within = area.buffer(0.007).contains(
            shapely.multipoints(
                np.column_stack(
                    (network.node_lon[u], network.node_lat[u], network.node_lon[v], network.node_lat[v])
                ).reshape(-1, 2, 2)
            )
        )
        ids = network.node_id
        return sorted(zip(ids[u[within]], ids[v[within]], network.length_m[within].round(6), strict=True))

    assert len(inside(after)) > 500
    assert inside(while_reading) == inside(after)
    assert len(read_osm(path, bounds=(114.28, 30.55, 114.34, 30.60)).way_id) < len(read_osm(path).way_id) / 10
    assert while_reading.node_signal.sum() == after.node_signal.sum()
