"""Compiled: the outlines of nested bands of cells, as rings.

The kind of a cell is the first band that reaches it. Where a band ends within the piece of way that a
cell stands for, the cell is cut straight across the way there. Three borders meet at every corner, so no
ring touches itself or another.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.compiled import kernel
from geo.isochrones.cells import NOBODY, Cells
from geo.isochrones.kinds import CUT, MIXED, set_kinds, side_of
from geo.isochrones.spacing import ZERO
from geo.isochrones.ways import U8, units_a_degree
from geo.models import F64, I32, I64

Shapes = NDArray[np.object_]
STRAIGHT_M = 0.25  # a corner that sticks out no further tells nothing
LEAST_M2 = 1e-3  # of what a ring goes round: less is a corner's rounding, not a place
MOST_MEETINGS = 64  # of cuts with one border


class Rings(NamedTuple):
    """Nested shapes in degrees, smallest first, as GeoArrow has them.

    ``place``: longitude and latitude of the corners; ring ``i`` is ``ring[i]`` to ``ring[i + 1]``, closed, polygon
    ``j`` has the rings ``polygon[j]`` to ``polygon[j + 1]``, first the outer one, which turns left; shape ``b``
    has the polygons ``shape[b]`` to ``shape[b + 1]``.
    """

    place: F64
    ring: I64
    polygon: I64
    shape: I64

    def polygons(self, b: int) -> list[list[F64]]:
        """The polygons of shape ``b``: the rings of each, the outer one first."""
        first, last = self.shape[b], self.shape[b + 1]
        ring, polygon = self.ring.tolist(), self.polygon[first : last + 1].tolist()
        return [[self.place[ring[i] : ring[i + 1]] for i in range(a, z)] for a, z in pairwise(polygon)]

    def shapes(self) -> Shapes:
        """A MultiPolygon (EPSG:4326) for each shape."""
        offsets = (self.ring, self.polygon, self.shape)
        made: Shapes = shapely.from_ragged_array(shapely.GeometryType.MULTIPOLYGON, self.place, offsets)
        return made


@kernel
def _passed(side: float, mine: int, cut_row: I64, cut_at: F64) -> int:
    """The place, among what belongs to a cut cell, of what lies at a position along its way."""
    k: int = cut_row[mine]
    while cut_at[k] <= side:
        k += 1
    return k


@kernel
def _cross(
    a: int, b: int, c: int, place: F64, along: F64, cut: I32, cut_row: I64, cut_at: F64,
    share: F64, which: I64, count: int,
) -> tuple[int, int, int]:  # fmt: skip
    """Where the border from ``a`` to ``b`` crosses the cuts of a cell, merged into the ascending ``share``.

    Returns how many crossings there are now, and what of the cut cell lies at ``a`` and at ``b``.
    """
    mine = cut[c]
    from_u, to_u = side_of(place, a, along, c), side_of(place, b, along, c)
    one, two = _passed(from_u, mine, cut_row, cut_at), _passed(to_u, mine, cut_row, cut_at)
    for i in range(abs(two - one)):
        k = one + i if one < two else one - 1 - i  # in the order in which they are met
        at = min(1.0, max(0.0, (cut_at[k] - from_u) / (to_u - from_u)))
        j = count
        while j > 0 and share[j - 1] > at:
            share[j], which[j] = share[j - 1], which[j - 1]
            j -= 1
        share[j], which[j] = at, k
        count += 1
    return count, one, two


@kernel
def _note(
    a: int, b: int, low: int, high: int, h_from: I32, h_to: I32, h_low: U8, h_high: U8, used: Any,
    code: I32, keep: U8,
) -> Any:  # fmt: skip
    """Add a piece of the outlines of the bands from ``low`` on and below ``high``; corners where bands part stay."""
    h_from[used], h_to[used], h_low[used], h_high[used] = a, b, low, high
    mine = 256 * low + high
    for v in (a, b):
        if code[v] >= 0 and code[v] != mine:
            keep[v] = 1
        code[v] = mine
    return used + 1


@kernel
def _parting(
    reached: I32, of_way: U8, kind: U8, first: I64, last: I64, row: I64, neighbour: I32,
    s_row: I32, seam: I32, ends: I32, cells: I32, bands: int,
) -> tuple[I32, I32, U8, U8, I32, I32, U8, U8]:  # fmt: skip
    """Borders between different kinds: plain pieces of outlines, and those with a cut cell on either side.

    Of pieces: corners from and to, first and last bands. Of the others, each from one side: cells, borders,
    kinds on the left and on the right.
    """
    room = ZERO
    for e in reached:
        room += s_row[e, 1] - s_row[e, 0]
    met, of_edge, meets = np.empty(room + 1, dtype=np.int32), np.empty(room + 1, dtype=np.int32), ZERO
    for e in reached:
        mine = of_way[e]
        for k in range(s_row[e, 0], s_row[e, 1]):  # most part nothing: no branch to foretell
            f = seam[k, 0]
            theirs = of_way[f]
            met[meets], of_edge[meets] = k, e
            # between two ways that are reached, seen from the first of them
            meets += ((theirs != mine) | (mine == MIXED)) & ((f > e) | (f < 0) | (theirs == NOBODY))
    plain, others = ZERO, ZERO
    for j in range(meets):
        many = seam[met[j], 2] - seam[met[j], 1]
        plain += many
        if of_way[of_edge[j]] == MIXED or of_way[seam[met[j], 0]] == MIXED:
            others += many
    for e in reached:
        if of_way[e] == MIXED:
            others += row[last[e]] - row[first[e]]
    p_from, p_to = np.empty(plain, dtype=np.int32), np.empty(plain, dtype=np.int32)
    p_low, p_high = np.empty(plain, dtype=np.uint8), np.empty(plain, dtype=np.uint8)
    of_cell, border = np.empty(others, dtype=np.int32), np.empty(others, dtype=np.int32)
    left, right = np.empty(others, dtype=np.uint8), np.empty(others, dtype=np.uint8)
    plain, others = ZERO, ZERO
    for j in range(meets):
        k, e = met[j], of_edge[j]
        f, begin, end = seam[k, 0], seam[k, 1], seam[k, 2]
        mine, theirs = of_way[e], of_way[f]
        # the borders are those of the way with the smaller number
        a, b = (theirs, mine) if 0 <= f < e else (mine, theirs)
        if MIXED not in (a, b):
            low, high = min(a, b), min(max(a, b), bands)
            for i in range(begin, end):
                p_from[plain], p_to[plain] = (ends[i, 0], ends[i, 1]) if a < b else (ends[i, 1], ends[i, 0])
                p_low[plain], p_high[plain] = low, high
                plain += 1
            continue
        for i in range(begin, end):
            c, m = cells[i, 0], cells[i, 1]
            here = kind[c] if a == MIXED else a
            there = kind[neighbour[m]] if b == MIXED else b
            if CUT in (here, there):
                of_cell[others], border[others], left[others], right[others] = c, m, here, there
                others += 1
            elif here != there:
                p_from[plain], p_to[plain] = (
                    (ends[i, 0], ends[i, 1]) if here < there else (ends[i, 1], ends[i, 0])
                )
                p_low[plain], p_high[plain] = min(here, there), min(max(here, there), bands)
                plain += 1
    for e in reached:
        if of_way[e] != MIXED:
            continue
        for c in range(first[e], last[e]):
            for m in range(row[c], row[c + 1]):
                n = neighbour[m]
                if c < n < last[e] and (kind[c] != kind[n] or kind[c] == CUT):
                    of_cell[others], border[others], left[others], right[others] = c, m, kind[c], kind[n]
                    others += 1
    return (
        p_from[:plain], p_to[:plain], p_low[:plain], p_high[:plain],
        of_cell[:others], border[:others], left[:others], right[:others],
    )  # fmt: skip


@kernel
def _outlines(
    bands: int, p_from: I32, p_to: I32, p_low: U8, p_high: U8, of_cell: I32, border: I32, left: U8, right: U8,
    cut: I32, number: I32, cut_row: I64, cut_at: F64, cut_kind: U8, along: F64,
    row: I64, neighbour: I32, corner: I32, place: F64, stays: U8,
) -> tuple[I32, I32, U8, U8, F64, F64, U8]:  # fmt: skip
    """All pieces of the outlines: from and to, first and last bands; their corners, and which of them stay."""
    room = len(p_from) + len(border) + 8 + 4 * len(cut_at)
    h_from, h_to = np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32)
    h_low, h_high, used = np.empty(room, dtype=np.uint8), np.empty(room, dtype=np.uint8), ZERO
    room = 2 * room
    v_lon, v_lat = np.empty(room), np.empty(room)
    keep, code = np.empty(room, dtype=np.uint8), np.empty(room, dtype=np.int32)
    origin, corners = np.empty(room, dtype=np.int32), ZERO
    for i in range(len(p_from)):
        mine = 256 * np.int32(p_low[i]) + p_high[i]
        for end in range(2):
            at = p_from[i] if end == 0 else p_to[i]
            v = number[at]
            if v < 0:
                number[at] = v = corners
                v_lon[v], v_lat[v], origin[v] = place[at, 0], place[at, 1], at
                keep[v], code[v] = stays[at], mine
                corners += 1
            elif code[v] != mine:
                keep[v], code[v] = 1, mine
            if end == 0:
                h_from[i] = v
            else:
                h_to[i] = v
        h_low[i], h_high[i] = p_low[i], p_high[i]
    used = np.int64(len(p_from))
    up, down = np.full(len(cut_at), -1, dtype=np.int32), np.full(len(cut_at), -1, dtype=np.int32)
    share, which = np.empty(MOST_MEETINGS), np.empty(MOST_MEETINGS, dtype=np.int64)
    for listed in range(len(border)):
        c, m = of_cell[listed], border[listed]
        n, mine, theirs = neighbour[m], left[listed], right[listed]
        after = corner[m + 1 if m + 1 < row[c + 1] else row[c]]
        for at in (corner[m], after):
            if number[at] < 0:
                number[at] = corners
                v_lon[corners], v_lat[corners], origin[corners] = place[at, 0], place[at, 1], at
                keep[corners], code[corners] = stays[at], -1
                corners += 1
        a, b = number[corner[m]], number[after]
        count, own, others, own_end, others_end = ZERO, ZERO, ZERO, ZERO, ZERO
        if mine == CUT:
            count, own, own_end = _cross(
                corner[m], after, c, place, along, cut, cut_row, cut_at, share, which, count
            )
        if theirs == CUT:
            count, others, others_end = _cross(
                corner[m], after, n, place, along, cut, cut_row, cut_at, share, which, count
            )
        before = a
        for i in range(count + 1):
            here = b
            if i < count:
                here, part = corners, share[i]
                v_lon[here] = v_lon[a] + part * (v_lon[b] - v_lon[a])
                v_lat[here] = v_lat[a] + part * (v_lat[b] - v_lat[a])
                keep[here], code[here], origin[here] = 1, -1, -1
                corners += 1
            on_left = cut_kind[own] if mine == CUT else mine
            on_right = cut_kind[others] if theirs == CUT else theirs
            if on_left < on_right:
                used = _note(
                    before, here, on_left, min(on_right, bands), h_from, h_to, h_low, h_high, used, code, keep
                )
            elif on_right < on_left:
                used = _note(
                    here, before, on_right, min(on_left, bands), h_from, h_to, h_low, h_high, used, code, keep
                )
            if i < count:
                k = which[i]
                if mine == CUT and cut_row[cut[c]] <= k < cut_row[cut[c] + 1]:
                    if own < own_end:
                        up[k], own = here, own + 1
                    else:
                        down[k], own = here, own - 1
                elif others < others_end:  # seen from the other cell, the border runs the other way
                    down[k], others = here, others + 1
                else:
                    up[k], others = here, others - 1
            before = here
    for k in range(len(cut_at)):
        if cut_at[k] == np.inf or cut_kind[k] == cut_kind[k + 1]:
            continue
        if cut_kind[k] < cut_kind[k + 1]:
            used = _note(
                up[k], down[k], cut_kind[k], min(cut_kind[k + 1], bands),
                h_from, h_to, h_low, h_high, used, code, keep,
            )  # fmt: skip
        else:
            used = _note(
                down[k], up[k], cut_kind[k + 1], min(cut_kind[k], bands),
                h_from, h_to, h_low, h_high, used, code, keep,
            )  # fmt: skip
    for v in range(corners):
        if origin[v] >= 0:
            number[origin[v]] = -1
    return (
        h_from[:used], h_to[:used], h_low[:used], h_high[:used],
        v_lon[:corners], v_lat[:corners], keep[:corners],
    )  # fmt: skip


@kernel
def _stays(
    v_lon: F64, v_lat: F64, east: float, north: float, before: int, at: int, after: int, tolerance: float
) -> bool:
    """Whether a corner stays: those that turn right, and those that stick out further than the tolerance.

    At a left turn one convex cell is inside alone (where two may be, the corner stays anyway), so the chord of its neighbours, and that of a run of left
    turns, lies in that cell: leaving such corners out makes no two borders cross, whatever the tolerance.
    """
    dx, dy = east * (v_lon[after] - v_lon[before]), north * (v_lat[after] - v_lat[before])
    across = east * (v_lon[at] - v_lon[before]) * dy - north * (v_lat[at] - v_lat[before]) * dx
    return bool(across <= 0.0 or across * across > tolerance * tolerance * (dx * dx + dy * dy))


@kernel
def _rings(
    bands: int, h_from: I32, h_to: I32, h_low: U8, h_high: U8, v_lon: F64, v_lat: F64, keep: U8,
    east: float, north: float, tolerance: float, least: float,
) -> tuple[F64, F64, I64, I32, F64, bool]:  # fmt: skip
    """Closed rings, band by band: vertices, starts, bands, areas in metres; whether all of them close.

    ``east`` and ``north``: metres in a degree.
    """
    room = np.int64(0)
    for h in range(len(h_from)):
        room += np.int64(h_high[h]) - np.int64(h_low[h])
    lon, lat = np.empty(2 * room), np.empty(2 * room)
    start, band = np.zeros(room // 2 + 1, dtype=np.int64), np.empty(room // 2 + 1, dtype=np.int32)
    area, rings, used = np.empty(room // 2 + 1), ZERO, ZERO
    following, ring = np.full(len(v_lon), -1, dtype=np.int32), np.empty(len(v_lon) + 2, dtype=np.int32)
    for b in range(bands):
        for h in range(len(h_from)):
            if h_low[h] <= b < h_high[h]:
                following[h_from[h]] = h_to[h]
        for h in range(len(h_from)):
            v = h_from[h]
            if not h_low[h] <= b < h_high[h] or following[v] < 0:
                continue
            first, size, total = v, ZERO, 0.0
            while following[v] >= 0:
                after = following[v]
                following[v] = -1
                total += (v_lon[v] - v_lon[first]) * (v_lat[after] - v_lat[first])
                total -= (v_lon[after] - v_lon[first]) * (v_lat[v] - v_lat[first])
                ring[size] = v
                size += 1
                v = after
            if v != first:
                return lon, lat, start, band, area, False
            total *= east * north / 2.0
            if abs(total) < least:
                continue
            begin = used
            for every in (False, True):  # once more with all of them where too few would stay
                for i in range(size):
                    at, prior = ring[i], ring[i - 1 if i > 0 else size - 1]
                    if (
                        every
                        or keep[at]
                        or _stays(
                            v_lon,
                            v_lat,
                            east,
                            north,
                            prior,
                            at,
                            ring[i + 1 if i + 1 < size else 0],
                            tolerance,
                        )
                    ):
                        lon[used], lat[used] = v_lon[at], v_lat[at]
                        used += 1
                        if every:  # in the larger bands too: each covers the one before it
                            keep[at] = 1
                if used - begin >= 3:
                    break
                used = begin
            lon[used], lat[used] = lon[begin], lat[begin]
            used += 1
            band[rings], area[rings] = b, total
            rings += 1
            start[rings] = used
    return lon[:used], lat[:used], start[: rings + 1], band[:rings], area[:rings], True


@kernel
def _within(lon: F64, lat: F64, begin: int, end: int, x: float, y: float) -> bool:
    """Whether a ring goes round a position."""
    inside = False
    for k in range(begin, end - 1):
        if (lat[k] > y) != (lat[k + 1] > y):
            inside ^= x < lon[k] + (y - lat[k]) / (lat[k + 1] - lat[k]) * (lon[k + 1] - lon[k])
    return inside


@kernel
def _holders(lon: F64, lat: F64, start: I64, band: I32, area: F64) -> I32:
    """The ring that holds each hole: of those of its band that go round it, the smallest."""
    count = len(band)
    west, east, south, north = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    for i in range(count):
        west[i] = south[i] = np.inf
        east[i] = north[i] = -np.inf
        for k in range(start[i], start[i + 1]):
            west[i], east[i] = min(west[i], lon[k]), max(east[i], lon[k])
            south[i], north[i] = min(south[i], lat[k]), max(north[i], lat[k])
    holder = np.full(count, -1, dtype=np.int32)
    low = ZERO
    for i in range(count):
        while band[low] < band[i]:
            low += 1
        if area[i] > 0.0:
            continue
        j, found, only = low, -1, True
        while j < count and band[j] == band[i]:
            if (
                area[j] > 0.0
                and west[j] <= west[i] and east[i] <= east[j] and south[j] <= south[i] and north[i] <= north[j]
            ):  # fmt: skip
                only = found < 0
                found = j
            j += 1
        if only:
            holder[i] = found
            continue
        j, found = low, -1
        while j < count and band[j] == band[i]:
            if (
                area[j] > 0.0
                and (found < 0 or area[j] < area[found])
                and west[j] <= west[i] and east[i] <= east[j] and south[j] <= south[i] and north[i] <= north[j]
                and _within(lon, lat, start[j], start[j + 1], lon[start[i]], lat[start[i]])
            ):  # fmt: skip
                found = j
            j += 1
        holder[i] = found
    return holder


@kernel
def _ordered(bands: int, lon: F64, lat: F64, start: I64, band: I32, holder: I32) -> tuple[F64, I64, I64, I64]:
    """Rings as polygons, each outer ring followed by its holes, band by band: the parts of :class:`Rings`."""
    count = len(band)
    place, ring = np.empty((len(lon), 2)), np.zeros(count + 1, dtype=np.int64)
    polygon, shape = np.zeros(count + 1, dtype=np.int64), np.zeros(bands + 1, dtype=np.int64)
    hole, next_hole = np.full(count, -1, dtype=np.int64), np.full(count, -1, dtype=np.int64)
    for i in range(count - 1, -1, -1):
        if holder[i] >= 0:
            next_hole[i], hole[holder[i]] = hole[holder[i]], i
    rings, polygons, used = ZERO, ZERO, ZERO
    for i in range(count):
        if holder[i] >= 0:
            continue
        at = i
        while at >= 0:
            for k in range(start[at], start[at + 1]):
                place[used, 0], place[used, 1] = lon[k], lat[k]
                used += 1
            rings += 1
            ring[rings] = used
            at = hole[i] if at == i else next_hole[at]
        polygons += 1
        polygon[polygons] = rings
        shape[band[i] + 1] = polygons
    for b in range(bands):
        shape[b + 1] = max(shape[b + 1], shape[b])
    return place, ring, polygon[: polygons + 1], shape


@kernel
def _clean(reached: I32, first: I64, last: I64, of_way: U8, kind: U8, cut: I32) -> None:
    for e in reached:
        if of_way[e] == MIXED:
            for c in range(first[e], last[e]):
                kind[c], cut[c] = NOBODY, -1
        of_way[e] = NOBODY


def draw(cells: Cells, begin: I64, p_edge: I32, p_from: F64, p_to: F64) -> Rings:
    """Rings of nested bands.

    Stretches of band ``b`` are ``begin[b]`` to ``begin[b + 1]``, ascending by edge and position.
    """
    # one call after the other: compiled as one, they take a third longer
    ways, points, bands, degree = cells.ways, cells.points, len(begin) - 1, units_a_degree()
    with cells.pool.one() as scratch:
        reached, cut_row, cut_at, cut_kind = set_kinds(
            *points, ways.start, ways.x, ways.y, ways.along_m, ways.length_m,
            cells.row, cells.corner, cells.place, cells.along,
            begin, p_edge, p_from, p_to, scratch.of_way, scratch.kind, scratch.cut,
        )  # fmt: skip
        parting = _parting(
            reached, scratch.of_way, scratch.kind, points.first, points.last, cells.row, cells.neighbour,
            *cells.seams, bands,
        )  # fmt: skip
        pieces = _outlines(
            bands, *parting, scratch.cut, scratch.number, cut_row, cut_at, cut_kind,
            cells.along, cells.row, cells.neighbour, cells.corner, cells.place, cells.stays,
        )  # fmt: skip
        _clean(reached, points.first, points.last, scratch.of_way, scratch.kind, scratch.cut)
    lon, lat, start, band, area, closed = _rings(
        bands, *pieces, degree / cells.unit, degree, STRAIGHT_M, LEAST_M2
    )
    if not closed:
        raise RuntimeError("an outline does not close: the cells disagree")
    return Rings(*_ordered(bands, lon, lat, start, band, _holders(lon, lat, start, band, area)))
