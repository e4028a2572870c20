"""``make bench``: whole builds in fresh processes, and where the time goes. Nothing here is asserted.

Every figure is the median of several runs in one session; the first run of all warms the kernels'
compiled cache, which an installed Red Map keeps on disk. ``python -m tests.benchmarks siting`` runs
one section and leaves the others as they were measured.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import clip, growth, intake, peers, siting

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).with_name("RESULTS.md")
RUNS = 3
CHILD = """
import json, sys, time
from pathlib import Path
start = time.perf_counter()
from geo import pipeline
from geo.config import load_study
marks = [("import", start)]
marks.append(("", time.perf_counter()))
stages = []
pipeline.build(load_study(sys.argv[1]), Path(sys.argv[2]), cache_dir=Path(sys.argv[3]),
               progress=lambda stage: stages.append((stage, time.perf_counter())))
end = time.perf_counter()
edges = [*stages, ("end", end)]
times = {"import": marks[1][1] - start}
times |= {name: edges[i + 1][1] - at for i, (name, at) in enumerate(edges[:-1])}
peak = next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"total": end - start, "peak_mb": peak, "stages": times}))
"""


def measure(study: Path, *, cached: bool) -> dict[str, object]:
    """Medians of ``RUNS`` cold processes that build ``study``."""
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for run in range(RUNS + 1):
            cache = Path(folder) / ("cache" if cached else f"cache{run}")
            command = [sys.executable, "-c", CHILD, str(study), f"{folder}/out", str(cache)]
            done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
            runs.append(json.loads(done.stdout.splitlines()[-1]))
    runs = runs[1:]
    return {
        "total_s": statistics.median(r["total"] for r in runs),
        "peak_mb": max(r["peak_mb"] for r in runs),
        "stages": {k: statistics.median(r["stages"][k] for r in runs) for k in runs[0]["stages"]},
    }


def wuhan_study(folder: Path) -> Path | None:
    """The Wuhan study of the tests as a ``study.toml``, where the real data is at hand."""
    data = ROOT.parent / "shared" / "data" / "wuhan"
    if not data.is_dir():
        return None
    (folder / "box.geojson").write_text(
        '{"type":"Polygon","coordinates":[[[113.6,29.9],[115.2,29.9],[115.2,31.5],[113.6,31.5],[113.6,29.9]]]}'
    )
    (folder / "study.toml").write_text(
        f"""[study]
name = "Wuhan"
[area]
boundary = "box.geojson"
[roads]
file = "{(data / "roads.osm.pbf").as_posix()}"
[[stations]]
file = "{(data / "stations_gcj02.xlsx").as_posix()}"
datum = "gcj02"
[demand.residents]
file = "{(data / "population_20plus_500m.csv").as_posix()}"
weight = "pop20plus"
[standard]
speed_kmh = 5.0
max_access_m = 1250
""",
        encoding="utf-8",
    )
    return folder


def table(rows: list[peers.Row]) -> list[str]:
    """The comparison as lines of Markdown."""
    heads = ("work", "on", "Red Map, ms", "peer", "peer, ms", "ratio", "note")
    lines = ["| " + " | ".join(heads) + " |", "|---|---|---:|---|---:|---:|---|"]
    return lines + ["| " + " | ".join(row.cells()) + " |" for row in rows]


def sections() -> dict[str, tuple[str, Callable[[], list[str]]]]:
    """What can be measured by itself: a word for the command line, the heading, and the work."""
    picture = ["", "![one isochrone of each](isochrones.png)"]
    return {
        "builds": ("Whole builds, cold processes", lambda: ["```", *builds(), "```"]),
        "peers": ("Beside the peers", lambda: table(peers.compare()) + picture),
        "growth": ("Growth", grown),
        "lists": ("Long lists", lambda: [f"- {line}" for line in intake.measure()]),
        "clip": ("A district out of a country", lambda: [clip.measure()]),
        "siting": ("Siting", siting.measure),
    }


def main(wanted: list[str]) -> None:
    """Print what is ``wanted`` (all, where nothing is named) and keep it in RESULTS.md beside what is there."""
    known = sections()
    unknown = [word for word in wanted if word not in known]
    if unknown:
        sys.exit(f"no section {' '.join(unknown)}; there are: {' '.join(known)}")
    title = (
        f"{time.strftime('%Y-%m-%d')} · {platform.machine()}, {os.cpu_count()} cores · "
        f"Python {platform.python_version()}"
    )
    head = "\n".join(
        ["# Benchmark", "", "Written by `make bench`.", "", f"{title} · {RUNS} runs, medians", ""]
    )
    head += f"\n{peers.versions()}\n"
    kept: dict[str, str] = {}
    if wanted:
        head, *parts = RESULTS.read_text(encoding="utf-8").split("\n## ")
        kept = {part.partition("\n")[0]: part.partition("\n")[2].strip("\n") for part in parts}
    print(title)
    for word, (heading, work) in known.items():
        if wanted and word not in wanted:
            continue
        lines = [f"Measured by itself: {title}.", ""] if wanted else []
        kept[heading] = "\n".join(lines + work())
        print(kept[heading])
        # after each part, so that a run that is cut off keeps what it has
        order = [name for name, _ in known.values() if name in kept]
        body = "".join(f"\n## {name}\n\n{kept[name]}\n" for name in order)
        RESULTS.write_text(head.rstrip("\n") + "\n" + body, encoding="utf-8")


def grown() -> list[str]:
    """Time and memory by size, and their picture."""
    sizes = growth.sizes()
    growth.plot(sizes, RESULTS.with_name("growth.png"))
    about = "A generated town, 15 minutes on foot; each size in a process of its own."
    return [about, "", *growth.table(sizes), "", "![time and memory by size](growth.png)"]


def builds() -> list[str]:
    """Whole builds in cold processes, a line each, printed as they come."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        cases = [
            ("sample, first time", ROOT / "data" / "sample", False),
            ("sample, network cached", ROOT / "data" / "sample", True),
        ]
        wuhan = wuhan_study(Path(folder))
        if wuhan is not None:
            cases.append(("Wuhan, first time", wuhan, False))
        for name, study, cached in cases:
            figures = measure(study, cached=cached)
            stages = "  ".join(f"{k} {v:.2f}" for k, v in figures["stages"].items())
            lines.append(
                f"{name:24s} {figures['total_s']:6.2f} s  peak {figures['peak_mb']:6.0f} MB  | {stages}"
            )
    return lines


if __name__ == "__main__":
    main(sys.argv[1:])
