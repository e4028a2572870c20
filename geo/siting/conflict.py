"""Why no plan keeps to all rules: the smallest set of them that cannot be kept together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from time import perf_counter

import numpy as np

from geo.siting.model import build, run
from geo.siting.task import Task

MAX_SIZE = 4  # larger smallest sets are cut down one by one instead of searched


@dataclass(frozen=True, slots=True)
class _Named:
    kind: str
    at: int
    words: str


def smallest_conflict(task: Task, *, deadline: float) -> tuple[str, ...]:
    """Words (Chinese / English) for the smallest set of rules of an infeasible ``task`` in conflict.

    By implicit hitting sets (Ignatiev et al. 2015): a set that hits every known way out is tried; if
    it can be kept it is grown, and what stays outside is one way out more. Where ``deadline``
    passes, the rules found so far that must clash, else all, are given.
    """
    named = _named(task)
    everything = frozenset(range(len(named)))

    def possible(kept: frozenset[int]) -> bool:
        left = max(deadline - perf_counter(), 0.2)
        return run(build(_only(task, [named[k] for k in sorted(kept)])), seconds=left).status != "infeasible"

    ways_out: list[frozenset[int]] = []
    candidate: frozenset[int] = frozenset()
    while perf_counter() < deadline:
        candidate = _smallest_hitting(ways_out, everything)
        if not possible(candidate):
            return tuple(named[k].words for k in sorted(candidate))
        grown = candidate
        for k in sorted(everything - candidate):
            if possible(grown | {k}):
                grown |= {k}
        if grown == everything:
            break
        ways_out.append(everything - grown)
    return tuple(named[k].words for k in sorted(candidate or everything))


def _smallest_hitting(sets: list[frozenset[int]], among: frozenset[int]) -> frozenset[int]:
    useful = sorted(frozenset().union(*sets)) if sets else []
    for size in range(min(MAX_SIZE, len(useful)) + 1):
        for chosen in combinations(useful, size):
            if all(s & set(chosen) for s in sets):
                return frozenset(chosen)
    return frozenset(useful) or among


def _named(task: Task) -> list[_Named]:
    rules = task.rules
    named = [_Named("must", j, f"必选 {task.name(j)} / must open {task.name(j)}") for j in rules.must]
    if rules.forbidden:
        named.append(
            _Named("forbidden", 0, f"禁选 {len(rules.forbidden)} 处 / {len(rules.forbidden)} venues refused")
        )
    for at, g in enumerate(rules.groups):
        called = g.name or at + 1
        named.append(_Named("group", at, f"“{called}”至多 {g.most} 处 / at most {g.most} of “{called}”"))
    if rules.apart:
        named.append(_Named("apart", 0, "站点间距 / spacing between stations"))
    for at, f in enumerate(rules.floors):
        called = f.name or at + 1
        named.append(
            _Named(
                "floor",
                at,
                f"“{called}”至少 {100 * f.share:.4g} % / “{called}” at least {100 * f.share:.4g} %",
            )
        )
    if rules.capacity is not None:
        named.append(_Named("capacity", 0, "站点容量 / capacity of stations"))
    if task.add is not None:
        named.append(_Named("add", 0, f"至多新增 {task.add} 处 / at most {task.add} new"))
    if task.close:
        named.append(_Named("close", 0, f"关闭 {task.close} 处 / close {task.close}"))
    if task.move:
        named.append(_Named("move", 0, f"至多迁移 {task.move} 处 / move at most {task.move}"))
    if task.budget is not None:
        named.append(_Named("budget", 0, f"预算 {task.budget:g} / budget {task.budget:g}"))
    if task.goal == "share":
        share = f"{100 * task.share:.4g} %"
        named.append(_Named("share", 0, f"覆盖 {share} / reach {share}"))
    return named


def _only(task: Task, kept: list[_Named]) -> Task:
    """``task`` with the rules of ``kept`` alone, asking for any plan."""
    have = {(n.kind, n.at) for n in kept}
    rules = task.rules
    kinds = {n.kind for n in kept}
    share = task.share if "share" in kinds else 0.0
    closes = {"close", "move"} & kinds
    # What may close stays as it is, unless to close is the rule in question.
    return replace(
        task,
        goal="share",
        share=share,
        add=task.add if "add" in kinds else None,
        close=task.close if "close" in kinds else 0,
        move=task.move if "move" in kinds else 0 if closes or not task.move else int(task.stands().sum()),
        budget=task.budget if "budget" in kinds else None,
        rules=replace(
            rules,
            must=tuple(j for j in rules.must if ("must", j) in have),
            forbidden=rules.forbidden if "forbidden" in kinds else (),
            groups=tuple(g for at, g in enumerate(rules.groups) if ("group", at) in have),
            apart=rules.apart if "apart" in kinds else (),
            floors=tuple(f for at, f in enumerate(rules.floors) if ("floor", at) in have),
            capacity=rules.capacity
            if "capacity" in kinds or rules.capacity is None
            else np.full(len(rules.capacity), np.inf),
        ),
    )
