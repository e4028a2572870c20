"""Where to add stations: venues and who they reach, given to siting as weights and a matrix."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo import report, siting, travel_times
from geo.config import Study
from geo.errors import InputError
from geo.models import Inputs, Plan, RoadNetwork, Snapped, TravelMatrix
from geo.pipeline.inputs import Progress, load
from geo.pipeline.travel import Travel, main_layer, snap

MAX_SITES = 200
STAGE_COLUMNS = ["stage", "venue_id", "name", "value", "gain", "best", "bound", "price", "proven"]


def stages_frame(
    task: siting.Task,
    venues: pd.DataFrame,
    *,
    up_to: int,
    time_limit_s: float,
    count: int = 0,
    base: float = 0.0,
) -> pd.DataFrame:
    """The nested plans of ``task``, a row a stage, beside the optimum of each number.

    ``count``: sites before the first venue; ``base`` is added to the values. For *minutes* they are minutes.
    """
    if not up_to:
        return pd.DataFrame(columns=STAGE_COLUMNS)
    found = siting.stages(task, up_to=up_to, time_limit_s=time_limit_s)
    unit = 60.0 if task.goal == "minutes" else 1.0  # the engine counts seconds
    nested, best, bound = (np.array(values) / unit for values in (found.nested, found.best, found.bound))
    values = np.concatenate(([abs(siting.worth(task, task.stands())) / unit], nested))
    rows = [
        (k + 1, venues["venue_id"].iloc[site - count], str(venues["name"].iloc[site - count]),
         base + nested[k], abs(values[k + 1] - values[k]), base + best[k], base + bound[k],
         abs(best[k] - nested[k]), found.proven[k])
        for k, site in enumerate(found.order)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=STAGE_COLUMNS)


def worth_of_stations(inputs: Inputs, covered: pd.DataFrame, reach: TravelMatrix) -> pd.DataFrame:
    """What each station alone covers of the main layer, ``station_id name lost redundant``, most first.

    ``reach``: stations x demand points within the standard.
    """
    layer = (covered["layer"] == main_layer(inputs)).to_numpy()
    weights = np.where(layer, covered["weight"].to_numpy(dtype=float), 0.0)
    lost = siting.losses(siting.Task(weights, reach, existing=np.ones(reach.shape[0], dtype=np.bool_)))
    rows = inputs.stations[["station_id", "name"]].reset_index(drop=True)
    rows = rows.assign(lost=lost, redundant=lost == 0)
    return rows.sort_values("lost", ascending=False, kind="stable").reset_index(drop=True)


def choose_sites(
    net: RoadNetwork,
    router: travel_times.Router,
    inputs: Inputs,
    covered: pd.DataFrame,
    demand_snap: Snapped,
    study: Study,
    *,
    add: int,
) -> tuple[Plan | None, gpd.GeoDataFrame, pd.DataFrame]:
    """The ``add`` venues that bring most people of the main layer within the standard, ranked by gain.

    With ``[siting] stages``, the plans that lead there step by step too (:func:`stages_frame`).
    """
    venues = inputs.venues.reset_index(drop=True)
    limits = study.siting
    if add == 0 or venues.empty:
        empty = pd.DataFrame(columns=STAGE_COLUMNS)
        return None, report.recommendations_frame(venues, None, [], inputs.communities), empty
    reach = router.matrix(snap(net, venues, study), demand_snap, limit_s=Travel.of(study).limit_s)
    layer = (covered["layer"] == main_layer(inputs)).to_numpy()
    weights = np.where(layer, covered["weight"].to_numpy(dtype=float), 0.0)
    already = covered["covered"].to_numpy(dtype=bool)
    plan = siting.maximal_cover(weights, reach, add=add, already=already, time_limit_s=limits.time_limit_s)
    left = np.where(already, 0.0, weights)
    gains = []
    for chosen in plan.chosen:
        reached = reach.indices[reach.indptr[chosen] : reach.indptr[chosen + 1]]
        gains.append((covered["community"].to_numpy()[reached], left[reached]))
        left[reached] = 0.0
    frame = report.recommendations_frame(venues, plan, gains, inputs.communities)
    steps = stages_frame(
        siting.Task(np.where(already, 0.0, weights), reach), venues,
        up_to=limits.stages, time_limit_s=limits.time_limit_s, base=plan.covered_before,
    )  # fmt: skip
    return plan, _explained(frame, plan, venues, siting.Task(weights, reach, add=add), already), steps


def _explained(
    frame: gpd.GeoDataFrame, plan: Plan, venues: pd.DataFrame, task: siting.Task, already: Any
) -> gpd.GeoDataFrame:
    """Beside each site: its services and hours, overlap with what stands, and whom to ask if it says no."""
    gained = replace(task, weights=np.where(already, 0.0, task.weights))
    standing = np.zeros(len(venues), dtype=np.bool_)
    standing[list(plan.chosen)] = True
    items = {item.site: item for item in siting.explain(gained, siting.planned(gained, standing))}
    overlap = []
    for j in plan.chosen:
        points = task.times.indices[task.times.indptr[j] : task.times.indptr[j + 1]]
        people = float(task.weights[points].sum())
        overlap.append(float(task.weights[points][already[points]].sum()) / people if people else 0.0)
    chosen = [items[j] for j in plan.chosen]
    return frame.assign(
        overlap=overlap,
        services=[venues["services"].iloc[j] for j in plan.chosen],
        hours=[venues["hours"].iloc[j] for j in plan.chosen],
        instead=[str(venues["name"].iloc[item.instead]) if item.instead >= 0 else "" for item in chosen],
        instead_loss=[item.instead_loss for item in chosen],
    )


def site(
    study: Study, *, add: int, cache_dir: Path | None = None, progress: Progress = lambda _stage: None
) -> tuple[Plan | None, gpd.GeoDataFrame]:
    """Recommend ``add`` venues that bring most people of the main layer within the standard.

    Returns the plan (None where there is no venue) and its sites, ranked by marginal gain.
    """
    if not 0 < add <= MAX_SITES:
        raise InputError(f"--add 应为 1 至 {MAX_SITES} / expected 1 to {MAX_SITES}; found {add}")
    net, inputs = load(study, cache_dir=cache_dir, progress=progress)
    progress("snap")
    station_snap, demand_snap = snap(net, inputs.stations, study), snap(net, inputs.demand, study)
    travel = Travel.of(study)
    progress("times")
    router = travel.router(net)
    field = router.nearest(station_snap, demand_snap, limit_s=travel.limit_s)
    covered = inputs.demand.assign(covered=field.seconds <= travel.limit_s)
    progress("siting")
    plan, sites, _ = choose_sites(net, router, inputs, covered, demand_snap, study, add=add)
    return plan, sites


def dense_row(matrix: TravelMatrix, row: int) -> Any:
    """One row of a sparse matrix as dense seconds, ``inf`` where absent."""
    dense = np.full(matrix.shape[1], np.inf)
    part = slice(matrix.indptr[row], matrix.indptr[row + 1])
    dense[matrix.indices[part]] = matrix.seconds[part]
    return dense
