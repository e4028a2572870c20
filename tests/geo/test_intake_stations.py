"""Station lists as people keep them: the messy cases M01-M30, counts, merging, the real Wuhan list."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from geo.intake.columns import map_columns
from geo.intake.datum import from_wgs84
from geo.intake.positions import number, pair
from geo.intake.stations import StationList, merge_stations, read_stations
from geo.intake.tables import read_table

AREA = shapely.box(115.70, 32.80, 115.90, 32.95)
HEAD = "名称,经度,纬度"


def write(tmp_path: Path, text: str, *, encoding: str = "utf-8", name: str = "list.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def read(tmp_path: Path, text: str, **options: Any) -> StationList:
    return read_stations(write(tmp_path, text), **({"datum": "wgs84", "area": AREA} | options))


def only(listed: StationList) -> dict[str, Any]:
    assert len(listed.frame) == 1, listed.audit
    return listed.frame.iloc[0].to_dict()


def balanced(listed: StationList) -> bool:
    counts = listed.counts
    unmapped = sum(e.action == "unmapped" for e in listed.audit)
    rejected = sum(e.action == "rejected" for e in listed.audit)
    merged = sum(e.action == "merged" for e in listed.audit)
    return (
        counts["listed"] == counts["mapped"] + unmapped
        and counts["mapped"] == counts["used"] + counts["merged"] + counts["rejected"]
        and (counts["rejected"], counts["merged"], counts["used"]) == (rejected, merged, len(listed.frame))
    )


# --- files (M01-M05)


def test_m01_m02_encodings_are_found_and_told(tmp_path: Path) -> None:
    text = f"{HEAD}\n潁州䶮驿站,115.81,32.89\n"
    for encoding, told in (
        ("gb18030", "gb18030"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-8", "utf-8-sig"),
        ("utf-16", "utf-16"),
    ):
        table = read_table(write(tmp_path, text, encoding=encoding))[0]
        assert table.encoding == told
        assert list(table.frame.columns) == ["名称", "经度", "纬度"]
        assert table.frame.iloc[0, 0] == "潁州䶮驿站"
    for separator in ";\t":
        table = read_table(write(tmp_path, "颍州区驿站一览\n" + text.replace(",", separator)))[0]
        assert table.frame.shape == (1, 3)
        assert table.rows.tolist() == [3]


def test_m03_m04_m05_a_workbook_as_offices_keep_it(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    page.title = "鼓楼"
    for row in (
        ["颍州区户外劳动者服务站点一览表（共4个）"],
        ["序号", "所属街道", "站点名称", "位置", None, "开放时间", "联系电话"],
        [None, None, None, "经度", "纬度", None, None],
        [1, "鼓楼街道", "甲驿站", 115.8101, 32.8901, "8:00-18:00", 13956000000.0],
        [2, None, "乙驿站", 115.8201, 32.8901, dt.datetime(2025, 8, 18), "0558-2260000"],  # noqa: DTZ001
        [3, None, "丙驿站", 115.8301, 32.8901, dt.time(8, 0), None],
        [4, None, "丁驿站", 115.8401, 32.8901, "24小时", None],
        [5, None, "戊驿站", 115.8501, 32.8901, None, None],
        ["合计", None, "5 个"],
        ["填报人：张三 13956000000"],
    ):
        page.append(row)
    for merged in ("A1:G1", "A2:A3", "B2:B3", "C2:C3", "D2:E2", "F2:F3", "G2:G3", "B4:B6"):
        page.merge_cells(merged)
    page.row_dimensions[7].hidden = True
    book.create_sheet("说明").append(["本表由区总工会填报"])
    path = tmp_path / "list.xlsx"
    book.save(path)

    table = read_table(path)[0]
    assert [c for c in table.frame.columns if not c.startswith("column")] == [
        "序号", "所属街道", "站点名称", "经度", "纬度", "开放时间", "联系电话",
    ]  # fmt: skip
    assert table.rows.tolist() == [4, 5, 6, 7, 8]
    assert [row for row, _text, _why in table.skipped] == [9, 10]
    listed = read_stations(path, datum="wgs84", area=AREA)
    frame = listed.frame
    # filled down inside the merged range only
    assert frame["street"].tolist() == ["鼓楼街道"] * 3 + ["", ""]
    assert frame["hours"].tolist() == ["08:00-18:00", None, None, "24/7", None]
    assert frame["phone"].tolist()[:2] == ["139****0000", "0558-2260000"]
    told = " ".join(e.reason_zh for e in listed.audit)
    assert "Excel" in told
    assert "隐藏" in told
    assert "标题写 4 个，表中 5 行" in told
    assert any(e.sheet == "说明" for e in listed.audit)
    assert balanced(listed)
    assert "13956000000" not in repr(listed)


def test_two_header_rows_without_merging(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "名称,位置,,开放时间\n,经度,纬度,\n甲,115.81,32.89,24小时\n"))[0]
    assert list(table.frame.columns) == ["名称", "经度", "纬度", "开放时间"]
    assert table.rows.tolist() == [3]


def test_row_numbers_are_those_of_the_file(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, f'{HEAD}\n\n"甲\n驿站",115.81,32.89\n乙,115.82,32.89\n'))[0]
    # a cell with a line break is one row, as in Excel
    assert table.rows.tolist() == [3, 4]


@pytest.mark.parametrize("name", ["no.xlsx", "no.csv", "no.geojson"])
def test_a_missing_file_is_an_input_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.xlsx", b"<html><table></table></html>"), ("a.csv", b"\xff\x00\xff\xff\x81"), ("a.csv", b""), ("a.xls", b"x"),
        ("a.geojson", b'{"type": "FeatureCollection",\n "features": [,]}'), ("a.gpkg", b"nothing"),
    ],
)  # fmt: skip
def test_unreadable_files_are_input_errors(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_table(tmp_path / name)
    if name.endswith("geojson"):
        assert caught.value.defects[0].row == 2
        assert "line 2, column" in str(caught.value)


def test_broken_boundary_is_refused_with_line_and_column(shared_data: Path) -> None:
    with pytest.raises(InputError, match=r"line \d+, column \d+"):
        read_table(shared_data / "wuhan" / "boundary_broken.geojson")


# --- positions (M06-M16)


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        ("32.8900", "115.8100"), ("１１５．８１００", "３２．８９"), ("115°48′36″", "32°53′24″"), ("东经115°48′36″", "北纬32度53分24秒"),
        ("E115°48'36.0\"", "N32°53'24.0\""), ("115-48-36", "32-53-24"), ("115810000", "32890000"), ("115.81°", "32.89°"),
    ],
)  # fmt: skip
def test_m06_m08_m09_m13_ways_to_type_one_place(tmp_path: Path, lon: str, lat: str) -> None:
    row = only(read(tmp_path, f"{HEAD}\n甲,{_quoted(lon)},{_quoted(lat)}\n"))
    assert (row["lon"], row["lat"]) == pytest.approx((115.81, 32.89), abs=1e-9)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@pytest.mark.parametrize(
    "cell",
    [
        "115.8100,32.8900", "32.8900，115.8100", "(115.81;32.89)", "POINT(115.81 32.89)", "东经115.81 北纬32.89",
        "东经115°48′36″，北纬32°53′24″", "115°48'36\"E 32°53'24\"N", "lng:115.81,lat:32.89",
    ],
)  # fmt: skip
def test_m07_one_cell(tmp_path: Path, cell: str) -> None:
    row = only(read(tmp_path, f"名称,坐标\n甲,{_quoted(cell)}\n"))
    assert (row["lon"], row["lat"]) == pytest.approx((115.81, 32.89), abs=1e-9)


def test_m10_a_range_is_no_point(tmp_path: Path) -> None:
    listed = read(tmp_path, '名称,坐标\n甲,"东经115°46′12″-115°47′05″,北纬32°53′48″-32°54′30″"\n')
    assert listed.frame.empty
    assert "范围" in listed.audit[0].reason_zh
    assert balanced(listed)


def test_m11_dms_typed_as_a_decimal_is_refused_with_the_hint(tmp_path: Path) -> None:
    listed = read(tmp_path, f"{HEAD}\n甲,115.4612,32.8900\n")
    assert listed.counts["rejected"] == 1
    assert "115°46′12″" in listed.audit[-1].reason_zh
    assert balanced(listed)


@pytest.mark.parametrize(
    ("datum", "x", "y"),
    [
        ("EPSG:4548", "3641176.641", "388649.570"), ("EPSG:4548", "388649.570", "3641176.641"),
        ("EPSG:4527", "3641176.641", "39388649.570"), ("EPSG:4527", "39388649.570", "3641176.641"),
        ("EPSG:4490", "115.81", "32.89"), ("cgcs2000", "115.81", "32.89"),
        ("gcj02", "115.81538130", "32.88800897"), ("bd09", "115.82182077", "32.89425192"),
    ],
)  # fmt: skip
def test_m12_every_datum_gives_the_same_place(tmp_path: Path, datum: str, x: str, y: str) -> None:
    row = only(read(tmp_path, f"名称,X,Y\n甲,{x},{y}\n", datum=datum))
    assert (row["lon"], row["lat"]) == pytest.approx((115.81, 32.89), abs=2e-8)


def test_the_wrong_zone_is_hinted(tmp_path: Path) -> None:
    listed = read(tmp_path, f"{HEAD}\n甲,388649.570,3641176.641\n", datum="EPSG:4547")
    assert "EPSG:4548" in listed.audit[-1].reason_en


def test_projected_numbers_need_their_epsg(tmp_path: Path) -> None:
    listed = read(tmp_path, f"{HEAD}\n甲,388649.570,3641176.641\n", datum="gcj02")
    assert listed.frame.empty
    assert "EPSG" in listed.audit[-1].reason_zh
    assert balanced(listed)


def test_m14_precision_is_told_and_coarse_points_are_refused(tmp_path: Path) -> None:
    listed = read(
        tmp_path, f"{HEAD}\n甲,115.8,32.9\n乙,115.812,32.891\n丙,115.81234,32.89123\n丁,115.81,32.88\n"
    )
    assert listed.frame["name"].tolist() == ["乙", "丙", "丁"]
    assert listed.frame["precision_m"].round(1).tolist() == [55.6, 0.6, 556.0]
    assert any("精度" in e.reason_zh and e.name == "丁" for e in listed.audit)
    assert balanced(listed)


@pytest.mark.parametrize("lon", ["0", "", "空", "暂无", "待定", "/", "—", "#N/A", "　"])
def test_m15_no_coordinates_stay_in_the_audit(tmp_path: Path, lon: str) -> None:
    lat = "0" if lon == "0" else lon
    listed = read(tmp_path, f"{HEAD}\n甲驿站,{lon},{lat}\n")
    assert dict(listed.counts) == {
        "listed": 1,
        "mapped": 0,
        "used": 0,
        "merged": 0,
        "rejected": 0,
        "hours_known": 0,
    }
    assert [(e.action, e.name, e.row) for e in listed.audit] == [("unmapped", "甲驿站", 2)]


def test_m16_a_datum_named_in_the_file_is_compared(tmp_path: Path) -> None:
    text = "名称,经度（高德）,纬度（高德）\n甲,115.8123,32.8912\n"
    assert not read(tmp_path, text, datum="gcj02").audit
    assert "gcj02" in read(tmp_path, text, datum="bd09").audit[0].reason_zh
    # the heading may be given as typed
    row = only(read(tmp_path, text, columns={"lon": "经度（高德）"}))
    assert row["lon"] == pytest.approx(115.8123)


def test_positions_that_are_none() -> None:
    assert number("115°61′12″") is None
    assert number(None) is None
    assert pair("115.81,32.89,12") is None
    assert pair("GCJ-02") is None


@given(lon=st.floats(73.5, 135.0), lat=st.floats(18.0, 53.0))
def test_dms_round_trip(lon: float, lat: float) -> None:
    def dms(value: float) -> str:
        seconds = round(value * 3600, 3)
        return f"{int(seconds // 3600)}°{int(seconds % 3600 // 60)}′{seconds % 60:.3f}″".replace(
            "60.000", "59.999"
        )

    both = pair(f"东经{dms(lon)}，北纬{dms(lat)}")
    assert both is not None
    assert both == pytest.approx((lon, lat), abs=4e-7)


# --- what a row says


def test_status_words_are_rejected_with_the_reason(tmp_path: Path) -> None:
    rows = [
        f"站{i},115.8{i},32.89,{s}"
        for i, s in enumerate(["建设中", "拟建", "暂停", "已撤销", "正常", "", "已恢复（曾暂停）"])
    ]
    listed = read(tmp_path, "名称,经度,纬度,状态\n" + "\n".join(rows) + "\n新站（建设中）,115.88,32.89,\n")
    assert listed.frame["name"].tolist() == ["站4", "站5", "站6"]
    assert listed.counts["rejected"] == 5
    assert balanced(listed)


def test_out_of_area_by_metres(tmp_path: Path) -> None:
    # 1 degree of longitude is 93.4 km here
    listed = read(
        tmp_path, f"{HEAD}\n近,115.9520,32.89\n远,115.9550,32.89\n北,115.81,32.9940\n更北,115.81,32.9960\n"
    )
    assert listed.frame["name"].tolist() == ["近", "北"]
    assert read(tmp_path, f"{HEAD}\n远,116.95,32.89\n", area=None).counts["used"] == 1


def test_columns_by_name_pinyin_and_english(tmp_path: Path) -> None:
    for head in (
        "MC,JD,WD,DZ",
        "name,lng,lat,address",
        "驿站名称,东经,北纬,详细地址",
        " 站点 名称 ,经度(°),纬度(°),地址*",
    ):
        row = only(read(tmp_path, f"{head}\n甲,115.8123,32.8912,某路1号\n"))
        assert (row["name"], row["address"]) == ("甲", "某路1号")
    row = only(
        read(
            tmp_path,
            "甲列,乙列,丙列\n甲,115.8123,32.8912\n",
            columns={"name": "甲列", "lon": "乙列", "lat": "丙列"},
        )
    )
    assert row["name"] == "甲"
    assert map_columns(["坐标系", "经度", "纬度"], ["lon", "lat", "lonlat"]) == {"lon": "经度", "lat": "纬度"}


def test_all_column_defects_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, "序号,地址\n1,某路\n", columns={"naem": "名称", "hours": "时间"})
    told = str(caught.value)
    for word in ("naem", "名称", "经度", "纬度", "时间"):
        assert word in told


def test_services_hours_ticks_and_ids(tmp_path: Path) -> None:
    listed = read(
        tmp_path,
        "编号,名称,经度,纬度,开放时间,服务项目,饮水,有无卫生间,充电设施,挂牌\n"
        'A1,甲,115.8101,32.89,周一至周五 8:30-11:30，13:30-17:00,"微波炉、唱歌",√,无,1,工会驿站、司机之家\n'
        "A2,乙,115.8201,32.89,随银行营业时间,,×,有,门口,\n",
    )
    first, second = (r.to_dict() for _i, r in listed.frame.iterrows())
    assert first["station_id"] == "A1"
    assert first["hours"] == "Mo-Fr 08:30-11:30,13:30-17:00"
    assert first["services"] == {"microwave", "water", "phone_charging"}
    assert first["plates"] == ("工会驿站", "司机之家")
    assert (second["services"], second["hours"]) == ({"toilet"}, None)
    told = " ".join(f"{e.reason_zh}{e.found}" for e in listed.audit)
    assert "唱歌" in told
    assert "随银行营业时间" in told
    assert "门口" in told
    assert listed.counts["hours_known"] == 1


def test_m29_no_mobile_leaves_the_list(tmp_path: Path) -> None:
    listed = read(
        tmp_path,
        "名称,经度,纬度,地址,联系电话,联系人,备注,开放时间,服务项目\n"
        "门卫老李139 5600 0000,115.81,32.89,门卫13956000000,0558-2260000/13956000000,张三13956000000,找13956000000,"
        "联系13956000000,找13956000000\n李四13956000000,暂无,13956000000,,,,,,\n合计13956000000,,,,,,,,\n",
    )
    merged = merge_stations([listed])
    text = merged.frame.to_json(force_ascii=False) + repr(merged.audit)
    assert not re.search(r"1[3-9]\d[ -]?\d{4}[ -]?\d{4}", text)
    assert "0558-2260000" in text
    assert balanced(merged)


def test_a_vector_layer_is_a_list_too(tmp_path: Path) -> None:
    import geopandas as gpd

    frame = gpd.GeoDataFrame(
        {"名称": ["甲", "乙"], "经度": ["9", "9"]},
        geometry=[shapely.Point(115.81, 32.89), None],
        crs="EPSG:4326",
    )
    frame.to_file(tmp_path / "a.geojson")
    frame.to_crs("EPSG:4548").to_file(tmp_path / "a.gpkg")
    for name, datum in (("a.geojson", "wgs84"), ("a.gpkg", "EPSG:4548"), ("a.gpkg", "wgs84")):
        listed = read_stations(tmp_path / name, datum=datum, area=AREA)
        row = only(listed)
        assert (row["lon"], row["lat"]) == pytest.approx((115.81, 32.89), abs=1e-8)
        assert balanced(listed)


# --- merging (M19)


def place(name: str, east_m: float, **more: str) -> str:
    lon = 115.81 + east_m / (111_195.0 * np.cos(np.radians(32.89)))
    cells = [name, f"{lon:.8f}", "32.89000000", more.get("hours", ""), more.get("services", "")]
    return ",".join(cells)


def test_m19_one_door_several_plates(tmp_path: Path) -> None:
    rows = [
        place("工会驿站", 0, services="饮水"),
        place("党群爱心驿站", 6, hours="24小时"),
        place("司机之家", 12, services="热饭"),
    ]
    listed = read(tmp_path, f"{HEAD},开放时间,服务项目\n" + "\n".join(rows) + "\n")
    merged = merge_stations([listed])
    row = only(merged)
    assert row["plates"] == ("工会驿站", "党群爱心驿站", "司机之家")
    assert (row["name"], row["hours"], row["services"]) == ("工会驿站", "24/7", {"water", "microwave"})
    assert dict(merged.counts) == {
        "listed": 3,
        "mapped": 3,
        "rejected": 0,
        "used": 1,
        "merged": 2,
        "hours_known": 1,
    }
    assert balanced(merged)


@pytest.mark.parametrize(
    ("one", "other", "apart_m", "joined"),
    [
        ("颍西社区驿站", "七渔河驿站", 20, False), ("第一驿站", "第二驿站", 20, False), ("文峰1号驿站", "文峰2号驿站", 20, False),
        ("七渔河驿站", "七渔河爱心驿站", 20, True), ("七渔河驿站", "七渔河驿站", 28, True), ("七渔河驿站", "七渔河驿站", 32, False),
        ("颍西社区驿站", "七渔河驿站", 14, True), ("颍西社区驿站", "七渔河驿站", 16, False),
    ],
)  # fmt: skip
def test_near_duplicates(tmp_path: Path, one: str, other: str, apart_m: float, joined: bool) -> None:
    merged = merge_stations(
        [read(tmp_path, f"{HEAD},开放时间,服务项目\n{place(one, 0)}\n{place(other, apart_m)}\n")]
    )
    assert len(merged.frame) == (1 if joined else 2)


def test_lists_of_two_issuers(tmp_path: Path) -> None:
    one = read(
        tmp_path,
        f"{HEAD},开放时间,服务项目\n{place('甲', 0)}\n{place('乙', 500)}\n",
        issuer="区总工会",
        date=dt.date(2026, 10, 31),
    )
    two = read(
        tmp_path,
        f"{HEAD},开放时间,服务项目\n{place('丙', 3)}\n{place('丁', 900, hours='24小时')}\n坏,0,0,,\n",
        issuer="社会工作部",
    )
    merged = merge_stations([one, two])
    assert merged.frame["name"].tolist() == ["甲", "乙", "丁"]
    assert merged.frame["issuer"].tolist() == ["区总工会", "区总工会", "社会工作部"]
    assert merged.frame["date"].iloc[0] == "2026-10-31"
    assert merged.frame["station_id"].tolist() == ["S001", "S002", "S003"]
    assert merged.frame["hours"].tolist() == [None, None, "24/7"]
    assert dict(merged.counts) == {
        "listed": 5,
        "mapped": 4,
        "rejected": 0,
        "used": 3,
        "merged": 1,
        "hours_known": 1,
    }
    assert balanced(merged)
    assert merge_stations([]).frame.empty


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(
    st.sampled_from(["甲驿站", "乙驿站", "", "合计", "丙139 5600 0000"]),
    st.sampled_from(["115.8101", "115.81011", "32.89", "0", "暂无", "116.9", "115.8", "115°48′36″", "x"]),
    st.sampled_from(["32.8901", "115.8101", "0", "", "32.9"]),
    st.sampled_from(["", "暂停", "正常"]),
), min_size=1, max_size=12))  # fmt: skip
def test_every_row_ends_in_the_table_or_in_the_audit(
    tmp_path: Path, rows: list[tuple[str, str, str, str]]
) -> None:
    text = "序号,名称,经度,纬度,状态\n" + "".join(f"{i},{','.join(r)}\n" for i, r in enumerate(rows))
    listed = merge_stations([read(tmp_path, text)])
    assert balanced(listed)
    told = set(listed.frame["row"]) | {e.row for e in listed.audit}
    assert set(range(2, len(rows) + 2)) <= told
    again = merge_stations([read(tmp_path, text)])
    pd.testing.assert_frame_equal(listed.frame, again.frame)
    assert listed.audit == again.audit


# --- the real list


def test_wuhan_in_three_datums_and_two_encodings(shared_data: Path) -> None:
    folder = shared_data / "wuhan"
    truth, gcj, bd = (
        read_stations(folder / name, datum=datum)
        for name, datum in (
            ("stations_wgs84_truth.csv", "wgs84"), ("stations_gcj02.xlsx", "gcj02"), ("stations_bd09_gb18030.csv", "bd09"),
        )
    )  # fmt: skip
    for listed in (truth, gcj, bd):
        assert listed.counts["listed"] == listed.counts["used"] == 389
        assert listed.frame["name"].tolist() == truth.frame["name"].tolist()
        assert not listed.audit
        apart = np.hypot(
            (listed.frame["lon"] - truth.frame["lon"]) * np.cos(np.radians(30.6)),
            listed.frame["lat"] - truth.frame["lat"],
        )
        assert apart.max() * 111_195.0 < 1.0
    merged = merge_stations([truth, gcj, bd])
    assert merged.counts["used"] == merge_stations([truth]).counts["used"]
    assert balanced(merged)


def test_a_wrong_datum_is_noticed(shared_data: Path) -> None:
    path = shared_data / "wuhan" / "stations_gcj02.xlsx"
    wrong, right = read_stations(path, datum="wgs84"), read_stations(path, datum="gcj02")
    lon, lat = from_wgs84(right.frame["lon"].to_numpy(), right.frame["lat"].to_numpy(), "gcj02")
    np.testing.assert_allclose(wrong.frame["lon"], lon, atol=1e-9)
    np.testing.assert_allclose(wrong.frame["lat"], lat, atol=1e-9)
    assert any("gcj02" in e.reason_en for e in wrong.audit)


def test_a_list_without_names_is_named_by_its_ids(tmp_path: Path) -> None:
    path = tmp_path / "poi.csv"
    path.write_text(
        "id,lat,lon\npublic_market,32.913456,115.813456\nstation,32.923456,115.823456\n", encoding="utf-8"
    )
    found = read_stations(path, datum="wgs84")
    assert found.frame["name"].tolist() == ["public_market", "station"]
    assert [entry.reason_en for entry in found.audit] == ["no column of names: the ids stand for them"]
