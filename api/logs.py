"""Logs as one JSON object a line, without what could tell where somebody is: no query, no path, no address."""

from __future__ import annotations

import logging
import time
import traceback
from functools import lru_cache
from typing import Any

import orjson

LOGGER = "redmap.api"
CONFIG: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "api.logs.JsonFormatter"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}
    },
    "loggers": {
        name: {"handlers": ["stderr"], "level": "INFO", "propagate": False}
        for name in ("redmap", "uvicorn", "uvicorn.error")
    },
}


_PLAIN = {
    **vars(logging.LogRecord(LOGGER, logging.INFO, "", 0, "", (), None)),
    "process": None, "thread": None, "processName": None, "threadName": None,
}  # fmt: skip


class Line(logging.LogRecord):
    """A record of what happened, not of where in the code: that is most of the work of an ordinary one."""

    def __init__(self, message: str, data: dict[str, Any], at: float) -> None:
        self.__dict__ = {**_PLAIN, "msg": message, "data": data, "created": at, "msecs": at % 1.0 * 1000.0}


class JsonFormatter(logging.Formatter):
    """A record as JSON: its message and ``data``; of an exception its kind and where, not its words.

    >>> record = logging.LogRecord("redmap.api", 20, "", 0, "request", (), None)
    >>> record.data = {"status": 200}
    >>> orjson.loads(JsonFormatter().format(record))["status"]
    200
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        said = {
            "time": f"{_second(int(record.created))}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "data", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            said |= told(record.exc_info[1])
        return orjson.dumps(said, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


@lru_cache(maxsize=2)
def _second(since_1970: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(since_1970))


def told(error: BaseException) -> dict[str, Any]:
    """What may be logged of an exception: its kind and its frames; its text may hold a position."""
    frames = traceback.extract_tb(error.__traceback__)
    return {"error": type(error).__name__, "frames": [f"{f.filename}:{f.lineno} {f.name}" for f in frames]}
