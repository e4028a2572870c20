"""The plain question, with nothing to keep to but a number of sites, as weighted cover sets: what the engine takes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from geo.models import F64, I64, Bool
from geo.siting.cells import by_time
from geo.siting.engine import best_cover, sure
from geo.siting.model import GAP_SHARE, LEAST_TOTAL, SCALED_TOTAL
from geo.siting.problem import Problem, merge_rows, problem
from geo.siting.search import swap_gains
from geo.siting.sets import Sets
from geo.siting.task import Task
from geo.siting.worth import best_seconds, reached_times, worth

SLACK = 0.5  # whole weights: plans closer than this are as good


def is_plain(task: Task) -> bool:
    """Whether :func:`plain` can take a task: cover or minutes, and no rule but sites that must or must not stand."""
    rules = task.rules
    return (
        task.goal in {"cover", "minutes"}
        and task.add is not None
        and not (task.close or task.move or task.budget is not None)
        and not (rules.groups or rules.apart or rules.floors or rules.capacity is not None)
        and len(set(rules.must) - set(np.flatnonzero(task.stands()).tolist())) <= task.add
    )


@dataclass(frozen=True, slots=True)
class Plain:
    """``standing``: what every plan has; ``covers``: candidates x cells, of ``weight`` each once scaled.

    ``candidate``: the sites that the candidates are; ``add``: how many of them at most; ``whole``: the
    weights are whole numbers.
    """

    task: Task
    standing: Bool
    covers: Sets
    weight: F64
    candidate: I64
    add: int
    whole: bool
    scale: float

    @property
    def slack(self) -> float:
        """Scaled weight: plans closer than this are as good."""
        return SLACK if self.whole else GAP_SHARE * SCALED_TOTAL

    def reduced(self) -> Problem:
        """The problem after presolve, for any number of sites."""
        return problem(self.covers, self.weight, self.candidate, add=self.add)

    def best(self, of: Problem, *, add: int, known: I64, deadline: float) -> tuple[Bool, float, float, bool]:
        """The best plan with ``add`` candidates more: what stands, its worth, its bound, whether it is proven.

        ``of``: :meth:`reduced`; ``known``: candidates of a plan that is good already, or none.
        """
        before = worth(self.task, self.standing)
        sites, upper, proven = best_cover(
            replace(of, add=add), whole=self.whole, deadline=deadline, known=known
        )
        standing = self.standing.copy()
        standing[sites] = True
        value = worth(self.task, standing)
        return standing, value, value if proven else max(value, before + upper / self.scale), proven

    def gained(self, standing: Bool) -> float:
        """Scaled weight that a plan adds to what every plan has."""
        return float(self.weight[self.covers.hits(self._places(standing)) > 0].sum())

    def within(self, standing: Bool, least: float, *, deadline: float) -> Task:
        """The task with sites opened and refused that are so in every plan that gains ``least`` or more.

        ``standing``: one such plan.
        """
        sites = self.candidate[self._places(standing)]
        opened, closed = sure(
            self.covers, self.weight, self.candidate, sites, add=self.add, best=least - self.slack,
            deadline=deadline,
        )  # fmt: skip
        rules = replace(
            self.task.rules,
            must=(*self.task.rules.must, *(int(j) for j in opened)),
            forbidden=(*self.task.rules.forbidden, *(int(j) for j in closed)),
        )
        return replace(self.task, rules=rules)

    def swapped_gain(self, standing: Bool, nth: int) -> float:
        """What the ``nth`` best of the plans gains that differ from this one by a swap; 0 where there are fewer."""
        covers, weight = merge_rows(self.covers, self.weight)
        gains = swap_gains(covers, weight, self._places(standing))
        if len(gains) < nth:
            return 0.0
        return self.gained(standing) + float(-np.partition(-gains, nth - 1)[nth - 1])

    def _places(self, standing: Bool) -> I64:
        return np.flatnonzero(standing[self.candidate])


def plain(task: Task) -> Plain:
    """A task that :func:`is_plain` as cover sets; seconds saved are cells too (:func:`geo.siting.cells.by_time`)."""
    assert task.add is not None
    stands = task.stands()
    standing, shut = stands.copy(), np.zeros(len(stands), dtype=np.bool_)
    standing[list(task.rules.must)] = True
    shut[list(task.rules.forbidden)] = True
    free = np.flatnonzero(~standing & ~shut)
    if task.goal == "minutes":
        weight, cells = by_time(
            task.weights, task.times, best_seconds(task, standing, beyond_s=task.beyond_s)
        )
        covers = Sets.of(cells)
    else:
        covers = Sets.of(task.times)
        weight = np.where(reached_times(task, standing) > 0, 0.0, task.weights)
    whole = bool(np.all(weight == np.floor(weight)) and weight.sum() < 2**53)
    scale = 1.0 if whole or weight.sum() < LEAST_TOTAL else SCALED_TOTAL / float(weight.sum())
    return Plain(
        task, standing, covers.only(free), weight * scale, free, task.add - int((standing & ~stands).sum()),
        whole, scale,
    )  # fmt: skip
