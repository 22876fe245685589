"""A user of Redis with few rights, as an operator may give us."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

from runtime.assembly import Assembly

USER, PASSWORD = "limited", "a-password-of-tests"
# What docs/operating.md says that we need.
KEYS = ("~*",)
CHANNELS = ("&insights:bell:*", "&training:*")
COMMANDS = ("+@all", "-@dangerous", "-@admin")


@contextmanager
def limited_user(assembly: Assembly, *rules: str) -> Iterator[str]:
    """The URL of a user with the rights that ACL rules give it, while the block lasts."""
    create = ("ACL", "SETUSER", USER, "reset", "on", f">{PASSWORD}", "resetchannels", *rules)
    assembly.redis.execute_command(*create)  # type: ignore[no-untyped-call]
    parts = urlsplit(assembly.settings.redis)
    host = parts.netloc.rpartition("@")[2]
    try:
        yield urlunsplit(parts._replace(netloc=f"{USER}:{PASSWORD}@{host}"))
    finally:
        assembly.redis.acl_deluser(USER)
