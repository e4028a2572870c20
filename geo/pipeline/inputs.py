"""Everything that a study names, read and checked."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from geo import intake, network, report
from geo.config import Study, load_study
from geo.errors import Defect, InputError
from geo.models import AuditEntry, Inputs, Mode, RoadNetwork
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


def privacy(study: Study) -> tuple[list[intake.Masked], list[Defect]]:
    """Every personal number typed in the tables of a study, and as what it is shown; no roads are needed.

    The second list holds the defects of tables that cannot be read.

    >>> found, defects = privacy(sample_study())
    >>> found[0].kind, found[0].shown[3:7], defects
    ('mobile', '****', [])
    """
    return intake.scan_tables(study)


def recruitment_form(study: Study, path: Path) -> None:
    """Write the blank form of the call for hosts (驿站招募报名表) of a study: an xlsx for shops to fill in.

    Raises :class:`geo.errors.InputError` where there is a file already: it may hold answers.
    """
    if path.exists():
        message = "已有这个文件，可能含有答复，不覆盖 / there is such a file, perhaps with answers: choose another name"
        raise InputError(Defect(message, file=str(path)))
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".form-", dir=path.parent) as aside:
        made = Path(aside) / path.name
        report.write_form(made, name=study.study.name, when=dt.datetime.now(dt.UTC))
        made.replace(path)


def recruitment_answers(study: Study, path: Path) -> tuple[pd.DataFrame, tuple[AuditEntry, ...]]:
    """What filled-in forms offer: ``venue_id name kind lon lat services hours``, and what was left out and why.

    The area of the study tells which positions cannot be meant; no roads are needed. Raises
    :class:`geo.errors.InputError` where the file cannot be made out.
    """
    area = intake.read_area(study).geometry.iloc[0]
    datum = study.venues.recruitment_datum if study.venues else None
    return intake.read_recruitment(path, datum=datum, area=area)


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
