"""Nothing personal and nothing secret leaves for Sentry."""

from uuid import UUID

import httpx
from sqlalchemy import text

from events import UserSignedUp
from handlers import external
from sandbox.client import SandboxClient
from services import Services
from tests.factories import publish_now
from tests.pipeline import Pipeline
from tests.services.sentry.sandbox_process import reports

CANARY = "canary-7f3a"
ADDRESS = f"{CANARY}@example.com"


def test_nothing_personal_leaves(watched: Pipeline, sentry_sandbox: SandboxClient) -> None:
    user = UUID(int=7, version=4)
    event = UserSignedUp(user_id=user, email=ADDRESS, name=f"{CANARY} Lovelace")

    @external("careless", UserSignedUp, max_attempts=2)
    def careless(event: UserSignedUp, services: Services, key: str) -> None:
        headers = {"Authorization": f"Bearer {CANARY}", "Cookie": CANARY}
        httpx.post(
            f"{sentry_sandbox.url}/loops/api/v1/contacts/find?email={event.email}",
            json={"email": event.email},
            headers=headers,
        )
        with services.transaction.args[0]() as session:  # type: ignore[attr-defined]
            session.execute(text("SELECT :name"), {"name": event.name})
        cause = ValueError(f"{event.email} is odd")
        raise LookupError(f"nobody is called {event.name}, token {CANARY}") from cause

    watched.follow(careless, *(watched.assembly.handlers.values()))
    publish_now(watched.assembly, event)
    for _ in range(3):
        watched.work()
        watched.pass_time()

    assert len(reports(sentry_sandbox)) == 2
    assert len(reports(sentry_sandbox, "transactions")) > 5
    sent = sentry_sandbox.sentry_envelopes()
    assert len(sent) > 7
    assert not [raw for raw in sent if CANARY in raw]
