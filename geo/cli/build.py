"""`redmap demo`, `redmap build`: the whole way, and its figures on the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from geo.cli.app import CacheOption, JsonOption, StudyArg, app, cache_folder, percent, print_json, stages
from geo.config import Study, load_study


def _add_plan(table: Table, plan: dict[str, Any]) -> None:
    if plan["status"] == "infeasible":
        table.add_row("选址 siting", "[bold red]✗[/] 无解，见下 no plan: see below")
        return
    if plan["goal"] != "cover":
        table.add_row("选址 siting", escape(plan["asked"][0]))
    closed = f"，关 close {len(plan['closed'])}" if plan["closed"] else ""
    table.add_row(
        "加站 siting",
        f"+{plan['add']}{closed} → {plan['gain']:+,.0f} 人 people（{plan['status']}, gap {percent(plan['gap'])}）",
    )


def _print_notes(console: Console, plan: dict[str, Any]) -> None:
    """What a table would cut: what was taken differently from what was asked, and the rules in conflict."""
    for words in plan["notes"]:
        console.print(f"· {words}", markup=False, highlight=False, soft_wrap=True)
    if plan["conflict"]:
        console.print("[bold red]✗[/] 没有方案能同时满足 / no plan keeps all of these:", highlight=False)
    for words in plan["conflict"]:
        console.print(f"  · {words}", markup=False, highlight=False, soft_wrap=True)


def _print_summary(summary: dict[str, Any], out: Path) -> None:
    console = Console()
    stations, gaps, standard = summary["stations"], summary["gaps"], summary["standard"]
    title = f"{summary['study']} {summary['edition']}" + (
        "（合成数据 synthetic）" if summary["synthetic"] else ""
    )
    table = Table(title=title, show_header=False, title_style="bold red")
    table.add_row(
        "标准 standard",
        f"{standard['mode']} {standard['speed_kmh'] or '—'} km/h, {standard['limit_minutes']:g} min",
    )
    table.add_row(
        "驿站 stations",
        f"{stations['used']} 用 used / {stations['listed']} 列 listed，时间已知 hours known {stations['hours_known']}",
    )
    for layer, block in summary["demand"].items():
        table.add_row(
            f"覆盖 covered · {layer}",
            f"{percent(block['share'])} = {block['covered']:,.0f} / {block['total']:,.0f}"
            f"（直线 straight line {percent(block['share_straight_line'])}，两站以上 two or more {percent(block['share_two_or_more'])}）",
        )
        for name, share in {**block["share_by_service"], **block["share_by_time"]}.items():
            table.add_row(f"  · {name}", percent(share))
    table.add_row("盲区 gaps", f"{gaps['count']}，{gaps['people']:,.0f} 人 people")
    if "siting" in summary:
        _add_plan(table, summary["siting"])
    shapes = summary["isochrones"]
    table.add_row(
        "等时圈误差 shape error",
        f"false {percent(shapes['false_share'])}, missed {percent(shapes['missed_share'])}",
    )
    console.print(table)
    _print_notes(console, summary.get("siting", {"notes": [], "conflict": []}))
    console.print(f"地图 map: {(out / 'map.html').resolve()}", soft_wrap=True, highlight=False)


def _build(study: Study, out: Path, cache: Path | None, *, as_json: bool, trial: Path | None = None) -> None:
    from geo import pipeline

    with stages(quiet=as_json) as progress:
        result = pipeline.build(study, out, trial=trial, cache_dir=cache_folder(cache), progress=progress)
    if as_json:
        print_json({**result.summary, "out": str(out.resolve())})
    else:
        _print_summary(dict(result.summary), out)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="输出文件夹 / output folder")] = Path("maps/sample"),
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """用内置的合成示例区跑完整流程。 Run the whole way on the embedded synthetic district.

    Example: redmap demo --out maps/sample
    """
    from geo import pipeline

    _build(pipeline.sample_study(), out, cache, as_json=as_json)


@app.command()
def build(
    study: StudyArg,
    out: Annotated[
        Path | None, typer.Option(help="输出文件夹，默认 maps/<研究文件夹名> / output folder")
    ] = None,
    trial: Annotated[
        Path | None,
        typer.Option(help="推演页保存的试点文件（JSON） / trial stations saved by the planner page"),
    ] = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """计算并写出地图和表格。 Compute a study and write the map, the tables and the report.

    Example: redmap build my-district --out maps/my-district
    """
    loaded = load_study(study)
    _build(loaded, out or Path("maps") / loaded.folder.name, cache, as_json=as_json, trial=trial)
