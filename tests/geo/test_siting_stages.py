"""Stages, alternatives and worths against brute force on small instances."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.siting import Group, Rules, Task, alternatives, explain, losses, solve, stages
from tests.geo.test_siting_goals import BEYOND_S, dense, sparse_times, tasks


def covered(task: Task, standing) -> float:
    reached = np.isfinite(dense(task.times)[list(standing)]).any(axis=0)
    return float(task.weights[reached].sum())


@settings(max_examples=40, deadline=None)
@given(tasks("cover", "none"), st.integers(1, 4))
def test_stages_are_the_best_next_site_each_time(task, up_to):
    found = stages(task, up_to=up_to)
    standing = set(np.flatnonzero(task.stands()).tolist())
    everyone = set(range(len(task.stands())))
    for k, site in enumerate(found.order):
        best_step = max(covered(task, standing | {j}) for j in everyone - standing)
        standing |= {site}
        assert covered(task, standing) == pytest.approx(best_step)
        assert found.nested[k] == pytest.approx(best_step)
        old = set(np.flatnonzero(task.stands()).tolist())
        free = sorted(everyone - old)
        optimum = max(covered(task, old | set(c)) for c in combinations(free, min(k + 1, len(free))))
        assert found.best[k] == pytest.approx(optimum)
        assert found.proven[k]


@settings(max_examples=30, deadline=None)
@given(tasks("cover", "none"))
def test_a_station_is_worth_what_it_alone_reaches(task):
    stands = np.flatnonzero(task.stands()).tolist()
    lost = losses(task)
    for j in range(len(lost)):
        without = [k for k in stands if k != j]
        expected = covered(task, stands) - covered(task, without) if j in stands else 0.0
        assert lost[j] == pytest.approx(expected, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(tasks("cover", "groups"))
def test_the_next_best_is_the_best_of_the_others(task):
    answer = solve(task)
    if answer.status == "infeasible":
        return
    standing = set(np.flatnonzero(task.stands()).tolist()) | set(answer.opened)
    whole = covered(task, standing)
    for item in explain(task, answer):
        rest = standing - {item.site}
        assert item.last == pytest.approx(whole - covered(task, rest), abs=1e-9)
        open_to = [
            j
            for j in range(len(task.stands()))
            if j not in standing
            and all(
                len((rest | {j}) & set(g.sites)) <= max(g.most, int(task.stands()[list(g.sites)].sum()))
                for g in task.rules.groups
            )
        ]
        if not open_to:
            assert item.instead == -1
            continue
        assert item.instead in open_to
        assert item.instead_loss == pytest.approx(
            whole - max(covered(task, rest | {j}) for j in open_to), abs=1e-9
        )


@settings(max_examples=30, deadline=None)
@given(tasks("cover", "groups"))
def test_what_is_kept_when_any_one_other_site_says_no(task):
    answer = solve(task)
    old = set(np.flatnonzero(task.stands()).tolist())
    gain = covered(task, old | set(answer.opened)) - covered(task, old)
    for item in explain(task, answer):
        left = [
            covered(task, (old | set(answer.opened)) - {other}) - covered(task, old)
            for other in answer.opened
            if other != item.site
        ]
        assert item.kept_refused == pytest.approx(min(left, default=gain) / gain if gain > 0 else 1.0)


@pytest.mark.parametrize("goal", ["cover", "share", "minutes", "worst", "backup"])
def test_of_sites_alike_the_lower_number_is_taken(goal):
    row, other = [60.0, 120.0, np.nan], [np.nan, np.nan, 300.0]
    times = sparse_times([other, row, other, row, row])
    task = Task(np.ones(3), times, goal=goal, add=2, beyond_s=BEYOND_S, rules=Rules(forbidden=(1,)))
    # two that reach the same two points are worth more where the second reach counts
    assert solve(task).opened == ((3, 4) if goal == "backup" else (0, 3))


def test_worths_of_the_worst_case_are_seconds():
    times = sparse_times([[60.0, np.nan, 900.0], [900.0, 120.0, 300.0], [800.0, 700.0, 60.0]])
    task = Task(np.ones(3), times, goal="worst", add=2, beyond_s=BEYOND_S)
    answer = solve(task)
    assert (answer.opened, answer.objective) == ((0, 1), 300.0)
    first, second = explain(task, answer)
    assert (first.last, second.last) == (600.0, 700.0)  # the longest is 900 s, and beyond all (1000 s)
    assert (first.instead, first.instead_loss) == (2, 500.0)
    assert (second.instead, second.instead_loss) == (2, 400.0)


def test_alternatives_are_the_plans_next_in_order():
    rng = np.random.default_rng(4)
    table = np.where(rng.random((8, 80)) < 0.4, 60.0, np.nan)
    task = Task(rng.integers(1, 9, 80).astype(float), sparse_times(table), add=3, beyond_s=BEYOND_S)
    best = solve(task)
    values = sorted((covered(task, c) for c in combinations(range(8), 3)), reverse=True)
    near = [v for v in values if v >= 0.99 * values[0]]
    others = alternatives(task, best, count=50)
    assert [best.objective, *(a.objective for a in others)] == pytest.approx(near)
    assert len({best.opened, *(a.opened for a in others)}) == len(near)


def test_stages_need_a_goal_that_grows():
    task = Task(np.ones(1), sparse_times([[1.0]]), goal="share", rules=Rules(groups=(Group((0,)),)))
    with pytest.raises(ValueError, match="share"):
        stages(task, up_to=1)
