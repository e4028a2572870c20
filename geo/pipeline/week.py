"""Who is covered in every hour of the week."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from geo import coverage, intake
from geo.config import DAYS, Study
from geo.models import MODES, SERVICES, Mode
from geo.pipeline.inputs import Progress, load
from geo.pipeline.travel import Travel, by_mode, snap


def week_table(
    study: Study,
    *,
    modes: Sequence[Mode] = MODES,
    cache_dir: Path | None = None,
    progress: Progress = lambda _stage: None,
) -> pd.DataFrame:
    """Who reaches an open station within the limit: every mode, hour of the week and service.

    Columns ``mode layer service hour share``: ``service`` is "" for any station, ``hour`` counts from
    Monday 00:00, ``share`` is of the people of the layer. The study's own mode keeps its speed, the
    others take their defaults. Raises as :func:`load`.
    """
    net, inputs = load(study, modes=modes, cache_dir=cache_dir, progress=progress)
    progress("times")
    hours = [f"{day} {hour:02d}:00" for day in DAYS for hour in range(24)]
    open_week = intake.open_at(list(inputs.stations["hours"]), hours)
    offers = np.array([[s in have for s in SERVICES] for have in inputs.stations["services"]])
    layers = list(dict.fromkeys(inputs.demand["layer"]))
    tables = []
    for mode in modes:
        moved = by_mode(study, mode)
        travel = Travel.of(moved)
        times = travel.router(net).matrix(
            snap(net, inputs.stations, moved), snap(net, inputs.demand, moved), limit_s=travel.limit_s
        )
        tables.append(
            coverage.week_table(
                times.transposed(), open_week, offers.reshape(len(inputs.stations), len(SERVICES)),
                inputs.demand, travel.limit_s,
            )
        )  # fmt: skip
    index = pd.MultiIndex.from_product(
        (modes, layers, ("", *SERVICES), range(len(hours))), names=("mode", "layer", "service", "hour")
    )
    return pd.Series(np.ravel(tables), index=index, name="share").reset_index()
