"""Maps from the net: off by default, asked for by hand, gone again when they cannot be reached."""

from __future__ import annotations

import base64

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


@pytest.fixture
def page(chromium, sample_out):
    page = chromium.new_page(viewport={"width": 1280, "height": 860})
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    page.goto(f"{(sample_out / 'map.html').as_uri()}#tab=overview")
    page.locator('html[data-ready="1"]').wait_for(state="attached")
    page.asked = asked
    yield page
    page.close()


def outside(page):
    return [url for url in page.asked if not url.startswith(("file:", "data:", "blob:"))]


def test_nothing_is_asked_before_a_source_is_chosen(page):
    page.locator("#zoom-in").click()
    page.wait_for_timeout(400)
    assert outside(page) == []


def test_only_the_chosen_host_is_asked_and_failures_take_it_away(page):
    page.locator("#tiles").select_option("osm")
    page.locator(".toast").wait_for()
    page.wait_for_timeout(300)
    assert outside(page)
    assert all(url.startswith("https://tile.openstreetmap.org/") for url in outside(page))
    assert page.evaluate("RedMap.tiles") == ""  # the network is blocked: off again, with a word
    asked = len(outside(page))
    page.locator("#zoom-in").click()
    page.wait_for_timeout(400)
    assert len(outside(page)) == asked


def test_tianditu_needs_a_key_that_stays_in_the_browser(page, sample_out):
    page.locator("#tiles").select_option("tianditu")
    assert outside(page) == []
    page.locator("#tile-key").fill("not a key")
    page.locator("#tile-key").press("Enter")
    assert outside(page) == []
    page.locator("#tile-key").fill("0123456789abcdef0123456789abcdef")
    page.locator("#tile-key").press("Enter")
    page.locator(".toast").last.wait_for()
    page.wait_for_timeout(300)
    assert outside(page)
    assert all(".tianditu.gov.cn/" in url and "tk=0123456789abcdef" in url for url in outside(page))
    assert "0123456789abcdef" not in (sample_out / "map.html").read_text(encoding="utf-8")
    assert "0123456789abcdef" not in page.url


def test_amap_lies_where_the_data_is_and_says_so(page):
    page.evaluate("RedMap.map.setView([32.9, 115.81], 17, { animate: false })")
    page.route(
        "https://*.is.autonavi.com/**", lambda route: route.fulfill(body=PIXEL, content_type="image/gif")
    )
    expect(page.locator("#tile-label")).to_be_hidden()
    page.locator("#tiles").select_option("gaode")
    expect(page.locator("#tile-label")).to_contain_text("GCJ-02")
    away = page.evaluate("""() => { const layer = RedMap.tileLayers[0], map = RedMap.map, out = [];
        for (const tile of Object.values(layer._tiles)) {
          const corner = map.unproject(tile.coords.scaleBy(layer.getTileSize()), tile.coords.z);
          // where the page lays the corner, in WGS-84, and what GCJ-02 says of that place
          const laid = map.unproject(L.DomUtil.getPosition(tile.el).add(layer._level.origin), tile.coords.z), [lng, lat] = RedMap.gcj02([laid.lng, laid.lat]);
          out.push(map.distance([lat, lng], corner)); }
        return out; }""")
    assert len(away) >= 6
    assert max(away) < 1.5  # a pixel of zoom 17
    shown = page.evaluate("""() => { const layer = RedMap.tileLayers[0], size = RedMap.map.getSize(), from = RedMap.map.containerPointToLayerPoint([0, 0]);
        const at = Object.values(layer._tiles).map((t) => L.DomUtil.getPosition(t.el).add(layer._level.translate || [0, 0]).subtract(from));
        return [Math.min(...at.map((p) => p.x)), Math.min(...at.map((p) => p.y)), Math.max(...at.map((p) => p.x)) - size.x, Math.max(...at.map((p) => p.y)) - size.y]; }""")
    assert shown[0] <= 0 <= shown[2] + 256  # the whole window is covered
    assert shown[1] <= 0 <= shown[3] + 256
    assert outside(page)
    assert all(".is.autonavi.com/" in url for url in outside(page))
    page.locator("#tiles").select_option("")
    expect(page.locator("#tile-label")).to_be_hidden()


def test_the_riders_page_may_load_nothing(sample_out):
    html = (sample_out / "public.html").read_text(encoding="utf-8")
    assert "img-src data: blob:;" in html
    assert "tianditu" not in html
