"""What a department keeps of its lists: cleaned.xlsx, and merge.csv with the pairs to decide on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from geo.intake.datum import from_wgs84
from geo.intake.privacy import mask_mobiles
from geo.models import Inputs
from geo.report.frames import audit_frame, flat
from geo.report.workbook import SYNTHETIC, write_book

CLEANED, MERGE = "cleaned.xlsx", "merge.csv"
# 七个一 (Wuhan: one room, tables and chairs, microwave, water, heating or cooling, fridge, first-aid box),
# as far as a list of services tells; Guizhou puts books and Haikou a toilet in the place of the fridge.
SEVEN: Mapping[str, frozenset[str]] = MappingProxyType({
    "桌凳 Seats": frozenset({"rest"}),
    "微波炉 Microwave": frozenset({"microwave"}),
    "饮水 Water": frozenset({"water"}),
    "冷暖 Heating or cooling": frozenset({"warmth", "cooling"}),
    "冰箱 Fridge": frozenset({"fridge"}),
    "药箱 First aid": frozenset({"first_aid"}),
})  # fmt: skip
INSTEAD: Mapping[str, frozenset[str]] = MappingProxyType({
    "阅览 Books (贵州 Guizhou)": frozenset({"books"}),
    "如厕 Toilet (海口 Haikou, 广州 Guangzhou)": frozenset({"toilet"}),
})  # fmt: skip
UNTOLD = "室内场所、统一标识、管理制度：名单看不出 / a room, signs and rules: a list cannot tell"


def compliance(stations: pd.DataFrame) -> pd.DataFrame:
    """What each station lacks of the 七个一 list: a column an item (有 yes, 缺 no), and all that it lacks.

    Source: the published lists of Wuhan, Guizhou, Haikou and Guangzhou. An empty list of services says
    nothing: all its items stand as 未填 (not told), none as lacking.

    >>> one = pd.DataFrame({"station_id": ["S1"], "name": ["站"], "services": [frozenset({"rest", "water"})]})
    >>> compliance(one).iloc[0, -1]
    '微波炉 Microwave; 冷暖 Heating or cooling; 冰箱 Fridge; 药箱 First aid'
    """
    rows = []
    for station_id, name, services in stations[["station_id", "name", "services"]].itertuples(index=False):
        has = {title: bool(any_of & services) for title, any_of in {**SEVEN, **INSTEAD}.items()}
        said = {
            title: ("有 yes" if yes else "缺 no") if services else "未填 not told"
            for title, yes in has.items()
        }
        lacks = [title for title in SEVEN if services and not has[title]]
        rows.append({"station_id": station_id, "name": name, **said, "缺项 Lacks (七个一)": "; ".join(lacks)})
    columns = ["station_id", "name", *SEVEN, *INSTEAD, "缺项 Lacks (七个一)"]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def as_typed(inputs: Inputs) -> pd.DataFrame:
    """The stations with their position in WGS-84 and in the datum of their list (``lon_typed lat_typed datum``)."""
    frame = inputs.stations.copy()
    datum = np.array([inputs.datums.get(name, "wgs84") for name in frame["file"]], dtype=object)
    x, y = frame["lon"].to_numpy(dtype=float).copy(), frame["lat"].to_numpy(dtype=float).copy()
    for name in sorted(set(datum)):
        rows = datum == name
        x[rows], y[rows] = from_wgs84(x[rows], y[rows], name)
    digits = np.where([str(name).startswith("EPSG") for name in datum], 3, 8)
    typed = [[round(float(v), int(d)) for v, d in zip(values, digits, strict=True)] for values in (x, y)]
    at = list(frame.columns).index("lat") + 1
    frame.insert(at, "datum", datum)
    frame.insert(at, "lat_typed", typed[1])
    frame.insert(at, "lon_typed", typed[0])
    return frame


def write_cleaned(inputs: Inputs, folder: Path, *, title: str, when: dt.datetime) -> None:
    """Write cleaned.xlsx (stations, compliance, pairs, audit) and merge.csv into ``folder``."""
    note = SYNTHETIC if inputs.synthetic else ""
    sheets = {
        "驿站 Stations": flat(as_typed(inputs)),
        "达标 Compliance": compliance(inputs.stations),
        "同处 Pairs": flat(inputs.pairs),
        "数据审计 Audit": flat(audit_frame(inputs)),
    }
    notes = {"达标 Compliance": UNTOLD}
    write_book(
        {name: (frame, " · ".join(filter(None, (notes.get(name), note)))) for name, frame in sheets.items()},
        folder / CLEANED,
        title=title,
        when=when,
    )
    text = inputs.pairs.map(lambda v: mask_mobiles(v) if isinstance(v, str) else v).to_csv(
        index=False, lineterminator="\n"
    )
    (folder / MERGE).write_text(text, encoding="utf-8-sig", newline="")
