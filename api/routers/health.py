"""Is the service up, and which study does it serve."""

from __future__ import annotations

from fastapi import APIRouter

from api.state import CurrentStudy

router = APIRouter(tags=["operations"])


@router.get("/health")
def health(current: CurrentStudy) -> dict[str, object]:
    """Up, with the study's name and size."""
    result = current.result
    return {
        "status": "ok",
        "study": result.name,
        "edition": result.edition,
        "stations": len(result.inputs.stations),
        "nodes": result.network.node_count,
    }
