"""Isochrones: the shape of what is reached within a time. Pictures only, never a source of numbers.

:func:`prepare` lays the ways of a mode out once, :func:`partition` parts what lies near them into cells;
:func:`bands` and :func:`station_bands` draw reached stretches of them, widened, and parted half-way from
every stretch that is not reached, so that a shape holds no way that is out of time and misses none that
is within it; :func:`false_missed_share` measures both. :func:`thinned` leaves small rings and corners out.
"""

from geo.isochrones.cells import Cells, partition
from geo.isochrones.rings import Rings
from geo.isochrones.shapes import bands, station_bands
from geo.isochrones.shares import false_missed_share, false_missed_shares
from geo.isochrones.thinning import DECIMALS, thinned
from geo.isochrones.ways import Ways, prepare

__all__ = [
    "DECIMALS", "Cells", "Rings", "Ways", "bands", "false_missed_share", "false_missed_shares", "partition", "prepare",
    "station_bands", "thinned",
]  # fmt: skip
