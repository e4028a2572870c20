"""A binary OSM file to the elements that a network is made of, in a district's memory."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np

from geo.models import I32, I64, Bool
from geo.network.elements import FILTER_KEYS, USED_KEYS, Bounds, Elements, Relations
from geo.network.pbf import kernels
from geo.network.pbf.blobs import Blob, UncommonError, UnreadableError, blobs_of, unpacked
from geo.network.pbf.kernels import U8

T = TypeVar("T")
THREADS = 2
AHEAD = 8  # blocks held at once for each thread
PER_DEGREE = 10_000_000  # positions are whole numbers of 1e-7 degrees
# A way is met by those of its nodes that lie this near to the bounds: 5 km and more on land.
MARGIN = PER_DEGREE // 20
NODES, WAYS, RELATIONS = 1, 2, 4


@dataclass(frozen=True, slots=True)
class _Block:
    """A block in outline; words are spelt out only where asked for."""

    buf: U8
    strings: I64
    stops: I64
    groups: I64
    granularity: int
    lat_offset: int
    lon_offset: int

    @classmethod
    def of(cls, data: bytes) -> _Block:
        buf = unpacked(data)
        return cls(buf, *kernels.outline(buf))

    def among(self, keys: Collection[str]) -> U8:
        """Which words are among some: 1 or 0."""
        words = [key.encode() for key in keys]
        letters = np.frombuffer(b"".join(words), dtype=np.uint8)
        start = np.concatenate(([0], np.cumsum([len(word) for word in words])))
        flags: U8 = kernels.match(self.buf, self.strings, self.stops, letters, start)
        return flags

    def spelt(self, numbers: I64) -> dict[int, str]:
        """Number → word, of those asked for."""
        raw = self.buf.tobytes()
        every = np.unique(numbers)
        if len(every) and not 0 <= every[0] <= every[-1] < len(self.strings):
            raise UnreadableError("a word that is not there")
        begin, end = self.strings[every].tolist(), self.stops[every].tolist()
        return {
            n: raw[a:b].decode("utf-8", "replace") for n, a, b in zip(every.tolist(), begin, end, strict=True)
        }

    def tags(self, start: I64, tag: I64) -> list[dict[str, str]]:
        """One dict for each run of tags."""
        keys, values = tag >> 32, tag & 0xFFFFFFFF
        word = self.spelt(np.concatenate((keys, values)))
        # two lists of words, not one of pairs: thousands of tuples would wake the collector
        key, value = [word[k] for k in keys.tolist()], [word[v] for v in values.tolist()]
        return [dict(zip(key[a:b], value[a:b], strict=True)) for a, b in pairwise(start.tolist())]

    def tag_sets(self, start: I64, tag: I64) -> tuple[list[dict[str, str]], I64, I64]:
        """The different sets of the tags that are ever used; which each run of tags has; as which each set is but for its name."""
        used = self.among(USED_KEYS)[tag >> 32] == 1
        start, tag = _left_out(start, tag, used)
        sets, of_run = _different(start, tag)
        ends = np.cumsum([0, *(len(run) // 8 for run in sets)])
        words = np.frombuffer(b"".join(sets), dtype=np.int64)
        nameless, like = _different(*_left_out(ends, words, self.among(("name",))[words >> 32] == 0))
        first = np.empty(len(nameless), dtype=np.int64)
        first[like[::-1]] = np.arange(len(like))[::-1]
        return self.tags(ends, words), of_run, first[like]


def _left_out(start: I64, tag: I64, kept: Bool) -> tuple[I64, I64]:
    """Runs of tags without those that are not kept."""
    return np.concatenate(([0], np.cumsum(kept)))[start], tag[kept]


def _different(start: I64, tag: I64) -> tuple[list[bytes], I64]:
    """The different runs of tags as they come, and which of them each run is."""
    raw, known = tag.tobytes(), dict[bytes, int]()
    of_run = [known.setdefault(raw[a:b], len(known)) for a, b in pairwise((8 * start).tolist())]
    return list(known), np.array(of_run, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Nodes:
    """Nodes of a block near the bounds, ids ascending, and the tagged ones."""

    ids: I64
    x: I32
    y: I32
    first: int
    last: int
    tagged: list[tuple[int, dict[str, str], float, float]]
    more: bool = False  # ways in the same block


@dataclass(frozen=True, slots=True)
class _Ways:
    """Ways of a block that meet the bounds, their tags not spelt out.

    ``at``: where each of their nodes stands among the known, -1 for none. ``words``: the block, where it has any way.
    """

    ids: I64
    start: I64
    ref: I64
    at: I64
    tag_start: I64
    tag: I64
    words: _Block | None
    nodes: bool  # in the same block
    relations: bool


@dataclass(frozen=True, slots=True)
class _Sets:
    """The different sets of tags so far, and of each block which of them its ways have and what they are like."""

    tags: list[dict[str, str]]
    tagged: list[I64]
    like: list[I64]

    def take(self, ways: _Ways) -> _Ways:
        """Spell out the tags of a block; its ways without the block."""
        if ways.words is None:
            return ways
        tags, tagged, like = ways.words.tag_sets(ways.tag_start, ways.tag)
        self.tagged.append(tagged + len(self.tags))
        self.like.append(like + len(self.tags))
        self.tags.extend(tags)
        return replace(ways, words=None)


def read_pbf(path: Path, bounds: Bounds) -> Elements:
    """All elements that may matter within ``bounds``, vertices located.

    Relations are read first, from the end; then nodes and ways as they come. Nodes are kept where they
    lie within the bounds or a little beyond, ways where they use one of those; the few nodes that these
    ways use far outside are looked up in a second pass over the blocks that hold them.

    Raises :class:`geo.network.pbf.blobs.UnreadableError` for a damaged file and
    :class:`geo.network.pbf.blobs.UncommonError` for forms that are not read here.
    """
    try:
        date, blobs = blobs_of(path)
        with path.open("rb") as file:
            relations, last = _relations(file, blobs)
            members = np.array(sorted(relations.water), dtype=np.int64)
            wide = _whole(bounds, MARGIN)
            nodes: list[tuple[Blob, _Nodes]] = []
            ways: list[_Ways] = []
            sets = _Sets([], [], [])
            for blob, part in _each(file, blobs, lambda data: _nodes(data, wide, bounds)):
                if part is None:
                    break
                nodes.append((blob, part))
                if part.more:
                    break
            known = _joined([part for _blob, part in nodes])
            shared = bool(nodes) and nodes[-1][1].more
            tail = blobs[len(nodes) - shared :]
            for blob, found in _each(file, tail, lambda data: _ways(data, members, known[0])):
                if (found.relations and blob not in last) or (
                    found.nodes and not (shared and blob == tail[0])
                ):
                    raise UncommonError("order")
                # spelt out here, one block after the other: Python's threads would only wait for each other
                ways.append(sets.take(found))
            located = _with_missing(file, nodes, ways, known)
    except (ValueError, IndexError, OverflowError, zlib.error) as error:
        raise UnreadableError(str(error)) from error
    tagged = [item for _blob, part in nodes for item in part.tagged]
    at = (
        None
        if located is not known
        else np.concatenate([np.empty(0, dtype=np.int64), *(part.at for part in ways)])
    )
    return _elements(ways, sets, located, at, tagged, relations, date)


def _each(file: BinaryIO, blobs: Sequence[Blob], work: Callable[[bytes], T]) -> Iterator[tuple[Blob, T]]:
    """``work`` on every block, by threads, in order; only a few are held at once."""
    with ThreadPoolExecutor(THREADS) as pool:
        waiting: deque[tuple[Blob, Future[T]]] = deque()
        for blob in blobs:
            file.seek(blob.at)
            waiting.append((blob, pool.submit(work, file.read(blob.size))))
            if len(waiting) > AHEAD * THREADS:
                done, future = waiting.popleft()
                yield done, future.result()
        for done, future in waiting:
            yield done, future.result()


def _whole(bounds: Bounds, margin: int) -> tuple[int, int, int, int]:
    west, south, east, north = (max(-2.0e9, min(2.0e9, value * PER_DEGREE)) for value in bounds)
    return int(west) - margin, int(south) - margin, int(east) + margin, int(north) + margin


def _relations(file: BinaryIO, blobs: Sequence[Blob]) -> tuple[Relations, set[Blob]]:
    """The relations in the last blocks of a file, and those blocks."""
    found, parts = Relations(), list[_Block]()
    for blob in reversed(blobs):
        file.seek(blob.at)
        block = _Block.of(file.read(blob.size))
        if not kernels.holds(block.buf, block.groups) & RELATIONS:
            break
        parts.append(block)
    for block in reversed(parts):
        tag_start, tag, member_start, kind, member = kernels.relations(
            block.buf, block.groups, np.zeros(len(block.strings), dtype=np.uint8)
        )
        role = block.spelt(kind >> 2)
        sort, ids = ["nwr"[k & 3] for k in kind.tolist()], member.tolist()
        roles = [role[k >> 2] for k in kind.tolist()]
        ends = member_start.tolist()
        for i, tags in enumerate(block.tags(tag_start, tag)):
            part = slice(ends[i], ends[i + 1])
            found.take(tags, list(zip(sort[part], roles[part], ids[part], strict=True)))
    return found, set(blobs[len(blobs) - len(parts) :])


def _nodes(data: bytes, wide: tuple[int, int, int, int], bounds: Bounds) -> _Nodes | None:
    block = _Block.of(data)
    has = kernels.holds(block.buf, block.groups)
    if not has & NODES:
        return None
    ids, x, y, row, tag = kernels.nodes(
        block.buf,
        block.groups,
        block.among(FILTER_KEYS),
        block.granularity,
        block.lat_offset,
        block.lon_offset,
    )
    tagged = []
    if len(row):
        west, south, east, north = bounds
        rows, first = np.unique(row, return_index=True)
        lon, lat = x[rows] / PER_DEGREE, y[rows] / PER_DEGREE
        inside = (west <= lon) & (lon <= east) & (south <= lat) & (lat <= north)
        if inside.any():
            tags = block.tags(np.append(first, len(row)), tag)
            places = zip(ids[rows].tolist(), tags, lon.tolist(), lat.tolist(), strict=True)
            tagged = [place for place, keep in zip(places, inside.tolist(), strict=True) if keep]
    near: Bool = (x >= wide[0]) & (x <= wide[2]) & (y >= wide[1]) & (y <= wide[3])
    span = (int(ids.min()), int(ids.max())) if len(ids) else (0, -1)
    return _Nodes(ids[near], x[near], y[near], *span, tagged, more=has != NODES)


def _ways(data: bytes, members: I64, known: I64) -> _Ways:
    block = _Block.of(data)
    has = kernels.holds(block.buf, block.groups)
    ids, tag_start, tag, ref_start, ref = kernels.ways(
        block.buf, block.groups, block.among(FILTER_KEYS), members
    )
    at = _places(known, ref)
    met = np.append(0, np.cumsum(at >= 0))
    keep = met[ref_start[1:]] > met[ref_start[:-1]]
    size = np.diff(ref_start)[keep]
    start = np.concatenate(([0], np.cumsum(size)))
    source = np.repeat(ref_start[:-1][keep] - start[:-1], size) + np.arange(start[-1])
    kept = np.flatnonzero(keep)
    runs = np.repeat(tag_start[kept], np.diff(tag_start)[kept])
    tag_ends = np.concatenate(([0], np.cumsum(np.diff(tag_start)[kept])))
    runs += np.arange(len(runs)) - np.repeat(tag_ends[:-1], np.diff(tag_ends))
    return _Ways(
        ids[keep], start, ref[source], at[source], tag_ends, tag[runs], block if len(kept) else None,
        nodes=bool(has & NODES), relations=bool(has & RELATIONS),
    )  # fmt: skip


def _places(known: I64, ref: I64) -> I64:
    """Where each id stands among the known ones, ascending; -1 for one that is not there."""
    if len(known) == 0:
        return np.full(len(ref), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(known, ref), len(known) - 1)
    places: I64 = np.where(known[at] == ref, at, -1)
    return places


def _joined(parts: Sequence[_Nodes]) -> tuple[I64, I32, I32]:
    ids = np.concatenate([np.empty(0, dtype=np.int64), *(part.ids for part in parts)])
    x = np.concatenate([np.empty(0, dtype=np.int32), *(part.x for part in parts)])
    y = np.concatenate([np.empty(0, dtype=np.int32), *(part.y for part in parts)])
    if len(ids) > 1 and not (ids[1:] > ids[:-1]).all():
        order = np.argsort(ids, kind="stable")
        ids, x, y = ids[order], x[order], y[order]
    return ids, x, y


def _with_missing(
    file: BinaryIO, nodes: Sequence[tuple[Blob, _Nodes]], ways: Sequence[_Ways], known: tuple[I64, I32, I32]
) -> tuple[I64, I32, I32]:
    """The known nodes and those that the ways use beyond them."""
    missing = np.unique(
        np.concatenate([np.empty(0, dtype=np.int64), *(part.ref[part.at < 0] for part in ways)])
    )
    if len(missing) == 0:
        return known
    wanted = [
        blob
        for blob, part in nodes
        if np.searchsorted(missing, part.first) < np.searchsorted(missing, part.last, side="right")
    ]
    everywhere = _whole((-180.0, -90.0, 180.0, 90.0), 0)
    nowhere = (np.inf, np.inf, -np.inf, -np.inf)
    more = [
        part
        for _blob, part in _each(
            file, wanted, lambda data: _picked(_nodes(data, everywhere, nowhere), missing)
        )
    ]
    return _joined([_Nodes(*known, 0, 0, []), *more])


def _picked(part: _Nodes | None, wanted: I64) -> _Nodes:
    assert part is not None
    keep = _places(wanted, part.ids) >= 0
    return _Nodes(part.ids[keep], part.x[keep], part.y[keep], part.first, part.last, [])


def _elements(
    ways: Sequence[_Ways],
    sets: _Sets,
    known: tuple[I64, I32, I32],
    at: I64 | None,
    tagged: list[tuple[int, dict[str, str], float, float]],
    relations: Relations,
    date: str,
) -> Elements:
    """``at``: where each node of the ways stands among the known, where that has been found already."""
    ids, x, y = known
    ref = np.concatenate([np.empty(0, dtype=np.int64), *(part.ref for part in ways)])
    size = np.concatenate([np.empty(0, dtype=np.int64), *(np.diff(part.start) for part in ways)])
    at = _places(ids, ref) if at is None else at
    located = at >= 0
    way = np.repeat(np.arange(len(size)), size)[located]
    return Elements(
        way_id=np.concatenate([np.empty(0, dtype=np.int64), *(part.ids for part in ways)]),
        tags=sets.tags,
        tagged=np.concatenate([np.empty(0, dtype=np.int64), *sets.tagged]),
        like=np.concatenate([np.empty(0, dtype=np.int64), *sets.like]),
        start=np.concatenate(([0], np.cumsum(np.bincount(way, minlength=len(size))))).astype(np.int64),
        ref=ref[located],
        lon=x[at[located]] / PER_DEGREE,
        lat=y[at[located]] / PER_DEGREE,
        nodes=tagged,
        relations=relations,
        date=date,
    )
