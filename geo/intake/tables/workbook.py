"""Excel workbooks: .xlsx through calamine (fast), .xls through xlrd."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import python_calamine as calamine
import xlrd
from lxml import etree

from geo.config import MAX_CELLS
from geo.errors import Defect, InputError
from geo.intake.tables.archive import chunks, open_archive
from geo.intake.tables.grid import Grid, filled

_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_PART = re.compile(r"xl/(?:[^/]+|worksheets/[^/]+)\.xml|xl/_rels/[^/]+\.rels")
_HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row\b[^>]*\bhidden\s*=\s*[\"'](?:1|true)[\"'][^>]*>")
_ROW_NUMBER = re.compile(rb"\br\s*=\s*[\"'](\d+)")
# a cell that holds something (an empty, merely styled one ends in "/>")
_CELL = re.compile(rb"<(?:\w+:)?c\s[^>]*?\br\s*=\s*[\"']([A-Za-z]{1,3})(\d{1,7})[\"'][^>]*(?<!/)>")
_OVERLAP = 512  # a tag may lie across two pieces
_DAMAGED_XLS = (
    xlrd.XLRDError, xlrd.compdoc.CompDocError, struct.error, AssertionError, IndexError, KeyError, ValueError,
    TypeError, AttributeError, OverflowError, MemoryError, RecursionError, ZeroDivisionError, NotImplementedError,
)  # fmt: skip
_PROTECTED = "文件加了密码：请去掉密码后另存为 .xlsx / protected by a password: save it as .xlsx without one"
_NOT_XLSX = "打不开：不是有效的 xlsx，请用 Excel 另存为 .xlsx / not a valid xlsx; save it again as .xlsx"
_NOT_XLS = "打不开：不是有效的 xls，请用 Excel 另存为 .xlsx / not a valid xls; save it again as .xlsx"


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a look at a sheet's XML tells: hidden rows, last row and column with content (1-based)."""

    hidden: frozenset[int]
    rows: int
    columns: int


def read_xlsx(path: Path, sheet: str | None) -> list[Grid]:
    """The visible sheets of an .xlsx (or the named one), with merged cells and hidden rows.

    The archive and the extent of each sheet are looked at first: a cell in the last corner of a sheet
    would otherwise ask for 400 GB. Raises :class:`geo.errors.InputError`.
    """
    with open_archive(path) as archive:
        looked = _look(archive, path.name)
        parts = _sheet_parts(archive, path.name)
    try:
        # a file object: from a path, calamine would trust the suffix
        with path.open("rb") as file, calamine.CalamineWorkbook.from_filelike(file) as book:
            states = {
                meta.name: meta.visible == calamine.SheetVisibleEnum.Visible
                for meta in book.sheets_metadata
                if meta.typ == calamine.SheetTypeEnum.WorkSheet
            }
            grids = []
            for name in chosen_sheets(states, sheet, path.name):
                page = book.get_sheet_by_name(name)
                merged = tuple((a[0], a[1], b[0], b[1]) for a, b in page.merged_cell_ranges or ())
                cells = page.to_python(skip_empty_area=False)
                known = looked.get(parts.get(name, ""))
                hidden = known.hidden if known else frozenset[int]()
                grids.append(Grid(list(enumerate(cells, 1)), path.name, name, "", merged, hidden))
    except calamine.PasswordError as error:
        raise InputError(Defect(_PROTECTED, file=path.name)) from error
    except (calamine.CalamineError, OSError, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(Defect(_NOT_XLSX, file=path.name)) from error
    except BaseException as error:
        # a panic of the Rust reader is no Exception, and its class has no public name
        if type(error).__name__ != "PanicException":
            raise
        raise InputError(Defect(_NOT_XLSX, file=path.name)) from error
    return told_sheets(grids, states, sheet, path.name)


def chosen_sheets(states: Mapping[str, bool], sheet: str | None, file: str) -> list[str]:
    """The sheet asked for, else the visible ones of ``states`` (name → visible)."""
    if sheet is None:
        return [name for name, visible in states.items() if visible]
    if sheet not in states:
        has = "、".join(states)
        message = f"没有工作表 {sheet}；有 {has} / no such sheet; the file has these"
        raise InputError(Defect(message, file=file, sheet=sheet))
    return [sheet]


def told_sheets(
    grids: Sequence[Grid], states: Mapping[str, bool], sheet: str | None, file: str
) -> list[Grid]:
    """The sheets with content; the first bears a note on each hidden one. Raises where none is left."""
    kept = [grid for grid in grids if any(filled(row) for _i, row in grid.rows)]
    hidden = [] if sheet else [name for name, visible in states.items() if not visible]
    if not kept:
        message = "工作簿是空的 / the workbook is empty"
        if hidden:
            message += (
                f"；隐藏的工作表 hidden: {'、'.join(hidden)}：请取消隐藏，或写 sheet = / unhide or name it"
            )
        raise InputError(Defect(message, file=file))
    for name in reversed(hidden):
        why = "隐藏的工作表，未读；要读请写 sheet = / a hidden sheet, not read; name it as sheet to read it"
        kept[0].notes.insert(0, (None, name, why))
    return kept


def _look(archive: ZipFile, file: str) -> dict[str, _Looked]:
    """Sheet part → what it holds; every part that will be read is unpacked once, in pieces."""
    found = {}
    for name in archive.namelist():
        if not _PART.fullmatch(name):
            continue
        # closed at once where a sheet is refused half-way: the archive would stay open with it
        with closing(chunks(archive, name, file)) as pieces:
            if _SHEET.fullmatch(name):
                found[name] = _look_at(pieces, file)
            else:
                _no_entities(pieces, file)
    return found


def _no_entities(pieces: Iterable[bytes], file: str) -> None:
    for k, piece in enumerate(pieces):
        if k == 0:
            _refuse_entities(piece, file)


def _refuse_entities(start: bytes, file: str) -> None:
    if b"<!DOCTYPE" in start or b"<!ENTITY" in start:
        message = "工作簿里有 XML 实体定义：Excel 不会这样写，不予读取 / defines XML entities, as Excel never does: refused"
        raise InputError(Defect(message, file=file))


def _look_at(pieces: Iterable[bytes], file: str) -> _Looked:
    hidden: list[int] = []
    rows = columns = 0
    tail = b""
    for k, piece in enumerate(pieces):
        if k == 0:
            _refuse_entities(piece, file)
        block = tail + piece
        # what ends in the overlap may be seen twice: all three are sets or maxima
        for match in _HIDDEN_ROW.finditer(block):
            number = _ROW_NUMBER.search(match[0])
            if number:
                hidden.append(int(number[1]))
        cells = _CELL.findall(block)
        if cells:
            rows = max([rows, *{int(r) for _c, r in cells}])
            columns = max([columns, *map(_column, {c for c, _r in cells})])
        if rows * columns > MAX_CELLS:
            message = (
                f"工作表用到第 {rows:,} 行、第 {columns:,} 列：请删去远处的单元格 / "
                f"the sheet reaches to row {rows:,}, column {columns:,}: delete the far cells"
            )
            raise InputError(Defect(message, file=file))
        tail = block[-_OVERLAP:]
    return _Looked(frozenset(hidden), rows, columns)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _sheet_parts(archive: ZipFile, file: str) -> dict[str, str]:
    """Sheet name → the part of the archive that holds it."""
    try:
        book = _parsed(archive, "xl/workbook.xml", file)
        links = _parsed(archive, "xl/_rels/workbook.xml.rels", file)
    except etree.XMLSyntaxError as error:
        raise InputError(Defect(_NOT_XLSX, file=file)) from error
    targets = {str(link.get("Id")): str(link.get("Target", "")) for link in links}
    parts = {}
    for page in book.iter("{*}sheet"):
        ids = [v for key, v in page.items() if str(key).endswith("}id")]
        target = targets.get(str(ids[0]), "") if ids else ""
        parts[str(page.get("name"))] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return parts


def _parsed(archive: ZipFile, name: str, file: str) -> Any:
    if name not in archive.namelist():
        raise InputError(Defect(_NOT_XLSX, file=file))
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    return etree.fromstring(b"".join(chunks(archive, name, file)), parser)


def read_xls(path: Path, sheet: str | None) -> list[Grid]:
    """The visible sheets of an .xls (Excel 5 to 2003), or the named one. Raises as :func:`read_xlsx`."""
    data = path.read_bytes()
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise InputError(Defect(_PROTECTED, file=path.name))
    try:
        # formatting tells merged cells, hidden rows and which numbers are dates; what it logs is no output
        book = xlrd.open_workbook(
            file_contents=data, formatting_info=True, ragged_rows=True, logfile=io.StringIO()
        )
        states = {page.name: page.visibility == 0 for page in book.sheets()}
        grids = [
            _xls_grid(book, book.sheet_by_name(n), path.name) for n in chosen_sheets(states, sheet, path.name)
        ]
    except InputError:
        raise
    except _DAMAGED_XLS as error:
        message = _PROTECTED if "encrypted" in str(error) else _NOT_XLS
        raise InputError(Defect(message, file=path.name)) from error
    return told_sheets(grids, states, sheet, path.name)


def _xls_grid(book: Any, page: Any, file: str) -> Grid:
    rows = [(r + 1, [_xls_value(book, cell) for cell in page.row(r)]) for r in range(page.nrows)]
    merged = tuple((r0, c0, r1 - 1, c1 - 1) for r0, r1, c0, c1 in page.merged_cells)
    hidden = frozenset(r + 1 for r, info in page.rowinfo_map.items() if info.hidden)
    return Grid(rows, file, page.name, "", merged, hidden)


def _xls_value(book: Any, cell: Any) -> Any:
    match cell.ctype:
        case xlrd.XL_CELL_DATE:
            try:
                moment = xlrd.xldate_as_datetime(cell.value, book.datemode)
            except (ValueError, OverflowError):
                return cell.value
            return moment.time() if cell.value < 1 else moment.date() if cell.value % 1 == 0 else moment
        case xlrd.XL_CELL_BOOLEAN:
            return bool(cell.value)
        case xlrd.XL_CELL_ERROR:
            return xlrd.error_text_from_code.get(cell.value, "#N/A")
        case xlrd.XL_CELL_EMPTY | xlrd.XL_CELL_BLANK:
            return None
        case _:
            return cell.value
