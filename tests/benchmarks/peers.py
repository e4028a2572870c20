"""Red Map beside its peers: the same inputs, runs taking turns in one session, medians, ratios."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import osmium
import pandas as pd
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo import isochrones, travel_times
from geo.isochrones.ways import to_degrees, to_sheet
from geo.models import RoadNetwork, Snapped
from geo.network import read_network
from geo.travel_times import Router
from geo.travel_times.graph import build_graph, source_points
from tests.benchmarks.growth import grid

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
LIMIT_S = 900.0
MINUTES = (5.0, 10.0, 15.0)
WALK = {"mode": "walk", "speed_kmh": 4.0}

PICTURE = Path(__file__).with_name("isochrones.png")


@dataclass(frozen=True)
class Row:
    """One line of the table: seconds of ours and of a peer, or why the peer has none."""

    work: str
    on: str
    ours_s: float
    peer: str
    peer_s: float | None
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        peer = "—" if self.peer_s is None else f"{1e3 * self.peer_s:,.1f}"
        ratio = "—" if self.peer_s is None else f"{self.peer_s / self.ours_s:,.1f} ×"
        return (self.work, self.on, f"{1e3 * self.ours_s:,.1f}", self.peer, peer, ratio, self.note)


def by_turns(*works: Callable[[], object], runs: int = 5) -> list[float]:
    """Median seconds of several pieces of work that take turns; each is done once before."""
    for work in works:
        work()
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(runs):
        for work, of_work in zip(works, seconds, strict=True):
            start = time.perf_counter()
            work()
            of_work.append(time.perf_counter() - start)
    return [statistics.median(of_work) for of_work in seconds]


def stations_of(network: RoadNetwork, count: int, seed: int = 86) -> Snapped:
    """Stations at random nodes."""
    node = np.random.default_rng(seed).choice(network.node_count, count, replace=False)
    found = travel_times.snap(network, network.node_lon[node], network.node_lat[node], mode="walk")
    return Snapped(*(getattr(found, name)[found.linked] for name in Snapped.__slots__))


def searches(name: str, network: RoadNetwork) -> list[Row]:
    """The nearest-of-86 field and 86 searches by themselves."""
    stations = stations_of(network, 86)
    router = Router(network, **WALK)
    graph = build_graph(network, mode="walk", direction="to_station", speed_kmh=4.0, signal_wait_s=0.0)
    near = source_points(graph, stations, access_speed_kmh=4.0)
    nobody = Snapped(*(getattr(stations, name)[:0] for name in Snapped.__slots__))
    n = network.node_count
    sparse = csr_array((graph.seconds, graph.head, graph.row), shape=(n, n))
    starts = np.where(near.u_s <= near.v_s, near.u, near.v)
    plain = nx.DiGraph()
    plain.add_weighted_edges_from(
        zip(
            np.repeat(np.arange(n), np.diff(graph.row)).tolist(),
            graph.head.tolist(),
            graph.seconds.tolist(),
            strict=True,
        )
    )
    field_s, scipy_s = by_turns(
        lambda: router.nearest(stations, nobody, limit_s=LIMIT_S),
        lambda: dijkstra(sparse, indices=starts, min_only=True, limit=LIMIT_S),
        runs=25,
    )
    rows = [Row("nearest-of-86 field", name, field_s, "scipy", scipy_s)]
    (nx_s,) = by_turns(
        lambda: nx.multi_source_dijkstra_path_length(plain, set(starts.tolist()), cutoff=LIMIT_S), runs=2
    )
    rows.append(Row("nearest-of-86 field", name, field_s, "networkx", nx_s))
    each_s, scipy_s = by_turns(
        lambda: router.reach_nodes(stations, limit_s=LIMIT_S),
        lambda: dijkstra(sparse, indices=starts, limit=LIMIT_S) if n < 200_000 else None,
        runs=9,
    )
    note = "" if n < 200_000 else "dense result of 86 × n: not run"
    rows.append(Row("86 searches", name, each_s, "scipy", scipy_s if not note else None, note))
    rows += _igraph(name, graph, starts, field_s)
    if n < 200_000:  # its contraction hierarchy takes many minutes on more
        rows += _pandarm(name, network, stations, each_s)
    return rows


def _igraph(name, graph, starts, ours_s) -> list[Row]:
    try:
        import igraph
    except ImportError as error:
        return [Row("nearest-of-86 field", name, ours_s, "igraph", None, f"not installed: {error}")]
    tails = np.repeat(np.arange(len(graph.row) - 1), np.diff(graph.row))
    peer = igraph.Graph(n=len(graph.row) - 1, edges=np.column_stack((tails, graph.head)), directed=True)
    weights = graph.seconds.tolist()
    (peer_s,) = by_turns(lambda: np.min(peer.distances(starts.tolist(), weights=weights), axis=0), runs=1)
    return [Row("nearest-of-86 field", name, ours_s, "igraph", peer_s, "has no limit and no many-to-one")]


def _pandarm(name, network, stations, ours_s) -> list[Row]:
    try:
        import pandarm
    except ImportError as error:
        return [Row("86 searches", name, ours_s, "pandarm", None, f"not installed: {error}")]
    weights = pd.DataFrame({"seconds": network.length_m * 0.9})
    peer = pandarm.Network(
        network.node_lon, network.node_lat, network.edge_u, network.edge_v, weights, twoway=True
    )
    nodes = network.edge_u[stations.edge[stations.linked]]
    (peer_s,) = by_turns(lambda: peer.nodes_in_range(nodes.tolist(), LIMIT_S), runs=2)
    return [Row("86 searches", name, ours_s, "pandarm", peer_s, "nodes only, no partial edges")]


def shapes(name: str, path: Path, folder: Path) -> list[Row]:
    """3-band isochrones and the network build, beside Valhalla and OSMnx."""
    network = read_network(path)
    stations = stations_of(network, 86)
    rows = searches(name, network)
    ways, router = isochrones.prepare(network, mode="walk"), Router(network, **WALK)
    cells = isochrones.partition(ways)  # once for a network, as the peer builds its tiles
    (cells_s,) = by_turns(lambda: isochrones.partition(ways), runs=2)

    def draw(some: Snapped) -> tuple[gpd.GeoDataFrame, dict[float, list]]:
        each = router.reached(some, limits_s=[m * 60 for m in MINUTES])
        by_minutes = {str(i): dict(zip(MINUTES, parts, strict=True)) for i, parts in enumerate(each)}
        return isochrones.station_bands(cells, by_minutes), {
            m: [parts[k] for parts in each] for k, m in enumerate(MINUTES)
        }

    # each by itself, as the peer is: a build in between would leave the shapes a cold cache
    (ours_s,) = by_turns(lambda: draw(stations), runs=25)
    (build_s,) = by_turns(lambda: read_network(path), runs=5)
    frame, parts = draw(stations)
    ours_s /= len(stations)
    ours = _shares(ways, frame.geometry[frame["minutes"] == MINUTES[-1]], parts[MINUTES[-1]])
    answer = _valhalla(path, folder, stations)
    if isinstance(answer, str):
        rows += [
            Row(work, name, s, "Valhalla", None, answer)
            for work, s in (("network from PBF", build_s), ("3-band isochrone", ours_s))
        ]
    else:
        theirs = [
            next(
                shapely.geometry.shape(f["geometry"])
                for f in features
                if f["properties"]["contour"] == MINUTES[-1]
            )
            for features in answer["shapes"]
        ]
        false, missed = _shares(ways, theirs, parts[MINUTES[-1]])
        note = (
            f"false {false:.1%}, missed {missed:.1%} at 15 min; ours {ours[0]:.2%}, {ours[1]:.2%}; "
            f"cells of all ways made once in {cells_s:.1f} s"
        )
        rows += [
            Row("network from PBF", name, build_s, "Valhalla tiles", answer["build_s"]),
            Row("3-band isochrone", name, ours_s, "Valhalla", statistics.median(answer["isochrone_s"]), note),
        ]
        if name == "Wuhan":
            gallery(network, stations, cells, router, theirs, name)
    return [*rows, _osmnx(name, path, folder, build_s)]


def gallery(
    network: RoadNetwork, stations: Snapped, cells: isochrones.Cells, router: Router, theirs: list, name: str
) -> None:
    """One isochrone of each peer and ours over the ways that are reached within 15 minutes, as a picture."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    ways, limit_s = cells.ways, MINUTES[-1] * 60
    nodes = router.reach_nodes(stations, limit_s=limit_s)
    reached = [parts for (parts,) in router.reached(stations, limits_s=[limit_s])]
    # a station about as well connected as the middle one: neither a park nor a crossroads
    k = int(np.argsort(np.diff(nodes.indptr))[len(stations) // 2])
    one = Snapped(*(getattr(stations, column)[k : k + 1] for column in Snapped.__slots__))
    x0, y0 = to_sheet(one.lon, one.lat)
    unit = 1 / np.cos(np.radians(one.lat[0]))
    lon, lat = to_degrees(ways.x + ways.x0, ways.y + ways.y0)
    of_node = nodes.indices[nodes.indptr[k] : nodes.indptr[k + 1]]
    hull = shapely.MultiPoint(
        np.column_stack((network.node_lon[of_node], network.node_lat[of_node]))
    ).convex_hull
    turn = np.linspace(0, 2 * np.pi, 181)
    radius = limit_s * 4.0 / 3.6 * unit
    circle = shapely.Polygon(
        np.column_stack(to_degrees(x0 + radius * np.cos(turn), y0 + radius * np.sin(turn)))
    )
    ours = isochrones.bands(cells, {MINUTES[-1]: reached[k]}).geometry.iloc[0]
    shapes = {"Red Map": ours, "Valhalla": theirs[k], "ego graph, convex hull": hull, "circle": circle}
    drawing, axes = plt.subplots(1, 4, figsize=(15, 4.4), dpi=100)
    parts = reached[k]
    for ax, (label, shape) in zip(axes, shapes.items(), strict=True):
        false, missed = isochrones.false_missed_share(ways, shape, parts)
        for polygon in shapely.get_parts(shape):
            ring = plt.matplotlib.path.Path.make_compound_path(
                *(
                    plt.matplotlib.path.Path(np.asarray(r.coords))
                    for r in (polygon.exterior, *polygon.interiors)
                )
            )
            ax.add_patch(
                plt.matplotlib.patches.PathPatch(ring, facecolor="#f6c9c4", edgecolor="#a4161a", lw=0.6)
            )
        near = (abs(lon - one.lon[0]) < 0.016) & (abs(lat - one.lat[0]) < 0.014)
        for e in np.flatnonzero(np.add.reduceat(near, ways.start[:-1]) > 0):
            part = slice(ways.start[e], ways.start[e + 1])
            ax.plot(lon[part], lat[part], color="#b0b0b0", lw=0.5)
        for e, a, b in zip(parts.edge, parts.from_m, parts.to_m, strict=True):
            part = slice(ways.start[e], ways.start[e + 1])
            at = np.unique(np.clip(np.concatenate(([a, b], ways.along_m[part])), a, b))
            ax.plot(
                np.interp(at, ways.along_m[part], lon[part]),
                np.interp(at, ways.along_m[part], lat[part]),
                color="#1b4332",
                lw=1.2,
            )
        ax.plot(one.lon, one.lat, "*", color="k", ms=9)
        ax.set(
            xlim=(one.lon[0] - 0.015, one.lon[0] + 0.015),
            ylim=(one.lat[0] - 0.013, one.lat[0] + 0.013),
            xticks=[],
            yticks=[],
            title=f"{label}\nfalse {false:.1%}, missed {missed:.1%}",
        )
        ax.set_aspect(unit)
    drawing.supxlabel(
        f"{name}: 15 minutes on foot from the star. Green: reached in time; grey: not.", fontsize=10
    )
    drawing.tight_layout()
    drawing.savefig(PICTURE, metadata={"Software": None}, bbox_inches="tight")
    plt.close(drawing)


def _shares(ways, polygons, reached) -> tuple[float, float]:
    """Mean false and missed share of the first twenty shapes."""
    pairs = [
        isochrones.false_missed_share(ways, polygon, part)
        for polygon, part in zip(list(polygons)[:20], reached[:20], strict=True)
    ]
    return tuple(np.mean(pairs, axis=0))


def _valhalla(path: Path, folder: Path, stations: Snapped) -> dict | str:
    """What the child in Valhalla's own environment measured, or why there is nothing."""
    python = shutil.which("python3.12") or shutil.which("python3.13")
    if python is None:
        return "needs Python 3.12, which is not here"
    venv = folder / "valhalla"
    origins = folder / "origins.json"
    origins.write_text(json.dumps(np.column_stack((stations.lon, stations.lat)).tolist()))
    environment = {**os.environ, "PYENV_VERSION": os.environ.get("VALHALLA_PYENV", "3.12.1")}
    child = Path(__file__).with_name("valhalla_child.py")
    try:
        subprocess.run([python, "-m", "venv", venv], check=True, env=environment, capture_output=True)
        subprocess.run(
            [venv / "bin" / "pip", "install", "--quiet", "pyvalhalla==3.9.1"], check=True, capture_output=True
        )
        done = subprocess.run(
            [venv / "bin" / "python", child, path, folder, origins, json.dumps(MINUTES)],
            check=True, capture_output=True, text=True,
            env={**os.environ, "PATH": f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        return f"failed: {(error.stderr or '')[-300:]!r}"
    return json.loads(done.stdout.splitlines()[-1])


def _osmnx(name: str, path: Path, folder: Path, whole_s: float) -> Row:
    import osmnx

    xml, pbf = folder / "roads.osm", folder / "roads.osm.pbf"
    # highways and their nodes only: OSMnx would take every other way for a street too
    ways = [way.id for way in osmium.FileProcessor(str(path), osmium.osm.WAY) if "highway" in way.tags]
    here = {node.id for node in osmium.FileProcessor(str(path), osmium.osm.NODE)}
    wanted, used = set(ways), set()
    refs_of = {}
    for way in osmium.FileProcessor(str(path), osmium.osm.WAY):
        refs = [node.ref for node in way.nodes if node.ref in here] if way.id in wanted else []
        if len(refs) > 1:
            refs_of[way.id] = refs
            used.update(refs)
    for file in (xml, pbf):
        with osmium.SimpleWriter(str(file), overwrite=True) as writer:
            for element in osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY):
                if element.is_node() and element.id in used:
                    writer.add(element)
                elif element.is_way() and element.id in refs_of:
                    writer.add(element.replace(nodes=refs_of[element.id]))
    (ours_s,) = by_turns(lambda: read_network(pbf), runs=5)
    start = time.perf_counter()
    osmnx.graph_from_xml(xml, simplify=True, retain_all=True)
    took = time.perf_counter() - start
    note = f"the same highways, theirs as XML; ours with all that is in the extract {1e3 * whole_s:,.0f} ms"
    return Row("network of highways", name, ours_s, "OSMnx, simplified", took, note)


def versions() -> str:
    """The peers that took part."""
    names = ("numba", "scipy", "networkx", "osmnx", "igraph", "pandarm", "shapely")
    found = []
    for name in names:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} not installed")
    return ", ".join(found)


def compare() -> list[Row]:
    """All comparisons that the machine allows."""
    rows = searches("town of 490,000 crossings", grid(700))
    if not DATA.is_dir():
        return rows
    for name in ("Wuhan", "Helsinki", "Porto Alegre", "Heidelberg"):
        with tempfile.TemporaryDirectory() as folder:
            rows += shapes(name, DATA / name.lower().replace(" ", "-") / "roads.osm.pbf", Path(folder))
    return rows
