"""What happens in a run of chaos, beside what happens in real life."""

from pydantic import NonNegativeFloat

from events import Event


class ChaosHappened(Event):
    """Something that leaves one row here and one effect outside; `poisonous` chokes the row."""

    type = "chaos.happened"

    poisonous: bool = False


class WorkAsked(Event):
    """Somebody wants outside work that takes so many seconds."""

    type = "chaos.work_asked"

    seconds: NonNegativeFloat


class WorkDone(Event):
    """It is done."""

    type = "chaos.work_done"


class GivenUp(Event):
    """An event was too much for a handler."""

    type = "chaos.given_up"
