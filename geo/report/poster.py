"""Results → poster.pdf and poster.png: one A3 sheet for a wall, with the way to the riders' page."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geo.models import StudyResult
from geo.report.canvas import GREY, INK, RED, Frame, Page, Points, shape_path, text_width, wrapped
from geo.report.map_page import BAND_RED, GAP_BLUE, SITE_YELLOW, STATION_GREEN, extent, rgb, roads_path
from geo.report.pdf import CHINESE_FONTS, chinese_font
from geo.report.spoken import LAYERS_ZH, MODES_ZH, main_layer, share_text

WIDTH, HEIGHT = 1191.0, 842.0  # A3 landscape, in points
MARGIN, HEAD, FOOT, SIDE = 28.0, 74.0, 40.0, 292.0
GAP_ROWS, SITE_ROWS = 5, 5
PNG_DPI = 150
QR_POINTS = 132.0  # 4.7 cm: read from an arm's length and more
PAPER, WATER = "#faf8f4", "#a9cfe2"


def write_poster(result: StudyResult, folder: Path) -> str | None:
    """Write ``poster.pdf`` (vector) and ``poster.png``; returns why not where it can't be made, else None.

    The QR code leads to ``[publish] url``; without one its place tells how to get it. The boundary and
    the borders of communities are drawn only where a map approval number (审图号) is given, and roads
    only then or for planners. Needs the extra ``print`` and a font with Chinese glyphs.
    """
    if any(importlib.util.find_spec(name) is None for name in ("matplotlib", "segno")):
        return '未生成 poster.pdf：需安装 "redmap[print]" / no poster.pdf: install "redmap[print]"'
    font = chinese_font()
    if font is None:
        return f"未生成 poster.pdf：没有中文字体 / no poster.pdf: no Chinese font; install one of {', '.join(CHINESE_FONTS)}"
    from matplotlib import rc_context

    settings: Any = {
        "font.family": [font, "DejaVu Sans"], "pdf.fonttype": 3, "hatch.linewidth": 0.5,
        "text.parse_math": False, "path.simplify": False,
    }  # fmt: skip
    title = f"{result.name} 驿站红色地图 {result.edition}".rstrip()
    with rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a rare sign in a name is a box
        page = _drawn(result)
        metadata = {"Title": title, "Creator": "Red Map", "CreationDate": None}
        page.figure.savefig(folder / "poster.pdf", metadata=metadata)
        page.figure.savefig(folder / "poster.png", dpi=PNG_DPI, metadata={"Software": None, "Title": title})
    return None


def _drawn(result: StudyResult) -> Page:
    page = Page(WIDTH, HEIGHT)
    page.rectangle(0, 0, WIDTH, HEIGHT, "white", zorder=0)
    _head(page, result)
    box = (MARGIN, FOOT + 8, WIDTH - 2 * MARGIN - SIDE - 20, HEIGHT - HEAD - FOOT - 22)
    frame = _filled(extent(result), box)
    _map(page, result, frame)
    _scale_bar(page, frame)
    _north(page, frame)
    _side(page, result)
    _foot(page, result)
    return page


def _filled(bounds: tuple[float, float, float, float], box: tuple[float, float, float, float]) -> Frame:
    """A frame that fills ``box`` and shows ``bounds`` with a little air, undistorted."""
    west, south, east, north = bounds
    air = 0.04 * max(east - west, north - south)
    west, south, east, north = west - air, south - air, east + air, north + air
    shrink = float(np.cos(np.radians((south + north) / 2)))
    x, y, width, height = box
    scale = min(width / ((east - west) * shrink), height / (north - south))
    wide, high = width / (scale * shrink), height / scale
    west, south = (west + east - wide) / 2, (south + north - high) / 2
    return Frame(x, y, width, height, west, south, shrink * scale, scale)


def _head(page: Page, result: StudyResult) -> None:
    page.rectangle(0, HEIGHT - HEAD, WIDTH, HEAD, RED)
    page.text(MARGIN, HEIGHT - 45, f"{result.name} 驿站红色地图", 33, "white")
    x = MARGIN + text_width(f"{result.name} 驿站红色地图", 33) + 18
    page.text(x, HEIGHT - 50, "Red map of stations for riders and outdoor workers", 10, "#f8dcd9")
    page.text(x, HEIGHT - 32, "骑手与户外劳动者：歇脚、喝水、如厕、充电", 13, "white")
    page.text(WIDTH - MARGIN, HEIGHT - 45, result.edition, 26, "white", align="right")
    if result.synthetic:
        label = "合成数据，非真实地区  SYNTHETIC DATA, NOT A REAL PLACE"
        page.text(WIDTH - MARGIN, HEIGHT - 64, label, 9, "#f8dcd9", align="right")


def _map(page: Page, result: StudyResult, frame: Frame) -> None:
    inputs, approved = result.inputs, bool(result.publish.get("map_approval_number"))
    page.rectangle(frame.x, frame.y, frame.width, frame.height, PAPER, zorder=0.5)
    barriers = result.network.surroundings
    for kind, style in ((0, {"ec": WATER, "lw": 2.2}), (1, {"ec": "#8d8a94", "lw": 1.0, "ls": (0, (6, 3))})):
        rows = np.flatnonzero(barriers.barrier_kind == kind)
        if len(rows):
            page.draw(_barriers(barriers.barriers, rows, frame), frame, zorder=1.45, **style)
    bands = result.bands.sort_values("minutes", ascending=False)
    for i, shape in enumerate(bands.geometry):
        colour = BAND_RED[min(len(bands) - 1 - i, len(BAND_RED) - 1)]
        page.draw(shape_path([shape], frame), frame, fc=colour, zorder=1.1 + 0.01 * i)
    if approved or result.publish.get("audience", "planner") == "planner":
        for main, width, colour in ((False, 0.3, "#b3aca6"), (True, 0.9, "#857e77")):
            path = roads_path(result.network, frame, main=main)
            page.draw(path, frame, ec=colour, lw=width, zorder=1.5 + main / 10)
    if approved:
        if len(inputs.communities):
            path = shape_path(inputs.communities.geometry, frame)
            page.draw(path, frame, ec="#5b5b5b", lw=0.5, ls=(0, (4, 3)), zorder=2)
        page.draw(shape_path(inputs.area.geometry, frame), frame, ec=INK, lw=1.6, zorder=2.1)
    if len(result.gaps):
        path = shape_path(result.gaps.geometry, frame)
        page.draw(path, frame, fc=(*rgb(GAP_BLUE), 0.10), ec=GAP_BLUE, lw=0.7, hatch="////", zorder=2.2)
    stations = inputs.stations
    at = frame.place(stations["lon"], stations["lat"])
    inside = frame.holds(at)
    size = 8.5 if len(stations) <= 150 else 5.5 if len(stations) <= 600 else 3.5
    page.marks(at[inside], "o", size, STATION_GREEN, mec="white", mew=0.9, zorder=3)
    sites = result.recommendations
    stars = frame.place(sites["lon"], sites["lat"])
    page.marks(stars, "*", 23, SITE_YELLOW, mec=INK, mew=0.8, zorder=4)
    for rank, (x, y) in zip(sites["rank"], stars, strict=True):
        page.text(x, y - 2.9, f"{rank}", 8, INK, align="center")
    _gap_numbers(page, result, frame, stars)
    if len(stations) <= 150:
        _names(page, [str(n) for n in stations["name"][inside]], at[inside], stars, frame)
    page.rectangle(frame.x, frame.y, frame.width, frame.height, "none", ec="#c9c2bb", lw=0.8, zorder=6)


def _barriers(lines: Any, rows: Any, frame: Frame) -> Any:
    from geo.report.canvas import line_path

    spans = [(int(lines.start[i]), int(lines.start[i + 1])) for i in rows]
    index = np.concatenate([np.arange(a, b) for a, b in spans])
    start = np.concatenate(([0], np.cumsum([b - a for a, b in spans]))).astype(np.int64)
    return line_path(start, frame.place(lines.lon[index], lines.lat[index]))


def _gap_numbers(page: Page, result: StudyResult, frame: Frame, stars: Points) -> None:
    gaps = result.gaps.sort_values("rank").head(GAP_ROWS)
    points = shapely.point_on_surface(gaps.geometry.to_numpy())
    places = frame.place(shapely.get_x(points), shapely.get_y(points))
    for rank, at in zip(gaps["rank"], places, strict=True):
        near = at - stars[np.hypot(*(stars - at).T) < 22]
        x, y = at[0], at[1] + (0.0 if len(near) == 0 else 20.0 if near[0, 1] >= 0 else -20.0)
        page.marks(np.array([[x, y]]), "s", 15, GAP_BLUE, mec="white", mew=0.8, zorder=4.5)
        page.text(x, y - 3.3, f"{rank}", 9.5, "white", align="center")


def _names(page: Page, names: Sequence[str], at: Points, stars: Points, frame: Frame) -> None:
    """Names of stations where there is room; a name gives way to marks and to names before it."""
    size = 6.2
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in at] + [
        (x - 12, y - 12, x + 12, y + 12) for x, y in stars
    ]
    for name, (x, y) in zip(names, at, strict=True):
        width = text_width(name, size)
        for left, low in (
            (x + 6, y - 2.2),
            (x - 6 - width, y - 2.2),
            (x - width / 2, y - 12),
            (x - width / 2, y + 7),
        ):
            box = (left - 1, low - 1.5, left + width + 1, low + size)
            inside = box[0] > frame.x + 2 and box[2] < frame.x + frame.width - 2 and box[1] > frame.y + 2
            if inside and not any(
                box[0] < t[2] and box[2] > t[0] and box[1] < t[3] and box[3] > t[1] for t in taken
            ):
                taken.append(box)
                page.rectangle(
                    box[0], box[1], box[2] - box[0], box[3] - box[1], "white", alpha=0.72, zorder=2.9
                )
                page.text(left, low, name, size)
                break


def _scale_bar(page: Page, frame: Frame) -> None:
    wanted_km = frame.width / frame.points_per_km / 6
    power = 10.0 ** np.floor(np.log10(wanted_km))
    km = float(max(step for step in (1, 2, 5) if step * power <= wanted_km) * power)
    x, y, length = frame.x + 14, frame.y + 12, km * frame.points_per_km
    page.rectangle(x - 8, y - 6, length + 52, 27, "white", alpha=0.85, zorder=6.1)
    for i in range(4):
        page.rectangle(
            x + i * length / 4, y, length / 4, 4.5, INK if i % 2 == 0 else "white", ec=INK, lw=0.6, zorder=6.2
        )
    page.text(x, y + 9, "0", 8.5)
    label = f"{km:g} 千米 km" if km >= 1 else f"{km * 1000:g} 米 m"
    page.text(x + length, y + 9, label, 8.5, align="center")


def _north(page: Page, frame: Frame) -> None:
    x, y = frame.x + frame.width - 26, frame.y + frame.height - 46
    page.rectangle(x - 16, y - 10, 32, 50, "white", alpha=0.85, zorder=6.1)
    page.marks(np.array([[x, y + 24]]), "^", 17, INK, mew=0, zorder=6.2)
    page.text(x, y - 3, "北 N", 10.5, align="center")


def _side(page: Page, result: StudyResult) -> None:
    x, y = WIDTH - MARGIN - SIDE, HEIGHT - HEAD - 30
    y = _figures(page, result, x, y)
    y = _legend(page, result, x, y - 14)
    floor = FOOT + 14 + QR_POINTS + 14
    y = _listed(page, x, y - 20, "盲区：最先要补的", "The worst gaps", _gap_rows(result), floor=floor + 30)
    _listed(page, x, y - 18, "建议增设", "Suggested sites", _site_rows(result), floor=floor)
    _code(page, str(result.publish.get("url", "")), x, FOOT + 8)


def _figures(page: Page, result: StudyResult, x: float, y: float) -> float:
    summary = result.summary
    layer, block = main_layer(summary)
    standard, stations, gaps = summary["standard"], summary["stations"], summary["gaps"]
    who, mode, minutes = LAYERS_ZH.get(layer, layer), standard["mode"], standard["limit_minutes"]
    page.text(x, y, f"{who}{MODES_ZH.get(mode, mode)} {minutes:g} 分钟内可到驿站", 13)
    page.text(x, y - 46, share_text(block["share"]), 46, RED)
    page.text(
        x + SIDE, y - 27, f"直线口径 {share_text(block['share_straight_line'])}", 10, GREY, align="right"
    )
    page.text(x + SIDE, y - 42, "straight line, for comparison", 8, GREY, align="right")
    page.text(x, y - 63, f"share of {layer} within {minutes:g} min ({mode}) of a station", 8.5, GREY)
    cards = [
        (f"{stations['used']:,}", "处驿站", "stations"),
        (f"{gaps['people']:,.0f}", f"人在 {gaps['count']} 处盲区", f"people in {gaps['count']} gaps"),
    ]
    if result.plan is not None and (n := len(result.recommendations)):
        cards.append((f"{result.plan.gain:+,.0f}", f"人：建议增设 {n} 处", f"people by {n} new sites"))
    for i, (figure, zh, en) in enumerate(cards):
        left = x + i * SIDE / len(cards)
        page.rectangle(left, y - 122, 2, 44, "#e3b8b4")
        page.text(left + 7, y - 93, figure, 17)
        page.text(left + 7, y - 107, zh, 8.8)
        page.text(left + 7, y - 119, en, 7, GREY)
    return y - 126


def _legend(page: Page, result: StudyResult, x: float, y: float) -> float:
    page.rectangle(x, y + 4, SIDE, 0.8, "#d5d0cc")
    minutes = sorted(result.bands["minutes"])
    entries = [
        (BAND_RED[min(i, len(BAND_RED) - 1)], f"{m:g} 分钟内 ≤ {m:g} min") for i, m in enumerate(minutes)
    ]
    entries += [("station", "驿站 station")]
    if len(result.gaps):
        entries += [("gap", "盲区 gap"), ("number", "盲区序号 rank of gap")]
    if len(result.recommendations):
        entries += [("site", "建议增设 suggested site")]
    for i, (kind, label) in enumerate(entries):
        left, low = x + (i % 2) * SIDE / 2, y - 15 - (i // 2) * 17
        at = np.array([[left + 9, low + 3.5]])
        if kind == "station":
            page.marks(at, "o", 9, STATION_GREEN, mec="white", mew=0.8)
        elif kind == "gap":
            page.rectangle(left, low - 2, 18, 11, (*rgb(GAP_BLUE), 0.10), ec=GAP_BLUE, lw=0.7, hatch="////")  # type: ignore[arg-type]
        elif kind == "number":
            page.marks(at, "s", 12, GAP_BLUE, mew=0)
            page.text(left + 9, low + 0.5, "1", 8, "white", align="center")
        elif kind == "site":
            page.marks(at, "*", 16, SITE_YELLOW, mec=INK, mew=0.7)
        else:
            page.rectangle(left, low - 2, 18, 11, kind)
        page.text(left + 24, low, label, 9.5)
    return y - 15 - ((len(entries) + 1) // 2) * 17 + 8


def _gap_rows(result: StudyResult) -> list[tuple[str, str, str, str]]:
    gaps = result.gaps.sort_values("rank").head(GAP_ROWS)
    return [(f"{g.rank}", g.name_zh, f"{g.people:,.0f} 人", g.reason_zh) for g in gaps.itertuples()]


def _site_rows(result: StudyResult) -> list[tuple[str, str, str, str]]:
    sites = result.recommendations.sort_values("rank").head(SITE_ROWS)
    return [(f"{s.rank}", s.name, f"+{s.gain:,.0f} 人", "") for s in sites.itertuples()]


def _listed(
    page: Page,
    x: float,
    y: float,
    zh: str,
    en: str,
    rows: Sequence[tuple[str, str, str, str]],
    *,
    floor: float,
) -> float:
    """Rows of number, name, figure and reason downwards to ``floor``; the new y."""
    if not rows:
        return y
    page.text(x, y, zh, 13, RED)
    page.text(x + text_width(zh, 13) + 7, y, en, 8.5, GREY)
    y -= 5
    for number, name, figure, why in rows:
        reasons = wrapped(why, SIDE - 20, 7.8)[:1]
        high = 15.0 + 10.5 * len(reasons)
        if y - high < floor:
            break
        room = SIDE - 24 - text_width(figure, 10)
        fitted = wrapped(name, room, 10)[:1]
        page.text(x, y - 12, number, 10, GREY)
        page.text(x + 16, y - 12, fitted[0] if fitted else "", 10)
        page.text(x + SIDE, y - 12, figure, 10, align="right")
        for line in reasons:
            page.text(x + 16, y - 22.5, line, 7.8, GREY)
        y -= high
        page.rectangle(x, y - 1.5, SIDE, 0.5, "#e6e1dc")
    return y


def _code(page: Page, url: str, x: float, y: float) -> None:
    """The QR code of the riders' page, or how to get it."""
    page.rectangle(x, y, SIDE, QR_POINTS + 6, "#f8f3f1", zorder=0.6)
    left = x + QR_POINTS + 14
    lines: tuple[tuple[str, float, str], ...]
    if not url:
        page.rectangle(
            x + 8, y + 8, QR_POINTS - 10, QR_POINTS - 10, "white", ec="#c9c2bb", lw=0.8, ls=(0, (4, 3))
        )
        page.text(x + 3 + QR_POINTS / 2, y + QR_POINTS / 2, "二维码 QR", 10, GREY, align="center")
        lines = (("这里可印二维码", 12.5, INK), ("在 study.toml 的 [publish] 写：", 8.5, GREY), ('url = "https://…/public.html"', 8.5, INK),
                 ("再运行 redmap build", 8.5, GREY), ("Set [publish] url, then build again:", 7.5, GREY), ("the code of public.html goes here", 7.5, GREY))  # fmt: skip
    else:
        _qr(page, url, x + 5, y + 3)
        lines = (("扫码找最近的驿站", 15, RED), ("看谁还开门、有什么服务，一键导航", 9, INK), ("Scan for the nearest station:", 8, GREY), ("open now, services, directions", 8, GREY),
                 *((line, 6.2, GREY) for line in wrapped(url, SIDE - QR_POINTS - 24, 6.2)[:2]))  # fmt: skip
    top = y + QR_POINTS - 22
    for text, size, colour in lines:
        page.text(left, top - size / 2, text, size, colour)
        top -= size + 6


def _qr(page: Page, url: str, x: float, y: float) -> None:
    """Error correction M, with the quiet zone of four modules that ISO/IEC 18004 asks for; one vector path."""
    import segno
    from matplotlib.path import Path as Outline

    code = np.array([list(row) for row in segno.make_qr(url, error="m").matrix], dtype=bool)
    step = QR_POINTS / (len(code) + 8)
    page.rectangle(x, y, QR_POINTS, QR_POINTS, "white", zorder=0.7)
    rows, columns = np.nonzero(code)
    left, top = x + (columns + 4) * step, y + QR_POINTS - (rows + 4) * step
    corners = np.stack(
        [
            np.column_stack((left + dx * step, top - dy * step))
            for dx, dy in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))
        ],
        axis=1,
    )
    codes = np.tile(
        [Outline.MOVETO, Outline.LINETO, Outline.LINETO, Outline.LINETO, Outline.CLOSEPOLY], len(left)
    )
    page.draw(Outline(corners.reshape(-1, 2), codes), fc="black", zorder=0.8, antialiased=False)


def _foot(page: Page, result: StudyResult) -> None:
    approval = result.publish.get("map_approval_number")
    line = (
        f"审图号 map approval：{approval}"
        if approval
        else "审图号：待填（公开张贴前请先送审）no map approval number: not for public display"
    )
    page.rectangle(MARGIN, FOOT - 4, WIDTH - 2 * MARGIN, 0.8, "#d5d0cc")
    page.text(MARGIN, FOOT - 18, line, 9, INK if approval else RED)
    sources = "、".join(
        sorted({str(v) for v in result.inputs.stations["issuer"] if isinstance(v, str) and v})[:4]
    )
    date = result.network.source_date[:10]
    text = f"驿站 stations：{sources or '—'}　道路 roads：© OpenStreetMap contributors (ODbL 1.0) {date}　可达圈为示意，数字按路网时间计算"
    page.text(MARGIN, FOOT - 31, text, 7.5, GREY)
    page.text(
        WIDTH - MARGIN, FOOT - 18, f"{result.edition}  Red Map 红色地图".strip(), 9, GREY, align="right"
    )
