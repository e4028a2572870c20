"""Which columns of one table of stations are used: the vocabulary, and what the study says instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from geo.errors import Defect
from geo.intake.columns import VOCABULARY, closest_headings, find_heading, map_columns, of_datum
from geo.intake.privacy import mask_mobiles
from geo.intake.services import tick_columns
from geo.intake.tables import Table
from geo.models import SERVICES

FIELDS = ("id", "name", "lon", "lat", "lonlat", "address", "hours", "services", "kind", "plates", "street",
          "community", "phone", "issuer", "status", "remark")  # fmt: skip
_NEEDED = (("name", "名称", "name"), ("lon", "经度", "longitude"), ("lat", "纬度", "latitude"))


@dataclass(frozen=True, slots=True)
class Fields:
    """The columns of one table.

    ``columns``: field → heading; ``ticks``: heading → service for columns of ticks; ``lacking``: what a
    list of stations cannot do without, Chinese / English; ``absent``: field → heading of
    ``[stations.columns]`` that this table does not have; ``given``: fields that the study names.
    """

    columns: Mapping[str, str]
    ticks: Mapping[str, str]
    lacking: tuple[str, ...]
    absent: Mapping[str, str]
    given: frozenset[str]


def station_fields(table: Table, wanted: Mapping[str, str], datum: str) -> Fields:
    """The columns of a table of stations.

    ``wanted`` is ``[stations.columns]``: field or service → heading as typed, "" for "none of them".
    ``datum`` chooses among columns that say theirs. A heading that is not there falls back to the
    vocabulary and is told in ``absent``.
    """
    headings = [str(c) for c in table.frame.columns]
    wanted = {field: w for field, w in wanted.items() if field in FIELDS or field in SERVICES}
    kept = of_datum(headings, datum)
    absent = {field: w for field, w in wanted.items() if w and _found(table, w) is None}
    given = {field: _found(table, w) or "" for field, w in wanted.items() if field not in absent}
    if table.crs:
        given = {"lon": "lon", "lat": "lat", **given}  # the geometry, whatever the attributes are called
    kept += [h for h in given.values() if h and h not in kept]
    fields = {field: heading for field, heading in given.items() if field not in SERVICES}
    exact = {w.lower() for words in VOCABULARY.values() for w in words} | set(fields.values())
    off = {field for field, heading in given.items() if field in SERVICES}
    ticks = {h: s for h, s in tick_columns(kept).items() if h.lower() not in exact and s not in off}
    ticks |= {heading: field for field, heading in given.items() if field in SERVICES and heading}
    columns = map_columns([h for h in kept if h not in ticks], FIELDS, fields)
    if "name" not in columns and "id" in columns and {"lon", "lat"} <= set(columns):
        columns["name"] = columns["id"]
    lacking = tuple(
        f"{zh} / {en}"
        for field, zh, en in _NEEDED
        if field not in columns and not (field != "name" and "lonlat" in columns)
    )
    return Fields(columns, ticks, lacking, absent, frozenset(wanted) - set(absent))


def _found(table: Table, wanted: str) -> str | None:
    """The column meant by a heading as typed, at the lowest level or with the group above it."""
    headings = [str(c) for c in table.frame.columns]
    for heading, typed in zip(headings, table.headings, strict=False):
        if wanted.strip() == typed:
            return heading
    return find_heading(headings, wanted)


def unknown_fields(wanted: Iterable[str], file: str) -> list[Defect]:
    """A defect for each key of ``[stations.columns]`` that is no field."""
    allowed = (*FIELDS, *SERVICES)
    return [
        Defect(
            f"没有这个字段{_perhaps(key, allowed, '；是否')}；可用 {' '.join(allowed)} / unknown field; use one of these",
            file=file,
            key=f"columns.{key}",
        )
        for key in wanted
        if key not in allowed
    ]


def absent_headings(tables: Sequence[Table], fields: Sequence[Fields]) -> list[Defect]:
    """A defect for each heading of ``[stations.columns]`` that no table has, with those most like it."""
    defects = []
    for field, wanted in fields[0].absent.items() if fields else ():
        if not all(field in f.absent for f in fields):
            continue
        has = [mask_mobiles(str(h)) for table in tables for h in table.frame.columns]
        message = (
            f"没有“{wanted}”这一列{_perhaps(wanted, has, '；最接近：')}；表中有 {'、'.join(dict.fromkeys(has))} / "
            "no such column; the closest come first, then all that the file has"
        )
        sheet = tables[0].sheet if len(tables) == 1 and tables[0].sheet else None
        defects.append(
            Defect(message, file=tables[0].file, sheet=sheet, column=wanted, key=f"columns.{field}")
        )
    return defects


def _perhaps(word: str, among: Iterable[str], lead: str) -> str:
    close = closest_headings(among, word)
    return f"{lead}{'、'.join(close)}" if close else ""
