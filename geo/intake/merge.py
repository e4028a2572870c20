"""Several station lists → one list of locations: one door counts once, however many plates it bears."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from geo.models import AuditEntry

COLUMNS = ["station_id", "name", "kind", "plates", "lon", "lat", "services", "hours", "hours_text", "street",
           "community", "address", "phone", "issuer", "date", "file", "row", "precision_m"]  # fmt: skip
SAME_DOOR_M = 15.0  # one door, whatever its plates are called
SAME_NAME_M = 30.0  # one place typed twice, if the names are alike
ALIKE = 0.8

_GENERIC = re.compile(
    r"户外劳动者|户外职工|新就业群体|工会|党群|爱心|暖心|红色|服务站点?|服务中心|驿站|之家|阵地|港湾|[\s（）()·\-]"
)
_NUMERAL = re.compile(
    r"\d+|[一二三四五六七八九十]+(?=号|店|分|期|区|路|街|村|$)|(?<=第)[一二三四五六七八九十]+|[a-z]+座"
)
_M_PER_DEG = 111_195.0


@dataclass(frozen=True, slots=True)
class StationList:
    """Stations that may be used, the counts of how they came about, and the audit.

    ``frame`` has the columns of :class:`geo.models.Inputs`' stations. ``counts``: listed, mapped, used,
    merged, rejected, hours_known; listed = mapped + unmapped rows, mapped = used + merged + rejected.
    ``sha256``: of the content, where the list came from a database.
    """

    frame: pd.DataFrame
    counts: Mapping[str, int]
    audit: tuple[AuditEntry, ...]
    sha256: str = ""


def station_frame(records: Sequence[Mapping[Any, Any]]) -> pd.DataFrame:
    """Records as a frame of :data:`COLUMNS`; text stays object, so that None stays None."""
    frame = pd.DataFrame(list(records), columns=COLUMNS, dtype=object)
    return frame.astype({"lon": np.float64, "lat": np.float64, "row": np.int64, "precision_m": np.float64})


def merge_stations(lists: Sequence[StationList]) -> StationList:
    """Several lists as one: the same door under several plates becomes one location.

    Two rows are one location within 15 m, and within 30 m where their names are alike (numbers in
    the names must agree: 一号 is not 二号). The first row stays, with all plates and services.
    """
    frame = station_frame([record for part in lists for record in part.frame.to_dict("records")])
    audit = [entry for part in lists for entry in part.audit]
    counts = {key: sum(part.counts[key] for part in lists) for key in ("listed", "mapped", "rejected")}
    already = sum(part.counts["merged"] for part in lists)
    dropped = _same_location(frame)
    groups: dict[int, list[int]] = {i: [i] for i in range(len(frame)) if i not in dropped}
    for other, first in dropped.items():
        groups[first].append(other)
        row, head = frame.iloc[other].to_dict(), frame.iloc[first].to_dict()
        zh, en = f"与“{head['name']}”为同一处所", f"the same location as {head['name']}"
        if isinstance(row["hours"], str) and isinstance(head["hours"], str) and row["hours"] != head["hours"]:
            zh, en = f"{zh}；开放时间不同，用前者", f"{en}; other hours, the first are used"
        audit.append(
            AuditEntry(
                "merged",
                zh,
                en,
                file=row["file"],
                row=int(row["row"]),
                name=row["name"],
                found=row["hours_text"],
            )
        )
    merged = frame.loc[list(groups)].copy()
    parts = [frame.loc[rows] for rows in groups.values()]
    # the text goes with the hours that are used
    known = [next((i for i, h in enumerate(p["hours"]) if isinstance(h, str)), 0) for p in parts]
    joined = {
        "plates": [_all_plates(p) for p in parts],
        "services": [frozenset[str]().union(*p["services"]) for p in parts],
        "hours": [p["hours"].iloc[k] for p, k in zip(parts, known, strict=True)],
        "hours_text": [p["hours_text"].iloc[k] for p, k in zip(parts, known, strict=True)],
        **{
            c: [next((v for v in p[c] if v), "") for p in parts]
            for c in ("kind", "address", "phone", "street", "community")
        },
    }
    for column, values in joined.items():
        merged[column] = pd.Series(values, index=merged.index, dtype=object)
    merged = merged.reset_index(drop=True)
    merged["station_id"] = pd.Series(station_ids(list(merged["station_id"])), dtype=object)
    total = {
        **counts,
        "used": len(merged),
        "merged": already + len(dropped),
        "hours_known": int(merged["hours"].notna().sum()),
    }
    return StationList(merged, total, tuple(audit))


def _same_location(frame: pd.DataFrame) -> dict[int, int]:
    """Row that goes → row that stays."""
    dropped: dict[int, int] = {}
    if frame.empty:
        return dropped
    lon, lat = frame["lon"].to_numpy(dtype=float), frame["lat"].to_numpy(dtype=float)
    x, y = lon * _M_PER_DEG * np.cos(np.radians(lat.mean())), lat * _M_PER_DEG
    names = [str(n) for n in frame["name"]]
    for a, b in sorted(cKDTree(np.column_stack((x, y))).query_pairs(SAME_NAME_M)):
        if a in dropped or b in dropped:
            continue
        if np.hypot(x[a] - x[b], y[a] - y[b]) <= SAME_DOOR_M or _alike(names[a], names[b]):
            dropped[b] = a
    return dropped


def _alike(a: str, b: str) -> bool:
    a, b = (unicodedata.normalize("NFKC", n).lower() for n in (a, b))
    if _NUMERAL.findall(a) != _NUMERAL.findall(b):
        return False
    # 驿站, 工会 and the like are on every door: what is left tells places apart
    own_a, own_b = _GENERIC.sub("", a) or a, _GENERIC.sub("", b) or b
    return difflib.SequenceMatcher(None, own_a, own_b).ratio() >= ALIKE


def _all_plates(rows: pd.DataFrame) -> tuple[str, ...]:
    names = list(rows["name"]) if len(set(rows["name"])) > 1 else []
    return tuple(dict.fromkeys([p for plates in rows["plates"] for p in plates] + names))


def station_ids(given: Sequence[object]) -> list[str]:
    """The ids of the list where each row has its own, else S001, S002 … in the order of the rows."""
    texts = [str(v) for v in given]
    if all(texts) and len(set(texts)) == len(texts):
        return texts
    return [f"S{i:03d}" for i in range(1, len(texts) + 1)]
