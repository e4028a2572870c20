"""Points to the network: the nearest position on a usable edge whose access leg crosses no barrier."""

from __future__ import annotations

from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
from pyproj import Transformer

from geo.compiled import in_chunks
from geo.errors import Defect, InputError
from geo.models import F64, I32, Bool, Lines, Mode, RoadNetwork, Snapped
from geo.sphere import great_circle_steps_m
from geo.travel_times.costs import check_options
from geo.travel_times.segments import Segments, segment_grid, snap_points

METRES_PER_KM = 1000.0
# Points that share a working set; below this threads cost more than they save.
SMALLEST_CHUNK = 512


def snap(
    network: RoadNetwork,
    lon: F64,
    lat: F64,
    *,
    mode: Mode = "walk",
    max_access_m: float = 500.0,
    min_component_km: float = 1.0,
) -> Snapped:
    """Link points (WGS-84 degrees) to exact positions on edges that the mode may use.

    The nearest position counts, within ``max_access_m``, on an edge of a component of at least
    ``min_component_km`` (or of the largest, where none is), whose straight access leg crosses no
    barrier of the surroundings (water, railway, motorway, wall). Where the leg is blocked, the
    nearest position of the next nearest straight piece of road is tried, and so on. A barrier that
    passes right under the position, as a river under a bridge, is no obstacle. Points without such
    a position get edge -1, offset and access ``nan``, and their own place. Distances are planar in
    ``network.crs``; of equally near edges the first wins.

    Raises :class:`geo.errors.InputError` for arrays of unequal length and limits that cannot be.

    >>> from tests.toy import lonlat, toy_network
    >>> road = toy_network([(0, 0), (900, 0)], [(0, 1)])
    >>> linked = snap(road, *lonlat([(300, 40), (300, 600)]))
    >>> linked.edge, linked.offset_m.round(3), linked.access_m.round(3)
    (array([ 0, -1], dtype=int32), array([300.,  nan]), array([40., nan]))
    """
    lon, lat = (np.atleast_1d(np.asarray(values, dtype=np.float64)) for values in (lon, lat))
    check_options(mode=mode)
    defects = []
    if lon.ndim != 1 or lon.shape != lat.shape:
        found = f"{lon.shape} {lat.shape}"
        message = f"经度与纬度个数不同：{found} / longitudes and latitudes differ in number: {found}"
        defects.append(Defect(message, key="lon, lat"))
    for key, value in (("max_access_m", max_access_m), ("min_component_km", min_component_km)):
        if not value >= 0:
            defects.append(Defect(f"不能为负：{value} / must not be negative: {value}", key=key))
    if defects:
        raise InputError(defects)
    return Snapper(network, mode=mode, min_component_km=min_component_km).snap(
        lon, lat, max_access_m=max_access_m
    )


class Snapper:
    """The usable edges of a mode and the barriers, laid out once for many calls of :func:`snap`.

    One snapper may be asked by many threads at once.

    >>> from tests.toy import lonlat, toy_network
    >>> walk = Snapper(toy_network([(0, 0), (900, 0)], [(0, 1)]), mode="walk")
    >>> walk.snap(*lonlat([(300, 40)])).offset_m.round(3)
    array([300.])
    """

    def __init__(self, network: RoadNetwork, *, mode: Mode = "walk", min_component_km: float = 1.0) -> None:
        self._project = Transformer.from_crs("EPSG:4326", network.crs, always_xy=True)
        self._roads = _road_segments(network, _usable(network, mode, min_component_km), self._project)
        self._barriers = _line_segments(network.surroundings.barriers, self._project)
        self._one = Lock()  # a transformer serves one thread at a time

    @cached_property
    def pieces(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Ways and barriers for kernels: the items of a :class:`geo.travel_times.segments.Segments` each."""
        return tuple(self._roads), tuple(self._barriers)

    def plane(self, lon: float, lat: float) -> tuple[float, float]:
        """A position (WGS-84) in metres of the network's plane."""
        with self._one:
            x, y = self._project.transform(lon, lat)
        return x, y

    def degrees(self, x: float, y: float) -> tuple[float, float]:
        """Longitude and latitude of a position of the plane."""
        with self._one:
            lon, lat = self._project.transform(x, y, direction="INVERSE")
        return lon, lat

    def snap(self, lon: F64, lat: F64, *, max_access_m: float = 500.0) -> Snapped:
        """Link points (WGS-84 degrees, one array each) as :func:`snap` does."""
        with self._one:
            x, y = _projected(self._project, lon, lat)
        parts = in_chunks(
            len(x),
            SMALLEST_CHUNK,
            lambda first, last: snap_points(
                x[first:last], y[first:last], self._roads, self._barriers, float(max_access_m)
            ),
        )
        if not parts:
            return Snapped(np.empty(0, dtype=np.int32), *(np.empty(0) for _ in range(4)))
        edge, offset, access, at_x, at_y = (
            parts[0] if len(parts) == 1 else (np.concatenate([part[i] for part in parts]) for i in range(5))
        )
        linked = edge >= 0
        if linked.all():
            with self._one:
                return Snapped(
                    edge, offset, access, *self._project.transform(at_x, at_y, direction="INVERSE")
                )
        at_lon, at_lat = lon.copy(), lat.copy()
        if linked.any():
            with self._one:
                at_lon[linked], at_lat[linked] = self._project.transform(
                    at_x[linked], at_y[linked], direction="INVERSE"
                )
        return Snapped(edge, offset, access, at_lon, at_lat)


def _usable(network: RoadNetwork, mode: Mode, min_component_km: float) -> Bool:
    """Edges of the mode in a component that is long enough; the largest always is."""
    component = network.component[mode]
    of_mode = component >= 0
    if not of_mode.any():
        return np.asarray(of_mode)
    length = np.bincount(component[of_mode], weights=network.length_m[of_mode])
    enough = length >= min_component_km * METRES_PER_KM
    enough[np.argmax(length)] = True
    return of_mode & enough[np.where(of_mode, component, 0)]


def _projected(project: Transformer, lon: F64, lat: F64) -> tuple[F64, F64]:
    x, y = project.transform(lon, lat)
    return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)


def _pieces(lines: Lines, chosen: Bool) -> tuple[I32, I32]:
    """Line number and first vertex of each straight piece of the chosen lines."""
    count = np.diff(lines.start)
    line = np.repeat(np.arange(len(lines), dtype=np.int32), np.maximum(count - 1, 0))
    first = np.ones(len(lines.lon), dtype=np.bool_)
    first[lines.start[1:][count > 0] - 1] = False
    vertex = np.flatnonzero(first).astype(np.int32)
    keep = chosen[line]
    return line[keep], vertex[keep]


def _line_segments(lines: Lines, project: Transformer) -> Segments:
    x, y = _projected(project, lines.lon, lines.lat)
    line, vertex = _pieces(lines, np.ones(len(lines), dtype=np.bool_))
    nothing = np.zeros(len(line))
    return segment_grid(x[vertex], y[vertex], x[vertex + 1], y[vertex + 1], line, nothing, nothing)


def _road_segments(network: RoadNetwork, usable: Bool, project: Transformer) -> Segments:
    """Straight pieces of the usable edges, each with its metres from and to along the edge."""
    lines = network.geometry
    x, y = _projected(project, lines.lon, lines.lat)
    line, vertex = _pieces(lines, usable)
    # the plane says where the foot of a leg is; along the road lengths are those of the sphere, as length_m
    own_m = great_circle_steps_m(lines.lon, lines.lat)[vertex] if len(vertex) else np.empty(0)
    stop = np.cumsum(own_m)
    begins = np.searchsorted(line, line, side="left")
    before = (stop - own_m)[begins] if len(line) else stop
    total = np.bincount(line, weights=own_m, minlength=network.edge_count)[line]
    # scaled, so that offsets agree with length_m to the last bit and with lengths of the user's own
    scale = np.divide(network.length_m[line], total, out=np.zeros(len(line)), where=total > 0)
    from_m = (stop - own_m - before) * scale
    to_m = np.minimum((stop - before) * scale, network.length_m[line])
    is_last = np.append(line[1:] != line[:-1], True)[: len(line)]
    to_m[is_last] = network.length_m[line[is_last]]
    from_m[begins == np.arange(len(line))] = 0.0
    return segment_grid(x[vertex], y[vertex], x[vertex + 1], y[vertex + 1], line, from_m, to_m)
