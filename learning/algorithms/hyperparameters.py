"""The hyperparameters a user may set, each within a range.

The ranges protect the workers: they bound the time and memory of a training.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from learning.errors import BadHyperparameter, listed, shortened

Hyperparameter: TypeAlias = int | float | None


@dataclass(frozen=True, slots=True)
class IntegerRange:
    """A whole number from `low` to `high`; None is allowed where it is the default."""

    low: int
    high: int
    default: int | None

    def allows(self, value: object) -> bool:
        """Whether the value may be used: 3.0 may, since JSON has one kind of number; True not."""
        if value is None or isinstance(value, bool):
            return value is None and self.default is None
        return (
            isinstance(value, int | float)
            and self.low <= value <= self.high
            and value == int(value)
        )

    def __str__(self) -> str:
        """Say in a message what is allowed."""
        empty = " or empty" if self.default is None else ""
        return f"a whole number from {self.low} to {self.high}{empty}"


@dataclass(frozen=True, slots=True)
class FloatRange:
    """A number from `low` to `high`."""

    low: float
    high: float
    default: float

    def allows(self, value: object) -> bool:
        """Whether the value may be used; True is no number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return self.low <= value <= self.high

    def __str__(self) -> str:
        """Say in a message what is allowed."""
        return f"a number from {self.low:g} to {self.high:g}"


Range: TypeAlias = IntegerRange | FloatRange


def complete(ranges: Mapping[str, Range], given: Mapping[str, object]) -> dict[str, Hyperparameter]:
    """Return a value for every hyperparameter: the one given, else its default.

    Raises `BadHyperparameter` for a name that is not in `ranges` or a value out of its range.
    """
    for name in given:
        if name not in ranges:
            raise BadHyperparameter(
                f"There is no setting '{shortened(name)}' for this algorithm. "
                f"Its settings are: {listed(ranges)}."
            )
    return {name: _value(name, allowed, given) for name, allowed in ranges.items()}


def _value(name: str, allowed: Range, given: Mapping[str, object]) -> Hyperparameter:
    value = given.get(name, allowed.default)
    if not allowed.allows(value):
        raise BadHyperparameter(
            f"The setting '{name}' must be {allowed}, but it is '{shortened(value)}'."
        )
    if isinstance(value, float) and isinstance(allowed, IntegerRange):
        return int(value)
    return value  # type: ignore[return-value]
