"""Whether a Redis does what we use it for, with the rights that its user has."""

from collections.abc import Sequence
from typing import Any

import redis

from events.progress import PROGRESS_PREFIX
from services.redis import lock, rate_limit, sessions, throttle
from services.redis.commands import CannotWork, CommandFailed, Commands
from services.redis.commands import evaluate as script
from services.redis.connections import AWAY, SERVES_NOT
from services.redis.doorbell import CHANNEL_PREFIX, NO_QUEUE
from services.redis.tcp import decoded, message_of

# A key of each kind that services keep, where they do not keep them at Upstash.
SERVICE_KEYS = tuple(
    f"{prefix}-"
    for prefix in (
        PROGRESS_PREFIX, sessions.SESSION, sessions.INDEX, sessions.CLOSED, lock.PREFIX,
        throttle.PREFIX, rate_limit.PREFIX,
        "flags:",  # services/flags.py
        "dataset:", "profile:", "usage:",  # what handlers/cache.py deletes
    )
)  # fmt: skip
BELL, PROGRESS = f"{CHANNEL_PREFIX}-", f"{PROGRESS_PREFIX}-"  # nobody listens to them

# KEYS[1] a list that is not there; ARGV channels. Returns what is refused.
TRY = """
local refused = {}
local function try(...)
    local answer = redis.pcall(...)
    local failed = type(answer) == 'table' and answer.err
    if failed then refused[#refused + 1] = table.concat({ ... }, ' ') .. ': ' .. failed end
    return not failed
end
"""
TRY_TAKING = f"""{TRY}
try('LPOP', KEYS[1])
try('LLEN', KEYS[1])
for _, channel in ipairs(ARGV) do try('PUBLISH', channel, '') end
return refused
"""
# A script of its own: a full Redis refuses a script's first write alone. Sent where taking is not
# refused, so that nothing stays.
TRY_PUTTING = f"""{TRY}
if try('RPUSH', KEYS[1], '-') then redis.call('LPOP', KEYS[1]) end
return refused
"""


def self_test(client: "redis.Redis", name: str = "Redis", *, services: bool = True) -> list[str]:
    """What is wrong with a Redis, a sentence each; nothing where all is well.

    Five commands where all is well, four without what services keep there; more only to name what
    is refused. Nothing is left behind. `name` says in the sentences which Redis it is.
    """
    keys = (NO_QUEUE, *SERVICE_KEYS) if services else (NO_QUEUE,)
    channels = (BELL, PROGRESS) if services else (BELL,)
    try:
        refused = [*refused_commands(client, keys, channels), *refused_channels(client, channels)]
    except SERVES_NOT as error:
        return [f"{name} cannot work: {str(error)[:200]}"]
    except AWAY:
        return [f"{name} does not answer."]
    return [f"{name} refuses {each}" for each in refused]


def refused_by(commands: Commands) -> list[str]:
    """What a transport of services refuses, in two commands that leave nothing behind.

    Raises ProviderDown where it does not answer.
    """
    keys = (f"{lock.PREFIX}-", *SERVICE_KEYS)
    scripts = (script(TRY_TAKING, keys, PROGRESS), script(TRY_PUTTING, keys))
    try:
        answers = commands.run(*scripts)
    except (CannotWork, CommandFailed) as error:
        return [str(error)]
    return [line[:200] for answer in answers for line in answer]


def refused_commands(
    client: "redis.Redis", keys: Sequence[str], channels: Sequence[str]
) -> list[str]:
    """Which keys a script may not touch, and which commands it may not run."""
    try:
        refused = tried(client, keys, channels)
    except redis.ResponseError as error:
        closed = [key for key in keys if not opens(client, key)]
        if closed in ([], list(keys)):
            return [sentence("EVAL", error)]
        prefixes = ", ".join(f"{key[:-1]}*" for key in closed)
        rest = [] if NO_QUEUE in closed else tried(client, [NO_QUEUE], channels)
        return [sentence(f"EVAL on {prefixes}", error), *rest]
    return refused


def tried(client: "redis.Redis", keys: Sequence[str], channels: Sequence[str]) -> list[str]:
    """What scripts that may touch these keys are refused. Raises RedisError."""
    refused = evaluate(client, TRY_TAKING, keys, channels)
    if any(each.startswith("LPOP") for each in refused):
        return refused
    return [*refused, *evaluate(client, TRY_PUTTING, keys)]


def evaluate(
    client: "redis.Redis", script: str, keys: Sequence[str], arguments: Sequence[str] = ()
) -> list[str]:
    """Run a script; return what it found to be refused. Raises RedisError."""
    answer: Any = client.eval(script, len(keys), *keys, *arguments)
    return [line[:200] for line in decoded(answer)]


def opens(client: "redis.Redis", key: str) -> bool:
    """Whether a script may touch a key."""
    try:
        evaluate(client, "return {}", [key])
    except redis.ResponseError:
        return False
    return True


def refused_channels(client: "redis.Redis", channels: Sequence[str]) -> list[str]:
    """Which channels may not be subscribed to."""
    connection = client.connection_pool.get_connection()
    refused = []
    try:
        for channel in channels:
            try:
                ask(connection, "SUBSCRIBE", channel)
            except redis.ResponseError as error:
                refused.append(sentence(f"SUBSCRIBE {channel}", error))
        if len(refused) < len(channels):
            ask(connection, "UNSUBSCRIBE")
    except BaseException:
        connection.disconnect()  # type: ignore[no-untyped-call]
        raise
    finally:
        client.connection_pool.release(connection)
    return refused


def ask(connection: Any, command: str, *channels: str) -> None:
    """Subscribe, or end all subscriptions; what is published meanwhile is passed over."""
    connection.send_command(command, *channels)
    while True:
        kind, _channel, left = connection.read_response(push_request=True)
        if kind.decode() == command.lower() and (channels or not left):
            return


def sentence(what: str, error: redis.ResponseError) -> str:
    """What was refused, and why."""
    return f"{what}: {message_of(error)[:200]}"
