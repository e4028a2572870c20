"""Other plans that are nearly as good."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from time import perf_counter

from geo.siting.plain import is_plain, plain
from geo.siting.solve import solve
from geo.siting.task import Answer, Group, Task

NEAR_BEST = 0.01  # how much worse than the best an alternative may be
LEAST_S = 0.05  # that a solver is given


def alternatives(task: Task, best: Answer, *, count: int, time_limit_s: float = 60.0) -> list[Answer]:
    """Up to ``count`` other plans, each different from all before by a site at least, within 1 % of the best.

    Each is the best that is left (a cut forbids each plan found, and what contains it); in the order of their objectives.
    Where ``time_limit_s`` passes there may be fewer, and the last may be short of the best that is left (its status tells).
    """
    found: list[Answer] = []
    if not count or not (best.opened or best.closed):
        return found
    deadline = perf_counter() + time_limit_s
    cuts = [_but(best)]
    for inside, least in _levels(task, best, count=count, deadline=deadline):
        while len(found) < count and perf_counter() < deadline:
            asked = replace(inside, rules=replace(inside.rules, groups=(*task.rules.groups, *cuts)))
            last = solve(asked, time_limit_s=max(deadline - perf_counter(), LEAST_S))
            if last.status == "infeasible" or _value(last, last.objective) < least:
                break
            found.append(last)
            if not (last.opened or last.closed):
                return found
            cuts.append(_but(last))
    return found


def _levels(task: Task, best: Answer, *, count: int, deadline: float) -> Iterator[tuple[Task, float]]:
    """Tasks that keep every plan worth the second of the pair or more, the smallest task first.

    Plans that differ from the best by a swap tell what ``count`` others are worth at least: most sites
    stand in no plan as good as those.
    """
    value = _value(best, best.objective)
    floor = value - NEAR_BEST * abs(value)
    if not is_plain(task) or best.status != "optimal":
        yield task, floor
        return
    of = plain(task)
    standing = task.stands().copy()
    standing[list(best.opened)] = True
    gained = of.gained(standing)
    swapped = of.swapped_gain(standing, count)
    floor_gain = gained - (value - floor) * of.scale
    if swapped > floor_gain:
        least = value - (gained - swapped) / of.scale
        slack = of.slack / of.scale
        yield of.within(standing, swapped, deadline=deadline), least - slack
    yield of.within(standing, floor_gain, deadline=deadline), floor


def _value(answer: Answer, objective: float) -> float:
    """What is maximised."""
    return objective if answer.goal in {"cover", "backup"} else -objective


def _but(answer: Answer) -> Group:
    """Not all that it opens beside none that it closes."""
    return Group(answer.opened, len(answer.opened) - 1, "alternative", against=answer.closed)
