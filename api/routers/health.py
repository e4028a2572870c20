"""Is the service up, is it ready, what does it do."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse

from api.dialects import problem
from api.metrics import MEDIA

router = APIRouter(tags=["operations"])


@router.get("/health")
async def health(request: Request) -> dict[str, object]:
    """Up; with the first study's name and size once it is loaded."""
    studies = request.app.state.studies
    if not studies:
        return {"status": "ok"}
    result = next(iter(studies.values())).result
    return {
        "status": "ok",
        "study": result.name,
        "edition": result.edition,
        "stations": len(result.inputs.stations),
        "nodes": result.network.node_count,
    }


@router.get("/ready", response_model=None)
async def ready(request: Request) -> dict[str, Any] | Response:
    """Whether the studies are loaded: 200 and their names, else 503."""
    studies = request.app.state.studies
    if not studies:
        return problem(503, "the studies are being loaded", {"Retry-After": "5"})
    return {"status": "ready", "studies": list(studies)}


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Counts for Prometheus."""
    request.app.state.trace.tell()
    return Response(await run_in_threadpool(request.app.state.metrics.text), media_type=MEDIA)
