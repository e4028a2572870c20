"""The command line: parse, call the pipeline, print. Exit codes: 0 done, 1 the run failed, 2 wrong input."""

from __future__ import annotations

import json
import shutil
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from geo.config import Study, load_study
from geo.errors import InputError, RedmapError

app = typer.Typer(
    name="redmap",
    help="红色地图：从驿站名单和道路数据到 15 分钟覆盖率、盲区、选址与地图。\n\n"
    "Red Map: from a station list and OSM roads to honest coverage, gaps, sites and a map.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
StudyArg = Annotated[Path, typer.Argument(help="study.toml 或其文件夹 / study.toml or its folder")]
JsonOption = Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON")]
CacheOption = Annotated[Path | None, typer.Option("--cache", help="路网缓存文件夹 / network cache folder")]
STAGE_NAMES = {
    "area": "范围 area", "roads": "路网 roads", "inputs": "名单与人口 inputs", "snap": "连接道路 snap",
    "times": "步行时间 travel times", "coverage": "覆盖 coverage", "isochrones": "等时圈 isochrones",
    "gaps": "盲区 gaps", "siting": "选址 siting", "write": "写出 write",
}  # fmt: skip


def main() -> None:
    """Entry point of ``redmap``: failures become a message and an exit code, not a traceback."""
    try:
        app()
    except InputError as error:
        _fail(error, 2)
    except RedmapError as error:
        _fail(error, 1)
    except OSError as error:
        _fail(RedmapError(f"读写失败 / file error: {error}"), 1)
    finally:
        sys.excepthook = _report_defect  # here, since typer sets its own


def _fail(error: RedmapError, code: int) -> None:
    console = Console(stderr=True, soft_wrap=True)
    console.print("[bold red]✗[/] 出错了 / failed", highlight=False)
    for line in str(error).splitlines():
        console.print(f"  · {line}", markup=False, highlight=False)
    sys.exit(code)


def _report_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Keep what we need to mend an unforeseen failure in a file, and tell the user where it lies."""
    folder = _cache(None)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "last-failure.txt"
    path.write_text("".join(traceback.format_exception(kind, error, trace)), encoding="utf-8")
    console = Console(stderr=True, soft_wrap=True)
    console.print("[bold red]✗[/] 出错了 / failed", highlight=False)
    text = (
        f"程序内部错误，请把 {path} 发给我们，已有结果未改动 / a defect of Red Map, nothing was changed; "
        f"please send us {path}: {kind.__name__}: {error}"
    )
    console.print(f"  · {text}", markup=False, highlight=False)


def _cache(folder: Path | None) -> Path:
    return folder or Path(typer.get_app_dir("redmap")) / "cache"


@contextmanager
def _stages(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _stage: None
        return
    marker = _cache(None) / f"compiled-{version('redmap')}-numba-{version('numba')}-{sys.version_info.minor}"
    if not marker.exists():
        console.print(
            "首次运行：编译计算内核，约半分钟，只此一次 / first run: compiling, half a minute, once"
        )
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("…", total=len(STAGE_NAMES))

        def show(stage: str) -> None:
            done = list(STAGE_NAMES).index(stage)
            progress.update(task, completed=done, description=STAGE_NAMES[stage])

        yield show
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.touch()


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1))


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{100 * value:.1f} %"


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
            f"{_percent(block['share'])} = {block['covered']:,.0f} / {block['total']:,.0f}"
            f"（直线 straight line {_percent(block['share_straight_line'])}，两站以上 two or more {_percent(block['share_two_or_more'])}）",
        )
        for name, share in {**block["share_by_service"], **block["share_by_time"]}.items():
            table.add_row(f"  · {name}", _percent(share))
    table.add_row("盲区 gaps", f"{gaps['count']}，{gaps['people']:,.0f} 人 people")
    if "siting" in summary:
        plan = summary["siting"]
        table.add_row(
            "加站 siting",
            f"+{plan['add']} → +{plan['gain']:,.0f} 人 people（{plan['status']}, gap {_percent(plan['gap'])}）",
        )
    shapes = summary["isochrones"]
    table.add_row(
        "等时圈误差 shape error",
        f"false {_percent(shapes['false_share'])}, missed {_percent(shapes['missed_share'])}",
    )
    console.print(table)
    console.print(f"地图 map: {(out / 'map.html').resolve()}", soft_wrap=True, highlight=False)


def _build(study: Study, out: Path, cache: Path | None, *, as_json: bool) -> None:
    from geo import pipeline

    with _stages(quiet=as_json) as progress:
        result = pipeline.build(study, out, cache_dir=_cache(cache), progress=progress)
    if as_json:
        _print_json({**result.summary, "out": str(out.resolve())})
    else:
        _print_summary(dict(result.summary), out)


COUNTS = {"listed": "登记", "mapped": "上图", "used": "使用", "merged": "合并", "rejected": "拒绝",
          "hours_known": "时间已知"}  # fmt: skip


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
    cache: CacheOption = None,
    as_json: JsonOption = False,
) -> None:
    """计算并写出地图和表格。 Compute a study and write the map, the tables and the report.

    Example: redmap build my-district --out maps/my-district
    """
    loaded = load_study(study)
    _build(loaded, out or Path("maps") / loaded.folder.name, cache, as_json=as_json)


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
    with _stages(quiet=as_json) as progress:
        if out is None:
            net, inputs = pipeline.load(loaded, cache_dir=_cache(cache), progress=progress)
        else:
            net, inputs = pipeline.check(loaded, out, cache_dir=_cache(cache), progress=progress)
    counts = dict(inputs.station_counts)
    if as_json:
        entries = [{k: getattr(e, k) for k in e.__slots__} for e in inputs.audit]
        _print_json({"stations": counts, "nodes": net.node_count, "edges": net.edge_count, "audit": entries})
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
        _print_json({"tables": [asdict(t) for t in tables], "defects": [asdict(d) for d in defects]})
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
    with _stages(quiet=as_json) as progress:
        plan, sites = pipeline.site(loaded, add=add, cache_dir=_cache(cache), progress=progress)
    if plan is None:
        raise InputError(
            "没有候选场所：给出 [venues] 或含设施的道路文件 / no venues; give [venues] or a roads file with amenities"
        )
    if as_json:
        rows = json.loads(sites.drop(columns="geometry").to_json(orient="records", force_ascii=False))
        _print_json({"plan": {k: getattr(plan, k) for k in plan.__slots__}, "sites": rows})
        return
    console = Console()
    table = Table("#", "场所 venue", "类型 kind", "新增 gain", "受益社区 communities")
    for row in sites.itertuples():
        gains = "、".join(f"{g['name']} {g['people']:,.0f}" for g in row.communities_gain[:4])
        table.add_row(str(row.rank), str(row.name), str(row.kind), f"{row.gain:,.0f}", gains)
    console.print(table)
    console.print(
        f"覆盖 covered {plan.covered_before:,.0f} → {plan.covered_after:,.0f} / {plan.total:,.0f}；"
        f"{plan.status}，上界 bound {plan.bound:,.0f}，差距 gap {_percent(plan.gap)}",
        highlight=False,
    )


@app.command()
def isochrone(
    study: StudyArg,
    at: Annotated[str, typer.Option(help="经度,纬度 (WGS-84) / LON,LAT")],
    minutes: Annotated[str | None, typer.Option(help="如 5,10,15 / for example 5,10,15")] = None,
    cache: CacheOption = None,
) -> None:
    """画一处的等时圈（GeoJSON）。 Isochrones round one position, GeoJSON on standard output.

    Example: redmap isochrone my-district --at 115.81,32.89 --minutes 5,10,15
    """
    from geo import pipeline

    lon, lat = _numbers(at, "--at", 2)
    bands = tuple(_numbers(minutes, "--minutes")) if minutes else None
    loaded = load_study(study)
    net, _inputs = pipeline.load(loaded, cache_dir=_cache(cache))
    frame = pipeline.isochrone(net, loaded, lon=lon, lat=lat, minutes=bands)
    typer.echo(frame.to_json(drop_id=True))


def _numbers(text: str, option: str, count: int | None = None) -> list[float]:
    try:
        values = [float(part) for part in text.replace("，", ",").split(",")]
    except ValueError as error:
        raise InputError(
            f"{option} {text!r}：应为逗号分隔的数 / expected numbers separated by commas"
        ) from error
    if count is not None and len(values) != count:
        raise InputError(f"{option} {text!r}：应为 {count} 个数 / expected {count} numbers")
    return values


@app.command()
def fetch(
    place: Annotated[str, typer.Argument(help="地名，如“颍州区, 阜阳市” / a place name")],
    cache: CacheOption = None,
    endpoint: Annotated[str | None, typer.Option(help="Overpass 地址 / Overpass endpoint")] = None,
    timeout_s: Annotated[float, typer.Option(help="超时秒数 / time-out in seconds")] = 180.0,
) -> None:
    """按地名下载道路（OpenStreetMap，经 OSMnx）。 Download a place's roads, cached.

    Example: redmap fetch "颍州区, 阜阳市"
    """
    from geo import network

    typer.echo(network.fetch_roads(place, cache_dir=_cache(cache), endpoint=endpoint, timeout_s=timeout_s))


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="新文件夹 / a new folder")]) -> None:
    """新建一个研究文件夹，内含可改的示例文件。 Start a study folder with files to replace by your own.

    Example: redmap init my-district
    """
    from geo import pipeline

    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} 不是空文件夹 / is not empty; choose a new folder")
    shutil.copytree(pipeline.sample_study().folder, folder, dirs_exist_ok=True)
    typer.echo(
        f"{folder / 'study.toml'}：请换成自己的文件 / replace the files by your own, then: redmap build {folder}"
    )


@app.command()
def serve(
    study: StudyArg,
    host: Annotated[str, typer.Option(help="监听地址 / address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="端口 / port")] = 8000,
    cache: CacheOption = None,
) -> None:
    """启动地图服务。 Start the map service.

    Example: redmap serve my-district --port 8000
    """
    try:
        from importlib import import_module

        api = import_module("api.app")
        settings = import_module("api.settings")
        uvicorn = import_module("uvicorn")
    except ImportError as error:
        raise RedmapError(
            '服务需要附加组件 / the service needs an extra: pip install "redmap[service]"'
        ) from error
    load_study(study)
    chosen = settings.Settings(study=study, cache_dir=_cache(cache))
    uvicorn.run(api.create_app(chosen), host=host, port=port, log_level="info")
