"""Which uncovered points belong together: near each other, with no barrier between."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.models import BARRIER_KINDS, F64, I32, I64, Bool, RoadNetwork

# A cluster wider than this is split, so that a gap is something one can act on.
TOO_WIDE_M = 3000.0
# Points on a coarse grid (500 m cells) are linked up to this many times their usual spacing:
# more than the diagonal of the grid.
SPACING_FACTOR = 1.5
_GRID_POINTS = 9
_GRID_EVENNESS = 1.1
_NEIGHBOURS = 6


class Barriers:
    """The straight pieces of all barrier lines in the network's CRS, ready to be asked what they cross."""

    def __init__(self, network: RoadNetwork, plane: Transformer) -> None:
        lines = network.surroundings.barriers
        x, y = plane.transform(lines.lon, lines.lat)
        xy = np.column_stack((x, y)).reshape(-1, 2)
        line = np.repeat(np.arange(len(lines)), np.diff(lines.start))
        # short pieces keep the boxes of the tree small: a river's own box covers the whole town
        joined = np.flatnonzero(line[1:] == line[:-1])
        pieces = shapely.linestrings(np.stack((xy[joined], xy[joined + 1]), axis=1)) if len(joined) else []
        self._tree = shapely.STRtree(pieces)
        self._line = line[joined]
        self._kind = network.surroundings.barrier_kind

    def crossings(self, from_xy: F64, to_xy: F64) -> tuple[I64, I64]:
        """Pairs (link, barrier line) where a straight link meets a line; each pair once, ascending."""
        if len(self._line) == 0 or len(from_xy) == 0:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        links = shapely.linestrings(np.stack((from_xy, to_xy), axis=1))
        link, piece = self._tree.query(links, predicate="intersects")
        pairs = np.unique(np.column_stack((link, self._line[piece])).astype(np.int64), axis=0)
        return pairs[:, 0], pairs[:, 1]

    def parted(self, from_xy: F64, to_xy: F64) -> Bool:
        """Does water, a railway or a motorway lie between? A wall round a compound parts no gap."""
        link, line = self.crossings(from_xy, to_xy)
        result = np.zeros(len(from_xy), dtype=np.bool_)
        result[link[self._kind[line] != BARRIER_KINDS.index("wall")]] = True
        return result


def link_length_m(xy: F64, link_m: float) -> float:
    """``link_m``, or more where the points lie on a regular grid that is coarser than that.

    >>> link_length_m(np.array([[500.0 * i, 500.0 * j] for i in range(4) for j in range(4)]), 300.0)
    750.0
    """
    different = np.unique(xy, axis=0)
    if len(different) < _GRID_POINTS:
        return link_m
    apart, _row = cKDTree(different).query(different, k=2)
    low, middle, high = np.quantile(apart[:, 1], (0.25, 0.5, 0.75))
    # homes strewn freely differ widely in their distance to the next, cells of a grid do not
    return max(link_m, SPACING_FACTOR * float(middle)) if high <= _GRID_EVENNESS * low else link_m


def clusters(
    xy: F64, community: I32, people: F64, barriers: Barriers, *, link_m: float, min_people: float
) -> I32:
    """Number of each point's cluster, counted from 0 in order of first appearance.

    Points closer than ``link_m`` metres with no barrier between are linked. A cluster wider than
    3 km is split by community, or halved until it is not where there is none. A cluster of fewer than
    ``min_people`` joins the nearest larger one within 3 km, so that nobody is dropped.
    """
    label = _components(_links(xy, barriers, link_m), len(xy))
    for wide in np.flatnonzero(_too_wide(xy, label)):
        rows = np.flatnonzero(label == wide)
        part = community[rows].copy()
        nowhere = np.flatnonzero(part < 0)
        part[nowhere] = -1 - _halves(xy[rows[nowhere]])
        for mine in (rows[part == name] for name in np.unique(part)):
            # linked anew: what joined two homes of a part may lie in another part
            label[mine] = label.max() + 1 + _components(_links(xy[mine], barriers, link_m), len(mine))
    label = np.unique(label, return_inverse=True)[1].astype(np.int32)
    return _in_order(_joined(xy, label, people, min_people))


def _links(xy: F64, barriers: Barriers, link_m: float) -> NDArray[np.int64]:
    """Links enough to tell the components of all unparted pairs closer than ``link_m``."""
    tree = cKDTree(xy)
    apart, other = tree.query(xy, k=min(_NEIGHBOURS + 1, len(xy)), distance_upper_bound=link_m)
    apart, other = apart.reshape(len(xy), -1), other.reshape(len(xy), -1)
    row = np.repeat(np.arange(len(xy)), other.shape[1])
    near = np.column_stack((row, other.ravel()))[np.isfinite(apart).ravel()].astype(np.int64)
    near = near[~barriers.parted(xy[near[:, 0]], xy[near[:, 1]])]
    # only pairs that the nearest neighbours have not joined already can still join anything
    label = _components(near, len(xy))
    wider = tree.query_pairs(link_m, output_type="ndarray").astype(np.int64)
    wider = wider[label[wider[:, 0]] != label[wider[:, 1]]]
    wider = wider[~barriers.parted(xy[wider[:, 0]], xy[wider[:, 1]])]
    return np.concatenate((near, wider))


def _components(pairs: NDArray[np.int64], count: int) -> I32:
    graph = coo_array((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    label: I32 = connected_components(graph, directed=False)[1].astype(np.int32)
    return label


def _too_wide(xy: F64, label: I32) -> Bool:
    count = int(label.max()) + 1
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    np.minimum.at(low, label, xy)
    np.maximum.at(high, label, xy)
    wide: Bool = np.hypot(*(high - low).T) > TOO_WIDE_M
    return wide


def _halves(xy: F64) -> I32:
    """Numbers of the parts when points are halved across their longer side until none is too wide."""
    part = np.zeros(len(xy), dtype=np.int32)
    waiting, count = [np.arange(len(xy))] if len(xy) else [], 0
    while waiting:
        rows = waiting.pop()
        low, high = xy[rows].min(axis=0), xy[rows].max(axis=0)
        if np.hypot(*(high - low)) <= TOO_WIDE_M:
            part[rows], count = count, count + 1
            continue
        axis = int(np.argmax(high - low))
        first = xy[rows, axis] <= (low[axis] + high[axis]) / 2.0
        waiting += [rows[~first], rows[first]]
    return part


def _joined(xy: F64, label: I32, people: F64, min_people: float) -> I32:
    enough = (np.bincount(label, weights=people) >= min_people)[label]
    if enough.all() or not enough.any():
        return label
    large = np.flatnonzero(enough)
    apart, row = cKDTree(xy[large]).query(xy, distance_upper_bound=TOO_WIDE_M)
    result = label.copy()
    for small in np.unique(label[~enough]):
        mine = np.flatnonzero(label == small)
        closest = mine[np.argmin(apart[mine])]
        if np.isfinite(apart[closest]):
            result[mine] = label[large[row[closest]]]
    return result


def _in_order(label: I32) -> I32:
    _values, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int32)
    rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
    ordered: I32 = rank[inverse]
    return ordered
