"""An event whose handler always fails, so that the demo has an error to show."""

from uuid import UUID

from events import UserEvent
from handlers import external
from services import Services


class DemoMishap(UserEvent):
    type = "demo.mishap"


@external("demo_mishap", DemoMishap, max_attempts=1)
def fail(event: DemoMishap, _services: Services, _key: str) -> None:
    """Fail with a KeyError, as a careless handler does."""
    names: dict[UUID, str] = {}
    names[event.user_id]
