"""What a metre of each edge costs a mode in seconds, and how long crossings with lights hold it up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np

from geo.config import WALK_KMH
from geo.errors import Defect, InputError
from geo.models import F64, MODES, Direction, Mode, RoadNetwork

KMH_PER_MS = 3.6
# Speeds that a network's default speeds stand for (design, section 5); drive has one per road class.
BASE_KMH: Mapping[Mode, float] = {"walk": WALK_KMH, "ebike": 15.0, "bike": 12.0}


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds per metre of each edge from u to v and from v to u; ``inf`` where forbidden.

    ``half_wait_s``: seconds lost at each end of an edge, half of the wait at the lights of its node.
    """

    forward_s_per_m: F64
    backward_s_per_m: F64
    half_wait_s: F64


def edge_costs(network: RoadNetwork, *, mode: Mode, speed_kmh: float | None, signal_wait_s: float) -> Costs:
    """The costs of a mode on every edge; raises as :func:`edge_seconds`."""
    check_options(mode=mode, speed_kmh=speed_kmh, signal_wait_s=signal_wait_s)
    both = []
    for speeds in (network.speed_forward_kmh[mode], network.speed_backward_kmh[mode]):
        if not speed_kmh:
            actual = speeds
        elif mode == "drive":
            actual = np.where(speeds > 0, speed_kmh, 0.0)
        else:
            actual = speeds * (speed_kmh / BASE_KMH[mode])
        with np.errstate(divide="ignore"):
            both.append(KMH_PER_MS / np.maximum(actual, 0.0))
    return Costs(both[0], both[1], np.where(network.node_signal, signal_wait_s / 2.0, 0.0))


def edge_seconds(
    network: RoadNetwork, *, mode: Mode, speed_kmh: float | None = None, signal_wait_s: float = 0.0
) -> tuple[F64, F64]:
    """Seconds along each whole edge, from ``edge_u`` to ``edge_v`` and back; ``inf`` where forbidden.

    ``speed_kmh`` replaces the mode's default speed; edges whose own default differs from it keep
    their proportion. For ``drive``, None or 0 takes each edge's own speed, a number holds on all.
    ``signal_wait_s`` is waited at every node with lights: half of it is charged at each edge end
    there, so a path pays it once for each such node that it passes.

    Raises :class:`geo.errors.InputError` for an unknown mode, a speed or a wait that cannot be.

    >>> from tests.toy import toy_network
    >>> edge_seconds(toy_network([(0, 0), (100, 0)], [(0, 1)]), mode="walk", speed_kmh=6.0)[0].round(6)
    array([60.])
    """
    costs = edge_costs(network, mode=mode, speed_kmh=speed_kmh, signal_wait_s=signal_wait_s)
    wait = costs.half_wait_s[network.edge_u] + costs.half_wait_s[network.edge_v]
    seconds = []
    for s_per_m in (costs.forward_s_per_m, costs.backward_s_per_m):
        allowed = np.isfinite(s_per_m)
        seconds.append(np.where(allowed, network.length_m * np.where(allowed, s_per_m, 0.0) + wait, np.inf))
    return seconds[0], seconds[1]


def check_options(
    *,
    mode: str = "walk",
    speed_kmh: float | None = None,
    signal_wait_s: float = 0.0,
    limit_s: float = 0.0,
    access_speed_kmh: float = WALK_KMH,
    direction: str = "to_station",
) -> None:
    """Refuse options that cannot be, all in one :class:`geo.errors.InputError`."""
    defects = []
    if mode not in MODES:
        defects.append(
            Defect(f"未知方式 {mode!r}，应为 / unknown mode, allowed: {' '.join(MODES)}", key="mode")
        )
    if direction not in get_args(Direction):
        allowed = " ".join(get_args(Direction))
        defects.append(
            Defect(f"未知方向 {direction!r}，应为 / unknown direction, allowed: {allowed}", key="direction")
        )
    per_edge = mode == "drive" and speed_kmh == 0
    if speed_kmh is not None and not per_edge and not (speed_kmh > 0 and math.isfinite(speed_kmh)):
        defects.append(
            Defect(f"速度应大于 0：{speed_kmh} / the speed must be above 0: {speed_kmh}", key="speed_kmh")
        )
    if not (access_speed_kmh > 0 and math.isfinite(access_speed_kmh)):
        found = f"接入速度应大于 0：{access_speed_kmh} / the access speed must be above 0: {access_speed_kmh}"
        defects.append(Defect(found, key="access_speed_kmh"))
    if not (signal_wait_s >= 0 and math.isfinite(signal_wait_s)):
        found = f"等灯时间不能为负：{signal_wait_s} / the wait must not be negative: {signal_wait_s}"
        defects.append(Defect(found, key="signal_wait_s"))
    if not limit_s >= 0:
        found = f"时限不能为负：{limit_s} / the limit must not be negative: {limit_s}"
        defects.append(Defect(found, key="limit_s"))
    if defects:
        raise InputError(defects)
