"""HiGHS made ready: one thread, a fixed seed, no word on standard output."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import highspy

AWAY = 1e-6  # of a bound: what a solver's tolerances may put between it and the plan


def solver(seconds: float, *, absolute_gap: float) -> Any:
    """A solver that stops after ``seconds`` and gives the same answer on every machine that is fast enough."""
    _say_nothing_first()
    made: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, setting in (
        ("output_flag", False), ("parallel", "off"), ("random_seed", 0), ("mip_rel_gap", 0.0),
        ("time_limit", max(seconds, 0.01)), ("mip_abs_gap", absolute_gap),
    ):  # fmt: skip
        made.setOptionValue(option, setting)
    return made


def adds_up(value: float, bound: float, *, gap: float) -> bool:
    """Whether a plan that is called optimal is worth, to within ``gap``, what no plan exceeds.

    HiGHS 1.16 may solve a model, tell the optimum's bound and give back the start in its place: ask it again from none.
    """
    return bound - value <= gap + AWAY * max(1.0, abs(bound))


def end_threads() -> None:
    """End the threads that HiGHS keeps between solves, before a fork: a child would wait for them for ever."""
    highspy.Highs.resetGlobalScheduler(True)


@cache
def _say_nothing_first() -> None:
    """Let HiGHS 1.16 print its banner, as it does once a process before any option can be set, into nothing.

    It goes to the descriptor, past ``sys.stdout``: JSON on standard output would be no JSON.
    """
    try:
        kept = os.dup(1)
    except OSError:  # no standard output at all
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 1)
        highspy.Highs()  # type: ignore[no-untyped-call]
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nothing)
