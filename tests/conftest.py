"""Fixtures for the whole suite: where the real data lies, and the sample district."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import shapely

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data: beside the checkout; missing it fails in CI, is skipped elsewhere."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        reason = f"real data not found at {folder}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def sample_dir() -> Path:
    """The embedded synthetic district."""
    return ROOT / "data" / "sample"


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One network cache for the whole run."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def sample_out(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Path:
    """What ``redmap demo`` writes, built once through the ordinary pipeline."""
    from geo import pipeline

    out = tmp_path_factory.mktemp("built") / "sample"
    pipeline.build(pipeline.sample_study(), out, cache_dir=cache_dir)
    return out


@pytest.fixture(scope="session")
def sample_result(cache_dir: Path):
    """The sample district's results in memory."""
    from geo import pipeline

    return pipeline.run(pipeline.sample_study(), cache_dir=cache_dir)


@pytest.fixture(scope="session")
def wuhan(shared_data, tmp_path_factory, cache_dir):
    """The whole of Wuhan, on foot at 5 km/h."""
    from geo import pipeline
    from geo.config import study_from_mapping

    data = shared_data / "wuhan"
    folder = tmp_path_factory.mktemp("wuhan")
    boundary = folder / "area.geojson"
    boundary.write_text(shapely.to_geojson(shapely.box(113.6, 29.9, 115.2, 31.5)), encoding="utf-8")
    mapping_ = {
        "study": {"name": "武汉"},
        "area": {"boundary": boundary.name},
        "roads": {"file": str(data / "roads.osm.pbf")},
        "stations": [{"file": str(data / "stations_gcj02.xlsx"), "datum": "gcj02"}],
        "demand": {"residents": {"file": str(data / "population_20plus_500m.csv"), "weight": "pop20plus"}},
        "standard": {"speed_kmh": 5.0, "max_access_m": 1250, "services": []},
        "siting": {"add": 0},
    }
    return pipeline.run(study_from_mapping(mapping_, folder=folder), cache_dir=cache_dir)
