"""Run by the Python of Valhalla's own virtual environment: tiles from a PBF, then isochrones."""

import json
import subprocess
import sys
import time
from pathlib import Path


def main(pbf: str, folder: Path, origins: list[list[float]], minutes: list[float]) -> dict[str, object]:
    """Seconds of the build and of each isochrone, and the shapes."""
    import valhalla

    (folder / "tiles").mkdir(exist_ok=True)
    config = valhalla.get_config(tile_extract="", tile_dir=str(folder / "tiles"), verbose=False)
    config["mjolnir"]["concurrency"] = 2
    path = folder / "valhalla.json"
    path.write_text(json.dumps(config))
    command = [str(Path(sys.executable).with_name("valhalla_build_tiles")), "-c", str(path), pbf]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    built = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(done.stdout[-400:] + done.stderr[-400:])
    actor = valhalla.Actor(str(path))
    times, shapes = [], []
    for lon, lat in origins:
        request = {
            "locations": [{"lon": lon, "lat": lat}],
            "costing": "pedestrian",
            "costing_options": {"pedestrian": {"walking_speed": 4.0}},
            "contours": [{"time": m} for m in minutes],
            "polygons": True,
        }
        start = time.perf_counter()
        answer = actor.isochrone(json.dumps(request))
        times.append(time.perf_counter() - start)
        shapes.append(json.loads(answer)["features"])
    return {"build_s": built, "isochrone_s": times, "shapes": shapes}


if __name__ == "__main__":
    pbf, folder, origins, minutes = sys.argv[1:]
    print(json.dumps(main(pbf, Path(folder), json.loads(Path(origins).read_text()), json.loads(minutes))))
