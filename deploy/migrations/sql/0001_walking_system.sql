-- Operations, feedback, dead letters, rollups, fences, tenants and keys, under forced row level security.
-- Run by a superuser or by assay_migrator; everything belongs to assay_owner, which nobody logs in as.

DO $$
DECLARE role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['assay_owner', 'svc_ingest', 'svc_metrics', 'svc_api'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS', role_name);
        END IF;
    END LOOP;
END $$;

CREATE SCHEMA partitions AUTHORIZATION assay_owner;
GRANT USAGE, CREATE ON SCHEMA public TO assay_owner;
GRANT USAGE ON SCHEMA public TO svc_ingest, svc_metrics, svc_api;

SET ROLE assay_owner;

-- ── Tenants and keys ────────────────────────────────────────────────────────────────────────────
CREATE TABLE tenants (
    tenant_id      text PRIMARY KEY CHECK (tenant_id ~ '^[a-z0-9_-]{1,64}$'),
    created_at     timestamptz NOT NULL DEFAULT now(),
    content_free   boolean NOT NULL DEFAULT false,
    retention_days integer NOT NULL DEFAULT 90 CHECK (retention_days BETWEEN 1 AND 3650)
);

CREATE TABLE api_keys (
    tenant_id   text NOT NULL REFERENCES tenants,
    key_id      text NOT NULL CHECK (key_id ~ '^[a-z0-9]{12}$'),
    name        text NOT NULL,
    role        text,
    permissions text[] NOT NULL,
    secret_hash bytea NOT NULL CHECK (length(secret_hash) = 32),
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  text NOT NULL,
    expires_at  timestamptz,
    revoked_at  timestamptz,
    PRIMARY KEY (tenant_id, key_id)
);
CREATE UNIQUE INDEX api_keys_by_id ON api_keys (key_id);

-- ── Position of every consumer that stores in Postgres ──────────────────────────────────────────
CREATE TABLE consumer_fence (
    consumer_group text NOT NULL,
    topic          text NOT NULL,
    partition      integer NOT NULL,
    epoch          bigint NOT NULL,
    next_offset    bigint NOT NULL,
    accepted       bigint NOT NULL DEFAULT 0,
    duplicates     bigint NOT NULL DEFAULT 0,
    dead           bigint NOT NULL DEFAULT 0,
    gaps           bigint NOT NULL DEFAULT 0,
    updated_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer_group, topic, partition)
);

-- ── Events ──────────────────────────────────────────────────────────────────────────────────────
CREATE TABLE ai_model_operations (
    tenant_id              text NOT NULL,
    event_id               uuid NOT NULL,
    occurred_at            timestamptz NOT NULL,
    operation_id           text NOT NULL,
    model_id               text NOT NULL,
    success                boolean NOT NULL,
    response_time_ms       double precision NOT NULL,
    model_version          text,
    provider               text,
    operation_type         text NOT NULL,
    agent_id               text,
    environment            text NOT NULL,
    release                text,
    trace_id               text,
    parent_operation_id    text,
    session_id             text,
    user_pseudonym         text,
    prompt_version         text,
    time_to_first_token_ms double precision,
    input_tokens           bigint,
    output_tokens          bigint,
    cached_input_tokens    bigint,
    reasoning_tokens       bigint,
    cost_nano              bigint,
    confidence             double precision,
    error_type             text,
    error_message          text,
    input_text             text,
    output_text            text,
    ab_test_id             text,
    variant                text,
    metadata               jsonb,
    payload_hash           bytea NOT NULL,
    kafka_topic            text NOT NULL,
    kafka_partition        integer NOT NULL,
    kafka_offset           bigint NOT NULL,
    ingested_at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, event_id, occurred_at)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX ai_model_operations_by_time ON ai_model_operations (tenant_id, occurred_at DESC, event_id DESC);
CREATE INDEX ai_model_operations_by_operation ON ai_model_operations (tenant_id, operation_id);

CREATE TABLE user_feedback (
    tenant_id        text NOT NULL,
    event_id         uuid NOT NULL,
    occurred_at      timestamptz NOT NULL,
    operation_id     text NOT NULL,
    rating           smallint,
    helpful          boolean,
    accurate         boolean,
    relevant         boolean,
    fast             boolean,
    comment          text,
    correction       text,
    model_id         text,
    environment      text,
    operation_type   text,
    variant          text,
    user_pseudonym   text,
    source           text NOT NULL,
    training_consent boolean,
    metadata         jsonb,
    payload_hash     bytea NOT NULL,
    kafka_topic      text NOT NULL,
    kafka_partition  integer NOT NULL,
    kafka_offset     bigint NOT NULL,
    ingested_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, event_id, occurred_at)
) PARTITION BY RANGE (occurred_at);
CREATE INDEX user_feedback_by_time ON user_feedback (tenant_id, occurred_at DESC, event_id DESC);
CREATE INDEX user_feedback_by_operation ON user_feedback (tenant_id, operation_id);
-- Feedback that names no model waits here until its operation is stored.
CREATE INDEX user_feedback_waiting ON user_feedback (ingested_at) WHERE model_id IS NULL;

-- ── What could not be read ──────────────────────────────────────────────────────────────────────
CREATE TABLE dead_letters (
    topic            text NOT NULL,
    partition        integer NOT NULL,
    kafka_offset     bigint NOT NULL,
    reason           text NOT NULL,
    detail           text NOT NULL CHECK (length(detail) <= 512),
    tenant_id        text,
    record_key       bytea,
    record_value     bytea,
    record_headers   jsonb NOT NULL DEFAULT '[]',
    record_timestamp timestamptz NOT NULL,
    first_seen_at    timestamptz NOT NULL DEFAULT now(),
    published_at     timestamptz,
    redriven_at      timestamptz,
    PRIMARY KEY (topic, partition, kafka_offset)
);
CREATE INDEX dead_letters_by_time ON dead_letters (first_seen_at DESC);
CREATE INDEX dead_letters_unpublished ON dead_letters (first_seen_at) WHERE published_at IS NULL;

-- ── Minutes ─────────────────────────────────────────────────────────────────────────────────────
-- Columns and the map `distribution` carry the names of shared/measures/cells.py.
CREATE TABLE operation_rollup_minute (
    tenant_id      text NOT NULL,
    minute         timestamptz NOT NULL,
    model_id       text NOT NULL,
    environment    text NOT NULL,
    operation_type text NOT NULL,
    variant        text NOT NULL,
    topic          text NOT NULL,
    partition      integer NOT NULL,
    n              bigint NOT NULL DEFAULT 0,
    ok             bigint NOT NULL DEFAULT 0,
    rt_us          bigint NOT NULL DEFAULT 0,
    ln             bigint NOT NULL DEFAULT 0,
    ln2            bigint NOT NULL DEFAULT 0,
    tin_n          bigint NOT NULL DEFAULT 0,
    tin            bigint NOT NULL DEFAULT 0,
    tout_n         bigint NOT NULL DEFAULT 0,
    tout           bigint NOT NULL DEFAULT 0,
    tcached_n      bigint NOT NULL DEFAULT 0,
    tcached        bigint NOT NULL DEFAULT 0,
    treason_n      bigint NOT NULL DEFAULT 0,
    treason        bigint NOT NULL DEFAULT 0,
    cost_n         bigint NOT NULL DEFAULT 0,
    cost_nano      bigint NOT NULL DEFAULT 0,
    conf_n         bigint NOT NULL DEFAULT 0,
    conf           bigint NOT NULL DEFAULT 0,
    conf2          bigint NOT NULL DEFAULT 0,
    brier          bigint NOT NULL DEFAULT 0,
    f_n            bigint NOT NULL DEFAULT 0,
    rating_n       bigint NOT NULL DEFAULT 0,
    rating         bigint NOT NULL DEFAULT 0,
    rating2        bigint NOT NULL DEFAULT 0,
    helpful_n      bigint NOT NULL DEFAULT 0,
    helpful        bigint NOT NULL DEFAULT 0,
    accurate_n     bigint NOT NULL DEFAULT 0,
    accurate       bigint NOT NULL DEFAULT 0,
    relevant_n     bigint NOT NULL DEFAULT 0,
    relevant       bigint NOT NULL DEFAULT 0,
    fast_n         bigint NOT NULL DEFAULT 0,
    fast           bigint NOT NULL DEFAULT 0,
    distribution   jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, minute, model_id, environment, operation_type, variant, topic, partition)
) WITH (fillfactor = 70);
CREATE INDEX operation_rollup_minute_by_model ON operation_rollup_minute (tenant_id, model_id, minute);

CREATE FUNCTION add_distributions(a jsonb, b jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT coalesce(jsonb_object_agg(name, total), '{}')
      FROM (SELECT name, sum(value::bigint) AS total
              FROM (SELECT * FROM jsonb_each_text(a) AS one(name, value)
                    UNION ALL
                    SELECT * FROM jsonb_each_text(b) AS two(name, value)) AS entries
             GROUP BY name) AS sums;
END;

-- ── Day partitions ──────────────────────────────────────────────────────────────────────────────
-- Made ahead by ingest, and on demand for late days. They live in a schema without grants:
-- a partition read directly would escape its parent's policies.
CREATE FUNCTION ensure_day_partition(parent regclass, day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
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
REVOKE ALL ON FUNCTION ensure_day_partition(regclass, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_day_partition(regclass, date) TO svc_ingest;

-- ── Who a key belongs to, before any tenant is known ────────────────────────────────────────────
CREATE FUNCTION find_api_key(wanted text)
RETURNS TABLE (tenant_id text, key_id text, name text, role text, permissions text[],
               secret_hash bytea, expires_at timestamptz, revoked_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT k.tenant_id, k.key_id, k.name, k.role, k.permissions, k.secret_hash, k.expires_at, k.revoked_at
      FROM public.api_keys AS k WHERE k.key_id = wanted
$$;
REVOKE ALL ON FUNCTION find_api_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key(text) TO svc_api;

-- ── Row level security: on and forced everywhere, also for the owner ────────────────────────────
CREATE FUNCTION current_tenant() RETURNS text LANGUAGE sql STABLE
AS $$ SELECT nullif(current_setting('app.tenant_id', true), '') $$;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tenants', 'api_keys', 'ai_model_operations', 'user_feedback',
                                'dead_letters', 'operation_rollup_minute'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        -- The owner runs migrations, the command line and the definer functions.
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO assay_owner USING (true) WITH CHECK (true)', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['tenants', 'api_keys', 'ai_model_operations', 'user_feedback',
                                'operation_rollup_minute'] LOOP
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I TO svc_api '
                       'USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant())', name);
    END LOOP;
    -- A consumer's batch mixes tenants: these roles see all of them, in the columns granted below.
    FOREACH name IN ARRAY ARRAY['tenants', 'ai_model_operations', 'user_feedback', 'dead_letters',
                                'operation_rollup_minute'] LOOP
        EXECUTE format('CREATE POLICY ingest_sees_all ON %I TO svc_ingest USING (true) WITH CHECK (true)', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['tenants', 'ai_model_operations', 'operation_rollup_minute'] LOOP
        EXECUTE format('CREATE POLICY metrics_sees_all ON %I FOR SELECT TO svc_metrics USING (true)', name);
    END LOOP;
END $$;

GRANT SELECT ON tenants TO svc_ingest, svc_metrics, svc_api;
GRANT SELECT ON api_keys TO svc_api;
GRANT SELECT ON ai_model_operations, user_feedback, operation_rollup_minute TO svc_api;

GRANT SELECT, INSERT, UPDATE ON consumer_fence TO svc_ingest;
GRANT SELECT ON consumer_fence TO svc_metrics, svc_api;
GRANT INSERT ON ai_model_operations, user_feedback TO svc_ingest;
-- Conflicts, returned keys, and the join of waiting feedback need these columns, and no content.
GRANT SELECT (tenant_id, event_id, occurred_at, operation_id, model_id, environment, operation_type,
              variant, payload_hash, kafka_topic, kafka_partition, kafka_offset)
    ON ai_model_operations TO svc_ingest;
GRANT SELECT (tenant_id, event_id, occurred_at, operation_id, model_id, environment, operation_type,
              variant, payload_hash, kafka_topic, kafka_partition, kafka_offset,
              rating, helpful, accurate, relevant, fast, ingested_at)
    ON user_feedback TO svc_ingest;
GRANT UPDATE (model_id, environment, operation_type, variant) ON user_feedback TO svc_ingest;
GRANT SELECT, INSERT, UPDATE ON dead_letters, operation_rollup_minute TO svc_ingest;

GRANT SELECT (tenant_id, occurred_at, operation_id, model_id, environment, operation_type, variant)
    ON ai_model_operations TO svc_metrics;
GRANT SELECT ON operation_rollup_minute TO svc_metrics;

RESET ROLE;
