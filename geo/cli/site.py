"""`redmap site`: where next, by the study's `[siting]` and the options given here."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from geo.cli.app import (
    CacheOption,
    JsonOption,
    StudyArg,
    app,
    cache_folder,
    numbers,
    percent,
    print_json,
    stages,
)
from geo.config import load_study, with_siting
from geo.errors import InputError
from geo.models import LEAST_PEOPLE, SERVICES_ZH, kind_said

GOALS = {
    "cover": "覆盖 covered", "share": "新站费用 cost of new stations", "minutes": "总人·分钟 person-minutes",
    "worst": "最远分钟 longest minutes", "backup": "覆盖与备份 covered, and twice",
}  # fmt: skip

STATUS = {
    "optimal": "已证最优 proven optimal", "time_limit": "未证最优，差距至多如上 not proven: off by the gap at most",
    "infeasible": "无解 infeasible",
}  # fmt: skip
LOST = {"minutes": "人·分钟 person-minutes", "worst": "分钟，就最远者 minutes for the farthest"}
NOT_PROVEN = "（未证最优 not proven）"
NAMED = 5  # redundant stations printed; --json and sites.xlsx have all


@app.command()
def site(
    study: StudyArg,
    add: Annotated[int | None, typer.Option(help="新增几处 / how many stations to add")] = None,
    cover: Annotated[
        float | None, typer.Option(help="覆盖到此比例最少几处，如 0.95 / the fewest that cover this share")
    ] = None,
    minutes: Annotated[bool, typer.Option("--minutes", help="总步行时间最少 / fewest total minutes")] = False,
    worst: Annotated[bool, typer.Option("--worst", help="最远者最近 / least worst case")] = False,
    backup: Annotated[
        bool, typer.Option("--backup", help="两站可达者最多 / most people within reach of two")
    ] = False,
    close: Annotated[
        int | None, typer.Option(help="关闭几站，损失最小 / close so many, losing least")
    ] = None,
    move: Annotated[int | None, typer.Option(help="至多迁移几站 / move so many at most")] = None,
    budget: Annotated[
        float | None, typer.Option(help="预算，费用写在 siting.costs / budget, costs in siting.costs")
    ] = None,
    must: Annotated[list[str] | None, typer.Option(help="必选的场所 / a venue that must be in")] = None,
    refuse: Annotated[list[str] | None, typer.Option(help="不选的场所 / a venue that is out")] = None,
    one_per: Annotated[
        str | None, typer.Option(help="每个 community 或 street 至多新增一处 / at most one new in each")
    ] = None,
    spacing: Annotated[
        float | None, typer.Option(help="站间至少几分钟 / least minutes between stations")
    ] = None,
    floor_streets: Annotated[
        float | None, typer.Option(help="各街道至少覆盖 / least share of each street")
    ] = None,
    floor_communities: Annotated[
        float | None, typer.Option(help="各社区至少覆盖 / least share of each community")
    ] = None,
    service: Annotated[list[str] | None, typer.Option(help="须提供的服务 / a service it must offer")] = None,
    at: Annotated[
        list[str] | None, typer.Option(help="须开放的时刻，如 'Tue 23:00' / an hour it must be open")
    ] = None,
    gradual: Annotated[
        str | None, typer.Option(help="渐减覆盖的两限，如 10,20 分钟 / from full to no worth, minutes")
    ] = None,
    capacity: Annotated[
        float | None, typer.Option(help="每处新站可服务人数 / people a new station can serve")
    ] = None,
    stage: Annotated[
        int | None, typer.Option("--stages", help="分期方案到几处 / stages up to so many")
    ] = None,
    alternatives: Annotated[
        int | None, typer.Option(help="另给几个相近方案 / other plans within 1 %")
    ] = None,
    time_limit: Annotated[float | None, typer.Option(help="求解时限秒 / seconds for the solver")] = None,
    out: Annotated[
        Path | None, typer.Option(help="写出表格与 GeoJSON 的文件夹 / folder for the table and GeoJSON")
    ] = None,
    call: Annotated[
        Path | None, typer.Option(help="写出一页驿站招募令 PDF / the recruitment call as a PDF")
    ] = None,
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """建议在哪里加站、关站、迁站，附证明的上界。 Where to add, close or move stations, with a proven bound.

    Example: redmap site my-district --add 5 --floor-streets 0.8 --refuse 某某超市 --stages 10

    Example: redmap site my-district --cover 0.95
    """
    from geo import pipeline

    goals = [g for g, on in (("minutes", minutes), ("worst", worst), ("backup", backup)) if on]
    goals += ["share"] if cover is not None else []
    if len(goals) > 1:
        named = " ".join("--cover" if g == "share" else f"--{g}" for g in goals)
        raise InputError(
            f"一次只能有一个目标，给了 {named}；请各运行一次再比较 / one goal at a time, found {named}: run each and compare"
        )
    given: dict[str, Any] = {
        "goal": goals[0] if goals else None,
        "add": add if add is not None or (close is None and move is None) else 0,
        "share": cover, "close": close, "move": move, "budget": budget, "must": must or None,
        "refuse": refuse or None, "one_per": one_per, "spacing_minutes": spacing,
        "floor_streets": floor_streets, "floor_communities": floor_communities,
        "services": service or None, "times": at or None, "capacity": capacity,
        "gradual_minutes": tuple(numbers(gradual, "--gradual", 2)) if gradual else None,
        "stages": stage, "alternatives": alternatives, "time_limit_s": time_limit,
    }  # fmt: skip
    loaded = with_siting(load_study(study), {k: v for k, v in given.items() if v is not None})
    with stages(quiet=as_json) as progress:
        found = pipeline.where_next(loaded, cache_dir=cache_folder(cache), progress=progress)
    if out is not None:
        for refused in pipeline.write_where_next(found, out):
            typer.echo(refused, err=True)
    no_call = None if call is None else pipeline.write_call(found, call)
    if no_call is not None:
        typer.echo(no_call, err=True)
    if as_json:
        print_json(_as_json(found))
    else:
        _print(found, out)
    if found.answer.status == "infeasible":
        raise typer.Exit(2)


def _as_json(found: Any) -> dict[str, Any]:
    def rows(frame: Any) -> Any:
        plain = frame.drop(columns="geometry", errors="ignore").copy()
        if "services" in plain:
            plain["services"] = [sorted(s) for s in plain["services"]]
        return json.loads(plain.to_json(orient="records", force_ascii=False))

    return {
        "asked": found.asked.model_dump(mode="json"), "plan": asdict(found.answer), "sites": rows(found.sites),
        "closed": rows(found.closed), "stations": rows(found.stations), "stages": rows(found.stages),
        "alternatives": rows(found.alternatives), "notes": list(found.notes),
    }  # fmt: skip


def _print(found: Any, out: Path | None) -> None:
    console, answer = Console(), found.answer
    for note in found.notes:
        console.print(f"· {note}", markup=False, highlight=False, soft_wrap=True)
    if answer.status == "infeasible":
        console.print("[bold red]✗[/] 没有方案能同时满足 / no plan keeps all of these:", highlight=False)
        for words in answer.conflict:
            console.print(f"  · {words}", markup=False, highlight=False, soft_wrap=True)
        if answer.goal == "worst":
            hint = "--worst 要顾到每个有场所可达的人：加大 --add，或改用 --minutes / --worst must reach everyone whom some venue reaches: raise --add, or ask --minutes"
            console.print(f"  → {hint}", markup=False, highlight=False, soft_wrap=True)
        return
    _print_sites(console, found)
    for row in found.closed.itertuples():
        console.print(f"关闭 close: {row.name}（−{row.lost:,.0f}）", markup=False, highlight=False)
    _print_stages(console, found.stages)
    for row in found.alternatives.itertuples():
        console.print(
            f"方案 alternative {row.rank}: {row.objective:,.0f}{'' if row.proven else NOT_PROVEN} · {row.differs}",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
    unit = 60.0 if answer.goal in {"minutes", "worst"} else 1.0
    console.print(
        f"{GOALS[answer.goal]} {answer.objective / unit:,.1f}，上界 bound {answer.bound / unit:,.1f}，"
        f"差距 gap {percent(answer.gap)}（{STATUS[answer.status]}，{answer.seconds:.1f} s）",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
    before, after = found.covered
    console.print(
        f"{found.minutes:g} 分钟内 within the standard {before:,.0f} → {after:,.0f}；"
        f"任何场所都到不了 beyond all venues {answer.unreachable:,.0f}",
        highlight=False, soft_wrap=True,
    )  # fmt: skip
    spare = found.stations[found.stations["redundant"]]
    if len(spare):
        some = "、".join(spare["name"].map(str).head(NAMED)) + (" …" if len(spare) > NAMED else "")
        console.print(
            f"单独关闭而无人失去的 {len(spare)} 站 stations that nobody would miss, each by itself: {some}",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
    if out is not None:
        console.print(f"写出 written: {out.resolve()}", markup=False, highlight=False, soft_wrap=True)


def _print_stages(console: Console, stages: Any) -> None:
    """A line a stage: a table would cut the names off."""
    for row in stages.itertuples():
        best = "" if row.proven else f"{NOT_PROVEN}，上界 bound {row.bound:,.0f}"
        console.print(
            f"期 stage {row.stage}: {row.name}，新增 gain {row.gain:,.0f}，累计 value {row.value:,.0f}；"
            f"{row.stage} 处最优 best of so many {row.best:,.0f}{best}，分期代价 price of nesting {row.price:,.0f}",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip


def _print_sites(console: Console, found: Any) -> None:
    """A card of a few lines for each site: a table of so many columns would cut the names off."""
    for row in found.sites.itertuples():
        served = f"（分到 served {row.served:,.0f}）" if "served" in found.sites else ""
        workers = f"，劳动者 workers +{row.workers:,.0f}" if row.workers else ""
        console.print(
            f"[bold]{row.rank}. {escape(str(row.name))}[/]（{escape(kind_said(str(row.kind)))}）"
            f"新增 gain {row.gain:,.0f} 人 people{served}{workers}，重叠 overlap {percent(row.overlap)}",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
        known = [g for g in row.communities_gain if g["name"] and g["people"] >= LEAST_PEOPLE]
        gains = "、".join(f"{g['name']} {g['people']:,.0f}" for g in known[:NAMED])
        lines = [f"受益 where: {gains}"] if gains else []
        for words, key, gained in (
            ("须提供（✓ 已有） must offer (✓ has it)", "service", row.services_gain),
            ("要紧时段（✓ 已开） hours that matter (✓ open)", "time", row.hours_gain),
        ):
            named = [(SERVICES_ZH.get(g[key], ""), g) for g in gained if g["people"] >= LEAST_PEOPLE]
            said = (f"{zh} {g[key]} {g['people']:,.0f}{' ✓' if g['has'] else ''}".strip() for zh, g in named)
            lines += [f"{words}: {'、'.join(said)}"] if named else []
        lines.append(
            f"共省 saved {row.minutes_saved:,.0f} 人·分钟 person-minutes；速度 −10 % / +10 % 时新增为现在的 "
            f"gain at −10 % / +10 % speed {percent(row.kept_slow)} / {percent(row.kept_fast)}；"
            f"另一处拒绝时全案保 plan kept if one other refuses {percent(row.kept_refused)}"
        )
        if row.instead:
            lost = -row.instead_loss
            unit = LOST.get(found.answer.goal, "人 people")
            lines.append(
                f"若拒绝，改问 if it says no: {row.instead}（{_signed(lost, found.answer.goal)} {unit}）"
            )
        for line in lines:
            console.print(f"   {line}", markup=False, highlight=False, soft_wrap=True)


def _signed(gained: float, goal: str) -> str:
    """What a change brings, with its sign; minutes count the other way round.

    >>> _signed(-868.4, "cover"), _signed(-0.04, "cover"), _signed(-12.5, "worst")
    ('−868', '±0', '+12.5')
    """
    figure = -gained if goal in LOST else gained
    text = f"{abs(figure):,.1f}" if goal == "worst" else f"{abs(figure):,.0f}"
    return f"±{text}" if not text.strip("0.") else f"{'+' if figure > 0 else '−'}{text}"
