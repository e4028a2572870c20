"""The pages: coding of geometry, what is inside, what must never be inside."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import get_args

import folium
import numpy as np
import pytest
import shapely
from branca.element import JavascriptLink
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import redmap
from geo.gaps.reasons import Reason
from geo.models import BARRIER_KINDS
from geo.redmap import codec, offline, page, payload, strokes
from geo.redmap.privacy import mask_mobiles
from tests.geo.results import NASTY, toy_result
from tests.toy import grid_network, toy_network

MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
# free text only: base64 of packed geometry and hashes are no phone numbers
WITHOUT_BYTES = re.compile(r'<script type="application/octet-stream".*?</script>|sha256-\S+', re.DOTALL)


@pytest.fixture(scope="module")
def result():
    return toy_result()


@pytest.fixture(scope="module")
def planner(result):
    return redmap.render_planner(result)


@pytest.fixture(scope="module")
def public(result):
    return redmap.render_public(result)


def embedded(html):
    return json.loads(
        re.search(r'<script type="application/json" id="redmap-data">(.*?)</script>', html, re.DOTALL)[1]
    )


# ---- codec ----

points = st.tuples(st.integers(-40_000, 40_000), st.integers(-40_000, 40_000))


@given(
    st.lists(st.tuples(st.integers(0, 5), st.lists(points, min_size=2, max_size=30)), min_size=1, max_size=12)
)
@settings(max_examples=60, deadline=None)
def test_lines_come_back_to_half_a_grid_step(lines):
    shapes = np.array([shapely.LineString(xy) for _, xy in lines])
    packed = codec.pack_lines(shapes, [tag for tag, _ in lines], grid_m=2.0)
    back = codec.unpack(packed)
    expected = []
    for tag, xy in lines:
        grid = np.rint((np.array(xy, float) - [packed.origin_x_m, packed.origin_y_m]) / 2.0).astype(int)
        grid = grid[np.concatenate(([True], (np.diff(grid, axis=0) != 0).any(axis=1)))]
        if len(grid) > 1:
            expected.append((tag, grid.tolist()))
    assert sorted((tag, parts[0].tolist()) for tag, parts in back) == sorted(expected)
    assert packed.features == len(back)


def test_polygons_keep_holes_and_islands():
    ring = shapely.box(0, 0, 400, 400).difference(shapely.box(100, 100, 300, 300))
    both = shapely.MultiPolygon([ring, shapely.box(150, 150, 250, 250)])
    packed = codec.pack_polygons(np.array([both, shapely.Polygon()]), [4, 9])
    ((tag, parts),) = codec.unpack(packed)
    assert tag == 4
    rings = [shapely.Polygon(p * packed.grid_m + [packed.origin_x_m, packed.origin_y_m]) for p in parts]
    assert sum(r.area * s for r, s in zip(rings, (1, -1, 1), strict=True)) == pytest.approx(both.area)


def test_nothing_packs_to_nothing():
    assert codec.unpack(codec.pack_lines(np.array([], dtype=object), [])) == []
    assert codec.unpack(codec.pack_polygons(np.array([], dtype=object), [], tolerance_m=5.0)) == []
    assert codec.unpack(codec.pack_polygons([shapely.Polygon()], [3], tolerance_m=5.0)) == []


rings = st.lists(st.tuples(points, st.integers(20, 900), st.booleans()), min_size=1, max_size=6)


@given(st.lists(st.tuples(st.integers(0, 3), rings), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_polygons_come_back_whole(features):
    def square(at, half, holed):
        hole = [shapely.box(-half / 2, -half / 2, half / 2, half / 2).exterior.coords] if holed else []
        shape = shapely.Polygon(shapely.box(-half, -half, half, half).exterior.coords, hole)
        return shapely.transform(shape, lambda xy: xy + np.array(at, float))

    shapes = [shapely.MultiPolygon([square(*r) for r in parts]) for _, parts in features]
    tags = [tag for tag, _ in features]
    for tolerance in (0.0, 4.0):  # a square has no point to spare
        packed = codec.pack_polygons(shapes, tags, grid_m=1.0, tolerance_m=tolerance)
        back = codec.unpack(packed)
        assert [tag for tag, _ in back] == sorted(tags)
        assert sorted(len(parts) for _, parts in back) == sorted(
            sum(1 + holed for _, _, holed in parts) for _, parts in features
        )
        assert sum(len(part) for _, parts in back for part in parts) == 4 * sum(len(p) for _, p in back)
        corners = {tuple(c) for _, parts in back for part in parts for c in part.tolist()}
        origin = (packed.origin_x_m, packed.origin_y_m)
        wanted = np.concatenate([shapely.get_coordinates(shape) for shape in shapes]) - origin
        assert corners == {tuple(c) for c in np.rint(wanted).astype(int).tolist()}


def test_simplified_rings_stay_within_the_tolerance(result):
    shape = shapely.segmentize(codec.to_mercator(result.bands.geometry.iloc[-1]), 20.0)
    packed = codec.pack_polygons([shape], [0], grid_m=0.5, tolerance_m=20.0)
    ((_, parts),) = codec.unpack(packed)
    drawn = [shapely.LinearRing(p * 0.5 + [packed.origin_x_m, packed.origin_y_m]) for p in parts]
    assert sum(len(p) for p in parts) < shapely.get_num_coordinates(shape) / 2
    assert shapely.hausdorff_distance(shapely.MultiLineString(drawn), shape.boundary) <= 20.0 + 0.5


def test_a_stroke_prefers_the_straightest_way_on():
    # three ways meet at the origin: west, east and north-east
    network = toy_network([(0, 0), (-300, 0), (300, 0), (250, 180)], [(0, 1), (0, 2), (0, 3)])
    lines, _ = strokes.base_map(network, tolerance_m=0.0)
    assert sorted(len(line.coords) for line in lines) == [2, 3]
    longest = max(lines, key=lambda line: len(line.coords))
    assert np.ptp(shapely.get_coordinates(longest)[:, 1]) < 1.0


def test_a_street_grid_becomes_one_stroke_a_street():
    lines, classes = strokes.base_map(grid_network(10, 10, 100.0))
    assert len(lines) == 20
    assert set(classes) == {strokes.LOCAL}
    assert {len(line.coords) for line in lines} == {2}


def test_strokes_lose_no_metre_and_close_rings():
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    xy = [(500 * np.cos(a), 500 * np.sin(a)) for a in angles]
    lines, _ = strokes.base_map(toy_network(xy, [(i, (i + 1) % 24) for i in range(24)]), tolerance_m=0.0)
    assert len(lines) == 1
    assert lines[0].is_closed


def test_simplified_roads_stay_within_the_tolerance(result):
    exact, _ = strokes.base_map(result.network, tolerance_m=0.0)
    rough, _ = strokes.base_map(result.network)
    scale = codec.ground_scale(float(result.network.node_lat.mean()))
    assert max(shapely.hausdorff_distance(exact, rough)) <= strokes.TOLERANCE_M * scale + 1e-6


def test_the_map_opens_on_people_and_bands_not_on_a_far_boundary(result):
    def shown(demand):
        wide = result.inputs.area.copy()
        wide.geometry = shapely.buffer(wide.geometry.to_numpy(), 1.0)
        inputs = replace(result.inputs, area=wide, demand=demand)
        return payload.planner(replace(result, inputs=inputs))[0]["bounds"], wide.total_bounds

    demand = result.inputs.demand
    near, far = shown(demand)
    people = [demand["lon"].min(), demand["lat"].min(), demand["lon"].max(), demand["lat"].max()]
    boxes = np.array([people, result.bands.total_bounds])
    assert near == pytest.approx([*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)])
    assert shown(demand[:0])[0] == pytest.approx(far)


def test_what_parts_people_is_drawn_but_no_wall():
    lines = [(kind, [(0, 50 * i + 10), (100, 50 * i + 10)]) for i, kind in enumerate(BARRIER_KINDS)]
    _, classes = strokes.base_map(toy_network([(0, 0), (100, 0)], [(0, 1)], barriers=lines))
    assert list(classes) == [strokes.LOCAL, strokes.WATER, strokes.RAILWAY, strokes.MOTORWAY]


def test_water_and_rails_are_drawn(result):
    _, classes = strokes.base_map(result.network)
    assert {strokes.WATER, strokes.RAILWAY, strokes.MAJOR, strokes.LOCAL} == set(classes)


# ---- nothing from outside ----


def test_an_altered_leaflet_is_refused(monkeypatch, result):
    monkeypatch.setattr(offline, "LEAFLET_SHA256", {**offline.LEAFLET_SHA256, "leaflet.js": "0" * 64})
    with pytest.raises(redmap.MissingAssetError, match="sha256"):
        redmap.render_planner(result)


def test_a_missing_leaflet_is_refused(monkeypatch):
    monkeypatch.setattr(offline, "LEAFLET_PACKAGE", "no_such_package")
    with pytest.raises(redmap.MissingAssetError, match="missing"):
        offline.leaflet_file("leaflet.js")


def test_an_unknown_link_is_refused():
    figure = offline.OfflineFigure(title="t", language="en")
    figure.header.add_child(JavascriptLink("https://cdn.example/evil.js"), name="evil")
    with pytest.raises(redmap.MissingAssetError, match=r"evil\.js"):
        figure.render()


def test_tiles_or_images_from_outside_are_refused():
    figure = offline.OfflineFigure(title="t", language="en")
    figure.html.add_child(folium.Element('<img src="https://example.org/a.png">'), name="image")
    with pytest.raises(redmap.MissingAssetError, match=r"a\.png"):
        figure.render()


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.wants, self.handlers, self.attributes, self.policy = [], [], {}, ""

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.wants += [(tag, k, v) for k, v in attrs if k in ("src", "href", "srcset", "action", "data")]
        self.handlers += [(tag, k) for k, _ in attrs if k.startswith("on")]
        if tag == "html":
            self.attributes = values
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]


@pytest.mark.parametrize("view", ["planner", "public"])
def test_page_asks_for_nothing(view, request):
    reader = Reader()
    reader.feed(request.getfixturevalue(view))
    outside = [w for w in reader.wants if not w[2].startswith(("data:", "#"))]
    assert outside == [("a", "href", "https://www.openstreetmap.org/copyright")]
    assert reader.handlers == []
    assert reader.attributes["lang"] == "zh-CN"
    assert "default-src 'none'" in reader.policy
    assert "connect-src 'none'" in reader.policy
    assert "unsafe" not in reader.policy
    assert len(re.findall(r"'sha256-[A-Za-z0-9+/=]{44}'", reader.policy.split("style-src")[0])) >= 3


def test_page_has_the_viewport_and_allows_zoom(planner):
    assert planner.count('name="viewport"') == 1
    assert "user-scalable" not in planner.split("<body>")[0].split("<script>")[0]


def test_same_result_same_bytes(planner, public):
    again = toy_result()
    assert (
        hashlib.sha256(redmap.render_planner(again).encode()).digest()
        == hashlib.sha256(planner.encode()).digest()
    )
    assert redmap.render_public(again) == public


def test_english_study_starts_in_english():
    assert '<html lang="en">' in redmap.render_public(toy_result(language="en"))


# ---- content ----


def test_figures_of_the_page_are_those_of_the_summary(result, planner):
    data = embedded(planner)
    for layer, block in result.summary["demand"].items():
        for key, value in block.items():
            assert data["summary"]["demand"][layer][key] == pytest.approx(value, abs=1e-6)
    assert data["summary"]["stations"] == result.summary["stations"]
    assert [c["id"] for c in data["communities"]][:1] == [
        max(
            result.coverage.communities.to_dict("records"),
            key=lambda c: c["population"] - c["covered_people"],
        )["community_id"]
    ]
    assert len(data["stations"]) == len(result.inputs.stations)


def test_unknown_hours_are_neither_open_nor_closed(planner):
    stations = embedded(planner)["stations"]
    assert {s["open"] is None for s in stations if not s["hours"]} == {True}
    assert all(len(s["open"]) == 6 for s in stations if s["hours"])


def test_public_page_tells_no_road_no_boundary_no_head_count(public):
    data = embedded(public)
    assert set(data["layers"]) == {"bands"}
    assert not {"summary", "communities", "gaps", "sites", "audit"} & set(data)
    assert 'id="layer-roads"' not in public
    assert not {"issuer", "file", "date"} & set(data["stations"][0])


def test_public_page_tells_no_gap_and_no_demand(public, result):
    text = json.dumps({k: v for k, v in embedded(public).items() if k != "strings"}, ensure_ascii=False)
    gaps, sites, block = result.gaps, result.recommendations, result.summary["demand"]["residents"]
    told = [*gaps["name_zh"], *gaps["reason_zh"], *sites["name"], *result.inputs.communities["name"],
            *(f"{people:.0f}" for people in (*gaps["people"], *sites["gain"], block["total"], block["covered"]))]  # fmt: skip
    assert [word for word in told if word in text] == []


def test_every_reason_of_a_gap_has_its_words(planner):
    words = json.loads(page.asset("i18n.json"))
    assert {*get_args(Reason), "other"} == set(words["zh"]["reasons"]) == set(words["en"]["reasons"])
    assert all(g["reason"] for g in embedded(planner)["gaps"])


def test_sizes(planner, public):
    assert len(planner.encode()) <= 1_000_000
    assert len(public.encode()) <= 300_000


@pytest.mark.parametrize(
    "phone", ["13912340000", "+86 139-1234-0000", "电话139 1234 0000找老李", "8613912340000", "139.1234.0000"]
)
def test_mobiles_are_masked_wherever_they_stand(phone):
    shown = toy_result(phone=phone, names=[f"驿站 {phone}"])
    for html in (redmap.render_planner(shown), redmap.render_public(shown)):
        text = WITHOUT_BYTES.sub("", html)
        assert not MOBILE.search(text)
        assert "1234" not in re.sub(r"[0-9a-f]{20,}", "", json.dumps(embedded(html)["stations"]))
        assert "139****0000" in text


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["", "a", "，", " ", "+"]))
def test_mask_leaves_no_mobile(number, beside):
    masked = mask_mobiles(beside + number + beside)
    assert number[:3] + "****" + number[-4:] in masked
    assert not MOBILE.search(masked)


def test_landlines_and_long_numbers_stay():
    assert mask_mobiles("0558-2260000 / 91341200139123400005") == "0558-2260000 / 91341200139123400005"


def test_hostile_names_cannot_leave_the_data():
    html = redmap.render_planner(toy_result(names=NASTY))
    assert [s["name"] for s in embedded(html)["stations"][:4]] == list(NASTY)
    assert "<img" not in html.split("</head>")[1]
    assert html.count("</script>") == html.count("<script")


def test_both_languages_have_the_same_words():
    words = json.loads(page.asset("i18n.json"))
    assert words["zh"].keys() == words["en"].keys()
    for group in ("svc", "kinds"):
        assert words["zh"][group].keys() == words["en"][group].keys()
    holes = re.compile(r"\{\w+\}")
    for key, text in words["zh"].items():
        if isinstance(text, str):
            assert sorted(holes.findall(text)) == sorted(holes.findall(words["en"][key])), key


def test_every_service_has_its_words():
    from geo.models import KINDS_ZH, SERVICES
    from geo.premises import VENUE_KINDS

    words = json.loads(page.asset("i18n.json"))
    assert set(SERVICES) == set(words["zh"]["svc"])
    assert words["zh"]["kinds"] == KINDS_ZH
    assert set(KINDS_ZH) >= VENUE_KINDS


def test_every_word_that_the_scripts_use_exists():
    words = json.loads(page.asset("i18n.json"))["zh"] | json.loads(page.asset("public_words.json"))["zh"]
    used = set()
    for name in {*page.SCRIPTS["planner"], *page.SCRIPTS["public"]}:
        used |= set(re.findall(r"\bt\('(\w+)'(?! \+)", page.asset(name)))
    for name in ("planner.html", "public.html"):
        used |= set(re.findall(r'data-i18n[a-z-]*="(\w+)"', page.asset(name)))
    assert used <= set(words), used - set(words)


def test_an_empty_study_still_makes_pages(result):
    from dataclasses import replace

    empty = replace(
        result, gaps=result.gaps.iloc[:0], recommendations=result.recommendations.iloc[:0], plan=None,
        coverage=replace(result.coverage, communities=result.coverage.communities.iloc[:0]),
        inputs=replace(result.inputs, communities=result.inputs.communities.iloc[:0]),
    )  # fmt: skip
    assert embedded(redmap.render_planner(empty))["gaps"] == []


def test_big_bands_are_cut_without_losing_area(result):
    shapes = codec.to_mercator(result.bands.geometry.to_numpy())
    for shape in shapes:
        pieces = payload._cut(shape, 700.0)
        assert len(pieces) > 5
        assert sum(p.area for p in pieces) == pytest.approx(shape.area, rel=1e-9)


def test_public_words_exist_in_both_languages():
    words = json.loads(page.asset("public_words.json"))
    assert words["zh"].keys() == words["en"].keys()
    holes = re.compile(r"\{\w+\}")
    for key, text in words["zh"].items():
        assert sorted(holes.findall(text)) == sorted(holes.findall(words["en"][key])), key


def test_shortened_code_keeps_what_runs():
    code = "a = 1; // kept\n  /* gone */\n/* kept\n   too */\n    b('  //no');\n"
    assert page.shortened(code) == "a = 1; // kept\n/* kept\ntoo */\nb('  //no');\n"


def test_index_lists_every_file_and_names_stay_text(result):
    from dataclasses import replace

    sizes = {"map.html": 600_000, "odd<b>.txt": 10, "public.html": 290_000}
    text = redmap.render_index(replace(result, name="<script>x</script>"), sizes)
    assert re.findall(r'href="([^"]+)"', text) == ["map.html", "public.html", "odd&lt;b&gt;.txt"]
    assert "<script" not in text
    assert "600 kB" in text
    assert "合成数据" in text


def _names(scripts):
    """The names of ``RedMap`` that scripts define, and those that they use."""
    texts = {name: re.sub(r"(?m)\s//.*$", "", page.asset(name)) for name in scripts}
    head = texts["core.js"][texts["core.js"].index("const RedMap = {") :]
    defined = set(re.findall(r"^  (?:async )?(\w+)\(", head, re.MULTILINE))
    defined |= set(re.findall(r"(\w+): ", head[: head.index("\n\n")]))
    used = set()
    for text in texts.values():
        for name, equals in re.findall(r"\bRedMap\.(\w+)(\s*=(?![=>]))?", text):
            (defined if equals else used).add(name)
        for names in re.findall(r"const \{ ([^{}=]+) \} = RedMap\b(?!\.)", text):
            used |= {name.split(":")[0].strip() for name in names.split(",")}
    return defined, used


def test_every_name_that_the_scripts_use_is_defined_and_none_is_idle():
    defined, used = _names(page.SCRIPTS["planner"])
    assert sorted(used - defined) == []
    public_defined, public_used = _names(page.SCRIPTS["public"])
    # the riders' page does without what only the planner's has, and asks first
    assert sorted(public_used - public_defined - defined) == []
    assert sorted((defined | public_defined) - used - public_used - {"start"}) == []


def test_the_page_tells_nobodys_folders(result):
    from dataclasses import replace

    inputs = {"/home/somebody/data/roads.osm.pbf": "0" * 64, "C:\\Users\\somebody\\lists\\stations.xlsx": "1" * 64, "venues.csv": "2" * 64}  # fmt: skip
    summary = {**result.summary, "provenance": {**result.summary["provenance"], "inputs": inputs}}
    told = redmap.render_planner(replace(result, summary=summary))
    assert "somebody" not in told
    for name in ("…/data/roads.osm.pbf", "…/lists/stations.xlsx", "venues.csv"):
        assert name in json.dumps(embedded(told)["summary"]["provenance"], ensure_ascii=False)
