"""Results → flat tables: lists and sets as text, mobile numbers masked (a second time) on their way out."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import geopandas as gpd
import pandas as pd

from geo.intake.privacy import mask_mobiles
from geo.models import AuditEntry, Inputs, StudyResult
from geo.report.geojson import rounded
from geo.report.problems import WGS84
from geo.report.summary import plain


def layers(result: StudyResult) -> dict[str, gpd.GeoDataFrame]:
    """The published layers by name: EPSG:4326, 7 decimals, RFC 7946's order of corners."""
    stations = result.inputs.stations
    community_shapes = result.inputs.communities[["community_id", "geometry"]]
    communities = result.coverage.communities.merge(community_shapes, on="community_id", how="left")
    shapes = pd.concat([result.bands.assign(station_id="*"), result.station_bands], ignore_index=True)
    found = {
        "stations": _layer(stations, gpd.points_from_xy(stations["lon"], stations["lat"])),
        "communities": _layer(communities.drop(columns="geometry"), communities["geometry"]),
        "isochrones": _layer(shapes[["station_id", "minutes"]], shapes["geometry"]),
        "gaps": _layer(result.gaps.drop(columns="geometry"), result.gaps["geometry"]),
        "recommendations": _layer(
            result.recommendations.drop(columns="geometry"), result.recommendations["geometry"]
        ),
    }
    if result.problems is not None:
        found["problems"] = _layer(result.problems.drop(columns="geometry"), result.problems["geometry"])
    return found


def _layer(frame: pd.DataFrame, shapes: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(flat(pd.DataFrame(frame)), geometry=rounded(shapes), crs=WGS84)


def audit_frame(inputs: Inputs) -> pd.DataFrame:
    """What happened to each row of the inputs, one row an entry."""
    columns = list(AuditEntry.__slots__)
    rows = [[getattr(entry, c) for c in columns] for entry in inputs.audit]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def flat(frame: pd.DataFrame) -> pd.DataFrame:
    """``frame`` with every list, set and date as text and the mobiles in texts masked (ids are kept).

    >>> flat(pd.DataFrame({"services": [frozenset({"water", "rest"})], "phone": ["13912345678"]})).to_dict("list")
    {'services': ['rest; water'], 'phone': ['139****5678']}
    """
    tidy = frame.reset_index(drop=True)
    for name in tidy.columns:
        if not pd.api.types.is_numeric_dtype(tidy[name]):
            texts = [_text(v) for v in tidy[name]]
            keep = str(name).endswith("_id")
            masked = [mask_mobiles(v) if isinstance(v, str) and not keep else v for v in texts]
            tidy[name] = pd.Series(masked, dtype=object, index=tidy.index)
    return tidy


def _text(value: Any) -> Any:
    if isinstance(value, frozenset | set):
        return "; ".join(sorted(value))
    if isinstance(value, list | dict):
        return json.dumps(plain(value), ensure_ascii=False)
    if isinstance(value, tuple):
        return "; ".join(map(str, value))
    if isinstance(value, dt.date):
        return value.isoformat()
    return None if isinstance(value, float) and math.isnan(value) else value
