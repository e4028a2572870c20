"""The sections of a ``study.toml``: frozen settings with units in their names."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from geo.config.addresses import table_name
from geo.config.limits import AUTO, DEFAULT_TIMES, WALK_KMH
from geo.models import COMPLIANCE_LISTS, SERVICES, Language, Mode
from geo.premises import ACTIVITY_KINDS

_TIME = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([01]\d|2[0-3]):([0-5]\d)")
_DATUM = re.compile(r"wgs84|gcj02|bd09|cgcs2000|EPSG:\d{4,5}")
_DATABASE = re.compile(r"postgres(?:ql)?(?:\+psycopg)?://")
_TABLE = re.compile(r"[^.\"]{1,63}(?:\.[^.\"]{1,63})?")


class Section(BaseModel):
    # what a wrong value was is told by _defect, which hides passwords; pydantic would print them
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class StudySection(Section):
    """``[study]``: how the study names itself."""

    name: str = Field(min_length=1)
    edition: str = ""
    language: Language = "zh"
    synthetic: bool = False


def _given_datum(value: str) -> str:
    if not _DATUM.fullmatch(value):
        raise ValueError("应为 wgs84 | gcj02 | bd09 | cgcs2000 | EPSG:…… / expected one of these")
    return value


Datum = Annotated[str, AfterValidator(_given_datum)]
Shift = Literal["wgs84", "gcj02", "bd09"]  # of polygons: a projection their file declares itself


class AreaSection(Section):
    """``[area]``: the district's polygon and the part that it really runs (责任范围).

    ``datum``: of the degrees of both files; polygons of map vendors (DataV, Amap) are gcj02.
    """

    boundary: str | None = None
    responsibility: str | None = None
    datum: Shift = "wgs84"


class MergeSection(Section):
    """``[merge]``: what the user decided about rows that may be one location (a corrected ``merge.csv``)."""

    file: str | None = None


class RoadsSection(Section):
    """``[roads]``: exactly one of a file or a place name."""

    file: str | None = None
    place: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> RoadsSection:
        if (self.file is None) == (self.place is None):
            raise ValueError("file 与 place 只能且必须给一个 / give exactly one of file and place")
        return self


class StationsSection(Section):
    """``[[stations]]``: one list of one issuer; the datum is declared, or ``auto``: proven or refused.

    Either a ``file``, or a ``table`` (``schema.table`` or a view) of a PostGIS ``database``
    (``postgresql://user@host/name``). The password is better left to ``PGPASSWORD`` or ``~/.pgpass``;
    one that stands in the address is never shown. ``columns``: field (``name lon lat lonlat address hours
    services kind plates street community phone issuer status remark id``) or service → its heading as typed, "" for none.
    ``allow_coarse``: use positions of one decimal and the middles of ranges too. ``trust_datum``: use the
    declared datum even where the roads deny it.

    >>> StationsSection(database=SecretStr("postgresql://clerk:secret@db/union"), table="gis.stations",
    ...     datum="wgs84").source
    'postgresql://db/union#gis.stations'
    """

    file: str | None = None
    database: SecretStr | None = None
    table: str | None = None
    datum: str
    issuer: str = ""
    date: dt.date | None = None
    sheet: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    allow_coarse: bool = False
    trust_datum: bool = False

    @property
    def source(self) -> str:
        """How the list is called in messages and in the audit: its file, or its table without who asks."""
        if self.file is not None:
            return self.file
        assert self.database is not None
        return table_name(self.database.get_secret_value(), str(self.table))

    @field_validator("database")
    @classmethod
    def _postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _DATABASE.match(value.get_secret_value()):
            raise ValueError("应为 postgresql://用户@主机/库名 / expected postgresql://user@host/name")
        return value

    @model_validator(mode="after")
    def _one_source(self) -> StationsSection:
        if (self.file is None) == (self.database is None):
            raise ValueError("file 与 database 只能且必须给一个 / give exactly one of file and database")
        if (self.database is None) != (self.table is None):
            raise ValueError("database 与 table 要一起给 / database and table go together")
        if self.table is not None and not _TABLE.fullmatch(self.table):
            raise ValueError("table 应为 表名 或 模式.表名 / table should be name or schema.name")
        if self.database is not None and self.sheet is not None:
            raise ValueError("数据库没有工作表，请删去 sheet / a database has no sheets: leave sheet out")
        return self

    @field_validator("datum")
    @classmethod
    def _known_datum(cls, value: str) -> str:
        if value != AUTO and not _DATUM.fullmatch(value):
            raise ValueError("应为 wgs84 | gcj02 | bd09 | cgcs2000 | EPSG:…… | auto / expected one of these")
        return value


class CommunitiesSection(Section):
    """``[communities]``: polygons with people, or a raster of people to sum over them.

    ``people``: a second table of names and people, joined by name; ``aliases``: a table of other names;
    ``datum``: of the polygons' degrees.
    """

    file: str
    population: str | None = None
    people: str | None = None
    aliases: str | None = None
    raster: str | None = None
    name: str | None = None
    street: str | None = None
    datum: Shift = "wgs84"


class DemandSection(Section):
    """``[demand.NAME]``: a further layer of weighted points: a file (WGS-84 unless a datum is given), or OSM's.

    ``osm``: the premises of the roads file where riders wait (:data:`geo.premises.ACTIVITY_KINDS`), each
    of weight 1 unless ``weights`` (kind → weight) says otherwise.

    >>> DemandSection(osm=True, weights={"mall": 20}).file is None
    True
    """

    file: str | None = None
    weight: str | None = None
    datum: Datum = "wgs84"
    osm: bool = False
    weights: dict[str, Annotated[float, Field(ge=0, strict=False)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_source(self) -> DemandSection:
        if (self.file is None) != self.osm:
            raise ValueError("file 与 osm = true 只能且必须给一个 / give exactly one of file and osm = true")
        if self.weights and not self.osm:
            raise ValueError(
                "weights 只用于 osm = true；文件用 weight = 列名 / weights go with osm = true; of a file, weight names the column"
            )
        unknown = sorted(set(self.weights) - ACTIVITY_KINDS)
        if unknown:
            raise ValueError(
                f"weights 中没有这种场所 {'、'.join(unknown)}；可用 / unknown kinds of premises; use {' '.join(sorted(ACTIVITY_KINDS))}"
            )
        return self


class VenuesSection(Section):
    """``[venues]``: premises that could host a station: a file, else OSM's; and who answered the call (招募令).

    ``recruitment``: forms filled in by shops (``redmap recruit``); their numbers are in the datum that
    each form says, else in ``recruitment_datum``: without it such a form is left out.
    """

    file: str | None = None
    datum: Datum = "wgs84"
    recruitment: str | None = None
    recruitment_datum: Datum | None = None


class LedgerSection(Section):
    """``[ledger]``: the table of problems that riders report (小哥有话说); a layer of demand and of the map.

    ``datum`` must be given where the table holds positions and does not name their datum itself.
    """

    file: str
    datum: Datum | None = None


def _is_moment(text: str) -> bool:
    """Whether ``text`` is an hour of a real day, as ``2026-10-01 12:00``."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", text):
        return False
    try:
        dt.datetime.strptime(text, "%Y-%m-%d %H:%M")  # noqa: DTZ007 - wall clock
    except ValueError:
        return False
    return True


class StandardSection(Section):
    """``[standard]``: mode + speed + minutes + when + which services count.

    ``times``: hours of an ordinary week (``Tue 23:00``) or of a real day in China (``2026-10-01 12:00``).
    ``compliance``: checklists that stations are held against, of :data:`geo.models.COMPLIANCE_LISTS`.
    """

    mode: Mode = "walk"
    speed_kmh: Annotated[float, Field(gt=0, le=120, strict=False)] | None = None
    minutes: tuple[Annotated[float, Field(gt=0, le=180, strict=False)], ...] = Field(
        default=(5, 10, 15), min_length=1, max_length=10, strict=False
    )
    limit_minutes: Annotated[float, Field(gt=0, le=180, strict=False)] = 15.0
    times: tuple[str, ...] = Field(default=DEFAULT_TIMES, strict=False)
    services: tuple[str, ...] = Field(default=(), strict=False)
    compliance: tuple[str, ...] = Field(default=("six_have", "seven_one"), strict=False)
    max_access_m: Annotated[float, Field(gt=0, le=2000, strict=False)] = 500.0
    signal_wait_s: Annotated[float, Field(ge=0, le=90, strict=False)] = 0.0

    @field_validator("times")
    @classmethod
    def _times(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        bad = [t for t in value if not _TIME.fullmatch(t) and not _is_moment(t)]
        if bad:
            raise ValueError(f"{bad}: 应如 'Tue 23:00' 或 '2026-10-01 12:00' / expected such a form")
        return value

    @field_validator("services")
    @classmethod
    def _services(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        bad = [s for s in value if s not in SERVICES]
        if bad:
            raise ValueError(f"{bad}: 应取自 / expected some of {' '.join(SERVICES)}")
        return value

    @field_validator("compliance")
    @classmethod
    def _checklists(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        bad = [key for key in value if key not in COMPLIANCE_LISTS]
        if bad:
            raise ValueError(f"{bad}: 应取自 / expected some of {' '.join(COMPLIANCE_LISTS)}")
        return tuple(dict.fromkeys(value))

    @property
    def speed_or_default_kmh(self) -> float:
        """The speed given, else the mode's default (design section 5; drive: 0 = per class)."""
        if self.speed_kmh is not None:
            return self.speed_kmh
        return {"walk": WALK_KMH, "ebike": 15.0, "bike": 12.0, "drive": 0.0}[self.mode]


class SitingSection(Section):
    """``[siting]``: what is asked of new stations, the rules of a plan, and for how long the solver may run.

    ``goal``: *cover* most people, *share* of people by the fewest, fewest *minutes*, least *worst* minutes,
    or *backup*, two within reach. ``close`` and ``move`` are numbers of stations. ``costs``: by kind of venue, ``other`` for
    the rest. ``must`` and ``refuse``: ids or names of venues (``must`` of stations too). ``floor_*``: the
    least share of people covered in each. ``layers``: weight of each demand layer. ``services`` and ``times``: what a
    station must offer, and when it must be open, to count. ``gradual_minutes``: from full to no worth.
    ``capacity``: people that a new station can serve (with one service and one time at most).
    """

    goal: Literal["cover", "share", "minutes", "worst", "backup"] = "cover"
    add: Annotated[int, Field(ge=0, le=200)] = 5
    share: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.95
    close: Annotated[int, Field(ge=0)] = 0
    move: Annotated[int, Field(ge=0)] = 0
    budget: Annotated[float, Field(ge=0, strict=False)] | None = None
    costs: dict[str, Annotated[float, Field(ge=0, strict=False)]] = Field(default_factory=dict)
    must: tuple[str, ...] = Field(default=(), strict=False)
    refuse: tuple[str, ...] = Field(default=(), strict=False)
    one_per: Literal["", "community", "street"] = ""
    spacing_minutes: Annotated[float, Field(ge=0, le=120, strict=False)] = 0.0
    floor_streets: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.0
    floor_communities: Annotated[float, Field(ge=0, le=1, strict=False)] = 0.0
    layers: dict[str, Annotated[float, Field(ge=0, strict=False)]] = Field(default_factory=dict)
    services: tuple[str, ...] = Field(default=(), strict=False)
    times: tuple[str, ...] = Field(default=(), strict=False)
    gradual_minutes: tuple[float, float] | None = Field(default=None, strict=False)
    capacity: Annotated[float, Field(ge=0, strict=False)] | None = None
    stages: Annotated[int, Field(ge=0, le=50)] = 0
    alternatives: Annotated[int, Field(ge=0, le=20)] = 0
    time_limit_s: Annotated[float, Field(gt=0, strict=False)] = 60.0

    @field_validator("times")
    @classmethod
    def _times(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        bad = [t for t in value if not _TIME.fullmatch(t) and not _is_moment(t)]
        if bad:
            raise ValueError(f"{bad}: 应如 'Tue 23:00' 或 '2026-10-01 12:00' / expected such a form")
        return value

    @field_validator("services")
    @classmethod
    def _services(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        bad = [s for s in value if s not in SERVICES]
        if bad:
            raise ValueError(f"{bad}: 应取自 / expected some of {' '.join(SERVICES)}")
        return value

    @model_validator(mode="after")
    def _together(self) -> SitingSection:
        if self.close and self.move:
            raise ValueError(
                f"close = {self.close} 与 move = {self.move} 不可同用，请只留一个 / give close or move, not both"
            )
        if self.budget is not None and not self.costs:
            raise ValueError(
                "有 budget 须在 study.toml 写 [siting.costs]，如 mall = 3.0、other = 1.0 / "
                "budget needs [siting.costs] in study.toml: mall = 3.0, other = 1.0"
            )
        if self.gradual_minutes is not None and not 0 <= self.gradual_minutes[0] < self.gradual_minutes[1]:
            raise ValueError(
                f"gradual_minutes 应由小到大，现为 {self.gradual_minutes} / gradual_minutes must ascend; found {self.gradual_minutes}"
            )
        if self.capacity is not None and self.gradual_minutes is not None:
            raise ValueError(
                "capacity 不可与 gradual_minutes 同用：部分覆盖的人算不出占几个位子 / "
                "capacity cannot be combined with gradual_minutes: a person half covered takes no half seat"
            )
        if self.capacity is not None and max(len(self.services), 1) * max(len(self.times), 1) > 1:
            raise ValueError(
                f"有 capacity 时至多一项 services、一个 times，现为 {len(self.services)} 项 {len(self.times)} 个；可分次求解 / "
                f"with capacity give one of services and one of times at most; found {len(self.services)} and "
                f"{len(self.times)}: ask once for each"
            )
        if self.gradual_minutes is not None and self.goal in {"minutes", "worst"}:
            raise ValueError(
                f"gradual_minutes 只用于目标 cover、share、backup，现为 {self.goal}：其分钟数本就逐渐增减 / "
                f"gradual_minutes is for the goals cover, share and backup; found {self.goal}, whose minutes are gradual already"
            )
        return self


class PublishSection(Section):
    """``[publish]``: for whom the map is made.

    ``url``: where the public page will be found, for the QR code of the poster; ``hotline``: a public
    telephone number for riders (12345, 12351).
    """

    audience: Literal["planner", "public"] = "planner"
    map_approval_number: str = ""
    url: Annotated[str, Field(pattern=r"^(https?://\S+)?$", max_length=300)] = ""
    hotline: Annotated[str, Field(pattern=r"^[\d +()-]*$", max_length=30)] = ""
