"""Views give three facts one home: a delivery's state, what may be pruned, an event as it is read.

The table `milestones` goes: the send log holds what it held, and no release used it.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# security_invoker: whoever reads a view is subject to the row security of the tables below it.
UP = """
CREATE VIEW insights.delivery_states WITH (security_invoker = true) AS
SELECT d.handler, d.event_id, d.due_at, d.leases, d.attempts, d.setbacks, d.died_at, d.last_error,
       CASE WHEN d.died_at IS NOT NULL THEN 'dead'
            WHEN d.due_at <= now() THEN 'due'
            WHEN d.leased THEN 'leased'
            ELSE 'waiting' END AS state
FROM insights.deliveries d;

CREATE VIEW insights.prunable_events WITH (security_invoker = true) AS
SELECT e.id, e.recorded_at FROM insights.events e
WHERE e.type NOT IN (SELECT t.type FROM insights.event_types t WHERE t.schema -> 'x-kept' = 'true')
  AND NOT EXISTS (
    SELECT FROM insights.deliveries d
    WHERE d.event_id = e.id AND d.handler IN (SELECT h.name FROM insights.handlers h));

CREATE VIEW insights.event_bodies WITH (security_invoker = true) AS
SELECT e.id, e.type, concat(
    left(CAST(e.data AS text), -1), CASE WHEN e.data <> '{}' THEN ',' END,
    '"id":"', e.id, '","occurred_at":', to_json(e.occurred_at), ',"source":', to_json(e.source),
    ',"user_id":', coalesce(to_json(e.user_id), 'null'),
    ',"correlation_id":', coalesce(to_json(e.correlation_id), 'null'),
    ',"causation_id":', coalesce(to_json(e.causation_id), 'null'),
    ',"traceparent":', coalesce(to_json(e.traceparent), 'null'), '}') AS body
FROM insights.events e;

DROP TABLE insights.milestones;
"""

DOWN = """
CREATE TABLE insights.milestones (
    user_id uuid,
    name text,
    reached_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, name)
);
ALTER TABLE insights.milestones ENABLE ROW LEVEL SECURITY;
DROP VIEW insights.delivery_states, insights.prunable_events, insights.event_bodies;
"""


def upgrade() -> None:
    """Create the views; no row is read or written."""
    op.get_bind().connection.cursor().execute(UP)


def downgrade() -> None:
    """Drop the views, and make the empty table that 0005 fills again."""
    op.get_bind().connection.cursor().execute(DOWN)
