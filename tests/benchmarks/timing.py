"""Pieces of work that take turns, what a fresh process needs, what a piece of work adds in memory."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNS = 5
BUDGET_S = 20.0
LONG_S = 5.0


class Told(float):
    """Seconds that a piece of work measured by itself, as a server in another process does."""


@dataclass(frozen=True)
class Timing:
    """The median of so many runs."""

    seconds: float
    runs: int


def by_turns(
    works: Mapping[str, Callable[[], object]], *, runs: int = RUNS, budget_s: float = BUDGET_S
) -> dict[str, Timing]:
    """Medians of pieces of work done in turn, A B C A B C ..., each once before, uncounted.

    What has used up its budget sits the later rounds out; a first run of ``LONG_S`` or more counts.
    """
    seconds: dict[str, list[float]] = {name: [] for name in works}
    spent = dict.fromkeys(works, 0.0)
    for turn in range(runs + 1):
        for name, work in works.items():
            if turn > 1 and spent[name] >= budget_s:
                continue
            if turn == 1 and seconds[name] and spent[name] >= budget_s:
                continue
            start = time.perf_counter()
            told = work()
            taken = time.perf_counter() - start
            spent[name] += taken
            if turn or taken >= LONG_S:
                seconds[name].append(float(told) if isinstance(told, Told) else taken)
    return {name: Timing(statistics.median(of), len(of)) for name, of in seconds.items()}


def fresh(code: str, *arguments: str | Path) -> dict:
    """What a fresh Python prints last, as JSON, with the seconds of the whole process.

    ``code`` may be a module of this package: then it is run as ``python -m``.
    """
    how = ["-m", code] if "\n" not in code else ["-c", code]
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *how, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    taken = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
    return json.loads(done.stdout.splitlines()[-1]) | {"process_s": taken}


def resident_mb() -> float:
    """Memory of this process now."""
    return _status("VmRSS") or _peak_of_process()


def peak_mb() -> float:
    """Most memory since :func:`forget_peak` (since the start, where Linux does not tell)."""
    return _status("VmHWM") or _peak_of_process()


def forget_peak() -> None:
    """Begin to watch the peak anew, where Linux allows."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def _status(key: str) -> float:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(key)), 0.0)


def _peak_of_process() -> float:
    per_mb = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / per_mb


def machine() -> str:
    """Processor, cores, memory and system; nothing that names the machine."""
    import platform

    processor = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        processor = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{processor}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"
