"""Street and community names joined as people write them (M17, M18)."""

from __future__ import annotations

import geopandas as gpd
import pytest
from shapely.geometry import box

from geo.config import study_from_mapping
from geo.errors import InputError
from geo.intake.areas import read_communities
from geo.intake.names import Match, match_names, plain_name, read_aliases

KNOWN = [("鼓楼街道", "青云社区"), ("鼓楼街道", "双龙桥社区"), ("京九街道", "桥口社区"), ("颍西街道", "文峰社区"),
         ("清河街道", "文峰社区")]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [("颖州区", "颍州区"), ("潁州", "颍州"), ("太行办事处", "太行街道"), ("京九路街道", "京九街道"), ("青云社区居委会", "青云社区"),
     ("双龍橋社区", "双龙桥社区"), ("青云 社区（城区）", "青云社区")],
)  # fmt: skip
def test_m17_one_place_in_two_writings(one, other):
    assert plain_name(one) == plain_name(other)


def test_m17_names_are_found_however_they_are_written():
    given = [("", "青云社区"), ("", "双龙桥居委会"), ("", "乔口社区"), ("", "青去社区"), ("", "不存在社区")]
    found = match_names(given, KNOWN, {})
    assert found[0] == Match(0, "same")
    assert found[1] == Match(1, "variant")
    # two letters, one of them wrong: too little to be sure
    assert found[2:] == [None, None, None]
    assert match_names([("", "双龙乔社曲")], [("", "双龙桥花园社区"), ("", "双龙桥社区")], {}) == [None]
    assert (
        match_names([("", "东方红广场社区"), ("", "东方虹广场社区")], [("", "东方红广场社区")], {})[1] is None
    )
    assert match_names([("", "东方虹广场社区")], [("", "东方红广场社区"), ("", "艺新社区")], {}) == [
        Match(0, "typo")
    ]


def test_m18_the_street_decides_between_namesakes():
    found = match_names([("颖西办事处", "文峰社区"), ("", "文峰社区"), ("清河", "文峰")], KNOWN, {})
    assert found == [Match(3, "same"), None, Match(4, "variant")]


def test_aliases_of_the_user(tmp_path):
    (tmp_path / "a.csv").write_text("旧名,现名\n老城社区,青云社区\n", encoding="utf-8")
    aliases = read_aliases(tmp_path / "a.csv")
    assert match_names([("", "老城居委会")], KNOWN, aliases) == [Match(0, "alias")]
    (tmp_path / "b.csv").write_text("旧名\n老城社区\n", encoding="utf-8")
    with pytest.raises(InputError, match="two columns"):
        read_aliases(tmp_path / "b.csv")


def study(folder, people):
    names = ["青云社区", "双龙桥社区", "桥口社区"]
    shapes = [box(115.8 + 0.01 * i, 32.9, 115.81 + 0.01 * i, 32.91) for i in range(3)]
    gpd.GeoDataFrame({"name": names, "street": "鼓楼街道"}, geometry=shapes, crs=4326).to_file(
        folder / "c.geojson"
    )
    (folder / "p.csv").write_text(people, encoding="gb18030")
    return study_from_mapping(
        {
            "study": {"name": "x"},
            "roads": {"file": "r.osm"},
            "stations": [{"file": "s.csv", "datum": "wgs84"}],
            "communities": {"file": "c.geojson", "people": "p.csv"},
        },
        folder=folder,
    )


def test_people_come_from_a_second_table_and_no_row_is_lost(tmp_path):
    of = study(
        tmp_path,
        '社区,人口\n青云社区居委会,"1,200"\n双龙桥社区,800\n双龙桥社区,50\n火星社区,7\n桥口社区,不详\n',
    )
    made, audit = read_communities(of, area=box(115.7, 32.8, 115.9, 33.0))
    assert made["population"].tolist() == [1200.0, 850.0, 0.0]
    told = {(e.action, e.row): e for e in audit if e.file == "p.csv"}
    assert told["mended", 2].reason_zh == "异写：作“青云社区”"
    assert told["unmapped", 5].name == "火星社区"
    assert told["rejected", 6].name == "桥口社区"
    assert told["noted", None].name == "桥口社区"


def test_a_table_of_other_people_is_refused(tmp_path):
    of = study(tmp_path, "社区,人口\n甲,1\n")
    with pytest.raises(InputError, match="no row bears the name"):
        read_communities(of, area=box(115.7, 32.8, 115.9, 33.0))
    of = study(tmp_path, "社区,面积\n青云社区,1\n")
    with pytest.raises(InputError, match="no column"):
        read_communities(of, area=box(115.7, 32.8, 115.9, 33.0))
