-- What units did in the fourteen days before a test's start: covariates, and limits of what is extreme.

SET ROLE assay_owner;

-- How far the scan of a test's past is. It is made (`marked_at`) with limits frozen, and in use for
-- every unit (`completed_at`). `bins` are those of shared/measures/sketch.py, until it is made.
CREATE TABLE ab_past_scans (
    tenant_id     text NOT NULL,
    test_id       uuid NOT NULL,
    scanned_until timestamptz NOT NULL,
    tok_bins      jsonb NOT NULL DEFAULT '{}',
    cost_bins     jsonb NOT NULL DEFAULT '{}',
    has_units     boolean NOT NULL DEFAULT false,
    tok_limit     bigint CHECK (tok_limit > 0),
    cost_limit    bigint CHECK (cost_limit > 0),
    marked_at     timestamptz,
    completed_at  timestamptz,
    PRIMARY KEY (tenant_id, test_id),
    FOREIGN KEY (tenant_id, test_id) REFERENCES ab_tests ON DELETE CASCADE,
    CHECK (completed_at IS NULL OR marked_at IS NOT NULL)
);

-- Totals as in ab_units, by the same pseudonym.
CREATE TABLE ab_past (
    tenant_id  text NOT NULL,
    test_id    uuid NOT NULL,
    unit       text NOT NULL,
    n          bigint NOT NULL DEFAULT 0,
    ok         bigint NOT NULL DEFAULT 0,
    ln         bigint NOT NULL DEFAULT 0,
    slow       bigint NOT NULL DEFAULT 0,
    tok_n      bigint NOT NULL DEFAULT 0,
    tok        bigint NOT NULL DEFAULT 0,
    cost_n     bigint NOT NULL DEFAULT 0,
    cost       bigint NOT NULL DEFAULT 0,
    conf_n     bigint NOT NULL DEFAULT 0,
    conf       bigint NOT NULL DEFAULT 0,
    rating_n   bigint NOT NULL DEFAULT 0,
    rating     bigint NOT NULL DEFAULT 0,
    helpful_n  bigint NOT NULL DEFAULT 0,
    helpful    bigint NOT NULL DEFAULT 0,
    accurate_n bigint NOT NULL DEFAULT 0,
    accurate   bigint NOT NULL DEFAULT 0,
    relevant_n bigint NOT NULL DEFAULT 0,
    relevant   bigint NOT NULL DEFAULT 0,
    fast_n     bigint NOT NULL DEFAULT 0,
    fast       bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, test_id, unit)
) WITH (fillfactor = 80);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ab_past_scans', 'ab_past'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO assay_owner USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY abtest_sees_all ON %I TO svc_abtest USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO svc_abtest', name);
    END LOOP;
END $$;

-- What the scan reads: numbers, by pseudonym, and no content.
CREATE POLICY abtest_sees_all ON ai_model_operations FOR SELECT TO svc_abtest USING (true);
CREATE POLICY abtest_sees_all ON user_feedback FOR SELECT TO svc_abtest USING (true);
GRANT SELECT (tenant_id, event_id, occurred_at, operation_id, operation_type, environment, agent_id,
              user_pseudonym, success, response_time_ms, input_tokens, output_tokens, cost_nano, confidence)
    ON ai_model_operations TO svc_abtest;
GRANT SELECT (tenant_id, occurred_at, operation_id, rating, helpful, accurate, relevant, fast)
    ON user_feedback TO svc_abtest;

-- Whether a unit's share of the sums is made with its test's past and limits.
ALTER TABLE ab_units ADD COLUMN with_past boolean NOT NULL DEFAULT false;

-- Moments with a covariate: see shared/experiments/moments.py.
ALTER TABLE ab_sums
    ADD COLUMN x numeric NOT NULL DEFAULT 0,
    ADD COLUMN xx numeric NOT NULL DEFAULT 0,
    ADD COLUMN mx numeric NOT NULL DEFAULT 0,
    ADD COLUMN y numeric NOT NULL DEFAULT 0,
    ADD COLUMN yy numeric NOT NULL DEFAULT 0,
    ADD COLUMN xy numeric NOT NULL DEFAULT 0,
    ADD COLUMN my numeric NOT NULL DEFAULT 0,
    ADD COLUMN dx numeric NOT NULL DEFAULT 0,
    ADD COLUMN dy numeric NOT NULL DEFAULT 0,
    ADD COLUMN h bigint NOT NULL DEFAULT 0,
    ADD COLUMN mh numeric NOT NULL DEFAULT 0,
    ADD COLUMN dh numeric NOT NULL DEFAULT 0;

-- Units by their mean rating, rounded.
ALTER TABLE ab_arms
    ADD COLUMN r1 bigint NOT NULL DEFAULT 0,
    ADD COLUMN r2 bigint NOT NULL DEFAULT 0,
    ADD COLUMN r3 bigint NOT NULL DEFAULT 0,
    ADD COLUMN r4 bigint NOT NULL DEFAULT 0,
    ADD COLUMN r5 bigint NOT NULL DEFAULT 0;
-- Units that are there already, in a shard of their own.
INSERT INTO ab_arms (tenant_id, test_id, epoch, variant, shard, r1, r2, r3, r4, r5)
SELECT tenant_id, test_id, epoch, variant, -4, count(*) FILTER (WHERE mean = 1),
       count(*) FILTER (WHERE mean = 2), count(*) FILTER (WHERE mean = 3),
       count(*) FILTER (WHERE mean = 4), count(*) FILTER (WHERE mean = 5)
  FROM (SELECT *, round(rating::float8 / rating_n) AS mean FROM ab_units
         WHERE NOT is_multiple AND variant IS NOT NULL AND rating_n > 0) AS rated
 GROUP BY tenant_id, test_id, epoch, variant;

RESET ROLE;
