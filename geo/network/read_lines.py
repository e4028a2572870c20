"""Road lines that are not OSM: OSMnx GraphML, and plain line layers noded where they share a vertex."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import geopandas as gpd
import networkx as nx
import numpy as np
import shapely

from geo.errors import Defect, InputError
from geo.network.modes import RULE_KEYS
from geo.network.raw import RawWays

CLASS_COLUMNS = ("highway", "fclass", "class", "type")
NAME_COLUMNS = ("name", "NAME", "名称", "道路名称", "路名")
ONEWAY = {"F": "yes", "T": "-1", "B": "no", "True": "yes", "False": "no", "1": "yes", "0": "no"}


def read_graphml(path: Path) -> RawWays:
    """Read a graph saved by OSMnx; every directed edge counts for its own direction only."""
    try:
        graph = nx.read_graphml(path, force_multigraph=True)
        xy = {n: (float(d["x"]), float(d["y"])) for n, d in graph.nodes(data=True)}
    except (ParseError, KeyError, ValueError, nx.NetworkXError) as error:
        message = f"不是 OSMnx 保存的 GraphML / not a GraphML saved by OSMnx: {error}"
        raise InputError(Defect(message, file=path.name)) from error
    number = _node_numbers(list(graph.nodes))
    lines, refs, tags, ids = [], [], [], []
    inner = min(number.values(), default=0) - 1
    for u, v, data in _one_way_each(graph):
        line = (
            shapely.from_wkt(data["geometry"]) if "geometry" in data else shapely.LineString([xy[u], xy[v]])
        )
        middle = len(line.coords) - 2
        lines.append(line)
        refs.append([number[u], *range(inner, inner - middle, -1), number[v]])
        inner -= middle
        tags.append(_edge_tags(data))
        ids.append(_first_id(data.get("osmid", 0)))
    signals = {number[n] for n, d in graph.nodes(data=True) if d.get("highway") == "traffic_signals"}
    return _raw(lines, [r for run in refs for r in run], tags, ids, path.name, frozenset(signals), ())


def _node_numbers(names: list[Any]) -> dict[Any, int]:
    try:
        return {name: int(name) for name in names}
    except ValueError:
        return {name: i + 1 for i, name in enumerate(names)}


def _one_way_each(graph: Any) -> list[tuple[Any, Any, dict[str, Any]]]:
    """Each street once: of the two directed edges of a two-way street, the one not reversed."""
    kept = []
    seen: set[tuple[Any, Any, Any, str]] = set()
    for u, v, data in graph.edges(data=True):
        oneway = str(data.get("oneway", "False")) in {"True", "yes", "1", "-1"}
        length = f"{float(data.get('length', 0)):.3f}"
        osmid = str(_first_id(data.get("osmid", 0)))
        if not oneway and (v, u, osmid, length) in seen:
            seen.discard((v, u, osmid, length))
            continue
        if not oneway:
            seen.add((u, v, osmid, length))
        kept.append((u, v, data))
    return kept


def _edge_tags(data: dict[str, Any]) -> dict[str, str]:
    tags = {}
    for key in (*RULE_KEYS, "name"):
        if key in data and str(data[key]) not in {"", "nan", "None"}:
            text = str(data[key])
            tags[key] = text.strip("[]").split(",")[0].strip(" '\"") if text.startswith("[") else text
    if tags.get("oneway") in {"True", "yes", "1", "-1"}:
        # OSMnx has already turned the edge: it runs the way traffic may go
        tags["oneway"] = "yes"
    elif "oneway" in tags:
        tags["oneway"] = "no"
    return tags


def _first_id(value: Any) -> int:
    text = str(value).strip("[]").split(",")[0].strip()
    return int(text) if text.lstrip("-").isdigit() else 0


def read_lines(path: Path) -> RawWays:
    """Read a layer of road lines; lines meet where they share a vertex (to a millimetre or so)."""
    try:
        frame = (
            gpd.read_parquet(path)
            if path.suffix.lower() == ".parquet"
            else gpd.read_file(path, engine="pyogrio")
        )
    except (OSError, ValueError, RuntimeError) as error:
        message = f"读不了这个图层 / this layer cannot be read: {error}"
        raise InputError(Defect(message, file=path.name)) from error
    if frame.crs is None:
        message = "没有坐标系：请在文件里声明 / no CRS: declare it in the file (.prj)"
        raise InputError(Defect(message, file=path.name))
    frame = frame.to_crs("EPSG:4326").explode(ignore_index=True)
    frame = frame[frame.geom_type == "LineString"].reset_index(drop=True)
    if frame.empty:
        raise InputError(Defect("图层里没有线 / the layer holds no lines", file=path.name))
    notes = [f"{path.name}：线在共用顶点处相接 / lines meet where they share a vertex"]
    class_column = next((c for c in CLASS_COLUMNS if c in frame.columns), None)
    if class_column is None:
        notes.append(f"{path.name}：无道路等级列，按普通道路 / no class column: taken as unclassified")
    if "oneway" not in frame.columns:
        notes.append(f"{path.name}：无单行列，按双向 / no oneway column: taken as two-way")
    name_column = next((c for c in NAME_COLUMNS if c in frame.columns), None)
    tags = []
    for row in frame.drop(columns="geometry").to_dict("records"):
        tag = {str(k): str(v) for k, v in row.items() if k in RULE_KEYS and v not in {None, ""} and v == v}  # noqa: PLR0124
        tag["highway"] = str(row[class_column]) if class_column and row[class_column] else "unclassified"
        if "oneway" in tag:
            tag["oneway"] = ONEWAY.get(tag["oneway"], tag["oneway"])
        if name_column and row[name_column]:
            tag["name"] = str(row[name_column])
        tags.append(tag)
    lines = list(shapely.force_2d(frame.geometry.to_numpy()))
    xy = np.round(shapely.get_coordinates(lines), 8)
    _unique, ref = np.unique(xy, axis=0, return_inverse=True)
    return _raw(
        lines,
        list(ref.ravel() + 1),
        tags,
        list(range(1, len(lines) + 1)),
        path.name,
        frozenset(),
        tuple(notes),
    )


def _raw(
    lines: list[Any],
    refs: list[int],
    tags: list[dict[str, str]],
    ids: list[int],
    source: str,
    signals: frozenset[int],
    notes: tuple[str, ...],
) -> RawWays:
    xy = shapely.get_coordinates(lines)
    count = [shapely.get_num_coordinates(line) for line in lines]
    return RawWays(
        way_id=np.array(ids, dtype=np.int64),
        start=np.concatenate(([0], np.cumsum(count))).astype(np.int64),
        ref=np.array(refs, dtype=np.int64),
        lon=xy[:, 0].copy(),
        lat=xy[:, 1].copy(),
        tags=tags,
        tagged=np.arange(len(tags)),
        like=np.arange(len(tags)),
        source=source,
        signals=signals,
        notes=notes,
    )
