"""Turn restrictions of OSM (relations ``type=restriction``) → banned turns of ``drive``.

Over one node ``only_*`` bans every other way on, the U-turn too. Over via ways it does so where the last of
them meets the way to take, for cars that came in by the first way and drove all of them. So reads OSRM;
GraphHopper and Valhalla also forbid to leave the via ways earlier. OSM's wiki leaves it open, and of the two
readings this is the one that bans nothing but what the relation names. What holds at times
only is not used, for the times of a car have no clock. What cannot be used is counted by its reason and told
in the notes of the network.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from geo.models import F64, I32, I64, Chains, Turns

# What a car obeys, the narrowest first: it replaces the wider ones.
KINDS_OF_VEHICLE = ("motorcar", "motor_vehicle", "vehicle")
RULE_TAGS = ("restriction", *(f"restriction:{vehicle}" for vehicle in KINDS_OF_VEHICLE))
CONDITIONAL_TAGS = tuple(f"{tag}:conditional" for tag in RULE_TAGS)
# Hours as they were tagged before 2013
HOURS = ("day_on", "day_off", "hour_on", "hour_off")

BY_TIME = ("分时", "by time of day")
UNREADABLE = ("读不懂", "unreadable")
OUTSIDE = ("缺成员", "members outside the file or the area")
UNUSABLE = ("本来就走不通", "on turns that no car could take anyway")
REASONS = (BY_TIME, UNREADABLE, OUTSIDE, UNUSABLE)
Reason = tuple[str, str]
Driven = tuple[int, ...]  # edge, node, edge, node: rows


@dataclass(frozen=True, slots=True)
class TurnRule:
    """One restriction over a node or over ways (OSM ids): ``value`` as tagged, such as ``no_left_turn``.

    ``via``: the node, -1 where ``via_ways`` lie between; these stand in any order.
    """

    value: str
    from_ways: tuple[int, ...]
    via: int
    to_ways: tuple[int, ...]
    via_ways: tuple[int, ...] = ()

    @property
    def ways(self) -> tuple[int, ...]:
        return (*self.from_ways, *self.via_ways, *self.to_ways)


@dataclass(frozen=True, slots=True)
class TurnRules:
    """All restrictions of a file that a car obeys, and how many of them cannot be used, by reason."""

    rules: list[TurnRule] = field(default_factory=list)
    unused: Counter[Reason] = field(default_factory=Counter)

    def take(self, tags: Mapping[str, str], members: Iterable[tuple[str, str, int]]) -> None:
        """Read one relation; ``members``: type (n, w, r), role and id of each."""
        rule = read_rule(tags, members)
        if isinstance(rule, TurnRule):
            self.rules.append(rule)
        elif rule is not None:
            self.unused[rule] += 1


def read_rule(tags: Mapping[str, str], members: Iterable[tuple[str, str, int]]) -> TurnRule | Reason | None:
    """The rule of a relation, or why it cannot be used; None where it does not hold for cars.

    >>> road = [("w", "from", 1), ("n", "via", 2), ("w", "to", 3)]
    >>> read_rule({"type": "restriction", "restriction": "no_left_turn"}, road)
    TurnRule(value='no_left_turn', from_ways=(1,), via=2, to_ways=(3,), via_ways=())
    >>> read_rule({"type": "restriction", "restriction": "no_left_turn", "except": "psv;motorcar"}, road)
    """
    if tags.get("type") != "restriction":
        return None
    excepted = {part.strip() for part in tags.get("except", "").split(";")}
    named = [f"restriction:{vehicle}" for vehicle in KINDS_OF_VEHICLE]
    if excepted.isdisjoint(KINDS_OF_VEHICLE):
        named.append("restriction")
    if any(f"{tag}:conditional" in tags for tag in named):
        return BY_TIME
    value = next((tags[tag] for tag in named if tag in tags), "none")
    if value == "none":
        return None
    if any(tag in tags for tag in HOURS):
        return BY_TIME
    of_role: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for kind, role, ref in members:
        of_role[kind, role].append(ref)
    via, from_ways, to_ways = of_role["n", "via"], of_role["w", "from"], of_role["w", "to"]
    via_ways = tuple(dict.fromkeys(of_role["w", "via"]))
    one_via = len(via) == (0 if via_ways else 1)
    # no_entry and no_exit may name many ways on one side; only_* leads into one way
    one_way_on = not value.startswith("only_") or len(to_ways) == 1
    if not (value.startswith(("no_", "only_")) and one_via and from_ways and to_ways and one_way_on):
        return UNREADABLE
    return TurnRule(value, tuple(from_ways), -1 if via_ways else via[0], tuple(to_ways), via_ways)


def ban_turns(
    rules: TurnRules,
    *,
    clipped: bool,
    node_id: I64,
    way_id: I64,
    edge_u: I32,
    edge_v: I32,
    forward: F64,
    backward: F64,
) -> tuple[Turns, Chains, tuple[str, ...]]:
    """Turns and chains of edges that the rules ban, and the note that tells how many rules are used.

    ``forward``/``backward``: speeds of a car on each edge. Of a way that goes on
    past the node both edges are meant. Several ``only_*`` of one edge allow what any of them allows.
    ``clipped``: the network is part of a file; rules wholly outside it are none of its own.
    """
    unused = rules.unused.copy()
    crossings = _crossings(rules.rules, node_id, way_id, edge_u, edge_v, forward, backward)
    kept_ways = set(way_id.tolist()) if rules.rules else set()
    banned: set[Driven] = set()
    allowed: defaultdict[Driven, set[int]] = defaultdict(set)
    used = over_ways = 0
    for rule in rules.rules:
        driven = crossings.driven(rule)
        if not driven:
            if not clipped or not kept_ways.isdisjoint(rule.ways):
                unused[OUTSIDE] += 1
            continue
        ends = [(come, go) for come in driven for go in crossings.ways_on(rule, come)]
        used += bool(ends)
        over_ways += bool(ends and rule.via_ways)
        unused[UNUSABLE] += not ends
        for come, go in ends:
            if rule.value.startswith("only_"):
                allowed[come].add(go)
            else:
                banned.add((*come, go))
    for come, ways_on in allowed.items():
        banned |= {(*come, go) for go in crossings.at[come[-1]].leaving if go not in ways_on}
    turns = np.array(sorted((ban[1], ban[0], ban[2]) for ban in banned if len(ban) == 3), dtype=np.int32)
    via, come_by, go_by = turns.reshape(-1, 3).T.copy()
    chains = sorted(ban for ban in banned if len(ban) > 3)
    return (
        Turns(come_by, via, go_by),
        Chains(
            np.cumsum([0, *(len(ban) // 2 + 1 for ban in chains)], dtype=np.int64),
            np.array([edge for ban in chains for edge in ban[::2]], dtype=np.int32),
            np.array([node for ban in chains for node in (*ban[1::2], -1)], dtype=np.int32),
        ),
        _notes(used, over_ways, len(banned), unused),
    )


@dataclass(slots=True)
class _Node:
    """A node with rules: the edges of each way there, and those by which a car comes and leaves."""

    ends: dict[int, list[int]]
    coming: set[int]
    leaving: set[int]


@dataclass(frozen=True, slots=True)
class _Crossings:
    """Where rules may hold: ``row`` of an OSM node, the nodes ``at`` those rows, ``along`` each via way."""

    row: dict[int, int]
    at: dict[int, _Node]
    along: defaultdict[int, set[int]]
    edge_u: I32
    edge_v: I32

    def driven(self, rule: TurnRule) -> list[Driven]:
        """What is driven from the first way up to where the last one begins, were there no one-ways.

        Every via way is driven, one after the other, and left where a way to take begins.
        """
        if not rule.via_ways:
            row = self.row.get(rule.via)
            if row is None or any(way not in self.at[row].ends for way in rule.ways):
                return []
            return [(edge, row) for way in rule.from_ways for edge in self.at[row].ends[way]]
        begin = {row for way in rule.via_ways for row in self.along[way]}
        waiting: list[tuple[Driven, frozenset[int], int]] = [
            ((edge, row), frozenset(rule.via_ways), -1)
            for row in sorted(begin)
            for way in rule.from_ways
            for edge in self.at[row].ends.get(way, ())
        ]
        found = []
        while waiting:
            driven, left, on = waiting.pop()
            row = driven[-1]
            ends = self.at[row].ends
            if not left and any(way in ends for way in rule.to_ways):
                found.append(driven)
                continue
            if len(driven) > 2 and row == driven[1]:
                continue
            for way in (*left, on):
                for edge in ends.get(way, ()):
                    ahead = int(self.edge_v[edge] if self.edge_u[edge] == row else self.edge_u[edge])
                    if edge not in driven[::2] and ahead not in driven[3::2]:
                        waiting.append(((*driven, edge, ahead), left - {way}, way))
        return found

    def ways_on(self, rule: TurnRule, driven: Driven) -> Iterator[int]:
        """Edges of the ways to take, where a car can drive all of it."""
        first, node = driven[0], self.at[driven[-1]]
        steps = zip(driven[1:-1:2], driven[2::2], strict=True)
        if first not in self.at[driven[1]].coming or any(
            edge not in self.at[row].leaving for row, edge in steps
        ):
            return
        back_again = rule.value.endswith("_u_turn")
        for way in rule.to_ways:
            for go in node.ends.get(way, ()):
                if go not in node.leaving:
                    continue
                # on one way that goes on past the crossing, back is back and every other turn is on
                same = way in rule.from_ways and first in self.at[driven[1]].ends.get(way, ())
                if not same or self._turns_back(driven, go) == back_again:
                    yield go

    def _turns_back(self, driven: Driven, go: int) -> bool:
        """Whether the last edge of a way runs against the first, both being of one way."""
        if len(driven) == 2:
            return driven[0] == go
        return bool((self.edge_v[driven[0]] == driven[1]) != (self.edge_u[go] == driven[-1]))


def _crossings(
    rules: list[TurnRule], node_id: I64, way_id: I64, edge_u: I32, edge_v: I32, forward: F64, backward: F64
) -> _Crossings:
    """The nodes of the network that some rule names, and those along the ways that it leads over."""
    wanted = np.unique(np.array([rule.via for rule in rules if not rule.via_ways], dtype=np.int64))
    over = np.unique(np.array([way for rule in rules for way in rule.via_ways], dtype=np.int64))
    rows = np.flatnonzero(np.isin(node_id, wanted))
    named = np.zeros(len(node_id), dtype=np.bool_)
    named[rows] = True
    along: defaultdict[int, set[int]] = defaultdict(set)
    for edge in np.flatnonzero(np.isin(way_id, over)).tolist():
        along[int(way_id[edge])] |= {int(edge_u[edge]), int(edge_v[edge])}
        named[[edge_u[edge], edge_v[edge]]] = True
    at = {row: _Node({}, set(), set()) for row in np.flatnonzero(named).tolist()}
    for ends, arriving, departing in ((edge_u, backward, forward), (edge_v, forward, backward)):
        for edge in np.flatnonzero(named[ends]).tolist():
            node, way = at[int(ends[edge])], int(way_id[edge])
            if edge not in node.ends.setdefault(way, []):
                node.ends[way].append(edge)
            if arriving[edge] > 0:
                node.coming.add(edge)
            if departing[edge] > 0:
                node.leaving.add(edge)
    return _Crossings({int(node_id[row]): row for row in rows.tolist()}, at, along, edge_u, edge_v)


def _notes(used: int, over_ways: int, banned: int, unused: Counter[Reason]) -> tuple[str, ...]:
    total = unused.total()
    if used + total == 0:
        return ()
    zh, en = (
        comma.join(f"{reason[i]} {unused[reason]}" for reason in REASONS if unused[reason])
        for i, comma in enumerate(("，", ", "))
    )
    over_zh, over_en = (
        (f"（经由路段 {over_ways}）", f" ({over_ways} over via ways)") if over_ways else ("", "")
    )
    note = f"转弯限制（驾车）：采用 {used} 条{over_zh}，禁转 {banned} 处；未用 {total} 条" + (
        f"（{zh}）" if zh else ""
    )
    note += f" / turn restrictions (drive): {used} used{over_en}, {banned} turns banned; {total} not used"
    return (note + (f" ({en})" if en else ""),)
