"""What is said of people who stay away."""

from pydantic import PositiveInt

from events.event import Event, UserEvent


class InactivityDue(Event):
    """It is time to look who has done nothing for `days` days."""

    type = "inactivity.due"
    is_internal = True

    days: PositiveInt


class UserInactive(UserEvent):
    """A person has done nothing for `days` days; told once in each absence."""

    type = "user.inactive"
    is_internal = True

    days: PositiveInt
