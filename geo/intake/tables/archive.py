"""Zip files (xlsx, zipped layers) looked at before anything is unpacked."""

from __future__ import annotations

import lzma
import re
import struct
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

from geo.config import (
    MAX_ARCHIVE_FILES,
    MAX_PACKING_RATIO,
    MAX_TABLE_BYTES,
    MAX_UNPACKED_BYTES,
    SMALL_UNPACKED_BYTES,
)
from geo.errors import Defect, InputError

CHUNK = 1 << 20
_DAMAGED = (
    BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, EOFError, OSError, ValueError,
    KeyError, struct.error,
)  # fmt: skip
_MB = 2**20


def refuse_large(path: Path) -> None:
    """Refuse a file beyond :data:`geo.config.MAX_TABLE_BYTES`, without reading it."""
    if found := too_large(path):
        raise InputError(found)


def too_large(path: Path) -> list[Defect]:
    """The defect of a file that is too large to be a table, if it is; it is not read."""
    size = path.stat().st_size
    if size <= MAX_TABLE_BYTES:
        return []
    found, most = size // _MB, MAX_TABLE_BYTES // _MB
    message = (
        f"文件有 {found:,} MB，表格最多 {most} MB：请拆成几个文件，或只留下本区的行和用得到的列 / "
        f"{found:,} MB; a table may have {most} MB: split it, or keep the district's rows and the columns needed"
    )
    return [Defect(message, file=path.name)]


def open_archive(path: Path) -> ZipFile:
    """A zip file whose names are plain and whose declared contents are within the limits of the config.

    Raises :class:`geo.errors.InputError` for a damaged one, for names that lead out of it, for a name
    that comes twice, for a password and for what would unpack to more than a list of places can hold.
    """
    try:
        archive = ZipFile(path)
        entries = archive.infolist()
    except _DAMAGED as error:
        message = "压缩文件已损坏，请重新保存或压缩 / damaged zip or workbook; save it again"
        raise InputError(Defect(message, file=path.name)) from error
    defects = [Defect(message, file=path.name) for message in _wrong(entries)]
    if defects:
        archive.close()
        raise InputError(defects)
    return archive


def _wrong(entries: list[ZipInfo]) -> Iterator[str]:
    if len(entries) > MAX_ARCHIVE_FILES:
        yield f"内含 {len(entries):,} 个文件，最多 {MAX_ARCHIVE_FILES:,} / holds {len(entries):,} files"
        return
    names = [entry.filename.replace("\\", "/") for entry in entries]
    outside = [
        n
        for n in names
        if n.startswith("/") or ".." in n.split("/") or re.match(r"[A-Za-z]:", n) or "\0" in n
    ]
    if outside:
        shown = "、".join(outside[:3])
        yield f"文件名指向压缩包之外：{shown}；不予读取 / names that lead out of the archive: refused"
    if len(set(names)) < len(names):
        yield "压缩包里有重名文件；请重新压缩 / the archive holds one name twice; pack it again"
    if any(entry.flag_bits & 1 for entry in entries):
        yield "文件加了密码：请去掉密码后另存 / protected by a password: save it without one"
    unpacked, packed = sum(e.file_size for e in entries), sum(e.compress_size for e in entries)
    ratio = unpacked / max(packed, 1)
    if unpacked > MAX_UNPACKED_BYTES or (unpacked > SMALL_UNPACKED_BYTES and ratio > MAX_PACKING_RATIO):
        size, most = unpacked // _MB, MAX_UNPACKED_BYTES // _MB
        yield (
            f"解开后有 {size:,} MB（压缩比 {ratio:,.0f}），最多 {most} MB、{MAX_PACKING_RATIO} 倍：不像名单；请删去空白行列后另存 / "
            f"unpacks to {size:,} MB (ratio {ratio:,.0f}); at most {most} MB and {MAX_PACKING_RATIO}: no list of "
            "places; delete blank rows and columns and save again"
        )


def chunks(archive: ZipFile, name: str, file: str) -> Generator[bytes]:
    """A member in pieces; its length and checksum prove that its declared size was true."""
    try:
        with archive.open(name) as source:
            while piece := source.read(CHUNK):
                yield piece
    except _DAMAGED as error:
        message = f"压缩文件已损坏（{name}），请重新保存 / damaged zip or workbook; save it again"
        raise InputError(Defect(message, file=file)) from error
