"""The call for hosts: the blank form is read back as filled in, and what cannot be used is told."""

from __future__ import annotations

import datetime as dt

import numpy as np
import openpyxl
import pandas as pd
import pytest
from shapely.geometry import box
from typer.testing import CliRunner

from geo import pipeline
from geo.cli import app
from geo.config import load_study, study_from_mapping
from geo.errors import InputError
from geo.intake.datum import from_wgs84
from geo.intake.recruitment import join_venues, read_recruitment
from geo.intake.venues import read_venues
from geo.models import RECRUITMENT_WILLING, SERVICES, SERVICES_ZH
from geo.report.recruitment import HEADINGS, write_form
from tests.toy import grid_network

AREA = box(115.7, 32.8, 115.9, 33.0)
AT = (115.81, 32.89)
WHEN = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def form(folder, *answers):
    """The blank form with a dict an answer typed into its lines."""
    path = folder / "form.xlsx"
    write_form(path, name="示例区", when=WHEN)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    columns = {sheet.cell(3, c).value: c for c in range(1, sheet.max_column + 1)}
    for row, answer in enumerate(answers, start=4):
        for heading, value in answer.items():
            sheet.cell(row, columns[heading], value)
    book.save(path)
    return path


def answer(datum="高德", name="惠民大药房", **more):
    code = {"高德": "gcj02", "腾讯": "gcj02", "百度": "bd09", "GPS": "wgs84"}.get(datum, "gcj02")
    x, y = from_wgs84(np.array([AT[0]]), np.array([AT[1]]), code)
    return {"场所名称": name, "场所类型": "药店", "详细地址": "颍河路1号", "经度": round(float(x[0]), 7), "纬度": round(float(y[0]), 7),
            "坐标系": datum, "开放时间": "周一至周五 8:00-18:00", "卫生间": "√", "饮水": "√", "换电": "×", RECRUITMENT_WILLING: "是",
            "联系电话": "13912345678", **more}  # fmt: skip


def test_the_form_offers_every_service_once():
    assert tuple(SERVICES_ZH) == SERVICES
    assert len({heading for heading, _width in HEADINGS}) == len(HEADINGS)


@pytest.mark.parametrize("service", SERVICES)
def test_every_box_ticked_is_read_as_its_service(tmp_path, service):
    ticked = dict.fromkeys(SERVICES_ZH.values()) | {SERVICES_ZH[service]: "√"}
    venues, _ = read_recruitment(form(tmp_path, answer(**ticked)), datum=None, area=AREA)
    assert venues["services"].iloc[0] == {service}


@pytest.mark.parametrize("datum", ["高德", "腾讯", "百度", "GPS"])
def test_a_form_is_read_back_in_the_datum_that_it_says(tmp_path, datum):
    venues, audit = read_recruitment(form(tmp_path, answer(datum)), datum=None, area=AREA)
    (venue,) = venues.to_dict("records")
    assert (venue["lon"], venue["lat"]) == pytest.approx(AT, abs=2e-7)
    assert venue["name"] == "惠民大药房"
    assert venue["kind"] == "药店"
    assert venue["services"] == {"toilet", "water"}
    assert venue["hours"] == "Mo-Fr 08:00-18:00"
    assert not [entry for entry in audit if entry.action in {"rejected", "unmapped"}]


def test_what_cannot_be_used_is_told_by_its_row(tmp_path):
    nowhere = {"场所名称": "没坐标", "详细地址": "颍河路2号", RECRUITMENT_WILLING: "是"}
    far = answer(name="远方")
    far["经度"] = 121.47
    path = form(
        tmp_path,
        answer(),
        answer(name="甲", 坐标系=None),
        answer(name="乙", **{RECRUITMENT_WILLING: "否"}),
        nowhere,
        far,
    )
    venues, audit = read_recruitment(path, datum=None, area=AREA)
    assert list(venues["name"]) == ["惠民大药房"]
    told = {entry.row: (entry.action, entry.reason_en) for entry in audit if entry.row}
    assert told[5][0] == "unmapped"
    assert "datum" in told[5][1]
    assert told[6] == ("skipped", "not willing to host")
    assert told[7][0] == "unmapped"
    assert told[8][0] == "rejected"
    declared, _ = read_recruitment(path, datum="gcj02", area=AREA)
    assert list(declared["name"]) == ["惠民大药房", "甲"]


def test_an_empty_form_offers_nothing(tmp_path):
    venues, _ = read_recruitment(form(tmp_path), datum=None, area=AREA)
    assert venues.empty


def test_answers_go_before_the_same_premises_of_osm():
    answers = pd.DataFrame({"name": ["惠民大药房（颍河路店）"], "lon": [115.81], "lat": [32.89]})
    known = pd.DataFrame(
        {
            "name": ["惠民大药房颍河路店", "惠民大药房", "别家"],
            "lon": [115.8102, 115.82, 115.81],
            "lat": [32.89] * 3,
        }
    )
    both, told = join_venues(answers, known)
    assert list(both["name"]) == ["惠民大药房（颍河路店）", "惠民大药房", "别家"]
    assert [entry.name for entry in told] == ["惠民大药房颍河路店"]


def test_a_study_takes_the_answers_as_venues(tmp_path):
    form(tmp_path, answer())
    study = study_from_mapping(
        {"study": {"name": "x"}, "roads": {"file": "r.osm"}, "stations": [{"file": "s.csv", "datum": "wgs84"}],
         "venues": {"recruitment": "form.xlsx"}}, folder=tmp_path,
    )  # fmt: skip
    venues, _ = read_venues(study, area=AREA, network=grid_network(3, 3, 100.0))
    assert list(venues["venue_id"]) == ["R001"]


def test_the_same_form_has_the_same_bytes(tmp_path):
    first, second = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    for path in (first, second):
        write_form(path, name="示例区", when=WHEN)
    assert first.read_bytes() == second.read_bytes()


def test_the_command_writes_a_form_and_checks_the_answers(tmp_path):
    run = CliRunner().invoke
    path = tmp_path / "f" / "form.xlsx"
    done = run(app, ["recruit", str(pipeline.sample_study().folder), "--out", str(path)])
    assert done.exit_code == 0, done.output
    study = load_study(pipeline.sample_study().folder)
    with pytest.raises(InputError, match="perhaps with answers"):
        pipeline.recruitment_form(study, path)
    filled = form(tmp_path, answer())
    shown = run(app, ["recruit", str(study.folder), "--answers", str(filled)])
    assert shown.exit_code == 0, shown.output
    assert "R001" in shown.output
    assert "13912345678" not in shown.output
    assert run(app, ["recruit", str(study.folder)]).exit_code != 0
