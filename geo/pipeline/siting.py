"""Where next: a study's stations, venues and demand as a task for siting, and its answer in words and places."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from geo import report, siting, travel_times
from geo.config import SitingSection, Study
from geo.errors import InputError
from geo.models import F64, Bool, Inputs, Plan, RoadNetwork, Snapped
from geo.pipeline.inputs import Progress, load
from geo.pipeline.sites import stages_frame
from geo.pipeline.siting_ask import whom_to_ask
from geo.pipeline.siting_case import Case, make_case
from geo.pipeline.siting_lacks import lacks
from geo.pipeline.siting_words import said
from geo.pipeline.travel import Travel, snap

WORKERS = "workers"  # the demand layer told beside the people
IN_MINUTES = frozenset({"minutes", "worst"})
FEWEST_S = 20.0  # longest search for how many sites the worst case takes
UNSTAGED = frozenset({"share", "worst"})
NO_STAGES = (
    "覆盖比例、最远两个目标，以及关站、迁站，不分期 / "
    "there are no stages for a share, for the worst case, and where stations close or move"
)
SITE_COLUMNS = [
    "rank", "venue_id", "name", "kind", "lon", "lat", "gain", "workers", "communities_gain", "minutes_saved",
    "overlap", "services", "hours", "services_gain", "hours_gain", "instead", "instead_loss", "kept_slow", "kept_fast", "kept_refused",
]  # fmt: skip


def rest() -> None:
    """End what goes on between questions, so that this process may be forked; the next question begins it again."""
    siting.end_threads()


@dataclass(frozen=True, slots=True)
class WhereNext:
    """The answer to a study's ``[siting]``.

    ``sites``: one row an opened venue, ``rank venue_id name kind lon lat gain workers communities_gain(list of {name, people, workers})
    minutes_saved overlap services hours services_gain(list of {service, people, has}) hours_gain(list of {time, people, has})
    instead instead_loss kept_slow kept_fast kept_refused geometry``
    (EPSG:4326; ``services_gain`` and ``hours_gain``: people whom no station serves so, and whom this one would if it
    offered the service, if it were open then; ``workers``: of the demand layer of that name, newly within the standard, 0 without such a
    layer; ``served``, with a capacity only: people assigned to it; ``instead_loss`` in people, in person-minutes for *minutes*, in minutes for *worst*); ``closed``: stations to close, ``station_id name lost``; ``stations``: what each
    existing station alone reaches, ``station_id name lost redundant``; ``stages``: ``stage venue_id name value gain
    best bound price proven``; ``alternatives``: ``rank names differs objective proven``; ``ask``: for each gap the venues to ask,
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
    people: float
    name: str
    edition: str
    minutes: float
    synthetic: bool

    @property
    def plan(self) -> Plan:
        """The answer as every output tells it."""
        unit = 60.0 if self.answer.goal in IN_MINUTES else 1.0  # the engine counts seconds
        return Plan(
            goal=self.answer.goal,
            status=self.answer.status,
            objective=self.answer.objective / unit,
            bound=self.answer.bound / unit,
            gap=self.answer.gap,
            covered_before=self.covered[0],
            covered_after=self.covered[1],
            total=self.people,
            said=said(self.asked),
            conflict=self.answer.conflict,
            notes=self.notes,
            closed=self.closed,
            alternatives=self.alternatives,
            ask=self.ask,
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What a build has computed before siting: the router, the demand on the roads, the gaps of the main layer."""

    router: travel_times.Router
    demand: Snapped
    gaps: gpd.GeoDataFrame


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
    if inputs.venues.empty and not study.siting.close:
        raise InputError(
            "没有候选场所：给出 [venues] 或含设施的道路文件 / no venues; give [venues] or a roads file with amenities"
        )
    return answer(net, inputs, study, progress=progress)


def nothing_asked(inputs: Inputs, study: Study) -> bool:
    """Whether there is nothing to choose: no venue and nothing to close, or not one more station wished for."""
    asked = study.siting
    wants = asked.add or asked.goal == "share" or asked.budget is not None or asked.move
    return not asked.close and (inputs.venues.empty or not wants)


def answer(
    net: RoadNetwork,
    inputs: Inputs,
    study: Study,
    *,
    known: Known | None = None,
    progress: Progress = lambda _stage: None,
) -> WhereNext:
    """:func:`where_next` over a network and inputs that are loaded; ``known`` saves computing it again."""
    asked = study.siting
    progress("times")
    router = known.router if known else Travel.of(study).router(net)
    demand = known.demand if known else snap(net, inputs.demand, study)
    case = make_case(net, inputs, study, router=router, demand=demand)
    progress("siting")
    found = siting.solve(case.task, time_limit_s=asked.time_limit_s)
    venues, stations = inputs.venues.reset_index(drop=True), inputs.stations.reset_index(drop=True)
    standing_only = replace(case.task, weights=case.people, times=case.times)
    lost = siting.losses(standing_only)[: len(stations)]
    station_rows = stations[["station_id", "name"]].assign(lost=lost, redundant=lost == 0)
    closed = station_rows.iloc[list(found.closed)].drop(columns="redundant").reset_index(drop=True)
    return WhereNext(
        asked=asked,
        answer=found,
        sites=_sites(case, found, inputs, study, venues, count=len(stations)),
        closed=closed,
        stations=station_rows.sort_values("lost", kind="stable").reset_index(drop=True),
        stages=_stages(case, asked, venues, count=len(stations)),
        alternatives=_alternatives(case, asked, found),
        ask=whom_to_ask(
            case, net, inputs, study, router=router, demand_snap=demand, known=known.gaps if known else None
        ),
        notes=(
            *case.notes,
            *((NO_STAGES,) if asked.stages and _unstaged(asked) else ()),
            *_fewest(case.task, found),
        ),
        covered=_covered(standing_only, found),
        people=float(case.people.sum()),
        name=study.study.name,
        edition=study.study.edition,
        minutes=study.standard.limit_minutes,
        synthetic=inputs.synthetic,
    )


def _covered(plain: siting.Task, found: siting.Answer) -> tuple[float, float]:
    """People within the standard without and with the plan; by assignment where capacity is a rule."""
    stands = plain.stands()
    standing = stands.copy()
    standing[list(found.opened)] = True
    standing[list(found.closed)] = False
    before, after = (
        float(plain.weights[siting.reached_times(plain, s) > 0].sum()) for s in (stands, standing)
    )
    return before, min(after, found.after) if found.loads else after


def write_where_next(found: WhereNext, folder: Path) -> tuple[str, ...]:
    """Write sites.xlsx, recommendations.geojson and, with stages, curve.png; returns what could not be written and why."""
    sheets = {
        "方案 Plan": report.plan_frame(found.plan, add=len(found.sites)),
        "选址建议 Sites": found.sites,
        "关闭 Close": found.closed,
        "现有驿站 Stations": found.stations,
        "分期 Stages": found.stages,
        "其他方案 Alternatives": found.alternatives,
        "招募 Whom to ask": found.ask,
    }
    kept = {name: frame for name, frame in sheets.items() if len(frame)}
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
    case: Case, found: siting.Answer, inputs: Inputs, study: Study, venues: pd.DataFrame, *, count: int
) -> gpd.GeoDataFrame:
    plain = replace(case.task, goal="cover", weights=case.people, times=case.times, rules=siting.Rules())
    items = {item.site: item for item in siting.explain(case.task, found)}
    stands = plain.stands()
    kept = stands.copy()
    kept[list(found.closed)] = False
    left = np.where(siting.reached_times(plain, kept) > 0, 0.0, case.people)
    workers = np.where(
        (inputs.demand["layer"] == WORKERS).to_numpy(), inputs.demand["weight"].to_numpy(dtype=float), 0.0
    )
    workers = np.where(siting.reached_times(plain, kept) > 0, 0.0, workers)
    names = list(inputs.communities["name"]) if len(inputs.communities) else []
    community = inputs.demand["community"].to_numpy(dtype=int)
    lacking = lacks(case, inputs, study, kept)
    order = _ranked(case.task.goal, case, left, {j: item.last for j, item in items.items()})
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
        reach = slice(case.reach.indptr[site], case.reach.indptr[site + 1])
        services, hours = lacking.gained(case.reach.indices[reach], site - count)
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
                "services": venue["services"], "hours": venue["hours"], "services_gain": services, "hours_gain": hours,
                "instead": case.task.name(item.instead) if item.instead >= 0 else "",
                "instead_loss": item.instead_loss / (60.0 if case.task.goal in IN_MINUTES else 1.0),
                "kept_slow": slow / alone if alone else 0.0, "kept_fast": fast / alone if alone else 0.0,
                "kept_refused": item.kept_refused,
            }
        )  # fmt: skip
    frame = pd.DataFrame(rows, columns=SITE_COLUMNS)
    if found.loads:
        frame = frame.assign(served=[found.loads[site] for site in order])
    return _placed(frame)


def no_sites() -> gpd.GeoDataFrame:
    """The sites of a plan that opens none."""
    return _placed(pd.DataFrame(columns=SITE_COLUMNS))


def _placed(frame: pd.DataFrame) -> gpd.GeoDataFrame:
    shapes = gpd.points_from_xy(frame["lon"].astype(float), frame["lat"].astype(float))
    return gpd.GeoDataFrame(frame, geometry=shapes, crs="EPSG:4326")


def _ranked(goal: siting.Goal, case: Case, left: F64, last: dict[int, float]) -> list[int]:
    """The opened sites, the one to ask first in front: by what each adds to those before it, where people count."""
    if goal in IN_MINUTES:
        return sorted(last, key=lambda j: (-last[j], j))
    left, order = left.copy(), list[int]()
    while len(order) < len(last):
        gains = {
            j: float(left[case.times.indices[case.times.indptr[j] : case.times.indptr[j + 1]]].sum())
            for j in last
            if j not in order
        }
        best = min(gains, key=lambda j: (-gains[j], -last[j], j))
        left[case.times.indices[case.times.indptr[best] : case.times.indptr[best + 1]]] = 0.0
        order.append(best)
    return order


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


def _fewest(task: siting.Task, found: siting.Answer) -> tuple[str, ...]:
    """Where the worst case leaves people out with so few sites: how many it takes."""
    if task.goal != "worst" or found.status != "infeasible" or task.budget is not None:
        return ()
    everybody = replace(task, goal="share", share=1.0, add=None, costs=None)
    enough = siting.solve(everybody, time_limit_s=FEWEST_S)
    if enough.status != "optimal":
        return ()
    count = len(enough.opened)
    return (
        f"要让凡有场所可达者都可达，至少须新增 {count} 处 / to reach everyone whom some venue reaches takes {count} new at least",
    )


def _unstaged(asked: SitingSection) -> bool:
    return asked.goal in UNSTAGED or bool(asked.close or asked.move)


def _stages(case: Case, asked: SitingSection, venues: pd.DataFrame, *, count: int) -> pd.DataFrame:
    up_to = 0 if _unstaged(asked) else asked.stages
    return stages_frame(case.task, venues, up_to=up_to, time_limit_s=asked.time_limit_s, count=count)


def _alternatives(case: Case, asked: SitingSection, found: siting.Answer) -> pd.DataFrame:
    others = (
        siting.alternatives(case.task, found, count=asked.alternatives, time_limit_s=asked.time_limit_s)
        if asked.alternatives
        else []
    )
    unit = 60.0 if case.task.goal in IN_MINUTES else 1.0  # the engine counts seconds
    rows = [
        (
            k, [case.task.name(j) for j in other.opened], _but_for(case, found, other), other.objective / unit,
            other.status == "optimal",
        )
        for k, other in enumerate(others, start=1)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["rank", "names", "differs", "objective", "proven"])


def _but_for(case: Case, found: siting.Answer, other: siting.Answer) -> str:
    """How a plan differs from the best: what it opens and closes more (+), and what it does not (−)."""
    parts = []
    for verb, here, there in (("", found.opened, other.opened), ("关 close ", found.closed, other.closed)):
        parts += [f"−{verb}{case.task.name(j)}" for j in here if j not in there]
        parts += [f"+{verb}{case.task.name(j)}" for j in there if j not in here]
    return "、".join(parts)
