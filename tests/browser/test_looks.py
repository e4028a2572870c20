"""What the pages look like, at a sixth of their size: a mean difference of 3 of 255 is borne, and 3 % of far-off cells."""

from __future__ import annotations

import pytest
from PIL import Image

from tests.browser import looks

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return looks.write(tmp_path_factory.mktemp("looks"))


def borne(one, other):
    mean, far = looks.away(one, other)
    return mean <= looks.MEAN and far <= looks.FAR_SHARE


@pytest.mark.parametrize("view", looks.VIEWS)
def test_looks_as_it_was_approved(whole_chromium, folder, view, tmp_path):
    shot = looks.take(whole_chromium, folder, view)
    with Image.open(looks.KEPT / f"{view}.png") as kept:
        shot.save(tmp_path / f"{view}.png")
        assert borne(shot, kept.convert("RGB")), (looks.away(shot, kept.convert("RGB")), tmp_path)


@pytest.mark.parametrize(
    ("view", "more"),
    [("planner", "&on=stations,roads"), ("planner", "&theme=dark"), ("planner", "&tab=data"), ("planner-phone", "&lang=en&tab=gaps"), ("public-day", "&theme=dark")],
)  # fmt: skip
def test_what_has_changed_is_noticed(whole_chromium, folder, view, more):
    with Image.open(looks.KEPT / f"{view}.png") as kept:
        assert not borne(looks.take(whole_chromium, folder, view, more=more), kept.convert("RGB"))


def test_the_pictures_stay_small():
    assert sum(file.stat().st_size for file in looks.KEPT.glob("*.png")) < 300_000
