"""The sheet for a wall: what it says, what it may not show, and that its code can be read."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pypdfium2
import pytest
import segno

from geo import report
from geo.report import canvas, poster
from tests.geo.results import NASTY, toy_result
from tests.geo.test_report import has_font

needs_font = pytest.mark.skipif(not has_font(), reason="no Chinese font installed")
URL = "https://map.example/redmap/public.html"


def published(result, **values):
    return replace(result, publish={**result.publish, **values})


@pytest.fixture(scope="module")
def result():
    return toy_result()


@pytest.fixture
def said(monkeypatch):
    texts = []
    write = canvas.Page.text
    monkeypatch.setattr(
        canvas.Page,
        "text",
        lambda self, x, y, text, *a, **k: (texts.append(text), write(self, x, y, text, *a, **k)),
    )
    return texts


@pytest.fixture
def drawn(monkeypatch):
    """Layers of lines and shapes by the order in which they lie, as the poster draws them."""
    orders = []
    draw = canvas.Page.draw
    monkeypatch.setattr(
        canvas.Page,
        "draw",
        lambda self, path, frame=None, **style: (
            orders.append(style.get("zorder")),
            draw(self, path, frame, **style),
        ),
    )
    return orders


@needs_font
def test_poster_is_one_a3_sheet_that_says_what_a_wall_needs(result, tmp_path, said):
    assert poster.write_poster(published(result, url=URL), tmp_path) is None
    data = (tmp_path / "poster.pdf").read_bytes()
    document = pypdfium2.PdfDocument(tmp_path / "poster.pdf")
    width, height = document[0].get_size()
    assert (len(document), round(width / 72 * 25.4), round(height / 72 * 25.4)) == (1, 420, 297)
    assert b"CreationDate" not in data
    assert b"/Subtype /Type3" in data  # letters are inside, as outlines
    assert b"/Subtype /Image" not in data  # vector throughout
    printed = " | ".join(said)
    block = result.summary["demand"]["residents"]
    for wanted in (
        "示例区 驿站红色地图", "2026-11", "合成数据", f"{block['share']:.1%}", f"{block['share_straight_line']:.1%}", "北 N", "米 m",
        "审图号", "OpenStreetMap", "区总工会", "驿站 station", "盲区 gap", "建议增设", "惠民超市1店", "扫码找最近的驿站", "15 分钟内",
    ):  # fmt: skip
        assert wanted in printed, wanted


@needs_font
def test_same_result_same_bytes(result, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        poster.write_poster(result, tmp_path / name)
    for file in ("poster.pdf", "poster.png"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@needs_font
def test_the_code_leads_to_the_public_page(result, tmp_path):
    poster.write_poster(published(result, url=URL), tmp_path)
    scale = 4.0
    picture = np.asarray(
        pypdfium2.PdfDocument(tmp_path / "poster.pdf")[0].render(scale=scale).to_pil().convert("L")
    )
    wanted = np.array([list(row) for row in segno.make_qr(URL, error="m").matrix], dtype=bool)
    step = poster.QR_POINTS / (len(wanted) + 8)
    x, y = poster.WIDTH - poster.MARGIN - poster.SIDE + 5, poster.FOOT + 11
    middle = (np.arange(-4, len(wanted) + 4) + 4.5) * step
    columns = ((x + middle) * scale).astype(int)
    rows = ((poster.HEIGHT - (y + poster.QR_POINTS) + middle) * scale).astype(int)
    modules = picture[np.ix_(rows, columns)] < 128
    assert (modules[4:-4, 4:-4] == wanted).all()
    assert not modules[:4].any()
    assert not modules[:, :4].any()  # its quiet zone is quiet


@needs_font
def test_without_an_address_the_place_of_the_code_says_how(result, tmp_path, said):
    poster.write_poster(result, tmp_path)
    assert any("[publish]" in text for text in said)
    assert "扫码找最近的驿站" not in said


@needs_font
def test_no_boundary_without_approval_and_no_roads_in_public(result, tmp_path, said, drawn):
    poster.write_poster(result, tmp_path)
    assert not {2, 2.1} & set(drawn)  # borders of communities and of the district
    assert {1.5, 1.6} <= set(drawn)  # roads, for planners
    assert any("送审" in text for text in said)
    drawn.clear()
    poster.write_poster(published(result, audience="public"), tmp_path)
    assert not {1.5, 1.6, 2, 2.1} & set(drawn)
    drawn.clear()
    said.clear()
    poster.write_poster(published(result, map_approval_number="皖S(2026)1号"), tmp_path)
    assert {2, 2.1} <= set(drawn)
    assert any("皖S(2026)1号" in text for text in said)


@needs_font
def test_names_on_the_map_do_not_cover_each_other(result, tmp_path, monkeypatch):
    boxes = []
    rectangle = canvas.Page.rectangle
    monkeypatch.setattr(
        canvas.Page,
        "rectangle",
        lambda self, x, y, w, h, color, **more: (
            boxes.append((x, y, x + w, y + h)) if more.get("zorder") == 2.9 else None,
            rectangle(self, x, y, w, h, color, **more),
        ),
    )
    poster.write_poster(result, tmp_path)
    assert len(boxes) > 6
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


@needs_font
def test_a_bare_study_and_odd_names_make_a_poster(tmp_path):
    full = toy_result(stations=3, synthetic=False, names=NASTY)
    bare = replace(
        full, name="A study in $English$", edition="", gaps=full.gaps.iloc[:0],
        recommendations=full.recommendations.iloc[:0], plan=None,
        inputs=replace(full.inputs, communities=full.inputs.communities.iloc[:0]),
    )  # fmt: skip
    assert poster.write_poster(bare, tmp_path) is None
    assert not re.search(rb"1[3-9]\d{9}", (tmp_path / "poster.pdf").read_bytes().split(b"stream")[0])


def test_why_there_is_no_poster_is_said(result, tmp_path, monkeypatch):
    real = poster.importlib.util.find_spec
    monkeypatch.setattr(
        poster.importlib.util, "find_spec", lambda name: None if name == "segno" else real(name)
    )
    report.write_all(result, tmp_path)
    assert not (tmp_path / "poster.pdf").exists()
    notes = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))["notes"]
    assert any("redmap[print]" in note for note in notes)
