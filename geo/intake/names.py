"""Street and community names joined as people write them: variants, old names, offices, typing errors."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz import fuzz

from geo.errors import Defect, InputError
from geo.intake.columns import clean_heading
from geo.intake.tables import read_table

# Written for one another in the names of places: 颍 (the river) is printed 颖, and 潁 in old type.
VARIANTS = str.maketrans(
    {
        "颖": "颍",
        "潁": "颍",
        "穎": "颍",
        "嶺": "岭",
        "灣": "湾",
        "橋": "桥",
        "龍": "龙",
        "門": "门",
        "東": "东",
    }
)
_OFFICE = re.compile(
    r"(?:人民政府|办事处|居民?委员?会|居委会|村民?委员?会|村委会|党群服务中心|便民服务中心)$"
)
_KIND = re.compile(r"(?:社区|街道|街道办|办|镇|乡|村|路街道)$")
TYPO = 75.0  # of 100: one character of four
CLEARLY = 10.0  # better than the next by
HOW = {"same": ("同名", "the same name"), "variant": ("异写", "another way to write it"),
       "alias": ("别名表", "the table of aliases"), "typo": ("疑为笔误", "probably a typing error")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Match:
    """A name found: its row among those known, and how (a key of :data:`HOW`)."""

    row: int
    how: str


def plain_name(name: object) -> str:
    """A name without office, kind and variants: what two ways to write it have in common.

    >>> plain_name("颖西街道办事处"), plain_name("颍西 街道"), plain_name("太行办事处"), plain_name("太行街道")
    ('颍西', '颍西', '太行', '太行')
    """
    text = re.sub(r"\s+|[（(].*?[)）]", "", unicodedata.normalize("NFKC", str(name or ""))).translate(
        VARIANTS
    )
    text = _OFFICE.sub("", text)
    bare = _KIND.sub("", text)
    return bare if len(bare) >= 2 else text


def read_aliases(path: Path) -> dict[str, str]:
    """Other name → name, from a table whose first column is the other name, the second the name.

    Raises :class:`geo.errors.InputError` where there are not two columns.
    """
    found: dict[str, str] = {}
    for table in read_table(path):
        if table.frame.shape[1] < 2:
            message = "应有两列：别名、名称 / expected two columns: other name, name"
            raise InputError(Defect(message, file=path.name, sheet=table.sheet or None))
        for other, name in table.frame.iloc[:, :2].itertuples(index=False):
            if other and name:
                found[plain_name(other)] = str(name)
        first, second = (clean_heading(c) for c in table.frame.columns[:2])
        found.setdefault(plain_name(first), second)  # a table without headings loses no row
    return found


def match_names(
    given: Sequence[tuple[str, str]], known: Sequence[tuple[str, str]], aliases: Mapping[str, str]
) -> list[Match | None]:
    """For each given (street, name) the known one, or None: by name, by alias, by typing error.

    The street decides between communities of one name; where it cannot, there is no match. A typing
    error is believed where one known name is clearly nearer than all others and no other given name
    has it already.

    >>> match_names([("", "颖西居委会"), ("", "东方虹广场")], [("颍西街道", "颍西社区"), ("", "东方红广场社区")], {})
    [Match(row=0, how='variant'), Match(row=1, how='typo')]
    """
    plain = [(plain_name(street), plain_name(name)) for street, name in known]
    found: list[Match | None] = []
    for street, name in given:
        row = _one([i for i, (_s, n) in enumerate(known) if n == name], street, plain)
        match = Match(row, "same") if row is not None else None
        if match is None:
            row = _one([i for i, (_s, n) in enumerate(plain) if n == plain_name(name)], street, plain)
            match = Match(row, "variant") if row is not None else None
        if match is None and plain_name(name) in aliases:
            real = plain_name(aliases[plain_name(name)])
            row = _one([i for i, (_s, n) in enumerate(plain) if n == real], street, plain)
            match = Match(row, "alias") if row is not None else None
        found.append(match)
    taken = {match.row for match in found if match is not None}
    for k, (street, name) in enumerate(given):
        if found[k] is not None or any(n == plain_name(name) for _s, n in plain):
            continue  # a name of several places is no typing error
        scores = sorted(
            (
                (fuzz.ratio(plain_name(name), n), -i)
                for i, (s, n) in enumerate(plain)
                if i not in taken and (not street or not s or s == plain_name(street))
            ),
            reverse=True,
        )
        if scores and scores[0][0] >= TYPO and (len(scores) == 1 or scores[0][0] - scores[1][0] >= CLEARLY):
            found[k] = Match(-scores[0][1], "typo")
            taken.add(-scores[0][1])
    return found


def _one(rows: Sequence[int], street: str, plain: Sequence[tuple[str, str]]) -> int | None:
    """The only row, or the only one in the street."""
    if len(rows) > 1 and street:
        rows = [i for i in rows if plain[i][0] == plain_name(street)]
    return rows[0] if len(rows) == 1 else None
