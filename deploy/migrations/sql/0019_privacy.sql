-- Erasure: what is to be erased, marks that outlive it, and a receipt from every store.
-- Marks, names and events hold digests under a key that is not in this database: whoever reads these
-- tables alone learns of nobody.

SET ROLE assay_owner;

-- `subject` is what rows are looked up by (pseudonyms, ids); it goes with the last receipt.
CREATE TABLE erasures (
    tenant_id     text NOT NULL REFERENCES tenants,
    erasure_id    uuid NOT NULL,
    mode          text NOT NULL CHECK (mode IN ('erase', 'anonymise')),
    kind          text NOT NULL CHECK (kind IN ('user', 'operation', 'filter')),
    subject       jsonb CHECK (jsonb_typeof(subject) = 'object'),
    subject_hash  text NOT NULL,
    erased_from   timestamptz,
    erased_before timestamptz NOT NULL,
    status        text NOT NULL DEFAULT 'pending'
                  CHECK (status IN ('pending', 'running', 'completed', 'failed')),
    deadline      timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    created_by    text NOT NULL,
    completed_at  timestamptz,
    PRIMARY KEY (tenant_id, erasure_id),
    CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
    CHECK ((status = 'completed') = (subject IS NULL))
);
CREATE INDEX erasures_open ON erasures (deadline) WHERE status IN ('pending', 'running');

-- Read by every consumer in the transaction of its batch. Marks are written one after the other
-- (an advisory lock), so the highest number that is visible says which others are.
CREATE TABLE erased_subjects (
    tenant_id     text NOT NULL,
    seq           bigint GENERATED ALWAYS AS IDENTITY,
    erasure_id    uuid NOT NULL,
    names         jsonb NOT NULL CHECK (jsonb_typeof(names) = 'object' AND names <> '{}'),
    erased_from   timestamptz,
    erased_before timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, seq)
);
CREATE INDEX erased_subjects_by_seq ON erased_subjects (seq);

-- What follows from a mark: operations of a person, and units of A/B tests that were that person.
CREATE TABLE erased_names (
    tenant_id     text NOT NULL,
    digest        text NOT NULL,
    erased_before timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, digest)
);

-- Events that were counted and are not stored: each counts once, also when it comes again.
CREATE TABLE erased_events (
    tenant_id       text NOT NULL,
    digest          bytea NOT NULL,
    kafka_topic     text NOT NULL,
    kafka_partition integer NOT NULL,
    kafka_offset    bigint NOT NULL,
    ingested_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, digest)
);
CREATE INDEX erased_events_by_offset ON erased_events (kafka_topic, kafka_partition, kafka_offset);
CREATE INDEX erased_events_by_arrival ON erased_events (kafka_topic, kafka_partition, ingested_at);

-- What minutes hold of rows that are not stored any more.
CREATE TABLE erased_rows_minute (LIKE operation_rollup_minute INCLUDING DEFAULTS INCLUDING INDEXES);

-- One per store that is expected to answer; `at` says that it has. `position` and `seen_xid` are how
-- far its service is.
CREATE TABLE erasure_receipts (
    tenant_id  text NOT NULL,
    erasure_id uuid NOT NULL,
    service    text NOT NULL,
    store      text NOT NULL,
    removed    bigint,
    until      timestamptz,
    at         timestamptz,
    position   jsonb NOT NULL DEFAULT '{}',
    seen_xid   bigint,
    PRIMARY KEY (tenant_id, erasure_id, service, store),
    FOREIGN KEY (tenant_id, erasure_id) REFERENCES erasures ON DELETE CASCADE
);
CREATE INDEX erasure_receipts_open ON erasure_receipts (service) WHERE at IS NULL;

-- Operations that a service has to erase; a note goes when that is done.
CREATE TABLE erasure_due (
    tenant_id     text NOT NULL,
    due_id        bigint GENERATED ALWAYS AS IDENTITY,
    service       text NOT NULL,
    erasure_id    uuid,
    what          text NOT NULL CHECK (what IN ('operation', 'event', 'rater')),
    operation_id  text NOT NULL,
    event_id      uuid,
    row_id        uuid,
    replaced_by   text,
    with_unit     boolean NOT NULL DEFAULT false,
    erased_before timestamptz NOT NULL,
    seen_xid      bigint,
    done_once     boolean NOT NULL DEFAULT false,
    noted_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, due_id)
);
CREATE INDEX erasure_due_by_service ON erasure_due (service, tenant_id, due_id);
CREATE INDEX erasure_due_by_erasure ON erasure_due (tenant_id, erasure_id, service);

-- What is told on `erasures` and `erasure-receipts`: written with what it tells.
CREATE TABLE erasure_events (
    tenant_id    text NOT NULL,
    event_id     uuid NOT NULL,
    topic        text NOT NULL CHECK (topic IN ('erasures.v1', 'erasure-receipts.v1')),
    record_key   text NOT NULL,
    occurred_at  timestamptz NOT NULL,
    body         jsonb NOT NULL,
    published_at timestamptz,
    PRIMARY KEY (tenant_id, event_id)
);
CREATE INDEX erasure_events_untold ON erasure_events (occurred_at, event_id) WHERE published_at IS NULL;

ALTER TABLE consumer_fence ADD COLUMN erased bigint NOT NULL DEFAULT 0;

-- ── Row level security ──────────────────────────────────────────────────────────────────────────
DO $$
DECLARE name text; role_name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['erasures', 'erased_subjects', 'erased_names', 'erased_events',
                                'erased_rows_minute', 'erasure_receipts', 'erasure_due',
                                'erasure_events'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO assay_owner USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I TO svc_api '
                       'USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant())', name);
    END LOOP;
    -- A consumer's batch mixes tenants, and its eraser looks for what is left of all of them.
    FOREACH name IN ARRAY ARRAY['erasures', 'erasure_receipts', 'erasure_events'] LOOP
        EXECUTE format('CREATE POLICY services_see_all ON %I TO svc_ingest, svc_abtest, svc_feedback, '
                       'svc_metrics, svc_notify USING (true) WITH CHECK (true)', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['erased_subjects', 'erased_names', 'erasure_due'] LOOP
        EXECUTE format('CREATE POLICY consumers_see_all ON %I TO svc_ingest, svc_abtest, svc_feedback '
                       'USING (true) WITH CHECK (true)', name);
    END LOOP;
    FOREACH role_name IN ARRAY ARRAY['svc_ingest', 'svc_abtest', 'svc_feedback', 'svc_metrics',
                                     'svc_notify', 'svc_api'] LOOP
        EXECUTE format('GRANT SELECT, UPDATE (status, subject, completed_at) ON erasures TO %I', role_name);
        EXECUTE format('GRANT SELECT, UPDATE (removed, until, at, position, seen_xid) ON erasure_receipts TO %I', role_name);
        EXECUTE format('GRANT INSERT ON erasure_events TO %I', role_name);
    END LOOP;
END $$;
-- metrics and notify keep nothing of operations, and only ingest and feedback leave notes.
GRANT SELECT, UPDATE (seen_xid, done_once), DELETE ON erasure_due TO svc_ingest, svc_abtest, svc_feedback, svc_api;
GRANT INSERT ON erasure_due TO svc_ingest, svc_feedback;
CREATE POLICY consumers_see_all ON erased_events TO svc_ingest, svc_metrics USING (true) WITH CHECK (true);
CREATE POLICY ingest_sees_all ON erased_rows_minute TO svc_ingest USING (true) WITH CHECK (true);
GRANT INSERT ON erasures, erased_subjects, erasure_receipts TO svc_api;
GRANT SELECT, UPDATE (published_at) ON erasure_events TO svc_api;
GRANT SELECT ON erased_subjects, erased_names TO svc_ingest, svc_abtest, svc_feedback;
GRANT INSERT, UPDATE (erased_before) ON erased_names TO svc_ingest, svc_abtest;
GRANT SELECT, INSERT ON erased_events TO svc_ingest;
GRANT SELECT ON erased_events TO svc_metrics;
GRANT SELECT, INSERT, UPDATE ON erased_rows_minute TO svc_ingest;

-- Whoever erases finds by names and keeps what minutes counted; still no content is read.
GRANT SELECT (user_pseudonym, session_id, trace_id, agent_id, release, success, response_time_ms,
              input_tokens, output_tokens, cached_input_tokens, reasoning_tokens, cost_nano, confidence,
              error_type, ingested_at),
      UPDATE (event_id, operation_id, trace_id, parent_operation_id, session_id, user_pseudonym,
              error_message, input_text, output_text, metadata, payload_hash),
      DELETE ON ai_model_operations TO svc_ingest;
GRANT SELECT (user_pseudonym),
      UPDATE (event_id, operation_id, user_pseudonym, comment, correction, metadata, payload_hash),
      DELETE ON user_feedback TO svc_ingest;
GRANT DELETE ON dead_letters TO svc_ingest;
GRANT DELETE ON review_items TO svc_api;

-- ── What nobody does for another ────────────────────────────────────────────────────────────────
-- Services end erasures; they do not say whose they are, and answer for themselves only.
CREATE FUNCTION erasures_only_end() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
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
CREATE TRIGGER only_end BEFORE UPDATE ON erasures FOR EACH ROW EXECUTE FUNCTION erasures_only_end();

CREATE FUNCTION receipts_are_ones_own() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF NEW IS DISTINCT FROM OLD
       AND current_user IN ('svc_ingest', 'svc_abtest', 'svc_feedback', 'svc_metrics', 'svc_notify')
       AND current_user <> 'svc_' || NEW.service THEN
        RAISE insufficient_privilege USING MESSAGE = 'erasure_receipts: another service''s';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ones_own BEFORE UPDATE ON erasure_receipts
    FOR EACH ROW EXECUTE FUNCTION receipts_are_ones_own();

-- ── What a service has to do, whichever tenant's it is ──────────────────────────────────────────
CREATE FUNCTION open_erasure_tasks(of_service text)
RETURNS TABLE (tenant_id text, erasure_id uuid, store text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    -- Tenants in turn: whoever asks for much makes only himself wait.
    SELECT t.tenant_id, t.erasure_id, t.store FROM (
        SELECT r.tenant_id, r.erasure_id, r.store, e.created_at,
               row_number() OVER (PARTITION BY r.tenant_id ORDER BY e.created_at, r.store) AS turn
          FROM public.erasure_receipts AS r JOIN public.erasures AS e USING (tenant_id, erasure_id)
         WHERE r.service = of_service AND r.at IS NULL) AS t
     ORDER BY t.turn, t.created_at LIMIT 100
$$;
CREATE FUNCTION erasure_due_tenants(of_service text) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT t.tenant_id FROM public.tenants AS t
     WHERE EXISTS (SELECT FROM public.erasure_due AS d
                    WHERE d.service = of_service AND d.tenant_id = t.tenant_id)
     ORDER BY t.tenant_id
$$;
CREATE FUNCTION late_erasures()
RETURNS TABLE (tenant_id text, erasure_id uuid, deadline timestamptz, missing text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT e.tenant_id, e.erasure_id, e.deadline,
           ARRAY(SELECT r.service || '/' || r.store FROM public.erasure_receipts AS r
                  WHERE r.tenant_id = e.tenant_id AND r.erasure_id = e.erasure_id AND r.at IS NULL
                  ORDER BY 1)
      FROM public.erasures AS e
     WHERE e.status IN ('pending', 'running') AND e.deadline < now() ORDER BY e.deadline LIMIT 1000
$$;
CREATE FUNCTION untold_erasure_events(most integer)
RETURNS TABLE (tenant_id text, event_id uuid, topic text, record_key text, occurred_at timestamptz, body jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT e.tenant_id, e.event_id, e.topic, e.record_key, e.occurred_at, e.body
      FROM public.erasure_events AS e
     WHERE e.published_at IS NULL ORDER BY e.occurred_at, e.event_id LIMIT most
$$;
-- While the name is still known: letters that nobody can decode are found by the text itself. One
-- that names no tenant must hold the tenant's name too, so that nobody erases another's.
CREATE FUNCTION erase_dead_letters(needles bytea[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
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
REVOKE ALL ON FUNCTION open_erasure_tasks(text), erasure_due_tenants(text), late_erasures(),
                       untold_erasure_events(integer), erase_dead_letters(bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_erasure_tasks(text), erasure_due_tenants(text)
    TO svc_ingest, svc_abtest, svc_feedback, svc_metrics, svc_notify, svc_api;
REVOKE ALL ON FUNCTION erasures_only_end(), receipts_are_ones_own() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION late_erasures(), untold_erasure_events(integer), erase_dead_letters(bytea[])
    TO svc_api;

-- ── Which columns can hold a person ─────────────────────────────────────────────────────────────
-- Every column of text, JSON or bytes says so in its comment; a test fails on one that does not.
DO $$
DECLARE line text; column_name text; names text[];
BEGIN
    FOREACH line IN ARRAY ARRAY[
        'ab_arms', 'ab_days', 'ab_events', 'ab_past', 'ab_past_scans', 'ab_results', 'ab_sketches', 'ab_sums',
        'ab_test_steps', 'ab_tests', 'ab_units', 'ab_waiting', 'ai_model_operations', 'alert_actions',
        'alert_rules', 'api_keys', 'audit_heads', 'audit_log', 'consumer_fence', 'dataset_rows', 'datasets', 'dead_letters',
        'erased_events', 'erased_names', 'erased_rows_minute', 'erased_subjects', 'erasure_due',
        'erasure_events', 'erasure_receipts', 'erasures', 'feedback_analysis', 'feedback_due',
        'feedback_operations', 'health_limits', 'model_status_changes', 'model_training_data',
        'notification_channels', 'notification_deliveries', 'operation_rollup_minute',
        'performance_alert_steps', 'performance_alerts', 'rater_pairs', 'rater_reliability', 'rater_votes',
        'review_items', 'review_queues', 'review_takes', 'silences', 'tenants', 'training_blocks',
        'training_changes', 'user_feedback'] LOOP
        FOR column_name IN SELECT a.attname FROM pg_attribute AS a
             WHERE a.attrelid = line::regclass AND a.attnum > 0 AND NOT a.attisdropped
               AND a.atttypid IN ('text'::regtype, 'text[]'::regtype, 'jsonb'::regtype, 'bytea'::regtype) LOOP
            EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', line, column_name, 'no subject');
        END LOOP;
    END LOOP;
    FOREACH line IN ARRAY ARRAY[
        'ab_events unit operation_id', 'ab_past unit', 'ab_units unit', 'ab_waiting operation_id',
        'ai_model_operations operation_id trace_id parent_operation_id session_id user_pseudonym '
        'error_message input_text output_text metadata payload_hash',
        'user_feedback operation_id user_pseudonym comment correction metadata payload_hash',
        'dead_letters record_key record_value record_headers',
        'dataset_rows operation_id input output correction input_hash lineage',
        'erasure_due operation_id replaced_by', 'erasures subject',
        'feedback_analysis operation_id user_pseudonym correction', 'feedback_due operation_id',
        'feedback_operations operation_id stands told_stands',
        'model_training_data operation_id input output correction input_hash lineage content_hash',
        'rater_pairs one other', 'rater_reliability rater', 'review_items operation_id',
        'review_takes operation_id reviewer said', 'training_blocks operation_id',
        'training_changes operation_id body'] LOOP
        names := string_to_array(line, ' ');
        FOREACH column_name IN ARRAY names[2:] LOOP
            EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', names[1], column_name, 'subject');
        END LOOP;
    END LOOP;
END $$;

RESET ROLE;
