"""The ledger of riders joined to what was computed: the nearest station, and the gap a problem lies in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.models import NearestField

WGS84 = "EPSG:4326"
COLUMNS = ["problem_id", "text", "kind", "state", "time", "place", "community", "placed_by", "nearest_station",
           "nearest_minutes", "gap_id", "lon", "lat", "file", "row"]  # fmt: skip


def problems_frame(
    problems: pd.DataFrame, far: NearestField, stations: pd.DataFrame, gaps: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """The rows of the ledger with ``nearest_station nearest_minutes gap_id`` and points (EPSG:4326).

    ``far``: seconds from the demand to its nearest station; the placed problems are its last targets, in
    their order. A problem without a position has no point, no station and no gap.
    """
    frame = problems.copy()
    placed = np.flatnonzero(frame["lon"].notna().to_numpy())
    last = len(far.seconds) - len(placed)
    seconds, label = far.seconds[last:], far.label[last:]
    station, minutes = np.full(len(frame), "", dtype=object), np.full(len(frame), np.nan)
    gap = np.full(len(frame), "", dtype=object)
    names = stations["name"].to_numpy(dtype=object)
    near = np.isfinite(seconds)
    station[placed[near]], minutes[placed[near]] = names[label[near]], seconds[near] / 60.0
    points = gpd.points_from_xy(frame["lon"], frame["lat"]).to_numpy()
    points[frame["lon"].isna().to_numpy()] = None
    if len(gaps) and len(placed):
        tree = shapely.STRtree(gaps.geometry.to_numpy())
        which, where = tree.query(points[placed], predicate="intersects")
        gap[placed[which]] = gaps["gap_id"].to_numpy(dtype=object)[where]
    joined = frame.assign(nearest_station=station, nearest_minutes=minutes, gap_id=gap)[COLUMNS]
    return gpd.GeoDataFrame(joined, geometry=points, crs=WGS84)


def problems_block(problems: pd.DataFrame) -> Mapping[str, Any]:
    """What summary.json tells of the ledger: how many, where they stand, of what kind, in which gaps."""
    placed = problems["lon"].notna()
    return {
        "listed": len(problems),
        "placed": int(placed.sum()),
        "by_state": {name: int((problems["state"] == name).sum()) for name in ("open", "in_progress", "closed")},
        "by_kind": {str(k): int(n) for k, n in problems["kind"].value_counts().sort_index().items()},
        "by_gap": {str(k): int(n) for k, n in problems.loc[problems["gap_id"] != "", "gap_id"].value_counts().sort_index().items()},
    }  # fmt: skip
