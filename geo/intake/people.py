"""People of communities from a second table, joined by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from geo.config import Study
from geo.errors import Defect, InputError
from geo.intake.cells import numbers
from geo.intake.columns import map_columns
from geo.intake.names import HOW, match_names, read_aliases
from geo.intake.tables import read_table
from geo.models import F64, AuditEntry


def joined_people(study: Study, known: Sequence[tuple[str, str]]) -> tuple[F64, list[AuditEntry]]:
    """People of each of ``known`` (street, name) from ``[communities] people``, and the audit.

    Two rows of one community add up. Rows that match no community and communities that no row tells of
    (0 people) stand in the audit. Raises :class:`geo.errors.InputError` for a table without names or
    numbers, and where no row matches.
    """
    section = study.communities
    assert section is not None
    assert section.people is not None
    aliases = read_aliases(study.path(section.aliases)) if section.aliases else {}
    total, audit, matched = np.zeros(len(known)), list[AuditEntry](), set[int]()
    action: Literal["rejected", "unmapped", "mended"]
    for table in read_table(study.path(section.people)):
        frame, file, sheet = table.frame, table.file, table.sheet
        mapping = map_columns([str(c) for c in frame.columns], ("name", "street", "population"))
        missing = [key for key in ("name", "population") if key not in mapping]
        if missing:
            has = "、".join(map(str, frame.columns))
            message = (
                f"找不到列 {'、'.join(missing)}；有 {has} / no column for these; the table has the others"
            )
            raise InputError(Defect(message, file=file, sheet=sheet or None, key="communities.people"))
        people = numbers(pd.Series(frame[mapping["population"]]))
        streets = (
            [str(v or "") for v in frame[mapping["street"]]] if "street" in mapping else [""] * len(frame)
        )
        given = list(zip(streets, [str(v or "") for v in frame[mapping["name"]]], strict=True))
        for (_street, name), match, count, row in zip(
            given, match_names(given, known, aliases), people.tolist(), table.rows.tolist(), strict=True
        ):
            if not (np.isfinite(count) and count >= 0):
                action, zh, en = "rejected", "人口不是数字", "no number of people"
            elif match is None:
                action, zh, en = "unmapped", "没有这个社区，或不止一个", "no such community, or more than one"
            else:
                total[match.row] += count
                matched.add(match.row)
                if match.how == "same":
                    continue
                (zh, en), real = HOW[match.how], known[match.row][1]
                action, zh, en = "mended", f"{zh}：作“{real}”", f"{en}: taken for {real}"
            audit.append(
                AuditEntry(
                    action, zh, en, file=file, sheet=sheet, row=int(row), name=name, found=f"{count:.0f}"
                )
            )
    if not matched:
        message = "没有一行与社区同名 / no row bears the name of a community"
        raise InputError(Defect(message, file=section.people, key="communities.people"))
    for k in sorted(set(range(len(known))) - matched):
        zh, en = "人口表中没有此社区，按 0 人计", "not in the table of people: counted as nobody"
        audit.append(AuditEntry("noted", zh, en, file=section.people, name=known[k][1]))
    return total, audit
