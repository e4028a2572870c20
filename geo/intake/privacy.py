"""Personal mobile numbers are masked in everything that is written."""

from __future__ import annotations

import re

_MOBILE = re.compile(r"(?<!\d)(1[3-9]\d)([ -]?)(\d{4})([ -]?)(\d{4})(?!\d)")


def mask_mobiles(text: str) -> str:
    """``text`` with the middle of mainland mobile numbers hidden; landlines stay.

    >>> mask_mobiles("门卫老李139 5600 0000，值班 0558-2260000")
    '门卫老李139****0000，值班 0558-2260000'
    """
    return _MOBILE.sub(r"\1****\5", text)
