"""Whether every effect happened exactly once: an engine that counts wrong has no speed."""

from collections.abc import Sequence

from sqlalchemy import text

from benchmarks.errors import BenchFailed
from benchmarks.site import Site

# These hold at any moment, also while much is owed: effect and deletion commit together.
COUNTERS = text("""
    WITH handled AS (
        SELECT h.name AS handler, e.user_id, count(*) AS n
        FROM unnest(CAST(:handlers AS text[])) AS h (name) CROSS JOIN insights.events e
        WHERE e.type = 'prediction.made' AND NOT EXISTS (
            SELECT FROM insights.deliveries d WHERE d.handler = h.name AND d.event_id = e.id)
        GROUP BY h.name, e.user_id
    ), counted AS (
        SELECT handler, user_id, count AS n FROM bench.activity
        UNION ALL SELECT 'usage', user_id, predictions_this_month FROM public.usage_limits
    )
    SELECT count(*) FROM handled FULL JOIN counted USING (handler, user_id)
    WHERE handled.n IS DISTINCT FROM counted.n
""")
LEDGER = text("""
    WITH handled AS (
        SELECT e.id, e.user_id FROM insights.events e
        WHERE e.type = 'prediction.made' AND NOT EXISTS (
            SELECT FROM insights.deliveries d WHERE d.handler = 'usage' AND d.event_id = e.id)
    )
    SELECT count(*) FROM handled FULL JOIN insights.usage_ledger l ON l.event_id = handled.id
    WHERE handled.id IS NULL OR l.amount IS DISTINCT FROM 1 OR l.user_id <> handled.user_id
""")
DEAD = text("SELECT count(*) FROM insights.deliveries WHERE died_at IS NOT NULL")


def balance(site: Site, handlers: Sequence[str]) -> None:
    """Compare what was handled with what was counted. Raises BenchFailed where they differ."""
    engine = site.assembly.engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.begin() as connection:
        wrong = {
            "counters": connection.scalar(COUNTERS, {"handlers": list(handlers)}),
            "rows of the ledger": connection.scalar(LEDGER),
            "dead letters": connection.scalar(DEAD),
        }
    found = ", ".join(f"{count} {what}" for what, count in wrong.items() if count)
    if found:
        raise BenchFailed(f"The books do not balance. Wrong: {found}.")
