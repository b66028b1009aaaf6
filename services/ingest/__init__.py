"""ingest: the system of record.

Consumes operations, feedback, alerts and exposures as group `ingest`; writes `ai_model_operations`,
`user_feedback`, `operation_rollup_minute` and `dead_letters` in Postgres; publishes dead letters to
`<topic>.dlq`. Of exposures it keeps those only that cannot be read: the others are abtest's.
"""
