"""What every reader of roads hands to the builder: ways as runs of vertices, tags beside them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from geo.models import F64, I64, BarrierKind
from geo.network.turns import TurnRules


@dataclass(slots=True)
class BarrierLine:
    """One line that an access leg may not cross; WGS-84 coordinates."""

    kind: BarrierKind
    name: str
    lon: list[float]
    lat: list[float]


@dataclass(frozen=True, slots=True)
class RawWays:
    """Ways before they are split: way ``i`` uses vertices ``start[i]:start[i + 1]``.

    ``ref`` numbers the vertices (OSM node ids): equal numbers meet. Way ``i`` has the tags ``tags[tagged[i]]``:
    few sets of tags serve many ways. ``like[k]`` is the first set that is as set ``k`` but for the name.
    ``directed``: each way is one direction of travel (OSMnx graphs), not a whole street.
    """

    way_id: I64
    start: I64
    ref: I64
    lon: F64
    lat: F64
    tags: list[dict[str, str]]
    tagged: I64
    like: I64
    source: str
    source_date: str = ""
    signals: frozenset[int] = frozenset()
    barriers: list[BarrierLine] = field(default_factory=list)
    buildings: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["lon", "lat", "area_m2"], dtype=float)
    )
    amenities: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(
            columns=["osm_id", "name", "kind", "lon", "lat", "opening_hours"]
        )
    )
    notes: tuple[str, ...] = ()
    turns: TurnRules = field(default_factory=TurnRules)
