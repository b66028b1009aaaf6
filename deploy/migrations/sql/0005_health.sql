-- Limits of health, and every change of a model's status.

SET ROLE assay_owner;

-- `model_id` is '' for the limits of all the tenant's models; `body` holds what was given, no more.
CREATE TABLE health_limits (
    tenant_id  text NOT NULL REFERENCES tenants,
    model_id   text NOT NULL,
    body       jsonb NOT NULL CHECK (jsonb_typeof(body) = 'object'),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by text NOT NULL,
    PRIMARY KEY (tenant_id, model_id)
);

-- Both in one, because no index finds what "is not distinct from" null.
CREATE FUNCTION status_part(environment text, operation_type text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN environment IS NULL THEN ''
            ELSE length(environment)::text || ':' || environment || operation_type END;

-- `environment` and `operation_type` are null for the model as a whole, '' where operations do not say.
CREATE TABLE model_status_changes (
    tenant_id      text NOT NULL,
    change_id      uuid NOT NULL,
    model_id       text NOT NULL,
    environment    text,
    operation_type text,
    part           text NOT NULL GENERATED ALWAYS AS (status_part(environment, operation_type)) STORED,
    at             timestamptz NOT NULL,
    status         text NOT NULL CHECK (status IN ('excellent', 'good', 'degraded', 'critical', 'unknown')),
    before         text,
    reasons        jsonb NOT NULL,
    measures       jsonb NOT NULL,
    PRIMARY KEY (tenant_id, change_id),
    CHECK ((environment IS NULL) = (operation_type IS NULL))
);
CREATE INDEX model_status_changes_by_part ON model_status_changes (tenant_id, model_id, part, at DESC, change_id DESC);
CREATE INDEX model_status_changes_by_time ON model_status_changes (tenant_id, model_id, at DESC, change_id DESC);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['health_limits', 'model_status_changes'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO assay_owner USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I TO svc_api '
                       'USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant())', name);
    END LOOP;
END $$;
CREATE POLICY metrics_sees_all ON health_limits FOR SELECT TO svc_metrics USING (true);
CREATE POLICY metrics_sees_all ON model_status_changes TO svc_metrics USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON health_limits TO svc_api;
GRANT SELECT ON model_status_changes TO svc_api;
GRANT SELECT ON health_limits TO svc_metrics;
GRANT SELECT, INSERT ON model_status_changes TO svc_metrics;

RESET ROLE;
