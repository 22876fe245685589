"""Whether RabbitMQ answers, if it is the broker."""

import logging
from collections.abc import Iterator
from contextlib import closing

import pika

from cli.doctor.finding import Finding, Status
from settings import Settings

NAME = "RabbitMQ"
TIMEOUT = 3  # seconds


def check_broker(settings: Settings) -> Iterator[Finding]:
    """Connect to RabbitMQ once. Nothing is checked where Redis is the broker."""
    url = settings.broker_url.get_secret_value() if settings.broker_url else ""
    if not url.startswith(("amqp://", "amqps://")):
        return
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    try:
        parameters = pika.URLParameters(url)
        parameters.connection_attempts = 1
        parameters.socket_timeout = parameters.stack_timeout = TIMEOUT
        parameters.blocked_connection_timeout = TIMEOUT
        with closing(pika.BlockingConnection(parameters)) as connection:
            server = connection._impl.server_properties or {}  # noqa: SLF001 (no public way)
            product, version = server.get("product", NAME), server.get("version", "version unknown")
            yield Finding(NAME, Status.OK, f"{product} {version}")
    except (pika.exceptions.AMQPError, OSError, ValueError) as error:
        detail = f"does not answer: {type(error).__name__}"
        yield Finding(NAME, Status.WRONG, detail, "Is it running, and BROKER_URL right?")
