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
from starlette.types import Lifespan, Receive, Scope, Send

from api import openapi
from api.background import Background
from api.docs import add_docs
from api.errors import add_error_handlers
from api.guard import Guard
from api.keeper import Keeper
from api.metrics import Metrics
from api.quick import Quick
from api.routers import analysis, features, health, mapbox, maps, oembed, ors, studies, tiles, valhalla
from api.settings import Settings
from api.trace import Trace

TOLD = (
    "X-Request-ID",
    "Server-Timing",
    "X-Ratelimit-Limit",
    "X-Ratelimit-Remaining",
    "Retry-After",
    "ETag",
    "Content-Crs",
)


class Service(FastAPI):
    """FastAPI behind layers of our own.

    From the outermost: every answer is traced; quick ones go no further than :class:`api.quick.Quick`; refusals carry
    the headers of CORS.
    """

    def __init__(self, settings: Settings, metrics: Metrics, lifespan: Lifespan[FastAPI]) -> None:
        super().__init__(
            title="Red Map",
            summary="驿站覆盖红色地图 · coverage of service stations by network travel time",
            lifespan=lifespan, docs_url=None, redoc_url=None,
        )  # fmt: skip
        guard = Guard(super().__call__, settings=settings)
        allowed = CORSMiddleware(
            guard, allow_origins=settings.cors_origins, allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["*"], expose_headers=TOLD, max_age=86400,
        )  # fmt: skip
        routers = (studies.router, valhalla.router, ors.router, mapbox.router)
        quick = Quick(allowed, routers=routers, guard=guard)
        self.front = Trace(quick, metrics=metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        scope["app"] = self
        await self.front(scope, receive, send)


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
        app.state.background = Background(chosen.isochrone_threads)
        yield
        app.state.background.end()
        app.front.tell()
        task.cancel()

    app = Service(chosen, metrics, lifespan)
    app.state.metrics, app.state.trace = metrics, app.front
    keeper = app.state.keeper = Keeper(chosen, app.state, metrics)
    add_error_handlers(app)
    add_docs(app)
    # looked through from first to last: what is asked often and must be quick comes first
    for router in (studies, analysis, tiles, features, maps, oembed, health):
        app.include_router(router.router, responses=openapi.native_failures())
    app.include_router(valhalla.router, responses=openapi.valhalla_failures())
    app.include_router(ors.router, responses=openapi.ors_failures())
    app.include_router(mapbox.router, responses=openapi.mapbox_failures())
    return app


async def _keep(keeper: Keeper, settings: Settings) -> None:
    if not settings.wait and not keeper.state.studies:
        await keeper.start()
    if settings.reload_s:
        await keeper.watch()
