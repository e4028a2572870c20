"""Siting: which candidates to open, with a proof of how good the plan is. Knows nothing of geography.

Every question is a :class:`Task` over weights, a sparse matrix of times and rules; :func:`solve` answers it
with a bound. Plain cover (Church & ReVelle 1974) and the p-median go through presolve, greedy and
swaps and Lagrangian bounds before HiGHS; the others are one mixed-integer model for HiGHS.
"""

from geo.siting.alternatives import alternatives
from geo.siting.cells import gradual, stacked, within
from geo.siting.explain import SiteWorth, explain, losses, planned
from geo.siting.highs import end_threads
from geo.siting.plan import CoverPlan, greedy_curve, maximal_cover
from geo.siting.solve import solve
from geo.siting.stages import Stages, stages
from geo.siting.task import Answer, Floor, Goal, Group, Rules, Task
from geo.siting.worth import reached_times, worth

__all__ = [
    "Answer", "CoverPlan", "Floor", "Goal", "Group", "Rules", "SiteWorth", "Stages", "Task", "alternatives", "end_threads", "explain", "gradual",
    "greedy_curve", "losses", "maximal_cover", "planned", "reached_times", "solve", "stacked", "stages", "within", "worth",
]  # fmt: skip
