"""What the clock says: an event per scheduled job, its id made of the job and the time slot."""

from pydantic import PositiveInt

from events.event import Event


class PruneDue(Event):
    """It is time to forget events that are older than `days` and owed by nobody."""

    type = "prune.due"
    is_internal = True

    days: PositiveInt
