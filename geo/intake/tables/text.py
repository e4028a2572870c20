"""CSV and its like: encoding and separator found from the content."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from geo.errors import Defect, InputError
from geo.intake.tables.grid import HEADER_ROWS, Grid, Table, make_table

BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")


def decode(data: bytes, file: str) -> tuple[str, str]:
    """Text and encoding: UTF-8 first, then GB18030 (a superset of GBK).

    The reverse order would read UTF-8 as rubbish without an error.

    >>> decode("潁州".encode("gb18030"), "a.csv")
    ('潁州', 'gb18030')
    """
    encodings = ("utf-16",) if data[:2] in BYTE_ORDER_MARKS else ("utf-8-sig", "gb18030")
    worst = 0
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            worst = max(worst, error.start)
            continue
        if "\0" in text:
            message = "不是文本表格（含二进制内容）/ no table of text: it holds binary content"
            raise InputError(Defect(message, file=file))
        return text, encoding
    row = data[:worst].count(b"\n") + 1
    message = (
        "编码既非 UTF-8 也非 GB18030，从这一行起不通：请用 Excel 另存为“CSV UTF-8” / "
        "neither UTF-8 nor GB18030 from this line on; save it as CSV UTF-8"
    )
    raise InputError(Defect(message, file=file, row=row))


def read_text(path: Path) -> Table:
    """A CSV, TSV or semicolon table. Raises :class:`geo.errors.InputError` where it cannot be told apart."""
    text, encoding = decode(path.read_bytes(), path.name)
    # a title row has no separator: the first lines together tell
    top = "\n".join(text.splitlines()[:HEADER_ROWS])
    delimiter = max(",;\t", key=top.count)
    if top.count(delimiter) == 0 and top.count("，") > 1:
        delimiter = "，"
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
    rows = []
    try:
        rows = list(enumerate(reader, 1))
    except csv.Error as error:
        message = f"不是有效的 CSV / not a valid CSV: {error}"
        raise InputError(Defect(message, file=path.name, row=reader.line_num)) from error
    _refuse_open_quote(text, delimiter, path.name)
    return make_table(Grid(rows, path.name, encoding=encoding))


def _refuse_open_quote(text: str, delimiter: str, file: str) -> None:
    """An unpaired quote would swallow all rows after it into one cell."""
    if text.count('"') % 2 == 0:
        return
    strict = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    last = 0
    try:
        for last, _row in enumerate(strict, 1):  # noqa: B007 - the row where it breaks is wanted
            pass
    except csv.Error as error:
        if "unexpected end" not in str(error):
            return
        message = (
            '这一行的引号 " 没有配对，其后各行会并成一格：请补上或删去 / '
            'an unpaired " here would swallow all rows below into one cell: pair or delete it'
        )
        raise InputError(Defect(message, file=file, row=last + 1)) from error
