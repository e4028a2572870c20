"""Opening hours: what people type (M20-M27), and who is open when."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opening_hours import OpeningHours, ParserError  # type: ignore[attr-defined]

from geo.errors import InputError
from geo.intake.hours import DAYS, open_at, parse_hours, read_hours


@pytest.mark.parametrize(
    ("typed", "osm"),
    [
        ("8:30-11:00\n13:30-17:00", "08:30-11:00,13:30-17:00"),  # M20
        ("8:30-11:30 13:30-17:00", "08:30-11:30,13:30-17:00"),
        ("星期一到星期五。9:30-17:00", "Mo-Fr 09:30-17:00"),  # M21
        ("工作日 8:30—17:30", "Mo-Fr 08:30-17:30"),
        ("周一至周五 9:00-17:00，法定节假日除外", "Mo-Fr 09:00-17:00; PH off"),
        ("周一至周日9:00—17:00", "09:00-17:00"),  # M22
        ("每日8时到22时", "08:00-22:00"),
        ("8点-18点", "08:00-18:00"),
        ("早8晚6", "08:00-18:00"),
        ("早八晚六", "08:00-18:00"),
        ("早9晚12", "09:00-24:00"),
        ("8点半-17点半", "08:30-17:30"),
        ("24小时", "24/7"),  # M23
        ("全天", "24/7"),
        ("全天候", "24/7"),
        ("7×24h", "24/7"),
        ("24小时（扫码进入）", "24/7"),
        ("工作日24小时", "Mo-Fr 00:00-24:00"),
        ("6:00-次日2:00", "06:00-26:00"),  # M24
        ("18:00-2:00", "18:00-26:00"),
        ("8:00-24:00", "08:00-24:00"),
        ("晚上6点-次日早上8点", "18:00-32:00"),
        ("夏季8:00-19:00，冬季8:00-18:00", "May-Sep 08:00-19:00; Oct-Apr 08:00-18:00"),  # M25
        ("9：00一17：00", "09:00-17:00"),  # M26
        ("8:00〜18:00", "08:00-18:00"),
        ("8:00—18:00", "08:00-18:00"),
        ("8:00－18:00", "08:00-18:00"),
        ("8:00至18:00", "08:00-18:00"),
        ("８：００－１８：００", "08:00-18:00"),
        ("8-18", "08:00-18:00"),
        ("周一9:00-17:00", "Mo 09:00-17:00"),  # 一 of 周一 is no dash
        ("周一、周三、周五 9:00-17:00", "Mo,We,Fr 09:00-17:00"),
        ("星期一至五 9:00-17:00", "Mo-Fr 09:00-17:00"),
        ("周一至周五8:30-17:30；周六、周日9:00-16:00", "Mo-Fr 08:30-17:30; Sa-Su 09:00-16:00"),
        ("周五至周一 9:00-17:00", "Mo,Fr-Su 09:00-17:00"),
        ("9:00-17:00（周一闭馆）", "09:00-17:00; Mo off"),
        ("周一至周五9:00-17:00，周六日休息", "Mo-Fr 09:00-17:00; Sa-Su off"),
        ("8:30-17:30(周一至周五)", "Mo-Fr 08:30-17:30"),
        ("上午8:00-11:30 下午2:00-5:30", "08:00-11:30,14:00-17:30"),
        ("上午9点到下午5点", "09:00-17:00"),
        ("Mo-Fr 08:00-18:00; PH off", "Mo-Fr 08:00-18:00; PH off"),
        ("24/7", "24/7"),
    ],
)
def test_understood(typed: str, osm: str) -> None:
    assert parse_hours(typed) == osm


@pytest.mark.parametrize(
    "typed",
    [
        None, "", "/", "—", "暂无", "待定", "随银行营业时间", "全工作时段", "常年开放", "周一至周五", "非24小时",
        "9:00-5:00",  # a 12-hour clock?
        "8:00-12:00 2:00-5:00",
        "8:00-8:00",
        "9:00-17:00（中午休息）",
        "8:00-18:00（午休12:00-14:00）",
        "8:00-18:00（周一至周五），9:00-12:00（周六）",  # whose are which?
        "5月-9月 8:00-19:00", "单双周轮换 8:00-18:00", "提前预约 9:00-17:00",
        "电话0510-22123456", "25:00-26:00", "8:75-9:00", "Mo-Fr 25:99",
    ],
)  # fmt: skip
def test_not_understood_stays_unknown(typed: str | None) -> None:
    assert parse_hours(typed) is None


@pytest.mark.parametrize("typed", ["2025-08-18 00:00:00", "2008-08-08 00:00:00", "08:00:00", "45887"])
def test_what_excel_converted_is_told(typed: str) -> None:
    hours = read_hours(typed)
    assert hours.osm is None
    assert "Excel" in hours.note_zh
    assert "Excel" in hours.note_en


def test_conditions_and_assumptions_are_kept() -> None:
    assert read_hours("24小时（扫码进入）").condition == "扫码进入"
    assert read_hours("夏季8:00-19:00，冬季8:00-18:00").note_en
    assert read_hours("随银行营业时间").note_zh
    assert read_hours("8:00-18:00").note_zh == ""


def test_open_at_the_hours_riders_ask_for() -> None:
    hours = [
        "Mo-Fr 08:00-18:00",
        "18:00-26:00",
        "24/7",
        None,
        "08:30-11:30,13:30-17:00",
        'Mo-Fr 09:00-17:00 "扫码"',
    ]
    times = ["Mon 01:00", "Tue 12:00", "Tue 23:00", "Sat 15:00"]
    assert open_at(hours, times).tolist() == [
        [False, True, False, False],
        [True, False, True, False],
        [True, True, True, True],
        [False, False, False, False],
        [False, False, False, True],
        [False, True, False, False],
    ]


def test_a_comment_alone_is_unknown_hence_closed() -> None:
    assert not open_at(['"by appointment"'], ["Tue 12:00"]).any()
    both = open_at(['Mo-Fr 08:00-16:00 || "on appointment"'], ["Tue 12:00", "Tue 20:00"])
    assert both.tolist() == [[True, False]]


def test_open_at_refuses_what_is_neither() -> None:
    with pytest.raises(InputError):
        open_at(["24/7"], ["Tuesday 23:00"])
    with pytest.raises(InputError):
        open_at(["很晚"], ["Tue 23:00"])
    assert open_at([], ["Tue 23:00"]).shape == (0, 1)


@settings(max_examples=150, deadline=None)
@given(
    spans=st.lists(st.integers(0, 47), min_size=2, max_size=4, unique=True).map(sorted),
    days=st.sampled_from(
        [("", range(7)), ("周一至周五", range(5)), ("周末", (5, 6)), ("周三", (2,)), ("每日", range(7))]
    ),
    dash=st.sampled_from(["-", "—", "～", "至", "到", "－"]),
)
def test_against_a_plain_oracle(spans: list[int], days: tuple[str, range], dash: str) -> None:
    pairs = list(zip(spans[::2], spans[1::2], strict=False))
    clock = [f"{a // 2}:{a % 2 * 3}0{dash}{b // 2}:{b % 2 * 3}0" for a, b in pairs]
    osm = parse_hours(days[0] + "，".join(clock))
    got = open_at([osm], [f"{d} {h // 2:02d}:{h % 2 * 3}5" for d in DAYS for h in range(48)])[0]
    want = [k in days[1] and any(a <= h < b for a, b in pairs) for k in range(7) for h in range(48)]
    assert got.tolist() == want


def test_real_osm_strings_agree_with_the_parser(shared_data: Path) -> None:
    with (shared_data / "helsinki" / "facilities_opening_hours.csv").open(encoding="utf-8-sig") as file:
        strings = sorted({row["opening_hours"] for row in csv.DictReader(file) if row["opening_hours"]})
    times = [f"{d} {h:02d}:30" for d in DAYS for h in range(24)]
    moments = [dt.datetime(2026, 6, 8 + k // 24, k % 24, 30) for k in range(168)]  # noqa: DTZ001 - wall clock
    broken, compared = 0, 0
    for text in strings:
        osm = parse_hours(text)
        try:
            rule = OpeningHours(text)
        except ParserError:
            broken += 1
            assert osm is None, text
            continue
        if osm is not None and '"' not in text:
            compared += 1
            np.testing.assert_array_equal(
                open_at([osm], times)[0], [rule.is_open(m) for m in moments], err_msg=text
            )
    assert compared > 600
    assert broken > 10
