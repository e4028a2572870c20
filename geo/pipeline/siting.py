"""Where next: a study's stations, venues and demand as a task for siting, and its answer in words and places."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from geo import report, siting
from geo.config import SitingSection, Study
from geo.errors import InputError
from geo.models import Bool, Inputs, RoadNetwork
from geo.pipeline.inputs import Progress, load
from geo.pipeline.sites import stages_frame
from geo.pipeline.siting_ask import whom_to_ask
from geo.pipeline.siting_case import Case, make_case

WORKERS = "workers"  # the demand layer told beside the people
UNSTAGED = frozenset({"share", "worst"})
NO_STAGES = "覆盖比例和最远两个目标不分期 / there are no stages for a share and for the worst case"


@dataclass(frozen=True, slots=True)
class WhereNext:
    """The answer to a study's ``[siting]``.

    ``sites``: one row an opened venue, ``rank venue_id name kind lon lat gain workers communities_gain(list of {name, people, workers})
    minutes_saved overlap services hours instead instead_loss kept_slow kept_fast kept_refused geometry``
    (EPSG:4326; ``workers``: of the demand layer of that name, newly within the standard, 0 without such a
    layer; ``served``, with a capacity only: people assigned to it; ``instead_loss`` in people, in person-minutes for *minutes*, in minutes for *worst*); ``closed``: stations to close, ``station_id name lost``; ``stations``: what each
    existing station alone reaches, ``station_id name lost redundant``; ``stages``: ``stage venue_id name value gain
    best bound price proven``; ``alternatives``: ``rank names objective``; ``ask``: for each gap the venues to ask,
    ``gap venue kind people``. ``covered``: people within the standard without
    and with the plan. ``notes``: what was
    taken differently from what was asked (Chinese / English).
    """

    asked: SitingSection
    answer: siting.Answer
    sites: gpd.GeoDataFrame
    closed: pd.DataFrame
    stations: pd.DataFrame
    stages: pd.DataFrame
    alternatives: pd.DataFrame
    ask: pd.DataFrame
    notes: tuple[str, ...]
    covered: tuple[float, float]
    name: str
    edition: str
    minutes: float
    synthetic: bool


def where_next(
    study: Study,
    *,
    cache_dir: Path | None = None,
    progress: Progress = lambda _stage: None,
    ready: tuple[RoadNetwork, Inputs] | None = None,
) -> WhereNext:
    """Answer a study's ``[siting]``: the plan with its proof, and what each site is worth.

    ``ready``: the network and inputs where they are loaded already.
    Raises :class:`geo.errors.InputError` for names that are no venue's, demand layers that are not there
    and a study without venues.
    """
    net, inputs = ready or load(study, cache_dir=cache_dir, progress=progress)
    asked = study.siting
    if inputs.venues.empty and not asked.close:
        raise InputError(
            "没有候选场所：给出 [venues] 或含设施的道路文件 / no venues; give [venues] or a roads file with amenities"
        )
    progress("times")
    case = make_case(net, inputs, study)
    progress("siting")
    answer = siting.solve(case.task, time_limit_s=asked.time_limit_s)
    venues, stations = inputs.venues.reset_index(drop=True), inputs.stations.reset_index(drop=True)
    standing_only = replace(case.task, weights=case.people, times=case.times)
    lost = siting.losses(standing_only)[: len(stations)]
    station_rows = stations[["station_id", "name"]].assign(lost=lost, redundant=lost == 0)
    closed = station_rows.iloc[list(answer.closed)].drop(columns="redundant").reset_index(drop=True)
    return WhereNext(
        asked=asked,
        answer=answer,
        sites=_sites(case, answer, inputs, venues, count=len(stations)),
        closed=closed,
        stations=station_rows.sort_values("lost", kind="stable").reset_index(drop=True),
        stages=_stages(case, asked, venues, count=len(stations)),
        alternatives=_alternatives(case, asked, answer),
        ask=whom_to_ask(case, net, inputs, study),
        notes=(*case.notes, *((NO_STAGES,) if asked.stages and asked.goal in UNSTAGED else ())),
        covered=_covered(standing_only, answer),
        name=study.study.name,
        edition=study.study.edition,
        minutes=study.standard.limit_minutes,
        synthetic=inputs.synthetic,
    )


def _covered(plain: siting.Task, answer: siting.Answer) -> tuple[float, float]:
    """People within the standard without and with the plan; by assignment where capacity is a rule."""
    stands = plain.stands()
    standing = stands.copy()
    standing[list(answer.opened)] = True
    standing[list(answer.closed)] = False
    before, after = (
        float(plain.weights[siting.reached_times(plain, s) > 0].sum()) for s in (stands, standing)
    )
    return before, min(after, answer.after) if answer.loads else after


def write_where_next(found: WhereNext, folder: Path) -> tuple[str, ...]:
    """Write sites.xlsx, recommendations.geojson and, with stages, curve.png; returns what could not be written and why."""
    sheets = {
        "选址建议 Sites": found.sites,
        "关闭 Close": found.closed,
        "现有驿站 Stations": found.stations,
        "分期 Stages": found.stages,
        "其他方案 Alternatives": found.alternatives,
        "招募 Whom to ask": found.ask,
    }
    kept = {name: frame for name, frame in sheets.items() if len(frame)}
    kept = kept or {"选址建议 Sites": found.sites}
    title = f"{found.name} {found.edition}"
    report.write_siting(kept, found.sites, folder, title=title, synthetic=found.synthetic)
    refused = (
        report.write_curve(found.stages, folder / "curve.png", title=title) if len(found.stages) else None
    )
    return () if refused is None else (refused,)


def write_call(found: WhereNext, path: Path) -> str | None:
    """Write 驿站招募令, the recruitment call, as a one-page PDF; returns why not where it can't be made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return report.write_call(
        found.ask,
        path,
        name=found.name,
        edition=found.edition,
        minutes=found.minutes,
        synthetic=found.synthetic,
    )


def _sites(
    case: Case, answer: siting.Answer, inputs: Inputs, venues: pd.DataFrame, *, count: int
) -> gpd.GeoDataFrame:
    plain = replace(case.task, goal="cover", weights=case.people, times=case.times, rules=siting.Rules())
    items = {item.site: item for item in siting.explain(case.task, answer)}
    stands = plain.stands()
    kept = stands.copy()
    kept[list(answer.closed)] = False
    left = np.where(siting.reached_times(plain, kept) > 0, 0.0, case.people)
    workers = np.where(
        (inputs.demand["layer"] == WORKERS).to_numpy(), inputs.demand["weight"].to_numpy(dtype=float), 0.0
    )
    workers = np.where(siting.reached_times(plain, kept) > 0, 0.0, workers)
    names = list(inputs.communities["name"]) if len(inputs.communities) else []
    community = inputs.demand["community"].to_numpy(dtype=int)
    order = sorted(answer.opened, key=lambda j: (-items[j].last, j))
    rows = []
    for rank, site in enumerate(order, start=1):
        item, venue = items[site], venues.iloc[site - count]
        points = case.times.indices[case.times.indptr[site] : case.times.indptr[site + 1]]
        gains = (
            pd.DataFrame({"people": left[points], "workers": workers[points]})
            .groupby(community[points])
            .sum()
            .sort_values(["people", "workers"], ascending=False, kind="stable")
        )
        people, working = float(left[points].sum()), float(workers[points].sum())
        left[points], workers[points] = 0.0, 0.0
        alone = _alone(plain, site, kept)
        slow, fast = _alone(case.slow, site, kept), _alone(case.fast, site, kept)
        rows.append(
            {
                "rank": rank, "venue_id": venue["venue_id"], "name": venue["name"], "kind": venue["kind"],
                "lon": float(venue["lon"]), "lat": float(venue["lat"]), "gain": people,
                "workers": working,
                "communities_gain": [
                    {"name": names[c] if c >= 0 else "", "people": float(p), "workers": float(w)}
                    for c, p, w in zip(
                        gains.index.to_numpy(dtype=int), gains["people"], gains["workers"], strict=True
                    )
                    if p > 0 or w > 0
                ],
                "minutes_saved": item.seconds_saved / 60.0, "overlap": _overlap(plain, site, kept),
                "services": venue["services"], "hours": venue["hours"],
                "instead": case.task.name(item.instead) if item.instead >= 0 else "",
                "instead_loss": item.instead_loss / (60.0 if case.task.goal in {"minutes", "worst"} else 1.0),
                "kept_slow": slow / alone if alone else 0.0, "kept_fast": fast / alone if alone else 0.0,
                "kept_refused": item.kept_refused,
            }
        )  # fmt: skip
    columns = [
        "rank", "venue_id", "name", "kind", "lon", "lat", "gain", "workers", "communities_gain", "minutes_saved",
        "overlap", "services", "hours", "instead", "instead_loss", "kept_slow", "kept_fast", "kept_refused",
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    if answer.loads:
        frame = frame.assign(served=[answer.loads[site] for site in order])
    shapes = gpd.points_from_xy(frame["lon"].astype(float), frame["lat"].astype(float))
    return gpd.GeoDataFrame(frame, geometry=shapes, crs="EPSG:4326")


def _overlap(task: siting.Task, site: int, kept: Bool) -> float:
    """Share of the people in a site's reach whom the stations that stay reach too."""
    points = task.times.indices[task.times.indptr[site] : task.times.indptr[site + 1]]
    people = float(task.weights[points].sum())
    return 1.0 - _alone(task, site, kept) / people if people else 0.0


def _alone(task: siting.Task, site: int, kept: Bool) -> float:
    """What a site adds to the stations that stay."""
    before = siting.reached_times(task, kept) > 0
    points = task.times.indices[task.times.indptr[site] : task.times.indptr[site + 1]]
    return float(task.weights[points][~before[points]].sum())


def _stages(case: Case, asked: SitingSection, venues: pd.DataFrame, *, count: int) -> pd.DataFrame:
    up_to = 0 if asked.goal in UNSTAGED else asked.stages
    return stages_frame(case.task, venues, up_to=up_to, time_limit_s=asked.time_limit_s, count=count)


def _alternatives(case: Case, asked: SitingSection, answer: siting.Answer) -> pd.DataFrame:
    others = (
        siting.alternatives(case.task, answer, count=asked.alternatives, time_limit_s=asked.time_limit_s)
        if asked.alternatives
        else []
    )
    unit = 60.0 if case.task.goal in {"minutes", "worst"} else 1.0  # the engine counts seconds
    rows = [
        (k, [case.task.name(j) for j in other.opened], other.objective / unit)
        for k, other in enumerate(others, start=1)
    ]
    return pd.DataFrame(rows, columns=["rank", "names", "objective"])
