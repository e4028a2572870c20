"""What each site of a plan and each station is worth, and who does best in the place of one that says no."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter

import numpy as np

from geo.models import F64, Bool
from geo.siting.cells import within
from geo.siting.model import new_costs
from geo.siting.served import best_served, served
from geo.siting.sets import Sets
from geo.siting.task import Answer, Task
from geo.siting.worth import allowed, best_seconds, floors_of, gains, reached_times, worth

NEXT_S = 5.0  # longest search for the next best where people are assigned
FLOOR_SLACK = 2e-9  # of a floor's weight: what adding in another order may change


@dataclass(frozen=True, slots=True)
class SiteWorth:
    """One opened site: what is lost without it, and how it does when something changes.

    ``alone``: what it adds to what stands; ``last``: what the plan loses without it; ``overlap``:
    share of its reach that existing stations reach too; ``seconds_saved``: weighted, against the nearest of existing stations;
    ``instead``: the next best site that keeps to the rules (-1: none) and what the plan then loses; ``kept_refused``: share of the plan's gain that is left
    when the one other site that would be missed most says no and nobody takes its place (1.0 for a
    site by itself). Worths in weight, weighted seconds for *minutes*, the longest seconds for *worst*; with
    capacities of who is assigned, but for *worst*.
    """

    site: int
    alone: float
    last: float
    overlap: float
    seconds_saved: float
    instead: int
    instead_loss: float
    kept_refused: float


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
    """What each opened site of ``answer`` is worth; see :class:`SiteWorth`. In the order of ``answer.opened``.

    With capacities the solver assigns anew for each worth, and the next best is looked for at most :data:`NEXT_S`.
    """
    stands = task.stands()
    standing = stands.copy()
    standing[list(answer.opened)] = True
    standing[list(answer.closed)] = False
    plain = replace(task, goal="cover") if task.goal == "share" else task
    rooms = task.rules.capacity is not None and task.goal != "worst"
    value_of = partial(served if rooms else worth, plain)
    whole, kept = value_of(standing), stands & standing
    base = value_of(kept)
    before = reached_times(task, kept) > 0
    seconds = best_seconds(task, kept, beyond_s=task.beyond_s)
    lasts = {site: whole - value_of(_but(standing, site)) for site in answer.opened}
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
        second, value = _next_best(plain, without, site, rooms=rooms)
        items.append(
            SiteWorth(
                site=site,
                alone=value_of(only) - base,
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


def _next_best(task: Task, without: Bool, refused: int, *, rooms: bool) -> tuple[int, float]:
    """The site that does best in the place of one that says no, and the plan's worth with it; -1 where there is none.

    Of sites as good the one that saves most seconds where the longest counts, then the lowest number.
    """
    rules = replace(task.rules, must=tuple(j for j in task.rules.must if j != refused))
    task, costs = replace(task, rules=rules), new_costs(task)
    may = ~without & _floors_kept(task, without)
    may[[refused, *rules.forbidden]] = False
    if rooms:
        site, value = best_served(task, without, may, deadline=perf_counter() + NEXT_S)
        return site, value if site >= 0 else -np.inf
    sooner = gains(replace(task, goal="minutes"), without) if task.goal == "worst" else np.zeros(len(may))
    gain = -_longest(task, without) if task.goal == "worst" else gains(task, without)
    for j in np.lexsort((-sooner, -gain)):
        trial = without.copy()
        trial[j] = True
        if may[j] and allowed(task, trial, costs):
            return int(j), worth(task, trial)
    return -1, -np.inf


def _floors_kept(task: Task, without: Bool) -> Bool:
    """The sites with which all floors are kept."""
    kept = np.ones(len(without), dtype=np.bool_)
    for floor in floors_of(task):
        times = task.times if floor.within_s is None else within(task.times, floor.within_s)
        covers, mass = Sets.of(times), np.zeros(len(task.weights))
        points = np.asarray(floor.points, dtype=np.int64)
        mass[points] = task.weights[points]
        left = np.where(covers.hits(np.flatnonzero(without)) > 0, 0.0, mass)
        short = floor.share * float(mass.sum()) - float(mass.sum() - left.sum())
        kept &= covers.sums(left) >= short - FLOOR_SLACK * max(float(mass.sum()), 1.0)
    return kept


def _longest(task: Task, without: Bool) -> F64:
    """The longest seconds, with each site beside those that stand."""
    usable = np.ones(len(without), dtype=np.bool_)
    usable[list(task.rules.forbidden)] = False
    counted = (reached_times(task, usable | task.stands()) > 0) & (task.weights > 0)
    now = np.where(counted, best_seconds(task, without, beyond_s=task.beyond_s), 0.0)
    longest = np.empty(len(without))
    for j in range(len(without)):
        pairs = slice(task.times.indptr[j], task.times.indptr[j + 1])
        then, points = now.copy(), task.times.indices[pairs]
        then[points] = np.minimum(then[points], task.times.seconds[pairs])
        longest[j] = then.max(initial=0.0)
    return longest


def _sums(task: Task, weights: F64) -> F64:
    site = np.repeat(np.arange(task.times.shape[0]), np.diff(task.times.indptr))
    return np.bincount(site, weights=weights[task.times.indices], minlength=task.times.shape[0]).astype(float)


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
