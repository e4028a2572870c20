"""Isochrones: the shape of what is reached within a time. Pictures only, never a source of numbers.

:func:`prepare` lays the ways of a mode out once, :func:`partition` parts what lies near them into cells;
:func:`bands`, :func:`station_bands` and :func:`nested` draw reached stretches of them, widened, and parted half-way from
every stretch that is not reached, so that a shape holds no way that is out of time and misses none that
is within it; :func:`false_missed_share` measures both.
"""

from geo.isochrones.cells import Cells, partition
from geo.isochrones.shapes import bands, nested, station_bands
from geo.isochrones.shares import false_missed_share
from geo.isochrones.ways import Ways, prepare

__all__ = ["Cells", "Ways", "bands", "false_missed_share", "nested", "partition", "prepare", "station_bands"]
