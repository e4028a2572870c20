"""Which column means what: Chinese, pinyin-initial and English headings, scored."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

# Field → headings, best first: Chinese, English, and the first letters of pinyin that databases use.
# A heading that merely contains one scores less than an equal one.
VOCABULARY: Mapping[str, tuple[str, ...]] = {
    "id": ("编号", "站点编号", "驿站编号", "代码", "编码", "站点代码", "唯一编码", "id", "station_id", "venue_id", "cell_id", "site_id",
           "poi_id", "station_no", "code", "osm", "BH", "ZDBH", "YZBH", "BM", "DM", "bianhao"),
    "name": ("名称", "站点名称", "驿站名称", "阵地名称", "场所名称", "网点名称", "社区名称", "小区名称", "单位名称", "点位名称", "服务站名称",
             "name", "station_name", "站点", "驿站", "站名", "社区", "店名", "门店名称", "全称", "MC", "ZDMC", "YZMC", "CSMC", "WDMC", "title",
             "mingcheng"),
    "lon": ("经度", "lon", "lng", "longitude", "long", "JD", "JINGDU", "x", "X坐标", "东经", "横坐标", "point_x", "x_coord", "coord_x",
            "easting", "XZB", "longtitude"),
    "lat": ("纬度", "lat", "latitude", "WD", "WEIDU", "y", "Y坐标", "北纬", "纵坐标", "point_y", "y_coord", "coord_y", "northing", "YZB"),
    "lonlat": ("坐标", "经纬度", "位置坐标", "坐标位置", "lonlat", "坐标点", "经纬度坐标", "coordinates", "coordinate", "location", "geom",
               "wkt", "ZB", "JWD", "zuobiao"),
    "address": ("地址", "详细地址", "具体地址", "位置", "具体位置", "所在地址", "地点", "address", "DZ", "XXDZ", "JTDZ", "WZ", "dizhi"),
    "hours": ("开放时间", "服务时间", "营业时间", "开放时段", "运营时间", "开门时间", "工作时间", "opening_hours", "hours", "open_hours",
              "business_hours", "KFSJ", "FWSJ", "YYSJ", "KFSD"),
    "services": ("服务项目", "服务内容", "服务设施", "设施", "配套设施", "服务功能", "设施设备", "services", "facilities", "amenities",
                 "FWXM", "FWNR", "FWSS", "FWGN", "PTSS", "SS"),
    "kind": ("类型", "类别", "站点类型", "驿站类型", "级别", "等级", "性质", "kind", "type", "category", "LX", "LB", "ZDLX", "JB", "amenity",
             "leixing"),
    "plates": ("挂牌", "品牌", "牌子", "挂牌名称", "plates", "plate", "brand", "PP", "GP", "GPMC"),
    "street": ("所属街道", "街道", "镇街", "街道名称", "所属镇街", "所在街道", "乡镇街道", "所属乡镇", "乡镇", "街镇", "street", "street_name",
               "township", "subdistrict", "SSJD", "SZJD", "JDMC", "XZJD", "jiedao"),
    "community": ("所属社区", "所在社区", "村社区", "社区村", "community", "community_name", "SSSQ", "SZSQ", "SQMC", "shequ"),
    "phone": ("联系电话", "电话", "手机", "手机号", "联系方式", "电话号码", "手机号码", "phone", "tel", "telephone", "mobile", "LXDH", "DH",
              "LXFS", "SJH", "dianhua"),
    "issuer": ("主办单位", "建设单位", "主管单位", "责任单位", "issuer", "operator", "ZBDW", "JSDW", "ZGDW"),
    "status": ("状态", "运行状态", "建设状态", "建设情况", "运营状态", "使用状态", "status", "ZT", "YXZT", "JSZT"),
    "remark": ("备注", "说明", "remark", "remarks", "note", "notes", "comment", "BZ", "SM", "beizhu"),
    "population": ("人口", "常住人口", "人口数", "总人口", "户籍人口", "population", "pop", "人数", "residents", "asukkaita", "RK", "RKS",
                   "CZRK", "renkou"),
    "weight": ("人数", "权重", "weight", "workers", "从业人数", "员工数", "骑手数", "快递员数", "people", "population", "pop", "人口",
               "asukkaita", "RS", "RK"),
    "problem": ("问题描述", "问题内容", "反映问题", "反映内容", "诉求内容", "问题", "诉求", "意见建议", "意见", "留言内容", "留言", "problem",
                "description", "complaint", "issue"),
    "place": ("地点", "问题地点", "反映地点", "位置", "具体位置", "地址", "详细地址", "点位", "涉及驿站", "涉及站点", "place", "where", "address"),
    "problem_time": ("反映时间", "上报时间", "提交时间", "登记时间", "受理时间", "时间", "日期", "反映日期", "登记日期", "time", "date",
                     "reported_at", "created_at"),
    "problem_kind": ("问题类型", "问题类别", "诉求类型", "诉求类别", "类型", "类别", "分类", "kind", "type", "category"),
    "state": ("办理状态", "处理状态", "办理情况", "办结情况", "是否办结", "办理结果", "处理结果", "状态", "进展", "state", "status"),
}  # fmt: skip
# Headings that contain a word of a field and yet say something else.
_OTHER = re.compile(
    r"^(?:坐标系|坐标系统|坐标类型|签到人数|[男女].*人[口数]|状态时间|地址编码|.*(?:日期|建成时间|更新时间|密度|占比|比例|百分比)|(?:联系人|负责人|责任人|管理员)(?:姓名|职务)?"
    r"|.*(?:density|share|percent|ratio)|(?:contact|owner|manager|email|e-?mail|ip|file|user|job|parent)[ _-]?\w*)$"
)
_TOKENS = re.compile(r"[a-z]+|\d+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_DBF_NAME_BYTES = 10  # a shapefile cuts its field names there
_THINGS = frozenset({"站点", "驿站", "社区"})  # 驿站照片 is no name, 工会驿站 is one
_COUNTS = ("population", "weight")
_SHORTEST_TOKEN = 3  # x, y and id mean something alone only
DATUM_WORDS: Mapping[str, str] = {
    "高德": "gcj02", "腾讯": "gcj02", "火星": "gcj02", "gcj": "gcj02", "百度": "bd09", "bd09": "bd09", "bd-09": "bd09",
    "wgs": "wgs84", "gps": "wgs84", "天地图": "cgcs2000", "cgcs2000": "cgcs2000", "2000国家": "cgcs2000",
}  # fmt: skip
ENOUGH = 20


def clean_heading(value: object) -> str:
    """A heading without spaces, line breaks and bracketed remarks, full-width folded.

    >>> clean_heading("经度 （高德）")
    '经度'
    """
    text = unicodedata.normalize("NFKC", str(value if value is not None else "")).strip("\ufeff \t\r\n")
    return re.sub(r"\s+|\(.*?\)|\[.*?\]|【.*?】|\*", "", text)


def datum_said(text: object) -> str | None:
    """The datum a heading or a cell names, if any.

    >>> datum_said("经度（高德）"), datum_said("百度坐标"), datum_said("经度")
    ('gcj02', 'bd09', None)
    """
    folded = unicodedata.normalize("NFKC", str(text)).lower()
    return next((datum for word, datum in DATUM_WORDS.items() if word in folded), None)


def of_datum(headings: Sequence[str], datum: str) -> list[str]:
    """The headings without those of another datum, where some are of this one.

    >>> of_datum(["名称", "高德坐标·经度", "百度坐标·经度"], "bd09")
    ['名称', '百度坐标·经度']
    """
    said = {heading: datum_said(heading) for heading in headings}
    if datum not in said.values():
        return list(headings)
    return [heading for heading in headings if said[heading] in {None, datum}]


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a heading fits a field: ``points`` (100 at most, 0 not at all) and why."""

    points: int
    why_zh: str = ""
    why_en: str = ""


NO_FIT = Fit(0)


@lru_cache(maxsize=16_384)
def fit(field: str, heading: str) -> Fit:
    """How well a heading fits a field, and why.

    Equal to a word of the vocabulary (case, spaces and underscores aside): 100, less one for each word
    before it. Cut off by a shapefile: 60. Containing a word (a Chinese one, or an English one among
    its words): about 40, more the more of the heading it makes up and where it ends it.

    >>> fit("hours", "开放时间"), fit("hours", "驿站开放时间").points, fit("name", "Station Name").points
    (Fit(points=100, why_zh='等于“开放时间”', why_en='equal to 开放时间'), 48, 88)
    """
    words = VOCABULARY[field]
    cleaned = clean_heading(heading)
    name = _folded(cleaned)
    folded = _folded_words(field)
    if name in folded:
        word = words[folded.index(name)]
        return Fit(100 - folded.index(name), f"等于“{word}”", f"equal to {word}")
    if not name or _OTHER.match(cleaned.lower()):
        return NO_FIT
    for word, plain in zip(words, folded, strict=True):
        if plain.startswith(name) and _cut_off(cleaned, word):
            return Fit(60, f"“{word}”被 shapefile 截断", f"{word}, cut off by a shapefile")
    # pop_men is a part of the people, not the people: a count is named in full
    tokens = (
        []
        if field in _COUNTS
        else _TOKENS.findall(_CAMEL.sub(" ", unicodedata.normalize("NFKC", str(heading))).lower())
    )
    inside = [
        word
        for word, plain in zip(words, folded, strict=True)
        if (
            (name.endswith(plain) if word in _THINGS else plain in name)
            if not plain.isascii()
            else len(plain) >= _SHORTEST_TOKEN and plain in tokens
        )
    ]
    if not inside:
        return NO_FIT
    word = max(inside, key=len)
    # what a Chinese heading is about stands at its end
    last = 6 if name.endswith(_folded(word)) else 0
    points = max(0, 40 + 2 * len(word) - len(name) + last)
    return Fit(points, f"含“{word}”", f"contains {word}") if points else NO_FIT


def _folded(name: str) -> str:
    return re.sub(r"[\s_\-.]+", "", name).lower()


@lru_cache(maxsize=64)
def _folded_words(field: str) -> tuple[str, ...]:
    return tuple(_folded(word) for word in VOCABULARY[field])


def _cut_off(heading: str, word: str) -> bool:
    """Whether a field name of a shapefile is ``word``, cut after 10 bytes of UTF-8 or of GBK."""
    return any(
        len(word.encode(code)) > _DBF_NAME_BYTES and len(heading.encode(code, "replace")) in {9, 10}
        for code in ("utf-8", "gb18030")
    )


def score(field: str, heading: str) -> int:
    """The points of :func:`fit`.

    >>> score("name", "序号")
    0
    """
    return fit(field, heading).points


def map_columns(
    headings: Iterable[str], fields: Iterable[str], overrides: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Field → heading for the fields found; a heading serves one field, the best fit first.

    ``overrides`` (field → heading as typed in the file) win where the heading is there; an empty one
    says that no column is the field.

    >>> map_columns(["序号", "站点名称", "经度", "纬度"], ["name", "lon", "lat"])
    {'name': '站点名称', 'lon': '经度', 'lat': '纬度'}
    """
    names = [str(h) for h in headings]
    chosen = {f: h for f, w in (overrides or {}).items() if (h := find_heading(names, w)) is not None}
    fields = list(fields)
    wanted = [f for f in fields if f not in chosen and (overrides or {}).get(f) != ""]
    ranked = sorted(
        ((score(f, h), -i, -j, f, h) for i, f in enumerate(wanted) for j, h in enumerate(names)), reverse=True
    )
    for points, _i, _j, field, heading in ranked:
        if points > ENOUGH and field not in chosen and heading not in chosen.values():
            chosen[field] = heading
    return {f: chosen[f] for f in fields if f in chosen} | {
        f: h for f, h in chosen.items() if f not in fields
    }


def find_heading(names: Iterable[str], wanted: str) -> str | None:
    """The heading meant by ``wanted``: the same, or the same once cleaned (经度（高德） = 经度)."""
    listed = list(names)
    if wanted in listed:
        return wanted
    cleaned = clean_heading(wanted)
    return next((n for n in listed if clean_heading(n) == cleaned), None) if cleaned else None


def closest_headings(names: Iterable[str], wanted: str, *, most: int = 3) -> list[str]:
    """The headings most like a wrong one, best first; none where none is alike.

    >>> closest_headings(["名称", "开放时间", "服务时间"], "开放時间")
    ['开放时间']
    """
    return get_close_matches(wanted, list(dict.fromkeys(names)), n=most, cutoff=0.45)


def header_score(cells: Iterable[object]) -> int:
    """How many cells of a row look like known headings."""
    texts = [str(c) for c in cells if c is not None and str(c).strip()]
    return sum(any(score(field, t) > ENOUGH for field in VOCABULARY) for t in texts if len(t) <= 30)
