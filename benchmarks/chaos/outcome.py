"""What a run came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.chaos.books import Finding, Wrong
from benchmarks.chaos.storm import Injected


@dataclass(frozen=True)
class Outcome:
    """Figures of one run; times in seconds. `settled` is None where it never came to rest."""

    seed: int
    seconds: float
    published: int
    handled: int
    calls: int
    copies: int
    settled: float | None
    findings: Sequence[Finding]
    injected: Sequence[Injected]

    @property
    def is_good(self) -> bool:
        """Whether the books balance."""
        return not self.findings

    def count(self, wrong: Wrong) -> int:
        """How often something was wrong in this way."""
        return sum(finding.wrong is wrong for finding in self.findings)

    def recoveries(self) -> dict[str, list[float]]:
        """The recovery times of each kind of fault that was injected."""
        times: dict[str, list[float]] = {each.kind: [] for each in self.injected}
        for each in self.injected:
            if each.recovered is not None:
                times[each.kind].append(each.recovered)
        return dict(sorted(times.items()))

    def times(self, kind: str) -> int:
        """How often a kind of fault was injected."""
        return sum(each.kind == kind for each in self.injected)


def typical(times: Sequence[float]) -> float | None:
    """The median, where there is one."""
    return median(times) if times else None
