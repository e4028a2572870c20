"""A map in the pages of other sites, on another origin: a plain frame, what oEmbed gives, and the element."""

from __future__ import annotations

import json
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from api.app import create_app
from api.settings import Settings
from tests.browser.chromium import ALONE, WHOLE, launched
from tests.live import serving

HEAD = "<!doctype html><meta charset=utf-8><title>portal</title><link rel=icon href=data:,>"


@pytest.fixture(scope="module")
def service(sample_dir, cache_dir):
    with serving(create_app(Settings(study=sample_dir, cache_dir=cache_dir))) as address:
        yield address


@pytest.fixture(scope="module")
def slug(sample_dir):
    return sample_dir.resolve().name


@pytest.fixture
def portal():
    """A site of its own: what is put into ``pages`` it serves on another origin than the service's."""
    pages: dict[str, str] = {}

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Nothing is told of requests."""

    site = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    yield pages, f"http://localhost:{site.server_port}"
    site.shutdown()
    site.server_close()


@pytest.fixture(scope="module")
def nearby(playwright):
    """A Chromium that reaches this machine and nothing else."""
    yield from launched(playwright, WHOLE, hosts=f"{ALONE}, EXCLUDE 127.0.0.1, EXCLUDE localhost")


@pytest.fixture
def page(nearby):
    context = nearby.new_context(viewport={"width": 1100, "height": 800}, locale="zh-CN")
    page = context.new_page()
    page.said = []
    page.on("console", lambda message: page.said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.said.append(str(error)))
    yield page
    context.close()


def shown(page, selector="iframe"):
    """The map within the frame, once it stands."""
    frame = page.frame_locator(selector)
    expect(frame.locator("html")).to_have_attribute("data-ready", "1", timeout=20_000)
    return frame


def test_a_plain_frame_asks_in_words(page, portal, service, slug):
    pages, site = portal
    query = "lang=en&amp;mode=walk&amp;minutes=10&amp;service=toilet&amp;at=Tue+23:00"
    pages["/"] = f'{HEAD}<iframe src="{service}/embed/{slug}?{query}" width=1000 height=640></iframe>'
    page.goto(f"{site}/")
    frame = shown(page)
    expect(frame.locator("html")).to_have_attribute("lang", "en")
    inner = next(one for one in page.frames if "/embed/" in one.url)
    choice = inner.evaluate(
        "() => ({m: RedMap.choice.minutes, s: RedMap.choice.services, at: RedMap.choice.at})"
    )
    assert choice == {"m": 10, "s": ["toilet"], "at": 47}
    assert page.said == []


def test_what_oembed_gives_is_a_map(page, portal, service, slug):
    pages, site = portal
    asked = urllib.parse.urlencode({"url": f"{service}/maps/{slug}?lite=1", "maxwidth": 480})
    with urllib.request.urlopen(f"{service}/oembed?{asked}") as answer:
        pages["/"] = HEAD + json.load(answer)["html"]
    page.goto(f"{site}/")
    frame = shown(page)
    expect(frame.locator("#locate")).to_be_visible()
    assert page.said == []


def test_the_element_takes_the_height_that_the_map_needs(page, portal, service, slug):
    pages, site = portal
    pages["/"] = (
        f'{HEAD}<div style="width:500px"><red-map study="{slug}" lang="en" lite></red-map></div>'
        f'<script src="{service}/red-map.js"></script>'
    )
    page.goto(f"{site}/")
    shown(page, "red-map iframe")
    frame = page.locator("red-map iframe")
    expect(frame).to_have_css("height", "640px")
    page.evaluate("document.querySelector('div').style.width = '1000px'")
    expect(frame).to_have_css("height", "600px")
    page.evaluate(
        "postMessage({type: 'redmap:height', height: 77}, '*')"
    )  # of another window than the frame's
    page.evaluate("new Promise((done) => setTimeout(done, 100))")
    expect(frame).to_have_css("height", "600px")
    page.evaluate("document.querySelector('red-map').setAttribute('lang', 'zh')")
    inner = page.frame_locator("red-map iframe")
    expect(inner.locator("html")).to_have_attribute("lang", "zh-CN", timeout=20_000)
    assert page.said == []


def test_a_site_that_may_not_frame_the_map_shows_none(page, portal, sample_dir, cache_dir, slug):
    pages, site = portal
    chosen = Settings(study=sample_dir, cache_dir=cache_dir, frame_ancestors="'self' https://portal.example")
    with serving(create_app(chosen)) as closed:
        pages["/"] = f'{HEAD}<iframe src="{closed}/embed/{slug}" width=900 height=600></iframe>'
        page.goto(f"{site}/")
        page.wait_for_function("() => document.readyState === 'complete'")
        assert any("frame-ancestors" in text for text in page.said)
        assert page.frames[1].evaluate("() => typeof RedMap") == "undefined"
