"""The application factory; ``uvicorn --factory api.app:create_app`` serves the studies in ``REDMAP_STUDIES``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from api.errors import BodyLimit, add_error_handlers
from api.routers import analysis, features, health, mapbox, maps, ors, studies, valhalla
from api.settings import Settings
from api.state import load_all


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the service; the studies are computed when the application starts, not at import."""
    chosen = settings if settings is not None else Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.studies = await run_in_threadpool(load_all, chosen)
        yield

    app = FastAPI(
        title="Red Map",
        summary="驿站覆盖红色地图 · coverage of service stations by network travel time",
        lifespan=lifespan,
    )
    add_error_handlers(app)
    app.add_middleware(BodyLimit, most_bytes=chosen.max_body_bytes)
    for router in (health, maps, analysis, studies, features, ors, valhalla, mapbox):
        app.include_router(router.router)
    return app
