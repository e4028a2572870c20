"""Everything that a study names, read and checked."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from geo import intake, network, report
from geo.config import Study, load_study
from geo.errors import Defect, InputError
from geo.models import Inputs, Mode, RoadNetwork
from geo.pipeline.travel import LONGEST_BAND_S, Travel, by_mode

Progress = Callable[[str], None]
FASTEST_KMH, FARTHEST_M = 60.0, 20_000.0  # how far roads are read for modes without one speed, and at most


def sample_study() -> Study:
    """The embedded synthetic district, from the checkout or from the installed wheel."""
    here = Path(__file__).resolve().parents[1]
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


def _reach_m(study: Study, modes: Sequence[Mode]) -> float:
    reach_m = 0.0
    for travel in (Travel.of(study), *(Travel.of(by_mode(study, mode)) for mode in modes)):
        fastest_kmh = travel.speed_kmh or FASTEST_KMH
        reach_m = max(reach_m, fastest_kmh * max(travel.limit_s, LONGEST_BAND_S) / 3.6)
    return min(reach_m, FARTHEST_M)


def explain(study: Study) -> tuple[list[intake.TableExplained], list[Defect]]:
    """How each table of a study is understood (``redmap check --explain``); no roads are needed.

    The second list holds the defects of tables that cannot be read at all.

    >>> tables, defects = explain(sample_study())
    >>> [(t.role, t.rows_read) for t in tables][:1], defects
    ([('stations', 86)], [])
    """
    return intake.explain_tables(study)


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
