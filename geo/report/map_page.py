"""The report's page of headline figures and the map, and what other sheets draw of a map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

from geo.models import RoadNetwork, StudyResult
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
)
from geo.report.spoken import DAYS_ZH, LAYERS_ZH, MODES_ZH, SERVICES_ZH, main_layer, share_text

BAND_RED = ("#d1495b", "#ee9a94", "#fadcd7")  # nearest first
GAP_BLUE, STATION_GREEN, SITE_YELLOW = "#274b7a", "#0b6b3a", "#ffd23f"
MAP_BOX = (MARGIN, 246.0, WIDTH - 2 * MARGIN, 452.0)
MAIN_WAYS = ("motorway", "trunk", "primary", "secondary", "tertiary")


def map_page(page: Page, result: StudyResult, *, numbered: int) -> None:
    """Headline figures, the map with the ranks of the first ``numbered`` gaps, and bars of shares."""
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
        (f"该时开放 open at (hours known {stations['hours_known']}/{stations['used']})", [(f"{DAYS_ZH.get(t[:3], '')} {t}".strip(), v) for t, v in block["share_by_time"].items()]),
        ("有此服务 with service", [
            (f"{SERVICES_ZH.get(s, '')} {s.replace('_', ' ')}".strip(), v) for s, v in block["share_by_service"].items()]),
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
