"""What every dialect of isochrones needs: profiles as modes, and bands as single polygons."""

from __future__ import annotations

from typing import Any

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
EXACT_DECIMALS = 8  # a millimetre: the native route's


def rings(polygon: Any) -> list[list[list[float]]]:
    """A polygon's rings as GeoJSON positions of six decimals, the outer one anticlockwise."""
    from shapely import get_coordinates
    from shapely.geometry.polygon import orient

    turned = orient(polygon)
    return [get_coordinates(ring).round(DECIMALS).tolist() for ring in (turned.exterior, *turned.interiors)]


def single(shape: Any, lon: float, lat: float) -> dict[str, Any]:
    """The part of a band that holds a position, as a GeoJSON Polygon: clients draw single polygons only."""
    return {"type": "Polygon", "coordinates": rings(part_at(shape, lon, lat))}


def part_at(shape: Any, lon: float, lat: float) -> Any:
    """The part of a band that holds a position; the bare position where the band ends before the first way.

    >>> from shapely import MultiPolygon
    >>> part_at(MultiPolygon(), 1.0, 2.0).bounds
    (1.0, 2.0, 1.0, 2.0)
    """
    from shapely import Polygon

    return Polygon([(lon, lat)] * 4) if shape.is_empty else pipeline.single_polygon(shape, lon, lat)


def geodesic_m2(polygon: Any) -> float:
    """Area on the ellipsoid in square metres, holes left out.

    >>> from shapely.geometry import box
    >>> round(geodesic_m2(box(0, 0, 0.001, 0.001)))
    12309
    """
    from pyproj import Geod

    area, _length = Geod(ellps="WGS84").geometry_area_perimeter(polygon)
    return abs(float(area))


def told(isochrone: pipeline.Isochrone) -> str:
    """GeoJSON of nested shapes, written by GEOS: ten times as fast as by pandas."""
    import shapely

    shapes = shapely.transform(isochrone.shapes, lambda xy: xy.round(EXACT_DECIMALS))
    rows = zip(isochrone.minutes, isochrone.shares, shapely.to_geojson(shapes), strict=True)
    features = ", ".join(
        f'{{"type": "Feature", "properties": {{"minutes": {minutes}, "false_share": {false}, "missed_share": {missed}}}, '
        f'"geometry": {shape}}}'
        for minutes, (false, missed), shape in rows
    )
    return f'{{"type": "FeatureCollection", "features": [{features}]}}'
