"""Premises that could host a station: from the user's file, else OSM's; and those that answered the call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely

from geo.config import Study
from geo.errors import Defect, InputError
from geo.intake.columns import map_columns
from geo.intake.datum import datum_left, to_wgs84
from geo.intake.hours import parse_hours
from geo.intake.positions import number, pair
from geo.intake.privacy import mask_mobiles
from geo.intake.recruitment import join_venues, read_recruitment
from geo.intake.services import parse_services
from geo.intake.tables import Table, read_table
from geo.models import AuditEntry, RoadNetwork
from geo.premises import VENUE_KINDS

COLUMNS = ["venue_id", "name", "kind", "lon", "lat", "services", "hours"]
FIELDS = ("id", "name", "kind", "lon", "lat", "lonlat", "services", "hours")


def read_venues(study: Study, *, area: Any, network: RoadNetwork) -> tuple[pd.DataFrame, list[AuditEntry]]:
    """Venues inside the area (WGS-84): ``venue_id name kind lon lat services hours``, and the audit.

    From the file of the study, else from the hosts (:data:`geo.premises.VENUE_KINDS`) of the roads file,
    where an unnamed one bears its kind; before them those of the recruitment forms. Rows without a position or outside the area stand in the audit. Raises
    :class:`geo.errors.InputError` where the file cannot be read or its columns cannot be made out.
    """
    audit: list[AuditEntry] = []
    section = study.venues
    if section is None or section.file is None:
        venues = _from_osm(network)
    else:
        venues, audit = _from_file(study, section.file, section.datum)
    shapely.prepare(area)
    lon, lat = venues["lon"].to_numpy(dtype=float), venues["lat"].to_numpy(dtype=float)
    inside = np.asarray(shapely.contains_xy(area, lon, lat), dtype=np.bool_)
    if section is not None and section.file is not None:
        zh, en = "候选场所在范围外", "venue outside the area"
        for sheet, row, name in venues.loc[~inside, ["sheet", "row", "name"]].itertuples(index=False):
            audit.append(
                AuditEntry("skipped", zh, en, file=section.file, sheet=sheet, row=int(row), name=name)
            )
    venues = venues.loc[inside, COLUMNS].reset_index(drop=True)
    if section is None or section.recruitment is None:
        return venues, audit
    answers, told = read_recruitment(
        study.path(section.recruitment), datum=section.recruitment_datum, area=area
    )
    venues, merged = join_venues(answers, venues)
    return venues, [*audit, *told, *merged]


def _from_osm(network: RoadNetwork) -> pd.DataFrame:
    known = network.surroundings.amenities
    frame = known[known["kind"].isin(VENUE_KINDS)]
    made = {
        "venue_id": [str(v) for v in frame["osm_id"]],
        "name": [name or kind for name, kind in zip(frame["name"], frame["kind"], strict=True)],
        "kind": list(frame["kind"]),
        "lon": frame["lon"].to_numpy(dtype=float),
        "lat": frame["lat"].to_numpy(dtype=float),
        "services": [frozenset[str]() for _ in range(len(frame))],
        "hours": [parse_hours(text) for text in frame["opening_hours"]],
    }
    return pd.DataFrame({key: _column(key, values) for key, values in made.items()})


def _column(key: str, values: Any) -> pd.Series[Any]:
    return pd.Series(values, dtype=np.float64 if key in {"lon", "lat"} else object)


def _from_file(study: Study, name: str, datum: str) -> tuple[pd.DataFrame, list[AuditEntry]]:
    path = study.path(name)
    if not path.is_file():
        raise InputError(Defect("没有这个文件 / no such file", file=name, key="venues.file"))
    rows: list[dict[str, Any]] = []
    audit: list[AuditEntry] = []
    tables = read_table(path)
    mapped = [map_columns(table.frame.columns, FIELDS) for table in tables]
    lacking = [lacking_columns(mapping) for mapping in mapped]
    if all(lacking):
        raise InputError(
            Defect(
                f"找不到列 {'、'.join(missing)}；有 {'、'.join(map(str, table.frame.columns))} / "
                "columns not found; the file has these",
                file=table.file,
                sheet=table.sheet or None,
            )
            for table, missing in zip(tables, lacking, strict=True)
        )
    for table, mapping, missing in zip(tables, mapped, lacking, strict=True):
        for k, (row, text, why) in enumerate((*table.skipped, *table.notes)):
            zh, _, en = why.partition(" / ")
            action = "skipped" if k < len(table.skipped) else "noted"
            audit.append(_entry(action, zh, en or zh, table, row, found=text))
        if missing:
            zh, en = "此工作表不是场所表", "this sheet is no list of venues"
            audit.append(AuditEntry("skipped", zh, en, file=table.file, sheet=table.sheet))
        else:
            rows += _take(table, mapping, datum_left(datum, table.crs), audit)
    frame = pd.DataFrame({key: _column(key, [r[key] for r in rows]) for key in (*COLUMNS, "sheet", "row")})
    frame["venue_id"] = _ids(list(frame["venue_id"]))
    return frame, audit


def lacking_columns(mapping: dict[str, str]) -> list[str]:
    """What a list of venues cannot do without and has no column for, Chinese / English."""
    position = [] if "lonlat" in mapping else [("lon", "经度 / longitude"), ("lat", "纬度 / latitude")]
    return [text for key, text in (("name", "名称 / name"), *position) if key not in mapping]


def _take(table: Table, mapping: dict[str, str], datum: str, audit: list[AuditEntry]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    positions: list[tuple[float, float]] = []
    for record, row in zip(table.frame.to_dict("records"), table.rows, strict=True):
        cell = {key: str(record[heading] or "") for key, heading in mapping.items()}
        name = mask_mobiles(cell["name"])
        lon, lat = number(cell.get("lon")), number(cell.get("lat"))
        both = (lon, lat) if lon is not None and lat is not None else pair(cell.get("lonlat"))
        if both is None:
            typed = cell.get("lonlat") or f"{cell.get('lon', '')}, {cell.get('lat', '')}".strip(", ")
            audit.append(
                _entry("unmapped", "没有可用的坐标", "no usable coordinates", table, row, name, typed)
            )
            continue
        services, unknown = parse_services(cell.get("services"))
        if unknown:
            audit.append(
                _entry(
                    "noted", "未识别的服务", "services not understood", table, row, name, "、".join(unknown)
                )
            )
        positions.append(both)
        kept.append(
            {
                "venue_id": cell.get("id", ""), "name": name or cell.get("kind") or f"{row}",
                "kind": cell.get("kind", ""), "services": services,
                "hours": parse_hours(cell.get("hours")), "sheet": table.sheet, "row": int(row),
            }
        )  # fmt: skip
    xy = np.array(positions, dtype=np.float64).reshape(-1, 2)
    lon_deg, lat_deg = to_wgs84(xy[:, 0], xy[:, 1], datum)
    return [{**row, "lon": x, "lat": y} for row, x, y in zip(kept, lon_deg, lat_deg, strict=True)]


def _entry(
    action: Any, zh: str, en: str, table: Table, row: Any, name: str = "", found: str = ""
) -> AuditEntry:
    return AuditEntry(action, zh, en, file=table.file, sheet=table.sheet, row=None if row is None else int(row),
                      name=name, found=mask_mobiles(found))  # fmt: skip


def _ids(given: Sequence[Any]) -> list[str]:
    """The ids of the file where every row has one and they differ, else V001 …."""
    texts = [str(v) for v in given]
    if all(texts) and len(set(texts)) == len(texts):
        return texts
    return [f"V{i:03d}" for i in range(1, len(texts) + 1)]
