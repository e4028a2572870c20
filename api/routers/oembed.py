"""oEmbed 1.0: the address of a map → what a site puts into its own page."""

from __future__ import annotations

from html import escape
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit
from xml.etree import ElementTree as ET

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse

from api.routers.maps import base
from api.state import AllStudies, Loaded

router = APIRouter(tags=["maps"])
WIDTH, HEIGHT = 960, 600
CACHE_S = 3600
ASKED = frozenset({"lang", "layers", "minutes", "at", "service", "mode", "station", "lite"})


@router.get(
    "/oembed", responses={200: {"content": {"application/json": {}, "text/xml": {}}, "description": "oEmbed"}}
)
def oembed(
    request: Request,
    studies: AllStudies,
    url: Annotated[str, Query(max_length=2000, examples=["http://testserver/maps/sample"])],
    maxwidth: Annotated[int, Query(ge=1)] = WIDTH,
    maxheight: Annotated[int, Query(ge=1)] = HEIGHT,
    format: Annotated[Literal["json", "xml"], Query()] = "json",  # noqa: A002 - the standard's word
) -> Response:
    """A map's frame (type ``rich``), never larger than asked; only addresses of this service are known."""
    current, asked = _map_at(url, base(request), studies)
    width, height = min(maxwidth, WIDTH), min(maxheight, HEIGHT)
    query = f"?{urlencode(asked)}" if asked else ""
    source = f"{base(request)}/embed/{quote(current.slug)}{query}"
    title = f"{current.result.name} 红色地图 Red Map"
    body: dict[str, Any] = {
        "version": "1.0", "type": "rich", "title": title, "provider_name": "Red Map", "provider_url": base(request),
        "cache_age": CACHE_S, "width": width, "height": height,
        "html": f'<iframe src="{escape(source)}" title="{escape(title)}" width="{width}" height="{height}" '
                'style="border:0;max-width:100%" loading="lazy" allow="geolocation; fullscreen"></iframe>',
    }  # fmt: skip
    headers = {"Cache-Control": f"public, max-age={CACHE_S}"}
    if format == "json":
        return JSONResponse(body, headers=headers)
    root = ET.Element("oembed")
    for name, value in body.items():
        ET.SubElement(root, name).text = str(value)
    text = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(text, media_type="text/xml", headers=headers)


def _map_at(url: str, here: str, studies: AllStudies) -> tuple[Loaded, list[tuple[str, str]]]:
    """The study that an address of ours shows, and what it asks of the page; else 404."""
    try:
        parts, ours = urlsplit(url), urlsplit(here)
    except ValueError as error:
        raise HTTPException(404, "not an address of a map here") from error
    if parts.netloc != ours.netloc or parts.scheme not in ("http", "https"):
        raise HTTPException(404, "not an address of a map here")
    steps = parts.path.removeprefix(ours.path).strip("/").split("/")
    asked = [(key, value) for key, value in parse_qsl(parts.query) if key in ASKED]
    if steps == ["map"] or steps == ["embed"]:  # noqa: PLR1714 - lists do not hash
        return next(iter(studies.values())), asked
    kind, slug = (steps[0], unquote(steps[1])) if len(steps) == 2 else ("", "")
    if kind not in ("maps", "embed") or slug not in studies:
        raise HTTPException(404, "not an address of a map here")
    return studies[slug], asked
