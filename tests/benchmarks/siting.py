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
from geo.siting import maximal_cover

REACH_M = 1200.0
# demand points, candidates, sites, seconds allowed, runs of which the quickest counts
SIZES = (
    (10_000, 1_000, 20, 60.0, 5), (100_000, 1_000, 20, 60.0, 5), (100_000, 1_000, 50, 15.0, 3),
    (100_000, 1_000, 50, 90.0, 3), (1_000_000, 10_000, 50, 60.0, 1), (1_000_000, 10_000, 50, 110.0, 1),
)  # fmt: skip
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


def ours(points: float, candidates: float, add: float, seconds: float, runs: float) -> dict[str, float | str]:
    """One plan in this process: seconds (the least of some runs), proof and peak memory."""
    weights, cover = clustered(int(points), int(candidates))
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


def spopts(points: float, candidates: float, add: float) -> dict[str, float]:
    """The same question to spopt, by its CBC and its HiGHS: seconds of model and solver, and the objectives."""
    import pulp
    from spopt.locate import MCLP

    weights, cover = clustered(int(points), int(candidates))
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
        "| demand x venues | sites | status | objective | bound | gap | s | runs | peak MB |",
        "|---|--:|---|--:|--:|--:|--:|--:|--:|",
    ]
    for points, candidates, add, seconds, runs in SIZES:
        f = _child("ours", points, candidates, add, seconds, runs)
        lines.append(
            f"| {points:,} x {candidates:,} (limit {seconds:g} s) | {add} | {f['status']} | {f['objective']:,.0f} "
            f"| {f['bound']:,.0f} | {100 * f['gap']:.3f} % | {f['seconds']:.2f} | {runs} | {f['peak_mb']:,.0f} |"
        )
    heads = [
        "",
        "| demand x venues | sites | Red Map, s | spopt CBC, s | spopt HiGHS, s | times faster | same objective |",
    ]
    lines += [*heads, "|---|--:|--:|--:|--:|--:|---|"]
    for points, candidates, add in PEER_SIZES:
        mine, peer = (
            _child("ours", points, candidates, add, 60.0, 5),
            _child("spopts", points, candidates, add),
        )
        fastest = min(peer["CBC"], peer["HiGHS"])
        same = all(abs(mine["objective"] - peer[f"{k}_objective"]) < 0.5 for k in ("CBC", "HiGHS"))
        lines.append(
            f"| {points:,} x {candidates:,} | {add} | {mine['seconds']:.3f} | {peer['CBC']:.1f} | {peer['HiGHS']:.1f} "
            f"| {fastest / mine['seconds']:,.0f} | {'yes' if same else 'no'} |"
        )
    return lines


if __name__ == "__main__":
    print("\n".join(measure()))
