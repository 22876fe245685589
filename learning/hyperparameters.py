"""The settings a person may choose, each within bounds that protect the workers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from learning.errors import BadHyperparameter
from learning.wording import listed, shortened

Setting: TypeAlias = int | float | None


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `low` to `high`; None is allowed where it is the default."""

    low: int
    high: int
    default: int | None

    def allows(self, value: object) -> bool:
        """Tell whether the value may be used (3.0 is whole, True is no number)."""
        if value is None or isinstance(value, bool):
            return value is None and self.default is None
        return (
            isinstance(value, int | float)
            and self.low <= value <= self.high
            and value == int(value)
        )

    def __str__(self) -> str:
        """Say what is allowed."""
        empty = " or empty" if self.default is None else ""
        return f"a whole number from {self.low} to {self.high}{empty}"


@dataclass(frozen=True, slots=True)
class Real:
    """A number from `low` to `high`."""

    low: float
    high: float
    default: float

    def allows(self, value: object) -> bool:
        """Tell whether the value may be used (True is no number)."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return self.low <= value <= self.high

    def __str__(self) -> str:
        """Say what is allowed."""
        return f"a number from {self.low:g} to {self.high:g}"


Rule: TypeAlias = Whole | Real


def checked(rules: Mapping[str, Rule], given: Mapping[str, object]) -> dict[str, Setting]:
    """Return a value for every rule: the one given, else its default.

    Raises `BadHyperparameter` for a name without a rule or a value its rule forbids.
    """
    for name in given:
        if name not in rules:
            raise BadHyperparameter(
                f"There is no setting '{shortened(name)}' for this algorithm. "
                f"Its settings are: {listed(rules)}."
            )
    return {name: _value(name, rule, given) for name, rule in rules.items()}


def _value(name: str, rule: Rule, given: Mapping[str, object]) -> Setting:
    value = given.get(name, rule.default)
    if not rule.allows(value):
        raise BadHyperparameter(
            f"The setting '{name}' must be {rule}, but it is '{shortened(value)}'."
        )
    if isinstance(value, float) and isinstance(rule, Whole):
        return int(value)
    return value  # type: ignore[return-value]
