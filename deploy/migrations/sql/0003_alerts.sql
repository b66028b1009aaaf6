-- Alert rules, alerts and every step of their lives, and what people did to them.

SET ROLE assay_owner;

CREATE TABLE alert_rules (
    tenant_id  text NOT NULL REFERENCES tenants,
    rule_id    uuid NOT NULL,
    body       jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, rule_id)
);
CREATE UNIQUE INDEX alert_rules_by_name ON alert_rules (tenant_id, (body ->> 'name'));

-- One row per step as it was told on ai.alerts.v1.
CREATE TABLE performance_alert_steps (
    tenant_id       text NOT NULL,
    event_id        uuid NOT NULL,
    occurred_at     timestamptz NOT NULL,
    alert_id        uuid NOT NULL,
    step            integer NOT NULL,
    state           text NOT NULL CHECK (state IN ('pending', 'firing', 'acknowledged', 'resolved')),
    severity        text NOT NULL CHECK (severity IN ('warning', 'critical')),
    reason          text NOT NULL,
    actor           text,
    payload_hash    bytea NOT NULL,
    kafka_topic     text NOT NULL,
    kafka_partition integer NOT NULL,
    kafka_offset    bigint NOT NULL,
    PRIMARY KEY (tenant_id, event_id, occurred_at)
);
CREATE INDEX performance_alert_steps_by_alert ON performance_alert_steps (tenant_id, alert_id, step);

-- One row per alert: its last step, whole.
CREATE TABLE performance_alerts (
    tenant_id          text NOT NULL,
    alert_id           uuid NOT NULL,
    rule_id            uuid NOT NULL,
    rule_name          text NOT NULL,
    model_id           text NOT NULL,
    environment        text,
    labels             jsonb NOT NULL,
    state              text NOT NULL,
    severity           text NOT NULL,
    value              double precision,
    threshold          double precision,
    low                double precision,
    high               double precision,
    sample             bigint NOT NULL,
    observed_over      text NOT NULL,
    reason             text NOT NULL,
    step               integer NOT NULL,
    stepped_at         timestamptz NOT NULL,
    started_at         timestamptz NOT NULL,
    fired_at           timestamptz,
    acknowledged_until timestamptz,
    resolved_at        timestamptz,
    PRIMARY KEY (tenant_id, alert_id)
);
CREATE INDEX performance_alerts_by_time ON performance_alerts (tenant_id, started_at DESC, alert_id DESC);
CREATE INDEX performance_alerts_live ON performance_alerts (rule_id) WHERE state <> 'resolved';

-- What people asked for; metrics applies it, and tells it as a step with an actor.
CREATE TABLE alert_actions (
    tenant_id  text NOT NULL,
    action_id  uuid NOT NULL,
    alert_id   uuid NOT NULL,
    action     text NOT NULL CHECK (action IN ('acknowledge', 'resolve')),
    until      timestamptz,
    note       text NOT NULL CHECK (length(note) <= 2048),
    actor      text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, action_id)
);
CREATE INDEX alert_actions_by_alert ON alert_actions (tenant_id, alert_id);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['alert_rules', 'performance_alert_steps', 'performance_alerts', 'alert_actions'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO assay_owner USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY tenant_sees_own ON %I TO svc_api '
                       'USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant())', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['performance_alert_steps', 'performance_alerts'] LOOP
        EXECUTE format('CREATE POLICY ingest_sees_all ON %I TO svc_ingest USING (true) WITH CHECK (true)', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['alert_rules', 'performance_alerts', 'alert_actions'] LOOP
        EXECUTE format('CREATE POLICY metrics_sees_all ON %I FOR SELECT TO svc_metrics USING (true)', name);
    END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON alert_rules TO svc_api;
GRANT SELECT ON performance_alerts, performance_alert_steps TO svc_api;
GRANT SELECT, INSERT ON alert_actions TO svc_api;
GRANT SELECT, INSERT ON performance_alert_steps TO svc_ingest;
GRANT SELECT, INSERT, UPDATE ON performance_alerts TO svc_ingest;
GRANT SELECT ON alert_rules, performance_alerts, alert_actions TO svc_metrics;

RESET ROLE;
