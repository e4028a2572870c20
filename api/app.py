"""The application factory; ``uvicorn --factory api.app:create_app`` serves the studies in ``REDMAP_STUDIES``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.middleware.cors import CORSMiddleware

from api import openapi
from api.docs import add_docs
from api.errors import add_error_handlers
from api.guard import Guard, Trace
from api.keeper import Keeper
from api.metrics import Metrics
from api.routers import analysis, features, health, mapbox, maps, oembed, ors, studies, tiles, valhalla
from api.settings import Settings

TOLD = (
    "X-Request-ID",
    "Server-Timing",
    "X-Ratelimit-Limit",
    "X-Ratelimit-Remaining",
    "Retry-After",
    "ETag",
    "Content-Crs",
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the service; the studies are computed when the application starts, not at import."""
    chosen = settings if settings is not None else Settings()
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = chosen.threads
        app.state.plans = anyio.CapacityLimiter(1)  # a solver takes every core that it finds
        if chosen.wait and not app.state.studies:
            await run_in_threadpool(keeper.load_all)
        metrics.studies.set(len(app.state.studies))  # a forked process counts anew
        task = asyncio.create_task(_keep(keeper, chosen))
        yield
        task.cancel()

    app = FastAPI(
        title="Red Map",
        summary="驿站覆盖红色地图 · coverage of service stations by network travel time",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.metrics = metrics
    keeper = app.state.keeper = Keeper(chosen, app.state, metrics)
    add_error_handlers(app)
    add_docs(app)
    # the last added stands outermost: every answer is traced, and refusals carry the headers of CORS
    app.add_middleware(Guard, settings=chosen)
    app.add_middleware(
        CORSMiddleware, allow_origins=chosen.cors_origins, allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["*"], expose_headers=TOLD, max_age=86400,
    )  # fmt: skip
    app.add_middleware(Trace, metrics=metrics)
    # the first are looked at first: those that programs ask most
    app.include_router(valhalla.router, responses=openapi.valhalla_failures())
    app.include_router(ors.router, responses=openapi.ors_failures())
    app.include_router(mapbox.router, responses=openapi.mapbox_failures())
    for router in (health, maps, oembed, analysis, studies, features, tiles):
        app.include_router(router.router, responses=openapi.native_failures())
    return app


async def _keep(keeper: Keeper, settings: Settings) -> None:
    if not settings.wait and not keeper.state.studies:
        await keeper.start()
    if settings.reload_s:
        await keeper.watch()
