-- A/B tests as they are configured and live, and every step that is to be told.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'svc_abtest') THEN
        CREATE ROLE svc_abtest NOLOGIN NOSUPERUSER NOBYPASSRLS;
    END IF;
END $$;

GRANT USAGE ON SCHEMA public TO svc_abtest;

SET ROLE assay_owner;

-- `body` is the configuration as it holds now; `epochs` what held since when, oldest first.
CREATE TABLE ab_tests (
    tenant_id  text NOT NULL REFERENCES tenants,
    test_id    uuid NOT NULL,
    key        text NOT NULL,
    body       jsonb NOT NULL CHECK (jsonb_typeof(body) = 'object'),
    state      text NOT NULL CHECK (state IN ('draft', 'running', 'paused', 'stopped', 'concluded')),
    epochs     jsonb NOT NULL CHECK (jsonb_typeof(epochs) = 'array'),
    winner     text,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    -- Of the very moment, not of the transaction's begin: whoever keeps a copy asks what is newer.
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz,
    ended_at   timestamptz,
    PRIMARY KEY (tenant_id, test_id),
    CHECK ((state = 'draft') = (started_at IS NULL)),
    CHECK ((state IN ('stopped', 'concluded')) = (ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX ab_tests_by_key ON ab_tests (tenant_id, key);
CREATE INDEX ab_tests_by_time ON ab_tests (tenant_id, created_at DESC, test_id DESC);
CREATE INDEX ab_tests_by_change ON ab_tests (updated_at);

-- Written with the change itself; `body` is the event, and without `published_at` it is to be told.
CREATE TABLE ab_test_steps (
    tenant_id    text NOT NULL,
    event_id     uuid NOT NULL,
    test_id      uuid NOT NULL,
    occurred_at  timestamptz NOT NULL,
    state        text NOT NULL,
    actor        text,
    reason       text NOT NULL CHECK (length(reason) <= 2048),
    body         jsonb NOT NULL,
    published_at timestamptz,
    PRIMARY KEY (tenant_id, event_id),
    FOREIGN KEY (tenant_id, test_id) REFERENCES ab_tests ON DELETE CASCADE
);
CREATE INDEX ab_test_steps_by_test ON ab_test_steps (tenant_id, test_id, occurred_at, event_id);
CREATE INDEX ab_test_steps_untold ON ab_test_steps (occurred_at, event_id) WHERE published_at IS NULL;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ab_tests', 'ab_test_steps'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO assay_owner USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I TO svc_api '
                       'USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant())', name);
        EXECUTE format('CREATE POLICY abtest_sees_all ON %I TO svc_abtest USING (true) WITH CHECK (true)', name);
    END LOOP;
END $$;

-- A gateway assigns units of every tenant also while Postgres is away, so it keeps a copy of all
-- tests; and it tells steps whose writer ended before it could.
CREATE FUNCTION changed_ab_tests(since timestamptz) RETURNS SETOF ab_tests
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT * FROM public.ab_tests WHERE since IS NULL OR updated_at >= since ORDER BY updated_at
$$;
CREATE FUNCTION untold_ab_test_steps(most integer)
RETURNS TABLE (tenant_id text, event_id uuid, test_id uuid, occurred_at timestamptz, body jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT s.tenant_id, s.event_id, s.test_id, s.occurred_at, s.body FROM public.ab_test_steps AS s
     WHERE s.published_at IS NULL ORDER BY s.occurred_at, s.event_id LIMIT most
$$;
REVOKE ALL ON FUNCTION changed_ab_tests(timestamptz), untold_ab_test_steps(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION changed_ab_tests(timestamptz), untold_ab_test_steps(integer) TO svc_api;

GRANT SELECT, INSERT, UPDATE ON ab_tests TO svc_api;
GRANT SELECT, INSERT, UPDATE (published_at) ON ab_test_steps TO svc_api;
-- abtest ends and pauses tests; what is compared stays as people made it.
GRANT SELECT, UPDATE (state, winner, updated_at, ended_at) ON ab_tests TO svc_abtest;
GRANT SELECT, INSERT, UPDATE (published_at) ON ab_test_steps TO svc_abtest;

RESET ROLE;
