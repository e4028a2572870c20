"""From weights and a cover matrix to a plan with its proven bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Literal

import numpy as np

from geo.errors import Defect, InputError
from geo.models import F64, Bool, TravelMatrix
from geo.siting.engine import best_cover
from geo.siting.model import LEAST_TOTAL, SCALED_TOTAL
from geo.siting.problem import problem
from geo.siting.search import greedy
from geo.siting.sets import Sets


@dataclass(frozen=True, slots=True)
class CoverPlan:
    """A plan over weights and candidate cover sets.

    ``chosen``: candidate rows in order of marginal gain; ``marginal``: weight each adds in that
    order; ``objective``: weight newly covered; ``bound``: proven upper bound of the objective;
    ``gap``: (bound - objective) / bound.
    """

    chosen: tuple[int, ...]
    marginal: tuple[float, ...]
    objective: float
    bound: float
    gap: float
    status: Literal["optimal", "time_limit"]
    seconds: float
    covered_before: float
    covered_after: float
    total: float


def maximal_cover(
    weights: F64,
    cover: TravelMatrix,
    *,
    add: int,
    already: Bool | None = None,
    time_limit_s: float = 60.0,
    must: Sequence[int] = (),
    forbidden: Sequence[int] = (),
) -> CoverPlan:
    """Choose at most ``add`` candidates that newly cover the most weight.

    ``weights``: one a demand point, not negative; ``cover``: candidates x demand points, a pair is
    present where the candidate covers the point (its seconds do not matter); ``already``: points
    that existing stations cover; ``must`` are opened whatever they gain and count in ``add``,
    ``forbidden`` are not. Fewer than ``add`` are chosen where no further one gains anything.

    ``status`` is *optimal* where the plan is proven best (to 1e-9 of the weight for fractional
    weights, exactly for whole ones), else *time_limit*, with ``objective`` and the proven ``bound``. The same
    input gives the same plan; of candidates with equal cover sets the first is taken, and one whose
    cover set lies inside another's is not taken in its place.

    Raises :class:`geo.errors.InputError` for arrays that do not fit and impossible rules, and
    :class:`geo.errors.RunError` where the solver fails.

    >>> import numpy as np
    >>> cover = TravelMatrix(
    ...     np.array([0, 2, 4, 5]), np.array([0, 1, 1, 2, 3], dtype=np.int32), np.zeros(5), (3, 4)
    ... )
    >>> plan = maximal_cover(np.array([5.0, 4.0, 3.0, 6.0]), cover, add=2)
    >>> plan.chosen, plan.marginal, plan.status
    ((0, 2), (9.0, 6.0), 'optimal')
    """
    began = perf_counter()
    weights = np.asarray(weights, dtype=np.float64)
    covered = (
        np.zeros(len(weights), dtype=np.bool_) if already is None else np.asarray(already, dtype=np.bool_)
    )
    _check(weights, cover, covered, add=add, time_limit_s=time_limit_s, must=must, forbidden=forbidden)
    covers = Sets.of(cover)
    left = np.where(covered, 0.0, weights)
    fixed = np.unique(np.asarray(must, dtype=np.int64))
    rest = left.copy()
    rest[covers.hits(fixed) > 0] = 0.0
    free = np.setdiff1d(
        np.arange(cover.shape[0]), np.concatenate((fixed, np.asarray(forbidden, dtype=np.int64)))
    )
    whole = bool(np.all(rest == np.floor(rest)) and rest.sum() < 2**53)
    scale = 1.0 if whole or rest.sum() < LEAST_TOTAL else SCALED_TOTAL / float(rest.sum())
    reduced = problem(covers.only(free), rest * scale, free, add=add - len(fixed))
    sites, upper, proven = best_cover(reduced, whole=whole, deadline=began + time_limit_s)
    chosen, marginal = greedy(covers, left, add=add, among=np.sort(np.concatenate((fixed, sites))))
    idle = np.setdiff1d(fixed, chosen)
    chosen, marginal = np.concatenate((chosen, idle)), np.concatenate((marginal, np.zeros(len(idle))))
    objective = float(marginal.sum())
    bound = objective if proven else max(objective, float((left - rest).sum()) + upper / scale)
    before, total = float(weights[covered].sum()), float(weights.sum())
    return CoverPlan(
        chosen=tuple(int(j) for j in chosen),
        marginal=tuple(float(g) for g in marginal),
        objective=objective,
        bound=bound,
        gap=(bound - objective) / bound if bound > 0 else 0.0,
        status="optimal" if proven else "time_limit",
        seconds=perf_counter() - began,
        covered_before=before,
        covered_after=before + objective,
        total=total,
    )


def greedy_curve(weights: F64, cover: TravelMatrix, *, up_to: int, already: Bool | None = None) -> F64:
    """Weight newly covered by the first 1..``up_to`` candidates taken greedily (a lower bound of each optimum).

    The array has ``up_to`` items; it stays level once no candidate gains anything. Within
    1 - 1/e of the optimum for every number of sites (Nemhauser, Wolsey & Fisher 1978), nested.
    Raises as :func:`maximal_cover`.

    >>> import numpy as np
    >>> cover = TravelMatrix(np.array([0, 1, 3]), np.array([0, 1, 2], dtype=np.int32), np.zeros(3), (2, 3))
    >>> greedy_curve(np.array([1.0, 2.0, 3.0]), cover, up_to=3)
    array([5., 6., 6.])
    """
    weights = np.asarray(weights, dtype=np.float64)
    covered = (
        np.zeros(len(weights), dtype=np.bool_) if already is None else np.asarray(already, dtype=np.bool_)
    )
    _check(weights, cover, covered, add=up_to, time_limit_s=1.0, must=(), forbidden=())
    _, marginal = greedy(Sets.of(cover), np.where(covered, 0.0, weights), add=up_to)
    return np.cumsum(np.concatenate((marginal, np.zeros(up_to - len(marginal)))))


def _check(
    weights: F64,
    cover: TravelMatrix,
    already: Bool,
    *,
    add: int,
    time_limit_s: float,
    must: Sequence[int],
    forbidden: Sequence[int],
) -> None:
    candidates, points = cover.shape
    rules = {
        f"权重 {weights.shape} 与矩阵 {cover.shape} 不符 / weights {weights.shape} do not fit {cover.shape}": (
            weights.shape != (points,)
        ),
        f"已覆盖 {already.shape} 与矩阵 {cover.shape} 不符 / already {already.shape} does not fit {cover.shape}": (
            already.shape != (points,)
        ),
        "权重须为有限的非负数 / weights must be finite and not negative": (
            not bool(np.all(np.isfinite(weights) & (weights >= 0)))
        ),
        f"add 须 ≥ 0 / add must be 0 or more; found {add}": add < 0,
        f"time_limit_s 须 > 0 / time_limit_s must be above 0; found {time_limit_s}": not time_limit_s > 0,
        f"must、forbidden 须为 0 至 {candidates - 1} / must and forbidden must be rows of the matrix": (
            any(not 0 <= j < candidates for j in (*must, *forbidden))
        ),
        f"add = {add} 少于必选的 {len(set(must))} 处 / add = {add} is less than the {len(set(must))} sites of must": (
            0 <= add < len(set(must))
        ),
        f"既必选又禁选 / both must and forbidden: {sorted(set(must) & set(forbidden))}": (
            bool(set(must) & set(forbidden))
        ),
    }
    if any(rules.values()):
        raise InputError([Defect(message) for message, broken in rules.items() if broken])
