"""What a station offers, from free text or tick columns → :data:`geo.models.SERVICES`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

_CHINESE: dict[str, str] = {
    "warmth": "取暖 暖气 避寒 保暖 供暖 冷暖 御寒 有暖 暖身",
    "cooling": "纳凉 避暑 防暑 空调 降温 冷气 冷暖 消暑 有凉 乘凉",
    "water": "饮水 饮用水 热水 喝水 茶水 开水 直饮 纯净水 矿泉水 凉茶 接水",
    "toilet": "如厕 厕所 卫生间 洗手间 公厕 盥洗 急可方便 急能方便",
    "books": "阅读 图书 书报 读书 阅览 书籍 书屋 报刊 看书",
    "rest": "休息 歇脚 座椅 桌椅 桌凳 午休 小憩 休憩 歇息 沙发 座位 躺椅",
    "first_aid": "急救 药箱 医药 应急药品 用药 药品 常用药 医药箱 急救包 急救箱 创可贴 aed",
    "phone_charging": "手机充电 充电 充电宝 手机充电器",
    "ebike_charging": "电动车充电 车辆充电 电瓶车充电 电动自行车充电 电单车充电 非机动车充电 电动车充电桩 电瓶车充电桩 充换电",
    "battery_swap": "换电 换电柜 换电池 充换电",
    "microwave": "微波炉 热饭 加热饭菜 饭菜加热 餐食加热 可加热 能加热",
    "fridge": "冰箱 冷藏 冰柜",
    "meals": "就餐 用餐 爱心餐 餐食 盒饭 食堂 简餐 助餐 早餐 午餐 供餐",
    "wifi": "wifi wi-fi 无线网 无线网络 上网 免费网络 免费无线",
    "shower": "淋浴 洗澡 冲凉 洗浴",
    "gym": "健身",
    "medical": "义诊 体检 医疗 血压 健康检测 健康监测 理疗 医务",
    "repair": "维修 修理 修车 工具箱 维修工具 打气筒 充气泵",
}
_ENGLISH: dict[str, str] = {
    "warmth": "warmth|heating|heater",
    "cooling": "cooling|air conditioning|aircon",
    "water": "water|drinking water",
    "toilet": "toilets?|restrooms?|wc|washroom",
    "books": "books?|reading",
    "rest": "rest|rest area|seats?|seating|lounge",
    "first_aid": "first aid|first aid kit",
    "phone_charging": "phone charging|charging",
    "ebike_charging": "e ?bike charging|e bike charging",
    "battery_swap": "battery swap(?:ping)?",
    "microwave": "microwave",
    "fridge": "fridge|refrigerator",
    "meals": "meals?|canteen",
    "wifi": "wi ?fi",
    "shower": "showers?",
    "gym": "gym|fitness",
    "medical": "medical|health check",
    "repair": "repairs?|tools?",
}
_WORDS = tuple(
    sorted(
        ((word, service) for service, words in _CHINESE.items() for word in words.split()),
        key=lambda pair: (-len(pair[0]), pair[0]),  # longest first: 电动车充电 before 充电
    )
)
_PHRASES = tuple(
    (re.compile(rf"(?<![a-z])(?:{alternatives})(?![a-z])"), service)
    for service, alternatives in _ENGLISH.items()
    for alternatives in ["|".join(sorted(alternatives.split("|"), key=len, reverse=True))]
)
_EBIKE = re.compile(r"(?:电动(?:自行)?车|电瓶车|电单车|电车)(.{0,4}?)充电[桩柜站]?")
_PILE = re.compile(
    r"(?:电动汽车|新能源汽?车?|汽车)?充电[桩柜站]|(?:电动汽车|新能源汽?车|汽车)充电"
)  # not a phone's, and for which vehicle is not said
_SPLIT = re.compile(
    r"[、，,；;/|\n\r\t。]+|(?:(?<![a-z])\s+|\s+(?![a-z]))(?![√✓✔×✗✘☑☐□有无](?:[、，,；;/|\s]|$))|\+|(?<![有没])(?<=[\u4e00-\u9fff])(?=无[^\W线障偿限接烟水电法人需]|没有[\u4e00-\u9fff])"
)
_JOINED = re.compile(r"[和及与或](?!其)")
_MARKS, _CROSSES = "√✓✔☑●■×✗✘☐□○", "×✗✘☐□○"
_NEGATED = re.compile(
    r"没有|不提供|不设|不含|不能|不可|不支持|禁止|暂无|未设|未配|缺少?|隔壁|附近|旁边|对面|\d\s*米|^除(?!了)|除外"
    r"|维修中|故障|损坏|停用|待修|坏了?(?:[)）]|$)|拆除|已拆|无法|无水|停水|无电|暂停"
    rf"|^[{_CROSSES}]|^\s*(?:no|without|not)\b|^无(?!线|障碍|偿|限|接触|烟)|[:：]?\s*(?:无|没有|否|[×✗✘☐□]|(?<=[:：])[0xX])\s*$"
)
_NOISE = re.compile(
    r"(?:等等?|服务|提供|供应?|有|可|免费|设施|设备|及|冷|热|渴|急|学|累|伤|应|冬|夏|[:：√✓✔☑●■×✗✘☐□○()]|\s|\d+[.、台个处])*"
)

YES = frozenset({"√", "✓", "✔", "有", "是", "1", "1.0", "y", "yes", "true", "●", "■", "对", "具备", "☑"})
NO = frozenset(
    {
        "",
        "×",
        "✗",
        "✘",
        "x",
        "无",
        "否",
        "0",
        "0.0",
        "n",
        "no",
        "false",
        "○",
        "□",
        "/",
        "-",
        "—",
        "没有",
        "nan",
        "none",
    }
)


def parse_services(text: str | None) -> tuple[frozenset[str], tuple[str, ...]]:
    """The services named in ``text`` and the words that were not understood.

    A negated service (无卫生间, 厕所在隔壁, 充电×, 微波炉维修中) is not offered. Bare 充电 charges a
    phone; only 电动车充电 or 换电 serves a vehicle, and a bare 充电桩 is left to the reader.

    >>> found, unknown = parse_services("饮水、充电、无卫生间、唱歌")
    >>> sorted(found), unknown
    (['phone_charging', 'water'], ('唱歌',))
    >>> sorted(parse_services("电动车充电，手机充电")[0])
    ['ebike_charging', 'phone_charging']
    """
    found: set[str] = set()
    refused: set[str] = set()
    unknown: list[str] = []
    for part, negated in _parts(unicodedata.normalize("NFKC", str(text or "")).lower()):
        here, left = _named(part)
        if negated:
            refused |= here
        else:
            found |= here
        if not _NOISE.fullmatch(left) and (not here or _PILE.search(left)):
            unknown.append(part)
        elif (
            here
            and (
                foreign := re.sub(
                    r"\b(?:no|not|without|and|a|free)\b", "", " ".join(re.findall("[a-z]{2,}", left))
                )
            ).strip()
        ):
            unknown.append(" ".join(foreign.split()))
    return frozenset(found - refused), tuple(dict.fromkeys(unknown))


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """The phrases of a text, each with whether it says that something is not there."""
    if text.lstrip()[:1] in _MARKS and text.strip():
        text = re.sub(f"([{_MARKS}])", r"，\1", text)  # ticks stand before what they tick
    for phrase in map(str.strip, _SPLIT.split(text)):
        # 没有卫生间和淋浴 denies both
        denied = bool(re.match(r"没有|不提供|不设|暂无|未设|无(?!线|障碍|偿|限|接触|烟)", phrase))
        for part in map(str.strip, _JOINED.split(phrase)):
            if part and part not in NO:
                yield part, denied or bool(_NEGATED.search(part))


def _named(part: str) -> tuple[set[str], str]:
    """The services of one phrase and what is left of it."""
    here: set[str] = set()
    left = re.sub(r"维修中|正在维修|无线充电", lambda m: "充电" if m[0] == "无线充电" else "", part)
    if _EBIKE.search(left):
        here.add("ebike_charging")
        left = _EBIKE.sub(r"\1", left)
    piles = _PILE.findall(left)
    left = _PILE.sub("", left)
    for word, service in _WORDS:
        if word in left:
            here |= {s for w, s in _WORDS if w == word} or {service}
            left = left.replace(word, "")
    ascii_part = re.sub(r"[_\-]+", " ", left)
    for pattern, service in reversed(_PHRASES):
        if pattern.search(ascii_part):
            here.add(service)
            ascii_part = pattern.sub("", ascii_part)
    return here, ascii_part + "".join(piles)


def tick_columns(headings: Iterable[str]) -> dict[str, str]:
    """Heading → service for columns that each stand for one service.

    >>> tick_columns(["名称", "饮水", "有无卫生间", "电动车充电"])
    {'饮水': 'water', '有无卫生间': 'toilet', '电动车充电': 'ebike_charging'}
    """
    ticks = {}
    for heading in headings:
        plain = unicodedata.normalize("NFKC", str(heading)).lower().strip()
        here, left = _named(
            re.sub(r"^(?:有无|是否有?|能否|可否|提供)|(?:服务|设施|情况|机|区|室|柜|处|点)+$", "", plain)
        )
        if len(here) == 1 and _NOISE.fullmatch(left):
            ticks[str(heading)] = next(iter(here))
    return ticks


def ticked(text: str | None) -> bool | None:
    """Whether a tick cell says yes; None where it is neither yes nor no.

    >>> ticked("√"), ticked("×"), ticked(None), ticked("门口")
    (True, False, False, None)
    """
    word = unicodedata.normalize("NFKC", str(text or "")).strip().lower()
    if word in NO:
        return False
    return True if word in YES or re.fullmatch(r"[1-9]\d{0,2}\s*[个台张处套]?", word) else None
