"""A folium figure that carries everything inside: links become inlined files, unknown links an error."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from importlib import resources
from typing import Any

from branca.element import CssLink, Figure, JavascriptLink

from geo.errors import RunError

LEAFLET_PACKAGE = "js_lib_leaflet"  # of the wheel django-js-lib-leaflet, Leaflet 1.9.4 as on npm
LEAFLET_SHA256: Mapping[str, str] = {
    "leaflet.js": "db49d009c841f5ca34a888c96511ae936fd9f5533e90d8b2c4d57596f4e5641a",
    "leaflet.css": "a7837102824184820dfa198d1ebcd109ff6d0ff9a2672a074b9a1b4d147d04c6",
}
# what folium links by default; None: not needed by our page, so left out
LINKS: Mapping[str, str | None] = {
    "leaflet": "leaflet.js", "leaflet_css": "leaflet.css", "jquery": None, "bootstrap": None,
    "bootstrap_css": None, "awesome_markers": None, "awesome_markers_css": None,
    "awesome_markers_font_css": None, "awesome_rotate_css": None, "glyphicons_css": None,
}  # fmt: skip
TEXT_LINKS = ("https://www.openstreetmap.org/copyright",)
_PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="


class MissingAssetError(RunError):
    """The page would need something that is not inside it, or a file inside is not the known one."""


def leaflet_file(name: str) -> str:
    """The text of a file of the installed Leaflet, checked against its known sha256.

    Raises :class:`MissingAssetError` where the wheel is missing or its bytes are others.

    >>> leaflet_file("leaflet.css").splitlines()[0]
    '/* required styles */'
    """
    try:
        raw = (resources.files(LEAFLET_PACKAGE) / "static" / LEAFLET_PACKAGE / name).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise MissingAssetError(f"缺少 Leaflet 文件 {name}，请重装 redmap / Leaflet file {name} is missing; "
                           "reinstall redmap") from error  # fmt: skip
    found = hashlib.sha256(raw).hexdigest()
    if found != LEAFLET_SHA256[name]:
        raise MissingAssetError(f"{name} 与已知版本不符 (sha256 {found}) / {name} is not the known file "
                           f"(sha256 {found}, expected {LEAFLET_SHA256[name]})")  # fmt: skip
    text = raw.decode("utf-8")
    if name.endswith(".css"):
        # images of controls that our page does not use; VML is for Internet Explorer 8
        text = re.sub(r"\s*behavior: url\(#default#VML\);", "", text)
        text = re.sub(r"[ \t]*\n[ \t]*", "\n", text)
        return re.sub(r"url\(images/[^)]*\)", f"url({_PIXEL})", text)
    return re.sub(r"//# sourceMappingURL=\S*", "", text).rstrip() + "\n"


def script_safe(code: str) -> str:
    r"""JavaScript that cannot close its own ``<script>`` element.

    >>> script_safe("a = '</script>'")
    "a = '<\\/script>'"
    """
    return re.sub(r"</(script)", r"<\\/\1", code, flags=re.IGNORECASE)


class OfflineFigure(Figure):
    """A :class:`branca.element.Figure` whose page asks for nothing from outside.

    Children render first; each link in the head is then replaced by the file itself or left out by
    its name in :data:`LINKS`. The page gets a Content-Security-Policy that allows its own scripts
    and styles by hash and no connection at all; ``pictures`` are hosts that it may load images from, once
    asked. With ``unpack`` (JavaScript that finds them in the element ``code``) all scripts are kept as gzip.
    Raises :class:`MissingAssetError` on anything unknown.
    """

    def __init__(
        self, *, title: str, language: str, pictures: tuple[str, ...] = (), unpack: str = ""
    ) -> None:
        super().__init__(title=title)
        self.page_title = title
        self.language = language
        self.pictures = pictures
        self.unpack = unpack

    def render(self, **kwargs: Any) -> str:
        for child in self._children.values():
            child.render(**kwargs)
        # branca keeps what has been rendered in `_children` and offers no other way to it
        heads, bodies, scripts = (vars(e)["_children"] for e in (self.header, self.html, self.script))
        head = "\n".join(filter(None, (self._head_part(name, child) for name, child in heads.items())))
        body = "\n".join(child.render(**kwargs) for child in bodies.values())
        script = "\n".join(child.render(**kwargs) for child in scripts.values())
        page = (
            f'<!DOCTYPE html>\n<html lang="{html.escape(self.language)}">\n<head>\n'
            '<meta charset="utf-8">\n<!--csp-->\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">\n'
            '<meta name="referrer" content="no-referrer">\n'
            f"<title>{html.escape(self.page_title)}</title>\n{head}\n</head>\n<body>\n{body}\n"
            f"<script>{script_safe(script)}</script>\n</body>\n</html>\n"
        )
        page = "\n".join(line.rstrip() for line in page.splitlines()) + "\n"
        packed: list[str] = []
        if self.unpack:
            page, packed = _packed(page, self.unpack)
        return page.replace("<!--csp-->", _policy(page, self.pictures, packed), 1)

    def _head_part(self, name: str, child: Any) -> str:
        if isinstance(child, JavascriptLink | CssLink):
            if name not in LINKS:
                raise MissingAssetError(f"页面要用外部文件 {name} ({child.url}) / the page wants {name} "
                                   f"({child.url}), which is not inside it")  # fmt: skip
            file = LINKS[name]
            if file is None:
                return ""
            text = leaflet_file(file)
            if isinstance(child, JavascriptLink):
                return f"<script>{script_safe(text)}</script>"
            return f"<style>{text}</style>"
        # folium's own full-page styles and its viewport without zoom give way to redmap.css
        if name in {"meta_http", "css_style", "map_style"} or name.startswith("map_"):
            return ""
        return str(child.render())


class _Reader(HTMLParser):
    """Collects inline scripts and styles, and every resource that a page would load."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self.foreign: list[str] = []
        self._open: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        for key in ("src", "href", "srcset", "data", "poster", "action", "formaction", "xlink:href", "style"):
            value = values.get(key)
            if value is None or value.startswith(("data:", "#")) or (tag == "a" and value in TEXT_LINKS):
                continue
            self.foreign.append(f"<{tag} {key}={value!r}>")
        if tag == "style" or (tag == "script" and values.get("type", "text/javascript") == "text/javascript"):
            self._open = tag
            self.inline[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._open:
            self._open = None

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self.inline[self._open][-1] += data


def _packed(page: str, unpack: str) -> tuple[str, list[str]]:
    """The page with its scripts as gzip in one element and ``unpack`` after it; and these scripts."""
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    bare = re.sub(r"<script>.*?</script>\n?", "", page, flags=re.DOTALL)
    coded = gzip.compress(json.dumps(scripts, ensure_ascii=False).encode(), compresslevel=9, mtime=0)
    element = (
        "<!-- Leaflet 1.9.4 (BSD-2-Clause, leafletjs.com) and the page's own code, gzip in base64; the policy tells their sha256 -->\n"
        f'<script type="application/octet-stream" id="code">{base64.b64encode(coded).decode()}</script>\n'
        f"<script>{script_safe(unpack)}</script>\n"
    )
    return bare.replace("</body>", element + "</body>"), scripts


def _policy(page: str, pictures: tuple[str, ...], packed: list[str]) -> str:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    reader.inline["script"].extend(packed)
    if reader.foreign:
        wanted = ", ".join(reader.foreign)
        raise MissingAssetError(f"页面引用了外部资源：{wanted} / the page would load from outside: {wanted}")
    hashes = {
        tag: " ".join(
            f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in texts
        )
        for tag, texts in reader.inline.items()
    }
    policy = (
        f"default-src 'none'; connect-src 'none'; script-src {hashes['script']}; style-src {hashes['style']}; "
        f"img-src {' '.join(('data:', 'blob:', *pictures))}; worker-src blob:; base-uri 'none'; form-action 'none'"
    )
    return f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
