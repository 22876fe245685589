"""Ends a supervised process whose supervisor was killed, so that nothing runs on unseen."""

import os
import signal
import threading
import time

PARENT = "INSIGHTS_PARENT"


def end_with_parent() -> None:
    """Send this process SIGTERM when the supervisor that started it is gone."""
    parent = os.environ.pop(PARENT, None)
    if parent is not None:
        threading.Thread(target=_watch, args=(int(parent),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
