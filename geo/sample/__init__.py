"""A synthetic district, lifelike and nowhere: the sample that the product ships with."""

from __future__ import annotations

import random
from pathlib import Path

__all__ = ["SEED", "write_sample"]

SEED = 20261101


def write_sample(folder: Path, *, seed: int = SEED) -> None:
    """Write the sample district into ``folder`` (made where missing), the same bytes for a seed.

    Files: ``roads.osm.pbf`` (WGS-84), ``stations.xlsx`` (GCJ-02), ``communities.geojson``,
    ``boundary.geojson``, ``outlets.csv``, ``venues.csv`` (WGS-84) and ``study.toml``. About
    400,000 people in 60 communities, 86 listed stations, 1,459 workers, 250 venues.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_sample(Path(folder))
    ...     (Path(folder) / "study.toml").is_file()
    True
    """
    from geo.sample import files, osm, people, premises, stations, town, venues

    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)  # noqa: S311 - a drawing, not a secret
    made = town.build_town(rng)
    plan, district = made.plan, made.district
    osm.write_roads(folder / "roads.osm.pbf", made)
    communities = people.communities(plan, district, rng)
    files.write_communities(folder, communities)
    pool = premises.sites(plan, district, communities, rng)
    files.write_stations(folder / "stations.xlsx", stations.stations(plan, district, pool, rng))
    files.write_venues(folder / "venues.csv", venues.venues(plan, district, pool, rng))
    files.write_outlets(folder / "outlets.csv", venues.outlets(plan, district, pool, rng))
    files.write_study(folder / "study.toml")
