"""Signals that may not come between the start of a process and the note of who it is."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

ENDING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Let SIGINT and SIGTERM that come inside of the block arrive at its end.

    Handlers run in the main thread alone, so that in any other nothing needs to be held back.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    usual = {number: signal.signal(number, lambda n, _: came.append(n)) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
        for each in came:
            signal.raise_signal(each)


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set.

    Another thread sets it: a signal may arrive while this one holds the event's own lock.
    """
    stopped = threading.Event()

    def stop(*_: object) -> None:
        threading.Thread(target=stopped.set, daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopped
