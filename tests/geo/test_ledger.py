"""The ledger of riders: every row is kept, placed only where that is certain, and joined to station and gap."""

from __future__ import annotations

import json
import shutil

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box

from geo import pipeline
from geo.config import load_study, study_from_mapping
from geo.errors import InputError
from geo.intake.datum import from_wgs84
from geo.intake.ledger import ledger_demand, moment, read_ledger, state

AREA = box(115.7, 32.8, 115.9, 33.0)
STATIONS = pd.DataFrame(
    {"name": ["颍河路工会驿站", "二里井口", "老车站"], "lon": [115.80, 115.81, 115.82], "lat": [32.9] * 3}
)
VENUES = pd.DataFrame(
    {
        "name": ["万达广场", "万达", "老车站", "万达广场"],
        "lon": [115.83, 115.84, 115.85, 115.86],
        "lat": [32.91] * 4,
    }
)
COMMUNITIES = gpd.GeoDataFrame(
    {"community_id": ["a", "b"], "name": ["安居社区", "双清社区"], "street": "", "population": 1.0},
    geometry=[box(115.7, 32.8, 115.8, 33.0), box(115.8, 32.8, 115.9, 33.0)], crs=4326,
)  # fmt: skip


def read(folder, text, **ledger):
    (folder / "l.csv").write_text(text, encoding="utf-8")
    study = study_from_mapping(
        {"study": {"name": "x"}, "roads": {"file": "r.osm"}, "stations": [{"file": "s.csv", "datum": "wgs84"}],
         "ledger": {"file": "l.csv", **ledger}}, folder=folder,
    )  # fmt: skip
    return read_ledger(study, area=AREA, stations=STATIONS, venues=VENUES, communities=COMMUNITIES)


def test_rows_are_placed_by_numbers_then_by_the_only_name_they_hold(tmp_path):
    x, y = from_wgs84(np.array([115.75]), np.array([32.85]), "gcj02")
    problems, audit = read(
        tmp_path,
        "问题描述,地点,经度,纬度\n"
        f"没热水,,{x[0]:.6f},{y[0]:.6f}\n"  # by its numbers
        "太热,颍河路 工会驿站门口,,\n"  # by a station's name, spaces aside
        "没厕所,万达广场,,\n"  # two venues of that name: nobody knows
        "在二里井口等单太冷,,,\n"  # by its text
        "没充电,安居社区东门,,\n"  # a community only
        "路灯坏了,老车站与二里井口之间,,\n"  # two places: neither
        "哪里都不好,,,\n",
        datum="gcj02",
    )
    assert list(problems["placed_by"]) == ["coordinates", "station", "", "station", "community", "", ""]
    assert problems["lon"].iloc[0] == pytest.approx(115.75, abs=1e-6)
    assert list(problems["community"])[:5] == ["安居社区", "安居社区", "", "双清社区", "安居社区"]
    assert [e.name for e in audit if e.action == "unmapped"] == ["P003", "P005", "P006", "P007"]
    demand = ledger_demand(problems, COMMUNITIES)
    assert demand["weight"].sum() == 3
    assert list(demand["community"]) == [0, 0, 1] or list(demand["community"]) == [0, 1, 1]


def test_positions_of_an_unknown_datum_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"ledger\.datum"):
        read(tmp_path, "问题描述,经度,纬度\n没热水,115.75,32.85\n")
    problems, _ = read(
        tmp_path, "问题描述,经度(高德),纬度(高德)\n没热水,115.75,32.85\n"
    )  # the heading says it
    assert problems["lon"].iloc[0] < 115.746


def test_a_position_far_off_or_coarse_is_not_used(tmp_path):
    problems, audit = read(tmp_path, "问题描述,经度,纬度\n远,121.47,31.23\n粗,115.8,32.9\n", datum="wgs84")
    assert problems["lon"].isna().all()
    assert any("outside" in entry.reason_en for entry in audit)


def test_nothing_is_lost_and_numbers_are_masked(tmp_path):
    problems, audit = read(
        tmp_path,
        "小哥有话说台账,,,\n问题描述,反映时间,办理状态,地点\n没热水13912345678,2026年10月3日 14:20,已办结,\n太挤,前天,,\n,,已办结,\n合计,2条,,\n",
        datum="wgs84",
    )
    assert list(problems["text"]) == ["没热水139****5678", "太挤"]
    assert list(problems["time"]) == ["2026-10-03T14:20", ""]
    assert list(problems["state"]) == ["closed", "open"]
    rows = set(problems["row"]) | {entry.row for entry in audit}
    assert {3, 4, 5, 6} <= rows


def test_a_table_without_problems_is_answered(tmp_path):
    with pytest.raises(InputError, match="no column of problems"):
        read(tmp_path, "甲,乙\n1,2\n", datum="wgs84")


@pytest.mark.parametrize(
    ("text", "want"),
    [("未解决", "open"), ("已解决", "closed"), ("解决", "closed"), ("已处理", "closed"), ("正在处理中", "in_progress"), ("转办住建局", "in_progress"),
     ("是", "closed"), ("否", "open"), ("Closed", "closed"), ("in progress", "in_progress"), ("", "open"), ("未办结", "open")],
)  # fmt: skip
def test_states(text, want):
    assert state(text) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [("2026-02-30", None), ("2026.1.5", "2026-01-05"), ("2026年1月5日8点", "2026-01-05T08:00"), ("２０２６/1/5 8：05", "2026-01-05T08:05"),
     ("46298.5", "2026-10-03T12:00"), ("1月5日", None), ("2026-01-05 25:00", None)],
)  # fmt: skip
def test_moments(text, want):
    assert moment(text) == want


@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_not(text):
    found = moment(text)
    assert found is None or found == "" or pd.Timestamp(found) is not pd.NaT


def test_a_build_joins_problems_to_station_and_gap(tmp_path, cache_dir, sample_result):
    folder, out = tmp_path / "study", tmp_path / "out"
    shutil.copytree(pipeline.sample_study().folder, folder)
    deep = sample_result.gaps.iloc[0].geometry.representative_point()
    first = sample_result.inputs.stations.iloc[0]
    (folder / "l.csv").write_text(
        f"问题描述,类别,经度,纬度,地点\n没处歇,休息,{deep.x},{deep.y},\n人多,休息,,,{first['name']}\n不明,,,,\n",
        encoding="utf-8",
    )
    with (folder / "study.toml").open("a", encoding="utf-8") as file:
        file.write('\n[ledger]\nfile = "l.csv"\ndatum = "wgs84"\n')
    result = pipeline.build(load_study(folder), out, cache_dir=cache_dir)
    told = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert told["problems"]["listed"] == 3
    assert told["problems"]["placed"] == 2
    assert told["problems"]["by_kind"] == {"": 1, "休息": 2}
    assert told["problems"]["by_gap"] == {sample_result.gaps.iloc[0]["gap_id"]: 1}
    assert told["demand"]["problems"]["total"] == 2
    assert told["demand"]["residents"] == json.loads(json.dumps(sample_result.summary["demand"]["residents"]))
    features = json.loads((out / "problems.geojson").read_text(encoding="utf-8"))["features"]
    assert [f["geometry"] is None for f in features] == [False, False, True]
    assert features[1]["properties"]["nearest_station"] == first["name"]
    assert features[1]["properties"]["nearest_minutes"] < 3
    assert (
        features[0]["properties"]["nearest_minutes"] > 15
        or features[0]["properties"]["nearest_minutes"] is None
    )
    assert result.problems is not None
    with pd.ExcelFile(out / "report.xlsx", engine="openpyxl") as book:
        assert "小哥有话说 Problems" in book.sheet_names


def test_the_layer_of_problems_cannot_be_given_twice(tmp_path):
    with pytest.raises(InputError, match=r"rename \[demand\.problems\]"):
        study_from_mapping(
            {"study": {"name": "x"}, "roads": {"file": "r.osm"}, "stations": [{"file": "s.csv", "datum": "wgs84"}],
             "ledger": {"file": "l.csv"}, "demand": {"problems": {"file": "p.csv"}}}, folder=tmp_path,
        )  # fmt: skip
