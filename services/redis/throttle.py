"""One pace for the whole fleet: slots at even distances, booked one by one in Redis."""

import time
from importlib.resources import files

from errors import ProviderBusy
from services.redis.commands import Commands, evaluate

SECOND = 1_000_000
AHEAD = 0.25
LONGEST_WAIT = 10.0


class Throttle:
    """At most `rate` a second. Who is in a hurry takes the next slot, all others a near one only.

    So however many wait, one in a hurry waits for those alone that booked in the last quarter
    of a second.
    """

    def __init__(self, commands: Commands, name: str, rate: float) -> None:
        self.commands = commands
        self.key = f"pace:{name}"
        self.distance = round(SECOND / rate)
        self.script = files("services.redis").joinpath("throttle.lua").read_text()

    def wait(self, *, hurry: bool = False) -> None:
        """Wait for a slot: one command, more where many wait. Raises ProviderBusy, ProviderDown."""
        give_up = time.monotonic() + LONGEST_WAIT
        ahead = -1 if hurry else round(AHEAD * SECOND)
        while True:
            ((booked, wait),) = self.commands.run(
                evaluate(self.script, [self.key], self.distance, ahead)
            )
            seconds = int(wait) / SECOND
            if not booked and time.monotonic() + seconds > give_up:
                raise ProviderBusy("The provider's limit is used up by what goes first.")
            time.sleep(seconds)
            if booked:
                return
