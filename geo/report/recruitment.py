"""The blank form of the call for hosts (驿站招募报名表): an xlsx that a shop fills in and Red Map reads back."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from geo.models import RECRUITMENT_WILLING, SERVICES_ZH
from geo.report.workbook import save_book

ROWS = 60  # lines to fill in
KINDS_ZH = (
    "商场",
    "超市",
    "便利店",
    "药店",
    "银行",
    "加油站",
    "社区中心",
    "图书馆",
    "政务大厅",
    "餐馆",
    "其他",
)
DATUMS_ZH = ("高德", "腾讯", "百度", "GPS")
HEADINGS = (
    ("场所名称", 24), ("场所类型", 11), ("详细地址", 30), ("经度", 12), ("纬度", 12), ("坐标系", 9), ("开放时间", 22),
    *((name, 6) for name in SERVICES_ZH.values()), ("联系电话", 15), (RECRUITMENT_WILLING, 9), ("备注", 24),
)  # fmt: skip
_HELP = (
    ("场所名称", "门头上的名字 / the name on the sign", "示例：惠民大药房（颍河路店）"),
    ("经度、纬度", "在手机地图上长按门口，复制坐标 / long-press the door on a phone map, copy the numbers", "115.815381　32.888009"),
    ("坐标系", "坐标从哪个地图来：高德、腾讯、百度或 GPS / which map the numbers are from", "高德"),
    ("开放时间", "劳动者可以进来的时间 / when workers may come in", "周一至周五 8:00-18:00；24小时"),
    ("饮水、卫生间 …", "能提供的打 √ / tick what you offer", "√"),
    (RECRUITMENT_WILLING, "是或否；填“否”不会列入 / yes or no", "是"),
    ("联系电话", "只供联系，公开的图上会隐去 / for contact only, masked on every map", "0558-2260000"),
)  # fmt: skip


def write_form(path: Path, *, name: str, when: dt.datetime) -> None:
    """Write the blank form of a study called ``name`` to ``path``: a sheet to fill in, and one that explains.

    Lists to choose from stand in the cells; nothing but the answers is read back.
    """
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "报名表 Application"
    last = get_column_letter(len(HEADINGS))
    _line(
        sheet,
        1,
        last,
        f"{name}　驿站招募报名表 / Call for hosts of stations",
        Font(bold=True, size=16, color="A4161A"),
        30,
    )
    _line(
        sheet,
        2,
        last,
        "每个场所填一行，填法见第二页；填好后发回。 / One line for each place; the second sheet explains.",
        Font(size=10, color="555555"),
        18,
    )
    edge = Side(style="thin", color="BBBBBB")
    border = Border(left=edge, right=edge, top=edge, bottom=edge)
    for column, (heading, width) in enumerate(HEADINGS, start=1):
        cell = sheet.cell(3, column, heading)
        cell.font, cell.fill = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="A4161A")
        cell.alignment, cell.border = (
            Alignment(wrap_text=True, horizontal="center", vertical="center"),
            border,
        )
        sheet.column_dimensions[get_column_letter(column)].width = width
        for row in range(4, 4 + ROWS):
            sheet.cell(row, column).border = border
            if heading in {"联系电话", "开放时间"}:
                sheet.cell(row, column).number_format = "@"  # or Excel makes a date of 8-18
    sheet.row_dimensions[3].height = 46
    sheet.freeze_panes = "B4"
    names = [heading for heading, _width in HEADINGS]
    _choices(sheet, names, "场所类型", KINDS_ZH)
    _choices(sheet, names, "坐标系", DATUMS_ZH)
    _choices(sheet, names, RECRUITMENT_WILLING, ("是", "否"))
    for service in SERVICES_ZH.values():
        _choices(sheet, names, service, ("√", "×"))
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 8  # A3
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:3"
    notes = book.create_sheet("填写说明 How to fill in")
    # sentences, one a line: a table here would be read as a list when the answers come back
    lines = [f"{column}：{how}　例 e.g. {example}" for column, how, example in _HELP]
    for row, text in enumerate(("怎样填写 How to fill in", *lines), start=1):
        cell = notes.cell(row, 1, text)
        cell.alignment, cell.font = Alignment(wrap_text=True, vertical="center"), Font(bold=row == 1, size=12)
    notes.column_dimensions["A"].width = 110
    save_book(book, path, title=f"{name} 驿站招募报名表", when=when)


def _line(sheet: Any, row: int, last: str, text: str, font: Font, height: float) -> None:
    sheet.merge_cells(f"A{row}:{last}{row}")
    cell = sheet.cell(row, 1, text)
    cell.font, cell.alignment = font, Alignment(vertical="center")
    sheet.row_dimensions[row].height = height


def _choices(sheet: Any, names: list[str], heading: str, allowed: tuple[str, ...]) -> None:
    letter = get_column_letter(names.index(heading) + 1)
    rule = DataValidation(type="list", formula1=f'"{",".join(allowed)}"', allow_blank=True)
    rule.error, rule.errorTitle, rule.showErrorMessage = "请从列表中选 / choose from the list", heading, True
    sheet.add_data_validation(rule)
    rule.add(f"{letter}4:{letter}{3 + ROWS}")
