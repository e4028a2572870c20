"""The pages in a second browser: Debian's Firefox, where it is installed."""

from __future__ import annotations

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from tests.browser.firefox import Firefox

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        pytest.skip("no Firefox found")
    browser = Firefox(program, tmp_path_factory.mktemp("firefox"))
    yield browser
    browser.close()


@pytest.mark.parametrize("name", ["map.html", "public.html"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_r01_opens_in_firefox(firefox, sample_out, name, lang):
    firefox.open(f"{(sample_out / name).as_uri()}#lang={lang}")
    assert firefox.run("return document.documentElement.lang") == ("zh-CN" if lang == "zh" else "en")
    assert firefox.run(
        "return performance.getEntriesByType('resource').filter((r) => !/^(file|data|blob):/.test(r.name)).length"
    ) == 0  # fmt: skip
    assert firefox.run("return document.documentElement.scrollWidth <= innerWidth")
    with Image.open(io.BytesIO(firefox.picture())) as picture:
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    assert len(np.unique(pixels, axis=0)) > 200  # the map is drawn


def test_firefox_computes_what_the_analysis_does(firefox, sample_out, sample_result):
    block = sample_result.coverage.layers["residents"]
    firefox.open(f"{(sample_out / 'map.html').as_uri()}#lang=en&tab=whatif&f=walk,15,toilet,-1")
    assert firefox.run("return document.querySelector('#now-share').textContent") == f"{block['share_by_service']['toilet'] * 100:.1f}%"  # fmt: skip
    firefox.run("document.querySelector('#tab-gaps').click()")
    assert firefox.run("return document.querySelectorAll('#gap-list button').length") > 5
