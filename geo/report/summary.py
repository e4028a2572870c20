"""Results → summary.json (design 3.3)."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from geo.models import Plan, StudyResult
from geo.report.problems import problems_block


def summarise(
    result: StudyResult, diagnosis: Mapping[str, Any], shape_shares: tuple[float, float]
) -> dict[str, Any]:
    """summary.json of design 3.3, from the results alone."""
    standard = result.standard
    off = result.coverage.layers[next(iter(result.coverage.layers))].get("off_network_share", 0.0)
    summary: dict[str, Any] = {
        "study": result.name,
        "edition": result.edition,
        "synthetic": result.synthetic,
        "standard": {
            key: standard[key]
            for key in ("mode", "speed_kmh", "limit_minutes", "minutes", "times", "services")
        },
        "stations": dict(result.inputs.station_counts),
        "demand": {layer: dict(block) for layer, block in result.coverage.layers.items()},
        "gaps": {
            "count": len(result.gaps),
            "people": float(result.gaps["people"].sum()) if len(result.gaps) else 0.0,
        },
        "network": {**diagnosis, "off_network_share": off},
        "isochrones": {"false_share": shape_shares[0], "missed_share": shape_shares[1]},
        "provenance": {
            "redmap": importlib.metadata.version("redmap"),
            "created": now().isoformat(timespec="seconds"),
            "inputs": dict(result.inputs.sha256),
        },
    }
    if result.plan is not None:
        summary["siting"] = plan_block(result.plan, add=len(result.recommendations))
    if result.problems is not None:
        summary["problems"] = problems_block(result.problems)
    tidy: dict[str, Any] = plain(summary)
    return tidy


def plan_block(plan: Plan, *, add: int) -> dict[str, Any]:
    """A plan that opens ``add`` venues, as summary.json and the workbooks tell it."""
    return {
        "goal": plan.goal, "add": add, "close": len(plan.closed), "gain": plan.gain, "objective": plan.objective,
        "bound": plan.bound, "gap": plan.gap, "status": plan.status, "covered_before": plan.covered_before,
        "covered_after": plan.covered_after, "total": plan.total, "asked": list(plan.said),
        "closed": [str(name) for name in plan.closed["name"]] if len(plan.closed) else [],
        "conflict": list(plan.conflict), "notes": list(plan.notes),
        "alternatives": [
            {"objective": row["objective"], "names": list(row["names"])} for row in plan.alternatives.to_dict("records")
        ],
    }  # fmt: skip


def now() -> dt.datetime:
    """The one look at the clock: with it held, the same inputs give the same bytes."""
    return dt.datetime.now(dt.UTC)


def created(summary: Mapping[str, Any]) -> dt.datetime:
    """When the figures were computed (UTC), as the summary's provenance says: the date of every file.

    >>> created({"provenance": {"created": "2026-11-23T10:00:00+08:00"}}).isoformat()
    '2026-11-23T02:00:00+00:00'
    """
    text = summary.get("provenance", {}).get("created", "1980-01-01T00:00:00+00:00")
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


def plain(value: Any) -> Any:
    """``value`` as JSON knows it: numpy scalars unwrapped, dates as text, inf and NaN as None."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() if isinstance(value, dt.date) else value
