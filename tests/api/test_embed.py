"""Maps in other sites: the framed page, oEmbed, the element, the picture and the code that leads there."""

from __future__ import annotations

import gzip
import io
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import brotli
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from api.app import create_app
from api.settings import Settings


@pytest.fixture(scope="module")
def client(sample_dir, cache_dir):
    chosen = Settings(study=sample_dir, cache_dir=cache_dir, frame_ancestors="'self' https://portal.example")
    with TestClient(create_app(chosen)) as client:
        yield client


@pytest.fixture(scope="module")
def slug(client):
    return next(iter(client.app.state.studies))


def test_the_framed_page_says_who_may_frame_it_and_is_the_same_for_every_question(client, slug):
    plain = client.get(f"/embed/{slug}")
    asked = client.get(f"/embed/{slug}?lang=en&mode=walk&minutes=10&at=Tue 23:00&service=toilet&layers=gaps")
    assert asked.headers["content-security-policy"] == "frame-ancestors 'self' https://portal.example"
    assert "x-frame-options" not in asked.headers
    assert asked.headers["etag"] == plain.headers["etag"] == client.get(f"/maps/{slug}").headers["etag"]
    lite = client.get(f"/embed/{slug}?lite=1")
    assert lite.headers["etag"] == client.get("/embed").headers["etag"]
    assert len(lite.content) < len(plain.content) / 3


@pytest.mark.parametrize(
    "query", ["minutes=0", "minutes=x", "lang=de", "at=Tue 25:00", "mode=fly", "service=<b>", "lite=maybe"]
)
def test_a_question_that_no_page_understands_is_refused(client, slug, query):
    answer = client.get(f"/embed/{slug}?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


@pytest.mark.parametrize(
    "path", ["/embed/none", "/maps/none", "/maps/none.png", "/maps/none/qr.svg", "/embed/..%2Fsample"]
)
def test_an_unknown_study_is_404(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("accepts", "packed"),
    [
        ("br, gzip", "br"), ("gzip", "gzip"), ("gzip, br;q=0", "gzip"), ("br;q=0.5", "br"), ("identity", None), ("gzip;q=0", None),
    ],
)  # fmt: skip
def test_a_page_comes_as_the_client_can_unpack_it(client, slug, accepts, packed):
    request = client.build_request("GET", f"/embed/{slug}", headers={"Accept-Encoding": accepts})
    answer = client.send(request, stream=True)
    body = b"".join(answer.iter_raw())
    assert answer.headers.get("content-encoding") == packed
    assert "Accept-Encoding" in answer.headers["vary"]
    plain = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[packed](body)
    assert plain == client.app.state.studies[slug].pages["map.html"].plain
    again = client.get(f"/embed/{slug}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


class _Frame(HTMLParser):
    found: dict[str, str | None]

    def handle_starttag(self, tag, attrs):
        assert tag == "iframe"
        self.found = dict(attrs)


def test_oembed_gives_a_frame_for_an_address_of_ours(client, slug):
    asked = {"url": f"http://testserver/maps/{slug}?lang=en&at=Tue+23:00&x=%22%3E", "maxwidth": 500}
    body = client.get("/oembed", params=asked).json()
    assert (body["version"], body["type"], body["width"], body["height"]) == ("1.0", "rich", 500, 600)
    parser = _Frame()
    parser.feed(body["html"])
    address = urlsplit(parser.found["src"])
    assert address.path == f"/embed/{slug}"
    assert parse_qs(address.query) == {"lang": ["en"], "at": ["Tue 23:00"]}
    assert client.get(parser.found["src"]).status_code == 200


def test_oembed_speaks_xml_too(client, slug):
    answer = client.get("/oembed", params={"url": f"http://testserver/embed/{slug}", "format": "xml"})
    assert answer.headers["content-type"].startswith("text/xml")
    told = {child.tag: child.text for child in ET.fromstring(answer.content)}
    plain = client.get("/oembed", params={"url": f"http://testserver/embed/{slug}"}).json()
    assert told == {name: str(value) for name, value in plain.items()}


def test_a_map_tells_where_its_oembed_is(client, slug):
    found = client.get(f"/embed/{slug}").links["alternate"]
    assert found["type"] == "application/json+oembed"
    assert client.get(found["url"]).json()["type"] == "rich"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"url": "http://elsewhere.example/maps/sample"}, 404),
        ({"url": "http://testserver/maps/none"}, 404),
        ({"url": "http://testserver/health"}, 404),
        ({"url": "javascript:alert(1)"}, 404),
        ({"url": "http://[/"}, 404),
        ({"url": "http://testserver/map", "format": "yaml"}, 422),
        ({}, 422),
    ],
)
def test_oembed_refuses_what_is_not_ours(client, query, status):
    assert client.get("/oembed", params=query).status_code == status


def test_a_prefix_before_every_address_stays(sample_dir, cache_dir):
    with TestClient(
        create_app(Settings(study=sample_dir, cache_dir=cache_dir)), root_path="/maps-of-x"
    ) as client:
        slug = next(iter(client.app.state.studies))
        link = client.get(f"/embed/{slug}").links["alternate"]["url"]
        assert link.startswith(
            "http://testserver/maps-of-x/oembed?url=http%3A%2F%2Ftestserver%2Fmaps-of-x%2Fembed%2F"
        )


def test_the_picture_fits_into_what_is_asked(client, slug):
    answer = client.get(f"/maps/{slug}.png?width=300&height=300")
    assert answer.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(answer.content)) as drawn:
        assert drawn.width == 300
        assert 150 < drawn.height < 300
        assert len(drawn.convert("RGB").getcolors(90_000)) > 100
    assert client.get(f"/maps/{slug}.png?width=9999").status_code == 422


def test_the_code_is_a_drawing_or_a_picture(client, slug):
    assert client.get(f"/maps/{slug}/qr.svg").text.startswith("<?xml")
    with Image.open(io.BytesIO(client.get(f"/maps/{slug}/qr.png").content)) as drawn:
        assert drawn.width == drawn.height > 200
    assert client.get(f"/maps/{slug}/qr.exe").status_code == 422


def test_the_element_is_a_script_for_any_site(client):
    answer = client.get("/red-map.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "customElements.define('red-map'" in answer.text
