"""Columns that say something about the others: footnote numbers, remarks, sources."""

import re

from learning.columns.context import Context, Finding
from learning.columns.names import words_of
from learning.schema.column import Column
from learning.schema.notice import Notice

NOTE_WORDS = frozenset(
    "note notes footnote footnotes fußnote fussnote remark remarks bemerkung bemerkungen anmerkung "
    "poznámka poznamka poznámky comment comments kommentar uwagi flag flags obs_flag".split()
)
NUMBER_LIST = re.compile(r"\d{1,2}(?:\s*[,;/+ ]\s*\d{1,2})*\)?")
MIN_BLANK = 0.3  # share of rows without a note


def infer_notes(context: Context) -> Finding | None:
    """Return a column that is left out because it holds notes; None where it does not."""
    tally = context.tally
    named = bool(NOTE_WORDS & set(words_of(context.name)))
    lists = [value for value in tally.values if NUMBER_LIST.fullmatch(value)]
    several = [value for value in lists if re.search(r"[,;/+ ]", value)]
    blank = tally.blank / max(1, tally.rows)
    if len(lists) == len(tally.values) and several:
        rising = all(_is_rising(value) for value in several)
        long = any(len(re.findall(r"\d+", value)) > 2 for value in several)
        if rising and (named or (long and blank >= MIN_BLANK)):
            return _left_out(context, "numbers of footnotes")
    if named and blank >= MIN_BLANK:
        return _left_out(context, "notes, not values")
    return None


def _is_rising(value: str) -> bool:
    numbers = [int(number) for number in re.findall(r"\d+", value)]
    return numbers == sorted(set(numbers))


def _left_out(context: Context, what: str) -> Finding:
    column = Column(context.name, "text", ignore=True, reason=what)
    message = f"The column '{context.name}' holds {what}: it was left out."
    return Finding(column, [Notice("notes", message, column=context.name)])
