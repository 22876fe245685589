"""The engine: events, who follows them, and what is owed."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE insights.event_types (
    type text PRIMARY KEY,
    version integer NOT NULL,
    schema jsonb NOT NULL
);

CREATE TABLE insights.events (
    id uuid PRIMARY KEY,
    type text NOT NULL,
    source text NOT NULL,
    user_id uuid,
    data jsonb NOT NULL DEFAULT '{}',
    occurred_at timestamptz NOT NULL DEFAULT now(),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    correlation_id uuid,
    causation_id uuid,
    traceparent text
);
CREATE INDEX events_recorded_at ON insights.events USING brin (recorded_at);
CREATE INDEX events_of_training ON insights.events ((data ->> 'training_id'), occurred_at)
    WHERE type LIKE 'training.%';

CREATE TABLE insights.handlers (
    name text PRIMARY KEY,
    paused boolean NOT NULL DEFAULT false,
    failures_in_row integer NOT NULL DEFAULT 0,
    resume_at timestamptz
);

CREATE TABLE insights.subscriptions (
    event_type text NOT NULL REFERENCES insights.event_types ON DELETE CASCADE,
    handler text NOT NULL REFERENCES insights.handlers ON DELETE CASCADE,
    PRIMARY KEY (event_type, handler)
);

CREATE TABLE insights.deliveries (
    handler text NOT NULL,
    event_id uuid NOT NULL,
    due_at timestamptz NOT NULL DEFAULT now(),
    leases integer NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0,
    leased boolean NOT NULL DEFAULT false,
    died_at timestamptz,
    last_error text,
    PRIMARY KEY (handler, event_id)
) WITH (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0.0,
    autovacuum_vacuum_threshold = 20000,
    autovacuum_analyze_scale_factor = 0.0,
    autovacuum_analyze_threshold = 50000,
    autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX deliveries_due ON insights.deliveries (handler, due_at) WHERE died_at IS NULL;
CREATE INDEX deliveries_dead ON insights.deliveries (handler, died_at) WHERE died_at IS NOT NULL;
"""

FAN_OUT = """
CREATE FUNCTION insights.fan_out() RETURNS trigger
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
    INSERT INTO insights.deliveries (handler, event_id)
    SELECT s.handler, n.id
    FROM new_events n JOIN insights.subscriptions s ON s.event_type = n.type;
    RETURN NULL;
END $$;

CREATE TRIGGER fan_out AFTER INSERT ON insights.events
    REFERENCING NEW TABLE AS new_events
    FOR EACH STATEMENT EXECUTE FUNCTION insights.fan_out();
"""

PUBLISH = """
CREATE FUNCTION insights.check_data(type text, schema jsonb, data jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    field text;
BEGIN
    IF jsonb_typeof(data) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION '%: data must be a JSON object', type
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT required.name INTO field
    FROM jsonb_array_elements_text(schema -> 'required') required (name)
    WHERE data -> required.name IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%: the field "%" is missing', type, field
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT given.key INTO field FROM jsonb_each(data) given
    WHERE schema -> 'properties' -> given.key IS NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%: there is no field "%"', type, field
            USING ERRCODE = 'check_violation',
                  HINT = 'It has: ' || coalesce((
                      SELECT string_agg(k, ', ') FROM jsonb_object_keys(schema -> 'properties') k
                  ), 'none');
    END IF;
    SELECT given.key INTO field FROM jsonb_each(data) given
    WHERE NOT insights.fits(schema -> 'properties' -> given.key, given.value) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%: the field "%" is not of the form %', type, field,
            schema -> 'properties' -> field
            USING ERRCODE = 'check_violation';
    END IF;
END $$;

CREATE FUNCTION insights.fits(rule jsonb, value jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE rule ->> 'type'
        WHEN 'string' THEN CASE WHEN jsonb_typeof(value) = 'string' THEN
            length(value #>> '{}') <= coalesce((rule ->> 'maxLength')::int, 1000000)
            AND length(value #>> '{}') >= coalesce((rule ->> 'minLength')::int, 0)
            AND (rule ->> 'pattern' IS NULL OR value #>> '{}' ~ (rule ->> 'pattern'))
            ELSE false END
        WHEN 'integer' THEN CASE WHEN jsonb_typeof(value) = 'number' THEN
            (value #>> '{}')::numeric % 1 = 0 ELSE false END
        WHEN 'number' THEN jsonb_typeof(value) = 'number'
        WHEN 'object' THEN CASE WHEN jsonb_typeof(value) = 'object' THEN
            NOT EXISTS (SELECT FROM jsonb_each(value) AS entry (name, inner_value)
                        WHERE NOT insights.fits(rule -> 'additionalProperties', inner_value))
            ELSE false END
        WHEN 'array' THEN CASE WHEN jsonb_typeof(value) = 'array' THEN
            NOT EXISTS (SELECT FROM jsonb_array_elements(value) AS items (item)
                        WHERE NOT insights.fits(rule -> 'items', item))
            ELSE false END
        WHEN 'boolean' THEN jsonb_typeof(value) = 'boolean'
        WHEN 'null' THEN jsonb_typeof(value) = 'null'
        ELSE true
    END
    AND CASE WHEN jsonb_typeof(value) <> 'number' THEN true ELSE
        (value #>> '{}')::numeric >= coalesce((rule ->> 'minimum')::numeric, -1.79e308)
        AND (value #>> '{}')::numeric <= coalesce((rule ->> 'maximum')::numeric, 1.79e308)
        AND (value #>> '{}')::numeric
            > coalesce((rule ->> 'exclusiveMinimum')::numeric, '-Infinity')
        AND (value #>> '{}')::numeric
            < coalesce((rule ->> 'exclusiveMaximum')::numeric, 'Infinity')
    END
    AND CASE WHEN rule ? 'anyOf' THEN EXISTS (
        SELECT FROM jsonb_array_elements(rule -> 'anyOf') AS choices (choice)
        WHERE insights.fits(choice, value)) ELSE true END
    AND CASE WHEN rule ? 'enum' THEN EXISTS (
        SELECT FROM jsonb_array_elements(rule -> 'enum') AS allowed (word)
        WHERE word = value) ELSE true END
    AND CASE WHEN rule ? 'const' THEN rule -> 'const' = value ELSE true END
$$;

CREATE FUNCTION public.publish_event(
    type text,
    data jsonb DEFAULT '{}',
    user_id uuid DEFAULT NULL,
    id uuid DEFAULT NULL,
    occurred_at timestamptz DEFAULT NULL,
    source text DEFAULT 'sql'
) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    chosen uuid := coalesce(publish_event.id, gen_random_uuid());
    rules jsonb;
BEGIN
    SELECT t.schema INTO rules FROM insights.event_types t WHERE t.type = publish_event.type;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no event is called "%"', publish_event.type
            USING ERRCODE = 'check_violation',
                  HINT = 'SELECT type FROM insights.event_types lists them.';
    END IF;
    IF publish_event.user_id IS NULL AND (rules -> 'x-user-required') = 'true' THEN
        RAISE EXCEPTION '%: user_id is missing', publish_event.type
            USING ERRCODE = 'check_violation';
    END IF;
    IF length(publish_event.source) NOT BETWEEN 1 AND 200 THEN
        RAISE EXCEPTION '%: source must have 1 to 200 characters', publish_event.type
            USING ERRCODE = 'check_violation';
    END IF;
    IF publish_event.occurred_at NOT BETWEEN '0001-01-02 00:00Z' AND '9999-12-30 00:00Z' THEN
        RAISE EXCEPTION '%: occurred_at is no time that a calendar has', publish_event.type
            USING ERRCODE = 'check_violation';
    END IF;
    PERFORM insights.check_data(publish_event.type, rules, publish_event.data);
    INSERT INTO insights.events (id, type, source, user_id, data, occurred_at, correlation_id)
    VALUES (chosen, publish_event.type, publish_event.source, publish_event.user_id,
            publish_event.data, coalesce(publish_event.occurred_at, now()), chosen)
    ON CONFLICT DO NOTHING;
    RETURN chosen;
END $$;
"""

# Supabase grants everything new in public to its browser roles and every function to PUBLIC.
RIGHTS = """
ALTER TABLE insights.alembic_version ENABLE ROW LEVEL SECURITY;
ALTER TABLE insights.event_types ENABLE ROW LEVEL SECURITY;
ALTER TABLE insights.events ENABLE ROW LEVEL SECURITY;
ALTER TABLE insights.handlers ENABLE ROW LEVEL SECURITY;
ALTER TABLE insights.subscriptions ENABLE ROW LEVEL SECURITY;
ALTER TABLE insights.deliveries ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON SCHEMA insights FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA insights FROM PUBLIC;

CREATE FUNCTION insights.for_service_only(signature text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    role text;
BEGIN
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', signature);
    FOR role IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM %I', signature, role);
    END LOOP;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role') THEN
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO service_role', signature);
    END IF;
END $$;
REVOKE ALL ON FUNCTION insights.for_service_only FROM PUBLIC;

SELECT insights.for_service_only(
    'public.publish_event(text, jsonb, uuid, uuid, timestamptz, text)');
"""

DOWN = """
DROP FUNCTION public.publish_event;
DROP FUNCTION insights.check_data, insights.fits, insights.for_service_only;
DROP TABLE insights.deliveries, insights.subscriptions, insights.handlers,
    insights.events, insights.event_types;
DROP FUNCTION insights.fan_out;
"""


def upgrade() -> None:
    """Create the engine's tables, the fan-out and the SQL way to publish."""
    for script in (TABLES, FAN_OUT, PUBLISH, RIGHTS):
        op.get_bind().connection.cursor().execute(script)


def downgrade() -> None:
    """Drop the engine; what is owed and what happened are gone."""
    op.get_bind().connection.cursor().execute(DOWN)
