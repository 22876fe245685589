"""A look that all who ask within a second share."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from web.shared_result import SharedResult


class Look:
    """Counts how often, and how many at once, it was called; a call lasts until it may end."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls = self.running = self.most_at_once = 0
        self.fails = False
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.may_end.set()
        self.shared = SharedResult(self, clock=lambda: self.now)

    def __call__(self) -> int:
        self.calls += 1
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        self.begun.set()
        assert self.may_end.wait(10)
        self.running -= 1
        if self.fails:
            raise OSError(f"call {self.calls}")
        return self.calls

    def get(self) -> int:
        return self.shared.future().result(10)


def test_who_asks_within_a_second_gets_what_was_found() -> None:
    look = Look()

    found = []
    for look.now in (0, 0.5, 0.99, 1, 1.5, 2):
        found.append(look.get())

    assert found == [1, 1, 1, 2, 2, 3]


def test_the_second_begins_when_the_look_has_ended() -> None:
    look = Look()
    look.may_end.clear()
    first = look.shared.future()
    assert look.begun.wait(10)
    look.now = 5.0
    assert look.shared.future() is first
    look.may_end.set()
    assert first.result(10) == 1

    look.now = 5.9
    assert look.get() == 1
    look.now = 6.0
    assert look.get() == 2


def test_threads_that_ask_at_once_wait_for_one_look() -> None:
    look = Look()
    look.may_end.clear()
    with ThreadPoolExecutor(32) as threads:
        asked = [threads.submit(look.get) for _ in range(32)]
        assert look.begun.wait(10)
        look.may_end.set()

    assert {each.result() for each in asked} == {1}
    assert (look.calls, look.most_at_once) == (1, 1)


def test_one_who_leaves_takes_nothing_from_those_who_wait() -> None:
    look = Look()
    look.may_end.clear()

    async def ask() -> int:
        leaver = asyncio.create_task(look.shared.get())
        waiter = asyncio.create_task(look.shared.get())
        await asyncio.sleep(0)
        leaver.cancel()
        await asyncio.sleep(0)
        look.may_end.set()
        return await waiter

    assert asyncio.run(ask()) == 1


def test_an_error_is_shared_too_and_the_next_second_looks_again() -> None:
    look = Look()
    look.fails = True

    for look.now, message in ((0.0, "call 1"), (0.5, "call 1"), (1.0, "call 2")):
        with pytest.raises(OSError, match=message):
            look.get()
