"""Bells that a worker process rings for itself; no broker hears of them."""

from collections.abc import Iterable

from dramatiq import Message, MessageProxy
from dramatiq.worker import ConsumerThread, Worker

MOST = 100  # bells that wait for a thread: more would ring for what those find, too
LOCAL = "local"  # the queue that these messages name; no handler's queue, and never declared


class LocalBells(ConsumerThread):
    """Takes its place among a worker's consumers, but consumes nothing: it is never started.

    A bell takes its turn in the worker's own queue, and nothing is to be acknowledged.
    """

    def __init__(self, worker: Worker) -> None:
        super().__init__(
            broker=worker.broker,
            queue_name=LOCAL,
            prefetch=0,
            work_queue=worker.work_queue,
            worker_timeout=0,
        )
        worker.consumers[LOCAL] = self

    def ring(self, handler: str) -> None:
        """Have a handler look, as soon as a thread is free."""
        if self.work_queue.qsize() >= MOST:
            return
        message: Message[None] = Message(
            queue_name=LOCAL, actor_name=handler, args=(), kwargs={}, options={}
        )
        self.handle_message(MessageProxy(message))

    def post_process_message(self, message: MessageProxy) -> None:
        """Acknowledge nothing."""

    def requeue_messages(self, messages: Iterable[MessageProxy]) -> None:
        """Give nothing back: what is due is still due."""

    def join(self, timeout: float | None = None) -> None:
        """Wait for nothing."""
