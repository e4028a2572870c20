"""Siting at size, beside spopt: the same instances, the same machine, the same run."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from scipy.spatial import KDTree

from geo.models import F64, TravelMatrix
from geo.siting import Task, alternatives, maximal_cover, solve, stages

REACH_M = 1200.0
# demand points, candidates, sites, seconds allowed, runs of which the quickest counts
SIZES = (
    (10_000, 1_000, 20, 60.0, 5), (100_000, 1_000, 20, 60.0, 5), (100_000, 1_000, 50, 15.0, 3),
    (100_000, 1_000, 50, 90.0, 3), (1_000_000, 10_000, 50, 60.0, 1), (1_000_000, 10_000, 50, 110.0, 1),
)  # fmt: skip
SEEDS = (0, 1)  # of the instances: what holds for one city alone is no result
STAGE_SIZES = ((10_000, 200, 20), (100_000, 1_000, 20))
PEER_SIZES = ((1_000, 100, 20), (1_000, 1_000, 20), (10_000, 1_000, 20))
CHILD = "import json, sys; from tests.benchmarks import siting; print(json.dumps(siting.{work}(*map(float, sys.argv[1:]))))"


def clustered(points: int, candidates: int, seed: int = 0) -> tuple[F64, TravelMatrix]:
    """Demand and candidates clustered in a 30 km city; a candidate covers 1.2 km of street-like distance."""
    rng = np.random.default_rng(seed)
    centre, spread = rng.uniform(0, 30_000, (60, 2)), rng.uniform(500, 3000, 60)

    def some(n: int) -> F64:
        of = rng.integers(0, 60, n)
        return centre[of] + rng.standard_normal((n, 2)) * spread[of][:, None]

    demand, sites = some(points), some(candidates)
    near = KDTree(demand).query_ball_point(sites, REACH_M, p=1, return_sorted=True)
    indptr = np.concatenate(([0], np.cumsum([len(n) for n in near]))).astype(np.int64)
    indices = np.concatenate([np.asarray(n, dtype=np.int32) for n in near])
    cover = TravelMatrix(indptr, indices, np.zeros(len(indices)), (candidates, points))
    return rng.integers(1, 201, points).astype(float), cover


def ours(
    points: float, candidates: float, add: float, seed: float, seconds: float, runs: float
) -> dict[str, float | str]:
    """One plan in this process: seconds (the least of some runs), proof and peak memory."""
    weights, cover = clustered(int(points), int(candidates), int(seed))
    maximal_cover(*clustered(200, 20), add=3)
    taken = float("inf")
    for _ in range(int(runs)):
        began = time.perf_counter()
        plan = maximal_cover(weights, cover, add=int(add), time_limit_s=seconds)
        taken = min(taken, time.perf_counter() - began)
    with Path("/proc/self/status").open(encoding="utf-8") as status:
        peak = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
    return {
        "seconds": taken, "objective": plan.objective, "bound": plan.bound, "gap": plan.gap,
        "status": plan.status, "peak_mb": peak,
    }  # fmt: skip


def in_stages(points: float, candidates: float, up_to: float, seed: float) -> dict[str, float]:
    """Nested plans of 1 to ``up_to`` sites with the optimum of each, then five other plans: seconds, and how many are proven."""
    weights, cover = clustered(int(points), int(candidates), int(seed))
    stages(Task(*clustered(200, 20)), up_to=3)
    task = Task(weights, cover, add=int(up_to))
    began = time.perf_counter()
    nested = stages(task, up_to=int(up_to), time_limit_s=600.0)
    staged = time.perf_counter()
    best = solve(task)
    solved = time.perf_counter()
    others = alternatives(task, best, count=5, time_limit_s=600.0)
    return {
        "stages_s": staged - began, "stages_proven": sum(nested.proven), "price": nested.best[-1] - nested.nested[-1],
        "alternatives_s": time.perf_counter() - solved, "alternatives_proven": sum(o.status == "optimal" for o in others),
        "worst": others[-1].objective if others else best.objective, "best": best.objective,
    }  # fmt: skip


def spopts(points: float, candidates: float, add: float, seed: float) -> dict[str, float]:
    """The same question to spopt, by its CBC and its HiGHS: seconds of model and solver, and the objectives."""
    import pulp
    from spopt.locate import MCLP

    weights, cover = clustered(int(points), int(candidates), int(seed))
    cost = np.ones((int(points), int(candidates)))
    for j in range(int(candidates)):
        cost[cover.indices[cover.indptr[j] : cover.indptr[j + 1]], j] = 0.0
    found = {}
    for name, solver in (("CBC", pulp.PULP_CBC_CMD(msg=False)), ("HiGHS", pulp.HiGHS(msg=False))):
        began = time.perf_counter()
        model = MCLP.from_cost_matrix(cost, weights, service_radius=0.5, p_facilities=int(add)).solve(solver)
        found[name] = time.perf_counter() - began
        found[f"{name}_objective"] = float(model.problem.objective.value())
    return found


def _child(work: str, *arguments: float) -> dict[str, float]:
    command = [sys.executable, "-c", CHILD.format(work=work), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure() -> list[str]:
    """The tables, as lines of Markdown; each size in a process of its own."""
    lines = [
        "Each size in a process of its own; making the instance is not timed. The quickest of several runs of ours, one",
        "run of spopt's.",
        "",
        "| demand x venues | seed | sites | status | objective | bound | gap | s | runs | peak MB |",
        "|---|--:|--:|---|--:|--:|--:|--:|--:|--:|",
    ]
    for points, candidates, add, seconds, runs in SIZES:
        for seed in SEEDS:
            f = _child("ours", points, candidates, add, seed, seconds, runs)
            lines.append(
                f"| {points:,} x {candidates:,} (limit {seconds:g} s) | {seed} | {add} | {f['status']} | {f['objective']:,.0f} "
                f"| {f['bound']:,.0f} | {100 * f['gap']:.3f} % | {f['seconds']:.2f} | {runs} | {f['peak_mb']:,.0f} |"
            )
    heads = [
        "",
        "Stages 1 to K with the optimum of each number, and five other plans within 1 % of the best with K:",
        "",
        "| demand x venues | seed | K | stages, s | proven | price of nesting at K | five others, s | proven | the fifth is short by |",
    ]
    lines += [*heads, "|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for points, candidates, up_to in STAGE_SIZES:
        for seed in SEEDS:
            f = _child("in_stages", points, candidates, up_to, seed)
            lines.append(
                f"| {points:,} x {candidates:,} | {seed} | {up_to} | {f['stages_s']:.2f} | {f['stages_proven']:.0f} "
                f"| {f['price']:,.0f} | {f['alternatives_s']:.2f} | {f['alternatives_proven']:.0f} | {f['best'] - f['worst']:,.0f} |"
            )
    heads = [
        "",
        "| demand x venues | seed | sites | Red Map, s | spopt CBC, s | spopt HiGHS, s | times faster | same objective |",
    ]
    lines += [*heads, "|---|--:|--:|--:|--:|--:|--:|---|"]
    for points, candidates, add in PEER_SIZES:
        for seed in SEEDS:
            mine = _child("ours", points, candidates, add, seed, 60.0, 5)
            peer = _child("spopts", points, candidates, add, seed)
            fastest = min(peer["CBC"], peer["HiGHS"])
            same = all(abs(mine["objective"] - peer[f"{k}_objective"]) < 0.5 for k in ("CBC", "HiGHS"))
            lines.append(
                f"| {points:,} x {candidates:,} | {seed} | {add} | {mine['seconds']:.3f} | {peer['CBC']:.1f} | {peer['HiGHS']:.1f} "
                f"| {fastest / mine['seconds']:,.0f} | {'yes' if same else 'no'} |"
            )
    return lines


if __name__ == "__main__":
    print("\n".join(measure()))
