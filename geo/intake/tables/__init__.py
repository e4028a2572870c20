"""Files as people keep them → plain tables with the row numbers of the file."""

from __future__ import annotations

import re
from pathlib import Path

from geo.errors import Defect, InputError
from geo.intake.tables.archive import open_archive, refuse_large, too_large
from geo.intake.tables.database import DatabaseTable, content_sha256, read_database
from geo.intake.tables.grid import STREET, Table, digits_lost, make_table
from geo.intake.tables.markup import read_html, read_xml
from geo.intake.tables.text import BYTE_ORDER_MARKS, read_text
from geo.intake.tables.vector import read_vector, vector_tables
from geo.intake.tables.workbook import read_xls, read_xlsx

__all__ = [
    "STREET",
    "DatabaseTable",
    "Table",
    "content_sha256",
    "digits_lost",
    "read_database",
    "read_table",
    "read_vector",
    "too_large",
]

VECTOR = (".geojson", ".json", ".gpkg", ".shp", ".parquet")
WORKBOOK = (".xlsx", ".xlsm", ".xls", ".et")
TEXT = (".csv", ".txt", ".tsv")
_HEAD = 4096
_OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BIFF = re.compile(rb"\x09[\x00\x02\x04\x08][\x04-\x10]\x00")  # an Excel 2-4 sheet outside a container
_MARKUP = re.compile(rb"<(?:html|!doctype\s+html|table|meta|head|body|style|div|tr)\b", re.IGNORECASE)
_XML_BOOK = re.compile(rb"<(?:\w+:)?Workbook\b|progid=\"Excel\.Sheet\"")


def read_table(source: Path | DatabaseTable, *, sheet: str | None = None) -> list[Table]:
    """Read a table: of a database, csv, xlsx, xls (a table a visible sheet) or a vector layer (``lon``, ``lat`` inside).

    What a spreadsheet is, its content tells, not its suffix: an .xls may be an HTML table, Excel 2003's
    XML, CSV or a renamed .xlsx. ``sheet`` names a sheet or a layer. CSV is UTF-8, else GB18030. Sizes are looked
    at before anything is read or unpacked. Raises :class:`geo.errors.InputError` for a missing, too large,
    unreadable or empty file.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "list.xls")
    ...     _ = path.write_text("<table><tr><td>名称<td>经度<tr><td>甲<td>115.81</table>", encoding="gb18030")
    ...     table, = read_table(path)
    >>> table.encoding, table.frame.to_dict("records"), table.rows.tolist()
    ('gb18030', [{'名称': '甲', '经度': '115.81'}], [2])
    """
    if isinstance(source, DatabaseTable):
        return [read_database(source)]
    path = Path(source)
    if not path.is_file():
        raise InputError(Defect("没有这个文件 / no such file", file=str(path)))
    refuse_large(path)
    suffix = path.suffix.lower()
    if suffix in VECTOR:
        return vector_tables(path, sheet)
    if suffix not in {*WORKBOOK, *TEXT, ".zip", ".htm", ".html", ".xml"}:
        message = "不支持的表格；请另存为 .xlsx 或 .csv（也可 .xls .geojson .gpkg .shp）/ unsupported; save it as .xlsx or .csv"
        raise InputError(Defect(message, file=path.name))
    match _kind(path):
        case "zip":
            return _zipped(path, sheet)
        case "xls":
            grids = read_xls(path, sheet)
        case "xml":
            grids = read_xml(path, sheet)
        case "html":
            grids = read_html(path, sheet)
        case _:
            return [read_text(path)]
    return [make_table(grid) for grid in grids]


def _kind(path: Path) -> str:
    """What the first bytes of a file say that it is: zip, xls, xml, html or text."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.strip():
        raise InputError(Defect("文件是空的 / the file is empty", file=path.name))
    if head.startswith(b"PK"):
        return "zip"
    if head.startswith(_OLE2) or _BIFF.match(head):
        return "xls"
    if head.lstrip().upper().startswith(b"MIME-VERSION"):
        message = "这是“单个文件网页”(mht)：请用 Excel 打开后另存为 .xlsx / a single-file web page; save it as .xlsx"
        raise InputError(Defect(message, file=path.name))
    plain = head.replace(b"\0", b"") if head[:2] in BYTE_ORDER_MARKS else head
    if _XML_BOOK.search(plain):
        return "xml"
    start = plain.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"<") and _MARKUP.search(plain):
        return "html"
    if path.suffix.lower() in {".xlsx", ".xlsm"} and start.startswith(b"<"):
        return "html"
    separated = any(mark in plain for mark in (b",", b";", b"\t"))
    if b"\0" in plain or (path.suffix.lower() in WORKBOOK and not separated):
        message = "打不开：不是 Excel 或文本表格，请用 Excel 另存为 .xlsx / neither a workbook nor text; save it again as .xlsx"
        raise InputError(Defect(message, file=path.name))
    return "text"


def _zipped(path: Path, sheet: str | None) -> list[Table]:
    with open_archive(path) as archive:
        names = {name.lower() for name in archive.namelist()}
    if "xl/workbook.xml" in names:
        return [make_table(grid) for grid in read_xlsx(path, sheet)]
    if any(name.endswith(".shp") for name in names):
        return vector_tables(path, sheet)
    if "xl/workbook.bin" in names or "content.xml" in names:
        message = "请用 Excel 或 WPS 另存为 .xlsx / save it as .xlsx"
    elif path.suffix.lower() == ".zip":
        message = "压缩包里没有 shapefile：请解压后给出 .xlsx 或 .csv / no shapefile in the zip: unpack it and name the table"
    else:
        message = (
            "打不开：不是有效的 xlsx，请用 Excel 另存为 .xlsx / not a valid xlsx; save it again as .xlsx"
        )
    raise InputError(Defect(message, file=path.name))
