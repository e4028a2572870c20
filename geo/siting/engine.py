"""The engine for plain maximal cover: presolve, greedy, swaps, bounds and kicks in turn, branch and cut."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from geo.models import F64, I64
from geo.siting.bound import Relaxation, settle, start
from geo.siting.exact import mip
from geo.siting.model import GAP_SHARE, SCALED_TOTAL
from geo.siting.problem import Problem, merge_rows, problem, without
from geo.siting.search import covered_rows, covered_weight, greedy, kicked, swapped
from geo.siting.sets import Sets

ROUNDS = 40  # of bounds, kicks and settling before branch and cut
STEPS = 160  # of the relaxation, each round
ENOUGH = 0.15  # of the gap may be the relaxation's own inexactness: more steps would not close it
KICKS = 25  # in the first round, twice as many in each that follows, up to
MOST_KICKS = 1_000
IDLE = 4  # rounds that neither better the plan nor settle candidates, before branch and cut
FEW_PAIRS = 5_000  # branch and cut takes no longer than such a round
CORE_SHARE = 1e-3  # candidates with less of a share in the relaxation are left out of the kicks
SETTLED_SHARE = 0.05  # of the candidates, or it is not worth building the problem anew
MIP_PAIRS = 2_000_000  # with more pairs branch and cut does not get past its root


def best_cover(
    of: Problem, *, whole: bool, deadline: float, known: I64 | None = None
) -> tuple[I64, float, bool]:
    """Candidates (the caller's numbers), an upper bound, and whether they are proven best.

    ``known``: candidates to start from, of a plan that is good already.
    """
    # Whole weights: a better plan is better by 1 at least.
    margin = 1.0 - 1e-6 if whole else GAP_SHARE * SCALED_TOTAL
    upper = float(of.weight.sum())
    # Sites settled for good are ``taken`` and worth ``base``; ``small`` is the problem over the rest.
    small, taken, base = of, of.candidate[:0], 0.0
    plan = _plan(small, kept=of.candidate[:0], deadline=deadline)
    if known is not None and len(known):
        other = _plan(small, kept=known, deadline=deadline)
        plan = other if covered_weight(of, other) > covered_weight(of, plan) else plan
    kept, best = of.candidate[plan], covered_weight(of, plan)
    relaxed, idle = _relaxation(small, plan), 0
    for count in range(ROUNDS):
        if small.add == 0 or small.add >= len(small.candidate):
            value = base + covered_weight(small, plan)
            kept = np.concatenate((taken, small.candidate[plan])) if value > best else kept
            return kept, max(best, value), True
        if upper - best < margin:
            return kept, best, True
        # where the bound and the plan stand still, the relaxation is solved more closely
        solved = relaxed.improve(
            steps=STEPS << idle, best=best - base, enough=ENOUGH / (1 << idle), deadline=deadline
        )
        plan = _kicked_core(small, plan, relaxed.share, count=count, deadline=deadline)
        value = base + covered_weight(small, plan)
        better = value > best
        if better:
            kept, best = np.concatenate((taken, small.candidate[plan])), value
        # Plans outside ``small`` are no better than ``best``: the bound holds for all that matter.
        upper = min(upper, max(best, base + relaxed.bound.value))
        if upper - best < margin:
            return kept, best, True
        if perf_counter() > deadline:
            return kept, upper, False
        if count + 1 == ROUNDS:
            break
        opened, closed = settle(small, relaxed.bound, best - base, margin=margin)
        if int(opened.sum() + closed.sum()) >= SETTLED_SHARE * len(opened):
            taken = np.concatenate((taken, small.candidate[opened]))
            base += covered_weight(small, np.flatnonzero(opened))
            rest = without(small, opened=opened, closed=closed, dual=relaxed.best_u)
            # what the relaxation has learnt goes on: its shares, its multipliers and its balance
            share = relaxed.share[np.searchsorted(small.candidate, rest.candidate)]
            relaxed = Relaxation(rest, share, rest.dual, relaxed.balance)
            small, plan, idle = rest, _plan(rest, kept=kept, deadline=deadline), 0
        elif better:
            idle = 0
        elif solved or idle:
            idle += 1
            if idle == IDLE or len(small.covers.indices) < FEW_PAIRS:
                break
    if len(small.covers.indices) > MIP_PAIRS:
        return kept, upper, False
    solution = mip(small, plan, seconds=deadline - perf_counter(), gap=margin)
    value = base + covered_weight(small, solution.plan)
    if value > best:
        kept, best = np.concatenate((taken, small.candidate[solution.plan])), value
    upper = min(upper, max(best, base + solution.bound))
    proven = solution.finished or upper - best < margin
    return kept, best if proven else upper, proven


def sure(
    covers: Sets, weight: F64, candidate: I64, plan: I64, *, add: int, best: float, deadline: float
) -> tuple[I64, I64]:
    """Candidates that stand in every plan that covers ``best`` or more, and those that stand in none.

    Unlike presolve it keeps what is dominated: such a candidate may stand in a plan as good. ``plan``: one such plan.
    """
    none = candidate[:0]
    merged, mass = merge_rows(covers, weight)
    if add == 0 or add >= len(candidate) or len(mass) == 0:
        return none, none
    of = Problem(merged, merged.turned(), mass, mass, candidate, add)
    relaxed = _relaxation(of, np.searchsorted(candidate, plan))
    relaxed.improve(steps=ROUNDS * STEPS // 8, best=best, enough=ENOUGH, deadline=deadline)
    opened, closed = settle(of, relaxed.bound, best, margin=0.0)
    return candidate[opened], candidate[closed]


def _relaxation(of: Problem, plan: I64) -> Relaxation:
    share = np.zeros(len(of.candidate))
    share[plan] = 1.0
    return Relaxation(of, share, start(of, covered_rows(of, plan)))


def _plan(of: Problem, *, kept: I64, deadline: float) -> I64:
    """A plan that no swap betters, from the candidates ``kept`` (the caller's numbers) that are still there."""
    if of.add >= len(of.candidate):
        return np.arange(len(of.candidate))
    plan = np.flatnonzero(np.isin(of.candidate, kept))[: of.add]
    left = np.where(covered_rows(of, plan), 0.0, of.weight)
    more, _ = greedy(of.covers, left, add=of.add - len(plan))
    plan = np.concatenate((plan, more))
    return swapped(of, plan, deadline=deadline) if len(plan) else plan


def _kicked_core(of: Problem, plan: I64, share: F64, *, count: int, deadline: float) -> I64:
    """A better plan among the candidates that the relaxation opens in part, where there is one."""
    inside = share > CORE_SHARE
    inside[plan] = True
    at = np.flatnonzero(inside)
    core = problem(of.covers.only(at), of.weight, at, add=of.add)
    first, kicks = _plan(core, kept=plan, deadline=deadline), min(KICKS << count, MOST_KICKS)
    found = kicked(core, first, kicks=kicks, seed=count, deadline=deadline)
    better = np.sort(core.candidate[found])
    return better if covered_weight(of, better) > covered_weight(of, plan) else plan
