"""What is read, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import geopandas as gpd
import pandas as pd

from geo.models.arrays import F64, Bool
from geo.models.network import RoadNetwork
from geo.models.times import Snapped
from geo.models.words import Language, Mode


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What happened to a row: ``action`` is mended, merged, rejected, unmapped, skipped or noted.

    ``found`` is what was typed, ``made`` what a mended row became.
    """

    action: Literal["mended", "merged", "rejected", "unmapped", "skipped", "noted"]
    reason_zh: str
    reason_en: str
    file: str = ""
    sheet: str = ""
    row: int | None = None
    column: str = ""
    name: str = ""
    found: str = ""
    made: str = ""


@dataclass(frozen=True, slots=True)
class ListCounts:
    """What became of one list of stations: ``declared`` is the number in its title, None where it has none."""

    source: str
    issuer: str
    date: str
    declared: int | None
    listed: int
    mapped: int
    used: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Inputs:
    """Validated inputs of a study, WGS-84.

    ``stations`` columns: ``station_id name kind plates(tuple) lon lat services(frozenset)
    hours(OSM string or None) hours_text access(condition of entry) street community address phone issuer date file sheet row
    precision_m precision(point block quarter coarse area) datum(that of the numbers as typed)``; only
    rows that may be used, one per location.
    ``station_counts``: listed, mapped, used, merged, rejected, hours_known.
    ``communities`` (EPSG:4326 polygons): ``community_id name street population``; may be empty.
    ``venues``: ``venue_id name kind lon lat services(frozenset) hours(OSM string or None)``.
    ``demand``: ``layer community(int row of communities or -1) lon lat weight``.
    ``pairs``: rows of the lists that are or might be one location, ``decision distance_m name_score`` and
    ``name address issuer date hours key`` of both (``_a``, ``_b``).
    ``problems``: the ledger of riders, None without one: ``problem_id text kind state(open in_progress closed)
    time(ISO 8601 or "") place lon lat(NaN where not placed) placed_by community file row``; the placed ones are
    the last rows of ``demand``, layer ``problems``, in the same order.
    ``lists``: the counts of each list of stations before lists were merged.
    ``area``: one EPSG:4326 (Multi)Polygon row. ``sha256``: input file name → hash.
    """

    stations: pd.DataFrame
    station_counts: Mapping[str, int]
    communities: gpd.GeoDataFrame
    venues: pd.DataFrame
    demand: pd.DataFrame
    area: gpd.GeoDataFrame
    audit: tuple[AuditEntry, ...]
    sha256: Mapping[str, str]
    synthetic: bool = False
    pairs: pd.DataFrame = field(default_factory=pd.DataFrame)
    lists: tuple[ListCounts, ...] = ()
    problems: pd.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Who is covered.

    ``demand`` has one row a demand point, aligned with the demand given: ``layer community lon lat weight seconds nearest(int row of stations or -1)
    stations_within(int) straight_m covered(bool) access_m linked(bool)``.

    ``layers``: layer → the block of summary.json (design 3.3).
    ``communities``: one row a community: ``community_id name street population covered_people
    share share_straight median_minutes nearest_station`` and ``share_<service>``,
    ``share@<time>`` columns. ``streets``: the same by street.
    """

    demand: pd.DataFrame
    layers: Mapping[str, Mapping[str, Any]]
    communities: pd.DataFrame
    streets: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer to a study's ``[siting]``, as every output tells it.

    ``objective``, proven ``bound``: people (*cover*, *backup*), cost (*share*), person-minutes or minutes (*worst*).
    ``covered_before``, ``covered_after``: people within the standard without and with the plan, of ``total``.
    ``said``: goal and rules, ``conflict``: the rules that cannot all be kept, ``notes``: each Chinese / English.
    ``closed``: ``station_id name lost``; ``alternatives``: ``rank names objective``; ``ask``: ``gap venue kind people``.
    """

    goal: Literal["cover", "share", "minutes", "worst", "backup"]
    status: Literal["optimal", "time_limit", "infeasible"]
    objective: float
    bound: float
    gap: float
    covered_before: float
    covered_after: float
    total: float
    said: tuple[str, ...] = ()
    conflict: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    closed: pd.DataFrame = field(default_factory=pd.DataFrame)
    alternatives: pd.DataFrame = field(default_factory=pd.DataFrame)
    ask: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def gain(self) -> float:
        """People newly within the standard; negative where more are lost."""
        return self.covered_after - self.covered_before


@dataclass(frozen=True, slots=True)
class Movement:
    """How one mode moves: what the page needs to compute travel times by itself.

    ``forward_s_per_m``/``backward_s_per_m``: seconds per metre of each edge from u to v and back, ``inf`` where
    forbidden; ``wait_s`` at every node with lights; access legs at ``access_speed_kmh``; stations, demand and
    recommended sites linked to the ways of the mode.
    """

    mode: Mode
    forward_s_per_m: F64
    backward_s_per_m: F64
    access_speed_kmh: float
    wait_s: float
    stations: Snapped
    demand: Snapped
    sites: Snapped


@dataclass(frozen=True, slots=True)
class StudyResult:
    """All that a build knows; what the page, the report and the service are made from.

    ``station_bands`` / ``bands``: EPSG:4326, columns ``station_id minutes geometry`` /
    ``minutes geometry`` (nested MultiPolygons). ``gaps``: ``gap_id rank name_zh name_en people
    area_km2 nearest_station nearest_minutes straight_m reason_zh reason_en reason community
    geometry``. ``recommendations``: ``rank venue_id name kind lon lat gain communities_gain(list of
    {name, people, workers}) geometry`` and what explains it. ``stages``: the nested plans of ``[siting] stages``, ``stage venue_id name value gain best
    bound price proven``; ``stations_worth``: what each station alone covers, ``station_id name lost redundant``.
    ``problems`` (None without a ledger): its rows with ``nearest_station
    nearest_minutes gap_id`` and points, None where not placed. ``moves``: the modes that the page can compute,
    the study's own first. ``open_at``: stations × times, from ``times``. ``summary`` is
    summary.json.
    """

    name: str
    edition: str
    language: Language
    synthetic: bool
    standard: Mapping[str, Any]
    publish: Mapping[str, Any]
    inputs: Inputs
    network: RoadNetwork
    station_snap: Snapped
    demand_snap: Snapped
    coverage: Coverage
    times: tuple[str, ...]
    open_at: Bool
    station_bands: gpd.GeoDataFrame
    bands: gpd.GeoDataFrame
    gaps: gpd.GeoDataFrame
    recommendations: gpd.GeoDataFrame
    plan: Plan | None
    stages: pd.DataFrame | None = None
    stations_worth: pd.DataFrame | None = None
    problems: gpd.GeoDataFrame | None = None
    moves: tuple[Movement, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
