"""Everything that a run breaks. Each fault is a context manager: it lasts as long as its block."""

from collections.abc import Iterable, Mapping

from benchmarks.chaos.faults.kind import FaultKind
from benchmarks.errors import ChaosFailed


class UnknownFault(ChaosFailed):
    """Raised when a run is asked for a fault that there is not."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"No fault is called '{name}'. There are: {', '.join(sorted(known))}.")


def choose(kinds: Mapping[str, FaultKind], names: str | None) -> Mapping[str, FaultKind]:
    """The faults of a comma-separated list, or all. Raises UnknownFault."""
    if names is None:
        return kinds
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in kinds:
            raise UnknownFault(name, kinds)
    return {name: kinds[name] for name in wanted}
