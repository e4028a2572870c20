"""The gaps that a scenario leaves: found by the same step as those of a build."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from geo import gaps, travel_times
from geo.models import Bool, Snapped, StudyResult
from geo.pipeline.travel import Travel, main_layer

FAR_S = 3600.0  # how far the nearest station is still looked for when a gap is explained


def gaps_after(
    result: StudyResult,
    router: travel_times.Router,
    travel: Travel,
    *,
    stations: pd.DataFrame,
    station_snap: Snapped,
    demand_snap: Snapped,
    covered: Bool,
    limit_s: float,
) -> gpd.GeoDataFrame:
    """Gaps of the main layer (EPSG:4326) where only ``stations`` count and ``covered`` tells who reaches one.

    Columns as :func:`geo.gaps.find_gaps`; ``covered`` is aligned with the study's demand.
    """
    far = router.nearest(station_snap, demand_snap, limit_s=max(FAR_S, limit_s))
    demand = result.coverage.demand.assign(covered=covered, seconds=far.seconds, nearest=far.label)
    return gaps.find_gaps(
        demand=demand,
        communities=result.inputs.communities,
        stations=stations,
        network=result.network,
        station_snap=station_snap,
        demand_snap=demand_snap,
        far_field=far,
        limit_s=limit_s,
        straight_limit_m=travel.straight_limit_m,
        layer=main_layer(result.inputs),
        mode=travel.mode,
    )
