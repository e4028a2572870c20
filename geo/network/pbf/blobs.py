"""The outer form of a binary OSM file: a run of compressed blocks.

The format: https://wiki.openstreetmap.org/wiki/PBF_Format.
"""

from __future__ import annotations

import datetime as dt
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geo.network.pbf.kernels import U8, field

MAX_HEADER, MAX_BLOCK = 64 << 10, 32 << 20  # bytes, as the format says
UNDERSTOOD = frozenset({"OsmSchema-V0.6", "DenseNodes"})


class UnreadableError(ValueError):
    """The file is damaged, or not of this format."""


class UncommonError(Exception):
    """Of this format, in a form that is not read here (its compression, its order)."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Where the bytes of a block lie in the file."""

    at: int
    size: int


def blobs_of(path: Path) -> tuple[str, list[Blob]]:
    """Date of the data (ISO or "") and all data blocks of a file, nothing of them unpacked.

    Raises :class:`UnreadableError` and :class:`UncommonError`.
    """
    date, found = None, []
    with path.open("rb") as file:
        while length := file.read(4):
            if len(length) < 4 or (size := struct.unpack(">I", length)[0]) > MAX_HEADER:
                raise UnreadableError("no block header")
            header = file.read(size)
            kind, data_size = _header(np.frombuffer(header, dtype=np.uint8))
            if len(header) < size or not 0 < data_size <= MAX_BLOCK:
                raise UnreadableError("a block header is cut off")
            blob = Blob(file.tell(), data_size)
            if kind == b"OSMHeader":
                date = _date(unpacked(file.read(data_size)))
            else:
                if date is None:
                    raise UnreadableError("data before the file's header")
                if kind == b"OSMData":
                    found.append(blob)
                file.seek(data_size, 1)
        if found and file.seek(0, 2) < found[-1].at + found[-1].size:
            raise UnreadableError("the last block is cut off")
    if date is None:
        raise UnreadableError("no header")
    return date, found


def _header(buf: U8) -> tuple[bytes, int]:
    kind, size, at = b"", 0, 0
    while at < len(buf):
        number, value, begin, at = field(buf, at, len(buf))
        if number == 1:
            kind = buf[begin:value].tobytes()
        elif number == 3:
            size = value
    return kind, size


def unpacked(data: bytes) -> U8:
    """The bytes of a block. Raises :class:`UncommonError` for a compression other than zlib."""
    buf = np.frombuffer(data, dtype=np.uint8)
    at = 0
    while at < len(buf):
        number, value, begin, at = field(buf, at, len(buf))
        if number == 1:
            return buf[begin:value]
        if number == 3:
            inflate = zlib.decompressobj()
            raw = inflate.decompress(data[begin:value], MAX_BLOCK + 1)
            if len(raw) > MAX_BLOCK or not inflate.eof:
                raise UnreadableError("a block is larger than allowed, or cut off")
            return np.frombuffer(raw, dtype=np.uint8)
        if number in {4, 5, 6, 7}:
            raise UncommonError("compression")
    raise UnreadableError("an empty block")


def _date(buf: U8) -> str:
    date, at = "", 0
    while at < len(buf):
        number, value, begin, at = field(buf, at, len(buf))
        if number == 4 and (need := buf[begin:value].tobytes().decode()) not in UNDERSTOOD:
            raise UncommonError(need)
        if number == 32:
            date = dt.datetime.fromtimestamp(value, tz=dt.UTC).date().isoformat()
    return date
