"""A handler that begins to follow a type while a transaction that published it is open."""

import re
import shlex

import pytest
from sqlalchemy import text

from events import PredictionMade, publish, uuid7
from models import subscriptions
from runtime.assembly import Assembly
from tests.cli.conftest import Insights, flat
from tests.factories import publish_now

OWED = text("""
    SELECT count(*) FROM insights.delivery_states WHERE handler = 'usage' AND event_id = :id
""")


def unsubscribe_usage(assembly: Assembly) -> None:
    with assembly.engine.begin() as connection:
        subscriptions.unsubscribe(connection, "usage", "prediction.made")


def owed(assembly: Assembly, event: PredictionMade) -> int:
    with assembly.engine.connect() as connection:
        return int(connection.execute(OWED, {"id": event.id}).scalar_one())


def test_what_commits_afterwards_is_owed_by_the_command_that_migrate_prints(
    assembly: Assembly, insights: Insights
) -> None:
    before, during = (PredictionMade(user_id=uuid7(), model_id="m") for _ in range(2))
    publish_now(assembly, before)
    unsubscribe_usage(assembly)
    with assembly.engine.begin() as connection:
        connection.execute(text("DELETE FROM insights.deliveries"))
    with assembly.sessions.begin() as session:
        publish(session, during)
        printed = flat(insights("migrate").stdout)
    assert "New: usage follows prediction.made." in printed
    assert owed(assembly, during) == 0
    (command,) = re.findall(r"`insights (replay --handler usage --history --since [^`]+)`", printed)

    result = insights(*shlex.split(command), "--yes")

    assert result.exit_code == 0, result.stderr
    assert owed(assembly, during) == 1
    assert owed(assembly, before) == 0


@pytest.mark.parametrize("published", [False, True])
def test_nothing_is_said_where_nothing_is_new_or_was_published(
    published: bool, assembly: Assembly, insights: Insights
) -> None:
    if published:
        publish_now(assembly, PredictionMade(user_id=uuid7(), model_id="m"))
    else:
        unsubscribe_usage(assembly)

    assert "New:" not in insights("migrate").stdout
