"""A siting task with its rules as one mixed-integer model, passed to HiGHS as arrays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from time import perf_counter

import highspy
import numpy as np
from scipy import sparse

from geo.errors import RunError
from geo.models import F64, I64, Bool
from geo.siting.cells import best_seconds, by_time, matrix, only, within
from geo.siting.highs import adds_up
from geo.siting.highs import solver as quiet_solver
from geo.siting.problem import merge_rows
from geo.siting.sets import Sets
from geo.siting.task import Floor, Task

SCALED_TOTAL = 1e6  # objectives are scaled to this sum: HiGHS' tolerances are absolute
LEAST_TOTAL = 1e-200  # less is nothing, and its scale would be infinite
GAP_SHARE = 1e-9  # of the scaled sum: fractional plans closer than this are equal
LEAST_GAP = 1e-6  # scaled: nearer than this, a solver's bound and its plan are the same
SLACK = 1e-9  # of a sum of weights: what adding in another order may change


@dataclass(slots=True)
class Rows:
    """Columns and rows of a model as they are gathered."""

    width: int = 0
    height: int = 0
    cost: list[F64] = field(default_factory=list)
    upper: list[F64] = field(default_factory=list)
    lower: list[F64] = field(default_factory=list)
    whole: list[Bool] = field(default_factory=list)
    entries: list[tuple[I64, I64, F64]] = field(default_factory=list)
    row_lower: list[F64] = field(default_factory=list)
    row_upper: list[F64] = field(default_factory=list)

    def columns(
        self, cost: F64, *, upper: F64 | None = None, lower: F64 | None = None, whole: bool = False
    ) -> I64:
        """Add columns; gives their numbers."""
        count = len(cost)
        self.cost.append(cost)
        self.upper.append(np.ones(count) if upper is None else upper)
        self.lower.append(np.zeros(count) if lower is None else lower)
        self.whole.append(np.full(count, whole))
        self.width += count
        return np.arange(self.width - count, self.width)

    def rows(self, parts: list[tuple[I64, sparse.csr_array]], *, least: F64 | None, most: F64 | None) -> None:
        """Add rows: each part is the columns' numbers and a matrix of rows x those columns."""
        count = parts[0][1].shape[0]
        for columns, values in parts:
            pairs = sparse.coo_array(values)
            self.entries.append(
                (pairs.row.astype(np.int64) + self.height, columns[pairs.col], pairs.data.astype(np.float64))
            )
        self.row_lower.append(np.full(count, -np.inf) if least is None else least)
        self.row_upper.append(np.full(count, np.inf) if most is None else most)
        self.height += count

    def row(self, columns: I64, values: F64, *, least: float = -np.inf, most: float = np.inf) -> None:
        """Add one row."""
        self.rows(
            [(columns, sparse.csr_array(values.reshape(1, -1)))],
            least=np.array([least]),
            most=np.array([most]),
        )


@dataclass(frozen=True, slots=True)
class Model:
    """``maximise constant + cost @ columns``; the first columns are the sites, 1 where one stands.

    ``flow``: columns of assigned weight, their sites, where capacity is a rule. ``margin``: a plan that
    is better is better by this at least. ``seconds``: what each column saves of the weighted seconds to the nearest
    standing site, and those seconds of what stands for good; where asked for.
    """

    rows: Rows
    constant: float
    sites: int
    margin: float
    scale: float
    impossible: bool = False
    flow: tuple[I64, I64] | None = None
    seconds: tuple[F64, float] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """``standing``: which sites stand (``None``: no plan found); ``value`` and ``bound`` of the maximised sum.

    ``ties``: the question with sites opened and refused that are so in every plan as good; ``None``: the task itself.
    ``tied_value``: its value, where that is not ``value``.
    """

    standing: Bool | None
    value: float
    bound: float
    status: str
    loads: F64 | None = None
    ties: Task | None = None
    tied_value: float | None = None


def new_costs(task: Task) -> F64:
    """The cost of each site if it is new: 1 where no costs are given, 0 for those that stand."""
    costs = np.ones(task.times.shape[0]) if task.costs is None else task.costs
    return np.where(task.stands(), 0.0, costs)


def build(task: Task, *, reach_s: float | None = None, seconds: bool = False) -> Model:
    """The model of ``task``; *worst* is not one model but several, made in :mod:`geo.siting.solve`.

    ``reach_s``: only what is reached within it counts for *cover*; floors keep their own limits.
    ``seconds``: with the weighted seconds beside the goal (:attr:`Model.seconds`).
    """
    stands, rules = task.stands(), task.rules
    count = len(stands)
    lower, upper = np.zeros(count), np.ones(count)
    if not task.close and not task.move:
        lower[stands] = 1.0
    lower[list(rules.must)] = 1.0
    shut = [j for j in rules.forbidden if not stands[j]]
    upper[shut] = 0.0
    rows = Rows()
    y = rows.columns(
        -new_costs(task) if task.goal == "share" else np.zeros(count),
        lower=lower,
        upper=np.maximum(lower, upper),
        whole=True,
    )
    _counts(rows, task, y)
    for group in rules.groups:
        columns = y[[*group.sites, *group.against]]
        signs = np.repeat((1.0, -1.0), (len(group.sites), len(group.against)))
        already = int(stands[list(group.sites)].sum())  # what stands may stand, but nothing joins it
        rows.row(columns, signs, most=float(group.most if group.against else max(group.most, already)))
    pairs = [p for p in rules.apart if not (stands[p[0]] and stands[p[1]])]
    for a, b in pairs:
        rows.row(np.array([a, b]), np.ones(2), most=1.0)
    fixed, free = np.flatnonzero(lower > 0), np.flatnonzero((lower == 0) & (upper > 0))
    reaches = _Reaches(rows, task, y, fixed, free)
    impossible = any(not reaches.floor(floor) for floor in rules.floors)
    constant = 0.0
    if task.goal == "share":
        impossible |= not reaches.floor(_all_points(task))
    elif task.goal == "minutes":
        constant = reaches.minutes()
    elif task.goal in {"cover", "backup"}:
        if reach_s is not None:
            reaches.covers = matrix(within(task.times, reach_s))
        constant = reaches.cover(second=task.backup if task.goal == "backup" else 0.0)
    saved = None
    if seconds:
        columns, mass, standing_s = reaches.seconds(counts=False)
        saved = (np.zeros(rows.width), standing_s)
        saved[0][columns] = mass
    margin, scale = _steps(np.concatenate(rows.cost), whole=rules.capacity is None)
    return Model(rows, constant, count, margin, scale, impossible, reaches.flow, saved)


def _steps(cost: F64, *, whole: bool) -> tuple[float, float]:
    """By how much a better plan is better at least, and the factor that makes the costs fit the solver's tolerances."""
    integral = whole and bool(np.all(cost == np.floor(cost)))
    total = float(np.abs(cost).sum())
    scale = 1.0 if integral or total < LEAST_TOTAL else SCALED_TOTAL / total
    return (1.0 - 1e-6 if integral else max(GAP_SHARE * total, 1e-9)), scale


def other(model: Model, cost: F64) -> Model:
    """The same plans with ``cost`` to be maximised; rows may be added to it without touching ``model``."""
    kept = model.rows
    rows = Rows(
        kept.width, kept.height, [cost], list(kept.upper), list(kept.lower), list(kept.whole), list(kept.entries),
        list(kept.row_lower), list(kept.row_upper),
    )  # fmt: skip
    margin, scale = _steps(cost, whole=model.flow is None)
    return replace(model, rows=rows, constant=0.0, margin=margin, scale=scale)


def _all_points(task: Task) -> Floor:
    return Floor(tuple(range(task.times.shape[1])), task.share, "share")


def _counts(rows: Rows, task: Task, y: I64) -> None:
    stands = task.stands()
    new, old = np.where(stands, 0.0, 1.0), np.where(stands, 1.0, 0.0)
    standing = float(old.sum())
    if task.add is not None:
        most = task.add + (standing if task.move else 0.0)
        rows.row(y, new + old if task.move else new, most=most)
    if task.close:
        rows.row(y, old, least=standing - task.close, most=standing - task.close)
    if task.move:
        rows.row(y, old, least=standing - task.move)
    if task.budget is not None:
        rows.row(y, new_costs(task), most=task.budget)


class _Reaches:
    """Adds what is reached, by whom, to a model; with capacity through assignments."""

    def __init__(self, rows: Rows, task: Task, y: I64, fixed: I64, free: I64) -> None:
        self.rows, self.task, self.y, self.fixed, self.free = rows, task, y, fixed, free
        self.flow: tuple[I64, I64] | None = None
        self.covers = matrix(task.times)
        self.assigned: tuple[I64, I64, F64] | None = None
        if task.rules.capacity is not None:
            self._assign(task.rules.capacity)

    def _assign(self, capacity: F64) -> None:
        """Weight that goes from a point (``point``) to a site: one column a pair."""
        times, weights = self.task.times, self.task.weights
        site = np.repeat(np.arange(times.shape[0]), np.diff(times.indptr))
        keep = weights[times.indices] > 0
        site, point, seconds = site[keep], times.indices[keep].astype(np.int64), times.seconds[keep]
        worth = np.zeros(len(site))
        if self.task.goal == "minutes":
            worth = self.task.beyond_s - seconds
        elif self.task.goal in {"cover", "backup"}:
            worth = np.ones(len(site))
        f = self.rows.columns(worth, upper=weights[point])
        self.assigned, self.flow = (f, point, seconds), (f, site)
        pairs = np.arange(len(f))
        ones = np.ones(len(f))
        self.rows.rows(
            [
                (f, sparse.csr_array((ones, (pairs, pairs)), shape=(len(f), len(f)))),
                (self.y, sparse.csr_array((-weights[point], (pairs, site)), shape=(len(f), len(self.y)))),
            ],
            least=None,
            most=np.zeros(len(f)),
        )
        self.rows.rows(
            [(f, sparse.csr_array((ones, (point, pairs)), shape=(len(weights), len(f))))],
            least=None,
            most=weights.copy(),
        )
        limited = np.flatnonzero(np.isfinite(capacity))
        if len(limited):
            to = sparse.csr_array((ones, (site, pairs)), shape=(len(self.y), len(f)))[limited]
            room = sparse.csr_array(
                (-capacity[limited], (np.arange(len(limited)), limited)), shape=(len(limited), len(self.y))
            )
            self.rows.rows([(f, to), (self.y, room)], least=None, most=np.zeros(len(limited)))

    def floor(self, floor: Floor) -> bool:
        """Ask for a share of some points; ``False`` where no plan at all can give it."""
        weights = self.task.weights
        points = np.unique(np.asarray(floor.points, dtype=np.int64))
        points = points[weights[points] > 0]
        total = float(weights[points].sum())
        covers = self.covers
        if floor.within_s is not None:
            covers = matrix(within(self.task.times, floor.within_s))
        columns = sparse.csr_array(covers[:, points])
        someone = columns[np.concatenate((self.fixed, self.free))].sum(axis=0) > 0
        reachable = float(weights[points][someone].sum())
        whole = floor.share >= 1.0 and floor.name == "share"
        need = reachable if whole else floor.share * total
        if reachable < need - SLACK * total:
            return False
        if self.assigned is not None:
            f, point, seconds = self.assigned
            inside = np.isin(point, points)
            if floor.within_s is not None:
                inside &= seconds <= floor.within_s
            chosen = f[inside]
            if need > 0:
                self.rows.row(chosen, np.ones(len(chosen)), least=need - SLACK * total)
            return True
        base = columns[self.fixed].sum(axis=0) > 0
        need -= float(weights[points][base].sum())
        if need <= SLACK * total:
            return True
        left = np.where(base, 0.0, weights[points])
        cells, mass = merge_rows(Sets.of(sparse.csr_array(columns[self.free])), left)
        if need >= mass.sum() - SLACK * total:  # all of them: each is reached by somebody
            self.rows.rows([(self.y[self.free], cells.turned().table())], least=np.ones(len(mass)), most=None)
            return True
        x = self._reached(cells, np.zeros(len(mass)))
        self.rows.row(x, mass, least=need - SLACK * total)
        return True

    def cover(self, *, second: float) -> float:
        """Weight reached, and ``second`` times the weight that two reach; gives what is so already."""
        weights, rows = self.task.weights, self.rows
        if self.assigned is not None:
            f, point, _ = self.assigned
            if second > 0:
                self._assigned_twice(f, point, second)
            return 0.0
        times = self.covers[self.fixed].sum(axis=0)
        free = Sets.of(sparse.csr_array(self.covers[self.free]))
        constant = float(weights[times > 0].sum() + second * weights[times > 1].sum())
        if second > 0:
            cells, mass = merge_rows(free, np.where(times == 1, weights, 0.0))
            self._reached(cells, second * mass)
        cells, mass = merge_rows(free, np.where(times == 0, weights, 0.0))
        x = self._reached(cells, mass)
        if second > 0:
            u = rows.columns(second * mass)
            eye = sparse.csr_array(sparse.eye_array(len(u)))
            by = -cells.turned().table()
            rows.rows([(x, eye), (u, eye), (self.y[self.free], by)], least=None, most=np.zeros(len(u)))
            rows.rows([(u, eye), (x, -eye)], least=None, most=np.zeros(len(u)))
        return constant

    def _assigned_twice(self, f: I64, point: I64, second: float) -> None:
        """The served weight of points that two standing sites reach counts ``second`` more."""
        weights, rows = self.task.weights, self.rows
        some = np.flatnonzero(weights > 0)
        u = rows.columns(second * weights[some])
        two = rows.columns(np.zeros(len(some)), whole=True)
        eye = sparse.csr_array(sparse.eye_array(len(some)))
        pairs = np.arange(len(f))
        served = sparse.csr_array((1.0 / weights[point], (point, pairs)), shape=(len(weights), len(f)))[some]
        by = sparse.csr_array(self.covers.T)[some]
        zero = np.zeros(len(some))
        rows.rows([(u, eye), (two, -eye)], least=None, most=zero)
        rows.rows([(u, eye), (f, -served)], least=None, most=zero)
        rows.rows([(two, 2.0 * eye), (self.y, -by)], least=None, most=zero)

    def minutes(self) -> float:
        """Minus the weighted seconds, as cells or assignments; gives it for what stands for good."""
        task = self.task
        worst = float(task.weights.sum()) * task.beyond_s
        if self.assigned is not None:
            return -worst
        return -self.seconds(counts=True)[2]

    def seconds(self, *, counts: bool) -> tuple[I64, F64, float]:
        """Add cells of seconds saved to the nearest standing site: columns, the worth of each, the seconds without them."""
        task = self.task
        best = best_seconds(task.times, self.fixed, beyond_s=task.beyond_s)
        free = only(task.times, self.free)
        worth, covers = by_time(task.weights, free, best)
        cells, mass = merge_rows(Sets.of(covers), worth)
        x = self._reached(cells, mass if counts else np.zeros(len(mass)))
        return x, mass, float(task.weights @ best)

    def _reached(self, cells: Sets, worth: F64) -> I64:
        x = self.rows.columns(worth)
        eye = sparse.csr_array(sparse.eye_array(len(x)))
        self.rows.rows(
            [(x, eye), (self.y[self.free], -cells.turned().table())], least=None, most=np.zeros(len(x))
        )
        return x


def fixed(model: Model, standing: Bool) -> Model:
    """The model with nothing left to choose but who is assigned where."""
    left = other(model, np.concatenate(model.rows.cost))
    here = np.where(standing, 1.0, 0.0)
    left.rows.lower[0] = left.rows.upper[0] = here
    return left


def run(model: Model, *, seconds: float, start: Bool | None = None) -> Found:
    """The optimum by HiGHS on one thread, from ``start`` where that is a plan.

    Raises :class:`geo.errors.RunError` where HiGHS fails.
    """
    until = perf_counter() + seconds
    found = _run(model, seconds=seconds, start=start)
    if start is not None and not _proven(found, model):
        found = _run(model, seconds=until - perf_counter(), start=None)
    return found if _proven(found, model) else replace(found, status="time_limit")


def _proven(found: Found, model: Model) -> bool:
    """Whether it is true where it is said."""
    gap = max(model.margin, LEAST_GAP / model.scale)
    return found.status != "optimal" or found.standing is None or adds_up(found.value, found.bound, gap=gap)


def _run(model: Model, *, seconds: float, start: Bool | None) -> Found:
    if model.impossible:
        return Found(None, -np.inf, -np.inf, "infeasible")
    rows = model.rows
    cost = np.concatenate(rows.cost)
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = rows.width, rows.height
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_ = cost * model.scale
    lp.col_lower_, lp.col_upper_ = np.concatenate(rows.lower), np.concatenate(rows.upper)
    if rows.height:
        row, column, value = (np.concatenate([e[i] for e in rows.entries]) for i in range(3))
        table = sparse.csr_array((value, (row, column)), shape=(rows.height, rows.width))
        lp.row_lower_, lp.row_upper_ = np.concatenate(rows.row_lower), np.concatenate(rows.row_upper)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = table.indptr.astype(np.int32)
        lp.a_matrix_.index_ = table.indices.astype(np.int32)
        lp.a_matrix_.value_ = table.data
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[int(w)] for w in np.concatenate(rows.whole)]
    solver = quiet_solver(seconds, absolute_gap=max(model.margin * model.scale, LEAST_GAP))
    solver.setOptionValue("mip_feasibility_tolerance", 1e-7)
    solver.setOptionValue("primal_feasibility_tolerance", 1e-8)
    solver.passModel(lp)
    if start is not None:
        solver.setSolution(len(start), np.arange(len(start), dtype=np.int32), start.astype(np.float64))
    solver.run()
    status = solver.getModelStatus()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return Found(None, -np.inf, -np.inf, "infeasible")
    if status not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kTimeLimit):
        raise RunError(f"选址求解器失败 / the siting solver failed: {solver.modelStatusToString(status)}")
    info = solver.getInfo()
    done = status == highspy.HighsModelStatus.kOptimal
    bound = float(info.mip_dual_bound) / model.scale + model.constant
    if not np.isfinite(bound):
        bound = float(np.maximum(cost, 0) @ np.concatenate(rows.upper)) + model.constant
    if int(info.primal_solution_status) != int(highspy.SolutionStatus.kSolutionStatusFeasible):
        return Found(None, -np.inf, bound, "time_limit")
    values = np.asarray(solver.getSolution().col_value, dtype=np.float64)
    reached = float(cost @ values) + model.constant
    loads: F64 | None = None
    if model.flow is not None:
        columns, site = model.flow
        loads = np.bincount(site, weights=values[columns], minlength=model.sites).astype(np.float64)
    return Found(values[: model.sites] > 0.5, reached, bound, "optimal" if done else "time_limit", loads)
