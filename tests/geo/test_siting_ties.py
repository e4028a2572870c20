"""Of all plans that are as good, by brute force, the answer is the one that the rule names."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.siting import solve
from tests.geo.test_siting_goals import BEYOND_S, GOALS, RULES, dense, plans, sparse_times, tasks, value_of

EVEN = st.sampled_from([1.0, 2.0])  # many plans as good


@st.composite
def tied_tasks(draw, goal, rule):
    """Tasks with few distinct weights and times, so that ties abound."""
    task = draw(tasks(goal, rule))
    m, n = task.times.shape
    weights = np.array(draw(st.lists(EVEN, min_size=n, max_size=n)))
    if draw(st.booleans()):
        task = replace(task, weights=weights)
    if draw(st.booleans()):
        reach = st.sampled_from([np.nan, 60.0, 120.0])
        seconds = np.array(draw(st.lists(reach, min_size=m * n, max_size=m * n))).reshape(m, n)
        task = replace(task, times=sparse_times(seconds))
    return task


def order_of(task, s, cost, seconds):
    """What the rule looks at, least first; None where the plan breaks a rule."""
    value = value_of(task, s, cost, seconds)
    if value is None:
        return None
    best = np.minimum(seconds[s].min(axis=0, initial=np.inf), BEYOND_S)
    total = float(task.weights @ best)
    goal = (-value,) if task.goal in {"cover", "backup"} else (value,)
    if task.goal == "worst":  # then the weight at it, then the seconds of those who can be reached at all
        usable = [j for j in range(len(s)) if task.stands()[j] or j not in task.rules.forbidden]
        counted = np.isfinite(seconds[usable]).any(axis=0) & (task.weights > 0)
        goal = (
            value,
            float(task.weights[counted & (best >= value)].sum()),
            float(task.weights[counted] @ best[counted]),
        )
    new = int((s & ~task.stands()).sum())
    return (*(round(g, 6) for g in goal), new, round(total, 6), tuple((~s).tolist()))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("goal", GOALS)
def test_the_answer_is_the_one_that_the_rule_names(goal, rule):
    @settings(max_examples=20, deadline=None)
    @given(tied_tasks(goal, rule))
    def named(task):
        if (goal, rule) == ("worst", "capacity"):
            return  # its later goals are sums over an assignment: only that one answer is given is tested
        seconds = dense(task.times)
        every = [(o, s) for s, cost in plans(task) if (o := order_of(task, s, cost, seconds)) is not None]
        answer = solve(task)
        if not every:
            assert answer.status == "infeasible"
            return
        assert answer.settled
        standing = task.stands().copy()
        standing[list(answer.opened)] = True
        standing[list(answer.closed)] = False
        first = min(every, key=lambda plan: plan[0])
        assert standing.tolist() == first[1].tolist(), (
            first[0],
            [o for o, s in every if (s == standing).all()],
        )

    named()
