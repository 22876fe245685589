"""Durations and times of day, as seconds: 58:34, 1:58:06, 12:27AM, 1 h 30 min, 1227."""

import re
from functools import lru_cache

PARTS = re.compile(
    r"(?P<sign>[-−])?(?P<a>\d{1,4}):(?P<b>\d{2})(?::(?P<c>\d{2}))?(?P<f>[.,]\d{1,6})?"
    r"\s*(?P<p>[AaPp]\.?[Mm]\.?)?(?:\s*(?:h|hrs?|Uhr|min|s))?"
)
DAYS = re.compile(
    r"(?P<d>\d+)\s*(?:days?|d|\.)\s*,?\s*(?P<rest>\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?)"
)
WORDS = re.compile(
    r"(?:(?P<h>\d+)\s*(?:h|hrs?|hours?|hod\.?|Std\.?)\s*)?"
    r"(?:(?P<m>\d+)\s*(?:min\.?|mins|minutes?|m|')\s*)?"
    r"(?:(?P<s>\d+(?:[.,]\d+)?)\s*(?:s|sec\.?|secs|seconds?|\"|''))?"
)
KEPT = 1 << 16  # times kept once read
DAY = 86_400  # seconds
LAST_MINUTE = 59


@lru_cache(KEPT)
def parts_of(text: str) -> tuple[int, ...] | None:
    """Return the numbers of a cell like 1:58:06; None where it is none."""
    match = PARTS.fullmatch(text)
    if match is None or int(match["b"]) > LAST_MINUTE or int(match["c"] or 0) > LAST_MINUTE:
        return None
    return tuple(int(match[k]) for k in "abc" if match[k] is not None)


def is_half_day(text: str) -> bool:
    """Whether a cell says AM or PM."""
    return re.search(r"\d\s*[AaPp]\.?[Mm]\.?$", text) is not None


@lru_cache(KEPT)
def seconds_of(text: str, style: str) -> float | None:
    """Return the seconds that a cell means: as a "duration", a "clock" time, or "hhmm"."""
    if style == "hhmm":
        return _hhmm(text)
    days = DAYS.fullmatch(text)
    if days:
        rest = seconds_of(days["rest"], "clock")
        return None if rest is None else int(days["d"]) * DAY + rest
    match = PARTS.fullmatch(text)
    if match is None:
        return _words(text)
    parts = parts_of(text)
    if parts is None:
        return None
    fraction = float((match["f"] or ".0").replace(",", "."))
    if len(parts) == 2 and style == "duration":
        total = parts[0] * 60 + parts[1] + fraction
    else:
        total = _clock(parts, match["p"]) + fraction
    return -total if match["sign"] else total


def _clock(parts: tuple[int, ...], half: str | None) -> float:
    hour, minute, second = (*parts, 0)[:3]
    if half:
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    return hour * 3600 + minute * 60 + second


def _words(text: str) -> float | None:
    match = WORDS.fullmatch(text)
    if not text or match is None or sum(match[k] is not None for k in "hms") < 2:
        return None
    hours, minutes = int(match["h"] or 0), int(match["m"] or 0)
    return hours * 3600 + minutes * 60 + float((match["s"] or "0").replace(",", "."))


def _hhmm(text: str) -> float | None:
    digits = text.removesuffix(".0")
    if not digits.isdigit() or len(digits) > 4 or int(digits[-2:]) > LAST_MINUTE:
        return None
    hours = int(digits[:-2] or 0)
    return None if hours > 24 else float(hours * 3600 + int(digits[-2:]) * 60)


def style_of(values: list[str]) -> str | None:
    """Return whether cells are durations or times of day; None where some are neither."""
    parts = [parts_of(value) for value in values]
    if any(
        p is None and seconds_of(v, "clock") is None for p, v in zip(parts, values, strict=True)
    ):
        return None
    if any(map(is_half_day, values)):
        return "clock"
    known = [p for p in parts if p is not None]
    lengths = {len(p) for p in known}
    # 58:34 beside 1:58:06 are minutes and seconds; hours beyond a day are no time of day.
    if len(lengths) > 1 or any(p[0] > 24 for p in known) or len(known) < len(parts):
        return "duration"
    return "clock"
