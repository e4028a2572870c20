"""A study's result as what the public page carries: stations, hours, service areas; no road or head count, no boundary without a 审图号."""

from __future__ import annotations

import datetime as dt
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geo.intake.workdays import day_kind, years_known
from geo.models import StudyResult
from geo.redmap import codec, payload
from geo.redmap.codec import Packed
from geo.redmap.privacy import mask_everything

COLUMNS = ("id", "name", "at", "services", "hours", "said", "address", "phone", "plates", "access")
CLOSING_M = 45.0  # joins the ribbons along streets into areas: the public page draws no roads
TOLERANCE_M = 12.0
GRID_M = 4.0
AREAS_BYTES = 110_000  # of the 300 kB of a page; more stations get coarser shapes
COARSER = (1.0, 2.0, 4.0)
YEARS = 2


def content(result: StudyResult) -> tuple[dict[str, Any], dict[str, Packed]]:
    """Values (mobiles masked) and the layers of the public page: ``bands`` and, with a 审图号, ``edge``.

    The tag of a band's feature is the row of its station times the number of minutes plus the place of
    its minutes, ascending, and ``bandsOf`` is ``station``; where that is too big even in coarse shapes,
    the stations' areas are joined, the tag is the place of the minutes, and ``bandsOf`` is ``all``.
    """
    bands, kind = _areas(result)
    values = {
        **payload.public_values(result, columns=COLUMNS),
        "bandsOf": kind,
        "hotline": str(result.publish.get("hotline", "")),
        "calendar": calendar(),
    }
    clean: dict[str, Any] = mask_everything(values)
    layers = {"bands": bands}
    if values["approval"]:
        layers["edge"] = payload.edge(result)
    return clean, layers


def calendar() -> dict[str, Any]:
    """Public holidays and worked weekends of the last published years, as ISO dates, and these years.

    >>> "2026-10-01" in calendar()["holidays"] or calendar()["years"][0] > 2026
    True
    """
    last = years_known()[1]
    first = last - YEARS + 1
    days = [
        dt.date(first, 1, 1) + dt.timedelta(days=n)
        for n in range((dt.date(last + 1, 1, 1) - dt.date(first, 1, 1)).days)
    ]
    kinds = {day.isoformat(): day_kind(day) for day in days}
    return {
        "holidays": [day for day, kind in kinds.items() if kind == "holiday"],
        "worked": [day for day, kind in kinds.items() if kind == "make_up"],
        "years": [first, last],
    }


def _areas(result: StudyResult) -> tuple[Packed, str]:
    frame = result.station_bands
    bands = result.bands
    scale = codec.ground_scale(float(np.mean(bands.total_bounds[[1, 3]]))) if len(bands) else 1.0
    minutes = sorted({float(m) for m in frame["minutes"]} or {float(m) for m in bands["minutes"]})
    row_of = {str(key): row for row, key in enumerate(result.inputs.stations["station_id"])}
    if len(frame):
        step = {m: place for place, m in enumerate(minutes)}
        tags = [
            row_of[str(key)] * len(minutes) + step[float(m)]
            for key, m in zip(frame["station_id"], frame["minutes"], strict=True)
        ]
        for coarser in COARSER:
            packed = _packed(frame, tags, scale=scale, coarser=coarser)
            if len(packed.data) <= AREAS_BYTES:
                return packed, "station"
    order = np.argsort(np.argsort(bands["minutes"].to_numpy(dtype=float)))
    return _packed(bands, order.tolist(), scale=scale, coarser=COARSER[-1]), "all"


def _packed(frame: gpd.GeoDataFrame, tags: list[int], *, scale: float, coarser: float) -> Packed:
    """Shapes grown and shrunk again, which fills narrow places and keeps nested shapes nested, and packed."""
    tolerance_m = TOLERANCE_M * coarser
    shapes = codec.to_mercator(frame.geometry.to_numpy())
    shapes = shapely.simplify(shapes, tolerance_m / 2 * scale, preserve_topology=False)
    grown = shapely.buffer(shapes, CLOSING_M * scale, quad_segs=2)
    closed = shapely.simplify(
        shapely.buffer(grown, -CLOSING_M * scale, quad_segs=2), tolerance_m * scale, preserve_topology=False
    )
    return codec.pack_polygons(closed, tags, grid_m=GRID_M * coarser)
