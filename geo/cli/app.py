"""The program and what its commands share: options, progress, failures."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

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


def fail(error: RedmapError, code: int) -> None:
    """Print why a run ended and leave with its exit code."""
    console = Console(stderr=True, soft_wrap=True)
    console.print("[bold red]✗[/] 出错了 / failed", highlight=False)
    for line in str(error).splitlines():
        console.print(f"  · {line}", markup=False, highlight=False)
    sys.exit(code)


def report_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Keep what we need to mend an unforeseen failure in a file, and tell the user where it lies."""
    folder = cache_folder(None)
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


def cache_folder(folder: Path | None) -> Path:
    """The folder given, else the one of the user's account."""
    return folder or Path(typer.get_app_dir("redmap")) / "cache"


@contextmanager
def stages(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """A progress bar over the pipeline's stages on a terminal, silence elsewhere."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _stage: None
        return
    marker = (
        cache_folder(None) / f"compiled-{version('redmap')}-numba-{version('numba')}-{sys.version_info.minor}"
    )
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


def print_json(value: Any) -> None:
    """Print a value as JSON that people can read."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1))


def percent(value: float | None) -> str:
    """A share as text."""
    return "—" if value is None else f"{100 * value:.1f} %"


def numbers(text: str, option: str, count: int | None = None) -> list[float]:
    """The comma-separated numbers of an option; raises :class:`geo.errors.InputError` on others."""
    try:
        values = [float(part) for part in text.replace("，", ",").split(",")]
    except ValueError as error:
        raise InputError(
            f"{option} {text!r}：应为逗号分隔的数 / expected numbers separated by commas"
        ) from error
    if count is not None and len(values) != count:
        raise InputError(f"{option} {text!r}：应为 {count} 个数 / expected {count} numbers")
    return values
