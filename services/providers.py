"""What external handlers are given to work with, one field per provider."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.progress import ProgressBoard
from services.storage import Storage


@dataclass(frozen=True)
class Services:
    """Clients of one process. `publish` publishes events at once, in a transaction of its own.

    Work that takes long tells with it how far it is; what follows from the work as a whole is
    returned by the handler instead, and published when the debt is deleted.
    """

    publish: Callable[..., Any]
    progress: ProgressBoard
    storage: Storage
