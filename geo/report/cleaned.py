"""What a department keeps of its lists: cleaned.xlsx, and merge.csv with the pairs to decide on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from geo.intake.compliance import compliance_frame
from geo.intake.datum import from_wgs84
from geo.intake.privacy import mask_mobiles
from geo.models import Inputs
from geo.report.frames import audit_frame, flat
from geo.report.workbook import SYNTHETIC, write_book

CLEANED, MERGE = "cleaned.xlsx", "merge.csv"


def as_typed(inputs: Inputs) -> pd.DataFrame:
    """The stations with their position in WGS-84 and in the datum of their row (``lon_typed lat_typed datum``)."""
    frame = inputs.stations.copy()
    datum = frame.pop("datum").to_numpy(dtype=object)
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


def write_cleaned(
    inputs: Inputs, folder: Path, *, checklists: Sequence[str], title: str, when: dt.datetime
) -> None:
    """Write cleaned.xlsx (stations, compliance with ``checklists``, pairs, audit) and merge.csv into ``folder``."""
    note = SYNTHETIC if inputs.synthetic else ""
    sheets = {
        "驿站 Stations": flat(as_typed(inputs)),
        "达标 Compliance": compliance_frame(inputs.stations, checklists),
        "同处 Pairs": flat(inputs.pairs),
        "数据审计 Audit": flat(audit_frame(inputs)),
    }
    write_book(
        {name: (frame, note) for name, frame in sheets.items()},
        folder / CLEANED,
        title=title,
        when=when,
    )
    text = inputs.pairs.map(lambda v: mask_mobiles(v) if isinstance(v, str) else v).to_csv(
        index=False, lineterminator="\n"
    )
    (folder / MERGE).write_text(text, encoding="utf-8-sig", newline="")
