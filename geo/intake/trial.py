"""Trial stations and closures, as the planner page saves them: a small JSON that a build can take as given."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from geo.errors import Defect, InputError
from geo.intake.hours import open_at
from geo.intake.merge import COLUMNS
from geo.intake.privacy import mask_mobiles
from geo.models import SERVICES, AuditEntry, Inputs

MOST = 200  # a trial is a handful of stations, not a list


class TrialStation(BaseModel):
    """One station to try: WGS-84 degrees, services of :data:`geo.models.SERVICES`, OSM opening hours."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str = Field(min_length=1, max_length=200)
    lon: Annotated[float, Field(ge=-180, le=180)]
    lat: Annotated[float, Field(ge=-85, le=85)]
    services: tuple[str, ...] = ()
    hours: str = "24/7"


class Trial(BaseModel):
    """What is tried: stations to add, and ids of stations to close."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    redmap: Literal["trial"]
    add: tuple[TrialStation, ...] = Field(default=(), max_length=MOST)
    close: tuple[str, ...] = ()


def read_trial(path: Path) -> Trial:
    """Read a file that the page saved. Raises :class:`geo.errors.InputError` with all that is wrong with it."""
    try:
        trial = Trial.model_validate(json.loads(path.read_text(encoding="utf-8-sig")))
    except FileNotFoundError as error:
        raise InputError(Defect("没有这个文件 / no such file", file=str(path))) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(Defect(f"不是 JSON / not JSON: {error}", file=path.name)) from error
    except ValidationError as error:
        raise InputError(
            Defect(f"不是推演文件，或值不对：{e['msg']} / no file of trial stations, or a wrong value", file=path.name,
                   key=".".join(map(str, e["loc"])) or None)
            for e in error.errors()
        ) from error  # fmt: skip
    return check_trial(trial, file=path.name)


def check_trial(trial: Trial, *, file: str) -> Trial:
    """The same trial; raises :class:`geo.errors.InputError` with every unknown service and unreadable hour."""
    wrong = [
        Defect(
            f"没有这种服务 {s}；可用 {' '.join(SERVICES)} / unknown service",
            file=file,
            key=f"add.{i}.services",
        )
        for i, station in enumerate(trial.add)
        for s in station.services
        if s not in SERVICES
    ]
    for i, station in enumerate(trial.add):
        try:
            open_at([station.hours], ["Mon 12:00"])
        except InputError as error:
            wrong += [replace(d, file=file, key=f"add.{i}.hours") for d in error.defects]
    if wrong:
        raise InputError(wrong)
    return trial


def with_trial(inputs: Inputs, trial: Trial, *, file: str) -> Inputs:
    """The inputs with the trial's stations added and closed; the audit tells each.

    Raises :class:`geo.errors.InputError` where a station to close is not in the list.
    """
    stations = inputs.stations
    ids = list(map(str, stations["station_id"]))
    unknown = [one for one in trial.close if one not in ids]
    if unknown:
        raise InputError(
            Defect(f"没有这个驿站编号 {one} / no station of this id", file=file, key="close")
            for one in unknown
        )
    kept = stations[~stations["station_id"].astype(str).isin(trial.close)]
    rows = []
    for number, one in enumerate(trial.add, start=1):
        rows.append(
            {
                **dict.fromkeys(COLUMNS, ""), "station_id": f"TRIAL{number}", "name": mask_mobiles(one.name),
                "kind": "trial", "plates": (), "lon": one.lon, "lat": one.lat, "services": frozenset(one.services),
                "hours": one.hours, "hours_text": one.hours, "file": file, "row": number, "precision_m": 1.0,
                "precision": "point", "datum": "wgs84",
            }
        )  # fmt: skip
    added = pd.DataFrame(rows, columns=list(stations.columns), dtype=object).astype(stations.dtypes.to_dict())
    merged = pd.concat([kept, added], ignore_index=True) if rows else kept.reset_index(drop=True)
    if merged.empty:
        raise InputError(
            Defect("推演关闭了全部驿站 / the trial closes every station", file=file, key="close")
        )
    names = dict(zip(ids, stations["name"], strict=True))
    told = [
        AuditEntry("noted", "推演：停用", "trial: closed", file=file, name=str(names[one]))
        for one in trial.close
    ]
    told += [
        AuditEntry("noted", "推演：新增", "trial: added", file=file, row=k, name=str(row["name"]))
        for k, row in enumerate(rows, start=1)
    ]
    counts = {**inputs.station_counts, "used": len(merged), "hours_known": int(merged["hours"].notna().sum())}
    return replace(inputs, stations=merged, station_counts=counts, audit=(*inputs.audit, *told))
