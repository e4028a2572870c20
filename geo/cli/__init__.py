"""The command line: parse, call the pipeline, print. Exit codes: 0 done, 1 the run failed, 2 wrong input."""

from __future__ import annotations

import sys

from geo.cli import build, check, others, site
from geo.cli.app import app, fail, report_defect
from geo.errors import InputError, RedmapError

__all__ = ["app", "build", "check", "main", "others", "site"]


def main() -> None:
    """Entry point of ``redmap``: failures become a message and an exit code, not a traceback."""
    try:
        app()
    except InputError as error:
        fail(error, 2)
    except RedmapError as error:
        fail(error, 1)
    except OSError as error:
        fail(RedmapError(f"读写失败 / file error: {error}"), 1)
    finally:
        sys.excepthook = report_defect  # here, since typer sets its own
