"""A throttle for the whole fleet: slots at even distances, booked one by one in Redis."""

import time
from importlib.resources import files

from errors import ProviderBusy
from services.redis.commands import Commands, evaluate

PREFIX = "pace:"  # a name of old, kept since processes of two versions may run at once
MICROSECONDS = 1_000_000  # in a second
BOOKED_AHEAD = 0.25  # seconds: what priority calls may have to wait for others at most
LONGEST_WAIT = 10.0  # seconds; then the delivery goes back, so that no thread is held up longer
# How far ahead the next slot can be, as the sum of what threads of the fleet wait for: the greater
# of a minute and 100 slots. A slot beyond that was booked before Redis's clock went back.
FARTHEST, FARTHEST_SLOTS = 60.0, 100


class Throttle:
    """At most `rate` calls a second. With priority the next slot is taken, however far it is.

    Without priority only a slot within the next quarter of a second is, so that a flood of other
    calls delays one with priority by that alone.
    """

    def __init__(self, commands: Commands, name: str, rate: float) -> None:
        self.commands = commands
        self.key = f"{PREFIX}{name}"
        self.distance = round(MICROSECONDS / rate)
        self.farthest = max(round(FARTHEST * MICROSECONDS), FARTHEST_SLOTS * self.distance)
        self.script = files("services.redis").joinpath("throttle.lua").read_text()

    def wait(self, *, priority: bool = False) -> None:
        """Wait for a slot: one command, more where many wait. Raises ProviderBusy, ProviderDown."""
        give_up = time.monotonic() + LONGEST_WAIT
        ahead = -1 if priority else round(BOOKED_AHEAD * MICROSECONDS)
        while True:
            ((booked, wait),) = self.commands.run(
                evaluate(self.script, [self.key], self.distance, ahead, self.farthest)
            )
            seconds = int(wait) / MICROSECONDS
            if not booked and time.monotonic() + seconds > give_up:
                raise ProviderBusy("The provider's limit is used up by calls with priority.")
            time.sleep(seconds)
            if booked:
                return
