"""abtest: what A/B tests are decided by.

Consumes operations, feedback and exposures as group `abtest`; writes `ab_events`, `ab_waiting`,
`ab_units`, `ab_arms`, `ab_sums`, `ab_sketches` and `ab_days` in Postgres. Reads what units did
before a test from `ai_model_operations` and `user_feedback` into `ab_past` and `ab_past_scans`.
Looks at tests that have changed, keeps what they say in `ab_results` and over time in
`ab_results_history`, pauses and concludes tests (`ab_tests`), and leaves steps in `ab_test_steps`
that a gateway tells on `experiments`.
"""
