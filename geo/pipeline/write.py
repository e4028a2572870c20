"""A study built: every output written aside, then moved into place."""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from geo import redmap, report
from geo.config import Study
from geo.errors import Defect, InputError
from geo.intake.datum import from_wgs84
from geo.models import StudyResult
from geo.pipeline.compute import run
from geo.pipeline.inputs import Progress


def build(
    study: Study,
    out: Path,
    *,
    trial: Path | None = None,
    cache_dir: Path | None = None,
    progress: Progress = lambda _stage: None,
) -> StudyResult:
    """Compute a study and write every output of design 3.3 into ``out``, all or nothing.

    The files are written aside and moved into place at the end: a run that is cut off leaves the
    old results untouched. ``trial`` as in :func:`run`. A folder that holds anything but results of Red Map is refused.
    """
    _refuse_foreign(out)
    result = run(study, trial=trial, cache_dir=cache_dir, progress=progress)
    progress("write")
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        for name, content in pages(result).items():
            (aside / name).write_text(content, encoding="utf-8", newline="\n")
        report.write_all(result, aside)
        sizes = {path.name: path.stat().st_size for path in aside.iterdir()}
        (aside / "index.html").write_text(redmap.render_index(result, sizes), encoding="utf-8", newline="\n")
        aside.chmod(0o755)
        _swap(aside, out)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return result


def pages(result: StudyResult) -> Mapping[str, str]:
    """The two pages of a result: file name → HTML."""
    return {"map.html": redmap.render_planner(result), "public.html": redmap.render_public(result)}


def picture(result: StudyResult, width_px: int, height_px: int) -> bytes:
    """The poster as a PNG no wider and no higher than asked; one at a time in a process.

    Raises :class:`geo.errors.InputError` where it can't be drawn here.
    """
    with tempfile.TemporaryDirectory() as folder:
        why_not = report.write_poster(result, Path(folder))
        if why_not:
            raise InputError(Defect(why_not))
        from PIL import Image

        with Image.open(Path(folder) / "poster.png") as drawn:
            drawn.thumbnail((width_px, height_px))
            out = io.BytesIO()
            drawn.save(out, format="PNG", optimize=True)
    return out.getvalue()


def layers(result: StudyResult) -> Mapping[str, gpd.GeoDataFrame]:
    """The published layers of a result by name (EPSG:4326), personal numbers masked."""
    return report.layers(result)


def in_gcj02(layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """A layer (EPSG:4326) with its geometries shifted to GCJ-02 degrees, to 7 decimals; its other columns stay.

    No register knows this datum: the frame has no CRS.

    >>> from shapely import Point
    >>> shifted = in_gcj02(gpd.GeoDataFrame(geometry=[Point(116.3978, 39.9136)], crs="EPSG:4326"))
    >>> shifted.geometry[0].coords[0], shifted.crs is None
    ((116.4040443, 39.9150038), True)
    """
    shapes = shapely.transform(
        layer.geometry.to_numpy(),
        lambda xy: np.column_stack(from_wgs84(xy[:, 0], xy[:, 1], "gcj02")).round(7),
    )
    return gpd.GeoDataFrame(layer.drop(columns=layer.geometry.name), geometry=shapes)


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
