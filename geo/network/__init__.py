"""Roads from a file or a place name → one :class:`geo.models.RoadNetwork`, and what is to be said of it."""

from geo.network.describe import diagnose, to_networkx
from geo.network.fetch import fetch_roads
from geo.network.read import read_network

__all__ = ["diagnose", "fetch_roads", "read_network", "to_networkx"]
