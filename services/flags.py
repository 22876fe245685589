"""Feature flags of PostHog, decided here: one process of the fleet asks for their definitions.

Each asking is billed as ten requests (https://posthog.com/docs/feature-flags/cutting-costs), so
the definitions lie in Redis for all others.
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

DEFINITIONS, ASKING = "flags:definitions", "flags:asking"
KEPT = 7 * 24 * 3600
FETCHING_TAKES, LOOK_AGAIN = 3.0, 0.1


class SharedDefinitions:
    """Definitions in Redis, in the form that the SDK wants; see its flag_definition_cache."""

    def __init__(self, commands: Commands, poll_seconds: int) -> None:
        self.commands = commands
        self.lasts = max(1, poll_seconds - 1)
        self.me = token_hex(8)

    def get_flag_definitions(self) -> Any:
        """What another process fetched, or is just fetching.

        Where that comes to nothing, the SDK asks for a process that has none yet, once.
        """
        give_up = time.monotonic() + FETCHING_TAKES
        while True:
            try:
                (found,) = self.commands.run(("GET", DEFINITIONS))
            except InsightsError:
                return None
            if found is not None:
                return json.loads(found)
            if time.monotonic() > give_up:
                return None
            time.sleep(LOOK_AGAIN)

    def should_fetch_flag_definitions(self) -> bool:
        """Whether it is this process's turn to ask."""
        try:
            (turn,) = self.commands.run(("SET", ASKING, self.me, "NX", "EX", self.lasts))
        except InsightsError:
            return False
        return bool(turn)

    def on_flag_definitions_received(self, data: Any) -> None:
        """Share what was fetched."""
        self.commands.run(("SET", DEFINITIONS, json.dumps(data), "EX", KEPT))

    def shutdown(self) -> None:
        """Whoever comes next may ask once the turn has passed."""


class Flags:
    """Decides by the person's id alone; asks for nothing before the first decision."""

    def __init__(
        self, host: str, key: str, secret_key: str, commands: Commands, poll_seconds: int
    ) -> None:
        self.client = Posthog(
            key,
            host=host,
            secret_key=secret_key,
            poll_interval=poll_seconds,
            flag_definition_cache_provider=SharedDefinitions(commands, poll_seconds),
            send=False,  # no $feature_flag_called, which would be lost with the process
        )
        self.poll_seconds = poll_seconds
        self.next_try = 0.0
        self.lock = threading.Lock()

    def is_on(self, flag: str, user_id: UUID) -> bool:
        """Whether a flag is on for a user; off where that cannot be decided. Never raises."""
        if not self.has_definitions():
            return False
        decided = self.client.evaluate_flags(
            str(user_id), only_evaluate_locally=True, flag_keys=[flag]
        )
        return bool(decided.is_enabled(flag))

    def has_definitions(self) -> bool:
        """Whether there are definitions; loads them, at most once in `poll_seconds` in vain."""
        with self.lock:
            if self.client.feature_flags is None and time.monotonic() >= self.next_try:
                self.next_try = time.monotonic() + self.poll_seconds
                self.client.load_feature_flags()  # type: ignore[no-untyped-call]
            return self.client.feature_flags is not None

    def close(self) -> None:
        """Stop asking."""
        self.client.shutdown()
