"""Whether a provider answered while some work ran: only that closes its circuit breaker.

Work that never asked it (a user who opted out, a warning that is switched off) says nothing of how
the provider is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Answers:
    """How many requests were answered: done, or refused for what was wrong with them.

    `count` are those of a provider, `redis` those of Redis, which handlers of providers use too.
    """

    count: int = 0
    redis: int = 0


_counting: ContextVar[Answers | None] = ContextVar("answers", default=None)


@contextmanager
def counted_answers() -> Iterator[Answers]:
    """Count the answers inside the block, of this thread alone."""
    answers = Answers()
    token = _counting.set(answers)
    try:
        yield answers
    finally:
        _counting.reset(token)


def count_answer() -> None:
    """Note that a provider answered. A client calls it wherever it does not raise ProviderDown."""
    answers = _counting.get()
    if answers is not None:
        answers.count += 1


def count_redis_answer() -> None:
    """Note that Redis answered."""
    answers = _counting.get()
    if answers is not None:
        answers.redis += 1
