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


def choose_sites(
    net: RoadNetwork,
    router: travel_times.Router,
    inputs: Inputs,
    covered: pd.DataFrame,
    demand_snap: Snapped,
    study: Study,
    *,
    add: int,
) -> tuple[Plan | None, gpd.GeoDataFrame]:
    """The ``add`` venues that bring most people of the main layer within the standard, ranked by gain."""
    venues = inputs.venues.reset_index(drop=True)
    if add == 0 or venues.empty:
        return None, report.recommendations_frame(venues, None, [], inputs.communities)
    reach = router.matrix(snap(net, venues, study), demand_snap, limit_s=Travel.of(study).limit_s)
    layer = (covered["layer"] == main_layer(inputs)).to_numpy()
    weights = np.where(layer, covered["weight"].to_numpy(dtype=float), 0.0)
    already = covered["covered"].to_numpy(dtype=bool)
    plan = siting.maximal_cover(
        weights, reach, add=add, already=already, time_limit_s=study.siting.time_limit_s
    )
    left = np.where(already, 0.0, weights)
    gains = []
    for chosen in plan.chosen:
        reached = reach.indices[reach.indptr[chosen] : reach.indptr[chosen + 1]]
        gains.append((covered["community"].to_numpy()[reached], left[reached]))
        left[reached] = 0.0
    frame = report.recommendations_frame(venues, plan, gains, inputs.communities)
    return plan, _explained(frame, plan, venues, siting.Task(weights, reach, add=add), already)


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
    return choose_sites(net, router, inputs, covered, demand_snap, study, add=add)


def dense_row(matrix: TravelMatrix, row: int) -> Any:
    """One row of a sparse matrix as dense seconds, ``inf`` where absent."""
    dense = np.full(matrix.shape[1], np.inf)
    part = slice(matrix.indptr[row], matrix.indptr[row + 1])
    dense[matrix.indices[part]] = matrix.seconds[part]
    return dense
