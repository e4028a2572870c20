"""`redmap check`: what is read from the inputs, and what was mended, merged or refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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
from geo.models import AuditEntry, ListCounts

ACTIONS = {
    "mended": "修正",
    "merged": "合并",
    "rejected": "拒绝",
    "unmapped": "未上图",
    "skipped": "跳过",
    "noted": "说明",
}
MOST_ROWS = 50  # of one reason: more are read in the workbook
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
    privacy: Annotated[
        bool,
        typer.Option(
            "--privacy",
            help="列出遮盖的手机号和身份证号，不读路网 / list the personal numbers that are masked",
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
    if privacy:
        _privacy(loaded, as_json=as_json)
        return
    with stages(quiet=as_json) as progress:
        if out is None:
            net, inputs = pipeline.load(loaded, cache_dir=cache_folder(cache), progress=progress)
        else:
            net, inputs = pipeline.check(loaded, out, cache_dir=cache_folder(cache), progress=progress)
    counts = dict(inputs.station_counts)
    if as_json:
        entries = [{k: getattr(e, k) for k in e.__slots__} for e in inputs.audit]
        lists = [asdict(counted) for counted in inputs.lists]
        sizes = {"nodes": net.node_count, "edges": net.edge_count}
        print_json({"stations": counts, "lists": lists, **sizes, "audit": entries})
        return
    console = Console()
    _print_lists(console, inputs.lists)
    console.print(
        "驿站 stations: " + " · ".join(f"{COUNTS[k]} {k} {v}" for k, v in counts.items()), highlight=False
    )
    console.print(
        f"路网 network: {net.node_count:,} nodes, {net.edge_count:,} edges; {net.source}", highlight=False
    )
    print_audit(console, inputs.audit)


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _print_lists(console: Console, lists: Sequence[ListCounts]) -> None:
    for one in lists:
        who = (
            f"（{' '.join(part for part in (one.issuer, one.date) if part)}）"
            if one.issuer or one.date
            else ""
        )
        declared = "—" if one.declared is None else str(one.declared)
        differs = "" if one.declared in {None, one.listed} else " ≠"
        _line(
            console,
            f"{one.source}{who}：自称 declared {declared}{differs} · 登记 listed {one.listed} · 上图 mapped {one.mapped}"
            f" · 可用 usable {one.used} · 拒绝 rejected {one.rejected}",
        )


def print_audit(console: Console, audit: Sequence[AuditEntry]) -> None:
    """What was done, counted; then by reason the rows, old → new."""
    if not audit:
        console.print("没有需要说明的行 / nothing to report")
        return
    actions = Counter[str](entry.action for entry in audit)
    _line(
        console,
        "处理 done: " + " · ".join(f"{zh} {name} {actions[name]}" for name, zh in ACTIONS.items() if actions[name]),
    )  # fmt: skip
    groups: dict[tuple[str, str, str], list[AuditEntry]] = {}
    for entry in audit:
        groups.setdefault((entry.action, entry.reason_zh, entry.reason_en), []).append(entry)
    for action, zh in ACTIONS.items():
        for (done, reason_zh, reason_en), entries in groups.items():
            if done != action:
                continue
            many = f"（{len(entries)}）" if len(entries) > 1 else ""
            console.print(
                f"[bold]{zh} {action}[/] {escape(reason_zh)} / {escape(reason_en)}{many}",
                highlight=False, soft_wrap=True,
            )  # fmt: skip
            for entry in entries[:MOST_ROWS]:
                place = " · ".join(
                    str(p) for p in (entry.file, entry.sheet, entry.row, entry.column) if p not in ("", None)
                )
                values = f"{entry.found} → {entry.made}" if entry.made else entry.found
                _line(console, f"    {place}  {entry.name}{'：' if entry.name and values else ''}{values}")
            if len(entries) > MOST_ROWS:
                _line(console, f"    … {len(entries) - MOST_ROWS} 条 more: cleaned.xlsx (--out)")


def _privacy(study: Study, *, as_json: bool) -> None:
    """Each personal number by its cell, as it is shown; defects of what cannot be read end with exit code 2."""
    from geo import pipeline

    found, defects = pipeline.privacy(study)
    if as_json:
        print_json({"masked": [asdict(one) for one in found], "defects": [asdict(d) for d in defects]})
    else:
        console = Console()
        kinds = Counter(one.kind for one in found)
        console.print(
            f"遮盖 masked: 手机号 mobiles {kinds['mobile']} · 身份证号 identity numbers {kinds['identity']}；"
            "单位座机和服务热线保留 / landlines and hotlines stay",
            highlight=False,
            soft_wrap=True,
        )
        for one in found:
            kind = {"mobile": "手机号 mobile", "identity": "身份证号 identity"}[one.kind]
            place = " · ".join(
                str(p) for p in (one.file, one.sheet, one.row, one.column) if p not in ("", None)
            )
            _line(console, f"    {place}  {kind} {one.shown}")
    if defects:
        raise InputError(defects)


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
    zh = {"stations": "驿站", "venues": "候选场所", "recruitment": "招募报名", "ledger": "台账"}.get(
        table.role, "需求"
    )
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
