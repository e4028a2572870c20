"""Results → report.pdf: the map on one A4 page, the figures, gaps and sites on the next."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from geo.models import StudyResult

# Fonts with Chinese glyphs that Windows, macOS and Linux desktops bring, best first.
CHINESE_FONTS = (
    "Microsoft YaHei", "PingFang SC", "Noto Sans CJK SC", "Source Han Sans SC", "SimHei",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Arial Unicode MS",
)  # fmt: skip
BAND_RED = ("#fbd5cf", "#f08a80", "#b3161c")
PAGE_IN = (8.27, 11.69)


def chinese_font() -> str | None:
    """The first installed font of :data:`CHINESE_FONTS`, None where there is none."""
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in CHINESE_FONTS if name in installed), None)


def write_pdf(result: StudyResult, path: Path) -> str | None:
    """Write the printed report; returns why not where it can't be made (bilingual), else None.

    It needs the extra ``print`` (matplotlib) and an installed font with Chinese glyphs.
    """
    if importlib.util.find_spec("matplotlib") is None:
        return '未生成 report.pdf：需安装 "redmap[print]" / no report.pdf: install "redmap[print]"'
    font = chinese_font()
    if font is None:
        return f"未生成 report.pdf：没有中文字体 / no report.pdf: no Chinese font; install one of {', '.join(CHINESE_FONTS)}"
    from matplotlib import rc_context
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    settings: Any = {
        "font.sans-serif": [font],
        "font.family": "sans-serif",
        "pdf.fonttype": 42,
        "hatch.linewidth": 0.6,
    }
    metadata = {"Title": result.name, "Creator": "Red Map", "CreationDate": None}
    with rc_context(settings), PdfPages(path, metadata=metadata) as book:
        for draw in (_map_page, _figures_page):
            figure = Figure(figsize=PAGE_IN)
            draw(figure, result)
            book.savefig(figure)
    return None


def _title(result: StudyResult) -> str:
    label = "（合成数据 synthetic data）" if result.synthetic else ""
    return f"{result.name} 驿站红色地图 {result.edition}{label}"


def _map_page(figure: Any, result: StudyResult) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    figure.text(0.06, 0.955, _title(result), fontsize=17, color="#8a1015")
    axes = figure.add_axes((0.04, 0.12, 0.92, 0.8))
    net = result.network
    lines = [
        np.column_stack((net.geometry.lon[a:b], net.geometry.lat[a:b]))
        for a, b in zip(net.geometry.start[:-1], net.geometry.start[1:], strict=True)
    ]
    handles: list[Any] = []
    bands = result.bands.sort_values("minutes", ascending=False)
    for i, row in enumerate(bands.itertuples()):
        colour = BAND_RED[min(i, len(BAND_RED) - 1)]
        result.bands.loc[[row.Index]].plot(ax=axes, color=colour, linewidth=0)
        handles.append(Patch(color=colour, label=f"≤ {row.minutes:g} 分钟 min"))
    axes.add_collection(LineCollection(lines, colors="0.45", linewidths=0.15, zorder=2))
    if len(result.inputs.communities):
        result.inputs.communities.boundary.plot(ax=axes, color="0.3", linewidth=0.25, linestyle=":", zorder=2)
    result.inputs.area.boundary.plot(ax=axes, color="0.2", linewidth=0.8, zorder=2)
    if len(result.gaps):
        result.gaps.plot(
            ax=axes, facecolor="none", edgecolor="#222222", hatch="////", linewidth=0.5, zorder=3
        )
        handles.append(Patch(facecolor="none", edgecolor="#222222", hatch="////", label="盲区 gap"))
    stations = result.inputs.stations
    axes.plot(stations["lon"], stations["lat"], "o", ms=3.2, mfc="#0b6b3a", mec="white", mew=0.4, zorder=4)
    handles.append(Line2D([], [], marker="o", ls="", color="#0b6b3a", label="驿站 station"))
    sites = result.recommendations
    if len(sites):
        axes.plot(sites["lon"], sites["lat"], "*", ms=11, mfc="#ffd23f", mec="black", mew=0.6, zorder=5)
        handles.append(
            Line2D([], [], marker="*", ls="", mfc="#ffd23f", mec="black", ms=10, label="建议增设 site")
        )
    west, south, east, north = result.inputs.area.total_bounds
    axes.set(xlim=(west, east), ylim=(south, north), aspect=1 / np.cos(np.radians((south + north) / 2)))
    axes.axis("off")
    _scale_bar(axes, west, south, east, north)
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.05, 0.045), ncols=4, frameon=False, fontsize=8
    )
    approval = result.publish.get("map_approval_number") or "待填 none"
    figure.text(
        0.06,
        0.03,
        f"审图号：{approval}　道路 roads © OpenStreetMap contributors (ODbL 1.0)",
        fontsize=7,
        color="0.3",
    )


def _scale_bar(axes: Any, west: float, south: float, east: float, north: float) -> None:
    metre_deg = 1 / (111_320 * np.cos(np.radians(south)))
    wanted_m = (east - west) / metre_deg / 5
    power = 10 ** np.floor(np.log10(wanted_m))
    length_m = float(max(step for step in (1, 2, 5) if step * power <= wanted_m) * power)
    x, y = west + (east - west) * 0.02, south + (north - south) * 0.015
    axes.plot([x, x + length_m * metre_deg], [y, y], color="black", lw=2, solid_capstyle="butt")
    label = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    axes.text(x, y + (north - south) * 0.008, label, fontsize=7)


def _figures_page(figure: Any, result: StudyResult) -> None:
    summary = result.summary
    figure.text(0.06, 0.955, "主要数字 Key figures", fontsize=15, color="#8a1015")
    stations, standard = summary["stations"], summary["standard"]
    lines = [
        f"标准 standard：{standard['mode']}，{standard['speed_kmh'] or '—'} km/h，{standard['limit_minutes']:g} 分钟 min",
        f"驿站 stations：用 used {stations['used']} / 列 listed {stations['listed']}，时间已知 hours known {stations['hours_known']}",
    ]
    for layer, block in summary["demand"].items():
        lines.append(
            f"{layer}：覆盖 covered {block['share']:.1%}（{block['covered']:,.0f} / {block['total']:,.0f}），"
            f"直线 straight line {block['share_straight_line']:.1%}，两站以上 two or more {block['share_two_or_more']:.1%}"
        )
    figure.text(0.06, 0.935, "\n".join(lines), fontsize=9, va="top", linespacing=1.7)
    gaps = [
        [f"{g.rank}", g.name_zh, f"{g.people:,.0f}", g.reason_zh] for g in result.gaps.head(12).itertuples()
    ]
    _table(
        figure,
        0.79,
        "盲区 Gaps",
        ["#", "名称 name", "人数 people", "原因 reason"],
        gaps,
        (0.05, 0.22, 0.1, 0.63),
    )
    sites = [
        [f"{s.rank}", s.name, s.kind, f"{s.gain:,.0f}", "、".join(g["name"] for g in s.communities_gain[:3])]
        for s in result.recommendations.head(12).itertuples()
    ]
    head = ["#", "场所 venue", "类型 kind", "新增 gain", "受益社区 communities"]
    _table(figure, 0.40, "选址建议 Sites", head, sites, (0.05, 0.3, 0.15, 0.1, 0.4))


def _table(
    figure: Any, top: float, title: str, head: list[str], rows: list[list[str]], widths: tuple[float, ...]
) -> None:
    figure.text(0.06, top, title, fontsize=12, color="#8a1015")
    if not rows:
        figure.text(0.06, top - 0.03, "无 none", fontsize=9)
        return
    height = 0.022 * (len(rows) + 1)
    axes = figure.add_axes((0.06, top - 0.012 - height, 0.88, height))
    axes.axis("off")
    table = axes.table(
        cellText=rows, colLabels=head, colWidths=list(widths), cellLoc="left", bbox=(0, 0, 1, 1)
    )
    table.auto_set_font_size(False)
    table.set_fontsize(7)
    for cell in table.get_celld().values():
        cell.set_linewidth(0.3)
