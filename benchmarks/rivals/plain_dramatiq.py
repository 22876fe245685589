"""Plain dramatiq: its own RedisBroker, its default middleware, its own command line."""

import sys
from collections.abc import Iterable

import dramatiq
import redis
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from sqlalchemy import text

from benchmarks.ground import Ground
from benchmarks.load import publish_predictions
from benchmarks.ours import HANDLERS, product
from benchmarks.rivals.once import handle, open_engine, rate
from benchmarks.site import site
from events.progress import TrainingProgress, TrainingStatus
from services.redis.progress import ProgressBoard
from services.redis.tcp import TcpCommands
from settings import load_settings

SHOW = "show"


def drain(ground: Ground, events: int, *, users: int) -> float:
    """Events a second, with a message per event and handler, all of them sent beforehand."""
    with site(ground, users=users) as at:
        publish_predictions(at, events)
        broker = connect(at.ground.redis_url)
        with at.assembly.engine.connect() as connection:
            ids = connection.scalars(text("SELECT CAST(id AS text) FROM insights.events")).all()
        for id_ in ids:
            for name in HANDLERS:
                send(broker, name, id_)
        broker.close()
        at.settle()
        at.processes.start("dramatiq", *command(draining.__name__))
        return rate(at, events)


def command(part: str, processes: int = 2) -> tuple[str, ...]:
    """Its command line, with the actors that a function below declares."""
    options = ("--processes", str(processes), "--threads", "8")
    return (sys.executable, "-m", "dramatiq", f"{__name__}:{part}", *options)


def send(broker: RedisBroker, name: str, *arguments: object) -> None:
    """Send one message to the actor of this name."""
    broker.declare_queue(name)
    message: Message[None] = Message(
        queue_name=name, actor_name=name, args=arguments, kwargs={}, options={}
    )
    broker.enqueue(message)


def draining() -> None:
    """One actor and one queue per handler, as ours."""
    open_engine()
    declare(HANDLERS)


def idling() -> None:
    """As many actors and queues as the product has handlers."""
    declare(product())


def declare(names: Iterable[str]) -> None:
    """Declare an actor per name on dramatiq's own broker."""
    broker = connect(load_settings().redis)
    dramatiq.set_broker(broker)
    for name in names:

        @dramatiq.actor(actor_name=name, queue_name=name, broker=broker)
        def task(id_: str, name: str = name) -> None:
            handle(name, id_)


def showing() -> None:
    """One actor that shows the progress of trainings as our handler does."""
    url = load_settings().redis
    broker = connect(url)
    dramatiq.set_broker(broker)
    board = ProgressBoard(TcpCommands(redis.Redis.from_url(url)))

    @dramatiq.actor(actor_name=SHOW, queue_name=SHOW, broker=broker)
    def show(
        training_id: str, progress: float, message: str, status: TrainingStatus, at: int
    ) -> None:
        board.show([TrainingProgress(training_id, progress, message, status, at)])


def connect(url: str) -> RedisBroker:
    """Dramatiq's broker, left as it comes."""
    return RedisBroker(url=url)  # type: ignore[no-untyped-call]
