"""What a run of chaos is asked for, and how its time is divided."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.chaos.faults.injector import MEAN_INTERVAL, QUIET_END, QUIET_START

STORM_SHARE = 0.3  # of the time of a long run, in which faults overlap


@dataclass(frozen=True)
class Options:
    """`seconds` of faults, drawn from `seed`: first many at a time, then each alone and measured.

    `faults` are the only ones, separated by commas. `rate` is the steady load while throughput is
    measured, in events a second; None is half the capacity. `beside` is the folder or commit of
    the other release. With `upstash`, Redis services go over the double of Upstash's REST API.
    Logs are copied to the folder `logs`.
    """

    seconds: float
    seed: int
    faults: str | None = None
    rate: float | None = None
    beside: str | None = None
    upstash: bool = False
    logs: Path | None = None

    def storm(self, kinds: int) -> float:
        """Seconds in which faults overlap: long enough for each of so many kinds to come once."""
        all_once = QUIET_START + kinds * MEAN_INTERVAL + QUIET_END
        return min(self.seconds, max(all_once, STORM_SHARE * self.seconds))
