"""Premises that could host a station, and the outlets that couriers and riders start from."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from shapely.geometry import Point

from geo.sample.layout import District, Plan
from geo.sample.premises import Chooser, Site, people_near

WORKERS, OUTLETS = 1_459, 66


@dataclass(frozen=True, slots=True)
class Venue:
    """Premises that could host a station."""

    name: str
    kind: str
    xy: tuple[float, float]
    services: str
    hours: str


@dataclass(frozen=True, slots=True)
class Outlet:
    """A courier or delivery outlet with its workers."""

    name: str
    xy: tuple[float, float]
    workers: int


@dataclass(frozen=True, slots=True)
class _Kind:
    kind: str
    count: int
    names: tuple[str, ...]
    services: tuple[str, ...]
    hours: tuple[str, ...]
    country: float = 0.15  # share of them outside the town


# kind words are OSM values, so that venues of a file and venues out of OSM compare
_KINDS = (
    _Kind("restaurant", 62, ("{road}小食堂", "{area}面馆", "{road}快餐店", "老灶台（{road}店）"), ("就餐、饮水", "就餐"), ("10:00-22:00", "6:30-20:30", "9:00-21:00")),
    _Kind("supermarket", 42, ("惠邻超市（{road}店）", "惠邻便民超市（{area}店）", "好日子超市（{road}店）"), ("饮水、如厕", "饮水", ""), ("8:00-22:00", "7:30-21:30"), 0.3),
    _Kind("pharmacy", 38, ("康源大药房（{road}店）", "康源大药房（{area}店）", "平安草药店（{road}）"), ("急救药箱、饮水",), ("8:00-21:30", "24小时", "8:00-20:00"), 0.25),
    _Kind("bank", 28, ("示例银行{road}支行", "示例农商行{area}支行"), ("饮水、休息、空调",), ("周一至周五 8:30-17:00", "8:30-17:00")),
    _Kind("community_centre", 42, ("{area}活动中心", "{area}邻里中心", "{area}综合服务站"), ("饮水、休息、如厕、图书",), ("8:30-17:30", "8:00-18:00"), 0.4),
    _Kind("fuel", 12, ("{road}综合加油站", "{area}综合加油站"), ("如厕、饮水",), ("24小时", "6:00-22:00"), 0.4),
    _Kind("mall", 8, ("{road}生活广场", "{area}购物中心"), ("如厕、休息、空调、手机充电、急救药箱",), ("10:00-22:00", "9:30-22:00"), 0.0),
    _Kind("office", 18, ("{road}商务楼", "{area}办公楼"), ("休息、如厕",), ("周一至周五 8:30-18:00", "8:00-20:00"), 0.05),
)  # fmt: skip


def venues(plan: Plan, district: District, pool: Sequence[Site], rng: random.Random) -> list[Venue]:
    """250 premises of eight kinds, in the gaps too."""
    chooser = Chooser(pool, people_near(plan, district, pool, 300), rng)
    zones = (plan.core, plan.west, plan.east, plan.south)
    in_town = {id(s): any(z.contains(Point(s.xy)) for z in zones) for s in pool}
    made: list[Venue] = []
    taken: set[str] = set()
    for k in _KINDS:
        country = round(k.count * k.country)
        chosen = chooser.draw(k.count - country, 60, lambda s: in_town[id(s)], power=0.7)
        chosen += chooser.draw(country, 60, lambda s: not in_town[id(s)])
        for site in chosen:
            name = _unique(k.names, site, taken, rng)
            made.append(Venue(name, k.kind, site.xy, rng.choice(k.services), rng.choice(k.hours)))
    return made


def outlets(plan: Plan, district: District, pool: Sequence[Site], rng: random.Random) -> list[Outlet]:
    """Courier and delivery outlets with :data:`WORKERS` workers in all."""
    chooser = Chooser(pool, people_near(plan, district, pool, 700), rng)
    chosen = chooser.draw(OUTLETS, 260, lambda _s: True, power=0.6)
    share = [rng.lognormvariate(0, 0.7) for _s in chosen]
    workers = [max(3, int(s * WORKERS / sum(share))) for s in share]
    largest = workers.index(max(workers))
    workers[largest] += WORKERS - sum(workers)
    taken: set[str] = set()
    forms = (
        "速达快递{area}网点",
        "捷运快递{road}营业部",
        "快跑外卖{area}站",
        "邻里到家{road}站",
        "示例邮政{road}投递部",
    )
    return [Outlet(_unique(forms, s, taken, rng), s.xy, w) for s, w in zip(chosen, workers, strict=True)]


def _unique(forms: Sequence[str], site: Site, taken: set[str], rng: random.Random) -> str:
    """A name of one of the forms that nothing else bears."""
    first = rng.choice(forms).format(road=site.road, area=site.community.name)
    name, n = first, 1
    while name in taken:
        n += 1
        name = f"{first}{n}店" if not first.endswith("）") else f"{first[:-1]}{n}）"
    taken.add(name)
    return name
