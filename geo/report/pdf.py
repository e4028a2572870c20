"""Results → report.pdf, A4: headline figures and the map; tables of figures, gaps and sites; plans in stages."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geo.models import LEAST_PEOPLE, RoadNetwork, StudyResult, kind_said
from geo.report.canvas import (
    GREY,
    HEIGHT,
    INK,
    MARGIN,
    RED,
    WIDTH,
    Frame,
    Page,
    line_path,
    shape_path,
    text_width,
    wrapped,
)
from geo.report.stages import stages_page

# Fonts with Chinese glyphs that Windows, macOS and Linux desktops bring, best first.
CHINESE_FONTS = (
    "Microsoft YaHei", "PingFang SC", "Noto Sans CJK SC", "Source Han Sans SC", "SimHei",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Arial Unicode MS",
)  # fmt: skip
BAND_RED = ("#d1495b", "#ee9a94", "#fadcd7")  # nearest first
GAP_BLUE, STATION_GREEN, SITE_YELLOW = "#274b7a", "#0b6b3a", "#ffd23f"
MAP_BOX = (MARGIN, 246.0, WIDTH - 2 * MARGIN, 452.0)
MAIN_WAYS = ("motorway", "trunk", "primary", "secondary", "tertiary")
LISTED = 12  # gaps and sites listed at most; the workbook holds all
MODES_ZH = {"walk": "步行", "ebike": "电动自行车", "bike": "自行车", "drive": "驾车"}
LAYERS_ZH = {"residents": "居民", "workers": "劳动者", "activity": "活动", "jobs": "岗位"}
_DAYS = {
    "Mon": "周一",
    "Tue": "周二",
    "Wed": "周三",
    "Thu": "周四",
    "Fri": "周五",
    "Sat": "周六",
    "Sun": "周日",
}
_SERVICES = {
    "warmth": "取暖", "cooling": "纳凉", "water": "饮水", "toilet": "厕所", "books": "阅读", "rest": "休息",
    "first_aid": "急救", "phone_charging": "手机充电", "ebike_charging": "电动车充电", "battery_swap": "换电",
    "microwave": "微波炉", "fridge": "冰箱", "meals": "用餐", "wifi": "无线网络", "shower": "淋浴", "gym": "健身",
    "medical": "医疗", "repair": "维修",
}  # fmt: skip


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
            listed = _figures_page(pages[1], result)
            _map_page(pages[0], result, numbered=listed)
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


def main_layer(summary: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The layer of people that a sheet is about, and its block of the summary: residents where they are given."""
    demand = summary["demand"]
    layer = "residents" if "residents" in demand else next(iter(demand))
    return layer, demand[layer]


def share_text(value: Any) -> str:
    """A share in percent, a dash where there is none.

    >>> share_text(0.7541), share_text(None)
    ('75.4%', '—')
    """
    return "—" if value is None else f"{value:.1%}"


def _standard(summary: Mapping[str, Any]) -> tuple[str, str]:
    standard = summary["standard"]
    mode, minutes, speed = standard["mode"], standard["limit_minutes"], standard["speed_kmh"]
    zh_speed, en_speed = (f"，{speed:g} km/h", f", {speed:g} km/h") if speed else ("", "")
    return f"{MODES_ZH.get(mode, mode)} {minutes:g} 分钟{zh_speed}", f"{minutes:g} min by {mode}{en_speed}"


def _map_page(page: Page, result: StudyResult, *, numbered: int) -> None:
    _cards(page, result)
    frame = Frame.fitted(extent(result), MAP_BOX)
    _draw_map(page, result, frame)
    _numbers(page, result, frame, numbered)
    _scale_and_north(page, frame)
    _legend(page, result, frame.y - 16)
    _bars(page, result.summary, 176.0)


def extent(result: StudyResult) -> tuple[float, float, float, float]:
    """The part of the area (west, south, east, north) that has anything to show."""
    net, inputs = result.network, result.inputs
    shown = [f.total_bounds for f in (result.bands, result.gaps, inputs.communities) if len(f)]
    if net.node_count:
        shown.append(
            np.array([net.node_lon.min(), net.node_lat.min(), net.node_lon.max(), net.node_lat.max()])
        )
    area = inputs.area.total_bounds
    low = np.maximum(area[:2], np.min([b[:2] for b in shown], axis=0, initial=np.inf))
    high = np.minimum(area[2:], np.max([b[2:] for b in shown], axis=0, initial=-np.inf))
    if (low >= high).any():
        low, high = area[:2], area[2:]
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _cards(page: Page, result: StudyResult) -> None:
    summary = result.summary
    layer, block = main_layer(summary)
    standard = summary["standard"]
    mode, minutes = standard["mode"], standard["limit_minutes"]
    who = LAYERS_ZH.get(layer, layer)
    stations, gaps = summary["stations"], summary["gaps"]
    cards = [
        (share_text(block["share"]), f"{who}：{MODES_ZH.get(mode, mode)} {minutes:g} 分钟内", f"of {layer} within {minutes:g} min ({mode})"),
        (share_text(block["share_straight_line"]), "直线口径（仅供对照）", "by straight line, for comparison"),
        (f"{gaps['people']:,.0f}", f"人在 {gaps['count']} 处盲区", f"people in {gaps['count']} gaps"),
        (f"{stations['used']}", f"处驿站（列出 {stations['listed']} 行）", f"stations used ({stations['listed']} rows listed)"),
    ]  # fmt: skip
    if result.plan is not None and (count := len(result.recommendations)):
        cards[-1:] = [
            (f"{stations['used']}", f"处驿站（列出 {stations['listed']} 行）", f"stations ({stations['listed']} listed)"),
            (f"{result.plan.gain:+,.0f}", f"人：建议增设 {count} 处", f"people gained by {count} sites"),
        ]  # fmt: skip
    width = (WIDTH - 2 * MARGIN) / len(cards)
    for i, (figure, zh_line, en_line) in enumerate(cards):
        x = MARGIN + i * width
        page.rectangle(x, HEIGHT - 132, 2, 54, RED if i == 0 else "#e3b8b4")
        page.text(x + 8, HEIGHT - 99, figure, 19, RED if i == 0 else INK)
        page.text(x + 8, HEIGHT - 115, zh_line, 7.5)
        page.text(x + 8, HEIGHT - 126, en_line, 5.8, GREY)


def _draw_map(page: Page, result: StudyResult, frame: Frame) -> None:
    inputs = result.inputs
    area = shape_path(inputs.area.geometry, frame)
    page.draw(area, frame.grown(1), fc="#fbfaf8", zorder=1)
    bands = result.bands.sort_values("minutes", ascending=False)
    for i, shape in enumerate(bands.geometry):
        colour = BAND_RED[min(len(bands) - 1 - i, len(BAND_RED) - 1)]
        page.draw(shape_path([shape], frame), frame, fc=colour, zorder=1.1 + 0.01 * i)
    for main, width, colour in ((False, 0.15, "#a9a29d"), (True, 0.4, "#7d7671")):
        page.draw(
            roads_path(result.network, frame, main=main), frame, ec=colour, lw=width, zorder=1.5 + main / 10
        )
    if len(inputs.communities):
        path = shape_path(inputs.communities.geometry, frame)
        page.draw(path, frame, ec="#5b5b5b", lw=0.3, ls=(0, (4, 3)), zorder=2)
    page.draw(area, frame.grown(1), ec=INK, lw=0.9, zorder=2.1)
    if len(result.gaps):
        path = shape_path(result.gaps.geometry, frame)
        line = 0.5 if len(result.gaps) <= 200 else 0.2
        page.draw(path, frame, fc=(*rgb(GAP_BLUE), 0.14), ec=GAP_BLUE, lw=line, hatch="/////", zorder=2.2)
    stations = inputs.stations
    size = 3.6 if len(stations) <= 400 else 2.2
    at = frame.place(stations["lon"], stations["lat"])
    at = at[frame.holds(at)]
    page.marks(at, "o", size, STATION_GREEN, mec="white", mew=0.4, zorder=3)


def _numbers(page: Page, result: StudyResult, frame: Frame, numbered: int) -> None:
    """The sites, and the ranks of the gaps that page 2 lists."""
    sites = result.recommendations
    stars = frame.place(sites["lon"], sites["lat"])
    page.marks(stars, "*", 13, SITE_YELLOW, mec=INK, mew=0.6, zorder=4)
    for rank, (x, y) in zip(sites["rank"], stars, strict=True):
        page.text(x, y - 1.9, f"{rank}", 5, INK, align="center")
    gaps = result.gaps.sort_values("rank").head(numbered)
    inside = shapely.point_on_surface(gaps.geometry.to_numpy())
    for rank, at in zip(gaps["rank"], frame.place(shapely.get_x(inside), shapely.get_y(inside)), strict=True):
        away = at - stars[np.hypot(*(stars - at).T) < 14]  # from stars that the number would hide
        x, y = at[0], at[1] + (0.0 if len(away) == 0 else 12.0 if away[0, 1] >= 0 else -12.0)
        page.marks(np.array([[x, y]]), "s", 9.5, GAP_BLUE, mec="white", mew=0.5, zorder=4.5)
        page.text(x, y - 2.1, f"{rank}", 5.8, "white", align="center")


def rgb(colour: str) -> tuple[float, float, float]:
    """``#rrggbb`` as three shares of light.

    >>> rgb("#ff0000")
    (1.0, 0.0, 0.0)
    """
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def roads_path(net: RoadNetwork, frame: Frame, *, main: bool) -> Any:
    """The main ways, or the others, that show in the frame, as one path."""
    lines = net.geometry
    if len(lines) == 0:
        return line_path(np.zeros(1, dtype=np.int64), np.zeros((0, 2)))
    of_class = np.array([name.removesuffix("_link") in MAIN_WAYS for name in net.class_names], dtype=bool)
    wanted = of_class[net.way_class] == main
    at = frame.place(lines.lon, lines.lat)
    low, high = np.minimum.reduceat(at, lines.start[:-1]), np.maximum.reduceat(at, lines.start[:-1])
    wanted &= (high >= (frame.x, frame.y)).all(axis=1)
    wanted &= (low <= (frame.x + frame.width, frame.y + frame.height)).all(axis=1)
    count = np.diff(lines.start)
    return line_path(np.concatenate(([0], np.cumsum(count[wanted]))), at[np.repeat(wanted, count)])


def _scale_and_north(page: Page, frame: Frame) -> None:
    wanted_km = frame.width / frame.points_per_km / 5
    power = 10.0 ** np.floor(np.log10(wanted_km))
    km = float(max(step for step in (1, 2, 5) if step * power <= wanted_km) * power)
    x, y, length = frame.x + 4, frame.y + 4, km * frame.points_per_km
    page.rectangle(x - 4, y - 4, length + 18, 20, "white", alpha=0.8, zorder=4.9)
    page.rectangle(x, y, length / 2, 3, INK, zorder=5)
    page.rectangle(x, y, length, 3, "none", lw=0.6, ec=INK, zorder=5)
    page.text(x, y + 6, "0", 6.5)
    label = f"{km:g} km" if km >= 1 else f"{km * 1000:g} m"
    page.text(x + length, y + 6, label, 6.5, align="center")
    x, y = frame.x + frame.width - 10, frame.y + frame.height - 24
    page.rectangle(x - 10, y - 8, 20, 24, "white", alpha=0.8, zorder=4.9)
    page.marks(np.array([[x, y + 8]]), "^", 7, INK, mew=0, zorder=5)
    page.text(x, y - 4, "北 N", 7, align="center")


def _legend(page: Page, result: StudyResult, y: float) -> None:
    minutes = sorted(result.bands["minutes"])
    entries: list[tuple[str, str]] = [
        (BAND_RED[min(i, len(BAND_RED) - 1)], f"≤ {m:g} 分钟 min") for i, m in enumerate(minutes)
    ]
    entries += [("station", "驿站 station")]
    if len(result.gaps):
        entries += [("gap", "盲区 gap"), ("number", "序号见次页 listed overleaf")]
    if len(result.recommendations):
        entries += [("site", "建议增设 suggested site")]
    widths = [22 + text_width(label, 7.5) for _, label in entries]
    x = max(MARGIN, (WIDTH - sum(widths)) / 2)
    for (kind, label), width in zip(entries, widths, strict=True):
        if x + width > WIDTH - MARGIN + 12:
            x, y = MARGIN, y - 13
        at = np.array([[x + 5, y + 3]])
        if kind == "station":
            page.marks(at, "o", 5, STATION_GREEN, mec="white", mew=0.4)
        elif kind == "gap":
            page.rectangle(x, y - 1, 11, 8, "#dfe4eb", ec=GAP_BLUE, lw=0.5, hatch="/////")
        elif kind == "number":
            page.marks(at, "s", 8.5, GAP_BLUE, mew=0)
            page.text(x + 5, y + 0.9, "1", 5.8, "white", align="center")
        elif kind == "site":
            page.marks(at, "*", 11, SITE_YELLOW, mec=INK, mew=0.6)
        else:
            page.rectangle(x, y - 1, 11, 8, kind)
        page.text(x + 14, y, label, 7.5)
        x += width


def _bars(page: Page, summary: Mapping[str, Any], top: float) -> None:
    """Bars of the main layer's shares: by minutes, by time of the week, by service."""
    layer, block = main_layer(summary)
    stations = summary["stations"]
    who = LAYERS_ZH.get(layer, layer)
    groups = [
        ("按时间 by minutes", [(f"{m} 分钟 min", v) for m, v in block["share_by_minutes"].items()]),
        (f"该时开放 open at (hours known {stations['hours_known']}/{stations['used']})", [(f"{_DAYS.get(t[:3], '')} {t}".strip(), v) for t, v in block["share_by_time"].items()]),
        ("有此服务 with service", [
            (f"{_SERVICES.get(s, '')} {s.replace('_', ' ')}".strip(), v) for s, v in block["share_by_service"].items()]),
    ]  # fmt: skip
    groups = [(title, rows[:8]) for title, rows in groups if rows]
    page.text(MARGIN, top + 18, f"{who}覆盖率", 10, RED)
    page.text(MARGIN + text_width(f"{who}覆盖率", 10) + 6, top + 18, f"Share of {layer} covered", 7, GREY)
    width = (WIDTH - 2 * MARGIN) / len(groups)
    for i, (title, rows) in enumerate(groups):
        x = MARGIN + i * width
        page.text(x, top + 4, title, 7.5, GREY)
        label_width = max(text_width(label, 7) for label, _ in rows) + 5
        room = max(width - label_width - 42, 10)
        for k, (label, value) in enumerate(rows):
            y = top - 10 - k * 13.5
            page.text(x, y, label, 7)
            page.rectangle(x + label_width, y - 1.5, room, 8, "#f1edea")
            page.rectangle(x + label_width, y - 1.5, room * min(value or 0.0, 1.0), 8, RED)
            page.text(x + label_width + room + 4, y, share_text(value), 7)


def _figures_page(page: Page, result: StudyResult) -> int:
    """Tables of figures, gaps and sites; returns how many gaps found room."""
    summary = result.summary
    zh, en = _standard(summary)
    stations = summary["stations"]
    y = _heading(page, HEIGHT - 84, "主要数字", f"Key figures · {zh} · {en}")
    columns = [
        ("需求 demand", "left", 87.0), ("总数 total", "right", 56.0), ("已覆盖 covered", "right", 64.0),
        ("覆盖率 share", "right", 56.0), ("速度 ±10% speed", "right", 76.0), ("直线 straight", "right", 58.0),
        ("两站以上 two or more", "right", 76.0), ("中位 median", "right", 50.0),
    ]  # fmt: skip
    rows = [
        _texts(
            f"{LAYERS_ZH.get(layer, '')} {layer}".strip(), f"{b['total']:,.0f}", f"{b['covered']:,.0f}", share_text(b["share"]),
            "–".join(map(share_text, b["share_range"])), share_text(b["share_straight_line"]), share_text(b["share_two_or_more"]),
            "—" if b["median_minutes"] is None else f"{b['median_minutes']:.1f} min",
        )
        for layer, b in summary["demand"].items()
    ]  # fmt: skip
    y, _ = page.table(y, columns, rows, floor=560)
    network, shapes = summary["network"], summary["isochrones"]
    false, missed, off = map(
        share_text, (shapes["false_share"], shapes["missed_share"], network["off_network_share"])
    )
    counts = [stations[key] for key in ("listed", "used", "merged", "rejected", "hours_known")]
    notes = (
        (
            "驿站：列出 {} 行，用 {}，合并 {}，拒收 {}，开放时间已知 {}（未知的不算开放）".format(*counts),
            "stations: {} rows listed, {} used, {} merged, {} rejected, hours known of {} (unknown is never open)".format(*counts),
        ),
        (
            f"数字按路网时间计算；等时圈仅为示意，误含 {false}，漏掉 {missed}；离路网过远的人 {off}",
            f"figures from times on the road network; shapes are pictures: {false} false, {missed} missed; off the network: {off}",
        ),
    )  # fmt: skip
    for zh_note, en_note in notes:
        page.text(MARGIN, y - 13, zh_note, 7)
        page.text(MARGIN, y - 22, en_note, 6, GREY)
        y -= 22
    y, listed = _gaps(page, result, y - 26)
    _sites(page, result, y - 26)
    return listed


def _heading(page: Page, y: float, zh: str, en: str) -> float:
    page.text(MARGIN, y, zh, 12, RED)
    page.text(MARGIN + text_width(zh, 12) + 6, y, en, 7.5, GREY)
    return y - 8


def _texts(*texts: str) -> list[tuple[str, str]]:
    return [(text, "") for text in texts]


def _gaps(page: Page, result: StudyResult, y: float) -> tuple[float, int]:
    gaps = result.gaps.sort_values("rank")
    total = result.summary["gaps"]
    y = _heading(page, y, "盲区", f"Gaps · {total['count']} 处，{total['people']:,.0f} 人 people")
    if gaps.empty:
        page.text(MARGIN, y - 12, "无 none", 8)
        return y - 14, 0
    columns = [
        ("序 #", "right", 28.0), ("名称 name", "left", 115.0), ("人数 people", "right", 56.0), ("原因 reason", "left", 324.0),
    ]  # fmt: skip
    rows = [
        [
            (f"{g.rank}", ""),
            (g.name_zh, g.name_en if g.name_en != g.name_zh else ""),
            (f"{g.people:,.0f}", ""),
            (g.reason_zh, g.reason_en),
        ]
        for g in gaps.head(LISTED).itertuples()
    ]
    words = 36.0 if result.plan is not None and len(result.plan.said) > 2 else 0.0
    floor = 120.0 + words + 20.0 * min(len(result.recommendations), LISTED - 2)  # leave room for the sites
    y, shown = page.table(y, columns, rows, floor=floor)
    return _more(page, y, len(gaps) - shown), shown


def _sites(page: Page, result: StudyResult, y: float) -> None:
    sites, plan = result.recommendations, result.plan
    if plan is None or (sites.empty and plan.closed.empty and not plan.conflict):
        _heading(page, y, "选址建议", "Suggested sites · 无 none")
        return
    if plan.conflict:
        y = _heading(page, y, "选址建议", "Suggested sites · 规则不能同时满足 these rules cannot all be kept")
        _lines(page, y, plan.conflict, lines=8)
        return
    proof = (
        "已证最优 proven optimal"
        if plan.status == "optimal"
        else f"到时限，与上界差 time limit, gap {plan.gap:.1%}"
    )
    before, after = (f / plan.total if plan.total else 0.0 for f in (plan.covered_before, plan.covered_after))
    y = _heading(
        page, y, "选址建议", f"Suggested sites · {share_text(before)} → {share_text(after)} · {proof}"
    )
    told = plan.said if plan.goal != "cover" or len(plan.said) > 2 else ()  # "5 more" needs no words
    closed = "、".join(str(name) for name in plan.closed["name"]) if len(plan.closed) else ""
    y = _lines(page, y, (*told, *((f"关闭 close: {closed}",) if closed else ())), lines=3)
    if sites.empty:
        return
    columns = [
        ("序 #", "right", 28.0), ("场所 venue", "left", 150.0), ("类型 kind", "left", 75.0),
        ("新增 gain", "right", 56.0), ("受益社区 communities", "left", 214.0),
    ]  # fmt: skip
    rows = [
        _texts(f"{s.rank}", s.name, kind_said(s.kind), f"{s.gain:,.0f}", _communities(s.communities_gain))
        for s in sites.head(LISTED).itertuples()
    ]
    y, shown = page.table(y, columns, rows, floor=62)
    _more(page, y, len(sites) - shown)


def _lines(page: Page, y: float, texts: Sequence[str], *, lines: int) -> float:
    """Texts as one paragraph of a few lines; the y below."""
    if not texts:
        return y
    for line in wrapped("；".join(texts), WIDTH - 2 * MARGIN, 7.5)[:lines]:
        page.text(MARGIN, y - 9, line, 7.5)
        y -= 10.5
    return y - 3


def _communities(gains: Sequence[Mapping[str, Any]]) -> str:
    some = [g for g in gains if g["people"] >= LEAST_PEOPLE][:4]
    return "、".join(f"{g['name'] or '社区外 outside'} {g['people']:,.0f}" for g in some)


def _more(page: Page, y: float, left: int) -> float:
    if left > 0:
        page.text(MARGIN, y - 10, f"另有 {left} 处，见 report.xlsx / {left} more in report.xlsx", 7, GREY)
        return y - 12
    return y
