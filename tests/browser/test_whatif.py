"""The planner page computes by itself: filters, trial stations, closures, comparison, all without a server."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import expect

from geo import pipeline
from geo.config import DAYS
from geo.errors import InputError

pytestmark = pytest.mark.browser
DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}


AXE = next(Path(axe_playwright_python.__file__).parent.rglob("axe.min.js")).read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
GAP_ON_SCREEN = """() => {
  const [lon, lat] = RedMap.data.gaps[0].at, p = RedMap.map.latLngToContainerPoint([lat, lon]), box = RedMap.map.getContainer().getBoundingClientRect();
  return [box.left + p.x, box.top + p.y];
}"""


@pytest.fixture
def visit(chromium, sample_out):
    @contextmanager
    def open_page(address="", *, viewport=DESKTOP, **options):
        context = chromium.new_context(viewport=viewport, accept_downloads=True, **options)
        page = context.new_page()
        troubles, requests = [], []
        page.on("console", lambda m: troubles.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: troubles.append(str(e)))
        page.on("request", lambda r: requests.append(r.url))
        page.goto(f"{(sample_out / 'map.html').as_uri()}{address}")
        page.locator('html[data-ready="1"]').wait_for(state="attached", timeout=20_000)
        yield page
        assert not troubles
        assert all(url.startswith(("file:", "data:", "blob:")) for url in requests)
        context.close()

    return open_page


def choose(page, patch):
    page.evaluate("(patch) => RedMap.choose(patch)", patch)


def layer(page, name="residents"):
    return page.evaluate("(name) => RedMap.now && RedMap.now.layers[name]", name)


def test_the_study_itself_shows_the_figures_of_the_analysis(visit, sample_result):
    with visit("#tab=whatif") as page:
        assert page.evaluate("RedMap.now") is None
        share = sample_result.coverage.layers["residents"]["share"]
        expect(page.locator("#now-share")).to_have_text(f"{share * 100:.1f}%")
        choose(page, {"minutes": 14})
        choose(page, {"minutes": 15})
        assert page.evaluate("RedMap.now") is None  # back at the study's own choice


def test_services_and_hours_give_the_analysis_figures(visit, sample_result):
    block = sample_result.coverage.layers["residents"]
    with visit() as page:
        for service, share in block["share_by_service"].items():
            choose(page, {"services": [service]})
            assert layer(page)["share"] == pytest.approx(share, abs=1e-6)
        choose(page, {"services": []})
        for time, share in block["share_by_time"].items():
            day, clock = time.split(" ")
            choose(page, {"at": DAYS.index(day) * 24 + int(clock[:2])})
            assert layer(page)["share"] == pytest.approx(share, abs=1e-6)


def test_the_week_is_the_week_table_of_the_analysis(visit, cache_dir):
    table = pipeline.week_table(pipeline.sample_study(), modes=("walk",), cache_dir=cache_dir)
    want = table[(table["service"] == "") & (table["layer"] == "residents")].set_index("hour")["share"]
    with visit("#tab=whatif") as page:
        page.locator('html[data-week="1"]').wait_for(state="attached", timeout=20_000)
        rows = page.evaluate("RedMap.week168.map((r) => r[0] / RedMap.data.summary.demand.residents.total)")
        assert rows == pytest.approx(list(want), abs=1e-6)
        page.locator("#hour-47").click()  # Tuesday 23:00
        page.locator('html[data-computed]:not([data-computed="base"])').wait_for(state="attached")
        assert layer(page)["share"] == pytest.approx(want[47], abs=1e-6)


def test_a_recommended_site_gains_what_the_plan_says(visit, sample_result):
    first = sample_result.recommendations.iloc[0]
    before = sample_result.coverage.layers["residents"]["covered"]
    with visit() as page:
        page.evaluate("(id) => RedMap.select('site', id, true)", str(first["venue_id"]))
        page.locator("#open-site").click()
        page.locator('html[data-computed]:not([data-computed="base"])').wait_for(state="attached")
        assert layer(page)["covered"] - before == pytest.approx(first["gain"], abs=1.0)
        gained = dict(page.evaluate("RedMap.gainers()"))
        for part in first["communities_gain"][:3]:
            assert gained[part["name"]] == pytest.approx(part["people"], abs=1.0)


def test_a_closed_station_loses_its_people_and_the_address_keeps_it(
    visit, sample_result, tmp_path, cache_dir
):
    station = str(sample_result.inputs.stations["station_id"].iloc[3])
    with visit() as page:
        page.evaluate("(id) => RedMap.select('station', id, true)", station)
        page.locator("#shut").click()
        page.locator('html[data-computed]:not([data-computed="base"])').wait_for(state="attached")
        covered, address = layer(page)["covered"], page.evaluate("location.hash")
    assert f"off={station}" in address
    trial = tmp_path / "trial.json"
    trial.write_text(json.dumps({"redmap": "trial", "close": [station], "add": []}), encoding="utf-8")
    closed = pipeline.run(pipeline.sample_study(), trial=trial, cache_dir=cache_dir)
    assert closed.coverage.layers["residents"]["covered"] == pytest.approx(covered, abs=0.5)
    with visit(address) as page:
        assert layer(page)["covered"] == pytest.approx(covered)


def test_a_trial_station_is_placed_dragged_saved_loaded_and_built(visit, tmp_path, cache_dir):
    with visit(
        "#tab=whatif&lang=en", reduced_motion="reduce"
    ) as page:  # a map that moves is clicked elsewhere
        page.get_by_text("Add a trial station").click()
        x, y = page.evaluate(GAP_ON_SCREEN)
        page.mouse.click(x, y)
        page.locator("#trial-list .trial").wait_for()
        page.locator('html[data-computed]:not([data-computed="base"])').wait_for(state="attached")
        start = layer(page)["covered"]
        pin = page.locator(".trial-pin").bounding_box()
        page.mouse.move(pin["x"] + 15, pin["y"] + 15)
        page.mouse.down()
        for step in range(8):
            page.mouse.move(pin["x"] + 15 + 9 * step, pin["y"] + 15)
        page.mouse.up()
        page.evaluate("RedMap.compute()")
        moved = layer(page)["covered"]
        assert moved != start
        with page.expect_download() as saved:
            page.get_by_text("Save", exact=True).click()
        saved.value.save_as(tmp_path / "trial.json")
        choose(page, {"add": []})
        expect(page.locator(".trial-pin")).to_have_count(0)
        page.locator("#trial-file").set_input_files(tmp_path / "trial.json")
        page.locator(".trial-pin").wait_for()
        page.evaluate("RedMap.compute()")
        assert layer(page)["covered"] == pytest.approx(moved, abs=1.0)
    built = pipeline.run(pipeline.sample_study(), trial=tmp_path / "trial.json", cache_dir=cache_dir)
    # a trial joins the drawn way, which is rounded to 2 m; the analysis joins the surveyed one
    assert built.coverage.layers["residents"]["covered"] == pytest.approx(moved, rel=0.005)
    assert built.inputs.stations["kind"].iloc[-1] == "trial"


@pytest.mark.parametrize(
    ("text", "said"),
    [("no json", "not JSON"), ('{"redmap": "x"}', "trial"), ('{"redmap": "trial", "close": ["nowhere"]}', "no station of this id"),
     ('{"redmap": "trial", "add": [{"name": "a", "lon": 500, "lat": 1}]}', "wrong value"),
     ('{"redmap": "trial", "add": [{"name": "a", "lon": 115.8, "lat": 32.9, "services": ["beer"]}]}', "unknown service"),
     ('{"redmap": "trial", "add": [{"name": "a", "lon": 115.8, "lat": 32.9, "hours": "whenever"}]}', "add.0.hours")],
)  # fmt: skip
def test_a_wrong_trial_is_answered(tmp_path, cache_dir, text, said):
    (tmp_path / "t.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(said)):
        pipeline.run(pipeline.sample_study(), trial=tmp_path / "t.json", cache_dir=cache_dir)


def test_gaps_communities_and_table_follow_the_choice(visit):
    with visit("#f=walk,15,toilet,47&tab=gaps") as page:
        expect(page.locator("#banner")).to_be_visible()
        shown = page.evaluate("RedMap.now.gaps.reduce((s, g) => s + g.people, 0)")
        block = layer(page)
        assert shown == pytest.approx(block["total"] - block["covered"], abs=1.0)
        page.locator("#tab-communities").click()
        left = page.evaluate(
            "RedMap.data.communities.map(RedMap.communityNow).reduce((s, c) => s + (c.covered || 0), 0)"
        )
        assert left == pytest.approx(block["covered"], abs=1.0)
        page.get_by_role("button", name="恢复研究口径").first.click()
        page.locator('html[data-computed="base"]').wait_for(state="attached")
        expect(page.locator("#banner")).to_have_count(0)


def test_the_pages_own_gaps_are_those_of_the_study(visit):
    with visit() as page:
        found, told = (
            page.evaluate("""async () => { const choice = RedMap.baseChoice(), ask = RedMap.askOf(choice);
            const now = RedMap.read(choice, ask, await RedMap.ask('figures', ask), 1);
            return [now.gaps.map((g) => g.people), RedMap.data.gaps.map((g) => g.people)]; }""")
        )
    assert found == pytest.approx(told, abs=0.1)


def test_two_choices_stand_beside_each_other(visit):
    with visit("#tab=whatif&lang=en") as page:
        page.get_by_text("Pin to the left to compare").click()
        choose(page, {"at": 47})
        bar = page.locator("#divider").bounding_box()
        page.mouse.move(bar["x"] + 14, bar["y"] + 300)
        page.mouse.down()
        page.mouse.move(bar["x"] + 214, bar["y"] + 300)
        page.mouse.up()
        assert page.evaluate("RedMap.swipe") > 0.6
        page.locator("#swipe").focus()
        page.keyboard.press("ArrowLeft")
        page.get_by_text("Stop comparing").click()
        expect(page.locator("#divider")).to_have_count(0)


def test_the_week_is_walked_with_arrows(visit):
    with visit("#tab=whatif") as page:
        page.locator('html[data-week="1"]').wait_for(state="attached", timeout=20_000)
        expect(page.locator("#week [tabindex='0']")).to_have_count(1)
        page.locator("#hour-0").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.id") == "hour-25"
        page.keyboard.press("Enter")
        page.locator('html[data-computed]:not([data-computed="base"])').wait_for(state="attached")
        assert page.evaluate("RedMap.choice.at") == 25


@pytest.mark.parametrize(
    "hostile",
    [
        "#f=walk,1e9,%3Cscript%3E,999",
        "#f=,,,&off=nobody&open=..&add=999,999,x,9;a,b,c,d",
        "#add=%00,%00,%00,%00",
    ],
)
def test_a_hostile_address_changes_nothing(visit, hostile):
    with visit(hostile) as page:
        assert page.evaluate("RedMap.isBase(RedMap.choice)")


def test_on_a_phone_everything_fits_and_can_be_touched(visit):
    with visit("#tab=whatif", viewport=PHONE, has_touch=True) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        low = "[...document.querySelectorAll('.pill:not(.small)')].filter((p) => p.getBoundingClientRect().height < 44).length"
        assert page.evaluate(low) == 0


@pytest.mark.parametrize("tab", ["overview", "gaps", "sites", "whatif", "communities", "data"])
@pytest.mark.parametrize(
    "look", [{}, {"color_scheme": "dark"}, {"viewport": PHONE}], ids=["light", "dark", "phone"]
)
def test_axe_finds_nothing_serious(visit, tab, look):
    with visit(f"#tab={tab}&add=115.76,32.88,water,0&f=walk,15,toilet,47", **look) as page:
        page.locator('html[data-week="1"]').wait_for(state="attached", timeout=20_000)
        found = page.evaluate(f"{AXE}\n;axe.run(document, {{runOnly: {RULES}}})")["violations"]
        assert [
            (v["id"], v["nodes"][0]["html"][:120]) for v in found if v["impact"] in {"serious", "critical"}
        ] == []


def test_search_takes_the_first_letters_of_pinyin(visit, sample_result):
    from geo.redmap.payload import initials

    name = str(sample_result.inputs.communities["name"].iloc[5])
    with visit() as page:
        page.locator("#search").fill(initials(name))
        page.locator("#search-list button").first.wait_for()
        assert name in page.locator("#search-list").inner_text()


def test_cards_tell_both_datums(visit, sample_result):
    import numpy as np

    from geo.intake.datum import from_wgs84

    station = sample_result.inputs.stations.iloc[0]
    x, y = from_wgs84(np.array([station["lon"]]), np.array([station["lat"]]), "gcj02")
    with visit() as page:
        page.evaluate("(id) => RedMap.select('station', id, true)", str(station["station_id"]))
        card = page.locator(".leaflet-popup-content").inner_text()
        assert f"{station['lat']:.5f}, {station['lon']:.5f}" in card
        assert f"{y[0]:.5f}, {x[0]:.5f}" in card


def test_what_is_shown_can_be_taken_along(visit, tmp_path):
    with visit("#tab=data&f=walk,15,toilet,47") as page:
        with page.expect_download() as saved:
            page.locator("#save-png").click()
        saved.value.save_as(tmp_path / "map.png")
        width, height = (int.from_bytes((tmp_path / "map.png").read_bytes()[i : i + 4]) for i in (16, 20))
        assert width > 1000
        assert height > 1000
        with page.expect_download() as saved:
            page.locator("#save-geo").click()
        saved.value.save_as(tmp_path / "layers.geojson")
        features = json.loads((tmp_path / "layers.geojson").read_text(encoding="utf-8"))["features"]
        assert {f["properties"]["layer"] for f in features} == {"station", "gap", "site"}
        states = {f["properties"]["state"] for f in features if f["properties"]["layer"] == "station"}
        assert "closed" in states  # Tuesday 23:00


def test_the_hint_is_shown_once(visit):
    with visit() as page:
        expect(page.locator("#hint")).to_be_visible()
        page.locator("#hint button").click()
        expect(page.locator("#hint")).to_have_count(0)
        page.reload()
        page.locator('html[data-ready="1"]').wait_for(state="attached")
        expect(page.locator("#hint")).to_have_count(0)


def test_braces_in_names_stay_text(chromium, tmp_path):
    from geo import redmap
    from tests.geo.results import toy_result

    names = ["{{7*7}}", "{% raw %}", "{% endraw %}{{ 7*7 }}", "{# note #}"]
    (tmp_path / "map.html").write_text(redmap.render_planner(toy_result(names=names)), encoding="utf-8")
    page = chromium.new_page()
    page.goto((tmp_path / "map.html").as_uri())
    page.locator('html[data-ready="1"]').wait_for(state="attached")
    assert page.evaluate("RedMap.data.stations.slice(0, 4).map((s) => s.name)") == names
    page.close()


def test_the_back_button_goes_back_a_view(visit, sample_result):
    station = str(sample_result.inputs.stations["station_id"].iloc[3])
    with visit("#lang=zh") as page:
        steps = page.evaluate("history.length")
        page.locator("#tab-whatif").click()
        page.wait_for_timeout(600)
        choose(page, {"off": [station]})
        page.evaluate("RedMap.map.setZoom(14, { animate: false })")  # moving the map is not a step
        assert page.evaluate("history.length") == steps + 2
        page.go_back()
        page.locator('html[data-computed="base"]').wait_for(state="attached")
        assert page.evaluate("[RedMap.state.tab, RedMap.choice.off.length]") == ["whatif", 0]
        page.go_back()
        page.locator("#tab-overview[aria-selected=true]").wait_for()
        page.go_forward()
        page.go_forward()
        page.locator('html[data-computed]:not([data-computed="base"])').wait_for(state="attached")
        assert page.evaluate("RedMap.choice.off") == [station]
        assert page.evaluate("history.length") == steps + 2


def test_a_slider_that_is_dragged_is_one_step(visit):
    with visit("#lang=zh&tab=whatif") as page:
        steps = page.evaluate("history.length")
        page.evaluate("{ for (const minutes of [14, 13, 12, 11]) RedMap.choose({ minutes }); }")
        assert page.evaluate("history.length") == steps + 1
        page.go_back()
        page.locator('html[data-computed="base"]').wait_for(state="attached")
        assert page.evaluate("RedMap.choice.minutes") == 15


def test_an_address_changed_by_hand_is_followed(visit):
    with visit("#lang=zh") as page:
        page.evaluate("location.hash = '#lang=en&tab=gaps&f=walk,15,toilet,47'")
        page.locator("#tab-gaps[aria-selected=true]").wait_for()
        page.locator('html[data-computed]:not([data-computed="base"])').wait_for(state="attached")
        assert page.locator("html").get_attribute("lang") == "en"
        assert page.evaluate("RedMap.choice.at") == 47


def test_a_long_list_of_trial_stations_survives_in_the_address(visit):
    with visit("#lang=zh") as page:
        page.evaluate(
            "RedMap.choose({ add: Array.from({ length: 300 }, (_, i) => RedMap.trial([115.76 + i / 1e4, 32.88], i % 2 ? ['water', 'toilet'] : undefined)) })"
        )
        address, covered = page.evaluate("location.hash"), layer(page)["covered"]
    with visit(address) as page:
        assert page.evaluate("RedMap.choice.add.length") == 300
        assert page.evaluate("RedMap.choice.add[1].services") == ["water", "toilet"]
        assert len(page.evaluate("RedMap.choice.add[0].services")) == 8
        assert len(address) < 10_000
        assert layer(page)["covered"] == pytest.approx(covered, abs=1.0)


def test_the_table_of_communities_is_filtered(visit, sample_result):
    from geo.redmap.payload import initials

    name = str(sample_result.inputs.communities["name"].iloc[5])
    rows = "#communities tbody tr"
    with visit("#tab=communities") as page:
        everything = page.locator(rows).count()
        page.locator("#filter").press_sequentially(initials(name))
        expect(page.locator(rows)).not_to_have_count(everything)
        expect(page.locator(rows)).not_to_have_count(0)
        assert name in page.locator("#communities").inner_text()
        assert page.evaluate("document.activeElement.id") == "filter"
        page.locator("#filter").fill("zzzz")
        expect(page.locator(rows)).to_have_count(0)
        page.locator("#filter").fill("")
        expect(page.locator(rows)).to_have_count(everything)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [390, 1024, 1280])
def test_every_tab_is_seen_whole(visit, language, width):
    with visit(f"#lang={language}", viewport={"width": width, "height": 800}) as page:
        edge, last = page.evaluate(
            "['#panel', '#tabs button:last-child'].map((s) => document.querySelector(s).getBoundingClientRect().right)"
        )
        assert last <= edge + 0.5


def test_a_sites_card_tells_overlap_next_best_and_services(visit, sample_result):
    best = sample_result.recommendations.iloc[0]
    with visit() as page:
        page.evaluate("(id) => RedMap.select('site', id, true)", str(best["venue_id"]))
        card = page.locator(".leaflet-popup-content").inner_text()
        assert "如不同意，次选" in card
        assert best["instead"] in card
        assert "与现有驿站重叠" in card


def test_the_riders_ledger_is_a_layer(chromium, tmp_path):
    from geo import redmap
    from tests.geo.results import toy_result

    (tmp_path / "map.html").write_text(redmap.render_planner(toy_result()), encoding="utf-8")
    page = chromium.new_page()
    page.goto((tmp_path / "map.html").as_uri())
    page.locator('html[data-ready="1"]').wait_for(state="attached")
    page.locator("#on-problems").wait_for(state="attached")
    page.evaluate("RedMap.select('problem', 'P001', true)")
    card = page.locator(".leaflet-popup-content").inner_text()
    assert "没有热水" in card
    assert "139****0000" in card
    assert "未办结" in card
    page.close()


def test_a_pressed_button_keeps_the_focus(visit):
    with visit("#tab=whatif", reduced_motion="reduce") as page:
        pill = page.locator("#pane .pill", has_text="厕所")
        node = pill.element_handle()
        pill.focus()
        page.keyboard.press("Enter")
        page.locator('html[data-computed]:not([data-computed="base"])').wait_for(state="attached")
        assert node.evaluate("(n) => n.isConnected && document.activeElement === n")
        expect(pill).to_have_attribute("aria-pressed", "true")
        page.evaluate("RedMap.select('station', RedMap.data.stations[3].id, true)")
        shut = page.locator("#shut")
        shut.focus()
        page.keyboard.press("Enter")
        expect(shut).to_have_text("恢复此站")
        page.wait_for_timeout(500)
        assert page.evaluate("document.activeElement.id") == "shut"


def test_a_list_without_hours_and_services_says_so_instead_of_noughts(visit):
    with visit("#tab=whatif") as page:
        expect(page.locator("#week")).to_have_count(1)
        page.evaluate(
            "RedMap.data.stations.forEach((s) => { s.week = null; s.services = []; }); RedMap.render()"
        )
        expect(page.get_by_text("没有写明服务")).to_be_visible()
        expect(page.get_by_text("没有写明开放时间")).to_be_visible()
        expect(page.locator("#week")).to_have_count(0)
        # a trial station has hours: the week is told again
        choose(page, {"add": [{"at": [115.8, 32.9], "services": [], "hours": "24/7"}]})
        expect(page.locator("#week")).to_have_count(1)


def test_what_the_legend_and_the_week_say_anew_is_drawn_and_nothing_else(visit):
    with visit("#tab=whatif") as page:
        page.locator('html[data-week="1"]').wait_for(state="attached", timeout=20_000)
        kept = page.evaluate("""async () => {
          const nodes = () => ({ bands: document.querySelector('#legend [data-key=bands] canvas'), stations: document.querySelector('#legend [data-key=stations] canvas'),
            roads: document.querySelector('#legend [data-key=roads] canvas'), hour: RedMap.byId('hour-47') });
          const out = [], step = async (act) => { const was = nodes(), words = RedMap.byId('hour-47').getAttribute('aria-label'); await act(); const is = nodes();
            out.push(Object.keys(was).filter((k) => was[k] !== is[k]), RedMap.byId('hour-47').getAttribute('aria-label') !== words); };
          await step(() => RedMap.choose({ minutes: 9 }));
          await step(() => RedMap.choose({ at: 47 }));
          await step(() => RedMap.set({ theme: 'dark' }));
          await step(() => RedMap.set({ lang: 'en' }));
          return out; }""")
        assert kept == [["bands"], False, ["stations"], False, ["bands", "stations", "roads"], False, ["bands", "stations", "roads"], True]  # fmt: skip
        expect(page.locator("#hour-47")).to_have_attribute("aria-selected", "true")
        expect(page.locator("#legend")).to_contain_text("Tue 23:00")


def test_nothing_is_painted_while_the_engine_answers_and_all_of_it_after(visit):
    with visit() as page:
        during, after = page.evaluate("""async () => {
          let steps = 0;
          const step = RedMap.ground.step, ask = RedMap.ask;
          RedMap.PATIENCE_MS = 60000; // however slow the machine is
          RedMap.ground.step = function () { steps++; return step.call(this); };
          await RedMap.choose({ minutes: 9 }); // leaves tiles to paint
          RedMap.ask = async (name, what) => { const out = await ask(name, what), seen = steps; RedMap.ask = ask; await new Promise((done) => { setTimeout(done, 40); }); during = steps - seen; return out; };
          let during = -1;
          steps = 0;
          await RedMap.choose({ minutes: 12 });
          while (document.documentElement.dataset.painted !== '1') await new Promise((done) => { setTimeout(done, 20); });
          return [during, steps]; }""")
        assert during == 0
        assert after > 5


def test_gaps_of_another_choice_are_drawn_as_the_study_draws_its_own(visit):
    with visit() as page:
        study, lost, more, outline = page.evaluate("""async () => {
          const choice = RedMap.baseChoice(), ask = RedMap.askOf(choice), now = RedMap.read(choice, ask, await RedMap.ask('figures', ask), 1);
          const z = 13, [lon, lat] = RedMap.data.gaps[1].at, [x, y] = RedMap.mercator(lon, lat), size = 512, world = 256 * 2 ** z, k = world / (2 * Math.PI * RedMap.EARTH);
          const v = { z, size, k, left: x * k - 256, top: -y * k - 256 }, seen = (painted) => {
            const ctx = RedMap.el('canvas', { width: size, height: size }).getContext('2d', { willReadFrequently: true });
            for (const step of painted(ctx)) if (step) throw new Error(step);
            return ctx.getImageData(0, 0, size, size).data; };
          const own = seen((ctx) => RedMap.paintGaps(ctx, v, 1)), here = seen((ctx) => RedMap.paintMissing(ctx, v, 1, now));
          const inside = (d, i) => d[i + 3] > 60 && d[i + 7] > 60 && d[i - 1] > 60 && d[i + 3 + 4 * size] > 60 && d[i + 3 - 4 * size] > 60; // all but the rim
          let all = 0, lost = 0, more = 0, outline = 0;
          for (let i = 4 * size + 4; i < own.length - 4 * size - 4; i += 4) {
            if (inside(own, i)) { all++; lost += here[i + 3] < 60; }
            more += inside(here, i) && own[i + 3] < 60;
            outline += here[i + 3] > 240 && here[i] < 90;
          }
          return [all, lost, more, outline]; }""")
    assert study > 20_000
    assert lost < 0.01 * study
    assert more < 0.03 * study
    assert outline > 1_000  # hatched and outlined, never by colour alone


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("width", [1024, 1440])
def test_copy_print_and_full_screen_stand_beside_a_usable_search(visit, language, width):
    with visit(f"#lang={language}", viewport={"width": width, "height": 768}) as page:
        for button in ("copy", "print", "full", "theme", "language"):
            expect(page.locator(f"#{button}")).to_be_visible()
        assert page.locator("#search").bounding_box()["width"] >= 200
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_phone_copies_and_prints_from_the_data_tab(visit):
    with visit("#tab=data&lang=en", viewport=PHONE, has_touch=True) as page:
        page.evaluate("window.print = () => { window.printed_ = true; }")
        page.locator("#print-here").click()
        assert page.evaluate("window.printed_")
        page.locator("#copy-here").click()
        expect(page.locator(".toast")).to_be_visible()
    with visit("#tab=data") as page:
        expect(page.locator("#copy-here")).to_be_hidden()


def test_the_legend_tells_of_nothing_that_there_is_not(visit):
    with visit() as page:
        legend = page.locator("#legend")
        expect(legend).to_contain_text("开放")
        expect(legend).to_contain_text("建议选址")
        page.evaluate(
            """RedMap.data.stations.forEach((s) => { s.open = null; }); RedMap.data.sites.length = 0; RedMap.data.communities.length = 0; RedMap.render();"""
        )
        for gone in ("开放", "关闭", "建议选址", "社区覆盖率"):
            expect(legend).not_to_contain_text(gone)
        expect(legend).to_contain_text("时间未知")


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_the_pictures_legend_has_room_for_all_that_is_shown(visit, width):
    with visit("#f=walk,15,toilet,47", viewport={"width": width, "height": 844}) as page:
        line, told = page.evaluate(
            """[RedMap.legendLine(300), ['bands', 'gaps', 'sites', 'stations'].flatMap((key) => RedMap.legendOf(key).slice(1).map(([, text]) => text))]"""
        )
        assert [entry["text"] for entry in line["entries"]] == told
        ends = page.evaluate(
            """(entries) => { const pen = document.createElement('canvas').getContext('2d'); pen.font = '12px ' + RedMap.FONT; return entries.map((e) => e.x + 33 + pen.measureText(e.text).width); }""",
            line["entries"],
        )
        rows = {}
        for entry, end in zip(line["entries"], ends, strict=True):
            assert entry["x"] >= rows.get(entry["row"], 0)
            rows[entry["row"]] = end
            assert end <= 300 or entry["x"] == 0
        assert len(rows) == line["rows"]


def test_a_trial_station_is_placed_and_moved_by_keyboard_alone(visit):
    with visit("#tab=whatif", reduced_motion="reduce") as page:
        page.locator("#pane .pill.strong").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#pane [data-key=keys]")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#pane [data-key=keys]")).to_have_count(0)
        page.locator("#pane .pill.strong").focus()
        page.keyboard.press("Enter")
        middle = page.evaluate("(() => { const c = RedMap.map.getCenter(); return [c.lng, c.lat]; })()")
        page.keyboard.press("Enter")
        page.locator("#trial-list .trial").wait_for()
        assert page.evaluate("RedMap.choice.add[0].at") == pytest.approx(middle, abs=1e-9)
        view = page.evaluate("RedMap.map.getCenter().lng")
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Shift+ArrowUp")
        page.locator('html[data-computed]:not([data-computed="base"])').wait_for(state="attached")
        x, y = page.evaluate(
            """([lng, lat]) => { const a = RedMap.map.latLngToContainerPoint([lat, lng]), [x, y] = RedMap.choice.add[0].at, b = RedMap.map.latLngToContainerPoint([y, x]); return [b.x - a.x, b.y - a.y]; }""",
            middle,
        )
        assert abs(x - 30) <= 2
        assert abs(y + 1) <= 2
        assert page.evaluate("RedMap.map.getCenter().lng") == view  # the pin moved, not the map


def test_cards_of_gaps_and_communities_tell_where_and_only_what_holds(visit):
    with visit("#lang=en", reduced_motion="reduce") as page:
        page.evaluate("RedMap.select('gap', RedMap.data.gaps[0].id, true)")
        card = page.locator(".leaflet-popup-content")
        lon, lat = page.evaluate("RedMap.data.gaps[0].at")
        expect(card).to_contain_text(f"{lat:.5f}, {lon:.5f}")
        page.evaluate("RedMap.select('community', RedMap.data.communities[0].id, true)")
        expect(card).to_contain_text("Straight-line share")
        # at another hour neither the straight-line share nor the nearest station of the study holds
        choose(page, {"at": 47})
        expect(card).not_to_contain_text("Straight-line share")
        expect(card).not_to_contain_text("Nearest station")
        expect(card).to_contain_text("Coordinates")


def test_every_assumption_is_in_the_data_tab(visit, sample_result):
    standard = sample_result.standard
    with visit("#tab=data&lang=en") as page:
        text = page.locator("#pane").inner_text()
    for told in (
        f"up to {standard['max_access_m']:.0f} m", "no waiting", "a circle of 1.0 km", "walk 4.0 · e-bike 15.0 · bicycle 12.0 · drive 10–60 km/h",
        "within 300 m of one another", "not open where a time is asked for",
    ):  # fmt: skip
        assert told in text, told


def test_two_gaps_that_overlap_are_both_filled(visit, sample_result):
    shapes = list(sample_result.gaps.geometry)
    overlaps = [
        shapes[i].intersection(shapes[j]) for i in range(len(shapes)) for j in range(i)
        if shapes[i].intersects(shapes[j])
    ]  # fmt: skip
    at = max(overlaps, key=lambda shape: shape.area).representative_point()
    with visit() as page:
        least = page.evaluate(
            """([lon, lat]) => { const z = 17, [x, y] = RedMap.mercator(lon, lat), size = 64, world = 256 * 2 ** z, k = world / (2 * Math.PI * RedMap.EARTH);
            const ctx = RedMap.el('canvas', { width: size, height: size }).getContext('2d', { willReadFrequently: true });
            for (const step of RedMap.paintGaps(ctx, { z, size, k, left: x * k - 32, top: -y * k - 32 }, 1)) if (step) throw new Error(step);
            const d = ctx.getImageData(24, 24, 16, 16).data; let least = 255; for (let i = 3; i < d.length; i += 4) least = Math.min(least, d[i]); return least; }""",
            [at.x, at.y],
        )
    assert least > 100
