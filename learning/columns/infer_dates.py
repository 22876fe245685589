"""Whether a column is one of dates, in one format, or of times; two formats are asked about."""

import itertools
from dataclasses import replace

from learning.columns.clock import seconds_of, style_of
from learning.columns.context import Context, Finding
from learning.columns.dates import (
    COMPACT,
    FORMATS,
    formats_of,
    hidden,
    is_compact,
    read_date,
    shown,
)
from learning.columns.markers import MARKERS, is_filler
from learning.errors import listed, shortened
from learning.schema.column import Column
from learning.schema.notice import Notice

MIN_SHARE = 0.95  # of the cells with a value
QUICK_LOOK = 50  # different values, of which some must be dates
LATE = 0.5  # share of the different values by which a file in order of time has moved on


def infer_dates(context: Context) -> Finding | None:
    """Return a column of dates; None where it is none."""
    values = [v for v in context.tally.values if v.casefold() not in MARKERS and not is_filler(v)]
    wanted = context.correction.format
    if wanted is not None:
        return _dates(context, values, hidden(wanted), [])
    if not values or not any(formats_of(v) or is_compact(v) for v in values[:QUICK_LOOK]):
        return None
    if all(map(is_compact, values)):
        return _dates(context, values, COMPACT, [_guess(context, COMPACT)])
    fits = {value: formats_of(value) for value in values}
    weights = dict(zip(context.tally.values, context.tally.counts.tolist(), strict=True))
    known = sum(weights[v] for v in values)
    if sum(weights[v] for v in values if fits[v]) < MIN_SHARE * known:
        return None
    common = frozenset(FORMATS)
    for value in values:
        common &= fits[value] or common
    if not common:
        return _several_formats(context, fits)
    candidates = [form for form in FORMATS if form in common]
    different = [
        v for v in values if fits[v] and len({read_date(v, form) for form in candidates}) > 1
    ]
    if different:
        return _ambiguous(context, values, candidates, different[0])
    return _dates(context, values, candidates[0], [_guess(context, candidates[0])])


def _dates(context: Context, values: list[str], form: str, notices: list[Notice]) -> Finding:
    read = {value: read_date(value, form) for value in values}
    rest = tuple(v for v in context.tally.values if read.get(v) is None)
    zoned = {found[1] for found in read.values() if found is not None}
    column = Column(context.name, "date", format=form, utc=True in zoned, markers=rest)
    if rest:
        where = tuple(sorted(context.lines[v] for v in rest))
        text = listed(f"'{shortened(v)}'" for v in rest)
        notices.append(
            Notice("markers", f"In '{context.name}', {text} count as missing: they are no dates.",
                   column=context.name, lines=where)
        )  # fmt: skip
    if len(zoned) > 1:
        without = [v for v, found in read.items() if found is not None and not found[1]]
        notices.append(
            Notice("zone_missing", f"In '{context.name}' some times name no zone, such as "
                   f"'{without[0]}': they were read as UTC, like the others.",
                   column=context.name, lines=tuple(sorted(context.lines[v] for v in without)))
        )  # fmt: skip
    elif True in zoned:
        notices.append(
            Notice("zone", f"The times in '{context.name}' were converted to UTC.",
                   column=context.name)
        )  # fmt: skip
    return Finding(column, notices)


def _guess(context: Context, form: str) -> Notice:
    name = shown(form)
    return Notice("date_format", f"The dates in '{context.name}' were read as {name}.",
                  column=context.name)  # fmt: skip


def _several_formats(context: Context, fits: dict[str, frozenset[str]]) -> Finding:
    """No format fits all: name the line where it changes, and ask."""
    lines = context.lines
    in_order = sorted((v for v in fits if fits[v]), key=lambda v: lines[v])
    common, before = frozenset(FORMATS), in_order[0]
    for value in in_order:
        if not common & fits[value]:
            break
        common, before = common & fits[value], value if fits[value] != common else before
    first = next(form for form in FORMATS if form in common)
    second = next(form for form in FORMATS if form in fits[value])
    answer = context.answer("date_format")
    if answer in {shown(first), shown(second)}:
        return _dates(context, list(fits), hidden(answer or ""), [])
    question = context.question("date_format")
    message = (
        f"The column '{context.name}' has dates in two formats: {shown(first)} "
        f"('{in_order[0]}' on line {lines[in_order[0]]}), but {shown(second)} ('{value}' on line "
        f"{lines[value]}). Which one is meant? Cells in the other count as missing. Until this is "
        "answered, the column is not learnt from."
    )
    column = Column(context.name, "date", format=first, question=question)
    notice = Notice(
        "two_date_formats", message, column=context.name, lines=(lines[in_order[0]], lines[value]),
        id=question, choices=(shown(first), shown(second)),
    )  # fmt: skip
    return Finding(column, [notice])


def _ambiguous(context: Context, values: list[str], candidates: list[str], example: str) -> Finding:
    """Day and month can be exchanged: decided by the order of the rows, or asked."""
    answer = context.answer("date_format")
    if answer is not None and answer in map(shown, candidates):
        return _dates(context, values, hidden(answer), [])
    question = context.question("date_format")
    rising = [form for form in candidates if _is_in_order(values, form)]
    choices = tuple(map(shown, candidates))
    if len(rising) == 1:
        other = listed(c for c in choices if c != shown(rising[0]))
        message = (
            f"The dates in '{context.name}' were read as {shown(rising[0])}: only so are the rows "
            f"in the order of time. '{example}' could also be {other}."
        )
        notice = Notice("date_format_guessed", message, column=context.name)
        return _dates(context, values, rising[0], [notice])
    message = (
        f"In '{context.name}' day and month can be exchanged, as in '{example}': "
        f"{shown(candidates[0])} is proposed. Which one is meant? Until this is answered, the "
        "column is not learnt from."
    )
    found = _dates(context, values, candidates[0], [])
    column = replace(found.column, question=question)
    notice = Notice("ambiguous_date", message, column=context.name,
                    lines=(context.lines[example],), id=question, choices=choices)  # fmt: skip
    return Finding(column, [*found.notices, notice])


def _is_in_order(values: list[str], form: str) -> bool:
    """Whether the dates, in the order of the file, only rise or only fall."""
    found = [read_date(value, form) for value in values]
    seconds = [date[0] for date in found if date is not None]
    if len(seconds) < 5:
        return False
    steps = [b - a for a, b in itertools.pairwise(seconds)]
    return all(step >= 0 for step in steps) or all(step <= 0 for step in steps)


def infer_times(context: Context) -> Finding | None:
    """Return a column of durations or times of day, in seconds; None where it is none."""
    values = [v for v in context.tally.values if v.casefold() not in MARKERS and not is_filler(v)]
    if not values or (":" not in "".join(values[:QUICK_LOOK]) and not _worded(values)):
        return None
    fits = [v for v in values if seconds_of(v, "clock") is not None]
    if len(fits) < MIN_SHARE * len(values):
        return None
    style = style_of(fits)
    if style is None:
        return None
    rest = tuple(v for v in context.tally.values if v not in set(fits))
    column = Column(context.name, "number", style=style, unit="s", markers=rest)  # type: ignore[arg-type]
    example = max(fits, key=len)
    seconds = seconds_of(example, style)
    what = "durations" if style == "duration" else "times of day"
    message = (
        f"The cells in '{context.name}' were read as {what} in seconds: '{example}' is {seconds:g}."
    )
    return Finding(column, [Notice("time_of_day" if style == "clock" else "duration", message,
                                   column=context.name)])  # fmt: skip


def _worded(values: list[str]) -> bool:
    return all(seconds_of(value, "clock") is not None for value in values[:QUICK_LOOK])
