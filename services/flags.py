"""PostHog's feature flags, evaluated in this process by definitions shared over Redis.

Fetching the definitions is billed as ten requests
(https://posthog.com/docs/feature-flags/cutting-costs), so one process of the fleet does.
"""

import json
import threading
import time
from secrets import token_hex
from typing import Any
from uuid import UUID

from posthog import Posthog

from errors import InsightsError
from services.redis.commands import Commands

DEFINITIONS_KEY, LOCK_KEY = "flags:definitions", "flags:asking"
DEFINITIONS_TTL = 7 * 24 * 3600  # seconds: flags outlive an outage of PostHog by days
FETCH_TIMEOUT = 3.0  # seconds; a fetch takes less than one
POLL_INTERVAL = 0.1  # seconds, while another process fetches


class SharedDefinitions:
    """Definitions in Redis. The methods are those of the SDK's FlagDefinitionCacheProvider."""

    def __init__(self, commands: Commands, poll_seconds: int) -> None:
        self.commands = commands
        # A second less than the interval: at the next poll the lock is free for sure.
        self.lock_seconds = max(1, poll_seconds - 1)
        self.token = token_hex(8)

    def get_flag_definitions(self) -> Any:
        """What another process fetched, or is fetching now; None after FETCH_TIMEOUT.

        Given None, the SDK fetches by itself in a process that has no definitions yet, once.
        """
        give_up = time.monotonic() + FETCH_TIMEOUT
        while True:
            try:
                (found,) = self.commands.run(("GET", DEFINITIONS_KEY))
            except InsightsError:
                return None
            if found is not None:
                return json.loads(found)
            if time.monotonic() > give_up:
                return None
            time.sleep(POLL_INTERVAL)

    def should_fetch_flag_definitions(self) -> bool:
        """Whether this process is the one to fetch."""
        command = ("SET", LOCK_KEY, self.token, "NX", "EX", self.lock_seconds)
        try:
            (acquired,) = self.commands.run(command)
        except InsightsError:
            return False
        return bool(acquired)

    def on_flag_definitions_received(self, data: Any) -> None:
        """Share what was fetched."""
        self.commands.run(("SET", DEFINITIONS_KEY, json.dumps(data), "EX", DEFINITIONS_TTL))

    def shutdown(self) -> None:
        """Leave the lock: it ends by itself, and what was fetched under it is still fresh."""


class Flags:
    """Evaluates flags by the user's id alone; fetches nothing before the first evaluation."""

    def __init__(
        self, host: str, key: str, secret_key: str, commands: Commands, poll_seconds: int
    ) -> None:
        self.client = Posthog(
            key,
            host=host,
            secret_key=secret_key,
            poll_interval=poll_seconds,
            flag_definition_cache_provider=SharedDefinitions(commands, poll_seconds),
            send=False,  # no $feature_flag_called: its queue would be lost with the process
        )
        self.poll_seconds = poll_seconds
        self.next_try = 0.0
        self.lock = threading.Lock()

    def is_on(self, flag: str, user_id: UUID) -> bool:
        """Whether a flag is on for a user; off where there are no definitions. Never raises."""
        if not self.has_definitions():
            return False
        evaluated = self.client.evaluate_flags(
            str(user_id), only_evaluate_locally=True, flag_keys=[flag]
        )
        return bool(evaluated.is_enabled(flag))

    def has_definitions(self) -> bool:
        """Whether there are definitions; loads them, in vain at most once in `poll_seconds`."""
        with self.lock:
            if self.client.feature_flags is None and time.monotonic() >= self.next_try:
                self.next_try = time.monotonic() + self.poll_seconds
                self.client.load_feature_flags()  # type: ignore[no-untyped-call]
            return self.client.feature_flags is not None

    def close(self) -> None:
        """Stop fetching."""
        self.client.shutdown()
