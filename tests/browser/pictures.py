"""Pictures of the riders' page and the poster for the README: ``python -m tests.browser.pictures maps/sample maps``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

WIDTH, HEIGHT, SPACE = 390, 844, 24
YOU = "RedMap.set({ you: [115.812, 32.906], from: 'fromTap', hint: '', sel: '' })"  # in the sample's town
VIEWS = (
    ("2026-11-24T04:00:00Z", "lang=zh", ()),
    (
        "2026-11-24T15:00:00Z",
        "lang=zh",
        (YOU, "RedMap.map.setView([32.906, 115.812], 15, { animate: false })"),
    ),
    ("2026-11-24T04:00:00Z", "lang=en", (YOU, "RedMap.show(RedMap.nearest()[0].station, true)")),
)
POSTER_WIDTH = 1600


def phone(browser: Browser, page_file: Path, out: Path) -> None:
    """Three screens of a phone beside each other: day, night with the nearest stations, a station in English."""
    sheet = Image.new("RGB", (2 * (3 * WIDTH + 2 * SPACE), 2 * HEIGHT), "white")
    for i, (clock, address, steps) in enumerate(VIEWS):
        context = browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=2, has_touch=True, is_mobile=True,
            reduced_motion="reduce", color_scheme="light",
        )  # fmt: skip
        page = context.new_page()
        page.clock.install(time=clock)
        page.goto(f"{page_file.resolve().as_uri()}#{address}")
        page.locator('html[data-ready="1"]').wait_for(state="attached")
        for step in steps:
            page.evaluate(step)
        page.wait_for_timeout(800)
        shot = out.with_suffix(f".{i}.png")
        page.screenshot(path=shot)
        context.close()
        with Image.open(shot) as picture:
            sheet.paste(picture, (2 * i * (WIDTH + SPACE), 0))
        shot.unlink()
    sheet.resize((sheet.width // 2, sheet.height // 2), Image.Resampling.LANCZOS).save(out, optimize=True)


def planner(browser: Browser, page_file: Path, out: Path, address: str) -> None:
    """The planner page on an office screen."""
    page = browser.new_page(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce", color_scheme="light"
    )
    page.goto(f"{page_file.resolve().as_uri()}#{address}")
    page.locator('html[data-ready="1"]').wait_for(state="attached")
    page.locator('html[data-week="1"]').wait_for(state="attached")
    page.wait_for_timeout(500)
    page.screenshot(path=out)
    page.close()
    with Image.open(out) as picture:  # in all its colours: with 256 the amber of an unknown hour turns red
        whole = picture.convert("RGB")
    whole.save(out, optimize=True)


def main(results: Path, out: Path) -> None:
    """Take the pictures of a folder of results of the sample."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"],
        )
        phone(browser, results / "public.html", out / "sample-phone.png")
        planner(browser, results / "map.html", out / "sample-map.png", "tab=overview")
        planner(browser, results / "map.html", out / "sample-whatif.png", "tab=whatif&f=walk,15,toilet,47")
        browser.close()
    with Image.open(results / "poster.png") as poster:
        small = poster.convert("RGB").resize(
            (POSTER_WIDTH, POSTER_WIDTH * poster.height // poster.width), Image.Resampling.LANCZOS
        )
        small.quantize(128).save(out / "sample-poster.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
