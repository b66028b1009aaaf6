-- Channels, silences, and every notification: what is to be told, and what became of it.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'svc_notify') THEN
        CREATE ROLE svc_notify NOLOGIN NOSUPERUSER NOBYPASSRLS;
    END IF;
END $$;

GRANT USAGE ON SCHEMA public TO svc_notify;

SET ROLE assay_owner;

CREATE TABLE notification_channels (
    tenant_id     text NOT NULL REFERENCES tenants,
    channel_id    uuid NOT NULL,
    name          text NOT NULL,
    type          text NOT NULL CHECK (type IN ('webhook', 'slack', 'pagerduty', 'alertmanager')),
    url           text NOT NULL,
    secret        text,
    send_resolved boolean NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    created_by    text NOT NULL,
    -- Who sends to it right now, until when nobody else may, and before when nobody should.
    held_by       uuid,
    held_until    timestamptz,
    paced_until   timestamptz,
    PRIMARY KEY (tenant_id, channel_id)
);
CREATE UNIQUE INDEX notification_channels_by_name ON notification_channels (tenant_id, name);
CREATE INDEX notification_channels_by_time ON notification_channels (tenant_id, created_at DESC, channel_id DESC);

CREATE TABLE silences (
    tenant_id  text NOT NULL REFERENCES tenants,
    silence_id uuid NOT NULL,
    matchers   jsonb NOT NULL,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL CHECK (ends_at > starts_at),
    comment    text NOT NULL CHECK (length(comment) <= 2048),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    PRIMARY KEY (tenant_id, silence_id)
);
CREATE INDEX silences_by_end ON silences (tenant_id, ends_at);
CREATE INDEX silences_by_time ON silences (tenant_id, created_at DESC, silence_id DESC);

-- One row per channel and step. As long as `due_at` is set, there is something to do.
CREATE TABLE notification_deliveries (
    tenant_id   text NOT NULL,
    delivery_id uuid NOT NULL,
    channel_id  uuid NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('alert', 'test')),
    alert_id    uuid,
    step        integer NOT NULL,
    alert_state text,
    severity    text,
    body        jsonb NOT NULL,
    is_last     boolean NOT NULL DEFAULT true,
    state       text NOT NULL CHECK (state IN ('pending', 'sending', 'delivered', 'failed', 'unknown',
                                               'silenced', 'inhibited', 'skipped', 'expired')),
    reason      text NOT NULL DEFAULT '',
    status      integer,
    attempts    integer NOT NULL DEFAULT 0,
    due_at      timestamptz,
    occurred_at timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    released_at timestamptz,
    PRIMARY KEY (tenant_id, delivery_id),
    FOREIGN KEY (tenant_id, channel_id) REFERENCES notification_channels ON DELETE CASCADE
);
CREATE INDEX notification_deliveries_due ON notification_deliveries (tenant_id, channel_id, due_at)
    WHERE due_at IS NOT NULL;
CREATE UNIQUE INDEX notification_deliveries_one_test ON notification_deliveries (tenant_id, channel_id)
    WHERE kind = 'test' AND due_at IS NOT NULL;
CREATE INDEX notification_deliveries_by_alert ON notification_deliveries (tenant_id, channel_id, alert_id, step);
CREATE INDEX notification_deliveries_critical ON notification_deliveries (tenant_id, channel_id)
    WHERE is_last AND severity = 'critical' AND alert_state IN ('firing', 'acknowledged');
CREATE INDEX notification_deliveries_by_time ON notification_deliveries (tenant_id, channel_id, created_at DESC, delivery_id DESC);
CREATE INDEX notification_deliveries_old ON notification_deliveries (created_at) WHERE due_at IS NULL;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['notification_channels', 'silences', 'notification_deliveries'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO assay_owner USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I TO svc_api '
                       'USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant())', name);
        EXECUTE format('CREATE POLICY notify_sees_all ON %I TO svc_notify USING (true) WITH CHECK (true)', name);
    END LOOP;
END $$;

-- A consumer moves its own group's fences only.
ALTER TABLE consumer_fence ENABLE ROW LEVEL SECURITY;
ALTER TABLE consumer_fence FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_sees_all ON consumer_fence TO assay_owner USING (true) WITH CHECK (true);
CREATE POLICY ingest_moves_its_own ON consumer_fence TO svc_ingest
    USING (consumer_group = 'ingest') WITH CHECK (consumer_group = 'ingest');
CREATE POLICY notify_moves_its_own ON consumer_fence TO svc_notify
    USING (consumer_group = 'notify') WITH CHECK (consumer_group = 'notify');
CREATE POLICY readers_see_all ON consumer_fence FOR SELECT TO svc_metrics, svc_api USING (true);

-- Whoever answers requests may store a channel's secret and never read it.
GRANT SELECT (tenant_id, channel_id, name, type, url, send_resolved, created_at, created_by),
      INSERT, DELETE ON notification_channels TO svc_api;
GRANT SELECT, INSERT, DELETE ON silences TO svc_api;
GRANT SELECT, INSERT ON notification_deliveries TO svc_api;
GRANT SELECT, UPDATE (held_by, held_until, paced_until) ON notification_channels TO svc_notify;
GRANT SELECT, DELETE ON silences TO svc_notify;
GRANT SELECT, INSERT, UPDATE, DELETE ON notification_deliveries TO svc_notify;
GRANT SELECT, INSERT, UPDATE ON consumer_fence TO svc_notify;

RESET ROLE;
