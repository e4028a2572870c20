"""The covering model in HiGHS, passed as arrays: branch and cut for the proof."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import highspy
import numpy as np
from scipy import sparse

from geo.errors import RunError
from geo.models import I64
from geo.siting.highs import adds_up
from geo.siting.highs import solver as quiet_solver
from geo.siting.problem import Problem
from geo.siting.search import covered_weight


@dataclass(frozen=True, slots=True)
class Solved:
    """``plan`` as candidate positions; ``bound``: no plan covers more; ``finished``: proven optimal."""

    plan: I64
    bound: float
    finished: bool


def mip(of: Problem, plan: I64, *, seconds: float, gap: float) -> Solved:
    """The exact optimum by branch and cut, started from ``plan``, to within ``gap``.

    Raises :class:`geo.errors.RunError` where HiGHS fails.
    """
    until = perf_counter() + seconds
    solved = _solved(of, plan, seconds=seconds, gap=gap)
    if not _proven(of, solved, gap=gap):
        solved = _solved(of, None, seconds=until - perf_counter(), gap=gap)
    return solved if _proven(of, solved, gap=gap) else replace(solved, finished=False)


def _proven(of: Problem, solved: Solved, *, gap: float) -> bool:
    """Whether it is true where it is said."""
    return not solved.finished or adds_up(covered_weight(of, solved.plan), solved.bound, gap=gap)


def _solved(of: Problem, plan: I64 | None, *, seconds: float, gap: float) -> Solved:
    solver = quiet_solver(seconds, absolute_gap=gap)
    solver.passModel(_model(of))
    if plan is not None:
        opened = np.zeros(len(of.candidate))
        opened[plan] = 1.0
        start = np.concatenate((opened, np.minimum(of.covers.hits(plan), 1)))
        solver.setSolution(len(start), np.arange(len(start), dtype=np.int32), start)
    solver.run()
    status = solver.getModelStatus()
    finished = status == highspy.HighsModelStatus.kOptimal
    if not finished and status not in (
        highspy.HighsModelStatus.kTimeLimit,
        highspy.HighsModelStatus.kInterrupt,
        highspy.HighsModelStatus.kIterationLimit,
        highspy.HighsModelStatus.kSolutionLimit,
    ):
        raise RunError(f"选址求解器失败 / the siting solver failed: {solver.modelStatusToString(status)}")
    values = np.asarray(solver.getSolution().col_value, dtype=np.float64)[: len(of.candidate)]
    none = np.empty(0, dtype=np.int64) if plan is None else plan
    found = np.flatnonzero(values > 0.5) if len(values) else none
    bound = float(solver.getInfo().mip_dual_bound)
    return Solved(found[: of.add], bound if np.isfinite(bound) else float(of.weight.sum()), finished)


def _model(of: Problem) -> Any:
    sites, rows = len(of.candidate), len(of.weight)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = sites + rows, rows + 1
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = np.concatenate((np.zeros(sites), of.weight))
    model.col_lower_ = np.zeros(sites + rows)
    model.col_upper_ = np.ones(sites + rows)
    # Row i: x_i minus the open candidates that cover it is at most 0; the last row counts the sites.
    matrix = sparse.vstack(
        (
            sparse.hstack((-of.by_row.table(), sparse.eye_array(rows))),
            sparse.hstack((np.ones((1, sites)), sparse.csr_array((1, rows)))),
        ),
        format="csr",
    )
    model.row_lower_ = np.full(rows + 1, -highspy.kHighsInf)
    model.row_upper_ = np.append(np.zeros(rows), float(of.add))
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = matrix.indptr.astype(np.int32)
    model.a_matrix_.index_ = matrix.indices.astype(np.int32)
    model.a_matrix_.value_ = matrix.data
    kinds = (highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous)
    model.integrality_ = [kinds[0]] * sites + [kinds[1]] * rows
    return model
