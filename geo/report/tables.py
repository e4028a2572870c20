"""Results → the files of design 3.3, but the two pages: JSON, GeoJSON, GeoPackage, workbook, print."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio

from geo.intake.privacy import mask_mobiles
from geo.models import StudyResult
from geo.report.cleaned import write_cleaned
from geo.report.frames import audit_frame, layers
from geo.report.geojson import feature_collection
from geo.report.pdf import write_pdf
from geo.report.poster import write_poster
from geo.report.summary import created, plain
from geo.report.workbook import write_workbook

LAYER_SHAPES = {
    "stations": "Point", "communities": "MultiPolygon", "isochrones": "MultiPolygon",
    "gaps": "MultiPolygon", "recommendations": "Point", "problems": "Point",
}  # fmt: skip


def write_all(result: StudyResult, folder: Path) -> None:
    """Write every output of a result but its pages into ``folder``.

    The layers are formatted by libraries that let other threads run: they are written beside the
    workbook and the printed report.
    """
    with ThreadPoolExecutor(1) as beside:
        layers_written = beside.submit(write_layers, result, folder)
        missing = write_pdf(result, folder / "report.pdf") or write_poster(result, folder)
        write_workbook(result, folder / "report.xlsx")
        write_cleaned(
            result.inputs,
            folder,
            checklists=result.standard["compliance"],
            title=f"{result.name} {result.edition}",
            when=created(result.summary),
        )
        _write_json(result.summary, folder / "summary.json")
        audit = [
            {k: mask_mobiles(v) if isinstance(v, str) else v for k, v in entry.items()}
            for entry in audit_frame(result.inputs).to_dict("records")
        ]
        notes = [*result.network.notes, *([missing] if missing else [])]
        _write_json({"study": result.name, "entries": audit, "notes": notes}, folder / "audit.json")
        layers_written.result()


def write_layers(result: StudyResult, folder: Path) -> None:
    """Write each layer as GeoJSON and all of them into results.gpkg."""
    frames = layers(result)
    for name, frame in frames.items():
        (folder / f"{name}.geojson").write_text(feature_collection(frame), encoding="utf-8", newline="\n")
    write_geopackage(frames, folder / "results.gpkg", created(result.summary).strftime("%Y-%m-%dT%H:%M:%SZ"))


def write_geopackage(frames: Mapping[str, gpd.GeoDataFrame], path: Path, date: str) -> None:
    """Write ``frames`` as layers of one GeoPackage, empty ones too, whose dates are ``date``."""
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": date})
    try:
        for name, frame in frames.items():
            pyogrio.write_dataframe(
                frame,
                path,
                layer=name,
                driver="GPKG",
                append=path.exists(),
                geometry_type=LAYER_SHAPES.get(name),
                promote_to_multi=LAYER_SHAPES.get(name) == "MultiPolygon",
            )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _write_json(value: Any, path: Path) -> None:
    text = json.dumps(plain(value), ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
