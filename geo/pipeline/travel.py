"""How a study moves: its standard as the settings of the travel times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo import travel_times
from geo.config import Study
from geo.models import Direction, Inputs, Mode, RoadNetwork, Snapped

LEG_KMH = 4.0  # access legs are walked, whatever the mode
OFFICIAL_RADIUS_M = 1000.0  # the yardstick "1 km", for modes without one speed
LONGEST_BAND_S = 1200.0  # shares are reported up to 20 minutes (design 3.3)


@dataclass(frozen=True, slots=True)
class Travel:
    """How a study moves."""

    mode: Any
    speed_kmh: float | None
    access_speed_kmh: float
    signal_wait_s: float
    limit_s: float
    straight_limit_m: float

    @classmethod
    def of(cls, study: Study) -> Travel:
        """Derive the travel settings from a study's standard.

        >>> from pathlib import Path
        >>> from geo.config import study_from_mapping
        >>> s = study_from_mapping({"study": {"name": "x"}, "roads": {"file": "r.osm"},
        ...     "stations": [{"file": "s.csv", "datum": "wgs84"}]}, folder=Path())
        >>> Travel.of(s).straight_limit_m
        1000.0
        """
        standard = study.standard
        speed = standard.speed_or_default_kmh
        limit_s = standard.limit_minutes * 60.0
        return cls(
            mode=standard.mode,
            speed_kmh=speed or None,
            access_speed_kmh=speed if standard.mode == "walk" else LEG_KMH,
            signal_wait_s=standard.signal_wait_s,
            limit_s=limit_s,
            straight_limit_m=speed * limit_s / 3.6 if speed else OFFICIAL_RADIUS_M,
        )

    def router(self, net: RoadNetwork, direction: Direction = "to_station") -> travel_times.Router:
        """A network made ready for the way that the study moves."""
        return travel_times.Router(
            net,
            mode=self.mode,
            speed_kmh=self.speed_kmh,
            access_speed_kmh=self.access_speed_kmh,
            signal_wait_s=self.signal_wait_s,
            direction=direction,
        )


def by_mode(study: Study, mode: Mode) -> Study:
    """The study by another mode, at its default speed."""
    if mode == study.standard.mode:
        return study
    standard = study.standard.model_copy(update={"mode": mode, "speed_kmh": None})
    return study.model_copy(update={"standard": standard})


def snap(net: RoadNetwork, points: pd.DataFrame, study: Study) -> Snapped:
    """Positions on the roads that the study's mode may use; ``points`` has ``lon`` and ``lat`` (WGS-84)."""
    return travel_times.snap(
        net,
        points["lon"].to_numpy(dtype=float),
        points["lat"].to_numpy(dtype=float),
        mode=study.standard.mode,
        max_access_m=study.standard.max_access_m,
    )


def main_layer(inputs: Inputs) -> str:
    """The layer that the headline counts: residents, else the first one given."""
    layers = list(dict.fromkeys(inputs.demand["layer"]))
    return "residents" if "residents" in layers else str(layers[0])
