"""Roads and what lies between them, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.models.arrays import F64, I32, I64, Bool
from geo.models.words import Mode

BarrierKind = Literal["water", "railway", "motorway", "wall"]
BARRIER_KINDS: tuple[BarrierKind, ...] = ("water", "railway", "motorway", "wall")


@dataclass(frozen=True, slots=True)
class Lines:
    """Many polylines in one: line ``i`` is ``lon/lat[start[i]:start[i + 1]]`` (WGS-84 degrees)."""

    start: I64
    lon: F64
    lat: F64

    def __len__(self) -> int:
        return len(self.start) - 1


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the roads file tells beside the roads.

    ``barriers``: lines (rings of water areas, river lines, rails, motorways, walls and fences),
    ``barrier_kind`` indexes :data:`BARRIER_KINDS`, ``barrier_name`` is "" where unnamed.
    ``buildings``: residential buildings or residential land pieces: columns ``lon lat area_m2``.
    ``amenities``: premises of :data:`geo.premises.PREMISES`: columns ``osm_id name kind lon lat opening_hours``.
    """

    barriers: Lines
    barrier_kind: NDArray[np.uint8]
    barrier_name: tuple[str, ...]
    buildings: pd.DataFrame
    amenities: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Turns:
    """Turns over a node: from edge ``from_edge[i]`` over node ``via[i]`` into edge ``to_edge[i]`` (rows)."""

    from_edge: I32
    via: I32
    to_edge: I32

    def __len__(self) -> int:
        return len(self.via)


def no_turns() -> Turns:
    """Nothing banned."""
    return Turns(*(np.empty(0, dtype=np.int32) for _ in range(3)))


@dataclass(frozen=True, slots=True)
class Chains:
    """Ways through three edges and more: chain ``i`` is ``edge[start[i]:start[i + 1]]`` (rows), in order.

    ``node[k]``: over which it goes on from ``edge[k]``; -1 for the last of a chain.
    """

    start: I64
    edge: I32
    node: I32

    def __len__(self) -> int:
        return len(self.start) - 1

    def reversed(self) -> Chains:
        """The same ways, driven back.

        >>> Chains(np.array([0, 3]), np.array([5, 6, 7]), np.array([1, 2, -1])).reversed().node
        array([ 2,  1, -1])
        """
        stops = self.start[-1] - self.start[::-1]
        return Chains(stops, self.edge[::-1], np.roll(self.node[::-1], -1))


def no_chains() -> Chains:
    """Nothing banned."""
    none = np.empty(0, dtype=np.int32)
    return Chains(np.zeros(1, dtype=np.int64), none, none)


@dataclass(frozen=True, slots=True)
class RoadNetwork:
    """A road network as arrays: ``n`` nodes where ways meet or end, ``m`` edges between them.

    One row per physical stretch of way: edge ``e`` runs from node ``edge_u[e]`` to ``edge_v[e]``
    along ``geometry`` line ``e`` (both end nodes included; loops and parallel edges allowed).
    ``speed_forward_kmh[mode][e]`` is the mode's *default* speed from u to v, ``speed_backward_kmh``
    from v to u; 0 means that the direction is forbidden. ``length_m`` is along the geometry.
    ``crs`` is a local transverse-Mercator CRS in metres, centred on the data, used for snapping.
    ``component[mode][e]`` numbers the weakly connected components of the ways of the mode,
    largest (by length) first, -1 where the edge is not of the mode. ``banned_turns``: the turns that
    ``drive`` may not take, each once; those that only one way leads on from ban all the others.
    ``banned_chains``: ways over several edges that it may not drive whole.
    """

    crs: str
    node_id: I64
    node_lon: F64
    node_lat: F64
    node_signal: Bool
    edge_u: I32
    edge_v: I32
    length_m: F64
    way_id: I64
    way_class: NDArray[np.uint8]
    class_names: tuple[str, ...]
    way_name: tuple[str, ...]
    edge_name: I32
    geometry: Lines
    speed_forward_kmh: Mapping[Mode, F64]
    speed_backward_kmh: Mapping[Mode, F64]
    component: Mapping[Mode, I32]
    surroundings: Surroundings
    source: str
    source_date: str
    notes: tuple[str, ...] = ()
    banned_turns: Turns = field(default_factory=no_turns)
    banned_chains: Chains = field(default_factory=no_chains)

    @property
    def node_count(self) -> int:
        return len(self.node_id)

    @property
    def edge_count(self) -> int:
        return len(self.edge_u)
