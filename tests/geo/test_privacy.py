"""Personal numbers: typed everywhere, found cell by cell, and in no artefact of a build."""

from __future__ import annotations

import base64
import binascii
import io
import re
import shutil
import sqlite3
import zipfile
import zlib

import openpyxl
import pandas as pd
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from geo import pipeline
from geo.cli import app
from geo.config import load_study
from geo.intake.privacy import mask_mobiles, personal_numbers

MOBILES = ("13912345678", "158 0000 4321", "186-1234-5678", "１７７１２３４５６７８")
IDENTITY = "341202199003078815"
SECRET = re.compile(r"12345678|0000[ -]?4321|1234[ -]?5678|１２３４５６７８|19900307")
KEPT = "0558-2260000"
_CODED = re.compile(rb"[A-Za-z0-9+/]{80,}={0,2}")


def typed_everywhere(folder):
    """The sample with personal numbers typed into every table, and a ledger and answers full of them."""
    shutil.copytree(pipeline.sample_study().folder, folder)
    book = openpyxl.load_workbook(folder / "stations.xlsx")
    sheet = book.worksheets[0]
    heads = [cell.value for cell in sheet[2]]
    for k, heading in enumerate(("名称", "地址", "开放时间", "服务项目", "联系人", "联系电话", "备注")):
        cell = sheet.cell(4 + k, heads.index(heading) + 1)
        cell.value = f"{cell.value or ''} {MOBILES[k % 4]} {IDENTITY}"
    sheet.cell(3, heads.index("联系电话") + 1, f"{KEPT}/{MOBILES[0]}")
    sheet["A1"] = f"{sheet['A1'].value} 联系 {MOBILES[1]}"
    book.save(folder / "stations.xlsx")
    for name in ("venues.csv", "outlets.csv"):
        lines = (folder / name).read_text(encoding="utf-8-sig").splitlines()
        column = next(
            i for i, h in enumerate(lines[0].split(",")) if h in {"name", "名称", "venue", "outlet"}
        )
        for row in (1, 2, 3):
            cells = lines[row].split(",")
            cells[column] += f" {MOBILES[row]}"
            lines[row] = ",".join(cells)
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    areas = (folder / "communities.geojson").read_text(encoding="utf-8")
    name = re.search(r'"name": ?"([^"]+)"', areas)
    assert name is not None
    (folder / "communities.geojson").write_text(
        areas.replace(name[1], f"{name[1]} {MOBILES[0]}"), encoding="utf-8"
    )
    (folder / "ledger.csv").write_text(
        f"问题描述,类别,地点,反映时间\n没热水 {MOBILES[2]},饮水 {MOBILES[3]},找不到 {IDENTITY},昨天 {MOBILES[0]}\n",
        encoding="utf-8",
    )
    (folder / "answers.csv").write_text(
        f"场所名称,经度,纬度,坐标系,场所类型,备注\n药店 {MOBILES[0]},115.815,32.888,高德,药店 {MOBILES[1]},{IDENTITY}\n",
        encoding="utf-8",
    )
    with (folder / "study.toml").open("a", encoding="utf-8") as file:
        file.write('\n[ledger]\nfile = "ledger.csv"\n')
    text = (folder / "study.toml").read_text(encoding="utf-8")
    text = text.replace('file = "venues.csv"', 'file = "venues.csv"\nrecruitment = "answers.csv"')
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return load_study(folder)


def texts_of(path):
    """All that can be read out of an artefact: unzipped, decoded, its pages and its tables as text."""
    raw = path.read_bytes()
    yield raw.decode("utf-8", "ignore")
    if raw[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            for name in archive.namelist():
                yield archive.read(name).decode("utf-8", "ignore")
    if raw[:4] == b"%PDF":
        with pypdfium2.PdfDocument(path) as document:
            for page in document:
                yield page.get_textpage().get_text_range()
    if raw[:6] == b"SQLite":
        with sqlite3.connect(path) as database:
            yield "\n".join(database.iterdump())
        database.close()
    for match in _CODED.finditer(raw):
        try:
            coded = base64.b64decode(match[0] + b"=" * (-len(match[0]) % 4))
        except binascii.Error:
            continue
        for wbits in (47, -15):
            try:
                yield zlib.decompress(coded, wbits).decode("utf-8", "ignore")
            except zlib.error:
                continue
        yield coded.decode("utf-8", "ignore")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return typed_everywhere(tmp_path_factory.mktemp("private") / "study")


@pytest.mark.slow
def test_no_artefact_of_a_build_holds_a_personal_number(study, tmp_path, cache_dir):
    out = tmp_path / "out"
    pipeline.build(study, out, cache_dir=cache_dir)
    assert len(list(out.iterdir())) >= 15
    found, kept = {}, set()
    for path in sorted(out.iterdir()):
        for text in texts_of(path):
            if hit := SECRET.search(text):
                found[path.name] = text[max(0, hit.start() - 60) : hit.end() + 20]
            if KEPT in text:
                kept.add(path.name)
    assert not found
    assert {"stations.geojson", "report.xlsx", "public.html"} <= kept  # institutions' lines stay


def test_the_reader_of_artefacts_would_find_them(tmp_path):
    """The grep above is worth its name: it finds a number in each kind of file."""
    frame = pd.DataFrame({"a": [MOBILES[0]]})
    frame.to_excel(tmp_path / "a.xlsx", engine="openpyxl")
    beside = "".join(str(i**3) for i in range(200)).encode()
    (tmp_path / "a.html").write_bytes(base64.b64encode(zlib.compress(beside + MOBILES[0].encode(), wbits=31)))
    with sqlite3.connect(tmp_path / "a.gpkg") as database:
        frame.to_sql("t", database)
    database.close()
    for name in ("a.xlsx", "a.html", "a.gpkg"):
        assert any(SECRET.search(text) for text in texts_of(tmp_path / name)), name


def test_pages_of_the_report_can_be_read(sample_out):
    assert any("98,421" in text for text in texts_of(sample_out / "report.pdf"))


def test_check_lists_what_is_masked_by_cell(study):
    found, defects = pipeline.privacy(study)
    assert not defects
    cells = {(m.file, m.row, m.column, m.kind, m.shown) for m in found}
    assert ("stations.xlsx", 3, "联系电话", "mobile", "139****5678") in cells
    assert ("stations.xlsx", 4, "名称", "identity", "341202************") in cells
    assert any(
        m.file == "stations.xlsx" and m.row is None and m.shown == "158****4321" for m in found
    )  # the title
    assert {m.file for m in found} == {
        "stations.xlsx", "venues.csv", "outlets.csv", "communities.geojson", "ledger.csv", "answers.csv"
    }  # fmt: skip
    run = CliRunner().invoke(app, ["check", str(study.folder), "--privacy"])
    assert run.exit_code == 0, run.output
    assert "139****5678" in run.output
    assert not SECRET.search(run.output)
    assert not SECRET.search(
        CliRunner().invoke(app, ["check", str(study.folder), "--privacy", "--json"]).output
    )
    assert not SECRET.search(CliRunner().invoke(app, ["check", str(study.folder), "--explain"]).output)


@pytest.mark.parametrize(
    "text",
    [
        "115.13912345678",
        "32.15812345678, 115.8",
        "91341202139123400005",
        "0558-2260000",
        "12345",
        "96.13912345678",
    ],
)
def test_other_numbers_stay(text):
    assert mask_mobiles(text) == text
    assert personal_numbers(text) == []


@given(
    st.text(st.characters(blacklist_categories=("Nd", "Cs"), blacklist_characters="."), max_size=6),
    st.integers(0, 10**8 - 1),
)
def test_what_is_counted_is_what_is_hidden(beside, number):
    text = f"{beside}139{number:08d}{beside}"
    assert [kind for kind, _shown in personal_numbers(text)] == ["mobile"]
    assert personal_numbers(mask_mobiles(text)) == []
    assert mask_mobiles(mask_mobiles(text)) == mask_mobiles(text)
