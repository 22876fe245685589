"""What the columns are, from the first chunk; reconsidered where later chunks say otherwise."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from learning.columns.context import ColumnCorrection, Context, Finding
from learning.columns.infer import infer
from learning.columns.number_column import read_numbers
from learning.columns.tally import Tally, limit, merged, tally, with_values
from learning.files.chunk import Chunk
from learning.files.table import Table
from learning.schema.corrections import Corrections

WATCHED_VALUES = 2_000  # different values of a later chunk, of columns that are not certain
MAX_WATCHED = 50_000  # different values in all
UNCERTAIN = frozenset(
    ["decimal_mark_guessed", "ambiguous_number", "ambiguous_date", "date_format_guessed"]
)


@dataclass(slots=True)
class Inference:
    """Per column, in the file's order: the values it was inferred from, and the finding."""

    tallies: list[Tally]
    findings: list[Finding]

    def watch(self, chunk: Chunk) -> None:
        """Add the values of a later chunk to columns that can be two things so far."""
        for j, finding in enumerate(self.findings):
            uncertain = any(notice.code in UNCERTAIN for notice in finding.notices)
            if uncertain and len(self.tallies[j].values) < MAX_WATCHED:
                later = tally(chunk.cells[j], chunk.lines, WATCHED_VALUES)
                self.tallies[j] = with_values(self.tallies[j], later)

    def reconsider(self, unread: Sequence[Tally | None], table: Table, said: Corrections) -> bool:
        """Infer anew with the cells that could not be read; whether any column changed."""
        watched = any(n.code in UNCERTAIN for f in self.findings for n in f.notices)
        if not watched and not any(unread):
            return False
        for j, more in enumerate(unread):
            if more is not None:
                self.tallies[j] = merged(self.tallies[j], more)
        fresh = _infer_all(self.tallies, table, said)
        changed = any(a.column != b.column for a, b in zip(self.findings, fresh, strict=True))
        self.findings = fresh
        return changed


def infer_columns(chunk: Chunk, table: Table, said: Corrections) -> Inference:
    """Return what the columns of a first chunk are."""
    most = limit(len(chunk.cells))
    tallies = [tally(column, chunk.lines, most) for column in chunk.cells]
    return Inference(tallies, _infer_all(tallies, table, said))


def _infer_all(tallies: Sequence[Tally], table: Table, said: Corrections) -> list[Finding]:
    contexts = [
        Context(
            name=table.source.names[j],
            position=j,
            tally=each,
            unit=table.units.get(j),
            native=j in table.native,
            correction=said.columns.get(table.source.names[j], ColumnCorrection()),
            answers=said.answers,
        )
        for j, each in enumerate(tallies)
    ]
    findings = [infer(context) for context in contexts]
    open_numbers = [
        j
        for j, finding in enumerate(findings)
        if any(notice.code in UNCERTAIN for notice in finding.notices)
    ]
    if open_numbers:
        mark = _mark_of_others(findings, tallies)
        for j in open_numbers:
            findings[j] = infer(replace(contexts[j], decimal_mark=mark))
    return findings


def _mark_of_others(findings: Sequence[Finding], tallies: Sequence[Tally]) -> str | None:
    """The decimal mark on which all columns agree that prove one themselves."""
    marks = Counter[str]()
    for finding, each in zip(findings, tallies, strict=True):
        column = finding.column
        if column.type == "number" and column.style == "plain" and column.question is None:
            found = read_numbers(each)
            if found is not None and not found.ambiguous and found.decimal_mark is not None:
                marks[found.decimal_mark] += 1
    return next(iter(marks)) if len(marks) == 1 else None
