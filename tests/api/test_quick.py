"""Where answers are computed: quick ones on the event loop, any other in a thread."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from api.quick import QUICK_S, Pace


def spin(seconds):
    """Compute for so long."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass
    return threading.current_thread()


def test_the_first_of_a_kind_and_slow_ones_take_a_thread():
    async def ask():
        pace, here = Pace(), threading.current_thread()
        where = [await pace.run("quick", lambda: spin(0)) is here for _ in range(3)]
        assert where == [False, True, True]
        await pace.run("quick", lambda: spin(2 * QUICK_S))
        assert await pace.run("quick", lambda: spin(0)) is not here
        assert await pace.run("other", lambda: spin(0)) is not here

    asyncio.run(ask())


def test_one_slow_answer_is_forgotten_in_the_end():
    pace = Pace()
    pace.took("walk", 4 * QUICK_S)
    turns = 0
    while not pace.quick("walk"):
        pace.took("walk", 0.0)
        turns += 1
    assert 20 < turns < 200


def test_errors_are_raised_and_counted():
    async def ask():
        pace = Pace()
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                await pace.run("kind", lambda: 1 // 0)
        assert pace.quick("kind")

    asyncio.run(ask())


def test_kinds_do_not_pile_up(monkeypatch):
    monkeypatch.setattr("api.quick.MOST_KINDS", 10)
    pace = Pace()
    for kind in range(100):
        pace.took(kind, 0.0)
    assert len(pace._longest) <= 10
