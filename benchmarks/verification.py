"""Verifies that every effect in the database happened exactly once: else its speed means nothing.

The statements hold at any moment, also while much is owed, because the effect and the deletion of
its delivery commit together.
"""

from collections.abc import Sequence

from sqlalchemy import text

from benchmarks.deployment import Deployment
from benchmarks.errors import BenchFailed

# Events without a delivery are handled; their number must be what each handler counted.
WRONG_COUNTERS = text("""
    WITH handled AS (
        SELECT h.name AS handler, e.user_id, count(*) AS n
        FROM unnest(CAST(:handlers AS text[])) AS h (name) CROSS JOIN insights.events e
        WHERE e.type = 'prediction.made' AND NOT EXISTS (
            SELECT FROM insights.delivery_states d WHERE d.handler = h.name AND d.event_id = e.id)
        GROUP BY h.name, e.user_id
    ), counted AS (
        SELECT handler, user_id, count AS n FROM bench.activity
        UNION ALL SELECT 'usage', user_id, predictions_this_month FROM public.usage_limits
    )
    SELECT count(*) FROM handled FULL JOIN counted USING (handler, user_id)
    WHERE handled.n IS DISTINCT FROM counted.n
""")
# Counters could be right by chance; the ledger says which events were counted.
WRONG_LEDGER = text("""
    WITH handled AS (
        SELECT e.id, e.user_id FROM insights.events e
        WHERE e.type = 'prediction.made' AND NOT EXISTS (
            SELECT FROM insights.delivery_states d WHERE d.handler = 'usage' AND d.event_id = e.id)
    )
    SELECT count(*) FROM handled FULL JOIN insights.usage_ledger l ON l.event_id = handled.id
    WHERE handled.id IS NULL OR l.amount IS DISTINCT FROM 1 OR l.user_id <> handled.user_id
""")
# No event of a measurement can fail.
DEAD = text("SELECT count(*) FROM insights.delivery_states WHERE died_at IS NOT NULL")


def verify_effects(deployment: Deployment, handlers: Sequence[str]) -> None:
    """Compare what was handled with what was counted. Raises BenchFailed where they differ."""
    # One snapshot for all three statements: handling may go on meanwhile.
    engine = deployment.assembly.engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.begin() as connection:
        wrong = {
            "counters": connection.scalar(WRONG_COUNTERS, {"handlers": list(handlers)}),
            "rows of the ledger": connection.scalar(WRONG_LEDGER),
            "dead letters": connection.scalar(DEAD),
        }
    found = ", ".join(f"{count} {what}" for what, count in wrong.items() if count)
    if found:
        raise BenchFailed(f"Effects were counted wrong: {found}.")
