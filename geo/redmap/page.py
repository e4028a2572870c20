"""Payload + assets → one HTML file through folium."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

import folium
from branca.element import MacroElement
from jinja2 import Template

from geo.models import MODES, StudyResult
from geo.redmap import payload, public
from geo.redmap.codec import Packed
from geo.redmap.offline import MissingAssetError, OfflineFigure, script_safe

MAP_ID = "redmap"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SHARED_SCRIPTS = ("core.js", "embed.js", "decode.js", "hours.js", "canvas.js", "ground.js", "places.js")
SCRIPTS = {
    "planner": (
        "inflate.js",
        *SHARED_SCRIPTS,
        "painters.js",
        "tiles.js",
        "handover.js",
        "engine.js",
        "grouping.js",
        "choice.js",
        "whatif.js",
        "history.js",
        "tables.js",
        "picture.js",
        "print.js",
        "cards.js",
        "planner.js",
    ),
    "public": (*SHARED_SCRIPTS, "calendar.js", "handover.js", "icons.js", "public.js"),
}
STYLES = {"planner": ("redmap.css", "print.css"), "public": ("public.css",)}
# maps from the net that a planner may switch on (tiles.js); nothing is asked of them before
TILE_HOSTS = (
    "https://tile.openstreetmap.org",
    "https://*.tianditu.gov.cn",
    "https://*.is.autonavi.com",
)
HTML_LANGUAGE = {"zh": "zh-CN", "en": "en"}


class RedMapElement(MacroElement):
    """The page round the map: markup, data and front end of one view (``planner`` or ``public``)."""

    # branca makes a template of what the macros give: `raw` keeps braces of scripts and of names as they are
    _template = Template(
        "{% macro header(this, kwargs) %}<style>{{ this.raw(this.style) }}</style>\n"
        "<script>{{ this.raw(this.code) }}</script>{% endmacro %}"
        "{% macro html(this, kwargs) %}{{ this.raw(this.markup) }}{% endmacro %}"
        "{% macro script(this, kwargs) %}RedMap.start({{ this._parent.get_name() }});{% endmacro %}"
    )

    def __init__(self, *, view: str, values: Mapping[str, Any], layers: Mapping[str, Packed]) -> None:
        base: Any = super()  # branca has no types
        base.__init__()
        self._name = "RedMap"
        self._id = view
        self.view = view
        self.style = "\n".join(asset(name) for name in STYLES[view])
        code = "\n".join(asset(name) for name in SCRIPTS[view])
        self.code = script_safe(code if view == "planner" else shortened(code))
        strings = _words(view, used_in=f"{asset(f'{view}.html')}\n{self.code}")
        data = {**values, "strings": strings, "layers": {k: v.header() for k, v in layers.items()}}
        blobs = "\n".join(
            f'<script type="application/octet-stream" id="layer-{name}">{packed.data}</script>'
            for name, packed in layers.items()
        )
        self.markup = (
            f"{asset(f'{view}.html')}\n"
            f'<script type="application/json" id="redmap-data">{json_in_html(data)}</script>\n{blobs}'
        )

    @staticmethod
    def raw(text: str) -> str:
        """``text`` as a template that gives it back unchanged."""
        return "{% raw %}" + text.replace("{%", "{% endraw %}{{ '{%' }}{% raw %}") + "{% endraw %}"

    def render(self, **kwargs: Any) -> Any:
        """Put the map's own element where the markup wants it, then render as usual."""
        figure, chart = self.get_root(), self._parent
        assert isinstance(figure, OfflineFigure)
        assert chart is not None
        # branca keeps what has been rendered in `_children` and offers no other way to it
        place = vars(figure.html)["_children"].pop(chart.get_name())
        self.markup = self.markup.replace("<!--map-->", place.render(), 1)
        base: Any = super()
        return base.render(**kwargs)


def asset(name: str) -> str:
    """The text of a file of the front end.

    >>> asset("redmap.css").startswith("/*")
    True
    """
    try:
        return (resources.files("geo.redmap") / "assets" / name).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise MissingAssetError(f"安装包缺少 {name} / the package lacks {name}; reinstall redmap") from error


def _words(view: str, *, used_in: str) -> dict[str, Any]:
    """The words of both languages; of the public page only those that its assets or its data name."""
    words: dict[str, Any] = json.loads(asset("i18n.json"))
    if view == "planner":
        return words
    named = {*re.findall(r"['\"](\w+)['\"]", used_in), *MODES, *DAYS}
    own: dict[str, Any] = json.loads(asset("public_words.json"))
    return {
        lang: {k: v for k, v in {**table, **own[lang]}.items() if k in named} for lang, table in words.items()
    }


def shortened(code: str) -> str:
    r"""JavaScript without indents and without lines that are remarks: some 10 kB of the public page's 300.

    >>> shortened("if (a)\n  // why\n  b();\n/* c */\n")
    'if (a)\nb();\n'
    """
    return re.sub(r"^ *(?://.*|/\*.*\*/ *)\n|^ +", "", code, flags=re.MULTILINE)


def json_in_html(value: Any) -> str:
    r"""JSON that may stand inside a ``<script>``: no markup character survives.

    >>> json_in_html({"a": "</script>"})
    '{"a":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def render(result: StudyResult, *, view: str) -> str:
    """The page of one view, ``planner`` or ``public``; the same result gives the same bytes."""
    values, layers = payload.planner(result) if view == "planner" else public.content(result)
    title = " · ".join(filter(None, (values["name"], values["edition"], "红色地图 Red Map")))
    # a rider loads the page on the way, and passes it on as a file: its code goes packed
    unpack = "" if view == "planner" else shortened(asset("inflate.js") + asset("unpack.js"))
    figure = OfflineFigure(
        title=title,
        language=HTML_LANGUAGE[result.language],
        pictures=TILE_HOSTS if view == "planner" else (),
        unpack=unpack,
    )
    west, south, east, north = (v or 0.0 for v in values["bounds"])
    chart = folium.Map(
        location=[(south + north) / 2, (west + east) / 2],
        tiles=None,
        zoom_start=13,
        zoom_snap=0.25,
        zoom_control=False,
        attributionControl=False,
        fadeAnimation=False,
        min_zoom=3,
        max_zoom=19,
    )
    vars(chart)["_id"] = MAP_ID  # branca's ids are random: the file would differ at every build
    figure.add_child(chart, name="map")
    chart.add_child(RedMapElement(view=view, values=values, layers=layers), name="page")
    # folium keeps rendered parts on the figure: rendering once per figure is all that is wanted
    return str(figure.render())
