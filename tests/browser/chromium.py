"""Which Chromium is driven, and how; every host but the page itself is unreachable.

Most tests drive its headless shell, where Debian's package is installed: the same engine at half the processor time.
What is opened, looked at, printed and framed is driven in the whole browser, as it stands on a desk.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

WHOLE = ("chromium", "chromium-browser", "google-chrome")
SHELL = ("chromium-headless-shell", *WHOLE)
ALONE = "MAP * ~NOTFOUND"


def launched(playwright, names: tuple[str, ...], *, hosts: str = ALONE) -> Iterator:
    """The first of some programs that is installed, till the end; ``hosts``: rules for what it reaches."""
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("no Chromium found")
    browser = playwright.chromium.launch(
        executable_path=path, args=["--no-sandbox", "--disable-gpu", f"--host-resolver-rules={hosts}"]
    )
    yield browser
    browser.close()
