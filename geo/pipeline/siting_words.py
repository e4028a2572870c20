"""What a study asks of siting, in words: the goal, then every rule in force, Chinese / English."""

from __future__ import annotations

from geo.config import SitingSection
from geo.models import SERVICES_ZH

_PLACES_ZH = {"community": "社区", "street": "街道"}


def said(asked: SitingSection) -> tuple[str, ...]:
    """Goal and rules of ``[siting]``, one text each, Chinese / English.

    >>> said(SitingSection(goal="share", share=0.9, refuse=("A", "B")))
    ('最少几处可覆盖 90 % / the fewest that cover 90 %', '不选 A、B / not A, B')
    """
    return (_goal(asked), *_rules(asked))


def _goal(asked: SitingSection) -> str:
    match asked.goal:
        case "cover":
            return "标准内的人最多 / most people within the standard"
        case "share" if asked.costs:
            return (
                f"最少费用覆盖 {_percent(asked.share)} / the least cost that covers {_percent(asked.share)}"
            )
        case "share":
            return f"最少几处可覆盖 {_percent(asked.share)} / the fewest that cover {_percent(asked.share)}"
        case "minutes":
            return "总人·分钟最少 / fewest person-minutes"
        case "worst":
            return "最远的人最近 / nearest for those farthest away"
        case "backup":
            return "标准内的人最多，有第二站可达的再计一次 / most people within the standard, those within reach of two counted twice"


def _rules(asked: SitingSection) -> list[str]:
    words = []
    if asked.budget is not None:
        words.append(f"预算 {asked.budget:g} / budget {asked.budget:g}")
    elif asked.goal != "share" and (asked.add or not (asked.close or asked.move)):
        words.append(f"至多新增 {asked.add} 处 / at most {asked.add} new")
    if asked.close:
        words.append(f"关闭 {asked.close} 处 / close {asked.close}")
    if asked.move:
        words.append(f"至多迁移 {asked.move} 处 / move at most {asked.move}")
    if asked.must:
        words.append(f"必选 {'、'.join(asked.must)} / must open {', '.join(asked.must)}")
    if asked.refuse:
        words.append(f"不选 {'、'.join(asked.refuse)} / not {', '.join(asked.refuse)}")
    if asked.one_per:
        words.append(f"每个{_PLACES_ZH[asked.one_per]}至多新增一处 / at most one new in each {asked.one_per}")
    if asked.spacing_minutes:
        words.append(
            f"站间至少 {asked.spacing_minutes:g} 分钟 / at least {asked.spacing_minutes:g} min between stations"
        )
    for share, zh, en in (
        (asked.floor_streets, "街道", "street"), (asked.floor_communities, "社区", "community"),
    ):  # fmt: skip
        if share:
            words.append(f"每个{zh}至少覆盖 {_percent(share)} / at least {_percent(share)} of each {en}")
    if asked.layers:
        named = "、".join(f"{name} × {weight:g}" for name, weight in asked.layers.items())
        words.append(f"需求 {named} / demand {named}")
    if asked.services:
        zh = "、".join(SERVICES_ZH[s] for s in asked.services)
        words.append(f"只计提供{zh}的站 / only stations with {', '.join(asked.services)} count")
    if asked.times:
        words.append(
            f"只计 {'、'.join(asked.times)} 开放的站 / only stations open at {', '.join(asked.times)} count"
        )
    if asked.gradual_minutes is not None:
        full, none = asked.gradual_minutes
        words.append(
            f"{full:g} 分钟内全计，到 {none:g} 分钟减为零 / full worth within {full:g} min, none at {none:g} min"
        )
    if asked.capacity is not None:
        words.append(
            f"每处新站至多服务 {asked.capacity:g} 人 / a new station serves {asked.capacity:g} at most"
        )
    return words


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"
