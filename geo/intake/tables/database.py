"""A table or view of a PostGIS database as a list of stations (extra ``database``)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.config import MAX_DATABASE_ROWS, table_name, without_password
from geo.errors import Defect, InputError
from geo.intake.tables.grid import Table
from geo.intake.tables.vector import frame_table, to_wgs84

if TYPE_CHECKING:
    import sqlalchemy

CONNECT_S = 10  # a server that does not answer by then is not there
STATEMENT_S = 120  # a million rows take some 20 s


@dataclass(frozen=True, slots=True)
class DatabaseTable:
    """A table or view: ``url`` (``postgresql://…``; hidden when printed) and ``table`` (``schema.name``).

    >>> DatabaseTable("postgresql://clerk:secret@db/union", "gis.stations").name
    'postgresql://db/union#gis.stations'
    """

    url: str = field(repr=False)
    table: str

    @property
    def name(self) -> str:
        """How the table is called in messages and in the audit: without user and password."""
        return table_name(self.url, self.table)


def read_database(source: DatabaseTable) -> Table:
    """Read a whole table, in the order of its primary key, in one read-only transaction.

    The first geometry (or geography) column is the position, brought from its SRID to WGS-84 (``lon``
    and ``lat`` of a point inside); geometries of SRID 0 stay in the datum that the study declares, as
    do columns of plain numbers. Rows are numbered from 1. The password may come from the address, else
    from ``PGPASSWORD`` or ``~/.pgpass``. Raises :class:`geo.errors.InputError` where the extra is not
    installed, the server refuses, the table is not there or is too large.
    """
    try:
        import geoalchemy2
        import psycopg
        import sqlalchemy as sql
    except ImportError as error:
        message = (
            '读数据库需要附加组件：pip install "redmap[database]" / a database needs an extra: '
            'pip install "redmap[database]"'
        )
        raise InputError(Defect(message, file=source.name)) from error
    engine = _engine(source)
    schema, _dot, name = source.table.rpartition(".")
    try:
        with engine.connect() as connection, connection.begin():
            place = _place(connection, schema or None, name, source)
            columns, shape, key = _columns(sql.inspect(connection), geoalchemy2, name, place, source)
            frame = _fetch(connection, sql.table(name, schema=place), columns, shape, key, source)
    except (sql.exc.SQLAlchemyError, psycopg.Error, UnicodeError) as error:
        raise InputError(Defect(_told(error), file=source.name)) from None  # the cause may hold the address
    finally:
        engine.dispose()
    return frame_table(frame, source.name, "", "")


def content_sha256(table: Table) -> str:
    """A hash of all cells of a table: what of a database can be proven to be the same again."""
    digest = hashlib.sha256()
    digest.update(repr([str(c) for c in table.frame.columns]).encode())
    for row in table.frame.itertuples(index=False, name=None):
        digest.update(repr(row).encode())
    return digest.hexdigest()


def _engine(source: DatabaseTable) -> sqlalchemy.Engine:
    import sqlalchemy as sql

    try:
        url = sql.make_url(source.url).set(drivername="postgresql+psycopg")
        wanted = {"connect_timeout": CONNECT_S, "application_name": "redmap"}
        return sql.create_engine(
            url,
            poolclass=sql.pool.NullPool,
            isolation_level="REPEATABLE READ",
            connect_args={key: value for key, value in wanted.items() if key not in url.query},
            hide_parameters=True,
        )
    except (sql.exc.ArgumentError, ValueError, TypeError):
        message = (
            "数据库地址不对；应为 postgresql://用户@主机/库名 / wrong database address; "
            "expected postgresql://user@host/name"
        )
        raise InputError(Defect(message, file=source.name)) from None  # the cause may hold the password


def _place(
    connection: sqlalchemy.Connection, schema: str | None, name: str, source: DatabaseTable
) -> str | None:
    """The schema of the table; nothing is written and nothing waits for ever from here on."""
    import sqlalchemy as sql

    connection.execute(sql.text("SET TRANSACTION READ ONLY"))
    connection.execute(sql.text(f"SET LOCAL statement_timeout = '{STATEMENT_S}s'"))
    inspector: Any = sql.inspect(connection)
    has = [
        *inspector.get_table_names(schema), *inspector.get_view_names(schema),
        *inspector.get_materialized_view_names(schema), *inspector.get_foreign_table_names(schema=schema),
    ] if schema is None or schema in inspector.get_schema_names() else []  # fmt: skip
    if name not in has:
        here = "、".join(sorted(t for t in has if t != "spatial_ref_sys")[:30]) or "-"
        message = f"没有表 {source.table}，或无权读它；有 {here} / no such table, or not yours to read; there are: {here}"
        raise InputError(Defect(message, file=source.name, key="stations.table"))
    return schema


def _columns(
    inspector: Any, geoalchemy2: Any, name: str, schema: str | None, source: DatabaseTable
) -> tuple[list[str], str | None, list[str]]:
    """Plain columns, the geometry column, and those that order the rows."""
    found = inspector.get_columns(name, schema=schema)
    spatial = (geoalchemy2.Geometry, geoalchemy2.Geography)
    shapes = [str(c["name"]) for c in found if isinstance(c["type"], spatial)]
    plain = [str(c["name"]) for c in found if not isinstance(c["type"], (*spatial, geoalchemy2.Raster))]
    key = inspector.get_pk_constraint(name, schema=schema).get("constrained_columns") or []
    if len(shapes) > 1:
        has = "、".join(shapes)
        message = f"有多个几何列：{has}；请建一个只含其一的视图 / several geometries; make a view with the one that is meant"
        raise InputError(Defect(message, file=source.name))
    return plain, shapes[0] if shapes else None, [str(k) for k in key]


def _fetch(
    connection: sqlalchemy.Connection,
    table: Any,
    columns: list[str],
    shape: str | None,
    key: list[str],
    source: DatabaseTable,
) -> pd.DataFrame:
    import sqlalchemy as sql

    wanted: list[Any] = [sql.column(c) for c in columns]
    if shape is not None:
        geometry = sql.cast(sql.column(shape), _geometry())
        wanted += [sql.func.ST_AsBinary(geometry), sql.func.ST_SRID(geometry)]
    query = sql.select(*wanted).select_from(table).limit(MAX_DATABASE_ROWS + 1)
    if key:
        query = query.order_by(*(sql.column(k) for k in key))
    rows = [tuple(row) for row in connection.execute(query)]
    if len(rows) > MAX_DATABASE_ROWS:
        message = (
            f"表超过 {MAX_DATABASE_ROWS:,} 行：请建一个只含本区的视图 / more than {MAX_DATABASE_ROWS:,} rows: "
            "make a view of the district's"
        )
        raise InputError(Defect(message, file=source.name))
    if not rows:
        raise InputError(Defect("表是空的 / the table is empty", file=source.name))
    if not key:
        # a view has no order of its own: the same rows must come in the same order
        rows.sort(key=repr)
    width = len(columns)
    frame = pd.DataFrame([row[:width] for row in rows], columns=columns, dtype=object)
    if shape is None:
        return frame
    try:
        shapes = shapely.from_wkb([None if row[width] is None else bytes(row[width]) for row in rows])
    except shapely.errors.GEOSException as error:
        raise InputError(
            Defect(f"几何读不出 / a geometry cannot be read: {error}", file=source.name)
        ) from error
    placed: pd.DataFrame = _placed(frame, shapes, [row[width + 1] for row in rows], source)
    return placed


def _geometry() -> Any:
    """Plain ``geometry`` for a cast; GeoAlchemy2's own type would wrap the column in functions of its own."""
    from sqlalchemy.types import UserDefinedType

    class Geometry(UserDefinedType[Any]):
        cache_ok = True

        def get_col_spec(self, **_options: Any) -> str:
            return "geometry"

    return Geometry()


def _placed(
    frame: pd.DataFrame, shapes: Any, srids: list[int | None], source: DatabaseTable
) -> gpd.GeoDataFrame:
    known = sorted({int(s) for s in srids if s is not None})
    if 0 in known and len(known) > 1:
        message = f"几何的 SRID 不一，有的没有：{known} / some geometries have an SRID and some have none"
        raise InputError(Defect(message, file=source.name))
    made = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(list(shapes), index=frame.index))
    if known in ([], [0]):
        return made
    parts = []
    each = np.array([-1 if s is None else s for s in srids])
    for srid in known:
        try:
            part = made[(each == srid) | ((each == -1) & (srid == known[0]))].set_crs(f"EPSG:{srid}")
        except RuntimeError as error:
            message = f"不认识 SRID {srid}：请换成 4326、4490、4547 等 / unknown SRID: use 4326, 4490, 4547 or the like"
            raise InputError(Defect(message, file=source.name)) from error
        parts.append(to_wgs84(part, source.name))
    return gpd.GeoDataFrame(pd.concat(parts).sort_index(), crs="EPSG:4326")


def _told(error: Exception) -> str:
    """What the server said, in the words of a clerk where they are known; never with a password."""
    cause = getattr(error, "orig", None) or error
    said = " ".join(without_password(str(cause)).split())[:300]
    hints = (
        ("password", "密码不对或没有给：写入 PGPASSWORD 或 ~/.pgpass / wrong or no password: set PGPASSWORD or ~/.pgpass"),
        ("does not exist", "没有这个库、用户或模式 / no such database, user or schema"),
        ("permission denied", "没有读取的权限 / not allowed to read it"),
        ("statement timeout", f"{STATEMENT_S} 秒内没有读完：请建一个较小的视图 / not read in time: make a smaller view"),
        ("", "连不上或读不了数据库：请核对地址与网络 / the database cannot be reached or read: check the address"),
    )  # fmt: skip
    hint = next(text for word, text in hints if word in said)
    return f"{hint} ({said})"
