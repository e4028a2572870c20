"""Personal numbers are masked in everything that is written; landlines stay.

PIPL and the State Council's 2018 rule on published lists ask for it: mobiles keep 3 + 4 digits,
citizen identity numbers their first 6.
"""

from __future__ import annotations

import re
from typing import Literal

_GAP = r"[\s\-‐‑–—－·]{0,2}"
# \d also matches full-width digits, so that １３９… is found as well; the decimals of a number are none
_MOBILE = re.compile(
    rf"(?<!\d)(?<!\d\.)((?:(?:\+|00)?86{_GAP})?)([1１][3-9３-９]\d)((?:{_GAP}\d){{4}}){_GAP}(\d(?:{_GAP}\d){{3}})(?!\d)"
)
_DOTTED = re.compile(
    r"(?<!\d)(?<!\d\.)(1[3-9]\d)\.\d{4}\.(\d{4})(?!\d)"
)  # 139.1234.0000 and no decimal number
_SHORTEST = 11  # digits of a mobile; identity numbers have 18
_IDENTITY = re.compile(r"(?<!\d)([1-9]\d{5})(?:19|20)\d{2}[01]\d[0-3]\d\d{3}[\dXx](?![\dXx])")


def personal_numbers(text: str) -> list[tuple[Literal["mobile", "identity"], str]]:
    """Each personal number in ``text``: what it is, and how it is shown.

    >>> personal_numbers("老李13956000000，值班0558-2260000")
    [('mobile', '139****0000')]
    """
    if len(text) < _SHORTEST:
        return []
    kinds: list[tuple[Literal["mobile", "identity"], str]] = []
    kinds += [("identity", mask_mobiles(m[0])) for m in _IDENTITY.finditer(text)]
    rest = _IDENTITY.sub("", text)
    kinds += [("mobile", mask_mobiles(m[0])) for rule in (_MOBILE, _DOTTED) for m in rule.finditer(rest)]
    return kinds


def mask_mobiles(text: str) -> str:
    """``text`` with mainland mobile and identity numbers hidden in the middle; landlines stay.

    >>> mask_mobiles("门卫老李139 5600 0000，值班 0558-2260000/13956000000")
    '门卫老李139****0000，值班 0558-2260000/139****0000'
    """
    if len(text) < _SHORTEST:
        return text
    hidden = _DOTTED.sub(r"\1****\2", _IDENTITY.sub(r"\1************", text))
    return _MOBILE.sub(lambda m: f"{m[1]}{m[2]}****{re.sub(_GAP_ONLY, '', m[4])}", hidden)


_GAP_ONLY = re.compile(r"\D")
