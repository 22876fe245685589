"""Commands that Upstash refuses over REST (https://upstash.com/docs/redis/features/restapi).

A request keeps no connection between commands, and does not wait for data.
"""

from collections.abc import Sequence

from redis.exceptions import ResponseError

BLOCKING = frozenset({
    "BLMOVE", "BLMPOP", "BLPOP", "BRPOP", "BRPOPLPUSH", "BZMPOP", "BZPOPMAX", "BZPOPMIN",
})  # fmt: skip
# Reads of streams block only with the option BLOCK; the position at which the options begin.
STREAM_OPTIONS_AT = {"XREAD": 1, "XREADGROUP": 4}
# Their effect lasts as long as the connection.
CONNECTION_STATE = frozenset({
    "DISCARD", "EXEC", "HELLO", "MULTI", "SELECT", "UNWATCH", "WATCH",
})  # fmt: skip
# Endless replies, which have paths of their own, such as /subscribe/{channel}.
STREAMED = frozenset({
    "MONITOR", "PSUBSCRIBE", "PUNSUBSCRIBE", "SSUBSCRIBE", "SUBSCRIBE", "SUNSUBSCRIBE",
    "UNSUBSCRIBE",
})  # fmt: skip


def check_allowed(words: Sequence[str]) -> None:
    """Raises ResponseError for a command that is refused over REST."""
    name = words[0].upper()
    if name in BLOCKING | CONNECTION_STATE | STREAMED or blocks(name, words):
        raise ResponseError(
            f'ERR Command "{name}" is not allowed in REST or it has a special context path'
        )


def blocks(name: str, words: Sequence[str]) -> bool:
    """Whether a command is a read of streams with the option BLOCK."""
    if name not in STREAM_OPTIONS_AT:
        return False
    options = [word.upper() for word in words[STREAM_OPTIONS_AT[name] :]]
    # Behind the word STREAMS there are names of streams, of which one may be "block".
    return "BLOCK" in options[: options.index("STREAMS") if "STREAMS" in options else None]
