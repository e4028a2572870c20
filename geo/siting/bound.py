"""Upper bounds by Lagrangian relaxation, and the candidates that they settle.

Relaxing ``x_i <= sum of y_j over the candidates of i`` with multipliers ``u_i >= 0`` leaves
``L(u) = sum (w_i - u_i)+  +  the add largest of c_j = sum of u_i over the rows of j``: at least the
optimum for every ``u`` (Galvao & ReVelle 1996), so rounding inside a solver cannot make it wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from geo.models import F64, I64, Bool
from geo.siting.problem import Problem
from geo.siting.search import covered_rows, covered_weight, swapped

STEPS = 400
FINEST = 1e-3  # of the full step: further steps no longer improve the bound
START_SHARES = (
    0.02,
    0.05,
    0.1,
    0.2,
    0.4,
)  # of their weight, as first multipliers of the rows that a good plan covers
PATIENCE = 20  # steps without a better bound before the step is halved


@dataclass(frozen=True, slots=True)
class Bound:
    """``value``: no plan covers more; ``worth``: the c_j behind it, one a candidate."""

    value: float
    worth: F64


def at(of: Problem, u: F64) -> Bound:
    """The bound of multipliers ``u``."""
    worth = of.covers @ u
    free = np.maximum(of.weight - u, 0.0).sum()
    return Bound(float(free + np.sort(worth)[-of.add :].sum()), worth)


def settle(of: Problem, bound: Bound, best: float, *, margin: float) -> tuple[Bool, Bool]:
    """Candidates that every plan better than ``best`` by ``margin`` must open, or must not."""
    order = np.argsort(-bound.worth, kind="stable")
    inside = np.zeros(len(order), dtype=np.bool_)
    inside[order[: of.add]] = True
    last_in, first_out = bound.worth[order[of.add - 1]], bound.worth[order[of.add]]
    need = best + margin
    closed = ~inside & (bound.value - (last_in - bound.worth) < need)
    opened = inside & (bound.value - (bound.worth - first_out) < need)
    return opened, closed


def subgradient(of: Problem, plan: I64, best: float, *, deadline: float) -> tuple[Bound, I64, float]:
    """Improve the bound by subgradient steps; each step's best sites are tried as a plan."""
    degree = np.diff(of.by_row.indptr)
    covered = covered_rows(of, plan)
    # Rows that the optimum leaves uncovered have their weight as multiplier (complementary slackness).
    starts = [of.weight / np.maximum(degree, 1) * min(1.0, of.add)]
    starts += [np.where(covered, share * of.weight, of.weight) for share in START_SHARES]
    tried_bounds = [at(of, start) for start in starts]
    first = min(range(len(starts)), key=lambda k: tried_bounds[k].value)
    u, bound = starts[first], tried_bounds[first]
    here, scale, stale = bound, 1.0, 0
    tried: set[bytes] = set()
    for _ in range(STEPS):
        top = np.sort(np.argsort(-here.worth, kind="stable")[: of.add])
        opened = np.zeros(len(here.worth))
        opened[top] = 1.0
        hits = of.by_row @ opened
        value = float(of.weight[hits > 0].sum())
        if value > 0.97 * best and top.tobytes() not in tried:
            tried.add(top.tobytes())
            if value > best:
                plan, best = top, value
        slope = hits - (u < of.weight)
        norm = float(slope @ slope)
        if norm == 0 or bound.value - best <= 1e-9 * max(best, 1.0) or perf_counter() > deadline:
            break
        u = np.clip(u - scale * (here.value - best) / norm * slope, 0.0, of.weight)
        here = at(of, u)
        if here.value < bound.value - 1e-6 * (bound.value - best):
            bound, stale = here, 0
        else:
            stale += 1
            if stale >= PATIENCE:
                scale, stale = scale / 2.0, 0
                if scale < FINEST:
                    break
    improved = swapped(of, plan, deadline=deadline)
    value = covered_weight(of, improved)
    return (bound, improved, value) if value > best else (bound, plan, best)
