"""What the OpenAPI document says beyond the signatures: media types, failures, and the bodies of the dialects."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from api.dialects import PROBLEM, TITLES

Responses = dict[int | str, dict[str, Any]]
_DEFECT = {
    "type": "object",
    "properties": {"message": {"type": "string"}, "key": {"type": ["string", "null"]}},
    "required": ["message"],
}
_PROBLEM = {
    "type": "object", "title": "Problem details (RFC 9457)", "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
        "defects": {"type": "array", "items": _DEFECT},
    },
}  # fmt: skip
_ORS = {
    "type": "object", "required": ["error", "info"],
    "properties": {
        "error": {"type": "object", "required": ["message"], "properties": {"code": {"type": "integer"}, "message": {"type": "string"}}},
        "info": {"type": "object"},
    },
}  # fmt: skip
_VALHALLA = {
    "type": "object", "required": ["error_code", "error", "status_code", "status"],
    "properties": {
        "error_code": {"type": "integer"}, "error": {"type": "string"}, "status_code": {"type": "integer"},
        "status": {"type": "string"},
    },
}  # fmt: skip
_MAPBOX = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
}
GEOJSON = "application/geo+json"
FEATURE = {
    "type": "object", "required": ["type", "geometry", "properties"], "properties": {"type": {"const": "Feature"}},
}  # fmt: skip
COLLECTION = {
    "type": "object", "required": ["type", "features"],
    "properties": {"type": {"const": "FeatureCollection"}, "features": {"type": "array", "items": {"type": "object"}}},
}  # fmt: skip
_ALWAYS = (401, 403, 405, 413, 429, 500, 503, 504)


class GeoJSON(Response):
    """GeoJSON by its own media type."""

    media_type = GEOJSON


def _failures(schema: dict[str, Any], media: str, statuses: tuple[int, ...]) -> Responses:
    content = {media: {"schema": schema}}
    return {
        status: {"description": TITLES.get(status, "refused"), "content": content}
        for status in sorted(statuses)
    }


def native_failures() -> Responses:
    """Problem details on every route of our own."""
    return _failures(_PROBLEM, PROBLEM, (400, 404, 422, *_ALWAYS))


def ors_failures() -> Responses:
    """As openrouteservice fails."""
    return _failures(_ORS, "application/json", (400, 404, 406, *_ALWAYS))


def valhalla_failures() -> Responses:
    """As Valhalla fails."""
    return _failures(_VALHALLA, "application/json", (400, 404, 501, *_ALWAYS))


def mapbox_failures() -> Responses:
    """As Mapbox fails."""
    return _failures(_MAPBOX, "application/json", (404, 422, *_ALWAYS))


def answered(media: str, schema: dict[str, Any] | None = None) -> Responses:
    """A good answer of one media type."""
    content: dict[str, Any] = {} if schema is None else {"schema": schema}
    return {200: {"description": "the answer", "content": {media: content}}}


def body(schema: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    """A JSON body that a route reads by itself."""
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


def query(name: str, schema: dict[str, Any], example: str, *, required: bool = False) -> dict[str, Any]:
    """A parameter that a route reads by itself."""
    return {"name": name, "in": "query", "required": required, "schema": schema, "example": example}


_LON_LAT = {
    "type": "array", "minItems": 2, "maxItems": 2,
    "prefixItems": [{"type": "number", "minimum": -180, "maximum": 180}, {"type": "number", "minimum": -90, "maximum": 90}],
    "items": {"type": "number", "minimum": -180, "maximum": 180},
}  # fmt: skip


def ors_body() -> dict[str, Any]:
    """What openrouteservice's clients send."""
    unit = {"enum": ["m", "km", "mi"]}
    return body(
        {
            "type": "object", "required": ["locations", "range"], "additionalProperties": False,
            "properties": {
                "locations": {"type": "array", "minItems": 1, "maxItems": 5, "items": _LON_LAT},
                "range": {"type": "array", "minItems": 1, "maxItems": 10, "items": {"type": "number", "exclusiveMinimum": 0, "maximum": 3600}},
                "range_type": {"enum": ["time"]}, "interval": {"type": ["number", "null"], "exclusiveMinimum": 0},
                "units": unit, "area_units": unit, "location_type": {"enum": ["start", "destination"]},
                "smoothing": {"type": ["number", "null"], "minimum": 0, "maximum": 100},
                "attributes": {"type": ["array", "null"], "items": {"enum": ["area", "reachfactor", "total_pop"]}},
                "intersections": {"enum": [False, None]}, "options": {"type": ["object", "null"], "maxProperties": 0},
                "id": {"type": ["string", "number", "null"]}, "time": {"type": "string"}, "profile": {"type": "string"},
            },
        },
        {"locations": [[115.8, 32.9]], "range": [900], "attributes": ["area"]},
    )  # fmt: skip


_VALHALLA_EXAMPLE = '{"locations":[{"lat":32.9,"lon":115.8}],"costing":"pedestrian","contours":[{"time":15}]}'


def valhalla_query() -> dict[str, Any]:
    """``?json=`` of Valhalla's clients."""
    schema = {"type": "string", "contentMediaType": "application/json"}
    return {"parameters": [query("json", schema, _VALHALLA_EXAMPLE, required=True)]}


def valhalla_body() -> dict[str, Any]:
    """What Valhalla's clients send."""
    place = {
        "type": "object", "required": ["lat", "lon"],
        "properties": {"lat": {"type": "number", "minimum": -90, "maximum": 90}, "lon": {"type": "number", "minimum": -180, "maximum": 180}},
    }  # fmt: skip
    contour = {
        "type": "object",
        "required": ["time"],
        "properties": {"time": {"type": "number", "exclusiveMinimum": 0, "maximum": 60}},
    }
    return body(
        {
            "type": "object", "required": ["locations", "costing", "contours"],
            "properties": {
                "locations": {"type": "array", "minItems": 1, "maxItems": 1, "items": place},
                "costing": {"enum": ["pedestrian", "bicycle", "motor_scooter", "auto", "taxi"]},
                "contours": {"type": "array", "minItems": 1, "maxItems": 4, "items": contour},
                "polygons": {"description": "true for polygons, else lines"},
                "denoise": {"description": "0 to 1: share of the largest ring's area below which rings are left out; 1 by default"},
                "generalize": {"description": "metres by which corners that are left out may stick out; 27 by default"},
            },
        },
        {"locations": [{"lat": 32.9, "lon": 115.8}], "costing": "pedestrian", "contours": [{"time": 15}]},
    )  # fmt: skip


def mapbox_query() -> dict[str, Any]:
    """What Mapbox's clients ask."""
    minutes = {"type": "string", "pattern": r"^[1-9][0-9]?(,[1-9][0-9]?){0,3}$"}
    return {
        "parameters": [
            query("contours_minutes", minutes, "5,10,15", required=True),
            query("polygons", {"enum": ["true", "false", "True", "False"]}, "true"),
            query("contours_colors", {"type": "string"}, ""),
            query("denoise", {"type": "string", "pattern": r"^(0(\.[0-9]{1,9})?|1)$"}, "1"),
            query("generalize", {"type": "string", "pattern": r"^[0-9]{1,9}(\.[0-9]{1,9})?$"}, "27"),
        ]
    }
