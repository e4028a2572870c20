"""Positions as people type them → numbers, with what was mended."""

from __future__ import annotations

import math
import re
import unicodedata

_DMS = re.compile(
    r"^[东西南北经纬EWNS\s:：]*(\d{1,3})\s*[°度\-\s]\s*(\d{1,2})\s*['′’分\-\s]\s*(\d{1,2}(?:\.\d+)?)\s*(?:[\"″”秒]|''|′′)?\s*[EWNS]?$"
)
_PAIR = re.compile(r"(-?\d{1,3}\.\d+)\s*[,，;；\s]\s*(-?\d{1,3}\.\d+)")
LON_RANGE, LAT_RANGE = (73.0, 136.0), (3.0, 54.0)  # of China: they never overlap


def number(text: str | None) -> float | None:
    """A coordinate from a cell: decimal (full-width too) or degrees-minutes-seconds.

    >>> number("１１５．８１２３"), number("115°46′12″"), number("暂无")
    (115.8123, 115.77, None)
    """
    if text is None:
        return None
    match = _DMS.match(text.strip())
    if match:
        degrees, minutes, seconds = (float(g) for g in match.groups())
        return degrees + minutes / 60 + seconds / 3600 if minutes < 60 and seconds < 60 else None
    try:
        value = float(unicodedata.normalize("NFKC", text).strip().rstrip("°度"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def pair(text: str | None) -> tuple[float, float] | None:
    """Two numbers of one cell, in the order typed.

    >>> pair("(115.81;32.89)"), pair("POINT(115.81 32.89)")
    ((115.81, 32.89), (115.81, 32.89))
    """
    match = _PAIR.search(unicodedata.normalize("NFKC", text or ""))
    return (float(match.group(1)), float(match.group(2))) if match else None


def mend(lon: float, lat: float) -> tuple[float, float, str]:
    """Undo what is certain: swapped axes and micro-degrees (in China); says what was done.

    >>> mend(32.89, 115.81)
    (115.81, 32.89, 'swapped')
    """
    done = ""
    if abs(lon) > 1e6 and abs(lat) > 1e6:
        lon, lat, done = lon / 1e6, lat / 1e6, "micro-degrees"
    if LAT_RANGE[0] <= lon <= LAT_RANGE[1] and LON_RANGE[0] <= lat <= LON_RANGE[1]:
        lon, lat, done = lat, lon, "swapped"
    return lon, lat, done


def precision_m(lon_text: str | None, lat_text: str | None) -> float:
    """Half a unit of the last decimal typed, in metres: how coarse a position can be.

    >>> round(precision_m("115.812", "32.891"))
    56
    """
    decimals = [len(t.split(".")[1]) if t and "." in t else 0 for t in (lon_text, lat_text)]
    return 0.5 * 10.0 ** -min(decimals) * 111_195.0
