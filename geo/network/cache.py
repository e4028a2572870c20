"""A network once built is kept: one file a network, named by what it was made from.

A file is ``MAGIC``, the sum of all that follows as words of 64 bits and the length of a JSON head; the head, which
holds all words and tells the form of each array; and the arrays as they are in memory. Nothing in it is ever run.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import struct
import tempfile
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.models import Chains, Lines, RoadNetwork, Surroundings, Turns

VERSION = 5  # raise it when RoadNetwork, the rules of modes or the form of the file change
MAGIC = b"redmap\r\n"
PREFIX = struct.Struct("<8sQQ")
SUMMED = 16  # bytes before what is summed up
ALIGNED = 64
KINDS = {kind.__name__: kind for kind in (RoadNetwork, Surroundings, Lines, Turns, Chains)}


def cache_key(path: Path, *, area: Any, reach_m: float) -> str:
    """Hash of the file's content, the area, the reach and the format's version."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        digest.update(hashlib.file_digest(file, "sha256").digest())
    digest.update(b"" if area is None else area.wkb)
    digest.update(f"{reach_m!r} {VERSION} {path.suffixes}".encode())
    return digest.hexdigest()[:32]


def load(folder: Path, key: str) -> RoadNetwork | None:
    """The network kept under ``key``; None where there is none, or the file is damaged or not ours."""
    try:
        with _file(folder, key).open("rb") as file:
            if os.fstat(file.fileno()).st_size < PREFIX.size:
                return None
            # a copy on write: arrays may be changed as any others, and the file stays
            data = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY), dtype=np.uint8)
    except OSError:
        return None
    magic, total, size = PREFIX.unpack(data[: PREFIX.size].tobytes())
    if magic != MAGIC or total != _sum(data[SUMMED:]):
        return None
    try:
        head = json.loads(data[PREFIX.size : PREFIX.size + size].tobytes())
        network = _read(head, data, PREFIX.size + size)
    except (ValueError, TypeError, LookupError, AttributeError):  # sound, but of another form
        return None
    return network if isinstance(network, RoadNetwork) else None


def save(folder: Path, key: str, network: RoadNetwork) -> None:
    """Keep ``network`` under ``key``: written aside, then renamed."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: list[NDArray[Any]] = []
    head = json.dumps(_told(network, arrays), ensure_ascii=False).encode()
    parts = [np.frombuffer(struct.pack("<Q", len(head)) + head, dtype=np.uint8)]
    parts += [array.reshape(-1).view(np.uint8) for array in arrays]
    total, at = 0, SUMMED
    handle, name = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.seek(at)
            for part in parts:
                file.write(part.data)
                at += len(part)
                file.write(bytes(-at % ALIGNED))
                at += -at % ALIGNED
                total += _sum(part)
            file.seek(0)
            file.write(MAGIC + struct.pack("<Q", total % 2**64))
        Path(name).replace(_file(folder, key))
    finally:
        Path(name).unlink(missing_ok=True)


def _sum(data: NDArray[np.uint8]) -> int:
    """Of bytes, as words of 64 bits: ten times as fast as a CRC, and damage by a disk or a copy changes it."""
    whole = len(data) - len(data) % 8
    rest = int.from_bytes(data[whole:].tobytes(), "little")
    return (int(data[:whole].view("<u8").sum(dtype=np.uint64)) + rest) % 2**64


def _file(folder: Path, key: str) -> Path:
    return folder / f"network-{key}.arrays"


def _told(value: Any, arrays: list[NDArray[Any]]) -> Any:
    """A value for the head: words as they are, arrays by their form and order."""
    if isinstance(value, np.ndarray):
        arrays.append(np.ascontiguousarray(value))
        return {"array": value.dtype.str, "shape": value.shape}
    if isinstance(value, pd.DataFrame):
        columns = {name: _told_column(value[name], arrays) for name in value.columns}
        return {"table": columns}
    if is_dataclass(value):
        of = {field.name: _told(getattr(value, field.name), arrays) for field in fields(value)}
        return {"kind": type(value).__name__, "of": of}
    if isinstance(value, Mapping):
        return {"map": {key: _told(item, arrays) for key, item in value.items()}}
    if isinstance(value, tuple):
        return list(value)
    return value


def _told_column(column: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        return _told(column.to_numpy(), arrays)
    return {"dtype": str(column.dtype), "items": column.tolist()}


def _read(head: Any, data: NDArray[np.uint8], at: int) -> Any:
    """The value that the head tells; its arrays are parts of ``data`` from ``at`` on, in their order."""

    def value(told: Any) -> Any:
        nonlocal at
        if isinstance(told, list):
            return tuple(told)
        if not isinstance(told, dict):
            return told
        if "array" in told:
            dtype = np.dtype(told["array"])
            if dtype.kind not in "biuf":
                raise ValueError(told["array"])
            at += -at % ALIGNED
            bytes_here = dtype.itemsize * int(np.prod(told["shape"], dtype=np.int64))
            array = data[at : at + bytes_here].view(dtype).reshape(told["shape"])
            at += bytes_here
            return array
        if "items" in told:
            return pd.Series(told["items"], dtype=told["dtype"])
        if "table" in told:
            return pd.DataFrame({name: value(column) for name, column in told["table"].items()})
        if "map" in told:
            return {key: value(item) for key, item in told["map"].items()}
        return KINDS[told["kind"]](**{name: value(item) for name, item in told["of"].items()})

    return value(head)
