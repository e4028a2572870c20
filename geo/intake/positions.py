"""Positions as people type them → numbers, with what was mended."""

from __future__ import annotations

import math
import re
import unicodedata

# Parsed on the raw text: NFKC would turn ″ into two ′.
_SECOND = r"(?:[\"″”＂秒]|''|′′|’’)"
_DMS = re.compile(
    rf"^(?:东经|西经|北纬|南纬|经度?|纬度?|[EWNSewns])?[\s:：]*(\d{{1,3}})\s*(?:[°º˚度\-]|\s)\s*(\d{{1,2}})\s*(?:['′’＇分\-]|\s)"
    rf"\s*(?:(\d{{1,2}}(?:\.\d+)?)\s*{_SECOND}?)?\s*[EWNSewns]?$"
)
_NUMBER = r"[-+]?\d{1,3}(?:\.\d+)?"
_PAIR = re.compile(rf"(?:point|经度|纬度|坐标|东经|北纬|lng|lon|lat|[en\[({{:=\s])*({_NUMBER})°?[en]?"
                   rf"(?:\s*[,;、|/]\s*|\s+|(?=北纬|东经|纬度|经度))(?:纬度|经度|北纬|东经|lat|lon|lng|[en:=\s])*({_NUMBER})°?[en]?[\])}}\s]*",
                   re.IGNORECASE)  # fmt: skip
_PLAIN = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,18})?")  # nearly all of them: the other spellings cost more
_SEPARATOR = re.compile(r"[,，;；、|/]|(?<=[秒\"″”])\s*(?=[东西南北\d]|[EN]\d)|(?<=[EN])\s+(?=\d)")
LON_RANGE, LAT_RANGE = (73.0, 136.0), (3.0, 54.0)  # of China: they never overlap


def number(text: str | None) -> float | None:
    """A coordinate from a cell: decimal (full-width too) or degrees-minutes-seconds.

    >>> number("１１５．８１２３"), number("115°46′12″"), number("暂无")
    (115.8123, 115.77, None)
    """
    if text is None:
        return None
    if _PLAIN.fullmatch(text):
        return float(text)
    match = (
        _DMS.match(unicodedata.normalize("NFKC", text).strip())
        if text.isascii()
        else _DMS.match(text.strip())
    )
    if match:
        degrees, minutes, seconds = (float(g or 0) for g in match.groups())
        return degrees + minutes / 60 + seconds / 3600 if minutes < 60 and seconds < 60 else None
    plain = unicodedata.normalize("NFKC", text).strip().rstrip("°度EeNn ")
    plain = re.sub(r"^(?:东经|北纬|[EN])\s*[:：]?\s*", "", plain, flags=re.IGNORECASE)
    if not re.fullmatch(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?", plain, re.IGNORECASE):
        return None
    value = float(plain)
    return value if math.isfinite(value) else None


def pair(text: str | None) -> tuple[float, float] | None:
    """Two numbers of one cell, in the order typed; None for a range of positions or anything else.

    >>> pair("(115.81;32.89)"), pair("POINT(115.81 32.89)"), pair("东经115°46′12″，北纬32°53′24″")
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
    match = _PAIR.fullmatch(unicodedata.normalize("NFKC", raw))
    if match:
        return match.group(1), match.group(2)
    parts = [p.strip() for p in _SEPARATOR.split(raw.strip("()（）[] ")) if p.strip()]
    if len(parts) == 2 and all(_DMS.match(p) for p in parts):
        return parts[0], parts[1]
    return None


def mend(lon: float, lat: float) -> tuple[float, float, str]:
    """Undo what is certain: swapped axes and micro-degrees (in China); says what was done.

    >>> mend(32.89, 115.81), mend(115810000, 32890000)
    ((115.81, 32.89, 'swapped'), (115.81, 32.89, 'micro-degrees'))
    """
    done = []
    if abs(lon) > 1e6 and abs(lat) > 1e6:
        lon, lat = lon / 1e6, lat / 1e6
        done.append("micro-degrees")
    if LAT_RANGE[0] <= lon <= LAT_RANGE[1] and LON_RANGE[0] <= lat <= LON_RANGE[1]:
        lon, lat = lat, lon
        done.append("swapped")
    return lon, lat, ", ".join(done)


def mend_projected(x: float, y: float) -> tuple[float, float, str]:
    """Easting first: Chinese survey tables put X to the north, and easting may bear a zone number.

    Northings of China are 0.3-6 million metres; eastings 0.1-0.9 million, or 13-45 million with zone.

    >>> mend_projected(3641176.64, 39388649.57)
    (39388649.57, 3641176.64, 'swapped')
    """
    return (y, x, "swapped") if _easting(y) and not _easting(x) and 3e5 <= x <= 6.2e6 else (x, y, "")


def _easting(value: float) -> bool:
    return 1e5 <= value < 1e6 or 1.3e7 <= value < 4.6e7


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
    return min(_half_unit_deg(t) for t in (lon_text, lat_text)) * 111_195.0


def _half_unit_deg(text: str | None) -> float:
    plain = unicodedata.normalize("NFKC", text or "").strip()
    dms = _DMS.match((text or "").strip())
    if dms:
        seconds = dms.group(3)
        return 0.5 / 60 if seconds is None else 0.5 / 3600 * 10.0 ** -len(seconds.partition(".")[2])
    value = number(plain)
    decimals = len(m.group(1)) if (m := re.search(r"\.(\d+)", plain)) else 0
    scale = 1e-6 if value is not None and abs(value) > 1e6 else 1.0
    return 0.5 * 10.0**-decimals * scale
