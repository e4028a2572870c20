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
from geo.intake.hours import DAYS, Hours, calendar_notes, open_at, parse_hours, read_hours
from geo.intake.stations import read_stations
from geo.intake.workdays import day_kind, open_on, years_known


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
        "13月-9月 8:00-19:00", "5月-9月", "夏季8:00-19:00，冬季", "5月-9月，10月-4月 8:00-18:00", "2月30日-9月1日 8:00-18:00",
        "夏季8:00-19:00（5月-9月）", "单双周轮换 8:00-18:00", "提前预约 9:00-17:00",
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


# --- the cases by their numbers


def test_m20_two_spans_are_closed_at_noon() -> None:
    osm = parse_hours("8:30-11:00\n13:30-17:00")
    assert open_at([osm], ["Tue 10:59", "Tue 12:00", "Tue 13:30", "Tue 17:00"]).tolist() == [
        [True, False, True, False]
    ]
    assert parse_hours("8:30-11:00 / 13:30-17:00 ; 18:30-20:00") in {
        None,
        "08:30-11:00,13:30-17:00,18:30-20:00",
    }


def test_m21_weekday_words_holidays_and_worked_weekends() -> None:
    for text in (
        "星期一到星期五。9:30-17:00",
        "周一至周五9:30-17:00",
        "工作日 9:30—17:00",
        "礼拜一至礼拜五9:30-17:00",
    ):
        assert parse_hours(text) == "Mo-Fr 09:30-17:00", text
    osm = parse_hours("工作日 9:30—17:00，法定节假日除外")
    assert osm == "Mo-Fr 09:30-17:00; PH off"
    # National Day, a worked Saturday, an ordinary Saturday, an ordinary Monday of 2026
    days = ["2026-10-01", "2026-10-10", "2026-10-17", "2026-10-12"]
    assert [day_kind(dt.date.fromisoformat(d)) for d in days] == ["holiday", "make_up", "weekend", "workday"]
    assert open_at(
        [osm, "09:00-20:00", "Sa-Su 09:00-20:00", None], [f"{d} 12:00" for d in days]
    ).tolist() == [
        [False, True, False, True],
        [True, True, True, True],
        [False, False, True, False],
        [False, False, False, False],
    ]


def test_m21_holidays_follow_the_rule_for_them_where_there_is_one() -> None:
    noon, evening = (
        dt.datetime.fromisoformat(f"2026-10-04 {h}:00") for h in (12, 19)
    )  # a Sunday of the holiday
    assert open_on("Mo-Fr 08:00-20:00; PH 10:00-14:00", noon)
    assert not open_on("Mo-Fr 08:00-20:00; PH 10:00-14:00", evening)
    assert not open_on("08:00-20:00; PH off", noon)
    assert open_on("24/7", evening)
    # weekdays say nothing of holidays: not counted as open
    assert not open_on("Mo-Fr 08:00-20:00", dt.datetime.fromisoformat("2026-10-02 12:00"))
    assert not open_on("Su 08:00-20:00", noon)


def test_m21_a_year_not_published_yet_is_said_and_never_counted_open_on_a_guess() -> None:
    late = years_known()[1] + 1
    moments = [f"{late}-06-{d:02d} 12:00" for d in range(1, 8)]
    assert day_kind(dt.date(late, 6, 1)) == "unknown"
    assert not open_at(["Mo-Fr 08:00-18:00", "08:00-18:00; PH off"], moments).any()
    assert open_at(["08:00-18:00", "24/7"], moments).all()
    (note,) = calendar_notes([*moments, "Tue 12:00"])
    assert str(late) in note.reason_zh
    assert str(years_known()[1]) in note.reason_en
    assert calendar_notes(["Tue 12:00", "2026-10-01 12:00"]) == []


def test_m22_daily_spans_and_spoken_hours() -> None:
    for text, osm in (
        ("周一至周日9:00—17:00", "09:00-17:00"), ("每日8时到22时", "08:00-22:00"), ("8点-18点", "08:00-18:00"),
        ("早8晚6", "08:00-18:00"), ("早八点至晚六点", "08:00-18:00"), ("每天上午8点至下午6点", "08:00-18:00"),
    ):  # fmt: skip
        assert parse_hours(text) == osm, text


def test_m23_around_the_clock_keeps_the_condition_of_entry(tmp_path: Path) -> None:
    for text, access in (
        ("24小时", ""), ("全天", ""), ("全天候", ""), ("7×24h", ""), ("24小时（扫码进入）", "扫码进入"),
        ("24小时开放（刷工会卡）", "刷工会卡"), ("全天【凭骑手App】", "凭骑手App"),
    ):  # fmt: skip
        hours = read_hours(text)
        assert (hours.osm, hours.condition) == ("24/7", access), text
    path = tmp_path / "a.csv"
    path.write_text(
        "名称,经度,纬度,开放时间\n甲,115.8123,32.8912,24小时（扫码进入）\n乙,115.8223,32.8912,看门卫\n"
    )
    frame = read_stations(path, datum="wgs84").frame
    assert frame["access"].tolist() == ["扫码进入", ""]
    assert frame["hours"].tolist() == ["24/7", None]


def test_m24_over_midnight() -> None:
    osm = [parse_hours(t) for t in ("6:00-次日2:00", "18:00-2:00", "8:00-24:00")]
    assert osm == ["06:00-26:00", "18:00-26:00", "08:00-24:00"]
    assert open_at(osm, ["Wed 01:30", "Wed 02:00", "Tue 23:59", "Mon 00:30"]).tolist() == [
        [True, False, True, True],
        [True, False, True, True],
        [False, False, True, False],
    ]


def test_m25_seasons_with_and_without_months_else_unknown() -> None:
    assumed = read_hours("夏季8:00-19:00，冬季8:00-18:00")
    assert assumed.osm == "May-Sep 08:00-19:00; Oct-Apr 08:00-18:00"
    assert "5—9 月" in assumed.note_zh
    for text, osm in (
        ("夏季（6月-8月）8:00-19:00，冬季（9月-次年5月）8:00-18:00", "Jun-Aug 08:00-19:00; Sep-May 08:00-18:00"),
        ("5月-9月 8:00-19:00", "May-Sep 08:00-19:00"),
        ("5月1日至9月30日 8:00-19:00；10月1日至次年4月30日 8:30-18:00",
         "May 01-Sep 30 08:00-19:00; Oct 01-Apr 30 08:30-18:00"),
        ("夏季(5月1日-10月1日)周一至周五8:00-12:00，14:30-18:00", "May 01-Oct 01 Mo-Fr 08:00-12:00,14:30-18:00"),
    ):  # fmt: skip
        hours = read_hours(text)
        assert (hours.osm, hours.note_zh) == (osm, ""), text
    for text in ("随银行营业时间", "全工作时段", "不定时", "以现场为准", "同物业上班时间"):
        hours = read_hours(text)
        assert hours.osm is None
        assert "按未知处理" in hours.note_zh, text
    assert not open_at([None], ["Tue 12:00"]).any()


@pytest.mark.parametrize("dash", [*"一〜—–－~～‐‑―−至到-", "——", " - ", "--"])
def test_m26_every_dash(dash: str) -> None:
    assert parse_hours(f"9：00{dash}17：00") == "09:00-17:00"


def test_m27_what_excel_ate_is_flagged_and_unknown(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for row in (
        ["名称", "经度", "纬度", "开放时间", "联系电话"],
        ["甲", 115.8123, 32.8912, dt.datetime(2025, 8, 18), 13956000000.0],  # noqa: DTZ001
        ["乙", 115.8223, 32.8912, 45887, None],
        ["丙", 115.8323, 32.8912, dt.time(8, 0), None],
        ["丁", 115.8423, 32.8912, "8-18", None],
    ):
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    listed = read_stations(tmp_path / "a.xlsx", datum="wgs84")
    assert listed.frame["hours"].tolist() == [None, None, None, "08:00-18:00"]
    flagged = [e.name for e in listed.audit if "Excel" in e.reason_zh and e.column == "开放时间"]
    assert flagged == ["甲", "乙", "丙"]
    assert listed.frame["phone"].iloc[0] == "139****0000"


def test_all_693_real_strings_are_accepted_or_refused_with_a_reason(shared_data: Path) -> None:
    with (shared_data / "helsinki" / "facilities_opening_hours.csv").open(encoding="utf-8-sig") as file:
        strings = sorted({row["opening_hours"] for row in csv.DictReader(file)})
    assert len(strings) == 693
    read = [read_hours(text) for text in strings]
    refused = [text for text, hours in zip(strings, read, strict=True) if hours.osm is None]
    for text, hours in zip(strings, read, strict=True):
        if not text:
            assert hours == Hours(None)  # nothing was said
        elif hours.osm is None:
            assert hours.note_zh, text
            assert hours.note_en, text
        else:
            OpeningHours(hours.osm)
    assert refused[0] == "" and 10 <= len(refused) <= 25, refused
    open_at([hours.osm for hours in read], ["Tue 12:00", "2026-10-01 12:00", "2026-10-10 12:00"])


PIECES = [
    "周一", "至", "周五", "工作日", "节假日", "除外", "休息", "8:00", "-", "18：30", "24小时", "次日2:00", "夏季", "5月", "9月30日",
    "（", "）", "，", "；", "\n", " ", "早8晚6", "上午", "下午", "Mo-Fr", "off", "PH", '"', "||", "一", "～", "闭馆", "25:61", "0.333", "2025-08-18",
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=30), st.lists(st.sampled_from(PIECES), max_size=9).map("".join)))
def test_no_text_breaks_the_reader(text: str) -> None:
    hours = read_hours(text)
    if hours.osm is not None:
        # what is accepted can be evaluated, and reading it again changes nothing
        assert open_at([hours.osm], ["Tue 12:00", "2026-10-01 12:00"]).shape == (1, 2)
        assert parse_hours(hours.osm) == hours.osm
