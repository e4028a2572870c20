"""What a station offers, from free text → the closed vocabulary of :data:`geo.models.SERVICES`."""

from __future__ import annotations

import re
import unicodedata

from geo.models import SERVICES

# Longest first: 电动车充电 must not be read as a phone's 充电. Bare 充电 is a phone.
WORDS: tuple[tuple[str, str], ...] = tuple(
    sorted(
        {
            "取暖": "warmth", "暖气": "warmth", "避寒": "warmth", "冷可取暖": "warmth",
            "纳凉": "cooling", "避暑": "cooling", "防暑": "cooling", "空调": "cooling", "降温": "cooling",
            "饮水": "water", "热水": "water", "喝水": "water", "茶水": "water", "开水": "water", "直饮水": "water",
            "如厕": "toilet", "厕所": "toilet", "卫生间": "toilet", "洗手间": "toilet",
            "阅读": "books", "图书": "books", "书报": "books", "读书": "books", "阅览": "books", "书籍": "books",
            "休息": "rest", "歇脚": "rest", "座椅": "rest", "桌椅": "rest", "午休": "rest", "小憩": "rest",
            "急救": "first_aid", "药箱": "first_aid", "医药": "first_aid", "应急药品": "first_aid", "用药": "first_aid",
            "手机充电": "phone_charging", "充电": "phone_charging",
            "电动车充电": "ebike_charging", "车辆充电": "ebike_charging", "电瓶车充电": "ebike_charging",
            "电动自行车充电": "ebike_charging",
            "换电": "battery_swap", "换电柜": "battery_swap",
            "微波炉": "microwave", "热饭": "microwave", "加热饭菜": "microwave",
            "冰箱": "fridge", "冷藏": "fridge",
            "就餐": "meals", "用餐": "meals", "爱心餐": "meals", "餐食": "meals",
            "wifi": "wifi", "wi-fi": "wifi", "无线网": "wifi", "上网": "wifi",
            "淋浴": "shower", "洗澡": "shower", "健身": "gym",
            "义诊": "medical", "体检": "medical", "医疗": "medical", "维修": "repair", "修理": "repair", "工具箱": "repair",
            **{service: service for service in SERVICES},
        }.items(),
        key=lambda pair: (-len(pair[0]), pair[0]),
    )
)  # fmt: skip
_SPLIT = re.compile(r"[、，,；;/|\n\s+和及与]+")
_NEGATED = re.compile(r"^(?:无|没有|不提供|暂无|未设|缺)")
_NOISE = re.compile(r"^(?:等|服务|提供|有|可|免费|设施|及|冷|热|渴|急|学|累|伤)*$")
YES = frozenset({"√", "✓", "✔", "有", "是", "1", "1.0", "y", "yes", "true", "●", "○√"})


def parse_services(text: str | None) -> tuple[frozenset[str], tuple[str, ...]]:
    """The services named in ``text`` and the words that were not understood.

    >>> parse_services("饮水、充电、无卫生间、唱歌")[1]
    ('唱歌',)
    >>> sorted(parse_services("电动车充电，手机充电")[0])
    ['ebike_charging', 'phone_charging']
    """
    found: set[str] = set()
    refused: set[str] = set()
    unknown = []
    for part in _SPLIT.split(unicodedata.normalize("NFKC", str(text or "")).lower()):
        if not part or part in {"nan", "none"}:
            continue
        left, here = part, set()
        for word, service in WORDS:
            if word in left:
                here.add(service)
                left = left.replace(word, "")
        if _NEGATED.match(part) or "隔壁" in part:
            refused |= here
        else:
            found |= here
        if not here and not _NOISE.match(part):
            unknown.append(part)
    return frozenset(found - refused), tuple(unknown)
