"""The station list: 80 locations, second plates, rows without a position, as an office types them."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shapely.geometry import Point

from geo.sample.layout import District, Plan
from geo.sample.premises import Chooser, Site, people_near

UNMAPPED, PLATES = 2, 4
IN_TOWN, IN_INDUSTRY, IN_FRINGE, IN_TOWNS, IN_VILLAGES = 60, 3, 4, 3, 10
TOWN_SPACING_M = 300.0


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
    """The 86 rows of the list: 80 locations, 4 second plates at a door, 2 without a position."""
    places = _places(plan, district, pool, rng)
    rows: list[Station] = []
    taken: set[str] = set()
    turn: dict[str, int] = {}
    for site, kind in zip(places, _kinds(plan, places, rng), strict=True):
        turn[kind] = turn.get(kind, -1) + 1
        hours = HOURS[kind][turn[kind] % len(HOURS[kind])]
        rows.append(_row(_name(site, kind, taken), kind, site, hours, rng))
    hosts = [i for i, r in enumerate(rows) if r.kind in {"社区党群服务中心", "商超", "党群驿站"}]
    for i in sorted(rng.sample(hosts, PLATES)):
        host, (x, y) = rows[i], places[i].xy
        word = "司机驿站" if host.kind == "商超" else "小哥驿站"
        plate = _row(f"{host.name}·{word}", "小哥驿站", places[i], host.hours, rng)
        xy = (x + rng.uniform(2, 5), y - rng.uniform(1, 4))
        rows.append(replace(plate, xy=xy, address=host.address, remark=f"与{host.name}同址"))
    for site, word in zip(rng.sample(list(pool), UNMAPPED), ("驿站（筹）", "流动服务车"), strict=True):
        row = _row(f"{site.community.name}户外劳动者{word}", "工会驿站", site, "8:00-18:00", rng)
        rows.append(replace(row, xy=None, remark="坐标待补"))
    return sorted(rows, key=lambda r: (r.street, r.community, r.name))


def _places(plan: Plan, district: District, pool: Sequence[Site], rng: random.Random) -> list[Site]:
    """Most stand where most people are; the new quarters and the far bank in the east have none."""
    chooser = Chooser(pool, people_near(plan, district, pool, 500), rng)

    def in_core(site: Site) -> bool:
        p = Point(site.xy)
        far_bank = p.x > 2250 and p.y > plan.river.interpolate(plan.river.project(p)).y
        return plan.core.contains(p) and not far_bank

    def in_industry(site: Site) -> bool:
        return plan.west.contains(Point(site.xy)) and site.xy[1] > -1000

    def in_fringe(site: Site) -> bool:
        return plan.south.contains(Point(site.xy)) and site.xy[1] > -4100

    def near_town(site: Site) -> bool:
        return any(math.dist(site.xy, v) < 260 for v in district.villages[:3])

    def in_village(site: Site) -> bool:
        return any(math.dist(site.xy, v) < 150 for v in district.villages[4:])

    made = chooser.draw(IN_TOWN, TOWN_SPACING_M, in_core, power=0.8)
    made += chooser.draw(IN_INDUSTRY, 700, in_industry, power=0.3)
    made += chooser.draw(IN_FRINGE, 380, in_fringe)
    made += chooser.draw(IN_TOWNS, 800, near_town)
    made += chooser.draw(IN_VILLAGES, 900, in_village)
    return made


def _kinds(plan: Plan, places: Sequence[Site], rng: random.Random) -> list[str]:
    kinds = [kind for kind, count in KINDS for _i in range(count)]
    rng.shuffle(kinds)
    # lorry drivers rest where the works are: a 司机之家 drawn downtown changes places with one there
    works = [i for i, s in enumerate(places) if plan.west.contains(Point(s.xy))]
    drivers = [i for i, kind in enumerate(kinds) if kind == "司机之家" and i not in works]
    for i, j in zip(drivers, works, strict=False):
        kinds[i], kinds[j] = kinds[j], kinds[i]
    return kinds


def _name(site: Site, kind: str, taken: set[str]) -> str:
    area, road, street = site.community.name, site.road, site.community.street
    forms = {
        "工会驿站": (f"{road}工会驿站", f"{area}工会户外劳动者驿站", f"{street}{road}工会爱心驿站"),
        "党群驿站": (f"{area}党群驿站", f"{road}暖新党群驿站", f"{street}{road}红色驿站"),
        "社区党群服务中心": (f"{area}党群服务中心", f"{area}党群服务中心{road}服务站", f"{area}便民服务中心"),
        "银行网点": (
            f"示例银行{road}支行驿站",
            f"示例农商行{area}网点驿站",
            f"示例银行{street}{road}支行驿站",
        ),
        "商超": (f"惠邻超市{road}店驿站", f"惠邻超市{area}店驿站"),
        "小哥驿站": (f"{road}小哥驿站", f"{area}骑手驿站"),
        "环卫驿站": (f"{road}环卫工人休息站", f"{area}环卫驿站"),
        "加油站": (f"{road}加油站爱心驿站", f"{area}加油站爱心驿站"),
        "司机之家": (f"{road}司机之家", f"{area}货车司机之家"),
    }[kind]
    name = next((f for f in forms if f not in taken), None)
    n = 2
    while name is None:
        name = f"{forms[0]}（{n}号）"
        if name in taken:
            name, n = None, n + 1
    taken.add(name)
    return name


def _row(name: str, kind: str, site: Site, hours: str, rng: random.Random) -> Station:
    offered = [word for word, share in zip(MORE, OFFERS[kind], strict=True) if rng.random() < share]
    services = "、".join((*BASIC, *offered))
    style = rng.random()
    if style < 0.08:
        services = SLOGAN
    elif style < 0.22 and "WiFi" in offered:
        services = services.replace("、WiFi", "") + "、WiFi等"
    elif style < 0.3 and "如厕" not in offered:
        services += "、无卫生间"
    mobile = rng.random() < 0.6
    phone = (
        # 154 is assigned to no operator: nobody is called by mistake
        f"154{rng.randrange(10**3):04d}{rng.randrange(10**4):04d}"
        if mobile
        else f"0000-{rng.randrange(2160000, 2169999)}"
    )
    contact = (
        f"{rng.choice('张李王赵刘陈杨吴周徐孙')}{'同志' if mobile else '值班室'}" if mobile else "值班室"
    )
    address = f"示例区{site.road}{rng.randrange(1, 400)}号"
    return Station(name, kind, address, site.xy, hours, services, site.community.street, site.community.name,
                   contact, phone, "")  # fmt: skip
