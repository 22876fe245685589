"""A process that publishes a load: `python -m benchmarks.chaos.publisher SEED SECONDS START`.

START is an ISO time. It ends when every step is committed, and tries each for as long as that
takes: its events keep their ids, so a step whose commit was not answered is repeated safely.
"""

import json
import sys
import time
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from benchmarks.chaos.load import Step, make_load
from events import publish
from runtime.assembly import Assembly
from settings import load_settings

PAUSE = 0.2
IN_SQL = text("""
    SELECT publish_event(:type, CAST(:data AS jsonb), CAST(:user AS uuid), CAST(:id AS uuid),
                         CAST(:at AS timestamptz), :source)
""")


def main(seed: int, seconds: float, start: datetime) -> None:
    """Publish each step at its time, or as soon after it as the database lets us."""
    assembly = Assembly(load_settings())
    for step in make_load(seed, seconds, start).steps:
        time.sleep(max(0.0, step.at - (datetime.now(UTC) - start).total_seconds()))
        while not committed(assembly, step):
            time.sleep(PAUSE)


def committed(assembly: Assembly, step: Step) -> bool:
    """Publish a step; False when the database is away, or did not say what became of it."""
    try:
        with assembly.sessions.begin() as session:
            if step.in_sql:
                publish_in_sql(session, step)
            else:
                publish(session, *step.events)
    except (OperationalError, InterfaceError):
        return False
    return True


def publish_in_sql(session: Session, step: Step) -> None:
    """As an app does that speaks SQL alone; nobody rings for it."""
    for event in step.events:
        given = {
            "type": event.type,
            "data": json.dumps(event.data),
            "user": event.user_id,
            "id": event.id,
            "at": event.occurred_at,
            "source": event.source,
        }
        session.execute(IN_SQL, given)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), datetime.fromisoformat(sys.argv[3]))
