"""``redmap serve``: what it hands to the server, and a wrong setting in words."""

from __future__ import annotations

import os

import pytest
import uvicorn
from fastapi.testclient import TestClient
from typer.testing import CliRunner

import api.workers
from api.app import create_app
from api.settings import Settings
from geo.cli import app
from geo.errors import InputError


@pytest.fixture
def served(monkeypatch):
    """The options of the server that would run, and the settings that its processes would read."""
    for name in [n for n in os.environ if n.startswith(("REDMAP_", "PROMETHEUS_"))]:
        monkeypatch.delenv(name)
    for name in (
        "STUDIES",
        "CACHE_DIR",
        "WAIT",
        "RELOAD_S",
    ):  # set by the command: to be taken back afterwards
        monkeypatch.setenv(f"REDMAP_{name}", "")
        monkeypatch.delenv(f"REDMAP_{name}")
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR")
    runs = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: runs.append((app, options, Settings())))
    monkeypatch.setattr(
        api.workers, "serve", lambda settings, **options: runs.append(("forked", options, settings))
    )
    return runs


def test_serve_hands_over_every_study(served, sample_dir, tmp_path):
    asked = [
        "serve",
        str(sample_dir),
        str(sample_dir),
        "--workers",
        "2",
        "--root-path",
        "/redmap",
        "--cache",
        str(tmp_path),
    ]
    assert CliRunner().invoke(app, asked, catch_exceptions=False).exit_code == 0
    factory, options, settings = served[0]
    assert (factory, options["workers"], options["root_path"]) == ("forked", 2, "/redmap")
    assert (settings.paths, settings.wait, settings.cache_dir) == ((sample_dir, sample_dir), True, tmp_path)
    assert options["log_config"]["formatters"]["json"]
    assert options["access_log"] is False


def test_one_process_answers_while_it_loads(served, sample_dir):
    CliRunner().invoke(app, ["serve", str(sample_dir)], catch_exceptions=False)
    factory, options, settings = served[0]
    assert (factory, options["factory"], settings.wait, settings.reload_s) == (
        "api.app:create_app", True, False, 10.0,
    )  # fmt: skip


def test_without_a_study_the_environment_names_them(served, sample_dir, monkeypatch):
    monkeypatch.setenv("REDMAP_STUDIES", str(sample_dir))
    CliRunner().invoke(app, ["serve"], catch_exceptions=False)
    assert served[0][2].paths == (sample_dir,)


def test_a_wrong_setting_is_said_in_words(served, sample_dir, monkeypatch):
    monkeypatch.setenv("REDMAP_MAX_MINUTES", "-1")
    with pytest.raises(InputError, match="REDMAP_"):
        CliRunner().invoke(app, ["serve", str(sample_dir)], catch_exceptions=False)
    assert not served


def test_everything_works_behind_a_prefix(client_of, sample_dir):
    client = client_of()
    behind = TestClient(client.app, root_path="/redmap")
    assert "/redmap/docs-assets/" in behind.get("/redmap/docs").text
    links = behind.get("/redmap/ogc/sample").json()["links"]
    assert all("/redmap/" in link["href"] for link in links)
    answer = behind.post("/redmap/ors/v2/isochrones/foot-walking/no/such")
    assert (answer.status_code, set(answer.json())) == (404, {"error", "info"})
    assert create_app(Settings(study=sample_dir)).state.studies == {}
