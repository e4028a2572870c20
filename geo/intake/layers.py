"""Weighted points from one file: a table, a vector layer or a raster of people."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pyproj import CRS, Transformer

from geo.config import DemandSection
from geo.errors import Defect, InputError
from geo.intake.cells import numbers
from geo.intake.columns import clean_heading, closest_headings, find_heading, map_columns
from geo.intake.datum import datum_left, to_wgs84
from geo.intake.positions import LARGEST, number, pair
from geo.intake.tables import Table, read_table
from geo.models import F64, I64, AuditEntry, Bool

MOST_DEFECTS = 20  # of one kind in one file; the rest is counted
_COUNT = re.compile(
    r"^(?:pop|people|persons|inhabitants|residents|workers|headcount|人口|人数)", re.IGNORECASE
)


def read_points(path: Path, section: DemandSection, *, layer: str) -> tuple[pd.DataFrame, list[AuditEntry]]:
    """``lon lat weight`` of every row of a table or vector layer (a point inside each polygon), WGS-84.

    Weights come from the column named in the section, else from a heading that says so, else each row
    counts 1, which the audit says. A blank weight is not stated: the row goes to the audit. Raises
    :class:`geo.errors.InputError` for missing columns and for every row whose position or weight is no
    number, or whose weight is negative.
    """
    frames: list[pd.DataFrame] = []
    audit: list[AuditEntry] = []
    defects: list[Defect] = []
    tables = read_table(path)
    fields = [layer_columns(table, section) for table in tables]
    # beside the real table, a workbook may hold a cover sheet or notes
    usable = [not problems for _mapping, problems in fields]
    for table, (mapping, problems), ok in zip(tables, fields, usable, strict=True):
        if not ok and any(usable):
            zh, en = "此工作表没有坐标列", "this sheet has no columns of positions"
            audit.append(AuditEntry("skipped", zh, en, file=table.file, sheet=table.sheet))
        elif not ok:
            defects += problems
        else:
            frame, wrong = _rows(table, mapping, section.datum, layer)
            blank = _blank(table, mapping)
            frames.append(frame[~blank])
            audit += _not_stated(table, mapping, blank, layer)
            defects += wrong
            if "weight" not in mapping:
                zh, en = f"{layer}：没有权重列，每行计 1", f"{layer}: no weight column, each row counts 1"
                audit.append(AuditEntry("noted", zh, en, file=table.file, sheet=table.sheet))
        for k, (row, text, why) in enumerate((*table.skipped, *table.notes)):
            zh, _, en = why.partition(" / ")
            action: Literal["skipped", "noted"] = "skipped" if k < len(table.skipped) else "noted"
            audit.append(
                AuditEntry(action, zh, en or zh, file=table.file, sheet=table.sheet, row=row, found=text)
            )
    if defects:
        raise InputError(defects)
    return pd.concat(frames, ignore_index=True), audit


def layer_columns(table: Table, section: DemandSection) -> tuple[dict[str, str], list[Defect]]:
    """Field (``lon lat lonlat weight``) → heading of a layer of points, and what is missing."""
    headings = [str(c) for c in table.frame.columns]
    overrides = {"weight": section.weight} if section.weight else {}
    mapping = map_columns(headings, ("lon", "lat", "lonlat", "weight"), overrides)
    missing = []
    if "lonlat" not in mapping:
        named = (("lon", "经度 / longitude"), ("lat", "纬度 / latitude"))
        missing = [text for key, text in named if key not in mapping]
    if section.weight and find_heading(headings, section.weight) is None:
        close = closest_headings(headings, section.weight)
        missing.append(section.weight + (f"（最接近 closest：{'、'.join(close)}）" if close else ""))
    has = "、".join(headings)
    sheet = table.sheet or None
    if missing:
        message = f"找不到列 {'、'.join(missing)}；有 {has} / columns not found; the file has these"
        return mapping, [Defect(message, file=table.file, sheet=sheet)]
    if "weight" not in mapping:
        counts = [h for h in headings if h not in mapping.values() and _COUNT.match(clean_heading(h))]
        if len(counts) > 1:
            message = (
                f"哪一列是权重？{'、'.join(counts)}；请写 weight = / which column is the weight? name it"
            )
            return mapping, [Defect(message, file=table.file, sheet=sheet)]
        if counts:
            mapping["weight"] = counts[0]
    return mapping, []


def _rows(table: Table, mapping: dict[str, str], datum: str, layer: str) -> tuple[pd.DataFrame, list[Defect]]:
    lon, lat = _positions(table, mapping)
    weight = numbers(table.frame[mapping["weight"]]) if "weight" in mapping else np.ones(len(table.frame))
    placed = np.isfinite(lon) & np.isfinite(lat)
    counted = np.isfinite(weight) & (weight >= 0)
    x, y = to_wgs84(np.where(placed, lon, 0.0), np.where(placed, lat, 0.0), datum_left(datum, table.crs))
    placed &= np.isfinite(x) & np.isfinite(y) & (np.abs(x) <= 180) & (np.abs(y) <= 90)
    place = mapping.get("lonlat", f"{mapping.get('lon')}, {mapping.get('lat')}")
    defects = _wrong(table, np.flatnonzero(~placed), "不是坐标 / not a position", place, layer)
    if "weight" in mapping:
        bad = np.flatnonzero(~counted & ~_blank(table, mapping))
        defects += _wrong(
            table, bad, "权重应为非负数 / the weight must be a number ≥ 0", mapping["weight"], layer
        )
    return pd.DataFrame({"lon": x, "lat": y, "weight": weight}), defects


def _blank(table: Table, mapping: dict[str, str]) -> Bool:
    if "weight" not in mapping:
        return np.zeros(len(table.frame), dtype=np.bool_)
    return np.asarray(table.frame[mapping["weight"]].isna(), dtype=np.bool_)


def _not_stated(table: Table, mapping: dict[str, str], blank: Bool, layer: str) -> list[AuditEntry]:
    zh, en = f"{layer}：权重空缺，未计", f"{layer}: the weight is not stated, not counted"
    return [
        AuditEntry(
            "skipped", zh, en, file=table.file, sheet=table.sheet, row=int(row), column=mapping["weight"]
        )
        for row in table.rows[blank]
    ]


def _positions(table: Table, mapping: dict[str, str]) -> tuple[F64, F64]:
    if {"lon", "lat"} <= set(mapping):
        lon, lat = (_degrees(table.frame[mapping[key]]) for key in ("lon", "lat"))
        return lon, lat
    both = [pair(text) or (np.nan, np.nan) for text in table.frame[mapping["lonlat"]]]
    array = np.array(both, dtype=np.float64).reshape(-1, 2)
    return array[:, 0], array[:, 1]


def _degrees(values: pd.Series[Any]) -> F64:
    plain: F64 = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, copy=True)
    plain[np.abs(plain) >= LARGEST] = np.nan
    for i in np.flatnonzero(np.isnan(plain)):
        read = number(values.iloc[i])
        plain[i] = np.nan if read is None else read
    return plain


def _wrong(table: Table, rows: I64, what: str, column: str, layer: str) -> list[Defect]:
    whole = Defect(what, file=table.file, sheet=table.sheet or None, column=column, key=f"demand.{layer}")
    cells = table.frame.reindex(columns=column.split(", "))
    defects = [
        replace(whole, message=f"{what}: {', '.join(str(v) for v in cells.iloc[i])}", row=int(table.rows[i]))
        for i in rows[:MOST_DEFECTS]
    ]
    more = len(rows) - len(defects)
    if more > 0:
        defects.append(replace(whole, message=f"{what}: 另有 {more} 行 / and {more} rows more"))
    return defects


def read_raster(path: Path, *, area: Any) -> pd.DataFrame:
    """``lon lat weight`` of the cells with people in the area's box (cell centres, WGS-84).

    Only the window of the box is read; nodata, NaN and values ≤ 0 are left out. ``area``: a WGS-84
    polygon. Raises :class:`geo.errors.InputError` where the raster cannot be read, bears no CRS or
    does not meet the area.
    """
    import rasterio
    from rasterio.errors import RasterioIOError
    from rasterio.windows import Window

    try:
        with rasterio.open(path) as source:
            if source.crs is None:
                message = "栅格没有坐标系 / the raster declares no CRS"
                raise InputError(Defect(message, file=path.name))
            crs = CRS.from_wkt(source.crs.to_wkt())
            grid = np.array([[source.transform.a, source.transform.b, source.transform.c],
                             [source.transform.d, source.transform.e, source.transform.f], [0.0, 0.0, 1.0]])  # fmt: skip
            left, top, right, bottom = _window(grid, crs, area, source.width, source.height)
            if left >= right or top >= bottom:
                message = "栅格与范围不相交 / the raster does not meet the area"
                raise InputError(Defect(message, file=path.name))
            window = Window(left, top, right - left, bottom - top)
            values = source.read(1, window=window, masked=True).astype(np.float64).filled(0.0)
    except RasterioIOError as error:
        message = f"读不了这个栅格 / this raster cannot be read: {error}"
        raise InputError(Defect(message, file=path.name)) from error
    rows, columns = np.nonzero(np.nan_to_num(values, posinf=0.0) > 0)
    x, y, _one = grid @ np.vstack((columns + left + 0.5, rows + top + 0.5, np.ones(len(rows))))
    lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)
    return pd.DataFrame({"lon": np.asarray(lon), "lat": np.asarray(lat), "weight": values[rows, columns]})


def _window(grid: F64, crs: CRS, area: Any, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom cells of the area's box, one cell to spare, cut to the raster."""
    ahead = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    west, south, east, north = ahead.transform_bounds(*area.bounds)
    corners = np.array([[west, west, east, east], [south, north, south, north], [1.0, 1.0, 1.0, 1.0]])
    columns, rows, _one = np.linalg.inv(grid) @ corners
    return (
        max(int(np.floor(columns.min())) - 1, 0),
        max(int(np.floor(rows.min())) - 1, 0),
        min(int(np.ceil(columns.max())) + 1, width),
        min(int(np.ceil(rows.max())) + 1, height),
    )
