"""A district cut out of a file of twenty million nodes, made by tiling a real extract."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import osmium

ROOT = Path(__file__).resolve().parents[2]
EXTRACT = ROOT.parent / "shared" / "data" / "porto-alegre" / "roads.osm.pbf"
NODES = 20_000_000
STEP_DEG = 0.5
CHILD = """
import json, sys, time
import shapely
from geo.network import read_network
start = time.perf_counter()
west, south = map(float, sys.argv[2:4])
network = read_network(sys.argv[1], area=shapely.box(west, south, west + 0.05, south + 0.05), reach_m=1500)
print(json.dumps({"seconds": time.perf_counter() - start, "edges": network.edge_count,
                  "peak_mb": next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))}))
"""


def tile(path: Path, extract: Path, nodes: int) -> tuple[int, float, float]:
    """Write copies of an extract side by side; returns the number of nodes and a corner of the middle one."""
    spots, ways = [], []
    for element in osmium.FileProcessor(str(extract), osmium.osm.NODE | osmium.osm.WAY):
        if element.is_node():
            spots.append((element.id, element.lon, element.lat))
        else:
            ways.append((element.id, [n.ref for n in element.nodes], {t.k: t.v for t in element.tags}))
    number = {spot[0]: i + 1 for i, spot in enumerate(spots)}
    copies = -(-nodes // len(spots))
    across = int(copies**0.5) + 1
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for c in range(copies):
            dx, dy = STEP_DEG * (c % across), STEP_DEG * (c // across)
            for i, lon, lat in spots:
                writer.add_node(
                    osmium.osm.mutable.Node(
                        id=c * len(spots) + number[i], location=((lon + dx + 180) % 360 - 180, lat + dy)
                    )
                )
        for c in range(copies):
            for k, (_id, refs, tags) in enumerate(ways):
                nodes_of = [c * len(spots) + number[ref] for ref in refs if ref in number]
                writer.add_way(osmium.osm.mutable.Way(id=c * len(ways) + k + 1, nodes=nodes_of, tags=tags))
    middle = copies // 2
    west = sorted(s[1] for s in spots)[len(spots) // 2] + STEP_DEG * (middle % across)
    south = sorted(s[2] for s in spots)[len(spots) // 2] + STEP_DEG * (middle // across)
    return copies * len(spots), (west + 180) % 360 - 180, south


def measure() -> str:
    """A line of text: what was cut out of what, how long it took and how much memory."""
    if not EXTRACT.is_file():
        return "The real extracts are not at hand."
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "country.osm.pbf"
        nodes, west, south = tile(path, EXTRACT, NODES)
        size_mb = path.stat().st_size / 2**20
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(path), str(west), str(south)],
            capture_output=True, text=True, check=True, cwd=ROOT,
        )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    return (
        f"{found['edges']:,} segments out of {nodes:,} nodes ({size_mb:,.0f} MB): {found['seconds']:.1f} s, "
        f"peak {found['peak_mb']:,.0f} MB of the whole process."
    )


if __name__ == "__main__":
    print(measure())
