"""Binary OSM files against pyosmium, which reads the same file its own way."""

from __future__ import annotations

import contextlib
import dataclasses

import numpy as np
import osmium
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from geo.network.elements import USED_KEYS, collect
from geo.network.pbf import read, read_pbf
from geo.network.pbf.blobs import UncommonError, UnreadableError, blobs_of
from geo.network.read_osm import EVERYWHERE, read_any, read_osm

STEADY = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def assert_same(path, bounds=EVERYWHERE):
    ours = collect(read_pbf(path, bounds), source="x", bounds=bounds)
    theirs = collect(read_any(path, bounds), source="x", bounds=bounds)
    sets = [[raw.tags[i] for i in raw.tagged] for raw in (ours, theirs)]
    used = [[{k: v for k, v in tags.items() if k in USED_KEYS} for tags in of_raw] for of_raw in sets]
    assert used[0] == used[1]
    for k, like in enumerate(ours.like.tolist()):
        same, other = ({key: v for key, v in ours.tags[i].items() if key != "name"} for i in (k, like))
        assert same == other
        assert like == ours.like[like] <= k
    for field in dataclasses.fields(ours):
        if field.name in {"tags", "tagged", "like"}:
            continue
        a, b = getattr(ours, field.name), getattr(theirs, field.name)
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b, err_msg=field.name)
        elif hasattr(a, "equals"):
            assert a.equals(b), field.name
        else:
            assert a == b, field.name
    return ours


def write(path, nodes=(), ways=(), relations=(), *, options="pbf", order="nwr"):
    """nodes: id, lon, lat, tags; ways: id, refs, tags; relations: id, members (type, ref, role), tags."""
    writer = osmium.SimpleWriter(osmium.io.File(str(path), options))
    for kind in order:
        if kind == "n":
            for i, lon, lat, tags in nodes:
                writer.add_node(osmium.osm.mutable.Node(id=i, location=(lon, lat), tags=tags))
        elif kind == "w":
            for i, refs, tags in ways:
                writer.add_way(osmium.osm.mutable.Way(id=i, nodes=refs, tags=tags))
        else:
            for i, members, tags in relations:
                writer.add_relation(osmium.osm.mutable.Relation(id=i, members=members, tags=tags))
    writer.close()
    return path


TOWN = {
    "nodes": [
        (1, 115.80, 32.88, {}),
        (2, 115.81, 32.88, {"highway": "traffic_signals"}),
        (3, 115.82, 32.88, {"amenity": "bank", "name": "银行", "opening_hours": "Mo-Fr 09:00-17:00"}),
        (4, 115.81, 32.89, {"name": "a node of no use"}),
        (5, -0.0000001, -32.5, {}),
        (6, 115.815, 32.885, {}),
    ],
    "ways": [
        (10, [1, 2, 3], {"highway": "residential", "name": "清河路", "oneway": "yes"}),
        (11, [2, 4], {"highway": "footway", "note": "dropped"}),
        (12, [1, 2, 4, 1], {"building": "apartments", "shop": "mall", "name": "商场"}),
        (13, [1, 4, 6, 1], {}),
        (14, [3, 99], {"highway": "path"}),
        (15, [1, 5], {"railway": "rail"}),
        (16, [1, 3], {"barrier": "wall"}),
    ],
    "relations": [
        (20, [("w", 13, "outer")], {"type": "multipolygon", "natural": "water", "name": "颍河"}),
        (
            21,
            [("w", 10, "from"), ("n", 2, "via"), ("w", 11, "to")],
            {"type": "restriction", "restriction": "no_left_turn"},
        ),
        (
            22,
            [("w", 10, "from"), ("w", 13, "via"), ("w", 14, "via"), ("w", 11, "to")],
            {"type": "restriction", "restriction": "no_u_turn"},
        ),
    ],
}


@pytest.mark.parametrize(
    "options", ["pbf", "pbf,pbf_dense_nodes=false", "pbf,pbf_compression=none", "pbf,add_metadata=none"]
)
def test_every_form_reads_alike(tmp_path, options):
    raw = assert_same(write(tmp_path / "a.osm.pbf", **TOWN, options=options))
    assert raw.way_id.tolist() == [10, 11]  # one vertex is no way, and 99 is not there
    assert raw.signals == {2}
    assert [(b.kind, b.name) for b in raw.barriers] == [("water", "颍河"), ("railway", ""), ("wall", "")]
    assert raw.amenities["name"].tolist() == ["银行", "商场"]
    assert len(raw.buildings) == 1
    assert [rule.via_ways for rule in raw.turns.rules] == [(), (13, 14)]


def test_a_way_keeps_its_vertices_far_outside(tmp_path):
    path = write(tmp_path / "a.osm.pbf", **TOWN)
    raw = assert_same(path, (115.79, 32.87, 115.83, 32.9))
    far = next(b for b in raw.barriers if b.kind == "railway")
    assert min(far.lat) == -32.5
    assert assert_same(path, (116.0, 33.0, 116.1, 33.1)).way_id.size == 0


def test_files_out_of_order_are_left_to_pyosmium(tmp_path):
    for order in ("wnr", "nrw", "rnw"):
        path = write(tmp_path / f"{order}.osm.pbf", **TOWN, order=order)
        with pytest.raises(UncommonError):
            read_pbf(path, EVERYWHERE)
    assert read_osm(path).signals == {2}


@pytest.mark.parametrize("town", ["wuhan", "helsinki", "porto-alegre", "heidelberg"])
def test_real_towns_read_as_by_pyosmium(shared_data, town):
    path = shared_data / town / "roads.osm.pbf"
    whole = assert_same(path)
    west, south, east, north = whole.lon.min(), whole.lat.min(), whole.lon.max(), whole.lat.max()
    rng = np.random.default_rng(3)
    for _ in range(2):
        x, y = rng.uniform(west, east), rng.uniform(south, north)
        part = assert_same(path, (x, y, x + (east - west) / 5, y + (north - south) / 5))
        assert len(part.way_id) < len(whole.way_id)


def test_a_part_is_read_without_the_rest(shared_data, monkeypatch):
    path = shared_data / "porto-alegre" / "roads.osm.pbf"
    monkeypatch.setattr(read, "MARGIN", 0)
    whole = collect(read_pbf(path, EVERYWHERE), source="x", bounds=EVERYWHERE)
    x, y = float(np.median(whole.lon)), float(np.median(whole.lat))
    part = read_pbf(path, (x, y, x + 0.01, y + 0.01))
    assert 0 < len(part.way_id) < len(whole.way_id) / 5


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("pbf") / "a.osm.pbf"
    return write(path, **TOWN, options="pbf,pbf_compression=none").read_bytes()


@STEADY
@given(data=st.data())
def test_damage_is_told_and_never_a_crash(tmp_path, good, data):
    cut = data.draw(st.integers(0, len(good)))
    flips = data.draw(st.lists(st.tuples(st.integers(0, len(good) - 1), st.integers(1, 255)), max_size=6))
    bad = bytearray(good)
    for at, change in flips:
        bad[at] ^= change
    broken = tmp_path / "b.osm.pbf"
    broken.write_bytes(bytes(bad[:cut]) if data.draw(st.booleans()) else bytes(bad))
    with contextlib.suppress(UnreadableError, UncommonError):
        read_pbf(broken, EVERYWHERE)


def test_a_block_larger_than_allowed_is_refused(tmp_path):
    path = tmp_path / "a.osm.pbf"
    path.write_bytes((0x7FFFFFFF).to_bytes(4, "big") + b"0" * 64)
    with pytest.raises(UnreadableError):
        blobs_of(path)
    with pytest.raises(InputError, match=r"a\.osm\.pbf"):
        read_osm(path)
