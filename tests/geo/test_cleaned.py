"""cleaned.xlsx and merge.csv: what a department keeps of its lists."""

from __future__ import annotations

import json
import re

import numpy as np
import openpyxl
from typer.testing import CliRunner

from geo.cli import app
from geo.intake.datum import to_wgs84
from geo.report.cleaned import as_typed


def test_positions_stand_in_both_datums(sample_result):
    frame = as_typed(sample_result.inputs)
    assert set(frame["datum"]) == {"gcj02"}
    lon, lat = to_wgs84(frame["lon_typed"].to_numpy(), frame["lat_typed"].to_numpy(), "gcj02")
    np.testing.assert_allclose(lon, frame["lon"], atol=2e-8)
    np.testing.assert_allclose(lat, frame["lat"], atol=2e-8)
    assert (abs(frame["lon_typed"] - frame["lon"]) > 0.003).all()


def test_check_writes_the_cleaned_tables(sample_dir, tmp_path, cache_dir):
    out = tmp_path / "cleaned"
    done = CliRunner().invoke(app, ["check", str(sample_dir), "--out", str(out), "--cache", str(cache_dir)])
    assert done.exit_code == 0, done.output
    assert "登记 listed" in done.output
    assert {p.name for p in out.iterdir()} == {"cleaned.xlsx", "merge.csv"}
    book = openpyxl.load_workbook(out / "cleaned.xlsx")
    assert book.sheetnames == ["驿站 Stations", "达标 Compliance", "同处 Pairs", "数据审计 Audit"]
    stations = list(book["驿站 Stations"].values)
    heads = list(stations[0])
    assert "原坐标横 Lon or easting as typed" in heads
    assert None not in heads
    texts = json.dumps([list(map(str, r)) for s in book for r in s.values], ensure_ascii=False)
    texts += (out / "merge.csv").read_text(encoding="utf-8-sig")
    assert not re.search(r"(?<![\d.])1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)", texts)
