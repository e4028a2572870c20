"""Tables as departments send them: M01-M05, M27, what an .xls really is, layers, and what is refused."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import shapely
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.config import MAX_TABLE_BYTES, MAX_UNPACKED_BYTES
from geo.errors import InputError
from geo.intake.datum import from_wgs84
from geo.intake.stations import read_stations
from geo.intake.tables import Table, read_table, read_vector
from geo.intake.tables.grid import Grid, make_table, text_of

AREA = shapely.box(115.70, 32.80, 115.90, 32.95)
ROWS = [
    ["名称", "经度", "纬度", "备注"],
    ["甲驿站", 115.8101, 32.8901, "䶮"],
    ["乙驿站", 115.8201, 32.8902, None],
]
KEPT = [
    {"名称": "甲驿站", "经度": "115.8101", "纬度": "32.8901", "备注": "䶮"},
    {"名称": "乙驿站", "经度": "115.8201", "纬度": "32.8902", "备注": None},
]


def book(
    path: Path, sheets: dict[str, list[list[Any]]], *, merged: dict[str, list[str]] | None = None
) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        page = made.create_sheet(name)
        for row in rows:
            page.append(row)
        for area in (merged or {}).get(name, []):
            page.merge_cells(area)
    made.save(path)
    return path


def records(table: Table) -> list[dict[str, Any]]:
    return table.frame.to_dict("records")


def refused(path: Path, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        read_table(path, **options)
    return str(caught.value)


def csv_text(rows: list[list[Any]]) -> str:
    return "".join(",".join("" if v is None else str(v) for v in row) + "\n" for row in rows)


# --- M01, M02: text


def test_m01_gb18030_without_a_mark_is_read_and_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv_text(ROWS).encode("gb18030"))
    (table,) = read_table(tmp_path / "a.csv")
    assert records(table) == KEPT
    assert table.encoding == "gb18030"


def test_m02_the_byte_order_mark_is_no_part_of_the_first_heading(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv_text(ROWS).encode("utf-8-sig"))
    (table,) = read_table(tmp_path / "a.csv")
    assert next(iter(table.frame.columns)) == "名称"
    assert table.headings[0] == "名称"
    assert table.encoding == "utf-8-sig"


def test_a_line_that_is_in_no_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("名称,经度\n甲,1\n".encode() + b"\xe7\x94,\xff\xff\n")
    assert "row 3" in refused(tmp_path / "a.csv")


def test_an_unpaired_quote_is_refused_with_its_row(tmp_path: Path) -> None:
    text = '名称,经度,纬度\n甲,115.81,32.89\n"乙,115.82,32.89\n丙,115.83,32.89\n'
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    assert "row 3" in refused(tmp_path / "a.csv")
    # a quote inside a cell is no such thing
    (tmp_path / "b.csv").write_text('名称,经度,纬度\n甲"一,115.81,32.89\n乙,115.82,32.89\n', encoding="utf-8")
    assert [r["名称"] for r in records(read_table(tmp_path / "b.csv")[0])] == ['甲"一', "乙"]


@pytest.mark.parametrize(("name", "rows"), [("shanyang", 63), ("yingzhou", 161)])
def test_the_header_of_real_lists_full_of_street_names_is_their_first_row(
    shared_data: Path, name: str, rows: int
) -> None:
    (table,) = read_table(next(shared_data.rglob(f"{name}_communities_gcj02.csv")))
    assert (table.header_rows, len(table.rows), table.rows[0]) == ((1, 1), rows, 2)
    assert {"name", "lon_gcj02", "lat_gcj02"} <= set(table.frame.columns)


# --- M03, M05: headers of several rows, merged cells


def test_m03_a_title_and_three_rows_of_headings(tmp_path: Path) -> None:
    rows = [
        ["颍州区驿站台账（共2个）"],
        ["序号", "名称", "位置", None, "服务", None, None],
        [None, None, "经度", "纬度", "生活", None, "安全"],
        [None, None, None, None, "饮水", "微波炉", "急救箱"],
        [1, "甲驿站", 115.8101, 32.8901, "√", "×", "√"],
        [2, "乙驿站", 115.8201, 32.8901, None, "√", None],
    ]
    merged = ["A1:G1", "A2:A4", "B2:B4", "C2:D2", "C3:C4", "D3:D4", "E2:G2", "E3:F3"]
    path = book(tmp_path / "a.xlsx", {"S": rows}, merged={"S": merged})
    (table,) = read_table(path)
    assert list(table.frame.columns) == ["序号", "名称", "经度", "纬度", "饮水", "微波炉", "急救箱"]
    assert table.headings[2:6] == ("位置 经度", "位置 纬度", "服务 生活 饮水", "服务 生活 微波炉")
    assert table.title == "颍州区驿站台账（共2个）"
    assert (table.header_rows, table.rows.tolist()) == ((2, 4), [5, 6])
    frame = read_stations(path, datum="wgs84", area=AREA).frame
    assert [set(v) for v in frame["services"]] == [{"water", "first_aid"}, {"microwave"}]


def cast(datum: str) -> list[float]:
    return [float(v[0]) for v in from_wgs84(np.array([115.81]), np.array([32.89]), datum)]


def test_m03_m16_two_pairs_of_one_heading_are_told_apart_by_their_group(tmp_path: Path) -> None:
    rows = [
        ["名称", "高德坐标", None, "百度坐标", None],
        [None, "经度", "纬度", "经度", "纬度"],
        ["甲驿站", *cast("gcj02"), *cast("bd09")],
    ]
    (table,) = read_table(book(tmp_path / "a.xlsx", {"S": rows}, merged={"S": ["A1:A2", "B1:C1", "D1:E1"]}))
    assert list(table.frame.columns) == [
        "名称",
        "高德坐标·经度",
        "高德坐标·纬度",
        "百度坐标·经度",
        "百度坐标·纬度",
    ]
    path = tmp_path / "a.xlsx"
    read = {datum: read_stations(path, datum=datum, area=AREA) for datum in ("gcj02", "bd09")}
    for listed in read.values():
        assert not [e for e in listed.audit if "declared datum" in e.reason_en]
        assert listed.frame[["lon", "lat"]].iloc[0].tolist() == pytest.approx([115.81, 32.89], abs=1e-7)


def test_m05_merged_cells_are_filled_inside_their_range_only(tmp_path: Path) -> None:
    rows = [["所属街道", "名称", "经度", "纬度"]]
    rows += [["鼓楼街道" if k == 0 else None, f"站{k}", 115.81 + k / 100, 32.89] for k in range(8)]
    path = book(tmp_path / "a.xlsx", {"S": rows}, merged={"S": ["A2:A7"]})
    for made in (
        path,
        as_xls(tmp_path / "b.xls", rows, merged=(1, 6, 0, 0)),
        as_html(tmp_path / "c.xls", rows, down=6),
    ):
        (table,) = read_table(made)
        assert list(table.frame["所属街道"]) == ["鼓楼街道"] * 6 + [None, None], made


# --- M04, groups, sheets


def test_m04_totals_and_notes_are_skipped_and_told(tmp_path: Path) -> None:
    tails = [
        "合计",
        "合  计",
        "总计 86 个",
        "共 86 个",
        "填报人：张三",
        "注：仅含运行中的",
        "备注：无",
        "数据来源：区总工会",
        "审核人：李四",
    ]
    body = [["甲驿站", "115.8101", "32.8901", "3"], ["共青团驿站", "115.8201", "32.8901", "4"],
            ["审批局驿站", "115.8301", "32.8901"], ["总数据中心驿站", "115.8401", "32.8901"]]  # fmt: skip
    totals = [["小计", "2", "2", "7"], ["合计：", "2", "2", "7"]]
    rows = [["名称", "经度", "纬度", "座位"], *body, *totals, *([tail] for tail in tails)]
    (tmp_path / "a.csv").write_text(csv_text(rows), encoding="utf-8")
    (table,) = read_table(tmp_path / "a.csv")
    assert list(table.frame["名称"]) == [row[0] for row in body]
    assert [row for row, _text, _why in table.skipped] == list(range(6, 6 + len(totals) + len(tails)))


def test_group_rows_give_the_street(tmp_path: Path) -> None:
    text = "名称,经度,纬度\n一、鼓楼街道（2个）,,\n甲,115.81,32.89\n乙,115.82,32.89\n二、王店镇,,\n丙,115.83,32.89\n"
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    listed = read_stations(tmp_path / "a.csv", datum="wgs84", area=AREA)
    assert listed.frame["street"].tolist() == ["鼓楼街道", "鼓楼街道", "王店镇"]
    assert [e.row for e in listed.audit if e.action == "skipped"] == [2, 5]


def test_one_sheet_a_street(tmp_path: Path) -> None:
    head = ["名称", "经度", "纬度"]
    sheets = {
        "鼓楼街道": [head, ["甲", 115.81, 32.89]],
        "王店镇（1个）": [head, ["乙", 115.82, 32.89]],
        "Sheet3": [head, ["丙", 115.83, 32.89]],
        "清河街道": [[*head, "所属街道"], ["丁", 115.84, 32.89, "文峰街道"]],
        "说明": [["由区总工会填报"]],
    }
    listed = read_stations(book(tmp_path / "a.xlsx", sheets), datum="wgs84", area=AREA)
    assert listed.frame["street"].tolist() == ["鼓楼街道", "王店镇", "", "文峰街道"]
    assert listed.frame["row"].tolist() == [2] * 4
    assert sum("工作表名" in e.reason_zh for e in listed.audit) == 2


def test_hidden_rows_count_and_hidden_sheets_are_told(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    page = made.active
    for row in ROWS:
        page.append(row)
    page.row_dimensions[3].hidden = True
    old = made.create_sheet("旧表")
    for row in ROWS:
        old.append(row)
    old.sheet_state = "hidden"
    made.save(tmp_path / "a.xlsx")
    (table,) = read_table(tmp_path / "a.xlsx")
    assert [(row, text) for row, text, _why in table.notes] == [(None, "旧表"), (3, "乙驿站")]
    assert records(read_table(tmp_path / "a.xlsx", sheet="旧表")[0]) == KEPT
    assert "旧表" in refused(tmp_path / "a.xlsx", sheet="新表")
    told = [
        e for e in read_stations(tmp_path / "a.xlsx", datum="wgs84").audit if "隐藏的工作表" in e.reason_zh
    ]
    assert [e.row for e in told] == [None]
    page.sheet_state, old.sheet_state = "visible", "veryHidden"
    made.save(tmp_path / "b.xlsx")
    assert len(read_table(tmp_path / "b.xlsx")) == 1


# --- M27: what Excel ate


def test_m27_phones_and_codes_that_became_numbers(tmp_path: Path) -> None:
    rows = [
        ["编号", "名称", "经度", "纬度", "联系电话"],
        [341202000001.0, "甲", 115.8101, 32.8901, 13956000000.0],
        ["3.41202E+11", "乙", 115.8201, 32.8901, "13956000000.0"],
        [3.41202001001011e17, "丙", 115.8301, 32.8901, "5.58226E+10"],
    ]
    (tmp_path / "a.csv").write_text(csv_text(rows), encoding="utf-8")
    for path in (
        book(tmp_path / "a.xlsx", {"S": rows}),
        as_xls(tmp_path / "a.xls", rows),
        tmp_path / "a.csv",
    ):
        (table,) = read_table(path)
        assert table.frame["编号"].iloc[0] in {"341202000001", "341202000001.0"}, path
        assert list(table.frame["联系电话"])[:2] == ["13956000000"] * 2, path
        listed = read_stations(path, datum="wgs84", area=AREA)
        # a code of which Excel kept six digits is no code: the list is numbered, the audit shows what was there
        assert listed.frame["station_id"].tolist() == ["S001", "S002", "S003"], path
        assert listed.frame["phone"].tolist() == ["139****0000", "139****0000", ""], path
        lost = [e for e in listed.audit if "科学计数" in e.reason_zh]
        assert next((e.row, e.name) for e in lost) == (3, "3.41202E+11"), path
        assert {e.row for e in lost} == {3, 4}, path


# --- what an .xls really is


def as_xls(
    path: Path, rows: list[list[Any]], *, merged: tuple[int, int, int, int] | None = None, hide: int = -1
) -> Path:
    made = xlwt.Workbook()
    page = made.add_sheet("S")
    inside = set()
    if merged:
        r0, r1, c0, c1 = merged
        page.write_merge(r0, r1, c0, c1, rows[r0][c0])
        inside = {(r, c) for r in range(r0, r1 + 1) for c in range(c0, c1 + 1)}
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            if value is not None and (r, c) not in inside:
                page.write(r, c, value)
    if hide >= 0:
        page.row(hide).hidden = True
    made.save(str(path))
    return path


def as_html(path: Path, rows: list[list[Any]], *, down: int = 1, encoding: str = "gb18030") -> Path:
    lines = []
    for r, row in enumerate(rows):
        cells = [
            f"<td{f' rowspan={down}' if down > 1 and (r, c) == (1, 0) else ''}>{'' if v is None else v}</td>"
            for c, v in enumerate(row)
            if not (1 < r <= down and c == 0)
        ]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    text = f'<html><head><meta charset="gb2312"></head><body><table border=1>{"".join(lines)}</table></body></html>'
    path.write_bytes(text.encode(encoding))
    return path


def as_xml(path: Path, rows: list[list[Any]]) -> Path:
    lines = "".join(
        "<Row>"
        + "".join(f'<Cell><Data ss:Type="String">{"" if v is None else v}</Data></Cell>' for v in row)
        + "</Row>"
        for row in rows
    )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><?mso-application progid="Excel.Sheet"?>'
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        f'<Worksheet ss:Name="S"><Table>{lines}</Table></Worksheet></Workbook>'
    )
    path.write_text(text, encoding="utf-8")
    return path


def test_an_xls_is_read_as_what_it_is(tmp_path: Path) -> None:
    real = as_xls(tmp_path / "real.xls", ROWS, hide=2)
    page = as_html(tmp_path / "page.xls", ROWS)
    utf8 = as_html(tmp_path / "utf8.xls", ROWS, encoding="utf-8")
    xml = as_xml(tmp_path / "xml.xls", ROWS)
    text = tmp_path / "text.xls"
    text.write_bytes(csv_text(ROWS).replace(",", "\t").encode("gb18030"))
    new = book(tmp_path / "new.xlsx", {"S": ROWS}).rename(tmp_path / "new.xls")
    named = as_xls(tmp_path / "named.xlsx", ROWS)
    for path in (real, page, utf8, xml, text, new, named):
        (table,) = read_table(path)
        assert records(table) == KEPT, path
        assert table.rows.tolist() == [2, 3], path
    assert [row for row, _text, _why in read_table(real)[0].notes] == [3]
    assert (read_table(page)[0].encoding, read_table(utf8)[0].encoding) == ("gb18030", "utf-8-sig")


def test_an_html_table_within_a_page(tmp_path: Path) -> None:
    rows = "<tr><th>名称<th>位置<th>经度<th>纬度</tr><tr hidden><td>甲&amp;乙<td>某路<br>1号<td>115.81<td> 32.89&nbsp;</tr>"
    text = f"<p>页<table><tr><td>标题</table><table><tr><td><table>{rows}</table></table>"
    (tmp_path / "a.xls").write_text(text, encoding="utf-8")
    (table,) = read_table(tmp_path / "a.xls")
    assert records(table) == [{"名称": "甲&乙", "位置": "某路\n1号", "经度": "115.81", "纬度": "32.89"}]
    assert [row for row, _text, _why in table.notes] == [2]
    (tmp_path / "b.xls").write_text("<html><body><p>无</body></html>", encoding="utf-8")
    assert "没有表格" in refused(tmp_path / "b.xls")
    (tmp_path / "c.xls").write_text("MIME-Version: 1.0\nContent-Type: multipart/related\n", encoding="utf-8")
    assert "mht" in refused(tmp_path / "c.xls")


def test_dates_times_and_flags_of_old_workbooks(tmp_path: Path) -> None:
    import datetime as dt

    made = xlwt.Workbook()
    page = made.add_sheet("S")
    for c, (heading, value, style) in enumerate((
        ("名称", "甲", None), ("经度", 115.81, None), ("纬度", 32.89, None),
        ("开放时间", dt.date(2025, 8, 18), "yyyy-mm-dd"), ("时刻", dt.time(8, 30), "hh:mm"), ("饮水", True, None),
    )):  # fmt: skip
        page.write(0, c, heading)
        page.write(1, c, value, xlwt.easyxf(num_format_str=style) if style else xlwt.XFStyle())
    made.save(str(tmp_path / "a.xls"))
    (row,) = records(read_table(tmp_path / "a.xls")[0])
    assert (row["开放时间"], row["时刻"], row["饮水"]) == ("2025-08-18", "08:30:00", "True")
    listed = read_stations(tmp_path / "a.xls", datum="wgs84", area=AREA)
    assert listed.frame["hours"].tolist() == [None]
    assert any("Excel" in e.reason_zh for e in listed.audit)


# --- layers


def layer(names: list[str], *, crs: str | None = "EPSG:4326", east: float = 0.0) -> gpd.GeoDataFrame:
    points = [shapely.Point(115.81 + east + k / 100, 32.89) for k in range(len(names))]
    frame = gpd.GeoDataFrame(
        {"名称": names, "街道": ["鼓楼街道"] * len(names)}, geometry=points, crs="EPSG:4326"
    )
    return (
        frame
        if crs == "EPSG:4326"
        else frame.set_crs(crs, allow_override=True)
        if crs
        else frame.set_crs(None, allow_override=True)
    )


def as_shapefile(
    folder: Path, stem: str, frame: gpd.GeoDataFrame, encoding: str, *, cpg: bool = False
) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{stem}.shp"
    frame.to_file(path, encoding=encoding)
    if not cpg:
        path.with_suffix(".cpg").unlink(missing_ok=True)
    return path


@pytest.mark.parametrize(
    ("encoding", "told"), [("GBK", "gb18030"), ("UTF-8", "utf-8"), ("GB18030", "gb18030")]
)
def test_a_shapefile_without_cpg_tells_its_encoding_by_its_texts(
    tmp_path: Path, encoding: str, told: str
) -> None:
    path = as_shapefile(tmp_path / "x", "驿站", layer(["颍州堃驿站", "乙"]), encoding)
    (table,) = read_table(path)
    assert table.encoding == told
    assert list(table.frame["名称"]) == ["颍州堃驿站", "乙"]
    frame = read_stations(path, datum="wgs84", area=AREA).frame
    assert frame["street"].tolist() == ["鼓楼街道"] * 2
    assert list(read_vector(path)["名称"]) == ["颍州堃驿站", "乙"]


def test_a_cpg_that_is_wrong_is_not_believed(tmp_path: Path) -> None:
    path = as_shapefile(tmp_path / "x", "a", layer(["颍州堃驿站"]), "GBK")
    for said in ("UTF-8", "ANSI 936 什么"):
        path.with_suffix(".cpg").write_text(said, encoding="utf-8")
        assert list(read_table(path)[0].frame["名称"]) == ["颍州堃驿站"]
    path.with_suffix(".cpg").write_text("GBK", encoding="utf-8")
    assert read_table(path)[0].encoding == "gbk"


def test_a_character_cut_by_the_width_of_a_field(tmp_path: Path) -> None:
    path = as_shapefile(tmp_path / "x", "a", layer(["驿" * 30]), "UTF-8")
    dbf = bytearray(path.with_suffix(".dbf").read_bytes())
    at = dbf.index("驿".encode() * 30)
    dbf[at + 88 : at + 90] = b"  "  # the width of the field ends inside the last character
    path.with_suffix(".dbf").write_bytes(dbf)
    assert list(read_table(path)[0].frame["名称"]) == ["驿" * 29]


def test_a_shapefile_without_prj_is_in_the_declared_datum(tmp_path: Path) -> None:
    frame = layer(["甲"]).to_crs("EPSG:4548")
    path = as_shapefile(tmp_path / "x", "a", frame, "GBK")
    path.with_suffix(".prj").unlink()
    row = read_stations(path, datum="EPSG:4548", area=AREA).frame.iloc[0]
    assert (row["lon"], row["lat"]) == pytest.approx((115.81, 32.89), abs=1e-7)
    with pytest.raises(InputError, match="no CRS"):
        read_vector(path)
    path.with_suffix(".dbf").unlink()
    assert ".dbf" in refused(path)


def test_a_zipped_shapefile_with_chinese_names(tmp_path: Path) -> None:
    as_shapefile(tmp_path / "x", "驿站", layer(["甲"]), "GBK")
    as_shapefile(tmp_path / "x", "b", layer(["乙"], east=0.05), "UTF-8")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        for file in sorted((tmp_path / "x").iterdir()):
            packed.writestr(f"@@@@/{file.name.replace('驿站', '@@@@')}", file.read_bytes())
    # as Windows packs it: names in GBK, without a flag that says so
    packed_bytes = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(packed_bytes.replace(b"@@@@", "驿站".encode("gbk")))
    tables = read_table(tmp_path / "a.zip")
    assert {(t.sheet, t.frame["名称"].iloc[0], t.encoding) for t in tables} == {
        ("驿站", "甲", "gb18030"),
        ("b", "乙", "utf-8"),
    }
    assert len(read_stations(tmp_path / "a.zip", datum="wgs84", area=AREA).frame) == 2
    (one,) = read_table(tmp_path / "a.zip", sheet="b")
    assert list(one.frame["名称"]) == ["乙"]
    assert "驿站" in refused(tmp_path / "a.zip", sheet="c")


def test_a_geopackage_of_several_layers(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    layer(["甲"]).to_file(path, layer="驿站")
    layer(["乙"], east=0.05).to_crs("EPSG:4548").to_file(path, layer="新站")
    tables = read_table(path)
    assert [(t.sheet, t.crs) for t in tables] == [("驿站", "EPSG:4326"), ("新站", "EPSG:4326")]
    frame = read_stations(path, datum="wgs84", area=AREA).frame
    assert frame["lon"].tolist() == pytest.approx([115.81, 115.86], abs=1e-8)
    assert len(read_stations(path, datum="wgs84", sheet="新站", area=AREA).frame) == 1
    assert "驿站、新站" in refused(path, sheet="旧站")
    with pytest.raises(InputError, match="several layers"):
        read_vector(path)
    district = gpd.GeoDataFrame({"名称": ["区"]}, geometry=[AREA], crs="EPSG:4326")
    district.to_file(path, layer="区界")
    assert list(read_vector(path)["名称"]) == ["区"]


def test_lists_and_flags_in_a_geojson(tmp_path: Path) -> None:
    text = (
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"甲","services":["饮水","休息"],'
        '"toilet":true},"geometry":{"type":"Point","coordinates":[115.81,32.89]}}]}'
    )
    (tmp_path / "a.geojson").write_text(text, encoding="utf-8")
    listed = read_stations(tmp_path / "a.geojson", datum="wgs84", area=AREA)
    assert listed.frame["services"].iloc[0] == {"water", "rest", "toilet"}
    (tmp_path / "b.geojson").write_text("[" * 100_000, encoding="utf-8")
    assert "b.geojson" in refused(tmp_path / "b.geojson")


# --- what is refused, at once and without filling the memory


def refused_lightly(path: Path) -> str:
    tracemalloc.start()
    try:
        told = refused(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 * 2**20
    return told


def test_a_csv_of_a_gigabyte_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.write("名称,经度,纬度\n".encode())
        file.truncate(2**30)
    told = refused_lightly(path)
    assert "1,024 MB" in told
    assert f"{MAX_TABLE_BYTES // 2**20} MB" in told


def bomb(path: Path, members: dict[str, bytes], *, zeros: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
        if zeros:
            with packed.open("xl/worksheets/sheet1.xml", "w") as out:
                for _k in range(zeros):
                    out.write(bytes(2**20))
    return path


BOOK_XML = (
    b'<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    b'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
    b'<sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
)


def test_an_xlsx_bomb_is_refused(tmp_path: Path) -> None:
    path = bomb(tmp_path / "a.xlsx", {"xl/workbook.xml": BOOK_XML}, zeros=MAX_UNPACKED_BYTES // 2**20 + 1)
    assert path.stat().st_size < 2**20
    assert "压缩比" in refused_lightly(path)
    small = bomb(tmp_path / "b.xlsx", {"xl/workbook.xml": BOOK_XML}, zeros=20)
    assert "压缩比" in refused_lightly(small)


def test_a_bomb_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = bomb(tmp_path / "a.xlsx", {"xl/workbook.xml": BOOK_XML}, zeros=600)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 1000)  # the directory now says 1000 bytes
    path.write_bytes(data)
    assert "损坏" in refused_lightly(path)


def test_a_cell_in_the_last_corner_asks_for_no_memory(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.active["A1"] = "名称"
    made.active["XFD1048576"] = "x"
    made.save(tmp_path / "a.xlsx")
    assert "16,384" in refused_lightly(tmp_path / "a.xlsx")


@pytest.mark.parametrize("name", ["../a.shp", "/etc/a.shp", "x/../../a.shp", "..\\a.shp", "C:\\a.shp"])
def test_a_zip_that_leads_out_of_itself_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = bomb(folder / "a.zip", {name: b"x", "b.shp": b"x", "b.dbf": b"x", "b.shx": b"x"})
    assert "压缩包之外" in refused_lightly(path)
    assert [p.name for p in tmp_path.rglob("*")] == ["in", "a.zip"]


def test_names_that_come_twice_and_too_many_files(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(tmp_path / "a.xlsx", "w") as packed:
        packed.writestr("xl/workbook.xml", BOOK_XML)
        packed.writestr("xl/workbook.xml", BOOK_XML)
    assert "重名" in refused_lightly(tmp_path / "a.xlsx")
    many = bomb(tmp_path / "b.zip", {f"{k}.txt": b"" for k in range(5001)})
    assert "5,001" in refused_lightly(many)


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    + "]>"
)


def test_xml_entities_are_refused_everywhere(tmp_path: Path) -> None:
    good = io.BytesIO()
    made = openpyxl.Workbook()
    for row in ROWS:
        made.active.append(row)
    made.save(good)
    for part in (
        "xl/workbook.xml",
        "xl/worksheets/sheet1.xml",
        "xl/sharedStrings.xml",
        "xl/_rels/workbook.xml.rels",
    ):
        with zipfile.ZipFile(good) as source:
            members = {name: source.read(name) for name in source.namelist()}
        members.setdefault("xl/sharedStrings.xml", b"<?xml version='1.0'?><sst><si><t>x</t></si></sst>")
        body = members[part].decode().split("?>", 1)[-1].replace("甲驿站", "&j;")
        members[part] = (LAUGHS + body).encode()
        assert "a.xlsx" in refused_lightly(bomb(tmp_path / "a.xlsx", members)), part
    text = as_xml(tmp_path / "b.xls", ROWS).read_text(encoding="utf-8")
    (tmp_path / "b.xls").write_text(
        LAUGHS + text.split("?>", 1)[1].replace("甲驿站", "&j;"), encoding="utf-8"
    )
    assert "实体" in refused_lightly(tmp_path / "b.xls")


def test_spans_without_end_ask_for_no_memory(tmp_path: Path) -> None:
    wide = "<table>" + "<tr><td colspan=999999999>a</td></tr>" * 30_000 + "</table>"
    (tmp_path / "a.xls").write_text(wide, encoding="utf-8")
    assert "过大" in refused(tmp_path / "a.xls")
    tall = "<table><tr><td rowspan=999999999>名称</td><td>x</td></tr><tr><td>y</td></tr></table>"
    (tmp_path / "b.xls").write_text(tall, encoding="utf-8")
    assert len(read_table(tmp_path / "b.xls")) == 1


def test_protected_and_foreign_workbooks_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")
    )
    assert "密码" in refused(tmp_path / "a.xlsx")
    assert ".xlsx" in refused(bomb(tmp_path / "a.zip", {"list.csv": b"x"}))
    assert "WPS" in refused(bomb(tmp_path / "a.xlsx", {"content.xml": b"x"}))


# --- whatever the cells, no row is lost


CELLS = st.sampled_from(
    [None, "", " ", "名称", "经度", "纬度", "坐标", "饮水", "√", "合计", "注：无", "鼓楼街道", "一、王店镇", "甲驿站", 115.81, 32.89, True,
     "13956000000.0", "3.41202E+11", "name", "x", 0, 1e300, float("inf"), float("nan"), "\u3000", "经度 ( 高德 )"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.lists(CELLS, max_size=7), min_size=1, max_size=20),
    st.lists(st.tuples(*[st.integers(0, 21), st.integers(0, 8)] * 2), max_size=4),
    st.sampled_from(["", "鼓楼街道", "Sheet1"]),
)
def test_every_filled_row_is_data_or_told_or_header(
    rows: list[list[Any]], merged: list[tuple[int, int, int, int]], sheet: str
) -> None:
    spans = tuple((min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in merged)
    listed = [(k, list(row)) for k, row in enumerate(rows, 1)]
    try:
        table = make_table(Grid(listed, "a.xlsx", sheet, merged=spans))
    except InputError:
        assert all(text_of(v) is None for row in rows for v in row)
        return
    full = {
        k for k, row in listed if any(text_of(v) is not None for v in row)
    }  # merged cells are filled by now
    first, last = table.header_rows
    body = {int(r) for r in table.rows}
    told = {row for row, _text, _why in table.skipped}
    assert not body & told
    assert body | told == {k for k in full if k > last}
    assert first in full
    assert len(table.frame) == len(table.rows)
    assert len(set(table.frame.columns)) == len(table.frame.columns)
    assert len(table.headings) == len(table.frame.columns)
    for k in full:
        if k < first:
            assert all(str(text_of(v)) in table.title for v in listed[k - 1][1] if text_of(v) is not None)


# --- damaged files: an error that says what to do, never a traceback


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("sound")
    return [
        book(folder / "a.xlsx", {"S": ROWS}, merged={"S": ["A2:A3"]}),
        as_xls(folder / "a.xls", ROWS, merged=(1, 2, 0, 0)),
        as_html(folder / "b.xls", ROWS),
        as_xml(folder / "c.xls", ROWS),
        as_shapefile(folder, "d", layer(["甲"]), "GBK").with_suffix(".dbf"),
    ]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_files_are_read_or_refused(sound: list[Path], data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sound))
    whole = path.read_bytes()
    cut = bytearray(whole[: data.draw(st.integers(1, len(whole)))] if data.draw(st.booleans()) else whole)
    for _k in range(data.draw(st.integers(0, 12))):
        cut[data.draw(st.integers(0, len(cut) - 1))] = data.draw(st.integers(0, 255))
    damaged = path.parent / f"damaged{path.suffix}"
    damaged.write_bytes(bytes(cut))
    if path.suffix == ".dbf":
        for suffix in (".shp", ".shx", ".prj"):
            damaged.with_suffix(suffix).write_bytes(path.with_suffix(suffix).read_bytes())
        damaged = damaged.with_suffix(".shp")
    try:
        tables = read_table(damaged)
    except InputError as error:
        assert all("/ " in d.message for d in error.defects)
    else:
        assert tables
