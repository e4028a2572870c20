"""Services: free text (M28), tick columns; and privacy (M29)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.intake import services as module
from geo.intake.privacy import mask_mobiles
from geo.intake.services import parse_services, tick_columns, ticked
from geo.models import SERVICES


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("饮水、休息、充电、WiFi等", "water rest phone_charging wifi"),
        (
            "冷可取暖、热可纳凉、渴可饮水、急可如厕、学可阅读、累可歇脚、伤可用药",
            "warmth cooling water toilet books rest first_aid",
        ),
        ("充电", "phone_charging"),
        ("电动车充电", "ebike_charging"),
        ("电动车充电、手机充电、换电柜", "ebike_charging phone_charging battery_swap"),
        ("无卫生间", ""),
        ("没有微波炉，饮水", "water"),
        ("厕所在隔壁", ""),
        ("电动车不能充电", ""),
        ("无线网络、无障碍卫生间、无线充电", "wifi toilet phone_charging"),
        ("饮水√ 充电× 如厕√", "water toilet"),
        ("饮水:有 厕所:无", "water"),
        ("饮水、微波炉（维修中）", "water"),
        ("toilet, drinking water, first aid, e-bike charging, phone charging", "toilet water first_aid ebike_charging phone_charging"),
        ("restroom", "toilet"),
        ("restaurant", ""),
        ("无", ""),
        ("", ""),
        (" ".join(SERVICES), " ".join(SERVICES)),
        ("、".join(SERVICES), " ".join(SERVICES)),
    ],
)  # fmt: skip
def test_found(typed: str, found: str) -> None:
    assert parse_services(typed)[0] == set(found.split())


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        # slogans
        ("渴能喝水热能纳凉冷能取暖累能歇脚", "water cooling warmth rest"),
        ("冬有暖夏有凉", "warmth cooling"),
        ("夏可避暑、冬可御寒、急可方便、饭可加热", "cooling warmth toilet microwave"),
        # separators
        ("饮水/微波炉/wifi", "water microwave wifi"),
        ("①饮水②休息③充电", "water rest phone_charging"),
        ("1.饮水 2.休息 3.充电", "water rest phone_charging"),
        ("饮水机2台，微波炉1台；\n桌椅　空调|冰箱+药箱", "water microwave rest cooling fridge first_aid"),
        # ticks before and behind
        ("√饮水 √休息 ×充电", "water rest"),
        ("☑饮水☐微波炉☑休息", "water rest"),
        ("■饮水 □厕所", "water"),
        ("热水√，WiFi√，厕所x", "water wifi toilet"),
        ("饮水☑ 厕所☐", "water"),
        # negation
        ("无卫生间", ""),
        ("除卫生间外", ""),
        ("有饮水无卫生间", "water"),
        ("有饮水没有卫生间", "water"),
        ("没有卫生间和淋浴", ""),
        ("不提供热饭", ""),
        ("饮水有；卫生间无", "water"),
        ("微波炉（坏）、饮水（停水）、冰箱待修、桌椅", "rest"),
        ("无障碍卫生间、无线网络、无烟休息区", "toilet wifi rest"),
        # next door is not here
        ("厕所在隔壁", ""),
        ("卫生间（隔壁商场）、饮水", "water"),
        ("附近有公厕，休息", "rest"),
        ("公厕（500米）", ""),
        # what is charged
        ("充电", "phone_charging"),
        ("汽车充电", ""),
        ("新能源汽车充电桩", ""),
        ("电动自行车充换电", "ebike_charging battery_swap"),
        ("换电", "battery_swap"),
        ("共享充电宝", "phone_charging"),
    ],
)
def test_m28_services(typed: str, found: str) -> None:
    assert parse_services(typed)[0] == set(found.split())


def test_m28_nothing_unmatched_is_dropped() -> None:
    typed = "空调、雨伞、法律咨询、针线包、汽车充电、母婴室、饮水"
    assert parse_services(typed)[1] == ("雨伞", "法律咨询", "针线包", "汽车充电", "母婴室")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["饮水", "微波炉", "唱歌", "无", "有", "√", "×", "、", "，", " ", "（", "）", "没有", "和", "隔壁", "充电", "wifi", "no ", "1", "①", "\n"]
        ),
        max_size=12,
    ).map("".join)
    | st.text(max_size=20)
)  # fmt: skip
def test_m28_no_text_breaks_the_reader(text: str) -> None:
    found, unknown = parse_services(text)
    assert found <= set(SERVICES)
    assert all(isinstance(word, str) and word for word in unknown)


def test_what_is_not_understood_is_told() -> None:
    assert parse_services("饮水、唱歌、充电桩、等服务")[1] == ("唱歌", "充电桩")
    assert parse_services(None) == (frozenset(), ())
    # for which vehicle a bare 充电桩 is, is not said
    assert not parse_services("充电桩")[0]


def test_every_service_has_words_in_both_languages() -> None:
    assert set(module._CHINESE) == set(module._ENGLISH) == set(SERVICES)


def test_tick_columns() -> None:
    headings = [
        "序号",
        "名称",
        "饮水",
        "有无卫生间",
        "充电",
        "休息区",
        "所属街道",
        "服务时间",
        "医疗机构名称",
        "WiFi",
    ]
    assert tick_columns(headings) == {
        "饮水": "water", "有无卫生间": "toilet", "充电": "phone_charging", "休息区": "rest", "WiFi": "wifi",
    }  # fmt: skip
    assert [ticked(t) for t in ("√", "有", "1", "是", "2台", "×", "无", "0", "", None)] == [True] * 5 + [
        False
    ] * 5
    assert ticked("不清楚") is None


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("13956000000", "139****0000"),
        ("门卫老李139 5600 0000", "门卫老李139****0000"),
        ("139-5600-0000", "139****0000"),
        ("139–560–00000", "139****0000"),
        ("+8613956000000", "+86139****0000"),
        ("86 139 5600 0000", "86 139****0000"),
        ("0558-2260000/13956000000", "0558-2260000/139****0000"),
        ("张三13956000000李四18900001111", "张三139****0000李四189****1111"),
        ("１３９５６００００００", "１３９****００００"),
        ("341202199001011234", "341202************"),
        ("0558-2260000", "0558-2260000"),
        ("12345、12351、400-139-5600", "12345、12351、400-139-5600"),
        ("115.81382100,32.89", "115.81382100,32.89"),
        ("131.12345678", "131.12345678"),
    ],
)
def test_mobiles_are_masked_landlines_kept(typed: str, shown: str) -> None:
    assert mask_mobiles(typed) == shown


@given(
    before=st.text(alphabet="门卫老李 :：/，(", max_size=4),
    prefix=st.sampled_from(["13", "15", "18", "19"]),
    digits=st.text(alphabet="0123456789", min_size=9, max_size=9),
    gap=st.sampled_from(["", " ", "-", "  ", "\xa0"]),
)
def test_no_published_text_shows_a_mobile(before: str, prefix: str, digits: str, gap: str) -> None:
    number = prefix + digits
    shown = mask_mobiles(before + gap.join((number[:3], number[3:7], number[7:])) + "。")
    assert not re.search(r"1[3-9]\d[ -]?\d{4}[ -]?\d{4}", shown)
    assert mask_mobiles(shown) == shown
