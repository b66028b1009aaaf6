-- What A/B tests count: the events of their units, the units, and sums over units.
-- A unit is a user or a session under its pseudonym; an arm is a variant in an epoch. Numbers are
-- integers throughout, so that they add up the same in any order.

SET ROLE assay_owner;

-- Operations ('o'), feedback on them ('f') and exposures ('e') of units that take part in a test.
-- `counts_at` is the operation's time, also for feedback; `is_crossed`: another model, or another
-- variant, than the unit's. Kept until 30 days after the test's end.
CREATE TABLE ab_events (
    tenant_id    text NOT NULL,
    test_id      uuid NOT NULL,
    event_id     uuid NOT NULL,
    occurred_at  timestamptz NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('o', 'f', 'e')),
    unit         text NOT NULL,
    operation_id text,
    epoch        integer NOT NULL,
    variant      text NOT NULL,
    counts_at    timestamptz NOT NULL,
    is_crossed   boolean NOT NULL,
    bin          smallint,
    ok           smallint,
    ln           bigint,
    slow         smallint,
    tok          bigint,
    cost         bigint,
    conf         bigint,
    rating       smallint,
    helpful      smallint,
    accurate     smallint,
    relevant     smallint,
    fast         smallint,
    PRIMARY KEY (tenant_id, test_id, event_id, occurred_at)
);
CREATE INDEX ab_events_by_operation ON ab_events (tenant_id, operation_id) WHERE kind = 'o';
CREATE INDEX ab_events_by_unit ON ab_events (tenant_id, test_id, unit);

-- Feedback whose operation has not come yet, for at most 7 days.
CREATE TABLE ab_waiting (
    tenant_id    text NOT NULL,
    event_id     uuid NOT NULL,
    occurred_at  timestamptz NOT NULL,
    operation_id text NOT NULL,
    arrived_at   timestamptz NOT NULL,
    rating       smallint,
    helpful      smallint,
    accurate     smallint,
    relevant     smallint,
    fast         smallint,
    waits_since  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, event_id, occurred_at)
);
CREATE INDEX ab_waiting_by_operation ON ab_waiting (tenant_id, operation_id);
CREATE INDEX ab_waiting_by_time ON ab_waiting (waits_since);

-- Totals of what counts; `seen` holds each `epoch:variant` that the unit was seen in, by spaces.
CREATE TABLE ab_units (
    tenant_id   text NOT NULL,
    test_id     uuid NOT NULL,
    unit        text NOT NULL,
    cell        smallint NOT NULL CHECK (cell BETWEEN 0 AND 1023),
    seen        text NOT NULL DEFAULT '',
    epoch       integer,
    variant     text,
    is_crossed  boolean NOT NULL DEFAULT false,
    is_multiple boolean NOT NULL DEFAULT false,
    exposed_at  timestamptz,
    first_at    timestamptz,
    events      bigint NOT NULL DEFAULT 0,
    n           bigint NOT NULL DEFAULT 0,
    crossovers  bigint NOT NULL DEFAULT 0,
    ok          bigint NOT NULL DEFAULT 0,
    ln          bigint NOT NULL DEFAULT 0,
    slow        bigint NOT NULL DEFAULT 0,
    tok_n       bigint NOT NULL DEFAULT 0,
    tok         bigint NOT NULL DEFAULT 0,
    cost_n      bigint NOT NULL DEFAULT 0,
    cost        bigint NOT NULL DEFAULT 0,
    conf_n      bigint NOT NULL DEFAULT 0,
    conf        bigint NOT NULL DEFAULT 0,
    rating_n    bigint NOT NULL DEFAULT 0,
    rating      bigint NOT NULL DEFAULT 0,
    helpful_n   bigint NOT NULL DEFAULT 0,
    helpful     bigint NOT NULL DEFAULT 0,
    accurate_n  bigint NOT NULL DEFAULT 0,
    accurate    bigint NOT NULL DEFAULT 0,
    relevant_n  bigint NOT NULL DEFAULT 0,
    relevant    bigint NOT NULL DEFAULT 0,
    fast_n      bigint NOT NULL DEFAULT 0,
    fast        bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, test_id, unit)
) WITH (fillfactor = 60);

-- Every process adds to the shard of the partition that it reads, and readers add the shards up.
-- `version` grows with every change: who has seen a sum of versions knows when to look again.
CREATE TABLE ab_arms (
    tenant_id  text NOT NULL,
    test_id    uuid NOT NULL,
    epoch      integer NOT NULL,
    variant    text NOT NULL,
    shard      integer NOT NULL,
    units      bigint NOT NULL DEFAULT 0,
    multiple   bigint NOT NULL DEFAULT 0,
    operations bigint NOT NULL DEFAULT 0,
    crossovers bigint NOT NULL DEFAULT 0,
    largest    bigint NOT NULL DEFAULT 0,
    first_at   timestamptz,
    last_at    timestamptz,
    as_of      timestamptz,
    version    bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, test_id, epoch, variant, shard)
) WITH (fillfactor = 50);

CREATE TABLE ab_sums (
    tenant_id text NOT NULL,
    test_id   uuid NOT NULL,
    epoch     integer NOT NULL,
    variant   text NOT NULL,
    metric    text NOT NULL,
    shard     integer NOT NULL,
    n         bigint NOT NULL DEFAULT 0,
    m         numeric NOT NULL DEFAULT 0,
    mm        numeric NOT NULL DEFAULT 0,
    d         numeric NOT NULL DEFAULT 0,
    dd        numeric NOT NULL DEFAULT 0,
    md        numeric NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, test_id, epoch, variant, metric, shard)
) WITH (fillfactor = 50);

-- Response times in bins of shared/measures/sketch.py, by 20 groups of units.
CREATE TABLE ab_sketches (
    tenant_id text NOT NULL,
    test_id   uuid NOT NULL,
    epoch     integer NOT NULL,
    variant   text NOT NULL,
    grp       smallint NOT NULL CHECK (grp BETWEEN 0 AND 19),
    shard     integer NOT NULL,
    bins      jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, test_id, epoch, variant, grp, shard)
) WITH (fillfactor = 50);

-- Units by the UTC day on which they were first seen, in event time.
CREATE TABLE ab_days (
    tenant_id text NOT NULL,
    test_id   uuid NOT NULL,
    day       date NOT NULL,
    shard     integer NOT NULL,
    units     bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, test_id, day, shard)
) WITH (fillfactor = 50);

-- Units by a hash into 1,024 cells: a cross-check of the sums. Read from the units themselves, so
-- that it costs nothing while events come, and cannot differ from them.
CREATE VIEW ab_cells WITH (security_invoker = true) AS
SELECT tenant_id, test_id, epoch, variant, cell, count(*) AS units,
       sum(n) AS n, sum(ok) AS ok, sum(ln) AS ln, sum(slow) AS slow,
       sum(tok_n) AS tok_n, sum(tok) AS tok, sum(cost_n) AS cost_n, sum(cost) AS cost,
       sum(conf_n) AS conf_n, sum(conf) AS conf, sum(rating_n) AS rating_n, sum(rating) AS rating,
       sum(helpful_n) AS helpful_n, sum(helpful) AS helpful,
       sum(accurate_n) AS accurate_n, sum(accurate) AS accurate,
       sum(relevant_n) AS relevant_n, sum(relevant) AS relevant, sum(fast_n) AS fast_n, sum(fast) AS fast
  FROM ab_units WHERE NOT is_multiple AND variant IS NOT NULL
 GROUP BY tenant_id, test_id, epoch, variant, cell;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['ab_events', 'ab_waiting', 'ab_units', 'ab_arms', 'ab_sums',
                                'ab_sketches', 'ab_days'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO assay_owner USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I FOR SELECT TO svc_api '
                       'USING (tenant_id = current_tenant())', name);
        EXECUTE format('CREATE POLICY abtest_sees_all ON %I TO svc_abtest USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO svc_abtest', name);
        EXECUTE format('GRANT SELECT ON %I TO svc_api', name);
    END LOOP;
END $$;
GRANT SELECT ON ab_cells TO svc_abtest, svc_api;

-- A group moves its own fences and sees nobody else's.
CREATE POLICY abtest_moves_its_own ON consumer_fence TO svc_abtest
    USING (consumer_group = 'abtest') WITH CHECK (consumer_group = 'abtest');
GRANT SELECT, INSERT, UPDATE ON consumer_fence TO svc_abtest;

RESET ROLE;
