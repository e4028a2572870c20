"""Which of plans that are worth the same: fewer seconds, then lower numbers."""

from __future__ import annotations

from time import perf_counter

import numpy as np

from geo.models import I64, Bool
from geo.siting.sets import Sets
from geo.siting.task import Task
from geo.siting.worth import best_seconds, keeps, reached_times, worth

NEAR = 1e-9  # of a sum: what adding in another order may change
LEAST = 1e-12  # of a worth: plans closer than this are worth the same
PASSES = 20  # over the new sites; each exchange lowers the seconds or a number


def settled(task: Task, standing: Bool, *, deadline: float = np.inf) -> Bool:
    """``standing`` after every exchange of one new site for another that leaves the plan's worth and settles a tie.

    *cover* and *backup*: an exchange that lowers the weighted seconds to the nearest site, or leaves
    them and takes a lower number. The other goals: of sites alike in all their times the lower
    number. Rules are kept. With capacities, and past ``deadline``, nothing is exchanged.
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
