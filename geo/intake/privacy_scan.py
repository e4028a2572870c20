"""Where personal numbers were typed in the tables of a study: cell by cell, and how each is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

from geo.config import StationsSection, Study
from geo.errors import Defect, InputError
from geo.intake.privacy import mask_mobiles, personal_numbers
from geo.intake.read import RASTER, named_files
from geo.intake.stations import station_source
from geo.intake.tables import Table, read_table

_NO_TABLES = frozenset({"area.boundary", "area.responsibility", "roads.file"})  # shapes and roads


@dataclass(frozen=True, slots=True)
class Masked:
    """One personal number: where it was typed, and as what it is shown in every output."""

    file: str
    sheet: str
    row: int | None
    column: str
    kind: Literal["mobile", "identity"]
    shown: str


def scan_tables(study: Study) -> tuple[list[Masked], list[Defect]]:
    """Every personal number in the tables of a study, in their order; the defects of unreadable ones.

    Titles, notes and rows that are skipped are looked through as well. No roads are needed.
    """
    found: list[Masked] = []
    defects: list[Defect] = []
    for read in _readers(study):
        try:
            for table in read():
                found += _in_table(table)
        except InputError as error:
            defects += error.defects
    return found, defects


def _readers(study: Study) -> Iterator[Callable[[], list[Table]]]:
    for section in study.stations:
        yield partial(_stations, study, section)
    for key, name in named_files(study):
        path = study.path(name)
        if key in _NO_TABLES or key.startswith("stations.") or path.suffix.lower() in RASTER:
            continue
        yield partial(read_table, path)


def _stations(study: Study, section: StationsSection) -> list[Table]:
    return read_table(station_source(study, section), sheet=section.sheet)


def _in_table(table: Table) -> Iterator[Masked]:
    loose = [(None, table.title), *((row, text) for row, text, _why in (*table.skipped, *table.notes))]
    for row, text in loose:
        yield from _in_text(table, row, "", text)
    names = [mask_mobiles(str(h)) for h in table.headings or table.frame.columns]
    columns = [table.frame.iloc[:, i].tolist() for i in range(table.frame.shape[1])]
    for row, cells in zip(table.rows.tolist(), zip(*columns, strict=True), strict=True):
        for k, cell in enumerate(cells):
            if isinstance(cell, str):
                name = names[k] if k < len(names) else mask_mobiles(str(table.frame.columns[k]))
                yield from _in_text(table, int(row), name, cell)


def _in_text(table: Table, row: int | None, column: str, text: str) -> Iterator[Masked]:
    for kind, shown in personal_numbers(text):
        yield Masked(table.file, table.sheet, row, column, kind, shown)
