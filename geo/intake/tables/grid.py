"""What every format is brought to first: cells as typed, and then a table with its headings found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from geo.config import MAX_CELLS
from geo.errors import Defect, InputError
from geo.intake.columns import clean_heading, header_score, map_columns
from geo.intake.services import tick_columns
from geo.models import I64

HEADER_ROWS = 12  # a heading is looked for in the first rows only
HEADER_HEIGHT = 3  # rows that one header may take
STREET = "所属街道"  # the column made where a sheet or a group row gives the street

_TAIL = re.compile(
    r"^(?:合\s*计|总\s*计|小\s*计|共\s*计|总\s*数(?!据)|共\s*\d+\s*[个处家座]|填报(?:人|单位|日期|时间|部门)|填表(?:人|单位|日期|时间)?|制表"
    r"|统计(?:人|时间|日期|单位)[:：]|联系人[:：]|负责人[:：]|(?:审核|审批|复核)(?:人|单位|意见|日期)?(?:[:：]|$)|数据来源|资料来源|截至|截止"
    r"|注\s*\d*\s*[:：、.]|说明[:：]|备注[:：]|填表说明|备\s*注\s*[:：]|※|\*\s*注)"
)
_TOTAL = re.compile(r"(?:合计|总计|小计|共计)[:：]?\d*[个处家座]?")
_SPACE = re.compile(r"\s")
_PLACED = re.compile(r"\D?\d{2,3}(?:\.\d{3}|[°度])")  # a row with a position is no note
_TAIL_CELLS = 3  # a total or a note fills few cells; a station fills more
_AREA_NAME = re.compile(
    r"([\u4e00-\u9fff]{1,12}?(?:街道办事处|街道|办事处|街办|镇|乡|开发区|园区|示范区|管委会))"
    r"(?:驿站|站点)?(?:名单|一览表|明细表?|汇总表?|台账|统计表)?(?:[(（:：]?\s*共?\s*\d+\s*[个处家座]?\s*[)）]?)?"
)
_ORDER = re.compile(
    r"^(?:[一二三四五六七八九十]{1,3}[、.．]|[(（][一二三四五六七八九十\d]{1,3}[)）]|\d{1,2}[、.．])\s*"
)
# 3.41202E+11: what Excel shows of a long number, and all that a CSV keeps of it
_EATEN = re.compile(r"(\d)\.(\d+)[Ee]\+(\d{2})")
_LONG = 10  # the power of ten of a phone number; codes have more
_FLOAT_TAIL = re.compile(r"(\d{11,15})\.0+")
_EXACT = 1e15  # beyond, a float (and Excel) keeps 15 digits only


@dataclass(frozen=True, slots=True)
class Table:
    """One table: text cells (None where empty), 1-based file row numbers, and what was passed over.

    ``frame``'s headings are cleaned, ``headings`` are as typed (of a header of several rows, from the
    top down). ``skipped``: (row, text, why) of rows that are no data; ``notes``: (row or None, text,
    why) of what is kept and worth a word. ``why`` is Chinese / English. ``crs`` is ``EPSG:4326`` where
    ``lon`` and ``lat`` come from a vector layer that says its CRS. ``header_rows``: first and last row
    of the header, (0, 0) where the format names its fields itself.
    """

    frame: pd.DataFrame
    rows: I64
    file: str
    sheet: str = ""
    encoding: str = ""
    title: str = ""
    skipped: tuple[tuple[int, str, str], ...] = ()
    notes: tuple[tuple[int | None, str, str], ...] = ()
    headings: tuple[str, ...] = ()
    crs: str = ""
    header_rows: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells as a file has them: ``rows`` are (1-based number, values) in order.

    ``merged``: 0-based (first row, first column, last row, last column), counted from row 1;
    ``hidden``: numbers of hidden or filtered rows; ``notes`` as in :class:`Table`.
    """

    rows: list[tuple[int, list[Any]]]
    file: str
    sheet: str = ""
    encoding: str = ""
    merged: tuple[tuple[int, int, int, int], ...] = ()
    hidden: frozenset[int] = frozenset()
    notes: list[tuple[int | None, str, str]] = field(default_factory=list)


def text_of(value: Any) -> str | None:
    """A cell as text, None where empty: no decimal point on a whole number, no space round it.

    >>> text_of(13956000000.0), text_of("13956000000.0"), text_of(" 甲 "), text_of(float("nan"))
    ('13956000000', '13956000000', '甲', None)
    """
    if value is None:
        return None
    if isinstance(value, float):
        if value != value:  # noqa: PLR0124 - NaN
            return None
        if value.is_integer() and abs(value) < _EXACT:
            value = int(value)
    text = str(value).strip("\ufeff\u200b\u3000\xa0 \t\r\n")
    if (whole := _FLOAT_TAIL.fullmatch(text)) is not None:
        return whole[1]
    return text or None


def digits_lost(text: str) -> bool:
    """Whether a cell is a long number of which only the first digits are left.

    >>> digits_lost("3.41202E+11"), digits_lost("1.3956E+02"), digits_lost("341202000000")
    (True, False, False)
    """
    match = _EATEN.fullmatch(text)
    return match is not None and int(match[3]) > len(match[2]) and int(match[3]) >= _LONG


def filled(row: Sequence[Any]) -> bool:
    """Whether any cell of a row holds something."""
    return any(text_of(v) is not None for v in row)


def street_said(text: str) -> str | None:
    """The street that a sheet's name or a group row names, if it names one and nothing else.

    >>> street_said("鼓楼街道（12个）"), street_said("二、王店镇"), street_said("Sheet1"), street_said("汇总")
    ('鼓楼街道', '王店镇', None, None)
    """
    match = _AREA_NAME.fullmatch(_ORDER.sub("", text.strip()))
    return match[1] if match else None


def make_table(grid: Grid) -> Table:
    """Find the header of a grid, fill merged cells down, and part the data from titles, totals and notes.

    Every filled row of the grid ends in ``rows``, in ``skipped``, in ``title`` or in the header. Raises
    :class:`geo.errors.InputError` for a grid without a filled cell.
    """
    rows = [(i, [text_of(v) for v in row]) for i, row in _fill_down(grid)]
    lines = [(i, row) for i, row in rows if any(row)]
    if not lines:
        raise InputError(Defect("表是空的 / the table is empty", file=grid.file, sheet=grid.sheet or None))
    first, last = _header([row for _i, row in lines[:HEADER_ROWS]])
    levels = [[text or "" for text in row] for _i, row in lines[first : last + 1]]
    head, typed = _headings(levels, width=max(len(row) for _i, row in lines[first:]))
    title = " ".join(dict.fromkeys(text for _i, row in lines[:first] for text in row if text))
    body, numbers, skipped, notes = [], list[int](), [], list(grid.notes)
    groups: list[str | None] = []
    group: str | None = None
    known = {clean_heading(v) for v in levels[-1] if v}
    for i, row in lines[last + 1 :]:
        texts = row + [None] * (len(head) - len(row))
        told = [t for t in texts if t]
        if _TOTAL.fullmatch(_SPACE.sub("", told[0])) or (
            _TAIL.match(told[0]) and len(set(told)) <= _TAIL_CELLS and not any(map(_PLACED.match, told[1:]))
        ):
            skipped.append((i, " ".join(dict.fromkeys(told)), "合计或注释行 / a total or a note"))
        elif len(set(told)) == 1 and (said := street_said(told[0])) is not None:
            group = said
            skipped.append((i, told[0], "分组行，以下各行属于它 / a group row: the rows below belong to it"))
        elif told[0] in known and {clean_heading(t) for t in told} == known:
            skipped.append((i, told[0], "重复的表头 / the headings again"))
        else:
            body.append(texts)
            numbers.append(i)
            groups.append(group)
            notes += _notes_of(i, texts, head, hidden=i in grid.hidden)
    frame = pd.DataFrame(body, columns=head, dtype=object)
    frame, typed, more = _with_street(frame, typed, grid, groups)
    return Table(
        frame,
        np.array(numbers, dtype=np.int64),
        grid.file,
        grid.sheet,
        grid.encoding,
        title,
        tuple(skipped),
        (*notes, *more),
        typed,
        header_rows=(lines[first][0], lines[last][0]),
    )


def _notes_of(
    row: int, texts: Sequence[str | None], head: Sequence[str], *, hidden: bool
) -> list[tuple[int | None, str, str]]:
    notes: list[tuple[int | None, str, str]] = []
    if hidden:
        first = next(t for t in texts if t)
        notes.append(
            (row, first, "隐藏或被筛掉的行，仍计入 / a hidden or filtered row, counted all the same")
        )
    for heading, text in zip(head, texts, strict=True):
        if text and "+" in text and digits_lost(text):
            zh = f"“{heading}”被 Excel 改成科学计数，后面的数字已丢失：请把该列设为文本后重填"
            en = f"{heading}: turned by Excel into a power of ten, digits lost: format as text, type again"
            notes.append((row, text, f"{zh} / {en}"))
    return notes


def _with_street(
    frame: pd.DataFrame, typed: tuple[str, ...], grid: Grid, groups: list[str | None]
) -> tuple[pd.DataFrame, tuple[str, ...], list[tuple[int | None, str, str]]]:
    """The street told by group rows or by the sheet's name, where no column tells it."""
    if frame.empty or "street" in map_columns(map(str, frame.columns), ["street"]):
        return frame, typed, []
    if any(groups):
        zh, en = "没有街道列：以分组行为准", "no column of streets: the group rows tell"
        return (
            frame.assign(**{STREET: pd.Series(groups, dtype=object, index=frame.index)}),
            (*typed, ""),
            [(None, "", f"{zh} / {en}")],
        )
    said = street_said(grid.sheet)
    if said is None:
        return frame, typed, []
    zh, en = f"没有街道列：以工作表名 {said} 为准", f"no column of streets: the sheet's name tells, {said}"
    street = pd.Series(said, dtype=object, index=frame.index)
    return frame.assign(**{STREET: street}), (*typed, ""), [(None, grid.sheet, f"{zh} / {en}")]


def _fill_down(grid: Grid) -> list[tuple[int, list[Any]]]:
    """A value merged down a column belongs to each of its rows, and to no other."""
    if not grid.merged:
        return grid.rows
    at = {number - 1: k for k, (number, _row) in enumerate(grid.rows)}
    top = max(at, default=-1)
    left = MAX_CELLS
    for r0, column, r1, _c1 in grid.merged:
        anchor = grid.rows[at[r0]][1] if r0 in at else []
        if column >= len(anchor) or text_of(anchor[column]) is None:
            continue
        for r in range(r0 + 1, min(r1, top) + 1):
            left -= 1
            if left < 0:
                message = (
                    "合并单元格过多：请取消合并后另存 / too many merged cells: unmerge them and save again"
                )
                raise InputError(Defect(message, file=grid.file, sheet=grid.sheet or None))
            if r not in at:
                continue
            cells = grid.rows[at[r]][1]
            if column < len(cells):
                cells[column] = anchor[column]
            else:
                cells += [None] * (column - len(cells)) + [anchor[column]]
    return grid.rows


def _header(lines: list[list[str | None]]) -> tuple[int, int]:
    """First and last position of the header among the first ``lines``.

    Each run of up to three rows is scored by how many of its headings are known (of a column, the
    lowest filled cell counts: 位置 over 经度 | 纬度); of equals the shortest wins, and then rows above that
    hold headings, too, belong to it.
    """
    texts = [[text or "" for text in row] for row in lines]
    best, found = (0, 0), (0, 0)
    for last in range(len(texts)):
        for height in range(min(HEADER_HEIGHT, last + 1)):
            points = _known(_lowest(texts[last - height : last + 1]))
            if (points, -height) > best:
                best, found = (points, -height), (last - height, last)
    first, last = found
    while first > 0 and last - first + 1 < HEADER_HEIGHT and _also_header(texts[first - 1], texts[first]):
        first -= 1
    return first, last


def _known(cells: Sequence[str]) -> int:
    short = [c for c in cells if c and len(c) <= 30]
    ticks = tick_columns(short)
    return header_score(c for c in short if c not in ticks) + sum(c in ticks for c in short)


def _also_header(above: Sequence[str], below: Sequence[str]) -> bool:
    same = sum(bool(a) and a == b for a, b in zip(above, below, strict=False))
    # a group heading stands over two cells at least: its right neighbour is empty, the one below is not
    over = any(
        a and not right and low and next_low and a != low
        for a, right, low, next_low in zip(above, [*above[1:], ""], below, below[1:], strict=False)
    )
    return same >= 2 or (same >= 1 and over) or _known(above) >= 2


def _lowest(levels: Sequence[Sequence[str]]) -> list[str]:
    width = max(map(len, levels))
    return [
        next((level[j] for level in reversed(levels) if j < len(level) and level[j]), "")
        for j in range(width)
    ]


def _headings(levels: Sequence[Sequence[str]], *, width: int) -> tuple[list[str], tuple[str, ...]]:
    """Cleaned headings, each once, and the headings as typed from the top down."""
    names = [*_lowest(levels), *[""] * width][:width]
    paths = [list[str]() for _ in names]
    owned = [False] * width
    for level in levels:
        above = ""
        for j in range(width):
            cell = level[j] if j < len(level) else ""
            above = cell or above
            owned[j] = owned[j] or bool(cell)
            # a group heading reaches to the right over columns that have their heading further down
            told = cell or (above if names[j] and not owned[j] else "")
            if told and told not in paths[j]:
                paths[j].append(told)
    cleaned = [clean_heading(name) for name in names]
    shared = {name for name in cleaned if name and cleaned.count(name) > 1}
    head: list[str] = []
    seen: dict[str, int] = {}
    for j, name in enumerate(cleaned):
        # 经度 under 高德坐标 and 经度 under 百度坐标 are told apart by what stands above them
        over = clean_heading(paths[j][0]) if name in shared and len(paths[j]) > 1 else ""
        full = f"{over}·{name}" if over and over != name else name or f"column_{j + 1}"
        seen[full] = seen.get(full, 0) + 1
        head.append(full if seen[full] == 1 else f"{full}_{seen[full]}")
    return head, tuple(" ".join(path) for path in paths)
