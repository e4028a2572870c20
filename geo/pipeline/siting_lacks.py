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
    """People (one a point) whom no station reaches that offers a service, or that is open at an hour, as sites are added.

    ``offered`` and ``open``: what each venue (a row) has of the services and hours.
    """

    services: dict[str, F64]
    times: dict[str, F64]
    offered: Bool
    open: Bool

    def gained(self, points: I32, venue: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """What a venue that reaches ``points`` would change if it offered each service, and if it were open at each hour.

        Those people then count as served for the sites that follow.
        """
        services = [
            {"service": name, "people": _taken(left, points), "has": bool(has)}
            for (name, left), has in zip(self.services.items(), self.offered[venue], strict=True)
        ]
        times = [
            {"time": name, "people": _taken(left, points), "has": bool(has)}
            for (name, left), has in zip(self.times.items(), self.open[venue], strict=True)
        ]
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
    open_at = _open(hours, times)
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
        np.array([[s in h for s in services] for h in inputs.venues["services"]], dtype=np.bool_).reshape(
            len(inputs.venues), len(services)
        ),
        _open(list(inputs.venues["hours"]), times),
    )


def _open(hours: list[Any], times: tuple[str, ...]) -> Bool:
    return (
        intake.open_at(hours, times)
        if times and hours
        else np.zeros((len(hours), len(times)), dtype=np.bool_)
    )


def _taken(left: F64, points: I32) -> float:
    people = float(left[points].sum())
    left[points] = 0.0
    return people
