"""Opening hours as people type them → OSM ``opening_hours``; and who is open when."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from opening_hours import OpeningHours

from geo.models import Bool

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_OSM_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DASH = re.compile(r"\s*(?:[-–—－~〜～−]+|至|到|一(?=\s*(?:\d|次日)))\s*")
_ALWAYS = re.compile(r"(?:24\s*小时|全天候?|7\s*[x×*]\s*24\s*(?:h|小时)?|24/7|24h)", re.IGNORECASE)
_CLOCK = r"(\d{1,2})(?:[:：](\d{1,2})|[点时](?:(半)|(\d{1,2})分?)?)?"
_SPAN = re.compile(rf"{_CLOCK}-(次日)?{_CLOCK}")
_DAY_WORD = re.compile(
    r"(?:周|星期|礼拜)([一二三四五六日天])(?:-(?:周|星期|礼拜)?([一二三四五六日天]))?|(工作日)|(每[日天]|周末|双休日)"
)
_NUMBER = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6}
_SEASON = re.compile(r"夏季?|冬季?|春|秋|随|除外|节假日")
_EARLY_LATE = re.compile(r"早(\d{1,2})点?晚(\d{1,2})点?")
_REFERENCE = "2026-06-{:02d} {}"  # the week of Monday 2026-06-08: no holiday, no make-up day


def parse_hours(text: str | None) -> str | None:
    """The OSM ``opening_hours`` string meant by ``text``, None where it is unknown.

    Understands OSM syntax, ``HH:MM-HH:MM`` (several spans), weekday words, whole days, spans over
    midnight. Seasons and "as the host bank" are unknown: unknown is never open.

    >>> parse_hours("周一至周五 8:30-11:30，13:30-17:00")
    'Mo-Fr 08:30-11:30,13:30-17:00'
    >>> parse_hours("24小时（扫码进入）"), parse_hours("6:00-次日2:00"), parse_hours("随银行营业时间")
    ('24/7', '06:00-26:00', None)
    """
    if text is None:
        return None
    return _parse(str(text).strip())


@lru_cache(maxsize=4096)
def _parse(text: str) -> str | None:
    if not text or text in {"/", "-", "无", "暂无", "待定", "nan", "None"}:
        return None
    if re.search(r"[A-Z][a-z]|24/7|off|PH", text):
        return text if _valid(text) else None
    plain = _DASH.sub("-", unicodedata.normalize("NFKC", text).replace(" ", ""))
    if _ALWAYS.search(plain) and not _SPAN.search(plain):
        return "24/7"
    if _SEASON.search(plain):
        return None
    early = _EARLY_LATE.search(plain)
    if early:
        evening = int(early.group(2)) % 12 + 12
        plain = f"{early.group(1)}:00-{evening}:00"
    spans = [_span(m) for m in _SPAN.finditer(plain)]
    if not spans or None in spans:
        return None
    days = _days(plain)
    if days is None:
        return None
    made = f"{days} {','.join(str(s) for s in spans)}".strip()
    return made if _valid(made) else None


def _span(match: re.Match[str]) -> str | None:
    h1, m1, half1, min1, next_day, h2, m2, half2, min2 = match.groups()
    begin = int(h1) * 60 + _minutes(m1, half1, min1)
    end = int(h2) * 60 + _minutes(m2, half2, min2)
    if next_day or end <= begin:
        end += 24 * 60
    if begin >= 24 * 60 or end > 48 * 60:
        return None
    return f"{begin // 60:02d}:{begin % 60:02d}-{end // 60:02d}:{end % 60:02d}"


def _minutes(colon: str | None, half: str | None, word: str | None) -> int:
    return 30 if half else int(colon or word or 0)


def _days(text: str) -> str | None:
    found = set()
    for match in _DAY_WORD.finditer(text):
        first, last, workday, other = match.groups()
        if workday:
            found.add("Mo-Fr")
        elif other:
            found.add("Sa-Su" if other in {"周末", "双休日"} else "")
        else:
            a, b = _NUMBER[first], _NUMBER[last] if last else _NUMBER[first]
            found.add("" if (a, b) == (0, 6) else _OSM_DAYS[a] if a == b else f"{_OSM_DAYS[a]}-{_OSM_DAYS[b]}")
    # two day rules in one cell would need their own spans each: not understood, so unknown
    return next(iter(found), "") if len(found) <= 1 else None


@lru_cache(maxsize=4096)
def _valid(text: str) -> bool:
    from opening_hours import ParserError

    try:
        OpeningHours(text)
    except (ParserError, ValueError, SyntaxError):
        return False
    return True


def open_at(hours: Sequence[str | None], times: Sequence[str]) -> Bool:
    """Who is open when: ``[place, time]``, for times such as ``Tue 23:00`` of an ordinary week.

    ``hours`` are OSM strings; None (unknown) is closed, never open.

    >>> open_at(["Mo-Fr 08:00-18:00", None], ["Tue 15:00", "Sat 15:00"]).tolist()
    [[True, False], [False, False]]
    """
    known: dict[str, list[bool]] = {}
    result = np.zeros((len(hours), len(times)), dtype=np.bool_)
    moments = [_moment(t) for t in times]
    for i, text in enumerate(hours):
        if not isinstance(text, str):
            continue
        if text not in known:
            rule = OpeningHours(text)
            known[text] = [rule.is_open(m) for m in moments]
        result[i] = known[text]
    return result


def _moment(text: str) -> object:
    import datetime as dt

    day, clock = text.split()
    return dt.datetime.fromisoformat(_REFERENCE.format(8 + DAYS.index(day), clock))
