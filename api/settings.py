"""Settings of the service, from the environment with the prefix ``REDMAP_``."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """``study``: a study.toml or its folder (the embedded sample when not given)."""

    model_config = SettingsConfigDict(env_prefix="REDMAP_", frozen=True)

    study: Path | None = None
    cache_dir: Path | None = None
    frame_ancestors: str = Field(default="*", pattern=r"^[^;\r\n]+$")
    max_body_bytes: int = Field(default=1_000_000, gt=0)
    max_minutes: float = Field(default=60.0, gt=0, le=180)
