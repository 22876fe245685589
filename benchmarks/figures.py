"""What a measurement found, and the targets that it is held against."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Protocol


@dataclass(frozen=True)
class Target:
    """A bound that a figure must keep, and what to aim at beyond it."""

    bound: float
    at_most: bool = False
    aim: float | None = None

    def is_met(self, value: float) -> bool:
        return value <= self.bound if self.at_most else value >= self.bound

    def __str__(self) -> str:
        aim = "" if self.aim is None else f" (aim {self.aim:g})"
        return f"{'≤' if self.at_most else '≥'} {self.bound:,g}{aim}"


@dataclass(frozen=True)
class Figure:
    """One row of the report."""

    scenario: str
    name: str
    value: float
    unit: str
    target: Target | None = None

    @property
    def ok(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        return None if self.target is None else self.target.is_met(self.value)


class Measurement(Protocol):
    """What a scenario returns."""

    def figures(self) -> Sequence[Figure]:
        """What it measured, row by row."""


def at_least(bound: float, aim: float | None = None) -> Target:
    return Target(bound, aim=aim)


def at_most(bound: float) -> Target:
    return Target(bound, at_most=True)


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent of all values do not exceed."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]
