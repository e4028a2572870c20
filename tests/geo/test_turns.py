"""Turn restrictions of ``drive``: read from OSM, and searched as one who remembers every edge driven says that they should."""

from __future__ import annotations

import dataclasses
import heapq
import math
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.models import MODES, RoadNetwork, Snapped, TravelMatrix, Turns, no_chains, no_turns
from geo.network import read_network
from geo.travel_times import Route, Router, edge_seconds, snap
from tests.toy import how, toy_chains, toy_network

WALK_MS = 4.0 / 3.6
AT_NODE_M = 1e-6
STEADY = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


# --- reading ---

# A crossroads (node 1): west 10, east 11, north 12, south 13; 11 goes on to node 6 and meets 14 there.
NODES = """<?xml version="1.0"?><osm version="0.6">
<node id="1" lat="32.900" lon="115.800"/><node id="2" lat="32.900" lon="115.799"/>
<node id="3" lat="32.900" lon="115.802"/><node id="4" lat="32.901" lon="115.800"/>
<node id="5" lat="32.899" lon="115.800"/><node id="6" lat="32.900" lon="115.801"/>
<node id="7" lat="32.901" lon="115.801"/>
<way id="10"><nd ref="2"/><nd ref="1"/><tag k="highway" v="residential"/></way>
<way id="11"><nd ref="1"/><nd ref="6"/><nd ref="3"/><tag k="highway" v="residential"/></way>
<way id="12"><nd ref="1"/><nd ref="4"/><tag k="highway" v="residential"/></way>
<way id="13"><nd ref="5"/><nd ref="1"/><tag k="highway" v="residential"/><tag k="oneway" v="yes"/></way>
<way id="14"><nd ref="6"/><nd ref="7"/><tag k="highway" v="residential"/></way>
<way id="15"><nd ref="1"/><nd ref="7"/><tag k="highway" v="footway"/></way>
"""


def relation(number, tags, *members):
    """A relation of ways and nodes, each ``role:type:id``."""
    parts = [part.split(":") for part in members]
    lines = [f'<member type="{kind}" ref="{ref}" role="{role}"/>' for role, kind, ref in parts]
    lines += [f'<tag k="{key}" v="{value}"/>' for key, value in {"type": "restriction", **tags}.items()]
    return f'<relation id="{number}">{"".join(lines)}</relation>\n'


def read(tmp_path, *relations, area=None):
    path = tmp_path / "turns.osm"
    path.write_text(NODES + "".join(relations) + "</osm>", encoding="utf-8")
    return read_network(path, area=area)


def named(network: RoadNetwork) -> set[tuple[tuple[int, int], int, tuple[int, int]]]:
    """Banned turns in OSM ids: edges as their end nodes, lower first."""

    def ends(edge: int) -> tuple[int, int]:
        pair = int(network.node_id[network.edge_u[edge]]), int(network.node_id[network.edge_v[edge]])
        return min(pair), max(pair)

    turns = network.banned_turns
    return {
        (ends(turns.from_edge[i]), int(network.node_id[turns.via[i]]), ends(turns.to_edge[i]))
        for i in range(len(turns))
    }


def named_chains(network: RoadNetwork) -> set[tuple[tuple[int, int] | int, ...]]:
    """Banned chains in OSM ids: edges as their end nodes, lower first, and the nodes between."""
    ids, ends = network.node_id, np.sort(network.node_id[np.column_stack((network.edge_u, network.edge_v))])
    return {
        tuple(tuple(ends[row].tolist()) if i % 2 == 0 else int(ids[row]) for i, row in enumerate(ban))
        for ban in listed(network)[len(network.banned_turns) :]
    }


LEFT = ("from:way:10", "via:node:1", "to:way:12")


def test_no_left_turn(tmp_path):
    network = read(tmp_path, relation(1, {"restriction": "no_left_turn"}, *LEFT))
    assert named(network) == {((1, 2), 1, (1, 4))}
    (note,) = network.notes
    assert note == (
        "转弯限制（驾车）：采用 1 条，禁转 1 处；未用 0 条 / turn restrictions (drive): 1 used, "
        "1 turns banned; 0 not used"
    )


def test_only_bans_every_other_way_on_and_the_way_back(tmp_path):
    straight = relation(
        1,
        {"restriction": "only_straight_on"},
        "from:way:10",
        "via:node:1",
        "to:way:11",
        "location_hint:node:1",
    )
    # the one-way 13 and the footway 15 cannot be taken anyway
    assert named(read(tmp_path, straight)) == {((1, 2), 1, (1, 4)), ((1, 2), 1, (1, 2))}
    right_too = relation(2, {"restriction": "only_left_turn"}, *LEFT)
    assert named(read(tmp_path, straight, right_too)) == {((1, 2), 1, (1, 2))}


@pytest.mark.parametrize("vehicle", ["motorcar", "psv;motor_vehicle", "bicycle; vehicle"])
def test_except_for_cars_is_none(tmp_path, vehicle):
    network = read(tmp_path, relation(1, {"restriction": "no_left_turn", "except": vehicle}, *LEFT))
    assert len(network.banned_turns) == 0
    assert network.notes == ()


def test_rules_for_cars_replace_those_for_all(tmp_path):
    tags = {"restriction": "no_left_turn", "restriction:motorcar": "none"}
    assert len(read(tmp_path, relation(1, tags, *LEFT)).banned_turns) == 0
    tags = {"restriction:motorcar": "no_left_turn", "except": "motorcar"}
    assert len(read(tmp_path, relation(1, tags, *LEFT)).banned_turns) == 1
    for key in ("restriction:hgv", "restriction:bicycle"):
        assert len(read(tmp_path, relation(1, {key: "no_left_turn"}, *LEFT)).banned_turns) == 0
    assert (
        len(read(tmp_path, relation(1, {"restriction": "no_left_turn", "except": "psv"}, *LEFT)).banned_turns)
        == 1
    )


def test_what_cannot_be_used_is_counted(tmp_path):
    no_left = {"restriction": "no_left_turn"}
    network = read(
        tmp_path,
        relation(1, no_left, *LEFT),
        relation(2, {"restriction": "no_u_turn"}, "from:way:10", "via:way:11", "to:way:14"),
        relation(3, {"restriction:conditional": "no_left_turn @ (07:00-09:00)"}, *LEFT),
        relation(4, {**no_left, "hour_on": "07:00", "hour_off": "09:00"}, *LEFT),
        relation(5, no_left, "from:way:10", "via:node:1", "to:way:99"),
        relation(6, no_left, "from:way:10", "via:node:99", "to:way:12"),
        relation(7, no_left, "from:way:10", "to:way:12"),
        relation(
            8, {"restriction": "only_straight_on"}, "from:way:10", "via:node:1", "to:way:11", "to:way:12"
        ),
        relation(9, {"restriction": "give_way"}, *LEFT),
        relation(10, no_left, "from:way:10", "via:node:1", "to:way:15"),
        relation(11, no_left, "from:way:12", "via:node:1", "to:way:13"),
    )
    assert named(network) == {((1, 2), 1, (1, 4))}
    assert named_chains(network) == {((1, 2), 1, (1, 6), 6, (6, 7))}
    assert network.notes[-1].endswith(
        "turn restrictions (drive): 2 used (1 over via ways), 2 turns banned; 9 not used (by time of day 2, "
        "unreadable 3, members outside the file or the area 2, on turns that no car could take anyway 2)"
    )


def test_several_ways_of_no_entry_and_no_exit(tmp_path):
    entry = relation(1, {"restriction": "no_entry"}, "from:way:10", "from:way:13", "via:node:1", "to:way:12")
    assert named(read(tmp_path, entry)) == {((1, 2), 1, (1, 4)), ((1, 5), 1, (1, 4))}
    leave = relation(1, {"restriction": "no_exit"}, "from:way:10", "via:node:1", "to:way:12", "to:way:11")
    assert named(read(tmp_path, leave)) == {((1, 2), 1, (1, 4)), ((1, 2), 1, (1, 6))}


def test_a_way_that_goes_on_past_the_node(tmp_path):
    both = relation(1, {"restriction": "no_right_turn"}, "from:way:11", "via:node:6", "to:way:14")
    assert named(read(tmp_path, both)) == {((1, 6), 6, (6, 7)), ((3, 6), 6, (6, 7))}
    back = relation(1, {"restriction": "no_u_turn"}, "from:way:11", "via:node:6", "to:way:11")
    assert named(read(tmp_path, back)) == {((1, 6), 6, (1, 6)), ((3, 6), 6, (3, 6))}
    on = relation(1, {"restriction": "no_straight_on"}, "from:way:11", "via:node:6", "to:way:11")
    assert named(read(tmp_path, on)) == {((1, 6), 6, (3, 6)), ((3, 6), 6, (1, 6))}


def test_rules_outside_the_area_are_none_of_its_own(tmp_path):
    inside = relation(1, {"restriction": "no_left_turn"}, *LEFT)
    edge = relation(2, {"restriction": "no_right_turn"}, "from:way:11", "via:node:6", "to:way:14")
    west = shapely.Point(115.7992, 32.9).buffer(0.0002)
    network = read(tmp_path, inside, edge, area=west)
    assert network.edge_count == 1
    assert network.notes[0].endswith("1 not used (members outside the file or the area 1)")


def test_the_cache_keeps_the_bans(tmp_path):
    path = tmp_path / "turns.osm"
    rules = (
        relation(1, {"restriction": "no_left_turn"}, *LEFT),
        relation(2, {"restriction": "no_u_turn"}, "from:way:10", "via:way:11", "to:way:14"),
    )
    path.write_text("".join([NODES, *rules, "</osm>"]), encoding="utf-8")
    first = read_network(path, cache_dir=tmp_path / "cache")
    again = read_network(path, cache_dir=tmp_path / "cache")
    assert named(again) == named(first) != set()
    assert named_chains(again) == named_chains(first) != set()


# 20 ─ 1 ─ 21 ─ 2 ─ 21 ─ 3 ─ 22 ─ 4 ─ 23 ─ 5 ─ 25; ways 24 and 26 branch off at 2 and 5, 27 goes back from 5 to 1.
# 30 passes 1 and 5 as well: 40, 1, 41, 5, 42.
LADDER = {
    20: [10, 1], 21: [1, 2, 3], 22: [3, 4], 23: [4, 5], 24: [2, 11], 25: [5, 12], 26: [5, 13], 30: [40, 1, 41, 5, 42]
}  # fmt: skip
UP = [(10, 1), 1, (1, 2), 2, (2, 3), 3, (3, 4), 4, (4, 5), 5]
ALONG = ("via:way:23", "via:way:21", "via:way:22")


def climb(tmp_path, *relations, area=None, tags=None):
    """The ladder: crossings 1 to 5 a hundred metres apart, all other nodes off the line."""
    lines = ['<?xml version="1.0"?><osm version="0.6">']
    for node in sorted({node for nodes in LADDER.values() for node in nodes}):
        north = 0.0 if node < 10 else 0.001 + 0.0001 * (node - 10)
        lines.append(f'<node id="{node}" lat="{32.9 + north}" lon="{115.8 + 0.001 * (node % 10)}"/>')
    for way, nodes in LADDER.items():
        refs = "".join(f'<nd ref="{node}"/>' for node in nodes)
        more = "".join(f'<tag k="{k}" v="{v}"/>' for k, v in (tags or {}).get(way, {}).items())
        lines.append(f'<way id="{way}">{refs}<tag k="highway" v="residential"/>{more}</way>')
    path = tmp_path / "ladder.osm"
    path.write_text("\n".join([*lines, *relations, "</osm>"]), encoding="utf-8")
    return read_network(path, area=area)


def over(*parts):
    """A chain, the lower node of each edge first."""
    return tuple(tuple(sorted(part)) if isinstance(part, tuple) else part for part in parts)


@pytest.mark.parametrize("to", [25, 26])
def test_via_ways_in_any_order_and_cut_by_other_ways(tmp_path, to):
    network = climb(
        tmp_path, relation(1, {"restriction": "no_left_turn"}, "from:way:20", *ALONG, f"to:way:{to}")
    )
    assert named_chains(network) == {over(*UP, tuple(LADDER[to]))}
    assert len(network.banned_turns) == 0
    assert "：采用 1 条（经由路段 1），禁转 1 处；未用 0 条" in network.notes[0]


def test_only_over_via_ways_bans_the_other_ways_off_at_their_end(tmp_path):
    straight = relation(1, {"restriction": "only_straight_on"}, "from:way:20", *ALONG, "to:way:25")
    others = {over(*UP, (5, 13)), over(*UP, (1, 5)), over(*UP, (5, 42)), over(*UP, (4, 5))}
    assert named_chains(climb(tmp_path, straight)) == others
    left_too = relation(2, {"restriction": "only_left_turn"}, "from:way:20", *ALONG, "to:way:26")
    assert named_chains(climb(tmp_path, straight, left_too)) == others - {over(*UP, (5, 13))}


def test_several_ways_in_and_out_over_via_ways(tmp_path):
    leave = relation(
        1, {"restriction": "no_exit"}, "from:way:20", "via:way:21", "via:way:22", "via:way:23",
        "to:way:25", "to:way:26",
    )  # fmt: skip
    assert named_chains(climb(tmp_path, leave)) == {over(*UP, (5, 12)), over(*UP, (5, 13))}
    # of a way that goes on past the crossing both edges are meant; a via way is left where the other begins
    part = relation(1, {"restriction": "no_right_turn"}, "from:way:30", "via:way:21", "to:way:24")
    assert named_chains(climb(tmp_path, part)) == {over((1, come), 1, (1, 2), 2, (2, 11)) for come in (40, 5)}


@pytest.mark.parametrize("value", ["no_u_turn", "no_straight_on"])
def test_back_into_the_same_way_over_via_ways(tmp_path, value):
    network = climb(tmp_path, relation(1, {"restriction": value}, "from:way:30", *ALONG, "to:way:30"))
    # the way runs 40, 1, 5, 42
    back = {(40, 1), (5, 42)} if value == "no_u_turn" else {(40, 42), (5, 1)}
    up = {over((come, 1), *UP[1:], (5, go)) for come, go in back}
    down = {over((5, go), *UP[:0:-1], (1, come)) for come, go in back}
    assert named_chains(network) == up | down


def test_a_dead_end_is_not_driven_back_as_a_via_way(tmp_path):
    dead_end = relation(1, {"restriction": "no_u_turn"}, "from:way:21", "via:way:24", "to:way:21")
    network = climb(tmp_path, dead_end)
    assert len(network.banned_chains) == 0
    assert network.notes[0].endswith("(members outside the file or the area 1)")


@pytest.mark.parametrize(
    ("members", "tags", "reason"),
    [
        (("via:way:21", "via:way:23"), {}, "members outside the file or the area 1"),
        (("via:way:21", "via:way:22", "via:way:99"), {}, "members outside the file or the area 1"),
        (("via:way:24",), {}, "members outside the file or the area 1"),
        (("via:way:21", "via:node:3"), {}, "unreadable 1"),
        (ALONG, {22: {"oneway": "-1"}}, "on turns that no car could take anyway 1"),
        (ALONG, {23: {"highway": "footway"}}, "on turns that no car could take anyway 1"),
        (ALONG, {20: {"oneway": "-1"}}, "on turns that no car could take anyway 1"),
        (ALONG, {25: {"oneway": "-1"}}, "on turns that no car could take anyway 1"),
    ],
)
def test_via_ways_that_cannot_be_used(tmp_path, members, tags, reason):
    network = climb(
        tmp_path,
        relation(1, {"restriction": "no_left_turn"}, "from:way:20", *members, "to:way:25"),
        tags=tags,
    )
    assert len(network.banned_turns) + len(network.banned_chains) == 0
    assert network.notes[0].endswith(f"0 used, 0 turns banned; 1 not used ({reason})")


def test_via_ways_beyond_the_area(tmp_path):
    rule = relation(1, {"restriction": "no_left_turn"}, "from:way:20", *ALONG, "to:way:25")
    whole = climb(tmp_path, rule, area=shapely.box(115.79, 32.89, 115.81, 32.91))
    assert named_chains(whole) == {over(*UP, (5, 12))}
    half = climb(tmp_path, rule, area=shapely.box(115.8, 32.89, 115.8025, 32.91))
    assert len(half.banned_chains) == 0
    assert "members outside the file or the area 1" in half.notes[0]
    assert climb(tmp_path, rule, area=shapely.Point(115.801, 32.903).buffer(0.0001)).notes == ()


@pytest.mark.parametrize(
    ("file", "used", "banned", "unused", "chains"),
    [
        ("helsinki/roads.osm.pbf", "77 used (1 over via ways)", 78, 20, 1),
        ("heidelberg/roads.osm.pbf", "454 used", 556, 22, 0),
    ],
)
def test_real_files(shared_data, file, used, banned, unused, chains):
    network = read_network(shared_data / file)
    assert len(network.banned_chains) == chains
    assert len(network.banned_turns) == banned - chains
    assert f": {used}, {banned} turns banned; {unused} not used" in network.notes[-1]
    turns = network.banned_turns
    for edge in (turns.from_edge, turns.to_edge):
        assert ((network.edge_u[edge] == turns.via) | (network.edge_v[edge] == turns.via)).all()
    rows = np.column_stack((turns.via, turns.from_edge, turns.to_edge))
    assert len(np.unique(rows, axis=0)) == len(turns)


def test_the_via_way_of_helsinki_is_driven_round(shared_data):
    network = read_network(shared_data / "helsinki" / "roads.osm.pbf")
    (chain,) = listed(network)[len(network.banned_turns) :]
    ends = place(network, [(chain[0], 0.5, 0.0), (chain[-1], 0.5, 0.0)])
    home, shop = one_of(ends, 0), one_of(ends, 1)
    free = dataclasses.replace(network, banned_chains=no_chains())
    for direction, near, far in (("from_station", home, shop), ("to_station", shop, home)):
        seconds, freely = (
            Router(net, mode="drive", direction=direction).nearest(near, far, limit_s=math.inf).seconds[0]
            for net in (network, free)
        )
        assert seconds == pytest.approx(oracle(network, near, far, direction=direction)[0, 0], abs=1e-6)
        assert freely == pytest.approx(oracle(free, near, far, direction=direction)[0, 0], abs=1e-6)
        assert freely + 5.0 < seconds < math.inf


# --- searching ---


def place(network: RoadNetwork, spots: list[tuple[int, float, float]]) -> Snapped:
    """Points given as (edge, share of its length, access metres)."""
    edge = np.array([s[0] for s in spots], dtype=np.int32)
    offset = np.array([s[1] for s in spots]) * network.length_m[edge] if spots else np.empty(0)
    access = np.array([s[2] for s in spots], dtype=np.float64)
    return Snapped(edge, offset, access, np.zeros(len(spots)), np.zeros(len(spots)))


def listed(network: RoadNetwork) -> list[tuple[int, ...]]:
    """Every ban as (edge, node, edge, node … edge)."""
    turns, chains = network.banned_turns, network.banned_chains
    found = list(
        zip(*(column.tolist() for column in (turns.from_edge, turns.via, turns.to_edge)), strict=True)
    )
    for first, stop in pairwise(chains.start.tolist()):
        both = np.column_stack((chains.edge[first:stop], chains.node[first:stop]))
        found.append(tuple(both.ravel()[:-1].tolist()))
    return found


def drive(network, origin, goals, wait_s=0.0):
    """Seconds by car from one position to others, access legs left out: (edge, offset) each.

    Searched over all that was driven last, as many edges as the longest ban names: (edge, node it was left by) each.
    """
    bans: dict[int, list[tuple[tuple[int, int], ...]]] = {}
    for ban in listed(network):
        bans.setdefault(ban[-1], []).append(tuple(zip(ban[:-1:2], ban[1::2], strict=True)))
    longest = max((len(driven) for some in bans.values() for driven in some), default=1)
    times = edge_seconds(network, mode="drive", signal_wait_s=wait_s)
    leaving: dict[int, list[tuple[int, int, float]]] = {}
    for e in range(network.edge_count):
        for tail, head, seconds in (
            (network.edge_u, network.edge_v, times[0]),
            (network.edge_v, network.edge_u, times[1]),
        ):
            if np.isfinite(seconds[e]):
                leaving.setdefault(int(tail[e]), []).append((e, int(head[e]), float(seconds[e])))

    def may(history: tuple[tuple[int, int], ...], edge: int) -> bool:
        return not any(history[-len(driven) :] == driven for driven in bans.get(edge, ()))

    def part(edge: int, from_m: float, to_m: float) -> float:
        if abs(to_m - from_m) <= AT_NODE_M:
            return 0.0
        speeds = network.speed_forward_kmh if to_m > from_m else network.speed_backward_kmh
        speed = speeds["drive"][edge]
        return abs(to_m - from_m) * 3.6 / speed if speed > 0 else math.inf

    def ends(edge: int) -> list[tuple[int, float]]:
        return [(int(network.edge_v[edge]), float(network.length_m[edge])), (int(network.edge_u[edge]), 0.0)]

    def half(node: int) -> float:
        return wait_s / 2 if network.node_signal[node] else 0.0

    edge, offset = origin
    # a position is driven to each end of its edge, and on from there as any traffic on that edge
    waiting = [(part(edge, offset, at) + half(node), ((edge, node),)) for node, at in ends(edge)]
    heapq.heapify(waiting)
    settled: dict[tuple[tuple[int, int], ...], float] = {}
    at_node: dict[int, list[tuple[float, tuple[tuple[int, int], ...]]]] = {}
    while waiting:
        so_far, history = heapq.heappop(waiting)
        if history in settled or not math.isfinite(so_far):
            continue
        settled[history] = so_far
        node = history[-1][1]
        at_node.setdefault(node, []).append((so_far, history))
        for e, head, seconds in leaving.get(node, ()):
            following = (*history, (e, head))[-longest:]
            if following not in settled and may(history, e):
                heapq.heappush(waiting, (so_far + seconds, following))
    result = []
    for goal, at_m in goals:
        best = part(edge, offset, at_m) if goal == edge else math.inf
        for node, end_m in ends(goal):
            last = part(goal, end_m, at_m) + half(node)
            best = min([best, *(s + last for s, history in at_node.get(node, ()) if may(history, goal))])
        result.append(best)
    return result, {node: min(some)[0] for node, some in at_node.items()}


def oracle(network, sources, targets, *, direction, wait_s=0.0):
    """Seconds (sources, targets) by all that was driven, always the way that the traffic goes."""
    at = [[(int(p.edge[i]), float(p.offset_m[i])) for i in range(len(p))] for p in (sources, targets)]
    legs = (sources.access_m[:, None] + targets.access_m[None, :]) / WALK_MS
    if direction == "from_station":
        return np.array([drive(network, o, at[1], wait_s)[0] for o in at[0]]) + legs
    return np.array([drive(network, o, at[0], wait_s)[0] for o in at[1]]).T + legs


def dense(sparse: TravelMatrix) -> np.ndarray:
    full = np.full(sparse.shape, np.inf)
    rows = np.repeat(np.arange(sparse.shape[0]), np.diff(sparse.indptr))
    full[rows, sparse.indices] = sparse.seconds
    return full


# nine crossings, three by three
BLOCKS = [(i, i + 1) for i in range(9) if i % 3 < 2] + [(i, i + 3) for i in range(6)]


def one_of(points: Snapped, i: int) -> Snapped:
    return Snapped(*(getattr(points, name)[i : i + 1] for name in Snapped.__slots__))


def as_ban(network: RoadNetwork, way: Route) -> list[int]:
    """The edges of a route with the nodes between them."""
    left = np.where(way.to_m > way.from_m, network.edge_v[way.edge], network.edge_u[way.edge])
    return np.column_stack((way.edge, left)).ravel()[:-1].tolist()


@st.composite
def walks(draw, pairs, at_node):
    """A way through three to five edges: (edge, node, edge, node … edge)."""
    edge = draw(st.integers(0, len(pairs) - 1))
    node = draw(st.sampled_from(pairs[edge]))
    found = [edge]
    for _ in range(draw(st.sampled_from([2, 2, 2, 3, 4]))):
        edge = draw(st.sampled_from(at_node[node]))
        found += [node, edge]
        u, v = pairs[edge]
        node = v if node == u else u
    return found


@st.composite
def worlds(draw):
    """A random network with loops, parallels, one-ways, lights and banned turns, and points on it."""
    whole = st.integers(0, 60).map(lambda k: k * 25.0)
    town = draw(st.booleans())
    n = 9 if town else draw(st.integers(1, 6))
    xy = draw(st.lists(st.tuples(whole, whole), min_size=n, max_size=n, unique=True))
    node = st.integers(0, n - 1)
    pairs = [*BLOCKS] if town else []
    pairs += draw(st.lists(st.tuples(node, node), min_size=1 - town, max_size=2 if town else 10))
    bends = {
        e: [(xy[u][0] + 60.0 + e, xy[u][1] + 10.0), (xy[u][0] + 35.0, xy[u][1] + 80.0 + e)]
        for e, (u, v) in enumerate(pairs)
        if u == v or draw(st.booleans())
    }
    at_node = {x: [e for e, pair in enumerate(pairs) if x in pair] for x in range(n)}
    every = [(e, x, f) for x, edges in at_node.items() for e in edges for f in edges]
    bans = sorted(draw(st.sets(st.sampled_from(every), max_size=draw(st.sampled_from([0, 3, len(every)])))))
    chains = draw(st.lists(walks(pairs, at_node), max_size=6))
    network = toy_network(
        xy,
        pairs,
        bends=bends,
        oneway=draw(st.sets(st.integers(0, len(pairs) - 1), max_size=3)),
        signals=draw(st.sets(node)),
        bans=bans,
        chains=chains,
    )
    edge = st.integers(0, len(pairs) - 1)
    share = st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0.001, 0.999))
    spots = st.lists(st.tuples(edge, share, st.sampled_from([0.0, 7.5])), min_size=1, max_size=4)
    options = {
        "mode": "drive",
        "direction": draw(st.sampled_from(["to_station", "from_station"])),
        "limit_s": draw(st.sampled_from([30.0, 120.0, math.inf])),
    }
    sources, targets = place(network, draw(spots)), place(network, draw(spots))
    for _ in range(draw(st.integers(0, 6)) if town else 0):
        # ban a part of the way that is driven at present: what is banned anywhere else changes nothing
        one, other = (one_of(points, draw(st.integers(0, len(points) - 1))) for points in (sources, targets))
        way = Router(network, **how(options)).route(one, other, limit_s=math.inf)
        driven = (
            [] if way is None else as_ban(network, way)[:: 1 if options["direction"] == "to_station" else -1]
        )
        size = draw(st.integers(2, 5))
        if len(driven) >= 2 * size - 1:
            first = 2 * draw(st.integers(0, (len(driven) + 1) // 2 - size))
            (chains if size > 2 else bans).append(driven[first : first + 2 * size - 1])
            network = dataclasses.replace(
                network,
                banned_turns=Turns(*np.array(bans, dtype=np.int32).reshape(-1, 3).T),
                banned_chains=toy_chains(chains),
            )
    return network, sources, targets, options


def unsure(value: np.ndarray, limit_s: float) -> np.ndarray:
    """Pairs within a millisecond of the limit may fall on either side of it in another arithmetic."""
    return np.abs(value - limit_s) < 1e-3 if math.isfinite(limit_s) else np.zeros(value.shape, dtype=bool)


@STEADY
@given(worlds(), st.sampled_from([0.0, 35.0]))
def test_times_are_those_of_all_that_was_driven(world, wait_s):
    network, sources, targets, options = world
    expected = oracle(network, sources, targets, direction=options["direction"], wait_s=wait_s)
    open_ = unsure(expected, options["limit_s"])
    expected[expected > options["limit_s"]] = np.inf
    full = dense(
        Router(network, **how(options), signal_wait_s=wait_s).matrix(
            sources, targets, limit_s=options["limit_s"]
        )
    )
    np.testing.assert_allclose(full[~open_], expected[~open_], rtol=0, atol=1e-6)
    field = Router(network, **how(options), signal_wait_s=wait_s).nearest(
        sources, targets, limit_s=options["limit_s"]
    )
    np.testing.assert_array_equal(field.seconds, full.min(axis=0))
    reached = np.isfinite(field.seconds)
    assert (field.label[~reached] == -1).all()
    np.testing.assert_array_equal(full[field.label[reached], np.flatnonzero(reached)], field.seconds[reached])


@STEADY
@given(worlds())
def test_node_times_are_the_least_of_the_ways_in(world):
    network, sources, _, options = world
    rows = dense(Router(network, **how(options)).reach_nodes(sources, limit_s=options["limit_s"]))
    field = Router(network, **how(options)).nearest(sources, place(network, []), limit_s=options["limit_s"])
    np.testing.assert_array_equal(field.node_seconds, rows.min(axis=0))
    np.testing.assert_array_equal(field.node_label >= 0, np.isfinite(field.node_seconds))
    if len(network.banned_turns) + len(network.banned_chains) == 0:
        assert len(field.node_seconds) == network.node_count
    if options["direction"] == "from_station":
        for i in range(len(sources)):
            origin = int(sources.edge[i]), float(sources.offset_m[i])
            _, arrived = drive(network, origin, [])
            expected = np.full(network.node_count, np.inf)
            for node, seconds in arrived.items():
                expected[node] = seconds + sources.access_m[i] / WALK_MS
            open_ = unsure(expected, options["limit_s"])
            expected[expected > options["limit_s"]] = np.inf
            np.testing.assert_allclose(
                rows[i, : network.node_count][~open_], expected[~open_], rtol=0, atol=1e-6
            )


@STEADY
@given(worlds(), st.data())
def test_lifting_a_ban_never_lengthens_a_time(world, data):
    network, sources, targets, options = world
    before = dense(Router(network, **how(options)).matrix(sources, targets, limit_s=options["limit_s"]))
    turns = network.banned_turns
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=len(turns), max_size=len(turns))), dtype=bool)
    fewer = Turns(turns.from_edge[kept], turns.via[kept], turns.to_edge[kept])
    chains = [ban for ban in listed(network)[len(turns) :] if data.draw(st.booleans())]
    freer = dataclasses.replace(network, banned_turns=fewer, banned_chains=toy_chains(chains))
    assert (
        dense(Router(freer, **how(options)).matrix(sources, targets, limit_s=options["limit_s"])) <= before
    ).all()
    free = dataclasses.replace(network, banned_turns=no_turns(), banned_chains=no_chains())
    assert (
        dense(Router(free, **how(options)).matrix(sources, targets, limit_s=options["limit_s"])) <= before
    ).all()


@STEADY
@given(worlds(), st.sampled_from([mode for mode in MODES if mode != "drive"]))
def test_only_cars_obey(world, mode):
    network, sources, targets, options = world
    free = dataclasses.replace(network, banned_turns=no_turns(), banned_chains=no_chains())
    options = {**options, "mode": mode}
    for some in (lambda net: Router(net, **how(options)).nearest(sources, targets, limit_s=options["limit_s"]),
                 lambda net: Router(net, **how(options)).matrix(sources, targets, limit_s=options["limit_s"]),
                 lambda net: Router(net, **how(options)).reach_nodes(sources, limit_s=options["limit_s"])):  # fmt: skip
        for one, other in zip(
            dataclasses.astuple(some(network)), dataclasses.astuple(some(free)), strict=True
        ):
            np.testing.assert_array_equal(one, other)


@STEADY
@given(worlds(), st.sampled_from([0.0, 35.0]))
def test_stretches_agree_with_points_sampled_on_every_edge(world, wait_s):
    network, sources, _, options = world
    limit_s = options["limit_s"]
    options = {**options, "signal_wait_s": wait_s}
    share = np.linspace(0.0, 1.0, 23)[1:-1]
    samples = place(network, [(e, float(t), 0.0) for e in range(network.edge_count) for t in share])
    field = Router(network, **how(options)).nearest(sources, samples, limit_s=options["limit_s"])
    part = Router(network, **how(options)).stretches(sources, field.node_seconds, limit_s=options["limit_s"])
    for k in range(len(samples)):
        at, mine = samples.offset_m[k], part.edge == samples.edge[k]
        inside = ((part.from_m[mine] <= at) & (at <= part.to_m[mine])).any()
        borders = np.concatenate((part.from_m[mine], part.to_m[mine]))
        if (np.abs(borders - at) > 1e-3).all() and not unsure(field.seconds, limit_s)[k]:
            assert inside == np.isfinite(field.seconds[k])
    split = Router(network, **how(options)).stretches_of_nearest(sources, field, limit_s=options["limit_s"])
    assert sum((p.to_m - p.from_m).sum() for p in split) == pytest.approx((part.to_m - part.from_m).sum())
    nodes = Router(network, **how(options)).reach_nodes(sources, limit_s=options["limit_s"])
    for i, (each,) in enumerate(
        Router(network, **how(options)).reached(sources, limits_s=[options["limit_s"]])
    ):
        one = Snapped(*(getattr(sources, name)[i : i + 1] for name in Snapped.__slots__))
        alone = Router(network, **how(options)).stretches(one, dense(nodes)[i], limit_s=options["limit_s"])
        for name in type(each).__slots__:
            np.testing.assert_allclose(getattr(each, name), getattr(alone, name), atol=1e-9)


@pytest.mark.parametrize("direction", ["from_station", "to_station"])
@pytest.mark.parametrize(
    ("bans", "metres"),
    [
        ([], 100.0),
        # on to the next crossing, round there and back
        ([(0, 1, 2)], 300.0),
        # round the block
        ([(0, 1, 2), (1, 2, 1)], 400.0),
        ([(0, 1, 2), (0, 1, 1)], math.inf),
        # the edge of the goal may be left by the banned turn, but not entered
        ([(2, 1, 0)], 100.0),
    ],
)
def test_a_banned_turn_is_driven_round(direction, bans, metres):
    # 0 ─ 1 ─ 2
    #     └ 3 ─ 4 ┘
    xy = [(0, 0), (100, 0), (200, 0), (100, -100), (200, -100)]
    road = toy_network(xy, [(0, 1), (1, 2), (1, 3), (2, 4), (4, 3)], bans=bans)
    home, shop = place(road, [(0, 0.5, 0.0)]), place(road, [(2, 0.5, 0.0)])
    near, far = (home, shop) if direction == "from_station" else (shop, home)
    found = Router(road, mode="drive", direction=direction).nearest(near, far, limit_s=math.inf)
    assert found.seconds[0] == pytest.approx(metres * 3.6 / 30.0)


@pytest.mark.parametrize("direction", ["from_station", "to_station"])
@pytest.mark.parametrize(
    ("bans", "chains"),
    [
        ([], [(0, 1, 1, 2, 2)]),
        # bans within a chain, at its start and at its end, one behind the other, and the same twice
        ([(1, 2, 2)], [(0, 1, 1, 2, 2, 3, 3)]),
        ([(2, 3, 3)], [(0, 1, 1, 2, 2, 3, 3)]),
        ([], [(0, 1, 1, 2, 2), (0, 1, 1, 2, 2, 3, 3)]),
        ([], [(1, 2, 2, 3, 3), (0, 1, 1, 2, 2, 3, 3)]),
        ([], [(1, 2, 2, 3, 3), (0, 1, 1, 2, 2, 3, 3, 4, 4)]),
        ([], [(0, 1, 1, 2, 2, 3, 3), (1, 2, 2, 3, 3, 4, 4)]),
        ([(1, 2, 1)], [(0, 1, 1, 2, 2), (0, 1, 1, 2, 2)]),
        # back and forth on one edge
        ([(0, 1, 0)], [(0, 1, 1, 2, 1, 1, 1), (0, 1, 1, 2, 2)]),
    ],
)
def test_bans_within_bans(direction, bans, chains):
    xy = [(100.0 * i, 0.0) for i in range(6)]
    road = toy_network(xy, [(i, i + 1) for i in range(5)], bans=bans, chains=chains)
    points = place(road, [(edge, share, 0.0) for edge in range(5) for share in (0.25, 0.75)])
    found = dense(Router(road, mode="drive", direction=direction).matrix(points, points, limit_s=math.inf))
    expected = oracle(road, points, points, direction=direction)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    free = dataclasses.replace(road, banned_turns=no_turns(), banned_chains=no_chains())
    assert (found > oracle(free, points, points, direction=direction) + 1.0).any()


@pytest.mark.parametrize("direction", ["from_station", "to_station"])
def test_a_loop_leads_round_a_banned_turn(direction):
    loop = [(200, 0), (200, 100), (100, 100)]
    road = toy_network(
        [(0, 0), (100, 0), (100, -100)], [(0, 1), (1, 1), (1, 2)], bends={1: loop}, bans=[(0, 1, 2)]
    )
    home, shop = place(road, [(0, 0.5, 0.0)]), place(road, [(2, 0.5, 0.0)])
    near, far = (home, shop) if direction == "from_station" else (shop, home)
    found = Router(road, mode="drive", direction=direction).nearest(near, far, limit_s=math.inf)
    assert found.seconds[0] == pytest.approx(500.0 * 3.6 / 30.0)


def test_subsets_see_the_bans_as_well():
    road = toy_network([(0, 0), (100, 0), (200, 0)], [(0, 1), (1, 2)], bans=[(0, 1, 1)], oneway=[0, 1])
    home, shop = place(road, [(0, 0.5, 0.0)]), place(road, [(1, 0.5, 0.0)])
    many = np.ones((1, 6), dtype=bool)
    found = Router(road, mode="drive").nearest_of_subsets(shop, home, many, limit_s=math.inf)
    assert found.seconds[found.field].min() == math.inf
    ride = Router(road, mode="ebike").nearest_of_subsets(shop, home, many, limit_s=math.inf)
    assert ride.seconds.max() == pytest.approx(100.0 / (15.0 / 3.6))


@pytest.mark.slow
@pytest.mark.parametrize("file", ["heidelberg/roads.osm.pbf", "helsinki/roads.osm.pbf"])
def test_real_towns_agree_with_all_that_was_driven(shared_data, file):
    network = read_network(shared_data / file)
    rng = np.random.default_rng(11)
    via = network.banned_turns.via
    detours = pairs = 0
    for _ in range(6):
        # around nodes with bans, where they matter
        around = rng.choice(via, 8)
        shift = rng.normal(0.0, 1e-3, (2, 8))
        points = snap(
            network, network.node_lon[around] + shift[0], network.node_lat[around] + shift[1], mode="drive"
        )
        points = Snapped(*(getattr(points, name)[points.linked] for name in Snapped.__slots__))
        full = dense(
            Router(network, mode="drive", direction="from_station").matrix(points, points, limit_s=math.inf)
        )
        back = dense(
            Router(network, mode="drive", direction="to_station").matrix(points, points, limit_s=math.inf)
        )
        np.testing.assert_allclose(back.T, full, rtol=0, atol=1e-6)
        at = [(int(points.edge[i]), float(points.offset_m[i])) for i in range(len(points))]
        legs = (points.access_m[:, None] + points.access_m[None, :]) / WALK_MS
        expected = np.array([drive(network, origin, at)[0] for origin in at]) + legs
        np.testing.assert_allclose(full, expected, rtol=0, atol=1e-3)
        free = dataclasses.replace(network, banned_turns=no_turns(), banned_chains=no_chains())
        freely = dense(
            Router(free, mode="drive", direction="from_station").matrix(points, points, limit_s=math.inf)
        )
        assert (freely <= full).all()
        detours, pairs = detours + int((full > freely + 0.1).sum()), pairs + full.size
    assert pairs > 200
    assert detours > 0
