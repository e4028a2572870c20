"""A session made ready: nothing that is asked of it waits for a compiler."""

from __future__ import annotations

import subprocess
import sys

# in a process of its own, since another test may have compiled what this one looks for
ASKED_AFTER_WARM = """
import sys
from pathlib import Path
from numba.core.registry import CPUDispatcher
from geo import pipeline
from geo.intake.trial import TrialStation

def compiled():
    kernels = {
        held for name, module in list(sys.modules.items()) if name.startswith("geo.")
        for held in vars(module).values() if isinstance(held, CPUDispatcher)
    }
    return {(held.py_func.__qualname__, str(signature)) for held in kernels for signature in held.signatures}

study = pipeline.sample_study()
session = pipeline.Session(study, pipeline.run(study, cache_dir=Path(sys.argv[1])))
session.warm()
ready = compiled()
assert len(ready) > 20, ready
lon, lat = (float(session.result.inputs.stations[name].median()) for name in ("lon", "lat"))
for mode in session.modes:
    session.nearest(lon, lat, mode=mode, routes=True)
    session.nearest(lon, lat, mode=mode, at="Tue 12:00", service="toilet")
    session.scenario(add=[TrialStation(name="new", lon=lon, lat=lat)], mode=mode, gaps=True)
    for direction in ("to_station", "from_station"):
        for minutes in ([15.0], [5.0, 10.0, 15.0]):
            found = session.isochrone(lon, lat, minutes=minutes, mode=mode, direction=direction)
            assert len(found.shapes) == len(minutes)
            for tolerance_m, least_share in ((0.0, 0.0), (30.0, 0.5), (30.0, 1.0)):
                session.contours(
                    lon, lat, minutes=minutes, mode=mode, direction=direction,
                    tolerance_m=tolerance_m, least_share=least_share,
                )
late = compiled() - ready
assert not late, late
"""


def test_nothing_is_compiled_once_a_session_is_warm(cache_dir):
    command = [sys.executable, "-c", ASKED_AFTER_WARM, str(cache_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
