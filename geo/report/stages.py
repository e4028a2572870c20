"""Plans in stages as a picture and as a page: what each further station gains, beside the best of each number."""

from __future__ import annotations

from typing import Any

import pandas as pd

from geo.report.canvas import GREY, HEIGHT, INK, MARGIN, RED, WIDTH, Page, wrapped

LISTED = 20  # stages on the page; the workbook holds all
CURVE_TOP, CURVE_HEIGHT = HEIGHT - 100.0, 290.0  # points, from the foot of the page
ROW_HEIGHT = 15.0
# x in points, alignment, heading of each column
COLUMNS = (
    (MARGIN, "left", "期 stage"), (MARGIN + 48, "left", "新增场所 new site"), (MARGIN + 290, "right", "本期增加 gain"),
    (MARGIN + 360, "right", "累计 in all"), (MARGIN + 434, "right", "同数最优 best"), (WIDTH - MARGIN, "right", "相差 short by"),
)  # fmt: skip


def draw_curve(axes: Any, stages: pd.DataFrame) -> None:
    """Draw value against the number of sites, nested and best, on matplotlib ``axes``."""
    if not stages["proven"].all():
        axes.fill_between(
            stages["stage"], stages["best"], stages["bound"], color="#fadcd7", label="未证明 not proven"
        )
    axes.plot(
        stages["stage"], stages["best"], color=GREY, marker=".", label="每个数目的最优 best of each number"
    )
    axes.plot(stages["stage"], stages["value"], color=RED, marker="o", ms=4, label="分期方案 nested plan")
    axes.set_xlabel("新增驿站 new stations")
    axes.set_ylabel("数值 value")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.set_major_formatter(lambda v, _at: f"{v:,.0f}")
    axes.legend(frameon=False)
    axes.grid(color="#eeeeee")


def stages_page(page: Page, stages: pd.DataFrame) -> None:
    """Fill a page: the curve, and a row a stage."""
    page.text(MARGIN, CURVE_TOP + 16, "分期建设：每一期都保留前面各期的场所", 11, INK)
    page.text(
        MARGIN, CURVE_TOP + 5, "In stages: each keeps the sites of those before it; the best of each number need not.",
        7.5, GREY,
    )  # fmt: skip
    left, width = MARGIN + 44, WIDTH - 2 * MARGIN - 44
    axes = page.figure.add_axes(
        (left / WIDTH, (CURVE_TOP - CURVE_HEIGHT) / HEIGHT, width / WIDTH, (CURVE_HEIGHT - 12) / HEIGHT)
    )
    draw_curve(axes, stages)
    axes.tick_params(labelsize=7.5)
    y = CURVE_TOP - CURVE_HEIGHT - 52
    for x, align, heading in COLUMNS:
        page.text(x, y, heading, 7.5, GREY, align=align)
    page.rule(y - 4)
    for row in stages.head(LISTED).itertuples():
        y -= ROW_HEIGHT
        proven = "" if row.proven else " *"
        cells = (
            f"{row.stage}", wrapped(str(row.name), 180, 8.5)[0], f"{row.gain:,.0f}", f"{row.value:,.0f}",
            f"{row.best:,.0f}{proven}", f"{row.price:,.0f}",
        )  # fmt: skip
        for (x, align, _heading), text in zip(COLUMNS, cells, strict=True):
            page.text(x, y, text, 8.5, INK, align=align)
        page.rule(y - 4, width=0.3)
    notes = []
    if len(stages) > LISTED:
        notes.append(f"其余 {len(stages) - LISTED} 期见 report.xlsx / the others are in report.xlsx")
    if not stages["proven"].all():
        notes.append("* 时限内未证明最优 / not proven best within the time limit")
    for note in notes:
        y -= ROW_HEIGHT
        page.text(MARGIN, y, note, 7.5, GREY)
