"""The pages: the whole map, the one that other sites may frame, their picture and the code that leads there."""

from __future__ import annotations

import io
from functools import lru_cache
from importlib import resources
from threading import Lock
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse

from api.pages import Page
from api.state import AllStudies, CurrentStudy, Loaded, found
from geo import pipeline
from geo.errors import RedmapError
from geo.models import Mode

router = APIRouter(tags=["maps"])
PICTURE: dict[int | str, dict[str, object]] = {
    200: {"content": {"image/png": {}}, "description": "a PNG"},
    501: {"description": "the service lacks what draws it"},
}
DRAWING: dict[int | str, dict[str, object]] = {
    200: {"content": {"image/svg+xml": {}}, "description": "an SVG"}
}
SCRIPT: dict[int | str, dict[str, object]] = {
    200: {"content": {"text/javascript": {}}, "description": "a script"}
}
QR_SCALE = 8  # pixels a module
MOST_PICTURES = 32  # sizes kept
_DRAWING = Lock()  # what draws has settings of the whole process
Lang = Annotated[Literal["zh", "en"] | None, Query(description="language")]
Layers = Annotated[
    str | None, Query(pattern=r"^[a-z,]{0,120}$", description="layers shown, parted by commas")
]
Minutes = Annotated[int | None, Query(ge=1, le=60, description="limit")]
At = Annotated[
    str | None,
    Query(pattern=r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ?([01]?\d|2[0-3]):\d\d$", examples=["Tue 23:00"]),
]
Service = Annotated[str | None, Query(pattern=r"^[a-z_,+ ]{0,120}$", examples=["toilet"])]
Station = Annotated[str | None, Query(max_length=80, description="the id of a station to open")]
Lite = Annotated[bool, Query(description="the small page for riders instead of the planner's")]


def base(request: Request) -> str:
    """The address of the service as the client sees it, behind a proxy and a prefix too; without a slash."""
    return str(request.base_url).rstrip("/")


@router.get("/map", response_class=HTMLResponse)
async def planner_map(request: Request, current: CurrentStudy) -> Response:
    """The planner's page; it may not be framed by other sites."""
    return _planner(request, current)


@router.get("/maps/{study}.png", response_class=Response, responses=PICTURE)
def picture(
    request: Request,
    studies: AllStudies,
    study: str,
    width: Annotated[int, Query(ge=64, le=2400)] = 1200,
    height: Annotated[int, Query(ge=64, le=2400)] = 850,
) -> Response:
    """The map as a still picture, no wider and no higher than asked."""
    current = found(studies, study)
    try:
        return _picture(current, width, height).answer(request)
    except RedmapError as error:
        raise HTTPException(501, "no picture: the service lacks what draws it") from error


@router.get("/maps/{study}/qr.{kind}", response_class=Response, responses={**PICTURE, **DRAWING})
def qr(request: Request, studies: AllStudies, study: str, kind: Literal["svg", "png"]) -> Response:
    """A QR code that leads to the riders' page, by the address that this service was asked under."""
    import segno

    current = found(studies, study)
    out = io.BytesIO()
    code = segno.make_qr(f"{base(request)}/embed/{quote(current.slug)}?lite=1", error="m")
    code.save(out, kind=kind, scale=QR_SCALE)
    return Response(out.getvalue(), media_type="image/svg+xml" if kind == "svg" else "image/png")


@router.get("/maps/{study}", response_class=HTMLResponse)
async def planner_map_of(request: Request, studies: AllStudies, study: str) -> Response:
    """The planner's page of a study; it may not be framed by other sites."""
    return _planner(request, found(studies, study))


@router.get("/embed", response_class=HTMLResponse)
async def embed(request: Request, current: CurrentStudy) -> Response:
    """The riders' page of the first study for an iframe; who may frame it is a setting."""
    return _framed(request, current, "public.html")


@router.get("/embed/{study}", response_class=HTMLResponse)
async def embed_of(
    request: Request, studies: AllStudies, study: str, lang: Lang = None, layers: Layers = None,
    minutes: Minutes = None, at: At = None, service: Service = None, mode: Mode | None = None,
    station: Station = None, lite: Lite = False,
) -> Response:  # fmt: skip
    """The map of a study for an iframe; the page itself reads what is asked, so that one answer serves all."""
    del lang, layers, minutes, at, service, mode, station  # checked above, read by the page
    return _framed(request, found(studies, study), "public.html" if lite else "map.html")


@router.get("/red-map.js", response_class=Response, responses=SCRIPT)
async def component(request: Request) -> Response:
    """The element ``<red-map study="…">``."""
    return _component().answer(request, {"Access-Control-Allow-Origin": "*"})


@lru_cache(maxsize=1)
def _component() -> Page:
    code = (resources.files("api") / "assets" / "red-map.js").read_bytes()
    return Page.of(code, "text/javascript; charset=utf-8")


def _picture(current: Loaded, width: int, height: int) -> Page:
    with _DRAWING:
        if (width, height) not in current.pictures:
            if len(current.pictures) >= MOST_PICTURES:
                current.pictures.clear()
            drawn = pipeline.picture(current.result, width, height)
            current.pictures[width, height] = Page.of(drawn, "image/png")
        return current.pictures[width, height]


def _planner(request: Request, current: Loaded) -> Response:
    headers = {"X-Frame-Options": "DENY", "Content-Security-Policy": "frame-ancestors 'none'"}
    return current.pages["map.html"].answer(request, {**headers, **_found(request, current)})


def _framed(request: Request, current: Loaded, name: str) -> Response:
    headers = {
        "Content-Security-Policy": f"frame-ancestors {current.settings.frame_ancestors}",
        "Permissions-Policy": "geolocation=(self)",
    }
    return current.pages[name].answer(request, {**headers, **_found(request, current)})


def _found(request: Request, current: Loaded) -> dict[str, str]:
    """Where a site that is given the address finds what to embed (oEmbed)."""
    address = quote(f"{base(request)}/embed/{quote(current.slug)}", safe="")
    link = f"<{base(request)}/oembed?url={address}&format=json>"
    return {"Link": f'{link}; rel="alternate"; type="application/json+oembed"'}
