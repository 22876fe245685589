"""Publishes a load: `python -m ...load.publisher SEED SECONDS START [RATE FIRST LAST]`.

START is an ISO time; the last three are of the steady part, if there is one. The process ends when
every step is committed.
"""

import json
import sys
import time
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from benchmarks.chaos.load.step import Step
from benchmarks.chaos.load.steps import SteadyPart, make_load
from events import publish
from models.database_errors import trouble_of
from runtime.assembly import Assembly
from settings import load_settings

RETRY_INTERVAL = 0.2  # s; a crashed PostgreSQL is back after about as long
# The SQL function that other apps call, so that this way of publishing is under test too.
PUBLISH_IN_SQL = text("""
    SELECT publish_event(:type, CAST(:data AS jsonb), CAST(:user AS uuid), CAST(:id AS uuid),
                         CAST(:at AS timestamptz), :source)
""")


def main(seed: int, seconds: float, start: datetime, steady: SteadyPart | None) -> None:
    """Publish each step at its time, or as soon as the database answers after it."""
    assembly = Assembly(load_settings())
    for step in make_load(seed, seconds, start, steady).steps:
        time.sleep(max(0.0, step.at - (datetime.now(UTC) - start).total_seconds()))
        # Events keep their ids, so a step whose commit was not acknowledged is safely repeated.
        while not try_to_commit(assembly, step):
            time.sleep(RETRY_INTERVAL)


def try_to_commit(assembly: Assembly, step: Step) -> bool:
    """Publish a step; False when the database cannot take it or did not acknowledge the commit."""
    try:
        with assembly.sessions.begin() as session:
            if step.in_sql:
                publish_in_sql(session, step)
            else:
                publish(session, *step.events)
    except DBAPIError as error:
        if trouble_of(error) is None:
            raise
        return False
    return True


def publish_in_sql(session: Session, step: Step) -> None:
    """Publish as an app that only speaks SQL does: no doorbell rings after the commit."""
    for event in step.events:
        given = {
            "type": event.type,
            "data": json.dumps(event.data),
            "user": event.user_id,
            "id": event.id,
            "at": event.occurred_at,
            "source": event.source,
        }
        session.execute(PUBLISH_IN_SQL, given)


if __name__ == "__main__":
    given_seed, given_seconds, given_start, *steady_part = sys.argv[1:]
    main(
        int(given_seed),
        float(given_seconds),
        datetime.fromisoformat(given_start),
        SteadyPart(*map(float, steady_part)) if steady_part else None,
    )
