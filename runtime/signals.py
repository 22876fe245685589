"""What SIGINT and SIGTERM do: stop, interrupt, or wait until a process is noted down."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

ENDING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Let SIGINT and SIGTERM that come inside of the block arrive at its end.

    Python runs signal handlers in the main thread alone: in any other nothing is deferred.
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
    """An event that SIGTERM and SIGINT set."""
    stopped = threading.Event()

    # Another thread sets it: the signal may arrive while this one holds the event's own lock.
    def stop(*_: object) -> None:
        threading.Thread(target=stopped.set, daemon=True).start()

    for number in ENDING:
        signal.signal(number, stop)
    return stopped


def interrupt_on_signals() -> None:
    """Raise KeyboardInterrupt at the first SIGINT or SIGTERM, and ignore further ones.

    So a second Ctrl-C does not disturb the stopping of what was started.
    """

    def interrupt(*_: object) -> NoReturn:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in ENDING:
        signal.signal(number, interrupt)
