"""Station lists → one table of locations in WGS-84, with an audit of every row."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from geo.errors import Defect, InputError
from geo.intake.columns import map_columns
from geo.intake.datum import to_wgs84
from geo.intake.hours import parse_hours
from geo.intake.positions import mend, number, pair, precision_m
from geo.intake.privacy import mask_mobiles
from geo.intake.services import parse_services
from geo.intake.tables import Table, read_table
from geo.models import AuditEntry

FIELDS = ("id", "name", "lon", "lat", "lonlat", "address", "hours", "services", "kind", "plates", "street",
          "community", "phone", "status", "remark")  # fmt: skip
COLUMNS = ["station_id", "name", "kind", "plates", "lon", "lat", "services", "hours", "hours_text", "street",
           "community", "address", "phone", "issuer", "date", "file", "row", "precision_m"]  # fmt: skip
NOT_OPEN = re.compile(r"建设中|拟建|在建|暂停|撤销|停用|关闭|筹建")
OUTSIDE_DEG = 0.05  # about 5 km beyond the district: a wrong datum or a typo, not a neighbour
SAME_DOOR_M = 15.0
SAME_NAME_M = 60.0
SIMILAR = 0.8


@dataclass(frozen=True, slots=True)
class StationList:
    """Stations that may be used, the counts of how they came about, and the audit."""

    frame: pd.DataFrame
    counts: Mapping[str, int]
    audit: tuple[AuditEntry, ...]


@dataclass(slots=True)
class _Rows:
    kept: list[dict[str, Any]] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)
    listed: int = 0
    unmapped: int = 0
    rejected: int = 0


def read_stations(
    path: Path,
    *,
    datum: str,
    issuer: str = "",
    date: dt.date | None = None,
    sheet: str | None = None,
    columns: Mapping[str, str] | None = None,
    area: Any = None,
) -> StationList:
    """Read one list; ``area`` is a WGS-84 polygon beyond which (5 km) a row is rejected.

    Raises :class:`geo.errors.InputError` where the file or its position columns cannot be made out.
    """
    out = _Rows()
    defects: list[Defect] = []
    for table in read_table(path, sheet=sheet):
        mapping = map_columns(table.frame.columns, FIELDS, columns)
        missing = [h for h in (columns or {}).values() if h not in table.frame.columns]
        positioned = "lonlat" in mapping or {"lon", "lat"} <= set(mapping)
        if missing or "name" not in mapping or not positioned:
            defects.append(_column_defect(table, mapping, missing))
            continue
        for row, text, why in table.skipped:
            out.audit.append(_entry("skipped", why, why, table, row, name=text))
        _take(table, mapping, datum, issuer, date, area, out)
    if defects:
        raise InputError(defects)
    frame = pd.DataFrame(out.kept, columns=COLUMNS)
    counts = {"listed": out.listed, "mapped": out.listed - out.unmapped, "used": len(frame), "merged": 0, "rejected": out.rejected}
    return StationList(frame, counts, tuple(out.audit))


def _column_defect(table: Table, mapping: Mapping[str, str], missing: list[str]) -> Defect:
    need = [f"{zh} / {en}" for key, zh, en in (("name", "名称", "name"), ("lon", "经度", "longitude"), ("lat", "纬度", "latitude"))
            if key not in mapping and not (key != "name" and "lonlat" in mapping)]  # fmt: skip
    found = "、".join(map(str, table.frame.columns))
    what = f"找不到列 no column for {'; '.join([*need, *missing])}；表中有 found: {found}；可在 [stations.columns] 指定 / name it in [stations.columns]"
    return Defect(what, file=table.file, sheet=table.sheet or None)


def _entry(action: Any, zh: str, en: str, table: Table, row: int, *, name: str = "", found: str = "", column: str = "") -> AuditEntry:
    return AuditEntry(action, zh, en, file=table.file, sheet=table.sheet, row=int(row), column=column,
                      name=mask_mobiles(name), found=mask_mobiles(found))  # fmt: skip


def _take(
    table: Table, mapping: Mapping[str, str], datum: str, issuer: str, date: dt.date | None, area: Any, out: _Rows
) -> None:
    near = None if area is None else area.buffer(OUTSIDE_DEG)
    if near is not None:
        shapely.prepare(near)
    for record, row in zip(table.frame.to_dict("records"), table.rows, strict=True):
        cell = {key: record[heading] or "" for key, heading in mapping.items()}
        name = mask_mobiles(cell["name"]).strip()
        if not name and not any(cell.get(k) for k in ("lon", "lat", "lonlat", "address")):
            out.audit.append(_entry("skipped", "空行", "no name and no position", table, row))
            continue
        out.listed += 1
        position = _position(cell, datum)
        if position is None:
            found = cell.get("lonlat") or f"{cell.get('lon', '')}, {cell.get('lat', '')}"
            out.unmapped += 1
            out.audit.append(_entry("unmapped", "没有可用的坐标", "no usable coordinates", table, row, name=name, found=found))
            continue
        lon, lat, mended, precision = position
        status = f"{cell.get('status', '')}"
        if NOT_OPEN.search(status):
            out.rejected += 1
            out.audit.append(_entry("rejected", f"状态：{status}", f"not running: {status}", table, row, name=name, found=status))
            continue
        if near is not None and not shapely.contains_xy(near, lon, lat):
            out.rejected += 1
            out.audit.append(
                _entry("rejected", "在范围外 5 公里以上：坐标系或数字可能有误", "more than 5 km outside the area: wrong datum or a typo",
                       table, row, name=name, found=f"{lon:.6f}, {lat:.6f}")  # fmt: skip
            )
            continue
        if mended:
            zh = {"swapped": "经纬度写反，已对调", "micro-degrees": "微度，已换算"}[mended]
            out.audit.append(_entry("mended", zh, f"{mended}: corrected", table, row, name=name))
        services, unknown = parse_services(cell.get("services"))
        if unknown:
            out.audit.append(_entry("noted", "未识别的服务", "services not understood", table, row, name=name, found="、".join(unknown)))
        out.kept.append(
            {
                "station_id": cell.get("id", ""), "name": name, "kind": cell.get("kind", ""),
                "plates": tuple(p for p in (cell.get("plates") or "").replace("，", "、").split("、") if p),
                "lon": lon, "lat": lat, "services": services, "hours": parse_hours(cell.get("hours")),
                "hours_text": mask_mobiles(cell.get("hours", "")), "street": cell.get("street", ""), "community": cell.get("community", ""),
                "address": mask_mobiles(cell.get("address", "")), "phone": mask_mobiles(cell.get("phone", "")),
                "issuer": issuer, "date": date.isoformat() if date else "", "file": table.file, "row": int(row),
                "precision_m": precision,
            }
        )  # fmt: skip


def _position(cell: Mapping[str, str], datum: str) -> tuple[float, float, str, float] | None:
    lon, lat = number(cell.get("lon")), number(cell.get("lat"))
    precision = precision_m(cell.get("lon"), cell.get("lat"))
    if lon is None or lat is None:
        both = pair(cell.get("lonlat") or cell.get("lon") or "")
        if both is None:
            return None
        lon, lat = both
        precision = precision_m(repr(lon), repr(lat))
    if lon == 0 and lat == 0:
        return None
    mended = ""
    if datum.startswith("EPSG"):
        if lon < lat and lat > 1e6 and lon < 1e6:
            pass
        elif lon > 1e6 and lat < 1e6:
            lon, lat, mended = lat, lon, "swapped"
        precision = 1.0
    else:
        lon, lat, mended = mend(lon, lat)
    x, y = to_wgs84(np.array([lon]), np.array([lat]), datum)
    if not (np.isfinite(x[0]) and np.isfinite(y[0]) and abs(y[0]) <= 90 and abs(x[0]) <= 180):
        return None
    return float(x[0]), float(y[0]), mended, precision


def merge_stations(lists: Sequence[StationList]) -> StationList:
    """Several lists as one: the same door under several plates becomes one location.

    Two rows are one location within 15 m when their names are alike or one list gives both the
    same coordinates, and within 60 m when the names are equal. ``hours_known`` is added to the counts.
    """
    frame = pd.concat([part.frame for part in lists], ignore_index=True) if lists else pd.DataFrame(columns=COLUMNS)
    audit = [entry for part in lists for entry in part.audit]
    counts = {key: sum(part.counts[key] for part in lists) for key in ("listed", "mapped", "rejected")}
    kept, dropped = _same_location(frame)
    for other, first in dropped.items():
        row, head = frame.loc[other], frame.loc[first]
        audit.append(
            AuditEntry("merged", f"与“{head['name']}”为同一处所", f"the same location as {head['name']}",
                       file=row["file"], row=int(row["row"]), name=row["name"])  # fmt: skip
        )
    merged = frame.loc[kept].copy()
    groups = {first: [first, *(o for o, f in dropped.items() if f == first)] for first in kept}
    for column, join in (("plates", _all_plates), ("services", _all_services), ("hours", _first_known)):
        merged[column] = pd.Series([join(frame.loc[groups[i]]) for i in kept], index=merged.index, dtype=object)
    merged = merged.reset_index(drop=True)
    merged["station_id"] = _ids(merged["station_id"])
    total = {**counts, "used": len(merged), "merged": len(dropped), "hours_known": int(merged["hours"].notna().sum())}
    return StationList(merged, total, tuple(audit))


def _same_location(frame: pd.DataFrame) -> tuple[list[int], dict[int, int]]:
    if frame.empty:
        return [], {}
    lon, lat = frame["lon"].to_numpy(dtype=float), frame["lat"].to_numpy(dtype=float)
    x = np.radians(lon) * 6_371_009.0 * np.cos(np.radians(lat.mean()))
    y = np.radians(lat) * 6_371_009.0
    dropped: dict[int, int] = {}
    names = [str(n) for n in frame["name"]]
    for a, b in sorted(cKDTree(np.column_stack((x, y))).query_pairs(SAME_NAME_M)):
        if b in dropped or a in dropped:
            continue
        distance_m = float(np.hypot(x[a] - x[b], y[a] - y[b]))
        alike = difflib.SequenceMatcher(None, names[a], names[b]).ratio() >= SIMILAR
        same_place = frame["address"].iloc[a] == frame["address"].iloc[b] != ""
        if names[a] == names[b] or (distance_m <= SAME_DOOR_M and (alike or same_place)):
            dropped[b] = a
    return [i for i in range(len(frame)) if i not in dropped], dropped


def _all_plates(rows: pd.DataFrame) -> tuple[str, ...]:
    names = [n for n in rows["name"]] if len(rows) > 1 else []
    return tuple(dict.fromkeys([p for plates in rows["plates"] for p in plates] + names))


def _all_services(rows: pd.DataFrame) -> frozenset[str]:
    return frozenset().union(*rows["services"])


def _first_known(rows: pd.DataFrame) -> str | None:
    return next((h for h in rows["hours"] if isinstance(h, str)), None)


def _ids(given: pd.Series) -> list[str]:
    texts = [str(v) for v in given]
    if all(texts) and len(set(texts)) == len(texts):
        return texts
    return [f"S{i:03d}" for i in range(1, len(texts) + 1)]
