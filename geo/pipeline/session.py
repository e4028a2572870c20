"""A computed study kept ready: isochrones, the nearest open stations and what-if, asked as often as one likes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product
from typing import Any, get_args

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import intake, isochrones, travel_times
from geo.config import SitingSection, Study
from geo.errors import Defect, InputError
from geo.intake.trial import Trial, TrialStation, check_trial
from geo.models import F64, SERVICES, Bool, Direction, Mode, Snapped, StudyResult, TravelMatrix
from geo.pipeline.after import gaps_after
from geo.pipeline.alone import largest_reached, reached
from geo.pipeline.siting import WhereNext, where_next
from geo.pipeline.travel import Travel, by_mode, main_layer

FARTHEST_S = 3600.0  # how far the nearest stations are looked for


@dataclass(frozen=True, slots=True)
class Moved:
    """One mode of a study, made ready: its router and the cells that shapes are drawn from."""

    study: Study
    travel: Travel
    router: travel_times.Router
    snapper: travel_times.Snapper
    cells: isochrones.Cells
    stations: Snapped
    demand: Snapped


@dataclass(frozen=True)
class Isochrone:
    """Nested shapes round a position: shape ``i`` is what ``minutes[i]`` reach.

    ``snapped``: longitude and latitude of the position on its way, ``x y`` in metres of the network's plane.
    ``shares``: the false and the missed share of each, where asked for.
    """

    minutes: tuple[float, ...]
    rings: isochrones.Rings
    snapper: travel_times.Snapper
    x: float
    y: float
    shares: tuple[tuple[float, float], ...] = ()

    @cached_property
    def snapped(self) -> tuple[float, float]:
        """Longitude and latitude."""
        return self.snapper.degrees(self.x, self.y)

    @cached_property
    def shapes(self) -> NDArray[np.object_]:
        """A MultiPolygon (EPSG:4326) for each."""
        return self.rings.shapes()


@dataclass(frozen=True)
class Contours:
    """Shapes made plain for small screens (:func:`geo.isochrones.thinned`): ``polygons[i]`` are what ``minutes[i]`` reach.

    Of each polygon its rings, the outer one first, longitudes and latitudes, n × 2; the bare position where nothing is reached.
    ``snapped``: longitude and latitude of the position on its way.
    """

    minutes: tuple[float, ...]
    polygons: tuple[list[list[F64]], ...]
    snapped: tuple[float, float]


class Session:
    """A study's result with its searches prepared; safe to ask from many threads at once.

    ``study`` and ``result`` belong together (:func:`geo.pipeline.run`). Nothing is read or written.
    """

    def __init__(self, study: Study, result: StudyResult) -> None:
        self.study, self.result = study, result
        self._moved = lru_cache(maxsize=8)(self._prepare)
        self._ways = lru_cache(maxsize=4)(self._part_ways)  # the same in both directions

    @cached_property
    def modes(self) -> tuple[Mode, ...]:
        """The modes that can be asked for, the study's own first."""
        return tuple(move.mode for move in self.result.moves)

    def moved(self, mode: Mode | None = None, direction: Direction = "to_station") -> Moved:
        """A mode made ready, towards the stations or away from them. Raises :class:`geo.errors.InputError` for one that the study cannot compute."""
        wanted = mode or self.study.standard.mode
        if wanted not in self.modes:
            raise InputError(
                Defect(
                    f"没有这种方式 {wanted!r}；可用 {' '.join(self.modes)} / no such mode; use one of these",
                    key="mode",
                )
            )
        return self._moved(wanted, direction)

    def warm(self) -> None:
        """Make every mode ready in both directions and ask each once, so that no question waits for a compiler."""
        for mode, direction in product(self.modes, get_args(Direction)):
            at = self.moved(mode, direction).stations
            for i in np.flatnonzero(at.edge >= 0)[:1].tolist():
                self.isochrone(at.lon[i], at.lat[i], minutes=[1.0], mode=mode, direction=direction)
                for least_share in (0.0, 1.0):
                    self.contours(
                        at.lon[i], at.lat[i], minutes=[1.0], mode=mode, direction=direction,
                        tolerance_m=1.0, least_share=least_share,
                    )  # fmt: skip
                if direction == "to_station":
                    self.nearest(at.lon[i], at.lat[i], mode=mode, routes=True)
                    self.scenario(mode=mode, gaps=True)

    def _prepare(self, mode: Mode, direction: Direction) -> Moved:
        study = by_mode(self.study, mode)
        travel = Travel.of(study)
        move = next(m for m in self.result.moves if m.mode == mode)
        net = self.result.network
        snapper, cells = self._ways(mode)
        return Moved(study, travel, travel.router(net, direction), snapper, cells, move.stations, move.demand)

    def _part_ways(self, mode: Mode) -> tuple[travel_times.Snapper, isochrones.Cells]:
        net = self.result.network
        return travel_times.Snapper(net, mode=mode), isochrones.partition(isochrones.prepare(net, mode=mode))

    def snap(self, lon: float, lat: float, *, mode: Mode | None = None) -> Snapped:
        """The position on the nearest usable way. Raises :class:`geo.errors.InputError` where there is none."""
        most = self.study.standard.max_access_m
        origin = self.moved(mode).snapper.snap(np.array([lon]), np.array([lat]), max_access_m=most)
        if origin.edge[0] < 0:
            raise self._far(lon, lat)
        return origin

    def _far(self, lon: float, lat: float) -> InputError:
        most = self.study.standard.max_access_m
        return InputError(
            Defect(
                f"{lon}, {lat}：{most:.0f} 米内没有可走的路 / no usable road within {most:.0f} m; "
                "check the position and its datum",
                key="lon,lat",
            )
        )

    def isochrone(
        self,
        lon: float,
        lat: float,
        *,
        minutes: Sequence[float],
        mode: Mode | None = None,
        shares: bool = True,
        direction: Direction = "to_station",
    ) -> Isochrone:
        """Nested isochrones round a position (WGS-84), minutes ascending, each once.

        ``direction``: ``to_station`` is from where the position is reached, ``from_station`` what is reached from it.
        Raises as :meth:`snap` and :meth:`moved`.
        """
        moved = self.moved(mode, direction)
        wanted = tuple(sorted({float(m) for m in minutes}))
        found = reached(
            moved.snapper, moved.router, moved.cells, lon, lat, [m * 60.0 for m in wanted],
            max_access_m=self.study.standard.max_access_m,
        )  # fmt: skip
        if found is None:
            raise self._far(lon, lat)
        told = (
            isochrones.false_missed_shares(moved.cells.ways, found.rings, found.stretches) if shares else []
        )
        return Isochrone(wanted, found.rings, moved.snapper, found.x, found.y, tuple(told))

    def contours(
        self, lon: float, lat: float, *, minutes: Sequence[float], tolerance_m: float, least_share: float,
        mode: Mode | None = None, direction: Direction = "to_station",
    ) -> Contours:  # fmt: skip
        """As :meth:`isochrone`, the shapes made plain (:func:`geo.isochrones.thinned`)."""
        if least_share < 1.0:
            whole = self.isochrone(lon, lat, minutes=minutes, mode=mode, direction=direction, shares=False)
            wanted, snapped = whole.minutes, whole.snapped
            plain = [
                isochrones.thinned(whole.rings, i, tolerance_m=tolerance_m, least_share=least_share)
                for i in range(len(wanted))
            ]
        else:  # one ring each: nothing else of them is drawn
            moved = self.moved(mode, direction)
            wanted = tuple(sorted({float(m) for m in minutes}))
            found = largest_reached(
                moved.snapper, moved.router, moved.cells, lon, lat, [m * 60.0 for m in wanted],
                max_access_m=self.study.standard.max_access_m, tolerance_m=tolerance_m,
            )  # fmt: skip
            if found is None:
                raise self._far(lon, lat)
            x, y, rings = found
            snapped = moved.snapper.degrees(x, y)
            plain = [[[ring]] if len(ring) else [] for ring in rings]
        bare = [[np.array([snapped] * 4).round(isochrones.DECIMALS)]]
        return Contours(wanted, tuple(polygons or bare for polygons in plain), snapped)

    def nearest(
        self, lon: float, lat: float, *, count: int = 5, at: str | None = None, service: str | None = None,
        mode: Mode | None = None, routes: bool = False,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """The nearest stations that count, by travel time: ``station_id name lon lat minutes open hours services``.

        With ``routes`` also ``route``: longitudes and latitudes, n × 2, from the position along the ways to the station.
        With ``at`` (``Tue 23:00`` or a real moment) only those open then; ``open`` is None where hours are
        unknown and no time is asked. Beyond an hour nothing is nearest. Raises as :meth:`snap`.
        """
        moved = self.moved(mode)
        origin = self.snap(lon, lat, mode=moved.travel.mode)
        counts = self._counting(self.result.inputs.stations, at=at, services=[service] if service else [])
        sources = _only(moved.stations, counts)
        found = moved.router.matrix(sources, origin, limit_s=FARTHEST_S).transposed()
        order = np.argsort(found.seconds, kind="stable")[:count]
        rows = self.result.inputs.stations.iloc[found.indices[order]].to_dict("records")
        nearest = [
            {
                "station_id": str(row["station_id"]), "name": str(row["name"]), "lon": float(row["lon"]), "lat": float(row["lat"]),
                "minutes": float(seconds) / 60.0, "open": True if at else None, "hours": row["hours"],
                "services": sorted(row["services"]),
            }
            for row, seconds in zip(rows, found.seconds[order], strict=True)
        ]  # fmt: skip
        if routes:
            for i, station in zip(found.indices[order].tolist(), nearest, strict=True):
                one = Snapped(*(getattr(sources, name)[i : i + 1] for name in Snapped.__slots__))
                way = moved.router.route(one, origin, limit_s=FARTHEST_S)
                assert way is not None  # it has just been found
                line = travel_times.route_line(way, self.result.network)
                snapped = [
                    (origin.lon[0], origin.lat[0])
                ]  # where the way begins, even where it ends there too
                station["route"] = np.concatenate(
                    ([(lon, lat)], snapped, line, [(station["lon"], station["lat"])])
                )
        return nearest

    def scenario(
        self, *, add: Sequence[TrialStation] = (), close: Sequence[str] = (), mode: Mode | None = None,
        minutes: float | None = None, at: str | None = None, services: Sequence[str] = (), gaps: bool = False,
    ) -> dict[str, Any]:  # fmt: skip
        """Coverage before and after stations are added and closed, by layer and by community that gains or loses.

        The figures are those of a build with the same stations. ``uncovered``: people of the main layer that stay
        so; with ``gaps`` also a GeoDataFrame ``gaps``, where they are (:func:`geo.gaps.find_gaps`). Raises :class:`geo.errors.InputError` for unknown ids, modes, hours and services.
        """
        moved = self.moved(mode)
        limit_s = (minutes or moved.study.standard.limit_minutes) * 60.0
        trial = check_trial(Trial(redmap="trial", add=tuple(add), close=tuple(close)), file="scenario")
        inputs = intake.with_trial(self.result.inputs, trial, file="scenario")
        stations = self.result.inputs.stations
        kept = ~stations["station_id"].astype(str).isin(close).to_numpy()
        before_field = self._seconds(moved, at, tuple(services), limit_s)
        counts = self._counting(stations, at=at, services=services) & kept
        after = (
            np.min(before_field[:, counts], axis=1, initial=np.inf)
            if counts.any()
            else np.full(len(before_field), np.inf)
        )
        if add:
            new = inputs.stations.iloc[len(inputs.stations) - len(add) :]
            on = self._counting(new, at=at, services=services)
            snapped = moved.snapper.snap(
                new["lon"].to_numpy(dtype=float), new["lat"].to_numpy(dtype=float),
                max_access_m=self.study.standard.max_access_m,
            )  # fmt: skip
            field = moved.router.nearest(_only(snapped, on), moved.demand, limit_s=limit_s)
            after = np.minimum(after, field.seconds)
        all_on = self._counting(stations, at=at, services=services)
        before = (
            np.min(before_field[:, all_on], axis=1, initial=np.inf)
            if all_on.any()
            else np.full(len(before_field), np.inf)
        )
        told = self._told(before <= limit_s, after <= limit_s)
        if not gaps:
            return told
        counting = inputs.stations[self._counting(inputs.stations, at=at, services=services)]
        left = gaps_after(
            self.result, moved.router, moved.travel, stations=counting.reset_index(drop=True),
            station_snap=moved.snapper.snap(
                counting["lon"].to_numpy(dtype=float), counting["lat"].to_numpy(dtype=float),
                max_access_m=self.study.standard.max_access_m,
            ),
            demand_snap=moved.demand, covered=after <= limit_s, limit_s=limit_s,
        )  # fmt: skip
        return {**told, "gaps": left}

    def recommendations(self, asked: SitingSection) -> WhereNext:
        """Where next, for other wishes than the study's ``[siting]``; raises as :func:`geo.pipeline.where_next`."""
        study = self.study.model_copy(update={"siting": asked})
        return where_next(study, ready=(self.result.network, self.result.inputs))

    def _seconds(self, moved: Moved, _at: str | None, _services: tuple[str, ...], limit_s: float) -> F64:
        """Dense seconds demand × stations within the limit, once for a mode and a limit."""
        key = (moved.travel.mode, limit_s)
        kept: dict[Any, F64] = self.__dict__.setdefault("_dense", {})
        if key not in kept:
            if len(kept) > 7:
                kept.clear()
            kept[key] = _dense(
                moved.router.matrix(moved.stations, moved.demand, limit_s=limit_s).transposed()
            )
        return kept[key]

    def _counting(self, stations: pd.DataFrame, *, at: str | None, services: Sequence[str]) -> Bool:
        unknown = [s for s in services if s not in SERVICES]
        if unknown:
            raise InputError(
                Defect(
                    f"没有这种服务 {s!r}；可用 {' '.join(SERVICES)} / no such service; use one of these",
                    key="services",
                )
                for s in unknown
            )
        on = np.array([all(s in have for s in services) for have in stations["services"]], dtype=np.bool_)
        if at is not None:
            on &= intake.open_at(list(stations["hours"]), [at])[:, 0]
        return on

    @cached_property
    def _main(self) -> str:
        return main_layer(self.result.inputs)

    @cached_property
    def _layers(self) -> dict[str, Bool]:
        """Which points of the demand are of each layer."""
        column = self.result.inputs.demand["layer"].to_numpy(dtype=object)
        return {str(layer): column == layer for layer in dict.fromkeys(column)}

    def _told(self, before: Bool, after: Bool) -> dict[str, Any]:
        demand = self.result.inputs.demand
        weight = demand["weight"].to_numpy(dtype=float)
        layers: dict[str, Mapping[str, float]] = {}
        for layer, of in self._layers.items():
            total = float(weight[of].sum())
            sums = [float(weight[of & reached].sum()) for reached in (before, after)]
            layers[layer] = {
                "total": total, "covered_before": sums[0], "covered_after": sums[1],
                "share_before": sums[0] / total if total else 0.0, "share_after": sums[1] / total if total else 0.0,
            }  # fmt: skip
        main = self._layers[self._main]
        community = demand["community"].to_numpy(dtype=np.int64)
        change = np.where(after, weight, 0.0) - np.where(before, weight, 0.0)
        inside = main & (community >= 0)
        names = list(self.result.inputs.communities["name"])
        gained = np.bincount(community[inside], weights=change[inside], minlength=len(names))
        rows = [
            {"name": str(names[i]), "people": float(gained[i])}
            for i in np.argsort(-np.abs(gained), kind="stable")
            if abs(gained[i]) >= 0.5
        ]
        return {"layers": layers, "communities": rows, "uncovered": float(weight[main & ~after].sum())}


def _only(snapped: Snapped, on: Bool) -> Snapped:
    return replace(snapped, edge=np.where(on, snapped.edge, -1).astype(np.int32))


def _dense(matrix: TravelMatrix) -> F64:
    dense = np.full(matrix.shape, np.inf)
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    dense[rows, matrix.indices] = matrix.seconds
    return dense


def single_polygon(shape: Any, lon: float, lat: float) -> Any:
    """The part of a MultiPolygon that holds a position, else the largest, without holes' loss: one Polygon.

    For clients that know single polygons only.

    >>> single_polygon(shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(3, 3, 9, 9)]), 0.5, 0.5).bounds
    (0.0, 0.0, 1.0, 1.0)
    """
    parts = shapely.get_parts(shape)
    holding = [part for part in parts if part.intersects(shapely.Point(lon, lat))]
    return max(holding or list(parts), key=lambda part: part.area)
