"""The catalogue as the database knows it, so that publishers that speak SQL are checked too."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class EventTypeRow(Base):
    """One type of the catalogue; `schema` is the JSON Schema of its data.

    `x-kept` in the schema says that events of the type are never pruned, `x-user-required` that
    they need a user.
    """

    __tablename__ = "event_types"

    type: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    schema: Mapped[dict[str, Any]] = mapped_column(JSONB)


class EventType(NamedTuple):
    """One type of the catalogue: its name, the version of its data, and their JSON Schema."""

    type: str
    version: int
    schema: dict[str, Any]


# Write the types of the code; types that only the database knows stay, since events of them may be
# stored.
REGISTER = text("""
    INSERT INTO insights.event_types (type, version, schema)
    SELECT * FROM unnest(CAST(:types AS text[]), CAST(:versions AS integer[]),
                         CAST(:schemas AS jsonb[]))
    ON CONFLICT (type) DO UPDATE SET version = excluded.version, schema = excluded.schema
""")


def register(on: Connection, types: Iterable[EventType]) -> None:
    """Have the database know these types as they are."""
    every = list(types)
    on.execute(
        REGISTER,
        {
            "types": [each.type for each in every],
            "versions": [each.version for each in every],
            "schemas": [json.dumps(each.schema) for each in every],
        },
    )


def registered_types(on: Connection) -> dict[str, tuple[int, dict[str, Any]]]:
    """The event types that the database knows: version and schema."""
    rows = on.execute(select(EventTypeRow.type, EventTypeRow.version, EventTypeRow.schema))
    return {type_: (version, schema) for type_, version, schema in rows}
