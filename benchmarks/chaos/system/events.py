"""Event types that exist only in a run of chaos."""

from pydantic import NonNegativeFloat

from events import Event


class ChaosHappened(Event):
    """Asks for one row in the database and two calls outside; the row of a poisonous one fails."""

    type = "chaos.happened"

    poisonous: bool = False


class WorkAsked(Event):
    """Asks for outside work that takes so many seconds."""

    type = "chaos.work_asked"

    seconds: NonNegativeFloat


class WorkDone(Event):
    """Follows from WorkAsked."""

    type = "chaos.work_done"


class GivenUp(Event):
    """Follows from a ChaosHappened whose delivery became a dead letter."""

    type = "chaos.given_up"
