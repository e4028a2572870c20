"""Where next: a study's stations, venues and demand as a task for siting, and its answer in words and places."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo import intake, report, siting
from geo.config import SitingSection, Study
from geo.errors import Defect, InputError
from geo.models import F64, Bool, Inputs, RoadNetwork, TravelMatrix
from geo.pipeline.inputs import Progress, load
from geo.pipeline.travel import Travel, main_layer, snap

FAR_S = 3600.0  # how far minutes are counted; who is farther counts this much
SPEED_RANGE = 1.1  # robustness is told at ± 10 % speed
ASKED_EACH = 2  # venues named for each community
DECLARED_SHARE = 1e-6  # floors beyond what anybody reaches are lowered to it, less this


@dataclass(frozen=True, slots=True)
class WhereNext:
    """The answer to a study's ``[siting]``.

    ``sites``: one row an opened venue, ``rank venue_id name kind lon lat gain people communities_gain(list of {name, people})
    minutes_saved overlap services hours instead instead_loss kept_slow kept_fast geometry``
    (EPSG:4326); ``closed``: stations to close, ``station_id name lost``; ``stations``: what each
    existing station alone reaches, ``station_id name lost redundant``; ``stages``: ``stage venue_id name value gain
    best bound price proven``; ``alternatives``: ``rank names objective``; ``ask``: for each gap's community the venues to ask,
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


@dataclass(frozen=True, slots=True)
class _Case:
    """A task, and the people of the plain question behind it (one a point; for explanations)."""

    task: siting.Task
    people: F64
    times: TravelMatrix
    notes: tuple[str, ...]
    slow: siting.Task
    fast: siting.Task


def where_next(
    study: Study, *, cache_dir: Path | None = None, progress: Progress = lambda _stage: None
) -> WhereNext:
    """Answer a study's ``[siting]``: the plan with its proof, and what each site is worth.

    Raises :class:`geo.errors.InputError` for names that are no venue's, demand layers that are not there
    and a study without venues.
    """
    net, inputs = load(study, cache_dir=cache_dir, progress=progress)
    asked = study.siting
    if inputs.venues.empty and not asked.close:
        raise InputError(
            "没有候选场所：给出 [venues] 或含设施的道路文件 / no venues; give [venues] or a roads file with amenities"
        )
    progress("times")
    case = _case(net, inputs, study)
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
        ask=_ask(case, inputs, venues, count=len(stations)),
        notes=case.notes,
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


def _ask(case: _Case, inputs: Inputs, venues: pd.DataFrame, *, count: int) -> pd.DataFrame:
    """Per uncovered community the venues that would reach most of its uncovered people, best first."""
    columns = ["gap", "venue", "kind", "people"]
    if inputs.communities.empty or venues.empty:
        return pd.DataFrame(columns=columns)
    stands = case.task.stands()
    plain = replace(case.task, weights=case.people, times=case.times)
    left = np.where(siting.reached_times(plain, stands) > 0, 0.0, case.people)
    row = inputs.demand["community"].to_numpy(dtype=int)
    site = np.repeat(np.arange(case.times.shape[0]), np.diff(case.times.indptr))
    pairs = pd.DataFrame(
        {"site": site, "community": row[case.times.indices], "people": left[case.times.indices]}
    )
    pairs = pairs[(pairs["people"] > 0) & (pairs["site"] >= count) & (pairs["community"] >= 0)]
    sums: pd.DataFrame = pairs.groupby(["community", "site"])["people"].sum().reset_index()
    sums = sums.sort_values(["people", "site"], ascending=[False, True], kind="stable")
    sums = sums.groupby("community").head(ASKED_EACH)
    names = inputs.communities["name"].to_numpy()
    most = sums.groupby("community")["people"].transform("max")
    sums = sums.assign(most=most).sort_values(
        ["most", "community", "people"], ascending=[False, True, False], kind="stable"
    )
    return pd.DataFrame(
        {
            "gap": [str(names[c]) for c in sums["community"]],
            "venue": [str(venues["name"].iloc[s - count]) for s in sums["site"]],
            "kind": [str(venues["kind"].iloc[s - count]) for s in sums["site"]],
            "people": sums["people"].to_numpy(),
        },
        columns=columns,
    )


def _case(net: RoadNetwork, inputs: Inputs, study: Study) -> _Case:
    asked, travel = study.siting, Travel.of(study)
    stations, venues = inputs.stations.reset_index(drop=True), inputs.venues.reset_index(drop=True)
    places = pd.concat([stations[["lon", "lat"]], venues[["lon", "lat"]]], ignore_index=True)
    router = travel.router(net)
    at, demand_snap = snap(net, places, study), snap(net, inputs.demand, study)
    far = asked.goal in {"minutes", "worst"}
    limit_s = max(FAR_S, travel.limit_s) if far else travel.limit_s
    widest = max(limit_s * SPEED_RANGE, 60.0 * (asked.gradual_minutes or (0, 0))[1])
    reach = router.matrix(at, demand_snap, limit_s=widest)
    layer_weights = _layer_weights(inputs, asked)
    people = layer_weights * inputs.demand["weight"].to_numpy(dtype=float)
    names = (*stations["name"].map(str), *venues["name"].map(str))
    existing = np.arange(len(places)) < len(stations)
    counts = _counting(inputs, asked, len(places))
    base = [(people / len(counts), siting.within(_masked(reach, offers), limit_s)) for offers in counts]
    weights, times = siting.stacked(base) if len(base) > 1 else base[0]
    if asked.gradual_minutes is not None:
        graded = [
            siting.gradual(
                people / len(counts), _masked(reach, offers),
                full_s=asked.gradual_minutes[0] * 60.0, none_s=asked.gradual_minutes[1] * 60.0,
            )
            for offers in counts
        ]  # fmt: skip
        weights, times = siting.stacked(graded)
    copies = len(weights) // len(people)
    notes: list[str] = []
    rules = siting.Rules(
        must=_named(asked.must, inputs, "must", offset=len(stations), stations=True),
        forbidden=_named(asked.refuse, inputs, "refuse", offset=len(stations), stations=False),
        groups=_groups(inputs, asked, offset=len(stations)),
        apart=_apart(router.matrix(at, at, limit_s=asked.spacing_minutes * 60.0), existing)
        if asked.spacing_minutes
        else (),
        floors=_floors(inputs, asked, times, weights, copies, notes),
        capacity=None if asked.capacity is None else np.where(existing, np.inf, asked.capacity),
    )
    costs = None
    if asked.costs:
        kinds = [*stations["kind"].map(str), *venues["kind"].map(str)]
        costs = np.array([asked.costs.get(k, asked.costs.get("other", 1.0)) for k in kinds])
    task = siting.Task(
        weights=weights, times=times, goal=asked.goal, existing=existing,
        add=None if asked.goal == "share" or asked.budget is not None else asked.add,
        close=asked.close, move=asked.move, share=asked.share, beyond_s=limit_s,
        costs=costs, budget=asked.budget, rules=rules, names=names,
    )  # fmt: skip
    counted = _masked(reach, np.logical_or.reduce(counts))
    plain = siting.within(counted, travel.limit_s)
    cover = replace(task, goal="cover", weights=people, rules=siting.Rules())
    return _Case(
        task=task, people=people, times=plain, notes=tuple(notes),
        slow=replace(cover, times=siting.within(counted, travel.limit_s / SPEED_RANGE)),
        fast=replace(cover, times=siting.within(counted, travel.limit_s * SPEED_RANGE)),
    )  # fmt: skip


def _layer_weights(inputs: Inputs, asked: SitingSection) -> F64:
    layers = list(dict.fromkeys(inputs.demand["layer"]))
    unknown = [name for name in asked.layers if name not in layers]
    if unknown:
        raise InputError(
            [
                Defect(
                    f"没有需求层 {name!r}；现有 / no demand layer; there are: {' '.join(layers)}",
                    key="siting.layers",
                )
                for name in unknown
            ]
        )
    wanted = asked.layers or {main_layer(inputs): 1.0}
    return inputs.demand["layer"].map(lambda name: wanted.get(name, 0.0)).to_numpy(dtype=float)


def _counting(inputs: Inputs, asked: SitingSection, count: int) -> list[Bool]:
    """For each service and hour asked for: which stations and venues offer it then (unknown hours: never)."""
    services = [*inputs.stations["services"], *inputs.venues["services"]]
    hours = [*inputs.stations["hours"], *inputs.venues["hours"]]
    open_then = intake.open_at(hours, asked.times) if asked.times else np.ones((count, 1), dtype=np.bool_)
    cells = []
    for service in asked.services or ("",):
        offers = np.array([not service or service in have for have in services], dtype=np.bool_)
        cells += [offers & open_then[:, t] for t in range(open_then.shape[1])]
    return cells


def _masked(times: TravelMatrix, keep: Bool) -> TravelMatrix:
    """``times`` without the pairs of the sites that do not count."""
    pairs = np.repeat(keep, np.diff(times.indptr))
    ends = np.concatenate(([0], np.cumsum(pairs)))[times.indptr]
    return TravelMatrix(ends.astype(np.int64), times.indices[pairs], times.seconds[pairs], times.shape)


def _named(
    wanted: tuple[str, ...], inputs: Inputs, key: str, *, offset: int, stations: bool
) -> tuple[int, ...]:
    known: dict[str, int] = {}
    for row, (number, name) in enumerate(zip(inputs.venues["venue_id"], inputs.venues["name"], strict=True)):
        known.setdefault(str(name), row + offset)
        known[str(number)] = row + offset
    if stations:
        for row, (number, name) in enumerate(
            zip(inputs.stations["station_id"], inputs.stations["name"], strict=True)
        ):
            known.setdefault(str(name), row)
            known[str(number)] = row
    defects = []
    for name in wanted:
        if name not in known:
            like = "、".join(difflib.get_close_matches(name, known, n=3)) or "—"
            defects.append(
                Defect(
                    f"没有名为 {name!r} 的场所；相近：{like} / no venue of that name; near: {like}",
                    key=f"siting.{key}",
                )
            )
    if defects:
        raise InputError(defects)
    return tuple(dict.fromkeys(known[name] for name in wanted))


def _areas(inputs: Inputs, by: str, points: pd.DataFrame) -> list[Any]:
    """The community or street of each row of ``points``, None outside all."""
    where = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(points["lon"], points["lat"]),
        crs=inputs.communities.crs,
        index=points.index,
    )
    column = "community_id" if by == "community" else "street"
    joined = where.sjoin(inputs.communities[[column, "geometry"]], how="left", predicate="intersects")
    joined = joined[~joined.index.duplicated()]
    return [None if pd.isna(v) else v for v in joined[column]]


def _groups(inputs: Inputs, asked: SitingSection, *, offset: int) -> tuple[siting.Group, ...]:
    if not asked.one_per or inputs.communities.empty or inputs.venues.empty:
        return ()
    of = _areas(inputs, asked.one_per, inputs.venues.reset_index(drop=True))
    rows = pd.Series(np.arange(len(of)) + offset).groupby(pd.Series(of, dtype=object)).apply(list)
    return tuple(siting.Group(tuple(sites), 1, str(name)) for name, sites in rows.items() if len(sites) > 1)


def _apart(near: TravelMatrix, existing: Bool) -> tuple[tuple[int, int], ...]:
    """Pairs of sites nearer than the spacing, either way; two that both stand are not asked about."""
    row = np.repeat(np.arange(near.shape[0]), np.diff(near.indptr))
    pairs = {
        (min(a, b), max(a, b)) for a, b in zip(row.tolist(), near.indices.tolist(), strict=True) if a != b
    }
    return tuple(sorted(p for p in pairs if not (existing[p[0]] and existing[p[1]])))


def _floors(
    inputs: Inputs, asked: SitingSection, times: TravelMatrix, weights: F64, copies: int, notes: list[str]
) -> tuple[siting.Floor, ...]:
    """A floor for each street or community, no higher than what any plan can reach there."""
    communities, floors = inputs.communities, []
    reachable = np.zeros(len(weights), dtype=np.bool_)
    reachable[times.indices] = True
    row = inputs.demand["community"].to_numpy(dtype=int)
    for share, column in ((asked.floor_streets, "street"), (asked.floor_communities, "community_id")):
        if not share or communities.empty:
            continue
        label = communities[column].to_numpy()
        shown = communities["name" if column == "community_id" else "street"].to_numpy()
        for name in dict.fromkeys(label[pd.notna(label)]):
            inside = np.tile((row >= 0) & (label[np.maximum(row, 0)] == name), copies) & (weights > 0)
            total = float(weights[inside].sum())
            if total == 0:
                continue
            ceiling = float(weights[inside & reachable].sum()) / total
            called = str(shown[label == name][0])
            if ceiling < share:
                notes.append(
                    f"“{called}”任何方案至多 {100 * ceiling:.1f} %，下限随之降低 / "
                    f"no plan reaches more than {100 * ceiling:.1f} % of “{called}”; its floor is lowered to that"
                )
            kept = min(share, ceiling * (1 - DECLARED_SHARE))
            floors.append(siting.Floor(tuple(np.flatnonzero(inside).tolist()), kept, called))
    return tuple(floors)


def _sites(
    case: _Case, answer: siting.Answer, inputs: Inputs, venues: pd.DataFrame, *, count: int
) -> gpd.GeoDataFrame:
    plain = replace(case.task, goal="cover", weights=case.people, times=case.times, rules=siting.Rules())
    items = {item.site: item for item in siting.explain(case.task, answer)}
    stands = plain.stands()
    kept = stands.copy()
    kept[list(answer.closed)] = False
    left = np.where(siting.reached_times(plain, kept) > 0, 0.0, case.people)
    names = list(inputs.communities["name"]) if len(inputs.communities) else []
    community = inputs.demand["community"].to_numpy(dtype=int)
    order = sorted(answer.opened, key=lambda j: (-items[j].last, j))
    rows = []
    for rank, site in enumerate(order, start=1):
        item, venue = items[site], venues.iloc[site - count]
        points = case.times.indices[case.times.indptr[site] : case.times.indptr[site + 1]]
        gains = (
            pd.Series(left[points])
            .groupby(community[points])
            .sum()
            .sort_values(ascending=False, kind="stable")
        )
        people = float(left[points].sum())
        left[points] = 0.0
        alone = _alone(plain, site, kept)
        slow, fast = _alone(case.slow, site, kept), _alone(case.fast, site, kept)
        rows.append(
            {
                "rank": rank, "venue_id": venue["venue_id"], "name": venue["name"], "kind": venue["kind"],
                "lon": float(venue["lon"]), "lat": float(venue["lat"]), "gain": people,
                "communities_gain": [
                    {"name": names[c] if c >= 0 else "", "people": float(w)}
                    for c, w in zip(gains.index.to_numpy(dtype=int), gains, strict=True) if w > 0
                ],
                "minutes_saved": item.seconds_saved / 60.0, "overlap": _overlap(plain, site, kept),
                "services": venue["services"], "hours": venue["hours"],
                "instead": case.task.name(item.instead) if item.instead >= 0 else "",
                "instead_loss": item.instead_loss / (60.0 if case.task.goal == "minutes" else 1.0),
                "kept_slow": slow / alone if alone else 0.0, "kept_fast": fast / alone if alone else 0.0,
            }
        )  # fmt: skip
    columns = [
        "rank", "venue_id", "name", "kind", "lon", "lat", "gain", "communities_gain", "minutes_saved", "overlap",
        "services", "hours", "instead", "instead_loss", "kept_slow", "kept_fast",
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
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


def _stages(case: _Case, asked: SitingSection, venues: pd.DataFrame, *, count: int) -> pd.DataFrame:
    columns = ["stage", "venue_id", "name", "value", "gain", "best", "bound", "price", "proven"]
    if not asked.stages or asked.goal in {"share", "worst"}:
        return pd.DataFrame(columns=columns)
    found = siting.stages(case.task, up_to=asked.stages, time_limit_s=asked.time_limit_s)
    start = siting.worth(case.task, case.task.stands())
    values = np.concatenate(([abs(start)], found.nested))
    rows = [
        (k + 1, venues.iloc[site - count]["venue_id"], case.task.name(site), found.nested[k],
         abs(values[k + 1] - values[k]), found.best[k], found.bound[k], abs(found.best[k] - found.nested[k]),
         found.proven[k])
        for k, site in enumerate(found.order)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _alternatives(case: _Case, asked: SitingSection, answer: siting.Answer) -> pd.DataFrame:
    others = (
        siting.alternatives(case.task, answer, count=asked.alternatives, time_limit_s=asked.time_limit_s)
        if asked.alternatives
        else []
    )
    rows = [
        (k, [case.task.name(j) for j in other.opened], other.objective)
        for k, other in enumerate(others, start=1)
    ]
    return pd.DataFrame(rows, columns=["rank", "names", "objective"])
