"""How many requests came in a window of time: a counter, `ratelimit:{identifier}`."""

import math
from dataclasses import dataclass
from importlib.resources import files

import structlog

from errors import ProviderDown
from services.redis.circuit_breaker import CircuitBreaker
from services.redis.commands import CommandFailed, Commands, evaluate

log = structlog.get_logger()
PREFIX = "ratelimit:"


@dataclass(frozen=True)
class Allowance:
    """The window that a request was counted in: `limit` per `window` s, `used` with this one."""

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
        self.breaker = CircuitBreaker()

    def count(self, identifier: str) -> Allowance | None:
        """Count a request; one round trip.

        None while Redis is down: then one request a second asks it, and waits for it.
        """
        if not self.breaker.may_ask():
            return None
        command = evaluate(self.script, [f"{PREFIX}{identifier}"], self.window)
        try:
            ((used, milliseconds),) = self.commands.run(command)
        except (ProviderDown, CommandFailed) as error:
            log.warning("rate_limit_off", error=type(error).__name__)
            self.breaker.open()
            return None
        self.breaker.close()
        return Allowance(self.limit, self.window, used, math.ceil(milliseconds / 1000))
