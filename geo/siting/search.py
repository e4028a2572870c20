"""Good plans fast: lazy greedy, then the best swap of one site until none gains."""

from __future__ import annotations

import heapq
from time import perf_counter

import numpy as np
from scipy import sparse

from geo.models import F64, I64, Bool
from geo.siting.problem import Problem

MAX_SWAPS = 500
KICKS = 100
KICK_WORK = 2e7  # pairs of site and row looked at, about: fewer kicks for large problems
MAX_KICK = 6  # sites dropped at once
GOOD = 10  # candidates that a dropped site's successor is drawn from


def greedy(covers: sparse.csr_array, weight: F64, *, add: int, among: I64 | None = None) -> tuple[I64, F64]:
    """Candidates by marginal gain, the largest first, and their gains; ties: the lower number.

    Lazy (Minoux 1978): gains only fall, so a candidate is weighed again when it comes to the top.
    Candidates that gain nothing are left out.
    """
    left = weight.copy()
    of = np.arange(covers.shape[0]) if among is None else among
    gains = covers[of] @ left
    heap = [(-gain, int(j), 0) for gain, j in zip(gains.tolist(), of.tolist(), strict=True) if gain > 0]
    heapq.heapify(heap)
    chosen: list[int] = []
    marginal: list[float] = []
    while heap and len(chosen) < add:
        _, j, weighed = heapq.heappop(heap)
        rows = covers.indices[covers.indptr[j] : covers.indptr[j + 1]]
        gain = float(left[rows].sum())
        if gain <= 0:
            continue
        # Weighed afresh in every round: a sum differs in its last bits with the order of its terms.
        if weighed == len(chosen) + 1 or not heap or (-gain, j) < heap[0][:2]:
            left[rows] = 0.0
            chosen.append(j)
            marginal.append(gain)
        else:
            heapq.heappush(heap, (-gain, j, len(chosen) + 1))
    return np.array(chosen, dtype=np.int64), np.array(marginal)


def covered_weight(of: Problem, plan: I64) -> float:
    """The weight of the rows that a plan covers."""
    return float(of.weight[covered_rows(of, plan)].sum())


def covered_rows(of: Problem, plan: I64) -> Bool:
    """Which rows a plan covers."""
    hit = np.zeros(len(of.weight), dtype=np.bool_)
    for j in plan:
        hit[of.covers.indices[of.covers.indptr[j] : of.covers.indptr[j + 1]]] = True
    return hit


def swapped(of: Problem, plan: I64, *, deadline: float = np.inf) -> I64:
    """Swap one open site for one closed, the best swap first, until none gains (Teitz & Bart 1968)."""
    plan = np.sort(plan)
    tolerance = 1e-9 * max(float(of.weight.sum()), 1.0)
    count = len(of.candidate)
    for _ in range(MAX_SWAPS):
        if perf_counter() > deadline:
            break
        times = np.zeros(len(of.weight), dtype=np.int32)
        owner = np.zeros(len(of.weight), dtype=np.int64)
        for k, j in enumerate(plan):
            rows = of.covers.indices[of.covers.indptr[j] : of.covers.indptr[j + 1]]
            times[rows] += 1
            owner[rows] = k
        once = np.flatnonzero(times == 1)
        gain = of.covers @ np.where(times == 0, of.weight, 0.0)
        loss = np.bincount(owner[once], weights=of.weight[once], minlength=len(plan))
        # What a newcomer keeps covered of a leaving site's own rows is not lost.
        begin = of.by_row.indptr[once].astype(np.int64)
        length = of.by_row.indptr[once + 1] - begin
        at = np.repeat(begin - (np.cumsum(length) - length), length) + np.arange(length.sum())
        pair = of.by_row.indices[at] * np.int64(len(plan)) + np.repeat(owner[once], length)
        kept = np.bincount(pair, weights=np.repeat(of.weight[once], length), minlength=count * len(plan))
        net = kept.reshape(count, len(plan)) + gain[:, None] - loss[None, :]
        net[plan] = -np.inf
        best = int(np.argmax(net))
        into, out = divmod(best, len(plan))
        if not net[into, out] > tolerance:
            break
        plan = np.sort(np.append(np.delete(plan, out), into))
    return plan


def kicked(of: Problem, plan: I64, *, kicks: int = KICKS, deadline: float) -> I64:
    """Leave a local optimum: drop a few sites, add good ones at random, swap again; keep the best.

    The random numbers are fixed, so the same problem gives the same plan while time lasts.
    """
    random = np.random.default_rng(2026)
    best, value = plan, covered_weight(of, plan)
    for _ in range(min(kicks, int(KICK_WORK / max(of.covers.nnz, 1)))):
        if perf_counter() > deadline or len(best) < 2:
            break
        drop = int(random.integers(1, min(MAX_KICK, len(best)) + 1))
        trial = random.choice(best, len(best) - drop, replace=False)
        for _ in range(drop):
            gain = of.covers @ np.where(covered_rows(of, trial), 0.0, of.weight)
            gain[best] = 0.0
            gain[trial] = 0.0
            good = np.argsort(-gain, kind="stable")[:GOOD]
            trial = np.append(trial, random.choice(good))
        if len(np.unique(trial)) < len(best):
            continue
        trial = swapped(of, trial, deadline=deadline)
        if covered_weight(of, trial) > value:
            best, value = trial, covered_weight(of, trial)
    return best
