"""Isochrones: the shape of what is reached within a time. Pictures only, never a source of numbers.

Shapes are drawn from the reached stretches of ways, widened with flat ends, and cleared round the
stretches that are not reached, so that a shape holds next to no way that is out of time and misses
next to none that is within it; :func:`false_missed_share` measures both.
"""

from geo.isochrones.shapes import bands, reach_polygon, station_bands
from geo.isochrones.shares import false_missed_share

__all__ = ["bands", "false_missed_share", "reach_polygon", "station_bands"]
