"""Pieces of outlines put together to rings."""

from __future__ import annotations

import numpy as np
import pytest

from geo.isochrones.rings import ALL, close_rings
from geo.isochrones.seams import AHEAD, AT_END, BACK

ARCH = [(0.0, 0.0), (40.0, 0.1), (80.0, 0.15), (120.0, 0.1), (160.0, 0.0)]  # no corner sticks out by a metre


def ring(*, bits=0, stays=(0, 0, 0, 0, 0), back=False, height=90.0, tolerance=1.0):
    """The corners of one ring: along the arch, or back along it, and by a far corner home."""
    path = np.array([(x, y, s) for (x, y), s in zip(ARCH, stays, strict=True)])
    at = path[::-1] if back else path
    far = (80.0, -height if back else height)
    place = np.array([at[0, :2], at[-1, :2], far])
    h_end = np.array([[0, 1], [1, 2], [2, 0]], dtype=np.int32)
    h_band = np.array([[0, 1, bits], [0, 1, 0], [0, 1, 0]], dtype=np.uint8)
    h_path = np.array([[4, 0] if back else [0, 4], [-1, -1], [-1, -1]], dtype=np.int32)
    nearby = np.array([[*at[1, :2], *at[-2, :2]], [*far, *at[-1, :2]], [*at[0, :2], *far]])
    keep = np.ones(3, dtype=np.uint8)
    found, start, _band, area, box, closed = close_rings(
        1, h_end, h_band, h_path, nearby, place, keep, path, 1.0, 1.0, tolerance, 1e-3, False
    )
    assert closed
    return found.tolist(), start.tolist(), area.tolist(), box.tolist()


def test_a_ring_leaves_out_what_lies_on_a_line():
    corners, start, area, box = ring()
    assert corners == [[0.0, 0.0], [160.0, 0.0], [80.0, 90.0], [0.0, 0.0]]
    assert start == [0, 4]
    arch = 40.0 * (0.1 + 0.15 + 0.1)  # of which the ring shows nothing: its area is that of all corners
    assert area == [pytest.approx(160.0 * 90.0 / 2.0 - arch)]
    assert box == [[0.0, 0.0, 160.0, 90.0]]


@pytest.mark.parametrize(
    ("bits", "stays", "back", "inner"),
    [
        (1, (0, 0, 0, 0, 0), False, [40.0]),
        (2, (0, 0, 0, 0, 0), False, [120.0]),
        (1, (0, 0, 0, 0, 0), True, [120.0]),
        (3, (0, 0, 0, 0, 0), True, [120.0, 40.0]),
        (ALL, (0, 0, 0, 0, 0), False, [40.0, 80.0, 120.0]),
        (0, (0, AHEAD, BACK, AT_END, 0), False, [40.0]),
        (0, (0, AHEAD, BACK, AT_END, 0), True, [80.0]),
    ],
)
def test_corners_that_must_stay_do(bits, stays, back, inner):
    corners, *_rest = ring(bits=bits, stays=stays, back=back)
    assert [x for x, _y in corners[1:-3]] + [
        x for x, y in corners[-3:-1] if abs(y) < 1.0 and 0 < x < 160
    ] == inner


def test_a_ring_of_too_few_corners_keeps_all_of_them():
    path = np.array([(*place, 0.0) for place in [*ARCH, ARCH[0]]])
    path[4, 1] = -1.0
    one = (
        1,
        np.array([[0, 0]], dtype=np.int32),
        np.array([[0, 1, 0]], dtype=np.uint8),
        np.array([[0, 5]], dtype=np.int32),
    )
    nearby, keep = np.array([[*path[1, :2], *path[4, :2]]]), np.zeros(1, dtype=np.uint8)
    found, _start, _band, area, _box, closed = close_rings(
        *one, nearby, path[:1, :2].copy(), keep, path, 1.0, 1.0, 1e9, 1e-3, False
    )
    assert closed
    assert found.tolist() == path[:, :2].tolist()
    assert len(area) == 1
    assert keep.tolist() == [1]


def test_a_path_that_does_not_come_home_is_told():
    ends, band = np.array([[0, 1]], dtype=np.int32), np.array([[0, 1, 0]], dtype=np.uint8)
    straight, nearby = np.array([[-1, -1]], dtype=np.int32), np.zeros((1, 4))
    *_rest, closed = close_rings(
        1, ends, band, straight, nearby, np.array([[0.0, 0.0], [1.0, 0.0]]), np.ones(2, dtype=np.uint8),
        np.zeros((0, 3)), 1.0, 1.0, 0.1, 1e-3, False,
    )  # fmt: skip
    assert not closed


def test_only_the_largest_of_each_band_stays_where_that_is_asked():
    """Squares of 2, 3, 1 and 3 metres in one band, a hole among them; the first of the two largest stays."""
    sides, ends, bands, places = [(2.0, 1), (3.0, 1), (9.0, -1), (1.0, 1), (3.0, 1)], [], [], []
    for x, (side, turn) in enumerate(sides):
        first = len(places)
        square = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)][::turn]
        places += [(20.0 * x + dx, dy) for dx, dy in square]
        ends += [(first + k, first + (k + 1) % 4) for k in range(4)]
        bands += [(0, 2, 0) if x == 0 else (0, 1, 0)] * 4  # the first is of both bands
    end, place = np.array(ends, dtype=np.int32), np.array(places)
    nearby = np.hstack([place[end[:, 1]], place[end[:, 0]]])
    found, start, band, area, box, closed = close_rings(
        2, end, np.array(bands, dtype=np.uint8), np.full((len(ends), 2), -1, dtype=np.int32), nearby, place,
        np.ones(len(place), dtype=np.uint8), np.zeros((0, 3)), 1.0, 1.0, 0.1, 1e-3, True,
    )  # fmt: skip
    assert closed
    assert (start.tolist(), band.tolist(), area.tolist()) == ([0, 5, 10], [0, 1], [9.0, 4.0])
    assert found[:5].tolist() == [[20.0, 0.0], [23.0, 0.0], [23.0, 3.0], [20.0, 3.0], [20.0, 0.0]]
    assert box.tolist() == [[20.0, 0.0, 23.0, 3.0], [0.0, 0.0, 2.0, 2.0]]
