"""Several processes that serve: forked from one that has loaded the studies, so that memory holds those once."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, NamedTuple

import uvicorn
from prometheus_client.multiprocess import mark_process_dead
from uvicorn.config import STARTUP_FAILURE

from api.app import create_app
from api.keeper import Keeper
from api.logs import LOGGER, told
from api.settings import Settings
from geo import pipeline
from geo.errors import RedmapError, RunError

SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGCHLD", "SIGALRM")
SOON_S = 1.0  # a worker that lives no longer is not begun again at once
GRACE_S = 40  # for the last answers, a little longer than the workers give themselves


def serve(settings: Settings, *, workers: int, **options: Any) -> None:
    """Load the studies, then serve by so many processes till SIGTERM or Ctrl-C; ``options`` are those of ``uvicorn.Config``.

    A worker that dies is replaced, and those who wait for an answer from another notice nothing. SIGHUP loads the
    studies again and replaces the workers one by one, each new one before the old. Raises
    :class:`geo.errors.RedmapError` where a study cannot be loaded, or no worker can be started. Not on Windows.
    """
    app = create_app(settings)
    config = uvicorn.Config(app, **options)
    keeper: Keeper = app.state.keeper
    # a port in use is told before the studies are loaded; while they are, nobody is kept waiting
    _line(config).close()
    keeper.load_all()
    with ExitStack() as stack:
        lines = [stack.enter_context(line) for line in _lines(config, workers)]
        host, port = lines[0].getsockname()[:2]
        logging.getLogger(LOGGER).info("listening", extra={"data": {"host": host, "port": port}})
        Workers(lambda place: _work(config, lines[place % len(lines)]), workers, keeper).run()


def _line(config: uvicorn.Config, port: int | None = None, *, shared: bool = False) -> socket.socket:
    """A socket that listens. Raises :class:`geo.errors.RunError` where the port is in use."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    at = (config.host, config.port if port is None else port)
    try:
        return socket.create_server(at, family=family, backlog=config.backlog, reuse_port=shared)
    except OSError as error:
        raise RunError(
            f"不能在 {config.host}:{config.port} 监听，端口可能已被占用 / cannot listen there, is the port in use? "
            f"{error.strerror}; --port"
        ) from error


def _lines(config: uvicorn.Config, workers: int) -> list[socket.socket]:
    """A socket for each worker that outlives it, or one for all where the system would not share connections out.

    Of one that all wait at, the first to wake takes whoever has come: one worker may have all connections of a proxy.
    """
    only = _line(config)
    if sys.platform != "linux":
        return [only]
    port = only.getsockname()[1]
    only.close()  # it was free: of a shared one nobody would say otherwise
    return [_line(config, port, shared=True) for _ in range(workers)]


def _work(config: uvicorn.Config, line: socket.socket) -> int:
    server = uvicorn.Server(config)
    server.run(sockets=[line])
    return 0 if server.started else STARTUP_FAILURE


class Worker(NamedTuple):
    """A process: since when, and its place, which a new one takes over."""

    since: float
    place: int


class Workers:
    """Processes that run ``work`` at their place, which gives their exit code; ``keeper`` holds the studies that they share."""

    def __init__(self, work: Callable[[int], int], count: int, keeper: Keeper) -> None:
        self.work, self.count, self.keeper = work, count, keeper
        self.log = logging.getLogger(LOGGER)
        self.alive: dict[int, Worker] = {}
        self.ending = False

    def run(self) -> None:
        """Begin all, and keep their number, until told to end. For the main thread.

        Raises :class:`geo.errors.RunError` where a worker cannot even start.
        """
        # whichever thread of whichever library a signal finds, its number comes through the pipe
        self.told, tell = os.pipe()
        os.set_blocking(tell, False)
        self.bond, self.held = os.pipe()  # only this process holds the other end, as long as it lives
        before = {number: signal.signal(number, lambda *_: None) for number in _numbers()}
        wakeup = signal.set_wakeup_fd(tell)
        try:
            failed = self._keep()
        finally:
            signal.alarm(0)
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            for end in (self.told, tell, self.bond, self.held):
                os.close(end)
        if failed:
            raise RunError("服务进程未能启动，见日志 / the workers could not start; see the log")

    def _keep(self) -> bool:
        pipeline.rest()
        for place in range(self.count):
            self._begin(place)
        failed = False
        while self.alive:
            for number in os.read(self.told, 64):
                if number == signal.SIGCHLD:
                    failed |= self._buried()
                elif number == signal.SIGHUP:
                    self._exchange()
                elif number == signal.SIGALRM:
                    self._tell_all(signal.SIGKILL)
                else:
                    self._end()
        return failed

    def _begin(self, place: int) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, _numbers())  # a child must not take them as its parent does
        with warnings.catch_warnings():
            # the threads that are left are of libraries that begin theirs anew after a fork
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _numbers())
            self.alive[pid] = Worker(time.monotonic(), place)
            return
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in _numbers():
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _numbers())
            os.close(self.held)
            threading.Thread(target=self._outlive_nobody, name="bond", daemon=True).start()
            code = self.work(place)
        except BaseException as error:  # noqa: BLE001 - a child must never go on as its parent
            self.log.error("worker failed", extra={"data": told(error)})  # noqa: TRY400 - frames only
        finally:
            logging.shutdown()
            os._exit(code)

    def _outlive_nobody(self) -> None:
        """In a worker: end it where its parent was killed, else it would keep the port from the next service."""
        os.read(self.bond, 1)  # nothing ever comes but the end
        os.kill(os.getpid(), signal.SIGTERM)

    def _buried(self) -> bool:
        """Take note of all that have ended and replace them; whether one could not even start, which ends the rest."""
        while self.alive:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return False
            was = self.alive.pop(pid, None)
            if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
                mark_process_dead(pid)  # type: ignore[no-untyped-call]
            if self.ending or was is None:
                continue
            code = os.waitstatus_to_exitcode(status)
            self.log.error("worker ended", extra={"data": {"pid": pid, "code": code}})
            if code == STARTUP_FAILURE:  # the next one would fare no better
                self._end()
                return True
            if all(other.place != was.place for other in self.alive.values()):
                time.sleep(max(0.0, SOON_S - (time.monotonic() - was.since)))
                self._begin(was.place)
        return False

    def _exchange(self) -> None:
        try:
            self.keeper.load_all()
        except RedmapError as error:
            self.log.error("studies not loaded", extra={"data": {"defects": str(error).splitlines()}})  # noqa: TRY400 - its words are meant for users
            return
        pipeline.rest()
        for old, worker in list(self.alive.items()):
            self._begin(worker.place)
            os.kill(old, signal.SIGTERM)

    def _end(self) -> None:
        self.ending = True
        self._tell_all(signal.SIGTERM)
        signal.alarm(GRACE_S)

    def _tell_all(self, what: int) -> None:
        for pid in self.alive:
            os.kill(pid, what)


def _numbers() -> list[signal.Signals]:
    return [signal.Signals[name] for name in SIGNALS]
