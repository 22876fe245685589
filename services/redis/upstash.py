"""Commands over Upstash's REST API (https://upstash.com/docs/redis/features/restapi)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from upstash_redis import Redis
from upstash_redis.errors import UpstashError

from errors import InsightsError, KeyRefused, ProviderDown
from services.answers import count_redis_answer
from services.redis.commands import UNABLE, Command, refusal

ANSWER_TIMEOUT = 5.0  # seconds; a script of ours takes milliseconds, the rest is the network
CONNECT_TIMEOUT = 2.0  # seconds; beyond that nobody listens there
TOKEN_REFUSED, REQUEST_REFUSED = (401, 403), (400, 413)
# What the SDK raises for a body that is no JSON, or not of the form of a reply.
NO_REPLY = (AssertionError, AttributeError, KeyError, TypeError, ValueError)


@dataclass(frozen=True)
class RestEndpoint:
    """The REST API of one database: its address, and the token that opens it."""

    url: str
    token: str = field(repr=False)


class UpstashCommands:
    """One database; its token never leaves the header. `timeout`: seconds until an answer."""

    def __init__(self, endpoint: RestEndpoint, timeout: float = ANSWER_TIMEOUT) -> None:
        self.http = httpx.Client(
            base_url=endpoint.url,
            headers={"Authorization": f"Bearer {endpoint.token}"},
            timeout=httpx.Timeout(timeout, connect=min(CONNECT_TIMEOUT, timeout / 2)),
            # Connecting alone is tried again: a request may have been done although it failed.
            transport=httpx.HTTPTransport(retries=1),
            event_hooks={"response": [raise_for_status]},
        )
        self.sdk = Redis(
            endpoint.url,
            endpoint.token,
            rest_encoding=None,  # we keep text only
            rest_retries=0,
            allow_telemetry=False,
            read_your_writes=False,  # for read regions, which docs/providers.md rules out
        )
        # Its own client waits for ever, loses the status of a refusal, and cannot be chosen.
        self.sdk._http.close()  # type: ignore[no-untyped-call]  # noqa: SLF001
        self.sdk._http._client = self.http  # noqa: SLF001

    def run(self, *commands: Command) -> list[Any]:
        """See Commands.run."""
        if not commands:
            return []  # Upstash refuses an empty pipeline
        try:
            if len(commands) == 1:
                replies = [self.sdk.execute(list(commands[0]))]
            else:
                replies = self.pipeline(commands)
        except httpx.TransportError as error:
            raise ProviderDown(f"Upstash does not answer: {type(error).__name__}.") from error
        except httpx.HTTPStatusError as error:
            failure = refused(error.response, commands[0])
        except UpstashError as error:
            failure = refusal("Upstash", commands[0], str(error))
        except NO_REPLY:
            failure = ProviderDown("Upstash answers without a reply.")
        else:
            count_redis_answer()
            return replies
        # Raised here, it has no context: that would hold the command, or quote it.
        raise failure

    def pipeline(self, commands: Sequence[Command]) -> list[Any]:
        """Several commands in one request of our own.

        The pipeline of upstash-redis 1.8 loses results and errors: the first error of a command
        is raised without telling whose it is (`http.format_response`); where the request is
        refused as a whole, AttributeError hides why (`SyncHttpClient.execute` walks over a dict);
        missing replies go unnoticed, and after an error the same commands are sent again with
        the next ones (`Pipeline.exec` zips without `strict`, and resets only after success).
        """
        answer = self.http.post("/pipeline", json=[list(command) for command in commands])
        replies = answer.json()
        if not isinstance(replies, list):
            raise refused(answer, commands[0])
        for command, reply in zip(commands, replies, strict=True):
            if "error" in reply:
                raise refusal("Upstash", command, str(reply["error"]))
        return [reply["result"] for reply in replies]

    def close(self) -> None:
        """Close the connections."""
        self.http.close()


def raise_for_status(answer: httpx.Response) -> None:
    """Raise HTTPStatusError while the status is known: the SDK's own error has none."""
    if not answer.is_success:
        answer.read()
        answer.raise_for_status()


def refused(answer: httpx.Response, command: Command) -> InsightsError:
    """The error to raise for a request that was refused as a whole, for its first command."""
    status = answer.status_code
    try:
        body = answer.json()
    except ValueError:
        return ProviderDown(f"Upstash answers {status} without JSON.")
    reason = str(body.get("error", "no reason")) if isinstance(body, dict) else "no reason"
    if status in TOKEN_REFUSED:
        return KeyRefused(f"Upstash answers {status}: {reason[:200]}")
    if status in REQUEST_REFUSED or reason.startswith(UNABLE):
        return refusal("Upstash", command, reason)
    return ProviderDown(f"Upstash answers {status}.")
