"""Whom to ask: for each gap the venues that would reach most of its people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo import gaps, siting
from geo.config import Study
from geo.models import Bool, Inputs, RoadNetwork
from geo.pipeline.siting_case import FAR_S, Case
from geo.pipeline.travel import Travel, main_layer, snap

ASKED_EACH = 2  # venues named for each gap
COLUMNS = ("gap", "venue", "kind", "people")


def whom_to_ask(case: Case, net: RoadNetwork, inputs: Inputs, study: Study) -> pd.DataFrame:
    """Per gap the venues that would reach most of its uncovered people, largest gap first, best venue first.

    Uncovered people outside all gaps (those whom a service or an hour leaves out) count by their community.
    """
    count = len(inputs.stations)
    if inputs.venues.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    plain = replace(case.task, weights=case.people, times=case.times)
    left = np.where(siting.reached_times(plain, plain.stands()) > 0, 0.0, case.people)
    names = _gap_of_points(left > 0, net, inputs, study)
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


def _gap_of_points(uncovered: Bool, net: RoadNetwork, inputs: Inputs, study: Study) -> list[Any]:
    """The name of the gap of each demand point, else of its community; None where it has neither."""
    travel, layer = Travel.of(study), _layer(inputs, study)
    router = travel.router(net)
    stations, points = snap(net, inputs.stations, study), snap(net, inputs.demand, study)
    far = router.nearest(stations, points, limit_s=max(FAR_S, travel.limit_s))
    near = far.seconds <= travel.limit_s
    found = gaps.find_gaps(
        demand=inputs.demand.assign(covered=near, seconds=far.seconds, nearest=far.label),
        communities=inputs.communities,
        stations=inputs.stations,
        network=net,
        station_snap=stations,
        demand_snap=points,
        far_field=far,
        limit_s=travel.limit_s,
        straight_limit_m=travel.straight_limit_m,
        layer=layer,
        mode=travel.mode,
    )
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
