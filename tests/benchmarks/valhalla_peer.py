"""Valhalla in a Python of its own (its wheels need 3.12): an environment kept in the cache, a server in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.benchmarks.timing import ROOT

VERSION = "3.9.1"
CACHE = ROOT / ".redmap-cache" / "bench"


class NoValhallaError(Exception):
    """Why there is no Valhalla here."""


def environment() -> Path:
    """The Python of the environment, made on the first call."""
    folder = CACHE / f"valhalla-{VERSION}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if (folder / "ready").is_file():
        return python
    base = _python()
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    install = [python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", f"pyvalhalla=={VERSION}"]
    for command in ([base, "-m", "venv", folder], install):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoValhallaError(((done.stderr or done.stdout).strip().splitlines() or ["?"])[-1])
    (folder / "ready").touch()
    return python


def _python() -> str:
    names = [sys.executable, *(shutil.which(f"python3.{minor}") or "" for minor in range(12, 16))]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    names += sorted(map(str, pyenv.glob("3.1[2-9]*/bin/python3")))
    check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))"
    for name in filter(None, names):
        # the shims of pyenv are found but fail
        if subprocess.run([name, "-c", check], capture_output=True, check=False).returncode == 0:
            return name
    raise NoValhallaError("pyvalhalla needs Python 3.12 or later, and there is none here")


class Valhalla:
    """A Valhalla with one set of tiles, in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [environment(), "-P", Path(__file__).with_name("valhalla_server.py"), folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __call__(self, *question: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise NoValhallaError(f"it died with exit code {self._process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise NoValhallaError(answer["error"])
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()
