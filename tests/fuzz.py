"""Tables as nobody should send them: `python -m tests.fuzz --count 10000` reads each in every role.

Each table is either understood or refused in words (:class:`geo.errors.InputError`), never with another
exception; and each of its rows is in the result, in the audit, in the header, or among the rows that were
passed over with a reason. Cells come from the cases of real lists and from what breaks parsers; tables are
made from nothing, mutated from real ones, and damaged as files. The same seed makes the same tables.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import io
import math
import random
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import shapely
import xlwt
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from geo.config import DemandSection, study_from_mapping
from geo.errors import InputError
from geo.intake.areas import empty_communities
from geo.intake.columns import VOCABULARY
from geo.intake.decisions import read_decisions
from geo.intake.layers import read_points
from geo.intake.ledger import read_ledger
from geo.intake.merge import merge_stations, station_frame
from geo.intake.names import read_aliases
from geo.intake.recruitment import read_recruitment
from geo.intake.stations import read_stations
from geo.intake.tables import read_table

ROOT = Path(__file__).resolve().parents[1]
AREA = shapely.box(115.6, 32.7, 116.0, 33.1)
FORMATS = ("csv", "csv", "csv", "gb18030", "xlsx", "xlsx", "xls", "html")

# Cells of the thirty cases, and of what breaks parsers.
POSITIONS = (
    "115.81", "32.89", "115.8100,32.8900", "32.8900，115.8100", "(115.81;32.89)", "POINT(115.81 32.89)", "１１５．８１２３", "115°46′12″",
    "115度46分12秒", "东经115°46′12″", "E115°46'12.0\"", "115-46-12", "东经115°46′12″-115°47′05″,北纬32°53′48″-32°54′30″", "115.4612",
    "3641176.64", "388649.57", "39388649.57", "115810000", "32890000", "115.8", "0", "0,0", "暂无", "待定", "/", "—", "#N/A", "-115.81",
    "999999999999", "1e400", "nan", "inf", "115.81.32", "115,81", "+115.81", " 115.81 ", "POINT EMPTY", "POINT Z (115.81 32.89 3)",
)  # fmt: skip
TEXTS = (
    "8:30-11:00\n13:30-17:00", "星期一到星期五。9:30-17:00", "24小时（扫码进入）", "6:00-次日2:00", "夏季8:00-19:00，冬季8:00-18:00",
    "随银行营业时间", "9：00一17：00", "99:99-88:88", "饮水、休息、充电、WiFi等", "冷可取暖、热可纳凉、渴可饮水、急可如厕", "无卫生间", "√", "×", "有/无",
    "门卫老李139 5600 0000", "0558-2260000/13956000000", "3.41202E+11", "清安路月浦实验学校对面", "建设中", "拟建", "合计", "合计 86 个", "注：本表",
    "①号驿站", "颍州区小蜜蜂驿站", "驿站\u3000名\u00a0称", "名\n称", "=1+1", "=cmd|' /C calc'!A0", "@SUM(1)", "</script><img src=x onerror=alert(1)>",
    "'; DROP TABLE stations;--", "🏠🚻", "ﷺ", "\u202e反", "\u0000\u0001", "\ufeff", "a" * 40_000, "，，，", "“", '"', '""', ",", "\t", "\\", "{}", "[",
    "2026-10-03", "2026年10月3日", "46298", "-1", "1,234", "１２３", "12人", "二百", "True", "None", "null", "é", "\u0301", "𠮷", "龘䶮", "",
)  # fmt: skip
VALUES = (
    None,
    0,
    -1,
    1e308,
    float("nan"),
    float("inf"),
    10**20,
    True,
    dt.datetime.fromisoformat("2026-08-18"),
    dt.time(8, 0),
    dt.date(2026, 8, 18),
    45887,
    13956000000.0,
)


class Lost(AssertionError):
    """A row that is nowhere."""


def tables(count: int, seed: int) -> Iterator[tuple[int, str, bytes, set[int]]]:
    """(number, file name, content, rows with something in them; empty where the bytes were damaged)."""
    real = [rows for rows in map(_rows_of, _real_files()) if rows]
    for number in range(count):
        dice = random.Random(f"{seed}-{number}")
        rows = _mutated(dice, [list(r) for r in dice.choice(real)]) if dice.random() < 0.5 else _made(dice)
        kind = dice.choice(FORMATS)
        name, content, filled = _written(dice, rows, kind)
        if dice.random() < 0.15:
            content, filled = _damaged(dice, content), set()
        yield number, name, content, filled


def read_in_every_role(path: Path, dice: random.Random, filled: set[int]) -> str:
    """Read one file as everything that a table can be; returns what became of it as a list of stations."""
    area = dice.choice((AREA, None))
    datum = dice.choice(("wgs84", "gcj02", "bd09", "cgcs2000", "auto", "EPSG:4548"))
    outcome = "refused"
    try:
        found = read_table(path)
    except InputError:
        found = []
    for table in found:
        passed = {row for row, _text, _why in table.skipped} | {
            row for row, _t, _w in table.notes if row is not None
        }
        known = set(table.rows.tolist()) | passed | set(range(1, table.header_rows[1] + 1))
        if len(found) == 1 and filled - known:
            raise Lost(f"read_table: rows {sorted(filled - known)[:5]}")
    try:
        listed = read_stations(path, datum=datum, area=area, allow_coarse=dice.random() < 0.5)
        told = {entry.row for entry in listed.audit}
        sheets_passed = any("no station list" in entry.reason_en for entry in listed.audit)
        rows = {row for table in found for row in table.rows.tolist()}
        gone = rows - set(listed.frame["row"]) - told
        if gone and not sheets_passed:
            raise Lost(f"read_stations: rows {sorted(gone)[:5]}")
        counts = listed.counts
        if counts["mapped"] != counts["used"] + counts["merged"] + counts["rejected"]:
            raise Lost(f"counts do not add up: {counts}")
        merged = merge_stations([listed, listed])
        if merged.counts["used"] + merged.counts["merged"] != 2 * counts["used"]:
            raise Lost(f"merging lost rows: {merged.counts}")
        outcome = "read"
    except InputError as error:
        _in_words(error)
    for role in (_layer, _ledger, _answers, _aliases, _decisions):
        try:
            role(path, datum)
        except InputError as error:
            _in_words(error)
    return outcome


def _layer(path: Path, datum: str) -> None:
    section = DemandSection(file=path.name, datum="wgs84" if datum == "auto" else datum)
    read_points(path, section, layer="L")


def _ledger(path: Path, datum: str) -> None:
    ledger = {"file": path.name} | ({} if datum == "auto" else {"datum": datum})
    study = study_from_mapping(
        {"study": {"name": "x"}, "roads": {"file": "r.osm"}, "stations": [{"file": "s.csv", "datum": "wgs84"}], "ledger": ledger},
        folder=path.parent,
    )  # fmt: skip
    nobody = station_frame([])
    problems, _ = read_ledger(
        study, area=AREA, stations=nobody, venues=nobody, communities=empty_communities()
    )
    if not problems["problem_id"].is_unique:
        raise Lost("two problems of one number")


def _answers(path: Path, datum: str) -> None:
    read_recruitment(path, datum=None if datum == "auto" else datum, area=AREA)


def _aliases(path: Path, _datum: str) -> None:
    read_aliases(path)


def _decisions(path: Path, _datum: str) -> None:
    read_decisions(path)


def _in_words(error: InputError) -> None:
    if not error.defects or not all(d.message.strip() for d in error.defects):
        raise Lost("refused without a word")


def _real_files() -> list[Path]:
    folder = ROOT.parent / "shared" / "data"
    files = [ROOT / "data" / "sample" / name for name in ("stations.xlsx", "venues.csv", "outlets.csv")]
    files += sorted(folder.glob("wuhan/stations_*")) + sorted(folder.glob("districts/*.csv"))
    return [file for file in files if file.is_file()]


def _rows_of(path: Path) -> list[list[object]]:
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path, read_only=True)
        rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
        book.close()
    else:
        code = "gb18030" if "gb18030" in path.name else "utf-8-sig"
        rows = [list(row) for row in csv.reader(io.StringIO(path.read_text(encoding=code)))]
    return rows[:40]


def _cell(dice: random.Random) -> object:
    pick = dice.random()
    if pick < 0.35:
        return dice.choice(POSITIONS)
    if pick < 0.75:
        return dice.choice(TEXTS)
    if pick < 0.85:
        return dice.choice(VALUES)
    if pick < 0.93:
        return round(dice.uniform(115.7, 115.9), dice.randint(0, 8))
    return "".join(
        chr(dice.choice((dice.randint(32, 126), dice.randint(0x4E00, 0x9FFF), dice.randint(1, 0x2FFF))))
        for _ in range(dice.randint(0, 12))
    )


def _heading(dice: random.Random) -> object:
    words = VOCABULARY[dice.choice(tuple(VOCABULARY))]
    return dice.choice(words) if dice.random() < 0.85 else _cell(dice)


def _made(dice: random.Random) -> list[list[object]]:
    width = dice.randint(1, 9)
    must = ["名称", "经度", "纬度"] if dice.random() < 0.7 else []
    heads: list[object] = [*must, *(_heading(dice) for _ in range(width))]
    dice.shuffle(heads)
    rows: list[list[object]] = [heads]
    if dice.random() < 0.3:
        rows.insert(0, [f"某区驿站一览表（{dice.randint(1, 99)}个）"] + [None] * (len(heads) - 1))
    for _ in range(dice.randint(0, 12)):
        row = [_cell(dice) for _ in heads]
        for k, heading in enumerate(heads):
            if dice.random() < 0.7 and heading == "经度":
                row[k] = round(dice.uniform(115.7, 115.9), 6)
            if dice.random() < 0.7 and heading == "纬度":
                row[k] = round(dice.uniform(32.8, 33.0), 6)
        rows.append(row)
    return rows


def _mutated(dice: random.Random, rows: list[list[object]]) -> list[list[object]]:
    for _ in range(dice.randint(1, 12)):
        width = max(len(row) for row in rows)
        at = dice.randrange(len(rows))
        match dice.randrange(9):
            case 0 | 1 | 2:
                k = dice.randrange(width)
                rows[at] += [None] * (k + 1 - len(rows[at]))
                rows[at][k] = _cell(dice)
            case 3:
                rows.insert(at, [_cell(dice) if dice.random() < 0.3 else None for _ in range(width)])
            case 4:
                rows.insert(
                    at,
                    [
                        dice.choice(
                            (
                                "合计",
                                "小计",
                                "注：见附件",
                                "颍西街道",
                                "一、颍西街道",
                                "填报人：张三13956000000",
                            )
                        )
                    ],
                )
            case 5:
                rows.insert(at, list(rows[dice.randrange(len(rows))]))
            case 6:
                k = dice.randrange(width)
                rows = [row[:k] + row[k + 1 :] for row in rows]
            case 7:
                k = dice.randrange(width)
                for i, row in enumerate(rows):
                    row.insert(k, _heading(dice) if i == 0 else _cell(dice))
            case _:
                tail = rows[at:]
                dice.shuffle(tail)
                rows[at:] = tail
        rows = [row for row in rows if row] or [[None]]
    return rows


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def _tells(value: object) -> bool:
    """Whether a cell says anything: blanks, signs of no text and Excel's errors do not."""
    if isinstance(value, float) and math.isnan(value):
        return False
    text = "".join(c for c in _plain(value) if c.isprintable()).strip("\ufeff\u3000\u00a0 ")
    return text.strip("，") not in {"", "#N/A"}


def _for_xls(value: object) -> object:
    """What xlwt can write: short texts, finite numbers of a sane size."""
    if isinstance(value, str):
        return value[:30_000]
    if isinstance(value, int | float) and not abs(value) < 1e300:
        return str(value)
    return value


def _written(dice: random.Random, rows: list[list[object]], kind: str) -> tuple[str, bytes, set[int]]:
    """File name, content, and the rows (1-based, as the file numbers them) with something in them."""
    filled = {i for i, row in enumerate(rows, start=1) if any(_tells(v) for v in row)}
    if kind in {"csv", "gb18030"}:
        text = io.StringIO()
        csv.writer(text, lineterminator=dice.choice(("\n", "\r\n"))).writerows(
            [_plain(v).replace("\n", " ").replace("\r", " ") for v in row] for row in rows
        )
        code = kind if kind == "gb18030" else dice.choice(("utf-8", "utf-8-sig", "utf-16"))
        return "t.csv", text.getvalue().encode(code, "replace"), filled
    if kind == "html":
        cells = "".join("<tr>" + "".join(f"<td>{_plain(v)}</td>" for v in row) + "</tr>" for row in rows)
        return (
            "t.xls",
            f"<html><table>{cells}</table></html>".encode(dice.choice(("utf-8", "gb18030")), "replace"),
            set(),
        )
    content = io.BytesIO()
    if kind == "xls":
        book = xlwt.Workbook()
        sheet = book.add_sheet("名单")
        for i, row in enumerate(rows):
            for k, value in enumerate(row[:200]):
                sheet.write(i, k, _for_xls(value))
        book.save(content)
        return "t.xls", content.getvalue(), filled
    workbook = openpyxl.Workbook()
    page = workbook.active
    assert page is not None
    for row in rows:
        page.append([ILLEGAL_CHARACTERS_RE.sub("", v)[:32_000] if isinstance(v, str) else v for v in row])
        for cell in page[page.max_row]:
            if cell.data_type == "f":
                cell.data_type = "s"  # a formula that no program has computed holds nothing to read
    if dice.random() < 0.3 and len(rows) > 3:
        top = dice.randint(1, len(rows) - 1)
        page.merge_cells(
            start_row=top,
            end_row=min(top + dice.randint(0, 3), len(rows)),
            start_column=1,
            end_column=dice.randint(1, 3),
        )
        filled = set()  # what a merged cell swallows is no row of its own
    if dice.random() < 0.2:
        page.row_dimensions[dice.randint(1, len(rows))].hidden = True
    if dice.random() < 0.2:
        workbook.create_sheet("说明").append(["本表由各街道填报"])
        filled = set()
    workbook.save(content)
    return "t.xlsx", content.getvalue(), filled


def _damaged(dice: random.Random, content: bytes) -> bytes:
    damaged = bytearray(content)
    match dice.randrange(3):
        case 0:
            return bytes(damaged[: dice.randrange(len(damaged) + 1)])
        case 1:
            for _ in range(dice.randint(1, 20)):
                if damaged:
                    damaged[dice.randrange(len(damaged))] = dice.randrange(256)
            return bytes(damaged)
        case _:
            at = dice.randrange(len(damaged) + 1)
            return bytes(
                damaged[:at] + bytes(dice.randrange(256) for _ in range(dice.randint(1, 50))) + damaged[at:]
            )


def run(count: int, seed: int, *, only: int | None = None) -> tuple[Counter[str], list[str]]:
    """How many tables were read and refused, and every failure with the number that makes it again."""
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        for number, name, content, filled in tables(count, seed):
            if only not in {None, number}:
                continue
            path = Path(folder, name)
            path.write_bytes(content)
            try:
                outcomes[read_in_every_role(path, random.Random(f"{seed}-{number}-role"), filled)] += 1
            except Exception as error:
                if only is not None:
                    raise
                failures.append(f"#{number} {name}: {type(error).__name__}: {str(error)[:200]}")
    return outcomes, failures


def main() -> int:
    """Run from the command line; exit code 1 where a table was not understood and not refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="this table only, with its traceback")
    given = parser.parse_args()
    start = time.perf_counter()
    outcomes, failures = run(given.count, given.seed, only=given.only)
    print(
        f"{sum(outcomes.values()) + len(failures)} tables in {time.perf_counter() - start:.0f} s: {dict(outcomes)}, {len(failures)} failures"
    )
    print("\n".join(failures[:50]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
