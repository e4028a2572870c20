"""Travel times along the roads, between exact positions on edges; the only place with kernels.

``snap`` links points to edges; ``nearest`` gives every target and node its time to the nearest
source (``nearest_of_subsets`` for many sets of sources at once), ``matrix`` the times of all pairs within a limit, ``reach_nodes`` those of all nodes, and
``stretches`` the parts of edges within a time. Results do not depend on the number of threads.
"""

from geo.travel_times.costs import edge_seconds
from geo.travel_times.fields import matrix, nearest, reach_nodes
from geo.travel_times.reach import stretches, stretches_each, stretches_of_nearest
from geo.travel_times.snapping import snap
from geo.travel_times.subsets import nearest_of_subsets

__all__ = [
    "edge_seconds",
    "matrix",
    "nearest",
    "nearest_of_subsets",
    "reach_nodes",
    "snap",
    "stretches",
    "stretches_each",
    "stretches_of_nearest",
]
