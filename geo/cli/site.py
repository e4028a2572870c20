"""`redmap site`: where to add stations."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from geo.cli.app import CacheOption, JsonOption, StudyArg, app, cache_folder, percent, print_json, stages
from geo.config import load_study
from geo.errors import InputError


@app.command()
def site(
    study: StudyArg,
    add: Annotated[int, typer.Option(help="新增几处 / how many stations to add")] = 5,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """建议在哪里加站，附证明的上界。 Recommend where to add stations, with a proven bound.

    Example: redmap site my-district --add 5
    """
    from geo import pipeline

    loaded = load_study(study)
    with stages(quiet=as_json) as progress:
        plan, sites = pipeline.site(loaded, add=add, cache_dir=cache_folder(cache), progress=progress)
    if plan is None:
        raise InputError(
            "没有候选场所：给出 [venues] 或含设施的道路文件 / no venues; give [venues] or a roads file with amenities"
        )
    if as_json:
        rows = json.loads(sites.drop(columns="geometry").to_json(orient="records", force_ascii=False))
        print_json({"plan": {k: getattr(plan, k) for k in plan.__slots__}, "sites": rows})
        return
    console = Console()
    table = Table("#", "场所 venue", "类型 kind", "新增 gain", "受益社区 communities")
    for row in sites.itertuples():
        gains = "、".join(f"{g['name']} {g['people']:,.0f}" for g in row.communities_gain[:4])
        table.add_row(str(row.rank), str(row.name), str(row.kind), f"{row.gain:,.0f}", gains)
    console.print(table)
    console.print(
        f"覆盖 covered {plan.covered_before:,.0f} → {plan.covered_after:,.0f} / {plan.total:,.0f}；"
        f"{plan.status}，上界 bound {plan.bound:,.0f}，差距 gap {percent(plan.gap)}",
        highlight=False,
    )
