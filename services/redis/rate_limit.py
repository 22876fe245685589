"""How many requests came in a window of time: a counter, `ratelimit:{identifier}`."""

import math
import time
from dataclasses import dataclass
from importlib.resources import files

import structlog

from errors import ProviderDown
from services.redis.commands import CommandFailed, Commands, evaluate

log = structlog.get_logger()
LOOK_AGAIN = 1.0


@dataclass(frozen=True)
class Allowance:
    """What one request found: `limit` per `window` seconds, `used` with this one."""

    limit: int
    window: int
    used: int
    seconds_left: int

    @property
    def remaining(self) -> int:
        """How many more may come in this window."""
        return max(0, self.limit - self.used)

    @property
    def exceeded(self) -> bool:
        """Whether this request is one too many."""
        return self.used > self.limit


class RateLimit:
    """A fixed window: the first request opens it, and its end frees the key."""

    def __init__(self, commands: Commands, limit: int, window: int) -> None:
        self.commands = commands
        self.limit = limit
        self.window = window
        self.script = files("services.redis").joinpath("rate_limit.lua").read_text()
        self.rests_until = 0.0

    def count(self, identifier: str) -> Allowance | None:
        """Count a request; one round trip.

        None when Redis cannot tell: then it is not asked for a second, so that its absence
        delays few.
        """
        if time.monotonic() < self.rests_until:
            return None
        asked = evaluate(self.script, [f"ratelimit:{identifier}"], self.window)
        try:
            ((used, milliseconds),) = self.commands.run(asked)
        except (ProviderDown, CommandFailed) as error:
            log.warning("rate_limit_off", error=type(error).__name__)
            self.rests_until = time.monotonic() + LOOK_AGAIN
            return None
        return Allowance(self.limit, self.window, used, math.ceil(milliseconds / 1000))
