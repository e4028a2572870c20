"""The engine for plain maximal cover: presolve, greedy, swaps, Lagrangian bounds, LP, branch and cut."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from geo.models import I64
from geo.siting import bound as bounds
from geo.siting.exact import lp_duals, mip
from geo.siting.model import GAP_SHARE, SCALED_TOTAL
from geo.siting.problem import Problem, without
from geo.siting.search import covered_weight, greedy, kicked, swapped

FEW = 200  # candidates that branch and cut sorts out faster than kicks do
FIRST_KICKS = 10  # while bounds alone still settle candidates
ROUNDS = 12  # of bounds and settling before branch and cut
SETTLED_SHARE = 0.05  # a round that settles fewer candidates is the last: branch and cut does better


def best_cover(of: Problem, *, whole: bool, deadline: float) -> tuple[I64, float, bool]:
    """Candidates (the caller's numbers), an upper bound, and whether they are proven best."""
    # Whole weights: a better plan is better by 1 at least.
    margin = 1.0 - 1e-6 if whole else GAP_SHARE * SCALED_TOTAL
    upper = float(of.weight.sum())
    kept, best = of.candidate[:0], 0.0
    # Sites settled for good are ``taken`` and worth ``base``; ``small`` is the problem over the rest.
    small, taken, base = of, of.candidate[:0], 0.0
    solve_lp = False
    for _ in range(ROUNDS):
        plan = _start(small, deadline)
        value = covered_weight(small, plan)
        if base + value > best:
            kept, best = np.concatenate((taken, small.candidate[plan])), base + value
        if small.add == 0 or small.add >= len(small.candidate) or upper - best < margin:
            return kept, best, True
        if solve_lp:
            # Settling has stalled: now a better plan is worth its time.
            if len(small.candidate) > FEW:
                plan = kicked(small, plan, deadline=deadline)
                value = covered_weight(small, plan)
            if base + value > best:
                kept, best = np.concatenate((taken, small.candidate[plan])), base + value
            bound = bounds.at(small, lp_duals(small, seconds=deadline - perf_counter()))
        else:
            bound, plan, value = bounds.subgradient(small, plan, value, deadline=deadline)
            if base + bound.value - max(best, base + value) >= margin:
                plan = kicked(small, plan, kicks=FIRST_KICKS, deadline=deadline)
                value = covered_weight(small, plan)
            if base + value > best:
                kept, best = np.concatenate((taken, small.candidate[plan])), base + value
        # Plans outside ``small`` are no better than ``best``: the bound holds for all that matter.
        upper = min(upper, max(best, base + bound.value))
        if upper - best < margin:
            return kept, best, True
        if perf_counter() > deadline:
            return kept, upper, False
        opened, closed = bounds.settle(small, bound, best - base, margin=margin)
        settled = int(opened.sum() + closed.sum())
        rest = without(small, opened=opened, closed=closed)
        taken = np.concatenate((taken, small.candidate[opened]))
        base += covered_weight(small, np.flatnonzero(opened))
        small = rest
        if settled < SETTLED_SHARE * len(opened):
            if solve_lp:
                break
            solve_lp = True
    plan = _start(small, deadline)
    if small.add >= len(small.candidate):
        value = covered_weight(small, plan)
        improved = base + value > best
        kept = np.concatenate((taken, small.candidate[plan])) if improved else kept
        return kept, max(best, base + value), True
    if perf_counter() > deadline:
        return kept, upper, False
    solved = mip(small, plan, seconds=deadline - perf_counter(), gap=margin)
    value = base + covered_weight(small, solved.plan)
    if value > best:
        kept, best = np.concatenate((taken, small.candidate[solved.plan])), value
    upper = min(upper, max(best, base + solved.bound))
    proven = solved.finished or upper - best < margin
    return kept, best if proven else upper, proven


def _start(of: Problem, deadline: float) -> I64:
    if of.add >= len(of.candidate):
        return np.arange(len(of.candidate))
    plan, _ = greedy(of.covers, of.weight, add=of.add)
    return swapped(of, plan, deadline=deadline) if len(plan) else plan
