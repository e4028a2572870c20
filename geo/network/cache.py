"""A network once built is kept: one file a network, named by what it was made from."""

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
from pathlib import Path
from typing import Any

from geo.models import RoadNetwork

VERSION = 4  # raise it when RoadNetwork or the rules of modes change


def cache_key(path: Path, *, area: Any, reach_m: float) -> str:
    """Hash of the file's content, the area, the reach and the format's version."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        digest.update(hashlib.file_digest(file, "sha256").digest())
    digest.update(b"" if area is None else area.wkb)
    digest.update(f"{reach_m!r} {VERSION} {path.suffixes}".encode())
    return digest.hexdigest()[:32]


def load(folder: Path, key: str) -> RoadNetwork | None:
    """The network kept under ``key``; None where there is none or it is damaged."""
    file = folder / f"network-{key}.pickle"
    try:
        network = pickle.loads(file.read_bytes())  # noqa: S301 - written by ourselves into the user's own cache
    except (OSError, pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, ValueError):
        return None
    return network if isinstance(network, RoadNetwork) else None


def save(folder: Path, key: str, network: RoadNetwork) -> None:
    """Keep ``network`` under ``key``: written aside, then renamed."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder)
    with os.fdopen(handle, "wb") as file:
        pickle.dump(network, file, protocol=5)
    Path(name).replace(folder / f"network-{key}.pickle")
