"""Plans in stages: what to open first, and what an order costs against the best plan of each number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from geo.models import Bool
from geo.siting.model import new_costs
from geo.siting.plain import SLACK, is_plain, plain
from geo.siting.served import best_served, served
from geo.siting.solve import solve
from geo.siting.task import Task
from geo.siting.ties import NEAR
from geo.siting.worth import allowed, gains, worth

LEAST_S = 0.05  # that a solver is given


@dataclass(frozen=True, slots=True)
class Stages:
    """A nested plan: ``order`` of sites; ``nested`` and ``best`` value with 1, 2 … of them, and the bound of each.

    ``nested[k] - nested[k - 1]`` is the marginal gain of stage ``k``; ``best[k] - nested[k]`` the
    price of the order. Values are weight reached (*cover*, *backup*), or weighted seconds (*minutes*).
    """

    order: tuple[int, ...]
    nested: tuple[float, ...]
    best: tuple[float, ...]
    bound: tuple[float, ...]
    proven: tuple[bool, ...]


def stages(task: Task, *, up_to: int, time_limit_s: float = 60.0) -> Stages:
    """Nested plans of 1 to ``up_to`` new sites by exact increments, beside the optimum for each number.

    The order is greedy under the rules: sites that must open first, as they are named, then the best next site
    each time; of sites as good, as :func:`geo.siting.ties.settled` says. It ends early where no site gains. Floors
    are left aside, in the order and in the optimum: they are for a plan as a whole. For *cover*, *minutes* and
    *backup* where nothing closes. Raises as :func:`geo.siting.solve.solve`, ``ValueError`` for other goals.

    >>> import numpy as np
    >>> from geo.models import TravelMatrix
    >>> times = TravelMatrix(np.array([0, 2, 4]), np.array([0, 1, 1, 2], dtype=np.int32), np.zeros(4), (2, 3))
    >>> stages(Task(np.array([3.0, 1.0, 2.0]), times), up_to=2).nested
    (4.0, 6.0)
    """
    if task.goal not in {"cover", "minutes", "backup"} or task.close or task.move:
        raise ValueError(
            f"stages need the goal cover, minutes or backup, and nothing that closes; found {task.goal}"
        )
    deadline = perf_counter() + time_limit_s
    task = replace(task, rules=replace(task.rules, floors=()))
    order, nested = _order(task, up_to=up_to, deadline=deadline)
    due = sum(not task.stands()[j] for j in dict.fromkeys(task.rules.must))
    best = _optima(task, order, nested, due=due, deadline=deadline)
    return (
        Stages(tuple(order), tuple(nested), *zip(*best, strict=True)) if best else Stages((), (), (), (), ())
    )


def _order(task: Task, *, up_to: int, deadline: float) -> tuple[list[int], list[float]]:
    """The nested plan, site by site, and what it is worth with each."""
    standing = task.stands().copy()
    order: list[int] = []
    nested: list[float] = []
    while len(order) < up_to:
        must = next((j for j in task.rules.must if not standing[j]), None)
        if task.rules.capacity is None:
            site = _next_site(task, standing, must=must)
        else:
            site, value = _next_served(task, standing, must=must, deadline=deadline)
        if site < 0:
            break
        standing[site] = True
        order.append(site)
        nested.append(abs(worth(task, standing) if task.rules.capacity is None else value))
    return order, nested


def _next_site(task: Task, standing: Bool, *, must: int | None) -> int:
    """The site that gains most beside those that stand; -1 where none gains, or the rules allow none."""
    costs = new_costs(task)
    free = replace(task, add=None)  # the number is the stage

    def may(site: int) -> bool:
        trial = standing.copy()
        trial[site] = True
        return allowed(free, trial, costs)

    if must is not None:
        return must if may(must) else -1
    gain = gains(task, standing)
    gain[standing] = 0.0
    gain[list(task.rules.forbidden)] = 0.0
    whole = bool(np.all(task.weights == np.floor(task.weights))) and task.goal == "cover"
    slack = SLACK if whole else NEAR * max(float(task.weights.sum()), abs(worth(task, standing)))
    alike: list[int] = []
    for site in np.argsort(-gain, kind="stable").tolist():
        if gain[site] <= slack or (alike and gain[site] < gain[alike[0]] - slack):
            break
        if may(site):
            alike.append(site)
    return _nearest(task, standing, alike) if len(alike) > 1 else next(iter(alike), -1)


def _nearest(task: Task, standing: Bool, alike: list[int]) -> int:
    """Of sites as good the one with the fewest weighted seconds, then the lowest number."""
    if task.goal == "minutes":
        return min(alike)
    saved = gains(replace(task, goal="minutes"), standing)[alike]
    near = saved >= saved.max() - NEAR * float(task.weights.sum()) * task.beyond_s
    return min(site for site, good in zip(alike, near, strict=True) if good)


def _next_served(task: Task, standing: Bool, *, must: int | None, deadline: float) -> tuple[int, float]:
    """The same where capacity is a rule, with the worth of the sites then."""
    may = np.ones(len(standing), dtype=np.bool_)
    may[list(task.rules.forbidden)] = False
    if must is None:
        return best_served(task, standing, may, deadline=deadline)
    trial = standing.copy()
    trial[must] = True
    kept = may[must] and allowed(replace(task, add=None), trial, new_costs(task))
    return (must, served(task, trial)) if kept else (-1, 0.0)


def _optima(
    task: Task, order: list[int], nested: list[float], *, due: int, deadline: float
) -> list[tuple[float, float, bool]]:
    """The best plan of each number: its value, its bound, whether it is proven.

    The first ``due`` stages are as the rules want them, and the next one is the best site of all beside
    those; after that each optimum starts from the one before.
    """
    settled = due + (task.rules.capacity is None)
    found = [(value, value, True) for value in nested[:settled]]
    if len(order) <= settled:
        return found
    sign = -1.0 if task.goal == "minutes" else 1.0
    most = replace(task, add=len(order))
    of = plain(most) if is_plain(most) else None
    engine = None if of is None else (of, of.reduced())
    known = np.zeros(0, dtype=np.int64)
    for k in range(settled + 1, len(order) + 1):
        until = perf_counter() + max((deadline - perf_counter()) / (len(order) - k + 1), LEAST_S)
        if engine is not None:
            of, small = engine
            standing, value, bound, proven = of.best(small, add=k - due, known=known, deadline=until)
            known = np.flatnonzero(standing & ~of.standing)
        else:
            answer = solve(replace(task, add=k), time_limit_s=until - perf_counter(), ties=False)
            value, bound, proven = sign * answer.objective, sign * answer.bound, answer.status == "optimal"
        value = max(value, sign * nested[k - 1])
        found.append((abs(value), abs(max(bound, value)), proven))
    return found
