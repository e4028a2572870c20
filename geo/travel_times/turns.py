"""Banned turns as a graph: nodes that some turn may not pass are split into ways in and ways out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geo.models import I32, I64, RoadNetwork, Turns


@dataclass(frozen=True, slots=True)
class Places:
    """Where a search can be: every node, then the copies of those with banned turns.

    ``node``: place → node row (the first are the nodes themselves). ``arrive_u``/``arrive_v``: the
    place where a search that runs along an edge comes out at its u or v; ``depart_u``/``depart_v``: the
    place from which it enters the edge there. Without bans all of them are the nodes.
    ``tail``/``head``: arcs of no length from places of arrival to places of departure.
    """

    node: I32
    arrive_u: I32
    arrive_v: I32
    depart_u: I32
    depart_v: I32
    tail: I32
    head: I32


def split_at_bans(network: RoadNetwork, banned: Turns) -> Places:
    """Split each node with banned turns: an edge named in a ban has places of its own there.

    ``banned`` is meant in the direction of the search. Edges from which every turn is free arrive at
    one common copy; edges into which every turn is free depart from the node itself, which every
    arrival leads to: so its time is the least of its arrivals, as that of any other node.
    """
    u, v, n = network.edge_u, network.edge_v, network.node_count
    if len(banned) == 0:
        none = np.empty(0, dtype=np.int32)
        return Places(np.arange(n, dtype=np.int32), u, v, u, v, none, none)
    # one number for a node and an edge that ends there
    many = np.int64(network.edge_count)
    ban_in, ban_out = banned.via * many + banned.from_edge, banned.via * many + banned.to_edge
    split, arrivals, departures = np.unique(banned.via), np.unique(ban_in), np.unique(ban_out)
    first_in = n + len(split)
    first_out = first_in + len(arrivals)
    node = np.concatenate((np.arange(n), split, arrivals // many, departures // many))
    common = np.arange(n, dtype=np.int32)
    common[split] = n + np.arange(len(split))

    def at_end(ends: I32, keys: I64, first: int, otherwise: I32) -> I32:
        place = otherwise.copy()
        edge = np.flatnonzero(common[ends] != ends)
        key = ends[edge] * many + edge
        found = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
        own = keys[found] == key
        place[edge[own]] = first + found[own]
        return place

    comes, goes = np.arange(n, first_out), np.arange(first_out, len(node))
    comes = comes[np.argsort(node[comes], kind="stable")]
    begin = np.searchsorted(node[comes], node[goes], side="left")
    size = np.searchsorted(node[comes], node[goes], side="right") - begin
    head = np.repeat(goes, size)
    within = np.arange(len(head)) - np.repeat(np.cumsum(size) - size, size)
    tail = comes[np.repeat(begin, size) + within]
    ban = (first_in + np.searchsorted(arrivals, ban_in)) * len(node) + (
        first_out + np.searchsorted(departures, ban_out)
    )
    free = ~np.isin(tail * len(node) + head, ban)
    return Places(
        node=node.astype(np.int32),
        arrive_u=at_end(u, arrivals, first_in, common[u]),
        arrive_v=at_end(v, arrivals, first_in, common[v]),
        depart_u=at_end(u, departures, first_out, u),
        depart_v=at_end(v, departures, first_out, v),
        tail=np.concatenate((comes, tail[free])).astype(np.int32),
        head=np.concatenate((node[comes], head[free])).astype(np.int32),
    )
