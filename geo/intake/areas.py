"""The district's polygon and its communities."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.config import Study
from geo.errors import Defect, InputError
from geo.intake.columns import map_columns
from geo.intake.tables import read_vector

COLUMNS = ["community_id", "name", "street", "population"]
POLYGONS = ("Polygon", "MultiPolygon")


def read_area(study: Study) -> gpd.GeoDataFrame:
    """The study's area as one WGS-84 (Multi)Polygon row.

    The boundary file, cut to the responsibility polygon where one is given; without a boundary, the
    union of the communities. Raises :class:`geo.errors.InputError`, for broken JSON with line and column.
    """
    if study.area.boundary is not None:
        shape = _one_polygon(study, study.area.boundary, "area.boundary")
    elif study.communities is not None:
        shape = _one_polygon(study, study.communities.file, "communities.file")
    else:
        message = "请给出 [area] boundary 或 [communities] / give [area] boundary or [communities]"
        raise InputError(Defect(message, file="study.toml", key="area"))
    if study.area.responsibility is not None:
        shape = polygons_only(shape.intersection(_one_polygon(study, study.area.responsibility, "area.responsibility")))
        if shape.is_empty:
            message = "责任范围与边界不相交 / the responsibility area does not meet the boundary"
            raise InputError(Defect(message, file=study.area.responsibility))
    return gpd.GeoDataFrame(geometry=[shape], crs="EPSG:4326")


def _one_polygon(study: Study, name: str, key: str) -> Any:
    frame = read_vector(study.path(name))
    shapes = frame.geometry[frame.geom_type.isin(POLYGONS)]
    if shapes.empty:
        raise InputError(Defect("没有面要素 / holds no polygon", file=name, key=key))
    return polygons_only(shapely.union_all([shapely.make_valid(g) for g in shapes]))


def polygons_only(shape: Any) -> Any:
    """The polygons of a geometry, without lines and points that a cut may leave."""
    parts = [g for g in shapely.get_parts(shape) if g.geom_type in POLYGONS and not g.is_empty]
    return shapely.union_all(parts) if parts else shapely.MultiPolygon()


def read_communities(study: Study, *, area: Any) -> gpd.GeoDataFrame:
    """Communities that meet the area: ``community_id name street population geometry``.

    Population is 0 where a raster will be summed instead. Raises InputError with all defects.
    """
    empty = gpd.GeoDataFrame(pd.DataFrame(columns=COLUMNS), geometry=gpd.GeoSeries([], crs="EPSG:4326"), crs="EPSG:4326")
    section = study.communities
    if section is None:
        return empty
    frame = read_vector(study.path(section.file))
    frame = frame[frame.geom_type.isin(POLYGONS)].reset_index(drop=True)
    overrides = {k: v for k, v in (("name", section.name), ("street", section.street), ("population", section.population)) if v}
    headings = [c for c in frame.columns if c != frame.geometry.name]
    mapping = map_columns(headings, ("name", "street", "population", "id"), overrides)
    defects = [
        Defect(f"没有此列；有 {'、'.join(map(str, headings))} / no such column; the file has these",
               file=section.file, column=wanted, key=f"communities.{key}")  # fmt: skip
        for key, wanted in overrides.items()
        if wanted not in headings
    ]
    if "name" not in mapping and section.name is None:
        defects.append(Defect("找不到名称列 / no name column", file=section.file, key="communities.name"))
    people = pd.Series(0.0, index=frame.index)
    if "population" in mapping and mapping["population"] in headings:
        people = pd.to_numeric(frame[mapping["population"]], errors="coerce")
        for i in np.flatnonzero(~(people >= 0)):
            found = frame[mapping["population"]].iloc[i]
            defects.append(Defect(f"人口应为非负数，实为 {found!r} / population must be a number ≥ 0; found {found!r}",
                                  file=section.file, row=int(i) + 1, column=mapping["population"]))  # fmt: skip
    elif section.raster is None and section.population is None and not study.demand:
        defects.append(Defect(f"找不到人口列；有 {'、'.join(map(str, headings))} / no population column",
                              file=section.file, key="communities.population"))  # fmt: skip
    if defects:
        raise InputError(defects)
    shapes = [polygons_only(shapely.make_valid(g)) for g in frame.geometry]
    made = gpd.GeoDataFrame(
        {
            "community_id": [f"C{i:03d}" for i in range(1, len(frame) + 1)],
            "name": frame[mapping["name"]].astype(str).to_list(),
            "street": frame[mapping["street"]].astype(str).to_list() if "street" in mapping else [""] * len(frame),
            "population": people.to_numpy(dtype=float),
        },
        geometry=shapes,
        crs="EPSG:4326",
    )
    return made[made.intersects(area)].reset_index(drop=True)
