"""Threads that compute for one event loop: all answers come, each to who asked."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from api.background import Background


@pytest.mark.parametrize("threads", [1, 3])
def test_every_answer_comes_to_who_asked(threads):
    async def ask(background, i):
        if i % 7 == 3:
            with pytest.raises(ZeroDivisionError):
                await background.run(divmod, i, 0)
            return -i
        return await background.run(pow, i, 2)

    async def main():
        background = Background(threads)
        try:
            return await asyncio.gather(*(ask(background, i) for i in range(2000)))
        finally:
            background.end()

    assert asyncio.run(main()) == [-i if i % 7 == 3 else i * i for i in range(2000)]


def test_the_loop_goes_on_and_the_threads_end():
    async def main():
        background, gate = Background(2), threading.Event()
        waits = asyncio.create_task(background.run(gate.wait, 30))
        assert await background.run(pow, 2, 2) == 4  # the other thread
        assert not waits.done()
        gate.set()
        assert await waits
        background.end()
        return background.threads

    for thread in asyncio.run(main()):
        thread.join(10)
        assert not thread.is_alive()


def test_the_end_leaves_nothing_to_come():
    """What ends idle schedules nothing more, so that it may end after its loop as well."""

    async def begun():
        return Background(1)

    background = asyncio.run(begun())
    background.end()
    background.threads[0].join(10)
    assert not background.threads[0].is_alive()


def test_what_is_asked_at_once_is_shared_out():
    """One thread waits for the other: asked in one turn of the loop, both must have been woken."""

    async def main():
        background, met = Background(2), threading.Barrier(2)
        for _ in range(50):
            await asyncio.gather(*(background.run(met.wait, 30) for _ in range(2)))
        background.end()

    asyncio.run(main())


def test_an_answer_is_not_kept_till_a_long_one_is_done():
    async def main():
        background, gate = Background(1), threading.Event()
        quick = asyncio.create_task(background.run(pow, 2, 3))
        slow = asyncio.create_task(background.run(gate.wait, 30))
        await asyncio.sleep(0.5)
        told = quick.done()
        gate.set()
        await asyncio.gather(quick, slow)
        background.end()
        return told

    assert asyncio.run(main())


def test_who_no_longer_waits_is_not_told():
    async def main():
        background, gate = Background(1), threading.Event()
        given_up = asyncio.create_task(background.run(gate.wait, 30))
        await asyncio.sleep(0)
        given_up.cancel()
        gate.set()
        assert await background.run(pow, 2, 3) == 8
        background.end()

    asyncio.run(main())


def test_work_that_outlives_its_loop_ends_quietly():
    gate = threading.Event()

    async def main():
        background = Background(1)
        task = asyncio.create_task(background.run(gate.wait, 30))
        await asyncio.sleep(0.05)
        task.cancel()
        background.end()
        return background.threads[0]

    thread = asyncio.run(main())
    gate.set()
    thread.join(10)
    assert not thread.is_alive()
    time.sleep(0)  # an exception of the thread would be a warning, and so an error
