"""The answer of siting → sites.xlsx, recommendations.geojson, curve.png and the recruitment call as one page."""

from __future__ import annotations

import datetime as dt
import importlib.util
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from geo.models import kind_said
from geo.report.canvas import GREY, HEIGHT, INK, MARGIN, RED, WIDTH, Page, wrapped
from geo.report.frames import flat
from geo.report.geojson import feature_collection
from geo.report.pdf import chinese_font
from geo.report.stages import draw_curve
from geo.report.summary import plain
from geo.report.workbook import SYNTHETIC, write_book

CALL_ROWS = 14  # venues on the one page of the call; sites.xlsx has all
CONDITIONS = (
    (
        "临街、夜间也能进出，有座位和饮水",
        "a place at the street with seats and water, open in the evening too",
    ),
    (
        "愿让骑手、环卫工、司机等免费进来歇脚",
        "willing to let riders, cleaners and drivers rest free of charge",
    ),
    ("按公布的时间开放，变动时告知", "open at the hours that it announces, and tells of changes"),
)


def write_siting(
    sheets: Mapping[str, pd.DataFrame],
    sites: gpd.GeoDataFrame,
    folder: Path,
    *,
    title: str,
    synthetic: bool,
) -> None:
    """Write sites.xlsx (a sheet each of ``sheets``) and recommendations.geojson into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    note = SYNTHETIC if synthetic else ""
    tidy = {
        name: (flat(pd.DataFrame(frame.drop(columns="geometry", errors="ignore"))), note)
        for name, frame in sheets.items()
    }
    write_book(tidy, folder / "sites.xlsx", title=title, when=dt.datetime(1980, 1, 1, tzinfo=dt.UTC))
    points = gpd.GeoDataFrame(
        flat(pd.DataFrame(sites.drop(columns="geometry"))), geometry=sites.geometry.to_numpy(), crs=sites.crs
    )
    (folder / "recommendations.geojson").write_text(feature_collection(points), encoding="utf-8")


def write_curve(stages: pd.DataFrame, path: Path, *, title: str) -> str | None:
    """Draw value against the number of sites, nested and best; returns why not where it can't be, else None."""
    refused = _unprintable(path.name)
    if refused is not None:
        return refused
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"font.family": [chinese_font() or "", "DejaVu Sans"], "text.parse_math": False}):
        figure = Figure(figsize=(6.4, 4.0), dpi=150, layout="constrained")
        axes = figure.add_subplot()
        draw_curve(axes, stages)
        axes.set_title(title, color=INK)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")
            figure.savefig(path, metadata={"Software": None})
    return None


def write_call(
    asked: pd.DataFrame, path: Path, *, name: str, edition: str, minutes: float, synthetic: bool
) -> str | None:
    """Write 驿站招募令, the call for hosts, as one A4 page; returns why not where it can't be made, else None.

    ``asked``: one row a venue to ask, ``gap venue kind people`` (the people of the gap that it would
    reach), best first in each gap. The file bears no date: the same rows give the same bytes.
    """
    refused = _unprintable(path.name)
    if refused is not None:
        return refused
    from matplotlib import rc_context
    from matplotlib.backends.backend_pdf import PdfPages

    settings: Any = {
        "font.family": [chinese_font() or "", "DejaVu Sans"],
        "pdf.fonttype": 3,
        "text.parse_math": False,
    }
    with rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        with PdfPages(
            path, metadata={"Title": f"{name} 驿站招募令", "Creator": "Red Map", "CreationDate": None}
        ) as book:
            page = Page()
            _call_page(page, asked, name=name, edition=edition, minutes=minutes, synthetic=synthetic)
            book.savefig(page.figure)
    return None


def _call_page(
    page: Page, asked: pd.DataFrame, *, name: str, edition: str, minutes: float, synthetic: bool
) -> None:
    page.rectangle(0, HEIGHT - 8, WIDTH, 8, RED)
    page.text(MARGIN, HEIGHT - 62, "驿站招募令", 34, RED)
    page.text(
        MARGIN, HEIGHT - 82, f"{name}　A call for hosts of workers' stations  {edition}".rstrip(), 10, GREY
    )
    if synthetic:
        page.text(MARGIN, HEIGHT - 96, SYNTHETIC, 8, INK)
    y = HEIGHT - 124
    for text, size, colour in (
        (
            f"这些地方的人步行 {minutes:g} 分钟走不到一处驿站。您若在附近有店面、网点或院落，请让出一角。",
            12,
            INK,
        ),
        (
            f"People here find no station within {minutes:g} minutes. If you have premises nearby, spare them a corner.",
            9,
            GREY,
        ),
    ):
        for line in wrapped(text, WIDTH - 2 * MARGIN, size):
            page.text(MARGIN, y, line, size, colour)
            y -= size * 1.5
    y -= 6
    page.text(MARGIN, y, "我们最想问的场所 Whom we would ask first", 13, RED)
    y -= 20
    for label, x in (
        ("盲区 gap", 0.0),
        ("场所 venue", 150.0),
        ("类型 kind", 340.0),
        ("可覆盖 people", 456.0),
    ):
        page.text(MARGIN + x, y, label, 8, GREY)
    for row in asked.head(CALL_ROWS).to_dict("records"):
        y -= 18
        for text, x, width, size in (
            (str(row["gap"]), 0.0, 144.0, 10), (str(row["venue"]), 150.0, 184.0, 10),
            (kind_said(row["kind"]), 340.0, 112.0, 8), (f"{plain(row['people']):,.0f}", 456.0, 70.0, 10),
        ):  # fmt: skip
            page.text(MARGIN + x, y, wrapped(text, width, size)[0], size, INK)
    y -= 18
    page.rule(y)
    y -= 22
    page.text(MARGIN, y, "条件 What it takes", 13, RED)
    for chinese, english in CONDITIONS:
        y -= 18
        page.text(MARGIN, y, f"· {chinese}", 11, INK)
        y -= 12
        page.text(MARGIN + 9, y, english, 8, GREY)
    y -= 26
    page.text(MARGIN, y, "报名 To offer a place", 13, RED)
    for line in (
        "填写“招募报名表”（redmap recruit），或联系：",
        "联系人 contact ____________　电话 phone ____________　截止 until ____________",
    ):
        y -= 18
        page.text(MARGIN, y, line, 11, INK)
    listed = min(len(asked), CALL_ROWS)
    page.rule(MARGIN + 10)
    page.text(
        MARGIN, MARGIN,
        f"列出 {listed} / {len(asked)} 处　道路 roads © OpenStreetMap contributors (ODbL 1.0)",
        6.5, GREY,
    )  # fmt: skip


def _unprintable(name: str) -> str | None:
    if importlib.util.find_spec("matplotlib") is None:
        return f'未生成 {name}：需安装 "redmap[print]" / no {name}: install "redmap[print]"'
    if chinese_font() is None:
        return f"未生成 {name}：没有中文字体 / no {name}: no Chinese font"
    return None
