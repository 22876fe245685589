"""The first look at the rows: which lines are no records, and what is asked about them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from learning.errors import UnreadableData, shortened
from learning.files.chunk import Chunk
from learning.files.delimited import Misfit
from learning.files.header import TYPED_SHARE
from learning.files.rows import is_marker, is_typed
from learning.rows.odd_rows import OddRows, find_odd_rows
from learning.rows.reading import without_blank_rows
from learning.rows.sums import last_row_is_sum, sums_of_runs
from learning.schema.notice import Notice, spans

JUDGED_ROWS = 500
MAX_LEFT_OUT = 20_000  # lines: with more, the table is not understood
MAX_MISFIT_SHARE = 0.2  # of the lines, beyond which the rows do not fit the header
SHORT_TABLE = 3_000  # rows, up to which sums are looked for by calculating


@dataclass(slots=True)
class FirstLook:
    """Lines that are no records, and what is said; `fill_down` are positions of columns."""

    odd: OddRows = field(default_factory=OddRows)
    misfits: list[Misfit] = field(default_factory=list)
    fill_down: list[int] = field(default_factory=list)
    kept: frozenset[str] = frozenset()
    given: frozenset[int] = frozenset()

    def left_out(self) -> set[int]:
        """Lines to leave out: those of kinds that a person did not ask to keep."""
        found = set(self.given)
        for kind, lines in self.odd.lines.items():
            if kind not in self.kept:
                found.update(lines)
        return found


def typed_by_cells(chunk: Chunk) -> list[bool]:
    """Say of each column whether most of its cells look like numbers, dates or times."""
    step = max(1, len(chunk) // JUDGED_ROWS)
    rows = pa.array(np.arange(0, len(chunk), step))
    typed = []
    for column in chunk.cells:
        known = [cell for cell in column.take(rows).to_pylist() if not is_marker(cell)]
        typed.append(bool(known) and sum(map(is_typed, known)) >= TYPED_SHARE * len(known))
    return typed


def with_last(chunks: Iterable[Chunk]) -> Iterator[tuple[Chunk, bool]]:
    """Yield each chunk that is not empty, and whether it is the last."""
    before: Chunk | None = None
    for chunk in chunks:
        if len(chunk) == 0:
            continue
        if before is not None:
            yield before, False
        before = chunk
    if before is not None:
        yield before, True


def look(
    chunk: Chunk, typed: Sequence[bool], names: Sequence[str], found: FirstLook, *,
    is_first: bool, is_last: bool,
) -> Chunk:  # fmt: skip
    """Return the records of a chunk; lines that are none are added to `found`."""
    chunk = without_blank_rows(chunk)
    odd = find_odd_rows(chunk, typed, names, is_last=is_last)
    for kind, lines in odd.lines.items():
        found.odd.lines[kind] += lines
    found.odd.texts.update(odd.texts)
    if len(found.odd.texts) > MAX_LEFT_OUT:
        raise UnreadableData(
            f"More than {MAX_LEFT_OUT:,} lines are headings, totals or notes, and no rows of a "
            "table. Export the rows alone."
        )
    if is_first and is_last and len(chunk) <= SHORT_TABLE:
        _find_sums(chunk, typed, found)
    left_out = np.array(sorted(found.left_out()), dtype=np.int64)
    return chunk.take(~np.isin(chunk.lines, left_out)) if len(left_out) else chunk


def _find_sums(chunk: Chunk, typed: Sequence[bool], found: FirstLook) -> None:
    """Add rows that sum up others, though no word says so."""
    from learning.columns.number_cell import read_cell, value_of  # noqa: PLC0415

    odd = np.isin(chunk.lines, np.array(sorted(found.odd.all()), dtype=np.int64))
    rows = chunk.take(~odd)
    if not any(typed) or all(typed):
        return

    def number(text: str) -> float:
        cell = read_cell(text.strip())
        value = None
        if cell is not None and cell.kind == "plain" and cell.high is None:
            value = value_of(cell.body, ("", ".")) or value_of(cell.body, ("", ","))
            value = value or value_of(cell.body, (",", ".")) or value_of(cell.body, (".", ","))
        return np.nan if value is None or cell is None else -value if cell.negative else value

    numbers = [
        np.array([number(text) for text in column.to_pylist()])
        for column, is_one in zip(rows.cells, typed, strict=True)
        if is_one
    ]
    places = sums_of_runs(numbers)
    if not places and len(rows) > 4 and last_row_is_sum(numbers):
        places = [len(rows) - 1]
    for place in places:
        line = int(rows.lines[place])
        found.odd.lines["totals"].append(line)
        found.odd.texts[line] = " ".join(filter(None, (c[place].as_py() for c in rows.cells)))


def check_misfits(misfits: Sequence[Misfit], rows: int, width: int, above: Sequence[int]) -> None:
    """Raise `UnreadableData` where too many lines have another number of cells."""
    if not misfits or len(misfits) <= MAX_MISFIT_SHARE * (rows + len(misfits)):
        return
    first = misfits[0]
    count = f"{len(first.cells)} value{'s' if len(first.cells) != 1 else ''}"
    message = f"Line {first.line} has {count}, but the file has {width} columns"
    if above:
        message += f", by the header on {spans(above)}"
    message += f"; so it is on {len(misfits):,} of {rows + len(misfits):,} lines."
    raise UnreadableData(
        f"{message} Correct them, and put quotes around values that contain a separator."
    )


def notices_of(found: FirstLook, last_line: int, width: int, names: Sequence[str]) -> list[Notice]:
    """Say which lines were left out, and ask about those that may be records."""
    notes = [m for m in found.misfits if m.line > last_line]
    ragged = [m for m in found.misfits if m.line <= last_line]
    lines = {kind: sorted(where) for kind, where in found.odd.lines.items()}
    lines["notes"] = sorted([*lines.get("notes", []), *(m.line for m in notes)])
    texts = {**found.odd.texts, **{m.line: " ".join(filter(None, m.cells)) for m in notes}}
    notices = []
    for kind, (code, text) in SENTENCES.items():
        where = tuple(lines.get(kind, ()))
        if where:
            message = text.format(lines=spans(where), example=shortened(texts[where[0]]))
            is_open = kind in QUESTIONS and kind not in found.kept
            notices.append(
                Notice(code, message, lines=where, id=kind if is_open else None,
                       choices=("leave out", "keep") if is_open else ())
            )  # fmt: skip
    short = [m.line for m in ragged if len(m.cells) < width]
    long = [m.line for m in ragged if len(m.cells) > width]
    for code, ragged_lines, what in (("rows_short", short, "fewer"), ("rows_long", long, "more")):
        where = tuple(ragged_lines)
        if where:
            message = (
                f"Left out: {spans(where)}, with {what} than the {width} values of a row. Correct "
                "them, and put quotes around values that contain a separator."
            )
            notices.append(Notice(code, message, lines=where))
    for j in found.fill_down:
        message = f"Blank cells of '{names[j]}' were filled with the value above them."
        notices.append(Notice("filled_down", message, column=names[j]))
    if found.given:
        where = tuple(sorted(found.given))
        notices.append(Notice("left_out", f"As you said, {spans(where)} left out.", lines=where))
    return notices


SENTENCES = {
    "notes": ("footnotes", "Below the table, left out: {lines}, such as '{example}'."),
    "rules": ("rules", "Left out, since drawn and not written: {lines}."),
    "header": ("header_again", "The header occurs again; left out: {lines}."),
    "headings": (
        "headings",
        (
            "Headings among the rows, such as '{example}': {lines}. They stay out of a "
            "training. Are they rows?"
        ),
    ),
    "totals": (
        "total_rows",
        (
            "Sums or means of other rows, such as '{example}': {lines}. They stay out of a "
            "training. Are they rows?"
        ),
    ),
}
QUESTIONS = {"headings", "totals"}


def kept_kinds(answers: Mapping[str, str]) -> frozenset[str]:
    """Return the kinds of odd rows that a person asked to keep."""
    return frozenset(kind for kind in QUESTIONS if answers.get(kind) == "keep")
