"""Which column means what: Chinese, pinyin-initial and English headings, scored."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

# Field → headings, best first; a heading that merely contains one scores less than an equal one.
VOCABULARY: Mapping[str, tuple[str, ...]] = {
    "id": ("编号", "站点编号", "驿站编号", "代码", "id", "station_id", "venue_id", "cell_id", "osm"),
    "name": ("名称", "站点名称", "驿站名称", "场所名称", "网点名称", "社区名称", "小区名称", "单位名称", "name", "社区", "MC", "title"),
    "lon": ("经度", "lon", "lng", "longitude", "JD", "x", "X坐标", "东经"),
    "lat": ("纬度", "lat", "latitude", "WD", "y", "Y坐标", "北纬"),
    "lonlat": ("坐标", "经纬度", "位置坐标", "lonlat", "坐标点"),
    "address": ("地址", "详细地址", "位置", "address", "DZ"),
    "hours": ("开放时间", "服务时间", "营业时间", "开放时段", "opening_hours", "hours", "KFSJ"),
    "services": ("服务项目", "服务内容", "服务设施", "设施", "services", "FWXM"),
    "kind": ("类型", "类别", "站点类型", "级别", "kind", "type", "category", "LX", "amenity"),
    "plates": ("挂牌", "品牌", "牌子", "plates", "brand"),
    "street": ("所属街道", "街道", "镇街", "街道名称", "所属镇街", "street", "SSJD"),
    "community": ("所属社区", "所在社区", "community", "SSSQ"),
    "phone": ("联系电话", "电话", "手机", "联系方式", "phone", "tel", "LXDH"),
    "status": ("状态", "运行状态", "status", "ZT"),
    "remark": ("备注", "说明", "remark", "note", "BZ"),
    "population": ("人口", "常住人口", "人口数", "总人口", "户籍人口", "population", "pop", "人数", "asukkaita", "RK"),
    "weight": ("人数", "weight", "workers", "从业人数", "员工数", "骑手数", "快递员数", "population", "pop", "人口", "asukkaita"),
}  # fmt: skip


def clean_heading(value: object) -> str:
    """A heading without spaces, line breaks and bracketed remarks, full-width folded.

    >>> clean_heading("经度 （高德）")
    '经度'
    """
    text = unicodedata.normalize("NFKC", str(value if value is not None else "")).strip("\ufeff \t\r\n")
    return re.sub(r"\s+|\(.*?\)|\*", "", text)


def score(field: str, heading: str) -> int:
    """How well a heading fits a field: 100 equal, less for a part of it, 0 for none."""
    wanted = [w.lower() for w in VOCABULARY[field]]
    name = clean_heading(heading).lower()
    if name in wanted:
        return 100 - wanted.index(name)
    chinese = [w for w in wanted if not w.isascii() and w in name]
    return 40 + 2 * max(map(len, chinese)) - len(name) if chinese else 0


def map_columns(
    headings: Iterable[str], fields: Iterable[str], overrides: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Field → heading for the fields found; a heading serves one field, the best fit first.

    >>> map_columns(["序号", "站点名称", "经度", "纬度"], ["name", "lon", "lat"])
    {'name': '站点名称', 'lon': '经度', 'lat': '纬度'}
    """
    overrides = overrides or {}
    names = [str(h) for h in headings]
    chosen = {f: h for f, h in overrides.items() if h in names}
    wanted = [f for f in fields if f not in chosen]
    ranked = sorted(
        ((score(f, h), -i, -j, f, h) for i, f in enumerate(wanted) for j, h in enumerate(names)), reverse=True
    )
    for points, _i, _j, field, heading in ranked:
        if points > 20 and field not in chosen and heading not in chosen.values():
            chosen[field] = heading
    return {f: chosen[f] for f in fields if f in chosen} | {f: h for f, h in chosen.items() if f in overrides}


def header_score(cells: Iterable[object]) -> int:
    """How many cells of a row look like known headings."""
    return sum(any(score(field, str(c)) > 20 for field in VOCABULARY) for c in cells if c not in {None, ""})
