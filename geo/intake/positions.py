"""Positions as people type them → numbers, with what was mended and how far off they can be."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

AddressKind = Literal["none", "door", "floor", "intersection", "area", "relative", "vague"]
Precision = Literal["point", "block", "quarter", "coarse", "area"]
# What a class of positions can be off by: 4 decimals and DMS, 3 decimals, 2 decimals, 1 decimal.
POINT_M, BLOCK_M, QUARTER_M = 16.0, 150.0, 2_000.0

LARGEST = 1e10  # ten-millionths of a degree reach 1.8e9, eastings with a zone 4.6e7
LON_RANGE, LAT_RANGE = (73.0, 136.0), (3.0, 54.0)  # of China: they never overlap
M_PER_DEG = 111_195.0

# Parsed on the raw text: NFKC would turn ″ into two ′.
_DEGREE, _MINUTE, _SECOND = r"[°º˚度]", r"(?:['′’＇‘分])", r"(?:[\"″”＂秒]|''|′′|’’)"
_SIDE = r"(?:东经|西经|北纬|南纬|经度?|纬度?|[EWNSewns])"
_DMS = re.compile(
    rf"(?P<before>{_SIDE})?[\s:：]*(?P<d>\d{{1,3}})\s*(?:{_DEGREE}|[\-:：d]|\s)\s*(?P<m>\d{{1,2}})\s*(?:{_MINUTE}|[\-:：m]|\s)"
    rf"\s*(?:(?P<s>\d{{1,2}}(?:[.．]\d+)?)\s*(?:{_SECOND}|s)?)?\s*(?P<after>[EWNSewns])?"
)
_MINUTES = re.compile(
    rf"(?P<before>{_SIDE})?[\s:：]*(?P<d>\d{{1,3}})\s*{_DEGREE}\s*(?P<m>\d{{1,2}}(?:[.．]\d+)?)\s*{_MINUTE}?\s*(?P<after>[EWNSewns])?"
)
_DECIMAL = re.compile(
    rf"(?P<before>{_SIDE}|[xy])?\s*[:=]?\s*(?P<value>[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*[°º˚度]?\s*(?P<after>[EWNS])?",
    re.IGNORECASE,
)
_WEST_SOUTH = frozenset({"西经", "南纬", "W", "S"})
_PLAIN = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,18})?")  # nearly all of them: the other spellings cost more
_NUMBER = r"[-+]?(?:\d{1,3}(?:\.\d+)?|\d{6,10}(?:\.\d+)?)"  # degrees; micro-degrees or metres
_WORD = r"(?:point|经度|纬度|坐标|东经|北纬|longitude|latitude|lng|lon|lat|jd|wd|[\"'enxyz\[({:=\s])"
_PAIR = re.compile(
    rf"(?:srid=\d+;)?{_WORD}*(?P<first>{_NUMBER})°?[en]?"
    rf"(?:\s*[,;、|/]\s*|\s+|(?=北纬|东经|纬度|经度)){_WORD}*(?P<second>{_NUMBER})°?[en]?(?P<height>\s[-+]?\d+(?:\.\d+)?)?[\])}}\s]*",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"[,，;；、|/\n]")
_MARKED = rf"\d{{1,3}}\s*{_DEGREE}\s*\d{{1,2}}(?:\.\d+)?\s*{_MINUTE}\s*(?:\d{{1,2}}(?:\.\d+)?\s*{_SECOND})?"
_TWO = (
    re.compile(rf"({_SIDE}?[\s:：]*{_MARKED})\s*({_SIDE}?[\s:：]*{_MARKED})"),
    re.compile(rf"({_MARKED}\s*[EWNSewns]?)\s*({_MARKED}\s*[EWNSewns]?)"),
)
_FROM_TO = re.compile(r"[-‐‑–—―－−~〜～至到]")
_IN_RANGE = re.compile(
    rf"(\d{{1,3}})\s*{_DEGREE}\s*(\d{{1,2}}(?:\.\d+)?)\s*{_MINUTE}\s*(?:(\d{{1,2}}(?:\.\d+)?)\s*{_SECOND})?|(\d{{1,3}}\.\d+)"
)
_EASTING_M, _ZONED_M, _NORTHING_M = (1e5, 1e6), (1.3e7, 4.6e7), (3e5, 6.2e6)


@dataclass(frozen=True, slots=True)
class Typed:
    """A position as typed, mended, in the numbers of its list: ``x`` east, ``y`` north.

    ``mended``: what was done ("swapped", "micro-degrees"); ``precision_m``: how far off it can be;
    ``projected``: metres, not degrees; ``area``: the middle of a range of positions.
    """

    x: float
    y: float
    mended: str
    precision_m: float
    projected: bool = False
    area: bool = False

    @property
    def precision(self) -> Precision:
        """The class of :func:`precision_class`."""
        return "area" if self.area else precision_class(self.precision_m)


def number(text: str | None) -> float | None:
    """A coordinate from a cell: decimal (full-width too) or degrees-minutes-seconds; west and south negative.

    >>> number("１１５．８１２３"), number("115°46′12″"), number("115°46.2′E"), number("暂无")
    (115.8123, 115.77, 115.77, None)
    """
    if text is None:
        return None
    if _PLAIN.fullmatch(text):
        value = float(text)
        return value if abs(value) < LARGEST else None
    raw = text.strip()
    match = _DMS.fullmatch(raw) or _MINUTES.fullmatch(raw)
    if match:
        parts = match.groupdict()
        degrees, minutes, seconds = (_float(parts.get(k) or "0") for k in "dms")
        if minutes >= 60 or seconds >= 60:
            return None
        value = degrees + minutes / 60 + seconds / 3600
    else:
        # a full stop typed with a Chinese keyboard
        plain = re.sub(r"(?<=\d)[。·](?=\d)", ".", unicodedata.normalize("NFKC", raw))
        match = _DECIMAL.fullmatch(plain)
        if match is None:
            return None
        value = float(match["value"])
    sides = {match["before"], (match["after"] or "").upper()}
    if sides & _WEST_SOUTH or (match["before"] or "").upper() in _WEST_SOUTH:
        value = -abs(value)
    return value if abs(value) < LARGEST else None


def _float(text: str) -> float:
    return float(unicodedata.normalize("NFKC", text))


def pair(text: str | None) -> tuple[float, float] | None:
    """Two numbers of one cell, in the order typed; None for a range of positions or anything else.

    >>> pair("(115.81;32.89)"), pair("POINT Z (115.81 32.89 30)"), pair("东经115°46′12″，北纬32°53′24″")
    ((115.81, 32.89), (115.81, 32.89), (115.77, 32.89))
    """
    parts = pair_texts(text)
    if parts is None:
        return None
    first, second = number(parts[0]), number(parts[1])
    return None if first is None or second is None else (first, second)


def pair_texts(text: str | None) -> tuple[str, str] | None:
    """The two numbers of one cell as typed, so that their decimals can be counted."""
    raw = (text or "").strip()
    folded = re.sub(r"(?<=\d)[。·](?=\d)", ".", unicodedata.normalize("NFKC", raw))
    match = _PAIR.fullmatch(folded)
    # a third number is a height in WKT only
    if match and (match["height"] is None or "point" in folded.lower()):
        return match["first"], match["second"]
    bare = raw.strip("()（）[] ")
    parts = [p.strip() for p in _SEPARATOR.split(bare) if p.strip()]
    if len(parts) == 2 and all(_DMS.fullmatch(p) or _MINUTES.fullmatch(p) for p in parts):
        return parts[0], parts[1]
    two = next((found for pattern in _TWO if (found := pattern.fullmatch(bare))), None)
    return None if two is None else (two[1].strip(), two[2].strip())


def middle_of_range(text: str | None) -> tuple[float, float, float] | None:
    """Longitude, latitude and reach (metres to a corner) of a range of positions; None if it is none.

    >>> lon, lat, reach_m = middle_of_range("东经115°46′12″-115°47′05″,北纬32°53′48″-32°54′30″")
    >>> round(lon, 4), round(lat, 4), round(reach_m)
    (115.7774, 32.9025, 945)
    """
    typed = text or ""
    if not _FROM_TO.search(typed):
        return None
    values = [
        float(decimal) if decimal else float(d) + float(m) / 60 + float(s or 0) / 3600
        for d, m, s, decimal in _IN_RANGE.findall(typed)
    ]
    lons = [v for v in values if LON_RANGE[0] <= v <= LON_RANGE[1]]
    lats = [v for v in values if LAT_RANGE[0] <= v <= LAT_RANGE[1]]
    if len(values) != 4 or len(lons) != 2 or len(lats) != 2:
        return None
    lon, lat = sum(lons) / 2, sum(lats) / 2
    east = abs(lons[1] - lons[0]) * math.cos(math.radians(lat))
    return lon, lat, math.hypot(east, lats[1] - lats[0]) / 2 * M_PER_DEG


def read_position(lon_text: str, lat_text: str, both_text: str) -> Typed | None:
    """The position of a row from its cells: two columns, a pair in one, or a range's middle; None without.

    0, 0 is none. What is certain is mended: swapped axes, micro-degrees, X to the north.

    >>> read_position("32.8900", "115.8100", "").mended, read_position("暂无", "/", "")
    ('swapped', None)
    """
    if number(lon_text) is None or number(lat_text) is None:
        # 坐标 in one cell, or a pair typed into the 经度 cell
        both = pair_texts(both_text) or pair_texts(lon_text) or pair_texts(lat_text)
        if both is None:
            middle = middle_of_range(both_text) or middle_of_range(f"{lon_text},{lat_text}")
            return None if middle is None else Typed(middle[0], middle[1], "", middle[2], area=True)
        lon_text, lat_text = both
    lon, lat = number(lon_text), number(lat_text)
    if lon is None or lat is None or (lon == 0 and lat == 0):
        return None
    if is_projected(lon, lat):
        return Typed(*mend_projected(lon, lat), 0.05 if "." in lon_text + lat_text else 0.5, projected=True)
    return Typed(*mend(lon, lat), precision_m(lon_text, lat_text))


def mend(lon: float, lat: float) -> tuple[float, float, str]:
    """Undo what is certain: swapped axes and micro-degrees (in China); says what was done.

    >>> mend(32.89, 115.81), mend(115810000, 32890000)
    ((115.81, 32.89, 'swapped'), (115.81, 32.89, 'micro-degrees'))
    """
    done = []
    if abs(lon) > 1e6 and abs(lat) > 1e6:
        # 1e7 where that alone brings the longitude into China
        unit = 1e7 if max(abs(lon), abs(lat)) >= LON_RANGE[0] * 1e7 else 1e6
        lon, lat = lon / unit, lat / unit
        done.append("micro-degrees")
    if LAT_RANGE[0] <= lon <= LAT_RANGE[1] and LON_RANGE[0] <= lat <= LON_RANGE[1]:
        lon, lat = lat, lon
        done.append("swapped")
    return lon, lat, ", ".join(done)


def is_projected(x: float, y: float) -> bool:
    """Whether two numbers are a northing and an easting of China, in metres, in either order.

    >>> is_projected(3641176.64, 39388649.57), is_projected(115810000, 32890000)
    (True, False)
    """
    return any(_easting(e) and _NORTHING_M[0] <= n <= _NORTHING_M[1] for e, n in ((x, y), (y, x)))


def mend_projected(x: float, y: float) -> tuple[float, float, str]:
    """Easting first: Chinese survey tables put X to the north, and easting may bear a zone number.

    Northings of China are 0.3-6 million metres; eastings 0.1-0.9 million, or 13-45 million with zone.

    >>> mend_projected(3641176.64, 39388649.57)
    (39388649.57, 3641176.64, 'swapped')
    """
    swapped = _easting(y) and not _easting(x) and _NORTHING_M[0] <= x <= _NORTHING_M[1]
    return (y, x, "swapped") if swapped else (x, y, "")


def _easting(value: float) -> bool:
    return _EASTING_M[0] <= value < _EASTING_M[1] or _ZONED_M[0] <= value < _ZONED_M[1]


def zone_epsg(easting: float) -> str | None:
    """The CGCS2000 Gauss-Krüger CRS that an easting's zone number names; None where it bears none.

    Zones 25-45 are 3 degrees wide (EPSG:4513-4533), zones 13-23 are 6 (EPSG:4491-4501).

    >>> zone_epsg(39388649.57), zone_epsg(38432168.0), zone_epsg(388649.57)
    ('EPSG:4527', 'EPSG:4526', None)
    """
    zone = int(easting // 1e6)
    if 25 <= zone <= 45:
        return f"EPSG:{4488 + zone}"
    return f"EPSG:{4478 + zone}" if 13 <= zone <= 23 else None


def dms_misread(value: float) -> float | None:
    """What ``115.4612`` is if it means 115°46′12″; None where it cannot.

    >>> round(dms_misread(115.4612), 4)
    115.77
    """
    degrees, rest = divmod(round(abs(value) * 10_000), 10_000)
    minutes, seconds = divmod(rest, 100)
    return degrees + minutes / 60 + seconds / 3600 if minutes < 60 and seconds < 60 else None


def precision_m(lon_text: str | None, lat_text: str | None) -> float:
    """Half a unit of the last digit typed, in metres: how coarse a position can be.

    The finer of the two counts: Excel drops trailing zeros (115.8100 → 115.81), one axis of a
    position by chance, hardly both.

    >>> round(precision_m("115.812", "32.891")), round(precision_m("115°46′12″", "32°53′24″"))
    (56, 15)
    """
    return min(_half_unit_deg(t) for t in (lon_text, lat_text)) * M_PER_DEG


def _half_unit_deg(text: str | None) -> float:
    raw = (text or "").strip()
    if not _PLAIN.fullmatch(raw):
        if dms := _DMS.fullmatch(raw):
            seconds = dms["s"]
            return 0.5 / 60 if seconds is None else 0.5 / 3600 * 10.0 ** -_decimals(seconds)
        if minutes := _MINUTES.fullmatch(raw):
            return 0.5 / 60 * 10.0 ** -_decimals(minutes["m"])
    plain = re.sub(r"(?<=\d)[。·](?=\d)", ".", unicodedata.normalize("NFKC", raw))
    value = abs(number(plain) or 0.0)
    scale = 1e-7 if value >= LON_RANGE[0] * 1e7 else 1e-6 if value > 1e6 else 1.0
    return 0.5 * 10.0 ** -_decimals(plain) * scale


def _decimals(text: str) -> int:
    match = re.search(r"[.．](\d+)", text)
    return len(match[1]) if match else 0


def precision_class(precision: float) -> Precision:
    """``point`` (4 decimals, seconds), ``block`` (3), ``quarter`` (2), ``coarse`` (1 or none).

    >>> [precision_class(precision_m(t, t)) for t in ("115.8123", "113.665", "115.81", "115.8")]
    ['point', 'block', 'quarter', 'coarse']
    """
    if precision <= POINT_M:
        return "point"
    return "block" if precision <= BLOCK_M else "quarter" if precision <= QUARTER_M else "coarse"


_ADDRESS: tuple[tuple[AddressKind, re.Pattern[str]], ...] = (
    ("intersection", re.compile(r"交叉口|路口|街口|交汇|交口|交界|与[^，,]{1,12}[路街道]交")),
    ("area", re.compile(r"以[东南西北]|周边|沿线|片区|辖区|全域")),
    ("relative", re.compile(r"对面|对过|斜对|旁|附近|隔壁|[东南西北]侧|门口|门卫|\d米|院内|后面|前面")),
    ("floor", re.compile(r"[\d一二三四五六七八九十负Bb]+\s*(?:层|楼(?!\w*号)|室|[Ff](?![A-Za-z]))")),
    ("door", re.compile(r"[\d一二三四五六七八九十]+\s*[号弄巷栋幢]")),
)


def address_kind(text: str | None) -> AddressKind:
    """How exact a place an address names: a door, a floor, a crossing, an area, or relative to another.

    >>> [address_kind(t) for t in ("沪太路4361号7号楼2层", "清安路月浦实验学校对面", "湖泰路以东、中长路以北")]
    ['floor', 'relative', 'area']
    """
    plain = unicodedata.normalize("NFKC", text or "").strip()
    if not plain:
        return "none"
    return next((kind for kind, pattern in _ADDRESS if pattern.search(plain)), "vague")
