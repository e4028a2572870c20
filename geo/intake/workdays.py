"""Days of the Chinese calendar: public holidays, and weekends that are worked in exchange (调休).

The State Council publishes the days of a year late in the year before; of a year not yet published we
say that we do not know it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

import chinese_calendar
from opening_hours import OpeningHours

from geo.models import AuditEntry

DayKind = Literal["workday", "weekend", "make_up", "holiday", "unknown"]
SATURDAY, FRIDAY = 5, 4


def day_kind(day: dt.date) -> DayKind:
    """What a day is in China: ``make_up`` is a worked weekend, ``unknown`` a day of an unpublished year.

    Source: the yearly notices of the State Council, as kept by chinesecalendar.

    >>> [day_kind(dt.date(2026, *md)) for md in ((2, 14), (10, 1), (10, 12), (10, 18))]
    ['make_up', 'holiday', 'workday', 'weekend']
    >>> day_kind(dt.date(2099, 1, 1))
    'unknown'
    """
    try:
        worked = chinese_calendar.is_workday(day)
        holiday, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return "unknown"
    if worked:
        return "make_up" if day.weekday() >= SATURDAY else "workday"
    return "holiday" if holiday and name else "weekend"


def years_known() -> tuple[int, int]:
    """First and last year whose days are published.

    >>> years_known()[0]
    2004
    """
    return min(chinese_calendar.holidays).year, max(chinese_calendar.holidays).year


def rule(osm: str, *, country: str | None = None) -> OpeningHours:
    """OSM ``opening_hours`` as the parser's rule, with the public holidays of ``country``.

    A comment alone ("by appointment") is "unknown" in the OSM specification; the parser calls it open.
    Raises :class:`opening_hours.ParserError` for what is no such string.

    >>> from datetime import datetime
    >>> rule('"by appointment"').is_open(datetime.fromisoformat("2026-06-09 12:00"))
    False
    """
    rules = re.split(r"((?:\|\||;)(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$))", osm)
    told = "".join(f" unknown {r.strip()}" if re.fullmatch(r'\s*"[^"]*"\s*', r) else r for r in rules)
    return OpeningHours(told, country=country) if country else OpeningHours(told)


def unpublished(days: Iterable[dt.date]) -> AuditEntry | None:
    """A note where days lie in years whose holidays nobody knows yet (or that are too long ago).

    >>> unpublished([dt.date(2026, 10, 1)]) is None
    True
    """
    years = sorted({day.year for day in days if day_kind(day) == "unknown"})
    if not years:
        return None
    first, last = years_known()
    listed = "、".join(map(str, years))
    zh = (
        f"{listed} 年的放假与调休安排未知（所知为 {first}—{last} 年）：该日无论放假、调休与否都开放的才算开放"
    )
    en = f"the holidays of {listed} are not known (known: {first}-{last}): open is what is open whatever the day will be"
    return AuditEntry("noted", zh, en, file="study.toml", column="standard.times")


def open_on(osm: str, moment: dt.datetime) -> bool:
    """Whether hours (OSM ``opening_hours``) are open at a moment of a real day in China, beyond doubt.

    A worked weekend is as a Friday. On a public holiday the PH rule decides; without one a place that
    keeps the same hour on all seven days is open, one that knows weekdays is not counted as open. On a
    day of an unpublished year a place is open if it is whatever that day will be.

    >>> at = dt.datetime.fromisoformat
    >>> open_on("Mo-Fr 08:30-17:30", at("2026-02-14 10:00")), open_on("Mo-Fr 08:30-17:30", at("2026-10-01 10:00"))
    (True, False)
    >>> open_on("08:00-20:00", at("2026-10-01 10:00")), open_on("08:00-20:00; PH off", at("2026-10-01 10:00"))
    (True, False)
    """
    kind = day_kind(moment.date())
    if kind == "holiday":
        return _on_holiday(osm, moment)
    if kind == "make_up":
        return _plain(osm, _as(moment, FRIDAY))
    if kind == "unknown":
        worked = _plain(osm, moment if moment.weekday() < SATURDAY else _as(moment, FRIDAY))
        return worked and _plain(osm, moment) and _on_holiday(osm, moment)
    return _plain(osm, moment)


def _on_holiday(osm: str, moment: dt.datetime) -> bool:
    if "PH" in osm:
        like = _holiday_like(moment.weekday(), moment.month)
        with_holidays = rule(osm, country="CN")
        return bool(with_holidays.is_open(dt.datetime.combine(like, moment.time())))
    return all(_plain(osm, _as(moment, weekday)) for weekday in range(7))


def _plain(osm: str, moment: dt.datetime) -> bool:
    return bool(rule(osm).is_open(moment))


def _as(moment: dt.datetime, weekday: int) -> dt.datetime:
    """The same hour on another day of the same week, so that seasons stay what they are."""
    return moment + dt.timedelta(days=weekday - moment.weekday())


@lru_cache(maxsize=128)
def _holiday_like(weekday: int, month: int) -> dt.date:
    """A day that the parser's own calendar takes for a public holiday: of that weekday, near that month."""
    calendar = rule("PH", country="CN")
    first, last = years_known()
    noon = dt.time(12)
    days = (dt.date(year, 1, 1) + dt.timedelta(days=k) for year in range(last, first, -1) for k in range(365))
    found = [
        day for day in days if day.weekday() == weekday and calendar.is_open(dt.datetime.combine(day, noon))
    ]
    return min(
        found, key=lambda day: (min((day.month - month) % 12, (month - day.month) % 12), -day.toordinal())
    )
