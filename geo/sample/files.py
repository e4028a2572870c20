"""The district as the files that a real one has, the same bytes for the same seed."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import openpyxl
from openpyxl.styles import Alignment, Border, Font, Side

from geo.models import F64
from geo.sample import names
from geo.sample.layout import to_lonlat, warp
from geo.sample.people import Community
from geo.sample.stations import Station
from geo.sample.venues import Outlet, Venue

FIXED = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
HEADINGS = ("序号", "名称", "类型", "地址", "经度", "纬度", "开放时间", "服务项目", "所属街道", "所属社区", "联系人",
            "联系电话", "备注")  # fmt: skip
WIDTHS = (6, 34, 16, 26, 12, 11, 24, 44, 12, 14, 10, 14, 24)
KRASOVSKY_M, ECCENTRICITY2 = 6_378_245.0, 0.00669342162296594323  # Krasovsky 1940, as GCJ-02 uses it

STUDY_TOML = """\
# 合成数据：不是任何真实地方 / synthetic data: no real place (python -m geo.sample data/sample)
[study]
name = "示例区"
edition = "2026-11"
language = "zh"
synthetic = true

[area]
boundary = "boundary.geojson"

[roads]
file = "roads.osm.pbf"

[[stations]]
file = "stations.xlsx"
issuer = "示例区总工会（合成）"
date = 2026-10-31
datum = "gcj02"

[communities]
file = "communities.geojson"
population = "population"

[demand.workers]
file = "outlets.csv"
weight = "workers"

[venues]
file = "venues.csv"

[standard]
mode = "walk"
speed_kmh = 4.0
minutes = [5, 10, 15]
limit_minutes = 15
times = ["Tue 08:00", "Tue 12:00", "Tue 15:00", "Tue 20:00", "Tue 23:00", "Sat 15:00"]
services = ["toilet", "ebike_charging", "first_aid"]

[siting]
add = 5

[publish]
audience = "planner"
map_approval_number = ""
"""


def lonlat(places: Sequence[tuple[float, float]]) -> F64:
    """Plan metres → WGS-84 degrees."""
    return to_lonlat(warp(np.array(places, dtype=np.float64).reshape(-1, 2)))


def gcj02(lon: float, lat: float) -> tuple[float, float]:
    """WGS-84 → GCJ-02, the published forward formula (domain notes, section 2.1).

    >>> [round(v, 8) for v in gcj02(115.81, 32.89)]
    [115.8153813, 32.88800897]
    """
    x, y, pi = lon - 105.0, lat - 35.0, math.pi
    waves = 20 * math.sin(6 * pi * x) + 20 * math.sin(2 * pi * x)
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
    north += (waves + 20 * math.sin(pi * y) + 40 * math.sin(pi * y / 3)) * 2 / 3
    north += (160 * math.sin(pi * y / 12) + 320 * math.sin(pi * y / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
    east += (waves + 20 * math.sin(pi * x) + 40 * math.sin(pi * x / 3)) * 2 / 3
    east += (150 * math.sin(pi * x / 12) + 300 * math.sin(pi * x / 30)) * 2 / 3
    phi = math.radians(lat)
    m = 1 - ECCENTRICITY2 * math.sin(phi) ** 2
    along = KRASOVSKY_M * (1 - ECCENTRICITY2) / m**1.5
    around = KRASOVSKY_M / math.sqrt(m) * math.cos(phi)
    return lon + math.degrees(east / around), lat + math.degrees(north / along)


def write_study(path: Path) -> None:
    """The study's settings (design 3.1)."""
    _write_text(path, STUDY_TOML)


def write_communities(folder: Path, communities: Sequence[Community]) -> None:
    """``communities.geojson`` and, as their outer edge, ``boundary.geojson``."""
    import shapely

    features = []
    for c in communities:
        properties = {"name": c.name, "street": c.street, "population": c.population}
        features.append((properties, c.degrees))
    _write_geojson(folder / "communities.geojson", features)
    whole = shapely.coverage_union_all([c.degrees for c in communities])
    _write_geojson(folder / "boundary.geojson", [({"name": names.DISTRICT, "synthetic": True}, whole)])


def _write_geojson(path: Path, features: Iterable[tuple[dict[str, object], object]]) -> None:
    from shapely.geometry import mapping

    lines = [
        json.dumps(
            {"type": "Feature", "properties": properties, "geometry": mapping(shape)},
            ensure_ascii=False, separators=(",", ":"),
        )
        for properties, shape in features
    ]  # fmt: skip
    _write_text(path, '{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n")


def write_outlets(path: Path, outlets: Sequence[Outlet]) -> None:
    """``name,lon,lat,workers`` (WGS-84), UTF-8 with a byte order mark, as Excel saves it."""
    at = lonlat([o.xy for o in outlets])
    rows = [(o.name, f"{x:.6f}", f"{y:.6f}", o.workers) for o, (x, y) in zip(outlets, at, strict=True)]
    _write_csv(path, ("name", "lon", "lat", "workers"), rows)


def write_venues(path: Path, venues: Sequence[Venue]) -> None:
    """``name,kind,lon,lat,services,hours`` (WGS-84)."""
    at = lonlat([v.xy for v in venues])
    rows = [
        (v.name, v.kind, f"{x:.6f}", f"{y:.6f}", v.services, v.hours)
        for v, (x, y) in zip(venues, at, strict=True)
    ]
    _write_csv(path, ("name", "kind", "lon", "lat", "services", "hours"), rows)


def _write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    path.write_bytes(out.getvalue().encode("utf-8-sig"))


def _write_text(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))


def write_stations(path: Path, stations: Sequence[Station]) -> None:
    """The workbook: merged title, headings, one row a station (GCJ-02), a note at the end."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = "驿站一览表"
    page.append([f"{names.DISTRICT}户外劳动者驿站一览表（{len(stations)}个）（合成数据）"])
    page.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(HEADINGS))
    page["A1"].font = Font(name="宋体", size=16, bold=True)
    page["A1"].alignment = Alignment(horizontal="center", vertical="center")
    page.row_dimensions[1].height = 30
    page.append(list(HEADINGS))
    for i, s in enumerate(stations, start=1):
        lon: object = "暂无"
        lat: object = "暂无"
        if s.xy is not None:
            degrees = lonlat([s.xy])[0]
            lon, lat = (round(v, 6) for v in gcj02(float(degrees[0]), float(degrees[1])))
        page.append([i, s.name, s.kind, s.address, lon, lat, s.hours or None, s.services, s.street, s.community,
                     s.contact, s.phone, s.remark or None])  # fmt: skip
    page.append(["注：本表为合成数据，地名、人名、电话均为虚构；坐标为 GCJ-02（高德）。"])
    thin = Side(style="thin", color="999999")
    for row in page.iter_rows(min_row=2, max_row=len(stations) + 2):
        for cell in row:
            cell.border = Border(thin, thin, thin, thin)
            cell.alignment = Alignment(vertical="center", wrap_text=True)
            if cell.row == 2:
                cell.font = Font(bold=True)
    for column, width in zip("ABCDEFGHIJKLM", WIDTHS, strict=True):
        page.column_dimensions[column].width = width
    page.freeze_panes = "C3"
    raw = io.BytesIO()
    book.save(raw)
    path.write_bytes(_timeless(raw.getvalue()))


def _timeless(data: bytes) -> bytes:
    """The same workbook without the time of writing: openpyxl stamps the zip and the properties."""
    out = io.BytesIO()
    stamp = FIXED.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", stamp, content)
            info = zipfile.ZipInfo(name, (FIXED.year, FIXED.month, FIXED.day, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 0
            new.writestr(info, content, compresslevel=9)
    return out.getvalue()
