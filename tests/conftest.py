"""Fixtures for the whole suite: where the real data lies, and the sample district."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

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
