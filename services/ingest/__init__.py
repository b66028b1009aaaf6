"""ingest: the system of record.

Consumes operations and feedback as group `ingest`; writes `ai_model_operations`, `user_feedback`,
`operation_rollup_minute` and `dead_letters` in Postgres; publishes dead letters to `<topic>.dlq`.
"""
