"""Personal mobile numbers never reach a page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_MOBILE = re.compile(r"(?<!\d)((?:\+?86[ -]?)?)(1[3-9]\d)([ .-]?)\d{4}\3(\d{4})(?!\d)")


def mask_mobiles(text: str) -> str:
    """``text`` with the middle of mainland mobile numbers (1[3-9] + 9 digits) hidden; landlines stay.

    >>> mask_mobiles("老李 13912340000 / +86 139-1234-0000 / 0558-2260000")
    '老李 139****0000 / +86 139****0000 / 0558-2260000'
    """
    return _MOBILE.sub(r"\1\2****\4", text)


def mask_everything(value: Any) -> Any:
    """``value`` (nested mappings, lists, strings, numbers) with the mobiles of every string masked.

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
