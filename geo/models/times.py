"""Points on the network, and seconds between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geo.models.arrays import F64, I32, I64, Bool


@dataclass(frozen=True, slots=True)
class Snapped:
    """Points linked to the network: exact position on an edge, or ``edge == -1`` (not linked).

    ``offset_m``: metres from ``edge_u`` along the edge; ``access_m``: straight metres from the
    point to that position; ``lon``/``lat``: the snapped position. All arrays have one item a point.
    """

    edge: I32
    offset_m: F64
    access_m: F64
    lon: F64
    lat: F64

    def __len__(self) -> int:
        return len(self.edge)

    @property
    def linked(self) -> Bool:
        return self.edge >= 0


@dataclass(frozen=True, slots=True)
class NearestField:
    """Seconds to the nearest source: ``inf`` and label -1 where none is within the limit.

    ``seconds``/``label``: one item a target; ``node_seconds``/``node_label``: one item a node, and
    where turns are banned (``drive``) one more for each copy of a node that they call for, so that
    :func:`geo.travel_times.stretches` knows from where an edge may be entered. Labels index the
    sources given.
    """

    seconds: F64
    label: I32
    node_seconds: F64
    node_label: I32


@dataclass(frozen=True, slots=True)
class SubsetFields:
    """Seconds to the nearest source of each of many sets; ``inf`` and label -1 beyond the limit.

    ``seconds``/``label``: different sets × targets; set ``s`` is row ``field[s]``. Labels index the
    sources given.
    """

    seconds: F64
    label: I32
    field: I64


@dataclass(frozen=True, slots=True)
class TravelMatrix:
    """Sparse seconds, CSR: row ``i`` holds columns ``indices[indptr[i]:indptr[i+1]]``, ascending.

    A pair that is absent is out of the limit (a stored 0.0 is a real zero).
    """

    indptr: I64
    indices: I32
    seconds: F64
    shape: tuple[int, int]

    def transposed(self) -> TravelMatrix:
        """Swap rows and columns; indices of each row ascend in the result."""
        rows = np.repeat(np.arange(self.shape[0], dtype=np.int32), np.diff(self.indptr))
        order = np.argsort(self.indices, kind="stable")
        counts = np.bincount(self.indices, minlength=self.shape[1])
        indptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        return TravelMatrix(indptr, rows[order], self.seconds[order], self.shape[::-1])


@dataclass(frozen=True, slots=True)
class Stretches:
    """Stretches of edges: metres ``from_m``..``to_m`` along ``edge`` (from ``edge_u``), disjoint."""

    edge: I32
    from_m: F64
    to_m: F64

    def __len__(self) -> int:
        return len(self.edge)
