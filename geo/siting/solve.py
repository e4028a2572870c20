"""From a task to an answer with its proof: the fast engine for plain cover, HiGHS for the rest."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

import numpy as np

from geo.siting.cells import within
from geo.siting.conflict import smallest_conflict
from geo.siting.model import Found, build, fixed, run
from geo.siting.plain import is_plain, plain
from geo.siting.task import Answer, Floor, Task, check
from geo.siting.ties import exchanged, settled
from geo.siting.worth import greedy_plan, reached_times, worth

SETTLE_S = 10.0  # longest comparison of plans that are as good
CONFLICT_S = 20.0  # longest search for the reason why no plan exists


def solve(task: Task, *, time_limit_s: float = 60.0, ties: bool = True) -> Answer:
    """The best plan for ``task``, with the proof of how good it is.

    The same task gives the same answer as long as no time limit is reached. Of all plans worth the same
    it is the one with the fewest new sites, then the fewest weighted seconds to the nearest standing site, then
    the lowest numbers (:func:`geo.siting.ties.settled`); ``Answer.settled`` tells whether all of them were compared.
    A plan found by the time limit is never worse than the greedy one and comes with a proven bound. Raises :class:`geo.errors.InputError` for
    what cannot be meant, :class:`geo.errors.RunError` where the solver fails.

    >>> import numpy as np
    >>> from geo.models import TravelMatrix
    >>> times = TravelMatrix(np.array([0, 2, 3]), np.array([0, 1, 1], dtype=np.int32),
    ...     np.array([60.0, 120.0, 60.0]), (2, 2))
    >>> solve(Task(np.array([5.0, 4.0]), times, goal="minutes", add=1, beyond_s=900.0)).opened
    (0,)
    """
    began = perf_counter()
    task = replace(task, weights=np.asarray(task.weights, dtype=np.float64))
    check(task, time_limit_s=time_limit_s)
    deadline = began + time_limit_s
    found = (
        _worst(task, deadline=deadline) if task.goal == "worst" else _best(task, deadline=deadline, ties=ties)
    )
    if found.standing is None and found.status == "infeasible":
        clash = task if task.goal != "worst" else replace(task, goal="share", share=1.0)
        words = smallest_conflict(clash, deadline=perf_counter() + min(CONFLICT_S, time_limit_s))
        if task.goal == "worst":
            everyone = "凡可达者都在所给时限内 / all who can be reached at all, within the longest time given"
            words = tuple(everyone if w.startswith("覆盖 100 %") else w for w in words)
        return _answer(task, found, began=began, conflict=words)
    if found.standing is None:
        return _answer(task, found, began=began)
    found, compared = _settled(task, found, deadline=deadline) if ties else (found, False)
    return _answer(task, found, began=began, settled=compared)


def _settled(task: Task, found: Found, *, deadline: float) -> tuple[Found, bool]:
    """``found`` with the plan that the rule for ties names; whether all plans as good were compared."""
    assert found.standing is not None
    asked, rooms = found.ties or task, task.rules.capacity is not None
    standing, compared = found.standing, False
    if found.status == "optimal" and asked.goal != "worst":
        value = found.tied_value if found.tied_value is not None else found.value
        value = value if rooms else worth(asked, standing)
        until = min(deadline, perf_counter() + SETTLE_S)
        standing, compared = settled(asked, standing, value=value, deadline=until)
    if not compared:
        standing = exchanged(task, standing, deadline=deadline)
    elif rooms and not np.array_equal(standing, found.standing):
        again = run(fixed(build(asked), standing), seconds=max(deadline - perf_counter(), SETTLE_S))
        if again.standing is None:
            return found, False
        found = replace(found, loads=again.loads)
    if task.goal in {"cover", "backup"} and not rooms:
        found = replace(found, value=worth(task, standing))
    return replace(found, standing=standing, bound=max(found.bound, found.value)), compared


def _best(task: Task, *, deadline: float, ties: bool = True) -> Found:
    if is_plain(task):
        return _by_engine(task, deadline=deadline, ties=ties)
    model = build(task)
    start = None if model.impossible else greedy_plan(task)
    found = run(model, seconds=deadline - perf_counter(), start=start)
    if start is not None and (found.standing is None or worth(task, start) > found.value):
        return Found(start, worth(task, start), max(found.bound, worth(task, start)), found.status)
    if found.standing is not None and task.rules.capacity is None:
        value = worth(task, found.standing)
        if found.status == "optimal" and value < found.value - 1e-6 * max(1.0, abs(found.value)):
            # the plan is worth less than the model says: rounding misled the solver, so nothing is proven
            return replace(found, value=value, bound=max(found.bound, found.value), status="time_limit")
        return replace(
            found, value=value, bound=value if found.status == "optimal" else max(found.bound, value)
        )
    return found


def _by_engine(task: Task, *, deadline: float, ties: bool) -> Found:
    """Cover and p-median where nothing but a number of sites limits the plan."""
    of = plain(task)
    small = of.reduced()
    standing, value, bound, proven = of.best(
        small, add=small.add, known=small.candidate[:0], deadline=deadline
    )
    if not proven:
        return Found(standing, value, bound, "time_limit")
    as_good = of.within(standing, of.gained(standing), deadline=deadline) if ties else None
    return Found(standing, value, bound, "optimal", ties=as_good)


def _worst(task: Task, *, deadline: float) -> Found:
    """The p-centre by bisection on the distinct times, then the fewest at the worst, then fewest seconds."""
    heavy = task.weights > 0
    stands = task.stands()
    shut = np.zeros(len(stands), dtype=np.bool_)
    shut[[j for j in task.rules.forbidden if not stands[j]]] = True
    usable = within(task.times, np.inf)
    site = np.repeat(np.arange(len(stands)), np.diff(usable.indptr))
    nearest = np.full(len(task.weights), np.inf)
    open_pairs = ~shut[site]
    np.minimum.at(nearest, usable.indices[open_pairs], usable.seconds[open_pairs])
    counted = heavy & np.isfinite(nearest)
    if not counted.any():
        found = _best(replace(task, goal="cover"), deadline=deadline)
        return replace(found, ties=found.ties or replace(task, goal="cover"))
    levels = np.unique(usable.seconds[counted[usable.indices]])
    low, high = int(np.searchsorted(levels, nearest[counted].max())), len(levels) - 1
    least = replace(task, goal="share", share=1.0, costs=None if task.budget is None else task.costs)

    def at(level: int) -> Found:
        limited = replace(least, times=within(usable, float(levels[level])))
        if limited.budget is None and limited.close == 0 and limited.move == 0:
            start = greedy_plan(limited)
            if start is not None:
                return Found(start, 0.0, 0.0, "optimal")
        return run(build(limited), seconds=deadline - perf_counter())

    kept = at(high)
    if kept.standing is None:
        return kept
    proven = low
    while proven < high:
        middle = (proven + high) // 2
        found = at(middle)
        if found.standing is not None:
            high, kept = middle, found
        elif found.status == "infeasible":
            proven = middle + 1
        else:
            break
    worst_s = float(levels[high])
    status = "optimal" if proven == high else "time_limit"
    if status == "optimal":
        points = tuple(int(i) for i in np.flatnonzero(counted))
        ceiling = Floor(points, 1.0, "share", worst_s)
        rules = replace(task.rules, floors=(*task.rules.floors, ceiling))
        last = replace(task, times=within(usable, worst_s), rules=rules, beyond_s=worst_s)
        if high > 0 and task.rules.capacity is None:
            sooner = replace(last, goal="cover", times=last.times)
            kept, last = _fewest_at_worst(sooner, float(levels[high - 1]), points, kept, deadline=deadline)
        last = replace(last, goal="minutes")
        finer = _best(last, deadline=deadline)
        if finer.standing is not None:
            tied = last if finer.status == "optimal" else None
            return Found(
                finer.standing, -worst_s, -float(levels[proven]), status, finer.loads, tied, finer.value
            )
    return Found(kept.standing, -worst_s, -float(levels[proven]), status, kept.loads)


def _fewest_at_worst(
    task: Task, sooner_s: float, points: tuple[int, ...], kept: Found, *, deadline: float
) -> tuple[Found, Task]:
    """The most weight within ``sooner_s`` while all is within the worst time; the rule that keeps it so."""
    total = float(task.weights[list(points)].sum())
    best = run(build(task, reach_s=sooner_s), seconds=deadline - perf_counter())
    if best.standing is None or best.status != "optimal":
        return kept, task
    reached = reached_times(replace(task, times=within(task.times, sooner_s)), best.standing) > 0
    share = float(task.weights[reached].sum()) / total
    floor = Floor(points, min(share, 1.0), "fewest at the worst time", sooner_s)
    return best, replace(task, rules=replace(task.rules, floors=(*task.rules.floors, floor)))


def _answer(
    task: Task, found: Found, *, began: float, conflict: tuple[str, ...] = (), settled: bool = False
) -> Answer:
    stands = task.stands()
    total = float(task.weights.sum())
    someone = reached_times(task, np.ones(len(stands), dtype=np.bool_)) > 0
    before = float(task.weights[reached_times(task, stands) > 0].sum())
    standing = stands if found.standing is None else found.standing
    loads = () if found.loads is None else tuple(float(v) for v in found.loads)
    after = float(task.weights[reached_times(task, standing) > 0].sum())
    if loads:
        after = min(after, float(sum(loads)))
    sign = 1.0 if task.goal in {"cover", "backup"} else -1.0
    objective, bound = (sign * found.value, sign * found.bound) if found.standing is not None else (0.0, 0.0)
    if task.goal == "minutes":  # a solver stopped early may know less than this
        bound = max(bound, 0.0)
    elif sign > 0:
        bound = min(bound, (1.0 + (task.backup if task.goal == "backup" else 0.0)) * total)
    larger = max(abs(objective), abs(bound))
    proven = found.status == "optimal"
    return Answer(
        goal=task.goal,
        opened=tuple(int(j) for j in np.flatnonzero(standing & ~stands)),
        closed=tuple(int(j) for j in np.flatnonzero(stands & ~standing)),
        objective=objective,
        bound=objective if proven else bound,
        gap=0.0 if proven or larger == 0 else abs(bound - objective) / larger,
        status="optimal" if proven else "infeasible" if found.status == "infeasible" else "time_limit",
        seconds=perf_counter() - began,
        before=before,
        after=after,
        total=total,
        unreachable=float(task.weights[~someone].sum()),
        conflict=conflict,
        loads=loads,
        settled=settled,
    )
