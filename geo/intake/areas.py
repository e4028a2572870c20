"""The district's polygon and its communities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.config import Study
from geo.errors import Defect, InputError
from geo.intake.cells import numbers
from geo.intake.columns import find_heading, map_columns
from geo.intake.datum import to_wgs84
from geo.intake.people import joined_people
from geo.intake.stations import read_stations, station_source
from geo.intake.tables import read_vector
from geo.models import F64, AuditEntry, Bool

COLUMNS = ["community_id", "name", "street", "population"]
POLYGONS = ("Polygon", "MultiPolygon")
SLIVER_SHARE = 1e-3  # a neighbour that only shares the border overlaps by less: it is no community of ours
FASTEST_KMH = 60.0  # of driving, where each road class has its own speed


def read_area(study: Study) -> gpd.GeoDataFrame:
    """The study's area as one valid WGS-84 (Multi)Polygon row.

    The boundary file; without one the union of the communities; without these the convex hull of the
    stations, widened by how far the standard reaches. Then cut to the responsibility polygon where one
    is given. Any CRS that the file declares is brought to EPSG:4326. Raises
    :class:`geo.errors.InputError` for a missing, broken (line and column of bad JSON), empty or
    non-polygon file.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from geo.config import study_from_mapping
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "b.geojson").write_text(shapely.to_geojson(shapely.box(115, 32, 116, 33)))
    ...     study = study_from_mapping({"study": {"name": "x"}, "roads": {"file": "r.osm"},
    ...         "area": {"boundary": "b.geojson"}, "stations": [{"file": "s.csv", "datum": "wgs84"}]},
    ...         folder=Path(folder))
    ...     read_area(study).total_bounds.tolist()
    [115.0, 32.0, 116.0, 33.0]
    """
    return gpd.GeoDataFrame(geometry=[_outline(study)[0]], crs="EPSG:4326")


def area_audit(study: Study) -> list[AuditEntry]:
    """What was mended or assumed on the way to :func:`read_area`; raises as that does."""
    return _outline(study)[1]


def _outline(study: Study) -> tuple[Any, list[AuditEntry]]:
    if study.area.boundary is not None:
        shape, audit = _one_polygon(study, study.area.boundary, "area.boundary")
    elif study.communities is not None:
        shape, audit = _one_polygon(study, study.communities.file, "communities.file")
    else:
        shape, audit = _round_the_stations(study)
    if study.area.responsibility is not None:
        managed, more = _one_polygon(study, study.area.responsibility, "area.responsibility")
        audit += more
        shape = polygons_only(shape.intersection(managed))
        if shape.is_empty:
            message = "责任范围与边界不相交 / the responsibility area does not meet the boundary"
            raise InputError(Defect(message, file=study.area.responsibility, key="area.responsibility"))
    return shape, audit


def _one_polygon(study: Study, name: str, key: str) -> tuple[Any, list[AuditEntry]]:
    frame = _layer(
        study,
        name,
        key,
        study.communities.datum if key == "communities.file" and study.communities else study.area.datum,
    )
    polygons = frame.geometry[_flat(frame)]
    kinds = "、".join(sorted({str(kind) for kind in frame.geom_type.dropna()})) or "-"
    if polygons.empty:
        message = f"没有面要素（有：{kinds}）/ holds no polygon; it has: {kinds}"
        raise InputError(Defect(message, file=name, key=key))
    repaired, audit = _repaired(polygons, name)
    audit = _no_polygons(frame, name) + audit
    shape = polygons_only(shapely.union_all(repaired))
    if shape.is_empty:
        raise InputError(Defect("面的面积为零 / the polygons have no area", file=name, key=key))
    return shape, audit


def _layer(study: Study, name: str, key: str, datum: str) -> gpd.GeoDataFrame:
    if not study.path(name).is_file():
        raise InputError(Defect("没有这个文件 / no such file", file=name, key=key))
    frame = read_vector(study.path(name))
    if datum != "wgs84":
        frame = frame.set_geometry(
            shapely.transform(frame.geometry.to_numpy(), lambda xy: np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], datum))), crs=frame.crs
        )  # fmt: skip
    return frame


def _flat(frame: gpd.GeoDataFrame) -> Bool:
    return np.asarray(frame.geom_type.isin(POLYGONS) & ~frame.geometry.is_empty, dtype=np.bool_)


def _no_polygons(frame: gpd.GeoDataFrame, name: str) -> list[AuditEntry]:
    return [
        AuditEntry("skipped", "不是面，未用", "no polygon: not used", file=name, row=int(i) + 1)
        for i in np.flatnonzero(~_flat(frame))
    ]


def _repaired(shapes: gpd.GeoSeries, name: str) -> tuple[list[Any], list[AuditEntry]]:
    """Valid polygons in the order given, and a note for each that had to be mended."""
    audit = []
    for i in np.flatnonzero(~shapes.is_valid.to_numpy()):
        reason = str(shapely.is_valid_reason(shapes.iloc[i]))
        zh, en = "几何有误（自相交等），已修复", "invalid geometry (self-intersection and the like): repaired"
        audit.append(AuditEntry("mended", zh, en, file=name, row=int(shapes.index[i]) + 1, found=reason))
    return [polygons_only(shapely.make_valid(g)) for g in shapes], audit


def polygons_only(shape: Any) -> Any:
    """The polygons of a geometry, without lines and points that a cut or a repair may leave.

    >>> polygons_only(shapely.box(0, 0, 1, 1).intersection(shapely.box(1, 0, 2, 1))).is_empty
    True
    """
    parts = shapely.get_parts(shape)
    if len(parts) == 1 and parts[0].geom_type == "GeometryCollection":
        return polygons_only(parts[0])
    kept = [g for part in parts for g in shapely.get_parts(part) if g.geom_type in POLYGONS and g.area > 0]
    return shapely.union_all(kept) if kept else shapely.MultiPolygon()


def _round_the_stations(study: Study) -> tuple[Any, list[AuditEntry]]:
    defects: list[Defect] = []
    frames = []
    for section in study.stations:
        try:
            listed = read_stations(
                station_source(study, section),
                datum=section.datum,
                sheet=section.sheet,
                columns=section.columns,
            )
        except InputError as error:
            defects += error.defects
        else:
            frames.append(listed.frame)
    if defects:
        raise InputError(defects)
    stations = pd.concat(frames, ignore_index=True)
    if stations.empty:
        message = "没有边界、没有社区，也没有带坐标的驿站 / no boundary, no communities and no station with a position"
        raise InputError(Defect(message, file="study.toml", key="area"))
    standard = study.standard
    reach_m = (standard.speed_or_default_kmh or FASTEST_KMH) * standard.limit_minutes * 1000.0 / 60.0
    points = gpd.GeoSeries.from_xy(
        stations["lon"].astype(float), stations["lat"].astype(float), crs="EPSG:4326"
    )
    plane = points.to_crs(points.estimate_utm_crs())
    hull = plane.union_all().convex_hull.buffer(reach_m)
    shape = gpd.GeoSeries([hull], crs=plane.crs).to_crs("EPSG:4326").iloc[0]
    zh = f"未给边界：以 {len(stations)} 个驿站的外包外扩 {reach_m:.0f} 米为范围"
    en = f"no boundary given: the area is the hull of {len(stations)} stations widened by {reach_m:.0f} m"
    return shape, [AuditEntry("noted", zh, en, file="study.toml", column="area")]


def empty_communities() -> gpd.GeoDataFrame:
    """A table of no communities, with the columns and types of one with some."""
    return _frame([], [], [], np.empty(0), [])


def _frame(
    ids: Sequence[str], names: Sequence[str], streets: Sequence[str], people: F64, shapes: Sequence[Any]
) -> gpd.GeoDataFrame:
    texts = {
        key: pd.Series(list(values), dtype=object)
        for key, values in (("community_id", ids), ("name", names), ("street", streets))
    }
    return gpd.GeoDataFrame(
        {**texts, "population": np.asarray(people, dtype=np.float64)},
        geometry=gpd.GeoSeries(list(shapes), crs="EPSG:4326"),
        crs="EPSG:4326",
    )


def read_communities(study: Study, *, area: Any) -> tuple[gpd.GeoDataFrame, list[AuditEntry]]:
    """Communities that overlap the area, ``community_id name street population geometry``, and the audit.

    Whole polygons, EPSG:4326, repaired; ``population`` is the file's, 0 where it has no such column
    or a raster is given (then that tells). A nameless one is given a name, the second of one name in one
    street a number; ids of the file are kept where all are there and differ, else C001 ….
    Raises :class:`geo.errors.InputError` with all defects.
    """
    section = study.communities
    if section is None:
        return empty_communities(), []
    layer = _layer(study, section.file, "communities.file", section.datum)
    audit = _no_polygons(layer, section.file)
    frame = layer[_flat(layer)]
    given = {"name": section.name, "street": section.street, "population": section.population}
    overrides = {key: value for key, value in given.items() if value}
    headings = [str(c) for c in frame.columns if c != frame.geometry.name]
    has = "、".join(headings) or "-"
    mapping = map_columns(headings, ("name", "street", "population", "id"), overrides)
    defects = [
        Defect(
            f"没有此列；有 {has} / no such column; the file has these",
            file=section.file,
            column=wanted,
            key=f"communities.{key}",
        )
        for key, wanted in overrides.items()
        if find_heading(headings, wanted) is None
    ]
    if frame.empty:
        defects.append(Defect("没有面要素 / holds no polygon", file=section.file, key="communities.file"))
    if "name" not in mapping and section.name is None:
        message = f"找不到名称列；有 {has} / no name column; the file has these"
        defects.append(Defect(message, file=section.file, key="communities.name"))
    people = np.zeros(len(frame))
    if section.raster is not None:
        zh, en = "人口取自栅格", "people are taken from the raster"
        audit.append(AuditEntry("noted", zh, en, file=section.file, column=mapping.get("population", "")))
    elif section.people is not None:
        pass  # joined below, once the names are settled
    elif "population" in mapping:
        people = numbers(frame[mapping["population"]])
        defects += _bad_people(frame, people, mapping["population"], section.file)
    elif section.population is None:
        if not study.demand:
            message = f"找不到人口列；有 {has} / no population column; the file has these"
            defects.append(Defect(message, file=section.file, key="communities.population"))
        elif "residents" not in study.demand:
            zh, en = "没有人口列：不计常住人口", "no population column: residents are not counted"
            audit.append(AuditEntry("noted", zh, en, file=section.file))
    if defects:
        raise InputError(defects)
    repaired, mended = _repaired(frame.geometry, section.file)
    names, streets, named = _names(frame, mapping, section.file)
    audit += mended + named
    if section.people is not None and section.raster is None:
        people, told = joined_people(study, list(zip(streets, names, strict=True)))
        audit += told
    made = _frame(_ids(frame, mapping), names, streets, people, repaired)
    overlap = shapely.area(shapely.intersection(made.geometry.to_numpy(), area))
    ours = overlap > SLIVER_SHARE * shapely.area(made.geometry.to_numpy())
    for i in np.flatnonzero(~ours):
        zh, en = "社区在范围外", "community outside the area"
        audit.append(
            AuditEntry(
                "skipped",
                zh,
                en,
                file=section.file,
                row=int(frame.index[i]) + 1,
                name=names[i],
                found=f"{people[i]:.0f}",
            )
        )
    if not ours.any():
        message = "没有一个社区在范围内：请核对坐标系 / no community lies in the area: check the datum"
        raise InputError(Defect(message, file=section.file, key="communities.file"))
    return made[ours].reset_index(drop=True), audit


def _bad_people(frame: gpd.GeoDataFrame, people: F64, column: str, file: str) -> list[Defect]:
    return [
        Defect(
            f"人口应为非负数，实为 {frame[column].iloc[i]!r} / population must be a number ≥ 0; "
            f"found {frame[column].iloc[i]!r}",
            file=file,
            row=int(frame.index[i]) + 1,
            column=column,
        )
        for i in np.flatnonzero(~(np.isfinite(people) & (people >= 0)))
    ]


def _names(
    frame: gpd.GeoDataFrame, mapping: Mapping[str, str], file: str
) -> tuple[list[str], list[str], list[AuditEntry]]:
    names = _texts(frame, mapping.get("name"))
    streets = _texts(frame, mapping.get("street"))
    rows = [int(i) + 1 for i in frame.index]
    audit = []
    seen: dict[tuple[str, str], int] = {}
    for i, row in enumerate(rows):
        if not names[i]:
            names[i] = f"社区 {row}"
            audit.append(
                AuditEntry(
                    "mended", "没有名称，已编号", "no name: numbered", file=file, row=row, name=names[i]
                )
            )
        key = (streets[i], names[i])
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            found, names[i] = names[i], f"{names[i]}（{seen[key]}）"
            zh, en = "同一街道内重名，已加序号", "the same name twice in one street: numbered"
            audit.append(AuditEntry("mended", zh, en, file=file, row=row, name=names[i], found=found))
    return names, streets, audit


def _ids(frame: gpd.GeoDataFrame, mapping: Mapping[str, str]) -> list[str]:
    given = _texts(frame, mapping.get("id"))
    if all(given) and len(set(given)) == len(given):
        return given
    return [f"C{int(i) + 1:03d}" for i in frame.index]


def _texts(frame: gpd.GeoDataFrame, column: str | None) -> list[str]:
    """A column as text: "" where empty, whole numbers without a decimal point."""
    if column is None:
        return [""] * len(frame)
    return [
        "" if pd.isna(v) else f"{v:.0f}" if isinstance(v, float) and v.is_integer() else str(v).strip()
        for v in frame[column]
    ]
