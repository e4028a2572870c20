"""The page's 34 requirements (webmap.md §5), each by its number; ``REQUIREMENTS`` tells which tests hold which."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
from contextlib import contextmanager
from itertools import combinations, pairwise

import numpy as np
import pytest
from playwright.sync_api import expect

from geo import redmap
from geo.redmap import page as pages
from tests.geo.results import toy_result

pytestmark = pytest.mark.browser
SIZES = {"desk": (1440, 900), "small": (1024, 768), "phone": (390, 844)}
HERE, PAGE, WHATIF = "browser.test_requirements", "browser.test_page", "browser.test_whatif"
PUBLIC, CONTENT = "browser.test_public", "geo.test_redmap"
REQUIREMENTS = {
    1: [f"{PAGE}:test_opens_offline_without_errors_and_fits", "browser.test_firefox:test_r01_opens_in_firefox"],
    2: [f"{CONTENT}:test_page_asks_for_nothing"],
    3: [f"{CONTENT}:test_same_result_same_bytes"],
    4: [f"{HERE}:test_r04_sizes_of_the_sample", f"{HERE}:test_r04_sizes_of_a_city"],
    5: [f"{PAGE}:test_names_with_markup_stay_text", f"{PAGE}:test_tables_download_safely", f"{PUBLIC}:test_hostile_texts_stay_texts_in_every_field"],
    6: [f"{HERE}:test_r06_nearer_is_darker_and_the_slider_hides", f"{PAGE}:test_slider_hides_bands_and_legend_follows_layers"],
    7: [f"{HERE}:test_r07_gaps_have_a_hatch_and_an_outline"],
    8: [f"{HERE}:test_r08_steps_of_colour_can_be_told_apart"],
    9: [f"{PAGE}:test_legend_colour_is_the_map_colour", f"{HERE}:test_r09_legend_lists_what_is_shown_with_units"],
    10: [f"{HERE}:test_r10_states_differ_in_shape_and_stand_out", f"{PAGE}:test_station_state_has_three_values_by_time"],
    11: [f"{PAGE}:test_key_figures_equal_the_summary", f"{HERE}:test_r11_cards_are_the_figures_of_the_analysis"],
    12: [f"{HERE}:test_r12_layers_change_map_and_legend_and_survive"],
    13: [f"{HERE}:test_r13_filters_hold_for_map_figures_and_table", f"{HERE}:test_r13_open_now_is_the_hour_in_china"],
    14: [f"{HERE}:test_r14_the_table_sorts_flies_and_is_short", f"{PAGE}:test_gap_site_and_community_lists_fly_and_open"],
    15: [f"{HERE}:test_r15_sites_are_ranked_buttons_only_once"],
    16: [f"{HERE}:test_r16_before_and_after_the_sites"],
    17: [f"{HERE}:test_r17_search_among_ten_thousand_names", f"{WHATIF}:test_search_takes_the_first_letters_of_pinyin"],
    18: [f"{HERE}:test_r18_a_card_opens_three_ways_and_gives_the_focus_back", f"{HERE}:test_r18_a_card_flown_to_ends_wholly_in_view_on_a_phone", f"{HERE}:test_r18_a_tall_card_flown_to_ends_below_the_head_of_the_map"],
    19: [f"{PAGE}:test_map_click_names_the_community"],
    20: [f"{PUBLIC}:test_first_screen_has_map_button_and_large_targets_without_scrolling"],
    21: [f"{PUBLIC}:test_location_gives_the_nearest_that_are_not_closed_open_first", f"{PUBLIC}:test_minutes_are_those_of_the_service_area_that_holds_the_place"],
    22: [f"{PUBLIC}:test_without_location_a_tap_does"],
    23: [f"{PUBLIC}:test_says_until_when_in_china_time_on_any_device", f"{PUBLIC}:test_open_until_agrees_with_the_build_on_real_days"],
    24: [f"{HERE}:test_r24_the_position_stays_on_the_device"],
    25: [f"{PAGE}:test_state_lives_in_the_address", f"{PAGE}:test_hostile_addresses_are_ignored", f"{HERE}:test_r25_the_link_is_copied_or_said_how"],
    26: [f"{PAGE}:test_language_switch_leaves_no_mixed_text", f"{HERE}:test_r26_every_size_and_language_fits"],
    27: [f"{HERE}:test_r27_dark_by_device_and_button", f"{PUBLIC}:test_dark_at_night_by_hour_device_and_button"],
    28: [f"{WHATIF}:test_axe_finds_nothing_serious", f"{PUBLIC}:test_axe_finds_nothing_serious", f"{HERE}:test_r28_the_page_has_its_landmarks"],
    29: [f"{HERE}:test_r29_the_keyboard_does_everything", f"{HERE}:test_r29_calm_and_at_200_percent", f"{PUBLIC}:test_keyboard_reaches_everything_and_escape_leads_back"],
    30: ["browser.test_print:test_the_sheets_are_landscape_full_and_light"],
    31: [f"{PAGE}:test_tables_download_safely", f"{WHATIF}:test_what_is_shown_can_be_taken_along"],
    32: ["browser.test_tiles:test_nothing_is_asked_before_a_source_is_chosen", "browser.test_tiles:test_only_the_chosen_host_is_asked_and_failures_take_it_away"],
    33: [f"{HERE}:test_r33_the_foot_tells_date_source_approval_and_method"],
    34: [f"{HERE}:test_r34_the_scripts_are_es2020", f"{HERE}:test_r34_works_without_a_decompressor", f"{HERE}:test_r34_works_in_a_frame", f"{PUBLIC}:test_works_without_modern_or_network_interfaces"],
}  # fmt: skip
COLOURS = """() => { const out = {};
  if (RedMap.ground) RedMap.ground.flush();  // what waits to be painted would be counted half
  for (const c of document.querySelectorAll('.leaflet-tile')) {
    const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
    for (let i = 0; i < d.length; i += 4) { const k = d[i] + ',' + d[i + 1] + ',' + d[i + 2]; out[k] = (out[k] || 0) + 1; } }
  return out; }"""
AT_REST = """() => new Promise((told) => { const before = location.hash;
  setTimeout(() => told(before === location.hash), 700); })"""
SHOWS_OTHERS = (
    f"(before) => {{ const now = ({COLOURS})(); return JSON.stringify(now) !== JSON.stringify(before); }}"
)
FEWER = f"([colour, most]) => (({COLOURS})()[colour] || 0) < most"
CVD = {  # Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "normal": np.eye(3).tolist(), "grey": [[0.2126, 0.7152, 0.0722]] * 3,
}  # fmt: skip


def test_every_requirement_names_tests_that_exist():
    assert sorted(REQUIREMENTS) == list(range(1, 35))
    for number, tests in REQUIREMENTS.items():
        for test in tests:
            module, name = test.split(":")
            assert callable(getattr(importlib.import_module(f"tests.{module}"), name)), (number, test)


@pytest.fixture
def visit(chromium, sample_out):
    @contextmanager
    def open_page(address="", *, name="map.html", size="desk", folder=None, before="", **options):
        width, height = SIZES[size]
        context = chromium.new_context(
            **{"viewport": {"width": width, "height": height}, "reduced_motion": "reduce", **options}
        )
        page = context.new_page()
        troubles, requests = [], []
        page.on(
            "console",
            lambda m: (
                troubles.append(m.text)
                if m.type in ("error", "warning") and "readback" not in m.text
                else None
            ),
        )
        page.on("pageerror", lambda e: troubles.append(str(e)))
        page.on("request", lambda r: requests.append(r.url))
        if before:
            page.add_init_script(before)
        page.goto(f"{((folder or sample_out) / name).as_uri()}{address}")
        page.locator('html[data-ready="1"]').wait_for(state="attached", timeout=20_000)
        yield page
        assert troubles == []
        assert [u for u in requests if not u.startswith(("file:", "data:", "blob:"))] == []
        context.close()

    return open_page  # fmt: skip


def choose(page, patch):
    page.evaluate("(patch) => RedMap.choose(patch)", patch)


def covered(page):
    return page.evaluate("RedMap.blockNow('residents').covered")


def linear(colour):
    c = np.asarray(colour, float) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def oklab(rgb):
    lms = np.cbrt(np.clip(np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]]) @ rgb, 0, None))  # fmt: skip
    return 100 * np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099], [0.0259040371, 0.7827717662, -0.8086757660]]) @ lms  # fmt: skip


def luminance(colour):
    return float(np.array([0.2126, 0.7152, 0.0722]) @ linear(colour))


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def rgb(text):
    if text.startswith("#"):
        return [int(text[i : i + 2], 16) for i in (1, 3, 5)]
    return [int(v) for v in re.findall(r"\d+", text)[:3]]


def test_r04_sizes_of_the_sample(sample_out):
    assert (sample_out / "map.html").stat().st_size <= 1_000_000
    assert (sample_out / "public.html").stat().st_size <= 200_000


def test_r04_sizes_of_a_city(wuhan):
    assert len(redmap.render_planner(wuhan).encode()) <= 4_000_000
    assert len(redmap.render_public(wuhan).encode()) <= 300_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_r06_nearer_is_darker_and_the_slider_hides(visit, scheme):
    with visit("#on=bands", color_scheme=scheme) as page:
        steps = page.evaluate("RedMap.state.steps.map((m, i, all) => RedMap.bandColour(i, all.length))")
        ground = luminance(rgb(page.evaluate("RedMap.palette().ground")))
        away = [abs(luminance(rgb(c)) - ground) for c in steps]
        assert away == sorted(away, reverse=True)  # nearer stands out more from the ground, day and night
        farthest = ",".join(map(str, rgb(steps[-1])))
        before = page.evaluate(COLOURS)[farthest]
        assert before > 2000
        page.locator("#minutes").focus()
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#minutes")).to_have_attribute("aria-valuetext", "10 分钟")
        page.wait_for_function(
            FEWER, arg=[farthest, before / 100]
        )  # the smoothed edge of a nearer band can have its colour


def test_r07_gaps_have_a_hatch_and_an_outline(visit):
    with visit("#on=gaps") as page:
        gap = ",".join(map(str, rgb(page.evaluate("RedMap.palette().gap"))))
        assert page.evaluate(COLOURS)[gap] > 500  # the outline, at full strength
        line = page.evaluate("""() => { const g = RedMap.data.gaps[0], [lon, lat] = g.at;
          RedMap.map.setView([lat, lon], 16, { animate: false }); RedMap.ground.flush();
          const c = document.createElement('canvas'); c.width = c.height = 64;
          const v = RedMap.tileView({ x: 0, y: 0, z: 16 }, 64), [x, y] = RedMap.place(v, g.at);
          RedMap.paint(c.getContext('2d'), { ...v, left: v.left + x - 32, top: v.top + y + 40 }, { x: 0, y: 0, z: 16 }, 1, 'now');
          return [...c.getContext('2d').getImageData(0, 0, 64, 1).data]; }""")
        row = np.array(line).reshape(-1, 4)[:, :3].sum(axis=1)
        dark = row < (row.min() + row.max()) / 2
        assert row.max() - row.min() > 60
        assert 5 <= np.count_nonzero(np.diff(dark.astype(int)) == 1) <= 12  # lines every 8 px, no flat colour


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_r08_steps_of_colour_can_be_told_apart(visit, scheme):
    with visit(color_scheme=scheme) as page:
        bands = page.evaluate("[0, 1, 2].map((i) => RedMap.bandColour(i, 3))")
        areas = page.evaluate("RedMap.palette().area")
    for name, matrix in CVD.items():
        for ramp in (bands, areas):
            seen = [oklab(np.clip(np.array(matrix) @ linear(rgb(c)), 0, 1)) for c in ramp]
            least = min(float(np.linalg.norm(a - b)) for a, b in pairwise(seen))
            assert least >= 8, (scheme, name, ramp, least)


def test_r09_legend_lists_what_is_shown_with_units(visit):
    with visit("#on=areas,stations") as page:
        legend = page.locator("#legend")
        expect(legend).to_contain_text("80–100%")
        expect(legend).to_contain_text("社区内已覆盖人口比例")
        assert page.locator("#legend .layer:not(.off) .entries").count() == 2
        page.locator("#on-bands").check()
        expect(legend).to_contain_text("步行时间")
        expect(legend).to_contain_text("≤ 15 分钟")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_r10_states_differ_in_shape_and_stand_out(visit, scheme):
    draw = """(kind) => { const c = document.createElement('canvas'); c.width = c.height = 40;
        RedMap.mark(c.getContext('2d'), kind, 20, 20, 9); return [...c.getContext('2d').getImageData(0, 0, 40, 40).data].filter((_, i) => i % 4 === 3); }"""
    with visit(color_scheme=scheme) as page:
        shapes = {k: np.array(page.evaluate(draw, k)) > 127 for k in ("open", "closed", "unknown")}
        for a, b in combinations(shapes.values(), 2):
            assert np.count_nonzero(a != b) > 0.1 * np.count_nonzero(a | b)
        palette = page.evaluate("RedMap.palette()")
        red = rgb(page.evaluate("RedMap.bandColour(0, 3)"))
        assert contrast(rgb(palette["ring"]), red) >= 3
        for state in shapes:
            assert contrast(rgb(palette["ring"]), rgb(palette[state])) >= 3


def test_r11_cards_are_the_figures_of_the_analysis(visit, sample_out):
    told = json.loads((sample_out / "summary.json").read_text(encoding="utf-8"))
    block = told["demand"]["residents"]
    with visit() as page:
        expect(page.locator("#headline")).to_have_text(f"{block['share'] * 100:.1f}%")
        expect(page.locator("#kpi-gaps b")).to_have_text(f"{told['gaps']['count']:,}")
        assert page.evaluate("RedMap.block().covered") == pytest.approx(block["covered"], abs=1e-6)
        assert page.evaluate("RedMap.data.plan.after") == pytest.approx(told["siting"]["covered_after"], abs=1) if "siting" in told else True  # fmt: skip


def test_r12_layers_change_map_and_legend_and_survive(visit):
    with visit("#map=14/32.9/115.81") as page:
        for key in ("names", "roads", "gaps", "sites", "stations", "bands"):
            before = page.evaluate(COLOURS)
            entries = page.locator("#legend .entries").count()
            page.locator(f"#on-{key}").uncheck()
            page.wait_for_function(SHOWS_OTHERS, arg=before)
            if key != "names":
                expect(page.locator("#legend .entries")).to_have_count(entries - 1)
        page.reload()
        page.locator('html[data-ready="1"]').wait_for(state="attached")
        assert not page.evaluate("['roads', 'gaps', 'sites', 'stations', 'bands', 'names'].some((k) => RedMap.state.on[k])")  # fmt: skip


def test_r13_filters_hold_for_map_figures_and_table(visit):
    with visit("#tab=whatif") as page:
        kinds = page.evaluate("RedMap.distinct('kind')")
        page.locator(f'#pane [data-key="{kinds[0]}"]').click()
        page.locator('html[data-computed]:not([data-computed="base"])').wait_for(state="attached")
        page.wait_for_function("() => RedMap.now && RedMap.now.choice.kinds.length === 1")
        one = covered(page)
        left_out = page.evaluate("RedMap.data.stations.filter((s) => s.kind !== RedMap.choice.kinds[0]).map((s) => s.id)")  # fmt: skip
        assert not page.evaluate("RedMap.shown(RedMap.data.stations.find((s) => s.kind !== RedMap.choice.kinds[0]))")  # fmt: skip
        table = page.evaluate("RedMap.data.communities.map(RedMap.communityNow).reduce((sum, c) => sum + (c.covered || 0), 0)")  # fmt: skip
        assert table == pytest.approx(one, abs=1)
        address = page.evaluate("location.hash")
        choose(page, {"kinds": [], "off": left_out})  # the same by another way: all the others closed
        assert covered(page) == pytest.approx(one)
    with visit(address) as page:
        assert page.evaluate("RedMap.choice.kinds") == kinds[:1]
        assert covered(page) == pytest.approx(one)


def test_r13_open_now_is_the_hour_in_china(visit):
    clock = "Date.now = () => 1795532400000;"  # Tuesday 24 November 2026, 23:00 in China
    with visit("#tab=whatif", before=clock, timezone_id="America/New_York") as page:
        page.get_by_role("button", name="现在这个钟点").click()
        page.wait_for_function("() => RedMap.now && RedMap.now.choice.at === 47")


def test_r14_the_table_sorts_flies_and_is_short(visit):
    with visit("#tab=communities") as page:
        page.get_by_role("button", name="人口").click()
        people = page.locator("#communities tbody td:nth-child(2)").all_inner_texts()
        numbers = [int(n.replace(",", "")) for n in people]
        assert numbers == sorted(numbers, reverse=True)
        row = page.locator("#communities tbody button").nth(3)
        row.click()
        expect(page.locator(".leaflet-popup-content h3")).to_have_text(row.inner_text())
        page.evaluate(
            "for (let i = 0; i < 600; i++) RedMap.data.communities.push({ ...RedMap.data.communities[0], id: 'more' + i, name: '第' + i + '社区' })"
        )
        page.evaluate("RedMap.render()")
        expect(page.locator("#communities tbody tr")).to_have_count(200)


def test_r15_sites_are_ranked_buttons_only_once(visit, sample_result):
    with visit("#tab=sites") as page:
        buttons = page.locator("#site-list button")
        expect(buttons).to_have_count(len(sample_result.recommendations))
        for i, site in enumerate(sample_result.recommendations.to_dict("records")):
            expect(buttons.nth(i).locator(".rank")).to_have_text(str(i + 1))
            expect(buttons.nth(i)).to_contain_text(f"+{site['gain']:,.0f}")
        # on the map they are painted: nothing there takes the focus
        assert page.locator(".leaflet-pane [tabindex], .leaflet-pane button").count() == 0


def test_r16_before_and_after_the_sites(visit, sample_result):
    plan = sample_result.plan
    with visit("#tab=sites") as page:
        before = page.evaluate(COLOURS)
        page.get_by_role("button", name="全部采用后").click()
        share = plan.covered_after / sample_result.coverage.layers["residents"]["total"]
        expect(page.locator("#sites-share")).to_have_text(f"{share * 100:.1f}%")
        page.wait_for_function(SHOWS_OTHERS, arg=before)
        page.get_by_role("button", name="现状").click()
        expect(page.locator("#sites-share")).to_have_count(0)


def test_r17_search_among_ten_thousand_names(visit, sample_out, tmp_path):
    html = (sample_out / "map.html").read_text(encoding="utf-8")
    found = re.search(r'(id="redmap-data">)(.*?)(</script>)', html, re.DOTALL)
    data = json.loads(found[2])
    like = data["communities"][0]
    data["communities"] += [{**like, "id": f"X{i}", "name": f"城东{i:05d}社区 East {i:05d}", "py": ""} for i in range(10_000)]  # fmt: skip
    (tmp_path / "map.html").write_text(html[: found.start(2)] + pages.json_in_html(data) + html[found.end(2) :], encoding="utf-8")  # fmt: skip
    with visit("", folder=tmp_path) as page:
        for part in ("07431", "东07431", "east 07431"):
            page.locator("#search").fill(part)
            expect(page.locator("#search-list button")).to_have_count(1)
            expect(page.locator("#live")).to_have_text("1 条结果")
        page.locator("#search").fill("城东0")
        expect(page.locator("#search-list button")).to_have_count(12)
        expect(page.locator("#live")).to_have_text("10,000 条结果")


def test_r18_a_card_opens_three_ways_and_gives_the_focus_back(visit, sample_result):
    station = sample_result.inputs.stations.iloc[2]
    card = ".leaflet-popup-content"
    with visit() as page:
        page.locator("#search").fill(station["name"])
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")  # the keyboard, by the search
        expect(page.locator(f"{card} h3")).to_have_text(station["name"])
        assert page.evaluate("document.activeElement.tagName") == "H3"
        text = page.locator(card).inner_text()
        for word in ("开放时间", "来源单位", "数据日期", "高德地图"):
            assert word in text
        assert page.locator(f"{card} a[href^='https://uri.amap.com/navigation']").count() == 1
        phone = page.evaluate("(id) => RedMap.data.stations.find((s) => s.id === id).phone", station["station_id"])  # fmt: skip
        if re.fullmatch(r"[\d\s+()-]{5,}", phone):
            assert page.locator(f"{card} a[href^='tel:']").count() == 1
        page.keyboard.press("Escape")
        expect(page.locator(card)).to_have_count(0)
        expect(page.locator("#search-list button").first.or_(page.locator("#pane"))).not_to_have_count(0)
        page.locator("#tab-gaps").click()
        second = page.locator("#gap-list button").nth(1)
        second.focus()
        page.keyboard.press("Enter")  # the keyboard, by a list
        page.locator(card).wait_for()
        page.keyboard.press("Escape")
        expect(second).to_be_focused()
        page.locator("#site-list button, #tab-sites").first.click()
        page.locator("#site-list button").first.click()  # the list, by mouse
        page.locator(card).wait_for()
        page.keyboard.press("Escape")
        at = page.evaluate("""(id) => { const s = RedMap.data.stations.find((x) => x.id === id); RedMap.map.setView([s.at[1], s.at[0]], 17, { animate: false });
            const r = RedMap.map.getContainer().getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; }""", station["station_id"])  # fmt: skip
        page.mouse.click(*at)  # the map
        expect(page.locator(f"{card} h3")).to_have_text(station["name"])


def test_r18_a_tall_card_flown_to_ends_below_the_head_of_the_map(visit):
    with visit("#tab=sites", size="small", reduced_motion="no-preference") as page:
        page.locator("#site-list button").first.click()
        page.wait_for_function(
            "() => { const card = document.querySelector('.leaflet-popup');"
            " return card && card.getBoundingClientRect().top >= RedMap.map.getContainer().getBoundingClientRect().top; }",
            timeout=15000,
        )


def test_r18_a_card_flown_to_ends_wholly_in_view_on_a_phone(visit):
    with visit("#tab=gaps", size="phone", reduced_motion="no-preference") as page:
        for row in range(3):
            page.locator("#gap-list .item").nth(row).click()
            expect(page.locator(".leaflet-popup h3")).to_be_visible()
            page.wait_for_function(
                "() => { const r = document.querySelector('.leaflet-popup').getBoundingClientRect();"
                " return r.left >= 0 && r.right <= innerWidth && r.top >= 0; }",
                timeout=5000,
            )
            page.wait_for_timeout(700)  # and it stays there
            box = page.locator(".leaflet-popup").bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= SIZES["phone"][0]


def test_r24_the_position_stays_on_the_device(visit):
    here = {"permissions": ["geolocation"], "geolocation": {"latitude": 32.9, "longitude": 115.81}}
    with visit(name="public.html", size="phone", **here) as page:
        page.locator("#locate").click()
        page.locator("#list .way").first.wait_for()
        assert not re.search(r"115\.8|32\.9", page.evaluate("location.href"))
        kept = page.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage })")
        assert "115" not in kept


def test_r25_the_link_is_copied_or_said_how(visit):
    before = "Object.defineProperty(navigator, 'clipboard', { value: { writeText: () => Promise.reject(new Error('no')) } });"
    with visit("#tab=gaps", before=before) as page:
        page.locator("#copy").click()
        expect(page.locator(".toast")).to_contain_text("地址栏")
    with visit("#tab=gaps", permissions=["clipboard-read", "clipboard-write"]) as page:
        page.wait_for_function(AT_REST)  # on a slow machine the map still settles in its frame
        page.locator("#copy").click()
        expect(page.locator(".toast")).to_contain_text("已复制")
        assert page.evaluate("navigator.clipboard.readText()") == page.url


@pytest.mark.parametrize("name", ["map.html", "public.html"])
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("size", SIZES)
def test_r26_every_size_and_language_fits(visit, name, lang, size):
    hidden = """() => { const wide = document.documentElement.clientWidth;
        return [...document.querySelectorAll('button, select, input, h1')].filter((n) => n.offsetParent && !n.closest('.services-wanted, .live, [hidden]'))
          .map((n) => [n.id || n.className || n.textContent, n.getBoundingClientRect()]).filter(([, r]) => r.width && (r.right > wide + 1 || r.left < -1)).map(([n]) => n); }"""
    with visit(f"#lang={lang}", name=name, size=size) as page:
        for tab in ("overview", "gaps", "sites", "whatif", "communities", "data") if name == "map.html" else ("",):  # fmt: skip
            if tab:
                page.locator(f"#tab-{tab}").click()
            assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
            assert page.evaluate(hidden) == []


def test_r26_many_people_are_told_in_ten_thousands(visit):
    with visit() as page:
        told = page.evaluate("[99999, 100000, 2892787].map((n) => RedMap.count(n))")
        assert told == ["99,999", "10.0 万", "289.3 万"]
        page.locator("#language").click()
        assert page.evaluate("RedMap.count(2892787)") == "2,892,787"


def test_r27_dark_by_device_and_button(visit):
    theme = "document.documentElement.dataset.theme"
    with visit(color_scheme="dark") as page:
        assert page.evaluate(theme) == "dark"
        night = page.evaluate(COLOURS)
        page.locator("#theme").click()
        assert page.evaluate(theme) == "light"
        assert "theme=light" in page.evaluate("location.hash")
        page.wait_for_function(SHOWS_OTHERS, arg=night)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 245, 242)"
    with visit("#theme=dark", color_scheme="light") as page:
        assert page.evaluate(theme) == "dark"


@pytest.mark.parametrize("name", ["map.html", "public.html"])
def test_r28_the_page_has_its_landmarks(visit, name):
    with visit(name=name) as page:
        assert page.locator("h1").count() == page.locator("main").count() == 1
        assert page.locator("#live[aria-live=polite]").count() == 1
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "panel"
        assert page.locator("#panel").get_attribute("aria-label")
        assert page.locator(".folium-map").get_attribute("aria-label")


def test_r29_the_keyboard_does_everything(visit):
    told = (
        "document.activeElement.id || document.activeElement.dataset.key || document.activeElement.className"
    )
    with visit() as page:
        seen = []
        for _ in range(70):
            page.keyboard.press("Tab")
            seen.append(page.evaluate(told))
            if seen[-1] != "skip":
                assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 3
        order = ["skip", "search", "copy", "print", "full", "theme", "language", "tab-overview", "pane", "zoom-in", "zoom-out", "zoom-home", "on-bands", "tiles"]  # fmt: skip
        places = [seen.index(name) for name in order]
        assert places == sorted(places)
        page.locator(".folium-map").focus()
        centre, zoom = "RedMap.map.getCenter().lng", "RedMap.map.getZoom()"
        was = page.evaluate(f"[{centre}, {zoom}]")
        page.keyboard.press("ArrowRight")
        page.wait_for_function(f"() => {centre} > {was[0]}")
        page.keyboard.press("+")
        page.wait_for_function(f"() => {zoom} > {was[1]}")
        page.wait_for_function("() => !RedMap.map._animatingZoom")
        page.keyboard.press("-")
        page.wait_for_function(f"() => {zoom} <= {was[1]}")


def test_r29_calm_and_at_200_percent(visit):
    with visit("#tab=gaps") as page:
        page.evaluate("() => { window.flights = 0; RedMap.map.on('zoomanim', () => { window.flights++; }); }")
        page.locator("#gap-list button").first.click()
        page.locator(".leaflet-popup").wait_for()
        assert page.evaluate("window.flights") == 0
        assert page.evaluate("RedMap.map.getZoom()") >= 14
    with visit(viewport={"width": 720, "height": 450}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 720
        for tab in ("gaps", "sites", "whatif", "communities", "data"):
            page.locator(f"#tab-{tab}").click()
            assert page.evaluate("document.documentElement.scrollWidth") <= 720


def test_r33_the_foot_tells_date_source_approval_and_method(visit, tmp_path):
    from dataclasses import replace

    result = toy_result()
    numbered = replace(result, publish={**result.publish, "map_approval_number": "皖S（2026）1号"})
    for name, render in (("map.html", redmap.render_planner), ("public.html", redmap.render_public)):
        (tmp_path / name).write_text(render(numbered), encoding="utf-8")
    for name in ("map.html", "public.html"):
        with visit(name=name) as page:
            assert page.evaluate("RedMap.layers.edge === undefined")  # no boundary without a number
            foot = page.locator(".foot")
            for word in ("审图号：待填", "OpenStreetMap", "2026-11-01", "方法"):
                expect(foot).to_contain_text(word)
            assert page.locator("#approval").bounding_box()["x"] < SIZES["desk"][0] / 2
            page.locator("#method").click()
            expect(page.locator("#tab-data" if name == "map.html" else "#source-note")).to_be_in_viewport()
        with visit(name=name, folder=tmp_path) as page:
            expect(page.locator("#approval")).to_contain_text("皖S（2026）1号")
            assert page.evaluate("RedMap.layers.edge.count") == 1


def node(*arguments, text):
    path = shutil.which("node") or shutil.which("nodejs")
    if path is None:
        pytest.skip("no Node found")
    return subprocess.run([path, *arguments], input=text, text=True, capture_output=True, check=False)


def test_r34_the_scripts_are_es2020():
    scripts = {name: pages.asset(name) for view in pages.SCRIPTS.values() for name in view}
    scripts["unpack.js"] = pages.asset("unpack.js")
    code = """const { parse } = require('internal/deps/acorn/acorn/dist/acorn');
      for (const [name, text] of Object.entries(JSON.parse(require('fs').readFileSync(0, 'utf8')))) {
        try { parse(text, { ecmaVersion: 2020, sourceType: 'script' }); } catch (error) { console.log(name + ': ' + error.message); } }"""
    checked = node("--expose-internals", "-e", code, text=json.dumps(scripts))
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    newer = re.compile(r"\.(?:replaceAll|at|findLast|toSorted|hasOwn|structuredClone)\(|[|&?]{2}=")
    assert [name for name, text in scripts.items() if newer.search(text)] == []


@pytest.mark.parametrize("name", ["map.html", "public.html"])
def test_r34_works_without_a_decompressor(visit, name):
    with visit(name=name, before="delete window.DecompressionStream; delete window.fetch;") as page:
        assert page.locator(".leaflet-tile").count() > 0
        assert len(page.evaluate(COLOURS)) > 20


@pytest.mark.parametrize("name", ["map.html", "public.html"])
def test_r34_works_in_a_frame(chromium, sample_out, tmp_path, name):
    (tmp_path / "frame.html").write_text(f'<!DOCTYPE html><iframe width="900" height="700" src="{(sample_out / name).as_uri()}"></iframe>', encoding="utf-8")  # fmt: skip
    page = chromium.new_page()
    page.goto((tmp_path / "frame.html").as_uri())
    page.frame_locator("iframe").locator('html[data-ready="1"]').wait_for(state="attached", timeout=20_000)
    page.close()
