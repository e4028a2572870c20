"""Plans in stages, other plans nearly as good, and what each site of a plan and each station is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from geo.models import F64, Bool
from geo.siting.solve import solve
from geo.siting.task import Answer, Group, Rules, Task
from geo.siting.worth import best_seconds, keeps, reached_times, worth

NEAR_BEST = 0.01  # how much worse than the best an alternative may be


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


@dataclass(frozen=True, slots=True)
class SiteWorth:
    """One opened site: what is lost without it, and how it does when something changes.

    ``alone``: what it adds to what stands; ``last``: what the plan loses without it; ``overlap``:
    share of its reach that existing stations reach too; ``seconds_saved``: weighted, against the nearest of existing stations;
    ``instead``: the next best site that keeps to the rules (-1: none, and
    with capacities) and what the plan then loses; ``kept_refused``: share of the plan's gain that is left
    when the one other site that would be missed most says no and nobody takes its place (1.0 for a
    site by itself). Worths in weight, weighted seconds for *minutes*, the longest seconds for *worst*.
    """

    site: int
    alone: float
    last: float
    overlap: float
    seconds_saved: float
    instead: int
    instead_loss: float
    kept_refused: float


def stages(task: Task, *, up_to: int, time_limit_s: float = 60.0) -> Stages:
    """Nested plans of 1 to ``up_to`` new sites by exact increments, beside the optimum for each number.

    The order is greedy under the rules (the best next site each time), so that every stage is the
    start of the next; it ends early where no site gains. For *cover*, *minutes* and *backup*.
    Raises as :func:`geo.siting.solve.solve`, ``ValueError`` for the other goals.

    >>> import numpy as np
    >>> from geo.models import TravelMatrix
    >>> times = TravelMatrix(np.array([0, 2, 4]), np.array([0, 1, 1, 2], dtype=np.int32), np.zeros(4), (2, 3))
    >>> stages(Task(np.array([3.0, 1.0, 2.0]), times), up_to=2).nested
    (4.0, 6.0)
    """
    if task.goal not in {"cover", "minutes", "backup"}:
        raise ValueError(f"stages need the goal cover, minutes or backup; found {task.goal}")
    began = perf_counter()
    standing = task.stands()
    order: list[int] = []
    nested: list[float] = []
    best: list[Answer] = []
    for k in range(1, up_to + 1):
        left = time_limit_s - (perf_counter() - began)
        share = max(left / (2 * (up_to - k + 1)), 0.05)
        now = replace(task, existing=standing, add=1, rules=_left(task, standing))
        step = solve(now, time_limit_s=share)
        if step.status == "infeasible" or len(step.opened) != 1:
            break
        order.append(step.opened[0])
        standing = standing.copy()
        standing[step.opened[0]] = True
        optimum = solve(replace(task, add=k), time_limit_s=share)
        value = abs(worth(task, standing))
        nested.append(value)
        best.append(optimum)
    sign = -1.0 if task.goal == "minutes" else 1.0
    values = [max(sign * a.objective, sign * n) * sign for a, n in zip(best, nested, strict=True)]
    return Stages(
        tuple(order),
        tuple(nested),
        tuple(values),
        tuple(a.bound for a in best),
        tuple(a.status == "optimal" for a in best),
    )


def _left(task: Task, standing: Bool) -> Rules:
    """The rules for the next stage: those on what must be come due at the last stage only."""
    must = tuple(j for j in task.rules.must if not standing[j])[:1]
    return replace(task.rules, must=must, floors=())


def alternatives(task: Task, best: Answer, *, count: int, time_limit_s: float = 60.0) -> list[Answer]:
    """Up to ``count`` other plans, each different from all before by a site at least, within 1 % of the best.

    Each is the best that is left (a cut forbids each plan found, and what contains it); in the order of their objectives.
    """
    found: list[Answer] = []
    rules = task.rules
    deadline = perf_counter() + time_limit_s
    last = best
    while len(found) < count and last.opened and perf_counter() < deadline:
        cut = Group(last.opened, len(last.opened) - 1, "alternative")
        rules = replace(rules, groups=(*rules.groups, cut))
        last = solve(replace(task, rules=rules), time_limit_s=max(deadline - perf_counter(), 0.05))
        if last.status == "infeasible" or abs(last.objective - best.objective) > NEAR_BEST * abs(
            best.objective
        ):
            break
        found.append(last)
    return found


def planned(task: Task, standing: Bool) -> Answer:
    """A plan that is already known, as an answer to be explained; nothing is proven of it (its gap is 1)."""
    stands = task.stands()
    value = worth(task, standing)
    before, after = (float(task.weights[reached_times(task, s) > 0].sum()) for s in (stands, standing))
    opened = tuple(int(j) for j in np.flatnonzero(standing & ~stands))
    closed = tuple(int(j) for j in np.flatnonzero(stands & ~standing))
    total = float(task.weights.sum())
    return Answer(task.goal, opened, closed, value, np.inf, 1.0, "time_limit", 0.0, before, after, total, 0.0)


def explain(task: Task, answer: Answer) -> list[SiteWorth]:
    """What each opened site of ``answer`` is worth; see :class:`SiteWorth`. In the order of ``answer.opened``."""
    stands = task.stands()
    standing = stands.copy()
    standing[list(answer.opened)] = True
    standing[list(answer.closed)] = False
    plain = replace(task, goal="cover") if task.goal == "share" else task
    whole, kept = worth(plain, standing), stands & standing
    base = worth(plain, kept)
    before = reached_times(task, kept) > 0
    seconds = best_seconds(task, kept, beyond_s=task.beyond_s)
    lasts = {site: whole - worth(plain, _but(standing, site)) for site in answer.opened}
    items = []
    for site in answer.opened:
        points = task.times.indices[task.times.indptr[site] : task.times.indptr[site + 1]]
        reach = float(task.weights[points].sum())
        own = task.times.seconds[task.times.indptr[site] : task.times.indptr[site + 1]]
        saved = float((task.weights[points] * np.maximum(seconds[points] - own, 0.0)).sum())
        without = _but(standing, site)
        missed = max((lasts[other] for other in answer.opened if other != site), default=0.0)
        only = kept.copy()
        only[site] = True
        # With capacities a swap moves people between all sites: only a new plan would tell.
        second, value = (
            (-1, 0.0) if task.rules.capacity is not None else _next_best(plain, task, without, site)
        )
        items.append(
            SiteWorth(
                site=site,
                alone=worth(plain, only) - base,
                last=lasts[site],
                overlap=float(task.weights[points][before[points]].sum()) / reach if reach else 0.0,
                seconds_saved=saved,
                instead=second,
                instead_loss=whole - value if second >= 0 else lasts[site],
                kept_refused=1.0 - missed / (whole - base) if whole > base else 1.0,
            )
        )
    return items


def _but(standing: Bool, site: int) -> Bool:
    left = standing.copy()
    left[site] = False
    return left


def _next_best(plain: Task, task: Task, without: Bool, refused: int) -> tuple[int, float]:
    """The site that does best in the place of one that says no, and the plan's worth with it."""
    best, value = -1, -np.inf
    if task.goal == "minutes":
        order = np.argsort(-_reach(task), kind="stable")[:200]  # the widest first: a full look is long
    elif task.goal == "worst":
        with_it = without.copy()
        with_it[refused] = True
        late = best_seconds(task, without, beyond_s=task.beyond_s) > -worth(task, with_it)
        order = np.argsort(-_sums(task, np.where(late, task.weights, 0.0)), kind="stable")[:200]
    else:
        missed = np.where(reached_times(task, without) > 0, 0.0, task.weights)
        order = np.argsort(-_sums(task, missed), kind="stable")[:50]
    relaxed = replace(task, goal=plain.goal)
    for j in order:
        if without[j] or j == refused or j in task.rules.forbidden:
            continue
        trial = without.copy()
        trial[j] = True
        if keeps(relaxed, trial) and (now := worth(plain, trial)) > value:
            best, value = int(j), now
    return best, value


def _sums(task: Task, weights: F64) -> F64:
    site = np.repeat(np.arange(task.times.shape[0]), np.diff(task.times.indptr))
    return np.bincount(site, weights=weights[task.times.indices], minlength=task.times.shape[0]).astype(float)


def _reach(task: Task) -> F64:
    return _sums(task, task.weights)


def losses(task: Task) -> F64:
    """What would be lost without each existing site: weight reached by it alone; 0 elsewhere. Redundant: 0.

    >>> import numpy as np
    >>> from geo.models import TravelMatrix
    >>> times = TravelMatrix(np.array([0, 2, 3]), np.array([0, 1, 1], dtype=np.int32), np.zeros(3), (2, 2))
    >>> losses(Task(np.array([3.0, 1.0]), times, existing=np.array([True, True]))).tolist()
    [3.0, 0.0]
    """
    stands = task.stands()
    alone = np.where(reached_times(task, stands) == 1, task.weights, 0.0)
    return np.where(stands, _sums(task, alone), 0.0)
