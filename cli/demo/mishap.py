"""An event that no handler can handle, so that the demo has an error to show."""

from uuid import UUID

from events import UserEvent
from handlers import external
from services import Services


class DemoMishap(UserEvent):
    """Something that goes wrong."""

    type = "demo.mishap"


@external("demo_mishap", DemoMishap, max_attempts=1)
def stumble(event: DemoMishap, _services: Services, _key: str) -> None:
    """Fail as a careless handler does."""
    missing: dict[UUID, str] = {}
    missing[event.user_id]
