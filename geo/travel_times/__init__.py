"""Travel times along the roads, between exact positions on edges; the only place with searches.

:func:`snap` links points to edges; a :class:`Router` is a network made ready for one mode, speed and
direction: it gives every target and node its time to the nearest source, of one set or of many sets at
once, the times of all pairs within a limit, and the parts of edges within a time.
"""

from geo.travel_times.costs import Costs, edge_costs, edge_seconds
from geo.travel_times.graph import places_of
from geo.travel_times.router import Router
from geo.travel_times.routes import Route, route_line
from geo.travel_times.snapping import Snapper, snap
from geo.travel_times.turns import Places

__all__ = [
    "Costs", "Places", "Route", "Router", "Snapper", "edge_costs", "edge_seconds", "places_of", "route_line", "snap",
]  # fmt: skip
