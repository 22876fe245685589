"""Commands over Upstash's REST door, by httpx.

The vendor's client waits for ever, repeats what may have been done, and fails on an error that
concerns a whole pipeline; hence ours (https://upstash.com/docs/redis/features/restapi).
"""

from typing import Any

import httpx

from errors import InsightsError, KeyRefused, ProviderDown
from services.redis.commands import UNABLE, Command, refusal

PATIENCE = 5.0
OUR_TOKEN, OUR_REQUEST = (401, 403), (400, 413)


class UpstashCommands:
    """One database; its token never leaves the header. `patience`: seconds until an answer."""

    def __init__(self, url: str, token: str, patience: float = PATIENCE) -> None:
        self.http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(patience, connect=min(2, patience / 2)),
            transport=httpx.HTTPTransport(retries=1),  # of connecting alone
        )

    def run(self, *commands: Command) -> list[Any]:
        """See Commands.run."""
        try:
            answer = self.http.post("/pipeline", json=[list(command) for command in commands])
            told = answer.json()
        except httpx.TransportError as error:
            raise ProviderDown(f"Upstash does not answer: {type(error).__name__}.") from error
        except ValueError as error:
            raise ProviderDown(f"Upstash answers {answer.status_code} without JSON.") from error
        if not isinstance(told, list):
            raise refused(answer.status_code, commands[0], reason(told))
        for command, each in zip(commands, told, strict=True):
            if "error" in each:
                raise refusal("Upstash", command, str(each["error"]))
        return [each["result"] for each in told]

    def close(self) -> None:
        """Close the connections."""
        self.http.close()


def refused(status: int, command: Command, said: str) -> InsightsError:
    """The error to raise for a request that was refused as a whole, for its first command."""
    if status in OUR_TOKEN:
        return KeyRefused(f"Upstash answers {status}: {said}")
    if status in OUR_REQUEST or said.startswith(UNABLE):
        return refusal("Upstash", command, said)
    return ProviderDown(f"Upstash answers {status}.")


def reason(told: Any) -> str:
    """Why a whole request was refused: quota, token, size."""
    return str(told.get("error", "no reason"))[:200] if isinstance(told, dict) else "no reason"
