"""Profiles and what they used of their plan."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PROFILES = """
DO $$ BEGIN
    IF to_regclass('public.profiles') IS NULL THEN
        CREATE TABLE public.profiles (
            id uuid PRIMARY KEY,
            email text,
            name text,
            created_at timestamptz NOT NULL DEFAULT now()
        );
        COMMENT ON TABLE public.profiles IS 'made by insights';
        ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;
    END IF;
END $$;

CREATE TABLE insights.added_columns (name text PRIMARY KEY);
INSERT INTO insights.added_columns
SELECT name FROM unnest(ARRAY[
    'email', 'name', 'created_at',
    'plan', 'subscription_id', 'subscription_status', 'stripe_customer_id']) name
WHERE name NOT IN (SELECT column_name FROM information_schema.columns
                   WHERE table_schema = 'public' AND table_name = 'profiles');

ALTER TABLE public.profiles
    ADD COLUMN IF NOT EXISTS email text,
    ADD COLUMN IF NOT EXISTS name text,
    ADD COLUMN IF NOT EXISTS created_at timestamptz DEFAULT now(),
    ADD COLUMN IF NOT EXISTS plan text NOT NULL DEFAULT 'free',
    ADD COLUMN IF NOT EXISTS subscription_id text,
    ADD COLUMN IF NOT EXISTS subscription_status text,
    ADD COLUMN IF NOT EXISTS stripe_customer_id text;
DO $$
DECLARE
    other text;
BEGIN
    IF NOT EXISTS (SELECT FROM insights.added_columns WHERE name = 'plan') THEN
        SELECT p.plan INTO other FROM public.profiles p
        WHERE p.plan::text NOT IN ('free', 'pro', 'enterprise') LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'public.profiles has the plan "%"', other
                USING HINT = 'Rename it to free, pro or enterprise, then migrate again.';
        END IF;
    END IF;
END $$;
ALTER TABLE public.profiles ADD CONSTRAINT profiles_plan_is_known
    CHECK (plan::text IN ('free', 'pro', 'enterprise')) NOT VALID;

CREATE TABLE insights.profile_news (
    user_id uuid PRIMARY KEY,
    email_at timestamptz,
    email_by uuid,
    name_at timestamptz,
    name_by uuid,
    deleted_at timestamptz
);

CREATE FUNCTION insights.protect_plan() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    was public.profiles := CASE WHEN TG_OP = 'UPDATE' THEN OLD END;
BEGIN
    IF current_user IN ('anon', 'authenticated') AND (
        coalesce(NEW.plan::text, 'free') <> coalesce(was.plan::text, 'free')
        OR NEW.subscription_id IS DISTINCT FROM was.subscription_id
        OR NEW.subscription_status IS DISTINCT FROM was.subscription_status
        OR NEW.stripe_customer_id IS DISTINCT FROM was.stripe_customer_id
    ) THEN
        RAISE EXCEPTION 'the plan of a profile follows its subscription'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER insights_protect_plan BEFORE INSERT OR UPDATE ON public.profiles
    FOR EACH ROW EXECUTE FUNCTION insights.protect_plan();
"""

TABLES = """
CREATE TABLE public.usage_limits (
    user_id uuid PRIMARY KEY REFERENCES public.profiles (id) ON DELETE CASCADE,
    datasets_count integer NOT NULL DEFAULT 0,
    trainings_this_month integer NOT NULL DEFAULT 0,
    predictions_this_month integer NOT NULL DEFAULT 0,
    month_year text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE insights.plan_limits (
    plan text,
    resource text CHECK (resource IN ('datasets', 'trainings', 'predictions')),
    "limit" integer,
    PRIMARY KEY (plan, resource)
);
INSERT INTO insights.plan_limits VALUES
    ('free', 'datasets', 5), ('free', 'trainings', 10), ('free', 'predictions', 100),
    ('pro', 'datasets', NULL), ('pro', 'trainings', 100), ('pro', 'predictions', 5000),
    ('enterprise', 'datasets', NULL), ('enterprise', 'trainings', NULL),
    ('enterprise', 'predictions', NULL);

CREATE TABLE insights.usage_ledger (
    event_id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    resource text NOT NULL,
    amount integer NOT NULL,
    month text NOT NULL
);
CREATE INDEX usage_ledger_of_user ON insights.usage_ledger (user_id, month, resource);

CREATE TABLE insights.usage_marks (
    user_id uuid,
    resource text,
    month text,
    mark text CHECK (mark IN ('80', '100', 'exceeded')),
    PRIMARY KEY (user_id, resource, month, mark)
);

CREATE TYPE insights.usage_total AS (user_id uuid, resource text, month text, used integer);
"""

# One statement counts; totals of the row's own month come back from the row, under its lock.
# A late month's total is added up afterwards, when that lock shows every other count; a late
# data set is there in every later month too.
COUNT = """
CREATE FUNCTION insights.count_usage(
    event_ids uuid[], user_ids uuid[], resources text[], amounts integer[], times timestamptz[]
) RETURNS SETOF insights.usage_total
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    totals insights.usage_total[];
BEGIN
    WITH counted AS (
        INSERT INTO insights.usage_ledger AS l (event_id, user_id, resource, amount, month)
        SELECT e.event_id, e.user_id, e.resource, e.amount,
               to_char(e.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM')
        FROM unnest(event_ids, user_ids, resources, amounts, times)
            AS e (event_id, user_id, resource, amount, occurred_at)
        JOIN public.profiles p ON p.id = e.user_id
        ON CONFLICT (event_id) DO NOTHING
        RETURNING l.user_id, l.resource, l.amount, l.month
    ), per_month AS (
        SELECT c.user_id, c.month,
               coalesce(sum(c.amount) FILTER (WHERE c.resource = 'datasets'), 0)::int datasets,
               coalesce(sum(c.amount) FILTER (WHERE c.resource = 'trainings'), 0)::int trainings,
               coalesce(sum(c.amount) FILTER (WHERE c.resource = 'predictions'), 0)::int predictions
        FROM counted c GROUP BY c.user_id, c.month
    ), newest AS (
        SELECT m.user_id, max(m.month) AS month, sum(m.datasets)::int AS datasets
        FROM per_month m GROUP BY m.user_id
    ), limits AS (
        INSERT INTO public.usage_limits AS u (user_id, datasets_count, trainings_this_month,
                                              predictions_this_month, month_year)
        SELECT n.user_id, n.datasets, m.trainings, m.predictions, n.month
        FROM newest n JOIN per_month m ON m.user_id = n.user_id AND m.month = n.month
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
        RETURNING u.*
    )
    SELECT array_agg((m.user_id, r.resource, m.month,
                      CASE WHEN limits.month_year = m.month THEN r.used END)::insights.usage_total)
    INTO totals
    FROM per_month m
    JOIN limits ON limits.user_id = m.user_id
    CROSS JOIN LATERAL (VALUES
        ('datasets', m.datasets, limits.datasets_count),
        ('trainings', m.trainings, limits.trainings_this_month),
        ('predictions', m.predictions, limits.predictions_this_month)
    ) AS r (resource, added, used)
    WHERE r.added > 0;

    RETURN QUERY
    SELECT t.user_id, t.resource, t.month, coalesce(t.used, (
        SELECT sum(l.amount)::int FROM insights.usage_ledger l
        WHERE l.user_id = t.user_id AND l.month = t.month AND l.resource = t.resource))
    FROM unnest(totals) t WHERE t.used IS NOT NULL OR t.resource <> 'datasets'
    UNION ALL
    SELECT t.user_id, t.resource, m.month, (
        SELECT u.datasets_count FROM public.usage_limits u WHERE u.user_id = t.user_id) - (
        SELECT coalesce(sum(l.amount), 0)::int FROM insights.usage_ledger l
        WHERE l.user_id = t.user_id AND l.month > m.month AND l.resource = t.resource)
    FROM unnest(totals) t
    CROSS JOIN LATERAL (
        SELECT DISTINCT l.month FROM insights.usage_ledger l
        WHERE l.user_id = t.user_id AND l.month >= t.month AND l.resource = t.resource
          AND l.amount > 0) m
    WHERE t.used IS NULL AND t.resource = 'datasets';
END $$;

CREATE FUNCTION insights.mark_usage(totals insights.usage_total[])
RETURNS TABLE (
    user_id uuid, resource text, month text, mark text, used integer, "limit" integer)
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
        WHERE m.reached
    ), marked AS (
        INSERT INTO insights.usage_marks AS k (user_id, resource, month, mark)
        SELECT r.user_id, r.resource, r.month, r.mark FROM reached r ORDER BY 1, 2, 3, 4
        ON CONFLICT DO NOTHING
        RETURNING k.*
    )
    SELECT r.* FROM reached r JOIN marked k
    ON (k.user_id, k.resource, k.month, k.mark) = (r.user_id, r.resource, r.month, r.mark)
$$;
"""

RPC = """
CREATE FUNCTION public.increment_usage(p_user_id uuid, p_resource text, p_amount integer)
RETURNS void
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
        ARRAY[gen_random_uuid()], ARRAY[p_user_id], ARRAY[p_resource], ARRAY[p_amount],
        ARRAY[now()]) t);
    FOR reached IN SELECT * FROM insights.mark_usage(totals) LOOP
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

CREATE FUNCTION insights.check_resource(resource text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF resource IS NULL OR resource NOT IN ('datasets', 'trainings', 'predictions') THEN
        RAISE EXCEPTION 'no resource is called "%"', resource
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'It is one of datasets, trainings, predictions.';
    END IF;
END $$;

CREATE FUNCTION insights.used(p_user_id uuid, p_resource text) RETURNS integer
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH this AS (SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM') AS month)
    SELECT greatest(0, coalesce((
        SELECT CASE
            WHEN p_resource = 'datasets' THEN u.datasets_count
            WHEN u.month_year < this.month THEN 0
            WHEN u.month_year > this.month THEN (
                SELECT sum(l.amount)::int FROM insights.usage_ledger l
                WHERE l.user_id = p_user_id AND l.month = this.month AND l.resource = p_resource)
            WHEN p_resource = 'trainings' THEN u.trainings_this_month
            ELSE u.predictions_this_month
        END
        FROM public.usage_limits u, this WHERE u.user_id = p_user_id), 0))
$$;

CREATE FUNCTION public.check_limit(p_user_id uuid, p_resource text)
RETURNS TABLE (allowed boolean, remaining integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM insights.check_resource(p_resource);
    RETURN QUERY
        SELECT l."limit" IS NULL OR used.n < l."limit",
               CASE WHEN l."limit" IS NOT NULL THEN greatest(0, l."limit" - used.n) END
        FROM insights.plan_limits l, (SELECT insights.used(p_user_id, p_resource) AS n) used
        WHERE l.resource = p_resource AND l.plan = coalesce(
            (SELECT p.plan::text FROM public.profiles p WHERE p.id = p_user_id), 'free');
END $$;
"""

RIGHTS = """
ALTER TABLE insights.added_columns ENABLE ROW LEVEL SECURITY;
ALTER TABLE insights.profile_news ENABLE ROW LEVEL SECURITY;
ALTER TABLE insights.plan_limits ENABLE ROW LEVEL SECURITY;
ALTER TABLE insights.usage_ledger ENABLE ROW LEVEL SECURITY;
ALTER TABLE insights.usage_marks ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.usage_limits ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA insights FROM PUBLIC;
SELECT insights.for_service_only('public.increment_usage(uuid, text, integer)');
SELECT insights.for_service_only('public.check_limit(uuid, text)');

DO $$
DECLARE
    role text;
BEGIN
    FOR role IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE ALL ON public.usage_limits FROM %I', role);
        IF obj_description('public.profiles'::regclass) = 'made by insights' THEN
            EXECUTE format('REVOKE ALL ON public.profiles FROM %I', role);
        END IF;
    END LOOP;
    IF to_regprocedure('auth.uid()') IS NOT NULL
        AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated') THEN
        GRANT SELECT ON public.usage_limits TO authenticated;
        CREATE POLICY "own usage" ON public.usage_limits FOR SELECT TO authenticated
            USING ((SELECT auth.uid()) = user_id);
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role') THEN
        GRANT ALL ON public.usage_limits TO service_role;
    END IF;
END $$;
"""

DOWN = """
DROP FUNCTION public.increment_usage, public.check_limit, insights.used,
    insights.check_resource, insights.mark_usage, insights.count_usage;
DROP TRIGGER insights_protect_plan ON public.profiles;
DROP FUNCTION insights.protect_plan;
DROP TABLE public.usage_limits;
ALTER TABLE public.profiles DROP CONSTRAINT profiles_plan_is_known;
DO $$
DECLARE
    added text;
BEGIN
    IF obj_description('public.profiles'::regclass) = 'made by insights' THEN
        DROP TABLE public.profiles;
    ELSE
        FOR added IN SELECT name FROM insights.added_columns LOOP
            EXECUTE format('ALTER TABLE public.profiles DROP COLUMN %I', added);
        END LOOP;
    END IF;
END $$;
DROP TYPE insights.usage_total;
DROP TABLE insights.added_columns, insights.profile_news, insights.plan_limits,
    insights.usage_ledger, insights.usage_marks;
"""


def upgrade() -> None:
    """Extend or create profiles; count their usage."""
    for script in (PROFILES, TABLES, COUNT, RPC, RIGHTS):
        op.get_bind().connection.cursor().execute(script)


def downgrade() -> None:
    """Leave a platform's own profiles as they were."""
    op.get_bind().connection.cursor().execute(DOWN)
