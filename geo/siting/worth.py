"""What a set of standing sites is worth, and a plan by greed that keeps to the rules."""

from __future__ import annotations

import numpy as np

from geo.models import F64, Bool
from geo.siting.cells import best_seconds as nearest_seconds
from geo.siting.cells import matrix, within
from geo.siting.model import new_costs
from geo.siting.sets import Sets
from geo.siting.task import Floor, Task


def reached_times(task: Task, standing: Bool) -> F64:
    """How many standing sites reach each point."""
    return Sets.of(task.times).hits(np.flatnonzero(standing)).astype(np.float64)


def best_seconds(task: Task, standing: Bool, *, beyond_s: float) -> F64:
    """Seconds to the nearest standing site, ``beyond_s`` where none is in reach."""
    return nearest_seconds(task.times, np.flatnonzero(standing), beyond_s=beyond_s)


def worth(task: Task, standing: Bool) -> float:
    """What is maximised (without capacity): weight, minus cost, minus weighted seconds, minus the longest seconds."""
    if task.goal == "share":
        return -float(new_costs(task)[standing].sum())
    if task.goal == "minutes":
        return -float(task.weights @ best_seconds(task, standing, beyond_s=task.beyond_s))
    if task.goal == "worst":
        usable = np.ones(len(standing), dtype=np.bool_)
        usable[list(task.rules.forbidden)] = False
        counted = (reached_times(task, usable | task.stands()) > 0) & (task.weights > 0)
        return -float(best_seconds(task, standing, beyond_s=task.beyond_s)[counted].max(initial=0.0))
    times = reached_times(task, standing)
    value = float(task.weights[times > 0].sum())
    return value + task.backup * float(task.weights[times > 1].sum()) if task.goal == "backup" else value


def floors_of(task: Task) -> tuple[Floor, ...]:
    """The floors of a task, with the share that *share* asks for."""
    if task.goal != "share":
        return task.rules.floors
    return (*task.rules.floors, Floor(tuple(range(task.times.shape[1])), task.share, "share"))


def greedy_plan(task: Task) -> Bool | None:
    """Sites by gain (for their cost, where there is a budget), floors first; ``None`` where greed finds no plan.

    For tasks that close nothing and have no capacities. Ties: the lower number.
    """
    if task.close or task.move or task.rules.capacity is not None or task.goal == "worst":
        return None
    rules, stands = task.rules, task.stands()
    standing = stands.copy()
    standing[list(rules.must)] = True
    costs = new_costs(task)
    covers = matrix(task.times)
    masses = []
    for floor in floors_of(task):
        mass = np.zeros(len(task.weights))
        points = np.asarray(floor.points, dtype=np.int64)
        mass[points] = task.weights[points]
        inside = covers if floor.within_s is None else matrix(within(task.times, floor.within_s))
        ceiling = mass.sum()
        if task.goal == "share" and floor.name == "share" and floor.share >= 1.0:
            ceiling = mass[inside.sum(axis=0) > 0].sum()
        masses.append((inside, mass, floor.share * ceiling))
    if not allowed(task, standing, costs):
        return None
    while True:
        gain = np.zeros(len(standing))
        for inside, mass, need in masses:
            left = np.where(inside[np.flatnonzero(standing)].sum(axis=0) > 0, 0.0, mass)
            missing = need - (mass.sum() - left.sum())
            if missing > 1e-9 * max(mass.sum(), 1.0):
                gain += np.minimum(inside @ left, missing)
        short = bool(np.any(gain > 0))
        if not short:
            if task.goal == "share":
                break
            gain = gains(task, standing)
        order = np.argsort(
            -(gain / np.maximum(costs, 1e-12) if task.budget is not None else gain), kind="stable"
        )
        for j in order:
            if gain[j] <= 0 or standing[j]:
                continue
            standing[j] = True
            if j not in rules.forbidden and allowed(task, standing, costs):
                break
            standing[j] = False
        else:
            break
    return standing if keeps(task, standing) else None


def gains(task: Task, standing: Bool) -> F64:
    """What each site would add to those that stand: weight (*cover*, *backup*) or weighted seconds (*minutes*)."""
    if task.goal == "minutes":
        best = best_seconds(task, standing, beyond_s=task.beyond_s)
        saved = (
            np.maximum(best[task.times.indices] - task.times.seconds, 0.0) * task.weights[task.times.indices]
        )
        return np.asarray(matrix(task.times, saved).sum(axis=1), dtype=np.float64).ravel()
    times, covers = reached_times(task, standing), Sets.of(task.times)
    gain = covers.sums(np.where(times == 0, task.weights, 0.0))
    if task.goal == "backup":
        gain += task.backup * covers.sums(np.where(times == 1, task.weights, 0.0))
    return gain


def allowed(task: Task, standing: Bool, costs: F64) -> bool:
    """Whether a plan keeps to the number of new sites, the budget, the groups and the spacing."""
    rules, stands = task.rules, task.stands()
    new = standing & ~stands
    gone = int((stands & ~standing).sum())
    if task.add is not None and int(new.sum()) > task.add + (gone if task.move else 0):
        return False
    if task.budget is not None and float(costs[new].sum()) > task.budget * (1 + 1e-12):
        return False
    if not all(g.kept(standing, stands) for g in rules.groups):
        return False
    return not any(standing[a] and standing[b] and not (stands[a] and stands[b]) for a, b in rules.apart)


def keeps(task: Task, standing: Bool) -> bool:
    """Whether a plan keeps to every rule but capacity."""
    rules, stands = task.rules, task.stands()
    gone = int((stands & ~standing).sum())
    if not allowed(task, standing, new_costs(task)) or not standing[list(rules.must)].all():
        return False
    if bool((standing & ~stands)[list(rules.forbidden)].any()):
        return False
    if gone != task.close and not (task.move and gone <= task.move):
        return False
    for floor in floors_of(task):
        points = np.unique(np.asarray(floor.points, dtype=np.int64))
        inside = matrix(task.times if floor.within_s is None else within(task.times, floor.within_s))
        weights = task.weights[points]
        total = float(weights.sum())
        if floor.share >= 1.0 and floor.name == "share":
            someone = np.setdiff1d(np.arange(len(stands)), [j for j in rules.forbidden if not stands[j]])
            total = float(weights[inside[someone].sum(axis=0)[points] > 0].sum())
        got = weights[inside[np.flatnonzero(standing)].sum(axis=0)[points] > 0].sum()
        if got < floor.share * total - 1e-9 * max(float(weights.sum()), 1.0) * 2:
            return False
    return True
