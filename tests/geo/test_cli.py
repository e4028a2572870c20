"""The command line from the outside: exit codes, JSON, messages instead of tracebacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

COMMANDS = ("demo", "init", "check", "build", "site", "isochrone", "fetch", "serve")


def redmap(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "geo", *map(str, arguments)],
        capture_output=True, text=True, encoding="utf-8", cwd=cwd, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command):
    done = redmap(command, "--help")
    assert done.returncode == 0
    assert f"redmap {command}" in done.stdout


def test_build_prints_the_figures_as_json(sample_dir, tmp_path, cache_dir):
    done = redmap("build", sample_dir, "--out", tmp_path / "out", "--cache", cache_dir, "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["demand"]["residents"]["share"] > 0
    assert (tmp_path / "out" / "map.html").is_file()
    assert done.stderr == ""


def test_site_says_its_proof(sample_dir, cache_dir):
    done = redmap("site", sample_dir, "--add", "3", "--cache", cache_dir, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["plan"]["status"] == "optimal"
    assert len(answer["sites"]) == 3


def test_isochrone_is_geojson(sample_dir, sample_result, cache_dir):
    first = sample_result.inputs.stations.iloc[0]
    done = redmap("isochrone", sample_dir, "--at", f"{first['lon']},{first['lat']}", "--cache", cache_dir)
    assert done.returncode == 0, done.stderr
    assert [f["properties"]["minutes"] for f in json.loads(done.stdout)["features"]] == [5, 10, 15]


def test_check_explains_the_rows(sample_dir, cache_dir):
    done = redmap("check", sample_dir, "--cache", cache_dir)
    assert done.returncode == 0, done.stderr
    assert "listed 86" in done.stdout


@pytest.mark.parametrize(
    "arguments", [("build", "nowhere"), ("site", "nowhere"), ("isochrone", "x", "--at", "1;2"), ("build",)]
)
def test_wrong_calls_exit_2_without_a_traceback(arguments, tmp_path):
    done = redmap(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_all_defects_of_a_study_in_one_message(tmp_path):
    (tmp_path / "study.toml").write_text(
        '[study]\nname="x"\ncolour="red"\n[roads]\nfile="r.pbf"\n[[stations]]\nfile="s.csv"\n',
        encoding="utf-8",
    )
    done = redmap("build", tmp_path, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "study.colour" in done.stderr
    assert "stations.0.datum" in done.stderr
    assert not (tmp_path / "out").exists()


def test_init_makes_a_study_that_checks(tmp_path, cache_dir):
    assert redmap("init", tmp_path / "mine").returncode == 0
    assert redmap("check", tmp_path / "mine", "--cache", cache_dir, "--json").returncode == 0
    assert redmap("init", tmp_path / "mine").returncode == 2


def test_an_unforeseen_failure_is_a_message_and_a_report_to_send(tmp_path):
    code = "import sys; from geo import cli, pipeline; pipeline.sample_study = lambda: 1 / 0; sys.argv = ['redmap', 'demo']; cli.main()"
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", env=environment,
        cwd=tmp_path, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    report = next(tmp_path.rglob("last-failure.txt"))
    assert str(report) in done.stderr
    assert "ZeroDivisionError" in report.read_text(encoding="utf-8")
