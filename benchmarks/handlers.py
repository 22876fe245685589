"""Three more handlers of predictions, so that four handlers follow from each event of a drain."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from events import Event, PredictionMade
from handlers import Handler, transactional
from models import arrays

# In one statement for the whole batch; in the order of ids, so that workers do not deadlock.
ADD_COUNTS = text("""
    INSERT INTO bench.activity AS a (handler, user_id, count)
    SELECT :handler, u.id, u.count
    FROM unnest(CAST(:users AS uuid[]), CAST(:counts AS integer[])) AS u (id, count)
    ORDER BY u.id
    ON CONFLICT (handler, user_id) DO UPDATE SET count = a.count + excluded.count
""")


def counting_handler(name: str) -> Handler:
    """A handler that counts, per user, the events that it saw."""

    @transactional(name, PredictionMade, batch=500)
    def count(events: Sequence[Event], session: Session) -> None:
        counts = Counter(event.user_id for event in events)
        parameters = {
            "handler": name,
            "users": arrays.uuids(counts),
            "counts": arrays.plain(counts.values()),
        }
        session.execute(ADD_COUNTS, parameters)

    return count


bench_a = counting_handler("bench_a")
bench_b = counting_handler("bench_b")
bench_c = counting_handler("bench_c")
# The handlers of a drain; `usage` is the product's.
DRAIN_HANDLERS = ("usage", bench_a.name, bench_b.name, bench_c.name)
