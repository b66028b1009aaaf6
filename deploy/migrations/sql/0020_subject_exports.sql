-- What is stored of one person, written down for that person: made in portions, by whichever gateway
-- is there, and kept for seven days.

SET ROLE assay_owner;

-- `subject` is a pseudonym, and goes when that person is erased. `known` is what could be found by the
-- name itself only, while it was known: places of dead letters, and of reviews.
CREATE TABLE subject_exports (
    tenant_id    text NOT NULL REFERENCES tenants,
    export_id    uuid NOT NULL,
    subject      text,
    subject_hash text NOT NULL,
    status       text NOT NULL DEFAULT 'pending'
                 CHECK (status IN ('pending', 'running', 'clearing', 'ready', 'erased')),
    known        jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(known) = 'object'),
    position     jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(position) = 'object'),
    created_at   timestamptz NOT NULL DEFAULT now(),
    created_by   text NOT NULL,
    completed_at timestamptz,
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, export_id),
    CHECK ((status = 'erased') = (subject IS NULL)),
    CHECK ((status = 'ready') = (completed_at IS NOT NULL))
);
CREATE INDEX subject_exports_open ON subject_exports (created_at) WHERE status IN ('pending', 'running');
CREATE INDEX subject_exports_by_end ON subject_exports (expires_at);

-- One portion of one class: lines of JSON. `operations` are those that it names.
CREATE TABLE subject_export_parts (
    tenant_id  text NOT NULL,
    export_id  uuid NOT NULL,
    seq        integer NOT NULL,
    class      text NOT NULL,
    lines      integer NOT NULL,
    operations text[] NOT NULL,
    body       bytea NOT NULL,
    PRIMARY KEY (tenant_id, export_id, seq),
    FOREIGN KEY (tenant_id, export_id) REFERENCES subject_exports
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['subject_exports', 'subject_export_parts'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO assay_owner USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I TO svc_api '
                       'USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant())', name);
        EXECUTE format('GRANT SELECT, INSERT, DELETE ON %I TO svc_api', name);
    END LOOP;
END $$;
GRANT UPDATE (subject, status, known, position, completed_at, expires_at) ON subject_exports TO svc_api;

-- What the gateway has not read until now.
CREATE POLICY tenant_sees_own ON ab_past FOR SELECT TO svc_api USING (tenant_id = current_tenant());
GRANT SELECT ON ab_past, rater_pairs, rater_reliability, training_changes TO svc_api;

CREATE FUNCTION open_subject_exports() RETURNS TABLE (tenant_id text, export_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT e.tenant_id, e.export_id FROM public.subject_exports AS e
     WHERE e.status IN ('pending', 'running') AND e.expires_at > now() ORDER BY e.created_at LIMIT 100
$$;
CREATE FUNCTION ended_subject_exports() RETURNS TABLE (tenant_id text, export_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT e.tenant_id, e.export_id FROM public.subject_exports AS e
     WHERE e.expires_at <= now() ORDER BY e.expires_at LIMIT 100
$$;

-- Dead letters of the running transaction's tenant. One that names no tenant is shown only to whom it
-- may be of, and the gateway looks again whether it is of nobody else.
CREATE FUNCTION tenant_dead_letters(after_topic text, after_partition integer, after_offset bigint,
                                    needles bytea[], most integer)
RETURNS TABLE (topic text, "partition" integer, kafka_offset bigint, tenant_id text, reason text,
               detail text, record_key bytea, record_value bytea, record_headers jsonb,
               record_timestamp timestamptz, first_seen_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
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
REVOKE ALL ON FUNCTION open_subject_exports(), ended_subject_exports(),
                       tenant_dead_letters(text, integer, bigint, bytea[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_subject_exports(), ended_subject_exports(),
                          tenant_dead_letters(text, integer, bigint, bytea[], integer) TO svc_api;

COMMENT ON COLUMN subject_exports.tenant_id IS 'no subject';
COMMENT ON COLUMN subject_exports.subject IS 'subject';
COMMENT ON COLUMN subject_exports.subject_hash IS 'no subject';
COMMENT ON COLUMN subject_exports.status IS 'no subject';
COMMENT ON COLUMN subject_exports.known IS 'subject';
COMMENT ON COLUMN subject_exports.position IS 'subject';
COMMENT ON COLUMN subject_exports.created_by IS 'no subject';
COMMENT ON COLUMN subject_export_parts.tenant_id IS 'no subject';
COMMENT ON COLUMN subject_export_parts.class IS 'no subject';
COMMENT ON COLUMN subject_export_parts.operations IS 'subject';
COMMENT ON COLUMN subject_export_parts.body IS 'subject';

RESET ROLE;
