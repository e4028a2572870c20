"""Results → GeoJSON layers, GeoPackage, workbook and audit. Phones are masked upstream."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from geo.models import StudyResult
from geo.report.pdf import write_pdf
from geo.report.summary import WGS84, plain

_HEADINGS = {
    "station_id": "编号 ID", "name": "名称 Name", "kind": "类型 Kind", "plates": "挂牌 Plates",
    "lon": "经度 Lon (WGS-84)", "lat": "纬度 Lat (WGS-84)", "services": "服务 Services",
    "hours": "开放时间 Hours (OSM)", "hours_text": "原文 Hours as typed", "street": "街道 Street",
    "community": "社区 Community", "address": "地址 Address", "phone": "电话 Phone",
    "issuer": "来源单位 Issuer", "date": "日期 Date", "file": "文件 File", "row": "行 Row",
    "precision_m": "精度 Precision (m)", "community_id": "编号 ID", "population": "人口 Population",
    "covered_people": "已覆盖人口 People covered", "share": "覆盖率 Share covered",
    "share_straight": "直线覆盖率 Straight-line share", "median_minutes": "中位分钟 Median minutes",
    "nearest_station": "最近驿站 Nearest station", "rank": "序 Rank", "gap_id": "编号 ID",
    "name_zh": "名称", "name_en": "Name", "people": "人数 People", "area_km2": "面积 Area (km²)",
    "nearest_minutes": "最近驿站分钟 Minutes to nearest", "straight_m": "直线米 Straight line (m)",
    "reason": "原因代码 Reason code", "reason_zh": "原因", "reason_en": "Reason",
    "venue_id": "编号 ID", "gain": "新增覆盖人数 People gained",
    "communities_gain": "受益社区 Communities gaining", "action": "处理 Action", "found": "原值 Found",
    "sheet": "工作表 Sheet", "column": "列 Column",
}  # fmt: skip


def layers(result: StudyResult) -> dict[str, gpd.GeoDataFrame]:
    """The published layers by name, EPSG:4326; lists and sets as JSON or separated text."""
    stations = result.inputs.stations
    points = gpd.GeoDataFrame(
        _flat(stations), geometry=gpd.points_from_xy(stations["lon"], stations["lat"]), crs=WGS84
    )
    community_shapes = result.inputs.communities[["community_id", "geometry"]]
    communities = gpd.GeoDataFrame(
        result.coverage.communities.merge(community_shapes, on="community_id", how="left"),
        geometry="geometry",
        crs=WGS84,
    )
    whole = result.bands.assign(station_id="*")
    shapes = pd.concat([whole, result.station_bands], ignore_index=True)[
        ["station_id", "minutes", "geometry"]
    ]
    return {
        "stations": points,
        "communities": communities,
        "isochrones": gpd.GeoDataFrame(shapes, geometry="geometry", crs=WGS84),
        "gaps": result.gaps,
        "recommendations": gpd.GeoDataFrame(
            _flat(result.recommendations.drop(columns="geometry")),
            geometry=result.recommendations.geometry.array,
            crs=WGS84,
        ),
    }


def write_all(result: StudyResult, folder: Path) -> None:
    """Write summary.json, audit.json, the GeoJSON layers, results.gpkg, report.xlsx and report.pdf into ``folder``."""
    _write_json(result.summary, folder / "summary.json")
    audit = [{k: getattr(entry, k) for k in entry.__slots__} for entry in result.inputs.audit]
    notes = list(result.network.notes)
    missing = write_pdf(result, folder / "report.pdf")
    if missing is not None:
        notes.append(missing)
    _write_json({"study": result.name, "entries": audit, "notes": notes}, folder / "audit.json")
    for name, frame in layers(result).items():
        _write_geojson(frame, folder / f"{name}.geojson")
        if len(frame):
            frame.to_file(folder / "results.gpkg", layer=name, driver="GPKG", engine="pyogrio")
    write_workbook(result, folder / "report.xlsx")


def write_workbook(result: StudyResult, path: Path) -> None:
    """report.xlsx: key figures, communities, streets, stations, gaps, sites and the audit, bilingual."""
    book = Workbook(write_only=True)
    audit = pd.DataFrame([{k: getattr(e, k) for k in e.__slots__} for e in result.inputs.audit])
    gaps = pd.DataFrame(result.gaps.drop(columns="geometry"))
    sites = pd.DataFrame(result.recommendations.drop(columns="geometry"))
    _sheet(book, "概要 Summary", _summary_rows(result.summary), result)
    for title, frame in (
        ("社区 Communities", result.coverage.communities),
        ("街道 Streets", result.coverage.streets),
        ("驿站 Stations", result.inputs.stations),
        ("盲区 Gaps", gaps),
        ("选址建议 Sites", sites),
        ("数据审计 Audit", audit),
    ):
        _sheet(book, title, _flat(frame), result)
    book.properties.creator = "Red Map"
    book.save(path)


def _sheet(book: Workbook, title: str, frame: pd.DataFrame, result: StudyResult) -> None:
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for i, name in enumerate(frame.columns, start=1):
        texts = [str(v) for v in frame[name].head(200)]
        longest = max(
            (sum(2 if ord(c) > 0x2E80 else 1 for c in t) for t in [_heading(name), *texts]), default=8
        )
        sheet.column_dimensions[get_column_letter(i)].width = min(max(longest + 2, 8), 60)
    head = []
    for name in frame.columns:
        cell = WriteOnlyCell(sheet, value=_heading(name))
        cell.font, cell.fill = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="A4161A")
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        head.append(cell)
    sheet.append(head)
    for row in frame.itertuples(index=False):
        sheet.append([_cell(sheet, value, str(name)) for name, value in zip(frame.columns, row, strict=True)])
    if result.synthetic:
        sheet.append([WriteOnlyCell(sheet, value="合成数据，非真实地区 / synthetic data, not a real place")])


def _cell(sheet: Any, value: Any, column: str) -> Any:
    value = plain(value)
    cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, str):
        cell.data_type = "s"  # a name that starts with "=" is text, never a formula
        cell.value = value
        cell.data_type = "s"
    elif column.startswith("share"):
        cell.number_format = "0.0%"
    elif column in {"population", "covered_people", "people", "gain"}:
        cell.number_format = "#,##0"
    elif column in {"median_minutes", "nearest_minutes", "straight_m", "area_km2"}:
        cell.number_format = "0.0"
    return cell


def _heading(name: str) -> str:
    if name in _HEADINGS:
        return _HEADINGS[name]
    if name.startswith("share@"):
        return f"{name.removeprefix('share@')} 覆盖率 Share"
    return f"覆盖率 Share · {name.removeprefix('share_')}" if name.startswith("share_") else name


def _summary_rows(summary: Mapping[str, Any]) -> pd.DataFrame:
    rows: list[tuple[str, Any]] = []

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else str(key), inner)
        else:
            rows.append((prefix, "; ".join(map(str, value)) if isinstance(value, list) else value))

    walk("", summary)
    return pd.DataFrame(rows, columns=["项目 Item", "数值 Value"])


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    flat = frame.copy()
    for name in flat.columns:
        if flat[name].dtype == object:
            flat[name] = [_text(v) for v in flat[name]]
    return flat


def _text(value: Any) -> Any:
    if isinstance(value, frozenset | set):
        return "; ".join(sorted(value))
    if isinstance(value, list | dict):
        return json.dumps(plain(value), ensure_ascii=False)
    if isinstance(value, tuple):
        return "; ".join(map(str, value))
    return value.isoformat() if isinstance(value, dt.date) else value


def _write_json(value: Any, path: Path) -> None:
    path.write_text(json.dumps(plain(value), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _write_geojson(frame: gpd.GeoDataFrame, path: Path) -> None:
    if len(frame) == 0:
        path.write_text('{"type": "FeatureCollection", "features": []}\n', encoding="utf-8")
        return
    frame.to_file(
        path,
        driver="GeoJSON",
        engine="pyogrio",
        layer_options={"COORDINATE_PRECISION": "7"},
    )
