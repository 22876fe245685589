"""Dates: which one format a whole column has, and what a cell says in it."""

import datetime as dt
import re
from functools import cache, lru_cache

MONTH_NAMES = {
    1: "jan january januar leden ledna janvier janv ene enero gennaio gen sty stycznia januari",
    2: "feb february februar únor února février févr febrero febbraio lut lutego februari",
    3: "mar march märz mär mrz březen března mars marzo maart mrt marca marzec",
    4: "apr april duben dubna avril avr abr abril aprile kwi kwietnia",
    5: "may mai květen května mayo maggio mag maj maja mei",
    6: "jun june juni červen června juin junio giugno giu cze czerwca",
    7: "jul july juli červenec července juillet juil julio luglio lug lip lipca",
    8: "aug august srpen srpna août aoû ago agosto sie sierpnia augustus",
    9: "sep sept september září septembre septiembre settembre set wrz września",
    10: "oct okt october oktober říjen října octobre octubre ottobre ott paź października",
    11: "nov november listopad listopadu novembre noviembre lis listopada",
    12: "dec dez december dezember prosinec prosince décembre déc dic diciembre dicembre gru",
}
MONTHS = {name: month for month, names in MONTH_NAMES.items() for name in names.split()}
# %q is the quarter. Where two formats fit, the first is only a proposal: see `formats_of`.
FORMATS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y",
    "%d/%m/%y", "%m/%d/%y", "%d-%m-%Y", "%m-%d-%Y", "%d-%m-%y", "%m-%d-%y", "%d %b %Y", "%d %b %y",
    "%d-%b-%Y", "%d-%b-%y", "%d. %b %Y", "%b %d, %Y", "%b %d %Y", "%Y-%b-%d", "%Y %b %d",
    "%Y年%m月%d日", "%Y年%m月", "%Y-%m", "%Y/%m", "%m/%Y", "%b %Y", "%b-%Y", "%Y-Q%q", "%Y Q%q",
    "%YQ%q", "Q%q %Y", "Q%q/%Y", "%a, %d %b %Y", "%a %b %d %Y", "%A, %B %d, %Y", "%d/%b/%Y",
)  # fmt: skip
COMPACT = "%Y%m%d"
PARTS = {
    "%Y": r"(?P<Y>\d{4})", "%y": r"(?P<y>\d{2})", "%m": r"(?P<m>\d{1,2})", "%d": r"(?P<d>\d{1,2})",
    "%b": r"(?P<b>[^\W\d_]{3,12})\.?", "%B": r"(?P<b>[^\W\d_]{3,12})\.?", "%q": r"(?P<q>[1-4])",
    "%a": r"[^\W\d_]{2,9}\.?", "%A": r"[^\W\d_]{2,12}",
}  # fmt: skip
TIME = (
    r"(?:(?:\s*T\s*|,?\s+|\s*:\s*(?=\d\d:\d\d))(?P<H>\d{1,2}):(?P<M>\d{2})"
    r"(?::(?P<S>\d{2}(?:[.,]\d{1,9})?))?\s*(?P<p>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?P<z>Z|UTC|GMT|[+\-]\d{2}(?::?\d{2})?)?)?"
)
# Of most cells, a first look says that they are no dates: numbers, words, codes.
LIKELY = re.compile(
    r"\d{1,4}(?:\s*[-/年]\s*\w|\.\s?(?:\d{1,2}\.|[^\W\d_])|\s*[^\W\d_]{3}|\s?Q[1-4])"
    r"|(?:[^\W\d_]{2,12}[.,]?[- ]){1,2}\s*\d|Q[1-4]"
)
KEPT = 1 << 16  # dates kept once read: they repeat in a file
CENTURY = 69  # two-digit years from here on are of the 20th century, as POSIX has it
EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 (times are kept without a zone, in UTC)
FIRST_YEAR, LAST_YEAR = 1000, 2999  # other years are rather numbers


@cache
def pattern_of(form: str) -> re.Pattern[str]:
    """Return the pattern of a format, with an optional time behind it."""
    if form == COMPACT:
        return re.compile(r"(?P<Y>\d{4})(?P<m>\d{2})(?P<d>\d{2})" + TIME)
    parts = re.split(r"(%[YymdbBqaA])", form)
    text = "".join(PARTS.get(part) or re.escape(part).replace(r"\ ", r"\s*") for part in parts)
    if form in {"%d.%m.%Y", "%d.%m.%y"}:
        text = r"(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.\s?" + PARTS[form[-2:]] + r"\.?"
    return re.compile(text + TIME)


@lru_cache(KEPT)
def read_date(text: str, form: str) -> tuple[float, bool] | None:
    """Return seconds since 1970 in UTC, and whether the cell names a zone; None for no date."""
    match = pattern_of(form).fullmatch(text)
    if match is None:
        return None
    found = match.groupdict()
    month = int(found["m"]) if found.get("m") else 1
    if found.get("b"):
        month = MONTHS.get(found["b"].casefold(), 0)
    if found.get("q"):
        month = int(found["q"]) * 3 - 2
    year = _year(found)
    try:
        day = dt.datetime(year, month, int(found.get("d") or 1))  # noqa: DTZ001 (see EPOCH)
        seconds = (day - EPOCH).total_seconds() + _time(found)
    except ValueError:
        return None
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    return seconds, found["z"] is not None


def _year(found: dict[str, str]) -> int:
    if found.get("Y"):
        return int(found["Y"])
    short = int(found["y"])
    return short + (1900 if short >= CENTURY else 2000)


def _time(found: dict[str, str]) -> float:
    """The seconds since midnight UTC. Raises ValueError for no time of day."""
    if not found["H"]:
        return 0.0
    hour, minute = int(found["H"]), int(found["M"])
    second = float((found["S"] or "0").replace(",", "."))
    half = (found["p"] or "").replace(".", "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 24 or minute > 59 or second >= 61:
        raise ValueError(hour)
    return hour * 3600 + minute * 60 + second - _offset(found["z"])


def _offset(zone: str | None) -> int:
    if zone is None or zone[0] not in "+-":
        return 0
    digits = zone[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60
    return -seconds if zone[0] == "-" else seconds


def formats_of(text: str) -> frozenset[str]:
    """Return all formats in which a cell is a date."""
    if len(text) > 50 or not LIKELY.match(text):
        return frozenset()
    return frozenset(form for form in FORMATS if read_date(text, form) is not None)


def is_compact(text: str) -> bool:
    """Whether a cell is a date of eight digits from 1900 to 2100."""
    plausible = len(text) == 8 and text.isdigit() and "1900" <= text[:4] <= "2100"
    return plausible and read_date(text, COMPACT) is not None


SHOWN = {
    "%Y": "YYYY", "%y": "YY", "%m": "MM", "%d": "DD", "%b": "Mon", "%B": "Month", "%q": "n",
    "%a": "day", "%A": "day",
}  # fmt: skip


def shown(form: str) -> str:
    """Return a format as a person writes it: DD.MM.YYYY."""
    for part, letters in SHOWN.items():
        form = form.replace(part, letters)
    return form


def hidden(form: str) -> str:
    """Return the format that a person wrote as DD.MM.YYYY, or in the letters of strftime."""
    if "%" in form:
        return form
    for letters, part in (
        ("YYYY", "%Y"), ("YY", "%y"), ("Month", "%B"), ("Mon", "%b"), ("MMM", "%b"), ("MM", "%m"),
        ("DD", "%d"),
    ):  # fmt: skip
        form = form.replace(letters, part)
    return form
