"""``make bench-api``: the service under load from a second process, beside Valhalla's own service. Nothing is asserted."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from tests.benchmarks.load import raw

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).with_name("RESULTS-api.md")
SAMPLE = ROOT / "data" / "sample"
VALHALLA = "pyvalhalla==3.9.1"
TURNS = 9


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


@contextlib.contextmanager
def running(command: list[str], url: str, **environment: str):
    """A server in a process of its own, until the block ends."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
            start_new_session=True,  # the peer's command begins another one that outlives it
        )
        try:
            for _ in range(600):
                if answers(url):
                    break
                if process.poll() is not None:
                    log.seek(0)
                    raise RuntimeError(log.read()[-2000:].decode())
                time.sleep(0.2)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def redmap(port: int, cache: Path, *, workers: int) -> list[str]:
    where = ["--port", str(port), "--workers", str(workers), "--cache", str(cache)]
    return [sys.executable, "-m", "geo", "serve", str(SAMPLE), *where]


def load(
    base: str, asks: list[dict], *, clients: int, seconds: float, most: int = 10**9, meanwhile=None
) -> dict:
    """What the clients saw; ``meanwhile`` is called every second."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(asks, file)
        file.flush()
        command = [
            sys.executable,
            "-m",
            "tests.benchmarks.load",
            base,
            file.name,
            str(clients),
            str(seconds),
            str(most),
        ]
        child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        while meanwhile is not None and child.poll() is None and not _ended(child):
            meanwhile()
        return json.loads(child.communicate()[0])


def _ended(child: subprocess.Popen) -> bool:
    # a full pipe would keep the child waiting: its one line is read as soon as it begins
    import select

    return bool(select.select([child.stdout], [], [], 1.0)[0])


def offered(base: str, asks: list[dict], *, clients: int, seconds: float) -> dict:
    """What wrk saw, which takes less of the servers' cores than clients in Python."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise RuntimeError("needs wrk, the load generator: apt-get install wrk")
    with tempfile.NamedTemporaryFile() as file:
        for ask in asks:
            request = raw(urlsplit(base).netloc, ask)
            file.write(b"%d\n%s" % (len(request), request))
        file.flush()
        command = [wrk, "--threads", "1", "--connections", str(clients), "--duration", f"{seconds:.0f}s"]
        command += ["--latency", "--script", str(Path(__file__).with_name("load.lua")), base]
        said = subprocess.run(
            command, env={**os.environ, "REDMAP_BENCH_ASKS": file.name}, capture_output=True, check=True
        )
    return json.loads(said.stdout.splitlines()[-1])


def resident_mb(pid: int) -> float:
    """Memory of a process and its children."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            status = dict(
                line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line
            )
            if int(folder.name) == pid or int(status["PPid"]) == pid:
                total += int(status.get("VmRSS", "0 kB").split()[0]) / 1024
    return total


def shared_mb(pid: int) -> float:
    """Memory of a process and its children, what they share counted once."""
    total = 0
    for one in (pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())):
        rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
        total += int(rollup.split("Pss:", 1)[1].split()[0])
    return total / 1024


def cpu_s(pid: int) -> float:
    """Seconds of computing by a process and all that it began, so far."""
    stats = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = file.read_text().rsplit(")", 1)[1].split()
            stats[int(file.parent.name)] = (int(fields[1]), int(fields[11]) + int(fields[12]))
    family, found = {pid}, -1
    while found != len(family):
        found = len(family)
        family |= {one for one, (parent, _ticks) in stats.items() if parent in family}
    return sum(stats[one][1] for one in family if one in stats) / os.sysconf("SC_CLK_TCK")


def places(count: int) -> list[tuple[float, float]]:
    """Positions near the sample's stations, the same at every run."""
    from geo import pipeline

    _net, inputs = pipeline.load(pipeline.sample_study())
    rng = np.random.default_rng(7)
    rows = inputs.stations.iloc[rng.integers(0, len(inputs.stations), count)]
    lon = rows["lon"].to_numpy(dtype=float) + rng.normal(0, 0.003, count)
    lat = rows["lat"].to_numpy(dtype=float) + rng.normal(0, 0.003, count)
    return [(round(float(x), 6), round(float(y), 6)) for x, y in zip(lon, lat, strict=True)]


def native(at: list[tuple[float, float]]) -> list[dict]:
    return [{"method": "GET", "path": f"/studies/sample/isochrone?lon={x}&lat={y}&minutes=15"} for x, y in at]


def scenarios(at: list[tuple[float, float]], stations: list[str]) -> list[dict]:
    bodies = [
        {"add": [{"lon": x, "lat": y}], "close": [stations[i % len(stations)]]} for i, (x, y) in enumerate(at)
    ]
    return [{"method": "POST", "path": "/studies/sample/scenario", "body": json.dumps(b)} for b in bodies]


def valhalla(at: list[tuple[float, float]], path: str, **how: float) -> list[dict]:
    """The same question to either: by default thinned as Valhalla does, else by ``denoise`` and ``generalize``."""
    return [
        {
            "method": "POST", "path": path,
            "body": json.dumps({
                "locations": [{"lon": x, "lat": y}], "costing": "pedestrian", "contours": [{"time": 15}],
                "costing_options": {"pedestrian": {"walking_speed": 4.0}}, "polygons": True, **how,
            }),
        }
        for x, y in at
    ]  # fmt: skip


def malformed() -> list[dict]:
    return [
        {"method": "POST", "path": "/studies/sample/scenario", "body": '{"add":[{"lon":"x"}]}'},
        {"method": "GET", "path": "/studies/sample/isochrone?lon=nan&lat=999"},
        {"method": "POST", "path": "/ors/v2/isochrones/foot-walking", "body": "{[" * 50},
        {"method": "POST", "path": "/valhalla/isochrone", "body": '{"locations":[{"lat":1e999,"lon":[]}]}'},
        {"method": "GET", "path": "/studies/..%2f..%2fetc/summary"},
    ]


def figures(title: str, told: dict, key: str = "server_ms") -> str:
    ms = np.array(told[key])
    p50, p99 = (float(np.percentile(ms, q)) for q in (50, 99))
    rate = sum(told["statuses"].values()) / told["seconds"]
    sys.stderr.write(f"{title}: {p50:.1f} {p99:.1f} {rate:.0f}/s {told['statuses']}\n")
    return f"| {title} | {p50:.1f} | {p99:.1f} | {rate:,.0f} | {told['statuses']} | {told['lost']} |"


@contextlib.contextmanager
def peer(folder: Path):
    """Valhalla's service on the same graph, from an environment of its own; its address and process, or why there is none."""
    python = shutil.which("python3.12") or shutil.which("python3.13")
    environment = {**os.environ, "PYENV_VERSION": os.environ.get("VALHALLA_PYENV", "3.12.1")}
    if python is None:
        yield "", "needs Python 3.12, which is not here"
        return
    port, bin_ = free_port(), folder / "valhalla" / "bin"
    try:
        subprocess.run(
            [python, "-m", "venv", folder / "valhalla"], check=True, env=environment, capture_output=True
        )
        subprocess.run([bin_ / "pip", "install", "--quiet", VALHALLA], check=True, capture_output=True)
        script = (
            "import json, sys, valhalla; c = valhalla.get_config(tile_extract='', tile_dir=sys.argv[1], verbose=False);"
            "c['mjolnir']['concurrency'] = 2; c['httpd']['service']['listen'] = 'tcp://127.0.0.1:' + sys.argv[2];"
            "json.dump(c, open(sys.argv[3], 'w'))"
        )
        config = folder / "valhalla.json"
        (folder / "tiles").mkdir()
        subprocess.run(
            [bin_ / "python", "-c", script, folder / "tiles", str(port), config],
            check=True,
            capture_output=True,
        )
        tools = {**os.environ, "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}"}
        build = [bin_ / "valhalla_build_tiles", "-c", config, SAMPLE / "roads.osm.pbf"]
        subprocess.run(build, check=True, capture_output=True, env=tools)
    except subprocess.CalledProcessError as error:
        yield "", f"failed: {(error.stderr or b'')[-300:]!r}"
        return
    service = bin_ / "valhalla_service"
    if not service.exists():
        yield "", "the package has no valhalla_service"
        return
    base = f"http://127.0.0.1:{port}"
    with running([str(service), str(config), "2"], f"{base}/status", PATH=tools["PATH"]) as process:
        yield base, process.pid


def beside(who: dict[str, tuple[str, str, int]], what: str, at: list[tuple[float, float]], how: dict) -> str:
    """The same requests to each service (address, path, process), by turns, since the machine is shared: a line of medians."""
    rate, ms = ({name: [] for name in who} for _ in range(2))
    lost = 0
    for turn in range(TURNS + 1):  # the first is to get warm
        for name, (address, path, pid) in who.items():
            before = cpu_s(pid)
            told = offered(address, valhalla(at, path, **how), clients=16, seconds=6.0)
            lost += told["lost"]
            if turn:
                rate[name].append((told["answers"] - told["refused"]) / told["seconds"])
                ms[name].append(1000 * (cpu_s(pid) - before) / told["answers"])
    said = [f"{n} {np.median(rate[n]):,.0f}/s and {np.median(ms[n]):.2f} ms of CPU each" for n in who]
    line = f"15 min isochrones by the same request, {what}, 2 processes each, wrk with 16 connections, medians of {TURNS} turns: "
    line += f"{', '.join(said)}; requests lost: {lost}"
    if len(who) == 2:
        (ours, theirs), (our_ms, their_ms) = map(np.array, rate.values()), map(np.array, ms.values())
        times = np.sort(ours / theirs)
        line += f" (of a turn {np.median(times):.1f} × the requests, {times[0]:.1f} to {times[-1]:.1f}; {np.median(their_ms / our_ms):.1f} × less CPU)"
    return line


def main() -> None:
    """Measure all, write RESULTS-api.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of the run with 200 clients")
    seconds = parser.parse_args().seconds
    at = places(400)
    rows, notes = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        with running(redmap(port, folder / "cache", workers=1), f"{base}/ready") as server:
            with urllib.request.urlopen(f"{base}/ogc/sample/collections/stations/items?limit=500") as body:
                stations = [f["properties"]["station_id"] for f in json.load(body)["features"]]
            one = {"clients": 1, "seconds": 120.0}
            load(base, native(at), **one, most=100)
            load(base, scenarios(at, stations), **one, most=30)
            rows.append(figures("native 15 min isochrone", load(base, native(at), **one, most=1500)))
            rows.append(
                figures(
                    "scenario, one added, one closed", load(base, scenarios(at, stations), **one, most=400)
                )
            )
            with urllib.request.urlopen(f"{base}/embed") as page:
                known = {"If-None-Match": page.headers["ETag"]}
            embed = [{"method": "GET", "path": "/embed", "headers": known}]
            told = offered(base, embed, clients=16, seconds=8.0)
            rate = told["answers"] / told["seconds"]
            notes.append(f"embed that the browser has (304), one worker: {rate:,.0f} requests/s")
            good = native(at) + valhalla(at, "/valhalla/isochrone") + scenarios(at[:150], stations)
            asks = [a for i in range(0, len(good), 19) for a in (*good[i : i + 19], malformed()[i // 19 % 5])]
            np.random.default_rng(3).shuffle(asks)
            memory: list[tuple[float, float]] = []
            start = time.perf_counter()
            told = load(
                base, asks, clients=200, seconds=seconds,
                meanwhile=lambda: memory.append((time.perf_counter() - start, resident_mb(server.pid))),
            )  # fmt: skip
            rows.append(figures(f"200 clients, {seconds:.0f} s, 5 % malformed (whole time)", told, "all_ms"))
            early = np.mean([mb for t, mb in memory if seconds * 0.25 < t < seconds * 0.4])
            late = np.mean([mb for t, mb in memory if seconds * 0.85 < t < seconds])
            notes.append(
                f"memory under 200 clients: {early:.0f} MB after a quarter of the time, {late:.0f} MB at the end "
                f"({late / early - 1:+.1%}); 5xx: {sum(n for s, n in told['statuses'].items() if s >= '500')}, lost: {told['lost']}"
            )
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        with (
            running(redmap(port, folder / "cache", workers=2), f"{base}/ready") as ours,
            peer(folder) as (theirs, process),
        ):
            notes.append(
                f"two workers and the process that they share the study with: {shared_mb(ours.pid):.0f} MB (PSS)"
            )
            who = {"Red Map": (base, "/valhalla/isochrone", ours.pid)}
            if theirs:
                who["valhalla_service"] = (theirs, "/isochrone", process)
            for what, how in (
                ("as by default", {}),
                ("every corner and hole", {"denoise": 0, "generalize": 0}),
            ):
                notes.append(
                    beside(who, what, at, how) + ("" if theirs else f"; valhalla_service: {process}")
                )
                told = load(base, valhalla(at, "/valhalla/isochrone", **how), clients=16, seconds=4.0)
                rows.append(figures(f"Valhalla dialect, {what}, 2 workers, 16 clients", told))
    head = "# The service under load\n\nWritten by `make bench-api`.\n\n"
    head += f"{datetime.now(UTC):%Y-%m-%d} · {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end · "
    head += (
        f"Python {platform.python_version()} · the sample · clients in a second process on the same cores\n\n"
    )
    table = (
        "| what | p50 ms (server) | p99 ms | requests/s | answers | lost |\n|---|---:|---:|---:|---|---:|\n"
    )
    RESULTS.write_text(
        head + table + "\n".join(rows) + "\n\n" + "\n".join(f"- {note}" for note in notes) + "\n"
    )
    sys.stdout.write(RESULTS.read_text())


if __name__ == "__main__":
    main()
