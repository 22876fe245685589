"""Whether a column is one of numbers, and of which notation, unit, flags and markers."""

from dataclasses import replace

from learning.columns.clock import seconds_of
from learning.columns.codes import code_reason
from learning.columns.context import Context, Finding
from learning.columns.names import says_code, says_time, unit_in
from learning.columns.notation import decide
from learning.columns.number_cell import Notation, cell_value
from learning.columns.number_column import NumberColumn, read_numbers
from learning.columns.sentinels import find_sentinel
from learning.errors import listed, shortened
from learning.schema.column import Column
from learning.schema.notice import Notice

MIN_HHMM = 12  # different values from 100 on, all of which could be times
MANY_HHMM = 60  # the same, where the name does not say so


def infer_numbers(context: Context) -> Finding | None:
    """Return a column of numbers; None where it is none, or one of codes."""
    found = read_numbers(context.tally, force=context.correction.type == "number")
    if found is None:
        return None
    if context.correction.type is None:
        if found.ranges and says_code(context.name):
            return None  # 555-1234 is a telephone number
        reason = code_reason(context, found)
        if reason is not None:
            return reason
        if _is_hhmm(context, found):
            return _hhmm(context, found)
    decision = decide(context, found)
    column = Column(
        context.name,
        "number",
        unit=found.unit or unit_in(context.name) or context.unit,
        units=found.units,
        flags=tuple(found.flags),
        markers=found.markers,
        style="range" if found.ranges else "plain",
        question=decision.question,
    )
    notices = [*decision.notices, *_notices(context, found)]
    if found.other_unit is not None:
        column = replace(column, question=context.question("units"))
        notices.append(_two_units(context, found.other_unit))
    if decision.notation is not None:
        thousands, mark = decision.notation
        column = replace(column, thousands=thousands, decimal_mark=mark)
        sentinel = find_sentinel(context, _values(found, decision.notation))
        if sentinel is not None:
            markers = (*column.markers, *sentinel.markers)
            column = replace(column, markers=markers)
            notices.append(sentinel.notice)
    return Finding(column, notices)


def _values(found: NumberColumn, notation: Notation) -> dict[str, float]:
    values = {text: cell_value(cell, notation) for text, cell in found.cells.items()}
    return {text: value for text, value in values.items() if value is not None}


def _is_hhmm(context: Context, found: NumberColumn) -> bool:
    """Whether whole numbers are times: 5, 930 and 1759, but never 1780."""
    if not says_time(context.name) and len(found.cells) < MANY_HHMM:
        return False
    if any(seconds_of(text, "hhmm") is None for text in found.cells):
        return False
    long = [text for text in found.cells if len(text.removesuffix(".0")) > 2]
    return len(long) >= MIN_HHMM and any(int(text.removesuffix(".0")) >= 1000 for text in long)


def _hhmm(context: Context, found: NumberColumn) -> Finding:
    column = Column(context.name, "number", style="hhmm", unit="s", markers=found.markers)
    message = (
        f"The numbers in '{context.name}' were read as times of day, such as "
        f"'{max(found.cells, key=len)}', in seconds since midnight."
    )
    return Finding(column, [Notice("time_of_day", message, column=context.name)])


def _two_units(context: Context, units: tuple[str, str]) -> Notice:
    return Notice(
        "two_units",
        f"The numbers in '{context.name}' are in two units, '{units[0]}' and '{units[1]}'. Give "
        "the column one unit; until then it is not learnt from.",
        column=context.name,
        id=context.question("units"),
        choices=("leave out",),
    )


def _notices(context: Context, found: NumberColumn) -> list[Notice]:
    name, lines = context.name, context.lines
    notices = []
    if found.unit:
        message = f"The numbers in '{name}' have the unit '{found.unit}'."
        notices.append(Notice("unit", message, column=name))
    if found.flags:
        flags = listed(f"'{flag}' ({count:,})" for flag, count in found.flags.items())
        flagged = [lines[t] for t, cell in found.cells.items() if cell.unit in found.flags]
        message = f"In '{name}' signs behind numbers were left out: {flags}."
        notices.append(Notice("flags", message, column=name, lines=tuple(sorted(flagged))))
    if found.markers:
        counts = sum(found.counts[marker] for marker in found.markers)
        shown = listed(f"'{shortened(marker)}'" for marker in found.markers)
        share = counts / max(1, context.tally.rows)
        message = f"In '{name}', {shown} count as missing: {counts:,} cells ({share:.1%})."
        first = tuple(sorted(lines[marker] for marker in found.markers))
        notices.append(Notice("markers", message, column=name, lines=first))
    if found.ranges:
        texts = [text for text, cell in found.cells.items() if cell.kind != "plain"]
        message = (
            f"'{name}' holds ranges or limits, such as '{texts[0]}' ({found.ranges:,} cells): "
            "of a range its middle counts, before an interval the number, else the limit."
        )
        notices.append(
            Notice("ranges", message, column=name, lines=tuple(sorted(lines[t] for t in texts)))
        )
    return notices
