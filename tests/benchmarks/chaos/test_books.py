"""The books of a run balance, and each way in which they might not is found."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, text

from benchmarks.chaos.books import balance
from benchmarks.chaos.client import URL, provider
from benchmarks.chaos.events import WorkAsked
from benchmarks.chaos.expected import Expected, expect
from benchmarks.chaos.ground import HANDLERS, add_customers, prepare
from benchmarks.chaos.load import make_load
from benchmarks.chaos.provider import Double
from benchmarks.chaos.seen import Call, Seen, look
from benchmarks.chaos.told import Told, read_told
from benchmarks.chaos.witness import Witness
from events import Event, uuid7
from runtime.assembly import Assembly
from runtime.doubles import settings_for
from sandbox.serve import Server
from settings import Settings
from tests.factories import Servers, new_database, publish_now
from tests.pipeline import Pipeline

SECONDS = 8


@dataclass(frozen=True)
class World:
    """What a run was to leave behind, and where it left it."""

    assembly: Assembly
    expected: Expected
    record: Path
    witness: Witness
    sandbox: str

    def look(self, on: Connection) -> Seen:
        shown, board = self.witness.shown, dict(self.expected.news)
        told = read_told(self.sandbox)
        return look(on, self.record, shown, self.witness.stale, board, told)


@pytest.fixture(scope="module")
def world(
    servers: Servers, sandbox: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A small load, handled in this process without any trouble."""
    folder = tmp_path_factory.mktemp("chaos")
    double = Double(folder / "calls.jsonl")
    serving = threading.Thread(target=double.serve_forever)
    serving.start()
    witness = Witness(servers.redis_url)
    witness.start()
    witness.wait()
    with new_database(servers.database_url) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv(URL, double.url)
        provider.cache_clear()
        sandbox.world.forget()
        sandbox.world.loops.per_second = 10_000
        assembly = assemble(url, servers.redis_url, folder, sandbox)
        expected = live(assembly)
        witness.stop()
        yield World(assembly, expected, folder / "calls.jsonl", witness, sandbox.url)
        provider().client.close()
        provider.cache_clear()
        assembly.close()
    double.shutdown()
    double.server_close()
    serving.join()


def assemble(database_url: str, redis_url: str, home: Path, sandbox: Server) -> Assembly:
    settings = Settings(
        _env_file=None,
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        insights_home=home,
        extra_packages=(HANDLERS,),
        loops_rate=1000,
    )
    provided = settings_for(settings, sandbox.url, upstash=False)
    return Assembly(provided.model_copy(update={"sentry_dsn": None}))


def live(assembly: Assembly) -> Expected:
    prepare(assembly)
    load = make_load(7, SECONDS, datetime.now(UTC))
    add_customers(assembly, load.people)
    pipeline = Pipeline(assembly)
    for step in load.steps:
        publish_now(assembly, *(at_once(event) for event in step.events))
    for _ in range(9):
        pipeline.work()
        pipeline.pass_time()
    return expect(load)


def at_once(event: Event) -> Event:
    return event.model_copy(update={"seconds": 0.0}) if isinstance(event, WorkAsked) else event


def wrongs(world: World, seen: Seen) -> set[str]:
    return {f"{finding.wrong} {finding.effect}" for finding in balance(world.expected, seen)}


def test_the_books_of_a_run_without_trouble_balance(world: World) -> None:
    with world.assembly.engine.connect() as on:
        seen = world.look(on)

    assert balance(world.expected, seen) == []
    assert len(seen.marks) > 5
    assert len(world.expected.dead) > 0
    assert len(world.expected.news) > 10


def test_the_load_holds_what_is_hard(world: World) -> None:
    load = make_load(7, SECONDS, datetime.now(UTC))
    months = {line.month for line in world.expected.ledger}

    assert make_load(7, SECONDS, datetime(2026, 3, 1, tzinfo=UTC)).people == load.people
    assert len(months) == 2
    assert any(step.in_sql for step in load.steps)
    assert sum(len(step.events) for step in load.steps) > len(load.events)


ONE_ENTRY = "(SELECT event_id FROM insights.usage_ledger LIMIT 1)"
AGAIN = """
    INSERT INTO insights.events (id, type, source, data, causation_id)
    SELECT gen_random_uuid(), type, source, data, causation_id FROM insights.events
    WHERE type = 'chaos.{}' LIMIT 1
"""
OWED = "INSERT INTO insights.deliveries (handler, event_id, died_at) VALUES ('usage', {}, {})"

PLANTS = {
    f"DELETE FROM insights.events WHERE id = {ONE_ENTRY}": {"lost event", "duplicated analytics"},
    "DELETE FROM insights.events WHERE type LIKE 'usage.%'": {
        "lost limit event",
        "duplicated analytics",
    },
    AGAIN.format("work_done"): {"duplicated follow-up", "lost row", "lost still owed"},
    AGAIN.format("given_up"): {"duplicated funeral", "lost row", "lost still owed"},
    f"DELETE FROM insights.usage_ledger WHERE event_id = {ONE_ENTRY}": {"lost ledger"},
    "UPDATE insights.usage_ledger SET month = '2020-01'": {"lost ledger", "duplicated ledger"},
    "UPDATE usage_limits SET datasets_count = datasets_count - 1": {"lost counters"},
    "UPDATE usage_limits SET trainings_this_month = 99": {"duplicated counters"},
    "DELETE FROM insights.usage_marks WHERE mark = '80'": {"lost mark"},
    f"INSERT INTO insights.usage_marks VALUES ({ONE_ENTRY}, 'x', 'y', '80')": {"duplicated mark"},
    "UPDATE profiles SET name = 'Old'": {"lost profile"},
    f"INSERT INTO profiles (id) VALUES ({ONE_ENTRY})": {"duplicated profile"},
    "DELETE FROM chaos.rows WHERE ctid = (SELECT min(ctid) FROM chaos.rows)": {"lost row"},
    "INSERT INTO chaos.rows SELECT event_id FROM chaos.rows LIMIT 1": {"duplicated row"},
    "INSERT INTO chaos.rows SELECT event_id FROM insights.deliveries": {"duplicated row"},
    "DELETE FROM insights.deliveries": {"lost dead letter"},
    OWED.format(ONE_ENTRY, "NULL"): {"lost still owed"},
    OWED.format(ONE_ENTRY, "now()"): {"dead usage"},
}


@pytest.mark.parametrize(("plant", "found"), PLANTS.items())
def test_what_is_wrong_in_the_database_is_found(world: World, plant: str, found: set[str]) -> None:
    with world.assembly.engine.connect() as on:
        on.execute(text(plant))
        assert wrongs(world, world.look(on)) == found


def never_called(calls: Sequence[Call]) -> list[Call]:
    return [call for call in calls if call[:2] != calls[0][:2]]


def never_done(calls: Sequence[Call]) -> list[Call]:
    return [call._replace(done=call.done and call[:2] != calls[0][:2]) for call in calls]


def without_a_key(calls: Sequence[Call]) -> list[Call]:
    return [*calls, calls[0]._replace(key=None)]


def with_an_empty_key(calls: Sequence[Call]) -> list[Call]:
    return [*calls, calls[0]._replace(key="")]


def under_two_keys(calls: Sequence[Call]) -> list[Call]:
    return [*calls, calls[0]._replace(key="another")]


def under_the_key_of_another(calls: Sequence[Call]) -> list[Call]:
    return [call._replace(key=calls[0].key) if call is calls[1] else call for call in calls]


def called_twice_under_its_key(calls: Sequence[Call]) -> list[Call]:
    return [*calls, calls[0]]


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (never_called, {"lost chaos_call"}),
        (never_done, {"lost chaos_call"}),
        (without_a_key, {"un-keyed chaos_call"}),
        (with_an_empty_key, {"un-keyed chaos_call"}),
        (under_two_keys, {"un-keyed chaos_call"}),
        (under_the_key_of_another, {"un-keyed chaos_call"}),
        (called_twice_under_its_key, set()),
    ],
)
def test_what_is_wrong_outside_is_found(
    world: World, plant: Callable[[Sequence[Call]], list[Call]], found: set[str]
) -> None:
    with world.assembly.engine.connect() as on:
        seen = world.look(on)
    calls = sorted(seen.calls, key=lambda call: call.handler != "chaos_call")

    assert wrongs(world, replace(seen, calls=plant(calls))) == found


def without_an_email(told: Told) -> Told:
    return replace(told, emails=told.emails[1:])


def with_an_email_twice(told: Told) -> Told:
    return replace(told, emails=[*told.emails, told.emails[0]])


def with_an_email_of_nobody(told: Told) -> Told:
    return replace(told, emails=[*told.emails, None])


def without_an_event(told: Told) -> Told:
    return replace(told, captured=told.captured[1:])


def with_an_event_twice(told: Told) -> Told:
    return replace(told, captured=[*told.captured, told.captured[0]])


def without_a_contact(told: Told) -> Told:
    return replace(told, contacts=dict(list(told.contacts.items())[1:]))


def with_a_contact_that_left(told: Told) -> Told:
    return replace(told, contacts={**told.contacts, uuid7(): ("a@b.co", "Ada")})


def without_a_first_deed(told: Told) -> Told:
    return replace(told, firsts=told.firsts[1:])


def with_a_first_deed_twice(told: Told) -> Told:
    return replace(told, firsts=[*told.firsts, told.firsts[0]])


def without_a_reader(told: Told) -> Told:
    return replace(told, readers=told.readers[1:])


def with_a_leak(told: Told) -> Told:
    return replace(told, leaks=["ada@example.com"])


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (without_an_email, {"lost email"}),
        (without_a_first_deed, {"lost workflow"}),
        (with_a_first_deed_twice, {"duplicated workflow"}),
        (without_a_reader, {"lost reader"}),
        (with_an_email_twice, {"duplicated email"}),
        (with_an_email_of_nobody, {"un-keyed email"}),
        (without_an_event, {"lost analytics"}),
        (with_an_event_twice, {"duplicated analytics"}),
        (without_a_contact, {"lost contact"}),
        (with_a_contact_that_left, {"duplicated contact"}),
        (with_a_leak, {"leaked envelope"}),
    ],
)
def test_what_is_wrong_at_a_provider_is_found(
    world: World, plant: Callable[[Told], Told], found: set[str]
) -> None:
    with world.assembly.engine.connect() as on:
        seen = world.look(on)

    assert wrongs(world, replace(seen, told=plant(seen.told))) == found


def test_news_that_was_never_shown_or_came_after_newer_is_found(world: World) -> None:
    with world.assembly.engine.connect() as on:
        seen = world.look(on)
    id_, last = next(iter(world.expected.news.items()))

    unseen = replace(seen, shown={**seen.shown, id_: seen.shown[id_] - {last}})
    stale = replace(seen, stale=[last])
    outdated = replace(seen, board={**seen.board, id_: last._replace(progress=1.0)})

    assert wrongs(world, unseen) == {"lost progress"}
    assert wrongs(world, stale) == {"lost progress"}
    assert wrongs(world, outdated) == {"lost board"}


def test_a_witness_knows_older_news_from_a_new_life(world: World) -> None:
    witness = Witness(world.assembly.settings.redis)
    newer = b'{"progress": 50.0, "message": "m", "status": "running", "version": 2}'
    older = b'{"progress": 10.0, "message": "m", "status": "running", "version": 1}'

    witness.hear("training:t", newer)
    witness.hear("training:wiped", b"")
    witness.hear("training:t", older)
    assert witness.stale == []

    witness.hear("training:t", newer)
    witness.hear("training:t", older)
    assert [news.at for news in witness.stale] == [1]
