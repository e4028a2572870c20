"""Searches on one graph: the field to the nearest of many, and many searches by themselves."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from unittest import mock

import networkx as nx
import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo import travel_times
from geo.config import WALK_KMH
from geo.models import RoadNetwork, Snapped
from geo.travel_times import fields as our_fields
from geo.travel_times.graph import Graph, Points, build_graph, source_points
from tests.benchmarks.table import Row
from tests.benchmarks.timing import by_turns
from tests.benchmarks.towns import LIMIT_S, WALK, stations_at_crossings

STATIONS = 86
LARGEST_CONTRACTED = 200_000  # nodes
FIELD, EACH = f"nearest-of-{STATIONS} field", f"{STATIONS} searches"


@dataclass(frozen=True)
class Case:
    """One network with its stations, and the same arcs in plain arrays, cheapest of parallel ones."""

    network: RoadNetwork
    stations: Snapped
    node: np.ndarray
    graph: Graph
    near: Points
    tail: np.ndarray
    head: np.ndarray
    seconds: np.ndarray


def case_of(network: RoadNetwork, count: int = STATIONS) -> Case:
    stations, node = stations_at_crossings(network, count)
    graph = build_graph(
        network, direction="to_station", mode="walk", speed_kmh=WALK["speed_kmh"], signal_wait_s=0.0
    )
    near = source_points(graph, stations, access_speed_kmh=WALK_KMH)
    tail = np.repeat(graph.node, np.diff(graph.row))
    head = graph.node[graph.head]
    order = np.lexsort((graph.seconds, head, tail))
    tail, head, seconds = tail[order], head[order], graph.seconds[order]
    first = np.append(True, (tail[1:] != tail[:-1]) | (head[1:] != head[:-1]))
    return Case(network, stations, node, graph, near, tail[first], head[first], seconds[first])


def bare_field(case: Case) -> np.ndarray:
    """Red Map's search alone, its graph laid out before; one item an inner node."""
    return our_fields._nearest_nodes(case.graph, case.near, LIMIT_S)[0]


def public_field(case: Case) -> object:
    return travel_times.nearest(case.network, case.stations, case.stations, limit_s=LIMIT_S, **WALK)


def public_each(case: Case) -> object:
    return travel_times.reach_nodes(case.network, case.stations, limit_s=LIMIT_S, **WALK)


def bare_each(case: Case) -> object:
    """The public call with its graph laid out before."""
    with mock.patch.object(our_fields, "build_graph", lambda *_, **__: case.graph):
        return public_each(case)


def sparse_of(case: Case) -> csr_array:
    n = case.network.node_count
    begin = np.searchsorted(case.tail, np.arange(n + 1)).astype(np.int32)
    return csr_array((case.seconds, case.head.astype(np.int32), begin), shape=(n, n))


class Missing(Exception):
    """Why a peer cannot do a piece of work."""


def scipy_peer(case: Case) -> dict[str, Callable[[], object]]:
    sparse = sparse_of(case)
    return {
        FIELD: lambda: dijkstra(sparse, indices=case.node, min_only=True, limit=LIMIT_S),
        EACH: lambda: dijkstra(sparse, indices=case.node, limit=LIMIT_S),
    }


def networkx_graph(case: Case) -> nx.DiGraph:
    plain = nx.DiGraph()
    plain.add_nodes_from(range(case.network.node_count))
    arcs = zip(case.tail.tolist(), case.head.tolist(), case.seconds.tolist(), strict=True)
    plain.add_weighted_edges_from(arcs, weight="seconds")
    return plain


def networkx_peer(case: Case) -> dict[str, Callable[[], object]]:
    plain, nodes = networkx_graph(case), case.node.tolist()

    def field() -> np.ndarray:
        found = nx.multi_source_dijkstra_path_length(plain, set(nodes), cutoff=LIMIT_S, weight="seconds")
        dense = np.full(case.network.node_count, np.inf)
        dense[list(found)] = list(found.values())
        return dense

    def each() -> object:
        return [
            nx.single_source_dijkstra_path_length(plain, node, cutoff=LIMIT_S, weight="seconds")
            for node in nodes
        ]

    return {FIELD: field, EACH: each}


def igraph_peer(case: Case) -> dict[str, Callable[[], object]]:
    """One more node that leads to every station; igraph has no limit, so the whole town is searched."""
    igraph = importlib.import_module("igraph")
    n = case.network.node_count
    tail, head = np.append(case.tail, np.full(len(case.node), n)), np.append(case.head, case.node)
    peer = igraph.Graph(n=n + 1, edges=np.column_stack((tail, head)), directed=True)
    weights = [*case.seconds.tolist(), *([0.0] * len(case.node))]

    def field() -> np.ndarray:
        seconds = np.array(peer.distances([n], weights=weights)[0][:n])
        return np.where(seconds <= LIMIT_S, seconds, np.inf)

    return {FIELD: field}


def _contracted(name: str) -> Callable[[Case], dict[str, Callable[[], object]]]:
    def peer(case: Case) -> dict[str, Callable[[], object]]:
        module = importlib.import_module(name)
        if case.network.node_count > LARGEST_CONTRACTED:
            raise Missing(f"its contraction of more than {LARGEST_CONTRACTED:,} nodes takes too long here")
        node = np.arange(case.network.node_count)
        x, y = pd.Series(case.network.node_lon, node), pd.Series(case.network.node_lat, node)
        start = time.perf_counter()
        weights = pd.DataFrame({"seconds": case.seconds})
        made = module.Network(x, y, pd.Series(case.tail), pd.Series(case.head), weights, twoway=False)
        prepared = time.perf_counter() - start
        made.set_pois("stations", LIMIT_S, 1, x[case.node], y[case.node])
        prepared_note = f"its graph contracted before, in {prepared:.1f} s"

        def field() -> np.ndarray:
            return made.nearest_pois(LIMIT_S, "stations", num_pois=1)[1].to_numpy()

        return {
            FIELD: field,
            EACH: lambda: made.nodes_in_range(case.node.tolist(), LIMIT_S),
            "note": lambda: prepared_note,
        }

    return peer


PEERS: dict[str, Callable[[Case], dict[str, Callable[[], object]]]] = {
    "scipy": scipy_peer,
    "igraph": igraph_peer,
    "pandana": _contracted("pandana"),
    "pandarm": _contracted("pandarm"),
    "networkx": networkx_peer,
}
NO_LIMIT = "igraph's distances() has no limit: 86 searches of the whole town, as Python lists"


def rows(name: str, network: RoadNetwork) -> list[Row]:
    """Both kinds of search on one network, every peer on the same arcs."""
    case = case_of(network)
    on = f"{name}, {network.node_count:,} nodes"
    works: dict[str, dict[str, Callable[[], object]]] = {}
    missing = {}
    for peer, make in PEERS.items():
        try:
            works[peer] = make(case)
        except (ImportError, Missing) as reason:
            missing[peer] = f"not installed: {reason}" if isinstance(reason, ImportError) else str(reason)
    result = []
    for work, bare, public in ((FIELD, bare_field, public_field), (EACH, bare_each, public_each)):
        timed = {"bare": lambda bare=bare: bare(case), "public": lambda public=public: public(case)}
        timed |= {peer: made[work] for peer, made in works.items() if work in made}
        if work == FIELD:
            timed["laid out"] = lambda: dijkstra(
                sparse_of(case), indices=case.node, min_only=True, limit=LIMIT_S
            )
        took = by_turns(timed)
        ours = bare_field(case)[case.graph.rank] if work == FIELD else None
        for peer in PEERS:
            if peer in missing:
                result.append(Row(work, on, took["bare"].seconds, peer, None, missing[peer]))
            elif work not in works[peer]:
                result.append(Row(work, on, took["bare"].seconds, peer, None, NO_LIMIT))
            else:
                notes = [works[peer]["note"]()] if "note" in works[peer] else []
                if peer == "igraph":
                    notes.append("has no limit: searches the whole town")
                if ours is not None:
                    notes.append(agreement(ours, np.asarray(works[peer][work]())))
                note = "; ".join(map(str, notes))
                result.append(Row(work, on, took["bare"].seconds, peer, took[peer].seconds, note))
        if work == FIELD:
            result.append(
                Row(f"{work}, public call", on, took["public"].seconds, "scipy, its matrix built too",
                    took["laid out"].seconds, "Red Map's public call lays its graph out each time")
            )  # fmt: skip
        else:
            result.append(
                Row(f"{work}, public call", on, took["public"].seconds, "scipy", took["scipy"].seconds)
            )
    return result


def agreement(ours: np.ndarray, theirs: np.ndarray) -> str:
    """How far a peer's field is from ours; what is beyond the limit counts as the limit."""
    away = np.abs(
        np.where(ours <= LIMIT_S, ours, LIMIT_S) - np.where(theirs < LIMIT_S, theirs, LIMIT_S)
    ).max()
    return "same times" if away < 1e-6 else f"times differ by up to {away:.3g} s"
