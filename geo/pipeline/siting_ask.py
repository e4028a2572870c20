"""Whom to ask: for each gap the venues that would reach most of its people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo import gaps, siting, travel_times
from geo.config import Study
from geo.models import Bool, Inputs, RoadNetwork, Snapped
from geo.pipeline.siting_case import FAR_S, Case
from geo.pipeline.travel import Travel, main_layer, snap

ASKED_EACH = 2  # venues named for each gap
COLUMNS = ("gap", "venue", "kind", "people")


def whom_to_ask(
    case: Case,
    net: RoadNetwork,
    inputs: Inputs,
    study: Study,
    *,
    router: travel_times.Router,
    demand_snap: Snapped,
    known: gpd.GeoDataFrame | None,
) -> pd.DataFrame:
    """Per gap the venues that would reach most of its uncovered people, largest gap first, best venue first.

    Uncovered people outside all gaps (those whom a service or an hour leaves out) count by their community.
    ``known``: the gaps of the main layer, where they have been found already.
    """
    count = len(inputs.stations)
    if inputs.venues.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    plain = replace(case.task, weights=case.people, times=case.times)
    left = np.where(siting.reached_times(plain, plain.stands()) > 0, 0.0, case.people)
    gaps_there = known if known is not None and _layer(inputs, study) == main_layer(inputs) else None
    if gaps_there is None:
        gaps_there = _gaps(net, inputs, study, router, demand_snap)
    names = _gap_of_points(left > 0, gaps_there, inputs)
    label, called = pd.factorize(pd.Series(names, dtype=object))
    site = np.repeat(np.arange(case.times.shape[0]), np.diff(case.times.indptr))
    pairs = pd.DataFrame({"site": site, "gap": label[case.times.indices], "people": left[case.times.indices]})
    pairs = pairs[(pairs["people"] > 0) & (pairs["site"] >= count) & (pairs["gap"] >= 0)]
    refused = set(case.task.rules.forbidden)
    pairs = pairs[~pairs["site"].isin(refused)]
    sums: pd.DataFrame = pairs.groupby(["gap", "site"])["people"].sum().reset_index()
    sums = sums.sort_values(["people", "site"], ascending=[False, True], kind="stable")
    sums = sums.groupby("gap").head(ASKED_EACH)
    sums = sums.assign(most=sums.groupby("gap")["people"].transform("max"))
    sums = sums.sort_values(["most", "gap", "people"], ascending=[False, True, False], kind="stable")
    venues = inputs.venues.iloc[sums["site"].to_numpy(dtype=int) - count]
    return pd.DataFrame(
        {
            "gap": [str(called[g]) for g in sums["gap"]],
            "venue": venues["name"].map(str).to_numpy(),
            "kind": venues["kind"].map(str).to_numpy(),
            "people": sums["people"].to_numpy(),
        },
        columns=list(COLUMNS),
    )


def _gaps(
    net: RoadNetwork, inputs: Inputs, study: Study, router: travel_times.Router, points: Snapped
) -> gpd.GeoDataFrame:
    """The gaps of the layer that siting is asked for."""
    travel = Travel.of(study)
    stations = snap(net, inputs.stations, study)
    far = router.nearest(stations, points, limit_s=max(FAR_S, travel.limit_s))
    near = far.seconds <= travel.limit_s
    return gaps.find_gaps(
        demand=inputs.demand.assign(covered=near, seconds=far.seconds, nearest=far.label),
        communities=inputs.communities,
        stations=inputs.stations,
        network=net,
        station_snap=stations,
        demand_snap=points,
        far_field=far,
        limit_s=travel.limit_s,
        straight_limit_m=travel.straight_limit_m,
        layer=_layer(inputs, study),
        mode=travel.mode,
    )


def _gap_of_points(uncovered: Bool, found: gpd.GeoDataFrame, inputs: Inputs) -> list[Any]:
    """The name of the gap of each demand point, else of its community; None where it has neither."""
    community = inputs.demand["community"].to_numpy(dtype=int)
    known = [str(n) for n in inputs.communities["name"]] if len(inputs.communities) else []
    names: list[Any] = [known[c] if c >= 0 else None for c in community]
    at = np.flatnonzero(uncovered)
    where = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(inputs.demand["lon"].iloc[at], inputs.demand["lat"].iloc[at]),
        crs="EPSG:4326",
    )
    inside = where.sjoin(found[["name_zh", "geometry"]], how="inner", predicate="intersects")
    for row, name in inside[~inside.index.duplicated()]["name_zh"].items():
        names[at[int(str(row))]] = str(name)
    return names


def _layer(inputs: Inputs, study: Study) -> str:
    """The one layer that siting is asked for, else the main one."""
    asked = [name for name, weight in study.siting.layers.items() if weight > 0]
    return asked[0] if len(asked) == 1 else main_layer(inputs)
