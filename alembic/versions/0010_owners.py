"""Who owns data sets, trainings and models; when trainings ended.

Both are kept by a trigger, so that every way to publish is covered, and outlive the events.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE insights.owners (
    kind text,
    id text,
    user_id uuid NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE TABLE insights.trainings (
    training_id text,
    user_id uuid,
    status text,
    ended_by uuid,
    PRIMARY KEY (training_id, user_id)
);
ALTER TABLE insights.owners ENABLE ROW LEVEL SECURITY;
ALTER TABLE insights.trainings ENABLE ROW LEVEL SECURITY;
"""

# A failed or cancelled training claims no id: whoever is refused somebody else's gets such events.
# Ids of another form come by plain INSERT alone; workers will not read those events either.
FUNCTIONS = """
CREATE FUNCTION insights.claimed_ids(type text, data jsonb) RETURNS TABLE (kind text, id text)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.kind, data ->> c.field
    FROM (VALUES
        ('dataset.uploaded', 'dataset', 'dataset_id'),
        ('training.requested', 'training', 'training_id'),
        ('training.requested', 'model', 'training_id'),
        ('training.started', 'training', 'training_id'),
        ('training.completed', 'training', 'training_id'),
        ('training.completed', 'model', 'model_id')
    ) AS c (type, kind, field)
    WHERE c.type = claimed_ids.type AND jsonb_typeof(data -> c.field) = 'string'
      AND length(data ->> c.field) BETWEEN 1 AND 100
$$;

CREATE FUNCTION insights.final_status(type text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT substring(type FROM '^training\\.(completed|failed|cancelled)$')
$$;

CREATE FUNCTION insights.keep_owners() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM new_events n WHERE n.type IN ('dataset.uploaded',
            'training.requested', 'training.started', 'training.completed', 'training.failed',
            'training.cancelled')) THEN
        RETURN NULL;
    END IF;
    INSERT INTO insights.owners (kind, id, user_id)
    SELECT DISTINCT ON (c.kind, c.id) c.kind, c.id, n.user_id
    FROM new_events n CROSS JOIN LATERAL insights.claimed_ids(n.type, n.data) c
    WHERE n.user_id IS NOT NULL
    ORDER BY c.kind, c.id, n.occurred_at, n.id
    ON CONFLICT DO NOTHING;
    INSERT INTO insights.trainings AS t (training_id, user_id, status, ended_by)
    SELECT DISTINCT ON (training_id, user_id) training_id, user_id, status,
           CASE WHEN status IS NOT NULL THEN id END
    FROM (
        SELECT n.data ->> 'training_id' AS training_id, n.user_id, n.id, n.occurred_at,
               insights.final_status(n.type) AS status
        FROM new_events n
        WHERE n.type IN ('training.requested', 'training.completed', 'training.failed',
                         'training.cancelled')
          AND n.user_id IS NOT NULL AND length(n.data ->> 'training_id') BETWEEN 1 AND 100
    ) AS told
    ORDER BY training_id, user_id, status IS NULL, occurred_at, id
    ON CONFLICT (training_id, user_id) DO UPDATE
    SET status = excluded.status, ended_by = excluded.ended_by
    WHERE t.ended_by IS NULL AND excluded.ended_by IS NOT NULL;
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION insights.claimed_ids, insights.final_status, insights.keep_owners
    FROM PUBLIC;
"""

# The trigger first: its lock keeps events from falling between it and what is read below.
TRIGGER = """
CREATE TRIGGER keep_owners AFTER INSERT ON insights.events
    REFERENCING NEW TABLE AS new_events
    FOR EACH STATEMENT EXECUTE FUNCTION insights.keep_owners();
"""

STORED_EVENTS = """
INSERT INTO insights.owners (kind, id, user_id)
SELECT DISTINCT ON (c.kind, c.id) c.kind, c.id, e.user_id
FROM insights.events e CROSS JOIN LATERAL insights.claimed_ids(e.type, e.data) c
WHERE e.type IN ('dataset.uploaded', 'training.requested', 'training.started',
                 'training.completed')
  AND e.user_id IS NOT NULL
ORDER BY c.kind, c.id, e.recorded_at, e.occurred_at, e.id;

INSERT INTO insights.trainings (training_id, user_id, status, ended_by)
SELECT DISTINCT ON (training_id, user_id) training_id, user_id, status,
       CASE WHEN status IS NOT NULL THEN id END
FROM (
    SELECT e.data ->> 'training_id' AS training_id, e.user_id, e.id, e.recorded_at, e.occurred_at,
           insights.final_status(e.type) AS status
    FROM insights.events e
    WHERE e.type IN ('training.requested', 'training.completed', 'training.failed',
                     'training.cancelled')
      AND e.user_id IS NOT NULL AND length(e.data ->> 'training_id') BETWEEN 1 AND 100
) AS told
ORDER BY training_id, user_id, status IS NULL, recorded_at, occurred_at, id;
"""

DOWN = """
DROP TRIGGER keep_owners ON insights.events;
DROP FUNCTION insights.keep_owners, insights.claimed_ids, insights.final_status;
DROP TABLE insights.owners, insights.trainings;
"""


def upgrade() -> None:
    """Create the tables and their trigger, and fill them from the events that are stored."""
    for script in (TABLES, FUNCTIONS, TRIGGER, STORED_EVENTS):
        op.get_bind().connection.cursor().execute(script)


def downgrade() -> None:
    """Forget who owns what; going up again finds what stored events still tell."""
    op.get_bind().connection.cursor().execute(DOWN)
