"""What the REST door does not take: a request has no connection, and does not wait."""

from collections.abc import Sequence

from redis.exceptions import ResponseError

BLOCKING = frozenset({
    "BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN",
})  # fmt: skip
STREAMS = {"XREAD": 1, "XREADGROUP": 4}
"""Where their options begin, of which BLOCK is one."""
OF_A_CONNECTION = frozenset({
    "DISCARD", "EXEC", "HELLO", "MULTI", "SELECT", "UNWATCH", "WATCH",
})  # fmt: skip
WITH_A_PATH = frozenset({
    "MONITOR", "PSUBSCRIBE", "PUNSUBSCRIBE", "SSUBSCRIBE", "SUBSCRIBE", "SUNSUBSCRIBE",
    "UNSUBSCRIBE",
})  # fmt: skip


def check(words: Sequence[str]) -> None:
    """Raises ResponseError for a command that is not taken."""
    name = words[0].upper()
    if name in BLOCKING | OF_A_CONNECTION | WITH_A_PATH or waits(name, words):
        raise ResponseError(
            f'ERR Command "{name}" is not allowed in REST or it has a special context path'
        )


def waits(name: str, words: Sequence[str]) -> bool:
    """Whether a reading of streams is one that blocks; behind STREAMS there are names only."""
    if name not in STREAMS:
        return False
    options = [word.upper() for word in words[STREAMS[name] :]]
    return "BLOCK" in options[: options.index("STREAMS") if "STREAMS" in options else None]
