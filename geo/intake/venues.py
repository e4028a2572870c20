"""Premises that could host a station: from the user's file, else from OSM amenities and shops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely

from geo.config import Study
from geo.errors import Defect, InputError
from geo.intake.columns import map_columns
from geo.intake.datum import to_wgs84
from geo.intake.hours import parse_hours
from geo.intake.positions import number
from geo.intake.privacy import mask_mobiles
from geo.intake.services import parse_services
from geo.intake.tables import read_table
from geo.models import AuditEntry, RoadNetwork

COLUMNS = ["venue_id", "name", "kind", "lon", "lat", "services", "hours"]


def read_venues(study: Study, *, area: Any, network: RoadNetwork) -> tuple[pd.DataFrame, list[AuditEntry]]:
    """Venues inside the area; rows without a position or outside stand in the audit."""
    if study.venues is None:
        frame = network.surroundings.amenities
        venues = pd.DataFrame(
            {
                "venue_id": frame["osm_id"], "name": [n or k for n, k in zip(frame["name"], frame["kind"], strict=True)],
                "kind": frame["kind"], "lon": frame["lon"].astype(float), "lat": frame["lat"].astype(float),
                "services": [frozenset[str]() for _ in range(len(frame))],
                "hours": [parse_hours(h) for h in frame["opening_hours"]],
            }
        )  # fmt: skip
        audit: list[AuditEntry] = []
    else:
        venues, audit = _from_file(study)
    if venues.empty:
        return pd.DataFrame(columns=COLUMNS), audit
    inside = shapely.contains_xy(area, venues["lon"].to_numpy(dtype=float), venues["lat"].to_numpy(dtype=float))
    if study.venues is not None:
        audit += [
            AuditEntry("skipped", "候选场所在范围外", "venue outside the area", file=study.venues.file, name=str(n))
            for n in venues["name"][~inside]
        ]
    return venues[inside].reset_index(drop=True), audit


def _from_file(study: Study) -> tuple[pd.DataFrame, list[AuditEntry]]:
    assert study.venues is not None
    table = read_table(study.path(study.venues.file))[0]
    mapping = map_columns(table.frame.columns, ("id", "name", "kind", "lon", "lat", "services", "hours"))
    missing = [f for f in ("name", "lon", "lat") if f not in mapping]
    if missing:
        message = f"找不到列 {'、'.join(missing)} / columns not found; the file has {'、'.join(map(str, table.frame.columns))}"
        raise InputError(Defect(message, file=study.venues.file))
    rows, audit = [], []
    for record, row in zip(table.frame.to_dict("records"), table.rows, strict=True):
        cell = {key: record[heading] or "" for key, heading in mapping.items()}
        lon, lat = number(cell["lon"]), number(cell["lat"])
        name = mask_mobiles(cell["name"])
        if lon is None or lat is None:
            audit.append(AuditEntry("unmapped", "没有可用的坐标", "no usable coordinates", file=table.file, row=int(row), name=name))
            continue
        x, y = to_wgs84(np.array([lon]), np.array([lat]), study.venues.datum)
        rows.append(
            {
                "venue_id": cell.get("id") or f"V{row - 1:04d}", "name": name, "kind": cell.get("kind", ""),
                "lon": float(x[0]), "lat": float(y[0]), "services": parse_services(cell.get("services"))[0],
                "hours": parse_hours(cell.get("hours")),
            }
        )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS), audit
