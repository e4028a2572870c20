"""The only file that knows the order: files → network → times → coverage → gaps, sites → outputs."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo import coverage, gaps, intake, isochrones, network, redmap, report, siting, travel_times
from geo.config import DAYS, Study, load_study
from geo.errors import Defect, InputError
from geo.models import (
    MODES,
    SERVICES,
    Inputs,
    Mode,
    NearestField,
    Plan,
    RoadNetwork,
    Snapped,
    StudyResult,
    TravelMatrix,
)

Progress = Callable[[str], None]
MAX_SITES = 200
FAR_S = 3600.0  # how far the nearest station is still looked for when a gap is explained
LONGEST_BAND_S = 1200.0  # shares are reported up to 20 minutes (design 3.3)
SPEED_RANGE = 1.1  # shares are reported at ± 10 % speed
FASTEST_KMH, FARTHEST_M = 60.0, 20_000.0  # how far roads are read for modes without one speed, and at most
LEG_KMH = 4.0  # access legs are walked, whatever the mode
OFFICIAL_RADIUS_M = 1000.0  # the yardstick "1 km", for modes without one speed
STAGES = ("area", "roads", "inputs", "snap", "times", "coverage", "isochrones", "gaps", "siting", "write")


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

    def router(self, net: RoadNetwork) -> travel_times.Router:
        """A network made ready for the way that the study moves."""
        return travel_times.Router(
            net,
            mode=self.mode,
            speed_kmh=self.speed_kmh,
            access_speed_kmh=self.access_speed_kmh,
            signal_wait_s=self.signal_wait_s,
        )


def sample_study() -> Study:
    """The embedded synthetic district, from the checkout or from the installed wheel."""
    here = Path(__file__).resolve().parent
    for folder in (here / "sample_data", here.parent / "data" / "sample"):
        if (folder / "study.toml").is_file():
            return load_study(folder)
    raise InputError("示例数据不在安装包内，请重新安装 / the sample data is missing; reinstall redmap")


def load(
    study: Study,
    *,
    modes: Sequence[Mode] = (),
    cache_dir: Path | None = None,
    progress: Progress = lambda _stage: None,
) -> tuple[RoadNetwork, Inputs]:
    """Read everything a study names: the road network (clipped to the area) and the tables.

    The network reaches as far beyond the area as the standard (and each further one of ``modes``) can
    go in time. Raises :class:`geo.errors.InputError` with all defects of all files.
    """
    missing = intake.missing_files(study)
    if missing:
        raise InputError(missing)
    progress("area")
    area = intake.read_area(study)
    progress("roads")
    if study.roads.file is not None:
        roads = study.path(study.roads.file)
    else:
        if cache_dir is None:
            raise InputError("按地名下载道路需要缓存目录 / roads by place name need a cache folder")
        assert study.roads.place is not None
        roads = network.fetch_roads(study.roads.place, cache_dir=cache_dir)
    net = network.read_network(
        roads, area=area.geometry.iloc[0], reach_m=_reach_m(study, modes), cache_dir=cache_dir
    )
    progress("inputs")
    return net, intake.read_inputs(study, area=area, network=net)


def explain(study: Study) -> tuple[list[intake.TableExplained], list[Defect]]:
    """How each table of a study is understood (``redmap check --explain``); no roads are needed.

    The second list holds the defects of tables that cannot be read at all.

    >>> tables, defects = explain(sample_study())
    >>> [(t.role, t.rows_read) for t in tables][:1], defects
    ([('stations', 86)], [])
    """
    return intake.explain_tables(study)


def _reach_m(study: Study, modes: Sequence[Mode]) -> float:
    reach_m = 0.0
    for travel in (Travel.of(study), *(Travel.of(_by(study, mode)) for mode in modes)):
        fastest_kmh = travel.speed_kmh or FASTEST_KMH
        reach_m = max(reach_m, fastest_kmh * max(travel.limit_s, LONGEST_BAND_S) / 3.6)
    return min(reach_m, FARTHEST_M)


def _by(study: Study, mode: Mode) -> Study:
    """The study by another mode, at its default speed."""
    if mode == study.standard.mode:
        return study
    standard = study.standard.model_copy(update={"mode": mode, "speed_kmh": None})
    return study.model_copy(update={"standard": standard})


def run(
    study: Study, *, cache_dir: Path | None = None, progress: Progress = lambda _stage: None
) -> StudyResult:
    """Compute a whole study; nothing is written (but the network cache, when a folder is given).

    ``progress`` is called with each of :data:`STAGES` as it begins. Raises
    :class:`geo.errors.InputError` where an input is wrong.
    """
    net, inputs = load(study, cache_dir=cache_dir, progress=progress)
    travel = Travel.of(study)
    standard = study.standard
    progress("snap")
    station_snap = _snap(net, inputs.stations, study)
    demand_snap = _snap(net, inputs.demand, study)
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
    bands, station_bands, shares = _shapes(net, router, inputs, station_snap, far, study)
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
    plan, sites = _sites(net, router, inputs, covered.demand, demand_snap, study, add=study.siting.add)
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
        plan=plan,
    )
    return replace(
        result, summary=report.summarise(result, network.diagnose(net, area=_area(inputs)), shares)
    )


def _standard(study: Study) -> dict[str, Any]:
    standard = study.standard.model_dump(mode="json")
    return {**standard, "speed_kmh": Travel.of(study).speed_kmh}


def _area(inputs: Inputs) -> Any:
    return inputs.area.geometry.iloc[0]


def _snap(net: RoadNetwork, points: pd.DataFrame, study: Study) -> Snapped:
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


def _shapes(
    net: RoadNetwork,
    router: travel_times.Router,
    inputs: Inputs,
    station_snap: Snapped,
    far: NearestField,
    study: Study,
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, tuple[float, float]]:
    minutes = sorted({*study.standard.minutes, study.standard.limit_minutes})
    ways = isochrones.prepare(net, mode=study.standard.mode)
    reached = {m: router.stretches(station_snap, far.node_seconds, limit_s=m * 60.0) for m in minutes}
    bands = isochrones.bands(ways, reached)
    nodes = router.reach_nodes(station_snap, limit_s=minutes[-1] * 60.0)
    by_minutes = {m: router.stretches_each(station_snap, nodes, limit_s=m * 60.0) for m in minutes}
    each = {
        str(station): {m: by_minutes[m][i] for m in minutes}
        for i, station in enumerate(inputs.stations["station_id"])
        if station_snap.edge[i] >= 0
    }
    station_bands = isochrones.station_bands(ways, each)
    limit = study.standard.limit_minutes
    shape = bands.loc[bands["minutes"] == limit].geometry.iloc[0]
    return bands, station_bands, isochrones.false_missed_share(ways, shape, reached[limit])


def dense_row(matrix: TravelMatrix, row: int) -> Any:
    """One row of a sparse matrix as dense seconds, ``inf`` where absent."""
    dense = np.full(matrix.shape[1], np.inf)
    part = slice(matrix.indptr[row], matrix.indptr[row + 1])
    dense[matrix.indices[part]] = matrix.seconds[part]
    return dense


def _sites(
    net: RoadNetwork,
    router: travel_times.Router,
    inputs: Inputs,
    covered: pd.DataFrame,
    demand_snap: Snapped,
    study: Study,
    *,
    add: int,
) -> tuple[Plan | None, gpd.GeoDataFrame]:
    venues = inputs.venues.reset_index(drop=True)
    if add == 0 or venues.empty:
        return None, report.recommendations_frame(venues, None, [], inputs.communities)
    reach = router.matrix(_snap(net, venues, study), demand_snap, limit_s=Travel.of(study).limit_s)
    layer = (covered["layer"] == main_layer(inputs)).to_numpy()
    weights = np.where(layer, covered["weight"].to_numpy(dtype=float), 0.0)
    already = covered["covered"].to_numpy(dtype=bool)
    plan = siting.maximal_cover(
        weights, reach, add=add, already=already, time_limit_s=study.siting.time_limit_s
    )
    left = np.where(already, 0.0, weights)
    gains = []
    for chosen in plan.chosen:
        reached = reach.indices[reach.indptr[chosen] : reach.indptr[chosen + 1]]
        gains.append((covered["community"].to_numpy()[reached], left[reached]))
        left[reached] = 0.0
    return plan, report.recommendations_frame(venues, plan, gains, inputs.communities)


def check(
    study: Study, out: Path, *, cache_dir: Path | None = None, progress: Progress = lambda _stage: None
) -> tuple[RoadNetwork, Inputs]:
    """:func:`load`, and write cleaned.xlsx and merge.csv of its stations into the folder ``out``."""
    net, inputs = load(study, cache_dir=cache_dir, progress=progress)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".check-", dir=out) as aside:
        title = f"{study.study.name} {study.study.edition}"
        report.write_cleaned(
            inputs,
            Path(aside),
            checklists=study.standard.compliance,
            title=title,
            when=dt.datetime.now(dt.UTC),
        )
        for path in sorted(Path(aside).iterdir()):
            path.replace(out / path.name)
    return net, inputs


def site(
    study: Study, *, add: int, cache_dir: Path | None = None, progress: Progress = lambda _stage: None
) -> tuple[Plan | None, gpd.GeoDataFrame]:
    """Recommend ``add`` venues that bring most people of the main layer within the standard.

    Returns the plan (None where there is no venue) and its sites, ranked by marginal gain.
    """
    if not 0 < add <= MAX_SITES:
        raise InputError(f"--add 应为 1 至 {MAX_SITES} / expected 1 to {MAX_SITES}; found {add}")
    net, inputs = load(study, cache_dir=cache_dir, progress=progress)
    progress("snap")
    station_snap, demand_snap = _snap(net, inputs.stations, study), _snap(net, inputs.demand, study)
    travel = Travel.of(study)
    progress("times")
    router = travel.router(net)
    field = router.nearest(station_snap, demand_snap, limit_s=travel.limit_s)
    covered = inputs.demand.assign(covered=field.seconds <= travel.limit_s)
    progress("siting")
    return _sites(net, router, inputs, covered, demand_snap, study, add=add)


def week_table(
    study: Study,
    *,
    modes: Sequence[Mode] = MODES,
    cache_dir: Path | None = None,
    progress: Progress = lambda _stage: None,
) -> pd.DataFrame:
    """Who reaches an open station within the limit: every mode, hour of the week and service.

    Columns ``mode layer service hour share``: ``service`` is "" for any station, ``hour`` counts from
    Monday 00:00, ``share`` is of the people of the layer. The study's own mode keeps its speed, the
    others take their defaults. Raises as :func:`load`.
    """
    net, inputs = load(study, modes=modes, cache_dir=cache_dir, progress=progress)
    progress("times")
    hours = [f"{day} {hour:02d}:00" for day in DAYS for hour in range(24)]
    open_week = intake.open_at(list(inputs.stations["hours"]), hours)
    offers = np.array([[s in have for s in SERVICES] for have in inputs.stations["services"]])
    layers = list(dict.fromkeys(inputs.demand["layer"]))
    tables = []
    for mode in modes:
        by_mode = _by(study, mode)
        travel = Travel.of(by_mode)
        times = travel.router(net).matrix(
            _snap(net, inputs.stations, by_mode), _snap(net, inputs.demand, by_mode), limit_s=travel.limit_s
        )
        tables.append(
            coverage.week_table(
                times.transposed(), open_week, offers.reshape(len(inputs.stations), len(SERVICES)),
                inputs.demand, travel.limit_s,
            )
        )  # fmt: skip
    index = pd.MultiIndex.from_product(
        (modes, layers, ("", *SERVICES), range(len(hours))), names=("mode", "layer", "service", "hour")
    )
    return pd.Series(np.ravel(tables), index=index, name="share").reset_index()


def isochrone(
    net: RoadNetwork, study: Study, *, lon: float, lat: float, minutes: tuple[float, ...] | None = None
) -> gpd.GeoDataFrame:
    """Nested isochrones round one position (WGS-84): columns minutes, false_share, missed_share.

    Raises :class:`geo.errors.InputError` where the position cannot be linked to a road.
    """
    travel = Travel.of(study)
    wanted = sorted(minutes or study.standard.minutes)
    origin = travel_times.snap(
        net, np.array([lon]), np.array([lat]), mode=travel.mode, max_access_m=study.standard.max_access_m
    )
    if origin.edge[0] < 0:
        raise InputError(
            Defect(
                f"{lon}, {lat}：{study.standard.max_access_m:.0f} 米内没有可走的路 / "
                f"no usable road within {study.standard.max_access_m:.0f} m; check the position and its datum",
                key="lon,lat",
            )
        )
    router = travel.router(net)
    nodes = router.reach_nodes(origin, limit_s=wanted[-1] * 60.0)
    reached = {m: router.stretches_each(origin, nodes, limit_s=m * 60.0)[0] for m in wanted}
    ways = isochrones.prepare(net, mode=travel.mode)
    frame = isochrones.bands(ways, reached)
    shares = [
        isochrones.false_missed_share(ways, shape, reached[m])
        for m, shape in zip(frame["minutes"], frame.geometry, strict=True)
    ]
    return frame.assign(false_share=[s[0] for s in shares], missed_share=[s[1] for s in shares])


def build(
    study: Study, out: Path, *, cache_dir: Path | None = None, progress: Progress = lambda _stage: None
) -> StudyResult:
    """Compute a study and write every output of design 3.3 into ``out``, all or nothing.

    The files are written aside and moved into place at the end: a run that is cut off leaves the
    old results untouched. A folder that holds anything but results of Red Map is refused.
    """
    _refuse_foreign(out)
    result = run(study, cache_dir=cache_dir, progress=progress)
    progress("write")
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        for name, content in pages(result).items():
            (aside / name).write_text(content, encoding="utf-8", newline="\n")
        report.write_all(result, aside)
        aside.chmod(0o755)
        _swap(aside, out)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return result


def pages(result: StudyResult) -> Mapping[str, str]:
    """The two pages of a result: file name → HTML."""
    return {"map.html": redmap.render_planner(result), "public.html": redmap.render_public(result)}


def _refuse_foreign(out: Path) -> None:
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not (out / "summary.json").is_file()):
        raise InputError(
            Defect(
                "此处已有别的文件，为免覆盖请换一个文件夹 / holds files that Red Map did not write; "
                "choose another folder",
                file=str(out),
            )
        )


def _swap(aside: Path, out: Path) -> None:
    if not out.exists():
        aside.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
    out.rename(old / "results")
    try:
        aside.rename(out)
    except OSError:
        (old / "results").rename(out)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
