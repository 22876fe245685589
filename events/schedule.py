"""Scheduled jobs that are due. The scheduler makes each id of the job and its time slot."""

from pydantic import PositiveInt

from events.event import Event, Text


class PruneDue(Event):
    """It is time to delete events older than `days` days that no handler owes.

    Usage of more than `statement_months` months ago is added up too, where that is given. `after`
    is where an event of before left off: each deletes some, and another follows from it.
    """

    type = "prune.due"
    is_internal = True

    days: PositiveInt
    statement_months: PositiveInt | None = None
    after: Text | None = None


class InactivityDue(Event):
    """It is time to look for users who have done nothing for `days` days."""

    type = "inactivity.due"
    is_internal = True

    days: PositiveInt
