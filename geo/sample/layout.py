"""The hand-drawn plan of the sample district: river, rail, ring, main roads, quarters.

Everything is in plan metres east (x) and north (y) of :data:`CENTRE`, before :func:`warp` bends it
a little and :func:`to_lonlat` makes WGS-84 degrees of it. The place exists nowhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from shapely.geometry import LineString, Polygon

from geo.models import F64

CENTRE = (115.80, 32.90)
CRS = f"+proj=tmerc +lat_0={CENTRE[1]} +lon_0={CENTRE[0]} +k=1 +x_0=0 +y_0=0 +ellps=WGS84 +units=m +no_defs"
Point = tuple[float, float]

RIVER_NAME = "清颖河"
RIVER = [(-9500, 2500), (-6200, 3300), (-3900, 2500), (-2100, 1560), (-300, 1380), (1250, 1850),
         (2700, 1480), (3950, 250), (5600, -600), (9500, -500)]  # fmt: skip
RAIL = [
    (-3400, -9000),
    (-3150, -4000),
    (-2950, -1500),
    (-3080, 500),
    (-3650, 2500),
    (-4550, 5000),
    (-5300, 9000),
]
RING = [(-2330, -2300), (-2480, -700), (-2400, 850), (-2050, 2300), (-1000, 3080), (600, 3330), (2200, 2980),
        (3270, 1900), (3690, 600), (3640, -900), (3260, -2280), (2000, -3080), (300, -3370), (-1300, -3180)]  # fmt: skip
BOUNDARY = [(-6900, -4300), (-7300, -1500), (-7000, 1200), (-7150, 3600), (-5200, 5300), (-2600, 5100),
            (-600, 6000), (2100, 5700), (4300, 5900), (6300, 4100), (6500, 1600), (7100, -500), (6600, -2900),
            (6900, -4600), (4300, -5900), (1500, -5500), (-900, -6200), (-3500, -5500), (-5300, -5700)]  # fmt: skip
RAIL_CLEAR_M = 14.0
BANK_CLEAR_M = 14.0


@dataclass
class Way:
    """One OSM way in the making: plan points, tags, and whether it lies at ground level.

    Only ground-level ways meet where they cross; the ends of any way meet what they touch.
    """

    points: list[Point]
    tags: dict[str, str]
    ground: bool = True
    ring: bool = False


@dataclass
class District:
    """All that stands in the plan."""

    ways: list[Way] = field(default_factory=list)
    buildings: list[tuple[Polygon, int, str]] = field(default_factory=list)  # outline, floors, OSM kind
    gates: list[Point] = field(default_factory=list)
    walls: list[list[Point]] = field(default_factory=list)
    compounds: list[tuple[Polygon, str]] = field(default_factory=list)
    villages: list[Point] = field(default_factory=list)
    block_lines: list[LineString] = field(default_factory=list)  # what communities are bounded by


def smooth(points: Sequence[Point], *, closed: bool = False, step_m: float = 60.0) -> list[Point]:
    """A Catmull-Rom curve through ``points`` with a vertex about every ``step_m``."""
    n = len(points)
    p = np.asarray(points, dtype=np.float64)
    result: list[Point] = []
    for i in range(n if closed else n - 1):
        if closed:
            a, b, c, d = (p[(i + k) % n] for k in (-1, 0, 1, 2))
        else:
            b, c = p[i], p[i + 1]
            a = p[i - 1] if i > 0 else 2 * b - c
            d = p[i + 2] if i + 2 < n else 2 * c - b
        count = max(2, round(math.dist(b, c) / step_m))
        for k in range(count):
            t = k / count
            q = 0.5 * (
                2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
            )
            result.append((float(q[0]), float(q[1])))
    result.append(result[0] if closed else (float(p[-1][0]), float(p[-1][1])))
    return result


@dataclass(frozen=True, slots=True)
class Plan:
    """The fixed lines as geometry, drawn once by :func:`draw`."""

    river: LineString
    water: Polygon
    rail: LineString
    ring: LineString
    boundary: Polygon
    core: Polygon
    west: Polygon
    east: Polygon
    south: Polygon
    mains: tuple[tuple[LineString, dict[str, str]], ...]
    barred: Any
    """Where no ground-level way may run: water and rail with some room beside."""


# name, class, extra tags, control points; where one meets the river or the rail it has its crossing
MAINS: tuple[tuple[str, str, Sequence[Point]], ...] = (
    ("人民路", "primary", [(-7400, 150), (-5200, -180), (-3000, -260), (-1400, -120), (0, -40), (1800, -210),
                        (3660, -330), (4700, -1000), (5700, -1350), (7400, -1650)]),
    ("建设大道", "primary", [(-7500, -2500), (-5000, -2230), (-3020, -2150), (-1400, -2180), (0, -2030),
                         (1900, -2120), (3330, -1980), (4900, -2350), (7200, -2550)]),
    ("淮谷路", "secondary", [(-2430, -1240), (-1200, -1090), (200, -1010), (1800, -1150), (3580, -1190)]),
    ("文澜路", "secondary", [(-2450, 560), (-1200, 640), (300, 480), (1700, 660), (2700, 560), (3720, 180)]),
    ("北苑路", "secondary", [(-2060, 2290), (-800, 2280), (600, 2480), (1800, 2520), (2980, 2330)]),
    ("中山路", "primary", [(-850, -6600), (-620, -4500), (-480, -3340), (-440, -1600), (-380, 0), (-330, 1380),
                        (-420, 2400), (-480, 3200), (-720, 4600), (-950, 6500)]),
    ("柳荫路", "secondary", [(-1480, -3130), (-1500, -1800), (-1420, -400), (-1560, 800), (-1500, 1330)]),
    ("朝阳路", "secondary", [(480, -3370), (600, -1800), (660, -300), (560, 700), (620, 1450)]),
    ("迎宾大道", "primary", [(1950, -6300), (1980, -4500), (1900, -3120), (1720, -1600), (1800, -200), (1660, 900),
                         (1700, 1770), (1750, 2600), (1720, 3170), (2150, 4600), (2300, 6200)]),
    ("滨湖路", "secondary", [(2660, -2780), (2800, -1500), (2690, -300), (2760, 500), (2600, 1330)]),
    ("工业大道", "secondary", [(-4300, -4700), (-4250, -2900), (-4150, -1000), (-4380, 700), (-4350, 1240)]),
    ("兴园路", "tertiary", [(-5390, -1250), (-4900, -1130), (-4160, -1180), (-3120, -1300)]),
    ("北环连接线", "tertiary", [(-650, 4150), (-2200, 4000), (-3600, 4120), (-4230, 4200), (-5400, 4350), (-6900, 4150)]),
    ("东城路", "secondary", [(4720, -980), (4620, -2330), (4750, -3500), (4500, -5400)]),
    ("云栖路", "tertiary", [(3340, -3020), (4680, -3010), (5720, -3150)]),
    ("北乡路", "tertiary", [(3020, 2380), (4200, 2750), (5300, 2700), (6900, 2300)]),
    ("田园路", "tertiary", [(2000, 4050), (3500, 4300), (4700, 4600), (5700, 5200)]),
    ("南乡路", "tertiary", [(-6900, -4350), (-4250, -4300)]),
    ("长堤路", "tertiary", [(-3020, -4550), (-2000, -4500), (-600, -4450), (700, -4400), (1990, -4600), (4700, -4500)]),
)  # fmt: skip
WEST = [(-5150, -3050), (-5420, -1000), (-5300, 900), (-4700, 1320), (-3400, 1180)]
SOUTH = [(-640, -3200), (-660, -4460), (1990, -4640), (1920, -3000)]
EAST = [(4200, -800), (5600, -1330), (5750, -2400), (5700, -3750), (4400, -3900), (3250, -3600)]


def draw() -> Plan:
    """Draw the fixed lines."""
    river = LineString(smooth(RIVER))
    widths = [52 + 16 * math.sin(i / 9) + 7 * math.sin(i / 3.1) for i in range(len(river.coords))]
    left, right = [], []
    xy = np.asarray(river.coords)
    for i, (x, y) in enumerate(xy):
        dx, dy = xy[min(i + 1, len(xy) - 1)] - xy[max(i - 1, 0)]
        norm = math.hypot(dx, dy)
        left.append((x - dy / norm * widths[i], y + dx / norm * widths[i]))
        right.append((x + dy / norm * widths[i], y - dx / norm * widths[i]))
    water = Polygon(left + right[::-1])
    rail, ring = LineString(smooth(RAIL)), LineString(smooth(RING, closed=True))
    edge = rail.parallel_offset(70, "left")
    beside_rail = [c for c in edge.coords if -3300 < c[1] < 1180]
    beside_rail.sort(key=lambda c: c[1])
    west = Polygon([(beside_rail[0][0], -3200), *beside_rail, *reversed(WEST)])
    core = Polygon(ring)
    east = Polygon([*EAST, (3000, -2900), (3300, -1500), (3500, -700)]).difference(core)
    south = Polygon(SOUTH).difference(core)
    mains = tuple(
        (LineString(smooth(points)), {"highway": kind, "name": name}) for name, kind, points in MAINS
    )
    barred = shapely.union_all([water.buffer(BANK_CLEAR_M), rail.buffer(RAIL_CLEAR_M)])
    boundary = Polygon(smooth(BOUNDARY, closed=True, step_m=250))
    return Plan(river, water, rail, ring, boundary, core, west, east, south, mains, barred)


def warp(xy: F64) -> F64:
    """Bend the plan a little, so that nothing is quite straight; one-to-one, at most about 60 m.

    >>> bool(np.abs(warp(np.zeros((1, 2)))).max() < 60)
    True
    """
    x, y = xy[:, 0], xy[:, 1]
    dx = (
        42 * np.sin(y / 370 + 0.4)
        + 9 * np.sin(y / 97 + x / 160)
        + 2.2 * np.sin(y / 31 + 1.1 * np.cos(x / 57))
    )
    dy = (
        38 * np.sin(x / 410 + 1.7)
        + 8 * np.sin(x / 103 - y / 140)
        + 2.2 * np.sin(x / 29 + 1.3 * np.cos(y / 61))
    )
    return np.column_stack((x + dx, y + dy))


def to_lonlat(xy: NDArray[np.float64]) -> F64:
    """Warped plan metres → WGS-84 degrees, rounded to OSM's 1e-7."""
    project = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    lon, lat = project.transform(xy[:, 0], xy[:, 1])
    return np.round(np.column_stack((lon, lat)), 7)
