"""Premises in OpenStreetMap by tag: which could host a station, and where riders wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ANY = "*"  # any value of the key but "no"


@dataclass(frozen=True, slots=True)
class Premises:
    """One row of the tag table: ``key=value`` is a ``kind``.

    ``venue``: could host a station; ``activity``: riders and couriers collect, deliver or wait there.
    """

    key: str
    value: str
    kind: str
    venue: bool = False
    activity: bool = False


# Hosts are those that unions co-build stations with: banks, post offices, petrol stations, agencies
# (284 of the 292 of Binzhou), shops, community centres, clinics, police posts. The first row that fits
# an element names it. Meanings of the tags: the OpenStreetMap wiki, "Map features".
PREMISES: tuple[Premises, ...] = (
    Premises("shop", "mall", "mall", venue=True, activity=True),
    Premises("shop", "department_store", "department_store", venue=True, activity=True),
    Premises("shop", "supermarket", "supermarket", venue=True, activity=True),
    Premises("shop", "convenience", "convenience", venue=True),
    Premises("amenity", "marketplace", "marketplace", venue=True, activity=True),
    Premises("amenity", "community_centre", "community_centre", venue=True),
    Premises("amenity", "social_facility", "social_facility", venue=True),
    Premises("amenity", "library", "library", venue=True),
    Premises("amenity", "townhall", "townhall", venue=True),
    Premises("amenity", "public_building", "public_building", venue=True),
    Premises("amenity", "bank", "bank", venue=True),
    Premises("amenity", "post_office", "post_office", venue=True),
    Premises("amenity", "pharmacy", "pharmacy", venue=True),
    Premises("amenity", "clinic", "clinic", venue=True),
    Premises("amenity", "hospital", "hospital", venue=True),
    Premises("amenity", "police", "police", venue=True),
    Premises("amenity", "fuel", "fuel", venue=True),
    Premises("amenity", "charging_station", "charging_station", venue=True),
    Premises("amenity", "bus_station", "bus_station", venue=True),
    Premises("amenity", "restaurant", "restaurant", activity=True),
    Premises("amenity", "fast_food", "fast_food", activity=True),
    Premises("amenity", "cafe", "cafe", activity=True),
    Premises("amenity", "food_court", "food_court", activity=True),
    Premises("office", "government", "government", venue=True, activity=True),
    Premises("office", ANY, "office", activity=True),
)
KEYS: tuple[str, ...] = tuple(dict.fromkeys(row.key for row in PREMISES))
VENUE_KINDS = frozenset(row.kind for row in PREMISES if row.venue)
ACTIVITY_KINDS = frozenset(row.kind for row in PREMISES if row.activity)
_KINDS = {(row.key, row.value): row.kind for row in PREMISES}


def premises_kind(tags: Mapping[str, str]) -> str | None:
    """The kind of premises that an element is by its tags; None where it is none of :data:`PREMISES`.

    >>> premises_kind({"amenity": "cafe"}), premises_kind({"office": "it"}), premises_kind({"shop": "shoes"})
    ('cafe', 'office', None)
    """
    for key in KEYS:
        value = tags.get(key)
        if value is None:
            continue
        kind = _KINDS.get((key, value)) or (_KINDS.get((key, ANY)) if value != "no" else None)
        if kind is not None:
            return kind
    return None
