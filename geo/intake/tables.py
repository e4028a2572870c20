"""Files as people keep them → plain tables with the row numbers of the file."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
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

_TAIL = re.compile(
    r"^(?:合计|总计|小计|共计|填报人|填报单位|填报日期|填表人|制表|联系人[:：]|审核|审批|注\s*[:：]|说明[:：]|备注[:：])"
)
_TAIL_CELLS = 3  # a total or a note fills few cells; a station fills more
HEADER_ROWS = 12  # a heading is looked for in the first rows only
VECTOR = (".geojson", ".json", ".gpkg", ".shp", ".parquet")


@dataclass(frozen=True, slots=True)
class Table:
    """One table: text cells (None where empty), 1-based file row numbers, and what was passed over.

    ``frame``'s headings are cleaned, ``headings`` are as typed. ``skipped``: (row, text, why) of rows
    that are no data; ``notes``: (row, text, why) of rows that are kept and worth a word. ``why`` is
    Chinese / English. ``crs`` is ``EPSG:4326`` where ``lon`` and ``lat`` come from a vector layer.
    """

    frame: pd.DataFrame
    rows: I64
    file: str
    sheet: str = ""
    encoding: str = ""
    title: str = ""
    skipped: tuple[tuple[int, str, str], ...] = ()
    notes: tuple[tuple[int, str, str], ...] = ()
    headings: tuple[str, ...] = ()
    crs: str = ""


def read_table(path: Path, *, sheet: str | None = None) -> list[Table]:
    """Read csv, xlsx (a table a visible sheet) or a vector layer (``lon``, ``lat`` of a point inside).

    CSV: UTF-8 first, then GB18030 (a superset of GBK); the reverse order would read UTF-8 as rubbish
    without an error. Raises :class:`geo.errors.InputError` for a missing, unreadable or empty file.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(Defect("没有这个文件 / no such file", file=str(path)))
    suffix = path.suffix.lower()
    if suffix in {".xlsx", ".xlsm"}:
        return _read_xlsx(path, sheet)
    if suffix in {".csv", ".txt", ".tsv"}:
        return [_read_csv(path)]
    if suffix in VECTOR:
        return [_vector_table(path)]
    message = "不支持的表格；请另存为 .xlsx 或 .csv（也可 .geojson .gpkg .shp）/ unsupported; save it as .xlsx or .csv"
    raise InputError(Defect(message, file=path.name))


def _read_csv(path: Path) -> Table:
    data = path.read_bytes()
    encodings = ("utf-16",) if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise InputError(Defect("编码既非 UTF-8 也非 GB18030 / neither UTF-8 nor GB18030", file=path.name))
    # a title row has no separator: the first lines together tell
    top = "\n".join(text.splitlines()[:HEADER_ROWS])
    delimiter = max(",;\t", key=top.count)
    try:
        rows = list(
            enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False), 1)
        )
    except csv.Error as error:
        raise InputError(Defect(f"不是有效的 CSV / not a valid CSV: {error}", file=path.name)) from error
    return _table(rows, file=path.name, sheet="", encoding=encoding)


def _read_xlsx(path: Path, sheet: str | None) -> list[Table]:
    try:
        book = openpyxl.load_workbook(path, data_only=True)
    except (BadZipFile, KeyError, ValueError, OSError, TypeError, SyntaxError) as error:
        message = (
            "打不开：不是有效的 xlsx，请用 Excel 另存为 .xlsx / not a valid xlsx; save it again as .xlsx"
        )
        raise InputError(Defect(message, file=path.name)) from error
    pages = {page.title: page for page in book.worksheets}
    if sheet and sheet not in pages:
        message = f"没有工作表 {sheet}；有 {'、'.join(pages)} / no such sheet; the file has these"
        raise InputError(Defect(message, file=path.name, sheet=sheet))
    names = [sheet] if sheet else [name for name, page in pages.items() if page.sheet_state == "visible"]
    tables = []
    for name in names:
        page = pages[name]
        cells = [[c.value for c in row] for row in page.iter_rows()]
        for merged in page.merged_cells.ranges:
            # a value merged down a column belongs to each of its rows, and to no other
            for r in range(merged.min_row, min(merged.max_row, len(cells))):
                cells[r][merged.min_col - 1] = cells[merged.min_row - 1][merged.min_col - 1]
        rows = list(enumerate(cells, 1))
        if any(_filled(row) for _i, row in rows):
            hidden = frozenset(i for i, size in page.row_dimensions.items() if size.hidden)
            tables.append(_table(rows, file=path.name, sheet=name, encoding="", hidden=hidden))
    if not tables:
        raise InputError(Defect("工作簿是空的 / the workbook is empty", file=path.name))
    return tables


def _filled(row: Sequence[Any]) -> bool:
    return any(_text(v) is not None for v in row)


def _header(rows: list[tuple[int, list[Any]]]) -> tuple[int, int, list[str]]:
    """First and last position of the header among ``rows``, and its headings as typed.

    A header may take two rows (位置 over 经度 | 纬度): then the lower cell counts where it is filled.
    """
    best, found = (-1, 0), (0, 0, [str(v or "") for v in rows[0][1]])
    for k in range(min(HEADER_ROWS, len(rows))):
        lower = rows[k][1]
        options = [(0, lower)]
        if k > 0:
            above = rows[k - 1][1]
            wide = [*above, *[None] * (len(lower) - len(above))]
            both = [
                a if _text(b) is None else b
                for a, b in zip(wide, [*lower, *[None] * len(wide)], strict=False)
            ]
            options.append((1, both))
        for height, cells in options:
            rank = (header_score(cells), -height)
            if rank > best:
                best, found = rank, (k - height, k, [str(_text(v) or "") for v in cells])
    return found


def _table(
    rows: list[tuple[int, list[Any]]],
    *,
    file: str,
    sheet: str,
    encoding: str,
    hidden: frozenset[int] = frozenset(),
) -> Table:
    filled = [(i, row) for i, row in rows if _filled(row)]
    if not filled:
        raise InputError(Defect("表是空的 / the table is empty", file=file, sheet=sheet or None))
    first, last, typed = _header(filled)
    head = [clean_heading(v) or f"column_{j + 1}" for j, v in enumerate(typed)]
    seen: dict[str, int] = {}
    for j, name in enumerate(head):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            head[j] = f"{name}_{seen[name]}"
    title = " ".join(dict.fromkeys(str(t) for _i, row in filled[:first] for v in row if (t := _text(v))))
    body, numbers, skipped, notes = [], list[int](), [], []
    for i, row in filled[last + 1 :]:
        texts = [_text(v) for v in row[: len(head)]] + [None] * (len(head) - len(row))
        told = [t for t in texts if t]
        text = told[0] if told else ""
        if not told:
            skipped.append(
                (i, "".join(filter(None, map(_text, row))), "表头之外的单元格 / cells beyond the headings")
            )
        elif _TAIL.match(text) and len(told) <= _TAIL_CELLS:
            skipped.append((i, " ".join(told), "合计或注释行 / a total or a note"))
        elif [clean_heading(t or "") for t in texts] == [clean_heading(t) for t in typed]:
            skipped.append((i, text, "重复的表头 / the headings again"))
        else:
            body.append(texts)
            numbers.append(i)
            if i in hidden:
                notes.append(
                    (i, text, "隐藏或被筛掉的行，仍计入 / a hidden or filtered row, counted all the same")
                )
    frame = pd.DataFrame(body, columns=head, dtype=object)
    return Table(
        frame,
        np.array(numbers, dtype=np.int64),
        file,
        sheet,
        encoding,
        title,
        tuple(skipped),
        tuple(notes),
        tuple(typed),
    )


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    text = str(value).strip("\ufeff\u3000\xa0 \t\r\n")
    return text or None


def read_vector(path: Path) -> gpd.GeoDataFrame:
    """A vector layer in WGS-84; broken JSON is refused with its line and column."""
    if path.suffix.lower() in {".geojson", ".json"}:
        _check_json(path)
    try:
        frame = (
            gpd.read_parquet(path)
            if path.suffix.lower() == ".parquet"
            else gpd.read_file(path, engine="pyogrio")
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(
            Defect(f"读不了这个图层 / this layer cannot be read: {error}", file=path.name)
        ) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(Defect("没有几何图形 / holds no geometry", file=path.name))
    if frame.crs is None:
        raise InputError(
            Defect("没有坐标系：请在文件里声明 / no CRS: declare it in the file (.prj)", file=path.name)
        )
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
    empty = frame.geometry.isna() | frame.geometry.is_empty
    plain = pd.DataFrame(frame.drop(columns=frame.geometry.name)).astype(object)
    plain = plain.map(lambda v: None if v is None or v is pd.NaT or v != v else _text(v))  # noqa: PLR0124 - NaN
    inside = frame.geometry[~empty].representative_point()
    # the geometry is the position: attributes of the same name would only contradict it
    for name, values in (("lon", inside.x), ("lat", inside.y)):
        plain[name] = None
        plain.loc[~empty, name] = values.map(repr)
    typed = tuple(str(c) for c in plain.columns)
    plain.columns = pd.Index([clean_heading(c) or c for c in typed])
    return Table(plain, np.arange(1, len(plain) + 1), path.name, headings=typed, crs="EPSG:4326")
