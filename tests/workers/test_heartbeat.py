"""A worker's signs of life come from beside it: while it exists, and is not stopped."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread
from uuid import UUID

import pytest
from sqlalchemy import text

from events import uuid7
from models import batches
from models.deliveries.claim import claim
from runtime.assembly import Assembly
from tests.factories import libpq_url, predictions_made, publish_now
from tests.fake_handlers import FakeEffect, external_handler
from tests.freezing_proxy import FreezingProxy
from tests.pipeline import Pipeline
from tests.waiting import wait_until
from workers.heartbeat import Heartbeat, beat, is_working, run

# Holds the interpreter's lock in C, as a training may, and starts its heartbeat before.
HOLDS_THE_LOCK = """
import re, sys
from uuid import UUID
from workers.heartbeat import start
start(sys.argv[1], UUID(sys.argv[2]), "test")
print("started", flush=True)
re.match("(a+)+b", "a" * 60)
"""


def seen(assembly: Assembly, process: UUID) -> bool:
    """Whether there is a sign of life."""
    with assembly.engine.connect() as connection:
        query = "SELECT true FROM insights.processes WHERE id = :id"
        return bool(connection.scalar(text(query), {"id": process}))


def forget(assembly: Assembly) -> None:
    with assembly.engine.begin() as connection:
        connection.execute(text("DELETE FROM insights.processes"))


@pytest.fixture
def busy(assembly: Assembly) -> Iterator[tuple["subprocess.Popen[bytes]", UUID]]:
    """A process that holds its interpreter's lock for as long as the test lasts."""
    id_ = uuid7()
    command = [sys.executable, "-c", HOLDS_THE_LOCK, assembly.settings.postgres_url, str(id_)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process, id_
    process.kill()
    process.wait()
    process.stdout.close()


def test_work_that_holds_the_interpreter_is_alive(
    assembly: Assembly, busy: tuple["subprocess.Popen[bytes]", UUID]
) -> None:
    _, id_ = busy
    wait_until(lambda: seen(assembly, id_), 30)
    forget(assembly)
    wait_until(lambda: seen(assembly, id_), 30)


def test_a_process_that_is_stopped_gives_no_sign_of_life(
    assembly: Assembly,
    busy: tuple["subprocess.Popen[bytes]", UUID],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process, _ = busy
    id_ = uuid7()
    monkeypatch.setattr("workers.heartbeat.BEAT_EVERY", 0.01)
    monkeypatch.setattr("workers.heartbeat.is_working", lambda _pid: is_working(process.pid))
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: not is_working(process.pid))
    parent = os.getppid()
    running = Thread(target=run, args=(assembly.engine, id_, "test", parent), daemon=True)
    running.start()
    running.join(0.3)
    assert not seen(assembly, id_)

    process.send_signal(signal.SIGCONT)
    wait_until(lambda: seen(assembly, id_), 30)
    monkeypatch.setattr("workers.heartbeat.os.getppid", lambda: -1)
    running.join(10)


def test_the_heartbeat_ends_with_its_worker(
    busy: tuple["subprocess.Popen[bytes]", UUID],
) -> None:
    process, _ = busy
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    (heartbeat,) = map(int, children.read_text().split())

    process.kill()
    process.wait()

    wait_until(lambda: not is_working(heartbeat), 10)


def test_a_process_that_is_gone_does_not_work() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    assert not is_working(process.pid)
    assert is_working(os.getpid())


def test_a_beat_keeps_alive_the_leases_of_what_is_in_hand_and_of_nothing_else(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(external_handler(FakeEffect(), batch=2))
    publish_now(assembly, *predictions_made(4))
    processes = [uuid7(), uuid7()]
    for process in processes:
        with assembly.sessions.begin() as session:
            taken = claim(session, "external", 2, timedelta(seconds=30))
            batches.open_batch(
                session,
                process,
                taken[0].handler_id,
                [each.id for each in taken],
                lease=timedelta(seconds=30),
                longest=timedelta(hours=1),
            )
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.deliveries SET due_at = now() + interval '5 s'"))

    beat(assembly.engine, processes[0], "test")

    with assembly.engine.connect() as connection:
        query = "SELECT round(extract(epoch FROM due_at - now())) FROM insights.deliveries"
        assert sorted(map(int, connection.scalars(text(query)))) == [5, 5, 30, 30]


def test_a_lease_is_not_prolonged_past_the_longest_run(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    handler = external_handler(FakeEffect(), lease=timedelta(seconds=30))
    pipeline.follow(handler)
    publish_now(assembly, *predictions_made())
    process = uuid7()
    with assembly.sessions.begin() as session:
        (taken,) = claim(session, "external", 1, timedelta(seconds=30))
        batches.open_batch(
            session,
            process,
            taken.handler_id,
            [taken.id],
            lease=timedelta(seconds=30),
            longest=timedelta(0),
        )
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.deliveries SET due_at = now() + interval '5 s'"))

    beat(assembly.engine, process, "test")

    (row,) = pipeline.owed()
    with assembly.engine.connect() as connection:
        now = connection.scalar(text("SELECT now()"))
    assert row.due_at - now < timedelta(seconds=6)


def test_a_row_that_somebody_has_locked_keeps_nothing_else_from_living(
    assembly: Assembly, pipeline: Pipeline
) -> None:
    pipeline.follow(external_handler(FakeEffect(), batch=2))
    publish_now(assembly, *predictions_made(2))
    process = uuid7()
    with assembly.sessions.begin() as session:
        taken = claim(session, "external", 2, timedelta(seconds=30))
        ids, lease = [each.id for each in taken], timedelta(seconds=30)
        batches.open_batch(
            session, process, taken[0].handler_id, ids, lease=lease, longest=timedelta(hours=1)
        )
    with assembly.engine.begin() as connection:
        connection.execute(text("UPDATE insights.deliveries SET due_at = now() + interval '5 s'"))
    with assembly.engine.begin() as connection:
        lock = text("SELECT FROM insights.deliveries WHERE event_id = :id FOR UPDATE")
        connection.execute(lock, {"id": ids[0]})
        beat(assembly.engine, process, "test")

    assert seen(assembly, process)
    with assembly.engine.connect() as connection:
        query = "SELECT round(extract(epoch FROM due_at - now())) FROM insights.deliveries"
        assert sorted(map(int, connection.scalars(text(query)))) == [5, 30]


def test_a_heartbeat_that_has_ended_alone_is_started_again(assembly: Assembly) -> None:
    process = uuid7()
    heartbeat = Heartbeat(assembly.settings.postgres_url, process, "test")
    try:
        heartbeat.keep()
        first = heartbeat.child
        first.kill()
        first.wait()

        heartbeat.keep()

        assert heartbeat.child is not first
        wait_until(lambda: seen(assembly, process), 30)
    finally:
        heartbeat.stop()


def test_a_heartbeat_gives_up_a_connection_that_only_looks_alive(assembly: Assembly) -> None:
    process = uuid7()
    proxy = FreezingProxy(libpq_url(assembly.settings))
    settings = assembly.settings.model_copy(update={"database_url": proxy.url})
    heartbeat = Heartbeat(settings.postgres_url, process, "test")
    try:
        wait_until(lambda: seen(assembly, process), 30)
        proxy.freeze()
        forget(assembly)
        wait_until(lambda: seen(assembly, process), 30)
    finally:
        heartbeat.stop()
        proxy.close()
