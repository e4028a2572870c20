"""The drawn shape of a gap: round its homes, and never over a home that is served."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from scipy.spatial import cKDTree

from geo.models import F64

CLEAR_M = 60.0  # a served home keeps this much clear of the gap round it
CORE_M = 20.0  # but the gap's own homes always stay inside
SIMPLIFY_M = 3.0


def gap_shape(homes: F64, served: cKDTree | None, *, widen_m: float) -> Any:
    """Valid (Multi)Polygon in the plane of ``homes`` (n × 2, metres), ``widen_m`` round them.

    It holds every home and leaves out every served point, however close (but at the same spot).
    """
    homes = np.unique(homes, axis=0)
    shape = shapely.union_all(shapely.buffer(shapely.points(homes), widen_m, quad_segs=4))
    if served is None:
        return shapely.make_valid(shapely.simplify(shape, SIMPLIFY_M))
    around = served.query_ball_point(homes, widen_m + CLEAR_M, return_sorted=True)
    near = np.unique(np.concatenate([np.asarray(hits, dtype=np.int64) for hits in around]))
    if len(near):
        clear = shapely.buffer(shapely.points(served.data[near]), CLEAR_M, quad_segs=3)
        shape = shapely.difference(shape, shapely.union_all(clear))
    shape = shapely.simplify(shape, SIMPLIFY_M)
    apart_m, _row = served.query(homes)
    close = apart_m < CLEAR_M + 2.0 * SIMPLIFY_M
    if close.any():
        # less than half way to the next served home
        core_m = np.clip(0.45 * apart_m[close], 0.05, CORE_M)
        cores = shapely.buffer(shapely.points(homes[close]), core_m, quad_segs=3)
        shape = shapely.union(shape, shapely.union_all(cores))
    return shapely.make_valid(shape)
