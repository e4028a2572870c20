"""Cells as people type them → numbers."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import pandas as pd

from geo.models import F64


def numbers(values: pd.Series[Any]) -> F64:
    """Numbers from cells as people type them (1,234 · １２３ · 12 人); NaN where there is none.

    >>> numbers(pd.Series(["1,234", "１２３", "12人", "暂无", None, 7])).tolist()
    [1234.0, 123.0, 12.0, nan, nan, 7.0]
    """
    plain: F64 = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, copy=True)
    for i in np.flatnonzero(np.isnan(plain)):
        value = values.iloc[i]
        if isinstance(value, str):
            text = unicodedata.normalize("NFKC", value).replace(",", "").replace(" ", "").removesuffix("人")
            try:
                plain[i] = float(text)
            except ValueError:
                continue
    return plain
