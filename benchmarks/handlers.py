"""Three more handlers for every counted event, so that each event has four to satisfy."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from events import Event, PredictionMade
from handlers import Handler, transactional
from models import arrays

ADD = text("""
    INSERT INTO bench.activity AS a (handler, user_id, count)
    SELECT :handler, u.id, u.count
    FROM unnest(CAST(:users AS uuid[]), CAST(:counts AS integer[])) AS u (id, count)
    ORDER BY u.id
    ON CONFLICT (handler, user_id) DO UPDATE SET count = a.count + excluded.count
""")


def counting(name: str) -> Handler:
    """A handler that counts, per user, the events that it saw."""

    @transactional(name, PredictionMade, batch=500)
    def count(events: Sequence[Event], session: Session) -> None:
        counts = Counter(event.user_id for event in events)
        given = {
            "handler": name,
            "users": arrays.uuids(counts),
            "counts": arrays.plain(counts.values()),
        }
        session.execute(ADD, given)

    return count


bench_a, bench_b, bench_c = counting("bench_a"), counting("bench_b"), counting("bench_c")
