"""Celery on Redis: prefork, late acknowledgement, a prefetch that suits short tasks."""

import sys
from urllib.parse import parse_qs, urlsplit

from celery import Celery
from sqlalchemy import text

from benchmarks.deployment import deploy
from benchmarks.handlers import DRAIN_HANDLERS
from benchmarks.load import publish_predictions
from benchmarks.rivals.dedupe import handle, wait_and_measure
from benchmarks.servers import BenchServers
from settings import load_settings

QUEUE = "bench"
TASK = "bench.handle"
PREFETCH = 32  # messages per process; with the default 4, tasks this short wait for each fetch


def drain(servers: BenchServers, events: int, *, users: int) -> float:
    """Events a second, with a message per event and handler, all of them sent beforehand."""
    with deploy(servers, users=users) as deployment:
        publish_predictions(deployment, events)
        app = make_app(servers.redis_url)
        with deployment.assembly.engine.connect() as connection:
            ids = connection.scalars(text("SELECT CAST(id AS text) FROM insights.events")).all()
        with app.producer_pool.acquire(block=True) as producer:
            for id_ in ids:
                for name in DRAIN_HANDLERS:
                    app.send_task(TASK, (name, id_), producer=producer)
        app.close()
        deployment.analyze_and_checkpoint()
        # Celery's command line would take our BROKER_URL for its own.
        variables = {"BROKER_URL": ""}
        deployment.processes.start("celery", sys.executable, "-m", __name__, environment=variables)
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
    options = ["--pool=prefork", "--concurrency=4", "--loglevel=WARNING", f"--queues={QUEUE}"]
    # These serve several workers that know of each other; here is only one.
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    make_app(load_settings().redis).worker_main(["worker", *options, *quiet])


if __name__ == "__main__":
    work()
