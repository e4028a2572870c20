"""OSM's binary files read as arrays: what a network needs of 20 million nodes in seconds."""

from geo.network.pbf.read import read_pbf

__all__ = ["read_pbf"]
