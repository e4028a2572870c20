"""The awful workbook of data/messy: what `redmap check` makes of it, against what its stations really are."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import openpyxl
import pytest
from openpyxl.xml.constants import DCTERMS_NS
from openpyxl.xml.functions import register_namespace
from typer.testing import CliRunner

from geo import pipeline
from geo.cli import app
from geo.config import load_study
from tests.conftest import ROOT
from tests.messy import LIST, true_stations, write_messy

FOLDER = ROOT / "data" / "messy"


@pytest.fixture(scope="module")
def checked(tmp_path_factory, cache_dir):
    out = tmp_path_factory.mktemp("messy")
    _net, inputs = pipeline.check(load_study(FOLDER), out, cache_dir=cache_dir)
    return inputs, out


def test_the_workbook_is_the_one_that_the_script_makes(tmp_path):
    register_namespace("dct", DCTERMS_NS)  # as a library of web services does to the whole process
    write_messy(tmp_path)
    assert {p.name for p in FOLDER.iterdir()} == {p.name for p in tmp_path.iterdir()}
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (FOLDER / path.name).read_bytes(), path.name


def test_every_station_that_is_used_lies_where_it_is(checked):
    """Three datums, eight ways to type a position: all within 2 m of the truth (metres are typed to the centimetre)."""
    used = checked[0].stations
    truth = true_stations().set_index("name")
    names = [re.sub(r"^1|·司机之家$", "", name).strip() for name in used["name"].str.normalize("NFKC")]
    known = truth.loc[[n for n in names if n in truth.index]]
    assert len(known) == len(used) == 26
    east = (used["lon"].to_numpy() - known["lon"].to_numpy()) * 111_195 * np.cos(np.radians(32.9))
    north = (used["lat"].to_numpy() - known["lat"].to_numpy()) * 111_195
    assert np.hypot(east, north).max() < 2.0
    assert Counter(used["datum"]) == {"bd09": 12, "gcj02": 11, "EPSG:4548": 3}


def test_every_row_is_used_merged_refused_or_passed_over(checked):
    inputs = checked[0]
    assert dict(inputs.station_counts) == {
        "listed": 33, "mapped": 31, "rejected": 4, "used": 26, "merged": 1, "hours_known": 21
    }  # fmt: skip
    (one,) = inputs.lists
    assert (one.declared, one.listed, one.rejected) == (22, 33, 4)
    book = openpyxl.load_workbook(FOLDER / LIST)
    told = {(e.sheet, e.row) for e in inputs.audit} | set(
        zip(inputs.stations["sheet"], inputs.stations["row"], strict=True)
    )
    for sheet, first in (("东湖街道", 4), ("南苑（百度）", 2), ("团区委-司机之家", 3)):
        for row in book[sheet].iter_rows(min_row=first):
            if any(cell.value not in {None, ""} for cell in row):
                assert (sheet, row[0].row) in told, (sheet, row[0].row)


def test_what_was_mended_is_told_old_and_new(checked):
    mended = {(e.sheet, e.row): e for e in checked[0].audit if e.action == "mended"}
    assert mended["东湖街道", 5].found.startswith("32.")
    assert mended["东湖街道", 5].made.startswith("115.")
    assert mended["东湖街道", 6].found.startswith("１１５")
    assert "东经" in mended["东湖街道", 7].found
    assert mended["东湖街道", 8].reason_en.startswith("micro-degrees")
    assert "northing" in mended["团区委-司机之家", 5].reason_en
    assert all(entry.made for entry in mended.values())


def test_a_cell_that_is_empty_says_nothing(checked):
    streets = checked[0].stations.set_index(["sheet", "row"])["street"]
    assert streets["南苑（百度）", 3] == ""
    assert streets["南苑（百度）", 9] == "太行街道办事处"
    assert not any("nan" in str(v) for v in checked[0].stations.to_numpy().ravel() if isinstance(v, str))


def test_reasons_name_what_a_clerk_can_mend(checked):
    reasons = {(e.sheet, e.row, e.action): e.reason_en for e in checked[0].audit}
    assert "one decimal" in reasons["东湖街道", 10, "rejected"]
    assert "not running" in reasons["东湖街道", 11, "rejected"]
    assert (
        "changed by Excel" in reasons["东湖街道", 14, "noted"] or "hidden" in reasons["东湖街道", 14, "noted"]
    )
    assert "no usable coordinates" in reasons["东湖街道", 9, "unmapped"]
    assert "address only" in reasons["南苑（百度）", 16, "unmapped"]
    assert reasons["团区委-司机之家", 3, "merged"].startswith("the same location")


def test_ledger_and_answers_are_read_beside_it(checked):
    inputs = checked[0]
    assert inputs.problems is not None
    assert list(inputs.problems["placed_by"]) == ["station", "coordinates", "", ""]
    assert inputs.venues["name"].iloc[0] == "惠民大药房"


def test_the_command_and_the_cleaned_workbook(checked, cache_dir):
    run = CliRunner().invoke(app, ["check", str(FOLDER), "--cache", str(cache_dir)])
    assert run.exit_code == 0, run.output
    assert "自称 declared 22 ≠ · 登记 listed 33" in run.output
    assert "→ 115.831901, 32.886301" in run.output
    secret = re.compile(r"(?<!\d)1[358]\d[ -]?\d{4}[ -]?\d{4}(?!\d)|19900307")
    assert not secret.search(run.output)
    book = openpyxl.load_workbook(checked[1] / "cleaned.xlsx")
    assert book.worksheets[0].max_row == 1 + 26 + 1  # the heading, and that the data is synthetic
    for sheet in book:
        for row in sheet.values:
            assert not any(isinstance(v, str) and secret.search(v) for v in row)
