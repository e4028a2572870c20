"""Results → report.pdf, A4: headline figures and the map; tables of figures, gaps and sites; plans in stages."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any

from geo.models import StudyResult
from geo.report.canvas import GREY, HEIGHT, INK, MARGIN, RED, WIDTH, Page, text_width
from geo.report.figures_page import figures_page
from geo.report.map_page import map_page
from geo.report.stages import stages_page

# Fonts with Chinese glyphs that Windows, macOS and Linux desktops bring, best first.
CHINESE_FONTS = (
    "Microsoft YaHei", "PingFang SC", "Noto Sans CJK SC", "Source Han Sans SC", "SimHei",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Arial Unicode MS",
)  # fmt: skip


def chinese_font() -> str | None:
    """The first installed font of :data:`CHINESE_FONTS`, None where there is none."""
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in CHINESE_FONTS if name in installed), None)


def write_pdf(result: StudyResult, path: Path) -> str | None:
    """Write the printed report; returns why not where it can't be made (bilingual), else None.

    It needs the extra ``print`` (matplotlib) and an installed font with Chinese glyphs. The file
    bears no date: the same result gives the same bytes.
    """
    if importlib.util.find_spec("matplotlib") is None:
        return '未生成 report.pdf：需安装 "redmap[print]" / no report.pdf: install "redmap[print]"'
    font = chinese_font()
    if font is None:
        return f"未生成 report.pdf：没有中文字体 / no report.pdf: no Chinese font; install one of {', '.join(CHINESE_FONTS)}"
    from matplotlib import rc_context
    from matplotlib.backends.backend_pdf import PdfPages

    settings: Any = {
        "font.family": [font, "DejaVu Sans"],
        "pdf.fonttype": 3,  # outlines of the signs used: cutting down a 20 MB font costs seconds, OTF can't be
        "hatch.linewidth": 0.3,
        "text.parse_math": False,
        "path.simplify": False,
    }
    metadata = {"Title": _title(result), "Creator": "Red Map", "CreationDate": None}
    with rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a rare sign in a name is a box
        with PdfPages(path, metadata=metadata) as book:
            pages = [Page(), Page()]
            listed = figures_page(pages[1], result)
            map_page(pages[0], result, numbered=listed)
            if result.stages is not None and len(result.stages):
                pages.append(Page())
                stages_page(pages[-1], result.stages)
            for number, page in enumerate(pages, start=1):
                _head_and_foot(page, result, f"{number} / {len(pages)}")
                book.savefig(page.figure)
    return None


def _title(result: StudyResult) -> str:
    label = "（合成数据 synthetic data）" if result.synthetic else ""
    return f"{result.name} 驿站红色地图 {result.edition}".rstrip() + label


def _head_and_foot(page: Page, result: StudyResult, number: str) -> None:
    page.rectangle(0, HEIGHT - 8, WIDTH, 8, RED)
    page.text(MARGIN, HEIGHT - 44, f"{result.name} 驿站红色地图", 19, RED)
    page.text(MARGIN, HEIGHT - 58, f"Red map of workers' stations  {result.edition}".rstrip(), 8.5, GREY)
    if result.synthetic:
        label = "合成数据，非真实地区  SYNTHETIC DATA, NOT A REAL PLACE"
        width = text_width(label, 7) + 8
        page.rectangle(WIDTH - MARGIN - width, HEIGHT - 61, width, 13, INK)
        page.text(WIDTH - MARGIN - width / 2, HEIGHT - 57, label, 7, "white", align="center")
    approval = result.publish.get("map_approval_number") or "待填 none"
    page.rule(MARGIN + 10)
    page.text(
        MARGIN,
        MARGIN,
        f"审图号 map approval：{approval}　道路 roads © OpenStreetMap contributors (ODbL 1.0)",
        6.5,
        GREY,
    )
    page.text(WIDTH - MARGIN, MARGIN, f"Red Map · {number}", 6.5, GREY, align="right")
