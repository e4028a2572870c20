"""A list of a hundred thousand rows, and files that are refused."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import openpyxl

from geo.errors import InputError
from geo.intake.merge import merge_stations
from geo.intake.stations import read_stations

ROWS = 100_000
HEADS = ["序号", "所属街道", "站点名称", "经度", "纬度", "地址", "开放时间", "服务项目", "联系电话"]


def measure() -> list[str]:
    """Lines of text: how long reading, merging and refusing takes."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.xlsx"
        book = openpyxl.Workbook(write_only=True)
        page = book.create_sheet("名单")
        page.append(HEADS)
        for k in range(ROWS):
            x, y = 115.71 + (k % 317) * 0.0006, 32.81 + (k // 317) * 0.0004
            page.append([k + 1, f"街道{k % 30}", f"驿站{k}号", x, y, f"某路{k % 999}号",
                         "8:30-11:30，13:30-17:00", "饮水、休息", 13956000000 + k])  # fmt: skip
        book.save(path)
        start = time.perf_counter()
        listed = read_stations(path, datum="wgs84")
        lines.append(f"{ROWS:,} rows of xlsx read in {time.perf_counter() - start:.1f} s")
        start = time.perf_counter()
        merged = merge_stations([listed])
        lines.append(
            f"and merged in {time.perf_counter() - start:.1f} s ({merged.counts['used']:,} stations)"
        )
        huge = Path(folder) / "huge.csv"
        with huge.open("wb") as file:
            file.truncate(2**30)
        start = time.perf_counter()
        try:
            read_stations(huge, datum="wgs84")
        except InputError:
            lines.append(f"a CSV of 1 GB refused in {1e3 * (time.perf_counter() - start):.1f} ms")
    return lines


if __name__ == "__main__":
    print("\n".join(measure()))
