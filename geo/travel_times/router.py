"""A network made ready for one way of moving, and the searches over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from geo.compiled import Pool
from geo.config import WALK_KMH
from geo.models import (
    F64,
    Bool,
    Direction,
    Mode,
    NearestField,
    RoadNetwork,
    Snapped,
    Stretches,
    SubsetFields,
    TravelMatrix,
)
from geo.travel_times import reach
from geo.travel_times.alone import Alone, alone
from geo.travel_times.costs import check_options
from geo.travel_times.fields import nearest_field, node_rows, target_rows
from geo.travel_times.graph import Entries, Points, build_graph, entries_of, source_points, target_points
from geo.travel_times.routes import Arcs, Route, arcs_by_head, route_back
from geo.travel_times.subsets import different_subsets, subsets_of_matrix
from geo.travel_times.working import working_sets

# From about this many different sets on, one matrix of all pairs is cheaper than a search a set.
FEW_SETS = 4


class Router:
    """Travel times over ``network`` by one mode, in one direction, at one speed: prepared once, asked often.

    With ``to_station`` the way runs from the target to the source (a rider walks *to* a station), else
    the other way. Seconds are the access leg of the source, the way along the network and the access leg
    of the target (none for a node); access legs are walked at ``access_speed_kmh``. Both ends of a
    target's edge count, and so does the way straight along an edge that it shares with a source.
    ``speed_kmh`` and ``signal_wait_s``: see :func:`geo.travel_times.edge_seconds`. Limits are compared
    with no tolerance; ``inf`` is allowed. Of equally near sources the first wins. Sources and targets
    that are not linked reach nothing. Results do not depend on the number of threads, and one router may
    be asked by many threads at once.

    Raises :class:`geo.errors.InputError` for options that cannot be, here and in every method.

    >>> from geo.travel_times import Router, snap
    >>> from tests.toy import lonlat, toy_network
    >>> road = toy_network([(0, 0), (900, 0)], [(0, 1)])
    >>> station, homes = snap(road, *lonlat([(100, 0)])), snap(road, *lonlat([(700, 10), (850, 0)]))
    >>> Router(road, mode="walk").nearest(station, homes, limit_s=600).seconds.round(3)
    array([549.,  inf])
    """

    def __init__(
        self,
        network: RoadNetwork,
        *,
        mode: Mode,
        speed_kmh: float | None = None,
        access_speed_kmh: float = WALK_KMH,
        direction: Direction = "to_station",
        signal_wait_s: float = 0.0,
    ) -> None:
        check_options(
            mode=mode, speed_kmh=speed_kmh, signal_wait_s=signal_wait_s,
            access_speed_kmh=access_speed_kmh, direction=direction,
        )  # fmt: skip
        self._access_speed_kmh = access_speed_kmh
        self._graph = build_graph(
            network, mode=mode, direction=direction, speed_kmh=speed_kmh, signal_wait_s=signal_wait_s
        )
        self._pool = working_sets(len(self._graph.node))

    def nearest(self, sources: Snapped, targets: Snapped, *, limit_s: float) -> NearestField:
        """Seconds between every target (and node) and the nearest source, where at most ``limit_s``."""
        return nearest_field(
            self._graph, self._pool, self._sources(sources), self._targets(targets), _checked(limit_s)
        )

    def nearest_of_subsets(
        self, sources: Snapped, targets: Snapped, subsets: Bool, *, limit_s: float
    ) -> SubsetFields:
        """Seconds between every target and the nearest source of each set, where at most ``limit_s``.

        ``subsets``: sources × sets, True where a source counts. Equal sets are computed once. A few sets
        are searched one by one, many are read off one matrix of all pairs; the result is the same to the
        last bit.

        >>> from geo.travel_times import Router, snap
        >>> from tests.toy import lonlat, toy_network
        >>> road = toy_network([(0, 0), (900, 0)], [(0, 1)])
        >>> ends, home = snap(road, *lonlat([(0, 0), (900, 0)])), snap(road, *lonlat([(300, 0)]))
        >>> day_and_night = np.array([[True, False], [True, True]])
        >>> found = Router(road, mode="walk").nearest_of_subsets(ends, home, day_and_night, limit_s=900)
        >>> found.seconds[found.field].round(3).tolist()
        [[270.0], [540.0]]
        """
        different, field = different_subsets(subsets, len(sources))
        if different.shape[1] > FEW_SETS:
            pairs = self.matrix(sources, targets, limit_s=limit_s)
            return SubsetFields(*subsets_of_matrix(pairs.transposed(), different), field)
        shape = (different.shape[1], len(targets))
        seconds, label = np.full(shape, np.inf), np.full(shape, -1, dtype=np.int32)
        for i, counts in enumerate(different.T):
            some = replace(sources, edge=np.where(counts, sources.edge, -1).astype(np.int32))
            found = self.nearest(some, targets, limit_s=limit_s)
            seconds[i], label[i] = found.seconds, found.label
        return SubsetFields(seconds, label, field)

    def matrix(self, sources: Snapped, targets: Snapped, *, limit_s: float) -> TravelMatrix:
        """Seconds between every source (row) and every target (column) that are within ``limit_s``.

        The least of each column are those of :meth:`nearest`. Memory is that of the result and a few
        arrays of the size of the network for each thread.

        >>> from geo.travel_times import Router, snap
        >>> from tests.toy import lonlat, toy_network
        >>> road = toy_network([(0, 0), (900, 0)], [(0, 1)])
        >>> ends = snap(road, *lonlat([(0, 0), (300, 0), (900, 0)]))
        >>> within = Router(road, mode="walk").matrix(ends, ends, limit_s=300)
        >>> within.indptr, within.indices, within.seconds.round(3)
        (array([0, 2, 4, 5]), array([0, 1, 0, 1, 2], dtype=int32), array([  0., 270., 270.,   0.,   0.]))
        """
        return target_rows(
            self._graph, self._pool, self._sources(sources), self._targets(targets), _checked(limit_s)
        )

    def reach_nodes(self, sources: Snapped, *, limit_s: float) -> TravelMatrix:
        """Seconds between every source (row) and every node (column) that are within ``limit_s``.

        Nodes have no access leg. Where turns are banned (``drive``), columns of the copies of nodes that
        they call for follow those of the nodes, as in :class:`geo.models.NearestField`.

        >>> from geo.travel_times import Router, snap
        >>> from tests.toy import lonlat, toy_network
        >>> road = toy_network([(0, 0), (900, 0)], [(0, 1)])
        >>> Router(road, mode="walk").reach_nodes(snap(road, *lonlat([(300, 0)])), limit_s=300).indices
        array([0], dtype=int32)
        """
        return node_rows(self._graph, self._pool, self._sources(sources), _checked(limit_s))

    def stretches(self, sources: Snapped, node_seconds: F64, *, limit_s: float) -> Stretches:
        """The parts of edges from which (to which) a source is within ``limit_s``.

        ``node_seconds``: one time a node (and a copy of a node where turns are banned), ``inf`` where
        none: the ``node_seconds`` of :meth:`nearest`, or a row of :meth:`reach_nodes` made dense, found
        with the same ``sources`` and a limit of at least ``limit_s``. Every part grows from an end of its
        edge that is reached, or from a source on the edge itself (its access leg counted). Parts are
        merged, so those of one edge are disjoint; they ascend by edge and position. Edges closed to the
        mode have none, and a one-way edge is reached against the search only up to its sources.

        >>> from geo.travel_times import Router, snap
        >>> from tests.toy import lonlat, toy_network
        >>> road = toy_network([(0, 0), (900, 0)], [(0, 1)])
        >>> station = snap(road, *lonlat([(300, 0)]))
        >>> part = Router(road, mode="walk").stretches(station, np.full(2, np.inf), limit_s=90)
        >>> part.from_m.round(3), part.to_m.round(3)
        (array([200.]), array([400.]))
        """
        return reach.stretches_within(self._graph, self._sources(sources), node_seconds, _checked(limit_s))

    def reached(self, sources: Snapped, *, limits_s: Sequence[float]) -> list[list[Stretches]]:
        """:meth:`stretches` of every source by itself: one item a source, in their order, of one for each limit.

        >>> from geo.travel_times import Router, snap
        >>> from tests.toy import lonlat, toy_network
        >>> road = toy_network([(0, 0), (900, 0)], [(0, 1)])
        >>> both = snap(road, *lonlat([(300, 0), (600, 0)]))
        >>> parts = Router(road, mode="walk").reached(both, limits_s=[45, 90])
        >>> [[part.from_m.round(3).tolist() for part in each] for each in parts]
        [[[250.0], [200.0]], [[550.0], [500.0]]]
        """
        limits = np.array([_checked(limit_s) for limit_s in limits_s], dtype=np.float64)
        return reach.reached_each(
            self._graph, self._entries, self._pool, self._marks, self._sources(sources), limits
        )

    def stretches_of_nearest(
        self, sources: Snapped, field: NearestField, *, limit_s: float
    ) -> list[Stretches]:
        """The ways split among the sources: of each, the parts that are within ``limit_s`` and nearest to it.

        ``field``: the result of :meth:`nearest` for the same sources, its limit at least ``limit_s``.
        Together the parts are those of :meth:`stretches`; where two sources are equally near, one of
        them has the place. One item a source, in their order.

        >>> from geo.travel_times import Router, snap
        >>> from tests.toy import lonlat, toy_network
        >>> road = toy_network([(0, 0), (900, 0)], [(0, 1)])
        >>> walk, both = Router(road, mode="walk"), snap(road, *lonlat([(100, 0), (600, 0)]))
        >>> parts = walk.stretches_of_nearest(both, walk.nearest(both, both, limit_s=900), limit_s=900)
        >>> [(part.from_m.round(3).tolist(), part.to_m.round(3).tolist()) for part in parts]
        [([0.0], [350.0]), ([350.0], [900.0])]
        """
        return reach.stretches_of_nearest(self._graph, self._sources(sources), field, _checked(limit_s))

    def route(self, source: Snapped, target: Snapped, *, limit_s: float) -> Route | None:
        """The quickest way between one source and one target within ``limit_s``, or None.

        Its seconds are those of :meth:`matrix`. Of equally quick ways the same one is told each time.
        Draw it by :func:`geo.travel_times.route_line`.

        >>> from geo.travel_times import Router, snap
        >>> from tests.toy import lonlat, toy_network
        >>> road = toy_network([(0, 0), (900, 0)], [(0, 1)])
        >>> station, home = snap(road, *lonlat([(100, 0)])), snap(road, *lonlat([(700, 0)]))
        >>> way = Router(road, mode="walk").route(station, home, limit_s=900)
        >>> way.from_m.round(3).tolist(), way.to_m.round(3).tolist(), round(way.seconds)
        ([700.0], [100.0], 540)
        """
        limit_s, near = _checked(limit_s), self._sources(source)
        row = node_rows(self._graph, self._pool, near, limit_s)
        reached = dict(zip(self._graph.rank[row.indices].tolist(), row.seconds.tolist(), strict=True))
        found = route_back(self._graph, self._arcs, near, self._targets(target), reached)
        return found if found is not None and found.seconds <= limit_s else None

    @cached_property
    def _arcs(self) -> Arcs:
        return arcs_by_head(self._graph)

    @cached_property
    def _entries(self) -> Entries:
        return entries_of(self._graph)

    @cached_property
    def _marks(self) -> Pool[reach.Marks]:
        return reach.marks(len(self._graph.length_m))

    @cached_property
    def alone(self) -> Alone:
        """What :func:`geo.travel_times.alone.reach_alone` needs to search from one source."""
        return alone(self._graph, self._entries, self._pool, self._marks, self._access_speed_kmh)

    def _sources(self, snapped: Snapped) -> Points:
        return source_points(self._graph, snapped, access_speed_kmh=self._access_speed_kmh)

    def _targets(self, snapped: Snapped) -> Points:
        return target_points(self._graph, snapped, access_speed_kmh=self._access_speed_kmh)


def _checked(limit_s: float) -> float:
    check_options(limit_s=limit_s)
    return float(limit_s)
