"""The shapes of what is reached: of all stations, of each, of one position."""

from __future__ import annotations

import geopandas as gpd
import numpy as np

from geo import isochrones, travel_times
from geo.config import Study
from geo.errors import Defect, InputError
from geo.models import Inputs, NearestField, RoadNetwork, Snapped
from geo.pipeline.travel import Travel


def shapes(
    net: RoadNetwork,
    router: travel_times.Router,
    inputs: Inputs,
    station_snap: Snapped,
    far: NearestField,
    study: Study,
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, tuple[float, float]]:
    """The bands of all stations, those of each, and the false and missed share of the limit's band."""
    minutes = sorted({*study.standard.minutes, study.standard.limit_minutes})
    ways = isochrones.prepare(net, mode=study.standard.mode)
    reached = {m: router.stretches(station_snap, far.node_seconds, limit_s=m * 60.0) for m in minutes}
    cells = isochrones.partition(ways, near=reached[minutes[-1]].edge)
    bands = isochrones.bands(cells, reached)
    parts = router.reached(station_snap, limits_s=[m * 60.0 for m in minutes])
    each = {
        str(station): dict(zip(minutes, parts[i], strict=True))
        for i, station in enumerate(inputs.stations["station_id"])
        if station_snap.edge[i] >= 0
    }
    station_bands = isochrones.station_bands(cells, each)
    limit = study.standard.limit_minutes
    shape = bands.loc[bands["minutes"] == limit].geometry.iloc[0]
    return bands, station_bands, isochrones.false_missed_share(ways, shape, reached[limit])


def isochrone(
    net: RoadNetwork, study: Study, *, lon: float, lat: float, minutes: tuple[float, ...] | None = None
) -> gpd.GeoDataFrame:
    """Nested isochrones round one position (WGS-84): columns minutes, false_share, missed_share.

    Raises :class:`geo.errors.InputError` where the position cannot be linked to a road.
    """
    travel = Travel.of(study)
    wanted = sorted(minutes or study.standard.minutes)
    origin = travel_times.snap(
        net, np.array([lon]), np.array([lat]), mode=travel.mode, max_access_m=study.standard.max_access_m
    )
    if origin.edge[0] < 0:
        raise InputError(
            Defect(
                f"{lon}, {lat}：{study.standard.max_access_m:.0f} 米内没有可走的路 / "
                f"no usable road within {study.standard.max_access_m:.0f} m; check the position and its datum",
                key="lon,lat",
            )
        )
    router = travel.router(net)
    (parts,) = router.reached(origin, limits_s=[m * 60.0 for m in wanted])
    reached = dict(zip(wanted, parts, strict=True))
    ways = isochrones.prepare(net, mode=travel.mode)
    frame = isochrones.bands(ways, reached)
    shares = [
        isochrones.false_missed_share(ways, shape, reached[m])
        for m, shape in zip(frame["minutes"], frame.geometry, strict=True)
    ]
    return frame.assign(false_share=[s[0] for s in shares], missed_share=[s[1] for s in shares])
