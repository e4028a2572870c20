"""One door counts once: which rows are one, what becomes of what they contradict, what the user decides."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from geo.intake.decisions import read_decisions
from geo.intake.merge import COLUMNS, StationList, merge_stations, row_key, station_frame

M = 1 / 111_195.0


def row(name, north_m=0.0, *, number=1, file="a.csv", date="", **more):
    plain = dict.fromkeys(COLUMNS, "")
    return plain | {
        "name": name, "plates": (), "lon": 115.8, "lat": 32.9 + north_m * M, "services": frozenset(), "hours": None,
        "file": file, "row": number, "date": date, "precision_m": 1.0,
    } | more  # fmt: skip


def listed(*rows):
    counts = {"listed": len(rows), "mapped": len(rows), "rejected": 0, "merged": 0}
    return StationList(station_frame(rows), counts, ())


def test_m19_a_mall_with_two_stations_on_two_floors():
    two = listed(
        row("万达快递驿站", address="万达广场2楼", number=1), row("骑手之家", 6, address="万达广场负1层3号", number=2),
        row("暖心港湾", 9, address="万达广场5楼", number=3),
    )  # fmt: skip
    merged = merge_stations([two])
    # 2楼 and 5楼 contradict each other; the second row names no 楼, and joins the first
    asked = merged.pairs.set_index(["name_a", "name_b"])["decision"].to_dict()
    assert asked["万达快递驿站", "暖心港湾"] == "unsure"
    assert asked["万达快递驿站", "骑手之家"] == "same"


def test_contradicting_addresses_part_what_lies_together():
    far = listed(row("甲", address="文峰路12号", number=1), row("乙", 10, address="文峰路16号", number=2))
    assert len(merge_stations([far]).frame) == 2
    same = listed(
        row("甲驿站", address="文峰路12号", number=1), row("甲爱心驿站", 10, address="文峰路１２号", number=2)
    )
    assert len(merge_stations([same]).frame) == 1


def test_the_newest_list_is_believed_and_both_are_shown():
    old = row(
        "甲",
        hours="Mo-Fr 08:00-18:00",
        hours_text="8-18",
        phone="0558-1",
        issuer="区总工会",
        date="2025-01-31",
    )
    new = row(
        "甲", 3, hours="24/7", hours_text="24小时", phone="0558-2", issuer="社会工作部", date="2026-10-31",
        file="b.csv", services=frozenset({"water"}),
    )  # fmt: skip
    for order in ((old, new), (new, old)):
        merged = merge_stations([listed(one) for one in order])
        only = merged.frame.iloc[0]
        assert (only["hours"], only["hours_text"], only["phone"]) == ("24/7", "24小时", "0558-2")
        assert only["services"] == {"water"}
        (entry,) = merged.audit
        for part in ("区总工会 2025-01-31 8-18", "社会工作部 2026-10-31 24小时", "取较新者"):
            assert part in entry.reason_zh
        assert "the newer is used" in entry.reason_en


def test_decisions_go_before_all_rules(tmp_path):
    rows = [row("甲", number=1), row("乙", 10, number=2), row("丙", 200, number=3), row("丁", 900, number=4)]
    merged = merge_stations([listed(*rows)])
    assert len(merged.frame) == 3
    path = tmp_path / "merge.csv"
    merged.pairs.assign(decision="different").to_csv(path, index=False, encoding="utf-8-sig")
    decisions = read_decisions(path)
    assert decisions == {frozenset((row_key(rows[0]), row_key(rows[1]))): "different"}
    again = merge_stations([listed(*rows)], decisions)
    assert len(again.frame) == 4
    assert again.pairs["decision"].tolist() == ["different"]
    # written again, the decision stands
    again.pairs.to_csv(path, index=False, encoding="utf-8-sig")
    assert read_decisions(path) == decisions


def test_an_unsure_pair_can_be_joined_by_the_user():
    rows = [row("文峰商场驿站", number=1), row("文峰商场爱心驿站", 45, number=2)]
    asked = merge_stations([listed(*rows)])
    assert asked.pairs["decision"].tolist() == ["unsure"]
    assert len(asked.frame) == 2
    joined = merge_stations([listed(*rows)], {frozenset(map(row_key, rows)): "same"})
    assert len(joined.frame) == 1


def test_wrong_decisions_are_all_told_at_once(tmp_path):
    path = tmp_path / "merge.csv"
    path.write_text("decision,key_a,key_b\nyes,a,b\nsame,a,b\n,c,d\n", encoding="utf-8")
    with pytest.raises(InputError) as wrong:
        read_decisions(path)
    assert [(d.row, d.column) for d in wrong.value.defects] == [(2, "decision"), (4, "decision")]
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="key_a"):
        read_decisions(path)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["甲站", "乙站", "甲驿站"]), st.integers(0, 80)), min_size=1, max_size=6
    )
)
def test_which_rows_are_one_does_not_depend_on_their_order(spots):
    rows = [row(name, float(at), number=i) for i, (name, at) in enumerate(spots)]

    def sizes(order):
        merged = merge_stations([listed(*(rows[i] for i in order))])
        assert merged.counts["used"] + merged.counts["merged"] == merged.counts["listed"]
        assert len(merged.audit) == merged.counts["merged"]
        return len(merged.frame), sorted(map(sorted, merged.pairs[["key_a", "key_b"]].to_numpy().tolist()))

    expected = sizes(range(len(rows)))
    for order in itertools.islice(itertools.permutations(range(len(rows))), 0, 720, 97):
        assert sizes(order) == expected


def test_empty_lists_and_single_rows():
    assert len(merge_stations([]).frame) == 0
    assert merge_stations([listed(row("甲"))]).pairs.empty
    assert np.isfinite(merge_stations([listed(row("甲"))]).frame["lon"]).all()
