"""Work shared out to threads: all of it, in order, and an end at the first error."""

from __future__ import annotations

import threading
import time

import pytest

from geo.compiled import in_chunks


@pytest.fixture(autouse=True)
def four_cores(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 4)


def test_every_item_is_done_once_and_in_order():
    for count in (0, 1, 2, 7, 100, 1001):
        parts = in_chunks(count, 1, lambda first, last: list(range(first, last)))
        assert [i for part in parts for i in part] == list(range(count))


def test_more_than_one_thread_works():
    seen = set()

    def work(first, last):
        seen.add(threading.get_ident())
        time.sleep(0.01)

    in_chunks(32, 1, work)
    assert len(seen) > 1


@pytest.mark.parametrize("error", [ValueError, IndexError, KeyboardInterrupt])
def test_an_error_ends_the_work_and_is_told(error):
    begun = []

    def work(first, last):
        begun.append(first)
        if first == 2:
            raise error("stop")
        time.sleep(0.02)

    with pytest.raises(error, match="stop"):
        in_chunks(16, 1, work)
    assert len(begun) < 16
