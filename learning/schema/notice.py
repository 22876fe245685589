"""What a person is told about a file: each guess, each line left out, each open question."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

MAX_LINES = 20  # named in one notice: enough to find the pattern, few enough to read


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence about a file. With `needs_answer` it has an `id` and `choices`."""

    code: str
    message: str
    column: str | None = None
    lines: tuple[int, ...] = ()
    id: str | None = None
    choices: tuple[str, ...] = ()

    @property
    def needs_answer(self) -> bool:
        """Whether a person has to choose before the cells in question are used."""
        return self.id is not None

    def to_json(self) -> dict[str, Any]:
        """Return the notice as pages and events carry it; what is empty is left out."""
        every = {
            "code": self.code,
            "message": self.message,
            "column": self.column,
            "lines": list(self.lines[:MAX_LINES]),
            "needs_answer": self.needs_answer,
            "id": self.id,
            "choices": list(self.choices),
        }
        return {key: value for key, value in every.items() if value not in (None, [], False)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Notice":
        """Read back what `to_json` wrote."""
        return cls(
            code=data["code"],
            message=data["message"],
            column=data.get("column"),
            lines=tuple(data.get("lines", ())),
            id=data.get("id"),
            choices=tuple(data.get("choices", ())),
        )


def spans(lines: Iterable[int]) -> str:
    """Return line numbers for a sentence: `line 5`, `lines 2–4, 9 and 12 more`."""
    numbers = sorted(set(lines))
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number, number])
    shown = [f"{a}" if a == b else f"{a}–{b}" for a, b in runs[:5]]
    hidden = sum(b - a + 1 for a, b in runs[5:])
    text = ", ".join(shown) + (f" and {hidden:,} more" if hidden else "")
    return f"{'line' if len(numbers) == 1 else 'lines'} {text}"
