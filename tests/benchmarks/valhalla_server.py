"""Run by the Python of Valhalla's own environment: a JSON line in, a JSON line with its seconds out."""

import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path


def configure(folder):
    import valhalla

    config = valhalla.get_config(tile_extract="", tile_dir=str(folder / "tiles"), verbose=False)
    config["mjolnir"]["concurrency"] = os.cpu_count()
    for part in config.values():
        if isinstance(part, dict) and "logging" in part:
            part["logging"] = {"type": ""}
    (folder / "valhalla.json").write_text(json.dumps(config))


def build(folder, pbf):
    """Tiles from nothing: seconds of the whole builder, and its peak memory."""
    shutil.rmtree(folder / "tiles", ignore_errors=True)
    (folder / "tiles").mkdir(parents=True)
    configure(folder)
    command = [
        sys.executable,
        "-m",
        "valhalla",
        "valhalla_build_tiles",
        "-c",
        str(folder / "valhalla.json"),
        pbf,
    ]
    start = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    taken = time.perf_counter() - start
    if not any((folder / "tiles").rglob("*.gph")):
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no tiles"]
        return {"error": lines[-1]}
    return {
        "seconds": taken,
        "peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }


def isochrones(actor, origins, minutes, options):
    """One request an origin; seconds of the requests alone, the shapes as GeoJSON."""
    seconds, shapes = [], []
    for lon, lat in origins:
        request = json.dumps(
            {
                "locations": [{"lon": lon, "lat": lat}],
                "costing": "pedestrian",
                "costing_options": {"pedestrian": {"walking_speed": 4.0}},
                "contours": [{"time": m} for m in minutes],
                "polygons": True,
                **options,
            }
        )
        start = time.perf_counter()
        answer = actor.isochrone(request)
        seconds.append(time.perf_counter() - start)
        shapes.append(json.loads(answer)["features"])
    return {"seconds": seconds, "shapes": shapes}


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the C++ side prints goes to the errors
    folder, actor = Path(sys.argv[1]), None
    for line in sys.stdin:
        what, *arguments = json.loads(line)
        try:
            if what == "build":
                actor, answer = None, build(folder, *arguments)
            else:
                import valhalla

                with contextlib.redirect_stdout(sys.stderr):
                    actor = actor or valhalla.Actor(str(folder / "valhalla.json"))
                answer = isochrones(actor, *arguments)
        except Exception as error:  # noqa: BLE001 - told to the other side
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
