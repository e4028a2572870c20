"""What printed sheets call things, and the figures that they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MODES_ZH = {"walk": "步行", "ebike": "电动自行车", "bike": "自行车", "drive": "驾车"}
LAYERS_ZH = {"residents": "居民", "workers": "劳动者", "activity": "活动", "jobs": "岗位"}
DAYS_ZH = {
    "Mon": "周一",
    "Tue": "周二",
    "Wed": "周三",
    "Thu": "周四",
    "Fri": "周五",
    "Sat": "周六",
    "Sun": "周日",
}
SERVICES_ZH = {
    "warmth": "取暖", "cooling": "纳凉", "water": "饮水", "toilet": "厕所", "books": "阅读", "rest": "休息",
    "first_aid": "急救", "phone_charging": "手机充电", "ebike_charging": "电动车充电", "battery_swap": "换电",
    "microwave": "微波炉", "fridge": "冰箱", "meals": "用餐", "wifi": "无线网络", "shower": "淋浴", "gym": "健身",
    "medical": "医疗", "repair": "维修",
}  # fmt: skip


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
