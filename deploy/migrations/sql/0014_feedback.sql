-- What group `feedback` keeps: what was said, read and judged; and the training rows made of it.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'svc_feedback') THEN
        CREATE ROLE svc_feedback NOLOGIN NOSUPERUSER NOBYPASSRLS;
    END IF;
END $$;

SET ROLE assay_owner;

GRANT USAGE ON SCHEMA public TO svc_feedback;

-- A feedback as it was read: explicit words first, the comment where they are silent. Thumbs are
-- those that count; `from_comment` names those that only the comment told, `conflict` what it
-- contradicts. The comment itself stays in user_feedback.
CREATE TABLE feedback_analysis (
    tenant_id      text NOT NULL,
    event_id       uuid NOT NULL,
    occurred_at    timestamptz NOT NULL,
    operation_id   text NOT NULL,
    source         text NOT NULL CHECK (source IN ('user', 'reviewer', 'code', 'model')),
    user_pseudonym text,
    rating         smallint CHECK (rating BETWEEN 1 AND 5),
    helpful        boolean,
    accurate       boolean,
    relevant       boolean,
    fast           boolean,
    from_comment   text[] NOT NULL DEFAULT '{}',
    conflict       text[] NOT NULL DEFAULT '{}',
    label          text CHECK (label IN ('negative', 'neutral', 'positive')),
    score          float8,
    confidence     float8,
    method         text NOT NULL,
    version        text NOT NULL,
    is_corrected   boolean NOT NULL,
    correction     text,
    consent        boolean,
    is_superseded  boolean NOT NULL DEFAULT false,
    analysed_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, event_id, occurred_at)
);
CREATE INDEX feedback_analysis_by_operation ON feedback_analysis (tenant_id, operation_id);
CREATE INDEX feedback_analysis_by_user ON feedback_analysis (tenant_id, user_pseudonym)
    WHERE user_pseudonym IS NOT NULL;
CREATE INDEX feedback_analysis_by_time ON feedback_analysis (tenant_id, occurred_at DESC, event_id DESC);

-- Operations that somebody spoke of. Without `found_at` the operation has not come yet; told of once
-- at `reported_at`. `stands` is what raters say of it now, `told_stands` its share of their sums.
CREATE TABLE feedback_operations (
    tenant_id      text NOT NULL,
    operation_id   text NOT NULL,
    first_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    found_at       timestamptz,
    reported_at    timestamptz,
    occurred_at    timestamptz,
    model_id       text,
    model_version  text,
    agent_id       text,
    environment    text,
    operation_type text,
    weighed_at     timestamptz,
    stands         jsonb NOT NULL DEFAULT '[]',
    told_stands    jsonb NOT NULL DEFAULT '[]',
    PRIMARY KEY (tenant_id, operation_id)
) WITH (fillfactor = 70);
CREATE INDEX feedback_operations_waiting ON feedback_operations (first_at) WHERE found_at IS NULL;
CREATE INDEX feedback_operations_weighed ON feedback_operations (weighed_at) WHERE weighed_at IS NOT NULL;
CREATE INDEX feedback_operations_stands ON feedback_operations (tenant_id) WHERE stands <> told_stands;

-- Notes of operations whose rows are to be made anew. Whoever makes rows takes notes out in the
-- transaction of its work; whoever writes one waits for nobody. `shard`: shared/training/shards.py.
CREATE TABLE feedback_due (
    tenant_id    text NOT NULL,
    due_id       bigint GENERATED ALWAYS AS IDENTITY,
    operation_id text NOT NULL,
    shard        smallint NOT NULL CHECK (shard BETWEEN 0 AND 15),
    due_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, due_id)
);
CREATE INDEX feedback_due_by_shard ON feedback_due (shard, due_id);
CREATE INDEX feedback_due_by_operation ON feedback_due (tenant_id, operation_id);

-- Rows for training: what the model said, and each text that should have been given instead.
-- `terms` is the evidence that quality and weight were made of; a withdrawn row has no texts.
CREATE TABLE model_training_data (
    tenant_id       text NOT NULL,
    row_id          uuid NOT NULL,
    operation_id    text NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('answer', 'correction')),
    state           text NOT NULL CHECK (state IN ('ready', 'withdrawn')),
    occurred_at     timestamptz NOT NULL,
    model_id        text NOT NULL,
    model_version   text,
    agent_id        text,
    environment     text NOT NULL,
    operation_type  text NOT NULL,
    prompt_version  text,
    ab_test_id      text,
    variant         text,
    input           text,
    output          text,
    correction      text,
    input_hash      bytea,
    quality         float8 NOT NULL CHECK (quality BETWEEN 0 AND 1),
    weight          float8 NOT NULL CHECK (weight BETWEEN 0 AND 1),
    reasons         text[] NOT NULL,
    terms           jsonb NOT NULL,
    consent         boolean,
    split           text NOT NULL CHECK (split IN ('train', 'validation', 'test')),
    formula_version text NOT NULL,
    weighed_at      timestamptz NOT NULL,
    lineage         jsonb NOT NULL,
    has_pii         boolean NOT NULL,
    content_hash    bytea NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, row_id),
    CHECK (state = 'ready' OR (input IS NULL AND output IS NULL AND correction IS NULL))
) WITH (fillfactor = 80);
CREATE INDEX model_training_data_by_operation ON model_training_data (tenant_id, operation_id);
CREATE INDEX model_training_data_by_time ON model_training_data (tenant_id, occurred_at DESC, row_id DESC)
    WHERE state = 'ready';
CREATE INDEX model_training_data_by_input ON model_training_data (tenant_id, input_hash, occurred_at, row_id)
    WHERE state = 'ready';

-- Rows that somebody took out for good.
CREATE TABLE training_blocks (
    tenant_id    text NOT NULL,
    row_id       uuid NOT NULL,
    operation_id text NOT NULL,
    blocked_at   timestamptz NOT NULL DEFAULT now(),
    blocked_by   text NOT NULL,
    PRIMARY KEY (tenant_id, row_id)
);
CREATE INDEX training_blocks_by_operation ON training_blocks (tenant_id, operation_id);

-- Changes of rows, as events: written with the change, told from here, and kept for a time.
CREATE TABLE training_changes (
    tenant_id    text NOT NULL,
    change_id    bigint GENERATED ALWAYS AS IDENTITY,
    event_id     uuid NOT NULL,
    operation_id text NOT NULL,
    occurred_at  timestamptz NOT NULL,
    body         jsonb NOT NULL,
    published_at timestamptz,
    PRIMARY KEY (tenant_id, change_id)
);
CREATE INDEX training_changes_untold ON training_changes (change_id) WHERE published_at IS NULL;
CREATE INDEX training_changes_told ON training_changes (published_at) WHERE published_at IS NOT NULL;

-- Who agreed with whom: see services/feedback/domain/agreement.py. `reliability` is what rows are
-- weighed with; it moves in the night.
CREATE TABLE rater_votes (
    tenant_id text NOT NULL,
    points    smallint NOT NULL,
    votes     bigint NOT NULL,
    PRIMARY KEY (tenant_id, points)
);
CREATE TABLE rater_pairs (
    tenant_id text NOT NULL,
    one       text NOT NULL,
    other     text NOT NULL,
    shared    bigint NOT NULL,
    agreed    bigint NOT NULL,
    PRIMARY KEY (tenant_id, one, other)
);
CREATE TABLE rater_reliability (
    tenant_id   text NOT NULL,
    rater       text NOT NULL,
    reliability float8 NOT NULL CHECK (reliability BETWEEN 0 AND 1),
    reckoned_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, rater)
);

-- Nights that are done with, in UTC. It holds no tenant's data.
CREATE TABLE feedback_nights (day date PRIMARY KEY, done_at timestamptz NOT NULL DEFAULT now());
GRANT SELECT, INSERT ON feedback_nights TO svc_feedback;

-- Frozen datasets, with copies of their rows: what changes later changes no dataset, but a row that
-- is withdrawn leaves all of them, and `withdrawn` counts it.
CREATE TABLE datasets (
    tenant_id       text NOT NULL,
    dataset_id      uuid NOT NULL,
    name            text NOT NULL,
    version         integer NOT NULL,
    filters         jsonb NOT NULL,
    splits          jsonb NOT NULL,
    state           text NOT NULL CHECK (state IN ('freezing', 'frozen', 'failed')),
    formula_version text,
    weighed_at      timestamptz,
    rows            bigint,
    sha256          text,
    manifest        jsonb,
    failure         text,
    withdrawn       bigint NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL DEFAULT now(),
    created_by      text NOT NULL,
    frozen_at       timestamptz,
    PRIMARY KEY (tenant_id, dataset_id),
    UNIQUE (tenant_id, name, version)
);
CREATE INDEX datasets_by_time ON datasets (tenant_id, created_at DESC, dataset_id DESC);
CREATE INDEX datasets_freezing ON datasets (created_at) WHERE state = 'freezing';
CREATE TABLE dataset_rows (
    tenant_id       text NOT NULL,
    dataset_id      uuid NOT NULL,
    position        bigint NOT NULL,
    row_id          uuid NOT NULL,
    operation_id    text NOT NULL,
    kind            text NOT NULL,
    occurred_at     timestamptz NOT NULL,
    model_id        text NOT NULL,
    model_version   text,
    agent_id        text,
    environment     text NOT NULL,
    operation_type  text NOT NULL,
    prompt_version  text,
    ab_test_id      text,
    variant         text,
    input           text,
    output          text,
    correction      text,
    input_hash      bytea,
    quality         float8 NOT NULL,
    weight          float8 NOT NULL,
    reasons         text[] NOT NULL,
    consent         boolean,
    split           text NOT NULL,
    formula_version text NOT NULL,
    weighed_at      timestamptz NOT NULL,
    lineage         jsonb NOT NULL,
    has_pii         boolean NOT NULL,
    PRIMARY KEY (tenant_id, dataset_id, position),
    FOREIGN KEY (tenant_id, dataset_id) REFERENCES datasets ON DELETE CASCADE
);
CREATE INDEX dataset_rows_by_operation ON dataset_rows (tenant_id, operation_id);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['feedback_analysis', 'feedback_operations', 'feedback_due',
                                'model_training_data', 'training_blocks', 'training_changes',
                                'rater_votes', 'rater_pairs', 'rater_reliability', 'datasets',
                                'dataset_rows'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO assay_owner USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY feedback_sees_all ON %I TO svc_feedback USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I TO svc_api '
                       'USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant())', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO svc_feedback', name);
    END LOOP;
END $$;
GRANT SELECT ON feedback_analysis, feedback_operations, model_training_data, datasets, dataset_rows,
                training_blocks TO svc_api;
GRANT INSERT ON datasets, training_blocks TO svc_api;
GRANT INSERT (tenant_id, operation_id, shard) ON feedback_due TO svc_api;

-- A group moves its own fences and sees nobody else's; but feedback follows ingest, whose rows of
-- operations it reads.
CREATE POLICY feedback_moves_its_own ON consumer_fence TO svc_feedback
    USING (consumer_group = 'feedback') WITH CHECK (consumer_group = 'feedback');
CREATE POLICY feedback_follows_ingest ON consumer_fence FOR SELECT TO svc_feedback
    USING (consumer_group = 'ingest');
GRANT SELECT, INSERT, UPDATE ON consumer_fence TO svc_feedback;

-- Rows are made of operations as ingest stored them, and tenants say whether texts may be kept.
CREATE POLICY feedback_sees_all ON ai_model_operations FOR SELECT TO svc_feedback USING (true);
CREATE POLICY feedback_sees_all ON tenants FOR SELECT TO svc_feedback USING (true);
GRANT SELECT (tenant_id, event_id, occurred_at, operation_id, model_id, model_version, provider, operation_type,
              agent_id, environment, release, prompt_version, success, input_text, output_text, ab_test_id,
              variant, kafka_topic, kafka_partition, kafka_offset)
    ON ai_model_operations TO svc_feedback;
GRANT SELECT (tenant_id, content_free) ON tenants TO svc_feedback;

RESET ROLE;
