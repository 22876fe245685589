"""Which providers are on: one fact for the whole fleet, whatever keys a host has."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import TSTZMULTIRANGE
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base

Executor = Connection | Session


class ProviderRow(Base):
    """One provider; `is_on` is null while nobody has decided, which counts as off.

    `off_during` holds the times at which it was off, the last of them open while it is: so that an
    event of such a time is not taken for done. The view `insights.handlers_on` names the handlers
    that are owed events: those without a provider, and those whose provider is on.
    """

    __tablename__ = "providers"

    name: Mapped[str] = mapped_column(primary_key=True)
    is_on: Mapped[bool | None]
    off_during: Mapped[Any] = mapped_column(TSTZMULTIRANGE)


class Provider(NamedTuple):
    """`off_since` is None while it is on; `handlers` are those whose work it does."""

    name: str
    is_on: bool | None
    off_since: datetime | None
    handlers: list[str]


# Add providers that handlers of new code name, undecided and so off from now on.
REGISTER = text("""
    INSERT INTO insights.providers (name, off_during)
    SELECT n.name, tstzmultirange(tstzrange(clock_timestamp(), NULL))
    FROM unnest(CAST(:names AS text[])) AS n (name)
    ON CONFLICT DO NOTHING
""")

# A host that has the key decides for those that have none; an operator's `off` stands.
SWITCH_ON_UNDECIDED = text("""
    UPDATE insights.providers
    SET is_on = true, off_during = off_during - tstzmultirange(tstzrange(clock_timestamp(), NULL))
    WHERE name = ANY (:names) AND is_on IS NULL
    RETURNING name
""")

SWITCH_ON = text("""
    UPDATE insights.providers
    SET is_on = true, off_during = off_during - tstzmultirange(tstzrange(clock_timestamp(), NULL))
    WHERE name = :name AND is_on IS NOT TRUE
""")

# Where it was off or undecided, it has been off since then.
SWITCH_OFF = text("""
    UPDATE insights.providers
    SET is_on = false, off_during = CASE WHEN is_on
        THEN off_during + tstzmultirange(tstzrange(clock_timestamp(), NULL)) ELSE off_during END
    WHERE name = :name AND is_on IS NOT FALSE
""")

LIST = text("""
    SELECT p.name, p.is_on,
           (SELECT lower(o.off) FROM unnest(p.off_during) AS o (off) WHERE upper_inf(o.off)),
           ARRAY(SELECT h.name FROM insights.handlers h WHERE h.provider = p.name ORDER BY h.name)
    FROM insights.providers p ORDER BY p.name
""")


def register(on: Executor, names: Iterable[str]) -> None:
    """Have a row for each of these providers; a new one is undecided."""
    on.execute(REGISTER, {"names": sorted(set(names))})


def switch_on_undecided(on: Executor, names: Iterable[str]) -> set[str]:
    """Switch on those of these providers about which nobody has decided; return them."""
    wanted = sorted(names)
    register(on, wanted)
    return set(on.scalars(SWITCH_ON_UNDECIDED, {"names": wanted}))


def switch_on(on: Executor, name: str) -> None:
    """From now on, events are owed to the provider's handlers."""
    on.execute(SWITCH_ON, {"name": name})


def switch_off(on: Executor, name: str) -> None:
    """From now on, nothing is owed to the provider's handlers, and they are given nothing."""
    on.execute(SWITCH_OFF, {"name": name})


def providers(on: Executor) -> list[Provider]:
    """All providers that handlers name, in alphabetical order."""
    return list(map(Provider._make, on.execute(LIST)))


def is_on(on: Executor, name: str) -> bool:
    """Whether a provider is on; one that nobody has decided is off."""
    return bool(on.scalar(select(ProviderRow.is_on).where(ProviderRow.name == name)))
