"""Loads the studies when the service starts, and a study again when its files have changed."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from pathlib import Path
from types import MappingProxyType

from starlette.datastructures import State

from api.logs import LOGGER, told
from api.metrics import Metrics
from api.settings import Settings
from api.state import Loaded, load, slugs
from geo import pipeline
from geo.config import Study, load_study
from geo.errors import RedmapError

Print = tuple[tuple[str, int, int], ...]


class Keeper:
    """Holds ``state.studies``; a study is exchanged in one assignment, so no request sees half of it."""

    def __init__(self, settings: Settings, state: State, metrics: Metrics) -> None:
        self.settings, self.state, self.metrics = settings, state, metrics
        self.log = logging.getLogger(LOGGER)
        self.paths: dict[str, Path] = {}
        self.prints: dict[str, Print] = {}
        state.studies = MappingProxyType({})

    def load_all(self) -> None:
        """Load every study, in the order of the settings. Raises :class:`geo.errors.RedmapError`."""
        studies = [load_study(path) for path in self.settings.paths] or [pipeline.sample_study()]
        names = slugs(study.folder.resolve().name or "study" for study in studies)
        self.paths = dict(zip(names, self.settings.paths, strict=False))
        found = {}
        for slug, study in zip(names, studies, strict=True):
            found[slug] = load(study, slug, self.settings)
            self.prints[slug] = self.fingerprint(slug, study, found[slug])
        self._put(found)

    def _put(self, found: dict[str, Loaded]) -> None:
        self.state.studies = MappingProxyType({**self.state.studies, **found})
        self.metrics.studies.set(len(self.state.studies))
        # what was loaded stays: a collector that walks through it again and again makes requests wait
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        for slug in found:
            self.metrics.reloads.labels("loaded").inc()
            self.log.info("study loaded", extra={"data": {"study": slug}})

    async def start(self) -> None:
        """Load in the background; end the process where that fails, since it has nothing to serve."""
        try:
            await asyncio.to_thread(self.load_all)
        except RedmapError as error:
            self.log.error("studies not loaded", extra={"data": {"defects": str(error).splitlines()}})  # noqa: TRY400 - its words are meant for users
            signal.raise_signal(signal.SIGTERM)

    def fingerprint(self, slug: str, study: Study, loaded: Loaded | None) -> Print:
        """Name, size and time of every file that the study was computed from."""
        names = set() if loaded is None else set(loaded.result.inputs.sha256)
        path = self.paths.get(slug)
        files = sorted(study.path(name) for name in names)
        if path is not None:
            files.insert(0, path / "study.toml" if path.is_dir() else path)
        stats = ((str(file), file.stat()) for file in files if file.is_file())
        return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)

    async def watch(self) -> None:
        """Look for changed files every ``reload_s``; load again once they have been still for a turn."""
        seen = dict(self.prints)
        while True:
            await asyncio.sleep(self.settings.reload_s)
            for slug, path in self.paths.items():
                loaded: Loaded = self.state.studies[slug]
                now = await asyncio.to_thread(self.fingerprint, slug, loaded.study, loaded)
                still, seen[slug] = now == seen.get(slug), now
                if now != self.prints[slug] and still:
                    self.prints[slug] = now
                    await self.reload(slug, path)

    async def reload(self, slug: str, path: Path) -> None:
        """Compute a study again beside the old one, and exchange them; the old one stays where that fails."""
        try:
            study = await asyncio.to_thread(load_study, path)
            found = await asyncio.to_thread(load, study, slug, self.settings)
        except RedmapError as error:
            self._kept(slug, {"defects": str(error).splitlines()})
        except Exception as error:  # noqa: BLE001 - a defect of ours must not end the watch
            self._kept(slug, told(error))
        else:
            self.prints[slug] = await asyncio.to_thread(self.fingerprint, slug, study, found)
            self._put({slug: found})

    def _kept(self, slug: str, why: dict[str, object]) -> None:
        self.metrics.reloads.labels("failed").inc()
        self.log.error("study not reloaded, the old one stays", extra={"data": {"study": slug, **why}})
