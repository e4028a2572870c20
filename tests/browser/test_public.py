"""The riders' page in a real browser, network blocked; numbers in brackets are those of the page's requirements."""

from __future__ import annotations

import datetime as dt
import itertools
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import shapely
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from geo import redmap
from geo.intake.datum import from_wgs84
from geo.intake.workdays import open_on
from geo.redmap import public
from tests.geo.results import NASTY, toy_result

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESK = {"viewport": {"width": 1440, "height": 900}}
NOON, NIGHT = "2026-11-24T04:00:00Z", "2026-11-24T15:30:00Z"
HERE = {
    "permissions": ["geolocation"],
    "geolocation": {"latitude": 32.915, "longitude": 115.815},
}


@pytest.fixture(scope="module")
def result():
    shown = toy_result()
    return replace(shown, publish={**shown.publish, "hotline": "12351"})


@pytest.fixture(scope="module")
def files(result, tmp_path_factory):
    folder = tmp_path_factory.mktemp("public")
    (folder / "public.html").write_text(redmap.render_public(result), encoding="utf-8")
    nasty = toy_result(names=NASTY)
    table = nasty.inputs.stations
    for k, column in enumerate(("address", "phone", "hours_text", "access")):
        table[column] = [NASTY[(i + k) % len(NASTY)] for i in range(len(table))]
    table["hours"] = None
    (folder / "nasty.html").write_text(redmap.render_public(nasty), encoding="utf-8")
    return folder


@pytest.fixture
def visit(chromium, files):
    @contextmanager
    def open_page(name="public.html", *, address="", clock=NOON, before="", **options):
        context = chromium.new_context(**{**PHONE, **options})
        page = context.new_page()
        troubles, requests = [], []
        page.on("console", lambda m: troubles.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: troubles.append(str(e)))
        page.on("request", lambda r: requests.append(r.url))
        page.clock.install(time=clock)
        if before:
            page.add_init_script(before)
        page.goto(f"{(files / name).as_uri()}{address}")
        page.locator('html[data-ready="1"]').wait_for(state="attached", timeout=20_000)
        yield page
        assert troubles == []
        assert [u for u in requests if not u.startswith(("file:", "data:", "blob:"))] == []
        context.close()

    return open_page


def tap(page, lon, lat):
    """Tap the place on the map, where no station lies under the finger."""
    page.evaluate("([x, y]) => RedMap.map.setView([y, x], 17, { animate: false })", [lon, lat])
    at = page.evaluate("""() => { const r = RedMap.map.getContainer().getBoundingClientRect();
        return [r.left + r.width / 2, r.top + r.height / 2]; }""")
    page.mouse.click(*at)


def test_first_screen_has_map_button_and_large_targets_without_scrolling(visit):  # (20)
    small = """() => [...document.querySelectorAll('button, select, summary, .maps a, .big')]
        .filter((n) => n.offsetParent).map((n) => [n.id || n.className || n.textContent, n.getBoundingClientRect()])
        .filter(([, r]) => r.height < 43.5 || r.width < 43.5).map(([n]) => n)"""
    with visit() as page:
        button, chart = page.locator("#locate").bounding_box(), page.locator("#stage").bounding_box()
        assert button["height"] >= 52
        assert button["y"] > 844 * 0.75  # under the thumb
        assert button["y"] + button["height"] <= 844
        assert chart["height"] > 250
        assert page.evaluate("document.documentElement.scrollHeight") <= 844
        assert page.evaluate(small) == []
        page.evaluate("RedMap.show(RedMap.data.stations[0], false)")
        assert page.evaluate(small) == []


def test_location_gives_the_nearest_that_are_not_closed_open_first(visit):  # (21), (24)
    with visit(**HERE, clock=NIGHT) as page:
        page.locator("#locate").click()
        page.locator("#list .way").first.wait_for()
        states = page.locator("#list .chip").evaluate_all(
            "(all) => all.map((n) => n.className.replace('chip ', ''))"
        )
        assert 0 < len(states) <= 5
        assert "closed" not in states
        assert states == sorted(states, key=("open", "unknown").index)
        assert "115" not in page.evaluate("location.hash")


@pytest.mark.parametrize(
    "before",
    [
        "navigator.geolocation.getCurrentPosition = (ok, bad) => bad({ code: 1 });",
        "Object.defineProperty(navigator, 'geolocation', { value: undefined });",
    ],
    ids=["refused", "none"],
)
def test_without_location_a_tap_does(visit, before):  # (22)
    with visit(before=before) as page:
        page.locator("#locate").click()
        assert "点一下" in page.locator("#hint").inner_text()
        tap(page, 115.8, 32.9)
        expect(page.locator("#list button")).to_have_count(5)


def test_works_without_modern_or_network_interfaces(visit):  # (34): WeChat
    before = "delete window.fetch; delete window.caches; Object.defineProperty(navigator, 'serviceWorker', { value: undefined });"
    with visit(before=before) as page:
        tap(page, 115.8, 32.9)
        expect(page.locator("#list button")).to_have_count(5)


def test_minutes_are_those_of_the_service_area_that_holds_the_place(visit, result):  # (21)
    frame = result.station_bands
    names = dict(zip(result.inputs.stations["station_id"], result.inputs.stations["name"], strict=True))
    order = list(names)
    slack = 60 / 111_195.0  # shapes are smoothed and coded on a grid: near an edge either answer will do
    rng = np.random.default_rng(3)
    west, south, east, north = frame.total_bounds
    checked = 0
    with visit() as page:
        for lon, lat in rng.uniform((west, south), (east, north), (40, 2)):
            found = dict(page.evaluate("(at) => [...RedMap.minutesFrom(at)]", [lon, lat]))
            for row, station in enumerate(order):
                own = frame[frame["station_id"] == station].sort_values("minutes")
                point = shapely.Point(lon, lat)
                shapes = own.geometry.to_numpy()
                if (shapely.distance(shapely.boundary(shapes), point) < slack).any():
                    continue
                held = own[shapely.contains(shapes, point)]
                expected = float(held["minutes"].iloc[0]) if len(held) else None
                assert found.get(row) == expected
                checked += expected is not None
    assert checked > 30


def test_open_until_agrees_with_the_build_on_real_days(visit):  # (23)
    hours = (
        "08:00-20:00", "24/7", "Mo-Fr 08:30-17:30", "Mo-Fr 09:00-17:00; Sa 10:00-12:00", "Fr,Sa 20:00-02:00",
        "08:00-12:00,14:00-18:00", "Mo-Su 08:00-20:00; PH off", "Mo-Fr 09:00-18:00; PH 10:00-12:00", "Mo-Sa 22:00-06:00",
    )  # fmt: skip
    special = [dt.date(2026, 2, 14), dt.date(2026, 10, 1), dt.date(2026, 10, 10)]  # worked, holiday, worked
    days = special + [dt.date(2026, 6, 1) + dt.timedelta(days=k) for k in range(7)]
    with visit() as page:
        for text, day in itertools.product(hours, days):
            for minute in (30, 5 * 60, 8 * 60 + 45, 11 * 60 + 59, 13 * 60, 17 * 60 + 45, 23 * 60):
                if day in special and minute < 6 * 60:
                    continue  # the build takes the whole day as another; the page the night before as it was
                number = (day - dt.date(1970, 1, 1)).days
                said = page.evaluate(
                    "([h, day, minute]) => RedMap.openness(h, { day, minute })", [text, number, minute]
                )
                moment = dt.datetime.combine(day, dt.time(minute // 60, minute % 60))
                assert (said["state"] == "open") == open_on(text, moment), (text, moment)
        assert page.evaluate("RedMap.openness('sunrise-sunset', RedMap.chinaMoment()).state") == "unknown"
        assert page.evaluate("RedMap.openness('', RedMap.chinaMoment()).state") == "unknown"


@pytest.mark.parametrize(
    ("clock", "words"), [(NOON, "开放至 20:00"), ("2026-11-23T19:00:00Z", "未开放，08:00 开门")]
)
def test_says_until_when_in_china_time_on_any_device(visit, clock, words):  # (23)
    with visit(clock=clock, timezone_id="America/New_York") as page:
        page.evaluate("RedMap.show(RedMap.data.stations[0], false)")
        assert words in page.locator("#card .status").inner_text()
        page.clock.fast_forward("17:00:00")
        assert words not in page.locator("#card .status").inner_text()


def test_hand_over_links_carry_gcj02(visit, result):
    table = result.inputs.stations
    lon, lat = from_wgs84(table["lon"].to_numpy(), table["lat"].to_numpy(), "gcj02")
    with visit() as page:
        for i in range(len(table)):
            links = page.evaluate("(i) => RedMap.handover(RedMap.data.stations[i])", i)
            there, turned = f"{lon[i]:.5f},{lat[i]:.5f}", f"{lat[i]:.5f},{lon[i]:.5f}"

            def rounded(link, key):
                pair = link.split(key, 1)[1].split("&")[0].split(",")[:2]
                return ",".join(f"{float(v):.5f}" for v in pair)

            assert rounded(links["amap"], "to=") == there
            assert "coordinate=gaode" in links["amap"]
            assert rounded(links["baidu"], "location=") == turned
            assert "coord_type=gcj02" in links["baidu"]
            assert rounded(links["tencent"], "tocoord=") == turned
            assert rounded(links["apple"], "daddr=") == turned
        page.evaluate("RedMap.show(RedMap.data.stations[0], false)")
        expect(page.locator(".maps a")).to_have_count(4)
        expect(page.locator(".maps a[rel='noopener noreferrer'][target='_blank']")).to_have_count(4)


def test_filters_hold_for_list_and_map_and_the_address(visit):  # (13), (25)
    with visit() as page:
        before = page.locator("#list button").count()
        page.locator("[data-service=first_aid]").click()
        expect(page.locator("#list button")).not_to_have_count(before)
        expect(page.locator("#list button")).not_to_have_count(0)
        at = page.evaluate("RedMap.data.stations.find((s) => !s.services.includes('first_aid')).at")
        found = "(at) => !!RedMap.hit(RedMap.map.latLngToContainerPoint([at[1], at[0]]), 3)"
        assert not page.evaluate(found, at)
        page.locator("#language").click()
        page.evaluate("RedMap.show(RedMap.data.stations[2], false)")
        address = page.evaluate("location.hash")
    with visit(address=address) as page:
        assert page.evaluate("document.documentElement.lang") == "en"
        assert page.locator("[data-service=first_aid]").get_attribute("aria-pressed") == "true"
        expect(page.locator("#card h2")).to_have_text("红色驿站第3站")
        page.locator("#back").click()
        page.locator("[data-service=first_aid]").click()
        assert page.evaluate(found, at)


@pytest.mark.parametrize(
    "address", ["#s=%3Cimg%3E&theme=x&sel=station:%00&open=9", "#lang=constructor&sel=__proto__", "#%E0%A4%A"]
)
def test_hostile_addresses_are_ignored(visit, address):  # (25)
    with visit(address=address) as page:
        expect(page.locator("#list button")).to_have_count(12)


def test_hostile_texts_stay_texts_in_every_field(visit):  # (5)
    with visit("nasty.html") as page:
        for i in range(len(NASTY)):
            page.evaluate("(i) => RedMap.show(RedMap.data.stations[i], false)", i)
            expect(page.locator("#card h2")).to_have_text(NASTY[i])
            shown = page.locator("#card").inner_text()
            assert all(text in shown for text in NASTY)
        assert "hacked" not in page.title()
        expect(page.locator("main img")).to_have_count(0)


def test_dark_at_night_by_hour_device_and_button(visit):  # (27)
    theme = "document.documentElement.dataset.theme"
    with visit(clock=NOON, color_scheme="light") as page:
        assert page.evaluate(theme) == "light"
        page.locator("#theme").click()
        assert page.evaluate(theme) == "dark"
        assert "theme=dark" in page.evaluate("location.hash")
    with visit(clock=NIGHT, color_scheme="light") as page:
        assert page.evaluate(theme) == "dark"
    with visit(clock=NOON, color_scheme="dark") as page:
        assert page.evaluate(theme) == "dark"


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize(
    "address",
    ["#lang=zh", "#lang=en&theme=dark", "#lang=zh&sel=station:S02", "#lang=en&theme=dark&sel=station:S03"],
)
def test_axe_finds_nothing_serious(visit, size, address):  # (28)
    with visit(address=address, reduced_motion="reduce", **size) as page:
        found = Axe().run(page).response["violations"]
        told = [
            (v["id"], [n["target"] for n in v["nodes"]][:3])
            for v in found
            if v["impact"] in ("serious", "critical")
        ]
        assert told == []


def test_keyboard_reaches_everything_and_escape_leads_back(visit):  # (29)
    with visit(**DESK, reduced_motion="reduce") as page:
        seen = set()
        for _ in range(60):
            page.keyboard.press("Tab")
            seen.add(
                page.evaluate(
                    "document.activeElement.id || document.activeElement.className || document.activeElement.dataset.service"
                )
            )
        assert {"theme", "language", "zoom-in", "locate", "only-open", "item"} <= seen
        page.locator("#list button").nth(1).focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.closest('#card') !== null")
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement === document.querySelectorAll('#list button')[1]")


@pytest.mark.parametrize(
    "viewport",
    [{"width": 320, "height": 640}, {"width": 195, "height": 422}, {"width": 720, "height": 450}],
    ids=["320", "phone at 200 %", "desk at 200 %"],
)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_sideways_scrolling_and_all_reachable(visit, viewport, lang):  # (26), (29)
    with visit(address=f"#lang={lang}", viewport=viewport) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        page.locator("#locate").scroll_into_view_if_needed()
        page.evaluate("RedMap.show(RedMap.data.stations[0], false)")
        page.locator(".maps a").last.scroll_into_view_if_needed()
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_hotline_approval_and_entry_are_shown(visit):  # (33)
    with visit() as page:
        assert page.locator("#hotline a").get_attribute("href") == "tel:12351"
        assert "审图号" in page.locator("#approval").inner_text()


def test_too_many_stations_share_their_areas(result, monkeypatch):
    monkeypatch.setattr(public, "AREAS_BYTES", 10)
    values, layers = public.content(result)
    assert values["bandsOf"] == "all"
    assert layers["bands"].features == len(result.bands)


def test_areas_of_closed_stations_are_not_drawn(visit):
    near = """() => { const want = RedMap.bandColour(0, RedMap.state.steps.length).match(/[0-9]+/g).map(Number); let n = 0;
        for (const c of document.querySelectorAll('.leaflet-tile')) { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
          for (let i = 0; i < d.length; i += 4) if (d[i] === want[0] && d[i + 1] === want[1] && d[i + 2] === want[2]) n++; }
        return n; }"""
    counts = []
    for clock in (NOON, NIGHT):
        with visit(clock=clock, address="#theme=light") as page:
            counts.append(page.evaluate(near))
    assert 0 < counts[1] < 0.9 * counts[0]
