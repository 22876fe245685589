"""What one cell says as a number, and in which notations it can be one.

A notation is a mark between thousands and a decimal mark. A cell like `1.234` is a number in
two of them, a different one in each: the other cells of its column decide.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

Notation: TypeAlias = tuple[str, str]
"""The mark between thousands ("" for none), and the decimal mark."""

NOTATIONS: tuple[Notation, ...] = (
    ("", "."), ("", ","), (",", "."), (".", ","), (" ", "."), (" ", ","), ("'", "."), ("'", ","),
)  # fmt: skip
EVERY = frozenset(NOTATIONS)
POINT = frozenset(n for n in NOTATIONS if n[1] == ".")
COMMA = frozenset(n for n in NOTATIONS if n[1] == ",")
SPACES = "\u00a0\u2009\u202f "
MARKS = str.maketrans(dict.fromkeys(SPACES, " ") | {"’": "'"})
DIGITS = str.maketrans("0123456789", "9" * 10)
MINUS = "−–-"  # the hyphen last: in a class of a pattern it would mean a range
CURRENCIES = (
    "€", "$", "£", "¥", "₹", "₽", "₩", "₺", "zł", "Kč", "kč", "Ft", "kr.", "kr", "R$", "US$",
    "A$", "C$", "HK$", "NZ$", "Fr.", "SFr.", "лв", "руб.", "руб", "р.", "грн", "EUR", "USD", "GBP",
    "CHF", "CZK", "PLN", "HUF", "SEK", "NOK", "DKK", "JPY", "CNY", "RUB", "INR", "BRL", "AUD",
    "CAD", "RON", "BGN", "Rs.", "Rs", "元", "円",
)  # fmt: skip
PREFIX = "|".join(map(re.escape, sorted(CURRENCIES, key=len, reverse=True)))
BODY = rf"(?:\d[\d.,'’{SPACES}]*\d|\d[.,]?|[.,]\d+)"
# A unit begins with a letter or a sign, not with a digit, and is short.
SUFFIX = r"[^\d\s.,\-−–+()\[\]<>][^\d\[\]()]{0,14}(?:\d(?!\d))?|\([^\d()]{1,12}\)|[°]\s?[CFK]?"
CELL = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[+{MINUS}])?\s*(?:(?P<prefix>{PREFIX})\s*)?"
    rf"(?P<sign2>[+{MINUS}])?\s*(?P<body>{BODY})(?P<exp>[eE][+\-]?\d{{1,3}})?"
    rf"\s*(?P<suffix>{SUFFIX})?\s*(?P<close>\))?(?P<last>[{MINUS}])?"
)
INTERVAL = re.compile(r"\s*[\[({][^\])}]*\d[^\])}]*[\])}]$")
RANGE = re.compile(
    rf"(?P<low>{BODY})\s*(?P<u1>[^\d\s\-−–]{{1,5}})?\s*(?:[{MINUS}]|\.\.+|…|to|bis|až|à|do|a|until)"
    rf"\s*(?P<high>{BODY})\s*(?P<unit>{SUFFIX})?",
    re.IGNORECASE,
)
BOUND = re.compile(
    rf"(?P<word>[<>≤≥~≈]=?|from|ab|od|over|above|under|below|up to|bis zu|bis|do|about|ca\.?|"
    rf"more than|less than|at least|at most|mehr als|weniger als|über|unter|nad|pod)\s*"
    rf"(?P<body>{BODY})\s*(?P<unit>{SUFFIX})?"
    rf"|(?P<body2>{BODY})\s*(?P<unit2>[^\d\s+]{{1,8}})?\s*(?P<word2>\+|or more|or less|and more|"
    rf"and over|and above|and older|plus|und mehr|u\. mehr|oder mehr|a více|i więcej)",
    re.IGNORECASE,
)
USUAL = re.compile(r"([+-]?)(\d{1,30}(?:[.,]\d{1,30})?)")
LONGEST = 60  # characters


@dataclass(frozen=True, slots=True)
class NumberCell:
    """A number as written: `body` has marks but no sign; of a range, `high` is its upper end."""

    kind: Literal["plain", "range", "bound", "interval"]
    body: str
    negative: bool = False
    unit: str = ""
    suffix: str = ""
    exponent: str = ""
    high: str | None = None

    @property
    def notations(self) -> frozenset[Notation]:
        """The notations in which it is a number."""
        found = notations_of(self.body, scientific=bool(self.exponent))
        return found if self.high is None else found & notations_of(self.high)


def read_cell(text: str) -> NumberCell | None:
    """Return what a trimmed cell says as a number; None where it is none."""
    usual = USUAL.fullmatch(text)
    if usual:
        return NumberCell("plain", usual[2], negative=usual[1] == "-")
    if len(text) > LONGEST or not any(map(str.isdigit, text)):
        return None
    plain = CELL.fullmatch(text)
    if plain and bool(plain["open"]) == bool(plain["close"]):
        return _plain(plain, "plain")
    if INTERVAL.search(text):
        before = CELL.fullmatch(INTERVAL.sub("", text))
        if before:
            return _plain(before, "interval")
    between = RANGE.fullmatch(text)
    if between:
        unit = between["unit"] or between["u1"] or ""
        return NumberCell("range", between["low"], unit=unit, suffix=unit, high=between["high"])
    bound = BOUND.fullmatch(text)
    if bound:
        unit = bound["unit"] or bound["unit2"] or ""
        return NumberCell("bound", bound["body"] or bound["body2"], unit=unit, suffix=unit)
    return None


def _plain(match: re.Match[str], kind: Literal["plain", "interval"]) -> NumberCell | None:
    signs = [match["sign"], match["sign2"], match["last"]]
    negative = sum(sign is not None and sign in MINUS for sign in signs) + bool(match["open"])
    if sum(sign is not None for sign in signs) > 1:
        return None
    suffix = (match["suffix"] or "").strip().strip("()")
    prefix = match["prefix"] or ""
    return NumberCell(
        kind, match["body"], negative=bool(negative), unit=prefix or suffix, suffix=suffix,
        exponent=match["exp"] or "",
    )  # fmt: skip


def notations_of(body: str, *, scientific: bool = False) -> frozenset[Notation]:
    """Return the notations in which digits with these marks are one number."""
    text = normal_marks(body)
    if text.isdigit():
        return EVERY
    if scientific:
        return POINT if "." in text else COMMA if "," in text else EVERY
    # Only the first digit's value matters, and only whether it is 0.
    return _notations_of_shape(("0" if text[0] == "0" else "9") + text[1:].translate(DIGITS)
                               if text[0].isdigit() else text.translate(DIGITS))  # fmt: skip


@lru_cache(4096)
def _notations_of_shape(text: str) -> frozenset[Notation]:
    return frozenset(n for n in NOTATIONS if _fits(text, *n))


def normal_marks(body: str) -> str:
    """Return a number with each kind of blank as " " and each apostrophe as "'"."""
    return body if body.isascii() else body.translate(MARKS)


def _fits(text: str, thousands: str, decimal: str) -> bool:
    mark = re.escape(decimal)
    fraction = rf"(?:{mark}\d*)?"
    if not thousands:
        return re.fullmatch(rf"\d+{fraction}|{mark}\d+", text) is not None
    group = re.escape(thousands)
    # Groups of two are Indian: 12,34,567.
    indian = rf"|\d{{1,2}}(?:{group}\d\d)+{group}\d{{3}}{fraction}" if thousands == "," else ""
    # 0.123 and 00.500 are no thousands.
    groups = rf"[1-9]\d{{0,2}}(?:{group}\d{{3}})+{fraction}{indian}"
    return re.fullmatch(rf"{groups}|\d+{fraction}|{mark}\d+", text) is not None


def is_group_of_three(body: str) -> bool:
    """Whether a number has one mark with three digits behind it, so that it can be two."""
    text = normal_marks(body)
    parts = text.replace(",", ".").split(".")
    if len(parts) != 2 or len(parts[1]) != 3 or not 0 < len(parts[0]) <= 3:
        return False
    return parts[0].isdigit() and parts[1].isdigit() and parts[0][0] != "0"


def is_grouped(body: str, notation: Notation) -> bool:
    """Whether a number has a mark between thousands in that notation."""
    return notation[0] != "" and notation[0] in normal_marks(body)


def value_of(body: str, notation: Notation) -> float | None:
    """Return the number that a body is in one notation; None where it is none."""
    if notation not in notations_of(body):
        return None
    text = normal_marks(body)
    if notation[0]:
        text = text.replace(notation[0], "")
    return float(text.replace(notation[1], "."))


def cell_value(cell: NumberCell, notation: Notation) -> float | None:
    """Return the number of a cell: of a range its middle, of a bound the bound."""
    value = value_of(cell.body, notation)
    if value is None:
        return None
    if cell.high is not None:
        upper = value_of(cell.high, notation)
        return None if upper is None else (value + upper) / 2
    if cell.exponent:
        value = float(f"{value}{cell.exponent}")
    return -value if cell.negative else value
