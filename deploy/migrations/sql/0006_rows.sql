-- Rules that ask for an agent, or compare versions, are answered from operations.

SET ROLE assay_owner;

GRANT SELECT (agent_id, model_version) ON ai_model_operations TO svc_metrics;

RESET ROLE;
