"""Settings of the service, from the environment with the prefix ``REDMAP_``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """``studies``: study.toml files or their folders, parted as in ``PATH``; ``study``: one more, before them.

    The embedded sample when none is given.
    """

    model_config = SettingsConfigDict(env_prefix="REDMAP_", frozen=True)

    study: Path | None = None
    studies: Annotated[tuple[Path, ...], NoDecode] = ()
    cache_dir: Path | None = None
    frame_ancestors: str = Field(default="*", pattern=r"^[^;\r\n]+$")
    max_body_bytes: int = Field(default=1_000_000, gt=0)
    max_minutes: float = Field(default=60.0, gt=0, le=180)

    @field_validator("studies", mode="before")
    @classmethod
    def _parted(cls, given: Any) -> Any:
        return tuple(part for part in given.split(os.pathsep) if part) if isinstance(given, str) else given

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every study asked for, in order."""
        return (() if self.study is None else (self.study,)) + self.studies
