"""Ends all sessions of a user whose account is closed."""

from events import UserDeleted
from handlers.registry import external
from services import Services


@external("sessions", UserDeleted)
def end_sessions(event: UserDeleted, services: Services, _key: str) -> None:
    services.sessions.close(event.user_id)
