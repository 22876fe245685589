"""A crash of PostgreSQL forgets a claim and its note, and then gives the same token out again."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from events import Event, UserLoggedIn, uuid7
from models import batches
from models.deliveries.claim import claim
from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.fake_handlers import FakeEffect, external_handler
from tests.pipeline import Pipeline

CRASHED = """
    WITH forgotten AS (DELETE FROM insights.batches RETURNING id)
    UPDATE insights.deliveries SET leased = false, leases = leases - 1, due_at = NULL
"""


def crash_and_be_claimed_by_another(assembly: Assembly) -> None:
    """The claim is forgotten; another worker claims the same under the same token and number."""
    with assembly.engine.begin() as connection:
        (id_,) = connection.scalars(text("SELECT id FROM insights.batches")).all()
        connection.execute(text(CRASHED))
        taken = claim(connection, "external", 10, timedelta(seconds=30))
        other = batches.open_batch(
            connection,
            uuid7(),
            taken[0].handler_id,
            [each.id for each in taken],
            lease=timedelta(seconds=30),
            longest=timedelta(hours=1),
        )
        connection.execute(
            text("UPDATE insights.batches SET id = :id WHERE id = :other"),
            {"id": id_, "other": other},
        )


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("count", [1, 4])
def test_who_claimed_before_a_crash_ends_nothing_of_who_claimed_after_it(
    count: int, fails: bool, assembly: Assembly, pipeline: Pipeline
) -> None:
    def work(events: Sequence[Event]) -> Any:
        if len(effect.calls) == 1:
            crash_and_be_claimed_by_another(assembly)
        if fails:
            raise ValueError
        return [each.follow(UserLoggedIn) for each in events]

    effect = FakeEffect(work)
    pipeline.follow(external_handler(effect, batch=10))
    publish_now(assembly, *predictions_made(count))

    pipeline.runner.run_once(pipeline.handlers["external"])

    rows = pipeline.owed()
    assert {(row.leases, row.attempts, row.state) for row in rows} == {(1, 0, "leased")}
    assert len(rows) == count
    with assembly.engine.connect() as connection:
        logins = "SELECT count(*) FROM insights.events WHERE type = 'user.logged_in'"
        assert connection.scalar(text(logins)) == 0
