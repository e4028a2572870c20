"""The ledger of what riders report (小哥有话说): text, place, time, kind, state; placed, and a layer of demand."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.config import AUTO, LedgerSection, Study
from geo.errors import Defect, InputError
from geo.intake.columns import map_columns
from geo.intake.datum import datum_left
from geo.intake.placing import OUTSIDE_M, by_datum, datums_said, outside_m
from geo.intake.positions import QUARTER_M, read_position
from geo.intake.privacy import mask_mobiles
from geo.intake.spread import polygon_of
from geo.intake.tables import Table, read_table
from geo.models import AuditEntry

COLUMNS = ["problem_id", "text", "kind", "state", "time", "place", "lon", "lat", "placed_by", "community", "file", "row"]  # fmt: skip
FIELDS = ("id", "problem", "place", "problem_time", "problem_kind", "state", "lon", "lat", "lonlat")
LAYER = "problems"
State = Literal["open", "in_progress", "closed"]
ON_THE_MAP = ("coordinates", "station", "venue")
SHORTEST_NAME = 3  # a place of two characters stands in too many sentences

_CLOSED = re.compile(r"(?<!未)(?:已?办结|已?解决|已?完成|已?处理(?!中)|已?答复|已?整改|关闭)|^(?:是|done|closed|resolved|fixed)$", re.IGNORECASE)  # fmt: skip
_RUNNING = re.compile(r"办理中|处理中|进行中|转办|已受理|已派单|跟进|in[ _]progress|assigned", re.IGNORECASE)
_DATE = re.compile(
    r"(?P<y>20\d\d)\s*[年\-/.]\s*(?P<m>\d{1,2})\s*[月\-/.]\s*(?P<d>\d{1,2})\s*[日号]?"
    r"(?:[\sT]*(?P<H>\d{1,2})\s*[:：时点]\s*(?P<M>\d{1,2})?)?"
)
_SERIAL = re.compile(r"[34567]\d{4}(?:\.\d+)?")  # Excel's days since 1899-12-30: years 1982 to 2119
_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - wall clock


def read_ledger(
    study: Study, *, area: Any, stations: pd.DataFrame, venues: pd.DataFrame, communities: gpd.GeoDataFrame
) -> tuple[pd.DataFrame, list[AuditEntry]]:
    """The problems of ``[ledger]`` with the columns :data:`COLUMNS`, and what could not be placed.

    A row is placed by its numbers (``placed_by`` = ``coordinates``), else by the only station or venue
    (``station``, ``venue``) whose name its place or its text holds, else it stays in the list without a
    position (``community`` where it names one, else ""). ``state`` is open, in_progress or closed: what
    is not said to be done is open. ``time`` is ISO 8601, "" where it cannot be read. Personal numbers
    are masked. Raises :class:`geo.errors.InputError` where the file or its columns cannot be made out.
    """
    section = study.ledger
    assert section is not None
    audit: list[AuditEntry] = []
    tables = read_table(study.path(section.file))
    mapped = [map_columns(map(str, table.frame.columns), FIELDS) for table in tables]
    if not any("problem" in mapping for mapping in mapped):
        raise InputError(
            Defect(
                f"找不到问题内容这一列；有 {'、'.join(map(str, table.frame.columns))} / no column of problems; the file has these",
                file=table.file, sheet=table.sheet or None,
            )
            for table in tables
        )  # fmt: skip
    rows: list[dict[str, Any]] = []
    for table, mapping in zip(tables, mapped, strict=True):
        for number, text, why in (*table.skipped, *table.notes):
            zh, _slash, en = why.partition(" / ")
            action = "noted" if (number, text, why) in table.notes else "skipped"
            audit.append(_entry(action, zh, en or zh, table, number, text))
        if "problem" in mapping:
            rows += _take(table, mapping, section, area, audit)
        else:
            zh, en = "此工作表没有问题内容列", "this sheet has no column of problems"
            audit.append(_entry("skipped", zh, en, table, None))
    for i, row in enumerate(rows, start=1):
        row["problem_id"] = f"P{i:03d}"
    _place_by_name(rows, stations, venues, communities)
    for row in rows:
        if row["placed_by"] not in ON_THE_MAP:
            zh = "没有坐标，地点也对不上唯一的驿站或场所：列入台账，不上图"
            en = "no position, and its place names no single station or venue: listed, not mapped"
            found = row["place"] or row["text"]
            audit.append(
                AuditEntry(
                    "unmapped", zh, en, file=row["file"], row=row["row"], name=row["problem_id"], found=found
                )
            )
    frame = pd.DataFrame(rows, columns=COLUMNS, dtype=object).astype({"lon": float, "lat": float, "row": int})
    placed = frame["lon"].notna().to_numpy()
    lon, lat = (frame[c].to_numpy(dtype=float)[placed] for c in ("lon", "lat"))
    names = [*map(str, communities["name"]), ""]
    frame.loc[placed, "community"] = [names[i] for i in polygon_of(communities, lon, lat)]
    return frame, audit


def ledger_demand(problems: pd.DataFrame, communities: gpd.GeoDataFrame) -> pd.DataFrame:
    """The placed problems as a layer of demand, each of weight 1, in their order."""
    placed = problems[problems["lon"].notna()]
    lon, lat = placed["lon"].to_numpy(dtype=float), placed["lat"].to_numpy(dtype=float)
    return pd.DataFrame(
        {"layer": LAYER, "community": polygon_of(communities, lon, lat).astype(np.int32), "lon": lon, "lat": lat, "weight": 1.0}
    )  # fmt: skip


def _take(
    table: Table, mapping: Mapping[str, str], section: LedgerSection, area: Any, audit: list[AuditEntry]
) -> list[dict[str, Any]]:
    said, notes = datums_said(table, mapping, datum_left(section.datum or AUTO, table.crs), AUTO)
    audit += [_entry("noted", zh, en, table, None, found) for zh, en, found in notes]
    rows: list[dict[str, Any]] = []
    datums: list[str] = []
    for k, (record, number) in enumerate(zip(table.frame.to_dict("records"), table.rows, strict=True)):
        cell = {key: mask_mobiles(str(record[heading] or "")).strip() for key, heading in mapping.items()}
        if not cell["problem"] and not cell.get("place"):
            told = " ".join(str(v) for v in record.values() if v)
            audit.append(_entry("skipped", "没有问题内容", "no problem told", table, int(number), told))
            continue
        time = moment(cell.get("problem_time", ""))
        if time is None:
            zh, en = "时间无法识别", "the time cannot be read"
            audit.append(_entry("noted", zh, en, table, int(number), cell["problem_time"]))
        raw = (str(record[mapping[key]] or "") if key in mapping else "" for key in ("lon", "lat", "lonlat"))
        typed = read_position(*raw)
        row: dict[str, Any] = {
            "text": cell["problem"], "kind": cell.get("problem_kind", ""), "state": state(cell.get("state", "")),
            "time": time or "", "place": cell.get("place", ""), "lon": np.nan, "lat": np.nan, "placed_by": "",
            "community": "", "file": table.file, "row": int(number),
        }  # fmt: skip
        if typed is not None and not typed.area and typed.precision_m <= QUARTER_M:
            row |= {"lon": typed.x, "lat": typed.y, "placed_by": "coordinates"}
            datums.append(said[k])
        rows.append(row)
    placed = [row for row in rows if row["placed_by"]]
    unsaid = [row["row"] for row, datum in zip(placed, datums, strict=True) if datum == AUTO]
    if unsaid:
        raise InputError(
            Defect(
                f"有 {len(unsaid)} 行坐标没有写坐标系：请写 [ledger] datum = gcj02、bd09 或 wgs84 / "
                f"{len(unsaid)} positions of an unknown datum: declare it",
                file=table.file, sheet=table.sheet or None, row=unsaid[0], key="ledger.datum",
            )
        )  # fmt: skip
    x, y = (np.array([row[c] for row in placed], dtype=np.float64) for c in ("lon", "lat"))
    lon, lat = by_datum(x, y, datums)
    far_m = outside_m(area, lon, lat)
    for i, row in enumerate(placed):
        if far_m[i] <= OUTSIDE_M:
            row |= {"lon": float(lon[i]), "lat": float(lat[i])}
            continue
        zh, en = (
            "坐标在范围外 5 公里以上，不用此坐标",
            "more than 5 km outside the area: the position is not used",
        )
        audit.append(_entry("noted", zh, en, table, row["row"], f"{lon[i]:.5f}, {lat[i]:.5f}"))
        row |= {"lon": np.nan, "lat": np.nan, "placed_by": ""}
    return rows


def _place_by_name(
    rows: Sequence[dict[str, Any]],
    stations: pd.DataFrame,
    venues: pd.DataFrame,
    communities: gpd.GeoDataFrame,
) -> None:
    """Fill the positions of rows whose place, or else text, holds the name of one known place only."""
    left = [row for row in rows if not row["placed_by"]]
    for source, places in (("station", stations), ("venue", venues)):
        at = _rows_by_name(list(places["name"]))
        lon, lat = places["lon"].to_numpy(dtype=float), places["lat"].to_numpy(dtype=float)
        unclear = []
        for row in left:
            found = _found(at, row)
            if found is None:
                unclear.append(row)
            elif found >= 0:  # of two stations neither, and no venue that bears the name of one of them
                row |= {"lon": float(lon[found]), "lat": float(lat[found]), "placed_by": source}
        left = unclear
    names = list(map(str, communities["name"]))
    at = _rows_by_name(names)
    for row in rows:
        found = None if row["placed_by"] else _found(at, row)
        if found is not None and found >= 0:
            row |= {"placed_by": "community", "community": names[found]}


def _found(at: Mapping[str, int], row: Mapping[str, Any]) -> int | None:
    by_place = _held(at, row["place"])
    return _held(at, row["text"]) if by_place is None else by_place


def _rows_by_name(names: Sequence[Any]) -> dict[str, int]:
    """Plain name → row, -1 where several bear it; names long enough to mean one place."""
    plain = [_folded(name) for name in names]
    return {n: i if plain.count(n) == 1 else -1 for i, n in enumerate(plain) if len(n) >= SHORTEST_NAME}


def _folded(name: Any) -> str:
    return re.sub(r"[\s（）()]+", "", unicodedata.normalize("NFKC", str(name or "")))


def _held(at: Mapping[str, int], text: Any) -> int | None:
    """The row of the longest known name that ``text`` holds; None where it holds none, -1 where it may mean several."""
    folded = _folded(text)
    held = [name for name in at if name in folded]
    if not held:
        return None
    longest = max(held, key=len)
    return at[longest] if all(name in longest for name in held) else -1


def state(text: str) -> State:
    """What has become of a problem; what is not said to be done is open.

    >>> state("已办结"), state("处理中"), state("未办结"), state("")
    ('closed', 'in_progress', 'open', 'open')
    """
    if _RUNNING.search(text):
        return "in_progress"
    return "closed" if _CLOSED.search(text) else "open"


def moment(text: str) -> str | None:
    """A date, with or without an hour, as ISO 8601 (wall clock); "" for nothing, None where it cannot be read.

    >>> moment("2026年10月3日 14时20分"), moment("2026/10/3"), moment("46298"), moment("上周"), moment("")
    ('2026-10-03T14:20', '2026-10-03', '2026-10-03', None, '')
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain:
        return ""
    if _SERIAL.fullmatch(plain):
        when = _EPOCH + dt.timedelta(days=float(plain))
        return when.isoformat(timespec="minutes") if "." in plain else when.date().isoformat()
    match = _DATE.search(plain)
    if match is None:
        return None
    day = f"{int(match['y'])}-{int(match['m']):02d}-{int(match['d']):02d}"
    hour = f"T{int(match['H']):02d}:{int(match['M'] or 0):02d}" if match["H"] else ""
    try:
        dt.datetime.fromisoformat(day + hour)
    except ValueError:
        return None
    return day + hour


def _entry(action: Any, zh: str, en: str, table: Table, row: int | None, found: str = "") -> AuditEntry:
    return AuditEntry(action, zh, en, file=table.file, sheet=table.sheet, row=row, found=mask_mobiles(found))
