"""Station lists → one table of locations in WGS-84, with an audit of every row."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from geo.config import AUTO, StationsSection, Study
from geo.errors import Defect, InputError
from geo.intake.datum import datum_left
from geo.intake.fields import absent_headings, station_fields, unknown_fields
from geo.intake.hours import read_hours
from geo.intake.merge import StationList, merge_stations, station_frame, station_ids
from geo.intake.placing import OUTSIDE_M, by_datum, datums_said, outside_hint, outside_m, zones_found
from geo.intake.positions import QUARTER_M, AddressKind, Typed, address_kind, read_position, zone_epsg
from geo.intake.privacy import mask_mobiles
from geo.intake.services import parse_services, ticked
from geo.intake.tables import DatabaseTable, Table, content_sha256, digits_lost, read_table
from geo.models import AuditEntry, ListCounts

__all__ = ["StationList", "merge_stations", "read_stations"]

_ADDRESS_ZH: dict[AddressKind, tuple[str, str]] = {
    "door": ("门牌", "a door"), "floor": ("楼层", "a floor"), "intersection": ("路口", "a crossing"),
    "area": ("片区", "an area"), "relative": ("相对位置", "a place beside another"), "vague": ("地名", "a name"),
}  # fmt: skip

_NOT_OPEN = re.compile(
    r"建设中|拟建|在建|未建|暂停|撤销|撤并|停用|停运|已关闭|已拆|筹建|规划中|未启用|未开放"
)
_RUNS_AGAIN = re.compile(r"已?恢复|重新")
_IN_NAME = re.compile(r"[（(](?:[^（）()]*)(?:建设中|拟建|在建|暂停|已?撤销|停用)(?:[^（）()]*)[）)]")
_PLAIN = re.compile(r"-?\d+(?:\.\d+)?[\s,，]+-?\d+(?:\.\d+)?")
_TITLE_COUNT = re.compile(r"(\d{1,5})\s*(?:个|处|家|座)")


@dataclass(slots=True)
class _Rows:
    kept: list[dict[str, Any]] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)
    listed: int = 0
    declared: int | None = None
    unmapped: int = 0
    rejected: int = 0


def station_source(study: Study, section: StationsSection) -> Path | DatabaseTable:
    """What a ``[[stations]]`` section names: a path, or a table of a database."""
    if section.file is not None:
        return study.path(section.file)
    assert section.database is not None
    assert section.table is not None
    return DatabaseTable(section.database.get_secret_value(), section.table)


def read_stations(
    path: Path | DatabaseTable,
    *,
    datum: str,
    proven: str = AUTO,
    issuer: str = "",
    date: dt.date | None = None,
    sheet: str | None = None,
    columns: Mapping[str, str] | None = None,
    area: Any = None,
    allow_coarse: bool = False,
) -> StationList:
    """Read one list, a file or a table of a database; ``area`` is a WGS-84 polygon beyond which (5 km) a row is rejected.

    ``datum`` is that of the numbers in the list (see :func:`geo.intake.datum.to_wgs84`); a vector
    layer that declares a projected CRS is already brought to WGS-84 when read. With ``auto`` a row's
    datum is what its heading or its 坐标系 column says; numbers that nothing is said of are read as WGS-84
    and bear ``auto`` in the column ``datum``: it is for the caller to prove them and to read again with what
    is ``proven``. Numbers in metres tell
    their zone, or the one zone that brings them into the area. ``columns`` (field → heading) goes before
    the built-in vocabulary. Rows that do not run (建设中, 暂停 …) are rejected, and so are positions of one
    decimal and the middles of ranges, unless ``allow_coarse``.
    Raises :class:`geo.errors.InputError` where the file or its columns cannot be made out, all at once.
    """
    out = _Rows()
    wanted = dict(columns or {})
    defects = unknown_fields(wanted, path.name)
    tables = read_table(path, sheet=sheet)
    mapped = [station_fields(table, wanted, datum) for table in tables]
    defects += absent_headings(tables, mapped)
    usable = [not fields.lacking for fields in mapped]
    for table, fields in zip(tables, mapped, strict=True):
        if fields.lacking and any(usable) and "name" not in fields.columns:
            # a cover sheet or notes beside the real list
            zh, en = (
                f"此工作表不是驿站表（{len(table.rows)} 行）",
                f"this sheet is no station list ({len(table.rows)} rows)",
            )
            out.audit.append(AuditEntry("skipped", zh, en, file=table.file, sheet=table.sheet))
        elif fields.lacking:
            found = mask_mobiles("、".join(map(str, table.frame.columns)))
            message = f"找不到列 no column for {'; '.join(fields.lacking)}；表中有 found: {found}；可在 [stations.columns] 指定 / name it in [stations.columns]"
            defects.append(Defect(message, file=table.file, sheet=table.sheet or None))
        elif not defects:
            for field_name, heading in fields.absent.items():
                zh = f"此表没有 [stations.columns] 指定的“{heading}”，按词表识别 {field_name}"
                en = f"without the column {heading} of [stations.columns]: {field_name} is found by the vocabulary"
                out.audit.append(_entry("noted", zh, en, table, None, column=heading))
            _take(
                table, fields.columns, fields.ticks, datum=datum, proven=proven, issuer=issuer, date=date, area=area,
                allow_coarse=allow_coarse, out=out,
            )  # fmt: skip
    if defects:
        raise InputError(defects)
    frame = station_frame(out.kept)
    frame["station_id"] = pd.Series(station_ids(list(frame["station_id"])), dtype=object)
    counts = {
        "listed": out.listed, "mapped": out.listed - out.unmapped, "used": len(frame), "merged": 0,
        "rejected": out.rejected, "hours_known": int(frame["hours"].notna().sum()),
    }  # fmt: skip
    sha256 = content_sha256(tables[0]) if isinstance(path, DatabaseTable) else ""
    listed = ListCounts(
        source=path.name, issuer=issuer, date=date.isoformat() if date else "", declared=out.declared,
        listed=out.listed, mapped=counts["mapped"], used=len(frame), rejected=out.rejected,
    )  # fmt: skip
    return StationList(frame, counts, tuple(out.audit), sha256, lists=(listed,))


def _entry(
    action: Any,
    zh: str,
    en: str,
    table: Table,
    row: int | None,
    *,
    name: str = "",
    found: str = "",
    column: str = "",
    made: str = "",
) -> AuditEntry:
    return AuditEntry(action, mask_mobiles(zh), mask_mobiles(en), file=table.file, sheet=table.sheet, row=None if row is None else int(row),
                      column=column, name=mask_mobiles(name), found=mask_mobiles(found), made=made)  # fmt: skip


def _take(
    table: Table, mapping: Mapping[str, str], ticks: Mapping[str, str], *, datum: str, proven: str, issuer: str,
    date: dt.date | None, area: Any, allow_coarse: bool, out: _Rows,
) -> None:  # fmt: skip
    for row, text, why in (*table.skipped, *table.notes):
        zh, _slash, en = why.partition(" / ")
        out.audit.append(
            _entry("noted" if (row, text, why) in table.notes else "skipped", zh, en, table, row, name=text)
        )
    datum = datum_left(datum, table.crs)
    if "id" in mapping and mapping["name"] == mapping["id"]:
        zh, en = "没有名称列，以编号代替名称", "no column of names: the ids stand for them"
        out.audit.append(_entry("noted", zh, en, table, None, column=mapping["id"]))
    said, notes = datums_said(table, mapping, datum, proven)
    out.audit += [_entry("noted", zh, en, table, None, found=found) for zh, en, found in notes]
    before = out.listed
    todo: list[tuple[int, dict[str, str], frozenset[str], Typed]] = []
    datums: list[str] = []
    for k, (record, row) in enumerate(zip(table.frame.to_dict("records"), table.rows, strict=True)):
        cell = {key: mask_mobiles(str(record[heading] or "")).strip() for key, heading in mapping.items()}
        if not any(cell.get(k) for k in ("name", "lon", "lat", "lonlat", "address")):
            told = " ".join(str(v) for v in record.values() if v)
            out.audit.append(
                _entry(
                    "skipped", "没有名称、地址和坐标", "no name, address or position", table, row, found=told
                )
            )
            continue
        for key in ("id", "phone"):
            if digits_lost(cell.get(key, "")):
                cell[key] = ""  # what Excel left of it is no number of theirs; the note tells
        out.listed += 1
        if not cell["name"]:
            cell["name"] = cell.get("address") or f"#{row}"
            out.audit.append(_entry("noted", "没有名称", "no name", table, row, name=cell["name"]))
        ticked_on = _ticks(table, record, ticks, row, cell["name"], out)
        raw = {k: str(record[mapping[k]] or "") for k in ("lon", "lat", "lonlat") if k in mapping}
        typed = read_position(raw.get("lon", ""), raw.get("lat", ""), raw.get("lonlat", ""))
        if typed is None or (typed.area and not allow_coarse):
            found = ", ".join(v for v in raw.values() if v) or cell.get("address", "")
            out.unmapped += 1
            zh, en = _why_unmapped(typed, cell.get("address", ""))
            out.audit.append(_entry("unmapped", zh, en, table, row, name=cell["name"], found=found))
            continue
        todo.append((int(row), cell, ticked_on, typed))
        datums.append(said[k])
    x = np.array([t.x for *_rest, t in todo], dtype=np.float64)
    y = np.array([t.y for *_rest, t in todo], dtype=np.float64)
    datums = zones_found(x, y, [t for *_rest, t in todo], datums, area)
    lon, lat = by_datum(x, y, datums)
    far_m = outside_m(area, lon, lat)
    for k, (row, cell, ticked_on, typed) in enumerate(todo):
        datum = datums[k]
        if not (np.isfinite(lon[k]) and np.isfinite(lat[k]) and abs(lon[k]) <= 180 and abs(lat[k]) <= 90):
            out.unmapped += 1
            zone = zone_epsg(typed.x) if typed.projected else None
            zh, en = (
                f"数字不是 {datum} 坐标：像投影坐标则应声明 EPSG{f'，按带号应为 {zone}' if zone else ''}",
                f"not {datum} numbers: if projected, declare their EPSG code"
                + (f"; by its zone {zone}" if zone else ""),
            )
            out.audit.append(
                _entry("unmapped", zh, en, table, row, name=cell["name"], found=f"{typed.x}, {typed.y}")
            )
            continue
        reason = _why_rejected(cell, typed, float(far_m[k]), datum, area, allow_coarse=allow_coarse)
        if reason is not None:
            out.rejected += 1
            out.audit.append(
                _entry("rejected", *reason, table, row, name=cell["name"], found=f"{typed.x}, {typed.y}")
            )
            continue
        out.kept.append(
            _station(
                table,
                mapping,
                row,
                cell,
                ticked_on,
                typed,
                datum,
                float(lon[k]),
                float(lat[k]),
                issuer,
                date,
                out,
            )
        )
    promised = [int(n) for n in _TITLE_COUNT.findall(table.title)]
    listed = out.listed - before
    if promised:
        out.declared = (out.declared or 0) + promised[0]
    if promised and listed not in promised:
        zh, en = (
            f"标题写 {promised[0]} 个，表中 {listed} 行",
            f"the title says {promised[0]}, the table has {listed} rows",
        )
        out.audit.append(_entry("noted", zh, en, table, None, found=table.title))


def _ticks(
    table: Table, record: Mapping[Any, Any], ticks: Mapping[str, str], row: int, name: str, out: _Rows
) -> frozenset[str]:
    found = set()
    for heading, service in ticks.items():
        text = record[heading]
        says = ticked(text)
        if says or (says is None and service in parse_services(text)[0]):
            found.add(service)
        elif says is None:
            out.audit.append(
                _entry(
                    "noted",
                    "既非“有”也非“无”",
                    "neither yes nor no",
                    table,
                    row,
                    name=name,
                    found=str(text),
                    column=heading,
                )
            )
    return frozenset(found)


def _why_unmapped(typed: Typed | None, address: str) -> tuple[str, str]:
    if typed is not None:
        return (
            f"坐标是一个范围（中心外 {typed.precision_m:.0f} 米），不是点；确要使用请写 allow_coarse = true",
            f"a range of positions, up to {typed.precision_m:.0f} m from its middle: no point; allow_coarse = true uses it",
        )
    kind = address_kind(address)
    if kind == "none":
        return "没有可用的坐标", "no usable coordinates"
    zh, en = _ADDRESS_ZH[kind]
    return (
        f"没有可用的坐标，只有地址（{zh}）：列入名单，不上图",
        f"no usable coordinates, an address only ({en}): listed, not mapped",
    )


def _why_rejected(
    cell: Mapping[str, str], typed: Typed, far_m: float, datum: str, area: Any, *, allow_coarse: bool
) -> tuple[str, str] | None:
    status = cell.get("status", "")
    if _NOT_OPEN.search(status) and not _RUNS_AGAIN.search(status):
        return f"状态：{status}", f"not running: {status}"
    if not status and (match := _IN_NAME.search(cell["name"]) or _NOT_OPEN.fullmatch(cell.get("remark", ""))):
        return f"未运行：{match[0]}", f"not running: {match[0]}"
    if typed.precision_m > QUARTER_M and not typed.area and not allow_coarse:
        return (
            f"坐标只有 {typed.precision_m / 1000:.1f} 公里的精度（一位小数）；确要使用请写 allow_coarse = true",
            f"known to {typed.precision_m / 1000:.1f} km only (one decimal); to use it, say allow_coarse = true",
        )
    if far_m <= OUTSIDE_M:
        return None
    zh, en = (
        f"在范围外 {far_m / 1000:.1f} 公里：坐标系或数字可能有误",
        f"{far_m / 1000:.1f} km outside the area: wrong datum or a typo",
    )
    hint = outside_hint(typed, datum, area)
    return (f"{zh}；{hint[0]}", f"{en}; {hint[1]}") if hint else (zh, en)


@lru_cache(maxsize=8192)
def _services(text: str | None) -> tuple[frozenset[str], tuple[str, ...]]:
    return parse_services(text)  # a list says the same few things of many stations


def _station(
    table: Table, mapping: Mapping[str, str], row: int, cell: dict[str, str], ticked_on: frozenset[str], typed: Typed,
    datum: str, lon: float, lat: float, issuer: str, date: dt.date | None, out: _Rows,
) -> dict[str, Any]:  # fmt: skip
    name = cell["name"]
    typed_position = " ".join(cell[k] for k in ("lonlat", "lon", "lat") if cell.get(k))
    plain = _PLAIN.fullmatch(typed_position) or typed.area
    for word, zh, done in (
        ("micro-degrees", "微度，已换算", "micro-degrees" in typed.mended),
        ("swapped", "经纬度写反，已对调", "swapped" in typed.mended and not typed.projected),
        (
            "survey numbers, X is the northing",
            "测量坐标，X 为北、Y 为东",
            "swapped" in typed.mended and typed.projected,
        ),
        ("another way to write it", "坐标写法已换算", not plain and not typed.mended),
    ):
        if done:
            out.audit.append(
                _entry(
                    "mended",
                    zh,
                    f"{word}: corrected",
                    table,
                    row,
                    name=name,
                    found=typed_position,
                    made=f"{typed.x:.12g}, {typed.y:.12g}",
                )
            )
    if typed.precision_m > 500:
        what = ("范围中心，", "the middle of a range, ") if typed.area else ("", "")
        out.audit.append(
            _entry(
                "noted",
                f"{what[0]}坐标精度约 {typed.precision_m:.0f} 米",
                f"{what[1]}position known to {typed.precision_m:.0f} m",
                table,
                row,
                name=name,
            )
        )
    services, unknown = _services(cell.get("services"))
    if unknown:
        out.audit.append(_entry("noted", "未识别的服务", "services not understood", table, row, name=name,
                                found="、".join(unknown), column=mapping["services"]))  # fmt: skip
    hours = read_hours(cell.get("hours"))
    if hours.note_zh:
        out.audit.append(
            _entry(
                "noted",
                hours.note_zh,
                hours.note_en,
                table,
                row,
                name=name,
                found=cell["hours"],
                column=mapping["hours"],
            )
        )
    return {
        "station_id": cell.get("id", ""), "name": name, "kind": cell.get("kind", ""),
        "plates": tuple(dict.fromkeys(p for p in re.split(r"[、，,；;/|\n]+", cell.get("plates", "")) if p.strip())),
        "lon": lon, "lat": lat, "services": services | ticked_on, "hours": hours.osm,
        "hours_text": cell.get("hours", ""), "access": hours.condition if hours.osm else "", "street": cell.get("street", ""), "community": cell.get("community", ""),
        "address": cell.get("address", ""), "phone": cell.get("phone", "").removesuffix(".0"),
        "issuer": issuer or cell.get("issuer", ""), "date": date.isoformat() if date else "", "file": table.file,
        "sheet": table.sheet, "row": row, "precision_m": typed.precision_m, "precision": typed.precision, "datum": datum,
    }  # fmt: skip
