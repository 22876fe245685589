"""`after=`: a delivery waits for other handlers, and is due once all of them are done or dead."""

from sqlalchemy import Connection, text

from models.deliveries import replay
from models.deliveries.claim import claim
from models.deliveries.dependencies import release, sweep
from models.deliveries.replay import Selection
from models.deliveries.take import put_back, take
from models.providers import switch_off
from models.server import database_time
from runtime.assembly import Assembly
from tests.models.concurrency import meanwhile
from tests.models.deliveries.conftest import LEASE
from tests.models.deliveries.ordered_handlers import (
    FIRST,
    LAST,
    SECOND,
    Publish,
    claim_last,
    finish,
    last_of,
    waits_for,
)


def test_it_waits_in_no_index_of_what_is_due(publish: Publish, connection: Connection) -> None:
    event = publish()

    found = last_of(connection, event)

    assert (found.state, found.waits_for) == ("waiting", [FIRST, SECOND])
    assert claim_last(connection) == []


def test_it_is_due_once_the_last_of_those_before_is_done(
    publish: Publish, connection: Connection
) -> None:
    event, other = publish(), publish()
    number = last_of(connection, event).seq

    assert not finish(connection, FIRST, event)
    assert waits_for(connection, event) == [SECOND]
    assert claim_last(connection) == []
    assert finish(connection, SECOND, event)

    # Under a new number: what has just become due is news for the relay.
    assert last_of(connection, event).seq > number
    assert claim_last(connection) == [event]
    assert waits_for(connection, other) == [FIRST, SECOND]


def test_who_is_done_a_second_time_releases_nothing(
    publish: Publish, connection: Connection
) -> None:
    event = publish()
    assert not finish(connection, FIRST, event)

    assert not release(connection, FIRST, [event])
    assert not release(connection, FIRST, [])
    assert not release(connection, "usage", [event])
    assert waits_for(connection, event) == [SECOND]


def test_only_what_precedes_another_handler_says_so(
    publish: Publish, connection: Connection
) -> None:
    event = publish()

    assert [each.precedes for each in take(connection, SECOND, 100)] == [True]
    assert [each.precedes for each in claim(connection, FIRST, 100, LEASE)] == [True]
    finish(connection, FIRST, event)
    finish(connection, SECOND, event)
    assert [each.precedes for each in claim(connection, LAST, 100, LEASE)] == [False]


def test_two_that_are_done_at_the_same_moment_release_it_together(
    publish: Publish, connection: Connection, assembly: Assembly
) -> None:
    events = [publish() for _ in range(3)]
    released: list[bool] = []

    def second() -> None:
        with assembly.engine.begin() as transaction:
            released.append(finish(transaction, SECOND, *reversed(events)))

    with meanwhile(assembly, second) as first:
        assert not finish(first, FIRST, *events)

    assert released == [True]
    assert sorted(claim_last(connection)) == sorted(events)


def test_what_is_rolled_back_releases_nothing(
    publish: Publish, connection: Connection, assembly: Assembly
) -> None:
    event = publish()
    with assembly.engine.connect() as worker:
        finish(worker, FIRST, event)
        worker.rollback()

    assert waits_for(connection, event) == [FIRST, SECOND]


def test_what_was_taken_and_put_back_is_still_waited_for(
    publish: Publish, connection: Connection, assembly: Assembly
) -> None:
    event = publish()
    with assembly.engine.begin() as worker:
        put_back(worker, take(worker, SECOND, 100))

    sweep(connection)

    assert waits_for(connection, event) == [FIRST, SECOND]


def test_a_death_that_is_replayed_and_then_done_releases_it_once(
    publish: Publish, connection: Connection
) -> None:
    event = publish()
    finish(connection, SECOND, event)
    connection.execute(
        text("UPDATE insights.deliveries d SET died_at = now() FROM insights.handlers h "
             "WHERE h.id = d.handler AND h.name = 'first'")
    )  # fmt: skip
    assert release(connection, FIRST, [event])  # as whoever writes the death does
    assert claim_last(connection) == [event]

    assert replay.revive(connection, Selection(FIRST), database_time(connection)) == 1

    assert not finish(connection, FIRST, event)
    assert waits_for(connection, event) == []


def test_a_replayed_history_waits_for_those_before_that_still_owe(
    publish: Publish, connection: Connection
) -> None:
    both, one, none = publish(), publish(), publish()
    finish(connection, FIRST, one, none)
    finish(connection, SECOND, none)
    claim_last(connection)
    finish(connection, LAST, both, one, none)

    assert replay.owe_history(connection, Selection(LAST), None).owed == 3

    waiting = [waits_for(connection, each) for each in (both, one, none)]
    assert waiting == [[FIRST, SECOND], [SECOND], []]
    assert claim_last(connection) == [none]


def test_nothing_is_done_between_the_look_of_a_replay_and_its_commit(
    publish: Publish, connection: Connection, assembly: Assembly
) -> None:
    """Else it would wait for who was done a moment before, and nobody would let it go."""
    event = publish()
    finish(connection, SECOND, event)
    finish(connection, LAST, event)
    released: list[bool] = []

    def first() -> None:
        with assembly.engine.begin() as transaction:
            released.append(finish(transaction, FIRST, event))

    with meanwhile(assembly, first) as operator:
        replay.owe_history(operator, Selection(LAST), None)

    assert released == [True]
    assert claim_last(connection) == [event]


def test_what_is_published_while_a_handler_is_off_does_not_wait_for_it(
    publish: Publish, connection: Connection
) -> None:
    switch_off(connection, "loops")

    assert waits_for(connection, publish()) == [SECOND]
