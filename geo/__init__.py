"""Red Map: honest coverage of service stations by network travel time.

The surface, in the order of use; names load on first use so that ``import geo`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geo.config import Study, load_study
    from geo.errors import InputError, RedmapError
    from geo.models import RoadNetwork, StudyResult
    from geo.network import read_network
    from geo.pipeline import build, isochrone, run, sample_study, week_table, where_next

__all__ = [
    "InputError",
    "RedmapError",
    "RoadNetwork",
    "Study",
    "StudyResult",
    "build",
    "isochrone",
    "load_study",
    "read_network",
    "run",
    "sample_study",
    "week_table",
    "where_next",
]

_HOMES = {
    "geo.config": ("Study", "load_study"),
    "geo.errors": ("InputError", "RedmapError"),
    "geo.models": ("RoadNetwork", "StudyResult"),
    "geo.network": ("read_network",),
    "geo.pipeline": ("build", "isochrone", "run", "sample_study", "week_table", "where_next"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module 'geo' has no attribute {name!r}")
