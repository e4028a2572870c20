"""Files as people keep them → plain tables with the row numbers of the file."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd

from geo.errors import Defect, InputError
from geo.intake.columns import clean_heading, header_score
from geo.models import I64

_TAIL = re.compile(r"^(?:合计|总计|小计|共计|填报人|填表人|制表|注[:：]|说明[:：]|备注[:：]|审核)")
HEADER_ROWS = 12  # a heading is looked for in the first rows only
VECTOR = (".geojson", ".json", ".gpkg", ".shp", ".parquet")


@dataclass(frozen=True, slots=True)
class Table:
    """One table: text cells (None where empty), file row numbers, and what was passed over."""

    frame: pd.DataFrame
    rows: I64
    file: str
    sheet: str = ""
    encoding: str = ""
    title: str = ""
    skipped: tuple[tuple[int, str, str], ...] = ()


def read_table(path: Path, *, sheet: str | None = None) -> list[Table]:
    """Read csv, xlsx or a vector layer; vector layers give ``lon`` and ``lat`` of a point inside.

    Raises :class:`geo.errors.InputError` for a missing, unreadable or empty file.
    """
    if not path.is_file():
        raise InputError(Defect("没有这个文件 / no such file", file=str(path)))
    suffix = path.suffix.lower()
    if suffix in {".xlsx", ".xlsm"}:
        return _read_xlsx(path, sheet)
    if suffix in {".csv", ".txt", ".tsv"}:
        return [_read_csv(path)]
    if suffix in VECTOR:
        return [_vector_table(path)]
    message = "不支持的表格；可用 .csv .xlsx .geojson .gpkg .shp / unsupported; use one of these"
    raise InputError(Defect(message, file=path.name))


def _read_csv(path: Path) -> Table:
    data = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise InputError(Defect("编码既非 UTF-8 也非 GB18030 / neither UTF-8 nor GB18030", file=path.name))
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = [(lines.line_num, row) for row in lines]
    return _table(rows, file=path.name, sheet="", encoding=encoding)


def _read_xlsx(path: Path, sheet: str | None) -> list[Table]:
    try:
        book = openpyxl.load_workbook(path, data_only=True)
    except (BadZipFile, KeyError, ValueError, OSError) as error:
        message = "打不开：不是有效的 xlsx，请用 Excel 另存为 .xlsx / not a valid xlsx; save it again as .xlsx"
        raise InputError(Defect(message, file=path.name)) from error
    names = [sheet] if sheet else [s.title for s in book.worksheets if s.sheet_state == "visible"]
    if sheet and sheet not in book.sheetnames:
        message = f"没有工作表 {sheet}；有 {'、'.join(book.sheetnames)} / no such sheet; the file has these"
        raise InputError(Defect(message, file=path.name, sheet=sheet))
    tables = []
    for name in names:
        page = book[name]
        cells = [[c.value for c in row] for row in page.iter_rows()]
        for merged in page.merged_cells.ranges:
            # a value merged down a column belongs to each of its rows, and to no other
            if merged.min_col == merged.max_col:
                for r in range(merged.min_row, merged.max_row):
                    cells[r][merged.min_col - 1] = cells[merged.min_row - 1][merged.min_col - 1]
        rows = [(i + 1, row) for i, row in enumerate(cells)]
        if any(any(v not in {None, ""} for v in row) for _i, row in rows):
            tables.append(_table(rows, file=path.name, sheet=name, encoding=""))
    if not tables:
        raise InputError(Defect("工作簿是空的 / the workbook is empty", file=path.name))
    return tables


def _table(rows: list[tuple[int, list[Any]]], *, file: str, sheet: str, encoding: str) -> Table:
    filled = [(i, row) for i, row in rows if any(v not in {None, ""} for v in row)]
    if not filled:
        raise InputError(Defect("表是空的 / the table is empty", file=file, sheet=sheet or None))
    best = max(range(min(HEADER_ROWS, len(filled))), key=lambda k: (header_score(filled[k][1]), -k))
    head = [clean_heading(v) or f"column_{j + 1}" for j, v in enumerate(filled[best][1])]
    seen: dict[str, int] = {}
    for j, name in enumerate(head):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            head[j] = f"{name}_{seen[name]}"
    title = " ".join(str(v) for _i, row in filled[:best] for v in row if v not in {None, ""})
    body, numbers, skipped = [], [], []
    for i, row in filled[best + 1 :]:
        texts = [_text(v) for v in row[: len(head)]] + [None] * (len(head) - len(row))
        first = next((t for t in texts if t), "")
        if _TAIL.match(first) and sum(t is not None for t in texts) <= 3:
            skipped.append((i, first, "合计或注释行 / a total or a note"))
            continue
        body.append(texts)
        numbers.append(i)
    frame = pd.DataFrame(body, columns=head, dtype=object)
    return Table(frame, np.array(numbers, dtype=np.int64), file, sheet, encoding, title, tuple(skipped))


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    text = str(value).strip("\u3000\xa0 \t\r\n")
    return text or None


def read_vector(path: Path) -> gpd.GeoDataFrame:
    """A vector layer in WGS-84; broken JSON is refused with its line and column."""
    if path.suffix.lower() in {".geojson", ".json"}:
        _check_json(path)
    try:
        frame = gpd.read_parquet(path) if path.suffix.lower() == ".parquet" else gpd.read_file(path, engine="pyogrio")
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(Defect(f"读不了这个图层 / this layer cannot be read: {error}", file=path.name)) from error
    if frame.crs is None:
        raise InputError(Defect("没有坐标系：请在文件里声明 / no CRS: declare it in the file (.prj)", file=path.name))
    return frame.to_crs("EPSG:4326")


def _check_json(path: Path) -> None:
    try:
        json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        message = (
            f"不是有效的 JSON：第 {error.lineno} 行第 {error.colno} 列 / not valid JSON: line {error.lineno}, "
            f"column {error.colno}: {error.msg}"
        )
        raise InputError(Defect(message, file=path.name, row=error.lineno)) from error
    except UnicodeDecodeError as error:
        raise InputError(Defect("不是 UTF-8 编码 / not UTF-8", file=path.name)) from error


def _vector_table(path: Path) -> Table:
    frame = read_vector(path)
    inside = frame.geometry.representative_point()
    plain = pd.DataFrame(frame.drop(columns=frame.geometry.name)).astype(object)
    plain = plain.map(lambda v: None if v is None or v != v else _text(v))  # noqa: PLR0124 - NaN
    plain["lon"], plain["lat"] = inside.x.map(repr), inside.y.map(repr)
    return Table(plain, np.arange(1, len(plain) + 1), path.name)
