"""Which ways a mode may use, in which direction, how fast, and why: one table of rules.

Design section 5. Speeds in km/h. Sources: walk 4.0 (trade-union yardstick 1 km in 15 min), ebike
15 (usual platform limit; GB 17761-2024 caps 25), bike 12 (city check-up standard: 1 km in 5 min),
drive: free-flow class defaults of Chinese urban roads (CJJ 37-2012 design speeds, lower bound).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from geo.models import MODES, Mode

Tags = Mapping[str, str]

# Keys the rules look at; a way's other tags never matter here.
RULE_KEYS = frozenset((
    "highway", "access", "foot", "bicycle", "motor_vehicle", "motorcar", "vehicle", "motorroad", "oneway",
    "oneway:bicycle", "oneway:foot", "cycleway", "cycleway:left", "cycleway:right", "junction", "maxspeed",
    "service", "area",
))  # fmt: skip
UNBUILT = frozenset({"construction", "proposed", "planned", "abandoned", "razed", "raceway", "rest_area", "services",
                     "bus_stop", "platform_edge", "elevator", "corridor", "no", "bridleway_proposed"})  # fmt: skip
MOTORWAY = frozenset({"motorway", "motorway_link"})
ON_FOOT_ONLY = frozenset({"footway", "pedestrian", "platform", "bridleway"})
NOT_FOR_CARS = ON_FOOT_ONLY | {"path", "steps", "cycleway", "busway", "track"}
YES = frozenset({"yes", "designated", "permissive", "official"})
NO = frozenset({"no"})
NO_CAR = frozenset({"no"})
DRIVE_KMH: Mapping[str, float] = {
    "motorway": 80, "motorway_link": 40, "trunk": 60, "trunk_link": 35, "primary": 45, "primary_link": 30,
    "secondary": 40, "secondary_link": 30, "tertiary": 30, "tertiary_link": 25, "unclassified": 25,
    "residential": 20, "living_street": 10, "service": 10, "road": 20,
}  # fmt: skip
BASE_KMH: Mapping[Mode, float] = {"walk": 4.0, "ebike": 15.0, "bike": 12.0, "drive": 30.0}
_NUMBER = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(mph|km/h|kmh|kph)?\s*$")
_MPH = 1.609344


@dataclass(frozen=True, slots=True)
class Speeds:
    """Default speeds of one way, forward and backward, in km/h; 0 is forbidden."""

    forward_kmh: float
    backward_kmh: float


def way_speeds(tags: Tags) -> dict[Mode, Speeds]:
    """Speeds of every mode on a way with these OSM tags.

    >>> way_speeds({"highway": "residential", "oneway": "yes"})["walk"]
    Speeds(forward_kmh=4.0, backward_kmh=4.0)
    >>> way_speeds({"highway": "steps"})["ebike"]
    Speeds(forward_kmh=0.0, backward_kmh=0.0)
    """
    return {mode: _speeds(mode, tags) for mode in MODES}


def _speeds(mode: Mode, tags: Tags) -> Speeds:
    highway = tags.get("highway", "")
    if not highway or highway in UNBUILT:
        return Speeds(0.0, 0.0)
    if mode == "walk":
        return _walk(highway, tags)
    if tags.get("area") == "yes":
        return Speeds(0.0, 0.0)
    if mode == "drive":
        return _drive(highway, tags)
    return _ride(highway, tags, BASE_KMH[mode])


def _walk(highway: str, tags: Tags) -> Speeds:
    # private compounds are walked by who lives there: leaving them out would cut off their people
    foot = tags.get("foot", "")
    closed = foot in NO or (tags.get("access") in NO and foot not in YES)
    if closed or highway in MOTORWAY or (tags.get("motorroad") == "yes" and foot not in YES):
        return Speeds(0.0, 0.0)
    one_way = tags.get("oneway:foot") == "yes"
    return Speeds(BASE_KMH["walk"], 0.0 if one_way else BASE_KMH["walk"])


def _ride(highway: str, tags: Tags, speed_kmh: float) -> Speeds:
    bicycle = tags.get("bicycle", "")
    allowed = bicycle in YES
    closed = bicycle in {"no", "dismount"} or (
        not allowed and (tags.get("access") in NO or tags.get("vehicle") in NO)
    )
    if closed or highway == "steps" or highway in MOTORWAY or tags.get("motorroad") == "yes":
        return Speeds(0.0, 0.0)
    if highway in ON_FOOT_ONLY and not allowed:
        return Speeds(0.0, 0.0)
    direction = _oneway(highway, tags)
    contraflow = tags.get("oneway:bicycle") == "no" or any(
        tags.get(key, "").startswith("opposite") for key in ("cycleway", "cycleway:left", "cycleway:right")
    )
    return _directed(0 if contraflow else direction, speed_kmh)


def _drive(highway: str, tags: Tags) -> Speeds:
    for key in ("motorcar", "motor_vehicle", "vehicle", "access"):
        if key in tags:
            if tags[key] in NO_CAR:
                return Speeds(0.0, 0.0)
            break
    if highway not in DRIVE_KMH:
        return Speeds(0.0, 0.0)
    return _directed(_oneway(highway, tags), parse_maxspeed(tags.get("maxspeed")) or DRIVE_KMH[highway])


def _oneway(highway: str, tags: Tags) -> int:
    value = tags.get("oneway", "")
    if value in {"yes", "true", "1"}:
        return 1
    if value in {"-1", "reverse"}:
        return -1
    if value in {"no", "false", "0"}:
        return 0
    implied = highway in MOTORWAY or tags.get("junction") in {"roundabout", "circular"}
    return 1 if implied else 0


def _directed(direction: int, speed_kmh: float) -> Speeds:
    return Speeds(speed_kmh if direction >= 0 else 0.0, speed_kmh if direction <= 0 else 0.0)


def parse_maxspeed(text: str | None) -> float | None:
    """``maxspeed`` in km/h, None where it says no number.

    >>> parse_maxspeed("50"), round(parse_maxspeed("30 mph"), 1), parse_maxspeed("signals")
    (50.0, 48.3, None)
    """
    if not text:
        return None
    if text == "walk":
        return 7.0
    match = _NUMBER.match(text)
    if match is None or float(match.group(1)) <= 0:
        return None
    return float(match.group(1)) * (_MPH if match.group(2) == "mph" else 1.0)
