"""Instants and intervals of OGC API - Features."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.moments import meets, span

ZONES = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
EARLIEST, LATEST = datetime.fromisoformat("0002-01-01"), datetime.fromisoformat("9998-12-30")
MOMENTS = st.datetimes(EARLIEST, LATEST, timezones=ZONES)


@given(MOMENTS)
def test_a_moment_is_itself_in_any_zone(moment):
    start, end = span(moment.isoformat())
    assert start == end == moment
    assert start.tzinfo is UTC


@given(MOMENTS, MOMENTS, MOMENTS)
def test_a_day_meets_an_interval_that_shares_an_instant_with_it(a, b, day):
    low, high = sorted([a, b])
    within = span(f"{low.isoformat()}/{high.isoformat()}")
    begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
    shared = begins <= high and low < begins + timedelta(days=1)
    assert meets(str(begins.date()), within) == shared
    after = span(f"{low.isoformat()}/..")
    assert meets(str(begins.date()), after) == (low < begins + timedelta(days=1))
    before = span(f"/{high.isoformat()}")
    assert meets(str(begins.date()), before) == (begins <= high)


@given(st.text(alphabet="0123456789-:TZ+./ ", max_size=60))
def test_any_text_is_an_interval_or_a_value_error(text):
    try:
        start, end = span(text)
    except ValueError:
        return
    assert start <= end


@pytest.mark.parametrize("text", ["", "..", "2026-1-1", "2026-10-31 08:00:00Z", "2026-10-31T25:00:00Z", "2026-10-31T08:00:00+08:60", "٢٠٢٦-10-31"])  # fmt: skip
def test_what_is_no_moment(text):
    with pytest.raises(ValueError, match=r"."):
        span(text)
