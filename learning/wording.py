"""How values from a file are quoted in messages for people."""

from collections.abc import Iterable

SHOWN = 20
SHOWN_CHARACTERS = 60


def listed(names: Iterable[str]) -> str:
    """Return `a, b, c`, or the first `SHOWN` names and how many more there are."""
    every = [shortened(name) for name in names]
    if len(every) <= SHOWN:
        return ", ".join(every)
    return f"{', '.join(every[:SHOWN])} and {len(every) - SHOWN:,} more"


def shortened(value: object) -> str:
    """Return the value as text of at most `SHOWN_CHARACTERS` characters."""
    text = str(value)
    if len(text) <= SHOWN_CHARACTERS:
        return text
    return text[: SHOWN_CHARACTERS - 1] + "…"
