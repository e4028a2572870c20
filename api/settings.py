"""Settings of the service, from the environment with the prefix ``REDMAP_``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """Everything that can be set.

    ``studies``: study.toml files or their folders, parted as in ``PATH``; ``study``: one more, before them;
    the embedded sample when none is given. ``wait``: load them before the first answer, else ``/ready`` says
    503 till then. ``reload_s``: how often to look for changed files, 0 never. ``timeout_s``: longest answer.
    ``threads``: computations at once, and ``isochrone_threads`` isochrones for the dialects, in each process; ``most_waiting``: requests at once, more are 503.
    ``rate_per_minute``: requests a client may make, 0 any number. ``api_keys`` and ``cors_origins``: comma
    separated; without keys the service is open.
    """

    model_config = SettingsConfigDict(env_prefix="REDMAP_", frozen=True)

    study: Path | None = None
    studies: Annotated[tuple[Path, ...], NoDecode] = ()
    cache_dir: Path | None = None
    wait: bool = True
    reload_s: float = Field(default=0.0, ge=0)
    frame_ancestors: str = Field(default="*", pattern=r"^[^;\r\n]+$")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ("*",)
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    rate_per_minute: int = Field(default=0, ge=0)
    timeout_s: float = Field(default=30.0, gt=0)
    threads: int = Field(default_factory=lambda: (os.cpu_count() or 1) + 1, ge=1, le=256)
    isochrone_threads: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256)
    most_waiting: int = Field(default=1000, ge=1)
    max_body_bytes: int = Field(default=1_000_000, gt=0)
    max_minutes: float = Field(default=60.0, gt=0, le=180)
    max_locations: int = Field(default=5, ge=1, le=100)

    @field_validator("studies", mode="before")
    @classmethod
    def _parted(cls, given: Any) -> Any:
        return tuple(part for part in given.split(os.pathsep) if part) if isinstance(given, str) else given

    @field_validator("cors_origins", "api_keys", mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        return tuple(part.strip() for part in given.split(",") if part.strip())

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every study asked for, in order."""
        return (() if self.study is None else (self.study,)) + self.studies
