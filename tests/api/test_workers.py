"""Several processes over one copy of the studies: forked, replaced, exchanged, ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import httpx2 as httpx
import pytest

from api.workers import SOON_S, Workers
from geo.errors import RunError
from tests.benchmarks.api import free_port

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")


def until(holds, seconds=60.0):
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
    return found


def children(pid):
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def answers(base, path="/health"):
    try:
        return httpx.get(f"{base}{path}").status_code
    except httpx.TransportError:
        return 0


@pytest.fixture(scope="module")
def service(sample_dir, cache_dir, tmp_path_factory):
    """A service of two workers: its process and its address."""
    port = free_port()
    log = (tmp_path_factory.mktemp("serve") / "log").open("w+")
    command = [
        sys.executable,
        "-m",
        "geo",
        "serve",
        sample_dir,
        "--workers",
        "2",
        "--port",
        str(port),
        "--cache",
        cache_dir,
    ]
    process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log)
    try:
        until(
            lambda: process.poll() is not None or answers(f"http://127.0.0.1:{port}", "/ready") == 200, 300.0
        )
        assert process.poll() is None, Path(log.name).read_text()[-3000:]
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()  # killed, it would leave its workers behind
        process.wait(60)
        log.close()


def test_workers_share_the_study(service):
    process, _base = service
    assert len(children(process.pid)) == 2
    for child in children(process.pid):
        told = Path(f"/proc/{child}/smaps_rollup").read_text().splitlines()[1:]
        kb = {name: int(rest.split()[0]) for name, rest in (line.split(":", 1) for line in told)}
        assert kb["Private_Dirty"] < kb["Shared_Dirty"] / 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shares connections out")
def test_connections_are_shared_out(service):
    """Those of a proxy come at once and stay: one worker must not have them all."""
    process, base = service
    workers = children(process.pid)

    def sockets():
        return [
            sum(str(file.readlink()).startswith("socket:") for file in Path(f"/proc/{worker}/fd").iterdir())
            for worker in workers
        ]

    before = sockets()
    at = ("127.0.0.1", int(base.rsplit(":", 1)[1]))
    with ExitStack() as stack:
        lines = [stack.enter_context(socket.create_connection(at)) for _ in range(40)]
        for line in lines:
            line.sendall(b"GET /health HTTP/1.1\r\nHost: here\r\n\r\n")
        for line in lines:
            assert line.recv(12) == b"HTTP/1.1 200"
        more = [after - was for was, after in zip(before, sockets(), strict=True)]
    assert min(more) > 4  # by chance fewer than once in a million


def test_a_port_in_use_is_told_in_words(sample_dir, cache_dir):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        where = ["--workers", "2", "--port", port, "--cache", str(cache_dir)]
        command = [sys.executable, "-m", "geo", "serve", str(sample_dir), *where]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_forked_worker_can_solve(service):
    _process, base = service
    found = httpx.post(f"{base}/studies/sample/recommendations", json={"add": 2}, timeout=60.0)
    assert found.status_code == 200
    assert len(found.json()["features"]) == 2


def test_a_killed_worker_comes_back_and_no_request_fails(service):
    process, base = service
    before = children(process.pid)
    os.kill(before[0], signal.SIGKILL)
    seen = []
    # the dead one is listed until its parent has looked
    until(lambda: seen.append(answers(base)) or len(set(children(process.pid)) - {before[0]}) == 2)
    assert before[1] in children(process.pid)
    assert set(seen) == {200}
    assert "redmap_studies_loaded 1.0" in httpx.get(f"{base}/metrics").text


def test_hangup_exchanges_every_worker_without_a_failed_request(service):
    process, base = service
    before = set(children(process.pid))
    process.send_signal(signal.SIGHUP)
    seen = []
    until(lambda: seen.append(answers(base)) or not before & set(children(process.pid)), 120.0)
    assert len(children(process.pid)) == 2
    assert set(seen) == {200}


def test_it_ends_when_told_to(service):
    process, base = service
    workers = children(process.pid)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert answers(base) == 0
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_a_worker_that_cannot_start_ends_the_service(caplog):
    with pytest.raises(RunError, match="could not start"):
        Workers(lambda _place: 3, 2, keeper=None).run()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_workers_end_where_their_parent_was_killed():
    """Kept, their sockets would be a port in use to the service that is started in its place."""
    code = "import time; from api.workers import Workers; Workers(lambda place: time.sleep(300) or 0, 2, None).run()"
    parent = subprocess.Popen([sys.executable, "-c", code])
    workers = until(lambda: len(found := children(parent.pid)) == 2 and found)
    parent.kill()
    parent.wait()
    until(lambda: not any(runs(pid) for pid in workers), 10.0)


def runs(pid):
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_workers_that_end_by_themselves_are_begun_again_after_a_pause(tmp_path, monkeypatch):
    """Each leaves its name; the third tells the parent to end."""
    parent, pauses = os.getpid(), []
    monkeypatch.setattr("api.workers.time.sleep", pauses.append)

    def work(_place):
        (tmp_path / str(os.getpid())).touch()
        if len(list(tmp_path.iterdir())) == 3:
            os.kill(parent, signal.SIGTERM)
            signal.pause()
        raise ZeroDivisionError

    Workers(work, 1, keeper=None).run()
    assert len(list(tmp_path.iterdir())) == 3
    assert len(pauses) == 2
    assert all(0 <= pause <= SOON_S for pause in pauses)
