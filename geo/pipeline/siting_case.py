"""A study's stations, venues, demand and rules as a task for siting."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo import intake, siting, travel_times
from geo.config import SitingSection, Study
from geo.errors import Defect, InputError
from geo.models import F64, Bool, Inputs, RoadNetwork, Snapped, TravelMatrix
from geo.pipeline.travel import Travel, main_layer, snap

FAR_S = 3600.0  # how far minutes are counted; who is farther counts this much
SPEED_RANGE = 1.1  # robustness is told at ± 10 % speed
DECLARED_SHARE = 1e-6  # floors beyond what anybody reaches are lowered to it, less this


@dataclass(frozen=True, slots=True)
class Case:
    """A task, and the people of the plain question behind it (one a point; for explanations).

    ``times``: within the standard, of sites that count; ``reach``: of all sites, whatever they offer and when.
    """

    task: siting.Task
    people: F64
    times: TravelMatrix
    reach: TravelMatrix
    notes: tuple[str, ...]
    slow: siting.Task
    fast: siting.Task


def make_case(
    net: RoadNetwork, inputs: Inputs, study: Study, *, router: travel_times.Router, demand: Snapped
) -> Case:
    """The study's ``[siting]`` as a task. Raises :class:`geo.errors.InputError` for names and layers that are not there."""
    asked, travel = study.siting, Travel.of(study)
    stations, venues = inputs.stations.reset_index(drop=True), inputs.venues.reset_index(drop=True)
    places = pd.concat([stations[["lon", "lat"]], venues[["lon", "lat"]]], ignore_index=True)
    at = snap(net, places, study)
    far = asked.goal in {"minutes", "worst"}
    limit_s = max(FAR_S, travel.limit_s) if far else travel.limit_s
    widest = max(limit_s * SPEED_RANGE, 60.0 * (asked.gradual_minutes or (0, 0))[1])
    reach = router.matrix(at, demand, limit_s=widest)
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
    notes = _counted_notes(asked, len(counts))
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
    return Case(
        task=task, people=people, times=plain, reach=siting.within(reach, travel.limit_s), notes=tuple(notes),
        slow=replace(cover, times=siting.within(counted, travel.limit_s / SPEED_RANGE)),
        fast=replace(cover, times=siting.within(counted, travel.limit_s * SPEED_RANGE)),
    )  # fmt: skip


def _counted_notes(asked: SitingSection, cells: int) -> list[str]:
    """What figures stand for where they are not plain people."""
    notes = []
    if any(weight not in (0.0, 1.0) for weight in asked.layers.values()):
        notes.append(
            "人数按所给权重计，并非人头 / people are counted by the weights given: they are not heads"
        )
    if cells > 1:
        notes.append(
            f"目标值是所求 {cells} 种服务与时段的平均 / the goal's figure is the mean over the {cells} services and hours asked for"
        )
    if asked.gradual_minutes is not None:
        notes.append("目标值中较远的人只计一部分 / in the goal's figure those farther away count in part")
    if asked.stages and (asked.floor_streets or asked.floor_communities):
        notes.append(
            "分期不计街道、社区下限，只有整个方案须满足 / stages leave the floors aside: they are for the plan as a whole"
        )
    return notes


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
