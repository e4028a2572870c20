"""Several station lists → one list of locations: one door counts once, however many plates it bears."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from rapidfuzz import fuzz
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.models import AuditEntry, ListCounts

COLUMNS = ["station_id", "name", "kind", "plates", "lon", "lat", "services", "hours", "hours_text", "access", "street",
           "community", "address", "phone", "issuer", "date", "file", "sheet", "row", "precision_m", "precision", "datum"]  # fmt: skip
Decision = Literal["same", "different", "unsure"]
PAIR_COLUMNS = ["decision", "distance_m", "name_score", "name_a", "name_b", "address_a", "address_b",
                "issuer_a", "issuer_b", "date_a", "date_b", "hours_a", "hours_b", "key_a", "key_b"]  # fmt: skip
SAME_DOOR_M = 15.0  # one door, whatever its plates are called
SAME_NAME_M = 30.0  # one place typed twice, if the names are alike
ASK_M = 60.0  # names as good as equal a little farther apart: worth a question
ALIKE, NEARLY_EQUAL = 80.0, 90.0  # of 100
# What one door cannot differ in, where two lists contradict each other: the newest list is believed.
CONTESTED = {"hours": "开放时间 hours", "phone": "电话 phone", "address": "地址 address"}

_GENERIC = re.compile(
    r"户外劳动者|户外职工|新就业群体|工会|党群|爱心|暖心|红色|服务站点?|服务中心|驿站|之家|阵地|港湾|[\s（）()·\-]"
)
_NUMERAL = re.compile(
    r"\d+|[一二三四五六七八九十]+(?=号|店|分|期|区|路|街|村|$)|(?<=第)[一二三四五六七八九十]+|[a-z]+座"
)
_PLACE = re.compile(r"(\d+|[一二三四五六七八九十]+)\s*(号楼|号|楼|层|室|栋|幢|座)")
_M_PER_DEG = 111_195.0


@dataclass(frozen=True, slots=True)
class StationList:
    """Stations that may be used, the counts of how they came about, and the audit.

    ``frame`` has the columns of :class:`geo.models.Inputs`' stations. ``counts``: listed, mapped, used,
    merged, rejected, hours_known; listed = mapped + unmapped rows, mapped = used + merged + rejected.
    ``sha256``: of the content, where the list came from a database. ``pairs``: rows that are or might be
    one location, with the columns :data:`PAIR_COLUMNS`. ``lists``: the counts of each list by itself.
    """

    frame: pd.DataFrame
    counts: Mapping[str, int]
    audit: tuple[AuditEntry, ...]
    sha256: str = ""
    pairs: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=PAIR_COLUMNS))
    lists: tuple[ListCounts, ...] = ()


def station_frame(records: Sequence[Mapping[Any, Any]]) -> pd.DataFrame:
    """Records as a frame of :data:`COLUMNS`; text stays object, so that None stays None."""
    frame = pd.DataFrame(list(records), columns=COLUMNS, dtype=object)
    return frame.astype({"lon": np.float64, "lat": np.float64, "row": np.int64, "precision_m": np.float64})


def merge_stations(
    lists: Sequence[StationList], decisions: Mapping[frozenset[str], Decision] | None = None
) -> StationList:
    """Several lists as one: the same door under several plates becomes one location.

    Two rows are one location within 15 m (unless their addresses name different floors, rooms or house
    numbers and their names differ), and within 30 m where their names are alike (numbers in the names
    must agree: 一号 is not 二号). ``decisions`` of the user, by the keys of both rows, go before all that.
    The first row stays, with the plates and services of all; where the lists contradict each other the
    newest is believed, and the audit shows both. The order of the lists changes which row stays, never
    which rows are one.
    """
    frame = station_frame([record for part in lists for record in part.frame.to_dict("records")])
    pairs, links = _pairs(frame, decisions or {})
    group = _groups(len(frame), links)
    first = np.full(group.max() + 1 if len(group) else 0, -1, dtype=np.int64)
    first[group[::-1]] = np.arange(len(group))[::-1]
    stays = np.sort(first)
    audit = [entry for part in lists for entry in part.audit]
    merged = frame.loc[stays].copy()
    columns: dict[str, list[Any]] = {
        c: list(merged[c]) for c in ("plates", "services", "hours", "hours_text", "access")
    }
    columns |= {c: list(merged[c]) for c in ("kind", "address", "phone", "street", "community")}
    at = {int(row): k for k, row in enumerate(stays)}
    size = np.bincount(group, minlength=len(first))
    members: dict[int, list[int]] = {}
    for row in np.flatnonzero(size[group] > 1).tolist():
        members.setdefault(int(first[group[row]]), []).append(row)
    for head, rows in members.items():
        part = frame.loc[rows]
        for column, value in _joined(part).items():
            columns[column][at[head]] = value
        audit += _told(part)
    for column, values in columns.items():
        merged[column] = pd.Series(values, index=merged.index, dtype=object)
    merged = merged.reset_index(drop=True)
    merged["station_id"] = pd.Series(station_ids(list(merged["station_id"])), dtype=object)
    counts = {key: sum(part.counts[key] for part in lists) for key in ("listed", "mapped", "rejected")}
    total = {
        **counts,
        "used": len(merged),
        "merged": sum(part.counts["merged"] for part in lists) + len(frame) - len(merged),
        "hours_known": int(merged["hours"].notna().sum()),
    }
    every = tuple(counts for part in lists for counts in part.lists)
    return StationList(merged, total, tuple(audit), pairs=pairs, lists=every)


def row_key(row: Mapping[str, Any]) -> str:
    """What tells a row of a list again: its file, number and name."""
    return f"{row['file']}:{row['row']}:{row['name']}"


def _pairs(
    frame: pd.DataFrame, decisions: Mapping[frozenset[str], Decision]
) -> tuple[pd.DataFrame, list[tuple[int, int]]]:
    """All pairs worth a word, and those that are one location."""
    if len(frame) < 2:
        return pd.DataFrame(columns=PAIR_COLUMNS), []
    lon, lat = frame["lon"].to_numpy(dtype=float), frame["lat"].to_numpy(dtype=float)
    x, y = lon * _M_PER_DEG * np.cos(np.radians(lat.mean())), lat * _M_PER_DEG
    near = cKDTree(np.column_stack((x, y))).query_pairs(ASK_M, output_type="ndarray")
    near = near[np.lexsort((near[:, 1], near[:, 0]))]
    away = np.hypot(x[near[:, 0]] - x[near[:, 1]], y[near[:, 0]] - y[near[:, 1]])
    name, address = [str(v) for v in frame["name"]], [str(v) for v in frame["address"]]
    columns = {c: list(frame[c]) for c in ("issuer", "date", "hours_text", "file", "row")}
    rows, links = [], []
    for (a, b), distance in zip(near.tolist(), away.tolist(), strict=True):
        score = name_score(name[a], name[b])
        keys = [
            row_key({"file": columns["file"][k], "row": columns["row"][k], "name": name[k]}) for k in (a, b)
        ]
        found = decisions.get(frozenset(keys)) or _decide(distance, score, address[a], address[b])
        if found is None:
            continue
        if found == "same":
            links.append((a, b))
        rows.append((found, round(distance, 1), round(score), name[a], name[b], address[a], address[b],
                     *(columns[c][k] for c in ("issuer", "date", "hours_text") for k in (a, b)), *keys))  # fmt: skip
    return pd.DataFrame(rows, columns=PAIR_COLUMNS), links


def _decide(distance_m: float, score: float, address: str, other: str) -> Decision | None:
    if distance_m <= SAME_DOOR_M:
        return "unsure" if score < ALIKE and _contradict(address, other) else "same"
    if distance_m <= SAME_NAME_M and score >= ALIKE:
        return "unsure" if _contradict(address, other) else "same"
    return "unsure" if score >= NEARLY_EQUAL else None


def _contradict(a: str, b: str) -> bool:
    """Whether two addresses name different floors, rooms, buildings or house numbers."""
    one, two = ({kind: n for n, kind in _PLACE.findall(unicodedata.normalize("NFKC", t))} for t in (a, b))
    return any(one[kind] != two[kind] for kind in one.keys() & two.keys())


def name_score(a: str, b: str) -> float:
    """How alike two names are, of 100; 0 where numbers in them differ.

    >>> name_score("颍河路工会驿站", "颍河路 爱心驿站"), name_score("一号驿站", "二号驿站")
    (100.0, 0.0)
    """
    a, b = (unicodedata.normalize("NFKC", n).lower() for n in (a, b))
    if _NUMERAL.findall(a) != _NUMERAL.findall(b):
        return 0.0
    # 驿站, 工会 and the like are on every door: what is left tells places apart
    own_a, own_b = _GENERIC.sub("", a) or a, _GENERIC.sub("", b) or b
    return float(fuzz.ratio(own_a, own_b))


def _groups(count: int, links: Sequence[tuple[int, int]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    if count == 0:
        return np.empty(0, dtype=np.int64)
    a, b = np.array(links, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _joined(rows: pd.DataFrame) -> dict[str, Any]:
    """What becomes of the rows of one location: the newest list is believed, plates and services add up."""
    # of equal dates the first row; undated lists are older than any
    newest = rows.iloc[sorted(range(len(rows)), key=lambda k: str(rows["date"].iloc[k]), reverse=True)]
    known = next((k for k, hours in enumerate(newest["hours"]) if isinstance(hours, str)), 0)
    names = list(rows["name"]) if len(set(rows["name"])) > 1 else []
    return {
        "plates": tuple(dict.fromkeys([p for plates in rows["plates"] for p in plates] + names)),
        "services": frozenset[str]().union(*rows["services"]),
        "hours": newest["hours"].iloc[known],
        "hours_text": newest["hours_text"].iloc[known],  # the text goes with the hours that are used
        "access": newest["access"].iloc[known],
        **{
            column: next((value for value in newest[column] if value), "")
            for column in ("kind", "address", "phone", "street", "community")
        },
    }


def _told(rows: pd.DataFrame) -> list[AuditEntry]:
    """An entry for each row that goes into the first one, with what they contradict each other in."""
    head = rows.iloc[0]
    entries = []
    for k in range(1, len(rows)):
        row = rows.iloc[k]
        zh, en = f"与“{head['name']}”为同一处所", f"the same location as {head['name']}"
        for column, title in CONTESTED.items():
            a, b = head[column], row[column]
            if isinstance(a, str) and isinstance(b, str) and a and b and a != b:
                shown = "hours_text" if column == "hours" else column
                title_zh, title_en = title.split(" ")
                both = "；".join(f"{_who(r)} {r[shown]}" for r in (head, row))
                newer = head["date"] != row["date"]
                zh = f"{zh}；{title_zh}不一：{both}，{'取较新者' if newer else '同日，取先列者'}"
                en = f"{en}; {title_en} differ: {both}; the {'newer' if newer else 'first of one date'} is used"
        entries.append(
            AuditEntry(
                "merged",
                zh,
                en,
                file=row["file"],
                sheet=row["sheet"],
                row=int(row["row"]),
                name=row["name"],
                found=row["hours_text"],
            )
        )
    return entries


def _who(row: pd.Series) -> str:
    return " ".join(part for part in (str(row["issuer"]), str(row["date"])) if part) or str(row["file"])


def station_ids(given: Sequence[object]) -> list[str]:
    """The ids of the list where each row has its own, else S001, S002 … in the order of the rows."""
    texts = [str(v) for v in given]
    if all(texts) and len(set(texts)) == len(texts):
        return texts
    return [f"S{i:03d}" for i in range(1, len(texts) + 1)]
