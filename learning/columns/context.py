"""What is known about a column besides its cells, and what is found out about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from learning.columns.tally import Tally
from learning.schema.column import Column
from learning.schema.notice import Notice


@dataclass(frozen=True, slots=True)
class ColumnCorrection:
    """What a person says about a column; None where nothing is said."""

    type: str | None = None
    format: str | None = None
    decimal_mark: str | None = None
    ignore: bool | None = None
    positive_class: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """A column as it stands in its file.

    `unit` stands in the header; `native` numbers need no notation; `decimal_mark` is that of the
    file's other columns, where they agree.
    """

    name: str
    position: int
    tally: Tally
    unit: str | None = None
    native: bool = False
    decimal_mark: str | None = None
    correction: ColumnCorrection = ColumnCorrection()
    answers: Mapping[str, str] = field(default_factory=dict)

    @property
    def lines(self) -> dict[str, int]:
        """The line on which each value occurs first."""
        return dict(zip(self.tally.values, self.tally.lines.tolist(), strict=True))

    def answer(self, kind: str) -> str | None:
        """What a person answered to this column's question of a kind."""
        return self.answers.get(self.question(kind))

    def question(self, kind: str) -> str:
        """The id of this column's question of a kind."""
        return f"{kind}:{self.name}"


@dataclass(slots=True)
class Finding:
    """A column as understood, and what is to be said about it."""

    column: Column
    notices: list[Notice] = field(default_factory=list)
