"""The pages: the whole map, and the one that other sites may frame."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.state import AllStudies, CurrentStudy, Loaded, named

router = APIRouter(tags=["maps"])


def _page(request: Request, current: Loaded, name: str, headers: dict[str, str]) -> Response:
    etag = current.etags[name]
    headers = {
        "ETag": etag,
        "Cache-Control": "public, max-age=300",
        "X-Content-Type-Options": "nosniff",
        **headers,
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(current.pages[name], media_type="text/html; charset=utf-8", headers=headers)


@router.get("/map", response_class=HTMLResponse)
def planner_map(request: Request, current: CurrentStudy) -> Response:
    """The planner's page; it may not be framed by other sites."""
    return _planner(request, current)


@router.get("/maps/{study}", response_class=HTMLResponse)
def planner_map_of(request: Request, studies: AllStudies, study: str) -> Response:
    """The planner's page of a study; it may not be framed by other sites."""
    return _planner(request, named(studies, study))


def _planner(request: Request, current: Loaded) -> Response:
    headers = {"X-Frame-Options": "DENY", "Content-Security-Policy": "frame-ancestors 'none'"}
    return _page(request, current, "map.html", headers)


@router.get("/embed", response_class=HTMLResponse)
def embed(request: Request, current: CurrentStudy) -> Response:
    """The public page for an iframe; who may frame it is a setting."""
    ancestors = current.settings.frame_ancestors
    headers = {
        "Content-Security-Policy": f"frame-ancestors {ancestors}",
        "Permissions-Policy": "geolocation=(self)",
    }
    return _page(request, current, "public.html", headers)
