"""The pages in a real browser, with the network blocked."""

from __future__ import annotations

import csv
import io
import re
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from geo import redmap
from tests.geo.results import NASTY, toy_result

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
HAN = re.compile(r"[\u4e00-\u9fff]")
VISIBLE_WORDS = """() => {
  const out = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode, parent = node.parentElement;
    if (!node.data.trim() || parent.closest('.data, [translate="no"], script, style, #language')) continue;
    out.push(node.data.trim());
  }
  for (const node of document.querySelectorAll('[aria-label], [placeholder], [title], [aria-valuetext]'))
    if (node.id !== 'language') for (const key of ['aria-label', 'placeholder', 'title', 'aria-valuetext'])
      if (node.getAttribute(key)) out.push(node.getAttribute(key));
  return out;
}"""


@pytest.fixture(scope="module")
def result():
    return toy_result()


@pytest.fixture(scope="module")
def files(result, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    (folder / "map.html").write_text(redmap.render_planner(result), encoding="utf-8")
    (folder / "public.html").write_text(redmap.render_public(result), encoding="utf-8")
    nasty = toy_result(names=NASTY)
    (folder / "nasty.html").write_text(redmap.render_planner(nasty), encoding="utf-8")
    return folder


@pytest.fixture
def visit(whole_chromium, files):
    @contextmanager
    def open_page(name, *, address="", viewport=DESKTOP, **options):
        context = whole_chromium.new_context(viewport=viewport, **options)
        page = context.new_page()
        troubles, requests = [], []
        page.on("console", lambda m: troubles.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: troubles.append(str(e)))
        page.on("request", lambda r: requests.append(r.url))
        page.goto(f"{(files / name).as_uri()}{address}")
        page.locator('html[data-ready="1"]').wait_for(state="attached", timeout=20_000)
        yield page
        assert troubles == []
        assert [u for u in requests if not u.startswith(("file:", "data:", "blob:"))] == []
        assert len([u for u in requests if u.startswith("file:")]) == 1
        context.close()

    return open_page


@pytest.mark.parametrize("name", ["map.html", "public.html"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_opens_offline_without_errors_and_fits(visit, name, viewport, scheme):
    with visit(name, viewport=viewport, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        colours = page.evaluate("""() => { const seen = new Set();
            for (const c of document.querySelectorAll('.leaflet-tile')) {
              const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
              for (let i = 0; i < d.length; i += 4 * 97) seen.add(d[i] + ',' + d[i + 1] + ',' + d[i + 2]); }
            return seen.size; }""")
        assert colours > 5  # something was really drawn


@pytest.mark.parametrize("width", [320, 768, 1024, 1280])
def test_controls_on_the_map_do_not_overlap(visit, width):
    with visit("map.html", viewport={"width": width, "height": 800}) as page:
        boxes = page.evaluate("""() => ['.zoom', '.rail', '.foot-left', '.foot-right'].map((s) => {
            const r = document.querySelector(s).getBoundingClientRect(); return [s, r.left, r.top, r.right, r.bottom]; })""")
        for i, (a, l1, t1, r1, b1) in enumerate(boxes):
            for b, l2, t2, r2, b2 in boxes[i + 1 :]:
                assert min(r1, r2) <= max(l1, l2) or min(b1, b2) <= max(t1, t2), (a, b)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_key_figures_equal_the_summary(visit, result):
    block, counts = result.summary["demand"]["residents"], result.summary["stations"]
    with visit("map.html") as page:

        def text(selector):
            return page.locator(selector).inner_text()

        assert text("#headline") == f"{block['share'] * 100:.1f}%"
        assert text("#share-straight") == f"{block['share_straight_line'] * 100:.1f}%"
        assert text("#kpi-uncovered b") == f"{block['total'] - block['covered']:,.0f}"
        assert text("#kpi-two b") == f"{block['share_two_or_more'] * 100:.1f}%"
        assert text("#kpi-median b") == f"{block['median_minutes']:.1f}"
        assert text("#kpi-stations b") == f"{counts['used']} / {counts['listed']}"
        assert text("#kpi-hours b") == f"{counts['hours_known']} / {counts['used']}"
        low, high = block["share_range"]
        assert f"{low * 100:.1f}%" in text("#range")
        assert f"{high * 100:.1f}%" in text("#range")
        page.get_by_role("button", name="户外劳动者").click()
        assert f"{result.summary['demand']['workers']['covered']:,.0f}" in text(".headline")


@pytest.mark.parametrize("name", ["map.html", "public.html"])
def test_language_switch_leaves_no_mixed_text(visit, name):
    with visit(name) as page:
        assert page.evaluate("document.documentElement.lang") == "zh-CN"
        zh = page.evaluate(VISIBLE_WORDS)
        assert [w for w in zh if re.search(r"[A-Za-z]{3,}", w) and "OpenStreetMap" not in w] == []
        page.locator("#language").click()
        assert page.evaluate("document.documentElement.lang") == "en"
        tabs = ["overview", "gaps", "sites", "communities", "data"] if name == "map.html" else [None]
        for tab in tabs:
            if tab:
                page.locator(f"#tab-{tab}").click()
            assert [w for w in page.evaluate(VISIBLE_WORDS) if HAN.search(w)] == []
        page.locator("#language").click()
        for tab in tabs:
            if tab:
                page.locator(f"#tab-{tab}").click()
            words = page.evaluate(VISIBLE_WORDS)
            assert [
                w
                for w in words
                if re.search(r"[A-Za-z]{3,}", w) and not re.search(r"OpenStreetMap|SHA|CSV", w)
            ] == []


def test_names_with_markup_stay_text(visit):
    with visit("nasty.html") as page:
        for i, text in enumerate(NASTY):
            page.evaluate("(i) => RedMap.select('station', RedMap.data.stations[i].id, false)", i)
            expect(page.locator(".leaflet-popup-content h3")).to_have_text(text)
        page.locator("#search").fill("<img")
        expect(page.locator("#search-list button .data").first).to_have_text(NASTY[0])
        assert "hacked" not in page.title()
        expect(page.locator("main img, .leaflet-popup img")).to_have_count(0)


def test_gap_site_and_community_lists_fly_and_open(visit, result):
    with visit("map.html", reduced_motion="reduce") as page:
        for tab, list_, expected in (
            ("gaps", "#gap-list button", result.gaps["name_zh"].iloc[0]),
            ("sites", "#site-list button", result.recommendations["name"].iloc[0]),
        ):
            page.locator(f"#tab-{tab}").click()
            before = page.evaluate("location.hash")
            page.locator(list_).first.click()
            expect(page.locator(".leaflet-popup-content h3")).to_have_text(expected)
            assert page.evaluate("location.hash") != before
        page.locator("#tab-communities").click()
        page.locator("#communities tbody button").nth(2).click()
        assert (
            page.locator(".leaflet-popup-content h3").inner_text()
            == page.locator("#communities tbody button").nth(2).inner_text()
        )
        page.keyboard.press("Escape")
        page.locator(".leaflet-popup").wait_for(state="detached")


def test_station_state_has_three_values_by_time(visit, result):
    with visit("map.html") as page:
        states = {}
        for time in result.times:
            page.locator("#time").select_option(time)
            states[time] = page.evaluate("RedMap.data.stations.map(RedMap.stateOf)")
        for j, time in enumerate(result.times):
            for i, hours in enumerate(result.inputs.stations["hours"]):
                expected = (
                    "unknown" if not isinstance(hours, str) else "open" if result.open_at[i, j] else "closed"
                )
                assert states[time][i] == expected
        assert {s for row in states.values() for s in row} == {"open", "closed", "unknown"}


def test_slider_hides_bands_and_legend_follows_layers(visit):
    with visit("map.html") as page:
        legend = page.locator("#legend")
        assert "≤ 10 分钟" in legend.inner_text()
        page.locator("#minutes").focus()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        assert page.locator("#minutes").get_attribute("aria-valuetext") == "5 分钟"
        assert "≤ 10 分钟" not in legend.inner_text()
        page.locator("#on-gaps").uncheck()
        assert "不在标准内" not in legend.inner_text()
        page.locator("#on-areas").check()
        assert not page.locator("#on-bands").is_checked()
        assert "40–60%" in legend.inner_text()


def test_legend_colour_is_the_map_colour(visit):
    with visit("map.html", address="#on=bands") as page:
        same = page.evaluate("""() => {
          const s = document.querySelector('#legend .entries .swatch').getContext('2d').getImageData(28, 20, 1, 1).data;
          for (const tile of document.querySelectorAll('.leaflet-tile')) {
            const d = tile.getContext('2d').getImageData(0, 0, tile.width, tile.height).data;
            for (let i = 0; i < d.length; i += 4) if (d[i] === s[0] && d[i + 1] === s[1] && d[i + 2] === s[2]) return true;
          }
          return false; }""")
        assert same


def test_state_lives_in_the_address(visit):
    with visit(
        "map.html",
        address="#map=15/32.92/115.82&lang=en&on=stations,roads&m=10&t=Tue%2023:00&d=workers&tab=gaps",
    ) as page:
        state = page.evaluate("({...RedMap.state, zoom: RedMap.map.getZoom(), hash: location.hash})")
        assert (state["lang"], state["minutes"], state["time"], state["demand"], state["tab"]) == (
            "en",
            10,
            "Tue 23:00",
            "workers",
            "gaps",
        )
        assert [k for k, on in state["on"].items() if on] == ["stations", "roads"]
        assert state["zoom"] == 15
        assert "t=Tue%2023:00" in state["hash"]


@pytest.mark.parametrize(
    "address",
    [
        "#map=99/x/y&lang=%00&m=-1&t=%3Cscript%3E&sel=station:%22%3E",
        "#%E0%A4%A",
        "#sel=__proto__:x&tab=constructor",
        "#d=toString",
    ],
)
def test_hostile_addresses_are_ignored(visit, address):
    with visit("map.html", address=address) as page:
        assert page.evaluate("RedMap.state.tab") == "overview"
        assert page.locator("#headline").inner_text().endswith("%")


def test_search_finds_parts_of_names(visit):
    with visit("map.html", reduced_motion="reduce") as page:
        page.locator("#search").fill("第17社")
        page.locator("#search-list button").first.click()
        expect(page.locator(".leaflet-popup-content h3")).to_have_text("第17社区")
        page.locator("#search").fill("zzzz")
        expect(page.locator("#search-list button")).to_have_count(0)


@pytest.mark.parametrize("which", ["communities", "stations"])
def test_tables_download_safely(visit, which, tmp_path):
    with visit("nasty.html") as page:
        page.locator("#tab-data").click()
        with page.expect_download() as waiting:
            page.locator(f"#csv-{which}").click()
        raw = tmp_path / "t.csv"
        waiting.value.save_as(raw)
        data = raw.read_bytes()
        assert data.startswith(b"\xef\xbb\xbf")
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
        assert len({len(r) for r in rows}) == 1
        assert len(rows) == (37 if which == "communities" else 13)
        assert not [c for r in rows for c in r if c.startswith(("=", "+", "@"))]


def test_no_mobile_number_is_shown(visit):
    for name in ("map.html", "public.html"):
        with visit(name) as page:
            assert not re.search(
                r"1[3-9]\d{9}", page.evaluate("document.getElementById('redmap-data').textContent")
            )


def test_map_click_names_the_community(visit):
    with visit("map.html", address="#map=15/32.94/115.84&on=roads") as page:
        at = page.evaluate("""() => { const c = RedMap.data.communities.find((x) => x.name === '第36社区');
            RedMap.map.setView([c.at[1], c.at[0]], 15, {animate: false});
            const r = RedMap.map.getContainer().getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; }""")
        page.mouse.click(*at)
        page.locator(".leaflet-popup-content h3").wait_for()
        expect(page.locator(".leaflet-popup-content h3")).to_have_text("第36社区")


def test_public_hours_are_of_china_whatever_the_device_says(whole_chromium, files):
    for clock, expected in (("2026-11-24T19:00:00Z", "closed"), ("2026-11-24T04:00:00Z", "open")):
        context = whole_chromium.new_context(timezone_id="America/New_York")
        page = context.new_page()
        page.clock.install(time=clock)
        page.goto((files / "public.html").as_uri())
        page.locator('html[data-ready="1"]').wait_for(state="attached")
        assert page.evaluate("RedMap.stateOf(RedMap.data.stations[0])") == expected
        assert page.evaluate("RedMap.stateOf(RedMap.data.stations[1])") == "open"
        assert page.evaluate("RedMap.stateOf(RedMap.data.stations[2])") == "unknown"
        context.close()


def test_hours_words_and_evaluation(visit):
    with visit("public.html") as page:

        def at(hours, day, minute):
            return page.evaluate("([h, d, m]) => RedMap.openAt(h, d, m)", [hours, day, minute])

        assert at("Mo-Fr 09:00-17:00; Sa 10:00-12:00", 4, 16 * 60 + 59)
        assert not at("Mo-Fr 09:00-17:00; Sa 10:00-12:00", 4, 17 * 60)
        assert at("Mo-Fr 09:00-17:00; Sa 10:00-12:00", 5, 11 * 60)
        assert at("Fr 20:00-02:00", 5, 60)
        assert at("08:00-12:00,14:00-18:00", 6, 15 * 60)
        assert at("Mo-Su 08:00-20:00; Su off", 6, 600) is False
        assert at("sunrise-sunset", 0, 600) is None
        assert at("", 0, 600) is None
        assert (
            page.evaluate("RedMap.hoursText('Mo-Fr 09:00-17:00; Sa off')")
            == "周一至周五 09:00–17:00，周六 休息"
        )


def test_touch_targets_are_large(visit):
    small = """() => [...document.querySelectorAll('button, select, summary, label.check, .go, .leaflet-popup-close-button')]
        .filter((n) => n.offsetParent && getComputedStyle(n).visibility === 'visible')
        .map((n) => [n.id || n.className, n.getBoundingClientRect()])
        .filter(([, r]) => r.height < 43.5 || r.width < 43.5).map(([n]) => n)"""
    phone = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    with visit("map.html", **phone) as page:
        page.locator("#rail summary").click()
        for tab in ("overview", "gaps", "sites", "communities", "data"):
            page.locator(f"#tab-{tab}").click()
            assert page.evaluate(small) == []
        page.evaluate("RedMap.select('station', RedMap.data.stations[0].id, false)")
        assert page.evaluate(small) == []


def test_the_first_view_says_who_why_and_where(visit, result):
    with visit("map.html", viewport={"width": 1440, "height": 900}, reduced_motion="reduce") as page:
        gaps, sites = page.locator("#brief-gaps"), page.locator("#brief-sites")
        assert f"{result.summary['gaps']['people']:,.0f} 人" in gaps.inner_text()
        assert gaps.locator(".line .data").all_inner_texts() == list(result.gaps["name_zh"][:3])
        assert "100%" in gaps.locator("p").inner_text()  # the toy's reasons are all of the other kind
        assert sites.locator(".line .data").all_inner_texts() == list(result.recommendations["name"])
        assert sites.locator(".line").last.bounding_box()["y"] < 900  # no scrolling needed
        sites.locator(".line").first.click()
        assert (
            page.locator(".leaflet-popup-content h3").inner_text() == result.recommendations["name"].iloc[0]
        )
        gaps.locator(".more").click()
        assert page.locator("#tab-gaps").get_attribute("aria-selected") == "true"


@pytest.mark.parametrize("name", ["map.html", "public.html"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_district_fills_the_map_and_is_drawn_sharp(visit, name, viewport):
    with visit(name, viewport=viewport) as page:
        share = page.evaluate("""() => { const [w, s, e, n] = RedMap.data.bounds, size = RedMap.map.getSize();
            const a = RedMap.map.latLngToContainerPoint([n, w]), b = RedMap.map.latLngToContainerPoint([s, e]);
            return Math.max((b.x - a.x) / size.x, (b.y - a.y) / size.y); }""")
        assert 0.7 < share <= 1.0
        # tiles are drawn at the zoom of the map, never stretched
        for _ in range(3):
            page.wait_for_function("""() => [...document.querySelectorAll('.leaflet-tile')].length > 0 &&
                [...document.querySelectorAll('.leaflet-tile')].every((t) => Math.abs(t.getBoundingClientRect().width - 512) < .5)""")
            page.locator("#zoom-in").click()


def test_a_card_on_a_phone_is_covered_by_nothing(visit):
    with visit("map.html", viewport=PHONE, has_touch=True, is_mobile=True, reduced_motion="reduce") as page:
        for i in range(4):
            page.evaluate("(i) => RedMap.select('station', RedMap.data.stations[i].id, true)", i)
            page.wait_for_timeout(400)  # the map moves the card into view
            covered = page.evaluate("""() => { const r = document.querySelector('.leaflet-popup').getBoundingClientRect(), out = [];
                for (const x of [r.left + 3, r.right - 3]) for (const y of [r.top + 12, r.top + r.height / 2])
                  if (!document.elementFromPoint(x, y)?.closest('.leaflet-popup')) out.push([x, y]);
                return out; }""")
            assert covered == []
        page.locator(".leaflet-popup-close-button").click()
        expect(page.locator("#zoom-in")).to_be_visible()


def test_prints_on_landscape_sheets(visit):
    with visit("map.html") as page:
        pdf = page.pdf(prefer_css_page_size=True, print_background=True)
        boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", pdf)
        assert boxes
        assert all(float(w) > float(h) for w, h in boxes)
        page.locator("body:not(.printing)").wait_for()
        assert len(boxes) <= 5
        expect(page.locator("#printed")).to_have_count(0)

        page.evaluate("RedMap.beforePrint()")
        inside = page.evaluate("""() => { const [w, s, e, n] = RedMap.data.bounds, rail = document.querySelector('.rail').getBoundingClientRect();
            const map = RedMap.map.getContainer().getBoundingClientRect(), a = RedMap.map.latLngToContainerPoint([n, w]), b = RedMap.map.latLngToContainerPoint([s, e]);
            return a.x >= 0 && a.y >= 0 && map.left + b.x <= rail.left && b.y <= map.height && rail.bottom <= map.bottom; }""")
        assert inside  # the whole district beside the legend, the whole legend on the map's sheet
        page.evaluate("RedMap.afterPrint()")
