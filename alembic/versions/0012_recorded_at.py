"""Events are recorded when published; `increment_usage` gives back only what was counted."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# `now()` is when the publisher's transaction began: an event that was published after its provider
# was switched off looked as if it had been before, and so as done.
RECORDED = "ALTER TABLE insights.events ALTER COLUMN recorded_at SET DEFAULT "

# Without a floor, giving back what was never counted left room for more data sets than the plan
# allows.
UP = """
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
END $$;
"""
DOWN = """
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
"""


def upgrade() -> None:
    """Change a default and a function; no row is read or written."""
    op.execute(RECORDED + "clock_timestamp()")
    op.get_bind().connection.cursor().execute(UP)


def downgrade() -> None:
    """Give back without a floor, as before."""
    op.execute(RECORDED + "now()")
    op.get_bind().connection.cursor().execute(DOWN)
