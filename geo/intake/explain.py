"""How the tables of a study are read: which heading became which field, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from geo.config import AUTO, DemandSection, StationsSection, Study
from geo.errors import Defect, InputError
from geo.intake import ledger, venues
from geo.intake.columns import fit, map_columns
from geo.intake.fields import Fields, absent_headings, station_fields, unknown_fields
from geo.intake.layers import layer_columns
from geo.intake.privacy import mask_mobiles
from geo.intake.read import RASTER
from geo.intake.stations import station_source
from geo.intake.tables import STREET, Table, read_table


@dataclass(frozen=True, slots=True)
class ColumnExplained:
    """One column in use: ``field`` (or a service, of ticks), ``heading`` as typed, points of 100 and why.

    ``runner_up`` is the heading that would have come next, "" where none fits at all.
    """

    field: str
    heading: str
    points: int
    why_zh: str
    why_en: str
    runner_up: str = ""
    runner_up_points: int = 0


@dataclass(frozen=True, slots=True)
class TableExplained:
    """How one table is read. ``role``: ``stations``, ``venues``, ``recruitment``, ``ledger`` or ``demand.NAME``.

    ``header_rows``: first and last row of the header, (0, 0) where the format names its fields;
    ``rows_read`` and ``rows_skipped`` as in the file; ``skipped``: (row, text, why);
    ``unused``: headings that became nothing; ``problems``: what keeps the table from being used.
    """

    role: str
    file: str
    sheet: str
    encoding: str
    title: str
    header_rows: tuple[int, int]
    rows_read: int
    rows_skipped: int
    columns: tuple[ColumnExplained, ...]
    unused: tuple[str, ...]
    skipped: tuple[tuple[int, str, str], ...]
    problems: tuple[str, ...]


def explain_tables(study: Study) -> tuple[list[TableExplained], list[Defect]]:
    """Every table of a study as it is understood, and the defects of those that cannot be read.

    Stations, venues and further demand are explained without roads, area or communities, so that one
    can look at a list before anything else is there. Rasters have no columns and are left out.
    """
    made: list[TableExplained] = []
    defects: list[Defect] = []
    for read in _readers(study):
        try:
            made += read()
        except InputError as error:
            defects += error.defects
    return made, defects


def _readers(study: Study) -> Iterator[Callable[[], list[TableExplained]]]:
    for section in study.stations:
        yield partial(_stations, study, section)
    if study.venues is not None and study.venues.file is not None:
        yield partial(_venues, study, study.venues.file)
    if study.venues is not None and study.venues.recruitment is not None:
        yield partial(_recruitment, study, study.venues.recruitment, study.venues.recruitment_datum or AUTO)
    if study.ledger is not None:
        yield partial(_ledger, study, study.ledger.file)
    for layer, demand in study.demand.items():
        if demand.file is not None and study.path(demand.file).suffix.lower() not in RASTER:
            yield partial(_layer, study, layer, demand, demand.file)


def _stations(study: Study, section: StationsSection) -> list[TableExplained]:
    tables = read_table(station_source(study, section), sheet=section.sheet)
    fields = [station_fields(table, section.columns, section.datum) for table in tables]
    wrong = [*unknown_fields(section.columns, section.source), *absent_headings(tables, fields)]
    return _of_stations("stations", tables, fields, wrong)


def _recruitment(study: Study, file: str, datum: str) -> list[TableExplained]:
    tables = read_table(study.path(file))
    return _of_stations("recruitment", tables, [station_fields(table, {}, datum) for table in tables], [])


def _of_stations(
    role: str, tables: Sequence[Table], fields: Sequence[Fields], wrong: Sequence[Defect]
) -> list[TableExplained]:
    explained = []
    for table, found in zip(tables, fields, strict=True):
        columns = [
            _column(table, field, heading, given=field in found.given)
            for field, heading in found.columns.items()
        ]
        columns += [
            ColumnExplained(service, _typed(table, heading), 100, *_given(found.given, service, "每格打勾的服务列", "a column of ticks"))
            for heading, service in found.ticks.items()
        ]  # fmt: skip
        problems = [f"缺列 {text}" for text in found.lacking]
        explained.append(_table(role, table, columns, [*problems, *map(str, wrong)]))
    return explained


def _given(given: frozenset[str], field: str, zh: str, en: str) -> tuple[str, str]:
    return ("[stations.columns] 指定", "named in [stations.columns]") if field in given else (zh, en)


def _venues(study: Study, file: str) -> list[TableExplained]:
    explained = []
    for table in read_table(study.path(file)):
        mapping = map_columns(map(str, table.frame.columns), venues.FIELDS)
        columns = [_column(table, field, heading) for field, heading in mapping.items()]
        problems = [f"缺列 {text}" for text in venues.lacking_columns(mapping)]
        explained.append(_table("venues", table, columns, problems))
    return explained


def _ledger(study: Study, file: str) -> list[TableExplained]:
    explained = []
    for table in read_table(study.path(file)):
        mapping = map_columns(map(str, table.frame.columns), ledger.FIELDS)
        columns = [_column(table, field, heading) for field, heading in mapping.items()]
        problems = [] if "problem" in mapping else ["缺列 问题内容 / problem"]
        explained.append(_table("ledger", table, columns, problems))
    return explained


def _layer(study: Study, layer: str, section: DemandSection, file: str) -> list[TableExplained]:
    explained = []
    for table in read_table(study.path(file)):
        mapping, missing = layer_columns(table, section)
        columns = [
            _column(table, field, heading, given=field == "weight" and bool(section.weight))
            for field, heading in mapping.items()
        ]  # fmt: skip
        explained.append(_table(f"demand.{layer}", table, columns, [d.message for d in missing]))
    return explained


def _table(
    role: str, table: Table, columns: Iterable[ColumnExplained], problems: Iterable[str]
) -> TableExplained:
    listed = tuple(columns)
    used = {column.heading for column in listed}
    typed = (_typed(table, str(heading)) for heading in table.frame.columns)
    return TableExplained(
        role=role,
        file=table.file,
        sheet=table.sheet,
        encoding=table.encoding,
        title=mask_mobiles(table.title),
        header_rows=table.header_rows,
        rows_read=len(table.rows),
        rows_skipped=len(table.skipped),
        columns=listed,
        unused=tuple(h for h in typed if h and h not in used),
        skipped=tuple((row, mask_mobiles(text), why) for row, text, why in table.skipped),
        problems=tuple(problems),
    )


def _typed(table: Table, heading: str) -> str:
    """A heading as typed; a column that was made (a street from the sheet's name) bears its own name."""
    names = dict(zip(map(str, table.frame.columns), table.headings, strict=False))
    return mask_mobiles(names.get(heading, "")) or ("" if heading.startswith("column_") else heading)


def _column(table: Table, field: str, heading: str, *, given: bool = False) -> ColumnExplained:
    found = fit(field, heading)
    names: Mapping[str, int] = {
        str(h): fit(field, str(h)).points for h in table.frame.columns if str(h) != heading
    }
    second = max(names, key=lambda name: names[name], default="")
    rest = (_typed(table, second), names[second]) if second and names[second] > 0 else ("", 0)
    if given:
        return ColumnExplained(
            field, _typed(table, heading), 100, "study.toml 指定", "named in study.toml", *rest
        )
    if heading == STREET and STREET not in " ".join(table.headings):
        zh, en = "取自工作表名或分组行", "from the sheet's name or the group rows"
        return ColumnExplained(field, heading, 100, zh, en, *rest)
    if table.crs and heading in {"lon", "lat"}:
        return ColumnExplained(field, heading, 100, "取自几何图形", "from the geometry", *rest)
    if not found.points:
        zh, en = "没有名称列，以编号代替", "no column of names: the ids stand for them"
        return ColumnExplained(field, _typed(table, heading), 0, zh, en, *rest)
    return ColumnExplained(field, _typed(table, heading), found.points, found.why_zh, found.why_en, *rest)
