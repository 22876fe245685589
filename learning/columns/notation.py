"""In which notation a column's numbers are read. Where that can be two things, it is asked."""

from dataclasses import dataclass, field

from learning.columns.context import Context
from learning.columns.number_cell import NOTATIONS, Notation, is_group_of_three, value_of
from learning.columns.number_column import NumberColumn, change_of_notation, preferred
from learning.schema.notice import Notice

THREE_DIGITS = 3


@dataclass(slots=True)
class Decision:
    """A notation, or the id of the question that must be answered first."""

    notation: Notation | None
    question: str | None = None
    notices: list[Notice] = field(default_factory=list)


def decide(context: Context, found: NumberColumn) -> Decision:
    """Return the notation of a column of numbers."""
    mark = context.correction.decimal_mark
    answer = context.answer("notation")
    if mark is None and answer in {"decimal point", "decimal comma"}:
        mark = "." if answer == "decimal point" else ","
    if mark is not None:
        return Decision(_with_mark(found, mark))
    if context.native:
        return Decision(("", "."))
    change = _two_notations(context, found)
    if change is not None:
        return _ask_about_change(context, *change)
    ambiguous = found.ambiguous
    if not ambiguous:
        notation = preferred(found, found.notations)
        return Decision(notation, notices=_shown(context, found, notation))
    return _ambiguous(context, found, ambiguous[0])


def _with_mark(found: NumberColumn, mark: str) -> Notation:
    """The notation with that decimal mark in which most cells are numbers."""
    counts = {
        n: sum(found.counts[t] for t, cell in found.cells.items() if n in cell.notations)
        for n in NOTATIONS
        if n[1] == mark
    }
    return max(counts, key=lambda n: counts[n])


def _two_notations(context: Context, found: NumberColumn) -> tuple[str, str, int] | None:
    """The cells where one notation follows another: `1,360` above, `1.130` below."""
    lines = context.lines
    if not found.notations:
        return change_of_notation(found, lines)
    grouped = {
        mark: [
            text
            for text, cell in found.cells.items()
            if mark in cell.body and is_group_of_three(cell.body)
        ]
        for mark in ".,"
    }
    if not (grouped["."] and grouped[","]):
        return None
    firsts = sorted((min(lines[t] for t in grouped[m]), m) for m in ".,")
    (_, before), (line, after) = firsts
    first = min(grouped[before], key=lambda text: lines[text])
    return first, min(grouped[after], key=lambda text: lines[text]), line


def _ask_about_change(context: Context, first: str, second: str, line: int) -> Decision:
    question = context.question("notation")
    answered = context.answer("notation") == "leave out"
    message = (
        f"The column '{context.name}' has numbers in two notations: '{first}' on line "
        f"{context.lines[first]}, but '{second}' on line {line}. "
        + ("It was left out." if answered else "Which one is meant? Cells in the other count as "
           "missing. Until this is answered, the column is not learnt from.")
    )  # fmt: skip
    return Decision(
        None,
        question,
        [
            Notice(
                "two_notations", message, column=context.name, lines=(context.lines[first], line),
                id=None if answered else question,
                choices=() if answered else ("decimal point", "decimal comma", "leave out"),
            )
        ],
    )  # fmt: skip


def _ambiguous(context: Context, found: NumberColumn, example: str) -> Decision:
    """Decide by the file's other columns, or by numbers of four digits without a mark; or ask."""
    name = context.name
    mark, why = context.decimal_mark, "as in the file's other columns"
    if mark is None and any(
        c.body.isdigit() and len(c.body) > THREE_DIGITS for c in found.cells.values()
    ):
        sign = "." if "." in found.cells[example].body else ","
        mark, why = (
            sign,
            "since numbers of four digits stand there without a mark between thousands",
        )
    left = frozenset(n for n in found.notations if n[1] == mark)
    if mark is not None and left:
        notation = preferred(found, left)
        value = value_of(found.cells[example].body, notation)
        message = (
            f"In '{name}', '{example}' was read as {value:g}: the decimal mark is '{mark}', {why}."
        )
        return Decision(notation, notices=[Notice("decimal_mark_guessed", message, column=name)])
    readings = sorted({(n[1], value_of(found.cells[example].body, n)) for n in found.notations})
    meant = " or ".join(
        f"{value:g} (decimal {'point' if m == '.' else 'comma'})" for m, value in readings
    )
    message = (
        f"In '{name}', '{example}' can be {meant}. Which one is meant? Until this is answered, the "
        "column is not learnt from."
    )
    question = context.question("notation")
    notice = Notice(
        "ambiguous_number", message, column=name, lines=(context.lines[example],), id=question,
        choices=tuple(f"decimal {'point' if m == '.' else 'comma'}" for m, _ in readings),
    )  # fmt: skip
    return Decision(None, question, [notice])


def _shown(context: Context, found: NumberColumn, notation: Notation) -> list[Notice]:
    thousands, mark = notation
    if notation == ("", ".") or not found.has_decimals:
        return []
    said = [f"the decimal mark '{mark}'"] if mark == "," else []
    if thousands:
        said.append(
            "blanks between thousands" if thousands == " " else f"'{thousands}' between thousands"
        )
    if not said:
        return []
    message = f"The numbers in '{context.name}' have {' and '.join(said)}."
    return [Notice("decimal_mark", message, column=context.name)]
