-- What an A/B test's results said over time: of each comparison the interval that holds at every look.

SET ROLE assay_owner;

-- Aggregates of both arms: nothing of a person is in it. `at` is the time of the last event that the
-- look knew. Of a slot of time the last look is kept; besides these, the first that excluded zero
-- (`is_first`), which nothing replaces.
CREATE TABLE ab_results_history (
    tenant_id  text NOT NULL,
    test_id    uuid NOT NULL,
    at         timestamptz NOT NULL,
    metric     text NOT NULL,
    variant    text NOT NULL,
    is_first   boolean NOT NULL DEFAULT false,
    units      bigint NOT NULL CHECK (units >= 0),
    difference double precision NOT NULL,
    low        double precision NOT NULL,
    high       double precision NOT NULL,
    PRIMARY KEY (tenant_id, test_id, at, metric, variant, is_first),
    FOREIGN KEY (tenant_id, test_id) REFERENCES ab_tests ON DELETE CASCADE
);
CREATE UNIQUE INDEX ab_results_history_first ON ab_results_history (tenant_id, test_id, metric, variant)
    WHERE is_first;
ALTER TABLE ab_results_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE ab_results_history FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_sees_all ON ab_results_history TO assay_owner USING (true) WITH CHECK (true);
CREATE POLICY tenant_sees_own ON ab_results_history TO svc_api USING (tenant_id = current_tenant());
CREATE POLICY abtest_sees_all ON ab_results_history TO svc_abtest USING (true) WITH CHECK (true);
GRANT SELECT ON ab_results_history TO svc_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON ab_results_history TO svc_abtest;
COMMENT ON COLUMN ab_results_history.tenant_id IS 'no subject';
COMMENT ON COLUMN ab_results_history.metric IS 'no subject';
COMMENT ON COLUMN ab_results_history.variant IS 'no subject';

RESET ROLE;
