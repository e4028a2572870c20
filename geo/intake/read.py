"""All tables of a study, all defects at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.config import AUTO, StationsSection, Study
from geo.errors import Defect, InputError
from geo.intake.areas import area_audit, read_communities
from geo.intake.compliance import compliance_audit
from geo.intake.datum import from_wgs84
from geo.intake.datum_proof import Reading, contradicted, proven, weigh
from geo.intake.decisions import read_decisions
from geo.intake.demand import read_demand
from geo.intake.hours import calendar_notes
from geo.intake.ledger import ledger_demand, read_ledger
from geo.intake.stations import StationList, merge_stations, read_stations, station_source
from geo.intake.tables import too_large
from geo.intake.venues import read_venues
from geo.models import AuditEntry, Inputs, RoadNetwork

T = TypeVar("T")
RASTER = {".tif", ".tiff"}  # of any size: only a window is read


def named_files(study: Study) -> Iterator[tuple[str, str]]:
    """Key and name of every input file of a study."""
    if study.area.boundary:
        yield "area.boundary", study.area.boundary
    if study.area.responsibility:
        yield "area.responsibility", study.area.responsibility
    if study.roads.file:
        yield "roads.file", study.roads.file
    if study.merge.file:
        yield "merge.file", study.merge.file
    for i, section in enumerate(study.stations):
        if section.file is not None:
            yield f"stations.{i}.file", section.file
    if study.communities:
        yield "communities.file", study.communities.file
        for key in ("people", "aliases"):
            if name := getattr(study.communities, key):
                yield f"communities.{key}", name
        if study.communities.raster:
            yield "communities.raster", study.communities.raster
    for layer, demand in study.demand.items():
        if demand.file is not None:
            yield f"demand.{layer}.file", demand.file
    if study.venues:
        for key in ("file", "recruitment"):
            if name := getattr(study.venues, key):
                yield f"venues.{key}", name
    if study.ledger:
        yield "ledger.file", study.ledger.file


def missing_files(study: Study) -> list[Defect]:
    """A defect for every named file that is not there, and for every table that is too large to be one."""
    defects = []
    for key, name in named_files(study):
        path = study.path(name)
        if not path.is_file():
            defects.append(Defect("没有这个文件 / no such file", file=name, key=key))
        elif key != "roads.file" and path.suffix.lower() not in RASTER:
            defects += too_large(path)
    return defects


def read_inputs(study: Study, *, area: gpd.GeoDataFrame, network: RoadNetwork) -> Inputs:
    """Read and check every table of a study against its area (WGS-84) and its network.

    The population of communities without a column of their own is what their residents sum to.
    Raises one :class:`geo.errors.InputError` with the defects of all files.
    """
    shape = area.geometry.iloc[0]
    defects: list[Defect] = []

    def attempt(read: Callable[[], T]) -> T | None:
        try:
            return read()
        except InputError as error:
            defects.extend(error.defects)
            return None

    outline = attempt(lambda: area_audit(study))
    lists = [
        attempt(lambda i=i: _stations(study, i, shape, network))  # type: ignore[misc]
        for i in range(len(study.stations))
    ]
    communities = attempt(lambda: read_communities(study, area=shape))
    venues = attempt(lambda: read_venues(study, area=shape, network=network))
    demand = None
    if communities is not None:
        polygons = communities[0]
        demand = attempt(lambda: read_demand(study, area=shape, communities=polygons, network=network))
    problems = None
    decisions = attempt(lambda: read_decisions(study.path(study.merge.file)) if study.merge.file else {})
    merged = merge_stations([part for part in lists if part is not None], decisions)
    if study.ledger is not None and communities is not None and venues is not None:
        known = (merged.frame, venues[0], communities[0])
        problems = attempt(
            lambda: read_ledger(study, area=shape, stations=known[0], venues=known[1], communities=known[2])
        )
    if not defects and merged.frame.empty:
        message = "没有一个可用的驿站：请核对坐标系与范围 / no usable station: check the datum and the area"
        defects.append(Defect(message, file=study.stations[0].source))
    if defects or outline is None or communities is None or venues is None or demand is None:
        raise InputError(defects)
    return Inputs(
        stations=merged.frame,
        pairs=merged.pairs,
        lists=merged.lists,
        station_counts=merged.counts,
        communities=_with_people(communities[0], demand[0]),
        venues=venues[0],
        demand=pd.concat([demand[0], ledger_demand(problems[0], communities[0])], ignore_index=True)
        if problems is not None
        else demand[0],
        problems=None if problems is None else problems[0],
        area=area,
        # the communities' file may have been read for the area as well
        audit=(
            *(e for e in outline if e not in communities[1]),
            *merged.audit,
            *compliance_audit(merged.frame, study.standard.compliance),
            *calendar_notes(study.standard.times),
            *communities[1],
            *demand[1],
            *venues[1],
            *(problems[1] if problems is not None else ()),
        ),
        sha256={name: _sha256(study, name) for _key, name in named_files(study)}
        | {
            section.source: part.sha256
            for section, part in zip(study.stations, lists, strict=True)
            if part is not None and section.database is not None
        },
        synthetic=study.study.synthetic,
    )


def _with_people(communities: gpd.GeoDataFrame, demand: pd.DataFrame) -> gpd.GeoDataFrame:
    if (communities["population"] > 0).any():
        return communities
    inside = demand[(demand["layer"] == "residents") & (demand["community"] >= 0)]
    rows = inside["community"].to_numpy(dtype=np.int64)
    weight = inside["weight"].to_numpy(dtype=float)
    return communities.assign(population=np.bincount(rows, weights=weight, minlength=len(communities)))


def _stations(study: Study, number: int, shape: Any, network: RoadNetwork) -> StationList:
    """One list, its datum held against the roads: proven where it is not declared, refused where they deny it.

    With ``auto`` the rows of which the file itself names the datum are held against the roads by datum,
    the others are proven together and the list is read again in what they are.
    """
    section = study.stations[number]

    def read(proven: str = AUTO) -> StationList:
        return read_stations(
            station_source(study, section),
            datum=section.datum,
            proven=proven,
            issuer=section.issuer,
            date=section.date,
            sheet=section.sheet,
            columns=section.columns,
            area=shape,
            allow_coarse=section.allow_coarse,
        )

    listed = read()
    audit: list[AuditEntry] = []
    found: str | None = None
    for datum in sorted(set(listed.frame["datum"])):
        if datum.startswith("EPSG"):
            continue
        here = listed.frame[listed.frame["datum"] == datum]
        typed = from_wgs84(
            here["lon"].to_numpy(dtype=float),
            here["lat"].to_numpy(dtype=float),
            "wgs84" if datum == AUTO else datum,
        )
        readings = weigh(*typed, list(here["name"]), network)
        told = _judged(section, number, datum, readings)
        if told is not None:
            audit.append(AuditEntry("noted", *told, file=_named(section)))
        if datum == AUTO:
            found = proven(readings)
    if found is not None:
        listed = read(found)
    return replace(listed, audit=(*listed.audit, *audit))


def _judged(
    section: StationsSection, number: int, datum: str, readings: Sequence[Reading]
) -> tuple[str, str] | None:
    """What the audit says of the datum of a list or of a part of it; raises where it cannot stand."""
    evidence = [reading.told() for reading in readings]
    zh, en = "；".join(told[0] for told in evidence), "; ".join(told[1] for told in evidence)
    found = proven(readings)
    key = f"stations.{number}.datum"
    if datum == AUTO:
        if found is not None:
            return f"坐标系由道路证明为 {found}：{zh}", f"the roads prove the datum {found}: {en}"
        if not readings:
            zh, en = "点太少，或周围没有道路", "too few points, or no roads around them"
        message = (
            f"坐标系无法证明，请声明 wgs84、gcj02 或 bd09：{zh} / "
            f"the datum cannot be proven, declare one: {en}"
        )
        raise InputError(Defect(message, file=_named(section), key=key))
    if contradicted(readings, datum):
        if section.trust_datum:
            return (
                f"按 trust_datum 使用 {datum}，尽管点位合于 {found}：{zh}",
                f"{datum} is used because of trust_datum, though the points fit {found}: {en}",
            )
        message = (
            f"声明的坐标系是 {datum}，点位却合于 {found}；请核对后改为 {found}（确认无误则写 trust_datum = true）：{zh} / "
            f"declared {datum}, but the points fit {found}: check and declare it, or say trust_datum = true: {en}"
        )
        raise InputError(Defect(message, file=_named(section), key=key))
    if found is None:
        return None
    return f"坐标系 {datum} 有道路为证：{zh}", f"the roads bear the datum {datum} out: {en}"


def _named(section: StationsSection) -> str:
    return Path(section.file).name if section.file else section.source


def _sha256(study: Study, name: str) -> str:
    with study.path(name).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
