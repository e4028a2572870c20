"""Why a gap is one, in words for a planner, with the figures (Chinese and English)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from geo.models import BARRIER_KINDS, F64, I32, I64, BarrierKind, Bool, Mode

Reason = Literal["no_station_near", "cut_off", "closed", "lacks_service", "unlinked"]

BARRIER_ZH: Mapping[BarrierKind, str] = {
    "water": "水面", "railway": "铁路", "motorway": "高速公路", "wall": "围墙",
}  # fmt: skip
BARRIER_EN: Mapping[BarrierKind, str] = {
    "water": "water", "railway": "a railway", "motorway": "a motorway", "wall": "a wall",
}  # fmt: skip
GOING: Mapping[Mode, tuple[str, str]] = {
    "walk": ("步行", "on foot"), "ebike": ("骑电动车", "by e-bike"),
    "bike": ("骑车", "by bicycle"), "drive": ("驾车", "by car"),
}  # fmt: skip
DAY_ZH: Mapping[str, str] = {
    "Mon": "周一", "Tue": "周二", "Wed": "周三", "Thu": "周四", "Fri": "周五", "Sat": "周六", "Sun": "周日",
}  # fmt: skip
SERVICE_ZH: Mapping[str, str] = {
    "warmth": "取暖", "cooling": "纳凉", "water": "饮水", "toilet": "卫生间", "books": "图书", "rest": "休息",
    "first_aid": "急救药箱", "phone_charging": "手机充电", "ebike_charging": "电动车充电",
    "battery_swap": "换电", "microwave": "微波炉", "fridge": "冰箱", "meals": "用餐", "wifi": "无线网络",
    "shower": "淋浴", "gym": "健身", "medical": "医疗", "repair": "维修",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """Which gaps are asked for: all (both None), those at a time of week, or those of a service."""

    time: str | None = None
    service: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Figures of one gap; names are "" where there is no such station.

    ``closest`` is the nearest station that counts in a straight line, ``quickest`` along the
    network, ``usual`` the nearest of all stations, counted or not. ``minutes`` and ``straight_m``
    are medians over the people (None, or ``inf``, where most reach none). ``between`` is what lies
    across the straight line for most people, with its name or "".
    """

    people: float
    unlinked_people: float
    within_straight: bool
    closest: str
    quickest: str
    usual: str
    straight_m: float
    minutes: float | None
    usual_minutes: float | None
    between: tuple[BarrierKind, str] | None


def describe(facts: Facts, *, limit_s: float, mode: Mode, question: Question) -> tuple[Reason, str, str]:
    """Reason, Chinese sentence, English sentence.

    >>> facts = Facts(90.0, 0.0, True, "A", "A", "A", 638.0, 27.2, 27.2, ("water", "颍河"))
    >>> describe(facts, limit_s=900.0, mode="walk", question=Question())[1]
    '最近的驿站“A”直线 640 m，步行 27 分钟：被颍河隔开'
    """
    if facts.unlinked_people > facts.people / 2:
        return (
            "unlinked",
            "附近的路网上没有可走的路，算不出时间：请核对道路数据",
            "no usable way nearby in the road data, so no time can be computed: check the roads",
        )
    zh, en = _nearest(facts, limit_s, mode, question)
    note_zh, note_en = _unlinked_note(facts)
    if question.time is not None or question.service is not None:
        reason, why_zh, why_en = _not_counted(facts, question, mode)
        return reason, f"{why_zh}；{zh}{note_zh}", f"{why_en}; {en}{note_en}"
    if not facts.closest:
        return "no_station_near", "没有任何驿站", "there is no station at all"
    if not facts.within_straight:
        return "no_station_near", f"附近没有驿站：{zh}{note_zh}", f"no station near: {en}{note_en}"
    if facts.between is None:
        return "cut_off", f"{zh}：道路绕行{note_zh}", f"{en}: the roads make a detour{note_en}"
    kind, name = facts.between
    what_en = f"{BARRIER_EN[kind]} ({name})" if name else BARRIER_EN[kind]
    return (
        "cut_off",
        f"{zh}：被{name or BARRIER_ZH[kind]}隔开{note_zh}",
        f"{en}: cut off by {what_en}{note_en}",
    )


def _nearest(facts: Facts, limit_s: float, mode: Mode, question: Question) -> tuple[str, str]:
    if not facts.closest:
        return "没有这样的驿站", "there is no such station"
    go_zh, go_en = GOING[mode]
    far_zh, far_en = _length(facts.straight_m)
    which_zh, which_en = "最近的驿站", "the nearest station"
    if question.time is not None:
        which_zh, which_en = "最近的开放驿站", "the nearest open station"
    elif question.service is not None:
        which_zh, which_en = "最近的有此服务的驿站", "the nearest station that has it"
    zh = f"{which_zh}“{facts.closest}”直线 {far_zh}"
    en = f"{which_en}, {facts.closest}, is {far_en} away"
    if facts.minutes is None:
        return (
            f"{zh}，{go_zh}在测算范围内走不到",
            f"{en} in a straight line, not reached {go_en} within the search",
        )
    took = _minutes(facts.minutes, limit_s)
    if facts.quickest == facts.closest:
        return f"{zh}，{go_zh} {took} 分钟", f"{en} in a straight line, {took} min {go_en}"
    return (
        f"{zh}，{go_zh}最近的是“{facts.quickest}”，{took} 分钟",
        f"{en} in a straight line; quickest to reach {go_en} is {facts.quickest}, {took} min",
    )


def _not_counted(facts: Facts, question: Question, mode: Mode) -> tuple[Reason, str, str]:
    go_zh, go_en = GOING[mode]
    took = "" if facts.usual_minutes is None else f"{facts.usual_minutes:.0f}"
    if question.time is not None:
        day, _, clock = question.time.partition(" ")
        return (
            "closed",
            f"{DAY_ZH.get(day, day)} {clock} 时，{go_zh} {took} 分钟的“{facts.usual}”不开放或开放时间不明",
            f"{question.time}: {facts.usual}, {took} min {go_en}, is closed or its hours are unknown",
        )
    service = question.service or ""
    return (
        "lacks_service",
        f"{go_zh} {took} 分钟的“{facts.usual}”没有{SERVICE_ZH.get(service, service)}",
        f"{facts.usual}, {took} min {go_en}, has no {service.replace('_', ' ')}",
    )


def _unlinked_note(facts: Facts) -> tuple[str, str]:
    if facts.unlinked_people < 1:
        return "", ""
    count = f"{facts.unlinked_people:,.0f}"
    return f"（其中 {count} 人附近没有可走的路）", f" ({count} of the people have no usable way nearby)"


def _minutes(minutes: float, limit_s: float) -> str:
    """Whole minutes, unless those would read as if within the limit.

    >>> _minutes(27.2, 900.0), _minutes(15.02, 900.0)
    ('27', '15.1')
    """
    if limit_s < minutes * 60.0 and round(minutes) * 60.0 <= limit_s:
        return f"{math.ceil(minutes * 10) / 10:.1f}"
    return f"{minutes:.0f}"


def _length(length_m: float) -> tuple[str, str]:
    if length_m >= 10_000:
        return (f"{length_m / 1000:.1f} km",) * 2
    return (f"{round(length_m, -1):,.0f} m",) * 2


def lies_between(
    link: I64, line: I64, people: F64, kind: I32, name: tuple[str, ...]
) -> tuple[BarrierKind, str] | None:
    """What crosses the straight lines of more than half of the people, and its commonest name.

    ``link``/``line``: pairs (row of ``people``, barrier). Of several kinds the one that is hardest
    to cross, in the order of :data:`geo.models.BARRIER_KINDS`.
    """
    for code, word in enumerate(BARRIER_KINDS):
        mine: Bool = kind[line] == code
        if people[np.unique(link[mine])].sum() * 2 <= people.sum():
            continue
        count: dict[str, float] = {}
        for crossed, row in zip(line[mine], link[mine], strict=True):
            if name[crossed]:
                count[name[crossed]] = count.get(name[crossed], 0.0) + float(people[row])
        return word, min(count, key=lambda n: (-count[n], n), default="")
    return None
