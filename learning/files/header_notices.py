"""What is said about the lines above the first row."""

from collections.abc import Sequence

from learning.errors import shortened
from learning.files.delimiters import SEP
from learning.files.rows import Row
from learning.schema.notice import Notice, spans


def said_of_lines(
    above: Sequence[Row], header: Sequence[Row], technical: Sequence[Row], body: Sequence[Row]
) -> list[Notice]:
    """Say which lines above the rows are no names, or that there are none."""
    notices = []
    if above:
        notices.append(_preamble(above))
    if technical:
        notices.append(
            Notice("header_technical", "Lines for programs between header and rows were left "
                   f"out: {spans(r.line for r in technical)}.",
                   lines=tuple(row.line for row in technical))
        )  # fmt: skip
    if not header:
        notices.append(
            Notice("header_missing", "The first line holds values, not names: the columns are "
                   "called 'column 1', 'column 2' and so on.",
                   lines=(body[0].line,) if body else ())
        )  # fmt: skip
    return notices


def _preamble(above: Sequence[Row]) -> Notice:
    shown = [row for row in above if not SEP.match("".join(row.cells))]
    text = f", such as '{shortened(' '.join(filter(None, shown[0].cells)))}'" if shown else ""
    lines = tuple(row.line for row in above)
    return Notice("lines_above", f"Left out above the header: {spans(lines)}{text}.",
                  lines=lines)  # fmt: skip
