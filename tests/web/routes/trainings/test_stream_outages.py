"""The stream goes on while Redis or PostgreSQL is down."""

from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy.exc import OperationalError

from events import TrainingCompleted, TrainingProgressed, TrainingStarted
from events.progress import TrainingProgress
from runtime.assembly import Assembly
from runtime.embedded.server import EmbeddedServer
from services.redis.connections import connect
from services.redis.progress import ProgressBoard
from services.redis.tcp import TcpCommands
from settings import Settings
from tests.factories import publish_now, training_event
from tests.web.requests import KEY, until
from tests.web.routes.trainings.streams import PATH, Run, ended, following, redis_of
from web.routes.trainings import progress_stream
from web.routes.trainings.progress import current_progress


def test_it_survives_a_restart_of_redis(
    assembly: Assembly, private_redis: EmbeddedServer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_stream, "RECONNECT_DELAY", 0.02)
    settings = assembly.settings.model_copy(update={"redis_url": SecretStr(private_redis.url)})
    publish_now(assembly, training_event(TrainingStarted, 0))

    with run(settings) as server, following(server) as received:
        assert next(received)["data"]["message"] == "Started"
        private_redis.stop()
        publish_now(assembly, training_event(TrainingProgressed, 1, message="while Redis is away"))
        assert next(received)["data"]["message"] == "while Redis is away"

        private_redis.start()
        restarted = ProgressBoard(TcpCommands(connect(private_redis.url)))
        # Subscribed, not only connected: the events know nothing of what follows.
        until(lambda: redis_of(restarted).pubsub_numsub("training:t-1")[0][1] == 1)
        at = int(training_event(TrainingProgressed, 2).occurred_at.timestamp() * 1_000_000)
        restarted.show([TrainingProgress("t-1", 80, "live again", "running", at)])
        assert next(received)["data"]["message"] == "live again"
        restarted.show([ended(at + 1)])
        assert [each["event"] for each in received] == ["progress", "end"]


def test_without_redis_the_events_are_followed(
    assembly: Assembly, without_redis: Settings, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_stream, "RECONNECT_DELAY", 0.02)
    publish_now(assembly, training_event(TrainingStarted, 0))

    with run(without_redis) as server, following(server) as received:
        assert next(received)["data"]["status"] == "running"
        publish_now(assembly, training_event(TrainingCompleted, 1))
        assert [each["event"] for each in received] == ["progress", "end"]


def test_a_database_that_goes_down_too_is_waited_for(
    assembly: Assembly, without_redis: Settings, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress_stream, "RECONNECT_DELAY", 0.02)
    publish_now(assembly, training_event(TrainingStarted, 0))
    failures: list[TrainingProgress] = []

    def fails_thrice(*given: Any) -> TrainingProgress | None:
        state = current_progress(*given)
        if state and state.is_final and len(failures) < 3:
            failures.append(state)
            raise OperationalError("SELECT", None, ConnectionError())
        return state

    monkeypatch.setattr(progress_stream, "current_progress", fails_thrice)

    with run(without_redis) as server, following(server) as received:
        next(received)
        publish_now(assembly, training_event(TrainingCompleted, 1))
        assert [each["event"] for each in received] == ["progress", "end"]

    assert len(failures) == 3


def test_without_redis_and_database_the_answer_is_503(
    without_redis: Settings, without_database: Settings, run: Run
) -> None:
    nothing = without_redis.model_copy(update={"database_url": without_database.database_url})

    with run(nothing) as server:
        assert httpx.get(server.url + PATH, headers=KEY, timeout=10).status_code == 503
