"""The modes that a page computes by itself: costs of the edges, and everything linked to them."""

from __future__ import annotations

import pandas as pd

from geo import travel_times
from geo.config import Study
from geo.models import MODES, Inputs, Movement, RoadNetwork, Snapped
from geo.pipeline.travel import Travel, by_mode, snap


def moves(
    network: RoadNetwork,
    inputs: Inputs,
    study: Study,
    *,
    stations: Snapped,
    demand: Snapped,
    sites: pd.DataFrame,
) -> tuple[Movement, ...]:
    """The study's own mode, with the links that it has, then the others at their default speeds."""
    made = []
    for mode in (study.standard.mode, *(m for m in MODES if m != study.standard.mode)):
        moved = by_mode(study, mode)
        travel = Travel.of(moved)
        own = mode == study.standard.mode
        costs = travel_times.edge_costs(
            network, mode=mode, speed_kmh=travel.speed_kmh, signal_wait_s=travel.signal_wait_s
        )
        made.append(
            Movement(
                mode=mode,
                forward_s_per_m=costs.forward_s_per_m,
                backward_s_per_m=costs.backward_s_per_m,
                access_speed_kmh=travel.access_speed_kmh,
                wait_s=travel.signal_wait_s,
                stations=stations if own else snap(network, inputs.stations, moved),
                demand=demand if own else snap(network, inputs.demand, moved),
                sites=snap(network, sites, moved),
            )
        )
    return tuple(made)
