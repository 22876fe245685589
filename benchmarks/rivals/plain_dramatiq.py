"""Plain dramatiq: its own RedisBroker, its default middleware, its own command line."""

import sys
from collections.abc import Iterable

import dramatiq
import redis
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker

from benchmarks.deployment import deploy, product_handlers
from benchmarks.handlers import DRAIN_HANDLERS
from benchmarks.load import publish_predictions
from benchmarks.rivals.effects import handle, messages, wait_and_measure
from benchmarks.servers import BenchServers
from events.progress import TrainingProgress, TrainingStatus
from services.redis.progress import ProgressBoard
from services.redis.tcp import TcpCommands
from settings import load_settings

SHOW = "show"


def drain(servers: BenchServers, events: int, *, users: int, workers: int) -> float:
    """Events a second, with a message per event and handler, all of them sent beforehand."""
    with deploy(servers, users=users) as deployment:
        publish_predictions(deployment, events)
        broker = connect(servers.redis_url)
        for message in messages(deployment):
            for name in DRAIN_HANDLERS:
                send(broker, name, *message)
        broker.close()
        deployment.analyze_and_checkpoint()
        started = command(declare_drain.__name__, workers)
        deployment.processes.start("dramatiq", *started)
        return wait_and_measure(deployment, events)


def command(declare: str, processes: int) -> tuple[str, ...]:
    """Its command line, with the actors that one of the functions below declares."""
    options = ("--processes", str(processes), "--threads", "8")
    return (sys.executable, "-m", "dramatiq", f"{__name__}:{declare}", *options)


def send(broker: RedisBroker, name: str, *arguments: object) -> None:
    """Send one message to the actor of this name."""
    broker.declare_queue(name)
    message: Message[None] = Message(
        queue_name=name, actor_name=name, args=arguments, kwargs={}, options={}
    )
    broker.enqueue(message)


def declare_drain() -> None:
    """One actor and one queue per handler of a drain, as the product has."""
    declare(DRAIN_HANDLERS)


def declare_idle() -> None:
    """As many actors and queues as the product has handlers."""
    declare(product_handlers())


def declare(names: Iterable[str]) -> None:
    """Declare an actor per name on dramatiq's own broker."""
    broker = connect(load_settings().redis)
    dramatiq.set_broker(broker)
    for name in names:

        @dramatiq.actor(actor_name=name, queue_name=name, broker=broker)
        def task(*message: object, name: str = name) -> None:
            handle(name, *message)


def declare_show() -> None:
    """One actor that shows the progress of trainings as the product's handler does."""
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
    """Dramatiq's broker with its defaults."""
    return RedisBroker(url=url)  # type: ignore[no-untyped-call]
