"""A small helping of the fuzzer; `python -m tests.fuzz` runs the whole of it."""

from __future__ import annotations

import pytest

from tests import fuzz


@pytest.mark.slow
def test_tables_are_understood_or_refused_in_words():
    outcomes, failures = fuzz.run(150, 20261123)
    assert not failures
    assert outcomes["read"] > 40
    assert outcomes["refused"] > 20


def test_the_same_seed_makes_the_same_tables():
    first, second = (list(fuzz.tables(12, 5)) for _ in range(2))
    assert [t[:2] for t in first] == [t[:2] for t in second]
    texts = [t for t in zip(first, second, strict=True) if t[0][1].endswith(".csv")]
    assert all(a[2] == b[2] for a, b in texts)
