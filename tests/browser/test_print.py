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
def test_the_sheets_are_landscape_full_and_light(whole_chromium, tmp_path, paper, width_pt, scheme):
    (tmp_path / "map.html").write_text(redmap.render_planner(toy_result()), encoding="utf-8")
    context = whole_chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
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


def test_the_map_is_one_fine_picture_and_no_control_is_printed(whole_chromium, tmp_path):
    (tmp_path / "map.html").write_text(redmap.render_planner(toy_result()), encoding="utf-8")
    page = whole_chromium.new_page(viewport={"width": 1440, "height": 900})
    page.goto((tmp_path / "map.html").as_uri())
    page.locator('html[data-ready="1"]').wait_for(state="attached")
    page.evaluate("RedMap.beforePrint()")
    shown, fine, tiles, marks = page.evaluate("""() => {
      const map = RedMap.map.getContainer().getBoundingClientRect(), picture = RedMap.byId('print-map'), box = picture.getBoundingClientRect();
      const d = picture.getContext('2d').getImageData(0, 0, picture.width, picture.height).data, seen = new Set();
      for (let i = 0; i < d.length; i += 4 * 97) seen.add(d[i] + ',' + d[i + 1] + ',' + d[i + 2]);
      return [[box.left - map.left, box.top - map.top, box.width - map.width, box.height - map.height], picture.width / box.width,
        [...document.querySelectorAll('.leaflet-tile-pane canvas')].map((n) => getComputedStyle(n).visibility), seen.size]; }""")
    assert max(map(abs, shown)) < 1.5
    assert fine == pytest.approx(3, abs=0.01)
    assert set(tiles) == {"hidden"}
    assert marks > 20
    assert page.evaluate("""['.search', '.tools', '#filter', '#before-after', '.zoom', '.outline'].flatMap((s) => [...document.querySelectorAll(s)])
        .filter((n) => n.getClientRects().length).map((n) => n.id || n.className)""") == []  # fmt: skip
    page.evaluate("RedMap.afterPrint()")
    assert page.locator("#print-map, #printed").count() == 0
    page.close()
