"""Results → report.xlsx: key figures, communities, streets, stations, compliance, gaps, sites, audit; bilingual."""

from __future__ import annotations

import datetime as dt
import io
import json
import math
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.writer.excel import ExcelWriter
from openpyxl.xml.constants import DCTERMS_NS, DCTERMS_PREFIX
from openpyxl.xml.functions import register_namespace

from geo.intake.compliance import compliance_frame
from geo.models import LEAST_PEOPLE, SERVICES_ZH, Plan, StudyResult
from geo.report.frames import audit_frame, flat
from geo.report.summary import created, plain

SYNTHETIC = "合成数据，非真实地区 / synthetic data, not a real place"
A3 = 8  # as OOXML numbers paper sizes
_OLDEST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_HEADINGS = {
    "station_id": "编号 ID", "name": "名称 Name", "kind": "类型 Kind", "plates": "挂牌 Plates",
    "lon": "经度 Lon (WGS-84)", "lat": "纬度 Lat (WGS-84)", "services": "服务 Services",
    "hours": "开放时间 Hours (OSM)", "hours_text": "原文 Hours as typed", "access": "进入条件 Access", "street": "街道 Street",
    "community": "社区 Community", "address": "地址 Address", "phone": "电话 Phone",
    "issuer": "来源单位 Issuer", "date": "日期 Date", "file": "文件 File", "row": "行 Row",
    "precision_m": "精度 Precision (m)", "precision": "精度级别 Precision class", "community_id": "编号 ID", "population": "人口 Population",
    "covered_people": "已覆盖人口 People covered", "share": "覆盖率 Share covered",
    "share_straight": "直线覆盖率 Straight-line share", "median_minutes": "中位分钟 Median minutes",
    "nearest_station": "最近驿站 Nearest station", "rank": "序 Rank", "gap_id": "编号 ID",
    "name_zh": "名称 Name (Chinese)", "name_en": "英文名称 Name (English)", "people": "人数 People",
    "area_km2": "面积 Area (km²)", "nearest_minutes": "最近驿站分钟 Minutes to nearest",
    "straight_m": "直线米 Straight line (m)", "reason": "原因代码 Reason code",
    "reason_zh": "原因 Reason (Chinese)", "reason_en": "英文原因 Reason (English)",
    "venue_id": "编号 ID", "gain": "新增覆盖人数 People gained",
    "communities_gain": "受益社区 Communities gaining", "action": "处理 Action", "found": "原值 Found",
    "lon_typed": "原坐标横 Lon or easting as typed", "lat_typed": "原坐标纵 Lat or northing as typed",
    "datum": "原坐标系 Datum as typed", "decision": "判断 Decision", "distance_m": "相距米 Distance (m)",
    "name_score": "名称相似 Names alike (of 100)",
    **{f"{key}_{side}": f"{zh}{side.upper()} {en} {side.upper()}" for side in "ab" for key, zh, en in (
        ("name", "名称", "Name"), ("address", "地址", "Address"), ("issuer", "单位", "Issuer"),
        ("date", "日期", "Date"), ("hours", "时间", "Hours"), ("key", "键", "Key"))},
    "minutes_saved": "节省人·分钟 Person-minutes saved", "overlap": "与现有重叠 Overlap with existing",
    "instead": "若拒绝，次选 Next best", "instead_loss": "次选损失 Lost with the next best",
    "kept_slow": "慢 10 % 仍保 Kept at −10 % speed", "kept_fast": "快 10 % 时 At +10 % speed",
    "kept_refused": "另一处拒绝时全案仍保 Plan kept if one other refuses", "workers": "新增覆盖劳动者 Workers gained",
    "served": "分到人数 People assigned", "services_gain": "须提供（缺者人数，✓ 已有） Must offer (people who lack it, ✓ has it)",
    "hours_gain": "要紧时段（缺者人数，✓ 已开） Hours that matter (people who lack them, ✓ open)",
    "differs": "与方案之别 Unlike the plan",
    "lost": "若无则失 Lost without it", "redundant": "可关而无损 Redundant by itself", "stage": "期 Stage",
    "value": "累计 Value", "best": "该数目最优 Best for the number", "bound": "上界 Bound", "price": "分期代价 Price of nesting",
    "proven": "已证明 Proven", "names": "场所 Venues", "objective": "目标值 Objective",
    "gap": "盲区 Gap", "venue": "场所 Venue",
    "sheet": "工作表 Sheet", "column": "列 Column",
    "made": "改为 Made", "problem_id": "编号 ID", "text": "问题 Problem", "state": "状态 State", "time": "时间 Time", "place": "地点 Place",
    "placed_by": "定位依据 Placed by",
}  # fmt: skip
OBJECTIVES = {
    "cover": "目标：覆盖 Goal: covered", "share": "目标：新站数或费用 Goal: new stations or their cost",
    "minutes": "目标：总人·分钟 Goal: person-minutes", "worst": "目标：最远分钟 Goal: longest minutes",
    "backup": "目标：覆盖与备份 Goal: covered, and twice",
}  # fmt: skip
STATUS = {
    "optimal": "已证最优 proven optimal", "time_limit": "到时限，未证最优 time limit: not proven optimal",
    "infeasible": "规则不能同时满足，没有方案 the rules cannot all be kept: no plan",
}  # fmt: skip
# columns that are lists, and what each item is called by
_LISTS: dict[str, tuple[str, ...]] = {
    "communities_gain": ("name",), "services_gain": ("service",), "hours_gain": ("time",), "names": (),
}  # fmt: skip
_FORMATS = {
    **dict.fromkeys(("lon", "lat"), "0.000000"),
    **dict.fromkeys(
        (
            "population",
            "covered_people",
            "people",
            "gain",
            "lost",
            "value",
            "best",
            "bound",
            "price",
            "minutes_saved",
            "served",
        ),
        "#,##0",
    ),
    **dict.fromkeys(("overlap", "kept_slow", "kept_fast", "kept_refused"), "0.0%"),
    "instead_loss": "#,##0.0",
    "objective": "#,##0.0",
    **dict.fromkeys(("median_minutes", "nearest_minutes", "straight_m", "area_km2"), "0.0"),
}


def write_workbook(result: StudyResult, path: Path) -> None:
    """Write report.xlsx; its dates are the result's own, so that the same result gives the same bytes."""
    gaps = pd.DataFrame(result.gaps.drop(columns="geometry"))
    sites = pd.DataFrame(result.recommendations.drop(columns="geometry"))
    note = SYNTHETIC if result.synthetic else ""
    sheets = {"概要 Summary": (_summary_rows(result.summary), note)}
    for title, frame in (
        ("社区 Communities", result.coverage.communities),
        ("街道 Streets", result.coverage.streets),
        ("驿站 Stations", result.inputs.stations),
        ("达标 Compliance", compliance_frame(result.inputs.stations, result.standard["compliance"])),
        ("盲区 Gaps", gaps),
        *_plan_sheets(result.plan, sites),
        *(() if result.stages is None or result.stages.empty else (("分期 Stages", result.stages),)),
        *(() if result.stations_worth is None else (("驿站价值 Worth", result.stations_worth),)),
        *(
            ()
            if result.problems is None
            else (("小哥有话说 Problems", result.problems.drop(columns="geometry")),)
        ),
        ("数据审计 Audit", audit_frame(result.inputs)),
    ):
        sheets[title] = (flat(frame), note)
    write_book(sheets, path, title=f"{result.name} {result.edition}", when=created(result.summary))


def _plan_sheets(plan: Plan | None, sites: pd.DataFrame) -> tuple[tuple[str, pd.DataFrame], ...]:
    if plan is None:
        return (("选址建议 Sites", sites),)
    more = (
        ("关闭 Close", plan.closed),
        ("其他方案 Alternatives", plan.alternatives),
        ("招募 Whom to ask", plan.ask),
    )
    return (
        ("方案 Plan", plan_frame(plan, add=len(sites))),
        ("选址建议 Sites", sites),
        *((title, frame) for title, frame in more if len(frame)),
    )


def plan_frame(plan: Plan, *, add: int) -> pd.DataFrame:
    """What a plan that opens ``add`` venues was asked, what it reaches and how good it is proven to be."""
    objective, bound = OBJECTIVES[plan.goal], f"{plan.bound:,.1f}" if math.isfinite(plan.bound) else "—"
    rows: list[tuple[str, Any]] = [("问题 Asked", plan.said[0] if plan.said else "")]
    rows += [("规则 Rule", words) for words in plan.said[1:]]
    rows += [("说明 Note", words) for words in plan.notes]
    rows.append(("证明 Proof", STATUS[plan.status]))
    rows += [("不能同时满足 In conflict", words) for words in plan.conflict]
    if plan.status != "infeasible":
        rows += [
            (objective, f"{plan.objective:,.1f}"), ("上界 Bound", bound), ("差距 Gap", f"{100 * plan.gap:.4g} %"),
            ("新增驿站 New stations", add), ("关闭驿站 Stations closed", len(plan.closed)),
        ]  # fmt: skip
    rows += [
        ("标准内人数，现状 Within the standard now", round(plan.covered_before)),
        ("标准内人数，方案 Within the standard with the plan", round(plan.covered_after)),
        ("总人数 Of", round(plan.total)),
    ]
    return pd.DataFrame(rows, columns=["项目 Item", "数值 Value"], dtype=object)


def write_book(
    sheets: Mapping[str, tuple[pd.DataFrame, str]], path: Path, *, title: str, when: dt.datetime
) -> None:
    """Write sheets (name → frame and a closing note, or ""); the same sheets and hour give the same bytes."""
    book = Workbook(write_only=True)
    for name, (frame, note) in sheets.items():
        _sheet(book, name, frame, note)
    save_book(book, path, title=title, when=when)


def save_book(book: Workbook, path: Path, *, title: str, when: dt.datetime) -> None:
    """Save a workbook so that the same content and hour give the same bytes."""
    book.properties.creator = "Red Map"
    book.properties.title = title
    book.properties.created = book.properties.modified = when.astimezone(dt.UTC).replace(tzinfo=None)
    # other libraries in the process may have given this another prefix: the bytes would differ
    register_namespace(DCTERMS_PREFIX, DCTERMS_NS)
    content = io.BytesIO()
    ExcelWriter(book, zipfile.ZipFile(content, "w", zipfile.ZIP_STORED)).save()
    with (
        zipfile.ZipFile(content) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():  # the same entries, without the hour at which they were made
            entry = zipfile.ZipInfo(name, _OLDEST_ZIP_DATE)
            target.writestr(entry, source.read(name), zipfile.ZIP_DEFLATED)


def _sheet(book: Workbook, title: str, frame: pd.DataFrame, note: str) -> None:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    names = [str(name) for name in frame.columns]
    if names:  # printed: across one page, the heading on each; on the screen: a filter to each column
        sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", A3
        sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        sheet.print_title_rows = "1:1"
        sheet.auto_filter.ref = f"A1:{get_column_letter(len(names))}{len(frame) + 1}"
    columns = [[plain(v) for v in frame.iloc[:, i].tolist()] for i in range(len(names))]
    if "services" in names:
        at = names.index("services")
        columns[at] = [services_said(text) for text in columns[at]]
    for at, name in enumerate(names):
        if name in _LISTS:
            columns[at] = [_list_said(text, _LISTS[name]) for text in columns[at]]
    for i, (name, values) in enumerate(zip(names, columns, strict=True), start=1):
        longest = max(map(_text_width, [heading(name), *map(str, values[:200])]))
        sheet.column_dimensions[get_column_letter(i)].width = min(max(longest + 2, 8), 60)
    if names:
        sheet.append(list(_head(sheet, names)))
    styled = [_styled(sheet, name) for name in names]
    for row in zip(*columns, strict=True):
        sheet.append([_cell(sheet, value, cell) for value, cell in zip(row, styled, strict=True)])
    if note:
        sheet.append([note])


def _head(sheet: Any, names: list[str]) -> Iterator[Any]:
    font, fill = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="A4161A")
    alignment = Alignment(wrap_text=True, vertical="center")
    for name in names:
        cell = WriteOnlyCell(sheet, value=heading(name))
        cell.font, cell.fill, cell.alignment = font, fill, alignment
        cell.data_type = "s"
        yield cell


def _styled(sheet: Any, column: str) -> Any:
    """The one cell that carries a column's number format; rows are streamed, so it serves them all."""
    number_format = "0.0%" if column.startswith("share") else _FORMATS.get(column)
    if number_format is None:
        return None
    cell = WriteOnlyCell(sheet)
    cell.number_format = number_format
    return cell


def _cell(sheet: Any, value: Any, styled: Any) -> Any:
    if isinstance(value, str):
        value = ILLEGAL_CHARACTERS_RE.sub("", value)
        if not value.startswith(("=", "+", "-", "@", "\t", "\r")):
            return value
        cell = WriteOnlyCell(sheet, value=value)
        cell.data_type = "s"  # a name that starts with "=" is text, never a formula,
        cell.quotePrefix = True  # and stays text when somebody edits it
        return cell
    if styled is None:
        return value
    styled.value = value
    return styled


def heading(name: str) -> str:
    """A column's heading, Chinese and English.

    >>> heading("share@Tue 08:00"), heading("share_toilet")
    ('Tue 08:00 覆盖率 Share', '覆盖率 Share · toilet')
    """
    if name in _HEADINGS:
        return _HEADINGS[name]
    if name.startswith("share@"):
        return f"{name.removeprefix('share@')} 覆盖率 Share"
    return f"覆盖率 Share · {name.removeprefix('share_')}" if name.startswith("share_") else name


def services_said(text: str) -> str:
    """Services in words, Chinese and English.

    >>> services_said("rest; water")
    '休息、饮水 rest, water'
    """
    keys = text.split("; ") if text else []
    return f"{'、'.join(SERVICES_ZH[key] for key in keys)} {', '.join(keys)}" if keys else ""


def _list_said(text: str, keys: tuple[str, ...]) -> str:
    """A list kept as JSON, in words: what each item is called, and its people.

    >>> _list_said('[{"service": "rest", "people": 12.3, "has": true}, {"service": "water", "people": 0.0}]', ("service",))
    '休息 rest 12 ✓'
    >>> _list_said('["A", "B"]', ())
    'A、B'
    """
    said = []
    for item in json.loads(text) if text else []:
        if isinstance(item, str):
            said.append(item)
        elif max(item["people"], item.get("workers", 0.0)) >= LEAST_PEOPLE:
            called = " ".join(str(item[key]) for key in keys) or "—"
            called = f"{SERVICES_ZH[called]} {called}" if called in SERVICES_ZH else called
            workers = (
                f"（劳动者 workers {item['workers']:,.0f}）"
                if item.get("workers", 0.0) >= LEAST_PEOPLE
                else ""
            )
            said.append(f"{called} {item['people']:,.0f}{workers}{' ✓' if item.get('has') else ''}")
    return "、".join(said)


def _text_width(text: str) -> int:
    return sum(2 if ord(c) > 0x2E80 else 1 for c in text)


def _summary_rows(summary: Mapping[str, Any]) -> pd.DataFrame:
    rows: list[tuple[str, Any]] = []

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else str(key), inner)
        else:
            rows.append((prefix, "; ".join(map(str, value)) if isinstance(value, list) else value))

    walk("", summary)
    return pd.DataFrame(rows, columns=["项目 Item", "数值 Value"], dtype=object)
