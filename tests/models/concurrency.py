"""Two transactions that reach for one row at the same moment."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text

from runtime.assembly import Assembly

WAITING = text("""
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
""")


@contextmanager
def meanwhile(assembly: Assembly, do: Callable[[], Any]) -> Iterator[Connection]:
    """An open transaction for the block; `do` starts after it, and waits for its commit.

    A `do` that needs no lock of the transaction just runs to its end before the commit.
    """
    with assembly.engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        thread = threading.Thread(target=do)
        thread.start()
        deadline = time.monotonic() + 10
        with assembly.engine.connect() as observer:
            while thread.is_alive() and not observer.scalar(WAITING):
                assert time.monotonic() < deadline, "it neither waits for a lock nor ends"
                observer.rollback()
                time.sleep(0.01)
        transaction.commit()
        thread.join()


@contextmanager
def waiting(assembly: Assembly, do: Callable[[], Any]) -> Iterator["Future[Any]"]:
    """Run `do` in a thread; the block begins once it waits for a lock of a transaction."""
    with ThreadPoolExecutor(1) as pool, assembly.engine.connect() as observer:
        future = pool.submit(do)
        deadline = time.monotonic() + 10
        while not observer.scalar(WAITING):
            assert not future.done(), "it did not wait"
            assert time.monotonic() < deadline, "it neither waits for a lock nor ends"
            observer.rollback()
            time.sleep(0.01)
        observer.rollback()
        yield future
