-- Queues of operations that people review: what is to be looked at, and who has taken what.

SET ROLE assay_owner;

CREATE TABLE review_queues (
    tenant_id  text NOT NULL,
    queue_id   uuid NOT NULL,
    name       text NOT NULL,
    reviewers  smallint NOT NULL CHECK (reviewers BETWEEN 1 AND 10),
    strategy   text NOT NULL CHECK (strategy IN ('uncertainty', 'disagreement', 'both', 'random')),
    filters    jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    closed_at  timestamptz,
    PRIMARY KEY (tenant_id, queue_id)
);
CREATE INDEX review_queues_by_time ON review_queues (tenant_id, created_at DESC, queue_id DESC);

CREATE TABLE review_items (
    tenant_id    text NOT NULL,
    queue_id     uuid NOT NULL,
    operation_id text NOT NULL,
    model_id     text NOT NULL,
    score        float8 NOT NULL,
    reason       text NOT NULL,
    added_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, queue_id, operation_id),
    FOREIGN KEY (tenant_id, queue_id) REFERENCES review_queues ON DELETE CASCADE
);
CREATE INDEX review_items_by_score ON review_items (tenant_id, queue_id, score DESC, operation_id);

-- Whoever takes an item has one of its places, of which there are as many as reviewers: no more can
-- ever be taken, whoever asks at once. A place that is not used in time is free again.
CREATE TABLE review_takes (
    tenant_id    text NOT NULL,
    queue_id     uuid NOT NULL,
    operation_id text NOT NULL,
    place        smallint NOT NULL CHECK (place BETWEEN 1 AND 10),
    reviewer     text NOT NULL,
    taken_at     timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    reviewed_at  timestamptz,
    said         jsonb,
    PRIMARY KEY (tenant_id, queue_id, operation_id, place),
    UNIQUE (tenant_id, queue_id, operation_id, reviewer),
    FOREIGN KEY (tenant_id, queue_id, operation_id) REFERENCES review_items ON DELETE CASCADE,
    CHECK ((reviewed_at IS NULL) = (said IS NULL))
);
CREATE INDEX review_takes_by_reviewer ON review_takes (tenant_id, queue_id, reviewer);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['review_queues', 'review_items', 'review_takes'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO assay_owner USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I TO svc_api '
                       'USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant())', name);
    END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE (closed_at) ON review_queues TO svc_api;
GRANT SELECT, INSERT ON review_items TO svc_api;
GRANT SELECT, INSERT, DELETE, UPDATE (reviewed_at, said) ON review_takes TO svc_api;

RESET ROLE;
