"""`[siting]` on the sample: every goal keeps what it says, in the table, the files and the words."""

import importlib
import json
import re
import shutil
import subprocess
import sys

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from typer.testing import CliRunner

from geo import pipeline
from geo.cli import app
from geo.config import with_siting
from geo.errors import InputError
from geo.models import kind_said
from geo.pipeline.siting import Known, answer
from geo.pipeline.travel import Travel
from geo.report.workbook import write_workbook

solving = importlib.import_module("geo.siting.solve")  # the package has a function of that name


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", autouse=True)
def _plans_as_good_are_soon_left():
    """How plans worth the same are compared has tests of its own; here it would take most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solving, "SETTLE_S", 1.0)
        yield


@pytest.fixture(scope="module")
def ask(cache):
    ready = pipeline.load(pipeline.sample_study(), cache_dir=cache)

    def asked(**siting):
        return pipeline.where_next(with_siting(pipeline.sample_study(), siting), ready=ready)

    return asked


@pytest.fixture(scope="module")
def five(ask):
    return ask(add=5, stages=4, alternatives=2)


BUILT = (
    {"add": 5, "stages": 2, "alternatives": 1},
    {"goal": "share", "share": 0.83},
    {"goal": "minutes", "add": 2},
    {"goal": "worst", "add": 3},
    {"goal": "backup", "add": 2, "refuse": ("V001",)},
    {"add": 0, "close": 3},
    {"add": 0, "move": 2},
    {"add": 2, "services": ("toilet",), "times": ("Tue 23:00",), "one_per": "street"},
    {"add": 2, "capacity": 1500.0, "spacing_minutes": 6.0},
    {"add": 3, "gradual_minutes": (10.0, 20.0), "layers": {"workers": 1.0}},
)


@pytest.mark.parametrize("wished", BUILT, ids=str)
def test_a_build_answers_what_the_command_answers(sample_result, ask, wished, monkeypatch):
    monkeypatch.setattr(solving, "SETTLE_S", 300.0)  # cut off, either would answer by chance
    study = with_siting(pipeline.sample_study(), wished)
    known = Known(
        Travel.of(study).router(sample_result.network), sample_result.demand_snap, sample_result.gaps
    )
    built, asked = answer(sample_result.network, sample_result.inputs, study, known=known), ask(**wished)
    assert built.plan.status == "optimal"
    assert list(built.sites["venue_id"]) == list(asked.sites["venue_id"])
    assert list(built.closed["station_id"]) == list(asked.closed["station_id"])
    assert built.plan.objective == asked.plan.objective
    pd.testing.assert_frame_equal(built.ask, asked.ask)
    pd.testing.assert_frame_equal(built.stages, asked.stages)


def test_a_site_is_explained(five):
    assert (five.sites["overlap"].between(0, 1)).all()
    assert (five.sites["minutes_saved"] > 0).all()
    assert (five.sites["instead"] != "").all()
    assert (five.sites["instead_loss"] >= 0).all()
    assert (five.sites["kept_slow"] > 0.5).all()
    assert not set(five.sites["instead"]) & set(five.sites["name"])


WISHES = (
    {},
    {"services": ("toilet",)},
    {"times": ("Tue 23:00",)},
    {"services": ("toilet", "rest"), "times": ("Tue 12:00",)},
)


@pytest.mark.parametrize("wished", WISHES, ids=str)
def test_a_site_says_what_it_must_offer_and_when(ask, wished):
    standard = pipeline.sample_study().standard
    found = ask(add=3, **wished)
    venues = pipeline.load(pipeline.sample_study())[1].venues.set_index("venue_id")
    for row in found.sites.itertuples():
        assert [g["service"] for g in row.services_gain] == list(wished.get("services", standard.services))
        assert [g["time"] for g in row.hours_gain] == list(wished.get("times", standard.times))
        # who has no station at all has none with a service, or at an hour
        assert all(g["people"] >= row.gain - 1e-6 for g in (*row.services_gain, *row.hours_gain))
        assert all(
            g["has"] == (g["service"] in venues.loc[row.venue_id, "services"]) for g in row.services_gain
        )
    if "times" in wished and "services" not in wished:
        assert all(row.hours_gain[0]["has"] for row in found.sites.itertuples())
        assert [row.hours_gain[0]["people"] for row in found.sites.itertuples()] == pytest.approx(
            list(found.sites["gain"])
        )
    if wished == {"services": ("toilet",)}:
        assert [row.services_gain[0]["people"] for row in found.sites.itertuples()] == pytest.approx(
            list(found.sites["gain"])
        )


def test_a_station_that_closes_lacks_what_it_had(ask):
    kept, moved = ask(add=2, services=("toilet",)), ask(add=0, move=2, services=("toilet",))
    assert moved.closed["lost"].sum() == 0  # else what is lacking differs
    assert list(moved.sites["services_gain"]) == list(kept.sites["services_gain"])


def test_alternatives_say_how_they_differ(ask, five):
    for row in five.alternatives.itertuples():
        assert row.proven
        out = [part[1:] for part in row.differs.split("、") if part[0] == "−"]
        into = [part[1:] for part in row.differs.split("、") if part[0] == "+"]
        assert set(row.names) == set(five.sites["name"]) - set(out) | set(into)
    closing = ask(add=0, close=2, alternatives=2)
    assert len(closing.alternatives) == 2
    assert all("关 close" in differs for differs in closing.alternatives["differs"])


def test_the_worst_case_says_how_many_it_takes(ask):
    few = ask(goal="worst", add=0, refuse=())
    assert few.answer.status == "infeasible"
    needed = int(re.search(r"至少须新增 (\d+) 处", "".join(few.notes)).group(1))
    assert ask(goal="worst", add=needed).answer.status == "optimal"
    assert ask(goal="worst", add=needed - 1).answer.status == "infeasible"


def test_a_budget_holds_in_stages(ask):
    found = ask(budget=3.0, costs={"other": 1.0}, stages=6)
    assert len(found.stages) == 3
    assert found.stages["proven"].all()


def test_notes_say_what_figures_stand_for(ask):
    notes = "".join(ask(add=1, layers={"residents": 1.0, "workers": 2.0}, services=("toilet", "rest")).notes)
    assert "权重" in notes and "2 种服务与时段的平均" in notes
    assert any("只计一部分" in n for n in ask(add=1, gradual_minutes=(10.0, 20.0), goal="backup").notes)


def test_no_plan_ends_with_2_in_json_too(cache):
    arguments = [
        "site",
        "data/sample",
        "--add",
        "0",
        "--floor-streets",
        "0.9",
        "--cache",
        str(cache),
        "--json",
    ]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert json.loads(done.stdout)["plan"]["conflict"]


def test_stages_are_nested_and_their_price_is_told(five):
    stages = five.stages
    assert list(stages["stage"]) == [1, 2, 3, 4]
    assert stages["name"].is_unique
    assert (stages["value"].diff().dropna() > 0).all()
    assert (stages["price"] >= 0).all()
    assert (stages["bound"] >= stages["best"] - 1e-6).all()
    assert stages["proven"].all()


def test_minutes_are_minutes_in_stages_and_alternatives(ask):
    found = ask(goal="minutes", add=2, stages=2, alternatives=1)
    least = found.answer.objective / 60.0
    assert found.stages["best"].iloc[-1] == pytest.approx(least)
    assert found.stages["value"].iloc[-1] - found.stages["price"].iloc[-1] == pytest.approx(least)
    assert least <= found.alternatives["objective"].iloc[0] <= 1.01 * least


@pytest.mark.parametrize(
    "wished", [{"goal": "worst", "add": 3}, {"add": 1, "move": 1}, {"add": 0, "close": 1}]
)
def test_goals_without_stages_say_so(ask, wished):
    found = ask(stages=3, **wished)
    assert found.stages.empty
    assert any("不分期" in note for note in found.notes)


def test_alternatives_are_other_plans_within_a_hundredth(five):
    plans = [frozenset(five.sites["name"]), *map(frozenset, five.alternatives["names"])]
    assert len(set(plans)) == 3
    assert (five.alternatives["objective"] >= 0.99 * five.answer.objective).all()
    assert (five.alternatives["objective"] <= five.answer.objective + 1e-6).all()


def test_goals_are_each_best_at_their_own(ask, five):
    fewest = ask(goal="share", share=0.85)
    total = fewest.answer.total
    assert fewest.covered[1] >= 0.85 * total
    assert ask(add=len(fewest.sites) - 1).covered[1] < 0.85 * total
    minutes = ask(goal="minutes", add=5)
    assert minutes.sites["minutes_saved"].sum() > 0
    assert minutes.covered[1] <= five.covered[1]
    backup = ask(goal="backup", add=5)
    assert backup.covered[1] <= five.covered[1]
    worst = ask(goal="worst", add=2)
    assert worst.answer.status == "optimal"
    assert ask(goal="worst", add=3).answer.objective <= worst.answer.objective


def test_closing_and_moving(ask):
    closed = ask(add=0, close=3)
    assert len(closed.closed) == 3
    assert closed.covered[1] == pytest.approx(closed.covered[0])
    moved = ask(add=0, move=2)
    assert len(moved.sites) == len(moved.closed) <= 2
    assert moved.covered[1] > moved.covered[0]


def test_rules_are_kept(ask, five):
    first = five.sites["name"].iloc[0]
    without = ask(add=5, refuse=(first,))
    assert first not in set(without.sites["name"])
    assert without.covered[1] <= five.covered[1]
    odd = five.stages["name"].iloc[0]
    assert odd in set(ask(add=1, must=(odd,)).sites["name"])
    room = ask(add=3, capacity=2000.0)
    assert room.covered[1] - room.covered[0] <= 3 * 2000 + 1e-6
    night = ask(add=3, times=("Tue 23:00",), services=("toilet",))
    assert night.answer.total == pytest.approx(five.answer.total)
    assert night.answer.before < five.answer.before
    spaced = ask(add=3, spacing_minutes=5, one_per="community")
    assert spaced.covered[1] <= five.covered[1]
    cheap = ask(costs={"mall": 9.0, "other": 2.0}, budget=4.0)
    assert len(cheap.sites) <= 2


def test_rules_in_conflict_are_named(ask):
    found = ask(add=1, floor_streets=0.8)
    assert found.answer.status == "infeasible"
    assert any("at most 1 new" in words for words in found.answer.conflict)
    assert found.notes


def test_unknown_names_are_told_with_their_like(ask, five):
    name = five.sites["name"].iloc[0]
    with pytest.raises(InputError, match=name):
        ask(must=(name + "x",), refuse=("nowhere",))
    with pytest.raises(InputError, match="residents"):
        ask(layers={"nobody": 1.0})


def test_a_build_tells_goal_rules_and_conflict_in_every_output(cache, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(pipeline.sample_study().folder, folder)
    text = (folder / "study.toml").read_text(encoding="utf-8")
    for name, section in (
        ("moved", 'goal = "backup"\nadd = 1\nmove = 2\none_per = "street"\nalternatives = 1'),
        ("clash", "add = 1\nfloor_streets = 0.8"),
    ):
        (folder / "study.toml").write_text(text.replace("add = 5", section), encoding="utf-8")
        out = tmp_path / name
        run = CliRunner().invoke(app, ["build", str(folder), "--out", str(out), "--cache", str(cache)])
        assert run.exit_code == 0, run.output
        told = json.loads((out / "summary.json").read_text(encoding="utf-8"))["siting"]
        book = openpyxl.load_workbook(out / "report.xlsx")
        values = [row[1] for row in book["方案 Plan"].iter_rows(values_only=True)]
        page = (out / "map.html").read_text(encoding="utf-8")
        for words in (*told["asked"], *told["conflict"], *told["notes"]):
            assert words in values
            assert json.dumps(words.split(" / ", 1)[0], ensure_ascii=False)[1:-1] in page
        if name == "moved":
            assert told["goal"] == "backup"
            assert len(told["asked"]) == 4
            assert told["status"] == "optimal"
            assert told["objective"] == pytest.approx(told["bound"])
            assert [row[1] for row in book["关闭 Close"].iter_rows(min_row=2, max_row=1 + len(told["closed"]), values_only=True)] == told["closed"]  # fmt: skip
            assert len(told["alternatives"]) == 1
            assert f"关 close {len(told['closed'])}" in run.output
        else:
            assert told["status"] == "infeasible"
            assert any("at most 1 new" in words for words in told["conflict"])
            assert "no plan keeps all of these" in run.output
            assert len(gpd.read_file(out / "recommendations.geojson")) == 0


def test_a_build_refuses_what_the_command_refuses(cache):
    with pytest.raises(InputError, match=r"siting\.must"):
        pipeline.run(with_siting(pipeline.sample_study(), {"must": ("nowhere",)}), cache_dir=cache)


def test_files_and_the_call(five, tmp_path):
    assert pipeline.write_where_next(five, tmp_path) == ()
    sheets = openpyxl.load_workbook(tmp_path / "sites.xlsx").sheetnames
    assert sheets[0].startswith("方案")
    assert sheets[1].startswith("选址建议")
    points = gpd.read_file(tmp_path / "recommendations.geojson")
    assert list(points["name"]) == list(five.sites["name"])
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert pipeline.write_call(five, tmp_path / "call.pdf") is None
    content = (tmp_path / "call.pdf").read_bytes()
    assert content.count(b"/Type /Page ") == 1
    pipeline.write_call(five, tmp_path / "again.pdf")
    assert (tmp_path / "again.pdf").read_bytes() == content


def test_the_command(cache):
    run = CliRunner().invoke(app, ["site", "data/sample", "--cover", "0.8", "--json", "--cache", str(cache)])
    assert run.exit_code == 0, run.output
    figures = json.loads(run.stdout)
    assert figures["plan"]["status"] == "optimal"
    assert len(figures["sites"]) == figures["plan"]["objective"]
    words = CliRunner().invoke(
        app, ["site", "data/sample", "--add", "1", "--floor-streets", "0.8", "--cache", str(cache)]
    )
    assert words.exit_code == 2
    assert "no plan keeps all of these" in words.output
    wrong = CliRunner().invoke(app, ["site", "data/sample", "--close", "1", "--move", "1"])
    assert isinstance(wrong.exception, InputError)


def test_json_is_all_that_stands_on_standard_output(cache):
    """The solver writes past ``sys.stdout``: only another process shows it."""
    command = [
        sys.executable,
        "-m",
        "geo",
        "site",
        "data/sample",
        "--backup",
        "--add",
        "1",
        "--json",
        "--cache",
    ]
    done = subprocess.run(
        [*command, str(cache)], capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert json.loads(done.stdout)["plan"]["status"] == "optimal"


def test_one_goal_at_a_time_and_in_words(cache):
    both = CliRunner().invoke(app, ["site", "data/sample", "--minutes", "--cover", "0.9"])
    assert isinstance(both.exception, InputError)
    assert "--minutes --cover" in str(both.exception)
    poor = CliRunner().invoke(app, ["site", "data/sample", "--budget", "4"])
    assert isinstance(poor.exception, InputError)
    assert "siting.costs" in str(poor.exception)
    assert "{" not in str(poor.exception)


def test_the_cards_name_venues_in_full(cache, five):
    run = CliRunner().invoke(app, ["site", "data/sample", "--add", "5", "--cache", str(cache)])
    assert run.exit_code == 0, run.output
    for row in five.sites.itertuples():
        assert f"{row.rank}. {row.name}（{kind_said(row.kind)}）" in run.output
        assert row.instead in run.output
    assert "proven optimal" in run.output


def test_room_is_counted_for_one_service_at_one_hour_only(ask):
    noon = ask(add=2, capacity=1500.0, times=("Tue 12:00",), services=("water",))
    assert noon.answer.status == "optimal"
    assert noon.answer.after - noon.answer.before <= 2 * 1500 + 1e-6
    assert (noon.sites["served"] <= 1500 + 1e-6).all()
    for more in ({"times": ("Tue 12:00", "Tue 23:00")}, {"gradual_minutes": (5.0, 20.0)}):
        with pytest.raises(InputError, match="capacity"):
            ask(add=2, capacity=1500.0, **more)


def test_workers_stand_beside_people_and_refusals_are_weighed(five):
    gained = five.sites["communities_gain"]
    assert five.sites["workers"].sum() > 0
    for workers, people, where in zip(five.sites["workers"], five.sites["gain"], gained, strict=True):
        assert sum(g["workers"] for g in where) == pytest.approx(workers)
        assert sum(g["people"] for g in where) == pytest.approx(people)
    assert ((five.sites["kept_refused"] > 0) & (five.sites["kept_refused"] < 1)).all()


def test_whom_to_ask_is_told_by_gap(five, ask):
    asked = five.ask
    assert (asked.groupby("gap").size() <= 2).all()
    best = asked.groupby("gap", sort=False)["people"].max()
    assert best.is_monotonic_decreasing
    first = five.sites["name"].iloc[0]
    assert first in set(asked["venue"])
    assert first not in set(ask(add=1, refuse=(first,)).ask["venue"])


def test_the_report_has_the_stages_and_what_each_station_is_worth(five, cache, tmp_path):
    study = with_siting(pipeline.sample_study(), {"add": 2, "stages": 3})
    result = pipeline.run(study, cache_dir=cache)
    for column in ("stage", "name", "price", "proven"):
        assert list(result.stages[column]) == pytest.approx(list(five.stages[column].head(3)))
    assert list(result.stages["value"]) == pytest.approx(list(five.stages["value"].head(3)))
    mine = result.stations_worth.set_index("station_id")["lost"]
    assert mine.is_monotonic_decreasing
    assert dict(mine) == pytest.approx(dict(five.stations.set_index("station_id")["lost"]))
    write_workbook(result, tmp_path / "report.xlsx")
    book = openpyxl.load_workbook(tmp_path / "report.xlsx")
    assert [row[0] for row in book["分期 Stages"].iter_rows(min_row=2, max_row=4, values_only=True)] == [
        1,
        2,
        3,
    ]
    assert book["驿站价值 Worth"].max_row >= len(result.inputs.stations) + 1
