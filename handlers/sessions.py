"""Ends the sessions of those who close their account."""

from events import UserDeleted
from handlers.registry import external
from services import Services


@external("sessions", UserDeleted)
def end_sessions(event: UserDeleted, services: Services, _key: str) -> None:
    """Nobody stays signed in who has left."""
    services.sessions.close(event.user_id)
