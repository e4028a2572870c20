"""Turn restrictions of OSM (relations ``type=restriction``) → banned turns of ``drive``.

Read are those over one node; ``only_*`` bans every other way on, the U-turn too. What cannot be used is
counted by its reason and told in the notes of the network.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from geo.models import F64, I32, I64, Turns

# What a car obeys, the narrowest first: it replaces the wider ones.
KINDS_OF_VEHICLE = ("motorcar", "motor_vehicle", "vehicle")
RULE_TAGS = ("restriction", *(f"restriction:{vehicle}" for vehicle in KINDS_OF_VEHICLE))
CONDITIONAL_TAGS = tuple(f"{tag}:conditional" for tag in RULE_TAGS)
# Hours as they were tagged before 2013
HOURS = ("day_on", "day_off", "hour_on", "hour_off")

BY_TIME = ("分时", "by time of day")
VIA_WAYS = ("经由路段", "via ways")
UNREADABLE = ("读不懂", "unreadable")
OUTSIDE = ("缺成员", "members outside the file or the area")
UNUSABLE = ("本来就走不通", "on turns that no car could take anyway")
REASONS = (BY_TIME, VIA_WAYS, UNREADABLE, OUTSIDE, UNUSABLE)
Reason = tuple[str, str]


@dataclass(frozen=True, slots=True)
class TurnRule:
    """One restriction over node ``via`` (OSM id): ``value`` as tagged, such as ``no_left_turn``."""

    value: str
    from_ways: tuple[int, ...]
    via: int
    to_ways: tuple[int, ...]


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
    TurnRule(value='no_left_turn', from_ways=(1,), via=2, to_ways=(3,))
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
    if of_role["w", "via"]:
        return VIA_WAYS
    # no_entry and no_exit may name many ways on one side; only_* leads into one way
    one_way_on = not value.startswith("only_") or len(to_ways) == 1
    if not (value.startswith(("no_", "only_")) and len(via) == 1 and from_ways and to_ways and one_way_on):
        return UNREADABLE
    return TurnRule(value, tuple(from_ways), via[0], tuple(to_ways))


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
) -> tuple[Turns, tuple[str, ...]]:
    """Turns between edges that the rules ban, and the note that tells how many rules are used.

    ``forward``/``backward``: speeds of a car on each edge. Of a way that goes on
    past the node both edges are meant. Several ``only_*`` of one edge allow what any of them allows.
    ``clipped``: the network is part of a file; rules wholly outside it are none of its own.
    """
    unused = rules.unused.copy()
    at_via = _edges_at(rules.rules, node_id, way_id, edge_u, edge_v, forward, backward)
    kept_ways = set(way_id.tolist()) if rules.rules else set()
    banned: set[tuple[int, int, int]] = set()
    allowed: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    used = 0
    for rule in rules.rules:
        node = at_via.get(rule.via)
        known = node is not None and all(way in node.ways for way in (*rule.from_ways, *rule.to_ways))
        if node is None or not known:
            if not clipped or not kept_ways.isdisjoint((*rule.from_ways, *rule.to_ways)):
                unused[OUTSIDE] += 1
            continue
        pairs = list(_pairs(rule, node))
        used += bool(pairs)
        unused[UNUSABLE] += not pairs
        for come, go in pairs:
            if rule.value.startswith("only_"):
                allowed[come, node.row].add(go)
            else:
                banned.add((node.row, come, go))
    leaving = {node.row: node.leaving for node in at_via.values()}
    for (come, row), ways_on in allowed.items():
        banned |= {(row, come, go) for go in leaving[row] if go not in ways_on}
    table = np.array(sorted(banned), dtype=np.int32).reshape(-1, 3)
    return Turns(table[:, 1].copy(), table[:, 0].copy(), table[:, 2].copy()), _notes(
        used, len(banned), unused
    )


@dataclass(slots=True)
class _Node:
    """A node with rules: its row, the ways there, and the edges by which a car comes and leaves."""

    row: int
    ways: set[int]
    coming: defaultdict[int, list[int]]
    going: defaultdict[int, list[int]]
    leaving: set[int]


def _edges_at(
    rules: list[TurnRule], node_id: I64, way_id: I64, edge_u: I32, edge_v: I32, forward: F64, backward: F64
) -> dict[int, _Node]:
    """OSM id → node, of the nodes of the network that some rule names."""
    wanted = np.unique(np.array([rule.via for rule in rules], dtype=np.int64))
    rows = np.flatnonzero(np.isin(node_id, wanted))
    nodes = {row: _Node(row, set(), defaultdict(list), defaultdict(list), set()) for row in rows.tolist()}
    named = np.zeros(len(node_id), dtype=np.bool_)
    named[rows] = True
    for ends, arriving, departing in ((edge_u, backward, forward), (edge_v, forward, backward)):
        for edge in np.flatnonzero(named[ends]).tolist():
            node, way = nodes[int(ends[edge])], int(way_id[edge])
            node.ways.add(way)
            if arriving[edge] > 0 and edge not in node.coming[way]:
                node.coming[way].append(edge)
            if departing[edge] > 0 and edge not in node.leaving:
                node.going[way].append(edge)
                node.leaving.add(edge)
    return {int(node_id[row]): node for row, node in nodes.items()}


def _pairs(rule: TurnRule, node: _Node) -> Iterator[tuple[int, int]]:
    """Edges that the rule leads from and to."""
    for from_way in rule.from_ways:
        for to_way in rule.to_ways:
            for come in node.coming[from_way]:
                for go in node.going[to_way]:
                    # on one way that goes on past the node, back is back and every other turn is on
                    if from_way != to_way or (come == go) == rule.value.endswith("_u_turn"):
                        yield come, go


def _notes(used: int, banned: int, unused: Counter[Reason]) -> tuple[str, ...]:
    total = unused.total()
    if used + total == 0:
        return ()
    zh, en = (
        comma.join(f"{reason[i]} {unused[reason]}" for reason in REASONS if unused[reason])
        for i, comma in enumerate(("，", ", "))
    )
    note = f"转弯限制（驾车）：采用 {used} 条，禁转 {banned} 处；未用 {total} 条" + (
        f"（{zh}）" if zh else ""
    )
    note += f" / turn restrictions (drive): {used} used, {banned} turns banned; {total} not used"
    return (note + (f" ({en})" if en else ""),)
