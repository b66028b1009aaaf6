-- How long what is kept of whom: for each tenant and class of data, and nothing goes too early.

SET ROLE assay_owner;

-- Without a row, `retention_default` holds.
CREATE TABLE retention (
    tenant_id  text NOT NULL REFERENCES tenants,
    class      text NOT NULL CHECK (class IN ('operations', 'feedback', 'dead_letters', 'minutes')),
    days       integer NOT NULL CHECK (days BETWEEN 1 AND 36500),
    changed_at timestamptz NOT NULL DEFAULT now(),
    changed_by text NOT NULL,
    PRIMARY KEY (tenant_id, class)
);
ALTER TABLE retention ENABLE ROW LEVEL SECURITY;
ALTER TABLE retention FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_sees_all ON retention TO assay_owner USING (true) WITH CHECK (true);
CREATE POLICY tenant_sees_own ON retention TO svc_api
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
GRANT SELECT, INSERT, UPDATE (days, changed_at, changed_by) ON retention TO svc_api;
COMMENT ON COLUMN retention.tenant_id IS 'no subject';
COMMENT ON COLUMN retention.class IS 'no subject';
COMMENT ON COLUMN retention.changed_by IS 'no subject';

-- Before this, nothing was ever let go of: whoever upgrades has a day to say what is to stay.
CREATE TABLE retention_start (not_before timestamptz NOT NULL);
GRANT SELECT ON retention_start TO svc_api;
INSERT INTO retention_start VALUES (now() + interval '1 day');
-- Nothing read this column until now; what somebody wrote there is heard.
INSERT INTO retention (tenant_id, class, days, changed_by)
SELECT t.tenant_id, c.class, greatest(t.retention_days, 14), 'migration'
  FROM tenants AS t, (VALUES ('operations'), ('feedback')) AS c (class) WHERE t.retention_days <> 90;

CREATE FUNCTION retention_default(of_class text) RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE of_class WHEN 'operations' THEN 90 WHEN 'feedback' THEN 90
                           WHEN 'dead_letters' THEN 30 WHEN 'minutes' THEN 400 END $$;

-- What is older than `cutoff` has been kept long enough. For a day after a change (so that a slip of
-- the pen can be taken back) it is -infinity. `tenant_id` null: what is of no tenant.
CREATE FUNCTION retention_cutoffs(of_class text) RETURNS TABLE (tenant_id text, cutoff timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT k.tenant_id,
           CASE WHEN r.changed_at > now() - interval '1 day'
                  OR coalesce((SELECT max(s.not_before) FROM public.retention_start AS s), 'infinity') > now()
                THEN '-infinity'::timestamptz
                ELSE now() - make_interval(days => coalesce(r.days, public.retention_default(of_class))) END
      FROM (SELECT t.tenant_id FROM public.tenants AS t UNION ALL SELECT NULL) AS k
      LEFT JOIN public.retention AS r ON r.tenant_id = k.tenant_id AND r.class = of_class
     ORDER BY k.tenant_id
$$;

-- A day goes when no tenant keeps it and no event of it can come any more, for what left with its day
-- leaves no trace by which a repeat would be known: 90 days for which events are taken when they are
-- sent, 7 for which the log keeps them, and two for clocks.
CREATE FUNCTION ended_partitions(parent regclass) RETURNS SETOF date
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT d.day FROM (
        SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS day
          FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
         WHERE i.inhparent = parent AND c.relname ~ '_[0-9]{8}$') AS d
     WHERE (d.day + 1)::timestamp AT TIME ZONE 'UTC' <= (
            SELECT least(min(k.cutoff), now() - interval '90 days') - interval '9 days'
              FROM public.retention_cutoffs(
                   CASE parent WHEN 'public.ai_model_operations'::regclass THEN 'operations'
                               WHEN 'public.user_feedback'::regclass THEN 'feedback' END) AS k
             WHERE k.tenant_id IS NOT NULL)
     ORDER BY d.day
$$;

-- Whoever asks need not be believed: it looks for itself whether the day has ended. A lock on the
-- parent that is not had at once is left, so that nobody who writes waits for it.
CREATE FUNCTION drop_day_partition(parent regclass, day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '500ms'
AS $$
DECLARE
    child text := format('%s_%s', parent::text, to_char(day, 'YYYYMMDD'));
BEGIN
    IF parent NOT IN ('public.ai_model_operations'::regclass, 'public.user_feedback'::regclass) THEN
        RAISE EXCEPTION 'drop_day_partition: % has no day partitions', parent;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('assay.partitions'));
    IF to_regclass(format('partitions.%I', child)) IS NULL THEN
        RETURN false;
    END IF;
    IF NOT EXISTS (SELECT FROM public.ended_partitions(parent) AS e WHERE e = day) THEN
        RAISE insufficient_privilege USING MESSAGE = 'drop_day_partition: somebody keeps this day';
    END IF;
    EXECUTE format('ALTER TABLE %s DETACH PARTITION partitions.%I', parent, child);
    EXECUTE format('DROP TABLE partitions.%I', child);
    RETURN true;
END $$;

REVOKE ALL ON FUNCTION retention_default(text), retention_cutoffs(text), ended_partitions(regclass),
                       drop_day_partition(regclass, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION retention_cutoffs(text) TO svc_ingest, svc_feedback;
GRANT EXECUTE ON FUNCTION ended_partitions(regclass), drop_day_partition(regclass, date) TO svc_ingest;

CREATE INDEX erased_events_by_age ON erased_events (ingested_at);
CREATE INDEX feedback_operations_by_age ON feedback_operations (tenant_id, (coalesce(occurred_at, first_at)));
-- Of each operation that goes, what was told of it is looked for.
CREATE INDEX training_changes_by_operation ON training_changes (tenant_id, operation_id);

-- What ingest lets go of row by row, and what it need not know any more.
GRANT DELETE ON operation_rollup_minute, erased_rows_minute, erased_events TO svc_ingest;

RESET ROLE;
