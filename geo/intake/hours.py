"""Opening hours as people type them → OSM ``opening_hours``; and who is open when.

What is not understood beyond doubt is unknown (None), and unknown is never open.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from opening_hours import ParserError  # type: ignore[attr-defined]  # not in its stub

from geo.errors import Defect, InputError
from geo.intake.workdays import open_on, rule, unpublished
from geo.models import AuditEntry, Bool

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
REFERENCE_MONDAY = dt.date(2026, 6, 8)  # an ordinary week: no holiday, no make-up day
# The usual office season of northern China where a list says only 夏季 / 冬季; always told in the note.
SUMMER, WINTER = "May-Sep", "Oct-Apr"

_OSM_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_OSM_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY_NUMBER = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6, "末": 5}
_EMPTY = frozenset(
    {"", "/", "\\", "-", "--", "—", "——", "无", "暂无", "待定", "不详", "未知", "nan", "none", "null", "#n/a"}
)
_DASH = re.compile(r"[-‐‑–—―－−~〜～]+|至|到|(?<=[\d点时分半])一(?=次日|翌日|凌晨|晚|下午|\d)")
_NUMERALS = {"十二": "12", "十一": "11", "十": "10", "一": "1", "二": "2", "两": "2", "三": "3", "四": "4",
             "五": "5", "六": "6", "七": "7", "八": "8", "九": "9"}  # fmt: skip
_SPELT = re.compile(r"(?<=早|晚|午|晨)(十[一二]?|[一二两三四五六七八九])(?=[点时]|[-早晚]|$)")
_OSM_WORD = re.compile(r"\b(?:Mo|Tu|We|Th|Fr|Sa|Su|PH|SH|off|closed|open|unknown|sun(?:rise|set)|24/7|"
                       r"Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|week|easter)\b|\"", re.IGNORECASE)  # fmt: skip
_BRACKETS = re.compile(r"[(\[【〔](.*?)[)\]】〕]")
_EXCEL = re.compile(r"(?:19|20)\d\d-\d\d?-\d\d?(?: 00:00:00)?|\d\d:\d\d:\d\d|4\d{4}(?:\.0)?|0\.\d+")
_HALF_DAY = r"(次日|翌日|第二天)?(凌晨|早上|早晨|清晨|上午|早|中午|下午|傍晚|晚上|夜间|晚)?"
_CLOCK = r"(\d{1,2})(?:[:.](\d{2})|[点时](?:(半)|(\d{1,2})分?|整)?)?(?!\d)"
_TOKEN = re.compile(
    rf"(?P<span>(?:(?<![\d.:])|(?=[次翌第凌早清上中下傍晚夜])){_HALF_DAY}{_CLOCK}-{_HALF_DAY}{_CLOCK})"
    r"|(?P<early>早(\d{1,2})[点时]?-?晚(\d{1,2})[点时]?)"
    r"|(?P<always>(?<!\d)(?:7[x×*天]\*?)?24(?:小时|h)(?:制)?|24/7|全天候?)"
    r"|(?P<days>每?(?:周|星期|礼拜)[一二三四五六日天末](?:[-、,和及]?(?:周|星期|礼拜)?[一二三四五六日天](?!次))*)"
    r"|(?P<work>工作日)|(?P<weekend>周末|双休日?)|(?P<daily>每[日天]|天天|全年无休|全年|节假日不休|无休)"
    r"|(?P<holiday>(?:法定)?(?:节假日|假日|节日))(?P<except>除外)?"
    r"|(?P<months>(?P<m1>\d{1,2})月(?:份|(?P<d1>\d{1,2})[日号]|底|初)?-(?:次年|翌年|第二年)?(?P<m2>\d{1,2})月(?:份|(?P<d2>\d{1,2})[日号]|底)?)"
    r"|(?P<summer>夏季?(?:令时)?)|(?P<winter>冬季?(?:令时)?)"
    r"|(?P<off>休息|闭馆|关闭|关门|不开放?|不营业|不上班|除外|(?<!不)休$|(?<!不)休(?=[,;]))",
    re.IGNORECASE,
)  # fmt: skip
# Words between the tokens that change nothing; anything else makes the whole cell unknown.
_HARMLESS = re.compile(
    r"[\s,;。、:.!/和及与]|[午中][间午]不休|不打烊|不间断|自助|开放|营业|服务|时间|时段|为|上班|对外|免费|正常|均|都|可用?|工会|驿站|北京"
)


@dataclass(frozen=True, slots=True)
class Hours:
    """``osm``: OSM string, None where unknown; ``condition`` as typed ("扫码进入"); notes on doubts."""

    osm: str | None
    condition: str = ""
    note_zh: str = ""
    note_en: str = ""


def parse_hours(text: str | None) -> str | None:
    """The OSM ``opening_hours`` string meant by ``text``, None where it is unknown.

    The same as ``read_hours(text).osm``.

    >>> parse_hours("周一至周五 8:30-11:30，13:30-17:00；周六9点-12点")
    'Mo-Fr 08:30-11:30,13:30-17:00; Sa 09:00-12:00'
    >>> parse_hours("早8晚6"), parse_hours("6:00-次日2:00"), parse_hours("随银行营业时间")
    ('08:00-18:00', '06:00-26:00', None)
    """
    return read_hours(text).osm


def read_hours(text: str | None) -> Hours:
    """Opening hours from OSM syntax or Chinese text, with conditions and doubts kept.

    >>> read_hours("24小时（扫码进入）")
    Hours(osm='24/7', condition='扫码进入', note_zh='', note_en='')
    >>> read_hours("2025-08-18 00:00:00").note_en
    'changed by Excel into a date, time or number: type it again as text'
    """
    return _read("" if text is None else str(text).strip())


@lru_cache(maxsize=8192)
def _read(text: str) -> Hours:
    if text.lower() in _EMPTY:
        return Hours(None)
    if _EXCEL.fullmatch(text):
        return Hours(None, "", "被 Excel 改成了日期、时间或数字：请按文本重填",
                     "changed by Excel into a date, time or number: type it again as text")  # fmt: skip
    if (
        _OSM_WORD.search(text)
        and not re.search(r"[\u4e00-\u9fff]", re.sub(r'"[^"]*"', "", text))
        and _valid(text)
    ):
        return Hours(text)
    plain = unicodedata.normalize("NFKC", text)
    condition = "；".join(c for c in _BRACKETS.findall(plain) if not _TOKEN.search(_folded(c)))
    kept = _BRACKETS.sub(
        lambda m: "," + m.group(1) + "," if _TOKEN.search(_folded(m.group(1))) else "", plain
    )
    osm, note = _rules(_folded(kept))
    if osm is None or not _valid(osm):
        return Hours(None, condition or plain, *(note or _NOT_UNDERSTOOD))
    return Hours(osm, condition, *(note or ("", "")))


_NOT_UNDERSTOOD = (
    "开放时间未能识别，按未知处理（不算开放）",
    "hours not understood: treated as unknown, never open",
)
_TWELVE = ("收工时刻不晚于开工时刻，可能是 12 小时制：按未知处理",
           "closes no later than it opens, perhaps a 12-hour clock: treated as unknown")  # fmt: skip
_SEASONS = (
    "未写明月份：夏季按 5—9 月、冬季按 10—4 月",
    "no months given: summer taken as May-Sep, winter as Oct-Apr",
)


def _folded(text: str) -> str:
    """Without spaces, one kind of dash, full Chinese clock numerals as digits."""
    spaced = re.sub(r"[\r\n]+|(?<=[\d点时分半])\s+(?=\d)", ",", unicodedata.normalize("NFKC", text))
    dashed = _DASH.sub("-", re.sub(r"\s", "", spaced))
    dashed = re.sub(r"-+", "-", dashed)
    return _SPELT.sub(lambda m: _NUMERALS[m.group(1)], dashed)


def _rules(text: str) -> tuple[str | None, tuple[str, str] | None]:
    """The rules of one folded text: day words and seasons, then their spans, again and again."""
    rules: list[tuple[str, list[int] | None, list[str]]] = []  # season, days (None: every day), spans
    offs: list[str] = []
    season, days, spans = "", None, list[str]()
    assumed, at = False, 0
    pending = False  # days said, no span yet
    season_pending, bare = False, False  # a season said, no span yet; by its name alone, without months

    def close() -> None:
        nonlocal spans
        if spans:
            rules.append((season, days, spans))
        spans = []

    for match in _TOKEN.finditer(text):
        if _HARMLESS.sub("", text[at : match.start()]).strip("-"):
            return None, None
        at = match.end()
        kind = match.lastgroup
        if match["span"] or match["early"] or match["always"]:
            span = _early(match) if match["early"] else "00:00-24:00" if match["always"] else _span(match)
            if span is None:
                return None, _TWELVE
            spans.append(span)
            assumed |= bare
            pending = season_pending = bare = False
        elif match["summer"] or match["winter"] or match["months"]:
            months = _months(match) if match["months"] else SUMMER if match["summer"] else WINTER
            named = bare and match["months"] is not None  # 夏季（6月-8月）: the months say when it is
            if months is None or pending or (season_pending and not named):
                return None, None
            close()
            season, days = months, None
            season_pending, bare = True, match["months"] is None
        elif match["holiday"] and match["except"]:
            offs.append("PH off")
        elif match["off"]:
            # 周一闭馆 is a rule; a closing word after a span (午休…) is not understood
            if not pending or days is None:
                return None, None
            offs.append(f"{_day_text(days)} off")
            days, pending = None, False
        elif match["holiday"]:
            if text[match.end() :].startswith(("休", "闭", "关", "不")):
                offs += [f"{_day_text(days)} off"] if pending and days is not None else []
                offs.append("PH off")
                days, pending = None, False
                at = match.end() + len(re.match(r"休息?|闭馆|关[闭门]|不(?:开放?|营业|上班)", text[at:])[0])  # type: ignore[index]
                return _tail(text, at, rules, offs, season, days, spans, assumed=assumed)
            # holidays open: the weekdays decide, as OSM does without a PH rule
        elif kind is not None:
            new = _days(match)
            if pending:
                new = sorted({*(days or range(7)), *(new or range(7))})
            elif spans:
                # "9:00-17:00 周一至周五": the days stand behind the only span
                behind = not rules and days is None and not _TOKEN_SPAN.search(text, match.end())
                if behind and not _off_follows(text, match.end()):
                    days = new
                    continue
                close()
            days, pending = new, True
    if (pending and days is not None) or season_pending:
        return None, None  # days or a season without hours: which span is theirs is a guess
    return _tail(text, at, rules, offs, season, days, spans, assumed=assumed)


_TOKEN_SPAN = re.compile(r"\d{1,2}(?:[:.点时]\d{0,2})?分?-|24小时|全天")
_OFF_WORD = re.compile(r"[,、和及]?(?:(?:法定)?节?假日)?(?:休|闭|关|不开|不营业|不上班|除外)")


def _off_follows(text: str, at: int) -> bool:
    return _OFF_WORD.match(text, at) is not None


def _tail(
    text: str, at: int, rules: list[tuple[str, list[int] | None, list[str]]], offs: list[str],
    season: str, days: list[int] | None, spans: list[str], *, assumed: bool,
) -> tuple[str | None, tuple[str, str] | None]:  # fmt: skip
    if _HARMLESS.sub("", text[at:]).strip("-"):
        return None, None
    if spans:
        rules = [*rules, (season, days, spans)]
    if not rules:
        return None, None
    if any(not _ascending(w) for _s, _d, w in rules):
        return None, _TWELVE
    made = [" ".join(p for p in (s, _day_text(d), ",".join(dict.fromkeys(w))) if p) for s, d, w in rules]
    if made == ["00:00-24:00"]:
        made = ["24/7"]
    return "; ".join([*made, *dict.fromkeys(offs)]), (_SEASONS if assumed else None)


def _ascending(spans: list[str]) -> bool:
    """Whether each span begins after the one before: else a 12-hour clock is likely (8-12, 2-5)."""
    times = [part for span in dict.fromkeys(spans) for part in span.split("-")]
    return times == sorted(times)


def _months(match: re.Match[str]) -> str | None:
    """``May-Sep`` of 5月-9月, ``May 01-Sep 30`` where the days are said; None for what is no date."""
    first, last = int(match["m1"]), int(match["m2"])
    if not (1 <= first <= 12 and 1 <= last <= 12):
        return None
    if match["d1"] is None and match["d2"] is None:
        return f"{_OSM_MONTHS[first - 1]}-{_OSM_MONTHS[last - 1]}"
    begin, end = int(match["d1"] or 1), int(match["d2"] or _MONTH_DAYS[last - 1])
    if not (1 <= begin <= _MONTH_DAYS[first - 1] and 1 <= end <= _MONTH_DAYS[last - 1]):
        return None
    return f"{_OSM_MONTHS[first - 1]} {begin:02d}-{_OSM_MONTHS[last - 1]} {end:02d}"


def _days(match: re.Match[str]) -> list[int] | None:
    if match["work"]:
        return [0, 1, 2, 3, 4]
    if match["weekend"]:
        return [5, 6]
    if match["daily"]:
        return None
    words = re.sub(r"每?(?:周|星期|礼拜)", "", match["days"])
    found: set[int] = set()
    for first, dash, last in re.findall(r"([一二三四五六日天末])(?:(-)([一二三四五六日天]))?", words):
        a = _DAY_NUMBER[first]
        if first == "末":
            found |= {5, 6}
        elif dash:
            found |= {(a + k) % 7 for k in range((_DAY_NUMBER[last] - a) % 7 + 1)}
        else:
            found.add(a)
    return None if len(found) == 7 else sorted(found)


def _day_text(days: list[int] | None) -> str:
    if days is None or len(days) == 7:
        return ""
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    parts = [_OSM_DAYS[r[0]] if len(r) == 1 else f"{_OSM_DAYS[r[0]]}-{_OSM_DAYS[r[-1]]}" for r in runs]
    return ",".join(parts)


def _minute(part: str | None, hour: str, colon: str | None, half: str | None, word: str | None) -> int:
    value = int(hour)
    if part in {"下午", "傍晚", "晚上", "夜间", "晚"} and value <= 12:
        value = 24 if value == 12 and part != "下午" else value % 12 + 12
    elif part == "中午" and value < 6:
        value += 12
    return value * 60 + (30 if half else int(colon or word or 0))


def _span(match: re.Match[str]) -> str | None:
    groups = match.groups()[1:]  # the first is the whole span
    _next, part_1, *clock_1 = groups[:6]
    tomorrow, part_2, *clock_2 = groups[6:12]
    begin = _minute(part_1, clock_1[0], *clock_1[1:])
    # 下午2:00-5:30: the second time is of the same half of the day unless it says otherwise
    afternoon = part_1 in {"下午", "中午", "傍晚"} and part_2 is None and int(clock_2[0]) < 12
    end = _minute("下午" if afternoon and not tomorrow else part_2, clock_2[0], *clock_2[1:])
    if tomorrow:
        end += 24 * 60
    elif end <= begin:
        # 18:00-2:00 runs over midnight; 9:00-5:00 may be a 12-hour clock
        padded = clock_1[0].startswith("0") or clock_2[0].startswith("0")
        if end == begin or not (
            begin >= 12 * 60 or part_2 == "凌晨" or end <= 3 * 60 or (padded and end <= 6 * 60)
        ):
            return None
        end += 24 * 60
    if begin >= 24 * 60 or end > 48 * 60 or end - begin > 24 * 60 or max(begin % 60, end % 60) >= 60:
        return None
    return f"{begin // 60:02d}:{begin % 60:02d}-{end // 60:02d}:{end % 60:02d}"


def _early(match: re.Match[str]) -> str | None:
    first, last = re.findall(r"\d+", match["early"])
    begin, end = int(first), 24 if int(last) == 12 else int(last) % 12 + 12 if int(last) < 12 else int(last)
    return f"{begin:02d}:00-{end:02d}:00" if begin < end <= 24 else None


@lru_cache(maxsize=8192)
def _valid(text: str) -> bool:
    try:
        rule(text)
    except ParserError:
        return False
    return True


def open_at(hours: Sequence[str | None], times: Sequence[str]) -> Bool:
    """Who is open when: ``[place, time]``.

    ``times``: ``Tue 23:00`` of an ordinary week, or ``2026-10-01 12:00`` of a real day in China, with its
    holidays and worked weekends. ``hours`` are OSM strings; None (unknown) is closed, never open. The week is that of 2026-06-08,
    without holidays; of real days see :func:`geo.intake.workdays.open_on`. Raises :class:`geo.errors.InputError` for a time or a string that is neither.

    >>> open_at(["Mo-Fr 08:00-18:00", None], ["Tue 15:00", "Sat 15:00"]).tolist()
    [[True, False], [False, False]]
    """
    moments = [_moment(t) for t in times]
    result = np.zeros((len(hours), len(times)), dtype=np.bool_)
    known: dict[str, list[bool]] = {}
    for i, text in enumerate(hours):
        if not isinstance(text, str):
            continue
        if text not in known:
            if not _valid(text):
                message = f"不是 OSM opening_hours：{text!r} / not OSM opening_hours: {text!r}"
                raise InputError(Defect(message, key="hours"))
            plain = rule(text)
            known[text] = [open_on(text, m) if real else plain.is_open(m) for m, real in moments]
        result[i] = known[text]
    return result


def calendar_notes(times: Sequence[str]) -> list[AuditEntry]:
    """What the audit says of the real days among ``times``: of which years the holidays are not known.

    >>> calendar_notes(["Tue 23:00", "2026-10-01 12:00"])
    []
    """
    note = unpublished(moment.date() for moment, real in map(_moment, times) if real)
    return [] if note is None else [note]


def _moment(text: str) -> tuple[dt.datetime, bool]:
    """The moment meant, and whether it is of a real day rather than of the ordinary week."""
    match = re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([01]?\d|2[0-3]):([0-5]\d)", text)
    if match is not None:
        day = REFERENCE_MONDAY + dt.timedelta(days=DAYS.index(match[1]))
        return dt.datetime.combine(day, dt.time(int(match[2]), int(match[3]))), False
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d %H:%M"), True  # noqa: DTZ007 - wall clock
    except ValueError as error:
        message = f"{text!r} 应如 'Tue 23:00' 或 '2026-10-01 12:00' / {text!r}: expected such a form"
        raise InputError(Defect(message, key="times")) from error
