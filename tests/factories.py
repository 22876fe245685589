"""What tests make: databases, users, events."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
from sqlalchemy import text

from events import Event, PredictionMade, publish, uuid7
from runtime.assembly import Assembly

HOME = Path(".insights/tests").resolve()


@dataclass(frozen=True)
class Servers:
    """Where the servers of this test run are."""

    database_url: str
    redis_url: str


def sign_up(assembly: Assembly, plan: str = "free") -> UUID:
    """A user whose profile exists."""
    id_ = uuid7()
    with assembly.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO public.profiles (id, email, name, plan) VALUES (:id, :e, 'Ada', :p)"),
            {"id": id_, "e": f"{id_.hex}@example.com", "p": plan},
        )
    return id_


def publish_now(assembly: Assembly, *events: Event) -> set[UUID]:
    """Publish in a transaction of its own."""
    with assembly.sessions.begin() as session:
        return publish(session, *events)


class new_database:  # noqa: N801 (used like a function)
    """A database of its own, dropped at the end of the `with` block."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.name = f"insights_test_{uuid7().hex}"

    def __enter__(self) -> str:
        self.run(f"CREATE DATABASE {self.name}")
        before, _, query = self.url.partition("?")
        root = before.rsplit("/", 1)[0]
        return f"{root}/{self.name}" + (f"?{query}" if query else "")

    def __exit__(self, *_: object) -> None:
        self.run(f"DROP DATABASE {self.name} WITH (FORCE)")

    def run(self, statement: str) -> None:
        """Run one statement outside of a transaction."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())


def made(count: int = 1) -> list[PredictionMade]:
    """Events of as many users."""
    return [PredictionMade(user_id=uuid7(), model_id="m") for _ in range(count)]
