"""The planner's page on paper (30): A4 and A3, landscape, the map on the first sheet."""

from __future__ import annotations

import numpy as np
import pypdfium2
import pytest

from geo import redmap
from tests.geo.results import toy_result

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("paper", "width_pt"), [("A4", 842), ("A3", 1191)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sheets_are_landscape_full_and_light(chromium, tmp_path, paper, width_pt, scheme):
    (tmp_path / "map.html").write_text(redmap.render_planner(toy_result()), encoding="utf-8")
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto((tmp_path / "map.html").as_uri())
    page.locator('html[data-ready="1"]').wait_for(state="attached")
    page.pdf(
        path=tmp_path / "out.pdf", format=paper, landscape=True, print_background=True,
        margin=dict.fromkeys(("top", "right", "bottom", "left"), "10mm"),
    )  # fmt: skip
    context.close()
    document = pypdfium2.PdfDocument(tmp_path / "out.pdf")
    assert 3 <= len(document) <= 5
    assert all(round(sheet.get_size()[0]) in (width_pt, width_pt + 1) for sheet in document)
    picture = np.asarray(document[0].render(scale=0.5).to_pil().convert("RGB")).astype(int)
    inked = (picture < 250).any(axis=2)
    assert np.flatnonzero(inked.any(axis=0))[-1] > 0.9 * picture.shape[1]  # the map goes across the sheet
    assert np.flatnonzero(inked.any(axis=1))[-1] > 0.75 * picture.shape[0]
    assert np.median(picture) > 200  # light, whatever the screen is
    text = document[0].get_textpage().get_text_bounded()
    words = "".join(text.split())  # a run of text may be broken anywhere
    for wanted in ("示例区", "审图号", "打印于20", "OpenStreetMap", "盲区", "分钟"):
        assert wanted in words
    assert "%" in document[1].get_textpage().get_text_bounded()
