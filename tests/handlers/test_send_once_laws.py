"""Two workers that send one email, in any interleaving: it never goes out twice."""

import threading
from collections.abc import Callable
from datetime import timedelta
from queue import SimpleQueue
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import text

from errors import ProviderDown, ProviderUncertain
from events import uuid7
from handlers.outcomes import Reject
from handlers.send_once import send_once
from models.emails import EmailId
from runtime.assembly import Assembly
from services.loops import Loops
from services.redis.throttle import Throttle
from tests.doubles import Doubles
from tests.handlers.laws import quick_law

EVENT = UUID(int=1)
DAY = timedelta(hours=25)
KEY_IS_KNOWN = timedelta(hours=24)
CLOSED_PORT = "http://127.0.0.1:1"  # every connection to it is refused
WORKERS = ("a", "b")
# What a worker's call meets: the last is an answer that got lost after the email went out.
OUTCOMES = ("sent", "refused", "lost")


def a_day_passes(assembly: Assembly) -> None:
    with assembly.engine.begin() as connection:
        connection.execute(
            text("UPDATE insights.emails SET tried_at = tried_at - CAST(:day AS interval)"),
            {"day": DAY},
        )


class Inbox:
    """Loops as far as it matters: a key of the last 24 hours sends nothing again."""

    def __init__(self) -> None:
        self.mails = 0
        self.now = timedelta()
        self.key_from: timedelta | None = None

    def take(self) -> None:
        if self.key_from is None or self.now - self.key_from >= KEY_IS_KNOWN:
            self.mails += 1
            self.key_from = self.now


class Worker:
    """One worker: begins a try in a thread of its own, and waits in the call for its outcome."""

    def __init__(self, assembly: Assembly, entry: EmailId, inbox: Inbox) -> None:
        self.assembly, self.entry, self.inbox = assembly, entry, inbox
        self.thread: threading.Thread | None = None
        self.began = timedelta()

    def step(self, outcome: str) -> None:
        """Begin a try, or end the one that was begun: by an answer, or refused if it hung long."""
        if self.thread is None:
            self.begin()
        else:
            # A call that hung for a day can only fail: no connection waits that long.
            self.end(outcome if self.began == self.inbox.now else "refused")

    def begin(self) -> None:
        self.outcome: SimpleQueue[str] = SimpleQueue()
        self.is_calling: SimpleQueue[bool] = SimpleQueue()
        self.began = self.inbox.now
        thread = threading.Thread(target=self.try_to_send)
        thread.start()
        if self.is_calling.get():
            self.thread = thread
        else:
            thread.join()

    def end(self, outcome: str) -> None:
        assert self.thread is not None
        self.outcome.put(outcome)
        self.thread.join()
        self.thread = None

    def try_to_send(self) -> None:
        try:
            send_once(self.entry, EVENT, self.assembly.services, self.call)
        except (ProviderDown, Reject):
            pass
        finally:
            self.is_calling.put(False)

    def call(self) -> None:
        self.is_calling.put(True)
        match self.outcome.get():
            case "refused":
                raise ProviderDown("refused")
            case "lost":
                self.inbox.take()
                raise ProviderUncertain("lost")
            case _:
                self.inbox.take()


STEPS = st.tuples(st.sampled_from(WORKERS), st.sampled_from(OUTCOMES))


@quick_law
@example([[("a", "sent"), ("b", "sent"), ("b", "lost"), ("a", "refused")]])
@given(st.lists(st.lists(STEPS, min_size=4, max_size=7), min_size=1, max_size=2))
def test_no_interleaving_of_two_workers_sends_an_email_twice(
    assembly: Assembly, days: list[list[tuple[str, str]]]
) -> None:
    """A step begins the worker's try, or ends it. Each day, and at the end, one more is made."""
    inbox = Inbox()
    entry = EmailId(uuid7(), "welcome", "")
    workers = {name: Worker(assembly, entry, inbox) for name in WORKERS}
    try:
        for steps in days:
            for who, outcome in steps:
                workers[who].step(outcome)
            inbox.now += DAY
            a_day_passes(assembly)
            for worker in workers.values():
                worker.step("sent")
                worker.step("sent")
            assert inbox.mails <= 1
    finally:
        for worker in workers.values():
            if worker.thread is not None:
                worker.end("refused")


@pytest.fixture
def refusing_loops(assembly_with_doubles: Assembly) -> Loops:
    """Loops where nothing listens, so that every connection is refused."""
    throttle = Throttle(assembly_with_doubles.commands, "loops", 1000)
    return Loops(CLOSED_PORT, "key", throttle, {})


def test_a_frozen_worker_that_wakes_does_not_take_back_the_try_of_another(
    assembly_with_doubles: Assembly, doubles: Doubles, refusing_loops: Loops, user_id: UUID
) -> None:
    services, loops = assembly_with_doubles.services, assembly_with_doubles.services.loops
    assert loops is not None
    entry = EmailId(user_id, "welcome", "")

    def send_by(client: Loops) -> Callable[[], None]:
        id_ = loops.emails["welcome"] or ""
        variables = {"name": "Ada", "dashboard_url": "x", "docs_url": "x"}
        return lambda: client.send(id_, "ada@example.com", variables, "key", priority=True)

    def freeze_while_another_sends() -> None:
        doubles.set_fault("loops", "lose", times=1)
        with pytest.raises(ProviderUncertain):
            send_once(entry, EVENT, services, send_by(loops))
        send_by(refusing_loops)()

    with pytest.raises(ProviderDown):
        send_once(entry, EVENT, services, freeze_while_another_sends)
    doubles.advance_clock(hours=25)
    a_day_passes(assembly_with_doubles)

    with pytest.raises(Reject, match="insights emails settle"):
        send_once(entry, EVENT, services, send_by(loops))
    assert len(doubles.loops.mails) == 1
