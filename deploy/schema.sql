-- What the migrations amount to. Made by `python -m deploy.schema_sql`; do not edit.

CREATE SCHEMA partitions;

ALTER SCHEMA partitions OWNER TO assay_owner;

CREATE FUNCTION public.add_distributions(a jsonb, b jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    BEGIN ATOMIC
 SELECT COALESCE(jsonb_object_agg(sums.name, sums.total), '{}'::jsonb) AS "coalesce"
    FROM ( SELECT entries.name,
             sum((entries.value)::bigint) AS total
            FROM ( SELECT one.name,
                     one.value
                    FROM jsonb_each_text(add_distributions.a) one(name, value)
                 UNION ALL
                  SELECT two.name,
                     two.value
                    FROM jsonb_each_text(add_distributions.b) two(name, value)) entries
           GROUP BY entries.name) sums;
END;

ALTER FUNCTION public.add_distributions(a jsonb, b jsonb) OWNER TO assay_owner;

CREATE TABLE public.ab_tests (
    tenant_id text NOT NULL,
    test_id uuid NOT NULL,
    key text NOT NULL,
    body jsonb NOT NULL,
    state text NOT NULL,
    epochs jsonb NOT NULL,
    winner text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    started_at timestamp with time zone,
    ended_at timestamp with time zone,
    CONSTRAINT ab_tests_body_check CHECK ((jsonb_typeof(body) = 'object'::text)),
    CONSTRAINT ab_tests_check CHECK (((state = 'draft'::text) = (started_at IS NULL))),
    CONSTRAINT ab_tests_check1 CHECK (((state = ANY (ARRAY['stopped'::text, 'concluded'::text])) = (ended_at IS NOT NULL))),
    CONSTRAINT ab_tests_epochs_check CHECK ((jsonb_typeof(epochs) = 'array'::text)),
    CONSTRAINT ab_tests_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'running'::text, 'paused'::text, 'stopped'::text, 'concluded'::text])))
);

ALTER TABLE ONLY public.ab_tests FORCE ROW LEVEL SECURITY;

ALTER TABLE public.ab_tests OWNER TO assay_owner;

COMMENT ON COLUMN public.ab_tests.tenant_id IS 'no subject';

COMMENT ON COLUMN public.ab_tests.key IS 'no subject';

COMMENT ON COLUMN public.ab_tests.body IS 'no subject';

COMMENT ON COLUMN public.ab_tests.state IS 'no subject';

COMMENT ON COLUMN public.ab_tests.epochs IS 'no subject';

COMMENT ON COLUMN public.ab_tests.winner IS 'no subject';

COMMENT ON COLUMN public.ab_tests.created_by IS 'no subject';

CREATE FUNCTION public.assigning_ab_tests(since timestamp with time zone, kept_for interval) RETURNS SETOF public.ab_tests
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
    SELECT * FROM public.ab_tests
     WHERE (since IS NULL OR updated_at >= since)
       AND (ended_at IS NULL OR ended_at > now() - kept_for)
     ORDER BY updated_at
$$;

ALTER FUNCTION public.assigning_ab_tests(since timestamp with time zone, kept_for interval) OWNER TO assay_owner;

CREATE FUNCTION public.audit_all_heads() RETURNS TABLE(tenant_id text, sequence bigint, row_hash bytea)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
    SELECT h.tenant_id, h.sequence, h.row_hash FROM public.audit_heads AS h
     WHERE h.sequence > 0 ORDER BY h.tenant_id
$$;

ALTER FUNCTION public.audit_all_heads() OWNER TO assay_owner;

CREATE FUNCTION public.audit_append(new_sequence bigint, new_at timestamp with time zone, new_actor text, new_role text, new_action text, new_object_type text, new_object_id text, new_before text, new_after text, new_request_id text, new_key_version integer, new_prev_hash bytea, new_row_hash bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    head record;
BEGIN
    SELECT * INTO head FROM public.audit_lock_head();
    IF (head.sequence + 1, head.row_hash) IS DISTINCT FROM (new_sequence, new_prev_hash) THEN
        RAISE EXCEPTION 'audit: the row does not follow the head';
    END IF;
    INSERT INTO public.audit_log
    VALUES (public.current_tenant(), new_sequence, new_at, new_actor, new_role, new_action,
            new_object_type, new_object_id, new_before, new_after, new_request_id,
            new_key_version, new_prev_hash, new_row_hash);
    UPDATE public.audit_heads SET sequence = new_sequence, row_hash = new_row_hash
     WHERE tenant_id = public.current_tenant();
END $$;

ALTER FUNCTION public.audit_append(new_sequence bigint, new_at timestamp with time zone, new_actor text, new_role text, new_action text, new_object_type text, new_object_id text, new_before text, new_after text, new_request_id text, new_key_version integer, new_prev_hash bytea, new_row_hash bytea) OWNER TO assay_owner;

CREATE FUNCTION public.audit_lock_head() RETURNS TABLE(sequence bigint, row_hash bytea, at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    tenant text := public.current_tenant();
BEGIN
    IF tenant IS NULL THEN
        RAISE EXCEPTION 'audit: the transaction knows no tenant';
    END IF;
    IF tenant = '*' AND NOT pg_has_role(session_user, 'assay_owner', 'MEMBER') THEN
        RAISE EXCEPTION 'audit: only the owner acts for the installation' USING ERRCODE = '42501';
    END IF;
    INSERT INTO public.audit_heads (tenant_id, sequence, row_hash)
    VALUES (tenant, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
    RETURN QUERY SELECT h.sequence, h.row_hash, clock_timestamp()
                   FROM public.audit_heads AS h WHERE h.tenant_id = tenant FOR UPDATE;
END $$;

ALTER FUNCTION public.audit_lock_head() OWNER TO assay_owner;

CREATE FUNCTION public.changed_ab_tests(since timestamp with time zone) RETURNS SETOF public.ab_tests
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
    SELECT * FROM public.ab_tests WHERE since IS NULL OR updated_at >= since ORDER BY updated_at
$$;

ALTER FUNCTION public.changed_ab_tests(since timestamp with time zone) OWNER TO assay_owner;

CREATE FUNCTION public.current_tenant() RETURNS text
    LANGUAGE sql STABLE
    AS $$ SELECT nullif(current_setting('app.tenant_id', true), '') $$;

ALTER FUNCTION public.current_tenant() OWNER TO assay_owner;

CREATE FUNCTION public.drop_day_partition(parent regclass, day date) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    SET lock_timeout TO '500ms'
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

ALTER FUNCTION public.drop_day_partition(parent regclass, day date) OWNER TO assay_owner;

CREATE FUNCTION public.ended_partitions(parent regclass) RETURNS SETOF date
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $_$
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
$_$;

ALTER FUNCTION public.ended_partitions(parent regclass) OWNER TO assay_owner;

CREATE FUNCTION public.ended_subject_exports() RETURNS TABLE(tenant_id text, export_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
    SELECT e.tenant_id, e.export_id FROM public.subject_exports AS e
     WHERE e.expires_at <= now() ORDER BY e.expires_at LIMIT 100
$$;

ALTER FUNCTION public.ended_subject_exports() OWNER TO assay_owner;

CREATE FUNCTION public.ensure_day_partition(parent regclass, day date) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    child text := format('%s_%s', parent::text, to_char(day, 'YYYYMMDD'));
BEGIN
    IF parent NOT IN ('public.ai_model_operations'::regclass, 'public.user_feedback'::regclass) THEN
        RAISE EXCEPTION 'ensure_day_partition: % has no day partitions', parent;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('assay.partitions'));
    IF to_regclass(format('partitions.%I', child)) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- LIKE and ATTACH lock the parent less than CREATE .. PARTITION OF: writers go on meanwhile.
    EXECUTE format('CREATE TABLE partitions.%I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', child, parent);
    EXECUTE format('ALTER TABLE partitions.%I ENABLE ROW LEVEL SECURITY', child);
    EXECUTE format('ALTER TABLE partitions.%I FORCE ROW LEVEL SECURITY', child);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION partitions.%I FOR VALUES FROM (%L) TO (%L)',
                   parent, child,
                   day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
    RETURN true;
END $$;

ALTER FUNCTION public.ensure_day_partition(parent regclass, day date) OWNER TO assay_owner;

CREATE FUNCTION public.erase_dead_letters(needles bytea[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
DECLARE
    tenant text := public.current_tenant();
    gone bigint;
BEGIN
    IF tenant IS NULL THEN
        RAISE EXCEPTION 'erase_dead_letters: no tenant is set';
    END IF;
    DELETE FROM public.dead_letters AS l
     WHERE (l.tenant_id = tenant
            OR (l.tenant_id IS NULL
                AND position(convert_to('"' || tenant || '"', 'UTF8') IN l.record_value) > 0))
       AND EXISTS (SELECT FROM unnest(needles) AS n (needle)
                    WHERE length(needle) > 2
                      AND (position(needle IN l.record_value) > 0
                           OR l.record_key = substring(needle FROM 2 FOR length(needle) - 2)
                           OR position(needle IN convert_to(l.record_headers::text, 'UTF8')) > 0));
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

ALTER FUNCTION public.erase_dead_letters(needles bytea[]) OWNER TO assay_owner;

CREATE FUNCTION public.erasure_due_tenants(of_service text) RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
    SELECT t.tenant_id FROM public.tenants AS t
     WHERE EXISTS (SELECT FROM public.erasure_due AS d
                    WHERE d.service = of_service AND d.tenant_id = t.tenant_id)
     ORDER BY t.tenant_id
$$;

ALTER FUNCTION public.erasure_due_tenants(of_service text) OWNER TO assay_owner;

CREATE FUNCTION public.erasures_only_end() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    IF NEW.subject IS NOT NULL AND NEW.subject IS DISTINCT FROM OLD.subject THEN
        RAISE insufficient_privilege USING MESSAGE = 'erasures: whose it is does not change';
    END IF;
    IF NEW.status = 'completed' AND OLD.status <> 'completed'
       AND EXISTS (SELECT FROM public.erasure_receipts AS r
                    WHERE r.tenant_id = NEW.tenant_id AND r.erasure_id = NEW.erasure_id AND r.at IS NULL) THEN
        RAISE insufficient_privilege USING MESSAGE = 'erasures: a store has not answered';
    END IF;
    RETURN NEW;
END $$;

ALTER FUNCTION public.erasures_only_end() OWNER TO assay_owner;

CREATE FUNCTION public.find_api_key(wanted text) RETURNS TABLE(tenant_id text, key_id text, name text, role text, permissions text[], secret_hash bytea, expires_at timestamp with time zone, revoked_at timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
    SELECT k.tenant_id, k.key_id, k.name, k.role, k.permissions, k.secret_hash, k.expires_at, k.revoked_at
      FROM public.api_keys AS k WHERE k.key_id = wanted
$$;

ALTER FUNCTION public.find_api_key(wanted text) OWNER TO assay_owner;

CREATE FUNCTION public.late_erasures() RETURNS TABLE(tenant_id text, erasure_id uuid, deadline timestamp with time zone, missing text[])
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
    SELECT e.tenant_id, e.erasure_id, e.deadline,
           ARRAY(SELECT r.service || '/' || r.store FROM public.erasure_receipts AS r
                  WHERE r.tenant_id = e.tenant_id AND r.erasure_id = e.erasure_id AND r.at IS NULL
                  ORDER BY 1)
      FROM public.erasures AS e
     WHERE e.status IN ('pending', 'running') AND e.deadline < now() ORDER BY e.deadline LIMIT 1000
$$;

ALTER FUNCTION public.late_erasures() OWNER TO assay_owner;

CREATE FUNCTION public.open_erasure_tasks(of_service text) RETURNS TABLE(tenant_id text, erasure_id uuid, store text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
    -- Tenants in turn: whoever asks for much makes only himself wait.
    SELECT t.tenant_id, t.erasure_id, t.store FROM (
        SELECT r.tenant_id, r.erasure_id, r.store, e.created_at,
               row_number() OVER (PARTITION BY r.tenant_id ORDER BY e.created_at, r.store) AS turn
          FROM public.erasure_receipts AS r JOIN public.erasures AS e USING (tenant_id, erasure_id)
         WHERE r.service = of_service AND r.at IS NULL) AS t
     ORDER BY t.turn, t.created_at LIMIT 100
$$;

ALTER FUNCTION public.open_erasure_tasks(of_service text) OWNER TO assay_owner;

CREATE FUNCTION public.open_subject_exports() RETURNS TABLE(tenant_id text, export_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
    SELECT e.tenant_id, e.export_id FROM public.subject_exports AS e
     WHERE e.status IN ('pending', 'running') AND e.expires_at > now() ORDER BY e.created_at LIMIT 100
$$;

ALTER FUNCTION public.open_subject_exports() OWNER TO assay_owner;

CREATE FUNCTION public.receipts_are_ones_own() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
BEGIN
    IF NEW IS DISTINCT FROM OLD
       AND current_user IN ('svc_ingest', 'svc_abtest', 'svc_feedback', 'svc_metrics', 'svc_notify')
       AND current_user <> 'svc_' || NEW.service THEN
        RAISE insufficient_privilege USING MESSAGE = 'erasure_receipts: another service''s';
    END IF;
    RETURN NEW;
END $$;

ALTER FUNCTION public.receipts_are_ones_own() OWNER TO assay_owner;

CREATE FUNCTION public.retention_cutoffs(of_class text) RETURNS TABLE(tenant_id text, cutoff timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
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

ALTER FUNCTION public.retention_cutoffs(of_class text) OWNER TO assay_owner;

CREATE FUNCTION public.retention_default(of_class text) RETURNS integer
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$ SELECT CASE of_class WHEN 'operations' THEN 90 WHEN 'feedback' THEN 90
                           WHEN 'dead_letters' THEN 30 WHEN 'minutes' THEN 400 END $$;

ALTER FUNCTION public.retention_default(of_class text) OWNER TO assay_owner;

CREATE FUNCTION public.status_part(environment text, operation_type text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (environment IS NULL) THEN ''::text ELSE ((((length(environment))::text || ':'::text) || environment) || operation_type) END;

ALTER FUNCTION public.status_part(environment text, operation_type text) OWNER TO assay_owner;

CREATE FUNCTION public.tenant_dead_letters(after_topic text, after_partition integer, after_offset bigint, needles bytea[], most integer) RETURNS TABLE(topic text, partition integer, kafka_offset bigint, tenant_id text, reason text, detail text, record_key bytea, record_value bytea, record_headers jsonb, record_timestamp timestamp with time zone, first_seen_at timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
    SELECT l.topic, l.partition, l.kafka_offset, l.tenant_id, l.reason, l.detail, l.record_key,
           l.record_value, l.record_headers, l.record_timestamp, l.first_seen_at
      FROM public.dead_letters AS l
     WHERE (l.topic, l.partition, l.kafka_offset) > (after_topic, after_partition, after_offset)
       AND (l.tenant_id = public.current_tenant()
            OR (l.tenant_id IS NULL
                AND position(convert_to('"' || public.current_tenant() || '"', 'UTF8') IN l.record_value) > 0))
       AND (needles IS NULL
            OR EXISTS (SELECT FROM unnest(needles) AS n (needle)
                        WHERE length(needle) > 2 AND position(needle IN l.record_value) > 0))
     ORDER BY l.topic, l.partition, l.kafka_offset LIMIT most
$$;

ALTER FUNCTION public.tenant_dead_letters(after_topic text, after_partition integer, after_offset bigint, needles bytea[], most integer) OWNER TO assay_owner;

CREATE FUNCTION public.untold_ab_test_steps(most integer) RETURNS TABLE(tenant_id text, event_id uuid, test_id uuid, occurred_at timestamp with time zone, body jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
    SELECT s.tenant_id, s.event_id, s.test_id, s.occurred_at, s.body FROM public.ab_test_steps AS s
     WHERE s.published_at IS NULL AND s.refusal IS NULL ORDER BY s.occurred_at, s.event_id LIMIT most
$$;

ALTER FUNCTION public.untold_ab_test_steps(most integer) OWNER TO assay_owner;

CREATE FUNCTION public.untold_erasure_events(most integer) RETURNS TABLE(tenant_id text, event_id uuid, topic text, record_key text, occurred_at timestamp with time zone, body jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
    SELECT e.tenant_id, e.event_id, e.topic, e.record_key, e.occurred_at, e.body
      FROM public.erasure_events AS e
     WHERE e.published_at IS NULL ORDER BY e.occurred_at, e.event_id LIMIT most
$$;

ALTER FUNCTION public.untold_erasure_events(most integer) OWNER TO assay_owner;

CREATE TABLE public.ab_arms (
    tenant_id text NOT NULL,
    test_id uuid NOT NULL,
    epoch integer NOT NULL,
    variant text NOT NULL,
    shard integer NOT NULL,
    units bigint DEFAULT 0 NOT NULL,
    multiple bigint DEFAULT 0 NOT NULL,
    operations bigint DEFAULT 0 NOT NULL,
    crossovers bigint DEFAULT 0 NOT NULL,
    first_at timestamp with time zone,
    last_at timestamp with time zone,
    as_of timestamp with time zone,
    version bigint DEFAULT 1 NOT NULL,
    r1 bigint DEFAULT 0 NOT NULL,
    r2 bigint DEFAULT 0 NOT NULL,
    r3 bigint DEFAULT 0 NOT NULL,
    r4 bigint DEFAULT 0 NOT NULL,
    r5 bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.ab_arms FORCE ROW LEVEL SECURITY;

ALTER TABLE public.ab_arms OWNER TO assay_owner;

COMMENT ON COLUMN public.ab_arms.tenant_id IS 'no subject';

COMMENT ON COLUMN public.ab_arms.variant IS 'no subject';

CREATE TABLE public.ab_units (
    tenant_id text NOT NULL,
    test_id uuid NOT NULL,
    unit text NOT NULL,
    cell smallint NOT NULL,
    seen text DEFAULT ''::text NOT NULL,
    epoch integer,
    variant text,
    is_crossed boolean DEFAULT false NOT NULL,
    is_multiple boolean DEFAULT false NOT NULL,
    exposed_at timestamp with time zone,
    first_at timestamp with time zone,
    events bigint DEFAULT 0 NOT NULL,
    n bigint DEFAULT 0 NOT NULL,
    crossovers bigint DEFAULT 0 NOT NULL,
    ok bigint DEFAULT 0 NOT NULL,
    ln bigint DEFAULT 0 NOT NULL,
    slow bigint DEFAULT 0 NOT NULL,
    tok_n bigint DEFAULT 0 NOT NULL,
    tok bigint DEFAULT 0 NOT NULL,
    cost_n bigint DEFAULT 0 NOT NULL,
    cost bigint DEFAULT 0 NOT NULL,
    conf_n bigint DEFAULT 0 NOT NULL,
    conf bigint DEFAULT 0 NOT NULL,
    rating_n bigint DEFAULT 0 NOT NULL,
    rating bigint DEFAULT 0 NOT NULL,
    helpful_n bigint DEFAULT 0 NOT NULL,
    helpful bigint DEFAULT 0 NOT NULL,
    accurate_n bigint DEFAULT 0 NOT NULL,
    accurate bigint DEFAULT 0 NOT NULL,
    relevant_n bigint DEFAULT 0 NOT NULL,
    relevant bigint DEFAULT 0 NOT NULL,
    fast_n bigint DEFAULT 0 NOT NULL,
    fast bigint DEFAULT 0 NOT NULL,
    with_past boolean DEFAULT false NOT NULL,
    CONSTRAINT ab_units_cell_check CHECK (((cell >= 0) AND (cell <= 1023)))
)
WITH (fillfactor='60');

ALTER TABLE ONLY public.ab_units FORCE ROW LEVEL SECURITY;

ALTER TABLE public.ab_units OWNER TO assay_owner;

COMMENT ON COLUMN public.ab_units.tenant_id IS 'no subject';

COMMENT ON COLUMN public.ab_units.unit IS 'subject';

COMMENT ON COLUMN public.ab_units.seen IS 'no subject';

COMMENT ON COLUMN public.ab_units.variant IS 'no subject';

CREATE VIEW public.ab_cells WITH (security_invoker='true') AS
 SELECT tenant_id,
    test_id,
    epoch,
    variant,
    cell,
    count(*) AS units,
    sum(n) AS n,
    sum(ok) AS ok,
    sum(ln) AS ln,
    sum(slow) AS slow,
    sum(tok_n) AS tok_n,
    sum(tok) AS tok,
    sum(cost_n) AS cost_n,
    sum(cost) AS cost,
    sum(conf_n) AS conf_n,
    sum(conf) AS conf,
    sum(rating_n) AS rating_n,
    sum(rating) AS rating,
    sum(helpful_n) AS helpful_n,
    sum(helpful) AS helpful,
    sum(accurate_n) AS accurate_n,
    sum(accurate) AS accurate,
    sum(relevant_n) AS relevant_n,
    sum(relevant) AS relevant,
    sum(fast_n) AS fast_n,
    sum(fast) AS fast
   FROM public.ab_units
  WHERE ((NOT is_multiple) AND (variant IS NOT NULL))
  GROUP BY tenant_id, test_id, epoch, variant, cell;

ALTER VIEW public.ab_cells OWNER TO assay_owner;

CREATE TABLE public.ab_days (
    tenant_id text NOT NULL,
    test_id uuid NOT NULL,
    day date NOT NULL,
    shard integer NOT NULL,
    units bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.ab_days FORCE ROW LEVEL SECURITY;

ALTER TABLE public.ab_days OWNER TO assay_owner;

COMMENT ON COLUMN public.ab_days.tenant_id IS 'no subject';

CREATE TABLE public.ab_events (
    tenant_id text NOT NULL,
    test_id uuid NOT NULL,
    event_id uuid NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    unit text NOT NULL,
    operation_id text,
    epoch integer NOT NULL,
    variant text NOT NULL,
    counts_at timestamp with time zone NOT NULL,
    is_crossed boolean NOT NULL,
    bin smallint,
    ok smallint,
    ln bigint,
    slow smallint,
    tok bigint,
    cost bigint,
    conf bigint,
    rating smallint,
    helpful smallint,
    accurate smallint,
    relevant smallint,
    fast smallint,
    CONSTRAINT ab_events_kind_check CHECK ((kind = ANY (ARRAY['o'::text, 'f'::text, 'e'::text])))
);

ALTER TABLE ONLY public.ab_events FORCE ROW LEVEL SECURITY;

ALTER TABLE public.ab_events OWNER TO assay_owner;

COMMENT ON COLUMN public.ab_events.tenant_id IS 'no subject';

COMMENT ON COLUMN public.ab_events.kind IS 'no subject';

COMMENT ON COLUMN public.ab_events.unit IS 'subject';

COMMENT ON COLUMN public.ab_events.operation_id IS 'subject';

COMMENT ON COLUMN public.ab_events.variant IS 'no subject';

CREATE TABLE public.ab_past (
    tenant_id text NOT NULL,
    test_id uuid NOT NULL,
    unit text NOT NULL,
    n bigint DEFAULT 0 NOT NULL,
    ok bigint DEFAULT 0 NOT NULL,
    ln bigint DEFAULT 0 NOT NULL,
    slow bigint DEFAULT 0 NOT NULL,
    tok_n bigint DEFAULT 0 NOT NULL,
    tok bigint DEFAULT 0 NOT NULL,
    cost_n bigint DEFAULT 0 NOT NULL,
    cost bigint DEFAULT 0 NOT NULL,
    conf_n bigint DEFAULT 0 NOT NULL,
    conf bigint DEFAULT 0 NOT NULL,
    rating_n bigint DEFAULT 0 NOT NULL,
    rating bigint DEFAULT 0 NOT NULL,
    helpful_n bigint DEFAULT 0 NOT NULL,
    helpful bigint DEFAULT 0 NOT NULL,
    accurate_n bigint DEFAULT 0 NOT NULL,
    accurate bigint DEFAULT 0 NOT NULL,
    relevant_n bigint DEFAULT 0 NOT NULL,
    relevant bigint DEFAULT 0 NOT NULL,
    fast_n bigint DEFAULT 0 NOT NULL,
    fast bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='80');

ALTER TABLE ONLY public.ab_past FORCE ROW LEVEL SECURITY;

ALTER TABLE public.ab_past OWNER TO assay_owner;

COMMENT ON COLUMN public.ab_past.tenant_id IS 'no subject';

COMMENT ON COLUMN public.ab_past.unit IS 'subject';

CREATE TABLE public.ab_past_scans (
    tenant_id text NOT NULL,
    test_id uuid NOT NULL,
    scanned_until timestamp with time zone NOT NULL,
    tok_bins jsonb DEFAULT '{}'::jsonb NOT NULL,
    cost_bins jsonb DEFAULT '{}'::jsonb NOT NULL,
    has_units boolean DEFAULT false NOT NULL,
    tok_limit bigint,
    cost_limit bigint,
    marked_at timestamp with time zone,
    completed_at timestamp with time zone,
    CONSTRAINT ab_past_scans_check CHECK (((completed_at IS NULL) OR (marked_at IS NOT NULL))),
    CONSTRAINT ab_past_scans_cost_limit_check CHECK ((cost_limit > 0)),
    CONSTRAINT ab_past_scans_tok_limit_check CHECK ((tok_limit > 0))
);

ALTER TABLE ONLY public.ab_past_scans FORCE ROW LEVEL SECURITY;

ALTER TABLE public.ab_past_scans OWNER TO assay_owner;

COMMENT ON COLUMN public.ab_past_scans.tenant_id IS 'no subject';

COMMENT ON COLUMN public.ab_past_scans.tok_bins IS 'no subject';

COMMENT ON COLUMN public.ab_past_scans.cost_bins IS 'no subject';

CREATE TABLE public.ab_results (
    tenant_id text NOT NULL,
    test_id uuid NOT NULL,
    as_of timestamp with time zone NOT NULL,
    computed_at timestamp with time zone DEFAULT now() NOT NULL,
    verdict text NOT NULL,
    body jsonb NOT NULL,
    memory jsonb NOT NULL,
    CONSTRAINT ab_results_body_check CHECK ((jsonb_typeof(body) = 'object'::text)),
    CONSTRAINT ab_results_memory_check CHECK ((jsonb_typeof(memory) = 'object'::text))
);

ALTER TABLE ONLY public.ab_results FORCE ROW LEVEL SECURITY;

ALTER TABLE public.ab_results OWNER TO assay_owner;

COMMENT ON COLUMN public.ab_results.tenant_id IS 'no subject';

COMMENT ON COLUMN public.ab_results.verdict IS 'no subject';

COMMENT ON COLUMN public.ab_results.body IS 'no subject';

COMMENT ON COLUMN public.ab_results.memory IS 'no subject';

CREATE TABLE public.ab_results_history (
    tenant_id text NOT NULL,
    test_id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    metric text NOT NULL,
    variant text NOT NULL,
    is_first boolean DEFAULT false NOT NULL,
    units bigint NOT NULL,
    difference double precision NOT NULL,
    low double precision NOT NULL,
    high double precision NOT NULL,
    CONSTRAINT ab_results_history_units_check CHECK ((units >= 0))
);

ALTER TABLE ONLY public.ab_results_history FORCE ROW LEVEL SECURITY;

ALTER TABLE public.ab_results_history OWNER TO assay_owner;

COMMENT ON COLUMN public.ab_results_history.tenant_id IS 'no subject';

COMMENT ON COLUMN public.ab_results_history.metric IS 'no subject';

COMMENT ON COLUMN public.ab_results_history.variant IS 'no subject';

CREATE TABLE public.ab_sketches (
    tenant_id text NOT NULL,
    test_id uuid NOT NULL,
    epoch integer NOT NULL,
    variant text NOT NULL,
    grp smallint NOT NULL,
    shard integer NOT NULL,
    bins jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT ab_sketches_grp_check CHECK (((grp >= 0) AND (grp <= 19)))
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.ab_sketches FORCE ROW LEVEL SECURITY;

ALTER TABLE public.ab_sketches OWNER TO assay_owner;

COMMENT ON COLUMN public.ab_sketches.tenant_id IS 'no subject';

COMMENT ON COLUMN public.ab_sketches.variant IS 'no subject';

COMMENT ON COLUMN public.ab_sketches.bins IS 'no subject';

CREATE TABLE public.ab_sums (
    tenant_id text NOT NULL,
    test_id uuid NOT NULL,
    epoch integer NOT NULL,
    variant text NOT NULL,
    metric text NOT NULL,
    shard integer NOT NULL,
    n bigint DEFAULT 0 NOT NULL,
    m numeric DEFAULT 0 NOT NULL,
    mm numeric DEFAULT 0 NOT NULL,
    d numeric DEFAULT 0 NOT NULL,
    dd numeric DEFAULT 0 NOT NULL,
    md numeric DEFAULT 0 NOT NULL,
    x numeric DEFAULT 0 NOT NULL,
    xx numeric DEFAULT 0 NOT NULL,
    mx numeric DEFAULT 0 NOT NULL,
    y numeric DEFAULT 0 NOT NULL,
    yy numeric DEFAULT 0 NOT NULL,
    xy numeric DEFAULT 0 NOT NULL,
    my numeric DEFAULT 0 NOT NULL,
    dx numeric DEFAULT 0 NOT NULL,
    dy numeric DEFAULT 0 NOT NULL,
    h bigint DEFAULT 0 NOT NULL,
    mh numeric DEFAULT 0 NOT NULL,
    dh numeric DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.ab_sums FORCE ROW LEVEL SECURITY;

ALTER TABLE public.ab_sums OWNER TO assay_owner;

COMMENT ON COLUMN public.ab_sums.tenant_id IS 'no subject';

COMMENT ON COLUMN public.ab_sums.variant IS 'no subject';

COMMENT ON COLUMN public.ab_sums.metric IS 'no subject';

CREATE TABLE public.ab_test_steps (
    tenant_id text NOT NULL,
    event_id uuid NOT NULL,
    test_id uuid NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    actor text,
    reason text NOT NULL,
    body jsonb NOT NULL,
    published_at timestamp with time zone,
    refusal text,
    CONSTRAINT ab_test_steps_reason_check CHECK ((length(reason) <= 2048)),
    CONSTRAINT ab_test_steps_refusal_check CHECK ((length(refusal) <= 512))
);

ALTER TABLE ONLY public.ab_test_steps FORCE ROW LEVEL SECURITY;

ALTER TABLE public.ab_test_steps OWNER TO assay_owner;

COMMENT ON COLUMN public.ab_test_steps.tenant_id IS 'no subject';

COMMENT ON COLUMN public.ab_test_steps.state IS 'no subject';

COMMENT ON COLUMN public.ab_test_steps.actor IS 'no subject';

COMMENT ON COLUMN public.ab_test_steps.reason IS 'no subject';

COMMENT ON COLUMN public.ab_test_steps.body IS 'no subject';

COMMENT ON COLUMN public.ab_test_steps.refusal IS 'no subject';

CREATE TABLE public.ab_waiting (
    tenant_id text NOT NULL,
    event_id uuid NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    operation_id text NOT NULL,
    arrived_at timestamp with time zone NOT NULL,
    rating smallint,
    helpful smallint,
    accurate smallint,
    relevant smallint,
    fast smallint,
    waits_since timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

ALTER TABLE ONLY public.ab_waiting FORCE ROW LEVEL SECURITY;

ALTER TABLE public.ab_waiting OWNER TO assay_owner;

COMMENT ON COLUMN public.ab_waiting.tenant_id IS 'no subject';

COMMENT ON COLUMN public.ab_waiting.operation_id IS 'subject';

CREATE TABLE public.ai_model_operations (
    tenant_id text NOT NULL,
    event_id uuid NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    operation_id text NOT NULL,
    model_id text NOT NULL,
    success boolean NOT NULL,
    response_time_ms double precision NOT NULL,
    model_version text,
    provider text,
    operation_type text NOT NULL,
    agent_id text,
    environment text NOT NULL,
    release text,
    trace_id text,
    parent_operation_id text,
    session_id text,
    user_pseudonym text,
    prompt_version text,
    time_to_first_token_ms double precision,
    input_tokens bigint,
    output_tokens bigint,
    cached_input_tokens bigint,
    reasoning_tokens bigint,
    cost_nano bigint,
    confidence double precision,
    error_type text,
    error_message text,
    input_text text,
    output_text text,
    ab_test_id text,
    variant text,
    metadata jsonb,
    payload_hash bytea NOT NULL,
    kafka_topic text NOT NULL,
    kafka_partition integer NOT NULL,
    kafka_offset bigint NOT NULL,
    ingested_at timestamp with time zone DEFAULT now() NOT NULL
)
PARTITION BY RANGE (occurred_at);

ALTER TABLE ONLY public.ai_model_operations FORCE ROW LEVEL SECURITY;

ALTER TABLE public.ai_model_operations OWNER TO assay_owner;

COMMENT ON COLUMN public.ai_model_operations.tenant_id IS 'no subject';

COMMENT ON COLUMN public.ai_model_operations.operation_id IS 'subject';

COMMENT ON COLUMN public.ai_model_operations.model_id IS 'no subject';

COMMENT ON COLUMN public.ai_model_operations.model_version IS 'no subject';

COMMENT ON COLUMN public.ai_model_operations.provider IS 'no subject';

COMMENT ON COLUMN public.ai_model_operations.operation_type IS 'no subject';

COMMENT ON COLUMN public.ai_model_operations.agent_id IS 'no subject';

COMMENT ON COLUMN public.ai_model_operations.environment IS 'no subject';

COMMENT ON COLUMN public.ai_model_operations.release IS 'no subject';

COMMENT ON COLUMN public.ai_model_operations.trace_id IS 'subject';

COMMENT ON COLUMN public.ai_model_operations.parent_operation_id IS 'subject';

COMMENT ON COLUMN public.ai_model_operations.session_id IS 'subject';

COMMENT ON COLUMN public.ai_model_operations.user_pseudonym IS 'subject';

COMMENT ON COLUMN public.ai_model_operations.prompt_version IS 'no subject';

COMMENT ON COLUMN public.ai_model_operations.error_type IS 'no subject';

COMMENT ON COLUMN public.ai_model_operations.error_message IS 'subject';

COMMENT ON COLUMN public.ai_model_operations.input_text IS 'subject';

COMMENT ON COLUMN public.ai_model_operations.output_text IS 'subject';

COMMENT ON COLUMN public.ai_model_operations.ab_test_id IS 'no subject';

COMMENT ON COLUMN public.ai_model_operations.variant IS 'no subject';

COMMENT ON COLUMN public.ai_model_operations.metadata IS 'subject';

COMMENT ON COLUMN public.ai_model_operations.payload_hash IS 'subject';

COMMENT ON COLUMN public.ai_model_operations.kafka_topic IS 'no subject';

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);

ALTER TABLE public.alembic_version OWNER TO assay;

CREATE TABLE public.alert_actions (
    tenant_id text NOT NULL,
    action_id uuid NOT NULL,
    alert_id uuid NOT NULL,
    action text NOT NULL,
    until timestamp with time zone,
    note text NOT NULL,
    actor text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT alert_actions_action_check CHECK ((action = ANY (ARRAY['acknowledge'::text, 'resolve'::text]))),
    CONSTRAINT alert_actions_note_check CHECK ((length(note) <= 2048))
);

ALTER TABLE ONLY public.alert_actions FORCE ROW LEVEL SECURITY;

ALTER TABLE public.alert_actions OWNER TO assay_owner;

COMMENT ON COLUMN public.alert_actions.tenant_id IS 'no subject';

COMMENT ON COLUMN public.alert_actions.action IS 'no subject';

COMMENT ON COLUMN public.alert_actions.note IS 'no subject';

COMMENT ON COLUMN public.alert_actions.actor IS 'no subject';

CREATE TABLE public.alert_rules (
    tenant_id text NOT NULL,
    rule_id uuid NOT NULL,
    body jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.alert_rules FORCE ROW LEVEL SECURITY;

ALTER TABLE public.alert_rules OWNER TO assay_owner;

COMMENT ON COLUMN public.alert_rules.tenant_id IS 'no subject';

COMMENT ON COLUMN public.alert_rules.body IS 'no subject';

COMMENT ON COLUMN public.alert_rules.created_by IS 'no subject';

CREATE TABLE public.api_keys (
    tenant_id text NOT NULL,
    key_id text NOT NULL,
    name text NOT NULL,
    role text,
    permissions text[] NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    expires_at timestamp with time zone,
    revoked_at timestamp with time zone,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    last_used_at timestamp with time zone,
    replaced_by uuid,
    CONSTRAINT api_keys_key_id_check CHECK ((key_id ~ '^[a-z0-9]{12}$'::text)),
    CONSTRAINT api_keys_secret_hash_check CHECK ((length(secret_hash) = 32))
);

ALTER TABLE ONLY public.api_keys FORCE ROW LEVEL SECURITY;

ALTER TABLE public.api_keys OWNER TO assay_owner;

COMMENT ON COLUMN public.api_keys.tenant_id IS 'no subject';

COMMENT ON COLUMN public.api_keys.key_id IS 'no subject';

COMMENT ON COLUMN public.api_keys.name IS 'no subject';

COMMENT ON COLUMN public.api_keys.role IS 'no subject';

COMMENT ON COLUMN public.api_keys.permissions IS 'no subject';

COMMENT ON COLUMN public.api_keys.secret_hash IS 'no subject';

COMMENT ON COLUMN public.api_keys.created_by IS 'no subject';

CREATE TABLE public.audit_heads (
    tenant_id text NOT NULL,
    sequence bigint NOT NULL,
    row_hash bytea NOT NULL,
    CONSTRAINT audit_heads_row_hash_check CHECK ((length(row_hash) = 32))
);

ALTER TABLE ONLY public.audit_heads FORCE ROW LEVEL SECURITY;

ALTER TABLE public.audit_heads OWNER TO assay_owner;

COMMENT ON COLUMN public.audit_heads.tenant_id IS 'no subject';

COMMENT ON COLUMN public.audit_heads.row_hash IS 'no subject';

CREATE TABLE public.audit_log (
    tenant_id text NOT NULL,
    sequence bigint NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    actor text NOT NULL,
    role text,
    action text NOT NULL,
    object_type text NOT NULL,
    object_id text NOT NULL,
    before text,
    after text,
    request_id text,
    key_version integer NOT NULL,
    prev_hash bytea NOT NULL,
    row_hash bytea NOT NULL,
    CONSTRAINT audit_log_prev_hash_check CHECK ((length(prev_hash) = 32)),
    CONSTRAINT audit_log_row_hash_check CHECK ((length(row_hash) = 32)),
    CONSTRAINT audit_log_sequence_check CHECK ((sequence > 0))
);

ALTER TABLE ONLY public.audit_log FORCE ROW LEVEL SECURITY;

ALTER TABLE public.audit_log OWNER TO assay_owner;

COMMENT ON COLUMN public.audit_log.tenant_id IS 'no subject';

COMMENT ON COLUMN public.audit_log.actor IS 'no subject';

COMMENT ON COLUMN public.audit_log.role IS 'no subject';

COMMENT ON COLUMN public.audit_log.action IS 'no subject';

COMMENT ON COLUMN public.audit_log.object_type IS 'no subject';

COMMENT ON COLUMN public.audit_log.object_id IS 'no subject';

COMMENT ON COLUMN public.audit_log.before IS 'no subject';

COMMENT ON COLUMN public.audit_log.after IS 'no subject';

COMMENT ON COLUMN public.audit_log.request_id IS 'no subject';

COMMENT ON COLUMN public.audit_log.prev_hash IS 'no subject';

COMMENT ON COLUMN public.audit_log.row_hash IS 'no subject';

CREATE TABLE public.consumer_fence (
    consumer_group text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    epoch bigint NOT NULL,
    next_offset bigint NOT NULL,
    accepted bigint DEFAULT 0 NOT NULL,
    duplicates bigint DEFAULT 0 NOT NULL,
    dead bigint DEFAULT 0 NOT NULL,
    gaps bigint DEFAULT 0 NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    erased bigint DEFAULT 0 NOT NULL
);

ALTER TABLE ONLY public.consumer_fence FORCE ROW LEVEL SECURITY;

ALTER TABLE public.consumer_fence OWNER TO assay_owner;

COMMENT ON COLUMN public.consumer_fence.consumer_group IS 'no subject';

COMMENT ON COLUMN public.consumer_fence.topic IS 'no subject';

CREATE TABLE public.dataset_rows (
    tenant_id text NOT NULL,
    dataset_id uuid NOT NULL,
    "position" bigint NOT NULL,
    row_id uuid NOT NULL,
    operation_id text NOT NULL,
    kind text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    model_id text NOT NULL,
    model_version text,
    agent_id text,
    environment text NOT NULL,
    operation_type text NOT NULL,
    prompt_version text,
    ab_test_id text,
    variant text,
    input text,
    output text,
    correction text,
    input_hash bytea,
    quality double precision NOT NULL,
    weight double precision NOT NULL,
    reasons text[] NOT NULL,
    consent boolean,
    split text NOT NULL,
    formula_version text NOT NULL,
    weighed_at timestamp with time zone NOT NULL,
    lineage jsonb NOT NULL,
    has_pii boolean NOT NULL
);

ALTER TABLE ONLY public.dataset_rows FORCE ROW LEVEL SECURITY;

ALTER TABLE public.dataset_rows OWNER TO assay_owner;

COMMENT ON COLUMN public.dataset_rows.tenant_id IS 'no subject';

COMMENT ON COLUMN public.dataset_rows.operation_id IS 'subject';

COMMENT ON COLUMN public.dataset_rows.kind IS 'no subject';

COMMENT ON COLUMN public.dataset_rows.model_id IS 'no subject';

COMMENT ON COLUMN public.dataset_rows.model_version IS 'no subject';

COMMENT ON COLUMN public.dataset_rows.agent_id IS 'no subject';

COMMENT ON COLUMN public.dataset_rows.environment IS 'no subject';

COMMENT ON COLUMN public.dataset_rows.operation_type IS 'no subject';

COMMENT ON COLUMN public.dataset_rows.prompt_version IS 'no subject';

COMMENT ON COLUMN public.dataset_rows.ab_test_id IS 'no subject';

COMMENT ON COLUMN public.dataset_rows.variant IS 'no subject';

COMMENT ON COLUMN public.dataset_rows.input IS 'subject';

COMMENT ON COLUMN public.dataset_rows.output IS 'subject';

COMMENT ON COLUMN public.dataset_rows.correction IS 'subject';

COMMENT ON COLUMN public.dataset_rows.input_hash IS 'subject';

COMMENT ON COLUMN public.dataset_rows.reasons IS 'no subject';

COMMENT ON COLUMN public.dataset_rows.split IS 'no subject';

COMMENT ON COLUMN public.dataset_rows.formula_version IS 'no subject';

COMMENT ON COLUMN public.dataset_rows.lineage IS 'subject';

CREATE TABLE public.datasets (
    tenant_id text NOT NULL,
    dataset_id uuid NOT NULL,
    name text NOT NULL,
    version integer NOT NULL,
    filters jsonb NOT NULL,
    splits jsonb NOT NULL,
    state text NOT NULL,
    formula_version text,
    weighed_at timestamp with time zone,
    rows bigint,
    sha256 text,
    manifest jsonb,
    failure text,
    withdrawn bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    frozen_at timestamp with time zone,
    CONSTRAINT datasets_state_check CHECK ((state = ANY (ARRAY['freezing'::text, 'frozen'::text, 'failed'::text])))
);

ALTER TABLE ONLY public.datasets FORCE ROW LEVEL SECURITY;

ALTER TABLE public.datasets OWNER TO assay_owner;

COMMENT ON COLUMN public.datasets.tenant_id IS 'no subject';

COMMENT ON COLUMN public.datasets.name IS 'no subject';

COMMENT ON COLUMN public.datasets.filters IS 'no subject';

COMMENT ON COLUMN public.datasets.splits IS 'no subject';

COMMENT ON COLUMN public.datasets.state IS 'no subject';

COMMENT ON COLUMN public.datasets.formula_version IS 'no subject';

COMMENT ON COLUMN public.datasets.sha256 IS 'no subject';

COMMENT ON COLUMN public.datasets.manifest IS 'no subject';

COMMENT ON COLUMN public.datasets.failure IS 'no subject';

COMMENT ON COLUMN public.datasets.created_by IS 'no subject';

CREATE TABLE public.dead_letters (
    topic text NOT NULL,
    partition integer NOT NULL,
    kafka_offset bigint NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    tenant_id text,
    record_key bytea,
    record_value bytea,
    record_headers jsonb DEFAULT '[]'::jsonb NOT NULL,
    record_timestamp timestamp with time zone NOT NULL,
    first_seen_at timestamp with time zone DEFAULT now() NOT NULL,
    published_at timestamp with time zone,
    redriven_at timestamp with time zone,
    CONSTRAINT dead_letters_detail_check CHECK ((length(detail) <= 512))
);

ALTER TABLE ONLY public.dead_letters FORCE ROW LEVEL SECURITY;

ALTER TABLE public.dead_letters OWNER TO assay_owner;

COMMENT ON COLUMN public.dead_letters.topic IS 'no subject';

COMMENT ON COLUMN public.dead_letters.reason IS 'no subject';

COMMENT ON COLUMN public.dead_letters.detail IS 'no subject';

COMMENT ON COLUMN public.dead_letters.tenant_id IS 'no subject';

COMMENT ON COLUMN public.dead_letters.record_key IS 'subject';

COMMENT ON COLUMN public.dead_letters.record_value IS 'subject';

COMMENT ON COLUMN public.dead_letters.record_headers IS 'subject';

CREATE TABLE public.erased_events (
    tenant_id text NOT NULL,
    digest bytea NOT NULL,
    kafka_topic text NOT NULL,
    kafka_partition integer NOT NULL,
    kafka_offset bigint NOT NULL,
    ingested_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.erased_events FORCE ROW LEVEL SECURITY;

ALTER TABLE public.erased_events OWNER TO assay_owner;

COMMENT ON COLUMN public.erased_events.tenant_id IS 'no subject';

COMMENT ON COLUMN public.erased_events.digest IS 'no subject';

COMMENT ON COLUMN public.erased_events.kafka_topic IS 'no subject';

CREATE TABLE public.erased_names (
    tenant_id text NOT NULL,
    digest text NOT NULL,
    erased_before timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.erased_names FORCE ROW LEVEL SECURITY;

ALTER TABLE public.erased_names OWNER TO assay_owner;

COMMENT ON COLUMN public.erased_names.tenant_id IS 'no subject';

COMMENT ON COLUMN public.erased_names.digest IS 'no subject';

CREATE TABLE public.erased_rows_minute (
    tenant_id text CONSTRAINT operation_rollup_minute_tenant_id_not_null NOT NULL,
    minute timestamp with time zone CONSTRAINT operation_rollup_minute_minute_not_null NOT NULL,
    model_id text CONSTRAINT operation_rollup_minute_model_id_not_null NOT NULL,
    environment text CONSTRAINT operation_rollup_minute_environment_not_null NOT NULL,
    operation_type text CONSTRAINT operation_rollup_minute_operation_type_not_null NOT NULL,
    variant text CONSTRAINT operation_rollup_minute_variant_not_null NOT NULL,
    topic text CONSTRAINT operation_rollup_minute_topic_not_null NOT NULL,
    partition integer CONSTRAINT operation_rollup_minute_partition_not_null NOT NULL,
    n bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_n_not_null NOT NULL,
    ok bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_ok_not_null NOT NULL,
    rt_us bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_rt_us_not_null NOT NULL,
    ln bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_ln_not_null NOT NULL,
    ln2 bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_ln2_not_null NOT NULL,
    tin_n bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_tin_n_not_null NOT NULL,
    tin bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_tin_not_null NOT NULL,
    tout_n bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_tout_n_not_null NOT NULL,
    tout bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_tout_not_null NOT NULL,
    tcached_n bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_tcached_n_not_null NOT NULL,
    tcached bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_tcached_not_null NOT NULL,
    treason_n bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_treason_n_not_null NOT NULL,
    treason bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_treason_not_null NOT NULL,
    cost_n bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_cost_n_not_null NOT NULL,
    cost_nano bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_cost_nano_not_null NOT NULL,
    conf_n bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_conf_n_not_null NOT NULL,
    conf bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_conf_not_null NOT NULL,
    conf2 bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_conf2_not_null NOT NULL,
    brier bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_brier_not_null NOT NULL,
    f_n bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_f_n_not_null NOT NULL,
    rating_n bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_rating_n_not_null NOT NULL,
    rating bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_rating_not_null NOT NULL,
    rating2 bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_rating2_not_null NOT NULL,
    helpful_n bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_helpful_n_not_null NOT NULL,
    helpful bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_helpful_not_null NOT NULL,
    accurate_n bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_accurate_n_not_null NOT NULL,
    accurate bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_accurate_not_null NOT NULL,
    relevant_n bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_relevant_n_not_null NOT NULL,
    relevant bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_relevant_not_null NOT NULL,
    fast_n bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_fast_n_not_null NOT NULL,
    fast bigint DEFAULT 0 CONSTRAINT operation_rollup_minute_fast_not_null NOT NULL,
    distribution jsonb DEFAULT '{}'::jsonb CONSTRAINT operation_rollup_minute_distribution_not_null NOT NULL
);

ALTER TABLE ONLY public.erased_rows_minute FORCE ROW LEVEL SECURITY;

ALTER TABLE public.erased_rows_minute OWNER TO assay_owner;

COMMENT ON COLUMN public.erased_rows_minute.tenant_id IS 'no subject';

COMMENT ON COLUMN public.erased_rows_minute.model_id IS 'no subject';

COMMENT ON COLUMN public.erased_rows_minute.environment IS 'no subject';

COMMENT ON COLUMN public.erased_rows_minute.operation_type IS 'no subject';

COMMENT ON COLUMN public.erased_rows_minute.variant IS 'no subject';

COMMENT ON COLUMN public.erased_rows_minute.topic IS 'no subject';

COMMENT ON COLUMN public.erased_rows_minute.distribution IS 'no subject';

CREATE TABLE public.erased_subjects (
    tenant_id text NOT NULL,
    seq bigint NOT NULL,
    erasure_id uuid NOT NULL,
    names jsonb NOT NULL,
    erased_from timestamp with time zone,
    erased_before timestamp with time zone NOT NULL,
    CONSTRAINT erased_subjects_names_check CHECK (((jsonb_typeof(names) = 'object'::text) AND (names <> '{}'::jsonb)))
);

ALTER TABLE ONLY public.erased_subjects FORCE ROW LEVEL SECURITY;

ALTER TABLE public.erased_subjects OWNER TO assay_owner;

COMMENT ON COLUMN public.erased_subjects.tenant_id IS 'no subject';

COMMENT ON COLUMN public.erased_subjects.names IS 'no subject';

ALTER TABLE public.erased_subjects ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.erased_subjects_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.erasure_due (
    tenant_id text NOT NULL,
    due_id bigint NOT NULL,
    service text NOT NULL,
    erasure_id uuid,
    what text NOT NULL,
    operation_id text NOT NULL,
    event_id uuid,
    row_id uuid,
    replaced_by text,
    with_unit boolean DEFAULT false NOT NULL,
    erased_before timestamp with time zone NOT NULL,
    seen_xid bigint,
    done_once boolean DEFAULT false NOT NULL,
    noted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT erasure_due_what_check CHECK ((what = ANY (ARRAY['operation'::text, 'event'::text, 'rater'::text])))
);

ALTER TABLE ONLY public.erasure_due FORCE ROW LEVEL SECURITY;

ALTER TABLE public.erasure_due OWNER TO assay_owner;

COMMENT ON COLUMN public.erasure_due.tenant_id IS 'no subject';

COMMENT ON COLUMN public.erasure_due.service IS 'no subject';

COMMENT ON COLUMN public.erasure_due.what IS 'no subject';

COMMENT ON COLUMN public.erasure_due.operation_id IS 'subject';

COMMENT ON COLUMN public.erasure_due.replaced_by IS 'subject';

ALTER TABLE public.erasure_due ALTER COLUMN due_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.erasure_due_due_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.erasure_events (
    tenant_id text NOT NULL,
    event_id uuid NOT NULL,
    topic text NOT NULL,
    record_key text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    body jsonb NOT NULL,
    published_at timestamp with time zone,
    CONSTRAINT erasure_events_topic_check CHECK ((topic = ANY (ARRAY['erasures.v1'::text, 'erasure-receipts.v1'::text])))
);

ALTER TABLE ONLY public.erasure_events FORCE ROW LEVEL SECURITY;

ALTER TABLE public.erasure_events OWNER TO assay_owner;

COMMENT ON COLUMN public.erasure_events.tenant_id IS 'no subject';

COMMENT ON COLUMN public.erasure_events.topic IS 'no subject';

COMMENT ON COLUMN public.erasure_events.record_key IS 'no subject';

COMMENT ON COLUMN public.erasure_events.body IS 'no subject';

CREATE TABLE public.erasure_receipts (
    tenant_id text NOT NULL,
    erasure_id uuid NOT NULL,
    service text NOT NULL,
    store text NOT NULL,
    removed bigint,
    until timestamp with time zone,
    at timestamp with time zone,
    "position" jsonb DEFAULT '{}'::jsonb NOT NULL,
    seen_xid bigint
);

ALTER TABLE ONLY public.erasure_receipts FORCE ROW LEVEL SECURITY;

ALTER TABLE public.erasure_receipts OWNER TO assay_owner;

COMMENT ON COLUMN public.erasure_receipts.tenant_id IS 'no subject';

COMMENT ON COLUMN public.erasure_receipts.service IS 'no subject';

COMMENT ON COLUMN public.erasure_receipts.store IS 'no subject';

COMMENT ON COLUMN public.erasure_receipts."position" IS 'no subject';

CREATE TABLE public.erasures (
    tenant_id text NOT NULL,
    erasure_id uuid NOT NULL,
    mode text NOT NULL,
    kind text NOT NULL,
    subject jsonb,
    subject_hash text NOT NULL,
    erased_from timestamp with time zone,
    erased_before timestamp with time zone NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    deadline timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    completed_at timestamp with time zone,
    CONSTRAINT erasures_check CHECK (((status = 'completed'::text) = (completed_at IS NOT NULL))),
    CONSTRAINT erasures_check1 CHECK (((status = 'completed'::text) = (subject IS NULL))),
    CONSTRAINT erasures_kind_check CHECK ((kind = ANY (ARRAY['user'::text, 'operation'::text, 'filter'::text]))),
    CONSTRAINT erasures_mode_check CHECK ((mode = ANY (ARRAY['erase'::text, 'anonymise'::text]))),
    CONSTRAINT erasures_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'running'::text, 'completed'::text, 'failed'::text]))),
    CONSTRAINT erasures_subject_check CHECK ((jsonb_typeof(subject) = 'object'::text))
);

ALTER TABLE ONLY public.erasures FORCE ROW LEVEL SECURITY;

ALTER TABLE public.erasures OWNER TO assay_owner;

COMMENT ON COLUMN public.erasures.tenant_id IS 'no subject';

COMMENT ON COLUMN public.erasures.mode IS 'no subject';

COMMENT ON COLUMN public.erasures.kind IS 'no subject';

COMMENT ON COLUMN public.erasures.subject IS 'subject';

COMMENT ON COLUMN public.erasures.subject_hash IS 'no subject';

COMMENT ON COLUMN public.erasures.status IS 'no subject';

COMMENT ON COLUMN public.erasures.created_by IS 'no subject';

CREATE TABLE public.feedback_analysis (
    tenant_id text NOT NULL,
    event_id uuid NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    operation_id text NOT NULL,
    source text NOT NULL,
    user_pseudonym text,
    rating smallint,
    helpful boolean,
    accurate boolean,
    relevant boolean,
    fast boolean,
    from_comment text[] DEFAULT '{}'::text[] NOT NULL,
    conflict text[] DEFAULT '{}'::text[] NOT NULL,
    label text,
    score double precision,
    confidence double precision,
    method text NOT NULL,
    version text NOT NULL,
    is_corrected boolean NOT NULL,
    correction text,
    consent boolean,
    is_superseded boolean DEFAULT false NOT NULL,
    analysed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    is_own_judge boolean DEFAULT false NOT NULL,
    CONSTRAINT feedback_analysis_label_check CHECK ((label = ANY (ARRAY['negative'::text, 'neutral'::text, 'positive'::text]))),
    CONSTRAINT feedback_analysis_rating_check CHECK (((rating >= 1) AND (rating <= 5))),
    CONSTRAINT feedback_analysis_source_check CHECK ((source = ANY (ARRAY['user'::text, 'reviewer'::text, 'code'::text, 'model'::text])))
);

ALTER TABLE ONLY public.feedback_analysis FORCE ROW LEVEL SECURITY;

ALTER TABLE public.feedback_analysis OWNER TO assay_owner;

COMMENT ON COLUMN public.feedback_analysis.tenant_id IS 'no subject';

COMMENT ON COLUMN public.feedback_analysis.operation_id IS 'subject';

COMMENT ON COLUMN public.feedback_analysis.source IS 'no subject';

COMMENT ON COLUMN public.feedback_analysis.user_pseudonym IS 'subject';

COMMENT ON COLUMN public.feedback_analysis.from_comment IS 'no subject';

COMMENT ON COLUMN public.feedback_analysis.conflict IS 'no subject';

COMMENT ON COLUMN public.feedback_analysis.label IS 'no subject';

COMMENT ON COLUMN public.feedback_analysis.method IS 'no subject';

COMMENT ON COLUMN public.feedback_analysis.version IS 'no subject';

COMMENT ON COLUMN public.feedback_analysis.correction IS 'subject';

CREATE TABLE public.feedback_due (
    tenant_id text NOT NULL,
    due_id bigint NOT NULL,
    operation_id text NOT NULL,
    shard smallint NOT NULL,
    due_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT feedback_due_shard_check CHECK (((shard >= 0) AND (shard <= 15)))
);

ALTER TABLE ONLY public.feedback_due FORCE ROW LEVEL SECURITY;

ALTER TABLE public.feedback_due OWNER TO assay_owner;

COMMENT ON COLUMN public.feedback_due.tenant_id IS 'no subject';

COMMENT ON COLUMN public.feedback_due.operation_id IS 'subject';

ALTER TABLE public.feedback_due ALTER COLUMN due_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.feedback_due_due_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.feedback_nights (
    day date NOT NULL,
    done_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.feedback_nights OWNER TO assay_owner;

CREATE TABLE public.feedback_operations (
    tenant_id text NOT NULL,
    operation_id text NOT NULL,
    first_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    found_at timestamp with time zone,
    reported_at timestamp with time zone,
    occurred_at timestamp with time zone,
    model_id text,
    model_version text,
    agent_id text,
    environment text,
    operation_type text,
    weighed_at timestamp with time zone,
    stands jsonb DEFAULT '[]'::jsonb NOT NULL,
    told_stands jsonb DEFAULT '[]'::jsonb NOT NULL
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.feedback_operations FORCE ROW LEVEL SECURITY;

ALTER TABLE public.feedback_operations OWNER TO assay_owner;

COMMENT ON COLUMN public.feedback_operations.tenant_id IS 'no subject';

COMMENT ON COLUMN public.feedback_operations.operation_id IS 'subject';

COMMENT ON COLUMN public.feedback_operations.model_id IS 'no subject';

COMMENT ON COLUMN public.feedback_operations.model_version IS 'no subject';

COMMENT ON COLUMN public.feedback_operations.agent_id IS 'no subject';

COMMENT ON COLUMN public.feedback_operations.environment IS 'no subject';

COMMENT ON COLUMN public.feedback_operations.operation_type IS 'no subject';

COMMENT ON COLUMN public.feedback_operations.stands IS 'subject';

COMMENT ON COLUMN public.feedback_operations.told_stands IS 'subject';

CREATE TABLE public.health_limits (
    tenant_id text NOT NULL,
    model_id text NOT NULL,
    body jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_by text NOT NULL,
    CONSTRAINT health_limits_body_check CHECK ((jsonb_typeof(body) = 'object'::text))
);

ALTER TABLE ONLY public.health_limits FORCE ROW LEVEL SECURITY;

ALTER TABLE public.health_limits OWNER TO assay_owner;

COMMENT ON COLUMN public.health_limits.tenant_id IS 'no subject';

COMMENT ON COLUMN public.health_limits.model_id IS 'no subject';

COMMENT ON COLUMN public.health_limits.body IS 'no subject';

COMMENT ON COLUMN public.health_limits.created_by IS 'no subject';

COMMENT ON COLUMN public.health_limits.updated_by IS 'no subject';

CREATE TABLE public.model_status_changes (
    tenant_id text NOT NULL,
    change_id uuid NOT NULL,
    model_id text NOT NULL,
    environment text,
    operation_type text,
    part text GENERATED ALWAYS AS (public.status_part(environment, operation_type)) STORED NOT NULL,
    at timestamp with time zone NOT NULL,
    status text NOT NULL,
    before text,
    reasons jsonb NOT NULL,
    measures jsonb NOT NULL,
    CONSTRAINT model_status_changes_check CHECK (((environment IS NULL) = (operation_type IS NULL))),
    CONSTRAINT model_status_changes_status_check CHECK ((status = ANY (ARRAY['excellent'::text, 'good'::text, 'degraded'::text, 'critical'::text, 'unknown'::text])))
);

ALTER TABLE ONLY public.model_status_changes FORCE ROW LEVEL SECURITY;

ALTER TABLE public.model_status_changes OWNER TO assay_owner;

COMMENT ON COLUMN public.model_status_changes.tenant_id IS 'no subject';

COMMENT ON COLUMN public.model_status_changes.model_id IS 'no subject';

COMMENT ON COLUMN public.model_status_changes.environment IS 'no subject';

COMMENT ON COLUMN public.model_status_changes.operation_type IS 'no subject';

COMMENT ON COLUMN public.model_status_changes.part IS 'no subject';

COMMENT ON COLUMN public.model_status_changes.status IS 'no subject';

COMMENT ON COLUMN public.model_status_changes.before IS 'no subject';

COMMENT ON COLUMN public.model_status_changes.reasons IS 'no subject';

COMMENT ON COLUMN public.model_status_changes.measures IS 'no subject';

CREATE TABLE public.model_training_data (
    tenant_id text NOT NULL,
    row_id uuid NOT NULL,
    operation_id text NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    model_id text NOT NULL,
    model_version text,
    agent_id text,
    environment text NOT NULL,
    operation_type text NOT NULL,
    prompt_version text,
    ab_test_id text,
    variant text,
    input text,
    output text,
    correction text,
    input_hash bytea,
    quality double precision NOT NULL,
    weight double precision NOT NULL,
    reasons text[] NOT NULL,
    terms jsonb NOT NULL,
    consent boolean,
    split text NOT NULL,
    formula_version text NOT NULL,
    weighed_at timestamp with time zone NOT NULL,
    lineage jsonb NOT NULL,
    has_pii boolean NOT NULL,
    content_hash bytea NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT model_training_data_check CHECK (((state = 'ready'::text) OR ((input IS NULL) AND (output IS NULL) AND (correction IS NULL)))),
    CONSTRAINT model_training_data_kind_check CHECK ((kind = ANY (ARRAY['answer'::text, 'correction'::text]))),
    CONSTRAINT model_training_data_quality_check CHECK (((quality >= (0)::double precision) AND (quality <= (1)::double precision))),
    CONSTRAINT model_training_data_split_check CHECK ((split = ANY (ARRAY['train'::text, 'validation'::text, 'test'::text]))),
    CONSTRAINT model_training_data_state_check CHECK ((state = ANY (ARRAY['ready'::text, 'withdrawn'::text]))),
    CONSTRAINT model_training_data_weight_check CHECK (((weight >= (0)::double precision) AND (weight <= (1)::double precision)))
)
WITH (fillfactor='80');

ALTER TABLE ONLY public.model_training_data FORCE ROW LEVEL SECURITY;

ALTER TABLE public.model_training_data OWNER TO assay_owner;

COMMENT ON COLUMN public.model_training_data.tenant_id IS 'no subject';

COMMENT ON COLUMN public.model_training_data.operation_id IS 'subject';

COMMENT ON COLUMN public.model_training_data.kind IS 'no subject';

COMMENT ON COLUMN public.model_training_data.state IS 'no subject';

COMMENT ON COLUMN public.model_training_data.model_id IS 'no subject';

COMMENT ON COLUMN public.model_training_data.model_version IS 'no subject';

COMMENT ON COLUMN public.model_training_data.agent_id IS 'no subject';

COMMENT ON COLUMN public.model_training_data.environment IS 'no subject';

COMMENT ON COLUMN public.model_training_data.operation_type IS 'no subject';

COMMENT ON COLUMN public.model_training_data.prompt_version IS 'no subject';

COMMENT ON COLUMN public.model_training_data.ab_test_id IS 'no subject';

COMMENT ON COLUMN public.model_training_data.variant IS 'no subject';

COMMENT ON COLUMN public.model_training_data.input IS 'subject';

COMMENT ON COLUMN public.model_training_data.output IS 'subject';

COMMENT ON COLUMN public.model_training_data.correction IS 'subject';

COMMENT ON COLUMN public.model_training_data.input_hash IS 'subject';

COMMENT ON COLUMN public.model_training_data.reasons IS 'no subject';

COMMENT ON COLUMN public.model_training_data.terms IS 'no subject';

COMMENT ON COLUMN public.model_training_data.split IS 'no subject';

COMMENT ON COLUMN public.model_training_data.formula_version IS 'no subject';

COMMENT ON COLUMN public.model_training_data.lineage IS 'subject';

COMMENT ON COLUMN public.model_training_data.content_hash IS 'subject';

CREATE TABLE public.notification_channels (
    tenant_id text NOT NULL,
    channel_id uuid NOT NULL,
    name text NOT NULL,
    type text NOT NULL,
    url text NOT NULL,
    secret text,
    send_resolved boolean NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    held_by uuid,
    held_until timestamp with time zone,
    paced_until timestamp with time zone,
    CONSTRAINT notification_channels_type_check CHECK ((type = ANY (ARRAY['webhook'::text, 'slack'::text, 'pagerduty'::text, 'alertmanager'::text])))
);

ALTER TABLE ONLY public.notification_channels FORCE ROW LEVEL SECURITY;

ALTER TABLE public.notification_channels OWNER TO assay_owner;

COMMENT ON COLUMN public.notification_channels.tenant_id IS 'no subject';

COMMENT ON COLUMN public.notification_channels.name IS 'no subject';

COMMENT ON COLUMN public.notification_channels.type IS 'no subject';

COMMENT ON COLUMN public.notification_channels.url IS 'no subject';

COMMENT ON COLUMN public.notification_channels.secret IS 'no subject';

COMMENT ON COLUMN public.notification_channels.created_by IS 'no subject';

CREATE TABLE public.notification_deliveries (
    tenant_id text NOT NULL,
    delivery_id uuid NOT NULL,
    channel_id uuid NOT NULL,
    kind text NOT NULL,
    alert_id uuid,
    step integer NOT NULL,
    alert_state text,
    severity text,
    body jsonb NOT NULL,
    is_last boolean DEFAULT true NOT NULL,
    state text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    status integer,
    attempts integer DEFAULT 0 NOT NULL,
    due_at timestamp with time zone,
    occurred_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,
    released_at timestamp with time zone,
    CONSTRAINT notification_deliveries_kind_check CHECK ((kind = ANY (ARRAY['alert'::text, 'test'::text, 'experiment'::text]))),
    CONSTRAINT notification_deliveries_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'sending'::text, 'delivered'::text, 'failed'::text, 'unknown'::text, 'silenced'::text, 'inhibited'::text, 'skipped'::text, 'expired'::text])))
);

ALTER TABLE ONLY public.notification_deliveries FORCE ROW LEVEL SECURITY;

ALTER TABLE public.notification_deliveries OWNER TO assay_owner;

COMMENT ON COLUMN public.notification_deliveries.tenant_id IS 'no subject';

COMMENT ON COLUMN public.notification_deliveries.kind IS 'no subject';

COMMENT ON COLUMN public.notification_deliveries.alert_state IS 'no subject';

COMMENT ON COLUMN public.notification_deliveries.severity IS 'no subject';

COMMENT ON COLUMN public.notification_deliveries.body IS 'no subject';

COMMENT ON COLUMN public.notification_deliveries.state IS 'no subject';

COMMENT ON COLUMN public.notification_deliveries.reason IS 'no subject';

CREATE TABLE public.operation_rollup_minute (
    tenant_id text NOT NULL,
    minute timestamp with time zone NOT NULL,
    model_id text NOT NULL,
    environment text NOT NULL,
    operation_type text NOT NULL,
    variant text NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    n bigint DEFAULT 0 NOT NULL,
    ok bigint DEFAULT 0 NOT NULL,
    rt_us bigint DEFAULT 0 NOT NULL,
    ln bigint DEFAULT 0 NOT NULL,
    ln2 bigint DEFAULT 0 NOT NULL,
    tin_n bigint DEFAULT 0 NOT NULL,
    tin bigint DEFAULT 0 NOT NULL,
    tout_n bigint DEFAULT 0 NOT NULL,
    tout bigint DEFAULT 0 NOT NULL,
    tcached_n bigint DEFAULT 0 NOT NULL,
    tcached bigint DEFAULT 0 NOT NULL,
    treason_n bigint DEFAULT 0 NOT NULL,
    treason bigint DEFAULT 0 NOT NULL,
    cost_n bigint DEFAULT 0 NOT NULL,
    cost_nano bigint DEFAULT 0 NOT NULL,
    conf_n bigint DEFAULT 0 NOT NULL,
    conf bigint DEFAULT 0 NOT NULL,
    conf2 bigint DEFAULT 0 NOT NULL,
    brier bigint DEFAULT 0 NOT NULL,
    f_n bigint DEFAULT 0 NOT NULL,
    rating_n bigint DEFAULT 0 NOT NULL,
    rating bigint DEFAULT 0 NOT NULL,
    rating2 bigint DEFAULT 0 NOT NULL,
    helpful_n bigint DEFAULT 0 NOT NULL,
    helpful bigint DEFAULT 0 NOT NULL,
    accurate_n bigint DEFAULT 0 NOT NULL,
    accurate bigint DEFAULT 0 NOT NULL,
    relevant_n bigint DEFAULT 0 NOT NULL,
    relevant bigint DEFAULT 0 NOT NULL,
    fast_n bigint DEFAULT 0 NOT NULL,
    fast bigint DEFAULT 0 NOT NULL,
    distribution jsonb DEFAULT '{}'::jsonb NOT NULL
)
WITH (fillfactor='70');

ALTER TABLE ONLY public.operation_rollup_minute FORCE ROW LEVEL SECURITY;

ALTER TABLE public.operation_rollup_minute OWNER TO assay_owner;

COMMENT ON COLUMN public.operation_rollup_minute.tenant_id IS 'no subject';

COMMENT ON COLUMN public.operation_rollup_minute.model_id IS 'no subject';

COMMENT ON COLUMN public.operation_rollup_minute.environment IS 'no subject';

COMMENT ON COLUMN public.operation_rollup_minute.operation_type IS 'no subject';

COMMENT ON COLUMN public.operation_rollup_minute.variant IS 'no subject';

COMMENT ON COLUMN public.operation_rollup_minute.topic IS 'no subject';

COMMENT ON COLUMN public.operation_rollup_minute.distribution IS 'no subject';

CREATE TABLE public.performance_alert_steps (
    tenant_id text NOT NULL,
    event_id uuid NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    alert_id uuid NOT NULL,
    step integer NOT NULL,
    state text NOT NULL,
    severity text NOT NULL,
    reason text NOT NULL,
    actor text,
    payload_hash bytea NOT NULL,
    kafka_topic text NOT NULL,
    kafka_partition integer NOT NULL,
    kafka_offset bigint NOT NULL,
    CONSTRAINT performance_alert_steps_severity_check CHECK ((severity = ANY (ARRAY['warning'::text, 'critical'::text]))),
    CONSTRAINT performance_alert_steps_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'firing'::text, 'acknowledged'::text, 'resolved'::text])))
);

ALTER TABLE ONLY public.performance_alert_steps FORCE ROW LEVEL SECURITY;

ALTER TABLE public.performance_alert_steps OWNER TO assay_owner;

COMMENT ON COLUMN public.performance_alert_steps.tenant_id IS 'no subject';

COMMENT ON COLUMN public.performance_alert_steps.state IS 'no subject';

COMMENT ON COLUMN public.performance_alert_steps.severity IS 'no subject';

COMMENT ON COLUMN public.performance_alert_steps.reason IS 'no subject';

COMMENT ON COLUMN public.performance_alert_steps.actor IS 'no subject';

COMMENT ON COLUMN public.performance_alert_steps.payload_hash IS 'no subject';

COMMENT ON COLUMN public.performance_alert_steps.kafka_topic IS 'no subject';

CREATE TABLE public.performance_alerts (
    tenant_id text NOT NULL,
    alert_id uuid NOT NULL,
    rule_id uuid NOT NULL,
    rule_name text NOT NULL,
    model_id text NOT NULL,
    environment text,
    labels jsonb NOT NULL,
    state text NOT NULL,
    severity text NOT NULL,
    value double precision,
    threshold double precision,
    low double precision,
    high double precision,
    sample bigint NOT NULL,
    observed_over text NOT NULL,
    reason text NOT NULL,
    step integer NOT NULL,
    stepped_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone NOT NULL,
    fired_at timestamp with time zone,
    acknowledged_until timestamp with time zone,
    resolved_at timestamp with time zone
);

ALTER TABLE ONLY public.performance_alerts FORCE ROW LEVEL SECURITY;

ALTER TABLE public.performance_alerts OWNER TO assay_owner;

COMMENT ON COLUMN public.performance_alerts.tenant_id IS 'no subject';

COMMENT ON COLUMN public.performance_alerts.rule_name IS 'no subject';

COMMENT ON COLUMN public.performance_alerts.model_id IS 'no subject';

COMMENT ON COLUMN public.performance_alerts.environment IS 'no subject';

COMMENT ON COLUMN public.performance_alerts.labels IS 'no subject';

COMMENT ON COLUMN public.performance_alerts.state IS 'no subject';

COMMENT ON COLUMN public.performance_alerts.severity IS 'no subject';

COMMENT ON COLUMN public.performance_alerts.observed_over IS 'no subject';

COMMENT ON COLUMN public.performance_alerts.reason IS 'no subject';

CREATE TABLE public.rater_pairs (
    tenant_id text NOT NULL,
    one text NOT NULL,
    other text NOT NULL,
    shared bigint NOT NULL,
    agreed bigint NOT NULL
);

ALTER TABLE ONLY public.rater_pairs FORCE ROW LEVEL SECURITY;

ALTER TABLE public.rater_pairs OWNER TO assay_owner;

COMMENT ON COLUMN public.rater_pairs.tenant_id IS 'no subject';

COMMENT ON COLUMN public.rater_pairs.one IS 'subject';

COMMENT ON COLUMN public.rater_pairs.other IS 'subject';

CREATE TABLE public.rater_reliability (
    tenant_id text NOT NULL,
    rater text NOT NULL,
    reliability double precision NOT NULL,
    reckoned_at timestamp with time zone NOT NULL,
    CONSTRAINT rater_reliability_reliability_check CHECK (((reliability >= (0)::double precision) AND (reliability <= (1)::double precision)))
);

ALTER TABLE ONLY public.rater_reliability FORCE ROW LEVEL SECURITY;

ALTER TABLE public.rater_reliability OWNER TO assay_owner;

COMMENT ON COLUMN public.rater_reliability.tenant_id IS 'no subject';

COMMENT ON COLUMN public.rater_reliability.rater IS 'subject';

CREATE TABLE public.rater_votes (
    tenant_id text NOT NULL,
    points smallint NOT NULL,
    votes bigint NOT NULL
);

ALTER TABLE ONLY public.rater_votes FORCE ROW LEVEL SECURITY;

ALTER TABLE public.rater_votes OWNER TO assay_owner;

COMMENT ON COLUMN public.rater_votes.tenant_id IS 'no subject';

CREATE TABLE public.retention (
    tenant_id text NOT NULL,
    class text NOT NULL,
    days integer NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_by text NOT NULL,
    CONSTRAINT retention_class_check CHECK ((class = ANY (ARRAY['operations'::text, 'feedback'::text, 'dead_letters'::text, 'minutes'::text]))),
    CONSTRAINT retention_days_check CHECK (((days >= 1) AND (days <= 36500)))
);

ALTER TABLE ONLY public.retention FORCE ROW LEVEL SECURITY;

ALTER TABLE public.retention OWNER TO assay_owner;

COMMENT ON COLUMN public.retention.tenant_id IS 'no subject';

COMMENT ON COLUMN public.retention.class IS 'no subject';

COMMENT ON COLUMN public.retention.changed_by IS 'no subject';

CREATE TABLE public.retention_start (
    not_before timestamp with time zone NOT NULL
);

ALTER TABLE public.retention_start OWNER TO assay_owner;

CREATE TABLE public.review_items (
    tenant_id text NOT NULL,
    queue_id uuid NOT NULL,
    operation_id text NOT NULL,
    model_id text NOT NULL,
    score double precision NOT NULL,
    reason text NOT NULL,
    added_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.review_items FORCE ROW LEVEL SECURITY;

ALTER TABLE public.review_items OWNER TO assay_owner;

COMMENT ON COLUMN public.review_items.tenant_id IS 'no subject';

COMMENT ON COLUMN public.review_items.operation_id IS 'subject';

COMMENT ON COLUMN public.review_items.model_id IS 'no subject';

COMMENT ON COLUMN public.review_items.reason IS 'no subject';

CREATE TABLE public.review_queues (
    tenant_id text NOT NULL,
    queue_id uuid NOT NULL,
    name text NOT NULL,
    reviewers smallint NOT NULL,
    strategy text NOT NULL,
    filters jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT review_queues_reviewers_check CHECK (((reviewers >= 1) AND (reviewers <= 10))),
    CONSTRAINT review_queues_strategy_check CHECK ((strategy = ANY (ARRAY['uncertainty'::text, 'disagreement'::text, 'both'::text, 'random'::text])))
);

ALTER TABLE ONLY public.review_queues FORCE ROW LEVEL SECURITY;

ALTER TABLE public.review_queues OWNER TO assay_owner;

COMMENT ON COLUMN public.review_queues.tenant_id IS 'no subject';

COMMENT ON COLUMN public.review_queues.name IS 'no subject';

COMMENT ON COLUMN public.review_queues.strategy IS 'no subject';

COMMENT ON COLUMN public.review_queues.filters IS 'no subject';

COMMENT ON COLUMN public.review_queues.created_by IS 'no subject';

CREATE TABLE public.review_takes (
    tenant_id text NOT NULL,
    queue_id uuid NOT NULL,
    operation_id text NOT NULL,
    place smallint NOT NULL,
    reviewer text NOT NULL,
    taken_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    reviewed_at timestamp with time zone,
    said jsonb,
    CONSTRAINT review_takes_check CHECK (((reviewed_at IS NULL) = (said IS NULL))),
    CONSTRAINT review_takes_place_check CHECK (((place >= 1) AND (place <= 10)))
);

ALTER TABLE ONLY public.review_takes FORCE ROW LEVEL SECURITY;

ALTER TABLE public.review_takes OWNER TO assay_owner;

COMMENT ON COLUMN public.review_takes.tenant_id IS 'no subject';

COMMENT ON COLUMN public.review_takes.operation_id IS 'subject';

COMMENT ON COLUMN public.review_takes.reviewer IS 'subject';

COMMENT ON COLUMN public.review_takes.said IS 'subject';

CREATE TABLE public.silences (
    tenant_id text NOT NULL,
    silence_id uuid NOT NULL,
    matchers jsonb NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    comment text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    CONSTRAINT silences_check CHECK ((ends_at > starts_at)),
    CONSTRAINT silences_comment_check CHECK ((length(comment) <= 2048))
);

ALTER TABLE ONLY public.silences FORCE ROW LEVEL SECURITY;

ALTER TABLE public.silences OWNER TO assay_owner;

COMMENT ON COLUMN public.silences.tenant_id IS 'no subject';

COMMENT ON COLUMN public.silences.matchers IS 'no subject';

COMMENT ON COLUMN public.silences.comment IS 'no subject';

COMMENT ON COLUMN public.silences.created_by IS 'no subject';

CREATE TABLE public.subject_export_parts (
    tenant_id text NOT NULL,
    export_id uuid NOT NULL,
    seq integer NOT NULL,
    class text NOT NULL,
    lines integer NOT NULL,
    operations text[] NOT NULL,
    body bytea NOT NULL
);

ALTER TABLE ONLY public.subject_export_parts FORCE ROW LEVEL SECURITY;

ALTER TABLE public.subject_export_parts OWNER TO assay_owner;

COMMENT ON COLUMN public.subject_export_parts.tenant_id IS 'no subject';

COMMENT ON COLUMN public.subject_export_parts.class IS 'no subject';

COMMENT ON COLUMN public.subject_export_parts.operations IS 'subject';

COMMENT ON COLUMN public.subject_export_parts.body IS 'subject';

CREATE TABLE public.subject_exports (
    tenant_id text NOT NULL,
    export_id uuid NOT NULL,
    subject text,
    subject_hash text NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    known jsonb DEFAULT '{}'::jsonb NOT NULL,
    "position" jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    completed_at timestamp with time zone,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT subject_exports_check CHECK (((status = 'erased'::text) = (subject IS NULL))),
    CONSTRAINT subject_exports_check1 CHECK (((status = 'ready'::text) = (completed_at IS NOT NULL))),
    CONSTRAINT subject_exports_known_check CHECK ((jsonb_typeof(known) = 'object'::text)),
    CONSTRAINT subject_exports_position_check CHECK ((jsonb_typeof("position") = 'object'::text)),
    CONSTRAINT subject_exports_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'running'::text, 'clearing'::text, 'ready'::text, 'erased'::text])))
);

ALTER TABLE ONLY public.subject_exports FORCE ROW LEVEL SECURITY;

ALTER TABLE public.subject_exports OWNER TO assay_owner;

COMMENT ON COLUMN public.subject_exports.tenant_id IS 'no subject';

COMMENT ON COLUMN public.subject_exports.subject IS 'subject';

COMMENT ON COLUMN public.subject_exports.subject_hash IS 'no subject';

COMMENT ON COLUMN public.subject_exports.status IS 'no subject';

COMMENT ON COLUMN public.subject_exports.known IS 'subject';

COMMENT ON COLUMN public.subject_exports."position" IS 'subject';

COMMENT ON COLUMN public.subject_exports.created_by IS 'no subject';

CREATE TABLE public.tenants (
    tenant_id text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    content_free boolean DEFAULT false NOT NULL,
    retention_days integer DEFAULT 90 NOT NULL,
    CONSTRAINT tenants_retention_days_check CHECK (((retention_days >= 1) AND (retention_days <= 3650))),
    CONSTRAINT tenants_tenant_id_check CHECK ((tenant_id ~ '^[a-z0-9_-]{1,64}$'::text))
);

ALTER TABLE ONLY public.tenants FORCE ROW LEVEL SECURITY;

ALTER TABLE public.tenants OWNER TO assay_owner;

COMMENT ON COLUMN public.tenants.tenant_id IS 'no subject';

CREATE TABLE public.training_blocks (
    tenant_id text NOT NULL,
    row_id uuid NOT NULL,
    operation_id text NOT NULL,
    blocked_at timestamp with time zone DEFAULT now() NOT NULL,
    blocked_by text NOT NULL
);

ALTER TABLE ONLY public.training_blocks FORCE ROW LEVEL SECURITY;

ALTER TABLE public.training_blocks OWNER TO assay_owner;

COMMENT ON COLUMN public.training_blocks.tenant_id IS 'no subject';

COMMENT ON COLUMN public.training_blocks.operation_id IS 'subject';

COMMENT ON COLUMN public.training_blocks.blocked_by IS 'no subject';

CREATE TABLE public.training_changes (
    tenant_id text NOT NULL,
    change_id bigint NOT NULL,
    event_id uuid NOT NULL,
    operation_id text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    body jsonb NOT NULL,
    published_at timestamp with time zone
);

ALTER TABLE ONLY public.training_changes FORCE ROW LEVEL SECURITY;

ALTER TABLE public.training_changes OWNER TO assay_owner;

COMMENT ON COLUMN public.training_changes.tenant_id IS 'no subject';

COMMENT ON COLUMN public.training_changes.operation_id IS 'subject';

COMMENT ON COLUMN public.training_changes.body IS 'subject';

ALTER TABLE public.training_changes ALTER COLUMN change_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.training_changes_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.user_feedback (
    tenant_id text NOT NULL,
    event_id uuid NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    operation_id text NOT NULL,
    rating smallint,
    helpful boolean,
    accurate boolean,
    relevant boolean,
    fast boolean,
    comment text,
    correction text,
    model_id text,
    environment text,
    operation_type text,
    variant text,
    user_pseudonym text,
    source text NOT NULL,
    training_consent boolean,
    metadata jsonb,
    payload_hash bytea NOT NULL,
    kafka_topic text NOT NULL,
    kafka_partition integer NOT NULL,
    kafka_offset bigint NOT NULL,
    ingested_at timestamp with time zone DEFAULT now() NOT NULL
)
PARTITION BY RANGE (occurred_at);

ALTER TABLE ONLY public.user_feedback FORCE ROW LEVEL SECURITY;

ALTER TABLE public.user_feedback OWNER TO assay_owner;

COMMENT ON COLUMN public.user_feedback.tenant_id IS 'no subject';

COMMENT ON COLUMN public.user_feedback.operation_id IS 'subject';

COMMENT ON COLUMN public.user_feedback.comment IS 'subject';

COMMENT ON COLUMN public.user_feedback.correction IS 'subject';

COMMENT ON COLUMN public.user_feedback.model_id IS 'no subject';

COMMENT ON COLUMN public.user_feedback.environment IS 'no subject';

COMMENT ON COLUMN public.user_feedback.operation_type IS 'no subject';

COMMENT ON COLUMN public.user_feedback.variant IS 'no subject';

COMMENT ON COLUMN public.user_feedback.user_pseudonym IS 'subject';

COMMENT ON COLUMN public.user_feedback.source IS 'no subject';

COMMENT ON COLUMN public.user_feedback.metadata IS 'subject';

COMMENT ON COLUMN public.user_feedback.payload_hash IS 'subject';

COMMENT ON COLUMN public.user_feedback.kafka_topic IS 'no subject';

ALTER TABLE ONLY public.ab_arms
    ADD CONSTRAINT ab_arms_pkey PRIMARY KEY (tenant_id, test_id, epoch, variant, shard);

ALTER TABLE ONLY public.ab_days
    ADD CONSTRAINT ab_days_pkey PRIMARY KEY (tenant_id, test_id, day, shard);

ALTER TABLE ONLY public.ab_events
    ADD CONSTRAINT ab_events_pkey PRIMARY KEY (tenant_id, test_id, event_id, occurred_at);

ALTER TABLE ONLY public.ab_past
    ADD CONSTRAINT ab_past_pkey PRIMARY KEY (tenant_id, test_id, unit);

ALTER TABLE ONLY public.ab_past_scans
    ADD CONSTRAINT ab_past_scans_pkey PRIMARY KEY (tenant_id, test_id);

ALTER TABLE ONLY public.ab_results_history
    ADD CONSTRAINT ab_results_history_pkey PRIMARY KEY (tenant_id, test_id, at, metric, variant, is_first);

ALTER TABLE ONLY public.ab_results
    ADD CONSTRAINT ab_results_pkey PRIMARY KEY (tenant_id, test_id);

ALTER TABLE ONLY public.ab_sketches
    ADD CONSTRAINT ab_sketches_pkey PRIMARY KEY (tenant_id, test_id, epoch, variant, grp, shard);

ALTER TABLE ONLY public.ab_sums
    ADD CONSTRAINT ab_sums_pkey PRIMARY KEY (tenant_id, test_id, epoch, variant, metric, shard);

ALTER TABLE ONLY public.ab_test_steps
    ADD CONSTRAINT ab_test_steps_pkey PRIMARY KEY (tenant_id, event_id);

ALTER TABLE ONLY public.ab_tests
    ADD CONSTRAINT ab_tests_pkey PRIMARY KEY (tenant_id, test_id);

ALTER TABLE ONLY public.ab_units
    ADD CONSTRAINT ab_units_pkey PRIMARY KEY (tenant_id, test_id, unit);

ALTER TABLE ONLY public.ab_waiting
    ADD CONSTRAINT ab_waiting_pkey PRIMARY KEY (tenant_id, event_id, occurred_at);

ALTER TABLE ONLY public.ai_model_operations
    ADD CONSTRAINT ai_model_operations_pkey PRIMARY KEY (tenant_id, event_id, occurred_at);

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY public.alert_actions
    ADD CONSTRAINT alert_actions_pkey PRIMARY KEY (tenant_id, action_id);

ALTER TABLE ONLY public.alert_rules
    ADD CONSTRAINT alert_rules_pkey PRIMARY KEY (tenant_id, rule_id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (tenant_id, key_id);

ALTER TABLE ONLY public.audit_heads
    ADD CONSTRAINT audit_heads_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (tenant_id, sequence);

ALTER TABLE ONLY public.consumer_fence
    ADD CONSTRAINT consumer_fence_pkey PRIMARY KEY (consumer_group, topic, partition);

ALTER TABLE ONLY public.dataset_rows
    ADD CONSTRAINT dataset_rows_pkey PRIMARY KEY (tenant_id, dataset_id, "position");

ALTER TABLE ONLY public.datasets
    ADD CONSTRAINT datasets_pkey PRIMARY KEY (tenant_id, dataset_id);

ALTER TABLE ONLY public.datasets
    ADD CONSTRAINT datasets_tenant_id_name_version_key UNIQUE (tenant_id, name, version);

ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT dead_letters_pkey PRIMARY KEY (topic, partition, kafka_offset);

ALTER TABLE ONLY public.erased_events
    ADD CONSTRAINT erased_events_pkey PRIMARY KEY (tenant_id, digest);

ALTER TABLE ONLY public.erased_names
    ADD CONSTRAINT erased_names_pkey PRIMARY KEY (tenant_id, digest);

ALTER TABLE ONLY public.erased_rows_minute
    ADD CONSTRAINT erased_rows_minute_pkey PRIMARY KEY (tenant_id, minute, model_id, environment, operation_type, variant, topic, partition);

ALTER TABLE ONLY public.erased_subjects
    ADD CONSTRAINT erased_subjects_pkey PRIMARY KEY (tenant_id, seq);

ALTER TABLE ONLY public.erasure_due
    ADD CONSTRAINT erasure_due_pkey PRIMARY KEY (tenant_id, due_id);

ALTER TABLE ONLY public.erasure_events
    ADD CONSTRAINT erasure_events_pkey PRIMARY KEY (tenant_id, event_id);

ALTER TABLE ONLY public.erasure_receipts
    ADD CONSTRAINT erasure_receipts_pkey PRIMARY KEY (tenant_id, erasure_id, service, store);

ALTER TABLE ONLY public.erasures
    ADD CONSTRAINT erasures_pkey PRIMARY KEY (tenant_id, erasure_id);

ALTER TABLE ONLY public.feedback_analysis
    ADD CONSTRAINT feedback_analysis_pkey PRIMARY KEY (tenant_id, event_id, occurred_at);

ALTER TABLE ONLY public.feedback_due
    ADD CONSTRAINT feedback_due_pkey PRIMARY KEY (tenant_id, due_id);

ALTER TABLE ONLY public.feedback_nights
    ADD CONSTRAINT feedback_nights_pkey PRIMARY KEY (day);

ALTER TABLE ONLY public.feedback_operations
    ADD CONSTRAINT feedback_operations_pkey PRIMARY KEY (tenant_id, operation_id);

ALTER TABLE ONLY public.health_limits
    ADD CONSTRAINT health_limits_pkey PRIMARY KEY (tenant_id, model_id);

ALTER TABLE ONLY public.model_status_changes
    ADD CONSTRAINT model_status_changes_pkey PRIMARY KEY (tenant_id, change_id);

ALTER TABLE ONLY public.model_training_data
    ADD CONSTRAINT model_training_data_pkey PRIMARY KEY (tenant_id, row_id);

ALTER TABLE ONLY public.notification_channels
    ADD CONSTRAINT notification_channels_pkey PRIMARY KEY (tenant_id, channel_id);

ALTER TABLE ONLY public.notification_deliveries
    ADD CONSTRAINT notification_deliveries_pkey PRIMARY KEY (tenant_id, delivery_id);

ALTER TABLE ONLY public.operation_rollup_minute
    ADD CONSTRAINT operation_rollup_minute_pkey PRIMARY KEY (tenant_id, minute, model_id, environment, operation_type, variant, topic, partition);

ALTER TABLE ONLY public.performance_alert_steps
    ADD CONSTRAINT performance_alert_steps_pkey PRIMARY KEY (tenant_id, event_id, occurred_at);

ALTER TABLE ONLY public.performance_alerts
    ADD CONSTRAINT performance_alerts_pkey PRIMARY KEY (tenant_id, alert_id);

ALTER TABLE ONLY public.rater_pairs
    ADD CONSTRAINT rater_pairs_pkey PRIMARY KEY (tenant_id, one, other);

ALTER TABLE ONLY public.rater_reliability
    ADD CONSTRAINT rater_reliability_pkey PRIMARY KEY (tenant_id, rater);

ALTER TABLE ONLY public.rater_votes
    ADD CONSTRAINT rater_votes_pkey PRIMARY KEY (tenant_id, points);

ALTER TABLE ONLY public.retention
    ADD CONSTRAINT retention_pkey PRIMARY KEY (tenant_id, class);

ALTER TABLE ONLY public.review_items
    ADD CONSTRAINT review_items_pkey PRIMARY KEY (tenant_id, queue_id, operation_id);

ALTER TABLE ONLY public.review_queues
    ADD CONSTRAINT review_queues_pkey PRIMARY KEY (tenant_id, queue_id);

ALTER TABLE ONLY public.review_takes
    ADD CONSTRAINT review_takes_pkey PRIMARY KEY (tenant_id, queue_id, operation_id, place);

ALTER TABLE ONLY public.review_takes
    ADD CONSTRAINT review_takes_tenant_id_queue_id_operation_id_reviewer_key UNIQUE (tenant_id, queue_id, operation_id, reviewer);

ALTER TABLE ONLY public.silences
    ADD CONSTRAINT silences_pkey PRIMARY KEY (tenant_id, silence_id);

ALTER TABLE ONLY public.subject_export_parts
    ADD CONSTRAINT subject_export_parts_pkey PRIMARY KEY (tenant_id, export_id, seq);

ALTER TABLE ONLY public.subject_exports
    ADD CONSTRAINT subject_exports_pkey PRIMARY KEY (tenant_id, export_id);

ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.training_blocks
    ADD CONSTRAINT training_blocks_pkey PRIMARY KEY (tenant_id, row_id);

ALTER TABLE ONLY public.training_changes
    ADD CONSTRAINT training_changes_pkey PRIMARY KEY (tenant_id, change_id);

ALTER TABLE ONLY public.user_feedback
    ADD CONSTRAINT user_feedback_pkey PRIMARY KEY (tenant_id, event_id, occurred_at);

CREATE INDEX ab_events_by_operation ON public.ab_events USING btree (tenant_id, operation_id) WHERE (kind = 'o'::text);

CREATE INDEX ab_events_by_unit ON public.ab_events USING btree (tenant_id, test_id, unit);

CREATE UNIQUE INDEX ab_results_history_first ON public.ab_results_history USING btree (tenant_id, test_id, metric, variant) WHERE is_first;

CREATE INDEX ab_test_steps_by_test ON public.ab_test_steps USING btree (tenant_id, test_id, occurred_at, event_id);

CREATE INDEX ab_test_steps_untold ON public.ab_test_steps USING btree (occurred_at, event_id) WHERE ((published_at IS NULL) AND (refusal IS NULL));

CREATE INDEX ab_tests_by_change ON public.ab_tests USING btree (updated_at);

CREATE INDEX ab_tests_by_end ON public.ab_tests USING btree (ended_at);

CREATE UNIQUE INDEX ab_tests_by_key ON public.ab_tests USING btree (tenant_id, key);

CREATE INDEX ab_tests_by_time ON public.ab_tests USING btree (tenant_id, created_at DESC, test_id DESC);

CREATE INDEX ab_waiting_by_operation ON public.ab_waiting USING btree (tenant_id, operation_id);

CREATE INDEX ab_waiting_by_time ON public.ab_waiting USING btree (waits_since);

CREATE INDEX ai_model_operations_by_arrival ON ONLY public.ai_model_operations USING brin (ingested_at, kafka_offset) WITH (pages_per_range='32', autosummarize='on');

CREATE INDEX ai_model_operations_by_operation ON ONLY public.ai_model_operations USING btree (tenant_id, operation_id);

CREATE INDEX ai_model_operations_by_time ON ONLY public.ai_model_operations USING btree (tenant_id, occurred_at DESC, event_id DESC);

CREATE INDEX alert_actions_by_alert ON public.alert_actions USING btree (tenant_id, alert_id);

CREATE UNIQUE INDEX alert_rules_by_name ON public.alert_rules USING btree (tenant_id, ((body ->> 'name'::text)));

CREATE UNIQUE INDEX api_keys_by_id ON public.api_keys USING btree (key_id);

CREATE UNIQUE INDEX api_keys_by_public_id ON public.api_keys USING btree (tenant_id, id);

CREATE INDEX api_keys_by_time ON public.api_keys USING btree (tenant_id, created_at DESC, id DESC);

CREATE INDEX audit_log_by_action ON public.audit_log USING btree (tenant_id, action, sequence);

CREATE INDEX audit_log_by_actor ON public.audit_log USING btree (tenant_id, actor, sequence);

CREATE INDEX audit_log_by_object ON public.audit_log USING btree (tenant_id, object_type, object_id, sequence);

CREATE INDEX dataset_rows_by_operation ON public.dataset_rows USING btree (tenant_id, operation_id);

CREATE INDEX datasets_by_time ON public.datasets USING btree (tenant_id, created_at DESC, dataset_id DESC);

CREATE INDEX datasets_freezing ON public.datasets USING btree (created_at) WHERE (state = 'freezing'::text);

CREATE INDEX dead_letters_by_time ON public.dead_letters USING btree (first_seen_at DESC);

CREATE INDEX dead_letters_unpublished ON public.dead_letters USING btree (first_seen_at) WHERE (published_at IS NULL);

CREATE INDEX erased_events_by_age ON public.erased_events USING btree (ingested_at);

CREATE INDEX erased_events_by_arrival ON public.erased_events USING btree (kafka_topic, kafka_partition, ingested_at);

CREATE INDEX erased_events_by_offset ON public.erased_events USING btree (kafka_topic, kafka_partition, kafka_offset);

CREATE INDEX erased_rows_minute_tenant_id_model_id_minute_idx ON public.erased_rows_minute USING btree (tenant_id, model_id, minute);

CREATE INDEX erased_rows_minute_topic_partition_minute_idx ON public.erased_rows_minute USING btree (topic, partition, minute);

CREATE INDEX erased_subjects_by_seq ON public.erased_subjects USING btree (seq);

CREATE INDEX erasure_due_by_erasure ON public.erasure_due USING btree (tenant_id, erasure_id, service);

CREATE INDEX erasure_due_by_service ON public.erasure_due USING btree (service, tenant_id, due_id);

CREATE INDEX erasure_events_untold ON public.erasure_events USING btree (occurred_at, event_id) WHERE (published_at IS NULL);

CREATE INDEX erasure_receipts_open ON public.erasure_receipts USING btree (service) WHERE (at IS NULL);

CREATE INDEX erasures_open ON public.erasures USING btree (deadline) WHERE (status = ANY (ARRAY['pending'::text, 'running'::text]));

CREATE INDEX feedback_analysis_by_operation ON public.feedback_analysis USING btree (tenant_id, operation_id);

CREATE INDEX feedback_analysis_by_time ON public.feedback_analysis USING btree (tenant_id, occurred_at DESC, event_id DESC);

CREATE INDEX feedback_analysis_by_user ON public.feedback_analysis USING btree (tenant_id, user_pseudonym) WHERE (user_pseudonym IS NOT NULL);

CREATE INDEX feedback_due_by_operation ON public.feedback_due USING btree (tenant_id, operation_id);

CREATE INDEX feedback_due_by_shard ON public.feedback_due USING btree (shard, due_id);

CREATE INDEX feedback_operations_by_age ON public.feedback_operations USING btree (tenant_id, COALESCE(occurred_at, first_at));

CREATE INDEX feedback_operations_stands ON public.feedback_operations USING btree (tenant_id) WHERE (stands <> told_stands);

CREATE INDEX feedback_operations_waiting ON public.feedback_operations USING btree (first_at) WHERE (found_at IS NULL);

CREATE INDEX feedback_operations_weighed ON public.feedback_operations USING btree (weighed_at) WHERE (weighed_at IS NOT NULL);

CREATE INDEX model_status_changes_by_part ON public.model_status_changes USING btree (tenant_id, model_id, part, at DESC, change_id DESC);

CREATE INDEX model_status_changes_by_time ON public.model_status_changes USING btree (tenant_id, model_id, at DESC, change_id DESC);

CREATE INDEX model_training_data_by_input ON public.model_training_data USING btree (tenant_id, input_hash, occurred_at, row_id) WHERE (state = 'ready'::text);

CREATE INDEX model_training_data_by_operation ON public.model_training_data USING btree (tenant_id, operation_id);

CREATE INDEX model_training_data_by_time ON public.model_training_data USING btree (tenant_id, occurred_at DESC, row_id DESC) WHERE (state = 'ready'::text);

CREATE UNIQUE INDEX notification_channels_by_name ON public.notification_channels USING btree (tenant_id, name);

CREATE INDEX notification_channels_by_time ON public.notification_channels USING btree (tenant_id, created_at DESC, channel_id DESC);

CREATE INDEX notification_deliveries_by_alert ON public.notification_deliveries USING btree (tenant_id, channel_id, alert_id, step);

CREATE INDEX notification_deliveries_by_time ON public.notification_deliveries USING btree (tenant_id, channel_id, created_at DESC, delivery_id DESC);

CREATE INDEX notification_deliveries_critical ON public.notification_deliveries USING btree (tenant_id, channel_id) WHERE (is_last AND (severity = 'critical'::text) AND (alert_state = ANY (ARRAY['firing'::text, 'acknowledged'::text])));

CREATE INDEX notification_deliveries_due ON public.notification_deliveries USING btree (tenant_id, channel_id, due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX notification_deliveries_old ON public.notification_deliveries USING btree (created_at) WHERE (due_at IS NULL);

CREATE UNIQUE INDEX notification_deliveries_one_test ON public.notification_deliveries USING btree (tenant_id, channel_id) WHERE ((kind = 'test'::text) AND (due_at IS NOT NULL));

CREATE INDEX operation_rollup_minute_by_model ON public.operation_rollup_minute USING btree (tenant_id, model_id, minute);

CREATE INDEX operation_rollup_minute_by_partition ON public.operation_rollup_minute USING btree (topic, partition, minute);

CREATE INDEX performance_alert_steps_by_alert ON public.performance_alert_steps USING btree (tenant_id, alert_id, step);

CREATE INDEX performance_alerts_by_time ON public.performance_alerts USING btree (tenant_id, started_at DESC, alert_id DESC);

CREATE INDEX performance_alerts_live ON public.performance_alerts USING btree (rule_id) WHERE (state <> 'resolved'::text);

CREATE INDEX review_items_by_score ON public.review_items USING btree (tenant_id, queue_id, score DESC, operation_id);

CREATE INDEX review_queues_by_time ON public.review_queues USING btree (tenant_id, created_at DESC, queue_id DESC);

CREATE INDEX review_takes_by_reviewer ON public.review_takes USING btree (tenant_id, queue_id, reviewer);

CREATE INDEX silences_by_end ON public.silences USING btree (tenant_id, ends_at);

CREATE INDEX silences_by_time ON public.silences USING btree (tenant_id, created_at DESC, silence_id DESC);

CREATE INDEX subject_exports_by_end ON public.subject_exports USING btree (expires_at);

CREATE INDEX subject_exports_open ON public.subject_exports USING btree (created_at) WHERE (status = ANY (ARRAY['pending'::text, 'running'::text]));

CREATE INDEX training_blocks_by_operation ON public.training_blocks USING btree (tenant_id, operation_id);

CREATE INDEX training_changes_by_operation ON public.training_changes USING btree (tenant_id, operation_id);

CREATE INDEX training_changes_told ON public.training_changes USING btree (published_at) WHERE (published_at IS NOT NULL);

CREATE INDEX training_changes_untold ON public.training_changes USING btree (change_id) WHERE (published_at IS NULL);

CREATE INDEX user_feedback_by_arrival ON ONLY public.user_feedback USING brin (ingested_at, kafka_offset) WITH (pages_per_range='32', autosummarize='on');

CREATE INDEX user_feedback_by_operation ON ONLY public.user_feedback USING btree (tenant_id, operation_id);

CREATE INDEX user_feedback_by_time ON ONLY public.user_feedback USING btree (tenant_id, occurred_at DESC, event_id DESC);

CREATE INDEX user_feedback_waiting ON ONLY public.user_feedback USING btree (ingested_at) WHERE (model_id IS NULL);

CREATE TRIGGER ones_own BEFORE UPDATE ON public.erasure_receipts FOR EACH ROW EXECUTE FUNCTION public.receipts_are_ones_own();

CREATE TRIGGER only_end BEFORE UPDATE ON public.erasures FOR EACH ROW EXECUTE FUNCTION public.erasures_only_end();

ALTER TABLE ONLY public.ab_past_scans
    ADD CONSTRAINT ab_past_scans_tenant_id_test_id_fkey FOREIGN KEY (tenant_id, test_id) REFERENCES public.ab_tests(tenant_id, test_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.ab_results_history
    ADD CONSTRAINT ab_results_history_tenant_id_test_id_fkey FOREIGN KEY (tenant_id, test_id) REFERENCES public.ab_tests(tenant_id, test_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.ab_results
    ADD CONSTRAINT ab_results_tenant_id_test_id_fkey FOREIGN KEY (tenant_id, test_id) REFERENCES public.ab_tests(tenant_id, test_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.ab_test_steps
    ADD CONSTRAINT ab_test_steps_tenant_id_test_id_fkey FOREIGN KEY (tenant_id, test_id) REFERENCES public.ab_tests(tenant_id, test_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.ab_tests
    ADD CONSTRAINT ab_tests_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

ALTER TABLE ONLY public.alert_rules
    ADD CONSTRAINT alert_rules_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

ALTER TABLE ONLY public.dataset_rows
    ADD CONSTRAINT dataset_rows_tenant_id_dataset_id_fkey FOREIGN KEY (tenant_id, dataset_id) REFERENCES public.datasets(tenant_id, dataset_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.erasure_receipts
    ADD CONSTRAINT erasure_receipts_tenant_id_erasure_id_fkey FOREIGN KEY (tenant_id, erasure_id) REFERENCES public.erasures(tenant_id, erasure_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.erasures
    ADD CONSTRAINT erasures_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

ALTER TABLE ONLY public.health_limits
    ADD CONSTRAINT health_limits_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

ALTER TABLE ONLY public.notification_channels
    ADD CONSTRAINT notification_channels_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

ALTER TABLE ONLY public.notification_deliveries
    ADD CONSTRAINT notification_deliveries_tenant_id_channel_id_fkey FOREIGN KEY (tenant_id, channel_id) REFERENCES public.notification_channels(tenant_id, channel_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.retention
    ADD CONSTRAINT retention_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

ALTER TABLE ONLY public.review_items
    ADD CONSTRAINT review_items_tenant_id_queue_id_fkey FOREIGN KEY (tenant_id, queue_id) REFERENCES public.review_queues(tenant_id, queue_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.review_takes
    ADD CONSTRAINT review_takes_tenant_id_queue_id_operation_id_fkey FOREIGN KEY (tenant_id, queue_id, operation_id) REFERENCES public.review_items(tenant_id, queue_id, operation_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.silences
    ADD CONSTRAINT silences_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

ALTER TABLE ONLY public.subject_export_parts
    ADD CONSTRAINT subject_export_parts_tenant_id_export_id_fkey FOREIGN KEY (tenant_id, export_id) REFERENCES public.subject_exports(tenant_id, export_id);

ALTER TABLE ONLY public.subject_exports
    ADD CONSTRAINT subject_exports_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

ALTER TABLE public.ab_arms ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ab_days ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ab_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ab_past ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ab_past_scans ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ab_results ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ab_results_history ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ab_sketches ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ab_sums ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ab_test_steps ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ab_tests ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ab_units ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ab_waiting ENABLE ROW LEVEL SECURITY;

CREATE POLICY abtest_moves_its_own ON public.consumer_fence TO svc_abtest USING ((consumer_group = 'abtest'::text)) WITH CHECK ((consumer_group = 'abtest'::text));

CREATE POLICY abtest_sees_all ON public.ab_arms TO svc_abtest USING (true) WITH CHECK (true);

CREATE POLICY abtest_sees_all ON public.ab_days TO svc_abtest USING (true) WITH CHECK (true);

CREATE POLICY abtest_sees_all ON public.ab_events TO svc_abtest USING (true) WITH CHECK (true);

CREATE POLICY abtest_sees_all ON public.ab_past TO svc_abtest USING (true) WITH CHECK (true);

CREATE POLICY abtest_sees_all ON public.ab_past_scans TO svc_abtest USING (true) WITH CHECK (true);

CREATE POLICY abtest_sees_all ON public.ab_results TO svc_abtest USING (true) WITH CHECK (true);

CREATE POLICY abtest_sees_all ON public.ab_results_history TO svc_abtest USING (true) WITH CHECK (true);

CREATE POLICY abtest_sees_all ON public.ab_sketches TO svc_abtest USING (true) WITH CHECK (true);

CREATE POLICY abtest_sees_all ON public.ab_sums TO svc_abtest USING (true) WITH CHECK (true);

CREATE POLICY abtest_sees_all ON public.ab_test_steps TO svc_abtest USING (true) WITH CHECK (true);

CREATE POLICY abtest_sees_all ON public.ab_tests TO svc_abtest USING (true) WITH CHECK (true);

CREATE POLICY abtest_sees_all ON public.ab_units TO svc_abtest USING (true) WITH CHECK (true);

CREATE POLICY abtest_sees_all ON public.ab_waiting TO svc_abtest USING (true) WITH CHECK (true);

CREATE POLICY abtest_sees_all ON public.ai_model_operations FOR SELECT TO svc_abtest USING (true);

CREATE POLICY abtest_sees_all ON public.user_feedback FOR SELECT TO svc_abtest USING (true);

ALTER TABLE public.ai_model_operations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.alert_actions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.alert_rules ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.api_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.audit_heads ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.audit_log ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.consumer_fence ENABLE ROW LEVEL SECURITY;

CREATE POLICY consumers_see_all ON public.erased_events TO svc_ingest, svc_metrics USING (true) WITH CHECK (true);

CREATE POLICY consumers_see_all ON public.erased_names TO svc_ingest, svc_abtest, svc_feedback USING (true) WITH CHECK (true);

CREATE POLICY consumers_see_all ON public.erased_subjects TO svc_ingest, svc_abtest, svc_feedback USING (true) WITH CHECK (true);

CREATE POLICY consumers_see_all ON public.erasure_due TO svc_ingest, svc_abtest, svc_feedback USING (true) WITH CHECK (true);

ALTER TABLE public.dataset_rows ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.datasets ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.dead_letters ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.erased_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.erased_names ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.erased_rows_minute ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.erased_subjects ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.erasure_due ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.erasure_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.erasure_receipts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.erasures ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.feedback_analysis ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.feedback_due ENABLE ROW LEVEL SECURITY;

CREATE POLICY feedback_follows_ingest ON public.consumer_fence FOR SELECT TO svc_feedback USING ((consumer_group = 'ingest'::text));

CREATE POLICY feedback_moves_its_own ON public.consumer_fence TO svc_feedback USING ((consumer_group = 'feedback'::text)) WITH CHECK ((consumer_group = 'feedback'::text));

ALTER TABLE public.feedback_operations ENABLE ROW LEVEL SECURITY;

CREATE POLICY feedback_sees_all ON public.ai_model_operations FOR SELECT TO svc_feedback USING (true);

CREATE POLICY feedback_sees_all ON public.dataset_rows TO svc_feedback USING (true) WITH CHECK (true);

CREATE POLICY feedback_sees_all ON public.datasets TO svc_feedback USING (true) WITH CHECK (true);

CREATE POLICY feedback_sees_all ON public.feedback_analysis TO svc_feedback USING (true) WITH CHECK (true);

CREATE POLICY feedback_sees_all ON public.feedback_due TO svc_feedback USING (true) WITH CHECK (true);

CREATE POLICY feedback_sees_all ON public.feedback_operations TO svc_feedback USING (true) WITH CHECK (true);

CREATE POLICY feedback_sees_all ON public.model_training_data TO svc_feedback USING (true) WITH CHECK (true);

CREATE POLICY feedback_sees_all ON public.rater_pairs TO svc_feedback USING (true) WITH CHECK (true);

CREATE POLICY feedback_sees_all ON public.rater_reliability TO svc_feedback USING (true) WITH CHECK (true);

CREATE POLICY feedback_sees_all ON public.rater_votes TO svc_feedback USING (true) WITH CHECK (true);

CREATE POLICY feedback_sees_all ON public.tenants FOR SELECT TO svc_feedback USING (true);

CREATE POLICY feedback_sees_all ON public.training_blocks TO svc_feedback USING (true) WITH CHECK (true);

CREATE POLICY feedback_sees_all ON public.training_changes TO svc_feedback USING (true) WITH CHECK (true);

ALTER TABLE public.health_limits ENABLE ROW LEVEL SECURITY;

CREATE POLICY ingest_moves_its_own ON public.consumer_fence TO svc_ingest USING ((consumer_group = 'ingest'::text)) WITH CHECK ((consumer_group = 'ingest'::text));

CREATE POLICY ingest_sees_all ON public.ai_model_operations TO svc_ingest USING (true) WITH CHECK (true);

CREATE POLICY ingest_sees_all ON public.dead_letters TO svc_ingest USING (true) WITH CHECK (true);

CREATE POLICY ingest_sees_all ON public.erased_rows_minute TO svc_ingest USING (true) WITH CHECK (true);

CREATE POLICY ingest_sees_all ON public.operation_rollup_minute TO svc_ingest USING (true) WITH CHECK (true);

CREATE POLICY ingest_sees_all ON public.performance_alert_steps TO svc_ingest USING (true) WITH CHECK (true);

CREATE POLICY ingest_sees_all ON public.performance_alerts TO svc_ingest USING (true) WITH CHECK (true);

CREATE POLICY ingest_sees_all ON public.tenants TO svc_ingest USING (true) WITH CHECK (true);

CREATE POLICY ingest_sees_all ON public.user_feedback TO svc_ingest USING (true) WITH CHECK (true);

CREATE POLICY metrics_sees_all ON public.ai_model_operations FOR SELECT TO svc_metrics USING (true);

CREATE POLICY metrics_sees_all ON public.alert_actions FOR SELECT TO svc_metrics USING (true);

CREATE POLICY metrics_sees_all ON public.alert_rules FOR SELECT TO svc_metrics USING (true);

CREATE POLICY metrics_sees_all ON public.health_limits FOR SELECT TO svc_metrics USING (true);

CREATE POLICY metrics_sees_all ON public.model_status_changes TO svc_metrics USING (true) WITH CHECK (true);

CREATE POLICY metrics_sees_all ON public.operation_rollup_minute FOR SELECT TO svc_metrics USING (true);

CREATE POLICY metrics_sees_all ON public.performance_alerts FOR SELECT TO svc_metrics USING (true);

CREATE POLICY metrics_sees_all ON public.tenants FOR SELECT TO svc_metrics USING (true);

CREATE POLICY metrics_sees_all ON public.user_feedback FOR SELECT TO svc_metrics USING (true);

ALTER TABLE public.model_status_changes ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.model_training_data ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.notification_channels ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.notification_deliveries ENABLE ROW LEVEL SECURITY;

CREATE POLICY notify_moves_its_own ON public.consumer_fence TO svc_notify USING ((consumer_group = 'notify'::text)) WITH CHECK ((consumer_group = 'notify'::text));

CREATE POLICY notify_sees_all ON public.notification_channels TO svc_notify USING (true) WITH CHECK (true);

CREATE POLICY notify_sees_all ON public.notification_deliveries TO svc_notify USING (true) WITH CHECK (true);

CREATE POLICY notify_sees_all ON public.silences TO svc_notify USING (true) WITH CHECK (true);

ALTER TABLE public.operation_rollup_minute ENABLE ROW LEVEL SECURITY;

CREATE POLICY owner_sees_all ON public.ab_arms TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.ab_days TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.ab_events TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.ab_past TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.ab_past_scans TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.ab_results TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.ab_results_history TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.ab_sketches TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.ab_sums TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.ab_test_steps TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.ab_tests TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.ab_units TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.ab_waiting TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.ai_model_operations TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.alert_actions TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.alert_rules TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.api_keys TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.audit_heads TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.audit_log TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.consumer_fence TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.dataset_rows TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.datasets TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.dead_letters TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.erased_events TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.erased_names TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.erased_rows_minute TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.erased_subjects TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.erasure_due TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.erasure_events TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.erasure_receipts TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.erasures TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.feedback_analysis TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.feedback_due TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.feedback_operations TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.health_limits TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.model_status_changes TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.model_training_data TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.notification_channels TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.notification_deliveries TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.operation_rollup_minute TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.performance_alert_steps TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.performance_alerts TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.rater_pairs TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.rater_reliability TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.rater_votes TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.retention TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.review_items TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.review_queues TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.review_takes TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.silences TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.subject_export_parts TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.subject_exports TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.tenants TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.training_blocks TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.training_changes TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.user_feedback TO assay_owner USING (true) WITH CHECK (true);

ALTER TABLE public.performance_alert_steps ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.performance_alerts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.rater_pairs ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.rater_reliability ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.rater_votes ENABLE ROW LEVEL SECURITY;

CREATE POLICY readers_see_all ON public.consumer_fence FOR SELECT TO svc_metrics, svc_api USING (true);

ALTER TABLE public.retention ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.review_items ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.review_queues ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.review_takes ENABLE ROW LEVEL SECURITY;

CREATE POLICY services_see_all ON public.erasure_events TO svc_ingest, svc_metrics, svc_notify, svc_abtest, svc_feedback USING (true) WITH CHECK (true);

CREATE POLICY services_see_all ON public.erasure_receipts TO svc_ingest, svc_metrics, svc_notify, svc_abtest, svc_feedback USING (true) WITH CHECK (true);

CREATE POLICY services_see_all ON public.erasures TO svc_ingest, svc_metrics, svc_notify, svc_abtest, svc_feedback USING (true) WITH CHECK (true);

ALTER TABLE public.silences ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.subject_export_parts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.subject_exports ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_sees_own ON public.ab_arms FOR SELECT TO svc_api USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.ab_days FOR SELECT TO svc_api USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.ab_events FOR SELECT TO svc_api USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.ab_past FOR SELECT TO svc_api USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.ab_results TO svc_api USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.ab_results_history TO svc_api USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.ab_sketches FOR SELECT TO svc_api USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.ab_sums FOR SELECT TO svc_api USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.ab_test_steps TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.ab_tests TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.ab_units FOR SELECT TO svc_api USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.ab_waiting FOR SELECT TO svc_api USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.ai_model_operations TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.alert_actions TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.alert_rules TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.api_keys TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.audit_heads FOR SELECT TO svc_api USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.audit_log FOR SELECT TO svc_api USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.dataset_rows TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.datasets TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.erased_events TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.erased_names TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.erased_rows_minute TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.erased_subjects TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.erasure_due TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.erasure_events TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.erasure_receipts TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.erasures TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.feedback_analysis TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.feedback_due TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.feedback_operations TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.health_limits TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.model_status_changes TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.model_training_data TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.notification_channels TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.notification_deliveries TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.operation_rollup_minute TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.performance_alert_steps TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.performance_alerts TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.rater_pairs TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.rater_reliability TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.rater_votes TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.retention TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.review_items TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.review_queues TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.review_takes TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.silences TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.subject_export_parts TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.subject_exports TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.tenants TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.training_blocks TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.training_changes TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.user_feedback TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

ALTER TABLE public.tenants ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.training_blocks ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.training_changes ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.user_feedback ENABLE ROW LEVEL SECURITY;

GRANT ALL ON SCHEMA public TO assay_owner;
GRANT USAGE ON SCHEMA public TO svc_ingest;
GRANT USAGE ON SCHEMA public TO svc_metrics;
GRANT USAGE ON SCHEMA public TO svc_api;
GRANT USAGE ON SCHEMA public TO svc_notify;
GRANT USAGE ON SCHEMA public TO svc_abtest;

GRANT SELECT,INSERT,UPDATE ON TABLE public.ab_tests TO svc_api;
GRANT SELECT ON TABLE public.ab_tests TO svc_abtest;

GRANT UPDATE(state) ON TABLE public.ab_tests TO svc_abtest;

GRANT UPDATE(winner) ON TABLE public.ab_tests TO svc_abtest;

GRANT UPDATE(updated_at) ON TABLE public.ab_tests TO svc_abtest;

GRANT UPDATE(ended_at) ON TABLE public.ab_tests TO svc_abtest;

REVOKE ALL ON FUNCTION public.assigning_ab_tests(since timestamp with time zone, kept_for interval) FROM PUBLIC;
GRANT ALL ON FUNCTION public.assigning_ab_tests(since timestamp with time zone, kept_for interval) TO svc_api;

REVOKE ALL ON FUNCTION public.audit_all_heads() FROM PUBLIC;
GRANT ALL ON FUNCTION public.audit_all_heads() TO svc_api;

REVOKE ALL ON FUNCTION public.audit_append(new_sequence bigint, new_at timestamp with time zone, new_actor text, new_role text, new_action text, new_object_type text, new_object_id text, new_before text, new_after text, new_request_id text, new_key_version integer, new_prev_hash bytea, new_row_hash bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION public.audit_append(new_sequence bigint, new_at timestamp with time zone, new_actor text, new_role text, new_action text, new_object_type text, new_object_id text, new_before text, new_after text, new_request_id text, new_key_version integer, new_prev_hash bytea, new_row_hash bytea) TO svc_api;

REVOKE ALL ON FUNCTION public.audit_lock_head() FROM PUBLIC;
GRANT ALL ON FUNCTION public.audit_lock_head() TO svc_api;

REVOKE ALL ON FUNCTION public.changed_ab_tests(since timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.changed_ab_tests(since timestamp with time zone) TO svc_api;

REVOKE ALL ON FUNCTION public.drop_day_partition(parent regclass, day date) FROM PUBLIC;
GRANT ALL ON FUNCTION public.drop_day_partition(parent regclass, day date) TO svc_ingest;

REVOKE ALL ON FUNCTION public.ended_partitions(parent regclass) FROM PUBLIC;
GRANT ALL ON FUNCTION public.ended_partitions(parent regclass) TO svc_ingest;

REVOKE ALL ON FUNCTION public.ended_subject_exports() FROM PUBLIC;
GRANT ALL ON FUNCTION public.ended_subject_exports() TO svc_api;

REVOKE ALL ON FUNCTION public.ensure_day_partition(parent regclass, day date) FROM PUBLIC;
GRANT ALL ON FUNCTION public.ensure_day_partition(parent regclass, day date) TO svc_ingest;

REVOKE ALL ON FUNCTION public.erase_dead_letters(needles bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.erase_dead_letters(needles bytea[]) TO svc_api;

REVOKE ALL ON FUNCTION public.erasure_due_tenants(of_service text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.erasure_due_tenants(of_service text) TO svc_ingest;
GRANT ALL ON FUNCTION public.erasure_due_tenants(of_service text) TO svc_abtest;
GRANT ALL ON FUNCTION public.erasure_due_tenants(of_service text) TO svc_feedback;
GRANT ALL ON FUNCTION public.erasure_due_tenants(of_service text) TO svc_metrics;
GRANT ALL ON FUNCTION public.erasure_due_tenants(of_service text) TO svc_notify;
GRANT ALL ON FUNCTION public.erasure_due_tenants(of_service text) TO svc_api;

REVOKE ALL ON FUNCTION public.erasures_only_end() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.find_api_key(wanted text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.find_api_key(wanted text) TO svc_api;

REVOKE ALL ON FUNCTION public.late_erasures() FROM PUBLIC;
GRANT ALL ON FUNCTION public.late_erasures() TO svc_api;

REVOKE ALL ON FUNCTION public.open_erasure_tasks(of_service text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.open_erasure_tasks(of_service text) TO svc_ingest;
GRANT ALL ON FUNCTION public.open_erasure_tasks(of_service text) TO svc_abtest;
GRANT ALL ON FUNCTION public.open_erasure_tasks(of_service text) TO svc_feedback;
GRANT ALL ON FUNCTION public.open_erasure_tasks(of_service text) TO svc_metrics;
GRANT ALL ON FUNCTION public.open_erasure_tasks(of_service text) TO svc_notify;
GRANT ALL ON FUNCTION public.open_erasure_tasks(of_service text) TO svc_api;

REVOKE ALL ON FUNCTION public.open_subject_exports() FROM PUBLIC;
GRANT ALL ON FUNCTION public.open_subject_exports() TO svc_api;

REVOKE ALL ON FUNCTION public.receipts_are_ones_own() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.retention_cutoffs(of_class text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.retention_cutoffs(of_class text) TO svc_ingest;
GRANT ALL ON FUNCTION public.retention_cutoffs(of_class text) TO svc_feedback;

REVOKE ALL ON FUNCTION public.retention_default(of_class text) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.tenant_dead_letters(after_topic text, after_partition integer, after_offset bigint, needles bytea[], most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.tenant_dead_letters(after_topic text, after_partition integer, after_offset bigint, needles bytea[], most integer) TO svc_api;

REVOKE ALL ON FUNCTION public.untold_ab_test_steps(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.untold_ab_test_steps(most integer) TO svc_api;

REVOKE ALL ON FUNCTION public.untold_erasure_events(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.untold_erasure_events(most integer) TO svc_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ab_arms TO svc_abtest;
GRANT SELECT ON TABLE public.ab_arms TO svc_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ab_units TO svc_abtest;
GRANT SELECT ON TABLE public.ab_units TO svc_api;

GRANT SELECT ON TABLE public.ab_cells TO svc_abtest;
GRANT SELECT ON TABLE public.ab_cells TO svc_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ab_days TO svc_abtest;
GRANT SELECT ON TABLE public.ab_days TO svc_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ab_events TO svc_abtest;
GRANT SELECT ON TABLE public.ab_events TO svc_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ab_past TO svc_abtest;
GRANT SELECT ON TABLE public.ab_past TO svc_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ab_past_scans TO svc_abtest;

GRANT SELECT ON TABLE public.ab_results TO svc_api;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ab_results TO svc_abtest;

GRANT SELECT ON TABLE public.ab_results_history TO svc_api;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ab_results_history TO svc_abtest;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ab_sketches TO svc_abtest;
GRANT SELECT ON TABLE public.ab_sketches TO svc_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ab_sums TO svc_abtest;
GRANT SELECT ON TABLE public.ab_sums TO svc_api;

GRANT SELECT,INSERT ON TABLE public.ab_test_steps TO svc_api;
GRANT SELECT,INSERT ON TABLE public.ab_test_steps TO svc_abtest;

GRANT UPDATE(published_at) ON TABLE public.ab_test_steps TO svc_api;
GRANT UPDATE(published_at) ON TABLE public.ab_test_steps TO svc_abtest;

GRANT UPDATE(refusal) ON TABLE public.ab_test_steps TO svc_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ab_waiting TO svc_abtest;
GRANT SELECT ON TABLE public.ab_waiting TO svc_api;

GRANT SELECT ON TABLE public.ai_model_operations TO svc_api;
GRANT INSERT,DELETE ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(tenant_id) ON TABLE public.ai_model_operations TO svc_ingest;
GRANT SELECT(tenant_id) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(tenant_id) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(tenant_id) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(event_id),UPDATE(event_id) ON TABLE public.ai_model_operations TO svc_ingest;
GRANT SELECT(event_id) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(event_id) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(event_id) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(occurred_at) ON TABLE public.ai_model_operations TO svc_ingest;
GRANT SELECT(occurred_at) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(occurred_at) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(occurred_at) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(operation_id),UPDATE(operation_id) ON TABLE public.ai_model_operations TO svc_ingest;
GRANT SELECT(operation_id) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(operation_id) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(operation_id) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(model_id) ON TABLE public.ai_model_operations TO svc_ingest;
GRANT SELECT(model_id) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(model_id) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(success) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(success) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(success) ON TABLE public.ai_model_operations TO svc_feedback;
GRANT SELECT(success) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(response_time_ms) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(response_time_ms) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(response_time_ms) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(model_version) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(model_version) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(provider) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(operation_type) ON TABLE public.ai_model_operations TO svc_ingest;
GRANT SELECT(operation_type) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(operation_type) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(operation_type) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(agent_id) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(agent_id) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(agent_id) ON TABLE public.ai_model_operations TO svc_feedback;
GRANT SELECT(agent_id) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(environment) ON TABLE public.ai_model_operations TO svc_ingest;
GRANT SELECT(environment) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(environment) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(environment) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(release) ON TABLE public.ai_model_operations TO svc_feedback;
GRANT SELECT(release) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(trace_id),UPDATE(trace_id) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT UPDATE(parent_operation_id) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(session_id),UPDATE(session_id) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(user_pseudonym) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(user_pseudonym),UPDATE(user_pseudonym) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(prompt_version) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(input_tokens) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(input_tokens) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(input_tokens) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(output_tokens) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(output_tokens) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(output_tokens) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(cached_input_tokens) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(cached_input_tokens) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(reasoning_tokens) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(reasoning_tokens) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(cost_nano) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(cost_nano) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(cost_nano) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(confidence) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(confidence) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(confidence) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(error_type) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(error_type) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT UPDATE(error_message) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(input_text) ON TABLE public.ai_model_operations TO svc_feedback;
GRANT UPDATE(input_text) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(output_text) ON TABLE public.ai_model_operations TO svc_feedback;
GRANT UPDATE(output_text) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(ab_test_id) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(variant) ON TABLE public.ai_model_operations TO svc_ingest;
GRANT SELECT(variant) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(variant) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT UPDATE(metadata) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(payload_hash),UPDATE(payload_hash) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(kafka_topic) ON TABLE public.ai_model_operations TO svc_ingest;
GRANT SELECT(kafka_topic) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(kafka_topic) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(kafka_partition) ON TABLE public.ai_model_operations TO svc_ingest;
GRANT SELECT(kafka_partition) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(kafka_partition) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(kafka_offset) ON TABLE public.ai_model_operations TO svc_ingest;
GRANT SELECT(kafka_offset) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(kafka_offset) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(ingested_at) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(ingested_at) ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT,INSERT ON TABLE public.alert_actions TO svc_api;
GRANT SELECT ON TABLE public.alert_actions TO svc_metrics;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.alert_rules TO svc_api;
GRANT SELECT ON TABLE public.alert_rules TO svc_metrics;

GRANT SELECT(tenant_id),INSERT(tenant_id) ON TABLE public.api_keys TO svc_api;

GRANT SELECT(key_id),INSERT(key_id) ON TABLE public.api_keys TO svc_api;

GRANT SELECT(name),INSERT(name) ON TABLE public.api_keys TO svc_api;

GRANT SELECT(role),INSERT(role) ON TABLE public.api_keys TO svc_api;

GRANT SELECT(permissions),INSERT(permissions) ON TABLE public.api_keys TO svc_api;

GRANT INSERT(secret_hash) ON TABLE public.api_keys TO svc_api;

GRANT SELECT(created_at) ON TABLE public.api_keys TO svc_api;

GRANT SELECT(created_by),INSERT(created_by) ON TABLE public.api_keys TO svc_api;

GRANT SELECT(expires_at),INSERT(expires_at),UPDATE(expires_at) ON TABLE public.api_keys TO svc_api;

GRANT SELECT(revoked_at),UPDATE(revoked_at) ON TABLE public.api_keys TO svc_api;

GRANT SELECT(id),INSERT(id) ON TABLE public.api_keys TO svc_api;

GRANT SELECT(last_used_at),UPDATE(last_used_at) ON TABLE public.api_keys TO svc_api;

GRANT SELECT(replaced_by),UPDATE(replaced_by) ON TABLE public.api_keys TO svc_api;

GRANT SELECT ON TABLE public.audit_heads TO svc_api;

GRANT SELECT ON TABLE public.audit_log TO svc_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.consumer_fence TO svc_ingest;
GRANT SELECT ON TABLE public.consumer_fence TO svc_metrics;
GRANT SELECT ON TABLE public.consumer_fence TO svc_api;
GRANT SELECT,INSERT,UPDATE ON TABLE public.consumer_fence TO svc_notify;
GRANT SELECT,INSERT,UPDATE ON TABLE public.consumer_fence TO svc_abtest;
GRANT SELECT,INSERT,UPDATE ON TABLE public.consumer_fence TO svc_feedback;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.dataset_rows TO svc_feedback;
GRANT SELECT ON TABLE public.dataset_rows TO svc_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.datasets TO svc_feedback;
GRANT SELECT,INSERT ON TABLE public.datasets TO svc_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.dead_letters TO svc_ingest;

GRANT SELECT,INSERT,DELETE ON TABLE public.erased_events TO svc_ingest;
GRANT SELECT ON TABLE public.erased_events TO svc_metrics;

GRANT SELECT,INSERT ON TABLE public.erased_names TO svc_ingest;
GRANT SELECT,INSERT ON TABLE public.erased_names TO svc_abtest;
GRANT SELECT ON TABLE public.erased_names TO svc_feedback;

GRANT UPDATE(erased_before) ON TABLE public.erased_names TO svc_ingest;
GRANT UPDATE(erased_before) ON TABLE public.erased_names TO svc_abtest;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.erased_rows_minute TO svc_ingest;

GRANT INSERT ON TABLE public.erased_subjects TO svc_api;
GRANT SELECT ON TABLE public.erased_subjects TO svc_ingest;
GRANT SELECT ON TABLE public.erased_subjects TO svc_abtest;
GRANT SELECT ON TABLE public.erased_subjects TO svc_feedback;

GRANT SELECT,INSERT,DELETE ON TABLE public.erasure_due TO svc_ingest;
GRANT SELECT,DELETE ON TABLE public.erasure_due TO svc_abtest;
GRANT SELECT,INSERT,DELETE ON TABLE public.erasure_due TO svc_feedback;
GRANT SELECT,DELETE ON TABLE public.erasure_due TO svc_api;

GRANT UPDATE(seen_xid) ON TABLE public.erasure_due TO svc_ingest;
GRANT UPDATE(seen_xid) ON TABLE public.erasure_due TO svc_abtest;
GRANT UPDATE(seen_xid) ON TABLE public.erasure_due TO svc_feedback;
GRANT UPDATE(seen_xid) ON TABLE public.erasure_due TO svc_api;

GRANT UPDATE(done_once) ON TABLE public.erasure_due TO svc_ingest;
GRANT UPDATE(done_once) ON TABLE public.erasure_due TO svc_abtest;
GRANT UPDATE(done_once) ON TABLE public.erasure_due TO svc_feedback;
GRANT UPDATE(done_once) ON TABLE public.erasure_due TO svc_api;

GRANT INSERT ON TABLE public.erasure_events TO svc_ingest;
GRANT INSERT ON TABLE public.erasure_events TO svc_abtest;
GRANT INSERT ON TABLE public.erasure_events TO svc_feedback;
GRANT INSERT ON TABLE public.erasure_events TO svc_metrics;
GRANT INSERT ON TABLE public.erasure_events TO svc_notify;
GRANT SELECT,INSERT ON TABLE public.erasure_events TO svc_api;

GRANT UPDATE(published_at) ON TABLE public.erasure_events TO svc_api;

GRANT SELECT ON TABLE public.erasure_receipts TO svc_ingest;
GRANT SELECT ON TABLE public.erasure_receipts TO svc_abtest;
GRANT SELECT ON TABLE public.erasure_receipts TO svc_feedback;
GRANT SELECT ON TABLE public.erasure_receipts TO svc_metrics;
GRANT SELECT ON TABLE public.erasure_receipts TO svc_notify;
GRANT SELECT,INSERT ON TABLE public.erasure_receipts TO svc_api;

GRANT UPDATE(removed) ON TABLE public.erasure_receipts TO svc_ingest;
GRANT UPDATE(removed) ON TABLE public.erasure_receipts TO svc_abtest;
GRANT UPDATE(removed) ON TABLE public.erasure_receipts TO svc_feedback;
GRANT UPDATE(removed) ON TABLE public.erasure_receipts TO svc_metrics;
GRANT UPDATE(removed) ON TABLE public.erasure_receipts TO svc_notify;
GRANT UPDATE(removed) ON TABLE public.erasure_receipts TO svc_api;

GRANT UPDATE(until) ON TABLE public.erasure_receipts TO svc_ingest;
GRANT UPDATE(until) ON TABLE public.erasure_receipts TO svc_abtest;
GRANT UPDATE(until) ON TABLE public.erasure_receipts TO svc_feedback;
GRANT UPDATE(until) ON TABLE public.erasure_receipts TO svc_metrics;
GRANT UPDATE(until) ON TABLE public.erasure_receipts TO svc_notify;
GRANT UPDATE(until) ON TABLE public.erasure_receipts TO svc_api;

GRANT UPDATE(at) ON TABLE public.erasure_receipts TO svc_ingest;
GRANT UPDATE(at) ON TABLE public.erasure_receipts TO svc_abtest;
GRANT UPDATE(at) ON TABLE public.erasure_receipts TO svc_feedback;
GRANT UPDATE(at) ON TABLE public.erasure_receipts TO svc_metrics;
GRANT UPDATE(at) ON TABLE public.erasure_receipts TO svc_notify;
GRANT UPDATE(at) ON TABLE public.erasure_receipts TO svc_api;

GRANT UPDATE("position") ON TABLE public.erasure_receipts TO svc_ingest;
GRANT UPDATE("position") ON TABLE public.erasure_receipts TO svc_abtest;
GRANT UPDATE("position") ON TABLE public.erasure_receipts TO svc_feedback;
GRANT UPDATE("position") ON TABLE public.erasure_receipts TO svc_metrics;
GRANT UPDATE("position") ON TABLE public.erasure_receipts TO svc_notify;
GRANT UPDATE("position") ON TABLE public.erasure_receipts TO svc_api;

GRANT UPDATE(seen_xid) ON TABLE public.erasure_receipts TO svc_ingest;
GRANT UPDATE(seen_xid) ON TABLE public.erasure_receipts TO svc_abtest;
GRANT UPDATE(seen_xid) ON TABLE public.erasure_receipts TO svc_feedback;
GRANT UPDATE(seen_xid) ON TABLE public.erasure_receipts TO svc_metrics;
GRANT UPDATE(seen_xid) ON TABLE public.erasure_receipts TO svc_notify;
GRANT UPDATE(seen_xid) ON TABLE public.erasure_receipts TO svc_api;

GRANT SELECT ON TABLE public.erasures TO svc_ingest;
GRANT SELECT ON TABLE public.erasures TO svc_abtest;
GRANT SELECT ON TABLE public.erasures TO svc_feedback;
GRANT SELECT ON TABLE public.erasures TO svc_metrics;
GRANT SELECT ON TABLE public.erasures TO svc_notify;
GRANT SELECT,INSERT ON TABLE public.erasures TO svc_api;

GRANT UPDATE(subject) ON TABLE public.erasures TO svc_ingest;
GRANT UPDATE(subject) ON TABLE public.erasures TO svc_abtest;
GRANT UPDATE(subject) ON TABLE public.erasures TO svc_feedback;
GRANT UPDATE(subject) ON TABLE public.erasures TO svc_metrics;
GRANT UPDATE(subject) ON TABLE public.erasures TO svc_notify;
GRANT UPDATE(subject) ON TABLE public.erasures TO svc_api;

GRANT UPDATE(status) ON TABLE public.erasures TO svc_ingest;
GRANT UPDATE(status) ON TABLE public.erasures TO svc_abtest;
GRANT UPDATE(status) ON TABLE public.erasures TO svc_feedback;
GRANT UPDATE(status) ON TABLE public.erasures TO svc_metrics;
GRANT UPDATE(status) ON TABLE public.erasures TO svc_notify;
GRANT UPDATE(status) ON TABLE public.erasures TO svc_api;

GRANT UPDATE(completed_at) ON TABLE public.erasures TO svc_ingest;
GRANT UPDATE(completed_at) ON TABLE public.erasures TO svc_abtest;
GRANT UPDATE(completed_at) ON TABLE public.erasures TO svc_feedback;
GRANT UPDATE(completed_at) ON TABLE public.erasures TO svc_metrics;
GRANT UPDATE(completed_at) ON TABLE public.erasures TO svc_notify;
GRANT UPDATE(completed_at) ON TABLE public.erasures TO svc_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.feedback_analysis TO svc_feedback;
GRANT SELECT ON TABLE public.feedback_analysis TO svc_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.feedback_due TO svc_feedback;

GRANT INSERT(tenant_id) ON TABLE public.feedback_due TO svc_api;

GRANT INSERT(operation_id) ON TABLE public.feedback_due TO svc_api;

GRANT INSERT(shard) ON TABLE public.feedback_due TO svc_api;

GRANT SELECT,INSERT ON TABLE public.feedback_nights TO svc_feedback;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.feedback_operations TO svc_feedback;
GRANT SELECT ON TABLE public.feedback_operations TO svc_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.health_limits TO svc_api;
GRANT SELECT ON TABLE public.health_limits TO svc_metrics;

GRANT SELECT ON TABLE public.model_status_changes TO svc_api;
GRANT SELECT,INSERT ON TABLE public.model_status_changes TO svc_metrics;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.model_training_data TO svc_feedback;
GRANT SELECT ON TABLE public.model_training_data TO svc_api;

GRANT INSERT,DELETE ON TABLE public.notification_channels TO svc_api;
GRANT SELECT ON TABLE public.notification_channels TO svc_notify;

GRANT SELECT(tenant_id) ON TABLE public.notification_channels TO svc_api;

GRANT SELECT(channel_id) ON TABLE public.notification_channels TO svc_api;

GRANT SELECT(name) ON TABLE public.notification_channels TO svc_api;

GRANT SELECT(type) ON TABLE public.notification_channels TO svc_api;

GRANT SELECT(url) ON TABLE public.notification_channels TO svc_api;

GRANT SELECT(send_resolved) ON TABLE public.notification_channels TO svc_api;

GRANT SELECT(created_at) ON TABLE public.notification_channels TO svc_api;

GRANT SELECT(created_by) ON TABLE public.notification_channels TO svc_api;

GRANT UPDATE(held_by) ON TABLE public.notification_channels TO svc_notify;

GRANT UPDATE(held_until) ON TABLE public.notification_channels TO svc_notify;

GRANT UPDATE(paced_until) ON TABLE public.notification_channels TO svc_notify;

GRANT SELECT,INSERT ON TABLE public.notification_deliveries TO svc_api;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.notification_deliveries TO svc_notify;

GRANT SELECT ON TABLE public.operation_rollup_minute TO svc_api;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.operation_rollup_minute TO svc_ingest;
GRANT SELECT ON TABLE public.operation_rollup_minute TO svc_metrics;

GRANT SELECT ON TABLE public.performance_alert_steps TO svc_api;
GRANT SELECT,INSERT ON TABLE public.performance_alert_steps TO svc_ingest;

GRANT SELECT ON TABLE public.performance_alerts TO svc_api;
GRANT SELECT,INSERT,UPDATE ON TABLE public.performance_alerts TO svc_ingest;
GRANT SELECT ON TABLE public.performance_alerts TO svc_metrics;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.rater_pairs TO svc_feedback;
GRANT SELECT ON TABLE public.rater_pairs TO svc_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.rater_reliability TO svc_feedback;
GRANT SELECT ON TABLE public.rater_reliability TO svc_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.rater_votes TO svc_feedback;

GRANT SELECT,INSERT ON TABLE public.retention TO svc_api;

GRANT UPDATE(days) ON TABLE public.retention TO svc_api;

GRANT UPDATE(changed_at) ON TABLE public.retention TO svc_api;

GRANT UPDATE(changed_by) ON TABLE public.retention TO svc_api;

GRANT SELECT ON TABLE public.retention_start TO svc_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.review_items TO svc_api;

GRANT SELECT,INSERT ON TABLE public.review_queues TO svc_api;

GRANT UPDATE(closed_at) ON TABLE public.review_queues TO svc_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.review_takes TO svc_api;

GRANT UPDATE(reviewed_at) ON TABLE public.review_takes TO svc_api;

GRANT UPDATE(said) ON TABLE public.review_takes TO svc_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.silences TO svc_api;
GRANT SELECT,DELETE ON TABLE public.silences TO svc_notify;

GRANT SELECT,INSERT,DELETE ON TABLE public.subject_export_parts TO svc_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.subject_exports TO svc_api;

GRANT UPDATE(subject) ON TABLE public.subject_exports TO svc_api;

GRANT UPDATE(status) ON TABLE public.subject_exports TO svc_api;

GRANT UPDATE(known) ON TABLE public.subject_exports TO svc_api;

GRANT UPDATE("position") ON TABLE public.subject_exports TO svc_api;

GRANT UPDATE(completed_at) ON TABLE public.subject_exports TO svc_api;

GRANT UPDATE(expires_at) ON TABLE public.subject_exports TO svc_api;

GRANT SELECT ON TABLE public.tenants TO svc_ingest;
GRANT SELECT ON TABLE public.tenants TO svc_metrics;
GRANT SELECT ON TABLE public.tenants TO svc_api;

GRANT SELECT(tenant_id) ON TABLE public.tenants TO svc_feedback;

GRANT SELECT(content_free) ON TABLE public.tenants TO svc_feedback;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.training_blocks TO svc_feedback;
GRANT SELECT,INSERT ON TABLE public.training_blocks TO svc_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.training_changes TO svc_feedback;
GRANT SELECT ON TABLE public.training_changes TO svc_api;

GRANT SELECT ON TABLE public.user_feedback TO svc_api;
GRANT INSERT,DELETE ON TABLE public.user_feedback TO svc_ingest;

GRANT SELECT(tenant_id) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(tenant_id) ON TABLE public.user_feedback TO svc_metrics;
GRANT SELECT(tenant_id) ON TABLE public.user_feedback TO svc_abtest;

GRANT SELECT(event_id),UPDATE(event_id) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(event_id) ON TABLE public.user_feedback TO svc_metrics;

GRANT SELECT(occurred_at) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(occurred_at) ON TABLE public.user_feedback TO svc_metrics;
GRANT SELECT(occurred_at) ON TABLE public.user_feedback TO svc_abtest;

GRANT SELECT(operation_id),UPDATE(operation_id) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(operation_id) ON TABLE public.user_feedback TO svc_metrics;
GRANT SELECT(operation_id) ON TABLE public.user_feedback TO svc_abtest;

GRANT SELECT(rating) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(rating) ON TABLE public.user_feedback TO svc_metrics;
GRANT SELECT(rating) ON TABLE public.user_feedback TO svc_abtest;

GRANT SELECT(helpful) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(helpful) ON TABLE public.user_feedback TO svc_metrics;
GRANT SELECT(helpful) ON TABLE public.user_feedback TO svc_abtest;

GRANT SELECT(accurate) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(accurate) ON TABLE public.user_feedback TO svc_metrics;
GRANT SELECT(accurate) ON TABLE public.user_feedback TO svc_abtest;

GRANT SELECT(relevant) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(relevant) ON TABLE public.user_feedback TO svc_metrics;
GRANT SELECT(relevant) ON TABLE public.user_feedback TO svc_abtest;

GRANT SELECT(fast) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(fast) ON TABLE public.user_feedback TO svc_metrics;
GRANT SELECT(fast) ON TABLE public.user_feedback TO svc_abtest;

GRANT UPDATE(comment) ON TABLE public.user_feedback TO svc_ingest;

GRANT UPDATE(correction) ON TABLE public.user_feedback TO svc_ingest;

GRANT SELECT(model_id),UPDATE(model_id) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(model_id) ON TABLE public.user_feedback TO svc_metrics;

GRANT SELECT(environment),UPDATE(environment) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(environment) ON TABLE public.user_feedback TO svc_metrics;

GRANT SELECT(operation_type),UPDATE(operation_type) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(operation_type) ON TABLE public.user_feedback TO svc_metrics;

GRANT SELECT(variant),UPDATE(variant) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(variant) ON TABLE public.user_feedback TO svc_metrics;

GRANT SELECT(user_pseudonym),UPDATE(user_pseudonym) ON TABLE public.user_feedback TO svc_ingest;

GRANT UPDATE(metadata) ON TABLE public.user_feedback TO svc_ingest;

GRANT SELECT(payload_hash),UPDATE(payload_hash) ON TABLE public.user_feedback TO svc_ingest;

GRANT SELECT(kafka_topic) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(kafka_topic) ON TABLE public.user_feedback TO svc_metrics;

GRANT SELECT(kafka_partition) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(kafka_partition) ON TABLE public.user_feedback TO svc_metrics;

GRANT SELECT(kafka_offset) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(kafka_offset) ON TABLE public.user_feedback TO svc_metrics;

GRANT SELECT(ingested_at) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(ingested_at) ON TABLE public.user_feedback TO svc_metrics;
