"""Providers are switched on or off in the database; handlers are retired by name."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# security_invoker: whoever reads the view is subject to the row security of the tables below it.
TABLES = """
CREATE TABLE insights.providers (
    name text PRIMARY KEY,
    is_on boolean,
    off_during tstzmultirange NOT NULL
);
ALTER TABLE insights.providers ENABLE ROW LEVEL SECURITY;
ALTER TABLE insights.handlers ADD COLUMN provider text REFERENCES insights.providers;

CREATE VIEW insights.handlers_on WITH (security_invoker = true) AS
SELECT h.name FROM insights.handlers h
LEFT JOIN insights.providers p ON p.name = h.provider
WHERE h.provider IS NULL OR p.is_on;
"""

FAN_OUT = """
CREATE OR REPLACE FUNCTION insights.fan_out() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    unknown text;
BEGIN
    SELECT n.type INTO unknown FROM new_events n
    WHERE NOT EXISTS (SELECT FROM insights.event_types t WHERE t.type = n.type) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'no event is called "%"', unknown
            USING ERRCODE = 'check_violation',
                  HINT = 'SELECT type FROM insights.event_types lists them; '
                         '`insights migrate` adds those of new code.';
    END IF;
    {insert}
    RETURN NULL;
END $$;
"""
# Materialized: who is on is looked up once per statement, not once per event.
TO_THOSE_ON = """
    WITH wanted AS MATERIALIZED (
        SELECT s.event_type, s.handler
        FROM insights.subscriptions s JOIN insights.handlers_on o ON o.name = s.handler
    )
    INSERT INTO insights.deliveries (handler, event_id)
    SELECT w.handler, n.id FROM new_events n JOIN wanted w ON w.event_type = n.type
    -- An event that an operator deleted may still be owed when its id is published again.
    ON CONFLICT DO NOTHING;
"""
TO_ALL = """
    INSERT INTO insights.deliveries (handler, event_id)
    SELECT s.handler, n.id
    FROM new_events n JOIN insights.subscriptions s ON s.event_type = n.type;
"""

DOWN = """
DROP VIEW insights.handlers_on;
ALTER TABLE insights.handlers DROP COLUMN provider;
DROP TABLE insights.providers;
"""


def upgrade() -> None:
    """Add the table of providers, and owe nothing to handlers whose provider is off."""
    for script in (TABLES, FAN_OUT.replace("{insert}", TO_THOSE_ON.strip())):
        op.get_bind().connection.cursor().execute(script)


def downgrade() -> None:
    """Owe events to all who follow them, as before 0009; which provider is on is forgotten."""
    for script in (FAN_OUT.replace("{insert}", TO_ALL.strip()), DOWN):
        op.get_bind().connection.cursor().execute(script)
