"""Results → summary.json (design 3.3) and the table of recommended sites."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import math
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.models import Plan, StudyResult
from geo.report.problems import WGS84, problems_block


def recommendations_frame(
    venues: pd.DataFrame,
    plan: Plan | None,
    gains: Sequence[tuple[Any, Any]],
    communities: gpd.GeoDataFrame,
) -> gpd.GeoDataFrame:
    """The chosen venues in order, with what each adds and for which communities.

    ``gains`` holds, per chosen venue, the community row and the newly covered weight of each
    demand point it reaches. Columns: see :class:`geo.models.StudyResult`; EPSG:4326.
    """
    rows = []
    names = list(communities["name"]) if len(communities) else []
    for rank, chosen in enumerate(plan.chosen if plan else (), start=1):
        community, weight = gains[rank - 1]
        by_community = pd.Series(weight).groupby(np.asarray(community)).sum()
        by_community = by_community[by_community > 0].sort_values(ascending=False, kind="stable")
        venue = venues.iloc[chosen]
        assert plan is not None
        rows.append(
            {
                "rank": rank,
                "venue_id": venue["venue_id"],
                "name": venue["name"],
                "kind": venue["kind"],
                "lon": float(venue["lon"]),
                "lat": float(venue["lat"]),
                "gain": float(plan.marginal[rank - 1]),
                "communities_gain": [
                    {"name": names[c] if c >= 0 else "", "people": float(w)}
                    for c, w in zip(by_community.index.to_numpy(dtype=int), by_community, strict=True)
                ],
            }
        )
    columns = ["rank", "venue_id", "name", "kind", "lon", "lat", "gain", "communities_gain"]
    frame = pd.DataFrame(rows, columns=columns)
    geometry = gpd.points_from_xy(frame["lon"].astype(float), frame["lat"].astype(float))
    return gpd.GeoDataFrame(frame, geometry=geometry, crs=WGS84)


def summarise(
    result: StudyResult, diagnosis: Mapping[str, Any], shape_shares: tuple[float, float]
) -> dict[str, Any]:
    """summary.json of design 3.3, from the results alone."""
    standard = result.standard
    off = result.coverage.layers[next(iter(result.coverage.layers))].get("off_network_share", 0.0)
    summary: dict[str, Any] = {
        "study": result.name,
        "edition": result.edition,
        "synthetic": result.synthetic,
        "standard": {
            key: standard[key]
            for key in ("mode", "speed_kmh", "limit_minutes", "minutes", "times", "services")
        },
        "stations": dict(result.inputs.station_counts),
        "demand": {layer: dict(block) for layer, block in result.coverage.layers.items()},
        "gaps": {
            "count": len(result.gaps),
            "people": float(result.gaps["people"].sum()) if len(result.gaps) else 0.0,
        },
        "network": {**diagnosis, "off_network_share": off},
        "isochrones": {"false_share": shape_shares[0], "missed_share": shape_shares[1]},
        "provenance": {
            "redmap": importlib.metadata.version("redmap"),
            "created": now().isoformat(timespec="seconds"),
            "inputs": dict(result.inputs.sha256),
        },
    }
    if result.plan is not None:
        plan = result.plan
        summary["siting"] = {
            "add": len(plan.chosen), "gain": plan.objective, "bound": plan.bound, "gap": plan.gap,
            "status": plan.status, "covered_before": plan.covered_before,
            "covered_after": plan.covered_after, "total": plan.total,
        }  # fmt: skip
    if result.problems is not None:
        summary["problems"] = problems_block(result.problems)
    tidy: dict[str, Any] = plain(summary)
    return tidy


def now() -> dt.datetime:
    """The one look at the clock: with it held, the same inputs give the same bytes."""
    return dt.datetime.now(dt.UTC)


def created(summary: Mapping[str, Any]) -> dt.datetime:
    """When the figures were computed (UTC), as the summary's provenance says: the date of every file.

    >>> created({"provenance": {"created": "2026-11-23T10:00:00+08:00"}}).isoformat()
    '2026-11-23T02:00:00+00:00'
    """
    text = summary.get("provenance", {}).get("created", "1980-01-01T00:00:00+00:00")
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


def plain(value: Any) -> Any:
    """``value`` as JSON knows it: numpy scalars unwrapped, dates as text, inf and NaN as None."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() if isinstance(value, dt.date) else value
