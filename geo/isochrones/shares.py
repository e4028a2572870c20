"""How far a polygon lies: the ways inside it that are not reached, those reached outside it."""

from __future__ import annotations

import numpy as np
import shapely

from geo.isochrones.ways import gather, points, project
from geo.models import Mode, RoadNetwork, Stretches


def false_missed_share(
    network: RoadNetwork,
    polygon: shapely.Polygon | shapely.MultiPolygon,
    reached: Stretches,
    *,
    mode: Mode,
    step_m: float = 10.0,
) -> tuple[float, float]:
    """The false and the missed share of a polygon in ``network.crs`` metres, by length of way.

    False: of the length of the mode's ways inside the polygon, what is not ``reached``. Missed: of
    the length reached, what lies outside. Every way is sampled about each ``step_m``, at the middle
    of equal pieces. Each share is 0 where there is nothing to divide by.

    >>> import numpy as np
    >>> import shapely
    >>> from geo.models import Stretches
    >>> from tests.toy import toy_network
    >>> road = toy_network([(0, 0), (1000, 0)], [(0, 1)])
    >>> part = Stretches(np.array([0], dtype=np.int32), np.array([0.0]), np.array([400.0]))
    >>> false, missed = false_missed_share(road, shapely.box(-9, -9, 500, 9), part, mode="walk")
    >>> round(false, 3), round(missed, 3)
    (0.2, 0.0)
    """
    ways = project(network, mode=mode)
    length = ways.length_m[ways.edges]
    count = np.maximum(np.ceil(length / step_m), 1).astype(np.int64)
    edge = np.repeat(ways.edges, count)
    nth = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    weight = np.repeat(length / count, count)
    at_m = (nth + 0.5) * weight
    shapely.prepare(polygon)
    inside = shapely.contains_xy(polygon, *points(ways, edge, at_m))
    within = gather([reached], len(ways.length_m)).contains(edge, at_m)
    inside_m, reached_m = weight[inside].sum(), weight[within].sum()
    false = weight[inside & ~within].sum() / inside_m if inside_m else 0.0
    missed = weight[within & ~inside].sum() / reached_m if reached_m else 0.0
    return float(false), float(missed)
