"""OpenStreetMap's premises: every row of the tag table is read, and serves as venue, activity or both."""

from __future__ import annotations

import re

import osmium
import pytest
from shapely.geometry import box

from geo.config import study_from_mapping
from geo.errors import InputError
from geo.intake.areas import empty_communities
from geo.intake.demand import read_demand
from geo.intake.venues import read_venues
from geo.network import read_network
from geo.premises import ACTIVITY_KINDS, ANY, KEYS, PREMISES, VENUE_KINDS, premises_kind
from tests.conftest import ROOT

AREA = box(114.99, 29.99, 115.11, 30.01)


def study(folder, **demand):
    tables = {"residents": {"file": "people.csv", "weight": "w"}, **demand}
    return study_from_mapping(
        {"study": {"name": "x"}, "roads": {"file": "r.osm"},
         "stations": [{"file": "s.csv", "datum": "wgs84"}], "demand": tables},
        folder=folder,
    )  # fmt: skip


@pytest.fixture
def town(tmp_path):
    """One premises a row of the table, ten more that are none, along a road."""
    rows = [(row.key, "company" if row.value == ANY else row.value) for row in PREMISES]
    rows += [("office", "no"), ("amenity", "bench"), ("shop", "shoes")]
    nodes = [f'<node id="{i}" lat="30" lon="{115 + i / 1000:.3f}"/>' for i in (1, 2)]
    nodes += [
        f'<node id="{10 + i}" lat="30" lon="{115 + i / 1000:.3f}"><tag k="{k}" v="{v}"/><tag k="name" v="P{i}"/></node>'
        for i, (k, v) in enumerate(rows)
    ]
    way = '<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/></way>'
    (tmp_path / "r.osm").write_text(f'<osm version="0.6">{"".join(nodes)}{way}</osm>', encoding="utf-8")
    (tmp_path / "people.csv").write_text("lon,lat,w\n115.0,30.0,5\n", encoding="utf-8")
    return tmp_path


def test_every_row_of_the_table_is_read_from_a_file(town):
    found = read_network(town / "r.osm").surroundings.amenities
    assert list(found["kind"]) == [row.kind for row in PREMISES]


def test_the_table_is_sound():
    assert len({(row.key, row.value) for row in PREMISES}) == len(PREMISES)
    assert all(row.venue or row.activity for row in PREMISES)
    assert set(KEYS) == {row.key for row in PREMISES}
    # what the trade unions' guidance and the issue of record name as hosts
    assert {"mall", "supermarket", "community_centre", "bank", "pharmacy", "fuel", "library", "townhall",
            "government"} <= VENUE_KINDS  # fmt: skip
    assert {"restaurant", "mall", "office", "marketplace"} <= ACTIVITY_KINDS
    assert not {"restaurant", "cafe", "office"} & VENUE_KINDS


def test_the_first_key_that_fits_names_the_kind():
    assert premises_kind({"amenity": "fuel", "shop": "convenience"}) == "convenience"
    assert premises_kind({"amenity": "bench", "office": "yes"}) == "office"
    assert premises_kind({"highway": "residential"}) is None


def test_venues_are_the_hosts_only(town):
    venues, _audit = read_venues(study(town), area=AREA, network=read_network(town / "r.osm"))
    assert list(venues["kind"]) == [row.kind for row in PREMISES if row.venue]


def test_activity_is_weighted_by_kind_and_told(town):
    wanted = {"activity": {"osm": True, "weights": {"mall": 20, "cafe": 0}}}
    demand, audit = read_demand(
        study(town, **wanted),
        area=AREA,
        communities=empty_communities(),
        network=read_network(town / "r.osm"),
    )
    active = demand[demand["layer"] == "activity"]
    kinds = [row.kind for row in PREMISES if row.activity]
    assert len(active) == len(kinds) - 1  # a café weighs nothing here
    assert active["weight"].sum() == len(kinds) - 2 + 20
    (told,) = [entry for entry in audit if "OpenStreetMap" in entry.reason_en]
    assert "mall 1" in told.found
    assert "cafe" not in told.found


def test_a_roads_file_without_premises_is_answered(town):
    with pytest.raises(InputError, match="give a file instead"):
        read_demand(
            study(town, activity={"osm": True, "weights": dict.fromkeys(ACTIVITY_KINDS, 0)}), area=AREA,
            communities=empty_communities(), network=read_network(town / "r.osm"),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("section", "said"),
    [({}, "exactly one of file and osm"), ({"file": "a.csv", "osm": True}, "exactly one of file and osm"),
     ({"file": "a.csv", "weights": {"mall": 2}}, "weights go with osm"), ({"osm": True, "weights": {"malls": 2}}, "unknown kinds")],
)  # fmt: skip
def test_a_wrong_section_is_refused(tmp_path, section, said):
    with pytest.raises(InputError, match=said):
        study(tmp_path, activity=section)


def test_a_real_town_counts_as_pyosmium_does(shared_data):
    path = shared_data / "helsinki" / "roads.osm.pbf"
    found = read_network(path).surroundings.amenities["kind"].value_counts().to_dict()
    want: dict[str, int] = {}
    for element in osmium.FileProcessor(str(path)):
        closed = element.is_way() and element.is_closed() and len(element.nodes) > 3
        kind = premises_kind(dict(element.tags)) if element.is_node() or closed else None
        if kind is not None:
            want[kind] = want.get(kind, 0) + 1
    assert found == want
    assert found["office"] == 477


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_table_stands_in_the_readme(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    for key in KEYS:
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{key}=`")]
        _, _, hosts, active, _ = line.split("|")
        for cell, there in ((hosts, "venue"), (active, "activity")):
            want = [r.value for r in PREMISES if r.key == key and getattr(r, there) and r.value != ANY]
            assert re.findall(r"`(\w+)`", cell) == want
