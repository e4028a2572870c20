"""What people near a site lack: by service what it must offer, by hour when it must be open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from geo import intake, siting
from geo.config import Study
from geo.models import F64, I32, Bool, Inputs
from geo.pipeline.siting_case import Case


@dataclass(slots=True)
class Lacks:
    """People (one a point) whom no station reaches that offers a service, or that is open at an hour, as sites are added."""

    services: dict[str, F64]
    times: dict[str, F64]

    def gained(self, points: I32) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """What a site that reaches ``points`` would change if it offered each service, and if it were open at each hour.

        Those people then count as served for the sites that follow.
        """
        services = [{"service": name, "people": _taken(left, points)} for name, left in self.services.items()]
        times = [{"time": name, "people": _taken(left, points)} for name, left in self.times.items()]
        return services, times


def lacks(case: Case, inputs: Inputs, study: Study, kept: Bool) -> Lacks:
    """What is lacking with the stations that stay (``kept``): the services and hours that siting asks for, else the standard's.

    Each service counts at the hours that siting asks for, each hour with its services; unknown hours are never open.
    """
    asked, standard = study.siting, study.standard
    count = len(inputs.stations)
    services, times = asked.services or standard.services, asked.times or standard.times
    have, hours = list(inputs.stations["services"]), list(inputs.stations["hours"])
    offers = {s: np.array([s in h for h in have], dtype=np.bool_) for s in services}
    open_at = intake.open_at(hours, times) if times else np.zeros((count, 0), dtype=np.bool_)
    any_service = np.logical_or.reduce([offers[s] for s in asked.services]) if asked.services else True
    any_time = open_at.any(axis=1) if asked.times else True

    def left(counts: Bool) -> F64:
        standing = kept.copy()
        standing[:count] &= counts
        plain = siting.Task(case.people, case.reach)
        return np.where(siting.reached_times(plain, standing) > 0, 0.0, case.people)

    return Lacks(
        {s: left(offers[s] & any_time) for s in services},
        {time: left(open_at[:, t] & any_service) for t, time in enumerate(times)},
    )


def _taken(left: F64, points: I32) -> float:
    people = float(left[points].sum())
    left[points] = 0.0
    return people
