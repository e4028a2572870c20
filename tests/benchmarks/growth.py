"""How time and memory grow with the network: generated towns up to nine million crossings."""

from __future__ import annotations

import dataclasses
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from geo import isochrones
from geo.models import MODES, Lines, RoadNetwork, Snapped, Stretches
from geo.sphere import curve_order, great_circle_steps_m
from geo.travel_times import Router
from geo.travel_times.graph import Graph
from tests.toy import toy_network

ROOT = Path(__file__).resolve().parents[2]
SIDES = (100, 316, 1000, 3000)
LIMIT_S = 900.0
MINUTES = (5.0, 10.0, 15.0)
SERIES = {
    "router": "router made",
    "field_86": "nearest of 86",
    "scipy_86": "nearest of 86, scipy",
    "field_10000": "nearest of 10,000",
    "scipy_10000": "nearest of 10,000, scipy",
    "isochrone": "one 3-band isochrone",
}
MEMORY = {"network_mb": "with the network", "search_mb": "peak of the searches", "peak_mb": "peak of all"}


def grid(side: int, seed: int = 0) -> RoadNetwork:
    """A town of ``side`` × ``side`` crossings about 60 m apart, a tenth of its streets missing."""
    rng = np.random.default_rng(seed)
    at = np.arange(side) * 60.0
    x, y = (axis.ravel() + rng.uniform(-12.0, 12.0, side * side) for axis in np.meshgrid(at, at))
    lat = 32.9 + np.degrees(y / 6_371_009.0)
    lon = 115.8 + np.degrees(x / 6_371_009.0) / np.cos(np.radians(32.9))
    order = curve_order(lon, lat)  # as those are that are read
    lon, lat = lon[order], lat[order]
    i = np.empty(side * side, dtype=np.int32)
    i[order] = np.arange(side * side, dtype=np.int32)
    i = i.reshape(side, side)
    u = np.concatenate((i[:, :-1].ravel(), i[:-1].ravel()))
    v = np.concatenate((i[:, 1:].ravel(), i[1:].ravel()))
    keep = rng.random(len(u)) > 0.1
    u, v = u[keep], v[keep]
    m = len(u)
    ends = np.column_stack((u, v)).ravel()
    length = great_circle_steps_m(lon[ends], lat[ends])[::2]
    of_node = connected_components(coo_array((np.ones(m, dtype=np.int8), (u, v)), shape=(i.size, i.size)))[1]
    total = np.bincount(of_node[u], weights=length)
    rank = np.empty(len(total), dtype=np.int32)
    rank[np.argsort(-total, kind="stable")] = np.arange(len(total), dtype=np.int32)
    speed = {mode: np.full(m, kmh) for mode, kmh in zip(MODES, (4.0, 15.0, 12.0, 30.0), strict=True)}
    return dataclasses.replace(
        toy_network([(0, 0), (1, 0)], [(0, 1)]),
        node_id=np.arange(1, i.size + 1, dtype=np.int64),
        node_lon=lon,
        node_lat=lat,
        node_signal=np.zeros(i.size, dtype=np.bool_),
        edge_u=u,
        edge_v=v,
        length_m=length,
        way_id=np.arange(1, m + 1, dtype=np.int64),
        way_class=np.zeros(m, dtype=np.uint8),
        way_name=("",),
        edge_name=np.zeros(m, dtype=np.int32),
        geometry=Lines(np.arange(m + 1, dtype=np.int64) * 2, lon[ends], lat[ends]),
        speed_forward_kmh=speed,
        speed_backward_kmh=speed,
        component=dict.fromkeys(MODES, rank[of_node[u]]),
    )


def at_crossings(network: RoadNetwork, count: int, seed: int = 86) -> Snapped:
    """Stations exactly on nodes, so that peers that know nodes only are asked for the same."""
    edge = np.random.default_rng(seed).integers(network.edge_count, size=count).astype(np.int32)
    node, nothing = network.edge_u[edge], np.zeros(count)
    return Snapped(edge, nothing, nothing, network.node_lon[node], network.node_lat[node])


def peak_mb() -> float:
    """Most memory of this process so far (``ru_maxrss`` would count the process that began it as well)."""
    status = Path("/proc/self/status")
    if not status.is_file():  # not Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines = status.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def least(work: Callable[[], object], runs: int = 5) -> float:
    """Seconds of the middle one of some runs, after one that is not counted."""
    work()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)[runs // 2]


def sparse_of(graph: Graph) -> csr_array:
    n = len(graph.node)
    return csr_array((graph.seconds, graph.head, graph.row), shape=(n, n))


def measure(side: int) -> dict[str, float]:
    """All figures of one size, in this process."""
    network = grid(side)
    figures: dict[str, float] = {"nodes": network.node_count, "segments": network.edge_count}
    few, many, nobody = (at_crossings(network, count) for count in (86, 10_000, 0))
    one = at_crossings(network, 1)
    figures["network_mb"] = peak_mb()
    figures["router"] = least(lambda: Router(network, mode="walk", speed_kmh=4.0), runs=3)
    router = Router(network, mode="walk", speed_kmh=4.0)
    figures["field_86"] = least(lambda: router.nearest(few, nobody, limit_s=LIMIT_S))
    figures["field_10000"] = least(lambda: router.nearest(many, nobody, limit_s=LIMIT_S), runs=3)
    figures["search_mb"] = peak_mb()
    sparse = sparse_of(router._graph)
    for count, some in ((86, few), (10_000, many)):
        start = router._sources(some).u
        figures[f"scipy_{count}"] = least(
            lambda start=start: dijkstra(sparse, indices=start, min_only=True, limit=LIMIT_S), runs=3
        )
    ways = isochrones.prepare(network, mode="walk")

    def reached() -> dict[float, Stretches]:
        (parts,) = router.reached(one, limits_s=[m * 60 for m in MINUTES])
        return dict(zip(MINUTES, parts, strict=True))

    cells = isochrones.partition(ways, near=reached()[MINUTES[-1]].edge)

    def isochrone() -> object:
        return isochrones.bands(cells, reached())

    figures["isochrone"] = least(isochrone)
    figures["peak_mb"] = peak_mb()
    return figures


def sizes() -> list[dict[str, float]]:
    """The figures of every size, each from a process of its own."""
    result = []
    for side in SIDES:
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.growth", str(side)],
            capture_output=True, text=True, check=True, cwd=ROOT,
        )  # fmt: skip
        result.append(json.loads(done.stdout.splitlines()[-1]))
        print(result[-1])
    return result


def table(figures: list[dict[str, float]]) -> list[str]:
    """A line of Markdown for each size: milliseconds and MB."""
    heads = [
        "nodes",
        "segments",
        *(f"{h}, ms" for h in SERIES.values()),
        *(f"{h}, MB" for h in MEMORY.values()),
    ]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---:|" * len(heads)]
    for row in figures:
        cells = [f"{row['nodes']:,}", f"{row['segments']:,}", *(f"{1e3 * row[k]:,.1f}" for k in SERIES)]
        lines.append("| " + " | ".join([*cells, *(f"{row[k]:,.0f}" for k in MEMORY)]) + " |")
    return lines


def plot(figures: list[dict[str, float]], path: Path) -> None:
    """Time and memory by the number of nodes, both axes logarithmic."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    nodes = [row["nodes"] for row in figures]
    drawing, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), dpi=100)
    colours = {"router": "#777777", "field_86": "#a4161a", "field_10000": "#f4845f", "isochrone": "#1a7837"}
    for key, label in SERIES.items():
        ours = key.replace("scipy", "field")
        style = "--" if key.startswith("scipy") else "-"
        left.plot(
            nodes, [row[key] for row in figures], style, color=colours[ours], marker="o", ms=4, label=label
        )
    for (key, label), colour in zip(MEMORY.items(), ("#777777", "#a4161a", "#1a7837"), strict=True):
        right.plot(nodes, [row[key] for row in figures], color=colour, marker="o", ms=4, label=label)
    for axes, unit in ((left, "seconds (median)"), (right, "MB of the process")):
        axes.set(xscale="log", yscale="log", xlabel="nodes", ylabel=unit)
        axes.grid(visible=True, which="major", color="#dddddd")
        axes.legend(fontsize=8, frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    left.set_title("15-minute walk; dashed: scipy", fontsize=10)
    right.set_title("Memory", fontsize=10)
    drawing.tight_layout()
    drawing.savefig(path, metadata={"Software": None})
    plt.close(drawing)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
