"""`redmap check`: what is read from the inputs, and what was mended, merged or refused."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from geo.cli.app import CacheOption, JsonOption, StudyArg, app, cache_folder, print_json, stages
from geo.config import Study, load_study
from geo.errors import InputError

COUNTS = {"listed": "登记", "mapped": "上图", "used": "使用", "merged": "合并", "rejected": "拒绝",
          "hours_known": "时间已知"}  # fmt: skip


@app.command()
def check(
    study: StudyArg,
    cache: CacheOption = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain", help="说明各表的表头怎样识别，不读路网 / show how the columns are understood"
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="写入清洗后的表 cleaned.xlsx 与 merge.csv 的文件夹 / folder for the cleaned tables"
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """只检查输入；给出 --out 时写下清洗后的表。 Read and check all inputs; write the cleaned tables to --out.

    Example: redmap check my-district --explain
    """
    from geo import pipeline

    loaded = load_study(study)
    if explain:
        _explain(loaded, as_json=as_json)
        return
    with stages(quiet=as_json) as progress:
        if out is None:
            net, inputs = pipeline.load(loaded, cache_dir=cache_folder(cache), progress=progress)
        else:
            net, inputs = pipeline.check(loaded, out, cache_dir=cache_folder(cache), progress=progress)
    counts = dict(inputs.station_counts)
    if as_json:
        entries = [{k: getattr(e, k) for k in e.__slots__} for e in inputs.audit]
        print_json({"stations": counts, "nodes": net.node_count, "edges": net.edge_count, "audit": entries})
        return
    console = Console()
    console.print(
        "驿站 stations: " + " · ".join(f"{COUNTS[k]} {k} {v}" for k, v in counts.items()), highlight=False
    )
    console.print(
        f"路网 network: {net.node_count:,} nodes, {net.edge_count:,} edges; {net.source}", highlight=False
    )
    table = Table("处理 action", "位置 where", "名称 name", "原因 reason")
    for entry in inputs.audit:
        place = " ".join(
            str(p) for p in (entry.file, entry.sheet, entry.row, entry.column) if p not in ("", None)
        )
        table.add_row(entry.action, place, entry.name, f"{entry.reason_zh} / {entry.reason_en}")
    console.print(table if inputs.audit else "没有需要说明的行 / nothing to report")


def _explain(study: Study, *, as_json: bool) -> None:
    """Each table and its columns; then the defects of what cannot be read, with exit code 2."""
    from geo import pipeline

    tables, defects = pipeline.explain(study)
    if as_json:
        print_json({"tables": [asdict(t) for t in tables], "defects": [asdict(d) for d in defects]})
    else:
        console = Console()
        for table in tables:
            _print_explained(console, table)
    if defects:
        raise InputError(defects)


def _print_explained(console: Console, table: Any) -> None:
    zh = {"stations": "驿站", "venues": "候选场所"}.get(table.role, "需求")
    place = " · ".join(p for p in (table.file, table.sheet) if p)
    console.print(f"[bold]{zh} {escape(table.role)}[/] · {escape(place)}", highlight=False, soft_wrap=True)
    first, last = table.header_rows
    rows = "—" if first == 0 else f"{first}" if first == last else f"{first}-{last}"
    facts = [f"表头行 header {rows}", f"数据 {table.rows_read} 行 rows", f"跳过 {table.rows_skipped} skipped"]
    facts += [f"编码 encoding {table.encoding}"] if table.encoding else []
    facts += [f"标题 title “{table.title}”"] if table.title else []
    console.print("  " + "；".join(facts), markup=False, highlight=False, soft_wrap=True)
    shown = Table("字段 field", "表头 heading", "分 points", "依据 why", "次选 runner-up")
    for column in table.columns:
        second = f"{column.runner_up} ({column.runner_up_points})" if column.runner_up else ""
        cells = (
            column.field,
            column.heading,
            str(column.points),
            f"{column.why_zh} / {column.why_en}",
            second,
        )
        shown.add_row(*map(escape, cells))
    console.print(shown)
    if table.unused:
        hint = "；可在 [stations.columns] 指定 / name them in [stations.columns]"
        console.print(
            f"  未用的列 unused: {'、'.join(table.unused)}{hint if table.role == 'stations' else ''}",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
    for row, text, why in table.skipped:
        console.print(f"  跳过 skipped {row}: {text} — {why}", markup=False, highlight=False, soft_wrap=True)
    for problem in table.problems:
        console.print(f"  ✗ {problem}", markup=False, highlight=False, soft_wrap=True)
    console.print()
