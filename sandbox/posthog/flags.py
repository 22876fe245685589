"""Evaluates feature flags from their definitions, as PostHog does."""

from collections.abc import Mapping
from hashlib import sha1
from typing import Any

HASH_SCALE = float(0xFFFFFFFFFFFFFFF)  # the largest value of 15 hexadecimal digits


def is_enabled(flag: Mapping[str, Any], distinct_id: str) -> bool:
    """Whether a flag is on for a person.

    Groups with conditions on person properties never match: they are not evaluated here.
    """
    if not flag.get("active", True):
        return False
    position = rollout_position(flag["key"], distinct_id)
    return any(
        not group.get("properties") and position * 100 <= rollout_percentage(group)
        for group in groups_of(flag)
    )


def groups_of(flag: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The groups a flag is rolled out to: conditions on persons, and a percentage of those."""
    groups: list[Mapping[str, Any]] = flag.get("filters", {}).get("groups", [])
    return groups


def rollout_percentage(group: Mapping[str, Any]) -> float:
    """The percentage of a group; 100 where the definition does not say."""
    percentage = group.get("rollout_percentage")
    return 100 if percentage is None else percentage


def rollout_position(key: str, distinct_id: str) -> float:
    """A person's position between 0 and 1 for a flag.

    PostHog's own hash, so that a person gets here what its SDKs compute locally
    (`_hash` in posthog/feature_flags.py of the Python SDK).
    """
    digest = sha1(f"{key}.{distinct_id}".encode()).hexdigest()  # noqa: S324 (not for secrecy)
    return int(digest[:15], 16) / HASH_SCALE
