"""Types that the steps hand to each other: frozen, plain arrays and tables, units in the names.

All longitudes and latitudes are WGS-84 degrees; all times are seconds; all lengths metres.
Tables are pandas / geopandas frames; their columns are listed with the type that carries them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

Mode = Literal["walk", "ebike", "bike", "drive"]
Language = Literal["zh", "en"]
Direction = Literal["to_station", "from_station"]

MODES: tuple[Mode, ...] = ("walk", "ebike", "bike", "drive")
SERVICES: tuple[str, ...] = (
    "warmth", "cooling", "water", "toilet", "books", "rest", "first_aid", "phone_charging",
    "ebike_charging", "battery_swap", "microwave", "fridge", "meals", "wifi", "shower", "gym",
    "medical", "repair",
)  # fmt: skip
SERVICES_ZH = {  # as columns of a list are headed

    "warmth": "取暖", "cooling": "纳凉", "water": "饮水", "toilet": "卫生间", "books": "图书", "rest": "休息", "first_aid": "急救药箱",
    "phone_charging": "手机充电", "ebike_charging": "电动车充电", "battery_swap": "换电", "microwave": "微波炉", "fridge": "冰箱",
    "meals": "就餐", "wifi": "无线网络", "shower": "淋浴", "gym": "健身", "medical": "义诊", "repair": "维修工具",
}  # fmt: skip

KINDS_ZH = {  # of venues, and of stations where a file has such a kind
    "mall": "商场", "supermarket": "超市", "convenience": "便利店", "community_centre": "社区中心", "bank": "银行",
    "pharmacy": "药店", "fuel": "加油站", "library": "图书馆", "post_office": "邮局", "townhall": "政务中心",
    "restaurant": "餐馆", "cafe": "咖啡馆", "fast_food": "快餐店", "hospital": "医院", "clinic": "诊所",
    "marketplace": "市场", "school": "学校", "police": "警务站", "toilets": "公共厕所", "department_store": "百货商店",
    "social_facility": "服务中心", "station": "驿站", "kiosk": "小卖部", "government": "政务服务大厅", "office": "写字楼",
    "food_court": "美食广场", "public_building": "公共建筑", "bus_station": "汽车站", "charging_station": "充电站",
}  # fmt: skip


def kind_said(kind: str) -> str:
    """A kind of venue, Chinese and English; one that is not known stays as it is.

    >>> kind_said("community_centre"), kind_said("茶馆")
    ('社区中心 community centre', '茶馆')
    """
    return f"{KINDS_ZH[kind]} {kind.replace('_', ' ')}" if kind in KINDS_ZH else kind


# Lists that offices inspect stations by; what stands on them: geo.intake.compliance.
COMPLIANCE_LISTS: tuple[str, ...] = (
    "six_have", "six_have_layout", "seven_one", "seven_one_guizhou", "seven_one_haikou", "five_have_guangzhou",
    "five_have_guizhou", "eight_have_anhui",
)  # fmt: skip

LEAST_PEOPLE = 0.5  # fewer are nobody: lists leave them out
RECRUITMENT_WILLING = "是否愿意挂牌"  # the heading of the recruitment form under which a shop says yes or no

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
Bool = NDArray[np.bool_]

BarrierKind = Literal["water", "railway", "motorway", "wall"]
BARRIER_KINDS: tuple[BarrierKind, ...] = ("water", "railway", "motorway", "wall")


@dataclass(frozen=True, slots=True)
class Lines:
    """Many polylines in one: line ``i`` is ``lon/lat[start[i]:start[i + 1]]`` (WGS-84 degrees)."""

    start: I64
    lon: F64
    lat: F64

    def __len__(self) -> int:
        return len(self.start) - 1


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the roads file tells beside the roads.

    ``barriers``: lines (rings of water areas, river lines, rails, motorways, walls and fences),
    ``barrier_kind`` indexes :data:`BARRIER_KINDS`, ``barrier_name`` is "" where unnamed.
    ``buildings``: residential buildings or residential land pieces: columns ``lon lat area_m2``.
    ``amenities``: premises of :data:`geo.premises.PREMISES`: columns ``osm_id name kind lon lat opening_hours``.
    """

    barriers: Lines
    barrier_kind: NDArray[np.uint8]
    barrier_name: tuple[str, ...]
    buildings: pd.DataFrame
    amenities: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Turns:
    """Turns over a node: from edge ``from_edge[i]`` over node ``via[i]`` into edge ``to_edge[i]`` (rows)."""

    from_edge: I32
    via: I32
    to_edge: I32

    def __len__(self) -> int:
        return len(self.via)


def no_turns() -> Turns:
    """Nothing banned."""
    return Turns(*(np.empty(0, dtype=np.int32) for _ in range(3)))


@dataclass(frozen=True, slots=True)
class Chains:
    """Ways through three edges and more: chain ``i`` is ``edge[start[i]:start[i + 1]]`` (rows), in order.

    ``node[k]``: over which it goes on from ``edge[k]``; -1 for the last of a chain.
    """

    start: I64
    edge: I32
    node: I32

    def __len__(self) -> int:
        return len(self.start) - 1

    def reversed(self) -> Chains:
        """The same ways, driven back.

        >>> Chains(np.array([0, 3]), np.array([5, 6, 7]), np.array([1, 2, -1])).reversed().node
        array([ 2,  1, -1])
        """
        stops = self.start[-1] - self.start[::-1]
        return Chains(stops, self.edge[::-1], np.roll(self.node[::-1], -1))


def no_chains() -> Chains:
    """Nothing banned."""
    none = np.empty(0, dtype=np.int32)
    return Chains(np.zeros(1, dtype=np.int64), none, none)


@dataclass(frozen=True, slots=True)
class RoadNetwork:
    """A road network as arrays: ``n`` nodes where ways meet or end, ``m`` edges between them.

    One row per physical stretch of way: edge ``e`` runs from node ``edge_u[e]`` to ``edge_v[e]``
    along ``geometry`` line ``e`` (both end nodes included; loops and parallel edges allowed).
    ``speed_forward_kmh[mode][e]`` is the mode's *default* speed from u to v, ``speed_backward_kmh``
    from v to u; 0 means that the direction is forbidden. ``length_m`` is along the geometry.
    ``crs`` is a local transverse-Mercator CRS in metres, centred on the data, used for snapping.
    ``component[mode][e]`` numbers the weakly connected components of the ways of the mode,
    largest (by length) first, -1 where the edge is not of the mode. ``banned_turns``: the turns that
    ``drive`` may not take, each once; those that only one way leads on from ban all the others.
    ``banned_chains``: ways over several edges that it may not drive whole.
    """

    crs: str
    node_id: I64
    node_lon: F64
    node_lat: F64
    node_signal: Bool
    edge_u: I32
    edge_v: I32
    length_m: F64
    way_id: I64
    way_class: NDArray[np.uint8]
    class_names: tuple[str, ...]
    way_name: tuple[str, ...]
    edge_name: I32
    geometry: Lines
    speed_forward_kmh: Mapping[Mode, F64]
    speed_backward_kmh: Mapping[Mode, F64]
    component: Mapping[Mode, I32]
    surroundings: Surroundings
    source: str
    source_date: str
    notes: tuple[str, ...] = ()
    banned_turns: Turns = field(default_factory=no_turns)
    banned_chains: Chains = field(default_factory=no_chains)

    @property
    def node_count(self) -> int:
        return len(self.node_id)

    @property
    def edge_count(self) -> int:
        return len(self.edge_u)


@dataclass(frozen=True, slots=True)
class Snapped:
    """Points linked to the network: exact position on an edge, or ``edge == -1`` (not linked).

    ``offset_m``: metres from ``edge_u`` along the edge; ``access_m``: straight metres from the
    point to that position; ``lon``/``lat``: the snapped position. All arrays have one item a point.
    """

    edge: I32
    offset_m: F64
    access_m: F64
    lon: F64
    lat: F64

    def __len__(self) -> int:
        return len(self.edge)

    @property
    def linked(self) -> Bool:
        return self.edge >= 0


@dataclass(frozen=True, slots=True)
class NearestField:
    """Seconds to the nearest source: ``inf`` and label -1 where none is within the limit.

    ``seconds``/``label``: one item a target; ``node_seconds``/``node_label``: one item a node, and
    where turns are banned (``drive``) one more for each copy of a node that they call for, so that
    :func:`geo.travel_times.stretches` knows from where an edge may be entered. Labels index the
    sources given.
    """

    seconds: F64
    label: I32
    node_seconds: F64
    node_label: I32


@dataclass(frozen=True, slots=True)
class SubsetFields:
    """Seconds to the nearest source of each of many sets; ``inf`` and label -1 beyond the limit.

    ``seconds``/``label``: different sets × targets; set ``s`` is row ``field[s]``. Labels index the
    sources given.
    """

    seconds: F64
    label: I32
    field: I64


@dataclass(frozen=True, slots=True)
class TravelMatrix:
    """Sparse seconds, CSR: row ``i`` holds columns ``indices[indptr[i]:indptr[i+1]]``, ascending.

    A pair that is absent is out of the limit (a stored 0.0 is a real zero).
    """

    indptr: I64
    indices: I32
    seconds: F64
    shape: tuple[int, int]

    def transposed(self) -> TravelMatrix:
        """Swap rows and columns; indices of each row ascend in the result."""
        rows = np.repeat(np.arange(self.shape[0], dtype=np.int32), np.diff(self.indptr))
        order = np.argsort(self.indices, kind="stable")
        counts = np.bincount(self.indices, minlength=self.shape[1])
        indptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        return TravelMatrix(indptr, rows[order], self.seconds[order], self.shape[::-1])


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


@dataclass(frozen=True, slots=True)
class Stretches:
    """Stretches of edges: metres ``from_m``..``to_m`` along ``edge`` (from ``edge_u``), disjoint."""

    edge: I32
    from_m: F64
    to_m: F64

    def __len__(self) -> int:
        return len(self.edge)
