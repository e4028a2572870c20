"""Positions as typed, each row in its own datum → WGS-84; and what is wrong where one falls outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from geo.config import AUTO
from geo.errors import InputError
from geo.intake.columns import datum_said
from geo.intake.datum import to_wgs84
from geo.intake.positions import M_PER_DEG, Typed, dms_misread, zone_epsg
from geo.intake.tables import Table
from geo.models import F64

OUTSIDE_M = 5_000.0  # beyond the district by more: a wrong datum or a typo, not a neighbour
_ZONES = tuple(f"EPSG:{code}" for code in range(4534, 4555))  # CGCS2000, 3 degrees, easting without a zone
_SYSTEM = frozenset({"坐标系", "坐标系统", "坐标类型", "坐标基准"})


def datums_said(
    table: Table, mapping: Mapping[str, str], datum: str, proven: str
) -> tuple[list[str], list[tuple[str, str, str]]]:
    """The datum of each row of a table: the declared one, or with ``auto`` what the file itself says.

    With ``auto``, rows of which nothing is said are in the datum ``proven``. The notes (Chinese, English,
    what was found) tell where the file names another datum than the study: half a kilometre is at stake.
    """
    notes: list[tuple[str, str, str]] = []
    used = {mapping[k] for k in ("lon", "lat", "lonlat") if k in mapping}
    told = [typed for typed, clean in zip(table.headings, table.frame.columns, strict=True) if clean in used]
    by_heading = next((said for text in told if (said := datum_said(text)) is not None), None)
    system = next((c for c in table.frame.columns if str(c) in _SYSTEM), None)
    cells: list[Any] = [None] * len(table.frame) if system is None else list(table.frame[system])
    if datum == AUTO:
        by_row: list[str] = [(datum_said(cell) if cell else None) or by_heading or proven for cell in cells]
        for said in sorted(set(by_row) - {proven}):
            zh = f"{by_row.count(said)} 行按文件所写读作 {said}"
            en = f"{by_row.count(said)} rows read as {said}, as the file says"
            notes.append((zh, en, said))
        return by_row, notes
    same = {"cgcs2000": "wgs84"}
    for text in dict.fromkeys([*told, *(str(c) for c in cells if c)]):
        said_here = datum_said(text)
        if (
            said_here is not None
            and not datum.startswith("EPSG")
            and same.get(said_here, said_here) != same.get(datum, datum)
        ):
            zh = f"声明的坐标系是 {datum}，文件里写的是 {said_here}"
            en = f"declared datum {datum}, but the file says {said_here}"
            notes.append((zh, en, text))
    return [datum] * len(cells), notes


def zones_found(x: F64, y: F64, typed: Sequence[Typed], datums: Sequence[str], area: Any) -> list[str]:
    """``datums`` with the CRS of rows in metres where that is not declared: by zone number, or by the area.

    Without a zone number the CRS is the only one that brings the row into the area.
    """
    found = list(datums)
    metric = [k for k, t in enumerate(typed) if t.projected and datums[k] in {AUTO, "cgcs2000"}]
    for k in metric:
        found[k] = zone_epsg(typed[k].x) or found[k]
    left = [k for k in metric if found[k] == datums[k]]
    if left and area is not None:
        inside = {zone: outside_m(area, *to_wgs84(x[left], y[left], zone)) <= OUTSIDE_M for zone in _ZONES}
        for i, k in enumerate(left):
            fits = [zone for zone in _ZONES if inside[zone][i]]
            found[k] = fits[0] if len(fits) == 1 else found[k]
    return found


def by_datum(x: F64, y: F64, datums: Sequence[str]) -> tuple[F64, F64]:
    """WGS-84 degrees of rows that are each in their own datum; ``auto`` is read as WGS-84."""
    lon, lat = np.empty(len(x)), np.empty(len(x))
    of = np.array(datums, dtype=object)
    for datum in sorted(set(datums)):
        rows = of == datum
        lon[rows], lat[rows] = to_wgs84(x[rows], y[rows], "wgs84" if datum == AUTO else datum)
    return lon, lat


def outside_m(area: Any, lon: F64, lat: F64) -> F64:
    """Metres from the area, 0 inside; in a plane scaled at the area's middle."""
    if area is None or len(lon) == 0:
        return np.zeros(len(lon))
    middle = 0.5 * (area.bounds[1] + area.bounds[3])
    scale = np.array([M_PER_DEG * np.cos(np.radians(middle)), M_PER_DEG])
    plane = shapely.transform(area, lambda xy: xy * scale)
    shapely.prepare(plane)
    valid = np.isfinite(lon) & np.isfinite(lat)
    far = np.full(len(lon), np.inf)
    far[valid] = shapely.distance(plane, shapely.points(lon[valid] * scale[0], lat[valid] * scale[1]))
    return far


def outside_hint(typed: Typed, datum: str, area: Any) -> tuple[str, str] | None:
    """What would bring the row into the area: degrees-minutes-seconds, or a neighbouring zone."""
    if datum.startswith("EPSG") and abs(typed.x) > 1_000:
        code = int(datum.split(":")[1])
        for other in (code - 1, code + 1):
            try:
                lon, lat = to_wgs84(np.array([typed.x]), np.array([typed.y]), f"EPSG:{other}")
            except InputError:
                continue
            if outside_m(area, lon, lat)[0] <= OUTSIDE_M:
                return f"若为 EPSG:{other} 则在范围内", f"inside if EPSG:{other}"
        return None
    other_x, other_y = dms_misread(typed.x), dms_misread(typed.y)
    for x, y in ((other_x, typed.y), (typed.x, other_y), (other_x, other_y)):
        if x is None or y is None:
            continue
        there = to_wgs84(np.array([x]), np.array([y]), datum)
        if outside_m(area, *there)[0] <= OUTSIDE_M:
            return ("可能把度分秒写成了小数（115.4612 = 115°46′12″）",
                    "perhaps degrees-minutes-seconds typed as a decimal (115.4612 = 115°46′12″)")  # fmt: skip
    return None
