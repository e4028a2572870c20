"""The order of the steps: files → network → times → coverage → gaps, sites → results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from geo import coverage, gaps, intake, network, report, siting
from geo.config import Study
from geo.models import Inputs, StudyResult
from geo.pipeline.inputs import Progress, load
from geo.pipeline.moves import moves
from geo.pipeline.shapes import shapes
from geo.pipeline.sites import worth_of_stations
from geo.pipeline.siting import Known, answer, no_sites, nothing_asked
from geo.pipeline.travel import LONGEST_BAND_S, Travel, main_layer, snap

FAR_S = 3600.0  # how far the nearest station is still looked for when a gap is explained
SPEED_RANGE = 1.1  # shares are reported at ± 10 % speed
STAGES = ("area", "roads", "inputs", "snap", "times", "coverage", "isochrones", "gaps", "siting", "write")


def run(
    study: Study,
    *,
    trial: Path | None = None,
    cache_dir: Path | None = None,
    progress: Progress = lambda _stage: None,
) -> StudyResult:
    """Compute a whole study; nothing is written (but the network cache, when a folder is given).

    ``trial``: a file of trial stations and closures that the planner page saved.
    ``progress`` is called with each of :data:`STAGES` as it begins. Raises
    :class:`geo.errors.InputError` where an input is wrong.
    """
    net, inputs = load(study, cache_dir=cache_dir, progress=progress)
    if trial is not None:
        inputs = intake.with_trial(inputs, intake.read_trial(trial), file=trial.name)
    travel = Travel.of(study)
    standard = study.standard
    progress("snap")
    station_snap = snap(net, inputs.stations, study)
    demand_snap = snap(net, inputs.demand, study)
    progress("times")
    matrix_limit_s = max(travel.limit_s * SPEED_RANGE, LONGEST_BAND_S, *(m * 60.0 for m in standard.minutes))
    router = travel.router(net)
    matrix = router.matrix(station_snap, demand_snap, limit_s=matrix_limit_s)
    far = router.nearest(station_snap, demand_snap, limit_s=max(FAR_S, matrix_limit_s))
    progress("coverage")
    open_at = intake.open_at(list(inputs.stations["hours"]), standard.times)
    covered = coverage.cover(
        demand=inputs.demand,
        demand_snap=demand_snap,
        times_matrix=matrix.transposed(),
        matrix_limit_s=matrix_limit_s,
        stations=inputs.stations,
        station_snap=station_snap,
        communities=inputs.communities,
        open_at=open_at,
        times=standard.times,
        services=standard.services,
        limit_s=travel.limit_s,
        minutes=standard.minutes,
        straight_limit_m=travel.straight_limit_m,
        speed_kmh=travel.speed_kmh or 0.0,
    )
    progress("isochrones")
    bands, station_bands, shares = shapes(net, router, inputs, station_snap, far, study)
    progress("gaps")
    found = gaps.find_gaps(
        demand=covered.demand,
        communities=inputs.communities,
        stations=inputs.stations,
        network=net,
        station_snap=station_snap,
        demand_snap=demand_snap,
        far_field=far,
        limit_s=travel.limit_s,
        straight_limit_m=travel.straight_limit_m,
        layer=main_layer(inputs),
        mode=travel.mode,
    )
    progress("siting")
    where = (
        None
        if nothing_asked(inputs, study)
        else answer(net, inputs, study, known=Known(router, demand_snap, found))
    )
    sites = no_sites() if where is None else where.sites
    within = siting.within(matrix, travel.limit_s)
    result = StudyResult(
        name=study.study.name,
        edition=study.study.edition,
        language=study.study.language,
        synthetic=inputs.synthetic,
        standard=_standard(study),
        publish=study.publish.model_dump(),
        inputs=inputs,
        network=net,
        station_snap=station_snap,
        demand_snap=demand_snap,
        coverage=covered,
        times=standard.times,
        open_at=open_at,
        station_bands=station_bands,
        bands=bands,
        gaps=found,
        recommendations=sites,
        plan=None if where is None else where.plan,
        stages=None if where is None else where.stages,
        stations_worth=worth_of_stations(inputs, covered.demand, within),
        problems=None
        if inputs.problems is None
        else report.problems_frame(inputs.problems, far, inputs.stations, found),
        moves=moves(net, inputs, study, stations=station_snap, demand=demand_snap, sites=sites),
    )
    return replace(
        result, summary=report.summarise(result, network.diagnose(net, area=_area(inputs)), shares)
    )


def _standard(study: Study) -> dict[str, Any]:
    standard = study.standard.model_dump(mode="json")
    return {**standard, "speed_kmh": Travel.of(study).speed_kmh}


def _area(inputs: Inputs) -> Any:
    return inputs.area.geometry.iloc[0]
