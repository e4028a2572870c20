"""Answers to the call for hosts (驿站招募令): forms filled in by shops → venues, with the care of a station list."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from geo.config import AUTO
from geo.intake.merge import ALIKE, ASK_M, name_score
from geo.intake.stations import read_stations
from geo.intake.tables import read_table
from geo.models import RECRUITMENT_WILLING, AuditEntry

_M_PER_DEG = 111_195.0
_UNWILLING = re.compile(r"^(?:否|不愿意?|不同意|暂不|no|n|×|✗)", re.IGNORECASE)


def read_recruitment(
    path: Path, *, datum: str | None, area: Any
) -> tuple[pd.DataFrame, tuple[AuditEntry, ...]]:
    """The premises that offer themselves: ``venue_id name kind lon lat services hours``, and the audit.

    The positions, hours, services and numbers of a form are read as those of a list of stations. A
    form whose datum is said nowhere, or whose shop is not willing, is told in the audit and left out.
    Raises :class:`geo.errors.InputError` where the file or its columns cannot be made out.
    """
    listed = read_stations(path, datum=datum or AUTO, area=area)
    frame, audit = listed.frame, list(listed.audit)
    unwilling = _unwilling(path)
    action: Literal["skipped", "unmapped"]
    keep = np.ones(len(frame), dtype=np.bool_)
    for k, row in enumerate(frame.to_dict("records")):
        where = (str(row["sheet"]), int(row["row"]))
        said_no = unwilling.get(where)
        if said_no is not None:
            action, zh, en = "skipped", "不愿意挂牌", "not willing to host"
        elif row["datum"] == AUTO:
            action, zh, en = (
                "unmapped",
                "没有写坐标系（高德、百度或 GPS），不能确定位置",
                "the datum of its numbers is not said",
            )
        else:
            continue
        keep[k] = False
        audit.append(
            AuditEntry(
                action,
                zh,
                en,
                file=path.name,
                sheet=where[0],
                row=where[1],
                name=str(row["name"]),
                found=said_no or "",
            )
        )
    kept = frame[keep].reset_index(drop=True)
    venues = kept[["name", "kind", "lon", "lat", "services", "hours"]].copy()
    venues.insert(0, "venue_id", [f"R{i:03d}" for i in range(1, len(kept) + 1)])
    return venues, tuple(audit)


def join_venues(answers: pd.DataFrame, known: pd.DataFrame) -> tuple[pd.DataFrame, list[AuditEntry]]:
    """Answers first, then the known venues that are none of them: alike in name and within 60 m."""
    if answers.empty or known.empty:
        return pd.concat([part for part in (answers, known) if len(part)] or [answers], ignore_index=True), []
    scale = np.array([_M_PER_DEG * np.cos(np.radians(answers["lat"].mean())), _M_PER_DEG])
    here, there = (part[["lon", "lat"]].to_numpy(dtype=float) * scale for part in (answers, known))
    same: dict[int, int] = {}
    for k, near in enumerate(cKDTree(here).query_ball_point(there, ASK_M)):
        for i in near:
            if name_score(str(answers["name"].iloc[i]), str(known["name"].iloc[k])) >= ALIKE:
                same[k] = i
    told = [
        AuditEntry("merged", f"与报名的“{answers['name'].iloc[i]}”为同一场所", f"the premises of the answer {answers['name'].iloc[i]}",
                   name=str(known["name"].iloc[k]))
        for k, i in sorted(same.items())
    ]  # fmt: skip
    left = known.drop(index=[known.index[k] for k in same])
    return pd.concat([answers, left], ignore_index=True), told


def _unwilling(path: Path) -> dict[tuple[str, int], str]:
    """(sheet, row) → what was typed, of forms that say no."""
    found = {}
    for table in read_table(path):
        column = next((c for c in table.frame.columns if RECRUITMENT_WILLING in str(c)), None)
        if column is None:
            continue
        for row, cell in zip(table.rows.tolist(), table.frame[column], strict=True):
            if isinstance(cell, str) and _UNWILLING.match(cell.strip()):
                found[table.sheet, int(row)] = cell.strip()
    return found
