"""Upper bounds by Lagrangian relaxation, and the candidates that they settle.

Relaxing ``x_i <= sum of y_j over the candidates of i`` with multipliers ``0 <= u_i <= w_i`` leaves
``L(u) = sum of (w_i - u_i)  +  the add largest of c_j = sum of u_i over the rows of j``: at least the
optimum for every ``u`` (Galvao & ReVelle 1996), so multipliers need not be exact to prove something.
Good ones come from the saddle point of the linear relaxation, by the primal-dual hybrid gradient
method with diagonal steps and restarts (Chambolle & Pock 2011; Pock & Chambolle 2011; Applegate et
al. 2021): a pass over the pairs a step, and shares ``y`` of the candidates that tell where to search.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from geo.compiled import kernel
from geo.models import F64, I32, I64, Bool
from geo.siting.problem import Problem

RESTART_STEPS = 40  # steps between two looks at the averages, and at the clock
FIRST_BALANCE = 8.0  # of dual against primal steps; adapted at every restart
START_SHARE = 0.4  # of their weight, as first multipliers of the rows that a good plan covers
CUTS = 60  # halvings for the price at which the shares sum to the number of sites


@dataclass(frozen=True, slots=True)
class Bound:
    """``value``: no plan covers more; ``worth``: the c_j behind it, one a candidate."""

    value: float
    worth: F64


def at(of: Problem, u: F64) -> Bound:
    """The bound of multipliers ``u``."""
    worth = of.covers.sums(u)
    return Bound(_value(of, u, worth), worth)


def _value(of: Problem, u: F64, worth: F64) -> float:
    free = np.maximum(of.weight - u, 0.0).sum()
    return float(free + np.sort(worth)[-of.add :].sum())


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


def start(of: Problem, plan_rows: Bool) -> F64:
    """First multipliers: the weight of rows that a good plan leaves, a share of the others'."""
    # Rows that the optimum leaves uncovered have their weight as multiplier (complementary slackness).
    return np.where(plan_rows, START_SHARE * of.weight, of.weight)


@dataclass(slots=True)
class Relaxation:
    """The linear relaxation of a problem on its way to the optimum.

    ``share``: of each candidate that is open; ``u``: multipliers of the rows; ``bound``: the best so far,
    with its multipliers ``best_u``; ``reached``: the most that shares were seen to cover (of the
    relaxation: no bound of plans).
    """

    of: Problem
    share: F64
    u: F64
    balance: float = FIRST_BALANCE
    bound: Bound = field(init=False)
    best_u: F64 = field(init=False)
    reached: float = field(init=False, default=0.0)
    _load: F64 = field(init=False)
    _worth: F64 = field(init=False)
    _degree: F64 = field(init=False)
    _mass: F64 = field(init=False)

    def __post_init__(self) -> None:
        of = self.of
        self._degree = np.maximum(of.by_row.sizes(), 1).astype(np.float64)
        self._mass = np.maximum(of.covers.sums(of.weight), 1e-300)
        self.bound = at(of, self.u)
        self.best_u, self._worth = self.u, self.bound.worth
        self._load = self._loaded(self.share)

    def improve(self, *, steps: int, best: float, enough: float, deadline: float) -> bool:
        """Take up to ``steps`` steps; whether the relaxation is solved to ``enough`` of what separates it from ``best``."""
        for _ in range(0, steps, RESTART_STEPS):
            self._restart()
            if self.bound.value - self.reached <= enough * (self.bound.value - best):
                return True
            if perf_counter() > deadline:
                break
        return False

    def _restart(self) -> None:
        """Some steps; then go on from where they ended or from their average, whichever is nearer the optimum."""
        of, first_share, first_u = self.of, self.share, self.u
        sum_share, sum_u = np.zeros_like(self.share), np.zeros_like(self.u)
        u = self.u.copy()
        for _ in range(RESTART_STEPS):
            pace = 1.0 / (self.balance * self._mass)
            share = _shared(self.share + pace * self._worth, pace, of.add)
            load = self._loaded(share)
            _step(u, of.weight, load, self._load, self._degree, self.balance)
            self.share, self._load = share, load
            self._worth = of.covers.sums(u)
            self._keep(u, self._worth)
            sum_share += share
            sum_u += u
        self.u = u
        here = _value(of, u, self._worth) - self._covered(self._load)
        mean_share, mean_u = sum_share / RESTART_STEPS, sum_u / RESTART_STEPS
        mean_load, mean_worth = self._loaded(mean_share), of.covers.sums(mean_u)
        self._keep(mean_u, mean_worth)
        if _value(of, mean_u, mean_worth) - self._covered(mean_load) < here:
            self.share, self.u, self._load, self._worth = mean_share, mean_u, mean_load, mean_worth
        # Steps in proportion to how far each side still travels.
        moved = np.sqrt(float((self._degree * (self.u - first_u) ** 2 / np.maximum(of.weight, 1e-300)).sum()))
        shifted = np.sqrt(float((self._mass * (self.share - first_share) ** 2).sum()))
        if moved > 0 and shifted > 0:
            self.balance = float(np.sqrt(self.balance * moved / shifted))

    def _keep(self, u: F64, worth: F64) -> None:
        value = _value(self.of, u, worth)
        if value < self.bound.value:
            self.bound, self.best_u = Bound(value, worth), u.copy()

    def _covered(self, load: F64) -> float:
        covered = float((self.of.weight * np.minimum(load, 1.0)).sum())
        self.reached = max(self.reached, covered)
        return covered

    def _loaded(self, share: F64) -> F64:
        load = np.zeros(len(self.of.weight))
        _spread(self.of.covers.indptr, self.of.covers.indices, share, load)
        return load


@kernel
def _shared(wanted: F64, pace: F64, add: float) -> F64:
    """The nearest shares from 0 to 1 that sum to ``add``, distances weighed by ``1 / pace``."""
    low, high = np.inf, -np.inf
    for j in range(len(wanted)):
        low = min(low, (wanted[j] - 1.0) / pace[j])
        high = max(high, wanted[j] / pace[j])
    for _ in range(CUTS):
        price = (low + high) / 2.0
        if price <= low or price >= high:
            break
        total = 0.0
        for j in range(len(wanted)):
            total += min(max(wanted[j] - pace[j] * price, 0.0), 1.0)
        if total > add:
            low = price
        else:
            high = price
    share = np.empty(len(wanted))
    for j in range(len(wanted)):
        share[j] = min(max(wanted[j] - pace[j] * high, 0.0), 1.0)
    return share


@kernel
def _step(u: F64, weight: F64, load: F64, before: F64, degree: F64, balance: float) -> None:
    for i in range(len(u)):
        to = u[i] - balance * weight[i] / degree[i] * (2.0 * load[i] - before[i] - 1.0)
        u[i] = min(max(to, 0.0), weight[i])


@kernel
def _spread(indptr: I64, indices: I32, share: F64, load: F64) -> None:
    # few candidates have a share, so this is far from a pass over all pairs
    for j in range(len(share)):
        if share[j] > 0.0:
            for e in range(indptr[j], indptr[j + 1]):
                load[indices[e]] += share[j]
