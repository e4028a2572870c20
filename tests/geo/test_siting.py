"""Siting against brute force over all subsets, published figures, and its own promises."""

import json
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from geo.models import TravelMatrix
from geo.siting import greedy_curve, maximal_cover
from geo.siting.bound import at
from geo.siting.problem import problem
from geo.siting.sets import Sets


def sparse_cover(table) -> TravelMatrix:
    table = np.asarray(table, dtype=bool)
    indptr = np.concatenate(([0], np.cumsum(table.sum(axis=1)))).astype(np.int64)
    return TravelMatrix(indptr, np.nonzero(table)[1].astype(np.int32), np.zeros(table.sum()), table.shape)


def best_of_all(weights, table, add) -> float:
    count = min(add, len(table))
    return max(
        weights[table[list(c)].any(axis=0)].sum() if c else 0.0
        for c in combinations(range(len(table)), count)
    )


def clustered(points: int, candidates: int, seed: int = 0):
    """Demand and candidates clustered in a 30 km city; a candidate covers 1.2 km of street distance."""
    rng = np.random.default_rng(seed)
    centre, spread = rng.uniform(0, 30_000, (60, 2)), rng.uniform(500, 3000, 60)

    def some(n):
        of = rng.integers(0, 60, n)
        return centre[of] + rng.standard_normal((n, 2)) * spread[of][:, None]

    demand, sites = some(points), some(candidates)
    rows = [np.flatnonzero(np.abs(demand - s).sum(axis=1) <= 1200).astype(np.int32) for s in sites]
    indptr = np.concatenate(([0], np.cumsum([len(r) for r in rows]))).astype(np.int64)
    cover = TravelMatrix(indptr, np.concatenate(rows), np.zeros(indptr[-1]), (candidates, points))
    return rng.integers(1, 201, points).astype(float), cover


@st.composite
def instances(draw):
    m, n = draw(st.integers(1, 8)), draw(st.integers(1, 14))
    table = np.array(draw(st.lists(st.booleans(), min_size=m * n, max_size=m * n))).reshape(m, n)
    weight = st.integers(0, 20).map(float) | st.floats(0, 1000, allow_subnormal=False)
    weights = np.array(draw(st.lists(weight, min_size=n, max_size=n)))
    already = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    return weights, table, already, draw(st.integers(0, m + 2))


@settings(max_examples=150, deadline=None)
@given(instances())
def test_agrees_with_brute_force(instance):
    weights, table, already, add = instance
    left = np.where(already, 0.0, weights)
    plan = maximal_cover(weights, sparse_cover(table), add=add, already=already)
    best = best_of_all(left, table, add)
    assert plan.status == "optimal"
    assert plan.gap == 0
    assert plan.objective == pytest.approx(best, rel=1e-9, abs=1e-9)
    covered = table[list(plan.chosen)].any(axis=0) if plan.chosen else np.zeros(len(weights), dtype=bool)
    assert left[covered].sum() == pytest.approx(plan.objective)
    assert sum(plan.marginal) == pytest.approx(plan.objective)
    assert list(plan.marginal) == sorted(plan.marginal, reverse=True)
    assert all(gain > 0 for gain in plan.marginal)
    assert len(plan.chosen) <= add
    assert plan.covered_after == pytest.approx(plan.covered_before + plan.objective)


def test_next_to_no_weight_is_no_weight():
    table = np.array([[True, False], [False, True]])
    plan = maximal_cover(np.array([0.0, 2.3e-308]), sparse_cover(table), add=1)
    assert plan.objective == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=80, deadline=None)
@given(instances(), st.data())
def test_must_and_forbidden(instance, data):
    weights, table, already, add = instance
    order = data.draw(st.permutations(range(len(table))))
    must = order[: data.draw(st.integers(0, min(add, len(table))))]
    forbidden = order[len(must) :][: data.draw(st.integers(0, len(table)))]
    left = np.where(already, 0.0, weights)
    plan = maximal_cover(
        weights, sparse_cover(table), add=add, already=already, must=must, forbidden=forbidden
    )
    free = [j for j in range(len(table)) if j not in must and j not in forbidden]
    best = max(
        left[table[[*must, *c]].any(axis=0)].sum() if must or c else 0.0
        for c in combinations(free, min(add - len(must), len(free)))
    )
    assert plan.objective == pytest.approx(best, rel=1e-9, abs=1e-9)
    assert set(must) <= set(plan.chosen)
    assert not set(forbidden) & set(plan.chosen)
    assert len(plan.chosen) == len(plan.marginal) <= add


@settings(max_examples=80, deadline=None)
@given(instances())
def test_bounds_hold_and_the_presolve_loses_nothing(instance):
    weights, table, _, add = instance
    small = problem(Sets.of(sparse_cover(table)), weights, np.arange(len(table)), add=add)
    dense = small.covers.table().toarray() > 0
    best = best_of_all(weights, table, add)
    assert best_of_all(small.weight, dense, add) == pytest.approx(best, rel=1e-9, abs=1e-9)
    if 0 < add < len(small.candidate):
        for u in (np.zeros(len(small.weight)), small.weight, small.weight / 3):
            assert at(small, u).value >= best * (1 - 1e-12)


@settings(max_examples=60, deadline=None)
@given(instances())
def test_more_sites_never_cover_less(instance):
    weights, table, already, _ = instance
    cover = sparse_cover(table)
    best = [maximal_cover(weights, cover, add=k, already=already).objective for k in range(len(table) + 1)]
    curve = greedy_curve(weights, cover, up_to=len(table), already=already)
    assert (np.diff(best) >= -1e-9 * max(best[-1], 1)).all()
    assert (np.diff(curve) >= 0).all()
    assert (curve <= np.array(best[1:]) * (1 + 1e-9) + 1e-9).all()
    assert (curve >= (1 - 1 / np.e) * np.array(best[1:]) - 1e-9).all()


def test_san_francisco_as_published(shared_data):
    folder = shared_data / "san-francisco"
    published = json.loads((shared_data / "expected" / "san_francisco_spopt.json").read_text("utf-8"))
    demand, sites = pd.read_csv(folder / "demand.csv"), pd.read_csv(folder / "candidates.csv")
    metres = pd.read_csv(folder / "distances.csv").pivot_table(
        index="name", columns="DestinationName", values="distance"
    )
    metres = metres.reindex(index=sites["NAME"], columns=demand["NAME"])
    cover = sparse_cover(metres.to_numpy() <= published["service_radius_m"])
    plan = maximal_cover(demand["POP2000"].to_numpy(dtype=float), cover, add=published["p"])
    assert plan.objective == plan.bound == published["MCLP_covered_pop"] == 875_247
    assert plan.total == published["total_pop"]
    assert sorted(sites["NAME"][list(plan.chosen)]) == published["MCLP_sites"]
    assert plan.status == "optimal"


def test_ten_thousand_points_by_a_thousand_candidates_is_proven():
    weights, cover = clustered(10_000, 1000)
    plan = maximal_cover(weights, cover, add=20)
    assert plan.status == "optimal"
    assert plan.objective == plan.bound >= greedy_curve(weights, cover, up_to=20)[-1]
    again = maximal_cover(weights, cover, add=20)
    assert (again.chosen, again.marginal) == (plan.chosen, plan.marginal)


def test_a_time_limit_is_said_with_both_numbers():
    weights, cover = clustered(3000, 400)
    plan = maximal_cover(weights, cover, add=40, time_limit_s=1e-6)
    best = maximal_cover(weights, cover, add=40)
    assert plan.status == "time_limit"
    assert plan.objective <= best.objective <= plan.bound
    assert plan.gap == pytest.approx((plan.bound - plan.objective) / plan.bound)
    assert plan.gap > 0


def test_equal_candidates_the_first_is_taken():
    plan = maximal_cover(np.ones(3), sparse_cover([[0, 1, 1], [0, 1, 1], [1, 0, 0], [1, 0, 0]]), add=2)
    assert plan.chosen == (0, 2)


@pytest.mark.parametrize(
    ("table", "already"),
    [
        (np.zeros((0, 4)), [0] * 4),
        (np.zeros((3, 4)), [0] * 4),
        (np.ones((3, 4)), [1] * 4),
        (np.ones((3, 0)), []),
    ],
)
def test_nothing_to_gain(table, already):
    weights = np.ones(table.shape[1])
    plan = maximal_cover(weights, sparse_cover(table), add=2, already=np.array(already, dtype=bool))
    assert (plan.chosen, plan.objective, plan.bound, plan.gap, plan.status) == ((), 0.0, 0.0, 0.0, "optimal")
    assert greedy_curve(
        weights, sparse_cover(table), up_to=2, already=np.array(already, dtype=bool)
    ).tolist() == [0, 0]


def test_add_nothing_and_add_more_than_useful():
    table = [[1, 0, 0], [0, 1, 1], [0, 0, 1]]
    assert maximal_cover(np.ones(3), sparse_cover(table), add=0).chosen == ()
    assert maximal_cover(np.ones(3), sparse_cover(table), add=9).chosen == (1, 0)


def test_all_defects_are_told_at_once():
    with pytest.raises(InputError) as caught:
        maximal_cover(
            np.array([1.0, -1.0]),
            sparse_cover(np.ones((2, 3))),
            add=1,
            must=[0, 1],
            forbidden=[1, 7],
            time_limit_s=0,
        )
    assert len(caught.value.defects) == 7
