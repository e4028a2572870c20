"""Names that sound right and belong nowhere: streets, communities, villages, premises."""

from __future__ import annotations

import random
from collections.abc import Iterator

DISTRICT = "示例区"
STREETS = (
    "春晖街道",
    "临江街道",
    "望河街道",
    "云锦街道",
    "西站街道",
    "东湖街道",
    "南苑街道",
    "稻香街道",
    "柳林街道",
)
COMMUNITIES = (
    "春晖", "临江", "望河", "云锦", "南苑", "文澜", "锦绣", "翠微", "兰亭", "梧桐", "桂香", "枫林", "清荷", "晨曦",
    "和畅", "长乐", "永宁", "德馨", "崇文", "明远", "静安里", "惠民里", "安居", "同心", "团结", "友谊", "光荣", "前进里",
    "星光", "朝霞", "彩虹", "银杏", "紫薇", "海棠", "丁香", "玉兰", "槐荫", "竹苑", "松鹤", "百花", "茶亭", "书院",
    "老码头", "钟鸣", "西站", "货场", "园区", "创业", "新桥", "东湖", "云栖", "湖畔", "水岸", "听涛", "星湖",
    "稻香", "柳林", "杏花", "石桥", "三里湾", "大槐树", "金穗", "麦浪", "桑田", "青塘", "荷塘", "沙河湾", "白鹭", "果园", "杨树湾",
)  # fmt: skip
VILLAGE_FIRST = "张李王赵刘陈杨吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金"
VILLAGE_LAST = ("庄", "寨", "楼", "营", "洼", "桥口", "湾", "岗", "堂", "集")
_ONE = "文明振光新和永德泰兴瑞云春翠景锦润育康宁丰庆华安福祥嘉金银玉"
_TWO = "昌盛平源林泉苑湖川阳峰章彩霞辉城乐善学信义成达通顺荣茂"
COMPOUND_LAST = ("花园", "家园", "名邸", "新村", "小区", "华庭", "雅苑", "公馆", "佳苑", "水岸")


def road_names(rng: random.Random, taken: set[str]) -> Iterator[str]:
    """Unique stems of street names; a suffix (路, 街, 巷) is put on by the caller."""
    stems = [a + b for a in _ONE for b in _TWO if a + b not in taken]
    rng.shuffle(stems)
    yield from stems


def village_names(rng: random.Random) -> Iterator[str]:
    """Unique village names."""
    names = [a + b for a in VILLAGE_FIRST for b in VILLAGE_LAST[:6]]
    rng.shuffle(names)
    yield from names


def compound_names(rng: random.Random) -> Iterator[str]:
    """Unique names of housing compounds."""
    names = [a + b + c for a in _ONE for b in _TWO[:12] for c in COMPOUND_LAST]
    rng.shuffle(names)
    yield from names
