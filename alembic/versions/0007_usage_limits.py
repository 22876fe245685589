"""Usage: marks per limit, counters that hold more, data sets counted once per id, lines that age.

Events get an index by age and a check of their time; publishers in SQL get ids in order of time.
"""

from typing import Any

from alembic import context, op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# The index replaces a BRIN, which reads ever more of the table once its pages are used again.
# The trigger's condition is evaluated without a call, so that right times cost nothing.
EVENTS = """
DROP INDEX insights.events_recorded_at;
CREATE INDEX events_by_age ON insights.events (recorded_at, id);

-- OFFSET 0: what is owed for an event is looked up in the primary key, handler by handler. As a
-- join it was planned as a scan of all that is owed, where statistics were old.
CREATE OR REPLACE VIEW insights.prunable_events WITH (security_invoker = true) AS
SELECT e.id, e.recorded_at FROM insights.events e
WHERE e.type NOT IN (SELECT t.type FROM insights.event_types t WHERE t.schema -> 'x-kept' = 'true')
  AND NOT EXISTS (
    SELECT FROM insights.handlers h
    WHERE EXISTS (SELECT FROM insights.deliveries d
                  WHERE d.handler = h.name AND d.event_id = e.id OFFSET 0));

CREATE FUNCTION insights.refuse_time() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.occurred_at BETWEEN '0001-01-02 00:00Z' AND '9999-12-30 00:00Z' THEN
        RAISE EXCEPTION '%: occurred_at is %, more than a day ahead of now (%)',
            NEW.type, NEW.occurred_at, now()
            USING ERRCODE = 'check_violation',
                  HINT = 'An event says what has happened: look at the clock of its publisher.';
    END IF;
    RAISE EXCEPTION '%: occurred_at is no time that a calendar has', NEW.type
        USING ERRCODE = 'check_violation',
              HINT = 'Leave it out where it is not known: it is now by default.';
END $$;
CREATE TRIGGER refuse_time BEFORE INSERT ON insights.events FOR EACH ROW
    WHEN (NEW.occurred_at NOT BETWEEN '0001-01-02 00:00Z' AND now() + interval '1 day')
    EXECUTE FUNCTION insights.refuse_time();

-- RFC 9562: 48 bits of milliseconds, then what a version 4 has, with the version's bits set to 7.
-- PostgreSQL has this itself from version 18 on.
CREATE FUNCTION insights.uuid7() RETURNS uuid
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT encode(set_bit(set_bit(overlay(
        uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;

CREATE OR REPLACE FUNCTION public.publish_event(
    type text,
    data jsonb DEFAULT '{}',
    user_id uuid DEFAULT NULL,
    id uuid DEFAULT NULL,
    occurred_at timestamptz DEFAULT NULL,
    source text DEFAULT 'sql'
) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    chosen uuid := coalesce(publish_event.id, insights.uuid7());
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
    PERFORM insights.check_data(publish_event.type, rules, publish_event.data);
    INSERT INTO insights.events (id, type, source, user_id, data, occurred_at, correlation_id)
    VALUES (chosen, publish_event.type, publish_event.source, publish_event.user_id,
            publish_event.data, coalesce(publish_event.occurred_at, now()), chosen)
    ON CONFLICT DO NOTHING;
    RETURN chosen;
END $$;
"""

# A data set is there when its newest upload is newer than its newest deletion: so any order and
# any repetition of the events ends the same. `change` is what the last write changed in the
# count, because RETURNING shows no old values before PostgreSQL 18.
DATASETS = """
CREATE FUNCTION insights.is_there(uploaded_at timestamptz, deleted_at timestamptz) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(uploaded_at > deleted_at, uploaded_at IS NOT NULL)
$$;

CREATE TABLE insights.usage_datasets (
    user_id uuid,
    dataset_id text,
    first_at timestamptz,
    uploaded_at timestamptz,
    deleted_at timestamptz,
    is_there boolean GENERATED ALWAYS AS (insights.is_there(uploaded_at, deleted_at)) STORED,
    change smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, dataset_id)
);
ALTER TABLE insights.usage_datasets ENABLE ROW LEVEL SECURITY;

ALTER TABLE insights.usage_ledger
    ALTER COLUMN amount TYPE bigint,
    ADD COLUMN unnamed bigint NOT NULL DEFAULT 0,
    ADD COLUMN is_sum boolean NOT NULL DEFAULT false;
CREATE INDEX usage_ledger_lines ON insights.usage_ledger (month) WHERE NOT is_sum;
CREATE UNIQUE INDEX usage_ledger_sums ON insights.usage_ledger (user_id, month, resource)
    WHERE is_sum;

INSERT INTO insights.usage_datasets (user_id, dataset_id, first_at, uploaded_at, deleted_at)
SELECT l.user_id, e.data ->> 'dataset_id',
       min(e.occurred_at) FILTER (WHERE l.amount > 0),
       max(e.occurred_at) FILTER (WHERE l.amount > 0),
       max(e.occurred_at) FILTER (WHERE l.amount < 0)
FROM insights.usage_ledger l JOIN insights.events e ON e.id = l.event_id
WHERE l.resource = 'datasets' AND e.data ->> 'dataset_id' IS NOT NULL
GROUP BY 1, 2 HAVING bool_or(l.amount > 0);

-- What cannot be told to be of a data set goes on as a plain counter.
UPDATE insights.usage_ledger l SET unnamed = l.amount
WHERE l.resource = 'datasets' AND NOT EXISTS (
    SELECT FROM insights.events e JOIN insights.usage_datasets d
        ON d.user_id = l.user_id AND d.dataset_id = e.data ->> 'dataset_id'
    WHERE e.id = l.event_id);
"""

LIMITS = """
ALTER TABLE public.usage_limits
    ALTER COLUMN datasets_count TYPE bigint,
    ALTER COLUMN trainings_this_month TYPE bigint,
    ALTER COLUMN predictions_this_month TYPE bigint;
UPDATE public.usage_limits u SET datasets_count = u.datasets_count + wrong.by
FROM (
    SELECT l.user_id, (
        SELECT count(*) FROM insights.usage_datasets d WHERE d.user_id = l.user_id AND d.is_there
    ) - sum(l.amount - l.unnamed)::bigint AS by
    FROM insights.usage_ledger l WHERE l.resource = 'datasets' GROUP BY l.user_id
) wrong
WHERE wrong.user_id = u.user_id AND wrong.by <> 0;

-- A mark of before was passed at the limit that its event names; without that event, at the limit
-- of the plan as it is now.
ALTER TABLE insights.usage_marks ADD COLUMN "limit" bigint NOT NULL DEFAULT 0;
UPDATE insights.usage_marks m SET "limit" = coalesce((
    SELECT (e.data ->> 'limit')::bigint FROM insights.events e
    WHERE e.user_id = m.user_id AND e.type IN ('usage.threshold_reached', 'usage.limit_exceeded')
      AND e.data ->> 'resource' = m.resource AND e.data ->> 'month' = m.month
      AND coalesce(e.data ->> 'threshold', 'exceeded') = m.mark
    ORDER BY e.recorded_at DESC LIMIT 1
), (
    SELECT p."limit" FROM insights.plan_limits p
    WHERE p.resource = m.resource AND p.plan = coalesce(
        (SELECT f.plan::text FROM public.profiles f WHERE f.id = m.user_id), 'free')
), 0);
ALTER TABLE insights.usage_marks DROP CONSTRAINT usage_marks_pkey,
    ADD PRIMARY KEY (user_id, resource, month, "limit", mark);

-- The send log knows warnings by their limit too, so that none of before is sent again. What was
-- tried without an answer had another key at Loops: an operator decides, as after a day.
UPDATE insights.emails m
SET held_at = CASE WHEN m.sent_at IS NULL AND m.tried_at IS NOT NULL
                   THEN coalesce(m.held_at, now()) END,
    about = concat(e.data ->> 'resource', ' ', e.data ->> 'month', ' of ', e.data ->> 'limit',
                   CASE WHEN e.data ->> 'threshold' <> '80' THEN ' ' END,
                   nullif(e.data ->> 'threshold', '80'))
FROM insights.events e WHERE m.template = 'limit_warning' AND e.id = m.event_id;
"""

# One statement counts; totals of the row's own month come back from the row, under its lock.
# A late month's total is added up afterwards, when that lock shows every other count; a late
# data set is there in every later month too. A row that is new goes on from the ledger, which
# outlives the profile; no other batch can have counted into it yet.
COUNT = """
DROP FUNCTION insights.count_usage(uuid[], uuid[], text[], integer[], timestamptz[]);
DROP FUNCTION insights.mark_usage(insights.usage_total[]);
ALTER TYPE insights.usage_total ALTER ATTRIBUTE used TYPE bigint;

CREATE FUNCTION insights.datasets_of(of_user uuid) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (SELECT count(*) FROM insights.usage_datasets d WHERE d.user_id = of_user AND d.is_there)
         + (SELECT coalesce(sum(l.unnamed), 0)::bigint FROM insights.usage_ledger l
            WHERE l.user_id = of_user AND l.resource = 'datasets')
$$;

CREATE FUNCTION insights.datasets_at_end(of_user uuid, of_month text) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.datasets_count
         - (SELECT coalesce(sum(l.unnamed), 0)::bigint FROM insights.usage_ledger l
            WHERE l.user_id = of_user AND l.month > of_month AND l.resource = 'datasets')
         - (SELECT count(*) FROM insights.usage_datasets d
            WHERE d.user_id = of_user AND d.is_there
              AND to_char(d.first_at AT TIME ZONE 'UTC', 'YYYY-MM') > of_month)
         + (SELECT count(*) FROM insights.usage_datasets d
            WHERE d.user_id = of_user AND NOT d.is_there
              AND to_char(d.first_at AT TIME ZONE 'UTC', 'YYYY-MM') <= of_month
              AND to_char(d.deleted_at AT TIME ZONE 'UTC', 'YYYY-MM') > of_month)
    FROM public.usage_limits u WHERE u.user_id = of_user
$$;

CREATE FUNCTION insights.count_usage(
    event_ids uuid[], user_ids uuid[], resources text[], amounts bigint[], times timestamptz[],
    dataset_ids text[] DEFAULT NULL
) RETURNS SETOF insights.usage_total
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    totals insights.usage_total[];
    fresh uuid[];
BEGIN
    WITH uses AS (
        SELECT e.event_id, e.user_id, e.resource, e.amount, e.occurred_at,
               to_char(e.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month,
               CASE WHEN e.resource = 'datasets' THEN coalesce(e.dataset_id, (
                   SELECT v.data ->> 'dataset_id' FROM insights.events v WHERE v.id = e.event_id)
               ) END AS dataset_id
        FROM unnest(event_ids, user_ids, resources, amounts, times, dataset_ids)
            AS e (event_id, user_id, resource, amount, occurred_at, dataset_id)
        JOIN public.profiles p ON p.id = e.user_id
    ), counted AS (
        INSERT INTO insights.usage_ledger AS l (event_id, user_id, resource, amount, month, unnamed)
        SELECT s.event_id, s.user_id, s.resource, s.amount, s.month,
               CASE WHEN s.resource = 'datasets' AND s.dataset_id IS NULL THEN s.amount ELSE 0 END
        FROM uses s
        ON CONFLICT (event_id) DO NOTHING
        RETURNING l.event_id, l.user_id, l.resource, l.amount, l.month, l.unnamed
    ), named AS (
        SELECT s.user_id, s.dataset_id,
               min(s.occurred_at) FILTER (WHERE s.amount > 0) AS first_at,
               max(s.occurred_at) FILTER (WHERE s.amount > 0) AS uploaded_at,
               max(s.occurred_at) FILTER (WHERE s.amount < 0) AS deleted_at
        FROM uses s JOIN counted c ON c.event_id = s.event_id
        WHERE s.dataset_id IS NOT NULL
        GROUP BY s.user_id, s.dataset_id
    ), datasets AS (
        INSERT INTO insights.usage_datasets AS d
            (user_id, dataset_id, first_at, uploaded_at, deleted_at, change)
        SELECT n.user_id, n.dataset_id, n.first_at, n.uploaded_at, n.deleted_at,
               insights.is_there(n.uploaded_at, n.deleted_at)::int
        FROM named n ORDER BY n.user_id, n.dataset_id
        ON CONFLICT (user_id, dataset_id) DO UPDATE SET
            first_at = least(d.first_at, excluded.first_at),
            uploaded_at = greatest(d.uploaded_at, excluded.uploaded_at),
            deleted_at = greatest(d.deleted_at, excluded.deleted_at),
            change = insights.is_there(
                greatest(d.uploaded_at, excluded.uploaded_at),
                greatest(d.deleted_at, excluded.deleted_at))::int - d.is_there::int
        RETURNING d.user_id, d.change
    ), changed AS (
        SELECT d.user_id, sum(d.change)::bigint AS datasets FROM datasets d GROUP BY d.user_id
    ), per_month AS (
        SELECT c.user_id, c.month, sum(c.unnamed)::bigint AS unnamed,
               coalesce(sum(c.amount) FILTER (WHERE c.resource = 'trainings'), 0)::bigint
                   AS trainings,
               coalesce(sum(c.amount) FILTER (WHERE c.resource = 'predictions'), 0)::bigint
                   AS predictions
        FROM counted c GROUP BY c.user_id, c.month
    ), newest AS (
        SELECT m.user_id, max(m.month) AS month, sum(m.unnamed)::bigint AS unnamed
        FROM per_month m GROUP BY m.user_id
    ), limits AS (
        INSERT INTO public.usage_limits AS u (user_id, datasets_count, trainings_this_month,
                                              predictions_this_month, month_year)
        SELECT n.user_id, n.unnamed + coalesce(c.datasets, 0), m.trainings, m.predictions, n.month
        FROM newest n JOIN per_month m ON m.user_id = n.user_id AND m.month = n.month
        LEFT JOIN changed c ON c.user_id = n.user_id
        ORDER BY n.user_id
        ON CONFLICT (user_id) DO UPDATE SET
            datasets_count = u.datasets_count + excluded.datasets_count,
            trainings_this_month = excluded.trainings_this_month
                * (excluded.month_year >= u.month_year)::int
                + u.trainings_this_month * (excluded.month_year <= u.month_year)::int,
            predictions_this_month = excluded.predictions_this_month
                * (excluded.month_year >= u.month_year)::int
                + u.predictions_this_month * (excluded.month_year <= u.month_year)::int,
            month_year = greatest(u.month_year, excluded.month_year),
            updated_at = now()
        -- A row that was there has the lock of this statement as its xmax.
        RETURNING u.*, u.xmax = 0 AS is_new
    ), gained AS (
        SELECT m.user_id, r.resource, m.month
        FROM per_month m CROSS JOIN LATERAL (VALUES
            ('datasets', m.unnamed), ('trainings', m.trainings), ('predictions', m.predictions)
        ) AS r (resource, added)
        WHERE r.added > 0
        UNION ALL
        SELECT n.user_id, 'datasets', to_char(n.first_at AT TIME ZONE 'UTC', 'YYYY-MM')
        FROM named n WHERE n.first_at IS NOT NULL
    )
    SELECT array_agg((g.user_id, g.resource, g.month,
               CASE WHEN u.month_year = g.month AND NOT u.is_new THEN
                   CASE g.resource WHEN 'datasets' THEN u.datasets_count
                                   WHEN 'trainings' THEN u.trainings_this_month
                                   ELSE u.predictions_this_month END
               END)::insights.usage_total) FILTER (WHERE g.user_id IS NOT NULL),
           array_agg(DISTINCT u.user_id) FILTER (WHERE u.is_new)
    INTO totals, fresh
    FROM limits u LEFT JOIN gained g ON g.user_id = u.user_id;

    IF fresh IS NOT NULL THEN
        UPDATE public.usage_limits u SET
            datasets_count = insights.datasets_of(u.user_id),
            trainings_this_month = s.trainings, predictions_this_month = s.predictions,
            month_year = s.month
        FROM (
            SELECT l.user_id, n.month,
                   coalesce(sum(l.amount) FILTER (WHERE l.resource = 'trainings'), 0)::bigint
                       AS trainings,
                   coalesce(sum(l.amount) FILTER (WHERE l.resource = 'predictions'), 0)::bigint
                       AS predictions
            FROM (
                SELECT f.user_id, max(f.month) AS month FROM insights.usage_ledger f
                WHERE f.user_id = ANY (fresh) GROUP BY f.user_id
            ) n JOIN insights.usage_ledger l ON l.user_id = n.user_id AND l.month = n.month
            GROUP BY l.user_id, n.month
        ) s
        WHERE u.user_id = s.user_id
          AND (u.datasets_count, u.trainings_this_month, u.predictions_this_month, u.month_year)
            IS DISTINCT FROM (insights.datasets_of(u.user_id), s.trainings, s.predictions, s.month);
    END IF;

    RETURN QUERY
    SELECT t.user_id, t.resource, t.month, coalesce(t.used, (
        SELECT sum(l.amount)::bigint FROM insights.usage_ledger l
        WHERE l.user_id = t.user_id AND l.month = t.month AND l.resource = t.resource))
    FROM unnest(totals) t WHERE t.used IS NOT NULL OR t.resource <> 'datasets'
    UNION ALL
    SELECT t.user_id, t.resource, m.month, insights.datasets_at_end(t.user_id, m.month)
    FROM unnest(totals) t
    CROSS JOIN LATERAL (
        SELECT DISTINCT l.month FROM insights.usage_ledger l
        WHERE l.user_id = t.user_id AND l.month >= t.month AND l.resource = t.resource
          AND l.amount > 0) m
    WHERE t.used IS NULL AND t.resource = 'datasets';
END $$;

-- Releases of before give no second argument: their events' ids do not name the limit, so a mark
-- at a second limit would be noted and never published. It is left to those that can.
CREATE FUNCTION insights.mark_usage(
    totals insights.usage_total[], names_limit boolean DEFAULT false
) RETURNS TABLE (
    user_id uuid, resource text, month text, mark text, used bigint, "limit" integer)
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    WITH reached AS (
        SELECT DISTINCT t.user_id, t.resource, t.month, m.mark, t.used, p."limit"
        FROM unnest(totals) t
        JOIN public.profiles profile ON profile.id = t.user_id
        JOIN insights.plan_limits p
            ON p.plan = coalesce(profile.plan::text, 'free') AND p.resource = t.resource
        CROSS JOIN LATERAL (VALUES
            ('80', t.used >= p."limit" * 0.8),
            ('100', t.used >= p."limit"),
            ('exceeded', t.used > p."limit")
        ) AS m (mark, reached)
        WHERE m.reached AND (names_limit OR NOT EXISTS (
            SELECT FROM insights.usage_marks o
            WHERE (o.user_id, o.resource, o.month, o.mark)
                = (t.user_id, t.resource, t.month, m.mark) AND o."limit" <> p."limit"))
    ), marked AS (
        INSERT INTO insights.usage_marks AS k (user_id, resource, month, "limit", mark)
        SELECT r.user_id, r.resource, r.month, r."limit", r.mark FROM reached r
        ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT DO NOTHING
        RETURNING k.*
    )
    SELECT r.* FROM reached r JOIN marked k
    ON (k.user_id, k.resource, k.month, k."limit", k.mark)
        = (r.user_id, r.resource, r.month, r."limit", r.mark)
$$;
"""

# `check_limit` and `increment_usage` keep their signatures: policies of a platform may use them.
# What remains is no more than a plan's limit, which is an integer.
RPC = """
DROP FUNCTION insights.used(uuid, text);
CREATE FUNCTION insights.used(p_user_id uuid, p_resource text) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT greatest(0, coalesce(CASE
        WHEN p_resource = 'datasets'
            THEN coalesce(u.datasets_count, insights.datasets_of(p_user_id))
        WHEN u.month_year < this.month THEN 0
        WHEN u.month_year = this.month AND p_resource = 'trainings' THEN u.trainings_this_month
        WHEN u.month_year = this.month THEN u.predictions_this_month
        ELSE (
            SELECT sum(l.amount)::bigint FROM insights.usage_ledger l
            WHERE l.user_id = p_user_id AND l.month = this.month AND l.resource = p_resource)
    END, 0))
    FROM (SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM')) AS this (month)
    LEFT JOIN public.usage_limits u ON u.user_id = p_user_id
$$;

CREATE OR REPLACE FUNCTION public.check_limit(p_user_id uuid, p_resource text)
RETURNS TABLE (allowed boolean, remaining integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM insights.check_resource(p_resource);
    RETURN QUERY
        SELECT l."limit" IS NULL OR used.n < l."limit",
               CASE WHEN l."limit" IS NOT NULL THEN greatest(0, l."limit" - used.n)::integer END
        FROM insights.plan_limits l, (SELECT insights.used(p_user_id, p_resource) AS n) used
        WHERE l.resource = p_resource AND l.plan = coalesce(
            (SELECT p.plan::text FROM public.profiles p WHERE p.id = p_user_id), 'free');
END $$;

CREATE OR REPLACE FUNCTION public.increment_usage(
    p_user_id uuid, p_resource text, p_amount integer
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reached record;
    totals insights.usage_total[];
BEGIN
    PERFORM insights.check_resource(p_resource);
    IF p_amount IS NULL OR (p_amount < 0 AND p_resource <> 'datasets') THEN
        RAISE EXCEPTION '% cannot be given back; p_amount must be 0 or more', p_resource
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT EXISTS (SELECT FROM public.profiles p WHERE p.id = p_user_id) THEN
        RAISE EXCEPTION 'no profile has the id %', p_user_id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    totals := ARRAY(SELECT t::insights.usage_total FROM insights.count_usage(
        ARRAY[insights.uuid7()], ARRAY[p_user_id], ARRAY[p_resource], ARRAY[p_amount],
        ARRAY[now()]) t);
    FOR reached IN SELECT * FROM insights.mark_usage(totals, true) LOOP
        PERFORM public.publish_event(
            CASE reached.mark WHEN 'exceeded' THEN 'usage.limit_exceeded'
                              ELSE 'usage.threshold_reached' END,
            jsonb_build_object('resource', reached.resource, 'month', reached.month,
                               'current', reached.used, 'limit', reached."limit")
            || CASE reached.mark WHEN 'exceeded' THEN '{}'
                    ELSE jsonb_build_object('threshold', reached.mark::integer) END,
            p_user_id);
    END LOOP;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA insights FROM PUBLIC;
"""

DOWN = """
DROP FUNCTION insights.count_usage, insights.mark_usage, insights.used, insights.datasets_of,
    insights.datasets_at_end;
ALTER TYPE insights.usage_total ALTER ATTRIBUTE used TYPE integer;
UPDATE insights.emails m SET about = regexp_replace(m.about, ' of [0-9]+', '')
WHERE m.template = 'limit_warning' AND m.about ~ ' of [0-9]+' AND m.about = (
    SELECT min(o.about) FROM insights.emails o
    WHERE (o.user_id, o.template) = (m.user_id, m.template)
      AND regexp_replace(o.about, ' of [0-9]+', '') = regexp_replace(m.about, ' of [0-9]+', ''));
DELETE FROM insights.usage_marks m USING insights.usage_marks o
WHERE (m.user_id, m.resource, m.month, m.mark) = (o.user_id, o.resource, o.month, o.mark)
  AND m."limit" > o."limit";
ALTER TABLE insights.usage_marks DROP CONSTRAINT usage_marks_pkey, DROP COLUMN "limit",
    ADD PRIMARY KEY (user_id, resource, month, mark);
ALTER TABLE public.usage_limits
    ALTER COLUMN datasets_count TYPE integer,
    ALTER COLUMN trainings_this_month TYPE integer,
    ALTER COLUMN predictions_this_month TYPE integer;
DROP INDEX insights.usage_ledger_lines, insights.usage_ledger_sums;
ALTER TABLE insights.usage_ledger
    DROP COLUMN unnamed, DROP COLUMN is_sum, ALTER COLUMN amount TYPE integer;
DROP TABLE insights.usage_datasets;
DROP FUNCTION insights.is_there;
DROP TRIGGER refuse_time ON insights.events;
DROP INDEX insights.events_by_age;
CREATE INDEX events_recorded_at ON insights.events USING brin (recorded_at);
"""


def run(script: str) -> None:
    op.get_bind().connection.cursor().execute(script)


def upgrade() -> None:
    """Count data sets by their ids where events tell them; name the limit of each mark."""
    for script in (EVENTS, DATASETS, LIMITS, COUNT, RPC):
        run(script)


def downgrade() -> None:
    """Back to counters by event. Fails where a counter is larger than an integer.

    The view stays: what it shows is the same.
    """
    run(DOWN)
    functions: dict[str, Any] = {}
    for before in ("0001", "0002"):
        functions |= vars(context.script.get_revision(before).module)
    for script in ("PUBLISH", "COUNT", "RPC"):
        run(functions[script].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    run("DROP FUNCTION insights.refuse_time, insights.uuid7;")
    run("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA insights FROM PUBLIC;")
