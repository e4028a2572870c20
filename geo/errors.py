"""The error tree: every failure a planner can cause or meet, in words a planner can act on.

RedmapError
├── InputError        the input or the call is wrong: exit code 2, lists every defect at once
└── RunError          the run failed for another reason: exit code 1
    └── DownloadError roads could not be fetched
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing that is wrong with an input: what was found, what was expected, what to do.

    ``message`` is Chinese first, English after it, so that one list serves both readers.

    >>> str(Defect("没有经度列 / no longitude column", file="a.xlsx", sheet="Sheet1", column="X"))
    'a.xlsx · Sheet1 · X: 没有经度列 / no longitude column'
    """

    message: str
    file: str | None = None
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    key: str | None = None

    def __str__(self) -> str:
        row = None if self.row is None else f"row {self.row}"
        place = " · ".join(p for p in (self.file, self.sheet, row, self.column, self.key) if p)
        return f"{place}: {self.message}" if place else self.message


class RedmapError(Exception):
    """Any failure that Red Map explains itself."""


class InputError(RedmapError, ValueError):
    """The input or the call is wrong; ``defects`` holds all that was found, not only the first.

    >>> error = InputError([Defect("文件不存在 / file not found", file="a.xlsx")])
    >>> len(error.defects)
    1
    """

    def __init__(self, defects: Iterable[Defect] | Defect | str) -> None:
        if isinstance(defects, str):
            defects = (Defect(defects),)
        elif isinstance(defects, Defect):
            defects = (defects,)
        self.defects: tuple[Defect, ...] = tuple(defects)
        super().__init__("\n".join(str(d) for d in self.defects))


class RunError(RedmapError, RuntimeError):
    """The run failed though the input was acceptable (disk full, solver failure …)."""


class DownloadError(RunError):
    """Roads could not be downloaded: no network, a refusing server, or an unknown place."""
