"""Whether a handler may still do an event, for handlers that must come after it."""

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import Connection, text

from models.deliveries.dependencies import still_owed
from runtime.assembly import Assembly
from tests.models.deliveries.conftest import HANDLER


def test_what_is_done_or_dead_or_of_another_handler_is_not_waited_for(
    due: Callable[[int], Sequence[UUID]], connection: Connection, assembly: Assembly
) -> None:
    owed, dead, done = due(3)
    kill = text("UPDATE insights.deliveries SET died_at = now() WHERE event_id = :id")
    connection.execute(kill, {"id": dead})
    connection.execute(text("DELETE FROM insights.deliveries WHERE event_id = :id"), {"id": done})

    with assembly.sessions() as session:
        assert still_owed(session, ["emails", HANDLER], [owed, dead, done]) == {owed}
        assert still_owed(session, ["emails"], [owed]) == set()
        assert still_owed(session, [HANDLER], []) == set()
