"""Banned turns as a graph: nodes that some turn may not pass are split into ways in and ways out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from geo.models import I32, I64, Chains, RoadNetwork, Turns

Come = tuple[int, int]  # an edge and the node that it was driven to


@dataclass(frozen=True, slots=True)
class Places:
    """Where a search can be: every node, then the copies of those with banned turns.

    ``node``: place → node row (the first are the nodes themselves). ``arrive_u``/``arrive_v``: the
    place where a search that runs along an edge comes out at its u or v; ``enter_u``/``enter_v``: the
    place from which it runs along the edge; ``depart_u``/``depart_v``: the place that knows the least
    time of all that enter the edge there, whatever they drove before. Without bans all are the nodes.
    ``tail``/``head``: further arcs; ``over``: ``2 * edge`` where one runs along an edge from u to v,
    ``+ 1`` from v to u, -1 where it has no length.
    """

    node: I32
    arrive_u: I32
    arrive_v: I32
    enter_u: I32
    enter_v: I32
    depart_u: I32
    depart_v: I32
    tail: I32
    head: I32
    over: I32


@dataclass(frozen=True, slots=True)
class _Begun:
    """Banned chains that a search may have driven the first edges of: state ``i`` came by ``come[i]``.

    ``entered[i]``: the node where it entered that edge, -1 where the edge is the first. ``banned``: state
    and edge that it may not enter; ``on``: state and edge that leads it to another state.
    """

    come: list[Come]
    entered: list[int]
    banned: set[tuple[int, int]]
    on: dict[tuple[int, int], int]


def split_at_bans(network: RoadNetwork, banned: Turns, chains: Chains) -> Places:
    """Split each node with banned turns: an edge named in a ban has places of its own there.

    ``banned`` and ``chains`` are meant in the direction of the search. Edges from which every turn is free
    arrive at one common copy; edges into which every turn is free depart from the node itself, which every
    arrival leads to: so its time is the least of its arrivals, as that of any other node. Who has driven
    the first two edges of a banned chain or more drives on along copies of its edges, until it leaves
    the chain: as the automaton of Aho and Corasick (1975) reads text, with edges for letters.
    """
    u, v, n = network.edge_u, network.edge_v, network.node_count
    if len(banned) + len(chains) == 0:
        none = np.empty(0, dtype=np.int32)
        return Places(np.arange(n, dtype=np.int32), u, v, u, v, u, v, none, none, none)
    begun = _begun(chains)
    # one number for a node and an edge that ends there
    many = np.int64(network.edge_count)
    come = np.array(begun.come, dtype=np.int64).reshape(-1, 2)
    entered = np.array(begun.entered, dtype=np.int64)
    came = come[:, 1] * many + come[:, 0]
    deep = np.flatnonzero(entered >= 0)
    along = entered[deep] * many + come[deep, 0]
    stop = np.array(sorted(begun.banned), dtype=np.int64).reshape(-1, 2)
    on = np.array([(state, f, to) for (state, f), to in begun.on.items()], dtype=np.int64).reshape(-1, 3)

    def goes_at(states: I64, edges: I64) -> I64:
        key: I64 = come[states, 1] * many + edges
        return key

    ban_in, ban_out = banned.via * many + banned.from_edge, banned.via * many + banned.to_edge
    split = np.unique(np.concatenate((banned.via, come[:, 1])))
    arrivals = np.unique(np.concatenate((ban_in, came[entered < 0])))
    departures = np.unique(
        np.concatenate((ban_out, goes_at(stop[:, 0], stop[:, 1]), goes_at(on[:, 0], on[:, 1])))
    )
    looks = np.unique(along)
    sizes = [n, len(split), len(arrivals), len(deep), len(departures), len(deep), len(looks)]
    first_common, first_in, first_deep, first_out, first_along, first_look, count = np.cumsum(sizes)
    node = np.concatenate(
        (
            np.arange(n),
            split,
            arrivals // many,
            come[deep, 1],
            departures // many,
            entered[deep],
            looks // many,
        )
    )
    common = np.arange(n, dtype=np.int32)
    common[split] = first_common + np.arange(len(split))

    def at_end(ends: I32, keys: I64, first: np.int64, otherwise: I32) -> I32:
        place = otherwise.copy()
        if len(keys) == 0:
            return place
        edge = np.flatnonzero(common[ends] != ends)
        key = ends[edge] * many + edge
        found = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
        own = keys[found] == key
        place[edge[own]] = first + found[own]
        return place

    # where each state is, and which bans of single turns hold for whoever came by an edge
    deeper = np.cumsum(entered >= 0) - 1
    place_of = np.where(entered >= 0, first_deep + deeper, first_in + np.searchsorted(arrivals, came))
    by_edge = np.full(count, -1, dtype=np.int64)
    by_edge[first_in:first_deep] = arrivals
    by_edge[first_deep:first_out] = came[deep]
    comes, goes = np.arange(first_common, first_out), np.arange(first_out, first_along)
    comes = comes[np.argsort(node[comes], kind="stable")]
    begin = np.searchsorted(node[comes], node[goes], side="left")
    size = np.searchsorted(node[comes], node[goes], side="right") - begin
    head = np.repeat(goes, size)
    within = np.arange(len(head)) - np.repeat(np.cumsum(size) - size, size)
    tail = comes[np.repeat(begin, size) + within]

    def out(keys: I64) -> I64:
        place: I64 = first_out + np.searchsorted(departures, keys)
        return place

    ban = _pairs(ban_in, out(ban_out), count)
    stopped = _pairs(place_of[stop[:, 0]], out(goes_at(stop[:, 0], stop[:, 1])), count)
    turns_on, onto = place_of[on[:, 0]], out(goes_at(on[:, 0], on[:, 1]))
    led = _pairs(turns_on, onto, count)
    may = ~np.isin(_pairs(by_edge[turns_on], onto, count), ban) & ~np.isin(led, stopped)
    free = ~np.isin(_pairs(by_edge[tail], head, count), ban)
    free &= ~np.isin(_pairs(tail, head, count), np.concatenate((stopped, led)))
    run, arrived = first_along + np.arange(len(deep)), first_deep + np.arange(len(deep))
    looked = first_look + np.searchsorted(looks, along)
    forth = (u[come[deep, 0]] == entered[deep]) & (v[come[deep, 0]] == come[deep, 1])
    back = (v[come[deep, 0]] == entered[deep]) & (u[come[deep, 0]] == come[deep, 1])
    arcs = [
        (comes, node[comes], None),
        (tail[free], head[free], None),
        (turns_on[may], first_along + deeper[on[may, 2]], None),
        (run[forth], arrived[forth], 2 * come[deep[forth], 0]),
        (run[back], arrived[back], 2 * come[deep[back], 0] + 1),
        (run, looked, None),
        (out(looks), first_look + np.arange(len(looks)), None),
    ]
    enter_u, enter_v = at_end(u, departures, first_out, u), at_end(v, departures, first_out, v)
    return Places(
        node=node.astype(np.int32),
        arrive_u=at_end(u, arrivals, first_in, common[u]),
        arrive_v=at_end(v, arrivals, first_in, common[v]),
        enter_u=enter_u,
        enter_v=enter_v,
        depart_u=at_end(u, looks, first_look, enter_u),
        depart_v=at_end(v, looks, first_look, enter_v),
        tail=np.concatenate([a for a, _, _ in arcs]).astype(np.int32),
        head=np.concatenate([b for _, b, _ in arcs]).astype(np.int32),
        over=np.concatenate([np.full(len(a), -1) if e is None else e for a, _, e in arcs]).astype(np.int32),
    )


def _pairs(one: I64, other: I64, count: np.int64) -> I64:
    """One number for each pair, the second below ``count``."""
    pairs: I64 = np.asarray(one, dtype=np.int64) * count + other
    return pairs


def _begun(chains: Chains) -> _Begun:
    """How far into which chains a search can be: the longest that it has begun is the state."""
    state: dict[tuple[Come, ...], int] = {}
    last: defaultdict[tuple[Come, ...], set[int]] = defaultdict(set)
    following: defaultdict[tuple[Come, ...], dict[int, int]] = defaultdict(dict)
    ends, edge, node = chains.start.tolist(), chains.edge.tolist(), chains.node.tolist()
    entered = []
    for i in range(len(chains)):
        first, stop = ends[i], ends[i + 1] - 1
        driven = tuple(zip(edge[first:stop], node[first:stop], strict=True))
        for size in range(1, len(driven) + 1):
            part = driven[:size]
            if part not in state:
                state[part] = len(state)
                entered.append(part[-2][1] if size > 1 else -1)
                following[part[:-1]][part[-1][0]] = state[part]
        last[driven].add(edge[stop])
    banned, on = set[tuple[int, int]](), dict[tuple[int, int], int]()
    for driven, number in state.items():
        for ago in range(len(driven)):
            banned |= {(number, f) for f in last.get(driven[ago:], ())}
            for f, further in following.get(driven[ago:], {}).items():
                on.setdefault((number, f), further)
    return _Begun([driven[-1] for driven in state], entered, banned, on)
