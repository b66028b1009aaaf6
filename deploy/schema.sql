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

CREATE FUNCTION public.find_api_key(wanted text) RETURNS TABLE(tenant_id text, key_id text, name text, role text, permissions text[], secret_hash bytea, expires_at timestamp with time zone, revoked_at timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
    SELECT k.tenant_id, k.key_id, k.name, k.role, k.permissions, k.secret_hash, k.expires_at, k.revoked_at
      FROM public.api_keys AS k WHERE k.key_id = wanted
$$;

ALTER FUNCTION public.find_api_key(wanted text) OWNER TO assay_owner;

CREATE FUNCTION public.status_part(environment text, operation_type text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (environment IS NULL) THEN ''::text ELSE ((((length(environment))::text || ':'::text) || environment) || operation_type) END;

ALTER FUNCTION public.status_part(environment text, operation_type text) OWNER TO assay_owner;

CREATE FUNCTION public.untold_ab_test_steps(most integer) RETURNS TABLE(tenant_id text, event_id uuid, test_id uuid, occurred_at timestamp with time zone, body jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'public', 'pg_temp'
    AS $$
    SELECT s.tenant_id, s.event_id, s.test_id, s.occurred_at, s.body FROM public.ab_test_steps AS s
     WHERE s.published_at IS NULL AND s.refusal IS NULL ORDER BY s.occurred_at, s.event_id LIMIT most
$$;

ALTER FUNCTION public.untold_ab_test_steps(most integer) OWNER TO assay_owner;

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
    CONSTRAINT api_keys_key_id_check CHECK ((key_id ~ '^[a-z0-9]{12}$'::text)),
    CONSTRAINT api_keys_secret_hash_check CHECK ((length(secret_hash) = 32))
);

ALTER TABLE ONLY public.api_keys FORCE ROW LEVEL SECURITY;

ALTER TABLE public.api_keys OWNER TO assay_owner;

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
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.consumer_fence FORCE ROW LEVEL SECURITY;

ALTER TABLE public.consumer_fence OWNER TO assay_owner;

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

CREATE TABLE public.rater_pairs (
    tenant_id text NOT NULL,
    one text NOT NULL,
    other text NOT NULL,
    shared bigint NOT NULL,
    agreed bigint NOT NULL
);

ALTER TABLE ONLY public.rater_pairs FORCE ROW LEVEL SECURITY;

ALTER TABLE public.rater_pairs OWNER TO assay_owner;

CREATE TABLE public.rater_reliability (
    tenant_id text NOT NULL,
    rater text NOT NULL,
    reliability double precision NOT NULL,
    reckoned_at timestamp with time zone NOT NULL,
    CONSTRAINT rater_reliability_reliability_check CHECK (((reliability >= (0)::double precision) AND (reliability <= (1)::double precision)))
);

ALTER TABLE ONLY public.rater_reliability FORCE ROW LEVEL SECURITY;

ALTER TABLE public.rater_reliability OWNER TO assay_owner;

CREATE TABLE public.rater_votes (
    tenant_id text NOT NULL,
    points smallint NOT NULL,
    votes bigint NOT NULL
);

ALTER TABLE ONLY public.rater_votes FORCE ROW LEVEL SECURITY;

ALTER TABLE public.rater_votes OWNER TO assay_owner;

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

CREATE TABLE public.training_blocks (
    tenant_id text NOT NULL,
    row_id uuid NOT NULL,
    operation_id text NOT NULL,
    blocked_at timestamp with time zone DEFAULT now() NOT NULL,
    blocked_by text NOT NULL
);

ALTER TABLE ONLY public.training_blocks FORCE ROW LEVEL SECURITY;

ALTER TABLE public.training_blocks OWNER TO assay_owner;

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

CREATE INDEX dataset_rows_by_operation ON public.dataset_rows USING btree (tenant_id, operation_id);

CREATE INDEX datasets_by_time ON public.datasets USING btree (tenant_id, created_at DESC, dataset_id DESC);

CREATE INDEX datasets_freezing ON public.datasets USING btree (created_at) WHERE (state = 'freezing'::text);

CREATE INDEX dead_letters_by_time ON public.dead_letters USING btree (first_seen_at DESC);

CREATE INDEX dead_letters_unpublished ON public.dead_letters USING btree (first_seen_at) WHERE (published_at IS NULL);

CREATE INDEX feedback_analysis_by_operation ON public.feedback_analysis USING btree (tenant_id, operation_id);

CREATE INDEX feedback_analysis_by_time ON public.feedback_analysis USING btree (tenant_id, occurred_at DESC, event_id DESC);

CREATE INDEX feedback_analysis_by_user ON public.feedback_analysis USING btree (tenant_id, user_pseudonym) WHERE (user_pseudonym IS NOT NULL);

CREATE INDEX feedback_due_by_operation ON public.feedback_due USING btree (tenant_id, operation_id);

CREATE INDEX feedback_due_by_shard ON public.feedback_due USING btree (shard, due_id);

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

CREATE INDEX training_blocks_by_operation ON public.training_blocks USING btree (tenant_id, operation_id);

CREATE INDEX training_changes_told ON public.training_changes USING btree (published_at) WHERE (published_at IS NOT NULL);

CREATE INDEX training_changes_untold ON public.training_changes USING btree (change_id) WHERE (published_at IS NULL);

CREATE INDEX user_feedback_by_arrival ON ONLY public.user_feedback USING brin (ingested_at, kafka_offset) WITH (pages_per_range='32', autosummarize='on');

CREATE INDEX user_feedback_by_operation ON ONLY public.user_feedback USING btree (tenant_id, operation_id);

CREATE INDEX user_feedback_by_time ON ONLY public.user_feedback USING btree (tenant_id, occurred_at DESC, event_id DESC);

CREATE INDEX user_feedback_waiting ON ONLY public.user_feedback USING btree (ingested_at) WHERE (model_id IS NULL);

ALTER TABLE ONLY public.ab_past_scans
    ADD CONSTRAINT ab_past_scans_tenant_id_test_id_fkey FOREIGN KEY (tenant_id, test_id) REFERENCES public.ab_tests(tenant_id, test_id) ON DELETE CASCADE;

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

ALTER TABLE ONLY public.health_limits
    ADD CONSTRAINT health_limits_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

ALTER TABLE ONLY public.notification_channels
    ADD CONSTRAINT notification_channels_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

ALTER TABLE ONLY public.notification_deliveries
    ADD CONSTRAINT notification_deliveries_tenant_id_channel_id_fkey FOREIGN KEY (tenant_id, channel_id) REFERENCES public.notification_channels(tenant_id, channel_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.review_items
    ADD CONSTRAINT review_items_tenant_id_queue_id_fkey FOREIGN KEY (tenant_id, queue_id) REFERENCES public.review_queues(tenant_id, queue_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.review_takes
    ADD CONSTRAINT review_takes_tenant_id_queue_id_operation_id_fkey FOREIGN KEY (tenant_id, queue_id, operation_id) REFERENCES public.review_items(tenant_id, queue_id, operation_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.silences
    ADD CONSTRAINT silences_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(tenant_id);

ALTER TABLE public.ab_arms ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ab_days ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ab_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ab_past ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ab_past_scans ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.ab_results ENABLE ROW LEVEL SECURITY;

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

ALTER TABLE public.consumer_fence ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.dataset_rows ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.datasets ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.dead_letters ENABLE ROW LEVEL SECURITY;

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

CREATE POLICY owner_sees_all ON public.consumer_fence TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.dataset_rows TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.datasets TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.dead_letters TO assay_owner USING (true) WITH CHECK (true);

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

CREATE POLICY owner_sees_all ON public.review_items TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.review_queues TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.review_takes TO assay_owner USING (true) WITH CHECK (true);

CREATE POLICY owner_sees_all ON public.silences TO assay_owner USING (true) WITH CHECK (true);

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

ALTER TABLE public.review_items ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.review_queues ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.review_takes ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.silences ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_sees_own ON public.ab_arms FOR SELECT TO svc_api USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.ab_days FOR SELECT TO svc_api USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.ab_events FOR SELECT TO svc_api USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.ab_results TO svc_api USING ((tenant_id = public.current_tenant()));

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

CREATE POLICY tenant_sees_own ON public.dataset_rows TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.datasets TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

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

CREATE POLICY tenant_sees_own ON public.review_items TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.review_queues TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.review_takes TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

CREATE POLICY tenant_sees_own ON public.silences TO svc_api USING ((tenant_id = public.current_tenant())) WITH CHECK ((tenant_id = public.current_tenant()));

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

REVOKE ALL ON FUNCTION public.changed_ab_tests(since timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.changed_ab_tests(since timestamp with time zone) TO svc_api;

REVOKE ALL ON FUNCTION public.ensure_day_partition(parent regclass, day date) FROM PUBLIC;
GRANT ALL ON FUNCTION public.ensure_day_partition(parent regclass, day date) TO svc_ingest;

REVOKE ALL ON FUNCTION public.find_api_key(wanted text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.find_api_key(wanted text) TO svc_api;

REVOKE ALL ON FUNCTION public.untold_ab_test_steps(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.untold_ab_test_steps(most integer) TO svc_api;

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

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ab_past_scans TO svc_abtest;

GRANT SELECT ON TABLE public.ab_results TO svc_api;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ab_results TO svc_abtest;

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
GRANT INSERT ON TABLE public.ai_model_operations TO svc_ingest;

GRANT SELECT(tenant_id) ON TABLE public.ai_model_operations TO svc_ingest;
GRANT SELECT(tenant_id) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(tenant_id) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(tenant_id) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(event_id) ON TABLE public.ai_model_operations TO svc_ingest;
GRANT SELECT(event_id) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(event_id) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(event_id) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(occurred_at) ON TABLE public.ai_model_operations TO svc_ingest;
GRANT SELECT(occurred_at) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(occurred_at) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(occurred_at) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(operation_id) ON TABLE public.ai_model_operations TO svc_ingest;
GRANT SELECT(operation_id) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(operation_id) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(operation_id) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(model_id) ON TABLE public.ai_model_operations TO svc_ingest;
GRANT SELECT(model_id) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(model_id) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(success) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(success) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(success) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(response_time_ms) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(response_time_ms) ON TABLE public.ai_model_operations TO svc_abtest;

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

GRANT SELECT(environment) ON TABLE public.ai_model_operations TO svc_ingest;
GRANT SELECT(environment) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(environment) ON TABLE public.ai_model_operations TO svc_abtest;
GRANT SELECT(environment) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(release) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(user_pseudonym) ON TABLE public.ai_model_operations TO svc_abtest;

GRANT SELECT(prompt_version) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(input_tokens) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(input_tokens) ON TABLE public.ai_model_operations TO svc_abtest;

GRANT SELECT(output_tokens) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(output_tokens) ON TABLE public.ai_model_operations TO svc_abtest;

GRANT SELECT(cached_input_tokens) ON TABLE public.ai_model_operations TO svc_metrics;

GRANT SELECT(reasoning_tokens) ON TABLE public.ai_model_operations TO svc_metrics;

GRANT SELECT(cost_nano) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(cost_nano) ON TABLE public.ai_model_operations TO svc_abtest;

GRANT SELECT(confidence) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(confidence) ON TABLE public.ai_model_operations TO svc_abtest;

GRANT SELECT(error_type) ON TABLE public.ai_model_operations TO svc_metrics;

GRANT SELECT(input_text) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(output_text) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(ab_test_id) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(variant) ON TABLE public.ai_model_operations TO svc_ingest;
GRANT SELECT(variant) ON TABLE public.ai_model_operations TO svc_metrics;
GRANT SELECT(variant) ON TABLE public.ai_model_operations TO svc_feedback;

GRANT SELECT(payload_hash) ON TABLE public.ai_model_operations TO svc_ingest;

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

GRANT SELECT,INSERT ON TABLE public.alert_actions TO svc_api;
GRANT SELECT ON TABLE public.alert_actions TO svc_metrics;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.alert_rules TO svc_api;
GRANT SELECT ON TABLE public.alert_rules TO svc_metrics;

GRANT SELECT ON TABLE public.api_keys TO svc_api;

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

GRANT SELECT,INSERT,UPDATE ON TABLE public.dead_letters TO svc_ingest;

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
GRANT SELECT,INSERT,UPDATE ON TABLE public.operation_rollup_minute TO svc_ingest;
GRANT SELECT ON TABLE public.operation_rollup_minute TO svc_metrics;

GRANT SELECT ON TABLE public.performance_alert_steps TO svc_api;
GRANT SELECT,INSERT ON TABLE public.performance_alert_steps TO svc_ingest;

GRANT SELECT ON TABLE public.performance_alerts TO svc_api;
GRANT SELECT,INSERT,UPDATE ON TABLE public.performance_alerts TO svc_ingest;
GRANT SELECT ON TABLE public.performance_alerts TO svc_metrics;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.rater_pairs TO svc_feedback;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.rater_reliability TO svc_feedback;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.rater_votes TO svc_feedback;

GRANT SELECT,INSERT ON TABLE public.review_items TO svc_api;

GRANT SELECT,INSERT ON TABLE public.review_queues TO svc_api;

GRANT UPDATE(closed_at) ON TABLE public.review_queues TO svc_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.review_takes TO svc_api;

GRANT UPDATE(reviewed_at) ON TABLE public.review_takes TO svc_api;

GRANT UPDATE(said) ON TABLE public.review_takes TO svc_api;

GRANT SELECT,INSERT,DELETE ON TABLE public.silences TO svc_api;
GRANT SELECT,DELETE ON TABLE public.silences TO svc_notify;

GRANT SELECT ON TABLE public.tenants TO svc_ingest;
GRANT SELECT ON TABLE public.tenants TO svc_metrics;
GRANT SELECT ON TABLE public.tenants TO svc_api;

GRANT SELECT(tenant_id) ON TABLE public.tenants TO svc_feedback;

GRANT SELECT(content_free) ON TABLE public.tenants TO svc_feedback;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.training_blocks TO svc_feedback;
GRANT SELECT,INSERT ON TABLE public.training_blocks TO svc_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.training_changes TO svc_feedback;

GRANT SELECT ON TABLE public.user_feedback TO svc_api;
GRANT INSERT ON TABLE public.user_feedback TO svc_ingest;

GRANT SELECT(tenant_id) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(tenant_id) ON TABLE public.user_feedback TO svc_metrics;
GRANT SELECT(tenant_id) ON TABLE public.user_feedback TO svc_abtest;

GRANT SELECT(event_id) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(event_id) ON TABLE public.user_feedback TO svc_metrics;

GRANT SELECT(occurred_at) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(occurred_at) ON TABLE public.user_feedback TO svc_metrics;
GRANT SELECT(occurred_at) ON TABLE public.user_feedback TO svc_abtest;

GRANT SELECT(operation_id) ON TABLE public.user_feedback TO svc_ingest;
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

GRANT SELECT(model_id),UPDATE(model_id) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(model_id) ON TABLE public.user_feedback TO svc_metrics;

GRANT SELECT(environment),UPDATE(environment) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(environment) ON TABLE public.user_feedback TO svc_metrics;

GRANT SELECT(operation_type),UPDATE(operation_type) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(operation_type) ON TABLE public.user_feedback TO svc_metrics;

GRANT SELECT(variant),UPDATE(variant) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(variant) ON TABLE public.user_feedback TO svc_metrics;

GRANT SELECT(payload_hash) ON TABLE public.user_feedback TO svc_ingest;

GRANT SELECT(kafka_topic) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(kafka_topic) ON TABLE public.user_feedback TO svc_metrics;

GRANT SELECT(kafka_partition) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(kafka_partition) ON TABLE public.user_feedback TO svc_metrics;

GRANT SELECT(kafka_offset) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(kafka_offset) ON TABLE public.user_feedback TO svc_metrics;

GRANT SELECT(ingested_at) ON TABLE public.user_feedback TO svc_ingest;
GRANT SELECT(ingested_at) ON TABLE public.user_feedback TO svc_metrics;
