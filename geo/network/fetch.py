"""Roads of a place by name, through OSMnx; kept so that the second time needs no network."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from geo.errors import DownloadError
from geo.network.modes import RULE_KEYS

EVERY_WAY = '["highway"]["area"!~"yes"]["highway"!~"abandoned|construction|planned|proposed|raceway|razed"]'


def fetch_roads(
    place: str,
    *,
    cache_dir: Path,
    endpoint: str | None = None,
    nominatim: str | None = None,
    timeout_s: float = 180.0,
) -> Path:
    """Download all ways of a named place as GraphML into ``cache_dir``; returns the file.

    ``endpoint`` and ``nominatim`` replace OSMnx's own Overpass and Nominatim addresses. Raises
    :class:`geo.errors.DownloadError` without a network or for an unknown place.
    """
    import osmnx
    import requests

    file = cache_dir / f"roads-{hashlib.sha256(place.encode()).hexdigest()[:16]}.graphml"
    if file.is_file():
        return file
    cache_dir.mkdir(parents=True, exist_ok=True)
    errors = osmnx._errors  # noqa: SLF001 - OSMnx has no public names for them
    failures = (
        requests.RequestException,
        errors.InsufficientResponseError,
        errors.ResponseStatusCodeError,
        OSError,
        TypeError,
        ValueError,
    )
    with _settings(osmnx.settings, endpoint, nominatim, timeout_s):
        try:
            graph = osmnx.graph_from_place(place, custom_filter=EVERY_WAY, simplify=False, retain_all=True)
        except failures as error:
            message = (
                f"下载不到“{place}”的道路：请检查网络和地名，或改用 [roads] file / roads of {place!r} could not be "
                f"downloaded; check the network and the name, or give [roads] file ({type(error).__name__}: {error})"
            )
            raise DownloadError(message) from error
    aside = file.with_suffix(".part")
    osmnx.save_graphml(graph, aside)
    aside.replace(file)
    return file


@contextmanager
def _settings(settings: Any, endpoint: str | None, nominatim: str | None, timeout_s: float) -> Iterator[None]:
    """OSMnx's settings are global to the process: change them for one call only."""
    wanted: dict[str, Any] = {
        "requests_timeout": timeout_s,
        "use_cache": False,
        "useful_tags_way": sorted({*RULE_KEYS, "name", "bridge", "tunnel"}),
    }
    if endpoint is not None:
        wanted |= {"overpass_url": endpoint, "overpass_rate_limit": False}
    if nominatim is not None:
        wanted["nominatim_url"] = nominatim
    before = {key: getattr(settings, key) for key in wanted}
    for key, value in wanted.items():
        setattr(settings, key, value)
    try:
        yield
    finally:
        for key, value in before.items():
            setattr(settings, key, value)
