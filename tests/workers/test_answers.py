"""Only an answer closes a circuit: of Redis, too, for handlers that ask nobody else."""

import pytest
from sqlalchemy import text

from runtime.assembly import Assembly
from tests.factories import predictions_made, publish_now
from tests.fake_handlers import FakeEffect, external_handler
from tests.pipeline import Pipeline


@pytest.mark.parametrize("redis_asked", [False, True])
def test_work_that_never_asked_redis_does_not_close_the_circuit_of_who_asks_it(
    redis_asked: bool, assembly: Assembly, pipeline: Pipeline
) -> None:
    def work(_events: object) -> None:
        if asks.pop():
            assembly.commands.run(("PING",))

    asks = [redis_asked, True]
    pipeline.follow(external_handler(FakeEffect(work), batch=1))
    publish_now(assembly, *predictions_made())
    pipeline.work()
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.handlers SET failures_in_row = 2"))
    publish_now(assembly, *predictions_made())

    pipeline.work()

    with assembly.engine.connect() as connection:
        query = "SELECT failures_in_row FROM insights.handlers WHERE name = 'external'"
        assert connection.scalar(text(query)) == (0 if redis_asked else 2)
