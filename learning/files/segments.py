"""Several tables in one file: each a run of rows with a header of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from learning.errors import UnreadableData, shortened
from learning.files.header import count_header_rows
from learning.files.names import squeezed
from learning.files.rows import RULE, Row
from learning.schema.notice import spans

SHORT = 12  # rows of names and values about a table, at most
MIN_ROWS = 3  # of a table: its header and two rows


@dataclass(frozen=True, slots=True)
class Segment:
    """The rows of one table, and the title above it."""

    title: str
    rows: list[Row]
    is_titled: bool = False


def segments_of(rows: Sequence[Row]) -> list[Segment]:
    """Return the tables of a file; rows that follow without a header belong to the one before."""
    found: list[Segment] = []
    title, run = "", list[Row]()
    for row in [*rows, Row(0, 0, [""])]:
        is_break = row.filled <= 1 or (run and len(row.cells) != len(run[0].cells))
        if is_break and run:
            _close(found, title, run)
            title, run = "", []
        if row.filled == 1 and not RULE.match("".join(row.cells)):
            title = squeezed("".join(row.cells))
        elif row.filled > 1:
            run.append(row)
    widest = max((_width(segment.rows[0]) for segment in found), default=0)
    # "Station; 12" above or below a table is a line about it, not a table.
    return [
        s
        for s in found
        if _width(s.rows[0]) > 2 or widest == 2 or len(s.rows) > SHORT or s.is_titled
    ]


def _close(found: list[Segment], title: str, run: list[Row]) -> None:
    width = max(_width(row) for row in run)
    headed = len(run) >= MIN_ROWS and 0 < count_header_rows(run, width) < len(run)
    if not headed:
        return
    same = found and [c.strip() for c in found[0].rows[0].cells] == [
        c.strip() for c in run[0].cells
    ]
    # The same header again is one table in pieces; the reader leaves the repeated line out.
    if not same:
        found.append(Segment(title or f"table {len(found) + 1}", run, bool(title)))


def _width(row: Row) -> int:
    filled = [i for i, cell in enumerate(row.cells) if cell.strip()]
    return filled[-1] + 1 if filled else 1


def choose_segment(segments: list[Segment], table: str | None) -> Segment | None:
    """Return the table that a person chose by its title or number; None where there is one.

    Raises `UnreadableData`, which names the tables, where there are several and none is chosen.
    """
    if table is not None:
        for number, segment in enumerate(segments, 1):
            if table.strip().casefold() in {segment.title.casefold(), str(number)}:
                return segment
    if len(segments) <= 1 and table is None:
        return None
    named = ", ".join(
        f"{shortened(s.title)} ({spans(range(s.rows[0].line, s.rows[-1].last_line + 1))})"
        for s in segments[:10]
    )
    if table is not None:
        raise UnreadableData(f"The file has no table '{shortened(table)}'. It holds: {named}.")
    raise UnreadableData(f"The file holds the tables {named}. Choose one of them.")
