"""Pictures that the pages are held to: ``python -m tests.browser.looks`` takes them anew; look at them before you keep them."""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from geo import redmap
from tests.geo.results import toy_result

KEPT = Path(__file__).with_name("looks")
SMALLER = 6  # letters of another font blur away at a sixth of the size; places and colours stay
MEAN, FAR, FAR_SHARE = (
    3.0,
    32,
    0.03,
)  # of 255: mean difference, and the share of cells that may differ by more
NOON, NIGHT = "2026-11-24T04:00:00Z", "2026-11-24T15:30:00Z"
VIEWS = {  # name: page, address, size, device's colours, clock
    "planner": ("map.html", "#lang=zh", (1440, 900), "light", NOON),
    "planner-gaps-dark": ("map.html", "#lang=en&tab=gaps&on=bands,gaps,stations,roads,names", (1440, 900), "dark", NOON),
    "planner-communities": ("map.html", "#lang=en&tab=communities&on=areas,stations,roads", (1024, 768), "light", NOON),
    "planner-phone": ("map.html", "#lang=zh&tab=sites", (390, 844), "light", NOON),
    "public-day": ("public.html", "#lang=zh", (390, 844), "light", NOON),
    "public-night": ("public.html", "#lang=en&sel=station:S02", (390, 844), "light", NIGHT),
}  # fmt: skip


def write(folder: Path) -> Path:
    """Both pages of the toy study."""
    result = toy_result()
    (folder / "map.html").write_text(redmap.render_planner(result), encoding="utf-8")
    (folder / "public.html").write_text(redmap.render_public(result), encoding="utf-8")
    return folder


def take(browser: Browser, folder: Path, view: str, *, more: str = "") -> Image.Image:
    """A view at a sixth of its size; ``more`` is added to its address."""
    name, address, (width, height), scheme, clock = VIEWS[view]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.clock.install(time=clock)
    page.goto(f"{(folder / name).as_uri()}{address}{more}")
    page.locator('html[data-ready="1"]').wait_for(state="attached", timeout=20_000)
    page.clock.run_for(1000)
    page.locator('html[data-painted="1"]').wait_for(state="attached")
    shot = page.screenshot(animations="disabled", caret="hide")
    context.close()
    with Image.open(io.BytesIO(shot)) as picture:
        return picture.convert("RGB").resize((width // SMALLER, height // SMALLER), Image.Resampling.BOX)


def away(a: Image.Image, b: Image.Image) -> tuple[float, float]:
    """Mean difference of two pictures (of 255), and the share of cells that are farther apart than ``FAR``."""
    apart = np.abs(np.asarray(a, dtype=float) - np.asarray(b, dtype=float)).max(axis=2)
    return float(apart.mean()), float((apart > FAR).mean())


def main() -> None:
    """Take all pictures anew."""
    KEPT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        write(Path(folder))
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for view in sys.argv[1:] or VIEWS:
            take(browser, Path(folder), view).save(KEPT / f"{view}.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
