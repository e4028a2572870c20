"""The ways of a network in local metres, and pieces cut from many of them at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyproj
import shapely

from geo.models import F64, I32, I64, Bool, Mode, RoadNetwork, Stretches

# Cuts this close to an end of an edge are at the end: far below the precision of any map.
AT_END_M = 1e-6


@dataclass(frozen=True, slots=True)
class Ways:
    """Vertices of all edges (``x y`` metres) and how far along its edge each lies (``along_m``).

    ``key`` ascends over all vertices: ``base[edge] + along_m``, so that one binary search finds
    the place of any position on any edge.
    """

    start: I64
    x: F64
    y: F64
    along_m: F64
    base: F64
    key: F64
    length_m: F64
    edges: I64


def project(network: RoadNetwork, *, mode: Mode) -> Ways:
    """The geometry of a network in ``network.crs``; ``edges``: those open to the mode."""
    lines = network.geometry
    to_metres = pyproj.Transformer.from_crs("EPSG:4326", network.crs, always_xy=True)
    x, y = to_metres.transform(lines.lon, lines.lat)
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    start, length = lines.start, network.length_m
    of_edge = np.repeat(np.arange(len(length)), np.diff(start))
    step = np.zeros(len(x))
    step[1:] = np.hypot(np.diff(x), np.diff(y))
    step[start[:-1]] = 0.0
    running = np.cumsum(step)
    along = running - running[start[:-1]][of_edge]
    drawn = along[start[1:] - 1] if len(length) else np.zeros(0)
    along *= np.divide(length, drawn, out=np.zeros(len(length)), where=drawn > 0)[of_edge]
    along[start[1:] - 1] = length
    along = np.minimum(along, length[of_edge])
    base = np.concatenate(([0.0], np.cumsum(length + 1.0)))[:-1]
    usable = (network.speed_forward_kmh[mode] > 0) | (network.speed_backward_kmh[mode] > 0)
    return Ways(start, x, y, along, base, base[of_edge] + along, length, np.flatnonzero(usable))


def points(ways: Ways, edge: I32 | I64, at_m: F64) -> tuple[F64, F64]:
    """Coordinates of the positions ``at_m`` metres along their edges."""
    after = np.searchsorted(ways.key, ways.base[edge] + at_m, side="left")
    after = np.clip(after, ways.start[edge] + 1, ways.start[edge + 1] - 1)
    return _between(ways, after, at_m)


def _between(ways: Ways, after: I64, at_m: F64) -> tuple[F64, F64]:
    before = after - 1
    span = ways.along_m[after] - ways.along_m[before]
    part = np.divide(at_m - ways.along_m[before], span, out=np.zeros(len(after)), where=span > 0)
    # At the ends the vertex itself is taken: lines that meet must meet to the last bit.
    x = np.where(
        part >= 1, ways.x[after], ways.x[before] + np.maximum(part, 0) * (ways.x[after] - ways.x[before])
    )
    y = np.where(
        part >= 1, ways.y[after], ways.y[before] + np.maximum(part, 0) * (ways.y[after] - ways.y[before])
    )
    return x, y


def cut(ways: Ways, edge: I32 | I64, from_m: F64, to_m: F64) -> tuple[F64, I64]:
    """Coordinates (n, 2) of the pieces ``from_m``..``to_m`` of edges, and the piece of each vertex."""
    length = ways.length_m[edge]
    low = np.where(from_m <= AT_END_M, 0.0, from_m)
    high = np.where(to_m >= length - AT_END_M, length, to_m)
    first, last = ways.start[edge] + 1, ways.start[edge + 1] - 1
    after_low = np.clip(np.searchsorted(ways.key, ways.base[edge] + low, side="right"), first, last)
    after_high = np.searchsorted(ways.key, ways.base[edge] + high, side="left")
    after_high = np.clip(after_high, after_low, last)
    inner = after_high - after_low
    begin = np.concatenate(([0], np.cumsum(inner + 2))).astype(np.int64)
    piece = np.repeat(np.arange(len(edge)), inner + 2)
    # Vertex k of a piece is vertex after_low + k - 1 of the network; both ends are then replaced.
    source = np.repeat(after_low - 1 - begin[:-1], inner + 2) + np.arange(begin[-1])
    coords = np.column_stack((ways.x[source], ways.y[source]))
    coords[begin[:-1]] = np.column_stack(_between(ways, after_low, low))
    coords[begin[1:] - 1] = np.column_stack(_between(ways, after_high, high))
    return coords, piece


def edge_tree(ways: Ways) -> shapely.STRtree:
    """A search tree over the edges of the mode, in the order of ``ways.edges``."""
    edges = ways.edges
    coords, piece = cut(ways, edges, np.zeros(len(edges)), ways.length_m[edges])
    return shapely.STRtree(shapely.linestrings(coords, indices=piece) if len(edges) else [])


@dataclass(frozen=True, slots=True)
class Reached:
    """Stretches of several sets in one, ascending by ``key = set * edge count + edge``, then metres."""

    of_set: I64
    edge: I64
    from_m: F64
    to_m: F64
    key: I64
    edge_count: int

    def contains(self, edge: I64, at_m: F64) -> Bool:
        """Whether positions lie in a stretch of set 0."""
        # Complex numbers sort by real part, then imaginary: a two-key binary search.
        before = np.searchsorted(self.key + 1j * self.from_m, edge + 1j * at_m, side="right") - 1
        at = np.maximum(before, 0)
        if len(self.key) == 0:
            return np.zeros(len(edge), dtype=np.bool_)
        return np.asarray((before >= 0) & (self.key[at] == edge) & (at_m <= self.to_m[at]), dtype=np.bool_)

    def gaps(self, of_set: I64, edge: I64, length_m: F64) -> tuple[I64, F64, F64]:
        """The stretches not reached of (set, edge) pairs: pair row, from, to."""
        wanted = of_set * self.edge_count + edge
        low = np.searchsorted(self.key, wanted, side="left")
        count = np.searchsorted(self.key, wanted, side="right") - low
        pair = np.repeat(np.arange(len(wanted)), count + 1)
        nth = np.arange(len(pair)) - np.repeat(np.cumsum(count + 1) - count - 1, count + 1)
        from_m, to_m = np.append(self.from_m, 0.0), np.append(self.to_m, 0.0)
        start = np.where(nth == 0, 0.0, to_m[np.where(nth == 0, -1, low[pair] + nth - 1)])
        at_last = nth == count[pair]
        stop = np.where(at_last, length_m[pair], from_m[np.where(at_last, -1, low[pair] + nth)])
        keep = stop - start > AT_END_M
        return pair[keep], start[keep], stop[keep]


def gather(sets: list[Stretches], edge_count: int) -> Reached:
    """Sort the stretches of several sets by set, edge and metres; pieces of no length are left out."""
    of_set = np.repeat(np.arange(len(sets)), [len(s) for s in sets])
    empty = np.zeros(0)
    edge = np.concatenate([empty, *(s.edge for s in sets)]).astype(np.int64)
    from_m = np.concatenate([empty, *(s.from_m for s in sets)])
    to_m = np.concatenate([empty, *(s.to_m for s in sets)])
    key = of_set * edge_count + edge
    order = np.lexsort((from_m, key))
    order = order[(to_m - from_m > AT_END_M)[order]]
    return Reached(of_set[order], edge[order], from_m[order], to_m[order], key[order], edge_count)
