"""Where next: maximal covering with the existing stations fixed, solved to a proven bound.

Knows weights and a sparse matrix, no geography. Church and ReVelle (1974): maximise the weight of
the rows covered by K columns; exact by HiGHS after a presolve that makes the model small.
"""

from __future__ import annotations

import time

import highspy
import numpy as np
from scipy.sparse import csr_array

from geo.models import F64, Bool, Plan, TravelMatrix


def maximal_cover(
    weights: F64,
    cover: TravelMatrix,
    *,
    add: int,
    already: Bool,
    time_limit_s: float = 60.0,
) -> Plan:
    """Choose at most ``add`` candidates (rows of ``cover``) that newly cover most weight.

    A stored entry of ``cover`` (candidates × demand) means within the limit, whatever its seconds.
    ``already`` marks demand that existing stations cover. Ties go to the lower candidate row;
    candidates that add nothing are not chosen. ``status`` is optimal only when proven.

    >>> m = TravelMatrix(np.array([0, 2, 3]), np.array([0, 1, 2], np.int32), np.zeros(3), (2, 3))
    >>> maximal_cover(np.array([1.0, 1.0, 5.0]), m, add=1, already=np.zeros(3, bool)).chosen
    (1,)
    """
    begin = time.perf_counter()
    before = float(weights[already].sum())
    total = float(weights.sum())
    rows, merged = merge_rows(weights, cover, already)
    chosen = _greedy(rows, merged, add)
    objective, bound, status = _value(rows, merged, chosen), float(merged.sum()), "optimal"
    useful = np.flatnonzero(rows.sum(axis=0) > 0)
    if len(useful) > add > 0 and len(merged):
        chosen = _swapped(rows, merged, chosen)
        objective = _value(rows, merged, chosen)
        if objective < bound:
            chosen, objective, bound, status = _exact(rows, merged, chosen, add, time_limit_s)
    else:
        bound = objective
    order, marginal = _ordered(rows, merged, chosen)
    gap = max(bound - objective, 0.0) / bound if bound > 0 else 0.0
    return Plan(
        chosen=tuple(order), marginal=tuple(marginal), objective=objective, bound=bound,
        gap=gap if gap > 1e-9 else 0.0, status="optimal" if status == "optimal" else "time_limit",
        seconds=time.perf_counter() - begin, covered_before=before, covered_after=before + objective, total=total,
    )  # fmt: skip


def merge_rows(weights: F64, cover: TravelMatrix, already: Bool) -> tuple[csr_array, F64]:
    """Uncovered demand that some candidate reaches, points with equal cover sets merged: matrix, weights."""
    by_demand = cover.transposed()
    groups: dict[bytes, int] = {}
    sets: list[np.ndarray] = []
    sums: list[float] = []
    for i in np.flatnonzero(~already & (weights > 0) & (np.diff(by_demand.indptr) > 0)):
        reach = by_demand.indices[by_demand.indptr[i] : by_demand.indptr[i + 1]]
        key = reach.tobytes()
        if key in groups:
            sums[groups[key]] += float(weights[i])
        else:
            groups[key] = len(sets)
            sets.append(reach)
            sums.append(float(weights[i]))
    indptr = np.concatenate(([0], np.cumsum([len(s) for s in sets]))).astype(np.int64)
    indices = np.concatenate(sets) if sets else np.zeros(0, dtype=np.int32)
    matrix = csr_array((np.ones(len(indices)), indices, indptr), shape=(len(sets), cover.shape[0]))
    return matrix, np.array(sums, dtype=np.float64)


def greedy_curve(weights: F64, cover: TravelMatrix, *, up_to: int, already: Bool) -> F64:
    """Weight newly covered by the first 1, 2, … ``up_to`` sites of the greedy order."""
    rows, merged = merge_rows(weights, cover, already)
    order, gains = _ordered(rows, merged, _greedy(rows, merged, up_to))
    del order
    curve: F64 = np.cumsum(gains)
    return curve


def _greedy(rows: csr_array, weights: F64, add: int) -> list[int]:
    columns = rows.T.tocsr()
    left = weights.copy()
    chosen: list[int] = []
    for _ in range(add):
        gain = columns @ left
        best = int(np.argmax(gain)) if len(gain) else -1
        if best < 0 or gain[best] <= 0:
            break
        chosen.append(best)
        left[columns.indices[columns.indptr[best] : columns.indptr[best + 1]]] = 0.0
    return chosen


def _value(rows: csr_array, weights: F64, chosen: list[int]) -> float:
    if not chosen or not len(weights):
        return 0.0
    picked = np.zeros(rows.shape[1])
    picked[chosen] = 1.0
    return float(weights[(rows @ picked) > 0].sum())


def _swapped(rows: csr_array, weights: F64, chosen: list[int]) -> list[int]:
    """Exchange one site for another as long as that covers more: a better start for the exact search."""
    columns = rows.T.tocsr()
    best = _value(rows, weights, chosen)
    improved = True
    while improved:
        improved = False
        for k in range(len(chosen)):
            rest = chosen[:k] + chosen[k + 1 :]
            picked = np.zeros(rows.shape[1])
            picked[rest] = 1.0
            open_weight = np.where((rows @ picked) > 0, 0.0, weights)
            gain = columns @ open_weight
            other = int(np.argmax(gain))
            value = float(weights.sum() - open_weight.sum() + gain[other])
            if value > best * (1 + 1e-12) and other not in rest:
                chosen, best, improved = [*rest, other], value, True
    return chosen


def _exact(
    rows: csr_array, weights: F64, start: list[int], add: int, time_limit_s: float
) -> tuple[list[int], float, float, str]:
    n, m = rows.shape
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = m + n, n + 1
    # x_i - sum of y_j over its candidates <= 0, and sum of y_j <= K
    lp.col_cost_ = np.concatenate((np.zeros(m), weights))
    lp.col_lower_, lp.col_upper_ = np.zeros(m + n), np.ones(m + n)
    lp.row_lower_ = np.full(n + 1, -highspy.kHighsInf)
    lp.row_upper_ = np.concatenate((np.zeros(n), [float(add)]))
    lp.sense_ = highspy.ObjSense.kMaximize
    counts = np.diff(rows.indptr)
    start_row = np.concatenate(([0], np.cumsum(counts + 1), [rows.nnz + n + m]))
    index = np.concatenate((np.insert(rows.indices, rows.indptr[1:], m + np.arange(n)), np.arange(m)))
    value = np.concatenate((np.insert(-np.ones(rows.nnz), rows.indptr[1:], 1.0), np.ones(m)))
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = start_row, index, value
    kinds = highspy.HighsVarType
    lp.integrality_ = [kinds.kInteger] * m + [kinds.kContinuous] * n
    solver = highspy.Highs()
    for name, option in (("output_flag", False), ("mip_rel_gap", 0.0), ("time_limit", float(time_limit_s)), ("random_seed", 1), ("threads", 1)):
        solver.setOptionValue(name, option)
    solver.passModel(lp)
    solution = highspy.HighsSolution()
    picked = np.zeros(m)
    picked[start] = 1.0
    solution.col_value = list(np.concatenate((picked, (rows @ picked > 0).astype(float))))
    solver.setSolution(solution)
    solver.run()
    info = solver.getInfo()
    found = np.flatnonzero(np.array(solver.getSolution().col_value[:m]) > 0.5).tolist() or start
    if _value(rows, weights, found) < _value(rows, weights, start):
        found = start
    objective = _value(rows, weights, found)
    proven = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    bound = objective if proven else max(objective, float(info.mip_dual_bound))
    return found, objective, bound, "optimal" if proven else "time_limit"


def _ordered(rows: csr_array, weights: F64, chosen: list[int]) -> tuple[list[int], list[float]]:
    """The chosen sites by marginal gain, each counted after those before it; useless ones left out."""
    columns = rows.T.tocsr()
    left, order, gains = weights.copy(), [], []
    remaining = sorted(chosen)
    while remaining:
        gain = [float(left[columns.indices[columns.indptr[j] : columns.indptr[j + 1]]].sum()) for j in remaining]
        best = int(np.argmax(gain))
        if gain[best] <= 0:
            break
        site = remaining.pop(best)
        order.append(site)
        gains.append(gain[best])
        left[columns.indices[columns.indptr[site] : columns.indptr[site + 1]]] = 0.0
    return order, gains
