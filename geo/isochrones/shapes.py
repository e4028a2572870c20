"""Nested polygons of what is reached: rings from the compiled drawer, put together as geometries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np

from geo.errors import Defect, InputError
from geo.isochrones.cells import Cells, partition
from geo.isochrones.drawing import draw
from geo.isochrones.rings import Rings
from geo.isochrones.ways import Ways
from geo.models import I32, Stretches

MAX_BANDS = 16  # more are no picture


def bands(ways: Ways | Cells, reached_by_minutes: Mapping[float, Stretches]) -> gpd.GeoDataFrame:
    """Nested isochrones: columns ``minutes geometry`` (EPSG:4326 MultiPolygon), minutes ascending.

    ``reached_by_minutes``: minutes → what is reached within them. A shape holds all that lies within
    25 m of a reached stretch and nearer to it than to any way that is not reached. Holes and
    islands stay; each shape covers the one before it; outer rings turn left (RFC 7946). A shape of
    nothing is empty.

    Raises :class:`geo.errors.InputError` for more than sixteen bands.

    >>> import numpy as np
    >>> from geo.isochrones import prepare
    >>> from geo.models import I32, Stretches
    >>> from tests.toy import toy_network
    >>> ways = prepare(toy_network([(0, 0), (900, 0)], [(0, 1)]), mode="walk")
    >>> def first(metres):
    ...     return Stretches(np.array([0], dtype=np.int32), np.array([0.0]), np.array([metres]))
    >>> frame = bands(ways, {10: first(600.0), 5: first(300.0)})
    >>> frame["minutes"].tolist(), frame.to_crs(32650).area.round(-3).tolist()
    ([5.0, 10.0], [16000.0, 31000.0])
    """
    frame = station_bands(ways, {"": reached_by_minutes})
    return frame.drop(columns="station_id")


def station_bands(
    ways: Ways | Cells, per_station: Mapping[str, Mapping[float, Stretches]]
) -> gpd.GeoDataFrame:
    """Nested isochrones of each station: columns ``station_id minutes geometry`` as :func:`bands`.

    Rows keep the order of ``per_station``, minutes ascending within a station; every station must
    have the same minutes. Drawn in parallel; the shapes do not depend on the number of threads.

    >>> import numpy as np
    >>> from geo.isochrones import prepare
    >>> from geo.models import I32, Stretches
    >>> from tests.toy import toy_network
    >>> ways = prepare(toy_network([(0, 0), (900, 0)], [(0, 1)]), mode="walk")
    >>> part = Stretches(np.array([0], dtype=np.int32), np.array([0.0]), np.array([300.0]))
    >>> station_bands(ways, {"A": {5: part}}).crs.to_epsg()
    4326
    """
    stations = list(per_station)
    minutes = sorted(next(iter(per_station.values()))) if stations else []
    _check(per_station, minutes)
    parts = [per_station[station][m] for station in stations for m in minutes]
    cells = ways if isinstance(ways, Cells) else partition(ways, near=_edges_of(parts))
    shapes = _draw(cells, parts, len(stations), len(minutes)).shapes()
    return gpd.GeoDataFrame(
        {
            "station_id": [station for station in stations for _ in minutes],
            "minutes": np.array([m for _ in stations for m in minutes], dtype=float),
        },
        geometry=shapes,
        crs="EPSG:4326",
    )


def _check(per_station: Mapping[str, Mapping[float, Stretches]], minutes: Sequence[float]) -> None:
    defects = [
        Defect(
            f"时间分级应与其他驿站相同：{sorted(by)}，应为 {minutes} / minutes must be those of the other "
            f"stations: found {sorted(by)}, expected {minutes}",
            key=station,
        )
        for station, by in per_station.items()
        if sorted(by) != minutes
    ]
    if len(minutes) > MAX_BANDS:
        defects.append(
            Defect(
                f"最多 {MAX_BANDS} 个时间分级，现有 {len(minutes)} 个 / at most {MAX_BANDS} bands; "
                f"found {len(minutes)}",
                key="minutes",
            )
        )
    if defects:
        raise InputError(defects)


def _edges_of(parts: Sequence[Stretches]) -> I32:
    """Edges that any of the parts lies on."""
    edges: I32 = np.unique(np.concatenate([np.empty(0, dtype=np.int32), *(part.edge for part in parts)]))
    return edges


def _draw(cells: Cells, parts: Sequence[Stretches], sets: int, bands_each: int) -> Rings:
    """Shapes of ``parts``: all bands of set 0, then of set 1, ..."""
    ends = np.cumsum([0, *(len(part) for part in parts)], dtype=np.int64)
    begin = ends[np.arange(sets)[:, None] * bands_each + np.arange(bands_each + 1)]
    edge = np.concatenate([np.empty(0, dtype=np.int32), *(part.edge for part in parts)])
    from_m = np.concatenate([np.empty(0), *(part.from_m for part in parts)])
    to_m = np.concatenate([np.empty(0), *(part.to_m for part in parts)])
    return draw(cells, begin, edge, from_m, to_m)
