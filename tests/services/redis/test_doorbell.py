"""Ringing waits for nobody, and a process that ends rings first; many rings are one."""

import multiprocessing
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr

from events import PredictionMade, uuid7
from runtime.assembly import Assembly
from services.redis.doorbell import RELAY, Doorbell, Listener
from tests.services.redis.stand_ins import hanging_redis, scripted_redis
from tests.waiting import wait_until

PUBLISHERS = 50


@pytest.fixture
def listener(assembly: Assembly) -> Iterator[Listener]:
    """A listener whose first ring, that of its subscription, is over."""
    listener = Listener(assembly.settings.redis, [RELAY])
    listener.start()
    assert listener.bells[RELAY].wait(5)
    listener.bells[RELAY].clear()
    yield listener
    listener.stop()
    listener.join(5)


def test_a_redis_that_hangs_holds_up_no_publisher(assembly: Assembly) -> None:
    with hanging_redis() as url:
        made = Assembly(assembly.settings.model_copy(update={"redis_url": SecretStr(url)}))
        made.publish(PredictionMade(user_id=uuid7(), model_id="m"))  # connects to PostgreSQL

        def publish(_: int) -> float:
            began = time.monotonic()
            made.publish(PredictionMade(user_id=uuid7(), model_id="m"))
            return time.monotonic() - began

        began = time.monotonic()
        with ThreadPoolExecutor(PUBLISHERS) as pool:
            list(pool.map(publish, range(PUBLISHERS)))
        took = time.monotonic() - began
        alone = [publish(0) for _ in range(20)]
        began = time.monotonic()
        made.close()
        closed_in = time.monotonic() - began

    # They share ten connections to PostgreSQL on a busy machine; a wait for Redis takes a second.
    assert took < 2
    assert sorted(alone)[10] < 0.1
    assert closed_in < 1.5


def test_a_redis_that_hangs_is_asked_once_a_second_whoever_rings() -> None:
    with scripted_redis(lambda _: None) as server:
        doorbell = Doorbell(server.url)
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            doorbell.ring()
            time.sleep(0.01)
        # The first try waits for a second, and the next would come a second after it.
        assert server.connections == 1
        doorbell.close()


def test_rings_that_are_not_out_yet_are_one_ring() -> None:
    answers_now = threading.Event()
    rung: list[bytes] = []

    def answer(words: list[bytes]) -> bytes:
        rung.append(words[-1])
        answers_now.wait(0.9)
        return b"$-1\r\n"

    with scripted_redis(answer) as server:
        doorbell = Doorbell(server.url)
        doorbell.ring()
        wait_until(lambda: rung != [])
        for _ in range(1000):
            doorbell.ring()
            doorbell.ring("queue:emails")
        answers_now.set()
        doorbell.close()

    bells = Counter(rung)
    assert bells == {b"insights:bell:relay": 2, b"insights:bell:queue:emails": 1}


def test_a_redis_that_comes_back_is_rung_again(assembly: Assembly, listener: Listener) -> None:
    doorbell = Doorbell("redis://127.0.0.1:1")
    doorbell.ring()
    wait_until(lambda: not doorbell.pending)
    doorbell.url = assembly.settings.redis
    doorbell.close()
    doorbell.start_anew()

    doorbell.ring()

    assert listener.bells[RELAY].wait(5)
    doorbell.close()


def test_a_doorbell_that_was_closed_rings_when_it_is_used_again(
    assembly: Assembly, listener: Listener
) -> None:
    doorbell = Doorbell(assembly.settings.redis)
    for _ in range(2):
        doorbell.ring()
        doorbell.close()
        assert listener.bells[RELAY].is_set() or listener.bells[RELAY].wait(5)
        listener.bells[RELAY].clear()


def ring_and_end(doorbell: Doorbell) -> None:
    doorbell.ring()


@pytest.mark.parametrize("rang_before", [False, True])
def test_a_process_that_multiprocessing_forked_rings_before_it_ends(
    assembly: Assembly, listener: Listener, rang_before: bool
) -> None:
    doorbell = Doorbell(assembly.settings.redis)
    if rang_before:
        doorbell.ring()
        assert listener.bells[RELAY].wait(5)
        listener.bells[RELAY].clear()

    child = multiprocessing.get_context("fork").Process(target=ring_and_end, args=(doorbell,))
    child.start()
    child.join(10)

    assert child.exitcode == 0
    assert listener.bells[RELAY].wait(5)
    doorbell.close()


def test_a_forked_process_that_lives_on_rings_by_itself(
    assembly: Assembly, listener: Listener
) -> None:
    doorbell = Doorbell(assembly.settings.redis)
    doorbell.ring()
    assert listener.bells[RELAY].wait(5)
    listener.bells[RELAY].clear()

    child = os.fork()
    if child == 0:
        doorbell.ring()
        doorbell.close()
        os._exit(0)
    os.waitpid(child, 0)

    assert listener.bells[RELAY].wait(5)
    doorbell.close()
