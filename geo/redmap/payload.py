"""A study's result as what a page carries: plain JSON values and packed geometry."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PureWindowsPath
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pypinyin import Style, lazy_pinyin

from geo import intake
from geo.config import DAYS
from geo.gaps.clusters import link_length_m
from geo.models import LEAST_PEOPLE, StudyResult
from geo.redmap import codec, strokes
from geo.redmap.codec import Packed
from geo.redmap.engine import pack_engine
from geo.redmap.privacy import mask_everything

AREA_TOLERANCE_M = 8.0
BAND_TOLERANCE_M = 6.0
REACH_TOLERANCE_M = 12.0
GRID_M = 2.0
COARSE_GRID_M = 4.0
TILE_M = 2500.0  # big shapes are cut, so that a tile draws only what lies in it
TILE_FROM_POINTS = 4000
LINK_M = 300.0

WEEK = tuple(f"{day} {hour:02d}:00" for day in DAYS for hour in range(24))
Content = tuple[dict[str, Any], dict[str, Packed]]


def planner(result: StudyResult) -> Content:
    """Everything of a study: values (mobiles masked) and layers roads, bands, reach, areas, gaps; edge with a 审图号."""
    inputs = result.inputs
    stations = _stations(result)
    values = {
        "page": "planner",
        **_head(result, _first_view(result)),
        "summary": _summary(result.summary),
        "stations": [{**s, "issuer": r["issuer"], "date": _text(r["date"])}
                     for s, r in zip(stations, inputs.stations.to_dict("records"), strict=True)],
        "communities": _communities(result),
        "gaps": _gaps(result),
        "sites": _sites(result),
        "problems": _problems(result),
        "plan": _plan(result),
        "audit": dict(Counter(entry.action for entry in inputs.audit)),
        "notes": list(result.network.notes),
    }  # fmt: skip
    layers: dict[str, Packed] = {
        "bands": _bands(_rough(result.bands, BAND_TOLERANCE_M), _scale(result.bands)),
        "reach": _reach(result),
    }
    lines, classes = strokes.base_map(result.network)
    if result.moves:  # the engine's graph is drawn as well: only water and railways stand beside it
        beside = classes >= strokes.WATER
        lines, classes = lines[beside], classes[beside]
    layers["roads"] = codec.pack_lines(lines, classes, grid_m=GRID_M)
    layers["areas"] = _areas(inputs.communities)
    layers["gaps"] = _polygons(result.gaps, tolerance_m=BAND_TOLERANCE_M)
    if values["approval"]:  # as on the riders' page and the poster: no boundary without a 审图号
        layers["edge"] = edge(result)
    if result.moves:
        values["engine"], layers["engine"] = _engine(result)
        values["engine"]["link"] = _link_m(result)
    clean: dict[str, Any] = mask_everything(values)
    return clean, layers


def _engine(result: StudyResult) -> tuple[dict[str, Any], Packed]:
    """What the page computes travel times from; and the stations open in each hour of the week."""
    demand = result.inputs.demand
    layers = list(dict.fromkeys(demand["layer"]))
    return pack_engine(
        result.network,
        result.moves,
        lon=demand["lon"].to_numpy(dtype=float),
        lat=demand["lat"].to_numpy(dtype=float),
        weight=demand["weight"].to_numpy(dtype=float),
        layer=np.array([layers.index(name) for name in demand["layer"]], dtype=np.int64),
        layers=layers,
        community=demand["community"].to_numpy(dtype=np.int64),
    )


def _link_m(result: StudyResult) -> float:
    """Within which people left out make one gap, as in :func:`geo.gaps.find_gaps`: more where they lie on a grid."""
    demand = result.inputs.demand
    if demand.empty:
        return LINK_M
    main = demand[
        demand["layer"] == ("residents" if "residents" in set(demand["layer"]) else demand["layer"].iloc[0])
    ]
    xy = codec.mercator(main["lon"].to_numpy(dtype=float), main["lat"].to_numpy(dtype=float))
    return round(link_length_m(xy / codec.ground_scale(float(main["lat"].mean())), LINK_M), 1)


def public_values(result: StudyResult, *, columns: Sequence[str]) -> dict[str, Any]:
    """What both pages may know: the head of the study and, of its stations, the columns named."""
    return {
        "page": "public",
        **_head(result, _bounds(_placed(result.inputs.stations), result.bands)),
        "stations": [{key: row[key] for key in columns} for row in _stations(result)],
    }


def edge(result: StudyResult) -> Packed:
    """The boundary of the study."""
    return _polygons(result.inputs.area, tolerance_m=AREA_TOLERANCE_M)


def initials(name: str) -> str:
    """The first letters of a name's pinyin, by which people search.

    >>> initials("颍河路驿站A1")
    'yhlyza1'
    """
    return "".join(lazy_pinyin(name, style=Style.FIRST_LETTER)).lower().replace(" ", "")


def _rough(frame: gpd.GeoDataFrame, tolerance_m: float) -> Any:
    """Shapes of a frame in Mercator metres, valid and without details under ``tolerance_m`` on the ground."""
    shapes = codec.to_mercator(frame.geometry.to_numpy())
    return shapely.simplify(shapes, tolerance_m * _scale(frame), preserve_topology=False)


def _summary(summary: Mapping[str, Any]) -> Any:
    """The summary; hashes in groups of eight, which are read easier and never look like a phone number.

    Of an input file that lies elsewhere only the end of its path is told: a page goes round, its maker's folders need not.
    """
    values = _plain(summary)
    source = values.get("provenance", {})
    source["inputs"] = {
        _short(file): " ".join(digest[i : i + 8] for i in range(0, len(digest), 8))
        for file, digest in source.get("inputs", {}).items()
    }
    return values


def _short(file: str) -> str:
    """A path within the study as it is, the last two parts of one from the root.

    >>> _short("roads.osm.pbf"), _short("/home/somebody/data/roads.osm.pbf")
    ('roads.osm.pbf', '…/data/roads.osm.pbf')
    """
    path = PureWindowsPath(file)
    return "…/" + "/".join(path.parts[1:][-2:]) if path.root else file


def _first_view(result: StudyResult) -> list[float | None]:
    """The box on which the planner's map opens: people and bands; a boundary may reach far beyond them."""
    people = _placed(result.inputs.demand)
    return _bounds(people if len(people) else result.inputs.area, result.bands)


def _placed(table: pd.DataFrame) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(table["lon"], table["lat"]))


def _bounds(*frames: gpd.GeoDataFrame) -> list[float | None]:
    """West, south, east, north of all shapes together; None where there is none."""
    filled = [frame.total_bounds for frame in frames if len(frame)]
    if not filled:
        return [None] * 4
    low, high = np.nanmin(filled, axis=0), np.nanmax(filled, axis=0)
    bounds: list[float | None] = _plain([low[0], low[1], high[2], high[3]])
    return bounds


def _head(result: StudyResult, bounds: list[float | None]) -> dict[str, Any]:
    return {
        "name": result.name,
        "edition": result.edition,
        "lang": result.language,
        "synthetic": result.synthetic,
        "standard": _plain(dict(result.standard)),
        "approval": str(result.publish.get("map_approval_number", "")),
        "times": list(result.times),
        "minutes": [float(m) for m in result.bands["minutes"]] if len(result.bands) else [],
        "bounds": bounds,
        "source": result.network.source,
        "sourceDate": result.network.source_date,
    }


def _stations(result: StudyResult) -> list[dict[str, Any]]:
    rows = []
    for i, row in enumerate(result.inputs.stations.to_dict("records")):
        hours = row["hours"]
        known = isinstance(hours, str) and hours != ""
        rows.append({
            "id": _text(row["station_id"]), "name": _text(row["name"]), "py": initials(_text(row["name"])), "kind": _text(row["kind"]),
            "plates": [_text(p) for p in row["plates"]],
            "at": [round(float(row["lon"]), 6), round(float(row["lat"]), 6)],
            "services": sorted(row["services"]), "hours": hours if known else "",
            "said": _text(row["hours_text"]), "street": _text(row["street"]),
            "community": _text(row["community"]), "address": _text(row["address"]), "access": _text(row["access"]),
            "phone": _text(row["phone"]),
            "week": _week(hours) if known else "",
            "open": "".join("1" if o else "0" for o in result.open_at[i]) if known else None,
            "linked": bool(result.station_snap.edge[i] >= 0),
        })  # fmt: skip
    return rows


def _week(hours: str) -> str:
    """Open in each hour of the week from Monday 00:00, four hours a hexadecimal digit."""
    open_at = intake.open_at([hours], WEEK)[0]
    return "".join(
        f"{int(''.join('1' if o else '0' for o in open_at[i : i + 4]), 2):x}" for i in range(0, 168, 4)
    )


def _communities(result: StudyResult) -> list[dict[str, Any]]:
    table = result.coverage.communities
    if table.empty:
        return []
    shapes = result.inputs.communities
    centres = {
        str(key): _point(shape)
        for key, shape in zip(shapes["community_id"], shapes.geometry.representative_point(), strict=True)
    }
    places = {str(key): i for i, key in enumerate(shapes["community_id"])}
    rows: list[dict[str, Any]] = []
    for row in table.to_dict("records"):
        key = str(row["community_id"])
        rows.append({
            "id": key, "area": places.get(key, -1), "at": centres.get(key), "name": _text(row["name"]), "py": initials(_text(row["name"])),
            "street": _text(row["street"]), "people": _number(row["population"]),
            "covered": _number(row["covered_people"]), "share": _number(row["share"]),
            "straight": _number(row["share_straight"]), "median": _number(row["median_minutes"]),
            "nearest": _station_name(result, row["nearest_station"]),
        })  # fmt: skip
    # worst first: most people left out, then the lowest share
    rows.sort(key=lambda r: (-((r["people"] or 0) - (r["covered"] or 0)), r["share"] or 0, r["id"]))
    return rows


def _gaps(result: StudyResult) -> list[dict[str, Any]]:
    rows = []
    inside = result.gaps.geometry.representative_point() if len(result.gaps) else []
    for i, (row, point) in enumerate(zip(result.gaps.to_dict("records"), inside, strict=True)):
        rows.append({
            "id": _text(row["gap_id"]), "area": i, "rank": int(row["rank"]), "zh": _text(row["name_zh"]),
            "en": _text(row["name_en"]), "people": _number(row["people"]), "km2": _number(row["area_km2"]),
            "nearest": _station_name(result, row["nearest_station"]),
            "minutes": _number(row["nearest_minutes"]), "straight": _number(row["straight_m"]),
            "reason": _text(row["reason"]), "whyZh": _text(row["reason_zh"]), "whyEn": _text(row["reason_en"]),
            "at": _point(point), "box": [round(v, 5) for v in row["geometry"].bounds],
        })  # fmt: skip
    return sorted(rows, key=lambda r: r["rank"])


def _sites(result: StudyResult) -> list[dict[str, Any]]:
    return [
        {
            "id": _text(row["venue_id"]), "rank": int(row["rank"]), "name": _text(row["name"]), "py": initials(_text(row["name"])),
            "kind": _text(row["kind"]), "at": [round(float(row["lon"]), 6), round(float(row["lat"]), 6)],
            "gain": _number(row["gain"]), "overlap": _number(row.get("overlap")), "instead": _text(row.get("instead")),
            "insteadLoss": _number(row.get("instead_loss")), "workers": _number(row.get("workers")),
            "saved": _number(row.get("minutes_saved")), "slow": _number(row.get("kept_slow")), "fast": _number(row.get("kept_fast")),
            "kept": _number(row.get("kept_refused")), "needs": _lacking(row.get("services_gain"), "service"),
            "hours": _lacking(row.get("hours_gain"), "time"),
            "for": [{"name": _text(c["name"]), "people": _number(c["people"])}
                    for c in list(row["communities_gain"])[:8]],
        }
        for row in result.recommendations.to_dict("records")
    ]  # fmt: skip


def _lacking(found: Any, key: str) -> list[dict[str, Any]]:
    """Services or hours that people lack, with how many do; those that nobody lacks are left out."""
    rows = found if isinstance(found, list) else []
    return [
        {"key": _text(g[key]), "people": _number(g["people"]), "has": bool(g["has"])}
        for g in rows
        if g["people"] >= LEAST_PEOPLE
    ]


def _problems(result: StudyResult) -> list[dict[str, Any]]:
    """The riders' ledger where it has a place on the map."""
    if result.problems is None:
        return []
    placed = result.problems[result.problems["lon"].notna()]
    return [
        {
            "id": _text(row["problem_id"]), "name": _text(row["text"]), "kind": _text(row["kind"]), "state": row["state"],
            "time": _text(row["time"]), "place": _text(row["place"]), "nearest": _text(row["nearest_station"]),
            "minutes": _number(row["nearest_minutes"]), "gap": _text(row["gap_id"]),
            "at": [round(float(row["lon"]), 6), round(float(row["lat"]), 6)],
        }
        for row in placed.to_dict("records")
    ]  # fmt: skip


def _plan(result: StudyResult) -> dict[str, Any] | None:
    plan = result.plan
    if plan is None:
        return None
    return {"goal": plan.goal, "gain": _number(plan.gain), "objective": _number(plan.objective), "bound": _number(plan.bound),
            "gap": _number(plan.gap), "status": plan.status, "before": _number(plan.covered_before),
            "after": _number(plan.covered_after), "total": _number(plan.total),
            "closed": [_text(number) for number in plan.closed["station_id"]] if len(plan.closed) else [],
            # Chinese / English, as the page's language is
            **{key: [_text(words).split(" / ", 1) for words in getattr(plan, key)] for key in ("said", "conflict", "notes")}}  # fmt: skip


def _station_name(result: StudyResult, value: Any) -> str:
    """A station's name from its name, identifier or row."""
    stations = result.inputs.stations
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return _text(stations["name"].iloc[int(value)]) if 0 <= value < len(stations) else ""
    text = _text(value)
    found = np.flatnonzero(stations["station_id"].astype(str).to_numpy() == text)
    return _text(stations["name"].iloc[int(found[0])]) if len(found) else text


def _scale(frame: gpd.GeoDataFrame) -> float:
    return codec.ground_scale(float(np.mean(frame.total_bounds[[1, 3]]))) if len(frame) else 1.0


def _polygons(frame: gpd.GeoDataFrame, *, tolerance_m: float, grid_m: float = GRID_M) -> Packed:
    shapes = codec.to_mercator(frame.geometry.to_numpy())
    tolerance = tolerance_m * _scale(frame)
    return codec.pack_polygons(shapes, range(len(frame)), grid_m=grid_m, tolerance_m=tolerance)


def _areas(frame: gpd.GeoDataFrame) -> Packed:
    shapes = codec.to_mercator(frame.geometry.to_numpy())
    tolerance = AREA_TOLERANCE_M * _scale(frame)
    # simplified together where they share borders: neighbours must not drift apart
    if len(frame) and shapely.coverage_is_valid(shapes):
        shapes = shapely.coverage_simplify(shapes, 2 * tolerance)
        return codec.pack_polygons(shapes, range(len(frame)), grid_m=GRID_M)
    return codec.pack_polygons(shapes, range(len(frame)), grid_m=GRID_M, tolerance_m=tolerance)


def _bands(shapes: Any, scale: float, *, grid_m: float = GRID_M, tolerance_m: float = 0.0) -> Packed:
    """Bands (Mercator metres) cut into tiles where they are big; the tag of a piece is the row of its band."""
    if tolerance_m > 0:
        shapes = shapely.simplify(shapes, tolerance_m, preserve_topology=False)
    pieces: list[Any] = []
    tags: list[int] = []
    for row, shape in enumerate(shapes):
        big = shapely.get_num_coordinates(shape) > TILE_FROM_POINTS
        cut = _cut(shape, TILE_M * scale) if big else [shape]
        pieces.extend(cut)
        tags.extend([row] * len(cut))
    return codec.pack_polygons(pieces, tags, grid_m=grid_m)


def _cut(shape: Any, step: float) -> list[Any]:
    west, south, east, north = shapely.bounds(shape)
    xs, ys = np.arange(west, east, step), np.arange(south, north, step)
    x, y = (a.ravel() for a in np.meshgrid(xs, ys))
    whole = shape if shapely.is_valid(shape) else shapely.make_valid(shape)
    shapely.prepare(whole)
    cut = shapely.intersection(whole, shapely.box(x, y, x + step, y + step))
    return [piece for piece in cut if not piece.is_empty]


def _reach(result: StudyResult) -> Packed:
    """What each station alone reaches within the standard; the tag is the station's row."""
    frame = result.station_bands
    limit = float(result.standard["limit_minutes"])
    frame = frame[frame["minutes"].astype(float) == limit]
    rows = {str(key): i for i, key in enumerate(result.inputs.stations["station_id"])}
    tags = [rows[str(key)] for key in frame["station_id"]]
    tolerance = REACH_TOLERANCE_M * _scale(frame)
    shapes = codec.to_mercator(frame.geometry.to_numpy())
    return codec.pack_polygons(shapes, tags, grid_m=COARSE_GRID_M, tolerance_m=tolerance)


def _point(point: Any) -> list[float]:
    return [round(float(point.x), 6), round(float(point.y), 6)]


def _text(value: Any) -> str:
    return "" if value is None or (not isinstance(value, str) and pd.isna(value)) else str(value)


def _number(value: Any) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), 4)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)
