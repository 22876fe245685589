"""Scheduled jobs that are due. The scheduler makes each id of the job and its time slot."""

from pydantic import PositiveInt

from events.event import Event


class PruneDue(Event):
    """It is time to delete events older than `days` days that no handler owes."""

    type = "prune.due"
    is_internal = True

    days: PositiveInt


class InactivityDue(Event):
    """It is time to look for users who have done nothing for `days` days."""

    type = "inactivity.due"
    is_internal = True

    days: PositiveInt
