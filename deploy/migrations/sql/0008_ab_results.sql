-- What an A/B test says now: one row a test, replaced as units come.

SET ROLE assay_owner;

-- `body` is the answer; `memory` what the next look needs of this one: extremes of p, and of the split.
CREATE TABLE ab_results (
    tenant_id   text NOT NULL,
    test_id     uuid NOT NULL,
    as_of       timestamptz NOT NULL,
    computed_at timestamptz NOT NULL DEFAULT now(),
    verdict     text NOT NULL,
    body        jsonb NOT NULL CHECK (jsonb_typeof(body) = 'object'),
    memory      jsonb NOT NULL CHECK (jsonb_typeof(memory) = 'object'),
    PRIMARY KEY (tenant_id, test_id),
    FOREIGN KEY (tenant_id, test_id) REFERENCES ab_tests ON DELETE CASCADE
);
ALTER TABLE ab_results ENABLE ROW LEVEL SECURITY;
ALTER TABLE ab_results FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_sees_all ON ab_results TO assay_owner USING (true) WITH CHECK (true);
CREATE POLICY tenant_sees_own ON ab_results TO svc_api USING (tenant_id = current_tenant());
CREATE POLICY abtest_sees_all ON ab_results TO svc_abtest USING (true) WITH CHECK (true);
GRANT SELECT ON ab_results TO svc_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON ab_results TO svc_abtest;

RESET ROLE;
