"""Deployments whose providers are the sandbox's doubles, and the events that reach them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import text

from benchmarks.backlog import DrainResult, pause, release_and_measure
from benchmarks.deployment import Deployment, deploy, start_relay_and_workers
from benchmarks.load import publish_in_chunks
from benchmarks.servers import BenchServers
from events import (
    DatasetUploaded,
    Event,
    PredictionMade,
    TrainingCompleted,
    TrainingProgressed,
    UserUpdated,
)
from sandbox.client import SandboxClient

USERS = 200
# Without an address there would be no emails and no contacts.
SET_EMAILS = text("UPDATE public.profiles SET email = id || '@example.com'")


@contextmanager
def deploy_with_sandbox(
    servers: BenchServers,
    sandbox: SandboxClient,
    handlers: Sequence[str],
    *,
    workers: int,
    users: int = USERS,
    loops_rate: float | None = None,
) -> Iterator[Deployment]:
    """A database with these handlers at work, all paused, whose providers are the doubles."""
    with deploy(servers, handlers, users, sandbox=sandbox, loops_rate=loops_rate) as deployment:
        with deployment.assembly.engine.begin() as connection:
            connection.execute(SET_EMAILS)
        pause(deployment)
        start_relay_and_workers(deployment, handlers, workers=workers)
        yield deployment


def drain(deployment: Deployment, events: Sequence[Event]) -> DrainResult:
    """Publish with handlers paused, then measure from their release to the last delivery done."""
    pause(deployment)
    publish_in_chunks(deployment, events)
    deployment.analyze_and_checkpoint()
    return release_and_measure(deployment, len(events))


def user_id(deployment: Deployment, number: int) -> UUID:
    """One of the users, in turn."""
    return deployment.users[number % len(deployment.users)]


def prediction_made(deployment: Deployment, number: int) -> Event:
    return PredictionMade(user_id=user_id(deployment, number), model_id="m")


def training_completed(deployment: Deployment, number: int) -> Event:
    """A training that is done, each time another."""
    return TrainingCompleted(
        user_id=user_id(deployment, number),
        training_id=f"bench-{number}",
        model_id="m",
        model_name="M",
        algorithm="random_forest",
        problem_type="classification",
        duration_seconds=1,
        accuracy=0.9,
    )


def training_progressed(deployment: Deployment, number: int) -> Event:
    """How far a training is, each time another."""
    return TrainingProgressed(
        user_id=user_id(deployment, number),
        training_id=f"bench-{number}",
        progress=50,
        message="Learning",
    )


def dataset_uploaded(deployment: Deployment, number: int) -> Event:
    """A data set, each time another."""
    return DatasetUploaded(
        user_id=user_id(deployment, number),
        dataset_id=f"bench-{number}",
        filename="a.csv",
        size_mb=1.0,
        row_count=9,
        column_count=3,
    )


def user_renamed(deployment: Deployment, number: int) -> Event:
    return UserUpdated(user_id=user_id(deployment, number), name=f"Ada {number}")
