"""What sites are worth where each has room for so many: by the best assignment to them."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

import numpy as np

from geo.models import F64, Bool
from geo.siting.cells import only
from geo.siting.model import build, new_costs, run
from geo.siting.task import Rules, Task
from geo.siting.worth import allowed, best_seconds, gains, reached_times

NEAR = 1e-7  # of a sum: what the solver's tolerances may change


def served(task: Task, standing: Bool) -> float:
    """What is maximised with the best assignment of weight to ``standing`` sites.

    >>> from geo.models import TravelMatrix
    >>> times = TravelMatrix(np.array([0, 2]), np.array([0, 1], dtype=np.int32), np.array([60.0, 90.0]), (1, 2))
    >>> served(Task(np.array([3.0, 4.0]), times, rules=Rules(capacity=np.array([5.0]))), np.array([True]))
    5.0
    """
    assert task.rules.capacity is not None
    sites = np.flatnonzero(standing)
    if len(sites) == 0:
        return -float(task.weights.sum()) * task.beyond_s if task.goal == "minutes" else 0.0
    alone = Task(
        task.weights, only(task.times, sites), task.goal, np.ones(len(sites), dtype=np.bool_), add=0,
        backup=task.backup, beyond_s=task.beyond_s, rules=Rules(capacity=task.rules.capacity[sites]),
    )  # fmt: skip
    return run(build(alone), seconds=np.inf).value


def best_served(task: Task, standing: Bool, may: Bool, *, deadline: float) -> tuple[int, float]:
    """The site of ``may`` that is worth most beside ``standing``, and the worth with it; -1 where none gains.

    Of sites as good the one that saves most seconds to the nearest, then the lowest number. What a site gains at most
    is known beforehand (:func:`_most`), so that few are assigned; where ``deadline`` passes, the best of those.
    """
    free, costs = replace(task, add=None), new_costs(task)
    saved, most, now = (
        gains(replace(task, goal="minutes"), standing),
        _most(task, standing),
        served(task, standing),
    )
    slack = NEAR * max(abs(now), float(task.weights.sum()))
    best, value = -1, now + slack
    for site in np.lexsort((-saved, -np.round(most / slack))).tolist() if slack > 0 else ():
        if now + most[site] <= value or (best >= 0 and perf_counter() > deadline):
            break
        trial = standing.copy()
        trial[site] = True
        if not may[site] or standing[site] or not allowed(free, trial, costs):
            continue
        if (found := served(task, trial)) > value:
            best, value = site, found + slack
    return best, value - slack


def _most(task: Task, standing: Bool) -> F64:
    """What each site gains at most beside ``standing``: as if it took first those whom it helps most.

    Sites with room for so many stand in for each other: with all others gone but those with room for
    everybody, a site gains as much or more.
    """
    room, times = task.rules.capacity, task.times
    assert room is not None
    roomy = standing & np.isinf(room)
    site = np.repeat(np.arange(times.shape[0]), np.diff(times.indptr))
    weight = task.weights[times.indices]
    if task.goal == "minutes":
        best = best_seconds(task, roomy, beyond_s=task.beyond_s)
        help_ = np.maximum(best[times.indices] - times.seconds, 0.0)
    else:
        help_ = np.where(reached_times(task, roomy)[times.indices] > 0, 0.0, 1.0)
    order = np.lexsort((-help_, site))
    before = np.cumsum(weight[order]) - weight[order]
    before -= np.repeat(
        before[times.indptr[:-1][np.diff(times.indptr) > 0]], np.diff(times.indptr)[np.diff(times.indptr) > 0]
    )
    taken = np.clip(room[site] - before, 0.0, weight[order])
    most = np.bincount(site, weights=taken * help_[order], minlength=times.shape[0]).astype(float)
    if task.goal == "backup":  # whom two reach counts more, be it served before
        reach = np.bincount(site, weights=weight, minlength=times.shape[0])
        most = (1.0 + task.backup) * np.minimum(room, reach) + task.backup * reach
    return most
