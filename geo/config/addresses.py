"""Addresses of databases, as they may be shown."""

from __future__ import annotations

import re

# greedy on purpose: rather hide too much of a line than a part of a password
_PASSWORD = re.compile(r"(://[^:/@?#\s]*:).*(@)")
_PASSWORD_KEY = re.compile(r"((?:ssl)?password=)[^&\s]*", re.IGNORECASE)


def without_password(text: str) -> str:
    """``text`` with the passwords of addresses replaced by ``***``.

    >>> without_password("postgresql://clerk:p@ss/word@db/union?password=x")
    'postgresql://clerk:***@db/union?password=***'
    """
    return _PASSWORD_KEY.sub(r"\1***", _PASSWORD.sub(r"\1***\2", text))


def table_name(url: str, table: str) -> str:
    """How a table of a database is called in every output: without user, password and options.

    >>> table_name("postgresql://clerk:secret@db:5432/union?sslmode=require", "gis.stations")
    'postgresql://db:5432/union#gis.stations'
    """
    scheme, _colon, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}#{table}"
