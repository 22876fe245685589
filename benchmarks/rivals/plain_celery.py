"""Celery on Redis: threads, late acknowledgement, a prefetch that suits short tasks.

https://docs.celeryq.dev/en/stable/userguide/optimizing.html asks for a prefetch of 64 or 128 where
tasks are short. Threads instead of prefork, since a task waits for PostgreSQL most of its time.
"""

import sys
from urllib.parse import parse_qs, urlsplit

from celery import Celery

from benchmarks.deployment import deploy
from benchmarks.handlers import DRAIN_HANDLERS
from benchmarks.load import publish_predictions
from benchmarks.rivals.effects import handle, messages, wait_and_measure
from benchmarks.servers import BenchServers
from settings import load_settings

QUEUE = "bench"
TASK = "bench.handle"
THREADS = 8  # of each process
PREFETCH = 64  # messages per thread


def drain(servers: BenchServers, events: int, *, users: int, workers: int) -> float:
    """Events a second, with a message per event and handler, all of them sent beforehand."""
    with deploy(servers, users=users) as deployment:
        publish_predictions(deployment, events)
        app = make_app(servers.redis_url)
        with app.producer_pool.acquire(block=True) as producer:
            for message in messages(deployment):
                for name in DRAIN_HANDLERS:
                    app.send_task(TASK, (name, *message), producer=producer)
        app.close()
        deployment.analyze_and_checkpoint()
        # Celery's command line would take our BROKER_URL for its own.
        variables = {"BROKER_URL": ""}
        for number in range(workers):
            command = (sys.executable, "-m", __name__, f"--hostname=bench-{number}")
            deployment.processes.start(f"celery-{number}", *command, environment=variables)
        return wait_and_measure(deployment, events)


def make_app(redis_url: str) -> Celery:
    """An app with one task, which handles an event for the handler that it is given."""
    app = Celery("bench", broker=kombu_url(redis_url), set_as_current=False)
    app.conf.update(
        task_acks_late=True,
        task_ignore_result=True,
        task_default_queue=QUEUE,
        task_store_errors_even_if_ignored=False,
        worker_prefetch_multiplier=PREFETCH,
        worker_disable_rate_limits=True,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
    )
    app.task(handle, name=TASK)
    return app


def kombu_url(redis_url: str) -> str:
    """The URL in the form that Celery's transport takes."""
    parts = urlsplit(redis_url)
    number = parse_qs(parts.query).get("db", ["0"])[0]
    if parts.scheme == "unix":
        return f"redis+socket://{parts.path}?virtual_host={number}"
    return parts._replace(path=f"/{number}", query="").geturl()


def work() -> None:
    """Run a worker until it is stopped."""
    options = ["--pool=threads", f"--concurrency={THREADS}", "--loglevel=WARNING"]
    # These serve workers that want to know of each other.
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    app = make_app(load_settings().redis)
    app.worker_main(["worker", f"--queues={QUEUE}", *options, *quiet, *sys.argv[1:]])


if __name__ == "__main__":
    work()
