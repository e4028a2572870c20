"""Which of the plans that are worth the same: the rule, and how it is kept among all of them."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from geo.models import F64, I64, Bool
from geo.siting.model import Model, build, run
from geo.siting.model import other as asking
from geo.siting.sets import Sets
from geo.siting.task import Task
from geo.siting.worth import best_seconds, keeps, reached_times, worth

NEAR = 1e-9  # of a sum: what adding in another order may change
LEAST = 1e-12  # of a worth: plans closer than this are worth the same
PASSES = 20  # over the new sites; each exchange lowers the seconds or a number
FLOWING = 1e-7  # the same where people are assigned, by the solver's own sums
MOST_PAIRS = 300_000  # of site and point that a model may have to compare all plans
CHUNK = 12  # sites whose numbers are settled at once: 2 ** CHUNK steps are within the solver's tolerances


def settled(task: Task, standing: Bool, *, value: float, deadline: float) -> tuple[Bool, bool]:
    """Of all plans worth ``value`` the one that the rule names, and whether all of them were compared.

    The rule: the fewest new sites; then the fewest weighted seconds to the nearest standing site (a
    point out of reach counts ``beyond_s``); then the lowest numbers: at the first site in which two plans
    differ, the one in which it stands. ``standing`` is one such plan. Where the model is too large, or
    ``deadline`` passes, it is given back as it is.
    """
    pairs = int(np.diff(task.times.indptr)[_open_to(task)].sum())
    if pairs > MOST_PAIRS:
        return standing, False
    return _Ties(task, value, deadline).best(standing)


def _open_to(task: Task) -> Bool:
    """Sites that are not refused."""
    free = np.ones(task.times.shape[0], dtype=np.bool_)
    free[[j for j in task.rules.forbidden if not task.stands()[j]]] = False
    return free


class _Ties:
    """The model of a task with a row for each thing already settled."""

    def __init__(self, task: Task, value: float, deadline: float) -> None:
        self.task, self.value, self.deadline = task, value, deadline
        self.model = build(task, seconds=task.goal != "minutes" or task.rules.capacity is not None)
        self.kept: list[tuple[F64, float]] = []
        goal = np.concatenate(self.model.rows.cost)
        self._keep(goal, value - self.model.constant)

    def best(self, standing: Bool) -> tuple[Bool, bool]:
        """The plan that the rule names, from one that is worth as much."""
        try:
            if not self._is_there_another(standing):
                return standing, True
            width, sites = self.model.rows.width, self.model.sites
            fewest = np.zeros(width)
            fewest[:sites] = np.where(self.task.stands(), 0.0, -1.0)
            found = self._most(fewest)
            self._keep(fewest, -float((found & ~self.task.stands()).sum()))
            if self.model.seconds is not None:
                saved, least_s = self.model.seconds
                found = self._most(saved)
                now = best_seconds(self.task, found, beyond_s=self.task.beyond_s)
                self._keep(saved, least_s - float(self.task.weights @ now))
            return (self._lowest(found) if self._is_there_another(found) else found), True
        except TimeoutError:
            return standing, False

    def _is_there_another(self, standing: Bool) -> bool:
        goal = self.kept[-1][0]
        model = self._asked(goal)
        columns = np.arange(model.sites)
        model.rows.row(columns, np.where(standing, -1.0, 1.0), least=1.0 - float(standing.sum()))
        return self._run(model) is not None

    def _lowest(self, standing: Bool) -> Bool:
        lower, upper = (
            np.concatenate(b)[: self.model.sites] for b in (self.model.rows.lower, self.model.rows.upper)
        )
        free = np.flatnonzero(lower < upper)
        for first in range(0, len(free), CHUNK):
            chunk = free[first : first + CHUNK]
            order = np.zeros(self.model.rows.width)
            order[chunk] = 2.0 ** np.arange(len(chunk) - 1, -1, -1)
            if not standing[chunk].all():
                standing = self._most(order)
            self._keep(order, float(order[chunk] @ standing[chunk]))
        return standing

    def _most(self, cost: F64) -> Bool:
        """The plan with the most of ``cost``, which is worth as much as all before."""
        found = self._run(self._asked(cost))
        if found is None:
            raise TimeoutError  # the solver denies the plan that it is given: nothing is settled
        return found

    def _asked(self, cost: F64) -> Model:
        model = asking(self.model, cost)
        for kept, least in self.kept:
            at = np.flatnonzero(kept)
            total = float(np.abs(kept).sum())
            whole = self.task.rules.capacity is None and bool(np.all(kept == np.floor(kept)))
            near = FLOWING if self.task.rules.capacity is not None else NEAR
            slack = 0.5 if whole else near * max(total, 1e-9)
            factor = 1.0 if whole else 1e6 / max(total, 1e-9)
            if len(at):
                model.rows.row(at, kept[at] * factor, least=(least - slack) * factor)
        return model

    def _keep(self, cost: F64, least: float) -> None:
        self.kept.append((cost, least))

    def _run(self, model: Model) -> Bool | None:
        left = self.deadline - perf_counter()
        if left <= 0:
            raise TimeoutError
        found = run(model, seconds=left)
        if found.status == "time_limit":
            raise TimeoutError
        standing = found.standing
        if standing is not None and self.task.rules.capacity is None:
            slack = NEAR * max(abs(self.value), float(self.task.weights.sum()), 1.0)
            if not keeps(self.task, standing) or worth(self.task, standing) < self.value - slack:
                raise TimeoutError  # rounding misled the solver
        return standing


def exchanged(task: Task, standing: Bool, *, deadline: float = np.inf) -> Bool:
    """``standing`` after every exchange of one new site for another that leaves its worth and settles a tie better.

    Where not all plans can be compared. *cover* and *backup*: fewer weighted seconds, or as few and a lower
    number. The other goals: of sites alike in all their times the lower number. With capacities, and
    past ``deadline``, nothing is exchanged.
    """
    if task.rules.capacity is not None:
        return standing
    standing = standing.copy()
    for _ in range(PASSES):
        before = standing.copy()
        for site in np.flatnonzero(standing & ~task.stands()):
            if perf_counter() > deadline:
                return standing
            best = int(site)
            for other in _equal(task, standing, best):
                if _better(task, standing, best, int(other)):
                    standing[best], standing[other] = False, True
                    best = int(other)
        if np.array_equal(before, standing):
            break
    return standing


def _equal(task: Task, standing: Bool, site: int) -> I64:
    """New sites, ascending, that might take the place of ``site`` and leave the plan's worth."""
    sets = Sets.of(task.times)
    if task.goal in {"cover", "backup"}:
        rest = standing.copy()
        rest[site] = False
        times = reached_times(task, rest)
        value = np.where(times == 0, task.weights, 0.0)
        if task.goal == "backup":
            value = value + np.where(times == 1, task.backup * task.weights, 0.0)
        gain = sets.sums(value)
        like = np.abs(gain - gain[site]) <= NEAR * max(float(task.weights.sum()), 1.0)
    else:
        own = task.times.seconds[task.times.indptr[site] : task.times.indptr[site + 1]]
        like = sets.sizes() == len(own)
        for other in np.flatnonzero(like):
            seconds = task.times.seconds[task.times.indptr[other] : task.times.indptr[other + 1]]
            like[other] = np.array_equal(sets.row(int(other)), sets.row(site)) and np.array_equal(
                seconds, own
            )
    return np.flatnonzero(like & ~standing & ~task.stands())


def _better(task: Task, standing: Bool, site: int, other: int) -> bool:
    trial = standing.copy()
    trial[site], trial[other] = False, True
    now, then = (
        float(task.weights @ best_seconds(task, s, beyond_s=task.beyond_s)) for s in (standing, trial)
    )
    slack = NEAR * max(now, 1.0)
    if then > now + slack or (then >= now - slack and other > site):
        return False
    value = worth(task, standing)
    return keeps(task, trial) and worth(task, trial) >= value - LEAST * max(abs(value), 1.0)
