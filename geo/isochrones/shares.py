"""How far a polygon lies: the ways inside it that are not reached, those reached outside it."""

from __future__ import annotations

import numpy as np
import shapely

from geo.isochrones.ways import Ways, to_degrees
from geo.models import F64, I64, Bool, Stretches

SAMPLE_M = 10.0


def false_missed_share(
    ways: Ways,
    polygon: shapely.Polygon | shapely.MultiPolygon,
    reached: Stretches,
    *,
    step_m: float = SAMPLE_M,
) -> tuple[float, float]:
    """The false and the missed share of a polygon (EPSG:4326), by length of way.

    False: of the length of the mode's ways inside the polygon, what is not ``reached``. Missed: of
    the length reached, what lies outside. Every way is sampled about each ``step_m``, at the middle
    of equal pieces. Each share is 0 where there is nothing to divide by.

    >>> import numpy as np
    >>> import shapely
    >>> from geo.isochrones import prepare
    >>> from geo.models import Stretches
    >>> from tests.toy import lonlat, toy_network
    >>> ways = prepare(toy_network([(0, 0), (1000, 0)], [(0, 1)]), mode="walk")
    >>> part = Stretches(np.array([0], dtype=np.int32), np.array([0.0]), np.array([400.0]))
    >>> box = shapely.box(*np.ravel(np.column_stack(lonlat([(-9, -9), (500, 9)]))))
    >>> false, missed = false_missed_share(ways, box, part)
    >>> round(false, 3), round(missed, 3)
    (0.2, 0.0)
    """
    edge, at_m, weight = _samples(ways, step_m)
    shapely.prepare(polygon)
    inside = shapely.contains_xy(polygon, *_degrees(ways, edge, at_m))
    within = _contains(reached, edge, at_m)
    inside_m, reached_m = weight[inside].sum(), weight[within].sum()
    false = weight[inside & ~within].sum() / inside_m if inside_m else 0.0
    missed = weight[within & ~inside].sum() / reached_m if reached_m else 0.0
    return float(false), float(missed)


def _samples(ways: Ways, step_m: float) -> tuple[I64, F64, F64]:
    """Edge, metres along it and weight in metres of the middles of equal pieces."""
    length = ways.length_m[ways.edges]
    count = np.maximum(np.ceil(length / step_m), 1).astype(np.int64)
    edge = np.repeat(ways.edges, count)
    nth = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    weight = np.repeat(length / count, count)
    return edge, (nth + 0.5) * weight, weight


def _degrees(ways: Ways, edge: I64, at_m: F64) -> tuple[F64, F64]:
    """Longitudes and latitudes of positions, ascending by edge and metres."""
    # Complex numbers sort by real part, then imaginary: a search over edge and metres at once.
    of_edge = np.repeat(np.arange(len(ways.length_m)), np.diff(ways.start))
    after = np.searchsorted(of_edge + 1j * ways.along_m, edge + 1j * at_m, side="left")
    after = np.clip(after, ways.start[edge] + 1, ways.start[edge + 1] - 1)
    before = after - 1
    span = ways.along_m[after] - ways.along_m[before]
    share = np.divide(at_m - ways.along_m[before], span, out=np.zeros(len(after)), where=span > 0)
    x = ways.x[before] + share * (ways.x[after] - ways.x[before])
    y = ways.y[before] + share * (ways.y[after] - ways.y[before])
    return to_degrees(x + ways.x0, y + ways.y0)


def _contains(reached: Stretches, edge: I64, at_m: F64) -> Bool:
    """Whether positions lie in a stretch; stretches ascend by edge and metres."""
    if len(reached) == 0:
        return np.zeros(len(edge), dtype=np.bool_)
    begins = reached.edge + 1j * reached.from_m
    before = np.maximum(np.searchsorted(begins, edge + 1j * at_m, side="right") - 1, 0)
    inside: Bool = (reached.edge[before] == edge) & (reached.from_m[before] <= at_m)
    return inside & (at_m <= reached.to_m[before])
