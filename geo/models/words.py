"""The words that everything is told in: modes, services, kinds of premises."""

from __future__ import annotations

from typing import Literal

Mode = Literal["walk", "ebike", "bike", "drive"]
Language = Literal["zh", "en"]
Direction = Literal["to_station", "from_station"]

MODES: tuple[Mode, ...] = ("walk", "ebike", "bike", "drive")
SERVICES: tuple[str, ...] = (
    "warmth", "cooling", "water", "toilet", "books", "rest", "first_aid", "phone_charging",
    "ebike_charging", "battery_swap", "microwave", "fridge", "meals", "wifi", "shower", "gym",
    "medical", "repair",
)  # fmt: skip
SERVICES_ZH = {  # as columns of a list are headed

    "warmth": "取暖", "cooling": "纳凉", "water": "饮水", "toilet": "卫生间", "books": "图书", "rest": "休息", "first_aid": "急救药箱",
    "phone_charging": "手机充电", "ebike_charging": "电动车充电", "battery_swap": "换电", "microwave": "微波炉", "fridge": "冰箱",
    "meals": "就餐", "wifi": "无线网络", "shower": "淋浴", "gym": "健身", "medical": "义诊", "repair": "维修工具",
}  # fmt: skip

KINDS_ZH = {  # of venues, and of stations where a file has such a kind
    "mall": "商场", "supermarket": "超市", "convenience": "便利店", "community_centre": "社区中心", "bank": "银行",
    "pharmacy": "药店", "fuel": "加油站", "library": "图书馆", "post_office": "邮局", "townhall": "政务中心",
    "restaurant": "餐馆", "cafe": "咖啡馆", "fast_food": "快餐店", "hospital": "医院", "clinic": "诊所",
    "marketplace": "市场", "school": "学校", "police": "警务站", "toilets": "公共厕所", "department_store": "百货商店",
    "social_facility": "服务中心", "station": "驿站", "kiosk": "小卖部", "government": "政务服务大厅", "office": "写字楼",
    "food_court": "美食广场", "public_building": "公共建筑", "bus_station": "汽车站", "charging_station": "充电站",
}  # fmt: skip


def kind_said(kind: str) -> str:
    """A kind of venue, Chinese and English; one that is not known stays as it is.

    >>> kind_said("community_centre"), kind_said("茶馆")
    ('社区中心 community centre', '茶馆')
    """
    return f"{KINDS_ZH[kind]} {kind.replace('_', ' ')}" if kind in KINDS_ZH else kind


# Lists that offices inspect stations by; what stands on them: geo.intake.compliance.
COMPLIANCE_LISTS: tuple[str, ...] = (
    "six_have", "six_have_layout", "seven_one", "seven_one_guizhou", "seven_one_haikou", "five_have_guangzhou",
    "five_have_guizhou", "eight_have_anhui",
)  # fmt: skip

LEAST_PEOPLE = 0.5  # fewer are nobody: lists leave them out
RECRUITMENT_WILLING = "是否愿意挂牌"  # the heading of the recruitment form under which a shop says yes or no
