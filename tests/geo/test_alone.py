"""One position's isochrone in one compiled call against the steps one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.isochrones import partition, prepare, station_bands, thinned
from geo.pipeline.alone import largest_reached, reached
from geo.travel_times import Router, Snapper, snap
from tests.toy import grid_network, lonlat

NEAR_M = 500.0


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(st.floats(-700, 1400), st.floats(-400, 1100)),
    st.sampled_from(["walk", "ebike", "drive"]),
    st.sampled_from(["to_station", "from_station"]),
    st.lists(st.integers(0, 500), min_size=1, max_size=4, unique=True).map(sorted),
    st.sampled_from([0.0, 20.0]),
    st.sampled_from([(), ((0, 1, 31), (31, 7, 6))]),
)
def test_as_step_by_step(spot, mode, direction, limits_s, wait_s, bans):
    network = grid_network(6, 6, 150.0, oneway=range(0, 60, 7), signals=[8, 15], bans=bans)
    router = Router(network, mode=mode, direction=direction, signal_wait_s=wait_s, access_speed_kmh=3.0)
    cells = partition(prepare(network, mode=mode))
    lon, lat = lonlat([spot])
    source = snap(network, lon, lat, mode=mode, max_access_m=NEAR_M)
    snapper = Snapper(network, mode=mode)
    for _again in range(2):  # the room that was lent is clean
        found = reached(snapper, router, cells, float(lon[0]), float(lat[0]), limits_s, max_access_m=NEAR_M)
        if source.edge[0] < 0:
            assert found is None
            continue
        assert snapper.degrees(found.x, found.y) == pytest.approx((source.lon[0], source.lat[0]), abs=1e-12)
        (each,) = router.reached(source, limits_s=limits_s)
        assert len(found.stretches) == len(limits_s)
        for part, wanted in zip(found.stretches, each, strict=True):
            for name in type(wanted).__slots__:  # to the last bit
                np.testing.assert_array_equal(getattr(part, name), getattr(wanted, name))
        shapes = station_bands(cells, {"": dict(zip(limits_s, each, strict=True))}).geometry
        assert [shape.wkb for shape in found.rings.shapes()] == [shape.wkb for shape in shapes]
        for tolerance_m in (0.0, 10.0, 40.0):
            x, y, rings = largest_reached(
                snapper, router, cells, float(lon[0]), float(lat[0]), limits_s,
                max_access_m=NEAR_M, tolerance_m=tolerance_m,
            )  # fmt: skip
            assert (x, y) == (found.x, found.y)
            assert len(rings) == len(limits_s)
            for b, ring in enumerate(rings):
                plain = thinned(found.rings, b, tolerance_m=tolerance_m, least_share=1.0)
                assert [ring.tolist()] == [part[0].tolist() for part in plain] or (len(ring), plain) == (
                    0,
                    [],
                )


def test_what_lies_nowhere_reaches_nothing():
    network = grid_network(3, 3, 150.0)
    ready = Snapper(network), Router(network, mode="walk"), partition(prepare(network, mode="walk"))
    for lon, lat in ((float("nan"), 30.0), (0.0, float("inf")), (0.0, 91.0), (179.0, -80.0)):
        assert reached(*ready, lon, lat, [60.0], max_access_m=NEAR_M) is None
        assert largest_reached(*ready, lon, lat, [60.0], max_access_m=NEAR_M, tolerance_m=9.0) is None
