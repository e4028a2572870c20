"""Headings → fields: the scored vocabulary, what the study says instead, and ``check --explain``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import shapely

from geo import pipeline
from geo.config import study_from_mapping
from geo.errors import InputError
from geo.intake.columns import ENOUGH, VOCABULARY, fit, map_columns, score
from geo.intake.stations import read_stations

ROOT = Path(__file__).resolve().parents[2]
AREA = shapely.box(115.70, 32.80, 115.90, 32.95)
FIELDS = ("id", "name", "lon", "lat", "lonlat", "address", "hours", "services", "kind", "street", "community", "phone", "status", "remark")  # fmt: skip
# headings of real lists and catalogues: what each means, None for nothing of ours
HEADINGS = {
    "站点名称": "name", "驿站名称": "name", "MC": "name", "ZDMC": "name", "Station Name": "name", "stationName": "name", "STATION_NAME": "name",
    "经度": "lon", "经度（高德）": "lon", "JD": "lon", "Longitude": "lon", "POINT_X": "lon", "lon_wgs84": "lon", "驿站经度": "lon",
    "纬度": "lat", "WD": "lat", "lat": "lat", "纬度(°)": "lat", "gcj02_lat": "lat",
    "坐标": "lonlat", "经纬度": "lonlat", "高德坐标": "lonlat", "JWD": "lonlat",
    "详细地址": "address", "XXDZ": "address", "站点具体位置": "address", "Address": "address", "DZ": "address",
    "开放时间": "hours", "对外开放时间": "hours", "KFSJ": "hours", "Opening Hours": "hours", "opening-hours": "hours",
    "服务项目": "services", "FWXM": "services", "Facilities": "services",
    "类型": "kind", "站点级别": "kind", "LX": "kind", "所属街道": "street", "SSJD": "street", "镇（街道）": None, "Street": "street",
    "所属社区": "community", "联系电话": "phone", "负责人电话": "phone", "联系人/电话": "phone", "联系人姓名": None, "LXDH": "phone", "手机号码": "phone", "Tel.": "phone",
    "状态": "status", "YXZT": "status", "备注": "remark", "BZ": "remark", "Remarks": "remark",
    "编号": "id", "站点编号": "id", "BH": "id", "ID": "id",
    "序号": None, "联系人": None, "负责人": None, "坐标系": None, "建成时间": None, "更新日期": None, "人口密度": None, "Contact Name": None,
    "email address": None, "street_id": "street", "面积": None, "驿站照片": None, "站点面积": None, "照片": None,
    "开放时": "hours", "站点名": "name", "所属街": "street",
}  # fmt: skip


@pytest.mark.parametrize("heading", HEADINGS)
def test_headings_of_real_lists(heading: str) -> None:
    found = map_columns([heading], FIELDS)
    wanted = HEADINGS[heading]
    assert found == ({wanted: heading} if wanted else {})


def test_no_word_stands_for_two_fields_with_one_weight() -> None:
    # a table is read in one role: a ledger has fields of its own, and weights share words with people
    counts, ledger = {"population", "weight"}, {"problem", "place", "problem_time", "problem_kind", "state"}
    for fields in (set(VOCABULARY) - counts - ledger, ledger | {"id", "lon", "lat", "lonlat"}):
        words = [w.lower() for f in fields for w in VOCABULARY[f]]
        assert len(set(words)) == len(words)
    for field, own in VOCABULARY.items():
        assert all(score(field, word) > ENOUGH for word in own)


def test_an_equal_heading_beats_one_that_contains_the_word() -> None:
    headings = ["所属街道地址编码", "街道办事处地址", "地址", "驿站所属街道", "街道"]
    assert map_columns(headings, ["address", "street"]) == {"address": "地址", "street": "街道"}
    assert fit("address", "地址").points > fit("address", "街道办事处地址").points > ENOUGH


def test_all_pinyin_headings_of_a_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "XH,ZDMC,JD,WD,XXDZ,KFSJ,FWXM,SSJD,LXDH,BZ\n1,甲,115.8101,32.8901,某路,24小时,饮水,鼓楼街道,0558-2260000,无\n",
        encoding="utf-8",
    )
    row = read_stations(path, datum="wgs84", area=AREA).frame.iloc[0]
    assert (row["name"], row["address"], row["hours"], row["street"]) == ("甲", "某路", "24/7", "鼓楼街道")
    assert (row["services"], row["phone"]) == ({"water"}, "0558-2260000")


# --- [stations.columns]


def csv(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_the_study_says_goes_before_the_vocabulary(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        "名称,正式名称,经度,纬度,歇脚处,电话,有人值守\n甲,甲驿站,115.8101,32.8901,有,0558-2260000,有\n",
    )
    columns = {"name": "正式名称", "rest": "歇脚处", "medical": "有人值守", "phone": ""}
    row = read_stations(path, datum="wgs84", area=AREA, columns=columns).frame.iloc[0]
    assert (row["name"], row["services"], row["phone"]) == ("甲驿站", {"rest", "medical"}, "")
    plain = read_stations(path, datum="wgs84", area=AREA).frame.iloc[0]
    assert (plain["name"], plain["phone"]) == ("甲", "0558-2260000")


def test_a_column_is_named_as_typed_with_its_group(tmp_path: Path) -> None:
    path = csv(
        tmp_path, "名称,入口坐标,,中心坐标,\n,经度,纬度,经度,纬度\n甲,115.8101,32.8901,115.8201,32.8902\n"
    )
    for lon, lat in (("中心坐标 经度", "中心坐标 纬度"), ("中心坐标·经度", "中心坐标·纬度")):
        row = read_stations(path, datum="wgs84", area=AREA, columns={"lon": lon, "lat": lat}).frame.iloc[0]
        assert (row["lon"], row["lat"]) == (115.8201, 32.8902)


def test_a_wrong_heading_is_answered_with_the_closest(tmp_path: Path) -> None:
    path = csv(tmp_path, "名称,经度,纬度,对外开放时间,地址\n甲,115.8101,32.8901,24小时,某路\n")
    with pytest.raises(InputError) as caught:
        read_stations(path, datum="wgs84", columns={"hours": "开放时问", "naem": "名称", "phone": "图片"})
    by_key = {d.key: d for d in caught.value.defects}
    assert set(by_key) == {"columns.hours", "columns.naem", "columns.phone"}
    assert "最接近：对外开放时间" in by_key["columns.hours"].message
    assert by_key["columns.hours"].column == "开放时问"
    assert "是否name" in by_key["columns.naem"].message
    assert "最接近" not in by_key["columns.phone"].message
    assert all(d.file == "a.csv" for d in caught.value.defects)


def workbook(tmp_path: Path) -> Path:
    made = openpyxl.Workbook()
    page = made.active
    page.title = "鼓楼街道"
    for row in (
        ["一览表（2个）13956000000"],
        ["站名全称", "经度", "纬度", "开放时间", "照片", "饮水"],
        ["甲驿站", 115.8101, 32.8901, "24小时", "x", "√"],
        ["合计 13956000000", None],
    ):
        page.append(row)
    other = made.create_sheet("王店镇")
    for row in (["名称", "经度", "纬度"], ["乙驿站", 115.8201, 32.8901]):
        other.append(row)
    made.create_sheet("说明").append(["由区总工会填报13956000000"])
    made.save(tmp_path / "a.xlsx")
    return tmp_path / "a.xlsx"


def test_sheets_with_other_headings_fall_back_to_the_vocabulary_and_say_so(tmp_path: Path) -> None:
    listed = read_stations(workbook(tmp_path), datum="wgs84", area=AREA, columns={"name": "站名全称"})
    assert listed.frame["name"].tolist() == ["甲驿站", "乙驿站"]
    assert [e.sheet for e in listed.audit if "站名全称" in e.reason_zh] == ["王店镇"]
    assert [e.sheet for e in listed.audit if "不是驿站表" in e.reason_zh] == ["说明"]


# --- redmap check --explain


def study_of(tmp_path: Path, **station: Any) -> str:
    settings = {"file": "a.xlsx", "datum": "wgs84"} | station
    lines = [f'{key} = "{value}"' for key, value in settings.items()]
    text = (
        '[study]\nname = "x"\n[roads]\nfile = "none.osm"\n[[stations]]\n'
        + "\n".join(lines)
        + '\n[stations.columns]\nname = "站名全称"\n'
    )
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    return str(tmp_path)


def redmap(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "geo", *arguments], capture_output=True, text=True, encoding="utf-8", cwd=ROOT, check=False,
        timeout=120, env={"PATH": "/usr/bin:/bin", "COLUMNS": "160", "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip


def test_explain_shows_the_mapping_and_why_without_roads(tmp_path: Path) -> None:
    workbook(tmp_path)
    done = redmap("check", study_of(tmp_path), "--explain", "--json")
    assert done.returncode == 0, done.stderr
    first, second, cover = json.loads(done.stdout)["tables"]
    by_field = {c["field"]: c for c in first["columns"]}
    assert (first["role"], first["file"], first["sheet"]) == ("stations", "a.xlsx", "鼓楼街道")
    assert (first["header_rows"], first["rows_read"], first["rows_skipped"]) == ([2, 2], 1, 1)
    assert (by_field["name"]["heading"], by_field["name"]["why_en"]) == ("站名全称", "named in study.toml")
    assert by_field["hours"]["why_zh"] == "等于“开放时间”"
    assert by_field["street"]["why_en"] == "from the sheet's name or the group rows"
    assert by_field["water"]["heading"] == "饮水"
    assert first["unused"] == ["照片"]
    assert [s[0] for s in first["skipped"]] == [4]
    assert second["columns"][0]["heading"] == "名称"
    assert len(cover["problems"]) == 3
    assert "13956000000" not in done.stdout
    shown = redmap("check", study_of(tmp_path), "--explain")
    assert shown.returncode == 0, shown.stderr
    for word in (
        "驿站 stations",
        "站名全称",
        "等于“开放时间” / equal to 开放时间",
        "表头行 header 2",
        "未用的列 unused: 照片",
        "合计",
    ):
        assert word in shown.stdout, word
    assert "13956000000" not in shown.stdout


def test_explain_ends_with_2_where_a_table_cannot_be_read(tmp_path: Path) -> None:
    workbook(tmp_path)
    done = redmap("check", study_of(tmp_path, file="gone.xlsx"), "--explain", "--json")
    assert done.returncode == 2
    assert [d["file"][-9:] for d in json.loads(done.stdout)["defects"]] == ["gone.xlsx"]
    assert "gone.xlsx" in done.stderr
    wrong = study_of(tmp_path)
    text = Path(wrong, "study.toml").read_text(encoding="utf-8").replace("站名全称", "站名全程")
    Path(wrong, "study.toml").write_text(text, encoding="utf-8")
    told = redmap("check", wrong, "--explain").stdout
    assert "最接近：站名全称" in told


def test_the_runner_up_is_told(tmp_path: Path) -> None:
    csv(tmp_path, "名称,驿站全称,经度,纬度,单位\n甲,甲驿站,115.81,32.89,x\n")
    study = study_from_mapping(
        {"study": {"name": "x"}, "roads": {"file": "r"}, "stations": [{"file": "a.csv", "datum": "wgs84"}]},
        folder=tmp_path,
    )
    ((table,), defects) = pipeline.explain(study)
    name = next(c for c in table.columns if c.field == "name")
    assert (name.heading, name.points, name.runner_up, name.runner_up_points) == ("名称", 100, "驿站全称", 46)
    assert table.encoding == "utf-8-sig"
    assert defects == []
