"""Compiled: protocol buffers of OSM blocks to arrays.

The format: https://wiki.openstreetmap.org/wiki/PBF_Format. A message is a run of fields, each a key
``number << 3 | type`` and a value; type 0 is a varint (seven bits a byte, low ones first), type 2 a run of
bytes with its length before it. Signed numbers are zigzag-coded, positions and references delta-coded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.compiled import kernel
from geo.models import I32, I64

U8 = NDArray[np.uint8]
ZERO: Any = np.int64(0)
ONE: Any = np.int64(1)
DAMAGED = "a block ends within a value"


@kernel
def varint(buf: U8, at: int, end: int) -> tuple[int, int]:
    """A number and where the next one begins."""
    value, shift = ZERO, ZERO
    while at < end and shift < 64:
        byte = np.int64(buf[at])
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError(DAMAGED)


@kernel
def _signed(value: int) -> int:
    return ((value >> 1) & 0x7FFFFFFFFFFFFFFF) ^ -(value & 1)


@kernel
def field(buf: U8, at: int, end: int) -> tuple[int, int, int, int]:
    """Number of a field, its value (of a varint) or the end of its bytes, and where they begin, where next."""
    key, at = varint(buf, at, end)
    kind = key & 7
    if kind == 0:
        value, after = varint(buf, at, end)
        return key >> 3, value, at, after
    if kind == 2:
        length, at = varint(buf, at, end)
        after = at + length
    elif kind == 1:
        after = at + 8
    elif kind == 5:
        after = at + 4
    else:
        after = end + 1
    if after > end or after < at:
        raise ValueError(DAMAGED)
    return key >> 3, after, at, after


@kernel
def outline(buf: U8) -> tuple[I64, I64, I64, int, int, int]:
    """Of a block: begins and ends of its strings and begins of groups; granularity, offsets of lat and lon.

    ``groups`` holds begin and end by turns.
    """
    size = len(buf)
    strings, many = np.empty(1024, dtype=np.int64), ZERO
    stops = np.empty(1024, dtype=np.int64)
    groups, count = np.empty(64, dtype=np.int64), ZERO
    granularity, lat_offset, lon_offset = ONE * 100, ZERO, ZERO
    at = ZERO
    while at < size:
        number, value, begin, at = field(buf, at, size)
        if number == 1:
            inner = begin
            while inner < value:
                which, stop, first, inner = field(buf, inner, value)
                if which == 1:
                    if many == len(strings):
                        strings, stops = _longer(strings, many), _longer(stops, many)
                    strings[many], stops[many] = first, stop
                    many += 1
        elif number == 2:
            if count + 2 > len(groups):
                groups = _longer(groups, count)
            groups[count], groups[count + 1] = begin, value
            count += 2
        elif number == 17:
            granularity = value
        elif number == 19:
            lat_offset = value
        elif number == 20:
            lon_offset = value
    return strings[:many], stops[:many], groups[:count], granularity, lat_offset, lon_offset


@kernel
def _longer(values: I64, used: int) -> I64:
    more = np.empty(2 * len(values), dtype=np.int64)
    for k in range(used):
        more[k] = values[k]
    return more


@kernel
def match(buf: U8, strings: I64, stops: I64, words: U8, word_start: I64) -> U8:
    """Which strings are among some words (``words[word_start[i]:word_start[i + 1]]``): 1 or 0."""
    found = np.zeros(len(strings), dtype=np.uint8)
    for s in range(len(strings)):
        length = stops[s] - strings[s]
        for w in range(len(word_start) - 1):
            if word_start[w + 1] - word_start[w] != length:
                continue
            same = True
            for k in range(length):
                if buf[strings[s] + k] != words[word_start[w] + k]:
                    same = False
                    break
            if same:
                found[s] = 1
                break
    return found


@kernel
def _tag(wanted: U8, key: int, word: int) -> int:
    """A tag as one number. Raises ``ValueError`` for words that are not there."""
    if not (0 <= key < len(wanted) and 0 <= word < len(wanted)):
        raise ValueError(DAMAGED)
    return key << 32 | word


@kernel
def _packed(buf: U8, begin: int, end: int) -> Any:
    """How many varints a run of bytes holds."""
    count = ZERO
    for at in range(begin, end):
        if buf[at] < 0x80:
            count += 1
    return count


@kernel
def nodes(
    buf: U8, groups: I64, wanted: U8, granularity: int, lat_offset: int, lon_offset: int,
) -> tuple[I64, I32, I32, I64, I64]:  # fmt: skip
    """Ids and positions (1e-7 degrees) of the nodes of a block; of those with a wanted key (row, key, value).

    The last two: rows of the nodes with tags, a row for each tag, and the tags as key << 32 | value.
    """
    total = ZERO
    for g in range(0, len(groups), 2):
        at = groups[g]
        while at < groups[g + 1]:
            number, value, begin, at = field(buf, at, groups[g + 1])
            if number == 1:
                total += 1
            elif number == 2:
                inner = begin
                while inner < value:
                    which, stop, first, inner = field(buf, inner, value)
                    if which == 1:
                        total += _packed(buf, first, stop)
    ids, x, y = np.empty(total, np.int64), np.empty(total, np.int32), np.empty(total, np.int32)
    row, tag, tags = np.empty(64, dtype=np.int64), np.empty(64, dtype=np.int64), ZERO
    used = ZERO
    for g in range(0, len(groups), 2):
        at = groups[g]
        while at < groups[g + 1]:
            number, value, begin, at = field(buf, at, groups[g + 1])
            if number == 2:
                id_at = id_end = lat_at = lat_end = lon_at = lon_end = kv_at = kv_end = begin
                inner = begin
                while inner < value:
                    which, stop, first, inner = field(buf, inner, value)
                    if which == 1:
                        id_at, id_end = first, stop
                    elif which == 8:
                        lat_at, lat_end = first, stop
                    elif which == 9:
                        lon_at, lon_end = first, stop
                    elif which == 10:
                        kv_at, kv_end = first, stop
                here, lat, lon = ZERO, ZERO, ZERO
                while id_at < id_end:
                    step, id_at = varint(buf, id_at, id_end)
                    here += _signed(step)
                    step, lat_at = varint(buf, lat_at, lat_end)
                    lat += _signed(step)
                    step, lon_at = varint(buf, lon_at, lon_end)
                    lon += _signed(step)
                    ids[used] = here
                    x[used] = (lon * granularity + lon_offset) // 100
                    y[used] = (lat * granularity + lat_offset) // 100
                    before, wants = tags, False
                    while kv_at < kv_end:
                        key, kv_at = varint(buf, kv_at, kv_end)
                        if key == 0:
                            break
                        word, kv_at = varint(buf, kv_at, kv_end)
                        if tags == len(row):
                            row, tag = _longer(row, tags), _longer(tag, tags)
                        row[tags], tag[tags] = used, _tag(wanted, key, word)
                        tags += 1
                        wants |= wanted[key] > 0
                    if not wants:
                        tags = before
                    used += 1
            elif number == 1:
                inner = begin
                key_at = key_end = val_at = val_end = begin
                while inner < value:
                    which, stop, first, inner = field(buf, inner, value)
                    if which == 1:
                        ids[used] = _signed(stop)
                    elif which == 8:
                        y[used] = (_signed(stop) * granularity + lat_offset) // 100
                    elif which == 9:
                        x[used] = (_signed(stop) * granularity + lon_offset) // 100
                    elif which == 2:
                        key_at, key_end = first, stop
                    elif which == 3:
                        val_at, val_end = first, stop
                before, wants = tags, False
                while key_at < key_end:
                    key, key_at = varint(buf, key_at, key_end)
                    word, val_at = varint(buf, val_at, val_end)
                    if tags == len(row):
                        row, tag = _longer(row, tags), _longer(tag, tags)
                    row[tags], tag[tags] = used, _tag(wanted, key, word)
                    tags += 1
                    wants |= wanted[key] > 0
                if not wants:
                    tags = before
                used += 1
    return ids, x, y, row[:tags], tag[:tags]


@kernel
def ways(
    buf: U8, groups: I64, wanted: U8, members: I64
) -> tuple[I64, I64, I64, I64, I64]:  # fmt: skip
    """Of the ways of a block that have a wanted key or are among ``members`` (ascending ids).

    Ids; begins and an end of the tags of each; tags as key << 32 | value; the same for node references.
    """
    ids, tag_start, ref_start = (
        np.empty(256, dtype=np.int64), np.empty(257, dtype=np.int64), np.empty(257, dtype=np.int64),
    )  # fmt: skip
    tag, ref = np.empty(1024, dtype=np.int64), np.empty(4096, dtype=np.int64)
    count, tags, refs = ZERO, ZERO, ZERO
    tag_start[0] = ref_start[0] = 0
    for g in range(0, len(groups), 2):
        at = groups[g]
        while at < groups[g + 1]:
            number, value, begin, at = field(buf, at, groups[g + 1])
            if number != 3:
                continue
            inner, here = begin, ZERO
            key_at = key_end = val_at = val_end = ref_at = ref_end = begin
            while inner < value:
                which, stop, first, inner = field(buf, inner, value)
                if which == 1:
                    here = stop
                elif which == 2:
                    key_at, key_end = first, stop
                elif which == 3:
                    val_at, val_end = first, stop
                elif which == 8:
                    ref_at, ref_end = first, stop
            before, wants = tags, False
            while key_at < key_end:
                key, key_at = varint(buf, key_at, key_end)
                word, val_at = varint(buf, val_at, val_end)
                if tags == len(tag):
                    tag = _longer(tag, tags)
                tag[tags] = _tag(wanted, key, word)
                tags += 1
                wants |= wanted[key] > 0
            if not wants and len(members):
                k = np.searchsorted(members, here)
                wants = k < len(members) and members[k] == here
            if not wants:
                tags = before
                continue
            node = ZERO
            while ref_at < ref_end:
                step, ref_at = varint(buf, ref_at, ref_end)
                node += _signed(step)
                if refs == len(ref):
                    ref = _longer(ref, refs)
                ref[refs] = node
                refs += 1
            if count == len(ids):
                ids = _longer(ids, count)
            if count + 1 == len(tag_start):
                tag_start, ref_start = _longer(tag_start, count + 1), _longer(ref_start, count + 1)
            ids[count] = here
            count += 1
            tag_start[count], ref_start[count] = tags, refs
    return ids[:count], tag_start[: count + 1], tag[:tags], ref_start[: count + 1], ref[:refs]


@kernel
def relations(buf: U8, groups: I64, wanted: U8) -> tuple[I64, I64, I64, I64, I64]:
    """Begins of the tags of all relations of a block, tags (key << 32 | value); the same for members.

    ``wanted`` is as long as there are words. Of each member: role << 2 | type, and its id.
    """
    tag_start, member_start = np.empty(257, dtype=np.int64), np.empty(257, dtype=np.int64)
    tag, kind, member = np.empty(512, np.int64), np.empty(512, np.int64), np.empty(512, np.int64)
    count, tags, members = ZERO, ZERO, ZERO
    tag_start[0] = member_start[0] = 0
    for g in range(0, len(groups), 2):
        at = groups[g]
        while at < groups[g + 1]:
            number, value, begin, at = field(buf, at, groups[g + 1])
            if number != 4:
                continue
            inner = begin
            key_at = key_end = val_at = val_end = begin
            role_at = role_end = id_at = id_end = type_at = type_end = begin
            while inner < value:
                which, stop, first, inner = field(buf, inner, value)
                if which == 2:
                    key_at, key_end = first, stop
                elif which == 3:
                    val_at, val_end = first, stop
                elif which == 8:
                    role_at, role_end = first, stop
                elif which == 9:
                    id_at, id_end = first, stop
                elif which == 10:
                    type_at, type_end = first, stop
            while key_at < key_end:
                key, key_at = varint(buf, key_at, key_end)
                word, val_at = varint(buf, val_at, val_end)
                if tags == len(tag):
                    tag = _longer(tag, tags)
                tag[tags] = _tag(wanted, key, word)
                tags += 1
            here = ZERO
            while id_at < id_end:
                step, id_at = varint(buf, id_at, id_end)
                here += _signed(step)
                role, role_at = varint(buf, role_at, role_end)
                sort, type_at = varint(buf, type_at, type_end)
                if members == len(kind):
                    kind, member = _longer(kind, members), _longer(member, members)
                kind[members], member[members] = role << 2 | sort, here
                members += 1
            if count + 1 == len(tag_start):
                tag_start, member_start = _longer(tag_start, count + 1), _longer(member_start, count + 1)
            count += 1
            tag_start[count], member_start[count] = tags, members
    return (
        tag_start[: count + 1], tag[:tags], member_start[: count + 1], kind[:members], member[:members],
    )  # fmt: skip


@kernel
def holds(buf: U8, groups: I64) -> Any:
    """What a block holds: bit 0 nodes, bit 1 ways, bit 2 relations."""
    found = ZERO
    for g in range(0, len(groups), 2):
        at = groups[g]
        while at < groups[g + 1]:
            number, _value, _begin, at = field(buf, at, groups[g + 1])
            if number in {1, 2}:
                found |= 1
            elif number == 3:
                found |= 2
            elif number == 4:
                found |= 4
    return found
