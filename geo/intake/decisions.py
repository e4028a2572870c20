"""What the user decided about pairs of rows: ``merge.csv``, written by a run, corrected, and read back."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from geo.errors import Defect, InputError
from geo.intake.merge import PAIR_COLUMNS, Decision
from geo.intake.tables import read_table


def read_decisions(path: Path) -> dict[frozenset[str], Decision]:
    """Keys of two rows → whether they are one location; rows left at ``unsure`` decide nothing.

    Raises :class:`geo.errors.InputError` for missing columns and words other than same, different and
    unsure, all at once with their rows.
    """
    (table,) = read_table(path)[:1]
    frame = table.frame
    missing = [name for name in ("decision", "key_a", "key_b") if name not in frame.columns]
    if missing:
        expected = " ".join(PAIR_COLUMNS)
        raise InputError(
            Defect(
                f"缺少列 {'、'.join(missing)}；应为 / columns missing; expected {expected}", file=path.name
            )
        )
    defects, found = [], dict[frozenset[str], Decision]()
    for row, decision, a, b in zip(
        table.rows.tolist(), frame["decision"], frame["key_a"], frame["key_b"], strict=True
    ):
        word = str(decision or "").strip().lower()
        if word not in get_args(Decision):
            allowed = " ".join(get_args(Decision))
            message = f"应为 {allowed}，现为 {decision!r} / expected one of {allowed}; found {decision!r}"
            defects.append(Defect(message, file=path.name, row=row, column="decision"))
        elif word != "unsure":
            found[frozenset((str(a), str(b)))] = word  # type: ignore[assignment]
    if defects:
        raise InputError(defects)
    return found
