"""OSM files (.osm.pbf, .osm, .osm.gz, .osm.bz2): ways, barriers, homes, premises."""

from __future__ import annotations

import math
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import osmium

from geo.errors import Defect, InputError
from geo.network.elements import FILTER_KEYS, Bounds, Elements, Relations, collect
from geo.network.pbf import read_pbf
from geo.network.pbf.blobs import UncommonError, UnreadableError
from geo.network.raw import RawWays
from geo.network.turns import CONDITIONAL_TAGS, RULE_TAGS

EVERYWHERE = (-math.inf, -math.inf, math.inf, math.inf)


def read_osm(path: Path, *, bounds: Bounds | None = None) -> RawWays:
    """Read an OSM file; raises :class:`geo.errors.InputError` where it is damaged.

    ``bounds``: west, south, east, north in degrees; ways whose bounding box lies outside are left out
    as they stream by, so that a district takes a district's memory, whatever the file holds.
    """
    within = bounds or EVERYWHERE
    try:
        elements = _read(path, within)
    except (RuntimeError, UnreadableError, osmium.InvalidLocationError) as error:
        message = f"不是可读的 OSM 文件 / not a readable OSM file: {error}"
        raise InputError(Defect(message, file=path.name)) from error
    return collect(elements, source=path.name, bounds=within)


def _read(path: Path, bounds: Bounds) -> Elements:
    if path.name.lower().endswith(".pbf"):
        try:
            return read_pbf(path, bounds)
        except UncommonError:
            pass  # another compression, or not in order: pyosmium reads all there is
    return read_any(path, bounds)


def read_any(path: Path, bounds: Bounds) -> Elements:
    """Any OSM file by pyosmium; raises its ``RuntimeError`` for a damaged one."""
    relations = _relations(path)
    way_id, start, ref = array("q"), array("q", [0]), array("q")
    lon, lat = array("d"), array("d")
    tags_of, nodes = list[dict[str, str]](), []
    west, south, east, north = bounds
    processor: Any = osmium.FileProcessor(str(path)).with_locations()
    date = str(processor.header.get("osmosis_replication_timestamp") or "")[:10]
    keyed = osmium.filter.KeyFilter(*FILTER_KEYS)
    if relations.water:  # ways without any such key may bound a water
        keyed.enable_for(osmium.osm.NODE)
    processor = processor.with_filter(keyed)
    for element in processor:
        # each look at a tag of pyosmium's crosses into C++: a plain dict is several times faster
        tags = {tag.k: tag.v for tag in element.tags}
        if element.is_node():
            if not tags.keys().isdisjoint(FILTER_KEYS) and (
                west <= element.lon <= east and south <= element.lat <= north
            ):
                nodes.append((element.id, tags, element.lon, element.lat))
        elif element.is_way():
            if tags.keys().isdisjoint(FILTER_KEYS) and element.id not in relations.water:
                continue
            places = [(n.ref, at.lon, at.lat) for n in element.nodes if (at := n.location).valid()]
            if not places:
                continue
            refs, x, y = zip(*places, strict=True)
            if max(x) < west or min(x) > east or max(y) < south or min(y) > north:
                continue
            way_id.append(element.id)
            tags_of.append(tags)
            ref.extend(refs)
            lon.extend(x)
            lat.extend(y)
            start.append(len(ref))
    return Elements(
        way_id=np.array(way_id, dtype=np.int64),
        tags=tags_of,
        tagged=np.arange(len(tags_of)),
        like=np.arange(len(tags_of)),
        start=np.array(start, dtype=np.int64),
        ref=np.array(ref, dtype=np.int64),
        lon=np.array(lon, dtype=np.float64),
        lat=np.array(lat, dtype=np.float64),
        nodes=nodes,
        relations=relations,
        date=date,
    )


def _relations(path: Path) -> Relations:
    found = Relations()
    processor: Any = osmium.FileProcessor(str(path), osmium.osm.RELATION).with_filter(
        osmium.filter.KeyFilter("natural", "waterway", *RULE_TAGS, *CONDITIONAL_TAGS)
    )
    for relation in processor:
        found.take(dict(relation.tags), [(m.type, m.role, m.ref) for m in relation.members])
    return found
