"""People as weighted points: spread over homes or ways of a community, from a file, or from a raster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.config import DemandSection, Study
from geo.errors import Defect, InputError
from geo.intake.layers import read_points, read_raster
from geo.intake.spread import polygon_of, spread_population
from geo.models import AuditEntry, Bool, RoadNetwork
from geo.premises import ACTIVITY_KINDS

COLUMNS = ["layer", "community", "lon", "lat", "weight"]
NEAR_DEG = 1e-5  # about a metre: rounding at the border drops nobody


def read_demand(
    study: Study, *, area: Any, communities: gpd.GeoDataFrame, network: RoadNetwork
) -> tuple[pd.DataFrame, list[AuditEntry]]:
    """All layers of a study inside its area (WGS-84 polygon): ``layer community lon lat weight``, and the audit.

    ``residents`` come from the raster, else from a layer of that name, else from the population of the
    communities, spread where homes are. ``community`` is the row of ``communities`` that holds the
    point, -1 for none. Raises :class:`geo.errors.InputError` with all defects of all files, and where
    a layer has no weight inside the area.
    """
    parts: list[pd.DataFrame] = []
    audit: list[AuditEntry] = []
    defects: list[Defect] = []
    sections = dict(study.demand)
    named = study.communities
    if named is not None and "residents" in sections and (named.raster or named.population):
        message = (
            "人口给了两次：[communities] 与 [demand.residents] 只留一个 / people are given twice: "
            "keep either the population of [communities] or [demand.residents]"
        )
        raise InputError(Defect(message, file="study.toml", key="demand.residents"))
    if named is not None and named.raster is not None:
        sections = {"residents": DemandSection(file=named.raster), **sections}
    elif "residents" not in sections and len(communities):
        spread = spread_population(communities, network)
        inside = _inside(area, spread)
        audit += _outside("residents", named.file if named else "", spread[~inside])
        parts.append(_layer("residents", spread[inside]))
    for layer, section in sections.items():
        try:
            frame, notes = (
                _activity(network, section, layer=layer, area=area, communities=communities)
                if section.file is None
                else read_layer(
                    study.path(section.file), section, layer=layer, area=area, communities=communities
                )
            )
        except InputError as error:
            defects += error.defects
        else:
            parts.append(frame)
            audit += notes
    if defects:
        raise InputError(defects)
    demand = (
        pd.concat(parts, ignore_index=True)
        if parts
        else _layer("residents", pd.DataFrame(columns=COLUMNS[1:]))
    )
    empty = [name for name in sections if not (demand["layer"] == name).any()]
    if demand.empty or empty:
        what = "、".join(empty) or "residents"
        message = (
            f"需求为空：{what}（范围内没有人口或权重）/ empty demand: {what} has no weight inside the area"
        )
        raise InputError(Defect(message, file="study.toml", key="demand"))
    return demand, audit


def read_layer(
    path: Path, section: DemandSection, *, layer: str, area: Any, communities: gpd.GeoDataFrame
) -> tuple[pd.DataFrame, list[AuditEntry]]:
    """Weighted points of one file (table, vector layer or raster): those inside the area or within 1 m.

    Raises :class:`geo.errors.InputError` with every wrong row.
    """
    if not path.is_file():
        raise InputError(Defect("没有这个文件 / no such file", file=path.name, key=f"demand.{layer}.file"))
    audit: list[AuditEntry] = []
    if path.suffix.lower() in {".tif", ".tiff"}:
        points = read_raster(path, area=area)
    else:
        points, audit = read_points(path, section, layer=layer)
        nobody = int((points["weight"] == 0).sum())
        if nobody:
            zh, en = f"{layer}：{nobody} 行权重为 0", f"{layer}: {nobody} rows of weight 0"
            audit.append(AuditEntry("skipped", zh, en, file=path.name))
        points = points[points["weight"] > 0]
    inside = _inside(area, points)
    audit += _outside(layer, path.name, points[~inside])
    kept = points[inside]
    lon, lat = kept["lon"].to_numpy(dtype=float), kept["lat"].to_numpy(dtype=float)
    return _layer(layer, kept.assign(community=polygon_of(communities, lon, lat))), audit


def _activity(
    network: RoadNetwork, section: DemandSection, *, layer: str, area: Any, communities: gpd.GeoDataFrame
) -> tuple[pd.DataFrame, list[AuditEntry]]:
    """The premises of OpenStreetMap where riders wait, inside the area, weighted by kind."""
    known = network.surroundings.amenities
    chosen = known[known["kind"].isin(ACTIVITY_KINDS)]
    weight = np.array([section.weights.get(kind, 1.0) for kind in chosen["kind"]], dtype=float)
    points = pd.DataFrame(
        {"lon": chosen["lon"].astype(float), "lat": chosen["lat"].astype(float), "weight": weight}
    )
    kept = points[_inside(area, points) & (weight > 0)]
    if kept.empty:
        message = (
            "道路文件里没有餐馆、商场、办公楼等场所：请改用文件 / the roads file holds no restaurants, malls or "
            "offices: give a file instead"
        )
        raise InputError(Defect(message, file=network.source, key=f"demand.{layer}.osm"))
    counts = chosen.loc[kept.index, "kind"].value_counts().sort_index()
    told = "、".join(f"{kind} {count}" for kind, count in counts.items())
    note = AuditEntry(
        "noted", f"{layer}：取自 OpenStreetMap 的 {len(kept)} 处场所", f"{layer}: {len(kept)} premises of OpenStreetMap",
        file=network.source, found=told,
    )  # fmt: skip
    lon, lat = kept["lon"].to_numpy(dtype=float), kept["lat"].to_numpy(dtype=float)
    return _layer(layer, kept.assign(community=polygon_of(communities, lon, lat))), [note]


def _inside(area: Any, points: pd.DataFrame) -> Bool:
    near = area.buffer(NEAR_DEG)
    shapely.prepare(near)
    found = shapely.contains_xy(
        near, points["lon"].to_numpy(dtype=float), points["lat"].to_numpy(dtype=float)
    )
    return np.asarray(found, dtype=np.bool_)


def _outside(layer: str, file: str, points: pd.DataFrame) -> list[AuditEntry]:
    if points.empty:
        return []
    count, weight = len(points), points["weight"].sum()
    zh = f"{layer}：{count} 个点在范围外，共 {weight:,.0f}"
    en = f"{layer}: {count} points outside the area, weight {weight:,.0f}"
    return [AuditEntry("skipped", zh, en, file=file)]


def _layer(layer: str, points: pd.DataFrame) -> pd.DataFrame:
    frame = points[COLUMNS[1:]].astype({"community": np.int32, "lon": float, "lat": float, "weight": float})
    frame.insert(0, "layer", layer)
    return frame.reset_index(drop=True)
