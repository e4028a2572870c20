"""study.toml: everything wrong is said at once, with the key and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from geo.config import load_study, study_from_mapping
from geo.errors import InputError

GOOD = {
    "study": {"name": "示例区"},
    "roads": {"file": "roads.osm.pbf"},
    "stations": [{"file": "s.xlsx", "datum": "gcj02"}],
}


def defects(**changes):
    with pytest.raises(InputError) as caught:
        study_from_mapping({**GOOD, **changes}, folder=Path())
    return {d.key: d.message for d in caught.value.defects}


def test_defaults_are_the_official_yardstick():
    standard = study_from_mapping(GOOD, folder=Path()).standard
    assert (standard.mode, standard.speed_or_default_kmh, standard.limit_minutes) == ("walk", 4.0, 15.0)


def test_all_defects_at_once_with_key_and_allowed_values():
    found = defects(
        typo={},
        standard={"minuts": [5], "mode": "fly", "times": ["Tuesday 8"], "services": ["sauna"]},
        stations=[{"file": "a.csv"}, {"file": "b.csv", "datum": "mars"}],
    )
    assert set(found) == {
        "typo", "standard.minuts", "standard.mode", "standard.times", "standard.services",
        "stations.0.datum", "stations.1.datum",
    }  # fmt: skip
    assert "minutes" in found["standard.minuts"]
    assert "toilet" in found["standard.services"]
    assert "required" in found["stations.0.datum"]
    assert "mars" in found["stations.1.datum"]


@pytest.mark.parametrize("roads", [{}, {"file": "a.osm", "place": "颍州区"}])
def test_roads_take_exactly_one_source(roads):
    assert "exactly one" in defects(roads=roads)["roads"]


@pytest.mark.parametrize(
    ("key", "value"), [("speed_kmh", 0), ("limit_minutes", -1), ("minutes", []), ("max_access_m", 1e6)]
)
def test_values_out_of_range_are_refused(key, value):
    assert any(k.startswith(f"standard.{key}") for k in defects(standard={key: value}))


def test_missing_file_and_broken_toml(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_study(tmp_path / "nothing")
    (tmp_path / "study.toml").write_text("[study\nname=1", encoding="utf-8")
    with pytest.raises(InputError, match="line 1"):
        load_study(tmp_path)
    (tmp_path / "study.toml").write_bytes("[study]\nname='示例'".encode("gb18030"))
    with pytest.raises(InputError, match="UTF-8"):
        load_study(tmp_path)


def test_byte_order_mark_of_windows_notepad_is_fine(tmp_path):
    text = '[study]\nname="x"\n[roads]\nfile="r.osm"\n[[stations]]\nfile="s.csv"\ndatum="wgs84"\ndate=2026-10-31\n'
    (tmp_path / "study.toml").write_text(text, encoding="utf-8-sig")
    study = load_study(tmp_path / "study.toml")
    assert study.path("s.csv") == tmp_path.resolve() / "s.csv"


@pytest.mark.parametrize(
    ("key", "value"), [("url", "javascript:alert(1)"), ("url", "map.html"), ("hotline", "call <b>me</b>")]
)
def test_what_is_published_is_an_address_and_a_number(key, value):
    assert f"publish.{key}" in defects(publish={key: value})
    good = study_from_mapping(
        {**GOOD, "publish": {"url": "https://a.example/p.html", "hotline": "12351"}}, folder=Path()
    )
    assert (good.publish.url, good.publish.hotline) == ("https://a.example/p.html", "12351")
