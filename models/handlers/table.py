"""The table of handlers: registered by `insights migrate`, paused and resumed by operators."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, ForeignKey, Identity, SmallInteger, select, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class HandlerRow(Base):
    """One handler: paused by an operator, or its circuit breaker open until `resume_at`.

    `id` is how deliveries name it. `failures_in_row` counts transport failures of its provider
    since the last answer. `provider` is whose work it is; null where it needs none.
    """

    __tablename__ = "handlers"

    name: Mapped[str] = mapped_column(primary_key=True)
    paused: Mapped[bool] = mapped_column(server_default="false")
    failures_in_row: Mapped[int] = mapped_column(server_default="0")
    resume_at: Mapped[datetime | None]
    provider: Mapped[str | None] = mapped_column(ForeignKey("insights.providers.name"))
    id: Mapped[int] = mapped_column(SmallInteger, Identity(always=False), unique=True)


# Add handlers of new code. One that is there keeps its pause and its circuit breaker. Only names
# that are new are inserted: each that conflicts would use up one of 32,767 ids.
REGISTER = text("""
    INSERT INTO insights.handlers (name)
    SELECT n.name FROM unnest(CAST(:names AS text[])) AS n (name)
    WHERE NOT EXISTS (SELECT FROM insights.handlers h WHERE h.name = n.name)
    ON CONFLICT DO NOTHING
""")

# Write whose work handlers do. Only names that differ: a row that nobody changes is not rewritten.
NAME_PROVIDERS = text("""
    UPDATE insights.handlers h SET provider = k.provider
    FROM unnest(CAST(:names AS text[]), CAST(:providers AS text[])) AS k (name, provider)
    WHERE h.name = k.name AND h.provider IS DISTINCT FROM k.provider
""")

# Forget a handler that no code has; its subscriptions go with it.
REMOVE = text("DELETE FROM insights.handlers WHERE name = :handler")

# Give a handler no more work.
PAUSE = text("UPDATE insights.handlers SET paused = true WHERE name = :handler RETURNING name")

# Give a handler work again; an operator who resumes also closes the circuit.
RESUME = text("""
    UPDATE insights.handlers SET paused = false, failures_in_row = 0, resume_at = NULL
    WHERE name = :handler RETURNING name
""")


def register(on: Connection, names: Iterable[str]) -> None:
    """Have a row for each of these handlers."""
    on.execute(REGISTER, {"names": list(names)})


def name_providers(on: Connection, providers: Mapping[str, str]) -> None:
    """Write the provider of each of these handlers. Others keep theirs."""
    given = {"names": list(providers), "providers": list(providers.values())}
    on.execute(NAME_PROVIDERS, given)


def remove(on: Connection, handler: str) -> None:
    """Forget a handler and its subscriptions. What it owes is left."""
    on.execute(REMOVE, {"handler": handler})


def pause(on: Connection, handler: str) -> bool:
    """Give a handler no more work; False if there is none of that name."""
    return on.scalar(PAUSE, {"handler": handler}) is not None


def resume(on: Connection, handler: str) -> bool:
    """Undo `pause` and close the circuit; False if there is no handler of that name."""
    return on.scalar(RESUME, {"handler": handler}) is not None


def handler_names(on: Connection) -> list[str]:
    """The handlers that the database knows, in alphabetical order."""
    return list(on.scalars(select(HandlerRow.name).order_by(HandlerRow.name)))
