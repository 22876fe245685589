"""Which traces are sent to Sentry."""

import hmac
from collections.abc import Callable, Mapping
from typing import Any


def sampler(dsn: str, rate: float) -> Callable[[Mapping[str, Any]], float]:
    """Take this share of all traces, from 0 to 1, whatever the caller of our API decided.

    The trace's id alone decides, so that processes with the same DSN take the same traces. Without
    the DSN nobody can choose an id that is taken.
    """

    def sample(context: Mapping[str, Any]) -> float:
        trace: str = context["transaction_context"]["trace_id"]
        digest = hmac.digest(dsn.encode(), trace.encode(), "sha256")
        return float(int.from_bytes(digest[:4]) / 2**32 < rate)

    return sample
