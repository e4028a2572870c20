"""Stations, venues and outlets: where they stand, what they offer, when they are open."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.spatial import cKDTree
from shapely.geometry import LineString, Point

from geo.models import F64
from geo.sample.layout import District, Plan
from geo.sample.people import Community, homes

STATIONS_USED, STATIONS_LISTED, UNMAPPED, PLATES = 80, 86, 2, 4
WORKERS, OUTLETS, VENUES = 1_459, 66, 250
ROADSIDE_M = 11.0
OPEN_TO = frozenset({"secondary", "tertiary", "unclassified", "residential", "living_street"})


@dataclass(frozen=True, slots=True)
class Site:
    """A place beside a street, in plan metres."""

    xy: tuple[float, float]
    road: str
    community: Community


@dataclass(frozen=True, slots=True)
class Station:
    """One row of the station list; ``site`` is None where it was typed without a position."""

    name: str
    kind: str
    address: str
    xy: tuple[float, float] | None
    hours: str
    services: str
    street: str
    community: str
    contact: str
    phone: str
    remark: str


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


def sites(plan: Plan, district: District, communities: Sequence[Community], rng: random.Random) -> list[Site]:
    """Roadside places all over the district, in random order."""
    shapes = [c.shape for c in communities]
    tree = shapely.STRtree(shapes)
    named = [(LineString(w.points), w.tags["name"]) for w in district.ways if "name" in w.tags and w.ground
             and w.tags.get("access") != "private" and w.tags["highway"] != "cycleway"]  # fmt: skip
    roads = shapely.STRtree([line for line, _name in named])
    made = []
    for way in district.ways:
        if way.tags["highway"] not in OPEN_TO or way.tags.get("access") == "private" or not way.ground:
            continue
        line = LineString(way.points)
        for i in range(max(1, round(line.length / 70))):
            s = (i + rng.uniform(0.25, 0.75)) * line.length / max(1, round(line.length / 70))
            p, q = line.interpolate(s - 0.5), line.interpolate(s + 0.5)
            side = rng.choice((-1, 1)) * ROADSIDE_M
            gone = math.dist((p.x, p.y), (q.x, q.y)) or 1.0
            place = Point(p.x - (q.y - p.y) / gone * side, p.y + (q.x - p.x) / gone * side)
            found = tree.query(place, predicate="within")
            if len(found) and not plan.barred.intersects(place.buffer(15)):
                road = named[int(roads.nearest(place))][1]
                made.append(Site((place.x, place.y), road, communities[int(found[0])]))
    rng.shuffle(made)
    return made


class _Chooser:
    """Draws sites by weight, no two closer than asked."""

    def __init__(self, pool: Sequence[Site], weight: F64, rng: random.Random) -> None:
        self.pool, self.weight, self.rng = pool, weight, rng
        self.xy = np.array([s.xy for s in pool])
        self.free = np.ones(len(pool), dtype=np.bool_)

    def draw(self, count: int, spacing_m: float, fits: Callable[[Site], bool], power: float = 1.0) -> list[Site]:
        fit = np.array([fits(s) for s in self.pool])
        made: list[Site] = []
        while len(made) < count:
            weight = np.where(self.free & fit, self.weight**power, 0.0)
            total = np.cumsum(weight)
            if total[-1] <= 0:
                raise AssertionError("no site is left")
            i = int(np.searchsorted(total, self.rng.random() * total[-1], side="right"))
            made.append(self.pool[i])
            near = np.hypot(*(self.xy - self.xy[i]).T) < spacing_m
            self.free &= ~near
        return made


def _people_near(plan: Plan, district: District, pool: Sequence[Site], radius_m: float) -> F64:
    xy, people = homes(plan, district)
    near = cKDTree(xy).query_ball_point(np.array([s.xy for s in pool]), radius_m)
    return np.array([people[n].sum() for n in near]) + 1.0


HOURS: dict[str, tuple[str, ...]] = {
    "工会驿站": ("8:00-18:00", "7:00-21:00", "8:00—20:00", "早8晚6", "每日8时到22时", "7:30-19:30", "9:00-17:30", "8:00-18:00"),
    "党群驿站": ("8:00-18:00", "周一至周日 8:00-20:00", "8:30-17:30", "8:00-21:00", "8：00-18：00"),
    "社区党群服务中心": ("周一至周五 8:30-17:30", "8:30-11:30,13:30-17:00", "8:00-18:00", "工作日 8:30—17:30", "周一至周日 9:00-17:00"),
    "银行网点": ("周一至周五 8:30-17:30", "8:30-17:00", "9:00-17:00", "随银行营业时间", "8:30-17:30", "随银行营业时间"),
    "商超": ("8:00-22:00", "9:00-21:30", "7:00-22:00", "8:30-21:00"),
    "加油站": ("24小时", "6:00-22:00", "24小时", "6:00-次日2:00", "7:00-21:00"),
    "司机之家": ("24小时", "全天", "24小时（扫码进入）"),
    "小哥驿站": ("7:00-22:00", "6:00-次日2:00", "9:00-22:00", "10:00-22:00", "夏季8:00-20:00，冬季8:00-18:00"),
    "环卫驿站": ("5:30-20:00", "6:00-19:00", "", "24小时"),
}  # fmt: skip
KINDS: tuple[tuple[str, int], ...] = (
    ("工会驿站", 20), ("党群驿站", 13), ("社区党群服务中心", 15), ("银行网点", 10), ("商超", 6), ("小哥驿站", 5),
    ("环卫驿站", 3), ("加油站", 5), ("司机之家", 3),
)  # fmt: skip
BASIC = ("饮水", "休息", "手机充电")
MORE = ("微波炉", "WiFi", "如厕", "急救药箱", "图书", "空调", "取暖", "冰箱", "电动车充电")
OFFERS: dict[str, tuple[float, ...]] = {  # how often each of MORE is offered
    "工会驿站": (0.7, 0.7, 0.4, 0.7, 0.5, 0.7, 0.5, 0.4, 0.3), "党群驿站": (0.5, 0.8, 0.5, 0.5, 0.7, 0.6, 0.4, 0.2, 0.2),
    "社区党群服务中心": (0.4, 0.8, 0.9, 0.6, 0.8, 0.7, 0.5, 0.2, 0.25), "银行网点": (0.1, 0.6, 0.4, 0.6, 0.4, 0.9, 0.6, 0.05, 0.0),
    "商超": (0.4, 0.4, 0.7, 0.1, 0.0, 0.8, 0.5, 0.1, 0.3), "加油站": (0.5, 0.2, 1.0, 0.5, 0.1, 0.5, 0.4, 0.2, 0.1),
    "司机之家": (0.9, 0.9, 1.0, 0.7, 0.3, 0.9, 0.7, 0.6, 0.3), "小哥驿站": (0.8, 0.8, 0.3, 0.5, 0.2, 0.7, 0.5, 0.4, 0.8),
    "环卫驿站": (0.7, 0.1, 0.6, 0.4, 0.1, 0.5, 0.6, 0.2, 0.1),
}  # fmt: skip
SLOGAN = "冷可取暖、热可纳凉、渴可饮水、急可如厕、累可歇脚"


def stations(plan: Plan, district: District, pool: Sequence[Site], rng: random.Random) -> list[Station]:
    """The 86 rows of the list: 80 locations, 4 second plates, 2 without a position."""
    chooser = _Chooser(pool, _people_near(plan, district, pool, 500), rng)
    cast = [_cast(chooser, plan, district)]
    places = cast[0]
    kinds = _kinds(plan, places, rng)
    rows = []
    taken: set[str] = set()
    turn: dict[str, int] = {}
    for site, kind in zip(places, kinds, strict=True):
        turn[kind] = turn.get(kind, -1) + 1
        hours = HOURS[kind][turn[kind] % len(HOURS[kind])]
        rows.append(_row(_name(site, kind, taken), kind, site, site.xy, hours, rng))
    hosts = [r for r in rows if r.kind in {"社区党群服务中心", "商超", "党群驿站"} and r.xy is not None]
    for host in rng.sample(hosts, PLATES):
        assert host.xy is not None
        name = f"{host.name}·{'司机驿站' if host.kind == '商超' else '小哥驿站'}"
        xy = (host.xy[0] + rng.uniform(2, 5), host.xy[1] - rng.uniform(1, 4))
        site = next(s for s in places if s.xy == host.xy)
        plate = _row(name, "小哥驿站", site, xy, host.hours, rng)
        rows.append(Station(**{**_fields(plate), "address": host.address, "remark": "与上述单位合署"}))
    for site, word in zip(rng.sample(list(pool), UNMAPPED), ("筹建点", "流动服务车"), strict=True):
        row = _row(f"{site.community.name}户外劳动者{word}", "工会驿站", site, None, "8:00-18:00", rng)
        rows.append(Station(**{**_fields(row), "remark": "坐标待补"}))
    rows.sort(key=lambda r: (r.street, r.community, r.name))
    return rows


def _fields(row: Station) -> dict[str, object]:
    return {name: getattr(row, name) for name in Station.__slots__}
