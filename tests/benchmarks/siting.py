"""Siting at size, beside spopt: the same instances, the same machine, the same run."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from geo.models import F64, TravelMatrix

REACH_M = 1200.0


def clustered(points: int, candidates: int, seed: int = 0) -> tuple[F64, TravelMatrix]:
    """Demand and candidates clustered in a 30 km city; a candidate covers 1.2 km of street-like distance."""
    rng = np.random.default_rng(seed)
    centre, spread = rng.uniform(0, 30_000, (60, 2)), rng.uniform(500, 3000, 60)

    def some(n: int) -> F64:
        of = rng.integers(0, 60, n)
        return centre[of] + rng.standard_normal((n, 2)) * spread[of][:, None]

    demand, sites = some(points), some(candidates)
    near = KDTree(demand).query_ball_point(sites, REACH_M, p=1, return_sorted=True)
    indptr = np.concatenate(([0], np.cumsum([len(n) for n in near]))).astype(np.int64)
    indices = np.concatenate([np.asarray(n, dtype=np.int32) for n in near])
    cover = TravelMatrix(indptr, indices, np.zeros(len(indices)), (candidates, points))
    return rng.integers(1, 201, points).astype(float), cover
