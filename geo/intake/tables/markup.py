"""The .xls that a web system exports: an HTML table, or Excel 2003's XML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree, html

from geo.config import MAX_CELLS
from geo.errors import Defect, InputError
from geo.intake.tables.grid import Grid, filled
from geo.intake.tables.text import decode
from geo.intake.tables.workbook import chosen_sheets, told_sheets

_MOST_COLUMNS = 1_000  # the most columns that the HTML standard lets one cell span
_MOST_ROWS = 65_534  # and rows
_DECLARED = re.compile(r"^\s*<\?xml[^>]*\?>")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_SHEET_NAME = re.compile(r"<x:Name>([^<]{1,64})</x:Name>")
_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"


class _TooManyError(ValueError):
    pass


def read_html(path: Path, sheet: str | None) -> list[Grid]:
    """The innermost tables of an HTML file that are more than one cell, each as a sheet of its own.

    Spanned cells count as merged ones; rows that are not displayed as hidden ones. Raises
    :class:`geo.errors.InputError` where there is no table.
    """
    text, encoding = decode(path.read_bytes(), path.name)
    try:
        tree = html.document_fromstring(_DECLARED.sub("", text), parser=html.HTMLParser(no_network=True))
        grids = [
            Grid(rows, path.name, "", encoding, merged, hidden)
            for table in tree.iter("table")
            if next(table.iterdescendants("table"), None) is None
            for rows, merged, hidden in [_html_cells(table)]
            if any(filled(row) for _i, row in rows)
        ]
    except _TooManyError as error:
        raise InputError(Defect(_too_many(), file=path.name)) from error
    except (etree.LxmlError, ValueError, AssertionError) as error:
        raise InputError(Defect("不是有效的网页表格 / not a valid HTML table", file=path.name)) from error
    # a layout table of a single cell is no list, unless nothing else is there
    grids = [g for g in grids if sum(filled([v]) for _i, row in g.rows for v in row) > 1] or grids
    if not grids:
        message = "网页里没有表格；请用 Excel 另存为 .xlsx / no table in this web page; save it as .xlsx"
        raise InputError(Defect(message, file=path.name))
    names = _SHEET_NAME.findall(text)
    if len(names) != len(grids):
        names = [f"表{k}" for k in range(1, len(grids) + 1)] if len(grids) > 1 else [""]
    named = dict(zip(names, grids, strict=False))
    if sheet is not None:
        chosen_sheets(dict.fromkeys(named, True), sheet, path.name)
    return [
        Grid(g.rows, g.file, name, g.encoding, g.merged, g.hidden)
        for name, g in named.items()
        if sheet in {None, name}
    ]


def _html_cells(
    table: Any,
) -> tuple[list[tuple[int, list[Any]]], tuple[tuple[int, int, int, int], ...], frozenset[int]]:
    rows: list[tuple[int, list[Any]]] = []
    merged: list[tuple[int, int, int, int]] = []
    hidden: set[int] = set()
    taken: dict[int, int] = {}  # column → rows that a cell above still covers
    total = 0
    for r, line in enumerate(table.iter("tr")):
        cells: list[Any] = []
        free = {c for c, left in taken.items() if left > 0}
        taken = {c: left - 1 for c, left in taken.items() if left > 1}
        for cell in line.iterchildren("td", "th"):
            while len(cells) in free:
                cells.append(None)
            across = _span(cell.get("colspan"), _MOST_COLUMNS)
            down = _span(cell.get("rowspan"), _MOST_ROWS)
            column = len(cells)
            cells += [_cell_text(cell), *[None] * (across - 1)]
            if across > 1 or down > 1:
                merged.append((r, column, r + down - 1, column + across - 1))
            if down > 1:
                taken |= dict.fromkeys(range(column, column + across), down - 1)
        total += len(cells)
        if total > MAX_CELLS:
            raise _TooManyError
        rows.append((r + 1, cells))
        if line.get("hidden") is not None or _HIDDEN.search(line.get("style") or ""):
            hidden.add(r + 1)
    return rows, tuple(merged), frozenset(hidden)


def _span(text: str | None, most: int) -> int:
    digits = re.match(r"\s*(\d{1,9})", text or "")
    return min(max(int(digits[1]), 1), most) if digits else 1


def _cell_text(cell: Any) -> str:
    for line_break in cell.iter("br"):
        line_break.tail = "\n" + (line_break.tail or "")
    # a line break of the source is a space, one of the page is a line break
    parts = str(cell.text_content()).replace("\xa0", " ").split("\n")
    return "\n".join(part for raw in parts if (part := re.sub(r"\s+", " ", raw).strip()))


def read_xml(path: Path, sheet: str | None) -> list[Grid]:
    """The visible sheets of Excel 2003's XML (``<Workbook>``), or the named one. Raises InputError."""
    data = path.read_bytes()
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        message = (
            "XML 里有实体定义：不予读取，请另存为 .xlsx / defines XML entities: refused; save it as .xlsx"
        )
        raise InputError(Defect(message, file=path.name))
    try:
        try:
            tree = etree.fromstring(data, _parser(None))
        except etree.XMLSyntaxError:
            # declared as UTF-8 and written in GBK, or the other way round
            text, _encoding = decode(data, path.name)
            tree = etree.fromstring(_DECLARED.sub("", text).encode(), _parser("utf-8"))
        pages = {
            str(p.get(f"{_SS}Name") or f"表{k}"): p for k, p in enumerate(tree.iter(f"{_SS}Worksheet"), 1)
        }
        states = {name: _shown(page) for name, page in pages.items()}
        grids = [_xml_grid(pages[name], name, path.name) for name in chosen_sheets(states, sheet, path.name)]
    except _TooManyError as error:
        raise InputError(Defect(_too_many(), file=path.name)) from error
    except (etree.XMLSyntaxError, OverflowError) as error:
        message = "不是有效的 XML 表格，请另存为 .xlsx / not a valid XML workbook; save it as .xlsx"
        raise InputError(Defect(message, file=path.name)) from error
    return told_sheets(grids, states, sheet, path.name)


def _parser(encoding: str | None) -> Any:
    return etree.XMLParser(
        encoding=encoding, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )


def _shown(page: Any) -> bool:
    return not any("Hidden" in (v.text or "") for v in page.iter("{*}Visible"))


def _xml_grid(page: Any, name: str, file: str) -> Grid:
    rows: list[tuple[int, list[Any]]] = []
    merged: list[tuple[int, int, int, int]] = []
    hidden: set[int] = set()
    number = total = 0
    for line in page.iter(f"{_SS}Row"):
        number = _at(line, number)
        cells: list[Any] = []
        for cell in line.iterchildren(f"{_SS}Cell"):
            column = _at(cell, len(cells)) - 1
            across, down = (
                _span(cell.get(f"{_SS}{key}"), most) if cell.get(f"{_SS}{key}", "0").strip() != "0" else 0
                for key, most in (("MergeAcross", _MOST_COLUMNS), ("MergeDown", _MOST_ROWS))
            )
            total += column - len(cells) + across + 1
            if total > MAX_CELLS:
                raise _TooManyError
            cells += [None] * (column - len(cells)) + [_xml_value(cell)] + [None] * across
            if across or down:
                merged.append((number - 1, column, number - 1 + down, column + across))
        rows.append((number, cells))
        if line.get(f"{_SS}Hidden") == "1":
            hidden.add(number)
    return Grid(rows, file, name, "", tuple(merged), frozenset(hidden))


def _at(element: Any, before: int) -> int:
    """The 1-based place of a row or cell: the next one, or further on where it says so."""
    said = _span(element.get(f"{_SS}Index"), 1 << 20)
    return max(before + 1, said)


def _xml_value(cell: Any) -> str | None:
    data: Iterator[Any] = cell.iterchildren(f"{_SS}Data")
    return next(("".join(d.itertext()) for d in data), None)


def _too_many() -> str:
    return "表格过大：请删去空白行列 / the table is too large: delete blank rows and columns"
