-- Metrics rebuilds its live cells from minutes, and compares them: what it needs to read for that.

SET ROLE assay_owner;

CREATE INDEX operation_rollup_minute_by_partition ON operation_rollup_minute (topic, partition, minute);
-- Rows come in about this order: block ranges cost an insert next to nothing.
CREATE INDEX ai_model_operations_by_arrival ON ai_model_operations
    USING brin (ingested_at, kafka_offset) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX user_feedback_by_arrival ON user_feedback
    USING brin (ingested_at, kafka_offset) WITH (pages_per_range = 32, autosummarize = on);

-- Still no content, and nobody's name.
GRANT SELECT (event_id, success, response_time_ms, input_tokens, output_tokens, cached_input_tokens,
              reasoning_tokens, cost_nano, confidence, error_type, kafka_topic, kafka_partition,
              kafka_offset, ingested_at)
    ON ai_model_operations TO svc_metrics;
CREATE POLICY metrics_sees_all ON user_feedback FOR SELECT TO svc_metrics USING (true);
GRANT SELECT (tenant_id, event_id, occurred_at, operation_id, rating, helpful, accurate, relevant,
              fast, model_id, environment, operation_type, variant, kafka_topic, kafka_partition,
              kafka_offset, ingested_at)
    ON user_feedback TO svc_metrics;

RESET ROLE;
