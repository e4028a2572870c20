"""A network from an OSM file: Red Map, Valhalla's tile builder, OSMnx."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import osmium

from tests.benchmarks.table import Row
from tests.benchmarks.timing import Told, by_turns, fresh
from tests.benchmarks.valhalla_peer import NoValhallaError, Valhalla

WORK = "network from PBF"
RUNS = 3
REDMAP = """
import json, resource, sys, time
from geo.network import read_network
start = time.perf_counter()
network = read_network(sys.argv[1])
print(json.dumps({"seconds": time.perf_counter() - start, "edges": network.edge_count,
                  "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""
OSMNX = """
import json, resource, sys, time, warnings
warnings.simplefilter("ignore")
import osmnx
start = time.perf_counter()
graph = osmnx.graph_from_xml(sys.argv[1], simplify=True, retain_all=True)
print(json.dumps({"seconds": time.perf_counter() - start, "edges": len(graph.edges),
                  "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def highways_as_xml(pbf: Path, xml: Path) -> None:
    """The ways with a ``highway`` tag and those of their nodes that are in the file.

    OSMnx would take every other way for a street too, and refuses ways cut off at the border.
    """
    ways: set[int] = set()
    used: set[int] = set()
    here: set[int] = set()
    for way in osmium.FileProcessor(str(pbf), osmium.osm.WAY):
        if "highway" in way.tags:
            ways.add(way.id)
            used.update(node.ref for node in way.nodes)
    with osmium.SimpleWriter(str(xml), overwrite=True) as writer:
        for element in osmium.FileProcessor(str(pbf), osmium.osm.NODE | osmium.osm.WAY):
            if element.is_node():
                if element.id in used:
                    here.add(element.id)
                    writer.add(element)
            elif element.id in ways:
                refs = [node.ref for node in element.nodes if node.ref in here]
                if len(refs) > 1:
                    writer.add(element.replace(nodes=refs))


def rows(name: str, pbf: Path, folder: Path) -> list[Row]:
    """Builds in fresh processes that take turns; OSMnx, which takes long, may have fewer."""
    seen: dict[str, dict] = {}

    def remember(peer: str, work: Callable[[], dict]) -> Callable[[], Told]:
        def done() -> Told:
            seen[peer] = work()
            whole.setdefault(peer, []).append(seen[peer].get("process_s", seen[peer]["seconds"]))
            return Told(seen[peer]["seconds"])

        return done

    whole: dict[str, list[float]] = {}
    xml = folder / "highways.osm"
    highways_as_xml(pbf, xml)
    reason = ""
    works = {"Red Map": remember("Red Map", lambda: fresh(REDMAP, pbf))}
    valhalla = None
    try:
        valhalla = Valhalla(folder)
        valhalla("build", str(pbf))
        works["Valhalla"] = remember("Valhalla", lambda: valhalla("build", str(pbf)))
    except NoValhallaError as why:
        reason = str(why)
    try:
        works["OSMnx"] = remember("OSMnx", lambda: fresh(OSMNX, xml))
        took = by_turns(works, runs=RUNS, budget_s=30.0)
    finally:
        if valhalla is not None:
            valhalla.__exit__(None, None, None)
    ours = took["Red Map"].seconds
    process = sorted(whole["Red Map"])[len(whole["Red Map"]) // 2]
    on = f"{name}, {seen['Red Map']['edges']:,} segments"
    own = f"peaks {seen['Red Map']['peak_mb']:.0f} MB"
    result = []
    if "Valhalla" in took:
        note = f"tile builder, whole process; {own} and {seen['Valhalla']['peak_mb']:.0f} MB"
        theirs = took["Valhalla"].seconds
        result.append(Row(WORK, on, ours, "Valhalla", theirs, note))
        result.append(
            Row(f"{WORK}, with imports", on, process, "Valhalla", theirs, "both as a whole process")
        )
    else:
        result.append(Row(WORK, on, ours, "Valhalla", None, reason))
    note = (
        f"graph_from_xml, simplified, highways only, {took['OSMnx'].runs} runs; {own} and "
        f"{seen['OSMnx']['peak_mb']:.0f} MB; {seen['OSMnx']['edges']:,} directed edges"
    )
    result.append(Row(WORK, on, ours, "OSMnx", took["OSMnx"].seconds, note))
    return result
