"""The browsers of all tests, each started once."""

from __future__ import annotations

import pytest

from tests.browser.chromium import SHELL, WHOLE, launched


@pytest.fixture(scope="session")
def playwright():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright):
    yield from launched(playwright, SHELL)


@pytest.fixture(scope="session")
def whole_chromium(playwright):
    yield from launched(playwright, WHOLE)
