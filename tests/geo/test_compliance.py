"""What stations lack of 六有, 七个一 and their variants: judged only on what a list can tell."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from geo.config import study_from_mapping
from geo.errors import InputError
from geo.intake.compliance import CHECKLISTS, compliance_audit, compliance_frame, judge
from geo.intake.services import parse_services
from geo.models import COMPLIANCE_LISTS, SERVICES


def stations(*texts: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "station_id": [f"S{i}" for i in range(len(texts))],
            "name": [f"站{i}" for i in range(len(texts))],
            "street": "鼓楼街道",
            "community": "",
            "services": [parse_services(text)[0] for text in texts],
        }
    )


def lacking(text: str, key: str) -> list[str]:
    judged = judge(parse_services(text)[0], CHECKLISTS[key])
    return [item.zh for item, state in judged.items() if state == "lacks"]


def test_the_keys_of_the_study_are_those_of_the_lists() -> None:
    assert tuple(CHECKLISTS) == COMPLIANCE_LISTS
    for checklist in CHECKLISTS.values():
        for item in checklist.items:
            assert item.services <= set(SERVICES), item
            assert not (item.services and item.on_map)
    assert [len(CHECKLISTS[k].items) for k in ("six_have", "six_have_layout", "seven_one")] == [6, 6, 7]
    assert all(len(CHECKLISTS[k].items) == 7 for k in CHECKLISTS if k.startswith("seven"))
    assert all(len(CHECKLISTS[k].items) == 5 for k in CHECKLISTS if k.startswith("five"))


@pytest.mark.parametrize(
    ("text", "key", "missing"),
    [
        ("休息、微波炉、饮水、空调、冰箱、药箱", "seven_one", []),
        ("休息、微波炉、饮水、取暖、冰箱、药箱", "seven_one", []),
        ("休息、饮水", "seven_one", ["微波炉", "冷暖电器", "冰箱", "应急药箱"]),
        ("休息、微波炉、饮水、空调、药箱、图书", "seven_one", ["冰箱"]),
        ("休息、微波炉、饮水、空调、药箱、图书", "seven_one_guizhou", []),
        ("休息、微波炉、饮水、空调、药箱、图书", "seven_one_haikou", ["洗手间"]),
        ("休息、饮水、空调、无卫生间", "five_have_guangzhou", ["就近如厕"]),
        ("休息、图书、电动车充电", "five_have_guizhou", []),
        ("维修工具、急救包", "eight_have_anhui", ["桌椅", "微波炉"]),
        ("", "seven_one", []),
        ("休息", "six_have", []),
    ],
)
def test_what_is_lacking(text: str, key: str, missing: list[str]) -> None:
    assert lacking(text, key) == missing


def test_what_a_list_cannot_tell_is_said_so() -> None:
    judged = judge(frozenset({"rest"}), CHECKLISTS["six_have"])
    assert [item.zh for item, state in judged.items() if state == "has"] == ["地图可查"]
    assert list(judged.values()).count("untold") == 5
    silent = judge(frozenset(), CHECKLISTS["seven_one"])
    assert set(silent.values()) == {"untold"}


def test_the_sheet_has_totals_and_every_station() -> None:
    frame = compliance_frame(
        stations("休息、饮水、空调、如厕", "饮水", ""), ["five_have_guangzhou", "six_have"]
    )
    assert frame.shape == (4, 4 + 2 * 3)
    met, missing, untold = (frame.iloc[:, 4 + k].tolist() for k in range(3))
    assert met == ["1/2", "4/4", "1/4", "0/0"]
    assert missing[0] == "座椅 seats 1；防暑 relief from heat 1；就近如厕 toilet at hand 1"
    assert missing[1] == missing[3] == ""
    assert untold[1] == "室内场所 a room"
    assert "就近如厕" in untold[3]
    assert compliance_frame(stations(), ["seven_one"]).shape == (1, 7)
    assert compliance_frame(stations("饮水"), []).shape == (2, 4)


def test_the_audit_tells_each_checklist_once() -> None:
    seven, six = compliance_audit(stations("休息、饮水", "饮水", ""), ["seven_one", "six_have"])
    assert "0/2 可判项俱全" in seven.reason_zh
    assert "微波炉 microwave 2" in seven.reason_zh
    assert "1 个未写服务" in seven.reason_zh
    assert "现场核对" in six.reason_zh
    assert "on the spot" in six.reason_en
    (silent,) = compliance_audit(stations("", ""), ["seven_one"])
    assert "2 个驿站都未写服务" in silent.reason_zh
    assert "not judged" in silent.reason_en


def test_the_study_chooses_its_lists(tmp_path: Path) -> None:
    base = {"study": {"name": "x"}, "roads": {"file": "r"}, "stations": [{"file": "s", "datum": "wgs84"}]}
    assert study_from_mapping(base, folder=tmp_path).standard.compliance == ("six_have", "seven_one")
    chosen = study_from_mapping({**base, "standard": {"compliance": ["seven_one_haikou"]}}, folder=tmp_path)
    assert chosen.standard.compliance == ("seven_one_haikou",)
    with pytest.raises(InputError, match="seven_one_guizhou"):
        study_from_mapping({**base, "standard": {"compliance": ["八有"]}}, folder=tmp_path)


def test_the_workbook_bears_the_sheet(sample_out: Path) -> None:
    book = openpyxl.load_workbook(sample_out / "report.xlsx", read_only=True)
    rows = list(book["达标 Compliance"].iter_rows(values_only=True))
    used = sum(1 for _ in book["驿站 Stations"].iter_rows(values_only=True))
    assert len(rows) - used in {0, 1}
    assert rows[0][:2] == ("编号 ID", "名称 Name")
    assert "七个一（武汉） seven ones (Wuhan) · 缺 Lacking" in rows[0]
    assert rows[1][0] == "合计 Total"
    book.close()
