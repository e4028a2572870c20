"""The short commands: isochrone, recruit, fetch, init, serve."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from geo.cli.app import CacheOption, JsonOption, StudyArg, app, cache_folder, numbers, print_json
from geo.cli.check import print_audit
from geo.config import load_study
from geo.errors import Defect, InputError, RedmapError


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

    lon, lat = numbers(at, "--at", 2)
    bands = tuple(numbers(minutes, "--minutes")) if minutes else None
    loaded = load_study(study)
    net, _inputs = pipeline.load(loaded, cache_dir=cache_folder(cache))
    frame = pipeline.isochrone(net, loaded, lon=lon, lat=lat, minutes=bands)
    typer.echo(frame.to_json(drop_id=True))


@app.command()
def recruit(
    study: StudyArg,
    out: Annotated[
        Path | None, typer.Option(help="空白报名表写到哪里（.xlsx） / where to write the blank form")
    ] = None,
    answers: Annotated[
        Path | None, typer.Option(help="填好的报名表：看看读出了什么 / filled-in forms: show what is read")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """驿站招募：写出空白报名表，或检查填好的。 The call for hosts: write the blank form, or check the answers.

    Answers that are to count in a build are named in study.toml: [venues] recruitment = "answers.xlsx".

    Example: redmap recruit my-district --out form.xlsx
    """
    from geo import pipeline

    if (out is None) == (answers is None):
        raise InputError("--out 与 --answers 给且只给一个 / give exactly one of --out and --answers")
    loaded = load_study(study)
    if out is not None:
        pipeline.recruitment_form(loaded, out)
        if as_json:
            print_json({"form": str(out.resolve())})
        else:
            typer.echo(
                f"{out}：发给商户填写，再用 --answers 检查 / send it out, then check it with --answers"
            )
        return
    assert answers is not None
    venues, audit = pipeline.recruitment_answers(loaded, answers)
    if as_json:
        rows = json.loads(
            venues.assign(services=venues["services"].map(sorted)).to_json(
                orient="records", force_ascii=False
            )
        )
        print_json({"venues": rows, "audit": [asdict(entry) for entry in audit]})
        return
    console = Console()
    table = Table(
        "编号 id", "场所 place", "类型 kind", "位置 position (WGS-84)", "开放 hours", "服务 services"
    )
    for row in venues.to_dict("records"):
        at = f"{row['lon']:.5f}, {row['lat']:.5f}"
        table.add_row(
            *map(
                escape,
                (
                    row["venue_id"],
                    row["name"],
                    row["kind"],
                    at,
                    row["hours"] or "—",
                    " ".join(sorted(row["services"])),
                ),
            )
        )
    console.print(table)
    print_audit(console, audit)


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

    typer.echo(
        network.fetch_roads(place, cache_dir=cache_folder(cache), endpoint=endpoint, timeout_s=timeout_s)
    )


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
    studies: Annotated[
        list[Path] | None,
        typer.Argument(
            help="一个或多个 study.toml 或其文件夹；缺省取环境变量 REDMAP_STUDIES，再缺省为示例 / "
            "studies: study.toml or its folder; else those in REDMAP_STUDIES, else the sample"
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="监听地址 / address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="端口 / port")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="进程数 / processes")] = 1,
    root_path: Annotated[
        str, typer.Option(help="反向代理下的路径前缀 / path prefix behind a proxy, such as /redmap")
    ] = "",
    cache: CacheOption = None,
) -> None:
    """启动地图服务。 Start the map service.

    Example: redmap serve my-district next-district --workers 2
    """
    try:
        from importlib import import_module

        logs, settings = import_module("api.logs"), import_module("api.settings")
        uvicorn = import_module("uvicorn")
    except ImportError as error:
        raise RedmapError(
            '服务需要附加组件 / the service needs an extra: pip install "redmap[service]"'
        ) from error
    for study in studies or ():
        load_study(study)
    # each process reads its settings from the environment that it inherits
    if studies:
        os.environ.pop("REDMAP_STUDY", None)
        os.environ["REDMAP_STUDIES"] = os.pathsep.join(str(study.resolve()) for study in studies)
    os.environ["REDMAP_CACHE_DIR"] = str(cache_folder(cache))
    # a worker that comes back must not take requests before it can answer them
    os.environ.setdefault("REDMAP_WAIT", "false" if workers == 1 else "true")
    os.environ.setdefault("REDMAP_RELOAD_S", "10")
    # more threads than cores only take the cores' caches from each other
    os.environ.setdefault("REDMAP_ISOCHRONE_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
    try:
        chosen = settings.Settings()
    except ValueError as error:
        raise InputError(
            Defect(f"环境变量 REDMAP_… 的值不对 / wrong setting in the environment: {error}")
        ) from error
    options: dict[str, Any] = {
        "host": host, "port": port, "root_path": root_path, "log_config": logs.CONFIG, "access_log": False,
        "timeout_graceful_shutdown": 30,
    }  # fmt: skip
    if workers == 1:
        uvicorn.run("api.app:create_app", factory=True, **options)
        return
    with tempfile.TemporaryDirectory() as counts:  # Prometheus adds up the counts of all processes
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", counts)
        if hasattr(os, "fork"):
            # imported late: where counts are kept is settled as soon as they are imported
            import_module("api.workers").serve(chosen, workers=workers, **options)
        else:
            uvicorn.run(
                "api.app:create_app", factory=True, workers=workers, timeout_worker_healthcheck=60, **options
            )
