"""The one door to a network: by suffix to its reader, through the cache."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from geo.errors import Defect, InputError
from geo.models import RoadNetwork
from geo.network import cache
from geo.network.assemble import assemble
from geo.network.read_lines import read_graphml, read_lines
from geo.network.read_osm import read_osm

OSM = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")
LINES = (".gpkg", ".shp", ".geojson", ".json", ".parquet")
M_PER_DEGREE = 111_195.0  # on the sphere that lengths are computed on


def read_network(
    path: str | Path, *, area: Any = None, reach_m: float = 0.0, cache_dir: Path | None = None
) -> RoadNetwork:
    """Read roads and keep what lies within ``reach_m`` metres of ``area`` (a WGS-84 shapely polygon).

    Reads ``.osm.pbf .osm .osm.gz .osm.bz2``, OSMnx ``.graphml`` and line layers ``.gpkg .shp
    .geojson .parquet``. With ``cache_dir`` a network once built loads again at once. Raises
    :class:`geo.errors.InputError` for a missing, unreadable or empty file.
    """
    path = Path(path)
    name = path.name.lower()
    if not path.is_file():
        raise InputError(Defect("没有这个道路文件 / no such roads file", file=str(path)))
    if not name.endswith((*OSM, *LINES, ".graphml")):
        allowed = " ".join((*OSM, ".graphml", *LINES))
        raise InputError(
            Defect(f"不认识的道路文件；可用 / unknown kind of roads file; use {allowed}", file=path.name)
        )
    key = cache.cache_key(path, area=area, reach_m=reach_m) if cache_dir is not None else ""
    if cache_dir is not None:
        kept = cache.load(cache_dir, key)
        if kept is not None:
            return kept
    raw = (
        read_osm(path, bounds=_bounds(area, reach_m))
        if name.endswith(OSM)
        else read_graphml(path)
        if name.endswith(".graphml")
        else read_lines(path)
    )
    network = assemble(raw, area=area, reach_m=reach_m)
    if cache_dir is not None:
        cache.save(cache_dir, key, network)
    return network


def _bounds(area: Any, reach_m: float) -> tuple[float, float, float, float] | None:
    """The bounding box of all that is kept, in degrees, a hair generously."""
    if area is None:
        return None
    west, south, east, north = area.bounds
    up = 1.01 * reach_m / M_PER_DEGREE + 1e-6
    along = up / max(math.cos(math.radians(min(max(abs(south), abs(north)) + up, 89.0))), 1e-3)
    return west - along, south - up, east + along, north + up
