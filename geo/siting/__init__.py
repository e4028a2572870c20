"""Siting: which candidates to open, with a proof of how good the plan is. Knows nothing of geography.

The maximal covering location problem (Church & ReVelle 1974) over weights and a sparse cover
matrix. Presolve, greedy and swaps, Lagrangian bounds, then HiGHS on what is left.
"""

from geo.siting.plan import greedy_curve, maximal_cover

__all__ = ["greedy_curve", "maximal_cover"]
