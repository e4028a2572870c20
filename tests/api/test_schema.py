"""The OpenAPI document and the service agree: schemathesis asks every operation, good requests and bad ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.api.test_dialects import server  # noqa: F401 - the live server

CONFIG = Path(__file__).with_name("schemathesis.toml")
EACH = 15  # requests of each operation, beside those that cover its schema


def test_every_operation_by_every_check(server):  # noqa: F811
    command = [
        sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "--config-file", CONFIG,
        "run", f"{server}/openapi.json", "--phases", "examples,coverage,fuzzing", "--checks", "all",
        "--max-examples", str(EACH), "--seed", "1", "--no-color",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
