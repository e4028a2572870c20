"""The report's page of tables: figures, gaps and sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from geo.models import LEAST_PEOPLE, StudyResult, kind_said
from geo.report.canvas import GREY, HEIGHT, MARGIN, RED, WIDTH, Page, text_width, wrapped
from geo.report.spoken import LAYERS_ZH, MODES_ZH, share_text

LISTED = 12  # gaps and sites listed at most; the workbook holds all


def figures_page(page: Page, result: StudyResult) -> int:
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


def _standard(summary: Mapping[str, Any]) -> tuple[str, str]:
    standard = summary["standard"]
    mode, minutes, speed = standard["mode"], standard["limit_minutes"], standard["speed_kmh"]
    zh_speed, en_speed = (f"，{speed:g} km/h", f", {speed:g} km/h") if speed else ("", "")
    return f"{MODES_ZH.get(mode, mode)} {minutes:g} 分钟{zh_speed}", f"{minutes:g} min by {mode}{en_speed}"


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
