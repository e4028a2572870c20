"""Files of a build: the same figures in each of them, safe to open, and the same bytes each time."""

from __future__ import annotations

import datetime as dt
import json
import re
import sqlite3
import zipfile
from dataclasses import replace

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely

from geo import report
from geo.models import AuditEntry
from geo.pipeline.sites import STAGE_COLUMNS
from geo.report import canvas, geojson, pdf
from geo.report.frames import flat
from geo.report.summary import created, plain, summarise
from geo.report.tables import LAYER_SHAPES, write_geopackage
from geo.report.workbook import SYNTHETIC, write_workbook
from tests.geo.results import NASTY, toy_result

PRINTED = {"report.pdf", "poster.pdf", "poster.png"}
FILES = {
    "cleaned.xlsx", "merge.csv", "summary.json", "audit.json", "stations.geojson", "communities.geojson", "isochrones.geojson", "gaps.geojson",
    "recommendations.geojson", "problems.geojson", "results.gpkg", "report.xlsx", "report.pdf", "poster.pdf", "poster.png",
}  # fmt: skip
FORMULAS = ("=1+1", "+86", "-3", "@cmd", '=HYPERLINK("http://evil.example")')
MOBILE = re.compile(r"(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)")
DECLARED = re.compile(rb'"created": "[^"]*"')


@pytest.fixture(scope="module")
def result():
    return toy_result(names=[*NASTY, *FORMULAS])


@pytest.fixture(scope="module")
def out(result, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    report.write_all(result, folder)
    return folder


@pytest.fixture(scope="module")
def book(out):
    return openpyxl.load_workbook(out / "report.xlsx")


def rows_of(sheet):
    """The rows of a sheet by its headings, without the label of synthetic data."""
    head, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows if row[0] != SYNTHETIC]


def features(path):
    return json.loads(path.read_text(encoding="utf-8"))["features"]


def has_font():
    try:
        return pdf.chinese_font() is not None
    except ImportError:
        return False


needs_font = pytest.mark.skipif(not has_font(), reason="no matplotlib, or no font with Chinese glyphs")


# Summary


def test_every_file_of_the_contract_is_written(out):
    assert {p.name for p in out.iterdir()} - PRINTED == FILES - PRINTED
    assert (out / "report.pdf").exists() == has_font()


def test_summary_has_every_key_of_the_contract(sample_result):
    summary = sample_result.summary
    assert set(summary) >= {
        "study", "edition", "standard", "stations", "demand", "gaps", "network", "isochrones", "provenance",
    }  # fmt: skip
    assert set(summary["standard"]) >= {"mode", "speed_kmh", "limit_minutes"}
    assert set(summary["stations"]) >= {"listed", "mapped", "used", "merged", "rejected", "hours_known"}
    assert {"residents", "workers"} == set(summary["demand"])
    for block in summary["demand"].values():
        assert set(block) >= {
            "total", "covered", "share", "share_by_minutes", "share_two_or_more", "share_straight_line",
            "median_minutes", "share_by_service", "share_by_time", "share_range",
        }  # fmt: skip
        assert set(block["share_by_minutes"]) >= {"5", "10", "15", "20"}
        assert set(block["share_by_service"]) == set(summary["standard"]["services"])
        assert set(block["share_by_time"]) == set(summary["standard"]["times"])
    assert set(summary["gaps"]) == {"count", "people"}
    assert set(summary["network"]) >= {
        "nodes", "edges", "km", "km_per_km2", "source", "source_date", "off_network_share",
    }  # fmt: skip
    assert set(summary["isochrones"]) == {"false_share", "missed_share"}
    assert set(summary["provenance"]) == {"redmap", "created", "inputs"}
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in summary["provenance"]["inputs"].values())
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_summary_comes_from_the_results_alone(result):
    full = replace(result, standard={**result.standard, "services": ["toilet"]})
    summary = summarise(full, {"nodes": 3, "source": "toy"}, (0.01, 0.02))
    assert summary["gaps"] == {"count": len(result.gaps), "people": result.gaps["people"].sum()}
    assert summary["siting"]["gain"] == result.plan.gain
    assert summary["isochrones"] == {"false_share": 0.01, "missed_share": 0.02}
    assert "siting" not in summarise(replace(full, plan=None), {}, (0.0, 0.0))
    assert dt.datetime.now(dt.UTC) - created(summary) < dt.timedelta(minutes=1)


def test_plain_leaves_nothing_that_json_does_not_know():
    value = {"a": np.float64(1.5), 2: (np.int32(3), np.inf, np.nan), "d": dt.date(2026, 11, 23)}
    assert plain(value) == {"a": 1.5, "2": [3, None, None], "d": "2026-11-23"}


def test_audit_tells_every_entry_and_note(result, out):
    audit = json.loads((out / "audit.json").read_text(encoding="utf-8"))
    assert audit["study"] == result.name
    assert [e["action"] for e in audit["entries"]] == ["merged", "rejected"]
    assert audit["notes"] == list(result.network.notes) or not has_font()


# Layers


@pytest.mark.parametrize("name", LAYER_SHAPES)
def test_layers_follow_rfc_7946(out, name):
    data = json.loads((out / f"{name}.geojson").read_text(encoding="utf-8"))
    assert data["type"] == "FeatureCollection"
    assert "crs" not in data  # WGS-84 always
    assert data["features"]
    for feature in data["features"]:
        assert feature["type"] == "Feature"
        assert feature["geometry"]["type"] == LAYER_SHAPES[name]
        shape = shapely.from_geojson(json.dumps(feature["geometry"]))
        assert shape.is_valid
        west, south, east, north = shape.bounds
        assert 73 < west <= east < 136  # longitude first
        assert 3 < south <= north < 54
        for part in shapely.get_parts(shape):
            if part.geom_type == "Polygon":
                assert part.exterior.is_ccw
                assert not any(hole.is_ccw for hole in part.interiors)
                assert part.exterior.coords[0] == part.exterior.coords[-1]


@pytest.mark.parametrize("name", LAYER_SHAPES)
def test_geopackage_holds_the_same_layers_and_values(out, name):
    layers = {str(row[0]) for row in pyogrio.list_layers(out / "results.gpkg")}
    assert layers == set(LAYER_SHAPES)
    packed = gpd.read_file(out / "results.gpkg", layer=name)
    plain_file = gpd.read_file(out / f"{name}.geojson")
    assert packed.crs.to_epsg() == 4326
    assert list(packed.columns) == list(plain_file.columns)
    assert len(packed) == len(plain_file)
    assert shapely.equals_exact(packed.geometry.array, plain_file.geometry.array, 1e-12).all()
    for column in packed.select_dtypes("number").columns:
        np.testing.assert_array_equal(packed[column], plain_file[column])


def test_layers_hold_the_tables_figures(result, out):
    people = [f["properties"]["people"] for f in features(out / "gaps.geojson")]
    assert sum(people) == pytest.approx(result.summary["gaps"]["people"])
    gains = [f["properties"]["gain"] for f in features(out / "recommendations.geojson")]
    assert gains == list(result.recommendations["gain"])
    bands = [f["properties"] for f in features(out / "isochrones.geojson")]
    whole = [b["minutes"] for b in bands if b["station_id"] == "*"]
    assert whole == list(result.bands["minutes"])
    assert len(bands) == len(result.bands) + len(result.station_bands)
    stations = features(out / "stations.geojson")
    assert stations[0]["properties"]["plates"] == "工会驿站; 司机之家"
    assert stations[0]["geometry"]["coordinates"] == pytest.approx(
        [result.inputs.stations["lon"][0], result.inputs.stations["lat"][0]], abs=1e-7
    )


def test_empty_layers_are_layers_too(result, tmp_path):
    bare = replace(
        result, gaps=result.gaps.iloc[:0], recommendations=result.recommendations.iloc[:0], plan=None
    )
    report.write_all(bare, tmp_path)
    for name in ("gaps", "recommendations"):
        assert features(tmp_path / f"{name}.geojson") == []
        assert len(gpd.read_file(tmp_path / "results.gpkg", layer=name)) == 0
    assert {str(row[0]) for row in pyogrio.list_layers(tmp_path / "results.gpkg")} == set(LAYER_SHAPES)


def test_rounding_never_breaks_a_shape():
    # Two corners 1 nm apart on both sides of a long edge: on the centimetre grid they fall onto it.
    sliver = shapely.Polygon(
        [(115, 32), (115.001, 32), (115.001, 32.001), (115.0005, 32.00000002), (115, 32.001)]
    )
    assert sliver.is_valid
    (tidy,) = geojson.rounded([sliver])
    assert tidy.is_valid
    assert tidy.symmetric_difference(sliver).area < 1e-11
    (square,) = geojson.rounded([shapely.box(115, 32, 115 + 1 / 3, 33)])
    assert {x for x, _ in square.exterior.coords} == {115.0, 115.3333333}


def test_geojson_writes_every_kind_of_shape():
    shapes = [
        shapely.Point(115.5, 32.25),
        None,
        shapely.MultiPolygon(),
        shapely.box(0, 0, 3, 3) - shapely.box(1, 1, 2, 2),
        shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 5, 6, 6)]),
        shapely.LineString([(0, 0), (1, 1e-7)]),
    ]
    frame = gpd.GeoDataFrame({"x": [1.0, np.nan, np.inf, 4, 5, 6]}, geometry=shapes, crs=4326)
    data = json.loads(geojson.feature_collection(frame))
    assert [f["properties"]["x"] for f in data["features"]] == [1.0, None, None, 4.0, 5.0, 6.0]
    for feature, shape in zip(data["features"], shapes, strict=True):
        if shape is None or shape.is_empty:
            assert feature["geometry"] is None
        else:
            assert shapely.from_geojson(json.dumps(feature["geometry"])).equals(shape)
    assert json.loads(geojson.feature_collection(frame.iloc[:0]))["features"] == []


def test_geopackage_bears_the_date_that_it_is_given(tmp_path):
    frame = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(115, 32)], crs=4326)
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    write_geopackage({"stations": frame}, tmp_path / "a.gpkg", "2026-11-23T02:00:00Z")
    assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") == before
    with sqlite3.connect(tmp_path / "a.gpkg") as base:
        (found,) = base.execute("select last_change from gpkg_contents").fetchone()
    base.close()
    assert found.startswith("2026-11-23T02:00:00")


# Workbook


def test_headings_are_chinese_and_english(book):
    assert len(book.sheetnames) == 10
    for sheet in book:
        assert re.search(r"[\u4e00-\u9fff]", sheet.title)
        assert re.search(r"[A-Za-z]{4}", sheet.title)
        assert sheet.freeze_panes == "A2"
        for (heading,) in sheet.iter_cols(max_row=1, values_only=True):
            if heading is not None:  # a table without columns has no headings
                assert re.search(r"[\u4e00-\u9fff]", heading), heading
                assert re.search(r"[A-Za-z]{2}", heading), heading


def test_real_headings_are_chinese_and_english(sample_out):
    sample = openpyxl.load_workbook(sample_out / "report.xlsx", read_only=True)
    for sheet in sample:
        for heading in next(sheet.iter_rows(max_row=1, values_only=True)):
            assert re.search(r"[\u4e00-\u9fff].*[A-Za-z]{2}|[A-Za-z]{2}.*[\u4e00-\u9fff]", heading), heading
    sample.close()


def test_workbook_holds_the_summary(book, result):
    figures = {row["项目 Item"]: row["数值 Value"] for row in rows_of(book["概要 Summary"])}
    for layer, block in result.summary["demand"].items():
        for key in ("total", "covered", "share", "share_straight_line", "median_minutes"):
            assert figures[f"demand.{layer}.{key}"] == pytest.approx(block[key]), (layer, key)
        assert figures[f"demand.{layer}.share_by_minutes.15"] == pytest.approx(block["share"])
    assert figures["gaps.people"] == result.summary["gaps"]["people"]
    assert figures["stations.listed"] == result.summary["stations"]["listed"]
    assert figures["provenance.inputs.union.xlsx"] == "ab" * 32


def test_workbook_tables_add_up(book, result):
    communities = rows_of(book["社区 Communities"])
    assert len(communities) == len(result.coverage.communities)
    assert sum(r["人口 Population"] for r in communities) == result.coverage.communities["population"].sum()
    for row in communities:
        covered = row["已覆盖人口 People covered"]
        assert covered == pytest.approx(row["覆盖率 Share covered"] * row["人口 Population"])
    gaps = rows_of(book["盲区 Gaps"])
    assert sum(r["人数 People"] for r in gaps) == result.summary["gaps"]["people"]
    sites = rows_of(book["选址建议 Sites"])
    assert [r["新增覆盖人数 People gained"] for r in sites] == list(result.recommendations["gain"])
    assert len(rows_of(book["驿站 Stations"])) == result.summary["stations"]["used"]
    assert [r["处理 Action"] for r in rows_of(book["数据审计 Audit"])] == ["merged", "rejected"]


def test_real_tables_add_up_to_the_summary(sample_out):
    summary = json.loads((sample_out / "summary.json").read_text(encoding="utf-8"))
    residents = summary["demand"]["residents"]
    sample = openpyxl.load_workbook(sample_out / "report.xlsx", read_only=True)
    for title in ("社区 Communities", "街道 Streets"):
        rows = rows_of(sample[title])
        assert sum(r["人口 Population"] for r in rows) == pytest.approx(residents["total"])
        assert sum(r["已覆盖人口 People covered"] for r in rows) == pytest.approx(residents["covered"])
    gaps = rows_of(sample["盲区 Gaps"])
    assert len(gaps) == summary["gaps"]["count"]
    assert sum(r["人数 People"] for r in gaps) == pytest.approx(summary["gaps"]["people"])
    sites = rows_of(sample["选址建议 Sites"])
    assert sum(r["新增覆盖人数 People gained"] for r in sites) == pytest.approx(summary["siting"]["gain"])
    sample.close()


def test_users_texts_are_never_formulas(book):
    found = set()
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", (sheet.title, cell.coordinate)
                if isinstance(cell.value, str) and cell.value.startswith(("=", "+", "-", "@")):
                    found.add(cell.value)
                    assert cell.quotePrefix, cell.value
    assert found >= set(FORMULAS)


def test_the_workbooks_xml_has_no_formula(out):
    with zipfile.ZipFile(out / "report.xlsx") as archive:
        sheets = [n for n in archive.namelist() if n.startswith("xl/worksheets/")]
        assert len(sheets) == 10
        assert not any(re.search(rb"<f[ >]", archive.read(name)) for name in sheets)


def test_control_characters_do_not_stop_the_workbook(tmp_path):
    write_workbook(toy_result(names=["坏\x0b名\x01字"]), tmp_path / "x.xlsx")
    names = [r["名称 Name"] for r in rows_of(openpyxl.load_workbook(tmp_path / "x.xlsx")["驿站 Stations"])]
    assert names[0] == "坏名字"


def test_synthetic_data_says_so_on_every_sheet(book, tmp_path):
    assert all(sheet.cell(sheet.max_row, 1).value == SYNTHETIC for sheet in book)
    write_workbook(toy_result(synthetic=False), tmp_path / "real.xlsx")
    real = openpyxl.load_workbook(tmp_path / "real.xlsx")
    assert all(cell != SYNTHETIC for s in real for row in s.iter_rows(values_only=True) for cell in row)


# People's numbers


@pytest.mark.parametrize("audience", ["public", "planner"])
def test_no_mobile_number_leaves_the_house(audience, tmp_path):
    base = toy_result(names=["老李 139 1234 0000"])
    entry = AuditEntry("rejected", "缺坐标 13912340000", "no position", name="x", found="13912340000")
    unsafe = replace(
        base, publish={**base.publish, "audience": audience}, inputs=replace(base.inputs, audit=(entry,))
    )
    report.write_all(unsafe, tmp_path)
    for path in tmp_path.iterdir():
        if path.suffix in {".json", ".geojson"}:
            assert not MOBILE.search(path.read_text(encoding="utf-8")), path.name
    for sheet in openpyxl.load_workbook(tmp_path / "report.xlsx"):
        for row in sheet.iter_rows(values_only=True):
            assert not any(isinstance(v, str) and MOBILE.search(v) for v in row)
    stations = gpd.read_file(tmp_path / "results.gpkg", layer="stations")
    assert set(stations["phone"]) == {"门卫 139****0000", "0558-2260000"}


def test_ids_that_look_like_mobiles_are_kept():
    assert flat(pd.DataFrame({"venue_id": ["13912340000"]}))["venue_id"][0] == "13912340000"


# Print


@needs_font
def test_pdf_has_two_pages_and_the_studys_name(out, result):
    data = (out / "report.pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    assert data.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type /Page\b(?!s)", data)) == 2
    assert b"CreationDate" not in data
    title = re.search(rb"/Title \((.*?)(?<!\\)\)", data, re.DOTALL).group(1)
    octal = re.sub(rb"\\([0-7]{3}|.)", _unescaped, title, flags=re.DOTALL)
    text = octal.decode("utf-16")
    assert text.startswith(result.name)
    assert "合成数据" in text


def _unescaped(match):
    sign = match[1]
    if len(sign) == 3:
        return bytes([int(sign, 8)])
    return {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}.get(sign, sign)


@needs_font
def test_pdf_says_everything_in_both_languages(result, monkeypatch, tmp_path):
    said = []
    write = canvas.Page.text
    monkeypatch.setattr(
        canvas.Page,
        "text",
        lambda self, x, y, text, *a, **k: (said.append(text), write(self, x, y, text, *a, **k)),
    )
    assert pdf.write_pdf(result, tmp_path / "a.pdf") is None
    printed = " | ".join(said)
    block = result.summary["demand"]["residents"]
    for wanted in (
        "示例区 驿站红色地图", "Red map", "合成数据", "SYNTHETIC DATA", f"{block['share']:.1%}",
        f"{block['share_straight_line']:.1%}", "审图号", "OpenStreetMap", "北 N", " km", "驿站 station", "盲区 gap",
        "建议增设", "suggested site", "≤ 15 分钟 min", "惠民超市1店", "隔河，绕行过远", "Behind the river", "proven optimal",
        "厕所 toilet", "周二 Tue 23:00",
    ):  # fmt: skip
        assert wanted in printed, wanted


@needs_font
def test_pdf_has_a_page_of_stages_where_there_are_any(result, monkeypatch, tmp_path):
    said = []
    write = canvas.Page.text
    monkeypatch.setattr(
        canvas.Page,
        "text",
        lambda self, x, y, text, *a, **k: (said.append(text), write(self, x, y, text, *a, **k)),
    )
    rows = [
        (k, f"v{k}", f"商场 {k} 号", 900.0 + 100 * k, 100.0, 905.0 + 100 * k, 905.0 + 100 * k, 5.0, k != 3)
        for k in range(1, 24)
    ]
    staged = replace(result, stages=pd.DataFrame(rows, columns=STAGE_COLUMNS))
    assert pdf.write_pdf(staged, tmp_path / "a.pdf") is None
    assert len(re.findall(rb"/Type /Page\b(?!s)", (tmp_path / "a.pdf").read_bytes())) == 3
    for wanted in ("商场 20 号", "1,000", "1,205 *", "Red Map · 3 / 3"):
        assert wanted in said, wanted
    assert "商场 21 号" not in said
    assert any("3 期" in text for text in said)


@needs_font
def test_pdf_of_a_bare_study(tmp_path):
    full = toy_result(stations=3, synthetic=False)
    summary = json.loads(json.dumps(full.summary))
    summary["demand"] = {
        "jobs": {**summary["demand"]["workers"], "median_minutes": None, "share_by_time": {}}
    }
    bare = replace(
        full, name="A study in $English$ 😀", edition="", gaps=full.gaps.iloc[:0],
        recommendations=full.recommendations.iloc[:0], plan=None, summary=summary,
        inputs=replace(full.inputs, communities=full.inputs.communities.iloc[:0]),
    )  # fmt: skip
    assert pdf.write_pdf(bare, tmp_path / "bare.pdf") is None
    assert (tmp_path / "bare.pdf").read_bytes().startswith(b"%PDF-")


def test_why_there_is_no_pdf_is_said(result, tmp_path, monkeypatch):
    monkeypatch.setattr(pdf.importlib.util, "find_spec", lambda _name: None)
    report.write_all(result, tmp_path)
    assert not (tmp_path / "report.pdf").exists()
    notes = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))["notes"]
    assert any("redmap[print]" in note for note in notes)


@needs_font
def test_without_a_chinese_font_no_page_of_boxes_is_printed(result, tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "CHINESE_FONTS", ("No Such Font",))
    assert "no Chinese font" in pdf.write_pdf(result, tmp_path / "a.pdf")
    assert not (tmp_path / "a.pdf").exists()


@pytest.mark.parametrize("width", [20, 45, 90, 200])
def test_wrapped_lines_keep_the_text_and_the_width(width):
    text = (
        "最近的驿站“翠昌路小哥驿站”直线 850 m，步行 20 分钟：被围墙隔开 cut off by a wall-without-any-space"
    )
    lines = canvas.wrapped(text, width, 8)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(canvas.text_width(line, 8) <= width + 8 for line in lines)
    assert canvas.wrapped("", width, 8) == []


def test_shapes_on_paper_keep_holes_and_drop_dots():
    frame = canvas.Frame.fitted((0, 0, 1, 1), (0, 0, 100, 100))
    ring = shapely.box(0, 0, 1, 1) - shapely.box(0.4, 0.4, 0.6, 0.6)
    dot = shapely.box(0.2, 0.2, 0.2001, 0.2001)
    path = canvas.shape_path([ring, dot, shapely.MultiPolygon()], frame)
    assert (path.codes == path.MOVETO).sum() == 2
    assert path.contains_point(frame.place([0.1], [0.1])[0])
    assert canvas.shape_path([], frame).vertices.shape == (0, 2)


# The same bytes


def test_two_writes_are_the_same_bytes(result, out, tmp_path):
    later = toy_result(names=[*NASTY, *FORMULAS])  # another object of the same figures
    report.write_all(later, tmp_path)
    for path in sorted(out.iterdir()):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_later_build_differs_in_declared_dates_only(result, out, tmp_path):
    provenance = {**result.summary["provenance"], "created": "2027-01-02T03:04:05+00:00"}
    report.write_all(replace(result, summary={**result.summary, "provenance": provenance}), tmp_path)
    for path in sorted(out.iterdir()):
        again = (tmp_path / path.name).read_bytes()
        if path.suffix in {".geojson", ".pdf"} or path.name == "audit.json":
            assert again == path.read_bytes(), path.name
        elif path.suffix == ".json":
            assert DECLARED.sub(b"", again) == DECLARED.sub(b"", path.read_bytes())
    workbook = openpyxl.load_workbook(tmp_path / "report.xlsx")
    assert workbook.properties.created.isoformat() == "2027-01-02T03:04:05"
    assert workbook.properties.modified == workbook.properties.created
