"""The ``datetime`` of OGC API - Features (Part 1, 7.15.4): an instant or an interval, and the days that it meets."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
INSTANT = timedelta(microseconds=1)  # the finest that is told apart
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt](\d\d:\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d)))?", re.ASCII
)


def span(text: str) -> tuple[datetime, datetime]:
    """The first and the last instant (UTC) of a moment of RFC 3339, a day, or an interval of two of them.

    One end of an interval may be open (``..`` or nothing). A day is one of UTC, midnight to midnight.
    Raises ValueError for anything else, and for an interval that ends before it begins.

    >>> [str(end) for end in span("2026-10-31T08:00:00+08:00/..")]
    ['2026-10-31 00:00:00+00:00', '9999-12-31 23:59:59.999999+00:00']
    >>> [str(end) for end in span("2026-10-31")]
    ['2026-10-31 00:00:00+00:00', '2026-10-31 23:59:59.999999+00:00']
    """
    parts = text.split("/")
    if len(parts) > 2:
        raise ValueError("an interval has two ends")
    if len(parts) == 1:
        return _moment(text)
    opens, closes = (part in ("", "..") for part in parts)
    if opens and closes:
        raise ValueError("one end of an interval must be told")
    start = FIRST if opens else _moment(parts[0])[0]
    end = LAST if closes else _moment(parts[1])[1]
    if start > end:
        raise ValueError("the interval ends before it begins")
    return start, end


def meets(day: str, within: tuple[datetime, datetime]) -> bool:
    """Whether a feature of a day lies within; one without a day always does.

    >>> meets("2026-10-31", span("2026-10-31T23:00:00Z/..")), meets("", span("1999-01-01"))
    (True, True)
    """
    if not day:
        return True
    start, end = _moment(day)
    return start <= within[1] and within[0] <= end


def _moment(text: str) -> tuple[datetime, datetime]:
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError("no moment of RFC 3339")
    day, clock, second, fraction, sign, hours, minutes = found.groups()
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    if clock is None:
        return start, start + timedelta(days=1) - INSTANT if start.date() < LAST.date() else LAST
    leap = second == "60"  # the instant after which the next minute begins
    at = datetime.fromisoformat(f"{day}T{clock}:{'59' if leap else second}")
    at = at.replace(microsecond=999_999 if leap else int((fraction or "0")[:6].ljust(6, "0")))
    away = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    if away >= timedelta(days=1) or int(minutes or 0) > 59:
        raise ValueError("no zone of RFC 3339")
    try:
        at = at.replace(tzinfo=timezone(-away if sign == "-" else away)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("beyond the years 1 to 9999") from error
    return at, at
