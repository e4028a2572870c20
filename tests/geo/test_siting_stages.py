"""Stages, alternatives and worths against brute force on small instances."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.siting import Floor, Group, Rules, Task, alternatives, explain, losses, solve, stages
from geo.siting.plain import plain
from geo.siting.served import best_served
from geo.siting.worth import keeps, worth
from tests.geo.test_siting_goals import BEYOND_S, dense, plans, sparse_times, tasks, value_of


def covered(task: Task, standing) -> float:
    reached = np.isfinite(dense(task.times)[list(standing)]).any(axis=0)
    return float(task.weights[reached].sum())


STAGED = [
    (goal, rule)
    for goal in ("cover", "minutes", "backup")
    for rule in ("none", "must", "forbidden", "groups", "apart", "floors", "budget", "capacity")
]


def better(task: Task, value: float) -> float:
    """The value as what is maximised."""
    return -value if task.goal in {"minutes", "worst"} else value


def worths(task: Task) -> dict[frozenset, float]:
    """Every set of standing sites that keeps to the rules on sites, with what it is worth."""
    seconds = dense(task.times)
    found = {
        frozenset(np.flatnonzero(s).tolist()): value_of(task, s, cost, seconds) for s, cost in plans(task)
    }
    return {chosen: better(task, value) for chosen, value in found.items() if value is not None}


@pytest.mark.parametrize(("goal", "rule"), STAGED)
@settings(max_examples=12, deadline=None)
@given(st.data())
def test_stages_are_the_best_next_site_each_time(goal, rule, data):
    task, up_to = data.draw(tasks(goal, rule)), data.draw(st.integers(1, 4))
    found = stages(task, up_to=up_to)
    open_ended = replace(task, add=None, rules=replace(task.rules, floors=(), must=()))
    worth_of, start = worths(open_ended), frozenset(np.flatnonzero(task.stands()).tolist())
    pending = [j for j in dict.fromkeys(task.rules.must) if j not in start]
    standing = start
    for k in range(up_to):
        wanted = pending[k : k + 1] or range(len(task.stands()))
        steps = {
            j: worth_of[standing | {j}] for j in wanted if j not in standing and standing | {j} in worth_of
        }
        best_step = max(steps.values(), default=-np.inf)
        gains = best_step > worth_of[standing] + 1e-6
        if not pending[k : k + 1] and not gains:
            assert len(found.order) <= k or steps[found.order[k]] == pytest.approx(best_step)
            return
        if not steps:
            assert len(found.order) == k
            return
        assert better(task, found.nested[k]) == pytest.approx(best_step)
        assert steps[found.order[k]] == pytest.approx(best_step)
        standing |= {found.order[k]}
        due = set(pending[: k + 1])
        optimum = max(v for s, v in worth_of.items() if due <= s and len(s - start) <= k + 1)
        assert better(task, found.best[k]) == pytest.approx(optimum)
        assert found.bound[k] == pytest.approx(found.best[k])
        assert found.proven[k]


def test_of_next_sites_alike_the_nearest_is_opened_then_the_lowest():
    far, near, other = [900.0, np.nan], [60.0, np.nan], [np.nan, 900.0]
    task = Task(np.ones(2), sparse_times([far, near, other, near]), beyond_s=BEYOND_S)
    assert stages(task, up_to=4).order == (1, 2)


def test_a_budget_holds_for_all_stages_together():
    times = sparse_times(np.where(np.eye(3) > 0, 60.0, np.nan))
    task = Task(np.array([3.0, 2.0, 1.0]), times, costs=np.ones(3), budget=2.0, beyond_s=BEYOND_S)
    assert stages(task, up_to=3).order == (0, 1)


@pytest.mark.parametrize("closing", [{"close": 1}, {"move": 1}])
def test_stages_need_all_that_stands(closing):
    with pytest.raises(ValueError, match="closes"):
        stages(Task(np.ones(1), sparse_times([[1.0]]), existing=np.array([True]), **closing), up_to=1)


@settings(max_examples=30, deadline=None)
@given(tasks("cover", "none"))
def test_a_station_is_worth_what_it_alone_reaches(task):
    stands = np.flatnonzero(task.stands()).tolist()
    lost = losses(task)
    for j in range(len(lost)):
        without = [k for k in stands if k != j]
        expected = covered(task, stands) - covered(task, without) if j in stands else 0.0
        assert lost[j] == pytest.approx(expected, abs=1e-9)


NEXT = [
    *((goal, rule) for goal in ("cover", "minutes", "backup") for rule in ("none", "must", "floors", "groups", "capacity")),
    ("worst", "none"), ("worst", "groups"),
]  # fmt: skip


@pytest.mark.parametrize(("goal", "rule"), NEXT)
@settings(max_examples=12, deadline=None)
@given(st.data())
def test_the_next_best_is_the_best_of_the_others(goal, rule, data):
    task = data.draw(tasks(goal, rule))
    answer = solve(task)
    if answer.status == "infeasible" or not answer.opened:
        return
    standing = frozenset(np.flatnonzero(task.stands()).tolist()) | set(answer.opened)
    for item in explain(task, answer):
        asked = replace(
            task, rules=replace(task.rules, must=tuple(j for j in task.rules.must if j != item.site))
        )
        worth_of, rest = worths(asked), standing - {item.site}
        others = {
            j: worth_of[rest | {j}]
            for j in range(len(task.stands()))
            if j not in standing and rest | {j} in worth_of
        }
        if goal == "worst":  # who is beyond all times counts the longest
            longest = replace(task, rules=Rules(groups=task.rules.groups))
            others = {
                j: worth(longest, np.isin(np.arange(len(task.stands())), [*rest, j]))
                for j in range(len(task.stands()))
                if j not in standing
                and keeps(replace(longest, goal="cover"), np.isin(np.arange(len(task.stands())), [*rest, j]))
            }
        if rule == "capacity":
            gains = replace(task, rules=Rules(capacity=task.rules.capacity), add=None)
            if not others or max(others.values()) <= worths(gains)[rest] + 1e-3:
                continue  # nobody better than none
        if not others:
            assert item.instead == -1
            continue
        assert item.instead in others
        assert others[item.instead] == pytest.approx(max(others.values()))
        whole = better(task, answer.objective)
        assert item.instead_loss == pytest.approx(whole - max(others.values()), abs=1e-5)


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


ALTERED = [
    *((goal, rule) for goal in ("cover", "minutes") for rule in ("none", "must", "forbidden", "close", "move")),
    ("cover", "groups"), ("share", "none"), ("backup", "none"),
]  # fmt: skip


@pytest.mark.parametrize(("goal", "rule"), ALTERED)
@settings(max_examples=12, deadline=None)
@given(st.data())
def test_each_alternative_is_the_best_that_is_left(goal, rule, data):
    task = data.draw(tasks(goal, rule))
    best = solve(task)
    if best.status == "infeasible":
        return
    worth_of, stands = worths(task), frozenset(np.flatnonzero(task.stands()).tolist())
    sign = -1.0 if goal in {"share", "minutes"} else 1.0
    if goal == "share":
        worth_of = {s: -v for s, v in worth_of.items()}
    value = sign * best.objective
    left, last = worth_of, best
    for other in alternatives(task, best, count=6):
        opened, closed = frozenset(last.opened), frozenset(last.closed)
        left = {s: v for s, v in left.items() if not (opened <= s and not closed & s)}
        near = [v for v in left.values() if v >= value - 0.01 * abs(value) - 1e-9]
        assert sign * other.objective == pytest.approx(max(near))
        assert (stands | set(other.opened)) - set(other.closed) in left
        last = other


def test_there_are_no_fewer_alternatives_than_plans_near_the_best():
    rng = np.random.default_rng(3)
    weights = rng.integers(1, 9, 60).astype(float)
    task = Task(weights, sparse_times(np.where(rng.random((9, 60)) < 0.5, 60.0, np.nan)), add=4)
    values = [covered(task, c) for c in combinations(range(9), 4)]
    near = sum(v >= 0.99 * max(values) for v in values)
    assert len(alternatives(task, solve(task), count=100)) == near - 1
    assert near > 1


@settings(max_examples=40, deadline=None)
@given(tasks("cover", "none") | tasks("minutes", "none") | tasks("cover", "forbidden"), st.floats(0.0, 1.0))
def test_what_is_settled_is_so_in_every_plan_as_good(task, share):
    of = plain(task)
    best = solve(task)
    standing = np.isin(np.arange(len(task.stands())), [*np.flatnonzero(task.stands()), *best.opened])
    free, places = np.flatnonzero(~of.standing), range(of.add + 1)
    shut = set(task.rules.forbidden)
    trials = [
        of.standing | np.isin(np.arange(len(of.standing)), c) for k in places for c in combinations(free, k)
    ]
    trials = [t for t in trials if not shut & set(np.flatnonzero(t & ~of.standing).tolist())]
    least = share * of.gained(standing)
    inside = of.within(standing, least, deadline=np.inf)
    for trial in trials:
        if of.gained(trial) >= least and trial.sum() - of.standing.sum() == of.add:
            assert trial[list(inside.rules.must)].all()
            assert not (trial & ~task.stands())[list(inside.rules.forbidden)].any()
    swaps = [t for t in trials if (t & ~standing).sum() == (standing & ~t).sum() == 1]
    for nth, gain in enumerate(sorted(map(of.gained, swaps), reverse=True), start=1):
        assert of.swapped_gain(standing, nth) == pytest.approx(gain, abs=1e-6)
    assert of.swapped_gain(standing, len(swaps) + 1) == 0.0


def test_all_plans_near_the_best_are_found_where_most_sites_are_settled():
    near, far = [100.0, 99.6, 99.4, 99.2], [3.0, 2.0, 1.0]
    weights = np.array([*near, *far])
    task = Task(weights, sparse_times(np.where(np.eye(7) > 0, 60.0, np.nan)), add=1)
    others = alternatives(task, solve(task), count=10)
    assert [a.opened for a in others] == [(1,), (2,), (3,)]
    inside = plain(task).within(np.arange(7) == 0, 99.0 * plain(task).scale, deadline=np.inf)
    assert set(inside.rules.forbidden) == {4, 5, 6}


def test_the_next_best_keeps_the_floors():
    times = sparse_times(
        [[60.0, 60.0, np.nan], [np.nan, 60.0, np.nan], [60.0, np.nan, np.nan], [np.nan, np.nan, 60.0]]
    )
    floor = Floor((0,), 1.0, "a")
    task = Task(np.array([1.0, 5.0, 4.0]), times, add=1, rules=Rules(floors=(floor,)))
    (item,) = explain(task, solve(task))
    assert (item.site, item.instead, item.instead_loss) == (0, 2, 5.0)


def test_a_site_that_could_gain_more_is_looked_at_before_the_best_is_named():
    # site 1 would reach 10, of whom 5 are served by site 0; site 2 gains 9
    seconds = [[60.0, np.nan, np.nan], [60.0, 60.0, np.nan], [np.nan, np.nan, 60.0], [np.nan, np.nan, np.nan]]
    room = np.array([5.0, np.inf, np.inf, np.inf])
    task = Task(
        np.array([5.0, 5.0, 9.0]), sparse_times(seconds), rules=Rules(capacity=room), beyond_s=BEYOND_S
    )
    standing = np.array([True, False, False, False])
    assert best_served(task, standing, np.ones(4, dtype=bool), deadline=np.inf) == (2, pytest.approx(14.0))
    assert best_served(task, standing, np.arange(4) == 3, deadline=np.inf) == (-1, pytest.approx(5.0))


def test_stages_need_a_goal_that_grows():
    task = Task(np.ones(1), sparse_times([[1.0]]), goal="share", rules=Rules(groups=(Group((0,)),)))
    with pytest.raises(ValueError, match="share"):
        stages(task, up_to=1)
