"""The whole way on the sample district: contracts, conservation, all-or-nothing outputs."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import re
import shutil
from dataclasses import replace

import geopandas as gpd
import numpy as np
import openpyxl
import pytest

from geo import pipeline
from geo.config import load_study
from geo.errors import InputError

OUTPUTS = {
    "index.html", "map.html", "public.html", "cleaned.xlsx", "merge.csv", "summary.json", "audit.json", "stations.geojson", "communities.geojson",
    "report.pdf", "poster.pdf", "poster.png", "isochrones.geojson", "gaps.geojson", "recommendations.geojson", "results.gpkg", "report.xlsx",
}  # fmt: skip
MOBILE = re.compile(r"(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)")


@pytest.fixture(scope="module")
def summary(sample_out):
    return json.loads((sample_out / "summary.json").read_text(encoding="utf-8"))


def test_every_output_is_written(sample_out):
    assert {p.name for p in sample_out.iterdir()} == OUTPUTS


def test_summary_keeps_its_contract(summary):
    assert set(summary) >= {
        "study", "edition", "standard", "stations", "demand", "gaps", "network", "isochrones", "provenance",
    }  # fmt: skip
    assert set(summary["stations"]) >= {"listed", "mapped", "used", "merged", "rejected", "hours_known"}
    block = summary["demand"]["residents"]
    assert set(block) >= {
        "total", "covered", "share", "share_by_minutes", "share_two_or_more", "share_straight_line",
        "median_minutes", "share_by_service", "share_by_time", "share_range",
    }  # fmt: skip
    assert set(block["share_by_minutes"]) == {"5", "10", "15", "20"}
    assert set(summary["network"]) >= {
        "nodes", "edges", "km", "km_per_km2", "source", "source_date", "off_network_share",
    }  # fmt: skip
    assert summary["synthetic"] is True


def test_figures_are_consistent(summary):
    stations = summary["stations"]
    assert stations["listed"] == 86
    assert stations["mapped"] == stations["used"] + stations["merged"] + stations["rejected"]
    for block in summary["demand"].values():
        minutes = [block["share_by_minutes"][m] for m in ("5", "10", "15", "20")]
        assert minutes == sorted(minutes)
        assert block["share"] == pytest.approx(block["covered"] / block["total"])
        assert block["share"] == pytest.approx(block["share_by_minutes"]["15"])
        assert block["share_two_or_more"] <= block["share"] <= block["share_straight_line"]
        low, high = block["share_range"]
        assert low <= block["share"] <= high
        assert all(v <= block["share"] for v in block["share_by_service"].values())
        assert all(v <= block["share"] for v in block["share_by_time"].values())
    assert summary["demand"]["workers"]["total"] == 1459
    residents = summary["demand"]["residents"]
    assert summary["gaps"]["people"] == pytest.approx(residents["total"] - residents["covered"], rel=1e-6)


def test_shapes_tell_nearly_the_truth(summary):
    assert summary["isochrones"]["false_share"] <= 0.005
    assert summary["isochrones"]["missed_share"] <= 0.005


def test_communities_conserve_people(sample_result):
    communities = sample_result.coverage.communities
    block = sample_result.coverage.layers["residents"]
    assert communities["population"].sum() == pytest.approx(block["total"], rel=1e-9)
    assert communities["covered_people"].sum() == pytest.approx(block["covered"], rel=1e-9)
    assert sample_result.coverage.streets["population"].sum() == pytest.approx(block["total"], rel=1e-9)


def test_plan_is_proven_and_gains_add_up(sample_result):
    plan, sites = sample_result.plan, sample_result.recommendations
    assert plan.status == "optimal"
    assert plan.gap == 0
    assert sites["gain"].sum() == pytest.approx(plan.gain)
    assert plan.objective == plan.bound == pytest.approx(plan.covered_after)
    assert list(sites["gain"]) == sorted(sites["gain"], reverse=True)
    for row in sites.itertuples():
        assert sum(g["people"] for g in row.communities_gain) == pytest.approx(row.gain)
    assert plan.covered_after == pytest.approx(plan.covered_before + plan.gain)


def test_recommended_sites_gain_what_a_new_build_says(sample_result, tmp_path, cache_dir):
    """Adding the first recommended venue to the list covers exactly what was promised."""
    study = pipeline.sample_study()
    folder = tmp_path / "study"
    shutil.copytree(study.folder, folder)
    best = sample_result.recommendations.iloc[0]
    (folder / "new.csv").write_text(
        f"名称,经度,纬度,开放时间,服务项目\n{best['name']},{best['lon']},{best['lat']},24小时,饮水\n",
        encoding="utf-8",
    )
    with (folder / "study.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[stations]]\nfile = "new.csv"\ndatum = "wgs84"\n')
    after = pipeline.run(load_study(folder), cache_dir=cache_dir).coverage.layers["residents"]["covered"]
    before = sample_result.coverage.layers["residents"]["covered"]
    assert after - before == pytest.approx(best["gain"], abs=0.5)


def test_layers_are_valid_and_in_degrees(sample_out):
    for name in ("stations", "communities", "isochrones", "gaps", "recommendations"):
        frame = gpd.read_file(sample_out / f"{name}.geojson")
        assert frame.crs.to_epsg() == 4326
        assert frame.geometry.is_valid.all()
        assert len(frame) == len(gpd.read_file(sample_out / "results.gpkg", layer=name))


def test_bands_are_nested(sample_result):
    metric = sample_result.bands.sort_values("minutes").to_crs(sample_result.network.crs).geometry
    for inner, outer in zip(metric.iloc[:-1], metric.iloc[1:], strict=True):
        assert inner.difference(outer).area < 1.0


def test_workbook_opens_and_holds_the_headline(sample_out, summary):
    book = openpyxl.load_workbook(sample_out / "report.xlsx")
    assert [s.split()[0] for s in book.sheetnames] == [
        "概要",
        "社区",
        "街道",
        "驿站",
        "达标",
        "盲区",
        "方案",
        "选址建议",
        "招募",
        "驿站价值",
        "数据审计",
    ]
    worth = list(book["驿站价值 Worth"].iter_rows(min_row=2, max_col=4, values_only=True))
    assert [row[3] for row in worth if row[2] is not None] == [
        row[2] == 0 for row in worth if row[2] is not None
    ]
    figures = {row[0]: row[1] for row in book.worksheets[0].iter_rows(values_only=True)}
    assert figures["demand.residents.share"] == pytest.approx(summary["demand"]["residents"]["share"])
    assert book["社区 Communities"].max_row >= 61


def test_no_personal_mobile_number_anywhere(sample_out):
    for path in sample_out.iterdir():
        if path.suffix in {".html", ".json", ".geojson"}:
            assert not MOBILE.search(path.read_text(encoding="utf-8")), path.name
    book = openpyxl.load_workbook(sample_out / "report.xlsx", read_only=True)
    for sheet in book:
        for row in sheet.iter_rows(values_only=True):
            assert not any(isinstance(v, str) and MOBILE.search(v) for v in row)
    book.close()


def test_every_station_row_ends_in_the_output_or_the_audit(sample_out, summary):
    used = len(gpd.read_file(sample_out / "stations.geojson"))
    entries = json.loads((sample_out / "audit.json").read_text(encoding="utf-8"))["entries"]
    gone = [e for e in entries if e["action"] in {"merged", "rejected", "unmapped"}]
    assert used == summary["stations"]["used"]
    assert used + len(gone) == summary["stations"]["listed"]


def test_week_table_agrees_with_the_summary(summary, cache_dir):
    table = pipeline.week_table(pipeline.sample_study(), modes=("walk", "ebike"), cache_dir=cache_dir)
    assert len(table) == 2 * 2 * 19 * 168
    walk = table[(table["mode"] == "walk") & (table["layer"] == "residents")].set_index(["service", "hour"])
    block = summary["demand"]["residents"]
    for day, hour, name in ((1, 8, "Tue 08:00"), (1, 23, "Tue 23:00"), (5, 15, "Sat 15:00")):
        assert walk["share"]["", 24 * day + hour] == pytest.approx(block["share_by_time"][name])
    assert (walk["share"]["toilet"] <= walk["share"][""] + 1e-12).all()
    assert walk["share"]["toilet"].max() <= block["share_by_service"]["toilet"] + 1e-12
    faster = table[(table["mode"] == "ebike") & (table["layer"] == "residents")]
    assert faster["share"].mean() > walk["share"].mean()


def test_same_inputs_same_bytes(sample_out, summary, tmp_path, cache_dir, monkeypatch):
    created = dt.datetime.fromisoformat(summary["provenance"]["created"])
    monkeypatch.setattr(importlib.import_module("geo.report.summary"), "now", lambda: created)
    again = tmp_path / "again"
    pipeline.build(pipeline.sample_study(), again, cache_dir=cache_dir)
    for name in OUTPUTS:
        assert (again / name).read_bytes() == (sample_out / name).read_bytes(), name


def test_a_run_that_is_cut_off_leaves_the_old_results(sample_out, tmp_path, cache_dir, monkeypatch):
    out = tmp_path / "out"
    shutil.copytree(sample_out, out)
    before = {p.name: p.read_bytes() for p in out.iterdir()}

    def killed(_result, _folder):
        raise KeyboardInterrupt

    monkeypatch.setattr("geo.report.write_all", killed)
    with pytest.raises(KeyboardInterrupt):
        pipeline.build(pipeline.sample_study(), out, cache_dir=cache_dir)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_folder_with_other_files_is_never_replaced(tmp_path):
    (tmp_path / "thesis.docx").write_text("mine")
    with pytest.raises(InputError, match="choose another"):
        pipeline.build(pipeline.sample_study(), tmp_path)
    assert (tmp_path / "thesis.docx").read_text() == "mine"


def test_isochrone_round_a_position_and_off_the_roads(sample_result):
    study = pipeline.sample_study()
    first = sample_result.inputs.stations.iloc[0]
    frame = pipeline.isochrone(
        sample_result.network, study, lon=first["lon"], lat=first["lat"], minutes=(5, 15)
    )
    assert list(frame["minutes"]) == [5, 15]
    assert (frame["false_share"] <= 0.01).all()
    with pytest.raises(InputError, match="no usable road"):
        pipeline.isochrone(sample_result.network, study, lon=0.0, lat=0.0)


def test_hours_at_midnight_never_exceed_noon(sample_result):
    assert sample_result.open_at.shape == (len(sample_result.inputs.stations), len(sample_result.times))
    unknown = sample_result.inputs.stations["hours"].isna().to_numpy()
    assert unknown.any()
    assert not sample_result.open_at[unknown].any()


def test_more_minutes_and_speed_never_cover_less(cache_dir):
    study = pipeline.sample_study()
    shares = []
    for minutes in (8, 15, 18):
        standard = study.standard.model_copy(update={"limit_minutes": minutes})
        siting = study.siting.model_copy(update={"add": 0})
        result = pipeline.run(
            study.model_copy(update={"standard": standard, "siting": siting}), cache_dir=cache_dir
        )
        assert result.plan is None
        shares.append(result.coverage.layers["residents"]["share"])
    assert shares == sorted(shares)
    assert len(set(shares)) == 3


def test_ebike_mode_runs(cache_dir):
    study = pipeline.sample_study()
    standard = study.standard.model_copy(
        update={"mode": "ebike", "speed_kmh": None, "minutes": (3, 5), "limit_minutes": 5}
    )
    result = pipeline.run(study.model_copy(update={"standard": standard}), cache_dir=cache_dir)
    assert 0 < result.coverage.layers["residents"]["share"] <= 1
    assert np.isfinite(result.coverage.demand["seconds"]).any()
    assert replace(result, name="x").name == "x"
