-- functions
CREATE OR REPLACE FUNCTION insights.check_data(type text, schema jsonb, data jsonb)
 RETURNS void
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
END $function$
;
CREATE OR REPLACE FUNCTION insights.check_resource(resource text)
 RETURNS void
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
BEGIN
    IF resource IS NULL OR resource NOT IN ('datasets', 'trainings', 'predictions') THEN
        RAISE EXCEPTION 'no resource is called "%"', resource
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'It is one of datasets, trainings, predictions.';
    END IF;
END $function$
;
CREATE OR REPLACE FUNCTION insights.claimed_ids(type text, data jsonb)
 RETURNS TABLE(kind text, id text)
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$
;
CREATE OR REPLACE FUNCTION insights.count_usage(event_ids uuid[], user_ids uuid[], resources text[], amounts bigint[], times timestamp with time zone[], dataset_ids text[] DEFAULT NULL::text[])
 RETURNS SETOF insights.usage_total
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
END $function$
;
CREATE OR REPLACE FUNCTION insights.datasets_at_end(of_user uuid, of_month text)
 RETURNS bigint
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$
;
CREATE OR REPLACE FUNCTION insights.datasets_of(of_user uuid)
 RETURNS bigint
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
    SELECT (SELECT count(*) FROM insights.usage_datasets d WHERE d.user_id = of_user AND d.is_there)
         + (SELECT coalesce(sum(l.unnamed), 0)::bigint FROM insights.usage_ledger l
            WHERE l.user_id = of_user AND l.resource = 'datasets')
$function$
;
CREATE OR REPLACE FUNCTION insights.fan_out()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
    WITH wanted AS MATERIALIZED (
        SELECT s.event_type, o.id AS handler, (
            SELECT array_agg(p.id)
            FROM insights.subscriptions q JOIN insights.handlers_on p ON p.name = q.handler
            WHERE q.event_type = s.event_type AND q.handler = ANY (s.after)
        ) AS waits_for
        FROM insights.subscriptions s JOIN insights.handlers_on o ON o.name = s.handler
        WHERE s.event_type IN (SELECT n.type FROM new_events n)
    ), numbered AS MATERIALIZED (
        SELECT n.id, n.type, nextval('insights.delivery_seq') AS seq FROM new_events n
    )
    INSERT INTO insights.deliveries (handler, event_id, seq, waits_for)
    SELECT w.handler, n.id, n.seq, w.waits_for
    FROM numbered n JOIN wanted w ON w.event_type = n.type
    -- An event that an operator deleted may still be owed when its id is published again.
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $function$
;
CREATE OR REPLACE FUNCTION insights.final_status(type text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
    SELECT substring(type FROM '^training\.(completed|failed|cancelled)$')
$function$
;
CREATE OR REPLACE FUNCTION insights.fits(rule jsonb, value jsonb)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$
;
CREATE OR REPLACE FUNCTION insights.for_service_only(signature text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
END $function$
;
CREATE OR REPLACE FUNCTION insights.is_there(uploaded_at timestamp with time zone, deleted_at timestamp with time zone)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
    SELECT coalesce(uploaded_at > deleted_at, uploaded_at IS NOT NULL)
$function$
;
CREATE OR REPLACE FUNCTION insights.keep_batches(days_ahead integer, days_kept integer)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
 SET lock_timeout TO '2s'
AS $function$
DECLARE
    today date := now();
    day date;
    partition text;
BEGIN
    FOR day IN SELECT today + n FROM generate_series(0, days_ahead) n LOOP
        partition := 'batches_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('insights.' || partition) IS NOT NULL;
        EXECUTE format('CREATE TABLE insights.%I (LIKE insights.batches INCLUDING DEFAULTS '
                       'INCLUDING INDEXES INCLUDING STORAGE)', partition);
        EXECUTE format('ALTER TABLE insights.%I ENABLE ROW LEVEL SECURITY', partition);
        -- What ended on that day before its partition was there.
        EXECUTE format('WITH late AS (DELETE FROM insights.batches_default '
                       'WHERE ended_on = %L RETURNING *) '
                       'INSERT INTO insights.%I SELECT * FROM late', day, partition);
        EXECUTE format('ALTER TABLE insights.batches ATTACH PARTITION insights.%I '
                       'FOR VALUES IN (%L)', partition, day);
    END LOOP;
    DELETE FROM insights.batches_default WHERE ended_on < today - days_kept;
    DELETE FROM insights.processes WHERE seen_at < now() - interval '1 day';
    -- Published while its handler was being retired: nobody will ever have it.
    DELETE FROM insights.deliveries d
    WHERE NOT EXISTS (SELECT FROM insights.handlers h WHERE h.id = d.handler);
    FOR partition IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'insights.batches'::regclass AND c.relname ~ '^batches_[0-9]{8}$'
          AND substring(c.relname FROM 9)::date < today - days_kept
    LOOP
        BEGIN
            EXECUTE format('DROP TABLE insights.%I', partition);
        EXCEPTION WHEN lock_not_available THEN
            RETURN;  -- batches are just being ended; the next call tries again
        END;
    END LOOP;
END $function$
;
CREATE OR REPLACE FUNCTION insights.keep_owners()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
END $function$
;
CREATE OR REPLACE FUNCTION insights.mark_usage(totals insights.usage_total[], names_limit boolean DEFAULT false)
 RETURNS TABLE(user_id uuid, resource text, month text, mark text, used bigint, "limit" integer)
 LANGUAGE sql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$
;
CREATE OR REPLACE FUNCTION insights.protect_plan()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
END $function$
;
CREATE OR REPLACE FUNCTION insights.refuse_time()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
END $function$
;
CREATE OR REPLACE FUNCTION insights.used(p_user_id uuid, p_resource text)
 RETURNS bigint
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$
;
CREATE OR REPLACE FUNCTION insights.uuid7()
 RETURNS uuid
 LANGUAGE sql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
    SELECT encode(set_bit(set_bit(overlay(
        uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$function$
;
CREATE OR REPLACE FUNCTION public.check_limit(p_user_id uuid, p_resource text)
 RETURNS TABLE(allowed boolean, remaining integer)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
BEGIN
    PERFORM insights.check_resource(p_resource);
    RETURN QUERY
        SELECT l."limit" IS NULL OR used.n < l."limit",
               CASE WHEN l."limit" IS NOT NULL THEN greatest(0, l."limit" - used.n)::integer END
        FROM insights.plan_limits l, (SELECT insights.used(p_user_id, p_resource) AS n) used
        WHERE l.resource = p_resource AND l.plan = coalesce(
            (SELECT p.plan::text FROM public.profiles p WHERE p.id = p_user_id), 'free');
END $function$
;
CREATE OR REPLACE FUNCTION public.increment_usage(p_user_id uuid, p_resource text, p_amount integer)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
    IF p_amount < 0 THEN
        -- The lock makes two that give back at once wait: the second sees what the first has left.
        PERFORM FROM public.usage_limits u WHERE u.user_id = p_user_id FOR UPDATE;
        p_amount := -least(-p_amount, greatest(0, (
            SELECT coalesce(sum(l.unnamed), 0) FROM insights.usage_ledger l
            WHERE l.user_id = p_user_id AND l.resource = 'datasets')));
        IF p_amount = 0 THEN
            RETURN;
        END IF;
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
END $function$
;
CREATE OR REPLACE FUNCTION public.publish_event(type text, data jsonb DEFAULT '{}'::jsonb, user_id uuid DEFAULT NULL::uuid, id uuid DEFAULT NULL::uuid, occurred_at timestamp with time zone DEFAULT NULL::timestamp with time zone, source text DEFAULT 'sql'::text)
 RETURNS uuid
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
END $function$
;

-- triggers
CREATE TRIGGER fan_out AFTER INSERT ON insights.events REFERENCING NEW TABLE AS new_events FOR EACH STATEMENT EXECUTE FUNCTION insights.fan_out();
CREATE TRIGGER insights_protect_plan BEFORE INSERT OR UPDATE ON public.profiles FOR EACH ROW EXECUTE FUNCTION insights.protect_plan();
CREATE TRIGGER keep_owners AFTER INSERT ON insights.events REFERENCING NEW TABLE AS new_events FOR EACH STATEMENT EXECUTE FUNCTION insights.keep_owners();
CREATE TRIGGER refuse_time BEFORE INSERT ON insights.events FOR EACH ROW WHEN (((new.occurred_at < '0001-01-02 00:00:00+00'::timestamp with time zone) OR (new.occurred_at > (now() + '1 day'::interval)))) EXECUTE FUNCTION insights.refuse_time();

-- views
CREATE VIEW insights.delivery_states {security_invoker=true} AS
 SELECT name AS handler,
    event_id,
    due_at,
    leases,
    attempts,
    setbacks,
    died_at,
    last_error,
        CASE
            WHEN died_at IS NOT NULL THEN 'dead'::text
            WHEN waits_for IS NOT NULL THEN 'waiting'::text
            WHEN due_at IS NULL OR due_at <= now() THEN 'due'::text
            WHEN leased THEN 'leased'::text
            ELSE 'waiting'::text
        END AS state,
    seq,
    waits_for,
    handler AS handler_id
   FROM insights.deliveries d
     JOIN insights.handlers h ON id = handler;
CREATE VIEW insights.event_bodies {security_invoker=true} AS
 SELECT id,
    type,
    concat("left"(data::text, '-1'::integer),
        CASE
            WHEN data <> '{}'::jsonb THEN ','::text
            ELSE NULL::text
        END, '"id":"', id, '","occurred_at":', to_json(occurred_at), ',"source":', to_json(source), ',"user_id":', COALESCE(to_json(user_id), 'null'::json), ',"correlation_id":', COALESCE(to_json(correlation_id), 'null'::json), ',"causation_id":', COALESCE(to_json(causation_id), 'null'::json), ',"traceparent":', COALESCE(to_json(traceparent), 'null'::json), '}') AS body
   FROM insights.events e;
CREATE VIEW insights.handlers_on {security_invoker=true} AS
 SELECT name,
    id
   FROM insights.handlers h
     LEFT JOIN insights.providers p ON name = provider
  WHERE provider IS NULL OR is_on;
CREATE VIEW insights.prunable_events {security_invoker=true} AS
 SELECT id,
    recorded_at
   FROM insights.events e
  WHERE NOT (type IN ( SELECT type
           FROM insights.event_types t
          WHERE (schema -> 'x-kept'::text) = 'true'::jsonb)) AND NOT (EXISTS ( SELECT
           FROM insights.handlers h
          WHERE (EXISTS ( SELECT
                   FROM insights.deliveries d
                  WHERE handler = id AND event_id = id
                 OFFSET 0))));

-- row security
insights.activity: on
insights.added_columns: on
insights.alembic_version: on
insights.batches: on
insights.batches_default: on
insights.batches_in_hand: on
insights.deliveries: on
insights.emails: on
insights.event_types: on
insights.events: on
insights.handlers: on
insights.owners: on
insights.plan_limits: on
insights.processes: on
insights.profile_news: on
insights.providers: on
insights.subscriptions: on
insights.trainings: on
insights.usage_datasets: on
insights.usage_ledger: on
insights.usage_marks: on
public.profiles: on
public.usage_limits: on

-- storage parameters
insights.activity: fillfactor=70
insights.batches_in_hand: autovacuum_vacuum_scale_factor=0.0, autovacuum_vacuum_threshold=1000, autovacuum_vacuum_cost_delay=0
insights.deliveries: autovacuum_vacuum_scale_factor=0.0, autovacuum_vacuum_threshold=20000, autovacuum_analyze_scale_factor=0.0, autovacuum_analyze_threshold=50000, autovacuum_vacuum_cost_delay=0
public.usage_limits: fillfactor=50, autovacuum_vacuum_scale_factor=0.05

-- indexes
CREATE UNIQUE INDEX activity_pkey ON insights.activity USING btree (user_id);
CREATE INDEX activity_untold ON insights.activity USING btree (last_active_at) WHERE (NOT is_told);
CREATE UNIQUE INDEX added_columns_pkey ON insights.added_columns USING btree (name);
CREATE UNIQUE INDEX alembic_version_pkc ON insights.alembic_version USING btree (version_num);
CREATE INDEX batches_default_id_idx ON insights.batches_default USING btree (id);
CREATE INDEX batches_in_hand_id_idx ON insights.batches_in_hand USING btree (id);
CREATE INDEX batches_in_hand_of_handler ON insights.batches_in_hand USING btree (handler);
CREATE INDEX batches_of_id ON ONLY insights.batches USING btree (id);
CREATE INDEX deliveries_dead ON insights.deliveries USING btree (handler, died_at) WHERE (died_at IS NOT NULL);
CREATE INDEX deliveries_due ON insights.deliveries USING btree (handler, seq) WHERE ((died_at IS NULL) AND (due_at IS NULL) AND (waits_for IS NULL));
CREATE INDEX deliveries_due_later ON insights.deliveries USING btree (handler, LEAST(setbacks, 4), due_at) WHERE ((died_at IS NULL) AND (due_at IS NOT NULL) AND (waits_for IS NULL));
CREATE UNIQUE INDEX deliveries_pkey ON insights.deliveries USING btree (handler, event_id);
CREATE INDEX deliveries_waiting ON insights.deliveries USING btree (seq) WHERE (waits_for IS NOT NULL);
CREATE INDEX emails_held ON insights.emails USING btree (held_at) WHERE (held_at IS NOT NULL);
CREATE UNIQUE INDEX emails_pkey ON insights.emails USING btree (user_id, template, about);
CREATE UNIQUE INDEX event_types_pkey ON insights.event_types USING btree (type);
CREATE INDEX events_by_age ON insights.events USING btree (recorded_at, id);
CREATE INDEX events_of_choice ON insights.events USING btree (user_id, occurred_at) WHERE (type = 'user.analytics_choice_made'::text);
CREATE INDEX events_of_training ON insights.events USING btree (((data ->> 'training_id'::text)), occurred_at) WHERE (type ~~ 'training.%'::text);
CREATE INDEX events_of_user ON insights.events USING btree (user_id, type);
CREATE UNIQUE INDEX events_pkey ON insights.events USING btree (id);
CREATE UNIQUE INDEX handlers_id_key ON insights.handlers USING btree (id);
CREATE UNIQUE INDEX handlers_pkey ON insights.handlers USING btree (name);
CREATE UNIQUE INDEX owners_pkey ON insights.owners USING btree (kind, id);
CREATE UNIQUE INDEX plan_limits_pkey ON insights.plan_limits USING btree (plan, resource);
CREATE UNIQUE INDEX processes_pkey ON insights.processes USING btree (id);
CREATE UNIQUE INDEX profile_news_pkey ON insights.profile_news USING btree (user_id);
CREATE UNIQUE INDEX providers_pkey ON insights.providers USING btree (name);
CREATE UNIQUE INDEX subscriptions_pkey ON insights.subscriptions USING btree (event_type, handler);
CREATE UNIQUE INDEX trainings_pkey ON insights.trainings USING btree (training_id, user_id);
CREATE UNIQUE INDEX usage_datasets_pkey ON insights.usage_datasets USING btree (user_id, dataset_id);
CREATE INDEX usage_ledger_lines ON insights.usage_ledger USING btree (month) WHERE (NOT is_sum);
CREATE INDEX usage_ledger_of_user ON insights.usage_ledger USING btree (user_id, month, resource);
CREATE UNIQUE INDEX usage_ledger_pkey ON insights.usage_ledger USING btree (event_id);
CREATE UNIQUE INDEX usage_ledger_sums ON insights.usage_ledger USING btree (user_id, month, resource) WHERE is_sum;
CREATE UNIQUE INDEX usage_marks_pkey ON insights.usage_marks USING btree (user_id, resource, month, "limit", mark);
CREATE UNIQUE INDEX profiles_pkey ON public.profiles USING btree (id);
CREATE UNIQUE INDEX usage_limits_pkey ON public.usage_limits USING btree (user_id);

-- numbers by default
insights.batches.id: nextval('insights.batch_id'::regclass)
insights.batches_default.id: nextval('insights.batch_id'::regclass)
insights.batches_in_hand.id: nextval('insights.batch_id'::regclass)
insights.deliveries.seq: nextval('insights.delivery_seq'::regclass)

-- check constraints
insights.plan_limits: plan_limits_resource_check CHECK ((resource = ANY (ARRAY['datasets'::text, 'trainings'::text, 'predictions'::text])))
insights.usage_marks: usage_marks_mark_check CHECK ((mark = ANY (ARRAY['80'::text, '100'::text, 'exceeded'::text])))
public.profiles: profiles_plan_is_known CHECK ((plan = ANY (ARRAY['free'::text, 'pro'::text, 'enterprise'::text]))) NOT VALID
