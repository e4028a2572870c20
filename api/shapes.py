"""What every dialect of isochrones needs: profiles as modes, and bands as single polygons."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from geo import pipeline
from geo.models import Mode

ORS_PROFILES: dict[str, Mode] = {
    "foot-walking": "walk", "foot-hiking": "walk", "wheelchair": "walk", "cycling-regular": "bike", "cycling-road": "bike",
    "cycling-mountain": "bike", "cycling-electric": "ebike", "driving-car": "drive", "driving-hgv": "drive",
}  # fmt: skip
VALHALLA_COSTINGS: dict[str, Mode] = {
    "pedestrian": "walk", "bicycle": "bike", "motor_scooter": "ebike", "auto": "drive", "taxi": "drive",
}  # fmt: skip
MAPBOX_PROFILES: dict[str, Mode] = {
    "walking": "walk",
    "cycling": "bike",
    "driving": "drive",
    "driving-traffic": "drive",
}
DECIMALS = 6
GENERALIZE_M = 27.0  # a quarter of a cell of Valhalla's grid, its own default
EXACT_DECIMALS = 8  # a millimetre: the native route's


def rings(polygon: Any) -> list[NDArray[np.float64]]:
    """A polygon's rings as GeoJSON positions, for :func:`written`; those of isochrones turn as RFC 7946 has it."""
    _kind, places, (ring, _polygon) = shapely.to_ragged_array([polygon])
    places = places.round(DECIMALS)
    return [places[a:b] for a, b in pairwise(ring.tolist())]


def written(body: Any) -> bytes:
    """JSON, arrays of numbers included: many times as fast as by the standard library."""
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


def echoed(value: Any) -> orjson.Fragment:
    """What a client sent, as it was read: numbers of any size, halves of characters."""
    return orjson.Fragment(json.dumps(value))


def contour_features(
    found: pipeline.Contours, minutes: float, colour: str, *, polygons: bool
) -> list[dict[str, Any]]:  # fmt: skip
    """A contour as Valhalla and Mapbox tell it: one feature of polygons, or one of a line for each outer ring."""
    rounded = found.polygons[found.minutes.index(minutes)]
    told = {
        "contour": minutes, "metric": "time", "color": colour, "opacity": 0.33, "fill": colour, "fill-opacity": 0.33,
        "fillColor": colour, "fillOpacity": 0.33,
    }  # fmt: skip
    geometries: list[dict[str, Any]]
    if not polygons:
        geometries = [{"type": "LineString", "coordinates": part[0]} for part in rounded]
    elif len(rounded) == 1:
        geometries = [{"type": "Polygon", "coordinates": rounded[0]}]
    else:
        geometries = [{"type": "MultiPolygon", "coordinates": rounded}]
    return [{"type": "Feature", "properties": told, "geometry": geometry} for geometry in geometries]


def part_at(shape: Any, lon: float, lat: float) -> Any:
    """The part of a band that holds a position; the bare position where the band ends before the first way.

    >>> from shapely import MultiPolygon
    >>> part_at(MultiPolygon(), 1.0, 2.0).bounds
    (1.0, 2.0, 1.0, 2.0)
    """
    return shapely.Polygon([(lon, lat)] * 4) if shape.is_empty else pipeline.single_polygon(shape, lon, lat)


def geodesic_m2(polygon: Any) -> float:
    """Area on the ellipsoid in square metres, holes left out.

    >>> from shapely.geometry import box
    >>> round(geodesic_m2(box(0, 0, 0.001, 0.001)))
    12309
    """
    from pyproj import Geod

    area, _length = Geod(ellps="WGS84").geometry_area_perimeter(polygon)
    return abs(float(area))


def isochrone_told(
    session: pipeline.Session, lon: float, lat: float, minutes: Sequence[float], mode: Mode | None = None
) -> bytes:
    """GeoJSON of nested shapes, as the native routes have it; raises as :meth:`geo.pipeline.Session.isochrone`."""
    isochrone = session.isochrone(lon, lat, minutes=minutes, mode=mode)
    rings = isochrone.rings._replace(place=isochrone.rings.place.round(EXACT_DECIMALS))
    features = [
        {
            "type": "Feature",
            "properties": {"minutes": minutes, "false_share": false, "missed_share": missed},
            "geometry": {"type": "MultiPolygon", "coordinates": rings.polygons(i)},
        }
        for i, (minutes, (false, missed)) in enumerate(zip(isochrone.minutes, isochrone.shares, strict=True))
    ]
    return written({"type": "FeatureCollection", "features": features})
