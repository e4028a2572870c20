"""What is asked of siting: the goal, what may be opened or closed, and the rules of a plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from geo.errors import Defect, InputError
from geo.models import F64, Bool, TravelMatrix

Goal = Literal["cover", "share", "minutes", "worst", "backup"]
Status = Literal["optimal", "time_limit", "infeasible"]


@dataclass(frozen=True, slots=True)
class Group:
    """At most ``most`` of ``sites`` stand in a plan; where more stand already, none is added.

    ``against``: each of these that stands makes room for one of ``sites`` more; what stands already
    then gives no right.
    """

    sites: tuple[int, ...]
    most: int = 1
    name: str = ""
    against: tuple[int, ...] = ()

    def kept(self, standing: Bool, stands: Bool) -> bool:
        """Whether a plan keeps to it where ``stands`` stands already."""
        if self.against:
            return (
                int(standing[list(self.sites)].sum()) - int(standing[list(self.against)].sum()) <= self.most
            )
        return int(standing[list(self.sites)].sum()) <= max(self.most, int(stands[list(self.sites)].sum()))


@dataclass(frozen=True, slots=True)
class Floor:
    """``share`` of the weight of ``points`` is reached at least, within ``within_s`` (``None``: any time given)."""

    points: tuple[int, ...]
    share: float
    name: str = ""
    within_s: float | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What a plan must keep to.

    ``must``: opened, or kept open; ``forbidden``: not opened; ``apart``: pairs of sites of which one
    at most stands, two that both stand already are let be; ``capacity``: weight that each site can serve (``inf``: any), and every
    point is then assigned, in parts if need be.
    """

    must: tuple[int, ...] = ()
    forbidden: tuple[int, ...] = ()
    groups: tuple[Group, ...] = ()
    apart: tuple[tuple[int, int], ...] = ()
    floors: tuple[Floor, ...] = ()
    capacity: F64 | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A siting question over ``weights`` (one a point) and ``times`` (sites x points, seconds where in reach).

    ``goal``: *cover* reaches the most weight; *share* opens the fewest (the cheapest, with ``costs``)
    that reach ``share`` of all weight, 1.0 being all that any site reaches; *minutes* has the least
    weighted seconds, a point out of reach counting ``beyond_s``; *worst* has the least longest time,
    then the least weight at it, then the fewest seconds; *backup* adds ``backup`` times the weight
    reached by two.

    ``existing`` sites stand. ``add``: new sites at most (``None``: any number); ``close``: existing
    sites that close, exactly; ``move``: existing sites that may close, each for one new site more;
    ``budget`` limits the sum of ``costs`` of new sites. ``names`` of sites are for words only.
    """

    weights: F64
    times: TravelMatrix
    goal: Goal = "cover"
    existing: Bool | None = None
    add: int | None = None
    close: int = 0
    move: int = 0
    share: float = 1.0
    backup: float = 1.0
    beyond_s: float = 3600.0
    costs: F64 | None = None
    budget: float | None = None
    rules: Rules = field(default_factory=Rules)
    names: tuple[str, ...] = ()

    def stands(self) -> Bool:
        """Which sites stand already."""
        return np.zeros(self.times.shape[0], dtype=np.bool_) if self.existing is None else self.existing

    def name(self, site: int) -> str:
        """What a site is called in words."""
        return self.names[site] if self.names else f"#{site}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan, and how good it is proven to be.

    ``opened`` and ``closed``: sites, ascending; ``objective``: weight reached in all (*cover*,
    *backup*: with the second reach), cost of new sites (*share*), weighted seconds (*minutes*),
    seconds (*worst*); ``bound``: no plan that keeps to the rules is better; ``gap``: their difference as
    a share of the larger; ``status`` *optimal* where it is 0, *time_limit*, or *infeasible* with the
    smallest set of rules that cannot all be kept in ``conflict`` (Chinese / English). ``before``,
    ``after`` and ``total``: weight reached without and with the plan, and all; ``unreachable``: weight
    that no site reaches. ``loads``: weight assigned to each site, where capacity is a rule. ``settled``: all plans as
    good were compared, and this is the one that the rule for ties names (:func:`geo.siting.ties.settled`).
    """

    goal: Goal
    opened: tuple[int, ...]
    closed: tuple[int, ...]
    objective: float
    bound: float
    gap: float
    status: Status
    seconds: float
    before: float
    after: float
    total: float
    unreachable: float
    conflict: tuple[str, ...] = ()
    loads: tuple[float, ...] = ()
    settled: bool = False


def check(task: Task, *, time_limit_s: float) -> None:
    """Raise :class:`geo.errors.InputError` with everything in ``task`` that cannot be meant."""
    sites, points = task.times.shape
    rules, stands = task.rules, task.stands()
    named = [*rules.must, *rules.forbidden, *(j for g in rules.groups for j in (*g.sites, *g.against))]
    named += [j for pair in rules.apart for j in pair]
    wanted = [i for floor in rules.floors for i in floor.points]
    capacity, costs = rules.capacity, task.costs
    both = sorted(set(rules.must) & set(rules.forbidden) & set(range(sites)))
    standing = int(stands.sum())
    defects = {
        f"权重 {task.weights.shape} 与矩阵 {task.times.shape} 不符 / weights {task.weights.shape} do not fit {task.times.shape}": (
            task.weights.shape != (points,)
        ),
        "权重须为有限的非负数 / weights must be finite and not negative": not bool(
            np.all(np.isfinite(task.weights) & (task.weights >= 0))
        ),
        "现有站点与矩阵不符 / existing must have one value a site": stands.shape != (sites,),
        f"名称须为 {sites} 个 / names: expected {sites}": bool(task.names) and len(task.names) != sites,
        f"站点编号须为 0 至 {sites - 1} / sites must be rows of the matrix": any(
            not 0 <= j < sites for j in named
        ),
        f"需求点编号须为 0 至 {points - 1} / points must be columns of the matrix": any(
            not 0 <= i < points for i in wanted
        ),
        f"同一处既必选又禁选 / both must and forbidden: {'、'.join(map(task.name, both))}": bool(both),
        f"add 须 ≥ 0 / add must be 0 or more; found {task.add}": task.add is not None and task.add < 0,
        f"close、move 须为 0 至 {standing}，且不可同用 / close and move must be 0 to {standing}, not both; found {task.close} {task.move}": (
            not 0 <= task.close <= standing
            or not 0 <= task.move <= standing
            or bool(task.close and task.move)
        ),
        f"share 须在 0 与 1 之间 / share must be from 0 to 1; found {task.share}": not 0 <= task.share <= 1,
        "下限须在 0 与 1 之间 / floors must be from 0 to 1": any(not 0 <= f.share <= 1 for f in rules.floors),
        "backup 须 ≥ 0 / backup must be 0 or more": not task.backup >= 0,
        "beyond_s 须 ≥ 各时间 / beyond_s must be at least every time": (
            task.goal == "minutes" and bool(np.any(task.times.seconds > task.beyond_s))
        ),
        "费用须为每处一个非负数 / costs must be one number of 0 or more a site": costs is not None
        and (costs.shape != (sites,) or not bool(np.all(costs >= 0))),
        "有 budget 须有 costs / budget needs costs": task.budget is not None and costs is None,
        "容量须为每处一个非负数 / capacity must be one number of 0 or more a site": capacity is not None
        and (capacity.shape != (sites,) or not bool(np.all(capacity >= 0))),
        f"time_limit_s 须 > 0 / time_limit_s must be above 0; found {time_limit_s}": not time_limit_s > 0,
    }
    if any(defects.values()):
        raise InputError([Defect(message) for message, broken in defects.items() if broken])
