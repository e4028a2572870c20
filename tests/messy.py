"""The awful workbook: `python -m tests.messy data/messy` writes it as a department might send it.

A study of its own beside the synthetic sample: what the sample's stations really are is known, so a test
can tell what `redmap check` must find. All names and numbers are made up.
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import numpy as np
import openpyxl
from openpyxl.styles import Alignment, Font

from geo import pipeline
from geo.intake.datum import from_wgs84
from geo.intake.stations import read_stations
from geo.report.recruitment import write_form
from geo.report.workbook import save_book

WHEN = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
LIST, LEDGER, ANSWERS = "驿站汇总（最终版2）.xlsx", "小哥有话说.csv", "招募报名表.xlsx"
STUDY = f"""# 合成数据：一份故意做乱的表 / synthetic: a workbook that is messy on purpose (python -m tests.messy data/messy)
[study]
name = "示例区（乱表）"
edition = "2026-11"
synthetic = true

[area]
boundary = "../sample/boundary.geojson"

[roads]
file = "../sample/roads.osm.pbf"

[[stations]]
file = "{LIST}"
issuer = "示例区新就业群体工作专班（合成）"
date = 2026-11-02
datum = "auto"          # each sheet says its own: 高德, 百度, metres

[communities]
file = "../sample/communities.geojson"
population = "population"

[venues]
recruitment = "{ANSWERS}"

[ledger]
file = "{LEDGER}"
datum = "gcj02"

[standard]
compliance = ["seven_one"]
"""


def true_stations():
    """The sample's stations, WGS-84, before doors are merged."""
    study = pipeline.sample_study()
    return read_stations(study.path("stations.xlsx"), datum="gcj02").frame


def write_messy(folder: Path) -> None:
    """Write study.toml, the workbook, the ledger (GB18030) and the answers into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(STUDY, encoding="utf-8", newline="\n")
    stations = true_stations()
    book = openpyxl.Workbook()
    cover = book.active
    assert cover is not None
    cover.title = "填报说明"
    for text in (
        "示例区户外劳动者驿站情况汇总",
        "一、各街道于11月2日前报送；二、坐标请用手机地图查。",
        "联系人：张三 13956000000（工作专班），0000-2260000",
    ):
        cover.append([text])
    _east_lake(book.create_sheet("东湖街道"), stations.iloc[:14])
    _baidu(book.create_sheet("南苑（百度）"), stations.iloc[14:26])
    _metres(book.create_sheet("团区委-司机之家"), stations.iloc[[2, 5, 30, 31, 32, 33]])
    save_book(book, folder / LIST, title="驿站汇总", when=WHEN)
    _ledger(folder / LEDGER, stations)
    _answers(folder / ANSWERS)


def _as(stations, datum, digits=6):
    lon, lat = from_wgs84(stations["lon"].to_numpy(), stations["lat"].to_numpy(), datum)
    return np.round(lon, digits), np.round(lat, digits)


def _east_lake(sheet, stations) -> None:
    """Merged title, a header of two rows, a street merged down, text in every hand, GCJ-02."""
    sheet["A1"] = "东湖街道户外劳动者驿站一览表（16个）"
    sheet.merge_cells("A1:J1")
    sheet["A1"].font, sheet["A1"].alignment = Font(bold=True, size=16), Alignment(horizontal="center")
    heads = (
        "序号",
        "所属街道",
        "驿站名称",
        "位置（高德）",
        None,
        "开放时间",
        "服务项目",
        "负责人",
        "联系电话",
        "备注",
    )
    for column, text in enumerate(heads, start=1):
        sheet.cell(2, column, text)
        if text and column not in {4, 5}:
            sheet.merge_cells(start_row=2, end_row=3, start_column=column, end_column=column)
    sheet.merge_cells("D2:E2")
    sheet["D3"], sheet["E3"] = "经度", "纬度"
    lon, lat = _as(stations, "gcj02")
    hours = ("8:00-18:00", "9：00一17：00", "星期一到星期五。9:30-17:00", "8:30-11:00\n13:30-17:00", "24小时（扫码进入）", "6:00-次日2:00",
             "夏季8:00-19:00，冬季8:00-18:00", "随银行营业时间", "早8晚6", "周一至周日9:00—17:00", dt.datetime(2026, 8, 18), "工作日 8:30—17:30",  # noqa: DTZ001
             "全天候", "")  # fmt: skip
    offers = ("饮水、休息、充电、WiFi等", "冷可取暖、热可纳凉、渴可饮水、急可如厕、学可阅读、累可歇脚、伤可用药", "饮水 无卫生间", "微波炉、冰箱、空调、饮水机、桌椅、药箱",
              "厕所在隔壁，有热水", "电动车充电、换电、如厕", "饮水、麻将桌", "休息")  # fmt: skip
    for k, row in enumerate(stations.itertuples()):
        line = 4 + k
        values = [
            k + 1,
            None,
            row.name,
            lon[k],
            lat[k],
            hours[k],
            offers[k % len(offers)],
            "王五",
            13956000100 + k,
            None,
        ]
        for column, value in enumerate(values, start=1):
            sheet.cell(line, column, value)
    sheet["B4"] = "东湖街道"
    sheet.merge_cells("B4:B17")
    sheet["D5"], sheet["E5"] = lat[1], lon[1]  # swapped
    sheet["D6"], sheet["E6"] = (
        f"{lon[2]}".translate(str.maketrans("0123456789.", "０１２３４５６７８９．")),
        lat[2],
    )
    sheet["D7"], sheet["E7"] = _dms(lon[3], "东经"), _dms(lat[3], "北纬")
    sheet["D8"], sheet["E8"] = round(lon[4] * 1e6), round(lat[4] * 1e6)
    sheet["D9"], sheet["E9"] = "暂无", "待定"
    sheet["D10"], sheet["E10"] = round(lon[6], 1), round(lat[6], 1)
    sheet["C11"] = f"{sheet['C11'].value}（建设中）"
    sheet["J12"] = "门卫老李139 5600 0199，身份证341202199003078815"
    sheet["C13"] = f"①{sheet['C13'].value}\u3000"
    sheet.row_dimensions[14].hidden = True
    sheet.cell(18, 1, "合计")
    sheet.cell(18, 3, "14个")
    sheet.cell(19, 1, "注：16个为年初计划数。填报人：李四 13956000201")


def _baidu(sheet, stations) -> None:
    """Both numbers in one cell, Baidu's datum in the heading, group rows, ticks."""
    sheet.append(["名称", "百度坐标", "饮水", "卫生间", "充电", "营业时间", "地址"])
    lon, lat = _as(stations, "bd09")
    for k, row in enumerate(stations.itertuples()):
        if k == 6:
            sheet.append(["二、太行街道办事处"])
        typed = (
            f"{lon[k]},{lat[k]}",
            f"{lat[k]}，{lon[k]}",
            f"({lon[k]};{lat[k]})",
            f"POINT({lon[k]} {lat[k]})",
        )[k % 4]
        sheet.append([row.name, typed, "√", "有" if k % 2 else "无", "1", "8点-18点", row.address])
    sheet.append(["小计", None, "12"])
    sheet.append(["某小区门卫", "0,0", "√", "", "", "", "清安路月浦实验学校对面"])


def _metres(sheet, stations) -> None:
    """A union's list of the same doors and others: metres, X to the north, statuses, a phone as a float."""
    sheet.append(["团区委司机之家（共6处）"])
    sheet.append(["编码", "站点", "X", "Y", "状态", "手机", "服务内容"])
    x, y = _as(stations, "EPSG:4548", 2)
    for k, row in enumerate(stations.itertuples()):
        name = f"{row.name}·司机之家" if k < 2 else row.name
        status = ("正常", "正常", "正常", "暂停", "已撤销", "正常")[k]
        sheet.append([341202000000000 + k, name, y[k], x[k], status, 13956000300.0 + k, "停车 休息 热水"])
    sheet.append(["联系人：赵六 158-0000-4321"])


def _dms(value: float, side: str) -> str:
    minutes, seconds = divmod(round(value * 3600, 2), 60)
    return f"{side}{int(minutes // 60)}°{int(minutes % 60)}′{seconds:.2f}″"


def _ledger(path: Path, stations) -> None:
    lon, lat = _as(stations.iloc[40:41], "gcj02")
    lines = (
        "小哥有话说（10月）",
        "序号,反映时间,问题类型,问题描述,地点,办理状态,联系电话,经度,纬度",
        f"1,2026年10月3日 21:40,如厕,晚上找不到厕所,{stations['name'].iloc[0]}门口,已办结,13956000401,,",
        f"2,2026/10/5,充电,电动车没地方充电,,处理中,,{lon[0]},{lat[0]}",
        "3,46300,休息,等单没地方坐，太热,万家广场,,13956000402,,",
        "4,上周,其他,说了也没用,,,,,",
    )
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode("gb18030"))


def _answers(path: Path) -> None:
    write_form(path, name="示例区（乱表）", when=WHEN)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    columns = {sheet.cell(3, c).value: c for c in range(1, sheet.max_column + 1)}
    forms = (
        {"场所名称": "惠民大药房", "场所类型": "药店", "经度": 115.815381, "纬度": 32.888009, "坐标系": "高德", "开放时间": "8:00-22:00", "饮水": "√",
         "急救药箱": "√", "联系电话": "13956000501", "是否愿意挂牌": "是"},
        {"场所名称": "好邻居便利店", "场所类型": "便利店", "经度": 115.83, "纬度": 32.89, "开放时间": "24小时", "是否愿意挂牌": "是"},
        {"场所名称": "某酒店", "场所类型": "其他", "经度": 115.82, "纬度": 32.89, "坐标系": "GPS", "是否愿意挂牌": "否"},
    )  # fmt: skip
    for row, form in enumerate(forms, start=4):
        for heading, value in form.items():
            sheet.cell(row, columns[heading], value)
    save_book(book, path, title="招募报名表", when=WHEN)


if __name__ == "__main__":
    write_messy(Path(sys.argv[1]))
