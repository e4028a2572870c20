"""Which column means what: Chinese, pinyin-initial and English headings, scored."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

# Field → headings, best first; a heading that merely contains one scores less than an equal one.
VOCABULARY: Mapping[str, tuple[str, ...]] = {
    "id": ("编号", "站点编号", "驿站编号", "代码", "编码", "id", "station_id", "venue_id", "cell_id", "osm", "BH"),
    "name": ("名称", "站点名称", "驿站名称", "阵地名称", "场所名称", "网点名称", "社区名称", "小区名称", "单位名称", "点位名称",
             "name", "站点", "驿站", "站名", "社区", "MC", "ZDMC", "title"),
    "lon": ("经度", "lon", "lng", "longitude", "JD", "x", "X坐标", "东经", "横坐标"),
    "lat": ("纬度", "lat", "latitude", "WD", "y", "Y坐标", "北纬", "纵坐标"),
    "lonlat": ("坐标", "经纬度", "位置坐标", "坐标位置", "lonlat", "坐标点", "ZB", "JWD"),
    "address": ("地址", "详细地址", "具体地址", "位置", "具体位置", "address", "DZ", "XXDZ"),
    "hours": ("开放时间", "服务时间", "营业时间", "开放时段", "运营时间", "opening_hours", "hours", "KFSJ", "FWSJ", "YYSJ"),
    "services": ("服务项目", "服务内容", "服务设施", "设施", "配套设施", "services", "FWXM", "FWNR", "SS"),
    "kind": ("类型", "类别", "站点类型", "驿站类型", "级别", "等级", "kind", "type", "category", "LX", "LB", "amenity"),
    "plates": ("挂牌", "品牌", "牌子", "挂牌名称", "plates", "plate", "brand", "PP"),
    "street": ("所属街道", "街道", "镇街", "街道名称", "所属镇街", "所在街道", "乡镇街道", "street", "SSJD"),
    "community": ("所属社区", "所在社区", "村社区", "community", "SSSQ"),
    "phone": ("联系电话", "电话", "手机", "手机号", "联系方式", "phone", "tel", "LXDH", "DH"),
    "issuer": ("主办单位", "建设单位", "主管单位", "issuer", "ZBDW"),
    "status": ("状态", "运行状态", "建设状态", "建设情况", "status", "ZT"),
    "remark": ("备注", "说明", "remark", "remarks", "note", "BZ"),
    "population": ("人口", "常住人口", "人口数", "总人口", "户籍人口", "population", "pop", "人数", "asukkaita", "RK"),
    "weight": ("人数", "weight", "workers", "从业人数", "员工数", "骑手数", "快递员数", "population", "pop", "人口", "asukkaita"),
}  # fmt: skip
# Headings that contain a word of a field and yet say something else.
_OTHER = re.compile(
    r"^(?:坐标系|坐标系统|坐标类型|签到人数|状态时间|地址编码|.*(?:日期|建成时间|更新时间)|联系人|负责人)$"
)
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


def score(field: str, heading: str) -> int:
    """How well a heading fits a field: 100 equal, less for a part of it, 0 for none."""
    wanted = [w.lower() for w in VOCABULARY[field]]
    name = clean_heading(heading).lower()
    if name in wanted:
        return 100 - wanted.index(name)
    if _OTHER.match(name):
        return 0
    chinese = [w for w in wanted if not w.isascii() and w in name]
    return max(0, 40 + 2 * max(map(len, chinese)) - len(name)) if chinese else 0


def map_columns(
    headings: Iterable[str], fields: Iterable[str], overrides: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Field → heading for the fields found; a heading serves one field, the best fit first.

    ``overrides`` (field → heading as typed in the file) win where the heading is there.

    >>> map_columns(["序号", "站点名称", "经度", "纬度"], ["name", "lon", "lat"])
    {'name': '站点名称', 'lon': '经度', 'lat': '纬度'}
    """
    names = [str(h) for h in headings]
    chosen = {f: h for f, w in (overrides or {}).items() if (h := find_heading(names, w)) is not None}
    fields = list(fields)
    wanted = [f for f in fields if f not in chosen]
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


def header_score(cells: Iterable[object]) -> int:
    """How many cells of a row look like known headings."""
    texts = [str(c) for c in cells if c is not None and str(c).strip()]
    return sum(any(score(field, t) > ENOUGH for field in VOCABULARY) for t in texts if len(t) <= 30)
