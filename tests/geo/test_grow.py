"""Sets of bits that put edges in order."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.travel_times.grow import _ascending

MOST = 40_000


@settings(deadline=None)
@given(st.sets(st.integers(0, MOST - 1) | st.sampled_from([0, 63, 64, 4095, 4096, MOST - 1]), max_size=60))
def test_bits_come_out_ascending_and_are_clear_again(numbers):
    words = np.zeros(MOST // 64 + 1, dtype=np.uint64)
    whole = np.zeros(len(words) // 64 + 1, dtype=np.uint64)
    for n in numbers:
        words[n >> 6] |= np.uint64(1) << np.uint64(n & 63)
        whole[n >> 12] |= np.uint64(1) << np.uint64((n >> 6) & 63)
    found = np.full(len(numbers) + 1, -7, dtype=np.int32)
    tops = [n >> 12 for n in numbers]
    count = _ascending(words, whole, min(tops, default=0), max(tops, default=-1), found)
    assert found[:count].tolist() == sorted(numbers)
    assert found[-1] == -7
    assert not words.any()
    assert not whole.any()
