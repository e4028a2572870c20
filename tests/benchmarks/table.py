"""The table: a line for each piece of work and each peer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HEADS = ("work", "input", "Red Map", "peer", "figure", "ratio", "note")


@dataclass(frozen=True)
class Row:
    """Seconds of Red Map and of one peer; ``theirs_s`` is None where ``note`` says why there is nothing."""

    work: str
    on: str
    ours_s: float | None
    peer: str
    theirs_s: float | None
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        ratio = self.theirs_s / self.ours_s if self.theirs_s is not None and self.ours_s else None
        shown = "—" if ratio is None else f"{ratio:,.1f} ×" if ratio < 100 else f"{ratio:,.0f} ×"
        return (
            self.work,
            self.on,
            duration(self.ours_s),
            self.peer,
            "not measured" if self.theirs_s is None else duration(self.theirs_s),
            shown,
            self.note,
        )

    def __str__(self) -> str:
        return " | ".join(self.cells())


def duration(seconds: float | None) -> str:
    """Seconds in a unit that suits them.

    >>> duration(0.00123), duration(0.0456), duration(7.891), duration(None)
    ('1.23 ms', '45.6 ms', '7.89 s', '—')
    """
    if seconds is None:
        return "—"
    if seconds >= 0.9995:
        return f"{seconds:.2f} s" if seconds < 100 else f"{seconds:,.0f} s"
    return f"{1e3 * seconds:.3g} ms"


def markdown(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [list(heads), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
