"""Plans in stages and what each station is worth, as tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from geo import siting
from geo.models import Inputs, TravelMatrix
from geo.pipeline.travel import main_layer

STAGE_COLUMNS = ["stage", "venue_id", "name", "value", "gain", "best", "bound", "price", "proven"]


def stages_frame(
    task: siting.Task,
    venues: pd.DataFrame,
    *,
    up_to: int,
    time_limit_s: float,
    count: int,
) -> pd.DataFrame:
    """The nested plans of ``task``, a row a stage, beside the optimum of each number.

    ``count``: sites before the first venue. For *minutes* values are minutes.
    """
    if not up_to:
        return pd.DataFrame(columns=STAGE_COLUMNS)
    found = siting.stages(task, up_to=up_to, time_limit_s=time_limit_s)
    unit = 60.0 if task.goal == "minutes" else 1.0  # the engine counts seconds
    nested, best, bound = (np.array(values) / unit for values in (found.nested, found.best, found.bound))
    values = np.concatenate(([abs(siting.worth(task, task.stands())) / unit], nested))
    rows = [
        (k + 1, venues["venue_id"].iloc[site - count], str(venues["name"].iloc[site - count]),
         nested[k], abs(values[k + 1] - values[k]), best[k], bound[k],
         abs(best[k] - nested[k]), found.proven[k])
        for k, site in enumerate(found.order)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=STAGE_COLUMNS)


def worth_of_stations(inputs: Inputs, covered: pd.DataFrame, reach: TravelMatrix) -> pd.DataFrame:
    """What each station alone covers of the main layer, ``station_id name lost redundant``, most first.

    ``reach``: stations x demand points within the standard.
    """
    layer = (covered["layer"] == main_layer(inputs)).to_numpy()
    weights = np.where(layer, covered["weight"].to_numpy(dtype=float), 0.0)
    lost = siting.losses(siting.Task(weights, reach, existing=np.ones(reach.shape[0], dtype=np.bool_)))
    rows = inputs.stations[["station_id", "name"]].reset_index(drop=True)
    rows = rows.assign(lost=lost, redundant=lost == 0)
    return rows.sort_values("lost", ascending=False, kind="stable").reset_index(drop=True)


def dense_row(matrix: TravelMatrix, row: int) -> Any:
    """One row of a sparse matrix as dense seconds, ``inf`` where absent."""
    dense = np.full(matrix.shape[1], np.inf)
    part = slice(matrix.indptr[row], matrix.indptr[row + 1])
    dense[matrix.indices[part]] = matrix.seconds[part]
    return dense
