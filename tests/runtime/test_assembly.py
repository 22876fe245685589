"""The parts of a process: made when they are used, and closed when they were."""

import threading
import time
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

from events import PredictionMade, uuid7
from runtime.assembly import Assembly
from services.redis.doorbell import RELAY, Listener
from settings import MissingSetting, Settings
from tests.doubles import Doubles

NOTHING = Settings(_env_file=None, database_url=None, redis_url=None)


@pytest.fixture
def listener(assembly: Assembly) -> Iterator[Listener]:
    """What a relay listens with; its first ring is over."""
    listener = Listener(assembly.settings.redis, [RELAY])
    listener.start()
    assert listener.bells[RELAY].wait(5)
    listener.bells[RELAY].clear()
    yield listener
    listener.stop()
    listener.join(5)


def test_an_assembly_needs_only_the_settings_of_what_is_used() -> None:
    assembly = Assembly(NOTHING)

    assert "usage" in assembly.handlers
    assert "prediction.made" in assembly.catalogue
    with pytest.raises(MissingSetting, match="DATABASE_URL"):
        assembly.engine  # noqa: B018
    with pytest.raises(MissingSetting, match="REDIS_URL"):
        assembly.redis  # noqa: B018
    assembly.close()


def test_publishing_rings_the_relay_after_the_commit(
    assembly: Assembly, listener: Listener
) -> None:
    assembly.publish(PredictionMade(user_id=uuid7(), model_id="m"))

    assert listener.bells[RELAY].wait(5)


def test_a_process_without_redis_publishes_too(assembly: Assembly) -> None:
    made = Assembly(assembly.settings.model_copy(update={"redis_url": None}))

    made.publish(PredictionMade(user_id=uuid7(), model_id="m"))

    made.close()


def test_a_provider_without_its_key_is_not_there(assembly: Assembly) -> None:
    services = assembly.services

    assert (services.loops, services.posthog, services.flags) == (None, None, None)


def test_feature_flags_need_the_secret_key_too(assembly: Assembly, doubles: Doubles) -> None:
    settings = doubles.settings(assembly.settings)
    made = Assembly(settings.model_copy(update={"posthog_secret_key": None}))

    assert made.services.posthog is not None
    assert made.services.flags is None
    made.close()


def test_the_engine_allows_as_many_connections_as_the_assembly_was_given(
    assembly: Assembly,
) -> None:
    made = Assembly(assembly.settings.model_copy(), connections=2)
    made.connections = 3

    assert made.engine.pool.size() == 3  # type: ignore[attr-defined]
    made.close()


def test_a_process_that_should_end_does_not_wait_for_a_database_that_is_away(
    assembly: Assembly,
) -> None:
    nowhere = SecretStr("postgresql://postgres@127.0.0.1:1/none")
    made = Assembly(assembly.settings.model_copy(update={"database_url": nowhere}))
    made.stopped = threading.Event()
    threading.Timer(0.5, made.stopped.set).start()
    began = time.monotonic()

    with pytest.raises(OperationalError):
        made.publish(PredictionMade(user_id=uuid7(), model_id="m"))

    assert 0.4 < time.monotonic() - began < 5  # else, 16 s of pauses
    made.close()


def test_a_secret_is_not_shown_by_an_assembly() -> None:
    url = SecretStr("postgresql://me:s3cret@127.0.0.1/db")

    assert "s3cret" not in repr(Assembly(NOTHING.model_copy(update={"database_url": url})))
