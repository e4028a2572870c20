"""How fast the pages are in Debian's Chromium: ``python -m tests.benchmarks.pages map.html public.html …``.

Ready: from opening the file until figures are shown and the map is drawn, least of five. Recompute: from a changed
filter until figures and panel are new, least and median over a grid of filters. Frames a second while dragging,
wheeling and flying, with the processor slowed four times. Memory: what the page's process holds for itself.
"""

from __future__ import annotations

import math
import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

RUNS = 5
SLOWED = 4
OPTIONS = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"]
RECOMPUTE = """async () => { const out = [];
  for (const minutes of [8, 12, 18]) for (const mode of RedMap.data.engine.modes.keys()) for (const at of [-1, 12]) {
    const start = performance.now(); await RedMap.choose({ mode, minutes, at }); out.push(performance.now() - start); }
  await RedMap.choose(RedMap.baseChoice());
  return out; }"""
COUNT = "() => { window.frames_ = []; const step = (t) => { window.frames_.push(t); requestAnimationFrame(step); }; requestAnimationFrame(step); }"


def _open(browser: Browser, file: Path, size: tuple[int, int]) -> Page:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(file.resolve().as_uri())
    page.locator('html[data-ready="1"]').wait_for(state="attached", timeout=90_000)
    return page


def _rate(page: Page) -> float:
    times = page.evaluate("() => window.frames_.splice(0)")
    return 1000 * (len(times) - 1) / (times[-1] - times[0]) if len(times) > 2 else 0.0


def measure(browser: Browser, file: Path, size: tuple[int, int]) -> dict[str, Any]:
    """All figures of one page."""
    ready = []
    for _ in range(RUNS):
        page = _open(browser, file, size)
        ready.append(page.evaluate("performance.getEntriesByName('redmap-ready')[0].startTime"))
        page.close()
    page = _open(browser, file, size)
    page.wait_for_timeout(2500)
    found: dict[str, Any] = {"kB": file.stat().st_size // 1000, "ready ms": round(min(ready))}
    if page.evaluate("!!RedMap.model"):
        times = page.evaluate(RECOMPUTE)
        found |= {"recompute ms": f"{min(times):.0f} / {statistics.median(times):.0f}"}
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    x, y = page.evaluate("(() => { const r = RedMap.map.getContainer().getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]; })()")  # fmt: skip
    page.evaluate(COUNT)
    page.mouse.move(x, y)
    page.mouse.down()
    _rate(page)
    for i in range(60):
        page.mouse.move(x + 150 * math.sin(i / 8), y + 110 * math.cos(i / 8) - 110)
        page.wait_for_timeout(12)
    found["pan /s"] = round(_rate(page))
    page.mouse.up()
    page.wait_for_timeout(1500)
    _rate(page)
    for i in range(6):
        page.mouse.wheel(0, -240 if i < 3 else 240)
        page.wait_for_timeout(250)
    found["wheel /s"] = round(_rate(page))
    page.wait_for_timeout(1500)
    _rate(page)
    page.evaluate("RedMap.fly(RedMap.data.stations[0].at, 15)")
    page.wait_for_timeout(700)
    found["fly /s"] = round(_rate(page))
    session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    page.evaluate("RedMap.home()")
    page.wait_for_timeout(1500)
    session.send("HeapProfiler.collectGarbage")
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    held = [
        int(line.split()[1]) // 1024
        for process in processes
        if process["type"] == "renderer"
        for line in Path(f"/proc/{process['id']}/smaps_rollup").read_text().splitlines()
        if line.startswith("Anonymous:")
    ]
    found["memory MB"] = max(held)
    page.close()
    return found


def main() -> None:
    """Measure the pages named and print a table."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=OPTIONS)
        rows = []
        for name in sys.argv[1:]:
            file = Path(name)
            size = (390, 844) if file.name == "public.html" else (1440, 900)
            rows.append({"page": f"{file.parent.name}/{file.name}", **measure(browser, file, size)})
        browser.close()
    keys = list(dict.fromkeys(key for row in rows for key in row))
    sys.stdout.write(f"| {' | '.join(keys)} |\n|{' --- |' * len(keys)}\n")
    for row in rows:
        sys.stdout.write(f"| {' | '.join(str(row.get(key, '')) for key in keys)} |\n")


if __name__ == "__main__":
    main()
