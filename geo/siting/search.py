"""Good plans fast: lazy greedy, then the best swap of one site until none gains, then kicks."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from geo.compiled import kernel
from geo.models import F64, I32, I64, Bool
from geo.siting.problem import Problem
from geo.siting.sets import Sets

MAX_SWAPS = 500
SWAPS_AT_ONCE = 10  # between two looks at the clock
KICK_WORK = 4e8  # pairs of site and row looked at, about: fewer kicks for large problems
MAX_KICK = 6  # sites dropped at once
GOOD = 10  # candidates that a dropped site's successor is drawn from


def greedy(covers: Sets, weight: F64, *, add: int, among: I64 | None = None) -> tuple[I64, F64]:
    """Candidates by marginal gain, the largest first, and their gains; ties: the lower number.

    Lazy (Minoux 1978): gains only fall, so a candidate is weighed again when it comes to the top.
    Candidates that gain nothing are left out.
    """
    left = weight.copy()
    of = np.arange(len(covers)) if among is None else among
    gains = covers.sums(left)[of] if among is None else covers.only(of).sums(left)
    heap = [(-gain, int(j), 0) for gain, j in zip(gains.tolist(), of.tolist(), strict=True) if gain > 0]
    heapq.heapify(heap)
    chosen: list[int] = []
    marginal: list[float] = []
    while heap and len(chosen) < add:
        _, j, weighed = heapq.heappop(heap)
        rows = covers.row(j)
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
    return np.asarray(of.covers.hits(np.asarray(plan, dtype=np.int64)) > 0)


@dataclass(slots=True)
class Local:
    """A plan, and what every swap of one of its sites for another candidate would change, kept up to date.

    ``times``: how many sites of the plan cover each row; ``owner``: the sum of their places in the
    plan, hence the one site's place where it is one; ``gain``: uncovered weight that each candidate
    covers; ``kept``: candidates x places, the weight covered by that place's site alone which the
    candidate covers too; ``loss``: the weight that each place's site alone covers (Resende & Werneck 2007).
    """

    of: Problem
    plan: I64
    times: I32
    owner: I32
    gain: F64
    kept: F64
    loss: F64

    @staticmethod
    def of_plan(of: Problem, plan: I64) -> Local:
        """The state of a plan; the order of its sites gives their places."""
        rows, count = len(of.weight), len(of.candidate)
        state = Local(
            of, np.full(len(plan), -1, dtype=np.int64), np.zeros(rows, dtype=np.int32), np.zeros(rows, dtype=np.int32),
            of.covers.sums(of.weight), np.zeros((count, len(plan))), np.zeros(len(plan)),
        )  # fmt: skip
        for place, site in enumerate(plan):
            state.place(int(site), place)
        return state

    def copy(self) -> Local:
        """A state of its own over the same problem."""
        return Local(
            self.of, self.plan.copy(), self.times.copy(), self.owner.copy(), self.gain.copy(), self.kept.copy(),
            self.loss.copy(),
        )  # fmt: skip

    def place(self, site: int, place: int) -> None:
        """Open ``site`` at an empty place."""
        self.plan[place] = site
        _open(*self._arrays(), site, place)

    def drop(self, place: int) -> None:
        """Empty a place."""
        _close(*self._arrays(), int(self.plan[place]), place)
        self.plan[place] = -1

    def swap(self, *, tolerance: float, deadline: float) -> None:
        """The best swap of one open site for one closed, until none gains more than ``tolerance``."""
        for _ in range(0, MAX_SWAPS, SWAPS_AT_ONCE):
            if perf_counter() > deadline:
                return
            if _swap(*self._arrays(), self.plan, tolerance, SWAPS_AT_ONCE) < SWAPS_AT_ONCE:
                return

    def value(self) -> float:
        """The weight covered."""
        return float(self.of.weight[self.times > 0].sum())

    def _arrays(self) -> tuple[I64, I32, I64, I32, F64, I32, I32, F64, F64, F64]:
        of = self.of
        return (
            of.covers.indptr, of.covers.indices, of.by_row.indptr, of.by_row.indices, of.weight,
            self.times, self.owner, self.gain, self.kept, self.loss,
        )  # fmt: skip


def swapped(of: Problem, plan: I64, *, deadline: float = np.inf) -> I64:
    """Swap one open site for one closed, the best swap first, until none gains (Teitz & Bart 1968)."""
    state = Local.of_plan(of, np.sort(plan))
    state.swap(tolerance=_tolerance(of), deadline=deadline)
    return np.sort(state.plan)


def swap_gains(covers: Sets, weight: F64, plan: I64) -> F64:
    """What each swap of a site of ``plan`` for a candidate outside it would gain; one for each such pair."""
    number = np.arange(len(covers))
    state = Local.of_plan(Problem(covers, covers.turned(), weight, weight, number, len(plan)), plan)
    outside = np.setdiff1d(number, plan)
    gains = state.gain[outside, None] + state.kept[outside] - state.loss[None, :]
    return np.asarray(gains, dtype=np.float64).ravel()


def kicked(of: Problem, plan: I64, *, kicks: int, seed: int, deadline: float) -> I64:
    """Leave a local optimum: drop a few sites, add good ones at random, swap again; keep the best.

    The random numbers are fixed by ``seed``, so the same problem gives the same plan while time lasts.
    """
    random = np.random.default_rng((2026, seed))
    if len(plan) < 2:
        return plan
    tolerance = _tolerance(of)
    best = Local.of_plan(of, np.sort(plan))
    value = best.value()
    for _ in range(min(kicks, int(KICK_WORK / max(len(of.covers.indices), 1)))):
        if perf_counter() > deadline:
            break
        trial = best.copy()
        drop = int(random.integers(1, min(MAX_KICK, len(plan)) + 1))
        places = random.choice(len(plan), drop, replace=False)
        for place in places:
            trial.drop(int(place))
        for place in places:
            gain = trial.gain.copy()
            gain[best.plan] = 0.0
            gain[trial.plan[trial.plan >= 0]] = 0.0
            good = np.argsort(-gain, kind="stable")[:GOOD]
            trial.place(int(random.choice(good)), int(place))
        if len(np.unique(trial.plan)) < len(plan):
            continue
        trial.swap(tolerance=tolerance, deadline=deadline)
        if (now := trial.value()) > value:
            best, value = trial, now
    return np.sort(best.plan)


def _tolerance(of: Problem) -> float:
    return 1e-9 * max(float(of.weight.sum()), 1.0)


@kernel
def _open(
    indptr: I64, indices: I32, row_indptr: I64, row_indices: I32, weight: F64,
    times: I32, owner: I32, gain: F64, kept: F64, loss: F64, site: int, place: int,
) -> None:  # fmt: skip
    for e in range(indptr[site], indptr[site + 1]):
        row = indices[e]
        w = weight[row]
        if times[row] == 0:
            loss[place] += w
            for f in range(row_indptr[row], row_indptr[row + 1]):
                gain[row_indices[f]] -= w
                kept[row_indices[f], place] += w
        elif times[row] == 1:
            alone = owner[row]
            loss[alone] -= w
            for f in range(row_indptr[row], row_indptr[row + 1]):
                kept[row_indices[f], alone] -= w
        times[row] += 1
        owner[row] += place


@kernel
def _close(
    indptr: I64, indices: I32, row_indptr: I64, row_indices: I32, weight: F64,
    times: I32, owner: I32, gain: F64, kept: F64, loss: F64, site: int, place: int,
) -> None:  # fmt: skip
    for e in range(indptr[site], indptr[site + 1]):
        row = indices[e]
        w = weight[row]
        times[row] -= 1
        owner[row] -= place
        if times[row] == 0:
            loss[place] -= w
            for f in range(row_indptr[row], row_indptr[row + 1]):
                gain[row_indices[f]] += w
                kept[row_indices[f], place] -= w
        elif times[row] == 1:
            alone = owner[row]
            loss[alone] += w
            for f in range(row_indptr[row], row_indptr[row + 1]):
                kept[row_indices[f], alone] += w


@kernel
def _swap(
    indptr: I64, indices: I32, row_indptr: I64, row_indices: I32, weight: F64,
    times: I32, owner: I32, gain: F64, kept: F64, loss: F64, plan: I64, tolerance: float, most: int,
) -> int:  # fmt: skip
    inside = np.zeros(len(gain), dtype=np.bool_)
    for site in plan:
        inside[site] = True
    for done in range(most):
        best, into, out = tolerance, -1, -1
        for j in range(len(gain)):
            if inside[j]:
                continue
            for k in range(len(plan)):
                net = gain[j] + kept[j, k] - loss[k]
                if net > best:
                    best, into, out = net, j, k
        if into < 0:
            return done
        _close(
            indptr, indices, row_indptr, row_indices, weight, times, owner, gain, kept, loss, plan[out], out
        )
        _open(indptr, indices, row_indptr, row_indices, weight, times, owner, gain, kept, loss, into, out)
        inside[plan[out]] = False
        inside[into] = True
        plan[out] = into
    return most
