"""Personal numbers never reach a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geo.intake.privacy import mask_mobiles


def mask_everything(value: Any) -> Any:
    """``value`` (nested mappings, lists, strings, numbers) with the mobile and identity numbers of every string masked.

    >>> mask_everything({"a": ["tel 13800001111", 3]})
    {'a': ['tel 138****1111', 3]}
    """
    if isinstance(value, str):
        return mask_mobiles(value)
    if isinstance(value, Mapping):
        return {mask_mobiles(str(key)): mask_everything(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mask_everything(item) for item in value]
    return value
