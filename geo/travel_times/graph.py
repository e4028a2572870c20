"""The searched form of a network: arcs of one mode in one direction, nodes ordered along a curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geo.models import F64, I32, I64, Direction, Mode, RoadNetwork, Snapped, Turns, no_chains, no_turns
from geo.sphere import curve_order
from geo.travel_times.costs import KMH_PER_MS, Costs, check_options, edge_costs
from geo.travel_times.turns import Places, split_at_bans

# Nearer to a node than this, a position is the node itself: a one-way edge does not lock it in.
AT_NODE_M = 1e-6


@dataclass(frozen=True, slots=True)
class Graph:
    """Arcs as the search walks them, outwards from a station.

    ``places``: the rows of the nodes, then copies of nodes with banned turns (``drive``), as the *search*
    meets them. ``row``/``head``/``seconds``: CSR over inner numbers of places; ``rank``: place → inner
    number; ``node``: the way back. ``out_s_per_m``/``back_s_per_m``: seconds per metre of each edge when the search
    goes from u to v / from v to u; for ``to_station`` that is travel from v to u / u to v.
    ``half_wait_s``: one item a place. ``in_order``: inner numbers are the places. ``longest_s``/``mean_s``: of the arcs, 0 where there are none.
    """

    row: I32
    head: I32
    seconds: F64
    rank: I32
    node: I32
    places: Places
    length_m: F64
    out_s_per_m: F64
    back_s_per_m: F64
    half_wait_s: F64
    in_order: bool
    longest_s: float
    mean_s: float


@dataclass(frozen=True, slots=True)
class Entries:
    """The ends by which a search enters edges: CSR inner number of a place → ``2 * edge`` for u, ``+ 1`` for v.

    ``wait_s``: half of the wait at each place, by inner numbers too.
    """

    row: I64
    edge: I32
    wait_s: F64


@dataclass(frozen=True, slots=True)
class Points:
    """Snapped points in terms of a graph: seconds between each and both ends of its edge.

    ``u_s``/``v_s`` include the access leg; ``inf`` where that end cannot be used. ``u``/``v`` are
    inner numbers of places (of arrival for sources, of departure for targets), -1 for points that are
    not linked.
    """

    edge: I32
    offset_m: F64
    access_s: F64
    u: I32
    v: I32
    u_s: F64
    v_s: F64

    def __len__(self) -> int:
        return len(self.edge)


def places_of(network: RoadNetwork, *, mode: Mode, direction: Direction = "to_station") -> Places:
    """Where a search outwards from a station can be: the nodes, and by car their copies where turns are banned.

    >>> from tests.toy import toy_network
    >>> road = toy_network([(0, 0), (900, 0), (900, 900)], [(0, 1), (1, 2)], bans=[(0, 1, 1)])
    >>> len(places_of(road, mode="walk").node), len(places_of(road, mode="drive").node)
    (3, 6)
    """
    banned, chains = network.banned_turns, network.banned_chains
    if mode != "drive":
        banned, chains = no_turns(), no_chains()
    elif direction == "to_station":
        banned, chains = Turns(banned.to_edge, banned.via, banned.from_edge), chains.reversed()
    return split_at_bans(network, banned, chains)


def build_graph(
    network: RoadNetwork,
    *,
    mode: Mode,
    direction: Direction,
    speed_kmh: float | None,
    signal_wait_s: float,
) -> Graph:
    """Arcs of the mode; loops are left out where they lead nowhere else, as without banned turns."""
    check_options(direction=direction)
    costs: Costs = edge_costs(network, mode=mode, speed_kmh=speed_kmh, signal_wait_s=signal_wait_s)
    # Towards the station the search runs against the traffic.
    if direction == "from_station":
        out, back = costs.forward_s_per_m, costs.backward_s_per_m
    else:
        out, back = costs.backward_s_per_m, costs.forward_s_per_m
    places = places_of(network, mode=mode, direction=direction)
    node = curve_order(network.node_lon[places.node], network.node_lat[places.node])
    rank = np.empty(len(node), dtype=np.int32)
    rank[node] = np.arange(len(node), dtype=np.int32)
    wait = costs.half_wait_s[network.edge_u] + costs.half_wait_s[network.edge_v]
    length = network.length_m
    tail, head, over = arcs_of(places, out, back)
    tail, head = rank[tail], rank[head]
    run = np.flatnonzero(over >= 0)
    edge, against = over[run] >> 1, (over[run] & 1) == 1
    seconds = np.zeros(len(over))
    seconds[run] = length[edge] * np.where(against, back[edge], out[edge]) + wait[edge]
    order = np.argsort(tail, kind="stable")
    row = np.zeros(len(node) + 1, dtype=np.int32)
    np.cumsum(np.bincount(tail, minlength=len(node)), out=row[1:])
    return Graph(
        row=row,
        head=head[order],
        seconds=seconds[order],
        rank=rank,
        node=node,
        places=places,
        length_m=length,
        out_s_per_m=out,
        back_s_per_m=back,
        half_wait_s=costs.half_wait_s[places.node],
        in_order=bool((node[1:] > node[:-1]).all()),
        longest_s=float(seconds.max(initial=0.0)),
        mean_s=float(seconds.mean()) if len(seconds) else 0.0,
    )


def arcs_of(places: Places, out_s_per_m: F64, back_s_per_m: F64) -> tuple[I32, I32, I32]:
    """All arcs that are open: places of their tails and heads, and what they run along (:class:`Places`)."""
    go = np.flatnonzero(np.isfinite(out_s_per_m) & (places.enter_u != places.arrive_v))
    come = np.flatnonzero(np.isfinite(back_s_per_m) & (places.enter_v != places.arrive_u))
    over, opens = places.over, np.ones(len(places.over), dtype=np.bool_)
    run = np.flatnonzero(over >= 0)
    edge, against = over[run] >> 1, (over[run] & 1) == 1
    opens[run] = np.isfinite(np.where(against, back_s_per_m[edge], out_s_per_m[edge]))
    tail = np.concatenate((places.enter_u[go], places.enter_v[come], places.tail[opens]))
    head = np.concatenate((places.arrive_v[go], places.arrive_u[come], places.head[opens]))
    return tail, head, np.concatenate((2 * go, 2 * come + 1, over[opens])).astype(np.int32)


def entries_of(graph: Graph) -> Entries:
    """Where each edge is entered from; closed directions are left out."""
    go, come = np.flatnonzero(np.isfinite(graph.out_s_per_m)), np.flatnonzero(np.isfinite(graph.back_s_per_m))
    place = graph.rank[np.concatenate((graph.places.depart_u[go], graph.places.depart_v[come]))]
    ends = np.concatenate((2 * go, 2 * come + 1))
    row = np.zeros(len(graph.node) + 1, dtype=np.int64)
    np.cumsum(np.bincount(place, minlength=len(graph.node)), out=row[1:])
    edge = ends[np.argsort(place, kind="stable")].astype(np.int32)
    return Entries(row, edge, graph.half_wait_s[graph.node])


def source_points(graph: Graph, snapped: Snapped, *, access_speed_kmh: float) -> Points:
    """Stations: seconds from the point to the ends of its edge, in the direction of the search."""
    ends = graph.places.arrive_u, graph.places.arrive_v
    return _points(graph, snapped, access_speed_kmh, ends, graph.back_s_per_m, graph.out_s_per_m)


def target_points(graph: Graph, snapped: Snapped, *, access_speed_kmh: float) -> Points:
    """Targets: seconds from the ends of the edge to the point, in the direction of the search."""
    ends = graph.places.depart_u, graph.places.depart_v
    return _points(graph, snapped, access_speed_kmh, ends, graph.out_s_per_m, graph.back_s_per_m)


def _points(
    graph: Graph,
    snapped: Snapped,
    access_speed_kmh: float,
    ends: tuple[I32, I32],
    u_s_per_m: F64,
    v_s_per_m: F64,
) -> Points:
    check_options(access_speed_kmh=access_speed_kmh)
    linked = snapped.edge >= 0
    edge = np.where(linked, snapped.edge, 0)
    access_s = np.where(linked, snapped.access_m * (KMH_PER_MS / access_speed_kmh), np.inf)
    if len(graph.length_m) == 0:
        nothing = np.full(len(edge), -1, dtype=np.int32)
        never = np.full(len(edge), np.inf)
        return Points(nothing, snapped.offset_m, never, nothing, nothing, never, never)
    length = graph.length_m[edge]
    offset = np.where(linked, np.clip(snapped.offset_m, 0.0, length), 0.0)
    u, v = ends[0][edge], ends[1][edge]
    u_s = partial_seconds(offset, u_s_per_m[edge]) + graph.half_wait_s[u] + access_s
    v_s = partial_seconds(length - offset, v_s_per_m[edge]) + graph.half_wait_s[v] + access_s
    return Points(
        edge=snapped.edge.astype(np.int32),
        offset_m=offset,
        access_s=access_s,
        u=np.where(linked, graph.rank[u], -1).astype(np.int32),
        v=np.where(linked, graph.rank[v], -1).astype(np.int32),
        u_s=np.where(linked, u_s, np.inf),
        v_s=np.where(linked, v_s, np.inf),
    )


def partial_seconds(length_m: F64, s_per_m: F64) -> F64:
    """Seconds for a part of an edge; none for no length, even against a one-way."""
    none = length_m <= AT_NODE_M
    allowed = np.isfinite(s_per_m)
    seconds = length_m * np.where(allowed, s_per_m, 0.0)
    return np.where(none, 0.0, np.where(allowed, seconds, np.inf))
