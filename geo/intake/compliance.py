"""What each station lacks of the lists that offices inspect by (六有, 七个一 …), as far as a list can tell.

A list of stations tells which services are offered; whether there is a sign, a rule on the wall or a
person in charge it does not, and that is said rather than guessed. A station whose services are not
stated at all lacks nothing that we know of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from geo.models import AuditEntry

State = Literal["has", "lacks", "untold"]


@dataclass(frozen=True, slots=True)
class Item:
    """One item: met by any of ``services``; by standing on the map; or not to be told from a list (neither)."""

    zh: str
    en: str
    services: frozenset[str] = frozenset()
    on_map: bool = False


@dataclass(frozen=True, slots=True)
class Checklist:
    """A list to inspect by, its items in the order published."""

    zh: str
    en: str
    items: tuple[Item, ...]


def _item(zh: str, en: str, services: str = "") -> Item:
    return Item(zh, en, frozenset(services.split()))


_MAP = Item("地图可查", "found on a map", on_map=True)
_ROOM = _item("室内场所", "a room")
_SEATS = _item("桌凳", "table and seats", "rest")
_MICROWAVE = _item("微波炉", "microwave", "microwave")
_WATER = _item("饮水机", "drinking water", "water")
_CLIMATE = _item("冷暖电器", "heating or cooling", "warmth cooling")  # an air conditioner does both
_FRIDGE = _item("冰箱", "fridge", "fridge")
_MEDICINE = _item("应急药箱", "first-aid box", "first_aid")
_SIGN = _item("统一标识", "the common sign")
_SEVEN = (_ROOM, _SEATS, _MICROWAVE, _WATER, _CLIMATE)

# All-China Federation of Trade Unions and the cities' own lists (domain notes, 1.4).
CHECKLISTS: Mapping[str, Checklist] = {
    "six_have": Checklist("六有", "six haves", (
        _SIGN, _item("固定场所", "premises of its own"), _item("完备设施", "complete equipment"),
        _item("管理制度", "rules"), _item("人员管理", "a person in charge"), _MAP,
    )),
    "six_have_layout": Checklist("六有（布局版）", "six haves (layout)", (
        _item("统一的标识名称", "common sign and name"), _item("合理的站点布局", "sensible siting"),
        _item("健全的服务设施", "sound equipment"), _item("完善的服务功能", "complete services"),
        _item("规范的制度管理", "rules kept"), Item("地图的查询功能", "to be looked up on a map", on_map=True),
    )),
    "seven_one": Checklist("七个一（武汉）", "seven ones (Wuhan)", (*_SEVEN, _FRIDGE, _MEDICINE)),
    "seven_one_guizhou": Checklist("七个一（贵州）", "seven ones (Guizhou)", (
        *_SEVEN, _item("阅览角", "reading corner", "books"), _MEDICINE,
    )),
    "seven_one_haikou": Checklist("七个一（海口）", "seven ones (Haikou)", (
        *_SEVEN, _item("洗手间", "toilet", "toilet"), _MEDICINE,
    )),
    "five_have_guangzhou": Checklist("五个有（广州）", "five haves (Guangzhou)", (
        _ROOM, _item("座椅", "seats", "rest"), _item("饮水", "drinking water", "water"),
        _item("防暑", "relief from heat", "cooling"), _item("就近如厕", "toilet at hand", "toilet"),
    )),
    "five_have_guizhou": Checklist("五有（贵州党群阵地）", "five haves (Guizhou)", (
        _SIGN, _item("专人维护", "a person in charge"), _item("学习场所", "a place to read", "books"),
        _item("休息区域", "a place to rest", "rest"),
        _item("充电设施", "charging", "phone_charging ebike_charging battery_swap"),
    )),
    # of the eight only these are published where we could read them
    "eight_have_anhui": Checklist("八有（安徽，已知四项）", "eight haves (Anhui, four known)", (
        _item("桌椅", "table and chairs", "rest"), _MICROWAVE, _item("急救包", "first-aid kit", "first_aid"),
        _item("维修工具", "repair tools", "repair"),
    )),
}  # fmt: skip


def judge(services: frozenset[str], checklist: Checklist) -> dict[Item, State]:
    """Each item of a checklist for a station with these services; the empty set: nothing was stated.

    >>> found = judge(frozenset({"water", "rest", "cooling"}), CHECKLISTS["five_have_guangzhou"])
    >>> [f"{item.en}: {state}" for item, state in found.items()][:2], list(found.values())[-1]
    (['a room: untold', 'seats: has'], 'lacks')
    """

    def state(item: Item) -> State:
        if item.on_map:
            return "has"
        if not item.services or not services:
            return "untold"
        return "has" if item.services & services else "lacks"

    return {item: state(item) for item in checklist.items}


def compliance_frame(stations: pd.DataFrame, lists: Sequence[str]) -> pd.DataFrame:
    """One row a station of what it lacks, and a first row of totals.

    ``stations``: columns ``station_id name street community services(frozenset)``. ``lists``: keys of
    :data:`CHECKLISTS`. For each list a column of items met out of those that can be told, one of what is
    lacking, and one of what the list of stations cannot tell.

    >>> one = pd.DataFrame({"station_id": ["S1"], "name": ["甲"], "street": [""], "community": [""],
    ...                     "services": [frozenset({"water"})]})
    >>> compliance_frame(one, ["five_have_guangzhou"]).iloc[1, 4:].tolist()
    ['1/4', '座椅 seats；防暑 relief from heat；就近如厕 toilet at hand', '室内场所 a room']
    """
    columns: dict[str, list[str]] = {
        "station_id": ["合计 Total", *map(str, stations["station_id"])],
        **{key: ["", *map(str, stations[key])] for key in ("name", "street", "community")},
    }
    offered = list(stations["services"])
    for key in lists:
        checklist = CHECKLISTS[key]
        judged = [judge(services, checklist) for services in offered]
        title = f"{checklist.zh} {checklist.en}"
        complete, missing = _totals(judged, checklist)
        columns[f"{title} · 有/可判 Met of told"] = [complete, *map(_met, judged)]
        columns[f"{title} · 缺 Lacking"] = [missing, *(_named(j, "lacks") for j in judged)]
        columns[f"{title} · 名单看不出 Not told"] = ["", *(_named(j, "untold") for j in judged)]
    return pd.DataFrame(columns, dtype=object)


def compliance_audit(stations: pd.DataFrame, lists: Iterable[str]) -> list[AuditEntry]:
    """One entry a checklist: how many stations meet all that can be told, and what is lacking most."""
    audit = []
    for key in lists:
        checklist = CHECKLISTS[key]
        judged = [judge(services, checklist) for services in stations["services"]]
        told = [item for item in checklist.items if item.services]
        if not told:
            zh = f"对照“{checklist.zh}”：除地图可查外，名单看不出，须现场核对"
            en = f"against the {checklist.en}: but for the map, a list cannot tell; inspect on the spot"
        else:
            complete, missing = _totals(judged, checklist)
            silent = sum(not services for services in stations["services"])
            if silent == len(stations):
                zh = f"对照“{checklist.zh}”：{silent} 个驿站都未写服务，不作判断"
                en = f"against the {checklist.en}: none of {silent} stations states its services: not judged"
            else:
                zh = f"对照“{checklist.zh}”：{complete} 可判项俱全；缺 {missing or '无'}；另有 {silent} 个未写服务，不作判断"
                en = (
                    f"against the {checklist.en}: {complete} have all that can be told; lacking {missing or 'none'}; "
                    f"{silent} more state no services and are not judged"
                )
        audit.append(AuditEntry("noted", zh, en, column="services"))
    return audit


def _totals(judged: Sequence[Mapping[Item, State]], checklist: Checklist) -> tuple[str, str]:
    """Complete stations out of those that state services, and how many lack each item, most first."""
    told = [j for j in judged if any(j[item] != "untold" for item in checklist.items if not item.on_map)]
    complete = sum("lacks" not in j.values() for j in told)
    counts = {item: sum(j[item] == "lacks" for j in told) for item in checklist.items}
    ranked = sorted((item for item in checklist.items if counts[item]), key=lambda item: -counts[item])
    return f"{complete}/{len(told)}", "；".join(f"{item.zh} {item.en} {counts[item]}" for item in ranked)


def _met(judged: Mapping[Item, State]) -> str:
    states = list(judged.values())
    return f"{states.count('has')}/{len(states) - states.count('untold')}"


def _named(judged: Mapping[Item, State], state: State) -> str:
    return "；".join(f"{item.zh} {item.en}" for item, found in judged.items() if found == state)
